//! The command line as one definition, from which parsing, help and completions follow. Only words
//! stand here; what a command does is in `command`. Longer than most because every command and its
//! examples are one enumeration.

mod account;
mod credits;
mod forecast;
mod hours;
mod ledger;
mod mapping;
mod month;
mod person;
mod sample;
mod serve;
mod watch;

use std::path::PathBuf;

use backstay_evidence::options::{Fold, TextEncoding};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use account::{
    AccountAddArgs, AccountCommand, AccountForgetArgs, AccountGrantArgs, AccountLinkArgs,
    AccountReasonArgs, AccountSessionsArgs, AccountTokenArgs,
};
pub use credits::{CreditsArgs, NoteFormat};
pub use forecast::ForecastArgs;
pub use hours::{CalendarCommand, CalendarDiffArgs, MeetArgs, OverlapArgs};
pub use ledger::{
    BackupArgs, BundleArgs, CompactArgs, EditArgs, LogArgs, RereadArgs, RestoreArgs, RetractArgs,
    VerifyArgs,
};
pub use mapping::{MappingCommand, MappingNewArgs};
pub use month::{CloseArgs, RestateArgs, StepArg, WarnArgs};
pub use person::{EraseCommand, ErasePersonArgs, ErasureArgs, RevealArgs};
pub use sample::{
    SampleCommand, SampleCurveArgs, SampleDrawArgs, SamplePlanArgs, SampleVerifyArgs, TermsArgs,
};
pub use serve::{DemoArgs, ServeArgs};
pub use watch::WatchArgs;

/// Recompute, from evidence, whether an outsourced back office is under control.
#[derive(Debug, Parser)]
#[command(name = "backstay", version, max_term_width = 100, subcommand_required = true)]
#[command(after_help = "\
Start here:
  backstay demo                      a worked example in a new folder
  backstay init my-workspace         an empty workspace of your own

Exit codes: 0 the command did its work, 1 error, 2 wrong usage, 3 with
--strict when something is not effective, and for `replay` when figures
changed.")]
pub struct Cli {
    /// Workspace folder; else the current folder, when it is one.
    #[arg(
        short,
        long,
        global = true,
        env = "BACKSTAY_WORKSPACE",
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        hide_env_values = true
    )]
    pub workspace: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an empty workspace.
    #[command(after_help = "\
Examples:
  backstay init backstay-meridian
  backstay init .                    in the current, empty folder")]
    Init(InitArgs),
    /// Bring evidence in: one ledger entry per file, or nothing at all.
    #[command(after_help = "\
Examples:
  backstay import site.csv                   the table is known by its header
  backstay import rates-2026.csv --as service_level
  backstay import incidents.csv.gz --mapping servicenow-incident \\
      --zone Europe/Lisbon --set arrangement_id=desk
  backstay import log.xes.gz --mapping xes --set arrangement_id=claims \\
      --dry-run
  backstay import handed-in/                 in the order of its imports.toml

The same file again changes nothing and says so. Rows that cannot be read
are kept in quarantine with record, column and reason:
read = accepted + corrected + already known + quarantined.")]
    Import(ImportArgs),
    /// Import the files that arrive in a folder, and move them out of the way.
    #[command(after_help = "\
Examples:
  backstay watch inbox                       until Ctrl-C
  backstay watch inbox --mapping servicenow-incident --zone Europe/Lisbon \\
      --arrangement desk
  backstay watch inbox --once --strict       from a scheduler

A file is taken when it has stopped changing, imported whole or not at all,
and moved to `imported` or `refused` below the folder with a report beside it;
nothing is deleted. An imports.toml in the folder says how files are read:
[[import]] file = \"desk-*.csv\" mapping = \"servicenow-incident\", the first
rule that fits; what stands first there is imported first, else the oldest.")]
    Watch(WatchArgs),
    /// Say which controls are effective, recompute the service levels, list the findings.
    #[command(after_help = "\
Examples:
  backstay assess                            the last complete month with events
  backstay assess --period 2026-03
  backstay assess --period 2026-03-01..2026-06-01   the last day is left out
  backstay assess --period 2026-03 --as-of 12       as known at ledger entry 12
  backstay assess --format json -o march.json
  backstay assess --html march.html          the same as a page to hand on
  backstay assess --strict || echo 'something is not effective'")]
    Assess(AssessArgs),
    /// Recompute the service levels, and nothing else: no control is judged, nothing is kept.
    #[command(after_help = "\
Examples:
  backstay measure                           the last complete month with events
  backstay measure --period 2026             month by month, all arrangements
  backstay measure desk claims --period 2026-03
  backstay measure --period 2026-Q1 --format csv > quarter.csv")]
    Measure(MeasureArgs),
    /// List the open cases that are late, or soon will be, with the working time left.
    #[command(after_help = "\
Examples:
  backstay warn                              every arrangement, now
  backstay warn desk --all                   with the cases that have time
  backstay warn --as-of 2026-10-14T09:00:00+01:00
  backstay warn --strict || echo 'somebody must look'

A service level says when: `warn_share` (0.8 when empty) or `warn_before`. A
warning that falls outside the hours of whoever is warned moves to the next
opening, or to the last minute of work before when that comes too late.")]
    Warn(WarnArgs),
    /// Foretell what the running window of each service level will end with.
    #[command(after_help = "\
Examples:
  backstay forecast desk                     the running month, from now
  backstay forecast desk --period 2026-10 --at 2026-10-20
  backstay forecast desk --service-level answer --format json
  backstay forecast desk --back-test         how often it would have held
  backstay forecast desk --back-test --from 2016-03 --until 2016-12 \\
      --day 5,10,15,20,25

The interval runs from the 5th to the 95th percentile. Where the history is
too short there is no figure, and the reason is said.")]
    Forecast(ForecastArgs),
    /// Close a month: issue our figures, record the agreement, freeze them.
    #[command(after_help = "\
Examples:
  backstay close desk 2026-10 --dry-run      what would be closed
  backstay close desk 2026-10                the next step: issue
  backstay close desk 2026-10 --step agree --by 'Tala, account manager'
  backstay close desk 2026-10 --step freeze

Each step is an assessment kept in the ledger, to be replayed by its entry. A
frozen month is never changed: `backstay restate` puts later evidence beside
it.")]
    Close(CloseArgs),
    /// Put a closed month beside what today's evidence makes of it, case by case.
    #[command(after_help = "\
Examples:
  backstay restate desk 2026-10 --dry-run    look, and keep nothing
  backstay restate desk 2026-10
  backstay restate desk 2026-10 --format json

Each case that counts otherwise names the ledger entry that brought it: a late
holiday, a corrected log, an amended target.")]
    Restate(RestateArgs),
    /// Reckon an arrangement's service credits, with the missed cases behind them.
    #[command(after_help = credits::EXAMPLES)]
    Credits(CreditsArgs),
    /// Write an assessment as one HTML file that needs nothing else: to read, print and hand on.
    #[command(after_help = "\
Examples:
  backstay report --html october.html        the assessment kept last
  backstay report 45 --html october.html     the one kept as ledger entry 45
  backstay report --period 2026-10 --html october.html
  backstay report --period 2026-10 --arrangement claims --html claims.html

The same assessment gives the same bytes. The file asks for nothing from the
network and runs no script.")]
    Report(ReportArgs),
    /// Show how one case was measured: every segment of its clock.
    #[command(after_help = "\
Examples:
  backstay explain INC0000045 --service-level resolution-p3
  backstay explain INC0000045 --service-level resolution-p3 \\
      --arrangement desk --format json")]
    Explain(ExplainArgs),
    /// Open a reference down to the line of the file that it came from.
    #[command(after_help = "\
Examples:
  backstay trace 5:119                       record 119 of ledger entry 5")]
    Trace(TraceArgs),
    /// Ask the evidence in SQL, read-only.
    #[command(after_help = "\
Examples:
  backstay query 'SELECT state, count(*) AS n FROM case_event GROUP BY state'
  backstay query 'SELECT * FROM quarantine' --format csv
  backstay query 'SELECT count(*) AS events FROM case_event' --as-of 12

Tables: those of `backstay vocabulary list`, `quarantine`, and the derived
ones (`case_clock`, `backlog_case`, `measurement`, `feed_day`,
`report_ladder`, `report_case`, `overlap_day`, `coverage_span`,
`holiday_clash`, `handover_due`, `urgent_item`, `meeting_share`, `credit`,
`credit_month`). It sees all arrangements, or those named with --arrangement.
`$period_start` and `$period_end` are instants of their zone; where zones
differ, name one arrangement.")]
    Query(QueryArgs),
    /// Recompute a stored assessment from its basis and compare.
    #[command(after_help = "\
Examples:
  backstay replay 14                         exit code 3 when a figure changed
  backstay replay 14 --output bytes | sha256sum")]
    Replay(ReplayArgs),
    /// Take a record, or all that an entry brought, out of every later answer.
    #[command(after_help = "\
Examples:
  backstay retract 5:119 --reason 'test case of the provider'
  backstay retract 5 --reason 'wrong month'

Nothing is deleted: earlier answers stay as they were, with --as-of.")]
    Retract(RetractArgs),
    /// Enter, change or take away one row of a register by hand.
    #[command(after_help = "\
Examples:
  backstay edit site site_id=manila name=Makati --reason 'moved in March'
  backstay edit service_level arrangement_id=desk service_level_id=p1 \\
      valid_from=2026-04-01 target=0.97 --expect 12
  backstay edit team arrangement_id=desk team_id=night --delete
  backstay edit site site_id=manila --dry-run     what stands, and since when

The columns of the key say which row; those not named stay as they are. With
--expect nothing is written when somebody changed the row meanwhile.")]
    Edit(EditArgs),
    /// Merge many small objects into few; nothing that an entry names goes.
    #[command(after_help = "\
Examples:
  backstay compact --dry-run
  backstay compact
  backstay compact --prune           when nobody else uses the workspace")]
    Compact(CompactArgs),
    /// Read the kept bytes of an import again, with another mapping.
    #[command(after_help = "\
Examples:
  backstay reread 5 --mapping desk-v2.toml")]
    Reread(RereadArgs),
    /// Destroy a person's id, or the kept bytes of an import, for good.
    #[command(
        subcommand,
        after_help = "\
Examples:
  backstay erase person p-5b1d0c… --reason 'request 17 of 3 March'
  backstay erase source 5 --reason 'sent by mistake' --yes

Without --yes nothing is destroyed: it is shown what would be."
    )]
    Erase(EraseCommand),
    /// Show the id behind a pseudonym; that it was asked for is recorded first.
    #[command(after_help = "\
Examples:
  backstay reveal p-5b1d0c… --reason 'access review of March, line 14'")]
    Reveal(RevealArgs),
    /// Prove that ledger, objects and projection hold together.
    #[command(after_help = "\
Examples:
  backstay verify
  backstay verify --format json")]
    Verify(VerifyArgs),
    /// Write what `backstay-verify` needs to check the ledger offline.
    #[command(after_help = "\
Examples:
  backstay bundle audit-2026-q1
  backstay-verify audit-2026-q1")]
    Bundle(BundleArgs),
    /// Copy the workspace consistently, while others use it.
    #[command(after_help = "\
Examples:
  backstay backup /backups/2026-04-01
  backstay backup /backups/2026-04-01 --without-keys")]
    Backup(BackupArgs),
    /// Make a workspace from a backup, after verifying it.
    #[command(after_help = "\
Examples:
  backstay restore /backups/2026-04-01 restored")]
    Restore(RestoreArgs),
    /// List the entries of the ledger.
    #[command(after_help = "\
Examples:
  backstay log
  backstay log --format json")]
    Log(LogArgs),
    /// Controls and metrics: what they test, how, and whether their cases pass.
    #[command(
        subcommand,
        after_help = "\
Examples:
  backstay catalogue list
  backstay catalogue show service-levels-met
  backstay catalogue new quality/rework-loops
  backstay catalogue test --mutate"
    )]
    Catalogue(CatalogueCommand),
    /// Tables of evidence: columns, types, templates.
    #[command(
        subcommand,
        after_help = "\
Examples:
  backstay vocabulary list
  backstay vocabulary show service_level
  backstay vocabulary template service_level > service_level.csv"
    )]
    Vocabulary(VocabularyCommand),
    /// Mappings from a source's layout to the vocabulary.
    #[command(
        subcommand,
        after_help = "\
Examples:
  backstay mapping list
  backstay mapping show servicenow-incident > desk.toml
  backstay mapping new incidents.csv --save"
    )]
    Mapping(MappingCommand),
    /// Acceptance sampling: plans, what they let through, draws that anyone can redo.
    #[command(
        subcommand,
        after_help = "\
Examples:
  backstay sample plan --lot 2000 --level II --aql 2.5
  backstay sample curve --lot 2000 --aql 2.5
  backstay sample draw LOT-41 --lot 480 --aql 2.5 -o draw.json
  backstay sample verify draw.json"
    )]
    Sample(SampleCommand),
    /// How long pairs of teams are at work together, month by month, a year ahead.
    #[command(after_help = "\
Examples:
  backstay overlap
  backstay overlap claims --months 6
  backstay overlap --period 2026-10 --format json

Pairs and times are those of `overlap_term`; days that have not come yet are
forecast from the calendars of both sites.")]
    Overlap(OverlapArgs),
    /// Calendars: what sets two of them apart.
    #[command(
        subcommand,
        after_help = "\
Examples:
  backstay calendar diff chennai-office neelavana-net --period 2026-10"
    )]
    Calendar(CalendarCommand),
    /// Fair times to meet, for several sites.
    #[command(after_help = "\
Examples:
  backstay meet dublin chennai
  backstay meet dublin manila --weeks 8 --minutes 45 --ics review.ics
  backstay meet Europe/Dublin Asia/Kolkata America/Mexico_City --from 2026-11-23

Less time outside working hours goes first, then less for the one side that
carries most, then hours near the working day. A series shares the burden.")]
    Meet(MeetArgs),
    /// People and their rights: accounts, grants, one-time links, API tokens, sessions.
    #[command(
        subcommand,
        after_help = "\
Examples:
  backstay account link --administrator      the first one of a workspace
  backstay account add ana@example.com --name 'Ana Cruz' \\
      --grant service-owner@arrangement:desk --link
  backstay account list
  backstay account revoke ana@example.com analyst --on all

Who was given which right, by whom and when, stays in the ledger; addresses,
passwords and sessions do not go there."
    )]
    Account(AccountCommand),
    /// Make a workspace from the worked example and show where it stands.
    #[command(after_help = "\
Examples:
  backstay demo                      in ./backstay-demo, or the next free name
  backstay demo somewhere-else")]
    Demo(DemoArgs),
    /// Open the workspace in the browser: sign in, see, open.
    #[command(after_help = "\
Examples:
  backstay serve                             http://127.0.0.1:8720
  backstay -w my-workspace serve --listen 127.0.0.1:9000

A workspace without an administrator gets one by a one-time link, printed at
the start. The server speaks plain HTTP: for other machines put it behind a
proxy that speaks HTTPS, and say so with `--behind-https`. Ctrl-C ends it.")]
    Serve(ServeArgs),
    /// Write shell completions.
    #[command(after_help = "\
Examples:
  source <(backstay completions bash)")]
    Completions(CompletionsArgs),
}

/// Text for people or JSON for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum RowFormat {
    #[default]
    Table,
    Csv,
    Json,
}

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder to make; it must be new or empty.
    #[arg(value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// How a file is read.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadingArgs {
    /// Mapping that says what the columns mean: a name of `mapping list`, or a file.
    #[arg(long, value_name = "NAME|PATH", conflicts_with = "as_table")]
    pub mapping: Option<String>,
    /// Table of the vocabulary that the file's own columns are those of.
    #[arg(long = "as", value_name = "TABLE")]
    pub as_table: Option<String>,
    /// A column's value in every row; may be given several times.
    #[arg(long = "set", value_name = "COLUMN=VALUE")]
    pub set: Vec<String>,
    /// IANA time zone of times without offset.
    #[arg(long)]
    pub zone: Option<String>,
    /// Which instant a local time is that occurs twice: `earlier` or `later`; else the record is
    /// quarantined.
    #[arg(long, value_name = "EARLIER|LATER", value_parser = word::<Fold>)]
    pub fold: Option<Fold>,
    /// Encoding, when it is not found by itself: `utf-8`, `latin-1`, `utf-16le`, `utf-16be`.
    #[arg(long, value_parser = word::<TextEncoding>)]
    pub encoding: Option<TextEncoding>,
    /// Party that the person ids belong to, as a namespace of their pseudonyms.
    #[arg(long)]
    pub party: Option<String>,
}

/// One of a few words, as mappings write them too.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::Value::String(text.to_owned())
        .try_into()
        .map_err(|error: toml::de::Error| crate::sources::one_line(error.message()))
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files, or folders that hold an `imports.toml`.
    #[arg(required = true, value_name = "FILE|FOLDER", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Read and check everything, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Keep a log although it repeats another with a different clock; controls on it stay untested.
    #[arg(long)]
    pub allow_duplicate_log: bool,
    /// Say on standard error how long each phase took. Reading, typing, hashing, sorting and
    /// encrypting go on side by side and are told as `reading`.
    #[arg(long, conflicts_with = "dry_run")]
    pub timings: bool,
    /// How the counts are written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct AssessArgs {
    /// `2026-03`, `2026-Q1`, `2026`, or days without the last: `2026-03-01..2026-04-01`.
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// What was known at a ledger entry, or at an instant with its offset.
    #[arg(long, value_name = "INSTANT|ENTRY")]
    pub as_of: Option<String>,
    /// Only this arrangement; may be given several times.
    #[arg(long, value_name = "ID")]
    pub arrangement: Vec<String>,
    /// How the assessment is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write to this file, not to standard output.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Also write the assessment as one HTML file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Exit with 3 when a control is neither effective nor not applicable.
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Args)]
pub struct MeasureArgs {
    /// Only these arrangements; all when none is named.
    #[arg(value_name = "ARRANGEMENT")]
    pub arrangements: Vec<String>,
    /// `2026-03`, `2026-Q1`, `2026`, or days without the last: `2026-03-01..2026-04-01`.
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// What was known at a ledger entry, or at an instant with its offset.
    #[arg(long, value_name = "INSTANT|ENTRY")]
    pub as_of: Option<String>,
    /// How the figures are written.
    #[arg(long, value_enum, default_value_t)]
    pub format: RowFormat,
    /// Say on standard error how much was read and how long it took.
    #[arg(long)]
    pub timings: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Ledger entry of the assessment; else the one kept last.
    #[arg(value_name = "ID", conflicts_with_all = ["period", "as_of", "arrangement"])]
    pub entry: Option<u64>,
    /// File to write; an existing one is replaced.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: PathBuf,
    /// Assess this period first: `2026-03`, `2026-Q1`, `2026`, or days without the last.
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// Assess first, with what was known at a ledger entry, or at an instant with its offset.
    #[arg(long, value_name = "INSTANT|ENTRY")]
    pub as_of: Option<String>,
    /// Assess only this arrangement first; may be given several times.
    #[arg(long, value_name = "ID")]
    pub arrangement: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The case, as the work log writes it.
    pub case: String,
    /// Service level by which it is measured.
    #[arg(long, value_name = "ID")]
    pub service_level: String,
    /// Arrangement, when several know the case.
    #[arg(long, value_name = "ID")]
    pub arrangement: Option<String>,
    /// Looked at as of the end of this period, `2026-03`; else as of now.
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// What was known at a ledger entry, or at an instant with its offset.
    #[arg(long, value_name = "INSTANT|ENTRY")]
    pub as_of: Option<String>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct TraceArgs {
    /// Reference, as reports and queries show it: `entry:record`.
    #[arg(value_name = "REF")]
    pub reference: String,
    /// How it is written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct QueryArgs {
    /// One SELECT; `-` reads it from standard input.
    pub sql: String,
    /// How the rows are written.
    #[arg(long, value_enum, default_value_t)]
    pub format: RowFormat,
    /// `2026-03`, `2026-Q1`, `2026`, or days without the last: `2026-03-01..2026-04-01`.
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// What was known at a ledger entry, or at an instant with its offset.
    #[arg(long, value_name = "INSTANT|ENTRY")]
    pub as_of: Option<String>,
    /// Only this arrangement; may be given several times.
    #[arg(long, value_name = "ID")]
    pub arrangement: Vec<String>,
    /// Seconds after which the query is stopped.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub time_limit: u64,
}

/// What `replay` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ReplayOutput {
    #[default]
    Text,
    Json,
    Bytes,
}

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Ledger entry of the assessment.
    #[arg(value_name = "ID")]
    pub entry: u64,
    /// What is written: what changed, the same as JSON, or the recomputed assessment, byte for byte.
    #[arg(long, value_enum, default_value_t)]
    pub output: ReplayOutput,
}

#[derive(Debug, Subcommand)]
pub enum CatalogueCommand {
    /// List controls and metrics, the workspace's own among them.
    List {
        /// How the list is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the file of a control or metric.
    Show {
        /// Id of `catalogue list`.
        id: String,
    },
    /// Write the skeleton of a control into the workspace.
    New {
        /// Risk and control: `quality/rework-loops`.
        #[arg(value_name = "RISK/CONTROL")]
        name: String,
    },
    /// Run the cases of controls and metrics.
    Test {
        /// Only these; all when none is named.
        ids: Vec<String>,
        /// Also change each computation a little and list the changes that no case notices.
        #[arg(long)]
        mutate: bool,
        /// How the outcome is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Debug, Subcommand)]
pub enum VocabularyCommand {
    /// List the tables.
    List {
        /// How the list is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show the columns of a table.
    Show {
        /// Name of the table.
        table: String,
        /// How it is written.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print a CSV file to fill in: the head line of a table.
    Template {
        /// Name of the table.
        table: String,
    },
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}
