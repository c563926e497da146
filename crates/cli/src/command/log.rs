//! `backstay log`: the entries of the ledger, a line each.

use std::path::Path;

use backstay_report::{
    figure::{count, counted},
    ledger::{LogLine, log_text},
};
use backstay_store::EntrySummary;
use serde_json::{Value, json};

use crate::{
    args::{Format, LogArgs},
    door,
    error::CliError,
};

/// Entries read at once.
const CHUNK: usize = 1_000;

pub fn run(args: &LogArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let mut lines = Vec::new();
    let mut from = 1;
    loop {
        let chunk = workspace.entries(from, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        from = last.entry + 1;
        lines.extend(chunk.iter().map(line));
    }
    match args.format {
        Format::Json => door::print_json(&json!({ "schema": "backstay.log/1", "entries": lines }))?,
        Format::Text => door::print(&log_text(&lines, door::look()))?,
    }
    Ok(0)
}

fn line(entry: &EntrySummary) -> LogLine {
    LogLine {
        entry: entry.entry,
        recorded_at_us: entry.recorded_at_us,
        actor: entry.actor.clone(),
        kind: entry.kind.clone(),
        arrangements: entry.arrangements.clone(),
        summary: entry
            .payload
            .as_ref()
            .map_or_else(|| "erased".to_owned(), |p| summary(&entry.kind, p)),
    }
}

/// What an entry did, from its payload; nothing for a kind that says nothing in short.
fn summary(kind: &str, payload: &Value) -> String {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let number =
        |pointer: &str| payload.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
    match kind {
        "import" | "reread" => {
            let mut parts = Vec::new();
            for (pointer, word) in [
                ("/counts/accepted", "accepted"),
                ("/counts/corrected", "corrected"),
                ("/counts/already_known", "known"),
                ("/counts/quarantined", "quarantined"),
            ] {
                if number(pointer) > 0 {
                    parts.push(format!("{} {word}", count(number(pointer))));
                }
            }
            let counts = if parts.is_empty() { "nothing new".to_owned() } else { parts.join(", ") };
            format!("{}: {counts}", text("/file"))
        }
        "retract" => {
            let taken = payload.pointer("/takes").and_then(Value::as_array).map_or(0, Vec::len);
            let taken = counted(i64::try_from(taken).unwrap_or(i64::MAX), "target");
            format!("{taken}: {}", text("/reason"))
        }
        "edit" => {
            let rows = payload.pointer("/rows").and_then(Value::as_array);
            let mut tables: Vec<&str> = rows
                .into_iter()
                .flatten()
                .filter_map(|row| row.pointer("/table").and_then(Value::as_str))
                .collect();
            let entered = counted(i64::try_from(tables.len()).unwrap_or(i64::MAX), "row");
            tables.dedup();
            let what = format!("{entered} of {}", tables.join(", "));
            match text("/reason") {
                "" => what,
                reason => format!("{what}: {reason}"),
            }
        }
        "erase" | "disclosure" => text("/reason").to_owned(),
        "assessment" => match text("/close/step") {
            "" => format!("of {}", text("/basis/period")),
            step => format!("of {}, step `{step}` of its month-end", text("/basis/period")),
        },
        "access" => access(payload),
        "init" => "workspace made".to_owned(),
        _ => String::new(),
    }
}

/// What became of an account, by its id.
fn access(payload: &Value) -> String {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    let grants = payload.get("grants").and_then(Value::as_array);
    let grants: Vec<String> = grants
        .into_iter()
        .flatten()
        .map(|grant| {
            let part = |name: &str| grant.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("{} on {}", part("role"), part("scope"))
        })
        .collect();
    let mut what = format!("account {} {}", text("account"), text("event"));
    if !grants.is_empty() {
        what += &format!(" {}", grants.join(", "));
    }
    match text("reason") {
        "" => what,
        reason => format!("{what}: {reason}"),
    }
}
