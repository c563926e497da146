//! A workspace is a folder: `workspace.toml`, `backstay.sqlite`, `objects/`, `keys/`, `cache/` and
//! `tmp/`. This file owns making and opening it, appending entries with a signed checkpoint, and
//! the manifest. Several processes may work on one workspace at once; see [`Workspace::write_lock`].
//!
//! Longer than most because each of the doors to its rooms is one short method here.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use backstay_evidence::{Digest, Manifest, ObjectSource, Vocabulary, manifest::ObjectBody};
use backstay_ledger::{Checkpoint, Digest as LedgerDigest, EntryKind, Salt, checkpoint::origin_of};
use serde::{Deserialize, Serialize};

use crate::{
    backend::{Append, Backend, Basis, FinishEach, IndexWriter, Sealed},
    cache::ResultCache,
    disk,
    error::{Result, StoreError},
    keys::Keys,
    layout::HeldTails,
    objects::Folder,
    payload::{self, InitPayload},
    scratch::Run,
    sqlite::SqliteBackend,
    witness,
};

/// Format of a workspace that this release writes, and the latest that it reads.
pub const FORMAT: u32 = 1;
/// The file that makes a folder a workspace.
pub(crate) const WORKSPACE_FILE: &str = "workspace.toml";
/// The database.
pub(crate) const DATABASE_FILE: &str = "backstay.sqlite";
/// The folder of objects.
pub(crate) const OBJECTS_FOLDER: &str = "objects";
/// The folder of keys.
pub(crate) const KEYS_FOLDER: &str = "keys";
/// The folder that may be deleted at any time.
pub(crate) const CACHE_FOLDER: &str = "cache";
/// The folder of files being written.
pub(crate) const SCRATCH_FOLDER: &str = "tmp";
/// Held while objects are made known or removed.
const LOCK_FILE: &str = "write.lock";

/// What the door brings to every change: who, when, and fresh randomness.
pub struct Ctx<'a> {
    /// The clock, microseconds since 1970-01-01 UTC.
    pub now_us: i64,
    /// Account id or pseudonym; entries cannot be erased, so never a person's name.
    pub actor: &'a str,
    /// Fills a slice with bytes that nobody can foresee.
    pub random: &'a mut dyn FnMut(&mut [u8]),
}

impl std::fmt::Debug for Ctx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ctx")
            .field("now_us", &self.now_us)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

impl Ctx<'_> {
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }
}

/// What a new workspace needs.
#[derive(Clone)]
pub struct InitOptions {
    /// The clock, microseconds UTC.
    pub now_us: i64,
    /// Who makes it.
    pub actor: String,
    /// Fresh randomness: 16 bytes for the id, 32 each for the pseudonym, wrap and signing keys and
    /// the first salt.
    pub random: [u8; 144],
}

impl std::fmt::Debug for InitOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InitOptions")
            .field("now_us", &self.now_us)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// How much an import holds in memory before it goes to temporary files. Results never depend on
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of typed rows, over all tables and arrangements of a file.
    pub row_bytes: usize,
    /// Rows of one table and arrangement, new and stored, that are compared at once. Beyond them
    /// each row takes one byte in memory.
    pub compared_rows: u64,
    /// Rows of one table and arrangement that were entered by hand after which they are cut into an
    /// object.
    pub tail_rows: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { row_bytes: 64 << 20, compared_rows: 1 << 20, tail_rows: 4_096 }
    }
}

/// As of when a manifest is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// All that is known.
    Latest,
    /// What was known with this entry.
    Seq(u64),
    /// What was known at this instant, microseconds UTC.
    InstantUs(i64),
}

/// `workspace.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WorkspaceFile {
    /// Format.
    pub(crate) format: u32,
    /// Id: 32 hexadecimal digits.
    pub(crate) workspace: String,
    /// When it was made, microseconds UTC.
    pub(crate) created_us: i64,
}

/// One line of the ledger, for lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntrySummary {
    /// Sequence.
    pub entry: u64,
    /// Instant, microseconds UTC.
    pub recorded_at_us: i64,
    /// Who.
    pub actor: String,
    /// Kind.
    pub kind: String,
    /// Arrangements.
    pub arrangements: Vec<String>,
    /// Payload; `None` when erased.
    pub payload: Option<serde_json::Value>,
}

/// An open workspace.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) dir: PathBuf,
    pub(crate) id: String,
    pub(crate) backend: Arc<SqliteBackend>,
    pub(crate) keys: Keys,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) limits: Limits,
    pub(crate) held: HeldTails,
    /// Read what entries hold, never merged objects.
    pub(crate) originals_only: bool,
}

/// Proof that this process may make objects known or remove them.
#[derive(Debug)]
pub(crate) struct WriteLock {
    _file: File,
}

/// Temporary files of one piece of work.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
    _run: Arc<Run>,
}

impl Scratch {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Workspace {
    /// Makes a workspace in a new or empty folder.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`]; those of the disk.
    pub fn init(dir: &Path, options: InitOptions) -> Result<Self> {
        must_be_free(dir)?;
        disk::create_folders(dir).map_err(StoreError::io(dir))?;
        disk::restrict(dir, 0o700).map_err(StoreError::io(dir))?;
        for name in [OBJECTS_FOLDER, CACHE_FOLDER, SCRATCH_FOLDER] {
            let path = dir.join(name);
            disk::create_folder(&path).map_err(StoreError::io(&path))?;
        }
        let mut random = options.random.chunks(16);
        let mut take =
            |chunks: usize| random.by_ref().take(chunks).flatten().copied().collect::<Vec<u8>>();
        let id = hex::encode(take(1));
        let (pseudonym, wrap, signing, salt) = (take(2), take(2), take(2), take(2));
        let keys = Keys::new(dir.join(KEYS_FOLDER));
        keys.create(&pseudonym, &wrap, &signing)?;
        let folder = folder_of(dir);
        let backend = SqliteBackend::create(&dir.join(DATABASE_FILE), folder)?;
        let workspace = Self {
            dir: dir.to_owned(),
            id: id.clone(),
            backend: Arc::new(backend),
            keys,
            vocabulary: built_in()?,
            limits: Limits::default(),
            held: HeldTails::default(),
            originals_only: false,
        };
        let payload = payload::write(&InitPayload {
            workspace: id.clone(),
            format: FORMAT,
            release: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        let mut first_salt = Salt([0; 32]);
        first_salt.0.iter_mut().zip(salt).for_each(|(to, from)| *to = from);
        let append = Append {
            actor: options.actor,
            kind: EntryKind::Init,
            arrangements: Vec::new(),
            expectations: Vec::new(),
            basis: Basis::SizeIs(0),
            content: LedgerDigest::of_content(&payload),
            payload,
            salt: first_salt,
            now_us: options.now_us,
        };
        workspace.append(&append, &mut |_, _| Ok(()))?;
        // Written last: a folder without this file is no workspace.
        WorkspaceFile { format: FORMAT, workspace: id, created_us: options.now_us }.write(dir)?;
        Ok(workspace)
    }

    /// Opens a workspace.
    ///
    /// # Errors
    /// [`StoreError::NotWorkspace`], [`StoreError::Newer`], [`StoreError::Damaged`].
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_as(dir, &WorkspaceFile::read(dir)?)
    }

    /// Opens a folder as the workspace that this file names, whether the folder has the file or
    /// not.
    pub(crate) fn open_as(dir: &Path, file: &WorkspaceFile) -> Result<Self> {
        let (backend, empty) = SqliteBackend::open(&dir.join(DATABASE_FILE), folder_of(dir))?;
        let workspace = Self {
            dir: dir.to_owned(),
            id: file.workspace.clone(),
            backend: Arc::new(backend),
            keys: Keys::new(dir.join(KEYS_FOLDER)),
            vocabulary: built_in()?,
            limits: Limits::default(),
            held: HeldTails::default(),
            originals_only: false,
        };
        if empty {
            workspace.rebuild_readings()?;
        }
        Ok(workspace)
    }

    /// Changes the vocabulary that it reads and writes with; for tests of what a later release does
    /// with rows that were written before.
    #[must_use]
    pub fn with_vocabulary(mut self, vocabulary: Vocabulary) -> Self {
        self.vocabulary = vocabulary;
        self
    }

    /// The workspace as a reader of an earlier vocabulary sees it: merged objects, which may have been
    /// written with a later one, are left aside for what entries hold. For replays.
    #[must_use]
    pub fn read_with(mut self, vocabulary: Vocabulary) -> Self {
        self.vocabulary = vocabulary;
        self.originals_only = true;
        self
    }

    /// Changes how much its imports hold in memory.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whom to tell that this process waits for another one that writes.
    #[must_use]
    pub fn on_waiting(self, say: impl Fn() + Send + Sync + 'static) -> Self {
        self.backend.on_waiting(Box::new(say));
        self
    }

    /// The same workspace, as it is at this moment whatever others write.
    pub(crate) fn snapshot(&self) -> Result<Self> {
        Ok(Self {
            dir: self.dir.clone(),
            id: self.id.clone(),
            backend: Arc::new(self.backend.snapshot()?),
            keys: self.keys.clone(),
            vocabulary: self.vocabulary.clone(),
            limits: self.limits,
            held: HeldTails::default(),
            originals_only: self.originals_only,
        })
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The vocabulary that it imports with.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Whether it lies where nothing can be written: then it answers, and keeps nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_read_only(&self) -> Result<bool> {
        self.backend.is_read_only()
    }

    /// What keeps it.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend {
        self.backend.as_ref()
    }

    /// Where its objects are read from.
    #[must_use]
    pub fn objects(&self) -> Arc<WorkspaceObjects> {
        Arc::new(WorkspaceObjects { backend: Arc::clone(&self.backend) })
    }

    /// The cache of results.
    #[must_use]
    pub fn cache(&self) -> ResultCache {
        ResultCache::new(self.dir.join(CACHE_FOLDER))
    }

    /// The newest signed checkpoint.
    ///
    /// # Errors
    /// Those of the database.
    pub fn checkpoint(&self) -> Result<Option<String>> {
        Ok(self.backend.checkpoints()?.pop().map(|(_, note)| note))
    }

    /// The verifier key that belongs to its checkpoints.
    ///
    /// # Errors
    /// [`StoreError::NoKey`].
    pub fn verifier_key(&self) -> Result<backstay_ledger::VerifierKey> {
        Ok(self.keys.signing(&origin_of(&self.id))?.verifier())
    }

    /// Entries from `from` on, at most `limit`, with their payloads.
    ///
    /// # Errors
    /// Those of the database.
    pub fn entries(&self, from: u64, limit: usize) -> Result<Vec<EntrySummary>> {
        let stored = self.backend.entries(from, limit)?;
        stored
            .into_iter()
            .map(|stored| {
                Ok(EntrySummary {
                    entry: stored.entry.sequence,
                    recorded_at_us: stored.entry.recorded_at_us,
                    actor: stored.entry.actor.clone(),
                    kind: stored.entry.kind.to_string(),
                    arrangements: stored.entry.arrangements.clone(),
                    payload: match &stored.payload {
                        Some(_) => Some(payload::read(&stored)?),
                        None => None,
                    },
                })
            })
            .collect()
    }

    /// The entries of a kind, in order; none of one that is no kind, and not for edits, of which there
    /// are many.
    ///
    /// # Errors
    /// Those of the database.
    pub fn entries_of_kind(&self, kind: &str) -> Result<Vec<u64>> {
        match kind.parse() {
            Ok(kind) => self.backend.with_kind(&kind),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// The list of objects that make up every table, cut to the arrangements in scope (none: all);
    /// shared tables stay. All of it is as it was at one moment, whatever others write.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`] for a sequence that is not there; those of the database.
    pub fn manifest(&self, as_of: AsOf, scope: &[String]) -> Result<Manifest> {
        let backend = self.backend.snapshot()?;
        let size = backend.head()?.size;
        let seq = match as_of {
            AsOf::Latest => size,
            AsOf::Seq(seq) if seq == 0 || seq > size => {
                return Err(StoreError::NoEntry { entry: seq, size });
            }
            AsOf::Seq(seq) => seq,
            AsOf::InstantUs(instant) => backend.seq_at(instant)?,
        };
        let in_scope = |arrangement: &str| {
            arrangement.is_empty() || scope.is_empty() || scope.iter().any(|a| a == arrangement)
        };
        let mut segments = self.row_segments_in(&backend, seq, true)?;
        segments.retain(|segment| in_scope(&segment.arrangement_id));
        // Which imports brought something to the scope is asked of their own objects.
        let mut brought: BTreeSet<u64> = BTreeSet::new();
        if !scope.is_empty() {
            let all = backend.segments(seq)?;
            let seen = all.iter().filter(|segment| in_scope(&segment.arrangement_id));
            brought.extend(seen.map(|segment| segment.seq));
        }
        let mut imports = backend.imports(seq)?;
        for import in &mut imports {
            import.arrangements.retain(|arrangement| in_scope(arrangement));
        }
        imports.retain(|import| scope.is_empty() || brought.contains(&import.seq));
        let retractions = backend.retractions(seq)?;
        let (as_of_us, evidence) = match backend.entry(seq)? {
            Some(stored) => (stored.entry.recorded_at_us, stored.evidence),
            None => (i64::MIN, backstay_ledger::EvidenceDigest::empty()),
        };
        let mut scope = scope.to_vec();
        scope.sort_unstable();
        scope.dedup();
        Ok(Manifest {
            as_of_seq: seq,
            as_of_us,
            evidence_digest: Digest(evidence.0.0),
            scope,
            segments,
            retractions,
            imports,
        })
    }

    /// Appends an entry, its readings and a signed checkpoint in one transaction.
    pub(crate) fn append(
        &self,
        append: &Append,
        finish: &mut dyn FnMut(&Sealed, &mut dyn IndexWriter) -> Result<()>,
    ) -> Result<Sealed> {
        let mut each =
            |_: usize, sealed: &Sealed, index: &mut dyn IndexWriter| finish(sealed, index);
        let sealed = self.append_many(std::slice::from_ref(append), &mut each)?;
        sealed.into_iter().next().ok_or(StoreError::Stale { expected: 1, found: 0 })
    }

    /// Appends entries with their readings, and one signed checkpoint over all of them, in one
    /// transaction.
    pub(crate) fn append_many(
        &self,
        appends: &[Append],
        finish: FinishEach<'_>,
    ) -> Result<Vec<Sealed>> {
        let origin = origin_of(&self.id);
        let key = self.keys.signing(&origin)?;
        let mut note = String::new();
        let sealed = self.backend.append_many(appends, &mut |place, sealed, index| {
            finish(place, sealed, index)?;
            let Some(root) = sealed.root else { return Ok(()) };
            let checkpoint = Checkpoint { origin: origin.clone(), size: sealed.seq, root };
            note = checkpoint.sign(&key)?;
            index.put_checkpoint(sealed.seq, &note)
        })?;
        witness::write(&self.dir, &note);
        Ok(sealed)
    }

    /// Appends an entry that brings nothing but its payload. For decisions and settings of the
    /// doors: `content` is what it says.
    ///
    /// # Errors
    /// Those of the database.
    pub fn append_plain(
        &self,
        kind: EntryKind,
        arrangements: &[String],
        value: &serde_json::Value,
        ctx: &mut Ctx<'_>,
    ) -> Result<u64> {
        let payload = payload::write(value)?;
        let append = Append {
            actor: ctx.actor.to_owned(),
            kind,
            arrangements: arrangements.to_vec(),
            expectations: Vec::new(),
            basis: Basis::Any,
            content: LedgerDigest::of_content(&payload),
            payload,
            salt: Salt(ctx.bytes()),
            now_us: ctx.now_us,
        };
        Ok(self.append(&append, &mut |_, _| Ok(()))?.seq)
    }

    /// Waits for the right to make objects known or remove them. Whoever resolves an import holds
    /// it, so that two imports into one workspace follow each other; appends that bring no object
    /// need none. The basis is checked again inside the append transaction, which is what
    /// correctness rests on: the lock only keeps two imports from resolving in vain.
    pub(crate) fn write_lock(&self) -> Result<WriteLock> {
        let path = self.dir.join(LOCK_FILE);
        let file = disk::lock_file(&path).map_err(StoreError::io(&path))?;
        match file.try_lock() {
            Ok(()) => return Ok(WriteLock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => self.backend.say_waiting(),
            Err(fs::TryLockError::Error(source)) => return Err(StoreError::io(path)(source)),
        }
        file.lock().map_err(StoreError::io(&path))?;
        Ok(WriteLock { _file: file })
    }

    /// A folder for temporary files of one piece of work, gone with the value.
    pub(crate) fn scratch(&self) -> Result<Scratch> {
        let run = self.backend.folder().run()?;
        let folder =
            disk::temporary_folder(run.path(), "work-").map_err(StoreError::io(run.path()))?;
        Ok(Scratch { folder, _run: run })
    }

    pub(crate) fn scratch_folder(&self) -> PathBuf {
        self.dir.join(SCRATCH_FOLDER)
    }
}

/// The vocabulary of this release, read once in a process.
fn built_in() -> Result<Vocabulary> {
    static READ: OnceLock<Vocabulary> = OnceLock::new();
    if let Some(vocabulary) = READ.get() {
        return Ok(vocabulary.clone());
    }
    let vocabulary = Vocabulary::built_in()?;
    Ok(READ.get_or_init(|| vocabulary).clone())
}

fn folder_of(dir: &Path) -> Folder {
    Folder::new(dir.join(OBJECTS_FOLDER), dir.join(SCRATCH_FOLDER))
}

/// Refuses a folder that holds something; one that an interrupted command left is named as such.
pub(crate) fn must_be_free(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    let ours = [
        OBJECTS_FOLDER,
        CACHE_FOLDER,
        SCRATCH_FOLDER,
        KEYS_FOLDER,
        DATABASE_FILE,
        LOCK_FILE,
        witness::FILE,
        "backstay.sqlite-wal",
        "backstay.sqlite-shm",
        "backstay.sqlite-journal",
    ];
    let (mut empty, mut unfinished) = (true, true);
    for entry in fs::read_dir(dir).map_err(StoreError::io(dir))? {
        let name = entry.map_err(StoreError::io(dir))?.file_name();
        let name = name.to_string_lossy();
        empty = false;
        unfinished &= ours.contains(&name.as_ref()) || name.starts_with("object-");
    }
    match (empty, unfinished) {
        (true, _) => Ok(()),
        (false, true) => Err(StoreError::Unfinished(dir.to_owned())),
        (false, false) => Err(StoreError::NotEmpty(dir.to_owned())),
    }
}

impl WorkspaceFile {
    /// Reads it from a folder.
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(WORKSPACE_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NotWorkspace(dir.to_owned()));
            }
            Err(source) => return Err(StoreError::io(path)(source)),
        };
        #[derive(Deserialize)]
        struct FormatOnly {
            format: u32,
        }
        let damaged = |error: toml::de::Error| StoreError::Damaged {
            path: path.clone(),
            reason: format!("{}: put the file back from a backup", error.message()),
        };
        let FormatOnly { format } = toml::from_str(&text).map_err(damaged)?;
        if format > FORMAT {
            return Err(StoreError::Newer { dir: dir.to_owned(), found: format, known: FORMAT });
        }
        toml::from_str(&text).map_err(damaged)
    }

    /// Writes it into a folder, which makes that a workspace.
    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(WORKSPACE_FILE);
        let text = toml::to_string(self).map_err(|error| StoreError::Damaged {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        disk::whole_file(&path, text.as_bytes()).map_err(StoreError::io(path))
    }
}

/// A workspace's objects, as the engine reads them.
#[derive(Debug, Clone)]
pub struct WorkspaceObjects {
    backend: Arc<SqliteBackend>,
}

impl ObjectSource for WorkspaceObjects {
    fn open(&self, digest: Digest) -> io::Result<ObjectBody> {
        self.backend.open_object(digest)
    }
}
