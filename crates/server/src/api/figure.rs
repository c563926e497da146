//! Figures of a period as lists: arrangements, controls, findings, service levels, coverage; and the
//! assessment as a whole.

use backstay_engine::assessment::Assessment;
use backstay_report::listing::{Columns, Kind, Listing, figure};
use serde_json::json;

use super::list::whole;
use crate::{
    answer::Answer,
    asked::Asked,
    figures::{Figures, worst},
    problem::ProblemError,
};

type Done = Result<Answer, ProblemError>;
/// Of arrangements.
pub const ARRANGEMENTS: Columns = &[
    ("arrangement_id", Kind::Text),
    ("worst_status", Kind::Text),
    ("controls_effective", Kind::Whole),
    ("controls", Kind::Whole),
    ("findings", Kind::Whole),
    ("evidence_age_days", Kind::Whole),
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
fn of(asked: &Asked<'_>, list: fn(&Assessment) -> Listing) -> Done {
    let Some(figures) = Figures::named(asked)? else { return Ok(nothing()) };
    let Some((id, found)) = figures.only() else { return Ok(nothing()) };
    let mut listing = list(found);
    listing.name = format!("{id}-{}", listing.name);
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
    of(asked, figure::controls)
}

/// Findings of an arrangement.
pub fn findings(asked: &Asked<'_>) -> Done {
    of(asked, figure::findings)
}

/// Service levels of an arrangement.
pub fn levels(asked: &Asked<'_>) -> Done {
    of(asked, figure::levels)
}

/// What evidence of an arrangement arrived.
pub fn coverage(asked: &Asked<'_>) -> Done {
    of(asked, figure::coverage)
}
