//! One risk of one arrangement: what can happen, what a loss would look like, the controls against it, and
//! how their words went over the assessments that were kept. The same trend is shown with a control.

use backstay_engine::{Assessment, Status, assessment::ControlResult};
use backstay_report::html::{
    piece::{self, Set},
    trend::{self, Point},
};
use maud::{Markup, html};

use super::{frame, way::Pages};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::{Figures, money, worst},
    past::{self, Past},
    problem::ProblemError,
};

/// Kept assessments looked back over.
const BACK: usize = 12;

/// The risk.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("risk");
    let figures = Figures::named(asked)?.ok_or_else(nothing)?;
    let (id, found) = figures.only().ok_or_else(nothing)?;
    let catalogue = &figures.seen.evidence.catalogue;
    let risk = catalogue.risk(asked.part("risk")).ok_or_else(nothing)?;
    let own: Vec<_> = found.controls.iter().filter(|c| c.risk == risk.id).collect();
    let pages = Pages::new(asked, id)?;
    let amounts: Vec<_> = own.iter().flat_map(|c| found.at_stake(&c.control, id)).collect();
    let amounts = super::portfolio::summed(amounts);
    let body = html! {
        (pages.crumbs(id, &[]))
        (frame::when(asked, Some(figures.period)))
        @match worst(own.iter().copied()) {
            Some((status, effective, all)) => { p.lead { (piece::status_word(status)) ": " (effective) " of " (all) " controls effective"
                @if !amounts.is_empty() { "; money in findings " (money(&amounts)) } } },
            None => { p.lead { "No control against this risk is tested in this arrangement." } },
        }
        h2 { "What can happen" } div.prose { (piece::prose(&risk.what)) }
        h2 { "Loss scenario" } div.prose { (piece::prose(&risk.loss_scenario)) }
        h2 #controls { "Controls" }
        (controls(asked, id, &own))
        h2 #trend { "Over the assessments that were kept" }
        (words(asked, id, &own, figures.seen.known_at)?)
    };
    Ok(Answer::page(risk.title.clone(), body))
}

fn path(asked: &Asked<'_>, id: &str, control: &str) -> String {
    asked.link(&format!("/arrangements/{}/controls/{}", segment(id), segment(control)))
}

fn controls(asked: &Asked<'_>, id: &str, own: &[&ControlResult]) -> Markup {
    let heads = [
        ("Control", Set::Wide),
        ("Status", Set::Text),
        ("Why", Set::Wide),
        ("Tested", Set::Figure),
        ("Missed", Set::Figure),
        ("Not testable", Set::Figure),
    ];
    let rows = own.iter().map(|control| {
        vec![
            html! { a href=(path(asked, id, &control.control)) { (piece::title(&control.title)) } span.sub { (piece::name(&control.control)) } },
            piece::status_word(control.status),
            piece::sentence(&control.reason),
            html! { (control.population) },
            html! { (control.missed) },
            html! { (control.gaps) },
        ]
    });
    piece::table(html! { "Controls against this risk" }, &heads, rows.collect())
}

/// The last assessments kept up to an entry that say something of an arrangement, the oldest first; of steps of one
/// month-end the last one.
///
/// # Errors
/// Those of the database.
fn kept(
    asked: &Asked<'_>,
    id: &str,
    known_at: u64,
) -> Result<Vec<(Past, std::sync::Arc<Assessment>)>, ProblemError> {
    let mut all = past::all(asked, Some(known_at))?;
    all.retain(|kept| kept.is_about(id));
    all.sort_by_key(|kept| (kept.period.first, kept.period.after, kept.entry));
    // One figure for each period: that of the last word about it.
    let mut last: Vec<Past> = Vec::new();
    for kept in all {
        match last.last_mut() {
            Some(before) if before.period == kept.period => *before = kept,
            _ => last.push(kept),
        }
    }
    let from = last.len().saturating_sub(BACK);
    let mut found = Vec::new();
    for kept in last.split_off(from) {
        let result = kept.result(asked)?;
        found.push((kept, result));
    }
    Ok(found)
}

fn status_in(assessment: &Assessment, id: &str, control: &str) -> Option<Status> {
    let own = assessment.controls.iter();
    own.into_iter().find(|c| c.arrangement_id == id && c.control == control).map(|c| c.status)
}

const NONE_KEPT: &str = "No assessment is kept yet that could be compared. One is kept with “Assess now and keep” on the page of the arrangement, and with each step of a month-end.";

/// The words of controls, one column for each kept period.
fn words(
    asked: &Asked<'_>,
    id: &str,
    own: &[&ControlResult],
    known_at: u64,
) -> Result<Markup, ProblemError> {
    let kept = kept(asked, id, known_at)?;
    if kept.is_empty() {
        return Ok(html! { p { (NONE_KEPT) } });
    }
    let names: Vec<String> =
        kept.iter().map(|(kept, _)| backstay_report::words::period(kept.period)).collect();
    let mut heads = vec![("Control", Set::Wide)];
    heads.extend(names.iter().map(|name| (name.as_str(), Set::Text)));
    let rows = own.iter().map(|control| {
        let mut cells = vec![
            html! { a href=(path(asked, id, &control.control)) { (piece::title(&control.title)) } },
        ];
        cells.extend(kept.iter().map(|(_, found)| match status_in(found, id, &control.control) {
            Some(status) => piece::status_word(status),
            None => html! { span.quiet { "not tested" } },
        }));
        cells
    });
    Ok(html! {
        (piece::table(html! { "The last word about each period, as it was kept" }, &heads, rows.collect()))
        p { "Kept assessments: "
            @for (n, (kept, _)) in kept.iter().enumerate() { @if n > 0 { ", " } (super::change::named(kept)) } "." }
    })
}

/// How many things one control tested and missed, period by period, drawn and as a table.
///
/// # Errors
/// Those of the database.
pub fn population(
    asked: &Asked<'_>,
    id: &str,
    control: &str,
    known_at: u64,
) -> Result<Markup, ProblemError> {
    let kept = kept(asked, id, known_at)?;
    let found: Vec<_> = kept
        .iter()
        .filter_map(|(kept, assessment)| {
            let own = assessment.controls.iter();
            let found = own.into_iter().find(|c| c.arrangement_id == id && c.control == control)?;
            Some((kept, found))
        })
        .collect();
    if found.is_empty() {
        return Ok(html! { p { (NONE_KEPT) } });
    }
    let heads = [
        ("Period", Set::Text),
        ("Status", Set::Text),
        ("Tested", Set::Figure),
        ("Missed", Set::Figure),
        ("Not testable", Set::Figure),
        ("Kept", Set::Text),
    ];
    let rows = found.iter().map(|(kept, found)| {
        vec![
            html! { (backstay_report::words::period(kept.period)) },
            piece::status_word(found.status),
            html! { (found.population) },
            html! { (found.missed) },
            html! { (found.gaps) },
            html! { a href={ "/assessments/" (kept.entry) } { "entry " (kept.entry) } },
        ]
    });
    let points: Vec<Point> = found
        .iter()
        .map(|(kept, found)| Point {
            name: backstay_report::words::period(kept.period),
            whole: found.population,
            part: found.missed,
            unknown: found.gaps,
        })
        .collect();
    Ok(html! {
        div.beside {
            @if let Some(drawing) = trend::chart("trend", "Things tested, missed and not testable, by period", &points) { (drawing) }
            div { (piece::table(html! { "As it was kept, period by period" }, &heads, rows.collect())) }
        }
    })
}
