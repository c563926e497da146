//! Recognises one log exported twice with clocks that disagree, or under other case ids. Owns the
//! fingerprint of a case and the comparison of two sets of them; never refuses anything itself.
//!
//! Two exports of one log have the same cases with the same activities. When the exports took the
//! clock from different zones, either the wall clocks are equal and the offsets differ, or the
//! instants differ by one constant. Both leave a hash of each case equal: of its activities with
//! their wall-clock times, or of its activities with the time since its first event. Cases with
//! fewer than three events do not count: too many of them are alike by chance.

use std::collections::{BTreeMap, HashMap};

use arrow::{
    array::{
        Array as _, ArrayRef, AsArray as _, Int16Array, Int64Array, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{Int16Type, Int64Type, TimestampMicrosecondType},
    error::ArrowError,
    record_batch::RecordBatch,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    quarantine::{stored_rows, system_column},
    vocabulary::{ColumnType, Privacy, Scope, Table, TableKind},
};

/// Name of the system table of case fingerprints.
pub const FINGERPRINT: &str = "fingerprint";

/// Events from which on a case is compared.
const EVENTS_MIN: u32 = 3;
/// Matched cases below which nothing is concluded.
const MATCHED_MIN: u64 = 3;
/// Share of the comparable cases of the smaller log that must match, in percent.
///
/// Measured: the two exports of the help-desk log match in every comparable case; two halves of
/// the ServiceNow log, which hold many cases closed in bulk, in 0.1 % by wall clock and 2.7 % by
/// time since the first event, of any shift.
const SHARE_MIN: u64 = 20;
/// Share of matches that one shift must explain, in percent, when only the relative times agree.
const SHIFT_MIN: u64 = 50;
const MINUTE: i64 = 60_000_000;

/// What stays the same of a case when its id or its clock changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Arrangement.
    pub arrangement_id: String,
    /// Case.
    pub case_id: String,
    /// Number of events.
    pub events: u32,
    /// Hash of the ordered list of (activity, local wall-clock time).
    pub wall: [u8; 16],
    /// Hash of the ordered list of (activity, time since the first event).
    pub relative: [u8; 16],
    /// First instant, microseconds UTC.
    pub first_us: i64,
}

/// A difference between two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockShift {
    /// New minus existing, in whole minutes (rounded down).
    pub minutes: i64,
    /// Cases that show it.
    pub cases: u64,
}

/// One log, two clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Cases of the new log found in the existing one.
    pub matched: u64,
    /// Cases of the smaller log that are long enough to be compared.
    pub comparable: u64,
    /// Shifts, most frequent first. A single 0 means one log under other case ids.
    pub shifts: Vec<ClockShift>,
    /// Whether wall clocks are equal (and only offsets differ).
    pub equal_wall_clocks: bool,
    /// Matched cases that have the same id in both.
    pub same_ids: u64,
}

/// How two logs relate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogComparison {
    /// No more in common than chance.
    Unrelated,
    /// The same cases at the same instants: an ordinary overlap.
    SameClock {
        /// Cases in common.
        matched: u64,
    },
    /// The same log with clocks that disagree, or under other case ids.
    DisagreeingClocks(Disagreement),
}

/// One event of the case at hand.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CaseEvent {
    instant_us: i64,
    activity: String,
    wall_us: i64,
}

/// Collects fingerprints from rows of `case_event` of one arrangement.
#[derive(Debug, Default)]
pub struct Fingerprinter {
    case: Option<(String, String)>,
    events: Vec<CaseEvent>,
    done: Vec<Fingerprint>,
}

impl Fingerprinter {
    /// Takes rows in the order of stored objects: sorted by case, so that a case is complete when
    /// the next one begins. Within a case any order will do.
    ///
    /// # Errors
    /// When the batch lacks a column of `case_event`.
    pub fn push(&mut self, rows: &RecordBatch) -> Result<(), ArrowError> {
        let arrangement: &StringArray = column(rows, "arrangement_id")?.as_string();
        let case: &StringArray = column(rows, "case_id")?.as_string();
        let activity: &StringArray = column(rows, "activity")?.as_string();
        let instant: &TimestampMicrosecondArray =
            column(rows, "occurred_at")?.as_primitive::<TimestampMicrosecondType>();
        let offset: &Int16Array =
            column(rows, "occurred_at_offset_minutes")?.as_primitive::<Int16Type>();
        for row in 0..rows.num_rows() {
            let same = self.case.as_ref().is_some_and(|(held_arrangement, held_case)| {
                held_case == case.value(row) && held_arrangement == arrangement.value(row)
            });
            if !same {
                self.close();
                self.case = Some((arrangement.value(row).to_owned(), case.value(row).to_owned()));
            }
            let instant_us = instant.value(row);
            let minutes = if offset.is_null(row) { 0 } else { offset.value(row) };
            self.events.push(CaseEvent {
                instant_us,
                activity: activity.value(row).to_owned(),
                wall_us: instant_us.saturating_add(i64::from(minutes) * MINUTE),
            });
        }
        Ok(())
    }

    fn close(&mut self) {
        let Some((arrangement_id, case_id)) = self.case.take() else { return };
        self.events.sort_unstable();
        let first_us = self.events.first().map_or(0, |event| event.instant_us);
        let by_wall = |event: &CaseEvent| event.wall_us;
        let by_delta = |event: &CaseEvent| event.instant_us.saturating_sub(first_us);
        self.done.push(Fingerprint {
            arrangement_id,
            case_id,
            events: u32::try_from(self.events.len()).unwrap_or(u32::MAX),
            wall: hash(&self.events, by_wall),
            relative: hash(&self.events, by_delta),
            first_us,
        });
        self.events.clear();
    }

    /// The fingerprints, in the order of their cases.
    #[must_use]
    pub fn finish(mut self) -> Vec<Fingerprint> {
        self.close();
        self.done
    }
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    rows.column_by_name(name)
        .ok_or_else(|| ArrowError::SchemaError(format!("there is no column `{name}`")))
}

fn hash(events: &[CaseEvent], time: impl Fn(&CaseEvent) -> i64) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for event in events {
        hasher.update((event.activity.len() as u64).to_be_bytes());
        hasher.update(event.activity.as_bytes());
        hasher.update(time(event).to_be_bytes());
    }
    let mut head = [0; 16];
    head.copy_from_slice(hasher.finalize().split_at(16).0);
    head
}

/// Compares what is there with what arrives. Only cases with at least three events count, and only
/// fingerprints that are unique on both sides: those of cases handled in bulk say nothing.
#[must_use]
pub fn compare(existing: &[Fingerprint], new: &[Fingerprint]) -> LogComparison {
    let long =
        |all: &[Fingerprint]| all.iter().filter(|print| print.events >= EVENTS_MIN).count() as u64;
    let comparable = long(existing).min(long(new));
    let by_id: HashMap<(&str, &str), &Fingerprint> =
        existing.iter().map(|print| ((&*print.arrangement_id, &*print.case_id), print)).collect();
    let mut same_clock = 0;
    let rest: Vec<&Fingerprint> = new
        .iter()
        .filter(|print| {
            let known = by_id.get(&(&*print.arrangement_id, &*print.case_id));
            let same = known.is_some_and(|known| known.first_us == print.first_us);
            same_clock += u64::from(same);
            !same && print.events >= EVENTS_MIN
        })
        .collect();
    let found = |matches: &[(&Fingerprint, &Fingerprint)]| {
        let matched = matches.len() as u64;
        // More cases at the same instants than at others: an overlap that was edited, not a clock.
        matched >= MATCHED_MIN && matched * 100 >= comparable * SHARE_MIN && matched > same_clock
    };
    let by_wall = pairs(existing, &rest, |print| print.wall);
    if found(&by_wall) {
        return LogComparison::DisagreeingClocks(disagreement(&by_wall, comparable, true));
    }
    let by_delta = pairs(existing, &rest, |print| print.relative);
    let result = disagreement(&by_delta, comparable, false);
    // The two offsets of a zone explain all of a log between them; chance scatters.
    let explained: u64 = result.shifts.iter().take(2).map(|shift| shift.cases).sum();
    if found(&by_delta) && explained * 100 >= result.matched * SHIFT_MIN {
        return LogComparison::DisagreeingClocks(result);
    }
    if same_clock > 0 {
        return LogComparison::SameClock { matched: same_clock };
    }
    LogComparison::Unrelated
}

/// Pairs of (existing, new) whose fingerprint occurs once on each side.
fn pairs<'p>(
    existing: &'p [Fingerprint],
    new: &[&'p Fingerprint],
    print: impl Fn(&Fingerprint) -> [u8; 16],
) -> Vec<(&'p Fingerprint, &'p Fingerprint)> {
    let mut sides: HashMap<[u8; 16], (Vec<&Fingerprint>, Vec<&Fingerprint>)> = HashMap::new();
    for old in existing.iter().filter(|old| old.events >= EVENTS_MIN) {
        sides.entry(print(old)).or_default().0.push(old);
    }
    for fresh in new {
        if let Some(side) = sides.get_mut(&print(fresh)) {
            side.1.push(fresh);
        }
    }
    let unique = sides.into_values().filter_map(|(old, fresh)| match (&*old, &*fresh) {
        ([old], [fresh]) => Some((*old, *fresh)),
        _ => None,
    });
    unique.collect()
}

fn disagreement(
    matches: &[(&Fingerprint, &Fingerprint)],
    comparable: u64,
    equal_wall_clocks: bool,
) -> Disagreement {
    let mut by_minutes: BTreeMap<i64, u64> = BTreeMap::new();
    for (old, new) in matches {
        *by_minutes.entry((new.first_us - old.first_us).div_euclid(MINUTE)).or_default() += 1;
    }
    let mut shifts: Vec<ClockShift> =
        by_minutes.into_iter().map(|(minutes, cases)| ClockShift { minutes, cases }).collect();
    shifts.sort_by_key(|shift| (std::cmp::Reverse(shift.cases), shift.minutes));
    let same_ids = matches.iter().filter(|(old, new)| old.case_id == new.case_id).count();
    Disagreement {
        matched: matches.len() as u64,
        comparable,
        shifts,
        equal_wall_clocks,
        same_ids: same_ids as u64,
    }
}

/// Definition of the system table.
#[must_use]
pub fn fingerprint_table() -> Table {
    let column = |id, name: &str, kind, about: &str| {
        system_column(id, name, kind, true, Privacy::Internal, about)
    };
    Table {
        name: FINGERPRINT.to_owned(),
        title: "Case fingerprints".to_owned(),
        about: "What stays the same of a case when its id or its clock changes.".to_owned(),
        kind: TableKind::Event,
        scope: Scope::Arrangement,
        identity: vec!["arrangement_id".to_owned(), "case_id".to_owned()],
        source_id: None,
        occurred: Some("first_at".to_owned()),
        sort: vec!["case_id".to_owned()],
        columns: vec![
            column(1, "arrangement_id", ColumnType::Text, "Arrangement."),
            column(2, "case_id", ColumnType::Text, "Case."),
            column(3, "events", ColumnType::Integer, "Number of events."),
            column(4, "wall", ColumnType::Text, "Hash of activities and wall-clock times."),
            column(
                5,
                "relative",
                ColumnType::Text,
                "Hash of activities and times since the first.",
            ),
            column(6, "first_at", ColumnType::Instant, "First instant."),
        ],
    }
}

/// Rows of the system table, in the shape of a typed object; `_row` counts from 1.
///
/// # Errors
/// Only if the columns do not fit the schema, which a test excludes.
pub fn fingerprint_rows(fingerprints: &[Fingerprint]) -> Result<RecordBatch, ArrowError> {
    use std::sync::Arc;
    let text = |get: fn(&Fingerprint) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(fingerprints.iter().map(get)))
    };
    let events = fingerprints.iter().map(|print| i64::from(print.events));
    let first = fingerprints.iter().map(|print| print.first_us);
    let values: Vec<ArrayRef> = vec![
        text(|print| print.arrangement_id.clone()),
        text(|print| print.case_id.clone()),
        Arc::new(Int64Array::from_iter_values(events)),
        text(|print| hex::encode(print.wall)),
        text(|print| hex::encode(print.relative)),
        Arc::new(TimestampMicrosecondArray::from_iter_values(first).with_timezone("UTC")),
        Arc::new(Int16Array::from(vec![0; fingerprints.len()])),
    ];
    let records = Int64Array::from_iter_values((1..).take(fingerprints.len()));
    stored_rows(&fingerprint_table(), values, records, vec![0; fingerprints.len()].into())
}

/// Fingerprints from rows of the system table.
///
/// # Errors
/// When a column is missing or a hash is damaged.
pub fn fingerprints_from_rows(rows: &RecordBatch) -> Result<Vec<Fingerprint>, ArrowError> {
    let text = |name| column(rows, name).map(|array| array.as_string::<i32>());
    let (arrangement, case) = (text("arrangement_id")?, text("case_id")?);
    let (wall, relative) = (text("wall")?, text("relative")?);
    let events = column(rows, "events")?.as_primitive::<Int64Type>();
    let first = column(rows, "first_at")?.as_primitive::<TimestampMicrosecondType>();
    let print = |text: &str| {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| ArrowError::ParseError("a case fingerprint is damaged".to_owned()))?;
        Ok::<_, ArrowError>(bytes)
    };
    (0..rows.num_rows())
        .map(|row| {
            Ok(Fingerprint {
                arrangement_id: arrangement.value(row).to_owned(),
                case_id: case.value(row).to_owned(),
                events: u32::try_from(events.value(row)).unwrap_or(u32::MAX),
                wall: print(wall.value(row))?,
                relative: print(relative.value(row))?,
                first_us: first.value(row),
            })
        })
        .collect()
}
