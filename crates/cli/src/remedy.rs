//! Errors of the rooms behind the door, as the user is told them. Their messages end in what to
//! do; here that part becomes the `help:` line.

use backstay_engine::EngineError;
use backstay_evidence::ReadError;
use backstay_store::StoreError;

use crate::error::CliError;

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
pub fn explained(text: &str) -> CliError {
    let (message, help) = parted(text);
    CliError::Failed { message, help }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Io { path, source } => {
                CliError::failed(format!("`{}`: {}", path.display(), crate::door::because(source)))
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

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        explained(&error.to_string())
    }
}

impl From<ReadError> for CliError {
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
