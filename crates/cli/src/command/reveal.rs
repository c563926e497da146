//! `backstay reveal`: the id behind a pseudonym. The asking is in the ledger before the answer is on
//! the screen.

use std::path::Path;

use serde_json::json;

use crate::{
    args::{Format, RevealArgs},
    door,
    error::CliError,
};

/// Version of the JSON written here.
const SCHEMA: &str = "backstay.reveal/1";

pub fn run(args: &RevealArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    backstay_desk::name::check(&args.pseudonym)?;
    let shown = door::with_context(|ctx| workspace.reveal(&args.pseudonym, &args.reason, ctx))?;
    match args.format {
        Format::Json => door::print_json(&json!({
            "schema": SCHEMA,
            "entry": shown.entry,
            "pseudonym": shown.pseudonym,
            "party": shown.party,
            "kind": shown.id_kind,
            "id": shown.id,
        }))?,
        Format::Text => door::tell(&format!(
            "Behind {} stands `{}` ({} of {}).\nThat you asked is ledger entry {}.",
            shown.pseudonym, shown.id, shown.id_kind, shown.party, shown.entry
        ))?,
    }
    Ok(0)
}
