//! `backstay retract`: a record, or all that an entry brought, out of every later answer.

use std::path::Path;

use backstay_evidence::manifest::RetractTarget;
use serde_json::json;

use crate::{
    args::{Format, RetractArgs},
    door,
    error::CliError,
};

pub fn run(args: &RetractArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let target = target(&args.target)?;
    let workspace = door::open(named)?;
    let done = door::with_context(|ctx| workspace.retract(&target, &args.reason, ctx))?;
    match args.format {
        Format::Json => {
            door::print_json(&json!({ "entry": done.entry, "takes": done.takes }))?;
        }
        Format::Text => {
            let taken: Vec<String> = done.takes.iter().map(words).collect();
            let entry = done.entry;
            door::tell(&format!(
                "Retracted {} with ledger entry {entry}. Earlier answers stay: --as-of {}.\n",
                taken.join(", "),
                entry.saturating_sub(1)
            ))?;
        }
    }
    Ok(0)
}

fn words(target: &RetractTarget) -> String {
    match target {
        RetractTarget::Entry(entry) => format!("all that entry {entry} brought"),
        RetractTarget::Record(entry, record) => format!("record {entry}:{record}"),
    }
}

fn target(text: &str) -> Result<RetractTarget, CliError> {
    if let Ok(entry) = text.parse::<u64>() {
        return Ok(RetractTarget::Entry(entry));
    }
    super::trace::parse(text)
        .map(|row| RetractTarget::Record(u64::from(row.entry), row.record))
        .map_err(|_| {
            CliError::usage(
                format!("`{text}` is neither a record nor a ledger entry"),
                "write a record as reports show it, `5:119`, or the entry of an import, `5`",
            )
        })
}
