//! `backstay erase`: forgetting on purpose. Shows first what would be destroyed; destroys only when
//! told so, and never what it did not show.

use std::{io::Read as _, path::Path};

use backstay_report::{
    figure::{bytes, count, counted, instant},
    layout::{Cell, Grid, Page, Set, Tone},
};
use backstay_store::{Erasure, Workspace};
use serde::Serialize;
use serde_json::json;

use crate::{
    args::{EraseCommand, ErasePersonArgs, ErasureArgs, Format},
    door,
    error::CliError,
};

/// Version of the JSON written here.
const SCHEMA: &str = "backstay.erasure/1";
/// Longest id that is read from standard input, in bytes.
const ID_MAX: u64 = 1_024;

/// An import whose kept bytes go.
#[derive(Debug, Serialize)]
struct Doomed {
    entry: u64,
    file: String,
    recorded_at_us: i64,
    bytes: u64,
    records: u64,
}

pub fn run(command: &EraseCommand, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let (erasure, args, words) = match command {
        EraseCommand::Person(person) => {
            let pseudonym = pseudonym(&workspace, person)?;
            let words = format!("person {pseudonym}");
            (workspace.erasure_of_person(&pseudonym)?, &person.erasure, words)
        }
        EraseCommand::Source(source) => {
            let words = format!("source {}", source.entry);
            (workspace.erasure_of_source(source.entry)?, &source.erasure, words)
        }
    };
    let doomed = doomed(&workspace, &erasure)?;
    let entry = if args.yes { Some(erase(&workspace, &erasure, args)?) } else { None };
    let command = format!("{} erase {words} --reason '…' --yes", door::command(named));
    match args.format {
        Format::Json => door::print_json(&json!({
            "schema": SCHEMA,
            "dry_run": entry.is_none(),
            "entry": entry,
            "pseudonym": erasure.pseudonym,
            "in_vault": erasure.in_vault,
            "sources": doomed,
        }))?,
        Format::Text => door::print(&text(&erasure, &doomed, entry, &command))?,
    }
    Ok(0)
}

fn erase(workspace: &Workspace, erasure: &Erasure, args: &ErasureArgs) -> Result<u64, CliError> {
    let reason = args.reason.as_deref().unwrap_or_default();
    door::with_context(|ctx| match (&erasure.pseudonym, erasure.sources.as_slice()) {
        (None, [source]) => workspace.erase_source(*source, reason, ctx),
        (pseudonym, _) => {
            workspace.erase_person(pseudonym.as_deref().unwrap_or_default(), reason, ctx)
        }
    })
}

/// The pseudonym that is meant: as written, or made from the id.
fn pseudonym(workspace: &Workspace, args: &ErasePersonArgs) -> Result<String, CliError> {
    let (Some(id), Some(party)) = (&args.id, &args.party) else {
        let pseudonym = args.pseudonym.clone().unwrap_or_default();
        backstay_desk::name::check(&pseudonym)?;
        return Ok(pseudonym);
    };
    let id = if id == "-" { read_id()? } else { id.clone() };
    let made = workspace.pseudonym_of(party, &args.kind, &id)?;
    let pseudonym = made.ok_or_else(|| {
        CliError::usage("the id is empty", "write it as the source does, as in `--id EMP-149`")
    })?;
    match workspace.erasure_of_person(&pseudonym) {
        Err(backstay_store::StoreError::NoPerson(_)) => Err(CliError::failed_with(
            format!("nothing is held of that id of `{party}`, of kind `{}`", args.kind),
            "party and kind belong to the id: `backstay mapping show NAME` says which kind a \
             mapping gives under `[people]`; the party is the arrangement unless the mapping, \
             the file or --party named another",
        )),
        _ => Ok(pseudonym),
    }
}

fn read_id() -> Result<String, CliError> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(ID_MAX).read_to_string(&mut text);
    read.map_err(|error| {
        CliError::failed(format!("standard input cannot be read: {}", door::because(&error)))
    })?;
    Ok(text.trim().to_owned())
}

fn doomed(workspace: &Workspace, erasure: &Erasure) -> Result<Vec<Doomed>, CliError> {
    let mut all = Vec::new();
    for entry in &erasure.sources {
        let Some(summary) = workspace.entries(*entry, 1)?.into_iter().next() else { continue };
        let payload = summary.payload.unwrap_or_default();
        let number = |pointer: &str| {
            payload.pointer(pointer).and_then(serde_json::Value::as_u64).unwrap_or_default()
        };
        let file = payload.pointer("/file").and_then(serde_json::Value::as_str);
        all.push(Doomed {
            entry: *entry,
            file: file.unwrap_or_default().to_owned(),
            recorded_at_us: summary.recorded_at_us,
            bytes: number("/plain_bytes"),
            records: number("/counts/read"),
        });
    }
    Ok(all)
}

fn text(erasure: &Erasure, doomed: &[Doomed], entry: Option<u64>, command: &str) -> String {
    let mut page = Page::new(door::look());
    let done = entry.is_some();
    page.heading(&match (&erasure.pseudonym, done) {
        (Some(pseudonym), true) => format!("Forgotten: {pseudonym}"),
        (Some(pseudonym), false) => format!("To be forgotten: {pseudonym}"),
        (None, true) => "Erased source".to_owned(),
        (None, false) => "Source to be erased".to_owned(),
    });
    page.gap();
    let verb = if done { "is gone" } else { "would go" };
    if erasure.pseudonym.is_some() {
        let vault = if erasure.in_vault {
            format!("The id behind the pseudonym {verb}: nobody can reveal it any more.")
        } else {
            "The id behind the pseudonym is no longer held.".to_owned()
        };
        page.paragraph(0, &vault, Tone::Plain);
    }
    if !doomed.is_empty() {
        let files = counted(i64::try_from(doomed.len()).unwrap_or(i64::MAX), "import");
        page.paragraph(
            0,
            &format!(
                "The kept bytes of {files} {verb}, with all that they say of others too: their lines \
                 can no longer be shown, and they cannot be read again with another mapping."
            ),
            Tone::Plain,
        );
        let mut grid = Grid::new(&[
            ("entry", Set::Right),
            ("recorded", Set::Left),
            ("size", Set::Right),
            ("records", Set::Right),
            ("file", Set::Flex),
        ])
        .indented(2);
        for import in doomed {
            let minute: String = instant(import.recorded_at_us).chars().take(16).collect();
            grid.row(vec![
                import.entry.to_string().into(),
                format!("{minute}Z").into(),
                bytes(import.bytes).into(),
                count(i64::try_from(import.records).unwrap_or(i64::MAX)).into(),
                Cell::toned(&import.file, Tone::Strong),
            ]);
        }
        page.gap();
        page.grid(&grid);
    }
    page.gap();
    page.paragraph(
        0,
        "What stays: the rows, people in them as pseudonyms, every count and every stored answer. \
         Out of reach are files and backups outside this workspace.",
        Tone::Plain,
    );
    match entry {
        Some(entry) => page.paragraph(
            0,
            &format!("Who erased it, when and why is ledger entry {entry}."),
            Tone::Plain,
        ),
        None => {
            page.gap();
            page.paragraph(
                0,
                "Nothing is erased yet, and it cannot be undone. To do it:",
                Tone::Strong,
            );
            page.verbatim(2, command, Tone::Plain);
        }
    }
    page.finish()
}
