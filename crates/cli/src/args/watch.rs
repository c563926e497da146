//! Arguments of `watch`. Words only.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Format, ReadingArgs};

#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Folder in which files arrive.
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Arrangement of every file that no rule names; short for `--set arrangement_id=ID`.
    #[arg(long, value_name = "ID")]
    pub arrangement: Option<String>,
    /// File that says how which files are read, in place of the `imports.toml` in the folder. Keep it
    /// outside when others may write into the folder.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub rules: Option<PathBuf>,
    /// Seconds for which size and time of a file must stand still before it is read.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub settle: u32,
    /// Seconds between two looks into the folder.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub every: u32,
    /// Take what is there once it stands still, and end.
    #[arg(long)]
    pub once: bool,
    /// With --once: exit with 3 when a file was refused or had to be left.
    #[arg(long, requires = "once")]
    pub strict: bool,
    /// Keep a log although it repeats another with a different clock; controls on it stay untested.
    #[arg(long)]
    pub allow_duplicate_log: bool,
    /// A line of text for each file, or one JSON object a line.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
