//! One entry of the ledger: what it did as far as the asker may see it, and the proof that it is sealed.

use backstay_access::Action;
use backstay_desk::register;
use backstay_report::html::piece::{self, Set};
use backstay_store::EntrySummary;
use maud::{Markup, html};
use serde_json::Value;

use super::{arrangements, what};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    page::{
        frame,
        register::{row_name, row_path, sight},
    },
    problem::ProblemError,
};

/// Rows of an edit that are shown.
const ROWS: usize = 100;

fn nothing() -> ProblemError {
    ProblemError::nothing("ledger entry")
}

/// The entry that the path names, when the asker may read it.
fn found(asked: &Asked<'_>) -> Result<EntrySummary, ProblemError> {
    let number: u64 = asked.part("entry").parse().map_err(|_| nothing())?;
    let found = match number {
        0 => Vec::new(),
        number => asked.server.workspace.entries(number, 1)?,
    };
    let reads = |entry: &EntrySummary| {
        entry.entry == number && asked.may_entry(Action::LedgerRead, &entry.arrangements)
    };
    found.into_iter().find(reads).ok_or_else(nothing)
}

/// The entry.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let entry = found(asked)?;
    let proof = asked.server.workspace.inclusion(entry.entry)?;
    let neighbour = |number: u64| {
        let found = asked.server.workspace.entries(number, 1).ok()?.into_iter().next()?;
        let reads =
            found.entry == number && asked.may_entry(Action::LedgerRead, &found.arrangements);
        reads.then_some(number)
    };
    let body = html! {
        (frame::crumbs(&[("/ledger".to_owned(), html! { "Ledger" })]))
        p.lead { (piece::sentence(&what(&entry))) }
        dl.facts {
            div { dt { "Kind" } dd { (piece::name(&entry.kind)) } }
            div { dt { "Recorded" } dd { (piece::instant(entry.recorded_at_us)) } }
            div { dt { "By" } dd { (piece::name(&entry.actor)) } }
            div { dt { "Arrangements" } dd { @if entry.arrangements.is_empty() { span.quiet { "none: it is about the workspace" } } @else { (arrangements(&entry.arrangements)) } } }
        }
        @match &entry.payload {
            Some(payload) => (details(asked, &entry, payload)?),
            None => p.note { "What it said was erased. That it was there, when and by whom, stays and is still proved below." },
        }
        h2 #proof { "Its place in the ledger" }
        p { "This entry is number " (entry.entry) " of " (proof.tree_size) " under the newest signed checkpoint; " (proof.hashes.len()) " hashes lead from it to the root, and were checked for this page." }
        dl.facts {
            div { dt { "Hash of the entry" } dd { code.digest { (proof.leaf_hash) } } }
            div { dt { "Root of the tree" } dd { code.digest { (proof.root) } } }
            div { dt { "To take away" } dd { a href={ "/ledger/" (entry.entry) "/proof" } { "Proof as JSON" } ", " a href={ "/ledger/checkpoints/" (proof.tree_size) } { "checkpoint" } } }
        }
        details { summary { "The entry as it is hashed" } pre { code { (proof.entry_text) } } }
        p { "How to check it elsewhere is said with the " a href="/ledger/checkpoints" { "checkpoints" } "." }
        nav.pager aria-label="Entries" {
            @if let Some(number) = entry.entry.checked_sub(1).filter(|n| *n > 0).and_then(neighbour) { a href={ "/ledger/" (number) } { "Entry " (number) } }
            @if let Some(number) = neighbour(entry.entry.saturating_add(1)) { a href={ "/ledger/" (number) } { "Entry " (number) } }
        }
    };
    Ok(Answer::page(format!("Ledger entry {}", entry.entry), body))
}

/// The proof as a file.
pub fn proof(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let entry = found(asked)?.entry;
    let proof = asked.server.workspace.inclusion(entry)?;
    let text = serde_json::to_string_pretty(&proof);
    let text = text.map_err(|error| ProblemError::broken(error.to_string()))?;
    let name = format!("backstay-entry-{entry}-proof.json");
    Ok(Answer::File { kind: "application/json", name, body: format!("{text}\n").into() })
}

/// What an entry did, piece by piece, for those who may read rows of what it is about.
fn details(
    asked: &Asked<'_>,
    entry: &EntrySummary,
    payload: &Value,
) -> Result<Markup, ProblemError> {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    Ok(match entry.kind.as_str() {
        "import" | "reread" => imported(asked, entry, payload),
        "edit" => edited(asked, payload)?,
        "retract" => html! {
            @let taken = payload.get("takes").and_then(Value::as_array);
            ul { @for one in taken.into_iter().flatten() { li { (target(one)) } } }
        },
        "erase" => html! {
            p { "Sources whose key was destroyed: " (numbers(payload.get("sources"))) }
        },
        "assessment" => html! {
            dl.facts {
                div { dt { "Period" } dd { (piece::name(text("/basis/period"))) } }
                div { dt { "Evidence as of" } dd { (piece::name(text("/basis/as_of"))) } }
                div { dt { "Engine" } dd { (piece::name(text("/basis/engine"))) } }
                div { dt { "Digest of its basis" } dd { code.digest { (text("/basis_digest")) } } }
                div { dt { "Digest of the result" } dd { code.digest { (text("/result")) } } }
            }
            p { code { "backstay replay " (entry.entry) } " works it out again and compares it byte for byte." }
        },
        "access" => {
            let account = text("/account");
            let opens = asked.may(Action::AccountRead, &backstay_access::Resource::Workspace);
            let known = asked.server.workspace.accounts().find(account).is_ok();
            html! { p { "Account: " @if opens && known { a href={ "/people/" (segment(account)) } { (piece::name(account)) } } @else { (piece::name(account)) } } }
        }
        _ => html! {},
    })
}

fn numbers(value: Option<&Value>) -> Markup {
    let all = value.and_then(Value::as_array);
    let all: Vec<u64> = all.into_iter().flatten().filter_map(Value::as_u64).collect();
    html! {
        @if all.is_empty() { "none" }
        @for (n, entry) in all.iter().enumerate() { @if n > 0 { ", " } a href={ "/ledger/" (entry) } { (entry) } }
    }
}

/// What a retraction takes away.
fn target(value: &Value) -> Markup {
    if let Some(entry) = value.get("entry").and_then(Value::as_u64) {
        return html! { "all that entry " a href={ "/ledger/" (entry) } { (entry) } " brought" };
    }
    let record = value.get("record").and_then(Value::as_array);
    let parts: Vec<u64> = record.into_iter().flatten().filter_map(Value::as_u64).collect();
    match parts.as_slice() {
        [entry, record] => {
            html! { "record " a.ref href={ "/rows/" (entry) "%3A" (record) } { (entry) ":" (record) } }
        }
        _ => html! { "a part of it" },
    }
}

fn imported(asked: &Asked<'_>, entry: &EntrySummary, payload: &Value) -> Markup {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str);
    let count = |of: &Value, name: &str| of.get(name).and_then(Value::as_u64).unwrap_or_default();
    let heads = [
        ("Table", Set::Text),
        ("New rows", Set::Figure),
        ("Corrected", Set::Figure),
        ("Known already", Set::Figure),
        ("Withdrawn", Set::Figure),
    ];
    let tables = payload.get("tables").and_then(Value::as_object);
    let rows = tables.into_iter().flatten().map(|(table, counts)| {
        let is_register = register::table(&asked.server.workspace, table).is_some();
        vec![
            html! { @if is_register { a href={ "/registers/" (segment(table)) } { (piece::name(table)) } } @else { (piece::name(table)) } },
            html! { (count(counts, "new")) },
            html! { (count(counts, "corrected")) },
            html! { (count(counts, "already_known")) },
            html! { (count(counts, "withdrawn")) },
        ]
    });
    let rows: Vec<_> = rows.collect();
    let counts = payload.get("counts").cloned().unwrap_or_default();
    html! {
        dl.facts {
            div { dt { "File" } dd { (piece::name(text("/file").unwrap_or_default())) } }
            div { dt { "Bytes" } dd { (count(payload, "plain_bytes")) } }
            div { dt { "SHA-256 of what was handed in" } dd { code.digest { (text("/plain_digest").unwrap_or_default()) } } }
            div { dt { "Records read" } dd { (count(&counts, "read")) } }
            div { dt { "In quarantine" } dd { (count(&counts, "quarantined")) } }
            @if let Some(zone) = text("/options/zone") { div { dt { "Zone of times without offset" } dd { (piece::name(zone)) } } }
            @if let Some(origin) = payload.get("rereads").and_then(Value::as_u64) { div { dt { "Reads again" } dd { a href={ "/ledger/" (origin) } { "entry " (origin) } } } }
        }
        @if !rows.is_empty() { (piece::table(html! { "Rows by table" }, &heads, rows)) }
        @if count(&counts, "read") > 0 && asked.may_open(&entry.arrangements) { p { a.ref href={ "/rows/" (entry.entry) "%3A1" } { "Its first record" } ", down to the line of the file" } }
    }
}

/// The rows of an edit, each cut to what is seen of it.
fn edited(asked: &Asked<'_>, payload: &Value) -> Result<Markup, ProblemError> {
    let seen = sight(asked, Action::EvidenceRead)?;
    let workspace = &asked.server.workspace;
    let all = payload.get("rows").and_then(Value::as_array);
    let all: Vec<&Value> = all.into_iter().flatten().collect();
    let heads = [("Register", Set::Text), ("Row", Set::Text), ("What was entered", Set::Wide)];
    let mut lines = Vec::new();
    for row in all.iter().take(ROWS) {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(table) = register::table(workspace, text("table")) else { continue };
        let Some(most) = seen.of(text("arrangement_id")) else { continue };
        let values = row.get("values").cloned().unwrap_or_default();
        let mut values: register::Values = serde_json::from_value(values).unwrap_or_default();
        let key_columns = register::key_columns(table);
        let key: Vec<Option<String>> =
            key_columns.iter().map(|column| values.get(&column.name).cloned()).collect();
        let key = serde_json::json!(key).to_string();
        let named = key_columns.iter().all(|column| column.privacy <= most);
        register::cut(table, &mut values, most);
        let deleted = row.get("deleted").and_then(Value::as_bool).unwrap_or_default();
        let shown = register::columns(table)
            .filter(|column| !key_columns.iter().any(|key| key.name == column.name))
            .filter_map(|column| Some((column, register::text::shown(column, &values)?)));
        let shown: Vec<_> = shown.collect();
        lines.push(vec![
            piece::title(&table.title),
            html! { @if named { a href=(row_path(&table.name, &key)) { (piece::name(&row_name(table, &key))) } } },
            html! {
                @if deleted { "It no longer stands." }
                @else { @for (n, (column, text)) in shown.iter().enumerate() { @if n > 0 { "; " } span.quiet { (column.name) ": " } (piece::title(text)) } }
            },
        ]);
    }
    Ok(html! {
        @if lines.is_empty() { p.quiet { "Your rights do not include the rows that were entered." } }
        @else { (piece::table(html! { "Rows as they stood after it" }, &heads, lines)) }
        @if all.len() > ROWS { p.quiet { "And " (all.len() - ROWS) " more." } }
    })
}
