//! Evidence: which feeds arrived, what is missing or does not add up, how old it is, and the files it
//! came from.

use backstay_engine::assessment::CoverageResult;
use maud::{Markup, html};

use super::{
    Dossier, Feed, Links,
    sheet::{Row, Set, Sheet},
    status, text,
};

/// Intervals named of one feed.
const LACKING_SHOWN: usize = 20;
/// Reasons named of one table.
const REASONS_SHOWN: usize = 3;

/// Feeds, tables, files.
pub(super) fn body(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    html! {
        (feeds(dossier, links))
        (lacking(dossier, links))
        (tables(dossier))
        (sources(dossier))
    }
}

pub(super) fn feeds(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    if dossier.feeds.is_empty() {
        return html! {
            p { "No feed of evidence is declared, so nothing says what should have arrived: whatever rests on work events stays untested. "
                "Declare feeds in " code { "evidence_feed" } "." }
        };
    }
    let heads = [
        ("Feed", Set::Text),
        ("Arrangement", Set::Text),
        ("Table", Set::Text),
        ("Every", Set::Text),
        ("Expected", Set::Figure),
        ("Arrived", Set::Figure),
        ("Not as declared", Set::Figure),
        ("Declared by", Set::Text),
    ];
    let mut sheet =
        Sheet::new(html! { "Intervals of the period in which evidence was expected" }, &heads);
    for feed in dossier.feeds.iter() {
        let undeclared = html! { span.quiet { "no feed" } };
        sheet.row(Row::of(vec![
            feed.feed.as_deref().map_or(undeclared, text::name),
            text::name(&feed.arrangement_id),
            text::name(&feed.table),
            html! { (text::plain(&feed.cadence.replace('-', " "))) },
            html! { (text::number(feed.expected)) },
            html! { (text::number(feed.arrived)) },
            html! {
                @if feed.lacking.is_empty() { "0" }
                @else { a href={ "#" (anchor(feed)) } { (text::number(feed.lacking.len() as u64)) } }
            },
            html! { @match &feed.declared_by { Some(reference) => { (links.reference(reference)) } None => { "nobody" } } },
        ]));
    }
    html! {
        (sheet.render())
        p.quiet { "A feed states how often evidence comes, not by when: lateness against a promised day cannot be tested. An interval arrived when "
            "what is held is what the sender says it sent." }
    }
}

fn anchor(feed: &Feed) -> String {
    let parts = [
        feed.arrangement_id.as_str(),
        feed.feed.as_deref().unwrap_or_default(),
        &feed.table,
        &feed.cadence,
    ];
    text::anchor("feed", &parts)
}

pub(super) fn lacking(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    let wanting: Vec<&Feed> =
        dossier.feeds.iter().filter(|feed| !feed.lacking.is_empty()).collect();
    html! {
        @for feed in wanting {
            @let heads = [("Days", Set::Text), ("Outcome", Set::Text), ("What is held against what was sent", Set::Wide), ("Rows", Set::Text)];
            @let caption = html! { "Not as declared: " (text::name(feed.feed.as_deref().unwrap_or("no feed"))) " of " (text::name(&feed.table)) ", " (text::name(&feed.arrangement_id)) };
            @let sheet = {
                let mut sheet = Sheet::new(caption, &heads);
                for interval in feed.lacking.iter().take(links.shown(LACKING_SHOWN)) {
                    sheet.row(Row::of(vec![
                        html! { (text::plain(&interval.days)) },
                        status::arrival(&interval.outcome),
                        text::told(&interval.reason),
                        links.references(&interval.evidence, interval.evidence.len() as u64, 4),
                    ]));
                }
                sheet
            };
            div.sheet id=(anchor(feed)) tabindex="-1" {
                (sheet.render())
                @if feed.lacking.len() > links.shown(LACKING_SHOWN) {
                    p { "And " (text::counted((feed.lacking.len() - links.shown(LACKING_SHOWN)) as u64, "more interval"))
                        @if !links.0.stands_alone() { ": " code { "backstay query \"SELECT * FROM feed_day WHERE NOT arrived\" --period " (dossier.assessment.basis.period) } }
                        "." }
                }
            }
        }
    }
}

fn tables(dossier: &Dossier<'_>) -> Markup {
    let coverage = &dossier.assessment.coverage;
    if coverage.is_empty() {
        return Markup::default();
    }
    let heads = [
        ("Table", Set::Text),
        ("Arrangement", Set::Text),
        ("Rows held", Set::Figure),
        ("Newest", Set::Text),
        ("Complete", Set::Text),
        ("What is lacking", Set::Wide),
    ];
    let mut sheet = Sheet::new(html! { "Tables that controls rest on" }, &heads);
    for found in coverage {
        sheet.row(Row::of(table_line(found)));
    }
    html! { h3 { "Coverage and age" } (sheet.render()) }
}

fn table_line(found: &CoverageResult) -> Vec<Markup> {
    let table = &found.table;
    let shown = table.lacking.len().min(REASONS_SHOWN);
    vec![
        text::name(&table.table),
        text::name(&found.arrangement_id),
        html! { (text::number(table.rows)) },
        html! { @match table.newest_us { Some(us) => { (text::instant(us)) } None => { span.quiet { "no time" } } } },
        html! { @if table.covered { (status::arrival("arrived")) } @else { (status::arrival("incomplete")) } },
        html! {
            @for (n, reason) in table.lacking.iter().take(REASONS_SHOWN).enumerate() { @if n > 0 { "; " } (text::told(reason)) }
            @let hidden = table.lacking_total.saturating_sub(shown as u64);
            @if hidden > 0 { " and " (text::number(hidden)) " more" }
        },
    ]
}

fn sources(dossier: &Dossier<'_>) -> Markup {
    if dossier.sources.is_empty() {
        return Markup::default();
    }
    let heads = [
        ("Entry", Set::Figure),
        ("File", Set::Text),
        ("Read", Set::Figure),
        ("Accepted", Set::Figure),
        ("Corrected", Set::Figure),
        ("Known", Set::Figure),
        ("Quarantined", Set::Figure),
        ("Recorded", Set::Text),
        ("SHA-256 of the file", Set::Text),
    ];
    let mut sheet = Sheet::new(
        html! { "Files that the evidence came from, as ledger entries; read = accepted + corrected + known + quarantined" },
        &heads,
    );
    for source in dossier.sources.iter() {
        let mut cells = vec![html! { (source.entry) }, text::name(&source.file)];
        cells.extend(source.counts.iter().map(|count| html! { (text::number(*count)) }));
        cells.push(html! { span.nowrap { (text::instant(source.recorded_at_us)) } span.sub { "by " (text::name(&source.actor)) } });
        cells.push(html! { code.digest { (text::plain(&source.digest)) } });
        sheet.row(Row::at(format!("entry.{}", source.entry), cells));
    }
    html! { h3 { "Files" } (sheet.render()) }
}
