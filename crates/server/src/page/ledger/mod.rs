//! The ledger, newest entries first, by kind, arrangement, actor and day. An entry is shown when the asker
//! may read it on every arrangement that it names; how many are not shown is not said.

pub mod checkpoint;
pub mod entry;

use backstay_access::Action;
use backstay_desk::ledger::{Wanted, find, summary};
use backstay_report::html::piece::{self, Set};
use backstay_store::EntrySummary;
use maud::{Markup, html};

use crate::{
    answer::Answer,
    asked::{Asked, segment},
    page::register::list::again,
    problem::ProblemError,
};

/// Entries of a page.
const PAGE: usize = 100;
/// Kinds of entries, with what they are.
const KINDS: [(&str, &str); 10] = [
    ("import", "import: a file was brought in"),
    ("edit", "edit: rows entered by hand"),
    ("retract", "retract: something was taken away"),
    ("reread", "reread: kept bytes read again"),
    ("assessment", "assessment: figures kept"),
    ("access", "access: accounts and rights"),
    ("disclosure", "disclosure: a name was asked for"),
    ("erase", "erase: a person or a source forgotten"),
    ("decision", "decision"),
    ("settings", "settings"),
];
const DAY_US: i64 = 86_400_000_000;

/// A page of the ledger.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let before = asked.query("before").and_then(|text| text.parse::<u64>().ok());
    let wanted = Wanted {
        kind: asked.query("kind"),
        arrangement: asked.query("arrangement"),
        actor: asked.query("actor"),
        from_us: day(asked, "from")?,
        before_us: day(asked, "until")?.map(|us| us.saturating_add(DAY_US)),
        before,
        words: None,
        most: PAGE,
    };
    let reads = |entry: &EntrySummary| asked.may_entry(Action::LedgerRead, &entry.arrangements);
    let found = find(&asked.server.workspace, &wanted, &reads)?;
    let filtered = wanted != Wanted { before, most: PAGE, ..Wanted::default() };
    let body = html! {
        p.lead { "Every fact is an entry, sealed by those after it. Keep a " a href="/ledger/checkpoints" { "signed checkpoint" } ", and nobody can rewrite what came before it without being found out." }
        (question(asked))
        @if found.entries.is_empty() {
            p.lead { @if found.next.is_some() { "Nothing among the entries looked at so far." } @else if filtered { "No entry that is open to you fits." } @else { "No entry here is open to you." } }
        } @else { (entries(&found.entries)) }
        nav.pager aria-label="Pages" {
            @if before.is_some() { a href=(again(asked, &[("before", None)])) { "Newest entries" } }
            @if let Some(next) = found.next { a href=(again(asked, &[("before", Some(&next.to_string()))])) { "Earlier entries" } }
        }
    };
    Ok(Answer::page("Ledger", body))
}

/// A day of the query in UTC, as microseconds.
fn day(asked: &Asked<'_>, name: &str) -> Result<Option<i64>, ProblemError> {
    let Some(text) = asked.query(name) else { return Ok(None) };
    let unclear =
        || ProblemError::unclear(format!("`{text}` is no day: write it as in 2026-10-31."));
    let days = backstay_desk::period::parse_period(&format!("{text}..9999-12-31"));
    let (first, _) = days.map_err(|_| unclear())?;
    let since = first.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| unclear())?;
    Ok(Some(since.timestamp().as_microsecond()))
}

fn question(asked: &Asked<'_>) -> Markup {
    let now = |name: &str| asked.query(name).unwrap_or_default();
    html! {
        form.when method="get" {
            div { label for="kind" { "Kind" }
                select #kind name="kind" {
                    option value="" { "all" }
                    @for (kind, word) in KINDS { option value=(kind) selected[now("kind") == kind] { (word) } }
                }
            }
            div { label for="arrangement" { "Arrangement" } input #arrangement name="arrangement" value=(now("arrangement")); }
            div { label for="actor" { "By (account)" } input #actor name="actor" value=(now("actor")); }
            div { label for="from" { "From (day, UTC)" } input #from name="from" type="date" value=(now("from")); }
            div { label for="until" { "Until, counted" } input #until name="until" type="date" value=(now("until")); }
            button { "Show" }
        }
    }
}

/// Entries as a table.
pub fn entries(entries: &[EntrySummary]) -> Markup {
    let heads = [
        ("Entry", Set::Figure),
        ("Recorded", Set::Text),
        ("Kind", Set::Text),
        ("Arrangements", Set::Text),
        ("What", Set::Wide),
        ("By", Set::Text),
    ];
    let rows = entries.iter().map(|entry| {
        vec![
            html! { a href={ "/ledger/" (entry.entry) } { (entry.entry) } },
            html! { span.nowrap { (piece::instant(entry.recorded_at_us)) } },
            piece::name(&entry.kind),
            arrangements(&entry.arrangements),
            piece::sentence(&what(entry)),
            piece::name(&entry.actor),
        ]
    });
    piece::table(html! { "Entries, the newest first" }, &heads, rows.collect())
}

/// The arrangements that an entry names, as links.
pub fn arrangements(ids: &[String]) -> Markup {
    html! {
        @for (n, id) in ids.iter().enumerate() {
            @if n > 0 { ", " }
            a.quietlink href={ "/arrangements/" (segment(id)) } { (piece::name(id)) }
        }
    }
}

/// What an entry did, in a few words.
pub fn what(entry: &EntrySummary) -> String {
    let said = entry.payload.as_ref().map(|payload| summary(&entry.kind, payload));
    said.unwrap_or_else(|| "erased".to_owned())
}
