//! Arguments of the commands about mappings. Words only.

use std::path::PathBuf;

use backstay_evidence::{mapping::propose::DateOrder, options::TextEncoding};
use clap::{Args, Subcommand, ValueHint};

use super::{Format, word};

#[derive(Debug, Subcommand)]
pub enum MappingCommand {
    /// List the mappings that come with this release, and the workspace's own.
    List,
    /// Print a mapping's file.
    Show {
        /// Name of `mapping list`.
        name: String,
    },
    /// Propose a mapping from a file, try it, and save it in the workspace.
    #[command(after_help = "\
Examples:
  backstay mapping new incidents.csv         asks step by step
  backstay mapping new incidents.csv --zone Europe/Lisbon --as desk --save
  backstay mapping new log.xlsx --map case_id=Ticket --map opened_at= --no-ask
  backstay mapping new report.csv --value 'outcome:too late=missed' --save

For each column it says why. It never guesses a time zone, and day and month
only where values above 12 speak for one order. What stays open is listed with
the option that settles it. The file is read with the proposal, and nothing of
it is written.")]
    New(Box<MappingNewArgs>),
}

#[derive(Debug, Args)]
pub struct MappingNewArgs {
    /// File to look at.
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Table of the vocabulary that the file feeds.
    #[arg(long)]
    pub table: Option<String>,
    /// Source column of a column of the vocabulary; `COLUMN=` leaves it out. May be given several
    /// times.
    #[arg(long = "map", value_name = "COLUMN=SOURCE")]
    pub map: Vec<String>,
    /// A column's value in every row; may be given several times.
    #[arg(long = "set", value_name = "COLUMN=VALUE")]
    pub set: Vec<String>,
    /// What a value of the source means; may be given several times.
    #[arg(long = "value", value_name = "COLUMN:VALUE=MEANING")]
    pub values: Vec<String>,
    /// IANA time zone of times without offset.
    #[arg(long)]
    pub zone: Option<String>,
    /// Which of day and month stands first: `day-first` or `month-first`.
    #[arg(long, value_name = "ORDER", value_parser = word::<DateOrder>)]
    pub date_order: Option<DateOrder>,
    /// Mark before decimals: `.` or `,`.
    #[arg(long, value_name = "MARK", value_parser = [".", ","])]
    pub decimal_mark: Option<String>,
    /// Source column that holds a person's id, and its kind; `SOURCE=` says that it holds none.
    #[arg(long = "person", value_name = "SOURCE=KIND")]
    pub people: Vec<String>,
    /// Source column that is never taken; may be given several times.
    #[arg(long, value_name = "SOURCE")]
    pub drop: Vec<String>,
    /// Encoding, when it is not found by itself: `utf-8`, `latin-1`, `utf-16le`, `utf-16be`.
    #[arg(long, value_parser = word::<TextEncoding>)]
    pub encoding: Option<TextEncoding>,
    /// Name of the mapping; else made from that of the file.
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// Save it in the workspace.
    #[arg(long)]
    pub save: bool,
    /// Save it although the workspace has one of that name.
    #[arg(long, requires = "save")]
    pub replace: bool,
    /// Ask step by step, as on a terminal, also when the answers come from a file or a pipe.
    #[arg(long, conflicts_with_all = ["no_ask", "format"])]
    pub ask: bool,
    /// Ask nothing on a terminal either: options answer, the rest is listed.
    #[arg(long)]
    pub no_ask: bool,
    /// How the proposal is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
