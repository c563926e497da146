//! The figures of an assessment as tables of data.

use backstay_engine::{
    assessment::{Amount, Assessment, ControlResult, CoverageResult, Finding, MeasureResult},
    panel::{CreditMonth, CreditPanel},
};
use serde_json::{Value, json};

use super::{Columns, Kind, Listing};

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

/// Controls.
#[must_use]
pub fn controls(found: &Assessment) -> Listing {
    let mut listing = Listing::new("controls", CONTROLS);
    listing.rows = found.controls.iter().map(controls_row).collect();
    listing
}

fn controls_row(c: &ControlResult) -> Vec<Value> {
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
}

/// Findings.
#[must_use]
pub fn findings(found: &Assessment) -> Listing {
    let mut listing = Listing::new("findings", FINDINGS);
    listing.rows = found.findings.iter().map(findings_row).collect();
    listing
}

fn findings_row(f: &Finding) -> Vec<Value> {
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

/// Service levels, one row a window.
#[must_use]
pub fn levels(found: &Assessment) -> Listing {
    let mut listing = Listing::new("service-levels", LEVELS);
    listing.rows = found.measures.iter().map(levels_row).collect();
    listing
}

fn levels_row(m: &MeasureResult) -> Vec<Value> {
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
}

/// What evidence arrived.
#[must_use]
pub fn coverage(found: &Assessment) -> Listing {
    let mut listing = Listing::new("coverage", COVERAGE);
    listing.rows = found.coverage.iter().map(coverage_row).collect();
    listing
}

fn coverage_row(c: &CoverageResult) -> Vec<Value> {
    vec![
        json!(c.arrangement_id),
        json!(c.table.table),
        json!(c.table.rows),
        json!(c.table.covered),
        json!(c.table.newest_us.and_then(instant)),
        json!(c.table.lacking),
        json!(c.table.lacking_total),
    ]
}

/// Of what an assessment was made from.
pub const BASIS: Columns = &[("what", Kind::Text), ("value", Kind::Text)];

/// What an assessment was made from, with its digest.
#[must_use]
pub fn basis(found: &Assessment) -> Listing {
    let basis = &found.basis;
    let mut listing = Listing::new("basis", BASIS);
    let rows: [(&str, String); 11] = [
        ("assessment_digest", found.digest().to_string()),
        ("first_day", basis.period.first.to_string()),
        ("day_after", basis.period.after.to_string()),
        ("as_of", basis.as_of.clone()),
        ("arrangements", basis.scope.join(" ")),
        ("evidence_digest", basis.evidence_digest.to_string()),
        ("catalogue", basis.catalogue.to_string()),
        ("vocabulary", basis.vocabulary.to_string()),
        ("settings", basis.settings.to_string()),
        ("time_zones", basis.time_zones.clone()),
        ("engine", basis.engine.clone()),
    ];
    listing.rows = rows.into_iter().map(|(what, value)| vec![json!(what), json!(value)]).collect();
    listing
}

/// Of service credits, one row a month.
pub const CREDITS: Columns = &[
    ("arrangement_id", Kind::Text),
    ("month", Kind::Day),
    ("model", Kind::Text),
    ("currency", Kind::Text),
    ("charge_minor", Kind::Whole),
    ("raw_minor", Kind::Whole),
    ("month_cap_minor", Kind::Whole),
    ("year_cap_minor", Kind::Whole),
    ("credit_minor", Kind::Whole),
    ("earned_back_minor", Kind::Whole),
    ("owed_minor", Kind::Whole),
    ("taken_minor", Kind::Whole),
    ("due_before", Kind::Day),
    ("gap", Kind::Text),
    ("record", Kind::Text),
];

/// The months of an arrangement's credits.
#[must_use]
pub fn credit_rows(arrangement: &str, panel: &CreditPanel) -> Vec<Vec<Value>> {
    let row = |month: &CreditMonth| {
        let amounts = [&month.charge, &month.credit, &month.owed, &month.taken];
        let currency = amounts.into_iter().flatten().map(|amount| amount.currency.clone()).next();
        let minor = |amount: &Option<Amount>| {
            amount.as_ref().map_or(Value::Null, |amount| match i64::try_from(amount.minor) {
                Ok(minor) => json!(minor),
                Err(_) => json!(amount.minor.to_string()),
            })
        };
        vec![
            json!(arrangement),
            json!(month.month.to_string()),
            json!(month.model),
            json!(currency),
            minor(&month.charge),
            minor(&month.raw),
            minor(&month.month_cap),
            minor(&month.year_cap),
            minor(&month.credit),
            minor(&month.earned_back),
            minor(&month.owed),
            minor(&month.taken),
            json!(month.due_before.map(|day| day.to_string())),
            json!(month.gap),
            json!(month.record),
        ]
    };
    panel.months.iter().map(row).collect()
}

/// An assessment as the sheets of a workbook, the figures first.
#[must_use]
pub fn sheets(found: &Assessment) -> Vec<Listing> {
    vec![levels(found), controls(found), findings(found), coverage(found), basis(found)]
}

/// An instant, ISO 8601 in UTC.
fn instant(us: i64) -> Option<String> {
    jiff::Timestamp::from_microsecond(us).ok().map(|at| at.to_string())
}
