//! Figures of a period as lists: arrangements, controls, findings, service levels, coverage; and the
//! assessment as a whole.

use backstay_engine::assessment::{Assessment, Finding};
use backstay_report::listing::{Kind, Listing};
use serde_json::{Value, json};

use super::list::{instant, whole};
use crate::{
    answer::Answer,
    asked::Asked,
    figures::{Figures, worst},
    problem::ProblemError,
};

type Done = Result<Answer, ProblemError>;
/// Columns with what they hold.
pub type Columns = &'static [(&'static str, Kind)];

/// Of arrangements.
pub const ARRANGEMENTS: Columns = &[
    ("arrangement_id", Kind::Text),
    ("worst_status", Kind::Text),
    ("controls_effective", Kind::Whole),
    ("controls", Kind::Whole),
    ("findings", Kind::Whole),
    ("evidence_age_days", Kind::Whole),
];
/// Of controls.
pub const CONTROLS: Columns = &[
    ("arrangement_id", Kind::Text),
    ("risk", Kind::Text),
    ("control", Kind::Text),
    ("title", Kind::Text),
    ("severity", Kind::Text),
    ("status", Kind::Text),
    ("reason", Kind::Text),
    ("population", Kind::Whole),
    ("missed", Kind::Whole),
    ("gaps", Kind::Whole),
    ("evidence_age_days", Kind::Whole),
    ("lacking", Kind::List),
    ("tables", Kind::List),
];
/// Of findings.
pub const FINDINGS: Columns = &[
    ("id", Kind::Text),
    ("arrangement_id", Kind::Text),
    ("risk", Kind::Text),
    ("control", Kind::Text),
    ("severity", Kind::Text),
    ("subject", Kind::Text),
    ("outcome", Kind::Text),
    ("measured", Kind::Text),
    ("required", Kind::Text),
    ("unit", Kind::Text),
    ("amount_minor", Kind::Whole),
    ("currency", Kind::Text),
    ("explanation", Kind::Text),
    ("evidence", Kind::List),
    ("evidence_total", Kind::Whole),
];
/// Of service levels, one row a window.
pub const LEVELS: Columns = &[
    ("arrangement_id", Kind::Text),
    ("service_level", Kind::Text),
    ("metric", Kind::Text),
    ("title", Kind::Text),
    ("first_day", Kind::Day),
    ("day_after", Kind::Day),
    ("numerator", Kind::Whole),
    ("denominator", Kind::Whole),
    ("value", Kind::Decimal),
    ("target", Kind::Decimal),
    ("minimum", Kind::Decimal),
    ("judgement", Kind::Text),
    ("lacking", Kind::Text),
    ("target_basis", Kind::Text),
    ("target_ref", Kind::Text),
    ("evidence", Kind::List),
    ("evidence_total", Kind::Whole),
];
/// Of coverage.
pub const COVERAGE: Columns = &[
    ("arrangement_id", Kind::Text),
    ("table", Kind::Text),
    ("rows", Kind::Whole),
    ("covered", Kind::Flag),
    ("newest", Kind::Instant),
    ("lacking", Kind::List),
    ("lacking_total", Kind::Whole),
];

/// Every arrangement that the asker sees.
pub fn arrangements(asked: &Asked<'_>) -> Done {
    let Some(figures) = Figures::visible(asked)? else { return Ok(nothing()) };
    let mut listing = Listing::new("arrangements", ARRANGEMENTS);
    listing.rows = figures
        .parts
        .iter()
        .map(|(id, found)| {
            let all = worst(found.controls.iter());
            let age = found.controls.iter().filter_map(|control| control.evidence_age_days).max();
            vec![
                json!(id),
                json!(all.map(|(status, ..)| status)),
                json!(all.map_or(0, |(_, effective, _)| effective)),
                json!(found.controls.len()),
                json!(found.findings.len()),
                json!(age),
            ]
        })
        .collect();
    whole(asked, listing, &figures.seen, Some(figures.period))
}

/// A list of an arrangement that has evidence.
fn of(
    asked: &Asked<'_>,
    what: &str,
    columns: Columns,
    rows: impl Fn(&Assessment) -> Vec<Vec<Value>>,
) -> Done {
    let Some(figures) = Figures::named(asked)? else { return Ok(nothing()) };
    let Some((id, found)) = figures.only() else { return Ok(nothing()) };
    let mut listing = Listing::new(format!("{id}-{what}"), columns);
    listing.rows = rows(found);
    whole(asked, listing, &figures.seen, Some(figures.period))
}

/// A list of nothing: no evidence is held yet.
pub fn nothing() -> Answer {
    Answer::json(json!({ "items": [], "next": null, "basis": null }))
}

/// The assessment of an arrangement and period, worked out now and not kept.
pub fn assessment(asked: &Asked<'_>) -> Done {
    let figures = Figures::named(asked)?;
    let found = figures.as_ref().and_then(Figures::only);
    let (_, found) = found.ok_or_else(|| ProblemError::nothing("evidence"))?;
    let value = serde_json::to_value(found).map_err(|e| ProblemError::broken(e.to_string()))?;
    Ok(Answer::json(value))
}

/// Controls of an arrangement.
pub fn controls(asked: &Asked<'_>) -> Done {
    of(asked, "controls", CONTROLS, |found| {
        let row = |c: &backstay_engine::assessment::ControlResult| {
            vec![
                json!(c.arrangement_id),
                json!(c.risk),
                json!(c.control),
                json!(c.title),
                json!(c.severity),
                json!(c.status),
                json!(c.reason),
                json!(c.population),
                json!(c.missed),
                json!(c.gaps),
                json!(c.evidence_age_days),
                json!(c.lacking),
                json!(c.tables),
            ]
        };
        found.controls.iter().map(row).collect()
    })
}

/// Findings of an arrangement.
pub fn findings(asked: &Asked<'_>) -> Done {
    of(asked, "findings", FINDINGS, |found| found.findings.iter().map(finding).collect())
}

fn finding(f: &Finding) -> Vec<Value> {
    vec![
        json!(f.id),
        json!(f.arrangement_id),
        json!(f.risk),
        json!(f.control),
        json!(f.severity),
        json!(f.subject),
        json!(f.outcome),
        json!(f.measured),
        json!(f.required),
        json!(f.unit),
        json!(f.amount_minor),
        json!(f.currency),
        json!(f.explanation),
        json!(f.evidence),
        json!(f.evidence_total),
    ]
}

/// Service levels of an arrangement.
pub fn levels(asked: &Asked<'_>) -> Done {
    of(asked, "service-levels", LEVELS, |found| {
        let row = |m: &backstay_engine::assessment::MeasureResult| {
            vec![
                json!(m.arrangement_id),
                json!(m.service_level),
                json!(m.metric),
                json!(m.title),
                json!(m.period.first.to_string()),
                json!(m.period.after.to_string()),
                json!(m.numerator),
                json!(m.denominator),
                json!(m.value),
                json!(m.target),
                json!(m.minimum),
                json!(m.judgement),
                json!(m.lacking),
                json!(m.target_basis),
                json!(m.target_ref),
                json!(m.evidence),
                json!(m.evidence_total),
            ]
        };
        found.measures.iter().map(row).collect()
    })
}

/// What evidence of an arrangement arrived.
pub fn coverage(asked: &Asked<'_>) -> Done {
    of(asked, "coverage", COVERAGE, |found| {
        let row = |c: &backstay_engine::assessment::CoverageResult| {
            vec![
                json!(c.arrangement_id),
                json!(c.table.table),
                json!(c.table.rows),
                json!(c.table.covered),
                json!(c.table.newest_us.and_then(instant)),
                json!(c.table.lacking),
                json!(c.table.lacking_total),
            ]
        };
        found.coverage.iter().map(row).collect()
    })
}
