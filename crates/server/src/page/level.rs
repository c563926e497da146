//! One service level of one arrangement: attainment against target and minimum, what was left out.

use std::collections::BTreeMap;

use backstay_access::{Action, Privacy, Resource};
use backstay_engine::assessment::MeasureResult;
use backstay_report::{
    html::piece::{self, Set},
    level,
};
use maud::{Markup, html};

use super::frame;
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::Figures,
    problem::ProblemError,
};

/// References shown of one window.
const REFS_SHOWN: usize = 40;

/// The service level.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("service level");
    let figures = Figures::named(asked)?.ok_or_else(nothing)?;
    let (id, found) = figures.only().ok_or_else(nothing)?;
    let own: Vec<_> =
        found.measures.iter().filter(|m| m.service_level == asked.part("level")).collect();
    let last = own.last().ok_or_else(nothing)?;
    let rows = Resource::Rows { arrangement: Some(id), privacy: Privacy::Secret };
    let opens = asked.may(Action::SourceRead, &rows);
    let up = asked.link(&format!("/arrangements/{}", segment(id)));
    let metric = figures.seen.evidence.catalogue.metric(&last.metric);
    let body = html! {
        (frame::crumbs(&[(asked.link("/"), html! { "Portfolio" }), (format!("{up}#levels"), piece::name(id))]))
        (frame::when(asked, Some(figures.period)))
        @for measure in &own { (window(measure, opens)) }
        @if let Some(metric) = metric {
            h2 { "How it is computed" }
            div.prose { (piece::prose(&metric.body.tests)) (piece::computed(&metric.body)) }
        }
    };
    Ok(Answer::page(last.title.clone(), body))
}

fn reasons(caption: &str, counts: &BTreeMap<String, i64>) -> Markup {
    if counts.is_empty() {
        return html! {};
    }
    let rows = counts.iter().map(|(why, cases)| vec![piece::sentence(why), html! { (cases) }]);
    piece::table(
        html! { (caption) },
        &[("Reason", Set::Wide), ("Cases", Set::Figure)],
        rows.collect(),
    )
}

fn window(measure: &MeasureResult, opens: bool) -> Markup {
    let wanted = |text: &Option<String>| {
        text.as_deref().map_or_else(|| "none".to_owned(), |text| level::wanted(measure, text))
    };
    html! {
        section {
            h2 { (piece::period_words(measure.period)) }
            p.lead { (piece::verdict_word(measure)) ": " (level::value(measure)) }
            dl.facts {
                div { dt { "Met" } dd { (measure.numerator) " of " (measure.denominator) " cases" } }
                div { dt { "Target" } dd { (wanted(&measure.target)) } }
                div { dt { "Minimum" } dd { (wanted(&measure.minimum)) } }
                div { dt { "Stated by" } dd { (piece::name(&measure.target_basis)) ", record "
                    (frame::references(std::slice::from_ref(&measure.target_ref), 1, 1, opens)) } }
            }
            @if let Some(lacking) = &measure.lacking { p.note.bad { (piece::sentence(lacking)) } }
            (reasons("Left out", &measure.excluded))
            (reasons("Could not be judged", &measure.gaps))
            details {
                summary { "Rows behind the figure" }
                p { (frame::references(&measure.evidence, measure.evidence_total, REFS_SHOWN, opens)) }
            }
        }
    }
}
