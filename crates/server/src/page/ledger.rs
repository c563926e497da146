//! The ledger, newest entries first. An entry is shown when the asker may read it on every arrangement
//! that it names; how many are not shown is not said.

use backstay_access::Action;
use backstay_report::html::piece::{self, Set};
use backstay_store::EntrySummary;
use maud::html;

use crate::{answer::Answer, asked::Asked, problem::ProblemError};

/// Entries of a page.
const PAGE: u64 = 100;

/// A page of the ledger; `?before=`: entries before this one.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let workspace = &asked.server.workspace;
    let size = workspace.backend().head()?.size;
    let before = asked.query("before").and_then(|text| text.parse::<u64>().ok());
    let before = before.unwrap_or(u64::MAX).min(size.saturating_add(1)).max(1);
    let from = before.saturating_sub(PAGE).max(1);
    let limit = usize::try_from(before.saturating_sub(from)).unwrap_or_default();
    let mut entries = workspace.entries(from, limit)?;
    entries.retain(|entry| entry.entry < before);
    entries.retain(|entry| asked.may_entry(Action::LedgerRead, &entry.arrangements));
    entries.reverse();
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
            html! { (entry.entry) },
            html! { span.nowrap { (piece::instant(entry.recorded_at_us)) } },
            piece::name(&entry.kind),
            html! { @for (n, id) in entry.arrangements.iter().enumerate() { @if n > 0 { ", " } (piece::name(id)) } },
            piece::sentence(&what(entry)),
            piece::name(&entry.actor),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let body = html! {
        @if rows.is_empty() { p.lead { "No entry here is open to you." } }
        @else { (piece::table(html! { "Entries, the newest first; each is sealed by those after it" }, &heads, rows)) }
        p.pager {
            @if from > 1 { a href={ "/ledger?before=" (from) } { "Earlier entries" } }
            @if before <= size { a href="/ledger" { "Newest entries" } }
        }
    };
    Ok(Answer::page("Ledger", body))
}

/// What an entry did, in a few words.
fn what(entry: &EntrySummary) -> String {
    let Some(payload) = &entry.payload else { return "erased".to_owned() };
    let text =
        |pointer: &str| payload.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default();
    let count =
        |pointer: &str| payload.pointer(pointer).and_then(|v| v.as_u64()).unwrap_or_default();
    match entry.kind.as_str() {
        "import" | "reread" => format!(
            "`{}`: {} read = {} accepted + {} corrected + {} known + {} quarantined",
            text("/file"),
            count("/counts/read"),
            count("/counts/accepted"),
            count("/counts/corrected"),
            count("/counts/already_known"),
            count("/counts/quarantined"),
        ),
        "assessment" => match text("/close/step") {
            "" => format!("of {}", text("/basis/period")),
            step => format!("of {}, step `{step}` of its month-end", text("/basis/period")),
        },
        "access" => format!("account `{}` {}", text("/account"), text("/event")),
        "init" => "workspace made".to_owned(),
        _ => text("/reason").to_owned(),
    }
}
