//! Which files an import means, and how each is to be read: options from the command line, or from
//! the `imports.toml` of a folder. Reads mapping files; never the evidence itself.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
};

use backstay_desk::import::{Reading, options as read_options};
pub use backstay_desk::import::{Source, find_mapping, known_zone, listed, one_line};
use backstay_evidence::{
    ImportOptions,
    options::{Fold, TextEncoding},
};
use serde::Deserialize;

use crate::{args::ReadingArgs, door, error::CliError};

/// Name of the file that says in which order and how a folder is imported.
pub const ORDER_FILE: &str = "imports.toml";

/// How the files are read whose names fit a pattern.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Path below the folder, in which `*` stands for any text and `?` for any one character.
    pub pattern: String,
    /// How they are read.
    pub options: ImportOptions,
    /// Whether a log that repeats another with a different clock is kept.
    pub allow_duplicate_log: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    import: Vec<Ordered>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordered {
    file: PathBuf,
    #[serde(rename = "as")]
    as_table: Option<String>,
    mapping: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, String>,
    zone: Option<String>,
    fold: Option<Fold>,
    encoding: Option<TextEncoding>,
    party: Option<String>,
    #[serde(default)]
    allow_duplicate_log: bool,
}

/// Options of one import as the command line states them.
///
/// # Errors
/// A `--set` that is no `column=value`, an unknown zone, a mapping that is not there or wrong.
pub fn options(reading: &ReadingArgs, workspace: Option<&Path>) -> Result<ImportOptions, CliError> {
    let reading = Reading {
        mapping: reading.mapping.clone(),
        as_table: reading.as_table.clone(),
        set: reading.set.clone(),
        zone: reading.zone.clone(),
        fold: reading.fold,
        encoding: reading.encoding,
        party: reading.party.clone(),
    };
    Ok(read_options(&reading, workspace)?)
}

/// The files that `paths` mean, in order. A folder is read by its `imports.toml`; then options of
/// the command line are refused, since they would speak of files that they do not know.
///
/// # Errors
/// A path that is not there, a folder without `imports.toml`, options beside a folder.
pub fn plan(
    paths: &[PathBuf],
    reading: &ReadingArgs,
    allow_duplicate_log: bool,
    workspace: Option<&Path>,
) -> Result<Vec<Source>, CliError> {
    let mut sources = Vec::new();
    let mut common = None;
    for path in paths {
        let kind = fs::metadata(path).map_err(|error| {
            let message = format!("`{}` cannot be read: {}", path.display(), door::because(&error));
            CliError::failed(message)
        })?;
        if kind.is_dir() {
            let said = reading.mapping.is_some()
                || reading.as_table.is_some()
                || reading.zone.is_some()
                || reading.party.is_some()
                || reading.fold.is_some()
                || reading.encoding.is_some()
                || !reading.set.is_empty();
            if said {
                return Err(CliError::usage(
                    format!(
                        "`{}` is a folder, and a folder says itself how it is read",
                        path.display()
                    ),
                    format!(
                        "leave the options on how to read out, and write them into its \
                             {ORDER_FILE}"
                    ),
                ));
            }
            sources.extend(plan_folder(path, allow_duplicate_log, workspace)?);
            continue;
        }
        if !kind.is_file() {
            return Err(CliError::failed_with(
                format!("`{}` is not an ordinary file", path.display()),
                "save what it gives into a file and import that",
            ));
        }
        if common.is_none() {
            common = Some(options(reading, workspace)?);
        }
        sources.push(Source {
            path: path.clone(),
            name: path.display().to_string(),
            file: None,
            options: common.clone().unwrap_or_default(),
            allow_duplicate_log,
        });
    }
    Ok(sources)
}

/// The rules of a file like a folder's `imports.toml`, in order.
///
/// # Errors
/// When it cannot be understood, leaves its folder, or names a mapping that is not there.
pub fn rules(file: &Path, workspace: Option<&Path>) -> Result<Vec<Rule>, CliError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let bases = bases(folder, workspace);
    read_order(file)?
        .import
        .into_iter()
        .map(|import| {
            let pattern = import.file.display().to_string();
            let allow_duplicate_log = import.allow_duplicate_log;
            let options = ordered_options(folder, import, &bases)?;
            Ok(Rule { pattern, options, allow_duplicate_log })
        })
        .collect()
}

/// Where the mappings that a folder names are looked for.
fn bases(folder: &Path, workspace: Option<&Path>) -> Vec<PathBuf> {
    let mut bases = vec![folder.to_owned(), folder.join("mappings")];
    bases.extend(workspace.map(|dir| dir.join("mappings")));
    bases
}

fn read_order(order_path: &Path) -> Result<Order, CliError> {
    let text = door::read_text(order_path)?;
    toml::from_str(&text).map_err(|error| {
        CliError::failed_with(
            format!(
                "`{}` cannot be understood: {}",
                order_path.display(),
                one_line(&error.to_string())
            ),
            "each [[import]] has `file` and, as needed, `as` or `mapping`, `set`, `zone`, `fold`, \
             `encoding`, `party`, `allow_duplicate_log`",
        )
    })
}

fn plan_folder(
    folder: &Path,
    allow_duplicate_log: bool,
    workspace: Option<&Path>,
) -> Result<Vec<Source>, CliError> {
    let order_path = folder.join(ORDER_FILE);
    if !order_path.is_file() {
        return Err(CliError::failed_with(
            format!("the folder `{}` has no {ORDER_FILE}", folder.display()),
            "write one that names its files in order: [[import]] file = \"site.csv\" as = \
                 \"site\" for a file in the vocabulary, or file = \"log.csv\" mapping = \
                 \"servicenow-incident\" zone = \"Europe/Lisbon\" set = { arrangement_id = \
                 \"desk\" }, each key on its own line; or import the files one by one",
        ));
    }
    let bases = bases(folder, workspace);
    read_order(&order_path)?
        .import
        .into_iter()
        .map(|import| ordered(folder, import, allow_duplicate_log, &bases))
        .collect()
}

fn ordered(
    folder: &Path,
    import: Ordered,
    allow_duplicate_log: bool,
    bases: &[PathBuf],
) -> Result<Source, CliError> {
    let (path, name) = (folder.join(&import.file), import.file.display().to_string());
    let allow_duplicate_log = allow_duplicate_log || import.allow_duplicate_log;
    let there = path.is_file();
    let options = ordered_options(folder, import, bases)?;
    if !there {
        return Err(CliError::failed_with(
            format!("`{name}` of {} is not there", folder.join(ORDER_FILE).display()),
            "correct its name, or take it out of the list",
        ));
    }
    Ok(Source { path, name, file: None, options, allow_duplicate_log })
}

fn ordered_options(
    folder: &Path,
    import: Ordered,
    bases: &[PathBuf],
) -> Result<ImportOptions, CliError> {
    for named in [Some(import.file.as_path()), import.mapping.as_deref().map(Path::new)] {
        // A folder may come from the other party: it speaks of its own files only.
        if let Some(named) = named.filter(|path| leaves(path)) {
            return Err(CliError::failed_with(
                format!(
                    "`{}` of {} leaves the folder",
                    named.display(),
                    folder.join(ORDER_FILE).display()
                ),
                "name files within the folder, without `..` and without a leading `/`",
            ));
        }
    }
    let place = format!("`{}` of {}", import.file.display(), folder.join(ORDER_FILE).display());
    if import.mapping.is_some() && import.as_table.is_some() {
        return Err(CliError::failed_with(
            format!("{place} has both `as` and `mapping`"),
            "`as` is for a file whose columns are those of the vocabulary; keep one of the two",
        ));
    }
    let mapping = import.mapping.as_deref().map(|name| find_mapping(name, bases)).transpose()?;
    Ok(ImportOptions {
        mapping,
        as_table: import.as_table,
        set: import.set,
        zone: import.zone.as_deref().map(known_zone).transpose()?,
        fold: import.fold,
        encoding: import.encoding,
        party: import.party,
        ..ImportOptions::default()
    })
}

/// Whether a path may point out of the folder it is meant for.
fn leaves(path: &Path) -> bool {
    path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
}
