//! What a reader of an assessment needs beside it: the differences to the provider's report taken
//! apart, and commands that open what was found.

use backstay_desk::evidence::{self, Seen};
use backstay_engine::{
    Status,
    assessment::Assessment,
    outcome::Outcome,
    session::{GuestLimits, View, query},
};
use backstay_report::{
    difference::{Ladder, Side, Step},
    figure,
    rows::objects,
};
use serde_json::{Map, Value};

use crate::{door, error::CliError};

/// Ladders of figures that can be compared. One row per step.
const LADDERS: &str = "
    SELECT service_level_id, period_start, period_end, cause, tested, cases, part_shown, unit,
           difference_shown, summary, ours_numerator, ours_denominator, theirs_numerator,
           theirs_denominator, reported_value, reported_places, metric, agrees
    FROM report_ladder
    WHERE agrees IS NOT NULL
    ORDER BY service_level_id, period_start, step";

/// The cases of a service level that were missed, the longest first.
const MISSED: &str = "
    SELECT case_id, service_level_id
    FROM case_clock
    WHERE is_last AND outcome IN ('missed', 'overdue') AND excluded_reason IS NULL
      AND counted_at >= $period_start AND counted_at < $period_end
    ORDER BY total_us DESC, case_id, service_level_id
    LIMIT 1";

/// Cases counted although rows of theirs are in quarantine.
const INCOMPLETE: &str = "
    SELECT service_level_id, case_id
    FROM case_clock
    WHERE is_last AND incomplete AND counted_at >= $period_start AND counted_at < $period_end
    ORDER BY service_level_id, case_id";

/// A row of a query.
type Row = Map<String, Value>;

fn text(row: &Row, name: &str) -> Option<String> {
    row.get(name)?.as_str().map(str::to_owned)
}

fn number(row: &Row, name: &str) -> Option<i64> {
    row.get(name)?.as_i64()
}

fn ask(seen: &Seen, view: &View, sql: &str) -> Result<Vec<Row>, CliError> {
    let result = query(
        &seen.evidence,
        std::slice::from_ref(view),
        sql,
        evidence::layout(),
        GuestLimits::default(),
    )?;
    Ok(objects(&result.schema, &result.batches))
}

/// The ladders of every figure reported that can be compared with ours.
///
/// # Errors
/// Unreadable evidence.
pub fn ladders(seen: &Seen, assessment: &Assessment) -> Result<Vec<Ladder>, CliError> {
    let mut found: Vec<Ladder> = Vec::new();
    for arrangement in measured(seen, assessment) {
        let Some(view) = seen.view(&arrangement, assessment.basis.period)? else { continue };
        for row in ask(seen, &view, LADDERS)? {
            let level = text(&row, "service_level_id").unwrap_or_default();
            let window = window(&row);
            let known = found.last().is_some_and(|last| {
                last.arrangement_id == arrangement
                    && last.service_level == level
                    && last.window == window
            });
            if !known {
                found.push(ladder(&row, &arrangement, level, window));
            }
            if let Some(last) = found.last_mut() {
                last.steps.push(step(&row));
            }
        }
    }
    Ok(found)
}

/// Cases that count although rows of theirs are in quarantine: arrangement, service level, case.
///
/// # Errors
/// Unreadable evidence.
pub fn incomplete(seen: &Seen, assessment: &Assessment) -> Result<Vec<[String; 3]>, CliError> {
    let mut found = Vec::new();
    for arrangement in measured(seen, assessment) {
        let Some(view) = seen.view(&arrangement, assessment.basis.period)? else { continue };
        for row in ask(seen, &view, INCOMPLETE)? {
            let text = |name: &str| text(&row, name).unwrap_or_default();
            found.push([arrangement.clone(), text("service_level_id"), text("case_id")]);
        }
    }
    Ok(found)
}

/// The arrangements of which something was measured, in order.
fn measured(seen: &Seen, assessment: &Assessment) -> Vec<String> {
    let mut ids = seen.arrangements();
    ids.retain(|id| assessment.measures.iter().any(|measure| &measure.arrangement_id == id));
    ids
}

fn window(row: &Row) -> String {
    let days = [text(row, "period_start"), text(row, "period_end")]
        .map(Option::unwrap_or_default)
        .join("..");
    days.parse().map_or(days.clone(), backstay_report::words::period)
}

fn ladder(row: &Row, arrangement: &str, service_level: String, window: String) -> Ladder {
    let plain = |name: &str| text(row, name).unwrap_or_default();
    let is_count = text(row, "metric").as_deref() == Some("volume");
    let side = |numerator: &str, denominator: &str| {
        let (numerator, denominator) = (number(row, numerator)?, number(row, denominator)?);
        if is_count {
            return Some(Side { figure: figure::count(numerator), cases: String::new() });
        }
        let cases = format!("{} of {}", figure::count(numerator), figure::count(denominator));
        Some(Side { figure: figure::percent(numerator, denominator, 2)?, cases })
    };
    let places = number(row, "reported_places").and_then(|places| u32::try_from(places - 2).ok());
    let reported = text(row, "reported_value").map(|value| match (is_count, places) {
        (true, _) => figure::trim_decimal(&value).to_owned(),
        (false, Some(places)) => figure::percent_of_share(&value, places).unwrap_or(value),
        (false, None) => figure::plain_percent(&value).unwrap_or(value),
    });
    let only = |figure: &str| Side { figure: figure.to_owned(), cases: String::new() };
    Ladder {
        arrangement_id: arrangement.to_owned(),
        service_level,
        window,
        ours: side("ours_numerator", "ours_denominator").unwrap_or_else(|| only("no value")),
        theirs: side("theirs_numerator", "theirs_denominator")
            .or_else(|| reported.as_deref().map(only))
            .unwrap_or_else(|| only("no figure")),
        difference: plain("difference_shown"),
        unit: plain("unit"),
        summary: plain("summary"),
        agrees: row.get("agrees").and_then(Value::as_bool).unwrap_or_default(),
        steps: Vec::new(),
    }
}

fn step(row: &Row) -> Step {
    Step {
        cause: text(row, "cause").unwrap_or_default(),
        tested: row.get("tested").and_then(Value::as_bool).unwrap_or_default(),
        cases: number(row, "cases").unwrap_or_default(),
        part: text(row, "part_shown"),
    }
}

/// What to do next: open a missed case, open a row, read the control, bring what is lacking.
///
/// # Errors
/// Unreadable evidence.
pub fn next(
    seen: &Seen,
    assessment: &Assessment,
    entry: Option<u64>,
    backstay: &str,
) -> Result<Vec<(String, Option<String>)>, CliError> {
    let mut steps = Vec::new();
    if let Some((case, level, arrangement)) = missed_case(seen, assessment)? {
        let command = format!(
            "{backstay} explain {} --service-level {} --arrangement {} --period {}",
            door::quoted(&case),
            door::quoted(&level),
            door::quoted(&arrangement),
            backstay_report::words::period(assessment.basis.period)
        );
        steps.push(("See how the case that took longest was measured:".to_owned(), Some(command)));
    }
    let missed = assessment.findings.iter().filter(|finding| finding.outcome == Outcome::Missed);
    if let Some(reference) = missed.clone().find_map(|finding| finding.evidence.first()) {
        let command = format!("{backstay} trace {reference}");
        steps.push((
            "Open the evidence of a finding down to the line of its file:".to_owned(),
            Some(command),
        ));
    }
    if let Some(finding) = missed.clone().next() {
        let command = format!("{backstay} catalogue show {}", finding.control);
        steps.push((
            "Read what the control tests, and what to do about it:".to_owned(),
            Some(command),
        ));
    }
    let untested = assessment.controls.iter().filter(|control| control.status == Status::Untested);
    if let Some(control) = untested.clone().next() {
        let first = control.lacking.first().cloned().unwrap_or_else(|| control.reason.clone());
        let text = format!(
            "Bring what is lacking for {} of {}: {first}",
            control.control, control.arrangement_id
        );
        steps.push((text, None));
    }
    if let Some(entry) = entry {
        let command = format!("{backstay} replay {entry}");
        steps.push(("Prove later that this answer was not changed:".to_owned(), Some(command)));
    }
    Ok(steps)
}

/// The missed case that took longest in the period: of an arrangement that fell short of a target,
/// else of any that missed a case.
fn missed_case(
    seen: &Seen,
    assessment: &Assessment,
) -> Result<Option<(String, String, String)>, CliError> {
    let short = |arrangement: &String| {
        assessment.measures.iter().any(|measure| {
            let target = measure.target.as_deref().unwrap_or_default();
            let reached = figure::reaches(measure.numerator, measure.denominator, target);
            &measure.arrangement_id == arrangement && reached == Some(false)
        })
    };
    let mut arrangements = measured(seen, assessment);
    arrangements.sort_by_key(|arrangement| !short(arrangement));
    for arrangement in arrangements {
        let Some(view) = seen.view(&arrangement, assessment.basis.period)? else { continue };
        let found = ask(seen, &view, MISSED)?.first().and_then(|row| {
            Some((text(row, "case_id")?, text(row, "service_level_id")?, arrangement.clone()))
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}
