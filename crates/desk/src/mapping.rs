//! Mappings of a workspace: which there are, one proposed from a file, one kept for everybody. A mapping
//! is never written over another of its name unless that was asked for, and never bears the name of one of
//! this release.

use std::{
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use backstay_evidence::{
    ImportOptions, Mapping,
    mapping::propose::{Answers, Proposal, Sample, propose, sample},
    options::TextEncoding,
};
use backstay_store::Workspace;

use crate::{
    error::{DeskError, because, explained},
    import::one_line,
};

/// Zone in which times are read to look at them while theirs is not known.
pub const LOOK_ZONE: &str = "Etc/UTC";
/// Arrangement of rows that are only looked at while theirs is not known.
pub const LOOK_ARRANGEMENT: &str = "undecided";
/// Bytes of a mapping's text at most.
pub const MOST_TEXT: usize = 48 * 1024;

/// The folder of a workspace's own mappings.
#[must_use]
pub fn folder(workspace: &Path) -> PathBuf {
    workspace.join("mappings")
}

/// The workspace's own mappings, in order of name; files that are none are left out.
///
/// # Errors
/// A folder that cannot be looked into.
pub fn own(workspace: &Path) -> Result<Vec<Mapping>, DeskError> {
    let folder = folder(workspace);
    let unread = |error: &io::Error| {
        DeskError::failed(format!(
            "`{}` cannot be looked into: {}",
            folder.display(),
            because(error)
        ))
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unread(&error)),
    };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let texts = paths.iter().filter_map(|path| fs::read_to_string(path).ok());
    Ok(texts.filter_map(|text| Mapping::from_text(&text).ok()).collect())
}

/// The mappings that come with this release.
#[must_use]
pub fn of_release() -> Vec<Mapping> {
    Mapping::names().into_iter().filter_map(|name| Mapping::built_in(name).ok()).collect()
}

/// Names of mappings are file names, and never those of this release.
///
/// # Errors
/// Anything else, with what to write.
pub fn check_name(name: &str) -> Result<(), DeskError> {
    let plain = |symbol: char| {
        symbol.is_ascii_lowercase() || symbol.is_ascii_digit() || matches!(symbol, '-' | '_')
    };
    if name.is_empty() || name.len() > 100 || !name.chars().all(plain) {
        return Err(DeskError::usage(
            format!("`{name}` cannot be a mapping's name"),
            "use small letters, digits and hyphens, as in `desk-incidents`",
        ));
    }
    if Mapping::names().contains(&name) {
        return Err(DeskError::usage(
            format!("`{name}` is a mapping of this release"),
            "choose another name, so that it stays clear which one read a file",
        ));
    }
    Ok(())
}

/// Looks at a file; `file` is the name it was handed in under.
///
/// # Errors
/// When it can be read in no format.
pub fn look(path: &Path, file: &str, encoding: Option<TextEncoding>) -> Result<Sample, DeskError> {
    let options = ImportOptions { encoding, ..ImportOptions::default() };
    let looked = sample(file, &options, &mut || {
        let file = File::open(path)?;
        Ok(Box::new(file) as Box<dyn Read>)
    });
    Ok(looked?)
}

/// Proposes a mapping for a file that was looked at.
///
/// # Errors
/// Answers about what there is not; a file that fits no table.
pub fn proposed(
    sample: &Sample,
    workspace: &Workspace,
    answers: &Answers,
) -> Result<Proposal, DeskError> {
    propose(sample, workspace.vocabulary(), answers).map_err(|error| explained(&error.to_string()))
}

/// How a file is read to look at what a proposal makes of it; what is open is filled in for the look.
///
/// # Errors
/// A proposal whose text is no mapping.
pub fn look_options(
    proposal: &Proposal,
    encoding: Option<TextEncoding>,
) -> Result<ImportOptions, DeskError> {
    let mapping = Mapping::from_text(&proposal.text).map_err(|error| {
        DeskError::failed(format!("the proposal is no mapping: {}", one_line(&error.to_string())))
    })?;
    let open = |about: &str| proposal.questions.iter().any(|question| question.about == about);
    let mut options = ImportOptions {
        mapping: Some(mapping),
        encoding,
        zone: open("zone").then(|| LOOK_ZONE.to_owned()),
        ..ImportOptions::default()
    };
    if open("column:arrangement_id") {
        options.set.insert("arrangement_id".to_owned(), LOOK_ARRANGEMENT.to_owned());
    }
    Ok(options)
}

/// Why a mapping was not kept.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The workspace has one of that name, and it was not to be replaced.
    #[error("the workspace has a mapping `{0}` already")]
    Taken(String),
    /// A name that is none, a text that is no mapping, or a disk that does not take it.
    #[error(transparent)]
    Desk(#[from] DeskError),
}

/// Keeps a mapping's text under a name, whole or not at all; gives where.
///
/// # Errors
/// [`SaveError`].
pub fn save(workspace: &Path, name: &str, text: &str, replace: bool) -> Result<PathBuf, SaveError> {
    check_name(name)?;
    let folder = folder(workspace);
    let path = folder.join(format!("{name}.toml"));
    let failed = |error: &io::Error| {
        DeskError::failed(format!("`{}` cannot be written: {}", path.display(), because(error)))
    };
    fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    let mut draft = tempfile::NamedTempFile::new_in(&folder).map_err(|error| failed(&error))?;
    draft
        .write_all(text.as_bytes())
        .and_then(|()| draft.as_file().sync_all())
        .map_err(|error| failed(&error))?;
    let put = if replace { draft.persist(&path) } else { draft.persist_noclobber(&path) };
    match put {
        Ok(_) => Ok(path),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(SaveError::Taken(name.to_owned()))
        }
        Err(error) => Err(failed(&error.error).into()),
    }
}

/// A mapping's text under another name: only the line that names it changes.
///
/// # Errors
/// A text that is no mapping, or does not name itself on a line of its own.
pub fn named(text: &str, name: &str) -> Result<Mapping, DeskError> {
    let wrong = |message: String| {
        DeskError::usage(
            message,
            "correct the text; docs/mappings.md says how a mapping is written",
        )
    };
    let of =
        |text: &str| Mapping::from_text(text).map_err(|error| wrong(one_line(&error.to_string())));
    let mapping = of(text)?;
    if mapping.name() == name {
        return Ok(mapping);
    }
    let mut renamed = false;
    let lines = text.lines().map(|line| {
        let names = line.split_once('=').is_some_and(|(key, _)| key.trim() == "mapping");
        if names && !renamed {
            renamed = true;
            return format!("mapping = \"{name}\"\n");
        }
        format!("{line}\n")
    });
    let mapping = of(&lines.collect::<String>())?;
    if mapping.name() == name {
        Ok(mapping)
    } else {
        Err(wrong("the text has no line of its own with `mapping = \"…\"`".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    const TEXT: &str = "# a comment\nmapping = \"one\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\n\
                        [[table]]\nname = \"case_event\"\n[table.columns]\ncase_id = \"x\"\n";

    #[test]
    fn a_mapping_is_kept_whole_and_never_over_another_unasked() {
        let dir = tempfile::tempdir().unwrap();
        assert!(own(dir.path()).unwrap().is_empty());
        let path = save(dir.path(), "one", TEXT, false).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        let other = TEXT.replace("\"a\"", "\"b\"");
        assert!(matches!(save(dir.path(), "one", &other, false), Err(SaveError::Taken(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        save(dir.path(), "one", &other, true).unwrap();
        assert_eq!(own(dir.path()).unwrap()[0].text(), other);
        let left = fs::read_dir(folder(dir.path())).unwrap().count();
        assert_eq!(left, 1, "no draft stays");
    }

    #[test]
    fn a_name_is_a_plain_file_name_and_not_one_of_the_release() {
        for name in ["", "../x", "a/b", "A", "x.toml", "servicenow-incident", "a b", "\u{e4}"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("desk_incidents-2").is_ok());
    }

    #[test]
    fn another_name_changes_the_line_that_names_and_nothing_else() {
        let mapping = named(TEXT, "two").unwrap();
        assert_eq!(mapping.name(), "two");
        assert_eq!(mapping.text(), TEXT.replace("\"one\"", "\"two\""));
        assert!(named("mapping = ", "two").is_err());
    }
}
