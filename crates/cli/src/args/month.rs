//! Words of the commands around a running and an ended month: `warn`, `close`, `restate`.

use clap::Args;

use super::RowFormat;

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
