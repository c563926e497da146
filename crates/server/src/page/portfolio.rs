//! Where every arrangement stands: risks by arrangements, money in findings, age of evidence.

use backstay_desk::change::changes;
use backstay_engine::assessment::{Amount, Assessment, ControlResult};
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use super::{change, frame};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::{Figures, money, worst},
    past,
    problem::ProblemError,
};

/// The portfolio of whoever asks.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let Some(figures) = Figures::visible(asked)? else {
        let body = html! { (frame::when(asked, None)) (frame::nothing_yet()) };
        return Ok(Answer::page("Portfolio", body));
    };
    let body = html! {
        (frame::when(asked, Some(figures.period)))
        (overview(asked, &figures)?)
        (frame::saves(asked, "/api/v1/arrangements"))
        (risks(asked, &figures))
    };
    let title = format!("Portfolio, {}", piece::period_words(figures.period));
    Ok(Answer::page(title, body))
}

fn path(asked: &Asked<'_>, id: &str) -> String {
    asked.link(&format!("/arrangements/{}", segment(id)))
}

/// Amounts summed by currency.
pub fn summed(amounts: Vec<Amount>) -> Vec<Amount> {
    let mut sums: Vec<Amount> = Vec::new();
    for amount in amounts {
        match sums.iter_mut().find(|sum| sum.currency == amount.currency) {
            Some(sum) => sum.minor += amount.minor,
            None => sums.push(amount),
        }
    }
    sums
}

/// Money named by the findings of an assessment, by currency.
fn at_stake(found: &Assessment) -> Vec<Amount> {
    let mut controls: Vec<&ControlResult> = found.controls.iter().collect();
    controls.dedup_by(|left, right| left.control == right.control);
    let each = controls.iter().flat_map(|c| found.at_stake(&c.control, &c.arrangement_id));
    summed(each.collect())
}

/// What changed in each arrangement since it was closed, or kept, last.
fn since(asked: &Asked<'_>, figures: &Figures) -> Result<Vec<Markup>, ProblemError> {
    let all = past::all(asked, Some(figures.seen.known_at))?;
    let one = |(id, found): &(String, std::sync::Arc<Assessment>)| {
        let Some(kept) = past::before(&all, id, figures.period) else {
            return Ok(html! { span.quiet { "nothing is kept yet" } });
        };
        let changes = changes(kept.result(asked)?.as_ref(), found, id);
        let what = kept.close.as_ref().map_or("assessed", |note| note.step.done());
        Ok(html! {
            a.quietlink href={ (path(asked, id)) "#changes" } { (change::brief(&changes)) }
            span.sub { "since " (backstay_report::words::period(kept.period)) " was " (what) }
        })
    };
    figures.parts.iter().map(one).collect()
}

fn overview(asked: &Asked<'_>, figures: &Figures) -> Result<Markup, ProblemError> {
    let heads = [
        ("Arrangement", Set::Wide),
        ("Worst", Set::Text),
        ("Controls effective", Set::Figure),
        ("Findings", Set::Figure),
        ("Money in findings", Set::Figure),
        ("Oldest evidence, days", Set::Figure),
        ("What changed", Set::Wide),
    ];
    let since = since(asked, figures)?;
    let rows = figures.parts.iter().zip(since).map(|((id, found), since)| {
        let worst = worst(found.controls.iter());
        let age = found.controls.iter().filter_map(|control| control.evidence_age_days).max();
        vec![
            html! { a href=(path(asked, id)) { (piece::name(id)) } },
            html! { @match worst { Some((status, ..)) => { (piece::status_word(status)) } None => { span.quiet { "not tested" } } } },
            html! { @if let Some((_, effective, all)) = worst { (effective) " of " (all) } },
            html! { a href={ (path(asked, id)) "#findings" } { (found.findings.len()) } },
            html! { (money(&at_stake(found))) },
            html! { @match age { Some(days) => { (days) } None => { span.quiet { "none" } } } },
            since,
        ]
    });
    Ok(piece::table(html! { "Arrangements" }, &heads, rows.collect()))
}

/// Risks by arrangements: the worst word, and how many controls are effective.
fn risks(asked: &Asked<'_>, figures: &Figures) -> Markup {
    let mut heads = vec![("Risk", Set::Wide)];
    heads.extend(figures.parts.iter().map(|(id, _)| (id.as_str(), Set::Text)));
    let all = figures.seen.evidence.catalogue.risks();
    let rows = all.iter().filter_map(|risk| {
        let own = |found: &'_ Assessment| {
            let own: Vec<ControlResult> =
                found.controls.iter().filter(|c| c.risk == risk.id).cloned().collect();
            own
        };
        if figures.parts.iter().all(|(_, found)| own(found).is_empty()) {
            return None;
        }
        let mut cells = vec![html! { (piece::title(&risk.title)) }];
        cells.extend(figures.parts.iter().map(|(id, found)| {
            let own = own(found);
            let to =
                asked.link(&format!("/arrangements/{}/risks/{}", segment(id), segment(&risk.id)));
            html! {
                @match worst(own.iter()) {
                    Some((status, effective, all)) => {
                        a.quietlink href=(to) { (piece::status_word(status)) }
                        span.sub { (effective) " of " (all) " effective" }
                    }
                    None => { span.quiet { "not tested" } }
                }
            }
        }));
        Some(cells)
    });
    piece::table(
        html! { "Risks by arrangement: the worst word of their controls" },
        &heads,
        rows.collect(),
    )
}
