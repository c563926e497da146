//! `backstay log`: the entries of the ledger, a line each.

use std::path::Path;

use backstay_desk::ledger::summary;
use backstay_report::ledger::{LogLine, log_text};
use backstay_store::EntrySummary;
use serde_json::json;

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
