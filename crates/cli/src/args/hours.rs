//! Arguments of `overlap`, `calendar` and `meet`. Words only.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{Format, RowFormat};

#[derive(Debug, Args)]
pub struct OverlapArgs {
    /// Arrangements; all when none is named.
    #[arg(value_name = "ARRANGEMENT")]
    pub arrangements: Vec<String>,
    /// How many months are shown, from the first month of the period on: 1 to 13.
    #[arg(long, default_value_t = 13, value_parser = clap::value_parser!(u8).range(1..=13))]
    pub months: u8,
    /// Month to start with; else the one that is running.
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// Known at this ledger entry or instant.
    #[arg(long, value_name = "ENTRY|INSTANT")]
    pub as_of: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub enum CalendarCommand {
    /// Two calendars side by side, and what the second would do to service levels.
    #[command(after_help = "\
Examples:
  backstay calendar diff chennai-office neelavana-net --period 2026-10
  backstay calendar diff manila-office cebu-office --period 2026 --format csv")]
    Diff(CalendarDiffArgs),
}

#[derive(Debug, Args)]
pub struct CalendarDiffArgs {
    /// Calendar that is used now.
    pub first: String,
    /// Calendar to compare it with.
    pub second: String,
    /// Days compared; else the last complete month with events.
    #[arg(long)]
    pub period: Option<String>,
    /// Known at this ledger entry or instant.
    #[arg(long, value_name = "ENTRY|INSTANT")]
    pub as_of: Option<String>,
    /// `csv` gives the days alone.
    #[arg(long, value_enum, default_value_t)]
    pub format: RowFormat,
}

#[derive(Debug, Args)]
pub struct MeetArgs {
    /// Sites of the workspace, or IANA time zones (then nine to five on weekdays is assumed).
    #[arg(value_name = "SITE", required = true, num_args = 2..)]
    pub sites: Vec<String>,
    /// Length of the meeting.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub minutes: u16,
    /// First day looked at, in the first site's time; else today.
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// How many days are looked at.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=366))]
    pub days: u16,
    /// One meeting a week for so many weeks, the burden shared, instead of the best times.
    #[arg(long, value_name = "WEEKS", value_parser = clap::value_parser!(u16).range(1..=52))]
    pub weeks: Option<u16>,
    /// How many times are shown, one a day.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub top: u16,
    /// Write the series, or the best time, as an iCalendar file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ics: Option<PathBuf>,
    /// What the calendar file calls the meeting.
    #[arg(long, default_value = "Meeting")]
    pub title: String,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
