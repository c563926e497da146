//! Sections of the report for doors that set pages of their own: each of one arrangement, on a page that
//! stands alone. Owns nothing but the way to them; it must never hold a figure.

use backstay_engine::panel::Panels;
use maud::{Markup, html};

use super::{Dossier, Links, credit, due, evidence, feed, hours, ladder, level, quality};
use crate::difference::Ladder;

/// A service level: its windows drawn, as a table, and what the last one rests on. Nothing when it was
/// not measured.
#[must_use]
pub fn service_level(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    arrangement: &str,
    id: &str,
) -> Option<Markup> {
    let own = dossier.assessment.measures.iter();
    let own: Vec<_> =
        own.filter(|m| m.arrangement_id == arrangement && m.service_level == id).collect();
    (!own.is_empty()).then(|| level::figure_of(dossier, links, (arrangement, id), &own))
}

/// From the provider's figure to ours.
#[must_use]
pub fn provider_figure(links: &Links<'_>, ladder: &Ladder) -> Markup {
    ladder::one(ladder, links)
}

/// Open cases of an arrangement; `level`: under this service level only.
#[must_use]
pub fn open_cases(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    panels: &Panels,
    level: Option<&str>,
) -> Markup {
    due::cases(dossier, links, panels, level)
}

/// Service credits: the month, how it was reckoned, the months before.
#[must_use]
pub fn credits(dossier: &Dossier<'_>, links: &Links<'_>, panels: &Panels) -> Markup {
    credit::of_arrangement(dossier, links, panels)
}

/// Distance in hours.
#[must_use]
pub fn distance_in_hours(dossier: &Dossier<'_>, links: &Links<'_>, panels: &Panels) -> Markup {
    hours::one(dossier, links, panels)
}

/// Quality of the work.
#[must_use]
pub fn quality_of_work(dossier: &Dossier<'_>, links: &Links<'_>, panels: &Panels) -> Markup {
    quality::one(dossier, links, panels)
}

/// Feeds of evidence day by day, drawn and as tables, and what is missing of them.
#[must_use]
pub fn feeds(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    html! {
        (feed::picture(dossier))
        (evidence::feeds(dossier, links))
        (evidence::lacking(dossier, links))
    }
}
