//! One control in one arrangement: where it stands and why, how it is computed, what it found.

use backstay_report::html::piece;
use maud::html;

use super::{arrangement::findings, frame};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::Figures,
    problem::ProblemError,
};

/// The control.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("control");
    let figures = Figures::named(asked)?.ok_or_else(nothing)?;
    let (id, found) = figures.only().ok_or_else(nothing)?;
    let result = found.controls.iter().find(|c| c.control == asked.part("control"));
    let result = result.ok_or_else(nothing)?;
    let control = figures.seen.evidence.catalogue.control(&result.control).ok_or_else(nothing)?;
    let risk = figures.seen.evidence.catalogue.risk(&control.risk);
    let up = asked.link(&format!("/arrangements/{}", segment(id)));
    let body = html! {
        (frame::crumbs(&[
            (asked.link("/"), html! { "Portfolio" }),
            (up.clone(), piece::name(id)),
            (asked.link(&format!("/arrangements/{}/risks/{}", segment(id), segment(&control.risk))), html! { @if let Some(risk) = risk { (piece::title(&risk.title)) } }),
        ]))
        (frame::when(asked, Some(figures.period)))
        p.lead { (piece::status_word(result.status)) ": " (piece::sentence(&result.reason)) }
        dl.facts {
            div { dt { "Control" } dd { code { (control.id) } } }
            div { dt { "Things tested" } dd { (result.population) } }
            div { dt { "Missed" } dd { (result.missed) } }
            div { dt { "Not testable" } dd { (result.gaps) } }
            div { dt { "Age of its evidence" } dd { @match result.evidence_age_days { Some(days) => { (days) " days" } None => { "nothing it needs has a time" } } } }
            div { dt { "Rests on" } dd { (result.tables.join(", ")) } }
        }
        @if !result.lacking.is_empty() {
            h2 { "What evidence is lacking" }
            ul { @for reason in &result.lacking { li { (piece::sentence(reason)) } } }
        }
        h2 #findings { "Findings" }
        (findings(asked, id, found, Some(&control.id)))
        h2 #trend { "Over the assessments that were kept" }
        (super::risk::population(asked, id, &control.id, figures.seen.known_at)?)
        h2 { "What it tests" } div.prose { (piece::prose(&control.body.tests)) }
        h2 { "Why it matters" } div.prose { (piece::prose(&control.body.why)) }
        h2 { "How it is computed" } div.prose { (piece::computed(&control.body)) }
        h2 #remedy { "What to do" } div.prose { (piece::prose(&control.body.remedy)) }
        @if !control.references.is_empty() {
            h2 { "References" }
            ul { @for reference in &control.references { li { (piece::sentence(reference)) } } }
        }
    };
    Ok(Answer::page(control.title.clone(), body))
}
