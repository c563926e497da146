//! `backstay mapping new`: a mapping proposed from a file, asked through step by step or answered by
//! options, tried on the file, saved in the workspace. Never saves what is still open in itself, and
//! never over a file that it was not told to replace.

mod ask;
mod show;

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _, Read, Write as _},
    path::{Path, PathBuf},
};

use backstay_evidence::{
    ImportOptions, Mapping,
    mapping::propose::{Answers, Proposal, Sample, propose, sample},
};
use backstay_report::import::FileImport;
use backstay_store::Workspace;
use serde_json::json;

use crate::{
    args::{Format, MappingNewArgs},
    door,
    error::CliError,
    sources::{Source, known_zone, one_line},
};

/// Version of the JSON written here.
const SCHEMA: &str = "backstay.mapping-proposal/1";
/// Zone in which times are read to look at them while theirs is not known.
const LOOK_ZONE: &str = "Etc/UTC";
/// Arrangement of the rows that are only looked at.
const LOOK_ARRANGEMENT: &str = "undecided";

pub fn run(args: &MappingNewArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let answers = answers(args)?;
    let sampled = look(args)?;
    let asks = args.ask
        || (!args.no_ask
            && args.format == Format::Text
            && io::stdin().is_terminal()
            && io::stderr().is_terminal());
    let (answers, proposal, wanted) = if asks {
        let mut input = io::stdin().lock();
        ask::through(&sampled, workspace.vocabulary(), answers, &mut input)?
    } else {
        let proposal = proposed(&sampled, &workspace, &answers)?;
        (answers, proposal, args.save)
    };
    let blocked = proposal.questions.iter().any(|question| question.blocks);
    let tried = if blocked { None } else { Some(tried(&workspace, args, &proposal)?) };
    let saved = match wanted && !blocked {
        true => Some(save(&workspace, &proposal, args.replace)?),
        false => None,
    };
    let command = import_command(args, named, &answers, &proposal);
    match args.format {
        Format::Json => door::print_json(&json!({
            "schema": SCHEMA,
            "proposal": proposal,
            "dry_run": tried,
            "saved": saved,
            "import_command": command,
        }))?,
        Format::Text => {
            let outcome = show::Outcome { tried: tried.as_ref(), saved: saved.as_deref(), command };
            door::print(&show::text(&sampled, &proposal, &outcome, door::look()))?;
        }
    }
    if wanted && blocked {
        return Err(CliError::failed_with(
            "it is not saved: what is open must be said first",
            "see `open` above: each line ends in the option that settles it",
        ));
    }
    Ok(0)
}

fn proposed(
    sampled: &Sample,
    workspace: &Workspace,
    answers: &Answers,
) -> Result<Proposal, CliError> {
    propose(sampled, workspace.vocabulary(), answers)
        .map_err(|error| backstay_desk::error::explained(&error.to_string()).into())
}

/// What the options say.
fn answers(args: &MappingNewArgs) -> Result<Answers, CliError> {
    let pair = |text: &str, option: &str| -> Result<(String, String), CliError> {
        text.split_once('=')
            .map(|(left, right)| (left.trim().to_owned(), right.trim().to_owned()))
            .filter(|(left, _)| !left.is_empty())
            .ok_or_else(|| {
                CliError::usage(
                    format!("`{option} {text}` has no `=`"),
                    format!("`backstay mapping new --help` says how `{option}` is written"),
                )
            })
    };
    let mut answers = Answers {
        name: args.name.clone(),
        table: args.table.clone(),
        zone: args.zone.as_deref().map(known_zone).transpose()?,
        date_order: args.date_order,
        decimal_mark: args.decimal_mark.as_ref().and_then(|mark| mark.chars().next()),
        drop: args.drop.iter().cloned().collect(),
        ..Answers::default()
    };
    for text in &args.map {
        let (column, source) = pair(text, "--map")?;
        answers.columns.insert(column, Some(source).filter(|source| !source.is_empty()));
    }
    for text in &args.set {
        let (column, value) = pair(text, "--set")?;
        answers.set.insert(column, value);
    }
    for text in &args.people {
        let (source, kind) = pair(text, "--person")?;
        answers.people.insert(source, Some(kind).filter(|kind| !kind.is_empty()));
    }
    for text in &args.values {
        let (left, meaning) = pair(text, "--value")?;
        let (column, value) = left.split_once(':').ok_or_else(|| {
            CliError::usage(
                format!("`--value {text}` names no column"),
                "write `--value column:VALUE=MEANING`, as in `--value outcome:late=missed`",
            )
        })?;
        let of_column = answers.values.entry(column.to_owned()).or_default();
        of_column.insert(value.to_owned(), meaning);
    }
    if let Some(name) = &answers.name {
        check_name(name)?;
    }
    Ok(answers)
}

/// Names of mappings are file names, and never those of this release.
fn check_name(name: &str) -> Result<(), CliError> {
    let plain = |symbol: char| {
        symbol.is_ascii_lowercase() || symbol.is_ascii_digit() || matches!(symbol, '-' | '_')
    };
    if name.is_empty() || !name.chars().all(plain) {
        return Err(CliError::usage(
            format!("`{name}` cannot be a mapping's name"),
            "use small letters, digits and hyphens, as in `desk-incidents`",
        ));
    }
    if Mapping::names().contains(&name) {
        return Err(CliError::usage(
            format!("`{name}` is a mapping of this release"),
            "choose another name with `--as`, so that it stays clear which one read a file",
        ));
    }
    Ok(())
}

fn look(args: &MappingNewArgs) -> Result<Sample, CliError> {
    let path = &args.file;
    let place = path.display().to_string();
    let unreadable = |error: &io::Error| {
        CliError::failed(format!("`{place}` cannot be read: {}", door::because(error)))
    };
    if !fs::metadata(path).map_err(|error| unreadable(&error))?.is_file() {
        return Err(CliError::failed_with(
            format!("`{place}` is not an ordinary file"),
            "name one file; of a folder, one that is like the others",
        ));
    }
    let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let options = ImportOptions { encoding: args.encoding, ..ImportOptions::default() };
    sample(&file_name.unwrap_or_default(), &options, &mut || {
        let file = File::open(path)?;
        Ok(Box::new(file) as Box<dyn Read>)
    })
    .map_err(|error| CliError::from(error).about(&place))
}

/// The file read as proposed, with nothing written.
fn tried(
    workspace: &Workspace,
    args: &MappingNewArgs,
    proposal: &Proposal,
) -> Result<FileImport, CliError> {
    let mapping = Mapping::from_text(&proposal.text).map_err(|error| {
        CliError::failed(format!("the proposal is no mapping: {}", one_line(&error.to_string())))
    })?;
    let open = |about: &str| proposal.questions.iter().any(|question| question.about == about);
    let mut options = ImportOptions {
        mapping: Some(mapping),
        encoding: args.encoding,
        zone: open("zone").then(|| LOOK_ZONE.to_owned()),
        ..ImportOptions::default()
    };
    if open("column:arrangement_id") {
        options.set.insert("arrangement_id".to_owned(), LOOK_ARRANGEMENT.to_owned());
    }
    let source = Source {
        path: args.file.clone(),
        name: args.file.display().to_string(),
        options,
        allow_duplicate_log: false,
    };
    super::import::dry_run(workspace, &source).map_err(|error| error.about(&source.name))
}

/// Writes the mapping into the workspace, whole or not at all.
fn save(workspace: &Workspace, proposal: &Proposal, replace: bool) -> Result<PathBuf, CliError> {
    check_name(&proposal.name)?;
    let folder = workspace.dir().join("mappings");
    let path = folder.join(format!("{}.toml", proposal.name));
    let failed = |error: &io::Error| {
        CliError::failed(format!(
            "`{}` cannot be written: {}",
            path.display(),
            door::because(error)
        ))
    };
    fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    let mut draft = tempfile::NamedTempFile::new_in(&folder).map_err(|error| failed(&error))?;
    draft
        .write_all(proposal.text.as_bytes())
        .and_then(|()| draft.as_file().sync_all())
        .map_err(|error| failed(&error))?;
    let put = if replace { draft.persist(&path) } else { draft.persist_noclobber(&path) };
    match put {
        Ok(_) => Ok(path),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(CliError::failed_with(
                format!("the workspace has a mapping `{}` already", proposal.name),
                "give another name with `--as`, or replace it with `--replace`; imports made with the \
                 old one keep its text",
            ))
        }
        Err(error) => Err(failed(&error.error)),
    }
}

/// The command that imports the file with the mapping; what stays open in capitals.
fn import_command(
    args: &MappingNewArgs,
    named: Option<&Path>,
    answers: &Answers,
    proposal: &Proposal,
) -> String {
    let mut command = format!(
        "{} import {} --mapping {}",
        door::command(named),
        door::quoted(&args.file.display().to_string()),
        proposal.name
    );
    if proposal.questions.iter().any(|question| question.about == "zone") {
        command.push_str(" --zone AREA/CITY");
    }
    let asks_arrangement =
        proposal.questions.iter().any(|question| question.about == "column:arrangement_id");
    if asks_arrangement && !answers.set.contains_key("arrangement_id") {
        command.push_str(" --set arrangement_id=ID");
    }
    command
}
