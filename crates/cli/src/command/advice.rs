//! What a reader of an assessment needs beside it: the differences to the provider's report taken
//! apart, and commands that open what was found.

use backstay_desk::{
    beside::{self, ask, text},
    evidence::Seen,
    ladder,
};
use backstay_engine::{Status, assessment::Assessment, outcome::Outcome};
use backstay_report::{difference::Ladder, figure};

use crate::{door, error::CliError};

/// The cases of a service level that were missed, the longest first.
const MISSED: &str = "
    SELECT case_id, service_level_id
    FROM case_clock
    WHERE is_last AND outcome IN ('missed', 'overdue') AND excluded_reason IS NULL
      AND counted_at >= $period_start AND counted_at < $period_end
    ORDER BY total_us DESC, case_id, service_level_id
    LIMIT 1";

/// The ladders of every figure reported that can be compared with ours.
///
/// # Errors
/// Unreadable evidence.
pub fn ladders(seen: &Seen, assessment: &Assessment) -> Result<Vec<Ladder>, CliError> {
    let mut found: Vec<Ladder> = Vec::new();
    for arrangement in measured(seen, assessment) {
        let Some(view) = seen.view(&arrangement, assessment.basis.period)? else { continue };
        found.extend(ladder::ladders(seen, &view)?);
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
        found.extend(beside::incomplete(seen, &view)?);
    }
    Ok(found)
}

/// The arrangements of which something was measured, in order.
fn measured(seen: &Seen, assessment: &Assessment) -> Vec<String> {
    let mut ids = seen.arrangements();
    ids.retain(|id| assessment.measures.iter().any(|measure| &measure.arrangement_id == id));
    ids
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
