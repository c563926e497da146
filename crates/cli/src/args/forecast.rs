//! Words of the command `forecast`.

use clap::Args;

use super::RowFormat;

#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// The arrangement.
    #[arg(value_name = "ARRANGEMENT")]
    pub arrangement: String,
    /// The month; the running one when left out. Longer windows of a service level: the one that
    /// holds its last day.
    #[arg(long, value_name = "PERIOD", conflicts_with = "back_test")]
    pub period: Option<String>,
    /// Look from the start of this day: only what happened before is seen. When left out, now, or
    /// the day after the newest event where that is earlier.
    #[arg(long, value_name = "DAY", conflicts_with = "back_test")]
    pub at: Option<String>,
    /// Only this service level.
    #[arg(long, value_name = "ID")]
    pub service_level: Option<String>,
    /// Foretell windows that have ended, from days within them, and hold that against what came.
    #[arg(long)]
    pub back_test: bool,
    /// First month of a back-test; that of the first event when left out.
    #[arg(long, value_name = "MONTH", requires = "back_test")]
    pub from: Option<String>,
    /// Last month of a back-test, itself included; that of the newest event when left out.
    #[arg(long, value_name = "MONTH", requires = "back_test")]
    pub until: Option<String>,
    /// Days of the window to look from; 10 sees nine days.
    #[arg(
        long,
        value_name = "DAY",
        requires = "back_test",
        value_delimiter = ',',
        default_values_t = [10, 20],
        value_parser = clap::value_parser!(u32).range(1..=366)
    )]
    pub day: Vec<u32>,
    /// What was known at a ledger entry, or at an instant with its offset.
    #[arg(long, value_name = "INSTANT|ENTRY")]
    pub as_of: Option<String>,
    /// How the forecasts are written.
    #[arg(long, value_enum, default_value_t)]
    pub format: RowFormat,
}
