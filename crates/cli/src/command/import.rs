//! `backstay import` and `reread`: evidence comes in, one ledger entry per file.

use std::path::Path;

use backstay_report::import::{self as view, FileImport, Imports};
use backstay_store::{ImportOutcome, ImportRequest, Phase, Workspace};
use serde_json::json;

use crate::{
    args::{Format, ImportArgs, RereadArgs},
    door,
    error::CliError,
    progress::Progress,
    sources::{self, Source},
    timing::Stopwatch,
};

/// Version of the JSON written here.
const SCHEMA: &str = "backstay.import/1";

pub fn run(args: &ImportArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let sources =
        sources::plan(&args.paths, &args.reading, args.allow_duplicate_log, Some(workspace.dir()))?;
    let one = args.paths.len() == 1 && args.paths.iter().all(|path| path.is_file());
    let mut done = Vec::new();
    for source in &sources {
        let outcome = if args.dry_run {
            super::dry_run::run(&workspace, source)
        } else {
            timed(&workspace, source, args)
        };
        match outcome {
            Ok(file) => done.push(file),
            Err(error) => {
                // What went in before stays in; it is said before the error.
                if !done.is_empty() {
                    print(done, args.format, one)?;
                }
                return Err(error.about(&source.name));
            }
        }
    }
    print(done, args.format, one)?;
    Ok(0)
}

pub fn reread(args: &RereadArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let options = sources::options(&args.reading, Some(workspace.dir()))?;
    let bar = Progress::start(&format!("entry {}", args.entry));
    let request = ImportRequest { options, allow_duplicate_log: false };
    let outcome = door::with_context(|ctx| {
        workspace.reread(args.entry, &request, ctx, &mut |at| {
            show(&bar, at.bytes_read, at.bytes_total, at.records);
        })
    })?;
    drop(bar);
    print(vec![shown(outcome, None)], args.format, true)?;
    Ok(0)
}

/// Imports one file, and says how long its phases took when that was asked.
fn timed(
    workspace: &Workspace,
    source: &Source,
    args: &ImportArgs,
) -> Result<FileImport, CliError> {
    let mut watch = Stopwatch::start();
    let file = watched(workspace, source, &mut |phase| watch.at(phase))?;
    if args.timings {
        door::remark(&watch.line(&source.name, args.format));
    }
    Ok(file)
}

/// Imports one file.
///
/// # Errors
/// Those of the store.
pub fn import(workspace: &Workspace, source: &Source) -> Result<FileImport, CliError> {
    watched(workspace, source, &mut |_| {})
}

fn watched(
    workspace: &Workspace,
    source: &Source,
    phase: &mut dyn FnMut(Phase),
) -> Result<FileImport, CliError> {
    let bar = Progress::start(&source.name);
    let request = ImportRequest {
        options: source.options.clone(),
        allow_duplicate_log: source.allow_duplicate_log,
    };
    let outcome = door::with_context(|ctx| {
        workspace.import(&source.path, &request, ctx, &mut |at| {
            phase(at.phase);
            show(&bar, at.bytes_read, at.bytes_total, at.records);
        })
    });
    drop(bar);
    Ok(shown(outcome?, Some(&source.name)))
}

fn show(bar: &Progress, bytes: u64, total: u64, records: u64) {
    bar.reading(bytes, Some(total), records);
    if bytes >= total {
        bar.saying("comparing with what is known, and writing");
    }
}

/// The outcome as a report shows it, under the name that the user gave the file.
pub fn shown(outcome: ImportOutcome, name: Option<&str>) -> FileImport {
    let mut tables: Vec<view::TableRows> = Vec::new();
    for table in &outcome.tables {
        let counts = &table.counts;
        let rows = counts.new + counts.corrected + counts.already_known;
        match tables.iter_mut().find(|known| known.table == table.table) {
            Some(known) => known.rows += rows,
            None => {
                tables.push(view::TableRows { table: table.table.clone(), rows, first: Vec::new() })
            }
        }
    }
    let rejections = outcome.rejections.into_iter().map(|kind| {
        let reason = kind.examples.first().map_or_else(String::new, |first| first.reason.clone());
        view::RejectionKind {
            code: kind.code,
            table: kind.table,
            column: kind.column,
            reason,
            count: kind.count,
            records: kind.examples.iter().map(|example| example.record).collect(),
        }
    });
    FileImport {
        file: name.map_or(outcome.file, str::to_owned),
        read: outcome.read,
        accepted: outcome.accepted,
        quarantined: outcome.quarantined,
        already_known: outcome.already_known,
        corrected: outcome.corrected,
        entry: outcome.entry.or(outcome.already_imported),
        repeated: outcome.already_imported.is_some(),
        dry_run: false,
        tables,
        rejections: rejections.collect(),
        cells: Vec::new(),
        hints: outcome.hints,
        disagreeing_clock_with: outcome.disagreeing_clock_with,
    }
}

fn print(files: Vec<FileImport>, format: Format, one: bool) -> Result<(), CliError> {
    let imports = Imports::of(files);
    if format == Format::Text {
        return door::print(&view::text(&imports, door::look()));
    }
    let alone = imports.files.first().filter(|_| one && imports.files.len() == 1);
    let mut value = match alone {
        Some(file) => json!(file),
        None => json!(imports),
    };
    if let Some(object) = value.as_object_mut() {
        object.shift_insert(0, "schema".to_owned(), SCHEMA.into());
    }
    door::print_json(&value)
}
