//! Arguments of the commands that add to the ledger by hand, keep it and prove it. Words only.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Format, ReadingArgs};

#[derive(Debug, Args)]
pub struct RetractArgs {
    /// A record, `entry:record`, or a whole entry.
    #[arg(value_name = "REF|ENTRY")]
    pub target: String,
    /// Why; it stays in the ledger.
    #[arg(long)]
    pub reason: String,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct EditArgs {
    /// Register of the vocabulary.
    pub table: String,
    /// A column and its value as a file would write it; nothing after the sign empties the column.
    #[arg(required = true, value_name = "COLUMN=VALUE")]
    pub values: Vec<String>,
    /// Ledger entry of the version that you saw; 0 when there was no such row.
    #[arg(long, value_name = "ENTRY")]
    pub expect: Option<u64>,
    /// Say that the row no longer stands.
    #[arg(long)]
    pub delete: bool,
    /// Check everything and show what would change, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Why; it stays in the ledger.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
    /// IANA time zone of times without offset.
    #[arg(long)]
    pub zone: Option<String>,
    /// Party that the person ids belong to, as a namespace of their pseudonyms.
    #[arg(long)]
    pub party: Option<String>,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct CompactArgs {
    /// Only say what would be merged.
    #[arg(long)]
    pub dry_run: bool,
    /// Also remove merged objects that greater ones have taken the place of.
    #[arg(long)]
    pub prune: bool,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct RereadArgs {
    /// Ledger entry of the import.
    pub entry: u64,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// How the counts are written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Remove what an interrupted command left behind.
    #[arg(long)]
    pub sweep: bool,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct BundleArgs {
    /// Folder to write; it must be new or empty.
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Folder to write; it must be new or empty.
    #[arg(value_hint = ValueHint::DirPath)]
    pub dest: PathBuf,
    /// Leave the keys out; they must then be kept elsewhere.
    #[arg(long)]
    pub without_keys: bool,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup.
    #[arg(value_hint = ValueHint::DirPath)]
    pub src: PathBuf,
    /// Folder to make; it must be new or empty.
    #[arg(value_hint = ValueHint::DirPath)]
    pub dest: PathBuf,
}

#[derive(Debug, Args)]
pub struct LogArgs {
    /// How the entries are written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
