//! Evidence: what arrived of each table, and one row down to the line of its file.

use backstay_evidence::RowRef;
use backstay_report::html::{
    Feed, Lacking, Links, Party,
    piece::{self, Set},
    section,
};
use backstay_store::TraceSource;
use maud::{Markup, html};

use super::{
    frame,
    way::{Pages, dossier},
};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::Figures,
    panels::Beside,
    problem::ProblemError,
};

/// What arrived.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let id = asked.part("arrangement").to_owned();
    let up = asked.link(&format!("/arrangements/{}", segment(&id)));
    let title = format!("Evidence of {id}");
    let Some(figures) = Figures::named(asked)? else {
        return Ok(Answer::page(title, frame::nothing_yet()));
    };
    let heads = [
        ("Table", Set::Text),
        ("Complete", Set::Text),
        ("Rows held", Set::Figure),
        ("Newest", Set::Text),
        ("What is lacking", Set::Wide),
    ];
    let pages = Pages::new(asked, &id)?;
    let beside = Beside::new(asked.server, &figures, &id);
    let (party, feeds) = (beside.party()?, beside.feeds()?);
    let dossier = dossier(&figures, &party, &[], &feeds);
    let dossier = dossier.ok_or_else(|| ProblemError::nothing("arrangement"))?;
    let coverage = figures.only().map(|(_, found)| found.coverage.as_slice()).unwrap_or_default();
    let rows = coverage.iter().map(|found| {
        let table = &found.table;
        let told = u64::try_from(table.lacking.len()).unwrap_or(u64::MAX);
        vec![
            piece::name(&table.table),
            piece::arrival_word(table.covered),
            html! { (table.rows) },
            html! { @match table.newest_us { Some(us) => { span.nowrap { (piece::instant(us)) } } None => { span.quiet { "no time" } } } },
            html! {
                @for (n, reason) in table.lacking.iter().enumerate() { @if n > 0 { "; " } (piece::sentence(reason)) }
                @if table.lacking_total > told { " and " (table.lacking_total - told) " more" }
            },
        ]
    });
    let body = html! {
        (frame::crumbs(&[(asked.link("/"), html! { "Portfolio" }), (up, piece::name(&id))]))
        (frame::when(asked, Some(figures.period)))
        (standing(&feeds, &party))
        (section::feeds(&dossier, &Links(&pages)))
        h2 { "Coverage and age" }
        (piece::table(html! { "Tables that controls rest on" }, &heads, rows.collect()))
        (frame::saves(asked, &format!("/api/v1/arrangements/{}/coverage", segment(&id))))
    };
    Ok(Answer::page(title, body))
}

/// In one sentence what is missing, since when, and who is asked for it.
fn standing(feeds: &[Feed], party: &Party) -> Markup {
    let missing: Vec<(&Feed, &Lacking)> =
        feeds.iter().filter_map(|feed| Some((feed, feed.lacking.first()?))).collect();
    let all: usize = feeds.iter().map(|feed| feed.lacking.len()).sum();
    html! {
        @if feeds.is_empty() {}
        @else if missing.is_empty() { p.lead { (piece::arrival_word(true)) ": every interval in which evidence was expected came, and adds up." } }
        @else {
            p.lead { (piece::arrival_word(false)) ": " (all) @if all == 1 { " interval is" } @else { " intervals are" } " not as declared." }
            ul { @for (feed, first) in missing { li {
                strong { (piece::name(feed.feed.as_deref().unwrap_or("no feed"))) } " of " (piece::name(&feed.table)) ": since " (piece::name(&first.days)) ", " (piece::sentence(&first.reason)) "."
            } } }
            @if let Some(provider) = &party.provider { p.quiet { "The provider of this arrangement is " (piece::name(provider)) "; a register does not say who sends a feed." } }
        }
    }
}

/// One row, down to the line of the file that it was read from.
pub fn row(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("row");
    let reference: RowRef = asked.part("reference").parse().map_err(|_| nothing())?;
    let shown = asked.part("reference");
    let entry: u64 = shown.split(':').next().and_then(|n| n.parse().ok()).ok_or_else(nothing)?;
    let workspace = &asked.server.workspace;
    // Whether there is such an entry is not told to those who may not open it.
    let entries = workspace.entries(entry, 1)?;
    let of = entries.first().filter(|found| found.entry == entry).ok_or_else(nothing)?;
    if !asked.may_open(&of.arrangements) {
        return Err(nothing());
    }
    let trace = workspace.trace(reference).map_err(|_| nothing())?;
    // Another mapping may have found other arrangements in the same file.
    if trace.read_by != entry {
        let again = workspace.entries(trace.read_by, 1)?;
        let of = again.first().filter(|found| found.entry == trace.read_by).ok_or_else(nothing)?;
        if !asked.may_open(&of.arrangements) {
            return Err(nothing());
        }
    }
    let body = html! {
        dl.facts {
            div { dt { "File" } dd { @if trace.file.is_empty() { "entered by hand" } @else { (piece::name(&trace.file)) } } }
            div { dt { "Recorded" } dd { (piece::instant(trace.recorded_at_us)) " by " (piece::name(&trace.actor)) ", entry " (trace.entry) } }
            div { dt { "SHA-256 of what was handed in" } dd { code.digest { (trace.digest.to_string()) } } }
            div { dt { "Bytes" } dd { (trace.bytes) } }
        }
        (place(&trace.source))
    };
    Ok(Answer::page(format!("Row {}", trace.reference), body))
}

fn place(source: &TraceSource) -> Markup {
    match source {
        TraceSource::Located(found) => {
            let cells = found.cells.iter();
            let rows = cells.map(|(name, value)| vec![piece::name(name), piece::sentence(value)]);
            html! {
                h2 { "Record " (found.record) ", line " (found.first_line) @if found.last_line > found.first_line { " to " (found.last_line) } }
                @if !found.text.is_empty() { pre { code { (found.text) } } }
                (piece::table(html! { "As it was handed in" }, &[("Column", Set::Text), ("Value", Set::Wide)], rows.collect()))
            }
        }
        TraceSource::WholeFile => html! {
            p { "The file as a whole says that this fact no longer stands, by not holding it." }
        },
        TraceSource::Entered { table, values, deleted, reason, .. } => {
            let rows = values.iter();
            let rows = rows.map(|(name, value)| vec![piece::name(name), piece::sentence(value)]);
            html! {
                p { "Entered by hand in " code { (table) } @if *deleted { ": it no longer stands" } "." @if !reason.is_empty() { " Reason: " (piece::sentence(reason)) } }
                (piece::table(html! { "As it was entered" }, &[("Column", Set::Text), ("Value", Set::Wide)], rows.collect()))
            }
        }
        TraceSource::Erased { by, recorded_at_us, actor, reason } => html! {
            p { "Its source was erased by entry " (by) ", " (piece::instant(*recorded_at_us)) ", by " (piece::name(actor)) ": " (piece::sentence(reason)) }
        },
    }
}
