//! One log with two clocks is recognised; parts of one log and unrelated logs are not refused.

use std::sync::OnceLock;

use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use backstay_evidence::{
    ImportOptions, Mapping,
    fingerprint::{
        ClockShift, Disagreement, Fingerprint, Fingerprinter, LogComparison, compare,
        fingerprint_rows, fingerprint_table, fingerprints_from_rows,
    },
    schema::object_schema,
};

use crate::support::{Taken, options, read_file};

/// Fingerprints of all case events, in the order of stored objects.
fn fingerprints(taken: &Taken) -> Vec<Fingerprint> {
    let batches: Vec<_> = taken.tables("case_event").collect();
    let all = concat_batches(&batches[0].schema(), batches).unwrap();
    let keys: Vec<SortColumn> = ["case_id", "occurred_at"]
        .map(|name| SortColumn { values: all.column_by_name(name).unwrap().clone(), options: None })
        .into();
    let order = lexsort_to_indices(&keys, None).unwrap();
    let sorted = take_record_batch(&all, &order).unwrap();
    let mut fingerprinter = Fingerprinter::default();
    for start in (0..sorted.num_rows()).step_by(1_000) {
        let rows = sorted.slice(start, 1_000.min(sorted.num_rows() - start));
        fingerprinter.push(&rows).unwrap();
    }
    fingerprinter.finish()
}

fn of_xes(file: &str) -> Vec<Fingerprint> {
    fingerprints(&read_file(file, &options(Mapping::built_in("xes").unwrap())).0)
}

/// The help-desk log as exported with UTC, and with local offsets.
fn helpdesk() -> &'static [Vec<Fingerprint>; 2] {
    static PAIR: OnceLock<[Vec<Fingerprint>; 2]> = OnceLock::new();
    PAIR.get_or_init(|| {
        ["work-logs/helpdesk_utc.xes.gz", "work-logs/helpdesk_local.xes.gz"].map(of_xes)
    })
}

fn disagreement(comparison: LogComparison) -> Disagreement {
    match comparison {
        LogComparison::DisagreeingClocks(found) => found,
        other => panic!("not recognised: {other:?}"),
    }
}

/// Every second case.
fn halves(all: &[Fingerprint]) -> [Vec<Fingerprint>; 2] {
    [0, 1].map(|half| all.iter().skip(half).step_by(2).cloned().collect())
}

#[test]
fn the_two_help_desk_exports_are_one_log_with_two_clocks() {
    let [utc, local] = helpdesk();
    let found = disagreement(compare(utc, local));
    assert_eq!((found.matched, found.comparable), (4_579, 4_579));
    assert!(found.equal_wall_clocks);
    assert_eq!(found.same_ids, 0);
    let shifts = [(-180, 2_719), (-120, 1_860)];
    assert_eq!(found.shifts, shifts.map(|(minutes, cases)| ClockShift { minutes, cases }));
    let back = disagreement(compare(local, utc));
    assert_eq!(back.shifts[0].minutes, 180);
    // A small part of the other export is enough.
    let part = disagreement(compare(utc, &local[..50]));
    assert_eq!((part.matched, part.comparable), (50, 50));
}

#[test]
fn a_constant_shift_is_recognised_with_other_case_ids_too() {
    let [utc, _] = helpdesk();
    let shifted = |minutes: i64, ids: bool| -> Vec<Fingerprint> {
        let moved = utc.iter().enumerate().map(|(n, print)| Fingerprint {
            case_id: if ids { format!("other {n}") } else { print.case_id.clone() },
            first_us: print.first_us + minutes * 60_000_000,
            wall: if minutes == 0 {
                print.wall
            } else {
                [n.to_le_bytes(); 2].concat().try_into().unwrap()
            },
            ..print.clone()
        });
        moved.collect()
    };
    let found = disagreement(compare(utc, &shifted(7, false)));
    assert_eq!(found.shifts[0].minutes, 7);
    assert!(!found.equal_wall_clocks && found.shifts[0].cases > 3_000, "{found:?}");
    let found = disagreement(compare(utc, &shifted(0, true)));
    assert_eq!(
        (found.shifts.as_slice(), found.same_ids),
        ([ClockShift { minutes: 0, cases: 4_579 }].as_slice(), 0)
    );
}

#[test]
fn overlaps_halves_and_other_logs_are_not_refused() {
    let [utc, _] = helpdesk();
    assert_eq!(compare(utc, utc), LogComparison::SameClock { matched: 4_580 });
    assert_eq!(compare(&utc[..3_000], &utc[2_000..]), LogComparison::SameClock { matched: 1_000 });
    assert_eq!(compare(&[], utc), LogComparison::Unrelated);
    let volvo = of_xes("work-logs/volvo_closed_problems.xes.gz");
    let domestic = of_xes("work-logs/DomesticDeclarations.xes.gz");
    let international = of_xes("work-logs/InternationalDeclarations.xes.gz");
    for all in [utc, &volvo, &domestic, &international] {
        let [first, second] = halves(all);
        assert_eq!(compare(&first, &second), LogComparison::Unrelated);
    }
    for (one, other) in [(utc, &volvo), (&domestic, &international), (&international, &domestic)] {
        assert_eq!(compare(one, other), LogComparison::Unrelated);
    }
}

#[test]
fn halves_of_a_log_with_many_cases_closed_in_bulk_are_not_refused() {
    let zone = Some("UTC".to_owned());
    let mapping = Mapping::built_in("servicenow-incident").unwrap();
    let options = ImportOptions { zone, ..options(mapping) };
    let all =
        fingerprints(&read_file("work-logs/servicenow_incident_event_log.csv.gz", &options).0);
    let [first, second] = halves(&all);
    assert_eq!(compare(&first, &second), LogComparison::Unrelated);
}

#[test]
fn fingerprints_survive_as_rows_of_their_table() {
    let [utc, _] = helpdesk();
    let rows = fingerprint_rows(utc).unwrap();
    assert_eq!(rows.schema().as_ref(), &object_schema(&fingerprint_table()));
    assert_eq!(&fingerprints_from_rows(&rows).unwrap(), utc);
}
