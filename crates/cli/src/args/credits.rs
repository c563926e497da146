//! Arguments of `credits`. Words only.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  backstay credits claims --period 2026-10
  backstay credits claims --period 2026-10 --html credit-note.html
  backstay credits claims --period 2026-10 --format csv > missed-cases.csv
  backstay credits claims --attained settlement=0.91     what would it cost";

/// How a credit note is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum NoteFormat {
    /// For people.
    #[default]
    Text,
    /// The whole note.
    Json,
    /// The missed cases, one a line.
    Csv,
}

#[derive(Debug, Args)]
pub struct CreditsArgs {
    /// The arrangement.
    #[arg(value_name = "ARRANGEMENT")]
    pub arrangement: String,
    /// `2026-03`, `2026-Q1`, `2026`, or days without the last; else the last complete month with events.
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// What was known at a ledger entry, or at an instant with its offset.
    #[arg(long, value_name = "INSTANT|ENTRY")]
    pub as_of: Option<String>,
    /// Suppose that a service level had attained this share; may be given several times.
    #[arg(long, value_name = "LEVEL=SHARE")]
    pub attained: Vec<String>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: NoteFormat,
    /// Write the note as one HTML page into this file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
}
