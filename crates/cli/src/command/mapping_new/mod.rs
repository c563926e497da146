//! `backstay mapping new`: a mapping proposed from a file, asked through step by step or answered by
//! options, tried on the file, saved in the workspace. Never saves what is still open in itself, and
//! never over a file that it was not told to replace.

mod ask;
mod show;

use std::{
    fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use backstay_desk::mapping::{self, SaveError};
use backstay_evidence::mapping::propose::{Answers, Proposal, Sample};
use backstay_report::import::FileImport;
use backstay_store::Workspace;
use serde_json::json;

use crate::{
    args::{Format, MappingNewArgs},
    door,
    error::CliError,
    sources::{Source, known_zone},
};

/// Version of the JSON written here.
const SCHEMA: &str = "backstay.mapping-proposal/1";

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
        let proposal = mapping::proposed(&sampled, &workspace, &answers)?;
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
        mapping::check_name(name)?;
    }
    Ok(answers)
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
    mapping::look(path, &file_name.unwrap_or_default(), args.encoding)
        .map_err(|error| CliError::from(error).about(&place))
}

/// The file read as proposed, with nothing written.
fn tried(
    workspace: &Workspace,
    args: &MappingNewArgs,
    proposal: &Proposal,
) -> Result<FileImport, CliError> {
    let source = Source {
        path: args.file.clone(),
        name: args.file.display().to_string(),
        file: None,
        options: mapping::look_options(proposal, args.encoding)?,
        allow_duplicate_log: false,
    };
    super::import::dry_run(workspace, &source).map_err(|error| error.about(&source.name))
}

/// Writes the mapping into the workspace, whole or not at all.
fn save(workspace: &Workspace, proposal: &Proposal, replace: bool) -> Result<PathBuf, CliError> {
    match mapping::save(workspace.dir(), &proposal.name, &proposal.text, replace) {
        Ok(path) => Ok(path),
        Err(SaveError::Taken(_)) => Err(CliError::failed_with(
            format!("the workspace has a mapping `{}` already", proposal.name),
            "give another name with `--as`, or replace it with `--replace`; imports made with the \
             old one keep its text",
        )),
        Err(SaveError::Desk(error)) => Err(error.into()),
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
