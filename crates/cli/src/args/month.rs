//! Words of the commands around a running and an ended month: `warn`, `close`, `restate`.

use clap::{Args, ValueEnum};

use super::{Format, RowFormat};

#[derive(Debug, Args)]
pub struct WarnArgs {
    /// Only these arrangements; all when none is named.
    #[arg(value_name = "ARRANGEMENT")]
    pub arrangements: Vec<String>,
    /// What was known at a ledger entry, or at an instant with its offset.
    #[arg(long, value_name = "INSTANT|ENTRY")]
    pub as_of: Option<String>,
    /// List cases too whose warning is not due yet.
    #[arg(long)]
    pub all: bool,
    /// How the cases are written.
    #[arg(long, value_enum, default_value_t)]
    pub format: RowFormat,
    /// End with code 3 when a case is overdue, to be warned of, or unclear.
    #[arg(long)]
    pub strict: bool,
}

/// A step of the month-end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StepArg {
    /// Hand our figures out.
    Issue,
    /// Record that the other side agrees to them.
    Agree,
    /// Let them stand for good.
    Freeze,
}

#[derive(Debug, Args)]
pub struct CloseArgs {
    /// The arrangement.
    #[arg(value_name = "ARRANGEMENT")]
    pub arrangement: String,
    /// The month: `2026-10`.
    #[arg(value_name = "PERIOD")]
    pub period: String,
    /// The step; the next one when left out.
    #[arg(long, value_enum)]
    pub step: Option<StepArg>,
    /// Who agreed, or decided.
    #[arg(long, value_name = "WHO")]
    pub by: Option<String>,
    /// Anything to be remembered with the step.
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Show what would be closed, and keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct RestateArgs {
    /// The arrangement.
    #[arg(value_name = "ARRANGEMENT")]
    pub arrangement: String,
    /// The month: `2026-10`.
    #[arg(value_name = "PERIOD")]
    pub period: String,
    /// Keep nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// End with code 3 when anything is other than it was closed.
    #[arg(long)]
    pub strict: bool,
}
