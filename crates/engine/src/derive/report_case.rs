//! Derived table `report_case`: each case that we or the provider count, with both outcomes and one
//! cause from a closed list.
//!
//! Owns that list. Every case falls into exactly one cause, the first that holds in this order:
//!
//! | cause | |
//! |---|---|
//! | `agrees` | listed once, with our outcome |
//! | `duplicate` | listed more than once |
//! | `excluded-there` | left out by the provider only |
//! | `excluded-here` | left out by us only, by an accepted exclusion |
//! | `gap-here` | we cannot judge it: see `case_clock.gap_reason` |
//! | `clock` | another outcome or window, which its stated start of the clock or pauses explain |
//! | `calendar` | the same, with its stated calendar as well |
//! | `missing-there` | counted here, not listed anywhere |
//! | `other-period` | listed for another window than ours, and nothing stated explains it |
//! | `rows-in-quarantine` | rows of it were rejected, and it is missing here or its outcome differs |
//! | `open-here` | reported as done; by our evidence it is still open |
//! | `missing-here` | listed, but we hold nothing of it, or our terms do not count it |
//! | `definition-unknown` | both count it, the outcomes differ, and no choice that was stated explains it |
//!
//! A listed case that belongs to no window (it came without a period, and our terms put it nowhere)
//! stands with empty `period_start`.

use std::{collections::BTreeSet, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    clock::Outcome,
    report::{Comparison, Side, Standing},
    report_row::{ReportRow, Reported},
};
use crate::{error::EngineError, period::Period};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct ReportCaseTable;

/// Its name.
pub const NAME: &str = "report_case";

/// The causes, in the order in which they are tried.
pub const CAUSES: [&str; 13] = [
    "agrees",
    "duplicate",
    "excluded-there",
    "excluded-here",
    "gap-here",
    "clock",
    "calendar",
    "missing-there",
    "other-period",
    "rows-in-quarantine",
    "open-here",
    "missing-here",
    "definition-unknown",
];

/// One case of a service level, seen from both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportCase {
    /// Service level.
    pub service_level_id: String,
    /// Window; none when it belongs to none.
    pub window: Option<Period>,
    /// Case.
    pub case_id: Arc<str>,
    /// `met`, `missed`, `excluded`, `gap`, `open`, or none when not counted here.
    pub ours: Option<&'static str>,
    /// `met`, `missed`, `excluded`, or none when not listed here.
    pub theirs: Option<&'static str>,
    /// How often it is listed here.
    pub listed: i64,
    /// Cause.
    pub cause: &'static str,
    /// Whether rows of it are in quarantine.
    pub incomplete: bool,
    /// Record of the report that lists it, of several the first.
    pub row_ref: Option<i64>,
}

/// The cases of an arrangement and period.
///
/// # Errors
/// A table that lacks a column, or an unknown zone.
pub fn report_cases(input: &DeriveInput<'_>) -> Result<Vec<ReportCase>, EngineError> {
    let (terms, cases, reports) = super::report::read_all(input)?;
    let period = Period { first: input.period_first, after: input.period_after };
    let mut found = Vec::new();
    for (id, versions) in &terms.service_levels {
        let Some(reports) = reports.get(id).filter(|reports| !reports.cases.is_empty()) else {
            continue;
        };
        let comparison = Comparison::new(id, versions, &terms, &cases, reports, input);
        for side in comparison.sides(period)?.iter().filter(|side| side.has_list) {
            found.extend(of_window(&comparison, side));
        }
        found.extend(unplaced(&comparison));
    }
    Ok(found)
}

fn of_window(comparison: &Comparison<'_>, side: &Side<'_>) -> Vec<ReportCase> {
    let cases: BTreeSet<&Arc<str>> = side.views.keys().chain(side.listed.keys()).collect();
    let mut found = Vec::new();
    for case in cases {
        let ours = side.ours(case);
        let rows: &[&ReportRow] = side.listed.get(case).map(Vec::as_slice).unwrap_or_default();
        let counts = matches!(ours, Standing::Counted(_) | Standing::Excluded(_) | Standing::Gap);
        if rows.is_empty() && !counts {
            continue;
        }
        let theirs = side.reported(case);
        if theirs.is_none() && !matches!(ours, Standing::Counted(_)) {
            // Not listed, and not counted by us either: both agree.
            continue;
        }
        found.push(ReportCase {
            service_level_id: comparison.id.to_string(),
            window: Some(side.window),
            case_id: case.clone(),
            ours: word(ours, rows.is_empty()),
            theirs: theirs.map(Reported::as_str),
            listed: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            cause: cause(comparison, side, case, ours, theirs, rows.len()),
            incomplete: comparison.quarantined(case).is_some(),
            row_ref: rows.iter().map(|row| row.row_ref).min(),
        });
    }
    found
}

fn word(ours: Standing, not_listed: bool) -> Option<&'static str> {
    match ours {
        Standing::Counted(true) => Some("met"),
        Standing::Counted(false) => Some("missed"),
        Standing::Excluded(_) => Some("excluded"),
        Standing::Gap => Some("gap"),
        Standing::Pending => Some("open"),
        Standing::Elsewhere => (!not_listed).then_some("elsewhere"),
    }
}

fn cause(
    comparison: &Comparison<'_>,
    side: &Side<'_>,
    case: &Arc<str>,
    ours: Standing,
    theirs: Option<Reported>,
    listed: usize,
) -> &'static str {
    let views = side.views.get(case);
    let quarantined = comparison.quarantined(case).is_some();
    let agrees = |standing: Standing| match (standing, theirs) {
        (Standing::Counted(met), Some(Reported::Met)) => met,
        (Standing::Counted(met), Some(Reported::Missed)) => !met,
        (Standing::Excluded(_), Some(Reported::Excluded)) => true,
        (Standing::Elsewhere | Standing::Pending, None | Some(Reported::Excluded)) => true,
        _ => false,
    };
    if listed > 1 {
        return "duplicate";
    }
    if agrees(ours) {
        return "agrees";
    }
    let listed_anywhere = comparison.reports.cases.contains_key(case);
    match (ours, theirs) {
        (Standing::Counted(_), Some(Reported::Excluded)) => return "excluded-there",
        (Standing::Excluded(_), Some(Reported::Met | Reported::Missed)) => return "excluded-here",
        (Standing::Gap, _) => return if quarantined { "rows-in-quarantine" } else { "gap-here" },
        _ => {}
    }
    if let Some(views) = views {
        let floats = side.floating.contains(case);
        let explains = |finding: Option<super::report::Finding>| match side.standing(finding) {
            Standing::Elsewhere if floats => {
                finding.is_some_and(|finding| agrees(Standing::Counted(finding.met())))
            }
            standing => agrees(standing),
        };
        // All of its choices together must give its answer; the clock has the part that it gives alone.
        if explains(views.calendar) {
            return if explains(views.clock) { "clock" } else { "calendar" };
        }
    }
    if theirs.is_none() && !listed_anywhere {
        return "missing-there";
    }
    let finding = views.and_then(|views| views.ours);
    let open =
        finding.is_some_and(|finding| matches!(finding.outcome, Outcome::Open | Outcome::Overdue));
    match ours {
        Standing::Counted(_) if theirs.is_none() => "other-period",
        Standing::Elsewhere if finding.is_some_and(|finding| finding.counted_us.is_some()) => {
            "other-period"
        }
        _ if quarantined => "rows-in-quarantine",
        Standing::Counted(_) | Standing::Pending if open => "open-here",
        Standing::Counted(_) => "definition-unknown",
        _ => "missing-here",
    }
}

/// Rows without a period whose case our terms put into no window at all.
fn unplaced(comparison: &Comparison<'_>) -> Vec<ReportCase> {
    let mut found = Vec::new();
    for (case, rows) in &comparison.reports.cases {
        let rows: Vec<&ReportRow> = rows.iter().filter(|row| row.period.is_none()).collect();
        let finding = comparison.finding(case);
        let placed = finding.is_some_and(|finding| {
            finding.counted_us.is_some() && !matches!(finding.outcome, Outcome::Gap | Outcome::Open)
        });
        let theirs = rows.iter().filter_map(|row| row.outcome).min();
        let (Some(theirs), false) = (theirs, placed) else { continue };
        let quarantined = comparison.quarantined(case).is_some();
        let cause = match finding.map(|finding| finding.outcome) {
            _ if rows.len() > 1 => "duplicate",
            Some(Outcome::Gap) if !quarantined => "gap-here",
            _ if quarantined => "rows-in-quarantine",
            Some(Outcome::Open | Outcome::Overdue) => "open-here",
            _ => "missing-here",
        };
        found.push(ReportCase {
            service_level_id: comparison.id.to_string(),
            window: None,
            case_id: case.clone(),
            ours: match finding.map(|finding| finding.outcome) {
                Some(Outcome::Gap) => Some("gap"),
                Some(_) => Some("open"),
                None => None,
            },
            theirs: Some(theirs.as_str()),
            listed: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            cause,
            incomplete: quarantined,
            row_ref: rows.iter().map(|row| row.row_ref).min(),
        });
    }
    found
}

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("service_level_id", Kind::Text),
    ("period_start", Kind::Date),
    ("period_end", Kind::Date),
    ("case_id", Kind::Text),
    ("ours", Kind::Text),
    ("theirs", Kind::Text),
    ("listed", Kind::Integer),
    ("cause", Kind::Text),
    ("incomplete", Kind::Flag),
    ("_ref", Kind::Integer),
];

impl Derivation for ReportCaseTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Each case that we or the provider count: both outcomes, and why they differ, from a closed list."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["case_event", "provider_report", "service_level"]
    }

    fn consults(&self) -> &'static [&'static str] {
        super::terms::CONSULTS
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let cases = report_cases(input)?;
        let arrays = vec![
            array::texts(cases.iter().map(|_| Some(input.arrangement_id))),
            array::texts(cases.iter().map(|case| Some(case.service_level_id.as_str()))),
            array::dates(cases.iter().map(|case| case.window.map(|window| window.first))),
            array::dates(cases.iter().map(|case| case.window.map(|window| window.after))),
            array::texts(cases.iter().map(|case| Some(case.case_id.as_ref()))),
            array::texts(cases.iter().map(|case| case.ours)),
            array::texts(cases.iter().map(|case| case.theirs)),
            array::integers(cases.iter().map(|case| Some(case.listed))),
            array::texts(cases.iter().map(|case| Some(case.cause))),
            array::flags(cases.iter().map(|case| Some(case.incomplete))),
            array::integers(cases.iter().map(|case| case.row_ref)),
        ];
        array::batch(NAME, self.schema(), arrays)
    }
}
