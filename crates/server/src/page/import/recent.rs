//! Imports of late, from the ledger, with what they left in quarantine.

use std::collections::BTreeMap;

use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use super::{right, trial::number};
use crate::{asked::Asked, problem::ProblemError};

/// Imports shown.
const SHOWN: usize = 25;
/// Imports looked at to find those that the asker may know of.
const LOOKED_AT: usize = 1_000;

/// The newest imports that the asker may know of.
pub fn show(asked: &Asked<'_>) -> Result<Markup, ProblemError> {
    let workspace = &asked.server.workspace;
    let size = workspace.backend().head()?.size;
    let notes = workspace.backend().imports(size)?;
    let mut rows = Vec::new();
    let mut readable: BTreeMap<&str, bool> = BTreeMap::new();
    for note in notes.iter().rev().take(LOOKED_AT) {
        if rows.len() == SHOWN {
            break;
        }
        // Asked once of each arrangement, and before anything is read of the entry.
        let mut open = true;
        for id in &note.arrangements {
            let reads = || right::may_see_rejected(asked, id, "");
            open &= *readable.entry(id).or_insert_with(reads);
        }
        if !open {
            continue;
        }
        let Some(entry) = workspace.entries(note.seq, 1)?.pop() else { continue };
        if !right::may_know(asked, &entry.arrangements, &entry.actor) {
            continue;
        }
        let Some(payload) = &entry.payload else { continue };
        let count = |name: &str| {
            payload.pointer(&format!("/counts/{name}")).and_then(|v| v.as_u64()).unwrap_or_default()
        };
        let quarantined = count("quarantined");
        rows.push(vec![
            html! { (entry.entry) },
            html! { span.nowrap { (piece::instant(entry.recorded_at_us)) } },
            piece::name(&note.file),
            html! { @for (n, id) in entry.arrangements.iter().enumerate() { @if n > 0 { ", " } (piece::name(id)) } },
            html! { (number(count("read"))) },
            html! { (number(count("accepted"))) },
            html! { (number(count("corrected"))) },
            html! { (number(count("already_known"))) },
            html! { @if quarantined > 0 { a href={ "/quarantine/" (entry.entry) } { (number(quarantined)) } } @else { "0" } },
        ]);
    }
    let heads = [
        ("Entry", Set::Figure),
        ("Recorded", Set::Text),
        ("File", Set::Wide),
        ("Arrangements", Set::Text),
        ("Read", Set::Figure),
        ("Accepted", Set::Figure),
        ("Corrected", Set::Figure),
        ("Known", Set::Figure),
        ("Quarantined", Set::Figure),
    ];
    Ok(html! {
        section {
            h2 { "Brought in lately" }
            @if rows.is_empty() {
                p { "Nothing yet that is open to you. Begin with the registers " code { "provider" } ", " code { "site" } " and "
                    code { "arrangement" } ", then service levels, then the work events of one month." }
            } @else {
                (piece::table(html! { "Files in the ledger, in records; the newest first" }, &heads, rows))
            }
        }
    })
}
