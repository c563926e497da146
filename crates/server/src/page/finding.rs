//! One finding with the rows that it rests on.

use backstay_access::{Action, Privacy, Resource};
use backstay_report::html::piece;
use maud::html;

use super::frame;
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::{Figures, money},
    problem::ProblemError,
};

/// The finding.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("finding");
    let figures = Figures::named(asked)?.ok_or_else(nothing)?;
    let (id, found) = figures.only().ok_or_else(nothing)?;
    let finding = found.findings.iter().find(|f| f.id == asked.part("finding"));
    let finding = finding.ok_or_else(nothing)?;
    let up = asked.link(&format!("/arrangements/{}", segment(id)));
    let control = asked.link(&format!(
        "/arrangements/{}/controls/{}",
        segment(id),
        segment(&finding.control)
    ));
    let rows = Resource::Rows { arrangement: Some(id), privacy: Privacy::Secret };
    let opens = asked.may(Action::SourceRead, &rows);
    let amount: Vec<_> = finding.amount().into_iter().collect();
    let body = html! {
        (frame::crumbs(&[(asked.link("/"), html! { "Portfolio" }), (up, piece::name(id)), (control, piece::name(&finding.control))]))
        p.lead { (piece::outcome_word(finding.outcome)) ": " (piece::sentence(&finding.explanation)) }
        dl.facts {
            @if let Some(measured) = &finding.measured { div { dt { "Found" } dd { (piece::name(measured)) " " (finding.unit.as_deref().unwrap_or_default()) } } }
            @if let Some(required) = &finding.required { div { dt { "Promised" } dd { (piece::name(required)) " " (finding.unit.as_deref().unwrap_or_default()) } } }
            @if !amount.is_empty() { div { dt { "Money at stake" } dd { (money(&amount)) } } }
            div { dt { "Finding" } dd { code { (finding.id) } } }
            div { dt { "Period" } dd { (piece::period_words(figures.period)) } }
        }
        h2 { "Rows it rests on" }
        p { (frame::references(&finding.evidence, finding.evidence_total, finding.evidence.len(), opens)) }
        @if opens { p.quiet { "A row opens down to the line of the file that it was read from." } }
        @else { p.quiet { "Your rights do not include the lines of the files behind these rows." } }
    };
    Ok(Answer::page(finding.subject.clone(), body))
}
