//! Errors as people are told them: what is wrong and where, and what to do. Messages of the rooms end in
//! what to do; here that part is taken apart, so that a door can set it on a line of its own.

use backstay_engine::EngineError;
use backstay_evidence::ReadError;
use backstay_store::StoreError;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// It could not be done.
    #[error("{message}")]
    Failed {
        /// What and where.
        message: String,
        /// What to do, when there is something.
        help: Option<String>,
    },
    /// The question was not well put.
    #[error("{message}")]
    Usage {
        /// What and where.
        message: String,
        /// What to write instead.
        help: String,
    },
}

impl DeskError {
    /// It could not be done; no remedy beyond what the message says.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), help: None }
    }

    /// It could not be done, and this helps.
    pub fn failed_with(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), help: Some(help.into()) }
    }

    /// The question was not well put.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: help.into() }
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Failed { help, .. } => help.as_deref(),
            Self::Usage { help, .. } => Some(help),
        }
    }
}

/// First words of a remedy, as the messages of the rooms put it.
const REMEDIES: [&str; 29] = [
    "add ",
    "ask ",
    "check ",
    "convert ",
    "choose ",
    "delete ",
    "fetch ",
    "find out ",
    "give ",
    "import ",
    "keep ",
    "leave ",
    "make ",
    "name ",
    "put ",
    "remove ",
    "rename ",
    "restore ",
    "run ",
    "save ",
    "say ",
    "see ",
    "set ",
    "split ",
    "try ",
    "unpack ",
    "use ",
    "write ",
    "correct ",
];

/// Parts a message into what is wrong and what to do, when it says both.
fn parted(text: &str) -> (String, Option<String>) {
    let text = text.trim().trim_end_matches('.');
    let mut at = None;
    for mark in [": ", "; "] {
        for (position, _) in text.match_indices(mark) {
            let rest = text.get(position + mark.len()..).unwrap_or("");
            let is_remedy = REMEDIES.iter().any(|word| rest.starts_with(word));
            if is_remedy && at.is_none_or(|(found, _)| position < found) {
                at = Some((position, mark.len()));
            }
        }
    }
    match at
        .and_then(|(position, mark)| Some((text.get(..position)?, text.get(position + mark..)?)))
    {
        Some((what, remedy)) => (what.to_owned(), Some(remedy.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// An error with its remedy apart.
#[must_use]
pub fn explained(text: &str) -> DeskError {
    let (message, help) = parted(text);
    DeskError::Failed { message, help }
}

/// An operating-system error in words, without its number.
#[must_use]
pub fn because(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        ErrorKind::AlreadyExists => "it exists already".to_owned(),
        ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::NotADirectory => "it is not a folder".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Io { path, source } => {
                DeskError::failed(format!("`{}`: {}", path.display(), because(source)))
            }
            StoreError::NoSpace { .. } => explained(&error.to_string()),
            other if other.is_no_space() => {
                let place = "the workspace or for temporary files".to_owned();
                explained(&StoreError::NoSpace { place }.to_string())
            }
            other => explained(&other.to_string()),
        }
    }
}

impl From<EngineError> for DeskError {
    fn from(error: EngineError) -> Self {
        explained(&error.to_string())
    }
}

impl From<ReadError> for DeskError {
    fn from(error: ReadError) -> Self {
        explained(&error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn what_to_do_is_told_apart_from_what_is_wrong() {
        let (what, help) = parted("`x` is not empty: name a new or an empty folder");
        assert_eq!(
            (what.as_str(), help.as_deref()),
            ("`x` is not empty", Some("name a new or an empty folder"))
        );
        let (what, help) = parted(
            "`x` is not a workspace: it has no `workspace.toml`; make one with `backstay init`",
        );
        assert_eq!(what, "`x` is not a workspace: it has no `workspace.toml`");
        assert_eq!(help.unwrap(), "make one with `backstay init`");
    }

    #[test]
    fn a_message_without_remedy_stays_whole() {
        assert_eq!(
            parted("there is no entry 7: the ledger has 3"),
            ("there is no entry 7: the ledger has 3".to_owned(), None)
        );
    }
}
