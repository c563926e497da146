//! Every way the store refuses or fails, in the user's words. Causes of machines (SQLite, disk,
//! Parquet) ride along as text; values of evidence never do.

use std::{io, path::PathBuf};

use backstay_evidence::Digest;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why the store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading or writing a file.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The database.
    #[error("the database failed while {doing}: {message}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        message: String,
    },
    /// The database's bytes are damaged.
    #[error(
        "the database is damaged, as found while {doing} ({message}): restore the workspace from a backup"
    )]
    BadDatabase {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        message: String,
    },
    /// The disk is full.
    #[error(
        "no space is left for {place}; the ledger is as it was: make room on that disk and run the command again"
    )]
    NoSpace {
        /// The file or folder.
        place: String,
    },
    /// The disk is read-only.
    #[error(
        "{place} cannot be written, its disk is read-only: make it writable, or work on a copy of the folder"
    )]
    ReadOnly {
        /// The file or folder.
        place: String,
    },
    /// A database that was not closed, where SQLite cannot read it without writing.
    #[error("`{}` was not closed properly and cannot be read on a read-only disk: make a copy of the whole folder on another disk and use that", .0.display())]
    UnreadableHere(PathBuf),
    /// A command was interrupted in this folder.
    #[error("`{}` holds what an interrupted command left, and is no workspace: delete the folder, then run the command again", .0.display())]
    Unfinished(PathBuf),
    /// Another process holds the workspace longer than we wait.
    #[error(
        "the workspace is busy: another process has been writing for over {waited_s} s; try again when it is done"
    )]
    Busy {
        /// Seconds waited.
        waited_s: u64,
    },
    /// `init` in a folder that holds something.
    #[error("`{}` is not empty: name a new or an empty folder", .0.display())]
    NotEmpty(PathBuf),
    /// No workspace there.
    #[error("`{}` is not a workspace: it has no `workspace.toml`; make one with `backstay init`", .0.display())]
    NotWorkspace(PathBuf),
    /// A file of the workspace cannot be understood.
    #[error("`{}`: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Written by a later release.
    #[error("`{}` has workspace format {found}; this release reads up to {known}: use a later release", dir.display())]
    Newer {
        /// The workspace.
        dir: PathBuf,
        /// Its format.
        found: u32,
        /// What we know.
        known: u32,
    },
    /// A key that the work needs is not there.
    #[error("the key `{}` is not here: put the workspace's `keys` folder back", .0.display())]
    NoKey(PathBuf),
    /// A step of a month-end that may not follow those taken.
    #[error("`{arrangement}`, {period}: the step `{step}` cannot be taken: {reason}")]
    Close {
        /// Arrangement.
        arrangement: String,
        /// Days.
        period: String,
        /// Step.
        step: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// A precondition did not hold.
    #[error(
        "somebody else changed row `{key}` of `{table}`: you saw the version of entry {expected_seq} ({seen}), now it is the version of entry {found_seq} ({found})"
    )]
    Conflict {
        /// Table.
        table: String,
        /// Row key.
        key: String,
        /// Entry of the version that the author saw; 0: none.
        expected_seq: u64,
        /// That version, as the author saw it.
        seen: String,
        /// Entry of the current version; 0: none.
        found_seq: u64,
        /// The current version.
        found: String,
    },
    /// The ledger moved while an import was being resolved; the caller resolves again.
    #[error("the ledger moved from entry {expected} to entry {found} meanwhile: try again")]
    Stale {
        /// Where it was.
        expected: u64,
        /// Where it is.
        found: u64,
    },
    /// No such entry.
    #[error("there is no entry {entry}: the ledger has {size}")]
    NoEntry {
        /// Asked for.
        entry: u64,
        /// Entries there are.
        size: u64,
    },
    /// The entry is of another kind than the command needs.
    #[error("entry {entry} is of kind `{kind}`; expected {expected}")]
    Kind {
        /// The entry.
        entry: u64,
        /// Its kind.
        kind: String,
        /// What would do.
        expected: &'static str,
    },
    /// Retracting what is retracted.
    #[error("{what} was already retracted by entry {by}")]
    AlreadyRetracted {
        /// What was to be retracted.
        what: String,
        /// The retraction.
        by: u64,
    },
    /// A record that the entry does not have.
    #[error("entry {entry} has no record {record}: its source has {records}")]
    NoRecord {
        /// The entry.
        entry: u64,
        /// Asked for.
        record: u32,
        /// Records there are.
        records: u64,
    },
    /// Values that no row of the table can have.
    #[error("the row of `{table}` is refused: {}", crate::edit::in_words(refusals))]
    Refused {
        /// Table.
        table: String,
        /// Each column with what is wrong.
        refusals: Vec<crate::edit::Refusal>,
    },
    /// A row that is to be changed or taken away is not there.
    #[error(
        "`{table}` has no row with the key `{key}` that stands: look for it with `backstay query`"
    )]
    NoRow {
        /// Table.
        table: String,
        /// Row key.
        key: String,
    },
    /// Rows of this table cannot be entered.
    #[error("`{table}` {reason}")]
    NotEditable {
        /// Table.
        table: String,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// A reason is needed and was empty.
    #[error("a reason is needed: say in a few words why")]
    NoReason,
    /// A mail address that another account has.
    #[error("another account has the mail address `{0}`: an account is one person's alone")]
    EmailTaken(String),
    /// A mail address that is none.
    #[error("`{0}` is no mail address")]
    BadEmail(String),
    /// A name that is empty or too long.
    #[error("a name has 1 to 200 characters, none of them a control character")]
    BadName,
    /// No such account.
    #[error("there is no account `{0}`: `backstay account list` names them by id and mail address")]
    NoAccount(String),
    /// The last administrator would lose the right.
    #[error(
        "`{0}` is the last administrator: make another one first, or nobody could give rights any more"
    )]
    LastAdministrator(String),
    /// Taking what was not given.
    #[error(
        "account `{account}` does not hold `{grant}`: `backstay account show` lists its grants"
    )]
    NotGranted {
        /// The account.
        account: String,
        /// The grant.
        grant: String,
    },
    /// A disabled account.
    #[error("account `{0}` is disabled: enable it first")]
    AccountDisabled(String),
    /// No such token.
    #[error("the account has no API token `{0}`")]
    NoToken(String),
    /// A lifetime that is not allowed.
    #[error("{what} lasts between a minute and {most_days} days")]
    Lifetime {
        /// What lasts.
        what: &'static str,
        /// The longest, days.
        most_days: i64,
    },
    /// A session that is not there, ended, or waits for a code.
    #[error("the session has ended: sign in again")]
    NoSession,
    /// The password given to prove oneself is wrong.
    #[error("the present password is wrong")]
    WrongPassword,
    /// Too many attempts.
    #[error("too many attempts: wait a while, then try again")]
    Wait {
        /// The instant, microseconds UTC.
        until_us: i64,
    },
    /// Grants that an account may not hold.
    #[error(transparent)]
    Grant(#[from] backstay_access::GrantError),
    /// A password that is not good enough.
    #[error(transparent)]
    Password(#[from] backstay_access::PasswordError),
    /// The same log with another clock is already here.
    #[error(
        "`{file}` repeats the log of entry {entry} (`{other}`) with another clock: {cases} of {of} cases have the same activities, shifted by {shift}; find out which clock is right, or keep both with `--allow-duplicate-log` and their controls stay untested"
    )]
    DuplicateLog {
        /// The file refused.
        file: String,
        /// The import it repeats.
        entry: u64,
        /// Its file.
        other: String,
        /// Matching cases.
        cases: u64,
        /// Cases compared.
        of: u64,
        /// The shift, in words.
        shift: String,
    },
    /// A folder, a pipe or a device.
    #[error("`{}` is no ordinary file: write its contents to one and import that", .0.display())]
    NotAFile(PathBuf),
    /// The file differs from what was hashed.
    #[error("`{}` changed while it was being read: import it again when nothing writes to it", .0.display())]
    Changed(PathBuf),
    /// More records than a reference can count.
    #[error("`{file}` has more than {} records: split it", u32::MAX)]
    TooManyRecords {
        /// The file.
        file: String,
    },
    /// An object is missing or its bytes have changed.
    #[error("object `{digest}` {reason}: restore it from a backup, or run `backstay verify`")]
    Object {
        /// Its name.
        digest: Digest,
        /// What is wrong.
        reason: String,
    },
    /// A payload that cannot be read.
    #[error("the payload of entry {entry} cannot be read: {reason}")]
    Payload {
        /// The entry.
        entry: u64,
        /// Why.
        reason: String,
    },
    /// The source was erased.
    #[error(
        "the source of entry {entry} was erased at entry {by}: its lines can no longer be shown"
    )]
    Erased {
        /// The import.
        entry: u64,
        /// The erasure.
        by: u64,
    },
    /// No such person in the vault.
    #[error("the vault holds nobody behind `{0}`: it was erased, or never came in")]
    NoPerson(String),
    /// Columns cannot be written or read.
    #[error("the columns of `{table}` cannot be {doing}: {message}")]
    Columns {
        /// Table.
        table: String,
        /// Written, read, sorted.
        doing: &'static str,
        /// The cause.
        message: String,
    },
    /// A workspace that fails verification is not restored from.
    #[error(
        "the backup does not verify ({problems} problems, the first: {first}): restore from another one"
    )]
    BadBackup {
        /// How many.
        problems: usize,
        /// The first.
        first: String,
    },
    /// The reader.
    #[error(transparent)]
    Read(#[from] backstay_evidence::ReadError),
    /// The vocabulary.
    #[error(transparent)]
    Vocabulary(#[from] backstay_evidence::vocabulary::VocabularyError),
    /// Sealing an entry.
    #[error(transparent)]
    Entry(#[from] backstay_ledger::EntryError),
    /// The tree.
    #[error(transparent)]
    Tree(#[from] backstay_ledger::TreeError),
    /// The evidence digest.
    #[error(transparent)]
    Evidence(#[from] backstay_ledger::EvidenceError),
    /// Checkpoints.
    #[error(transparent)]
    Checkpoint(#[from] backstay_ledger::CheckpointError),
    /// Keys of checkpoints.
    #[error(transparent)]
    Note(#[from] backstay_ledger::NoteError),
    /// Writing a bundle.
    #[error(transparent)]
    Bundle(#[from] backstay_ledger::BundleWriteError),
    /// Source encryption.
    #[error(transparent)]
    Source(#[from] backstay_privacy::SourceError),
    /// Sealed secrets.
    #[error(transparent)]
    Seal(#[from] backstay_privacy::SealError),
}

impl StoreError {
    /// Whether a full disk is behind it, wherever that was noticed.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::NoSpace { .. }) || full(self)
    }

    /// An error of this path.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoSpace { place: format!("`{}`", path.display()) }
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { place: format!("`{}`", path.display()) }
            }
            _ => Self::Io { path, source },
        }
    }

    /// An error of the columns of this table.
    pub(crate) fn columns<E: std::error::Error + 'static>(
        table: &str,
        doing: &'static str,
    ) -> impl FnOnce(E) -> Self {
        let table = table.to_owned();
        move |error| match full(&error) {
            true => Self::NoSpace { place: format!("the rows of `{table}`") },
            false => Self::Columns { table, doing, message: error.to_string() },
        }
    }
}

/// Whether a full disk is behind an error.
pub(crate) fn full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut at = Some(error);
    while let Some(error) = at {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        // An I/O error gives the error it carries as itself, not as its source.
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        at = match carried {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        };
    }
    false
}
