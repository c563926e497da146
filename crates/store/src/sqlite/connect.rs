//! Opening the database for writing, for reading only, or as it is at one moment; its transactions,
//! each step of which is a fault point; and what SQLite says, in our words.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use backstay_ledger::{EvidenceDigest, Frontier};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, Params, Transaction, TransactionBehavior, ffi, params,
};

use super::{SqliteBackend, schema};
use crate::{
    error::{Result, StoreError},
    fault::{Step, around},
    objects::Folder,
};

/// Seconds that a writer waits for another process.
const WAIT_S: u64 = 60;
/// Statements kept ready; more than the store has.
const STATEMENTS: usize = 64;
/// The version of the tables that knew of no accounts.
const BEFORE_ACCOUNTS: i64 = 2;
/// Seconds after which it says so.
const SILENT_S: u64 = 1;

/// Turns what SQLite says into ours.
pub(crate) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error_code() {
        // A write-ahead log whose index cannot grow: SQLite calls a full disk by another name.
        Some(ErrorCode::SystemIoFailure) if is_shared_memory_full(&error) => {
            StoreError::NoSpace { place: "the database".to_owned() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Busy { waited_s: WAIT_S }
        }
        Some(ErrorCode::DiskFull) => StoreError::NoSpace { place: "the database".to_owned() },
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { place: "the database".to_owned() },
        // Our statements and types are fixed: what does not fit them was not written by us.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) | None => {
            StoreError::BadDatabase { doing, message: words(&error) }
        }
        Some(_) => StoreError::Database { doing, message: words(&error) },
    }
}

fn is_shared_memory_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE)
}

/// What SQLite said, without the statement.
fn words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

/// An error of a fault point.
fn broken(doing: &'static str) -> impl FnOnce(std::io::Error) -> StoreError {
    move |error| StoreError::Database { doing, message: error.to_string() }
}

/// Changes something, as one fault point.
pub(super) fn change(
    connection: &Connection,
    database: &Path,
    doing: &'static str,
    sql: &str,
    params: impl Params,
) -> Result<usize> {
    around(Step::Statement, database, broken(doing), || {
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map_err(failed(doing))
    })
}

/// Whom to tell that a writer waits for another process.
#[derive(Default, Clone)]
pub(super) struct Waiting(Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>);

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

/// The database's write-ahead log.
fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

impl SqliteBackend {
    /// Makes a new database in a file that does not exist.
    ///
    /// # Errors
    /// Those of SQLite and the disk.
    pub fn create(database: &Path, folder: Folder) -> Result<Self> {
        let backend = Self::connect(database, folder)?;
        let doing = "making the database";
        backend.transaction(doing, &mut |transaction| {
            around(Step::Statement, database, broken(doing), || {
                transaction.execute_batch(schema::LEDGER).map_err(failed(doing))?;
                transaction.execute_batch(schema::READINGS).map_err(failed(doing))?;
                transaction.execute_batch(schema::ACCOUNTS).map_err(failed(doing))
            })?;
            let empty = EvidenceDigest::empty().0.0;
            let sql =
                "INSERT INTO head (one, frontier, evidence, evidence_seq) VALUES (1, ?, ?, 0)";
            change(transaction, database, doing, sql, params![Frontier::new().to_bytes(), empty])?;
            // Last: a database without its version was never finished.
            transaction.pragma_update(None, "user_version", schema::VERSION).map_err(failed(doing))
        })?;
        Ok(backend)
    }

    /// Opens the database; where the disk is read-only, for reading. True: an earlier release wrote
    /// it, its tables were brought up to date, and its readings are empty until they are rebuilt.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a later release wrote it, [`StoreError::BadDatabase`] when it is
    /// damaged, [`StoreError::ReadOnly`] when it cannot be read without writing; those of SQLite
    /// and the disk.
    pub fn open(database: &Path, folder: Folder) -> Result<(Self, bool)> {
        if !database.is_file() {
            return Err(StoreError::Damaged {
                path: database.to_owned(),
                reason: "the database is missing: restore the workspace from a backup".to_owned(),
            });
        }
        let backend = match Self::connect(database, folder.clone()) {
            Err(StoreError::ReadOnly { .. }) => Self::connect_to_read(database, folder)?,
            other => other?,
        };
        let found: i64 = backend
            .connection()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed("opening the database"))?;
        if found > schema::VERSION {
            return Err(StoreError::Newer {
                dir: database.to_owned(),
                found: u32::try_from(found).unwrap_or(u32::MAX),
                known: u32::try_from(schema::VERSION).unwrap_or(u32::MAX),
            });
        }
        if (1..schema::VERSION).contains(&found) {
            // What only reads has been given the new tables, empty, for as long as it lives.
            if found == 1 || !backend.is_read_only()? {
                backend.upgrade()?;
            }
        } else if found < schema::VERSION {
            return Err(StoreError::Damaged {
                path: database.to_owned(),
                reason: "the database was never finished: start again with a new workspace".into(),
            });
        }
        let empty = backend.query(
            "opening the database",
            "SELECT EXISTS (SELECT 1 FROM entry WHERE kind = 'import' AND kind <> 'edit')
                AND NOT EXISTS (SELECT 1 FROM import)",
            [],
            |row| row.get(0),
        )?;
        Ok((backend, empty.first().copied().unwrap_or(false)))
    }

    /// Brings the tables of earlier versions up to date. Another process may have done so meanwhile.
    fn upgrade(&self) -> Result<()> {
        let doing = "bringing the database up to date";
        let foreign_keys = |value: &str| {
            let connection = self.connection();
            connection.pragma_update(None, "foreign_keys", value).map_err(failed(doing))
        };
        foreign_keys("off")?;
        self.transaction(doing, &mut |transaction| {
            let found: i64 = transaction
                .pragma_query_value(None, "user_version", |row| row.get(0))
                .map_err(failed(doing))?;
            if found == schema::VERSION {
                return Ok(());
            }
            around(Step::Statement, &self.database, broken(doing), || {
                if found == 1 {
                    transaction.execute_batch(schema::FROM_1).map_err(failed(doing))?;
                    transaction.execute_batch(schema::READINGS).map_err(failed(doing))?;
                }
                transaction.execute_batch(schema::ACCOUNTS).map_err(failed(doing))
            })?;
            let version = schema::VERSION;
            transaction.pragma_update(None, "user_version", version).map_err(failed(doing))
        })?;
        foreign_keys("on")
    }

    fn over(connection: Connection, database: &Path, folder: Folder) -> Result<Self> {
        connection
            .busy_timeout(Duration::from_secs(WAIT_S))
            .map_err(failed("opening the database"))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Self {
            connection: Mutex::new(connection),
            database: database.to_owned(),
            folder,
            waiting: Waiting::default(),
        })
    }

    fn connect(database: &Path, folder: Folder) -> Result<Self> {
        let doing = failed("opening the database");
        let read_only = |error: rusqlite::Error| match error.sqlite_error_code() {
            // SQLite cannot make its files beside a database that it may not write.
            Some(ErrorCode::CannotOpen) if database.is_file() => {
                StoreError::ReadOnly { place: database.display().to_string() }
            }
            _ => doing(error),
        };
        let connection = Connection::open(database).map_err(&read_only)?;
        let backend = Self::over(connection, database, folder)?;
        {
            let connection = backend.connection();
            for (name, value) in [
                ("journal_mode", "wal"),
                ("synchronous", "full"),
                ("foreign_keys", "on"),
                ("secure_delete", "on"),
            ] {
                connection.pragma_update(None, name, value).map_err(&read_only)?;
            }
            if connection.is_readonly("main").map_err(&doing)? {
                return Err(StoreError::ReadOnly { place: database.display().to_string() });
            }
        }
        Ok(backend)
    }

    /// Opens a database that cannot be written.
    fn connect_to_read(database: &Path, folder: Folder) -> Result<Self> {
        let doing = failed("opening the database");
        let has_log = std::fs::metadata(log_of(database)).is_ok_and(|log| log.len() > 0);
        let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = if has_log {
            Connection::open_with_flags(database, flags).map_err(&doing)?
        } else {
            // All is in the file, and nobody has it open for writing: nothing beside it is needed.
            flags |= OpenFlags::SQLITE_OPEN_URI;
            let place = std::path::absolute(database).map_err(StoreError::io(database))?;
            let uri = format!("file:{}?immutable=1", escaped(&place.to_string_lossy()));
            Connection::open_with_flags(uri, flags).map_err(&doing)?
        };
        let seen = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        match seen {
            Err(error) if has_log && error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
                return Err(StoreError::UnreadableHere(database.to_owned()));
            }
            other => other.map_err(&doing)?,
        }
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(&doing)?;
        if version == BEFORE_ACCOUNTS {
            let none = schema::ACCOUNTS
                .replace("CREATE TABLE", "CREATE TEMP TABLE")
                .replace("CREATE INDEX ", "CREATE INDEX temp.");
            connection.execute_batch(&none).map_err(&doing)?;
        }
        Self::over(connection, database, folder)
    }

    /// The same, as it is at this moment whatever others write, for as long as the value lives.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn snapshot(&self) -> Result<Self> {
        let doing = failed("reading the database");
        let backend = {
            let writable = !self.connection().is_readonly("main").map_err(&doing)?;
            if writable {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection =
                    Connection::open_with_flags(&self.database, flags).map_err(&doing)?;
                Self::over(connection, &self.database, self.folder.clone())?
            } else {
                Self::connect_to_read(&self.database, self.folder.clone())?
            }
        };
        // A transaction sees what its first read saw.
        backend.connection().execute_batch("BEGIN; SELECT count(*) FROM head;").map_err(&doing)?;
        Ok(backend)
    }

    /// Runs a transaction that writes; waits for another process, and says so.
    pub(super) fn transaction(
        &self,
        doing: &'static str,
        work: &mut dyn FnMut(&Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let connection = self.connection();
        let begin = |seconds| {
            connection.busy_timeout(Duration::from_secs(seconds)).map_err(failed(doing))?;
            Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)
                .map_err(failed(doing))
        };
        let transaction =
            around(Step::Begin, &self.database, broken(doing), || match begin(SILENT_S) {
                Err(StoreError::Busy { .. }) => {
                    self.say_waiting();
                    begin(WAIT_S)
                }
                other => other,
            })?;
        work(&transaction)?;
        around(Step::Commit, &self.database, broken(doing), || {
            transaction.commit().map_err(failed(doing))
        })
    }

    /// Whom to tell, once at most a wait, that this process waits for another one.
    pub(crate) fn on_waiting(&self, say: Box<dyn Fn() + Send + Sync>) {
        // The first one stays.
        let _ = self.waiting.0.set(say);
    }

    pub(crate) fn say_waiting(&self) {
        if let Some(say) = self.waiting.0.get() {
            say();
        }
    }

    /// Whether it was opened for reading only.
    pub(crate) fn is_read_only(&self) -> Result<bool> {
        self.connection().is_readonly("main").map_err(failed("opening the database"))
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A consistent copy into a file that does not exist, without what was deleted.
    ///
    /// # Errors
    /// Those of SQLite and the disk.
    pub fn copy_to(&self, database: &Path) -> Result<()> {
        let doing = "copying the database";
        let name = database.to_string_lossy();
        around(Step::CopyDatabase, database, broken(doing), || {
            self.connection()
                .execute("VACUUM INTO ?", [name.as_ref()])
                .map(|_| ())
                .map_err(failed(doing))
        })?;
        // SQLite leaves making the copy durable to us.
        let file = std::fs::File::open(database).map_err(StoreError::io(database))?;
        crate::disk::sync(&file, database).map_err(StoreError::io(database))
    }

    /// Empties the write-ahead log, so that nothing deleted stays in it. Best effort while others
    /// read; SQLite does it by itself later.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn scrub(&self) -> Result<()> {
        let doing = "emptying the write-ahead log";
        around(Step::Checkpoint, &self.database, broken(doing), || {
            self.connection()
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .map_err(failed(doing))
        })
    }

    /// What SQLite's own check says: nothing when all is well.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn integrity(&self) -> Result<Vec<String>> {
        let doing = failed("checking the database");
        let connection = self.connection();
        let mut statement = connection.prepare("PRAGMA integrity_check(20)").map_err(&doing)?;
        let lines = statement
            .query_map([], |row| row.get::<_, String>(0))
            .map_err(&doing)?
            .collect::<rusqlite::Result<Vec<_>>>()
            .map_err(&doing)?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

/// A path as a URI takes it.
fn escaped(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
