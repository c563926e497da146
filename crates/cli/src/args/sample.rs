//! Arguments of `sample`: plans, curves, draws. Words only.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Format;

#[derive(Debug, Subcommand)]
pub enum SampleCommand {
    /// How many items to inspect of a lot, and how many may be nonconforming.
    #[command(after_help = "\
Examples:
  backstay sample plan --lot 2000 --aql 2.5
  backstay sample plan --lot 2000 --level I --aql 2.5 --severity tightened")]
    Plan(SamplePlanArgs),
    /// What a plan lets through: its operating characteristic and its risks.
    #[command(after_help = "\
Examples:
  backstay sample curve --lot 2000 --aql 2.5
  backstay sample curve --lot 150 --aql 2.5 --exact-lot
  backstay sample curve --lot 2000 --aql 2.5 --format json > curve.json")]
    Curve(SampleCurveArgs),
    /// Draw the items to inspect, so that anyone can redo it.
    #[command(after_help = "\
Examples:
  backstay sample draw LOT-41 --lot 480 --aql 2.5 -o draw.json
  backstay sample draw LOT-41 --items cases.txt --aql 2.5 --seed 7f3a91
  backstay sample draw LOT-41 --items cases.txt --count 20

The items drawn are those with the smallest SHA-256 of four lines:
backstay-draw/1, seed, lot, item. Without --seed one is made.")]
    Draw(SampleDrawArgs),
    /// Redo a draw and say whether it is the one written down.
    #[command(after_help = "\
Examples:
  backstay sample verify draw.json
  backstay sample verify draw.json --items cases.txt")]
    Verify(SampleVerifyArgs),
}

#[derive(Debug, Args)]
pub struct TermsArgs {
    /// Inspection level: I, II, III, S-1, S-2, S-3 or S-4.
    #[arg(long, default_value = "II")]
    pub level: String,
    /// Acceptance quality limit, per cent: 0.010 to 1000 in the standard's steps.
    #[arg(long, value_name = "PERCENT")]
    pub aql: String,
    /// Severity: normal, tightened or reduced.
    #[arg(long, default_value = "normal")]
    pub severity: String,
}

#[derive(Debug, Args)]
pub struct SamplePlanArgs {
    /// Items in the lot.
    #[arg(long = "lot", value_name = "ITEMS")]
    pub lot_size: u64,
    #[command(flatten)]
    pub terms: TermsArgs,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct SampleCurveArgs {
    /// Items in the lot.
    #[arg(long = "lot", value_name = "ITEMS")]
    pub lot_size: u64,
    #[command(flatten)]
    pub terms: TermsArgs,
    /// For this one lot (hypergeometric) instead of a long series of lots (binomial).
    #[arg(long)]
    pub exact_lot: bool,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct SampleDrawArgs {
    /// Lot, as the evidence names it.
    #[arg(value_name = "LOT")]
    pub name: String,
    /// File with one item id a line.
    #[arg(long, value_hint = ValueHint::FilePath, required_unless_present = "lot_size")]
    pub items: Option<PathBuf>,
    /// Items in the lot, when they are only counted, from 1.
    #[arg(long = "lot", value_name = "ITEMS", conflicts_with = "items")]
    pub lot_size: Option<u64>,
    /// How many to draw; else as many as the plan says.
    #[arg(long, conflicts_with = "aql", required_unless_present = "aql")]
    pub count: Option<usize>,
    /// Inspection level of the plan.
    #[arg(long, default_value = "II")]
    pub level: String,
    /// Acceptance quality limit of the plan, per cent.
    #[arg(long, value_name = "PERCENT")]
    pub aql: Option<String>,
    /// Severity of the plan.
    #[arg(long, default_value = "normal")]
    pub severity: String,
    /// Seed; without one it is made and stated.
    #[arg(long)]
    pub seed: Option<String>,
    /// Draw for the second, blind look.
    #[arg(long)]
    pub blind: bool,
    /// Also write the draw into a new file, to keep and to verify.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct SampleVerifyArgs {
    /// A draw, as `sample draw -o` wrote it.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The list it was drawn from; needed when items have ids.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    /// How the outcome is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}
