//! The simulation from outside: its bytes, its files read by a stranger, its ladders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod recount;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::OnceLock,
};

use backstay_sim::{
    Cause, LadderTruth, MERIDIAN_SEED, MeasureTruth, Outcome, Plant, Scenario, Truth, ladder_case,
    simulate,
};
use jiff::{Timestamp, civil::Date};
use recount::Example;

/// The worked example, made once.
fn meridian() -> &'static Outcome {
    static MADE: OnceLock<Outcome> = OnceLock::new();
    MADE.get_or_init(|| simulate(&Scenario::meridian(MERIDIAN_SEED)).unwrap())
}

fn files(outcome: &Outcome) -> BTreeMap<&str, &[u8]> {
    outcome.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect()
}

fn committed() -> std::path::PathBuf {
    "../../examples/meridian".into()
}

/// Paths of all files below a folder, with `/` between parts.
fn below(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            below(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name);
        }
    }
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut plain).unwrap();
    plain
}

#[test]
fn the_committed_example_is_what_the_program_makes() {
    let made = files(meridian());
    let mut there = BTreeSet::new();
    below(&committed(), "", &mut there);
    let names: BTreeSet<String> = made.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(there, names, "remake it: cargo run -p backstay-sim -- meridian examples/meridian");
    for (name, bytes) in made {
        let held = fs::read(committed().join(name)).unwrap();
        // How tightly gzip packs depends on the packer that a build has; what it packs does not.
        let content =
            |bytes: &[u8]| if name.ends_with(".gz") { inflated(bytes) } else { bytes.to_vec() };
        assert!(
            content(&held) == content(bytes),
            "`{name}` differs; remake it: cargo run -p backstay-sim -- meridian examples/meridian"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let small = |seed| {
        let scenario =
            Scenario { seed, size: 25, plants: vec![Plant::SpoiltRows, Plant::CorrectedRow] };
        simulate(&scenario).unwrap().files
    };
    let first = small(5);
    assert!(first == small(5));
    assert!(first != small(6));
    assert!(
        ladder_case(3, &[Cause::Clock]).unwrap().files
            == ladder_case(3, &[Cause::Clock]).unwrap().files
    );
}

#[test]
fn the_example_stays_small_and_of_real_life_size() {
    let size: usize = meridian().files.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(size <= 3_500_000, "{size} bytes");
    let cases = |arrangement: &str, month: &str| {
        let rows = meridian().truth.measures.iter();
        let here = rows.filter(|row| row.arrangement_id == arrangement && row.month == month);
        here.filter(|row| row.metric == "turnaround").map(|row| row.denominator).sum::<i64>()
    };
    for arrangement in
        ["payroll-manila", "payroll-cebu", "claims", "accounts-payable", "service-desk"]
    {
        for month in ["2026-08", "2026-09", "2026-10"] {
            assert!((120..=420).contains(&cases(arrangement, month)), "{arrangement} {month}");
        }
    }
}

fn compare(row: &MeasureTruth, example: &Example) {
    let name = format!("{} {} {}", row.arrangement_id, row.service_level_id, row.month);
    let month: Date = format!("{}-01", row.month).parse().unwrap();
    let (counted, excluded) = example.month(&row.arrangement_id, &row.service_level_id, month);
    let missed: BTreeMap<&str, (i64, i64)> = counted
        .iter()
        .filter(|(_, found)| !found.met)
        .map(|(case, found)| (case.as_str(), (found.worked_minutes, found.due)))
        .collect();
    let told: BTreeMap<&str, (i64, i64)> = row
        .missed
        .iter()
        .map(|miss| {
            let due = miss.due_at.parse::<Timestamp>().unwrap().as_second();
            (miss.case_id.as_str(), (miss.working_minutes, due))
        })
        .collect();
    assert_eq!(missed, told, "{name}");
    let numbers = (counted.values().filter(|found| found.met).count(), counted.len());
    assert_eq!(
        numbers,
        (usize::try_from(row.numerator).unwrap(), usize::try_from(row.denominator).unwrap()),
        "{name}"
    );
    let told: BTreeSet<String> = row.excluded.iter().map(|row| row.case_id.clone()).collect();
    assert_eq!(excluded, told, "{name}");
}

#[test]
fn every_figure_comes_out_again_from_the_files_by_adding_up_windows() {
    let example = Example::read(&files(meridian()));
    assert!(example.cases.len() > 3_000);
    assert_eq!(meridian().truth.measures.len(), 42);
    for row in &meridian().truth.measures {
        compare(row, &example);
    }
}

#[test]
fn a_ladder_figure_comes_out_again_from_its_files() {
    let outcome = ladder_case(11, &[Cause::Calendar, Cause::Exclusions]).unwrap();
    let example = Example::read(&files(&outcome));
    for row in &outcome.truth.measures {
        compare(row, &example);
    }
}

#[test]
fn import_counts_add_up_and_fit_the_files() {
    let made = files(meridian());
    for import in &meridian().truth.imports {
        let parts = import.accepted + import.corrected + import.already_known + import.quarantined;
        assert_eq!(import.read, parts, "{}", import.file);
        assert_eq!(
            usize::try_from(import.quarantined).unwrap(),
            import.quarantined_records.len(),
            "{}",
            import.file
        );
        if import.file.ends_with(".csv") {
            let lines = made[import.file.as_str()].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(usize::try_from(import.read).unwrap(), lines - 1, "{}", import.file);
        }
    }
    let total = |of: fn(&backstay_sim::ImportTruth) -> i64| {
        meridian().truth.imports.iter().map(of).sum::<i64>()
    };
    assert_eq!(total(|import| import.corrected), 1);
    assert_eq!(total(|import| import.quarantined), 7);
    assert!(total(|import| import.already_known) > 500);
}

fn status(truth: &Truth, arrangement: &str, control: &str) -> String {
    let rows = truth.controls.iter();
    let mut here = rows.filter(|row| row.arrangement_id == arrangement && row.control == control);
    here.next().unwrap().status.clone()
}

const CONTROLS: [&str; 4] =
    ["service-levels-defined", "service-levels-met", "provider-report-agrees", "work-visible"];

#[test]
fn every_violation_is_where_it_was_planted_and_accounts_payable_is_clean() {
    let truth = &meridian().truth;
    let of = |arrangement: &str| CONTROLS.map(|control| status(truth, arrangement, control));
    assert_eq!(of("payroll-manila"), ["deficient", "effective", "deficient", "effective"]);
    assert_eq!(of("payroll-cebu"), ["effective", "untested", "untested", "deficient"]);
    assert_eq!(of("claims"), ["effective", "deficient", "deficient", "effective"]);
    assert_eq!(of("accounts-payable"), ["effective"; 4]);
    assert_eq!(of("service-desk"), ["effective", "untested", "deficient", "deficient"]);
    let planted: BTreeSet<&str> =
        truth.ladders.iter().flat_map(|row| row.planted.iter().map(String::as_str)).collect();
    assert_eq!(planted.len(), Cause::ALL.len(), "{planted:?}");
}

#[test]
fn hours_have_every_word_and_each_promise_is_broken_once() {
    let truth = &meridian().truth;
    let of = |control: &str| {
        ["payroll-manila", "payroll-cebu", "claims", "accounts-payable", "service-desk"]
            .map(|arrangement| status(truth, arrangement, control))
    };
    let (bad, good, open, none) = ("deficient", "effective", "untested", "not-applicable");
    assert_eq!(of("overlap-sufficient"), [open, none, bad, good, good]);
    assert_eq!(of("hours-covered"), [none, open, open, good, bad]);
    assert_eq!(of("holidays-covered"), [bad, open, good, good, none]);
    assert_eq!(of("handovers-made"), [open, none, good, none, bad]);
    assert_eq!(of("urgent-answered"), [good, none, open, none, bad]);
    assert_eq!(of("meetings-shared"), [bad, good, good, good, open]);
    let plants = truth.plants.iter().map(|plant| plant.kind.as_str());
    let hours = ["overlap", "hours", "holidays", "handovers", "urgent", "meetings"];
    let found: Vec<&str> =
        plants.filter(|kind| hours.iter().any(|h| kind.starts_with(h))).collect();
    assert_eq!(found.len(), 6, "{found:?}");
    // Together until the clocks of one side go back, and less from then on.
    let minutes = |day: &str| {
        let mut rows = truth.overlaps.iter().filter(|row| row.arrangement_id == "claims");
        rows.find(|row| row.day == day).map(|row| row.minutes)
    };
    assert_eq!(minutes("2026-10-23"), Some(270));
    assert_eq!(minutes("2026-10-27"), Some(210));
    assert_eq!(minutes("2026-10-26"), None, "a holiday in Dublin");
}

#[test]
fn without_plants_everything_is_clean() {
    let outcome = simulate(&Scenario { seed: 21, size: 60, plants: Vec::new() }).unwrap();
    let truth = &outcome.truth;
    // Without a plant nothing is wrong; what was never agreed, or never sent, stays untested.
    let wrong = truth.controls.iter().filter(|row| row.status == "deficient");
    assert_eq!(wrong.count(), 0, "{:?}", truth.controls);
    let own = truth.controls.iter().filter(|row| CONTROLS.contains(&row.control.as_str()));
    assert!(own.into_iter().all(|row| row.status == "effective"), "{:?}", truth.controls);
    assert!(truth.ladders.iter().all(|row| row.agrees && row.planted.is_empty()));
    assert!(truth.imports.iter().all(|row| row.quarantined == 0 && row.corrected == 0));
    assert!(truth.plants.is_empty());
}

/// The parts of a ladder that are not zero, and that all of them add up to the difference.
fn parts(ladder: &LadderTruth) -> BTreeSet<String> {
    let mut sum = (0_i128, 1_i128);
    for step in &ladder.steps {
        let (numer, denom) = (i128::from(step.part.numer), i128::from(step.part.denom));
        sum = (sum.0 * denom + numer * sum.1, sum.1 * denom);
        let divisor = gcd(sum.0.abs(), sum.1);
        sum = (sum.0 / divisor, sum.1 / divisor);
    }
    let (numerator, denominator) = (
        i128::from(ladder.provider_numerator.unwrap()),
        i128::from(ladder.provider_denominator.unwrap()),
    );
    let (ours, of) = (i128::from(ladder.ours_numerator), i128::from(ladder.ours_denominator));
    let difference = (numerator * of - ours * denominator, denominator * of);
    assert_eq!(sum.0 * difference.1, difference.0 * sum.1, "{ladder:?}");
    let steps = ladder.steps.iter().filter(|step| step.part.numer != 0);
    steps.map(|step| step.step.clone()).collect()
}

fn gcd(left: i128, right: i128) -> i128 {
    if right == 0 { left.max(1) } else { gcd(right, left % right) }
}

#[test]
fn a_cause_alone_is_the_whole_difference_and_in_pairs_nothing_stays_unexplained() {
    for (place, first) in Cause::ALL.into_iter().enumerate() {
        for second in Cause::ALL.into_iter().skip(place) {
            let seed = 100 + u64::try_from(place).unwrap();
            let outcome = ladder_case(seed, &[first, second]).unwrap();
            let ladder = &outcome.truth.ladders[0];
            let found = parts(ladder);
            if first == second {
                assert_eq!(found, BTreeSet::from([first.name().to_owned()]));
            } else {
                let unexplained = second == Cause::Unexplained;
                assert_eq!(found.contains("unexplained"), unexplained, "{ladder:?}");
                assert!(
                    found.iter().all(|step| step == first.name() || step == second.name()),
                    "{ladder:?}"
                );
            }
            assert!(!ladder.agrees);
        }
    }
    let outcome = ladder_case(100, &[]).unwrap();
    assert!(outcome.truth.ladders[0].agrees && parts(&outcome.truth.ladders[0]).is_empty());
}

#[test]
fn the_truth_is_read_back_as_it_was_written() {
    let text = fs::read_to_string(committed().join("truth.json")).unwrap();
    let read: Truth = serde_json::from_str(&text).unwrap();
    assert!(read == meridian().truth);
    let spoilt = read.plants.iter().filter(|plant| plant.kind == "spoilt-record").count();
    assert_eq!(spoilt, 7);
}

#[test]
fn every_working_day_and_every_week_of_a_promised_feed_is_spoken_of_but_the_blind_day() {
    let made = files(meridian());
    let feeds =
        recount::rows(std::str::from_utf8(made["registers/evidence_feed.csv"]).unwrap(), ',');
    let delivered = |arrangement: &str| -> BTreeSet<Date> {
        let rows = feeds
            .iter()
            .filter(|row| row["arrangement_id"] == arrangement && row["entry"] == "delivered");
        rows.map(|row| row["valid_from"].parse().unwrap()).collect()
    };
    let mut day: Date = "2026-08-01".parse().unwrap();
    let (manila, cebu) = (delivered("payroll-manila"), delivered("payroll-cebu"));
    let (accounts, desk) = (delivered("accounts-payable"), delivered("service-desk"));
    while day < "2026-11-01".parse().unwrap() {
        let weekday = day.weekday().to_monday_zero_offset();
        assert!(weekday >= 5 || manila.contains(&day), "{day}");
        assert_eq!(cebu.contains(&day), day.to_string() != "2026-10-14", "{day}");
        assert!(weekday != 0 || (accounts.contains(&day) && desk.contains(&day)), "{day}");
        day = day.tomorrow().unwrap();
    }
}

#[test]
fn causes_are_read_by_their_names() {
    for cause in Cause::ALL {
        assert_eq!(Cause::parse(cause.name()), Some(cause));
    }
    assert_eq!(Cause::parse("weather"), None);
}
