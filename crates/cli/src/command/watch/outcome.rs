//! What became of a file in the watched folder, and how it is told: a line of text, a line of JSON,
//! and the report beside the file.

use backstay_evidence::ReadError;
use backstay_report::{
    figure::{count, instant},
    import::{self as view, FileImport, Imports},
    layout::clean,
};
use backstay_store::StoreError;
use serde_json::{Value, json};

use crate::{door, error::CliError};

/// Version of the JSON written here.
const SCHEMA: &str = "backstay.watch/1";

/// What became of a file.
#[derive(Debug)]
pub enum Outcome {
    /// It is in the ledger, since now or since before.
    Imported(Box<FileImport>),
    /// It cannot be read as evidence; it would be no better the next time.
    Refused(CliError),
    /// It could not be opened or read to its end; the next time may be better.
    Unreadable(String),
    /// It changed while it was read.
    Changed,
    /// It went away before it was read.
    Gone,
}

/// Whose fault an error is: the file's own (then an outcome), or else that of the workspace or the
/// machine, which says nothing of the file.
pub fn of_error(error: StoreError, file: &std::path::Path) -> Result<Outcome, StoreError> {
    match error {
        StoreError::Io { path, source } if path == file => Ok(match source.kind() {
            std::io::ErrorKind::NotFound => Outcome::Gone,
            _ => Outcome::Unreadable(door::because(&source)),
        }),
        StoreError::Read(ReadError::Io { source, .. }) => {
            Ok(Outcome::Unreadable(door::because(&source)))
        }
        StoreError::Changed(_) => Ok(Outcome::Changed),
        // Whoever took the rows failed, not the file.
        StoreError::Read(ReadError::Sink(_)) => Err(error),
        StoreError::Read(_)
        | StoreError::DuplicateLog { .. }
        | StoreError::NotAFile(_)
        | StoreError::TooManyRecords { .. } => Ok(Outcome::Refused(error.into())),
        other => Err(other),
    }
}

impl Outcome {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Imported(file) if file.repeated => "known",
            Self::Imported(_) => "imported",
            Self::Refused(_) => "refused",
            Self::Unreadable(_) => "left",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }

    /// The report that is put beside the file.
    pub fn note(&self, name: &str, now_us: i64) -> String {
        let at = instant(now_us - now_us.rem_euclid(1_000_000));
        let head = format!("backstay: {} {}, {at}\n\n", clean(name), self.word());
        match self {
            Self::Imported(file) => {
                let imports = Imports::of(vec![(**file).clone()]);
                format!("{head}{}", view::text(&imports, door::plain_look()))
            }
            Self::Refused(error) => {
                let help = error.help().map_or_else(String::new, |help| format!("help: {help}\n"));
                format!(
                    "{head}Nothing of this file was taken in.\n\nerror: {error}\n{help}\nTo try it \
                     again, put it back into the watched folder.\n"
                )
            }
            _ => head,
        }
    }

    /// The line that is printed.
    pub fn text(&self, name: &str, moved_to: Option<&str>, now_us: i64) -> String {
        let at: String = instant(now_us).chars().take(19).collect();
        let place = moved_to.map_or_else(String::new, |to| format!(" → {}", clean(to)));
        format!("{at}Z  {:<8}  {}{place}{}\n", self.word(), clean(name), self.details())
    }

    fn details(&self) -> String {
        match self {
            Self::Imported(file) => format!(": {}", counts(file)),
            Self::Refused(error) => match error.help() {
                Some(help) => format!(": {error}; {help}"),
                None => format!(": {error}"),
            },
            Self::Unreadable(reason) => format!(": {reason}; it stays and is tried again"),
            Self::Changed => ": it changed while it was read, and is read again".to_owned(),
            Self::Gone => ": it went away before it was read".to_owned(),
        }
    }

    /// The line of JSON that is printed.
    pub fn json(&self, name: &str, moved_to: Option<&str>, now_us: i64) -> Value {
        let mut value = json!({
            "schema": SCHEMA,
            "at_us": now_us,
            "file": name,
            "outcome": self.word(),
            "moved_to": moved_to,
        });
        let more = match self {
            Self::Imported(file) => ("import", json!(file)),
            Self::Refused(error) => {
                ("error", json!({ "message": error.to_string(), "help": error.help() }))
            }
            Self::Unreadable(reason) => ("error", json!({ "message": reason })),
            Self::Changed | Self::Gone => return value,
        };
        if let Some(object) = value.as_object_mut() {
            object.insert(more.0.to_owned(), more.1);
        }
        value
    }
}

/// `entry 14, read 120 = 118 accepted + 2 quarantined`.
fn counts(file: &FileImport) -> String {
    let number = |figure: u64| count(i64::try_from(figure).unwrap_or(i64::MAX));
    let entry = file.entry.map_or_else(String::new, |entry| format!("entry {entry}, "));
    if file.repeated {
        return format!("{entry}imported before, nothing changed");
    }
    let parts: Vec<String> = [
        (file.accepted, "accepted"),
        (file.corrected, "corrected"),
        (file.already_known, "already known"),
        (file.quarantined, "quarantined"),
    ]
    .into_iter()
    .filter(|(figure, _)| *figure > 0)
    .map(|(figure, word)| format!("{} {word}", number(figure)))
    .collect();
    match parts.is_empty() {
        true => format!("{entry}read 0"),
        false => format!("{entry}read {} = {}", number(file.read), parts.join(" + ")),
    }
}
