//! `backstay import` and `reread`: evidence comes in, one ledger entry per file.

use std::path::Path;

use backstay_desk::{
    import::{Source, bring, shown},
    trial::try_out,
};
use backstay_evidence::sink::Progress as Reading;
use backstay_report::import::{self as view, FileImport, Imports};
use backstay_store::{ImportRequest, Phase, Workspace};
use serde_json::json;

use crate::{
    args::{Format, ImportArgs, RereadArgs},
    door,
    error::CliError,
    progress::Progress,
    sources,
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
            dry_run(&workspace, source)
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
    door::with_context(|ctx| {
        bring(workspace, source, ctx, &mut |at| {
            phase(at.phase);
            show(&bar, at.bytes_read, at.bytes_total, at.records);
        })
    })
}

/// Reads one file as an import would; writes nothing.
///
/// # Errors
/// When the file cannot be read as a whole.
pub fn dry_run(workspace: &Workspace, source: &Source) -> Result<FileImport, CliError> {
    let bar = Progress::start(&source.name);
    let mut watch = |at: Reading| bar.reading(at.bytes_read, at.bytes_total, at.records);
    Ok(try_out(workspace, source, door::random_bytes()?, &mut watch)?)
}

fn show(bar: &Progress, bytes: u64, total: u64, records: u64) {
    bar.reading(bytes, Some(total), records);
    if bytes >= total {
        bar.saying("comparing with what is known, and writing");
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
