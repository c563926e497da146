//! Owns the check of a bundle: everything is derived again from the entries and compared with what
//! the bundle and its signed checkpoints say. It must never pass a bundle that holds less than it
//! claims, and never trust a file for what another file says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use serde::Serialize;

use super::source::BundleSource;
use super::{CHECKPOINT_PATH, CHECKPOINTS, MAX_PAYLOAD_BYTES, OBJECTS, PAYLOADS, VKEY_PATH};
use crate::bundle::erasure::Erasures;
use crate::bundle::write::PayloadFile;
use crate::checkpoint::Checkpoint;
use crate::digest::{Digest, SaltedDigest};
use crate::entry::{Entry, EntryKind};
use crate::note::VerifierKey;
use crate::tile::{TILE_WIDTH, Tile, TileCutter, entries_path, split_entries};
use crate::tree::{Frontier, empty_root, leaf_hash};

/// How many problems are named one by one; the rest are counted.
const MAX_PROBLEMS: usize = 100;
/// An entry bundle is at most 256 entries of 2 + 65,535 bytes.
const MAX_FILE_BYTES: u64 = 256 * 65_537;

/// What the auditor brings along.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions<'o> {
    /// A signed checkpoint kept from an earlier day: the bundle must continue it.
    pub since: Option<&'o str>,
    /// The key, obtained by another way than the bundle. Without it the bundle's own is taken, which
    /// shows that the bundle is in itself true, not whose it is.
    pub key: Option<VerifierKey>,
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct VerifyReport {
    /// Whose ledger.
    pub origin: String,
    /// The verifier key.
    pub key: String,
    /// Whether the key came out of the bundle itself.
    pub key_from_bundle: bool,
    /// How many entries.
    pub size: u64,
    /// The root of their tree.
    pub root: String,
    /// Entries by kind.
    pub kinds: BTreeMap<String, u64>,
    /// When the first entry was recorded, microseconds since 1970-01-01 UTC.
    pub first_recorded_at_us: Option<i64>,
    /// When the last one was.
    pub last_recorded_at_us: Option<i64>,
    /// Hash tiles compared.
    pub tiles: u64,
    /// Payloads present and true.
    pub payloads: u64,
    /// Payloads erased on record.
    pub payloads_erased: u64,
    /// Objects present and true to their name.
    pub objects: u64,
    /// Objects that entries stand on and that were erased on record.
    pub objects_erased: u64,
    /// Older checkpoints in the bundle that it continues.
    pub earlier_checkpoints: u64,
    /// Size of the auditor's own checkpoint, when he brought one.
    pub since_size: Option<u64>,
    /// Files erased on record and still in the bundle: the proof holds, the erasure does not.
    pub erased_but_present: Vec<String>,
    /// Files that no entry speaks of: nothing is proved about them.
    pub unproved: Vec<String>,
}

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A file that must be there is not.
    #[error("`{path}` is missing")]
    Missing {
        /// Path in the bundle.
        path: String,
    },
    /// A file is not what its place demands.
    #[error("`{path}`: {reason}")]
    File {
        /// Path in the bundle.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// An entry breaks a rule of the ledger.
    #[error("entry {sequence}: {reason}")]
    Entry {
        /// Place in the ledger.
        sequence: u64,
        /// What is wrong.
        reason: String,
    },
    /// The payload is gone, and no entry erased it.
    #[error("entry {sequence}: its payload `{digest}` is missing and no later entry erased it")]
    PayloadMissing {
        /// Place in the ledger.
        sequence: u64,
        /// What the payload hashes to.
        digest: SaltedDigest,
    },
    /// An object is gone, and no entry erased it.
    #[error("entry {sequence}: object `{digest}` is missing and no later entry erased it")]
    ObjectMissing {
        /// The last entry that stands on it.
        sequence: u64,
        /// Its digest.
        digest: Digest,
    },
    /// The tree over the entries has another root than the signed one.
    #[error(
        "the {size} entries lead to root `{computed}`, but the checkpoint signs `{signed}`: entries were changed, moved or replaced"
    )]
    Root {
        /// The tree's size.
        size: u64,
        /// What was signed.
        signed: Digest,
        /// What the entries lead to.
        computed: Digest,
    },
    /// An older checkpoint is not continued.
    #[error(
        "{which} signed root `{signed}` at {size} entries, but the first {size} entries now lead to `{computed}`: history was rewritten after it"
    )]
    Rewritten {
        /// Which checkpoint.
        which: String,
        /// Its size.
        size: u64,
        /// What it signed.
        signed: Digest,
        /// What the entries lead to.
        computed: Digest,
    },
    /// An older checkpoint has more entries than the bundle.
    #[error(
        "{which} signed {signed} entries, but the bundle has only {size}: entries were cut off"
    )]
    CutOff {
        /// Which checkpoint.
        which: String,
        /// Its size.
        signed: u64,
        /// The bundle's size.
        size: u64,
    },
    /// A checkpoint or key is not acceptable.
    #[error("{which}: {reason}")]
    Checkpoint {
        /// Which one.
        which: String,
        /// Why.
        reason: String,
    },
}

/// Why a bundle is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The disk failed, so nothing is known.
    #[error("`{path}` cannot be read: {source}")]
    Unreadable {
        /// Path in the bundle.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// The bundle is not what it claims to be.
    #[error("the bundle is not verified: {count} problem(s)")]
    Refused {
        /// The first hundred.
        problems: Vec<Problem>,
        /// How many there are.
        count: u64,
    },
}

/// Checks a bundle as a whole: key and signature, canonical entries in order with recording times that
/// never decrease, the tree and its tiles, payloads, objects, and every older checkpoint.
///
/// # Errors
/// [`VerifyError::Refused`] with what is wrong, [`VerifyError::Unreadable`] when it cannot be told.
pub fn verify_bundle(
    source: &dyn BundleSource,
    options: &VerifyOptions<'_>,
) -> Result<VerifyReport, VerifyError> {
    let paths = source
        .paths()
        .map_err(|source| VerifyError::Unreadable { path: ".".to_owned(), source })?;
    let mut check = Check {
        source,
        unseen: paths.into_iter().collect(),
        problems: Vec::new(),
        count: 0,
        report: VerifyReport::default(),
        earlier: BTreeMap::new(),
        erasures: Erasures::default(),
    };
    if let Some((checkpoint, key)) = check.checkpoint(options)? {
        check.earlier_checkpoints(&checkpoint, &key, options)?;
        check.entries(&checkpoint)?;
        check.payloads();
        check.objects()?;
    }
    check.finish()
}

struct Check<'s> {
    source: &'s dyn BundleSource,
    /// Files that nothing has spoken of yet.
    unseen: BTreeSet<String>,
    problems: Vec<Problem>,
    count: u64,
    report: VerifyReport,
    /// Older checkpoints by size: who says so, and the root.
    earlier: BTreeMap<u64, Vec<(String, Digest)>>,
    erasures: Erasures,
}

impl Check<'_> {
    fn problem(&mut self, problem: Problem) {
        self.count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn entry_problem(&mut self, sequence: u64, reason: impl ToString) {
        self.problem(Problem::Entry { sequence, reason: reason.to_string() });
    }

    /// Takes a file off the list of unseen ones and reads it whole; `None` with a problem noted.
    fn read(&mut self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, VerifyError> {
        self.unseen.remove(path);
        let unreadable = |source| VerifyError::Unreadable { path: path.to_owned(), source };
        let Some(reader) = self.source.open(path).map_err(unreadable)? else {
            self.problem(Problem::Missing { path: path.to_owned() });
            return Ok(None);
        };
        let mut bytes = Vec::new();
        reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > limit {
            self.problem(Problem::File {
                path: path.to_owned(),
                reason: format!("longer than the {limit} bytes such a file may have"),
            });
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    fn read_text(&mut self, path: &str) -> Result<Option<String>, VerifyError> {
        let Some(bytes) = self.read(path, 1 << 20)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).ok();
        if text.is_none() {
            self.problem(Problem::File { path: path.to_owned(), reason: "not UTF-8".to_owned() });
        }
        Ok(text)
    }

    /// Key and newest checkpoint; `None` when there is nothing to hold the rest against.
    fn checkpoint(
        &mut self,
        options: &VerifyOptions<'_>,
    ) -> Result<Option<(Checkpoint, VerifierKey)>, VerifyError> {
        let own = self.read_text(VKEY_PATH)?;
        let own = match own.map(|text| text.trim_end().parse::<VerifierKey>()) {
            None => None,
            Some(Ok(key)) => Some(key),
            Some(Err(error)) => {
                self.problem(Problem::File {
                    path: VKEY_PATH.to_owned(),
                    reason: error.to_string(),
                });
                None
            }
        };
        if let (Some(own), Some(given)) = (&own, &options.key)
            && own != given
        {
            let reason = format!("the bundle names key `{own}`, you gave `{given}`");
            self.problem(Problem::File { path: VKEY_PATH.to_owned(), reason });
        }
        self.report.key_from_bundle = options.key.is_none();
        let key = options.key.clone().or(own);
        let note = self.read_text(CHECKPOINT_PATH)?;
        let (Some(key), Some(note)) = (key, note) else {
            return Ok(None);
        };
        self.report.key = key.to_string();
        match Checkpoint::verify(&note, &key) {
            Ok(checkpoint) => {
                self.report.origin.clone_from(&checkpoint.origin);
                self.report.size = checkpoint.size;
                self.report.root = checkpoint.root.to_hex();
                Ok(Some((checkpoint, key)))
            }
            Err(error) => {
                self.problem(Problem::Checkpoint {
                    which: format!("`{CHECKPOINT_PATH}`"),
                    reason: error.to_string(),
                });
                Ok(None)
            }
        }
    }

    /// Collects the checkpoints that the entries must pass through on their way.
    fn earlier_checkpoints(
        &mut self,
        newest: &Checkpoint,
        key: &VerifierKey,
        options: &VerifyOptions<'_>,
    ) -> Result<(), VerifyError> {
        let paths: Vec<String> =
            self.unseen.iter().filter(|path| path.starts_with(CHECKPOINTS)).cloned().collect();
        for path in paths {
            if let Some(note) = self.read_text(&path)?
                && self.earlier_checkpoint(format!("`{path}`"), &note, newest, key).is_some()
            {
                self.report.earlier_checkpoints += 1;
            }
        }
        if let Some(note) = options.since {
            let which = "the checkpoint you kept".to_owned();
            self.report.since_size = self.earlier_checkpoint(which, note, newest, key);
        }
        Ok(())
    }

    fn earlier_checkpoint(
        &mut self,
        which: String,
        note: &str,
        newest: &Checkpoint,
        key: &VerifierKey,
    ) -> Option<u64> {
        let earlier = match Checkpoint::verify(note, key) {
            Ok(earlier) => earlier,
            Err(error) => {
                let reason = error.to_string();
                self.problem(Problem::Checkpoint { which, reason });
                return None;
            }
        };
        if earlier.size > newest.size {
            self.problem(Problem::CutOff { which, signed: earlier.size, size: newest.size });
            return None;
        }
        let known = self.earlier.entry(earlier.size).or_default();
        known.push((which, earlier.root));
        Some(earlier.size)
    }

    /// Walks all entries once: form, order, tree, tiles, payloads, older checkpoints.
    fn entries(&mut self, checkpoint: &Checkpoint) -> Result<(), VerifyError> {
        let mut frontier = Frontier::new();
        let mut tiles = TileCutter::new();
        let mut previous_us = None;
        self.pass(0, empty_root());
        while frontier.size() < checkpoint.size {
            let at = frontier.size();
            let width = TILE_WIDTH.min(usize::try_from(checkpoint.size - at).unwrap_or(TILE_WIDTH));
            let path = entries_path(at / TILE_WIDTH as u64, width);
            let Some(bytes) = self.read(&path, MAX_FILE_BYTES)? else {
                return Ok(());
            };
            let Some(entries) = split_entries(&bytes).filter(|entries| entries.len() == width)
            else {
                self.problem(Problem::File {
                    path,
                    reason: format!("does not hold {width} whole entries"),
                });
                return Ok(());
            };
            for bytes in entries {
                let leaf = leaf_hash(bytes);
                frontier.append(leaf);
                for tile in tiles.append(leaf) {
                    self.tile(&tile)?;
                }
                self.entry(frontier.size(), bytes, &mut previous_us)?;
                if self.earlier.contains_key(&frontier.size()) {
                    self.pass(frontier.size(), frontier.root());
                }
            }
        }
        for tile in tiles.finish() {
            self.tile(&tile)?;
        }
        if frontier.root() != checkpoint.root {
            self.problem(Problem::Root {
                size: checkpoint.size,
                signed: checkpoint.root,
                computed: frontier.root(),
            });
        }
        Ok(())
    }

    /// Holds the root at this size against every checkpoint that was signed for it.
    fn pass(&mut self, size: u64, computed: Digest) {
        for (which, signed) in self.earlier.remove(&size).unwrap_or_default() {
            if signed != computed {
                self.problem(Problem::Rewritten { which, size, signed, computed });
            }
        }
    }

    fn tile(&mut self, tile: &Tile) -> Result<(), VerifyError> {
        let path = tile.path();
        let Some(bytes) = self.read(&path, (TILE_WIDTH * 32) as u64)? else {
            return Ok(());
        };
        if bytes == tile.to_bytes() {
            self.report.tiles += 1;
        } else {
            self.problem(Problem::File {
                path,
                reason: "its hashes are not those of the entries".to_owned(),
            });
        }
        Ok(())
    }

    fn entry(
        &mut self,
        sequence: u64,
        bytes: &[u8],
        previous_us: &mut Option<i64>,
    ) -> Result<(), VerifyError> {
        let entry = match Entry::from_bytes(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                self.entry_problem(sequence, error);
                return Ok(());
            }
        };
        if entry.sequence != sequence {
            let reason = format!("stands here but calls itself entry {}", entry.sequence);
            self.entry_problem(sequence, reason);
        }
        let recorded_at_us = entry.recorded_at_us;
        if previous_us.is_some_and(|previous| recorded_at_us < previous) {
            self.entry_problem(sequence, "was recorded before its predecessor");
        }
        *previous_us = Some(recorded_at_us);
        self.report.first_recorded_at_us.get_or_insert(recorded_at_us);
        self.report.last_recorded_at_us = Some(recorded_at_us);
        *self.report.kinds.entry(entry.kind.as_str().to_owned()).or_default() += 1;
        self.payload(sequence, &entry)
    }

    fn payload(&mut self, sequence: u64, entry: &Entry) -> Result<(), VerifyError> {
        let path = format!("{PAYLOADS}{}", entry.payload);
        let erases = entry.kind == EntryKind::Erase;
        let Some(reader) = self
            .source
            .open(&path)
            .map_err(|source| VerifyError::Unreadable { path: path.clone(), source })?
        else {
            if erases {
                // Nobody may erase what says what was erased.
                self.problem(Problem::PayloadMissing { sequence, digest: entry.payload });
            } else {
                self.erasures.payload_absent(sequence, entry.payload);
            }
            return Ok(());
        };
        drop(reader);
        let Some(bytes) = self.read(&path, MAX_PAYLOAD_BYTES + 32)? else {
            return Ok(());
        };
        let file = PayloadFile::from_bytes(&bytes).filter(|file| file.digest() == entry.payload);
        let Some(file) = file else {
            self.entry_problem(sequence, format!("`{path}` is not its payload: bytes differ"));
            return Ok(());
        };
        self.report.payloads += 1;
        self.erasures.payload_present(sequence, entry.payload);
        if let Err(error) = self.erasures.note(sequence, erases, &file.payload) {
            self.entry_problem(sequence, format!("its payload cannot be read: {error}"));
        }
        Ok(())
    }

    fn payloads(&mut self) {
        let (erased, missing) = self.erasures.absent_payloads();
        self.report.payloads_erased = erased;
        for (sequence, digest) in missing {
            self.problem(Problem::PayloadMissing { sequence, digest });
        }
        let present = self.erasures.erased_but_present_payloads();
        self.report
            .erased_but_present
            .extend(present.iter().map(|digest| format!("{PAYLOADS}{digest}")));
    }

    fn objects(&mut self) -> Result<(), VerifyError> {
        let paths: Vec<String> =
            self.unseen.iter().filter(|path| path.starts_with(OBJECTS)).cloned().collect();
        let mut present = BTreeSet::new();
        for path in paths {
            if let Some(digest) = self.object(&path)? {
                present.insert(digest);
            }
        }
        let objects = self.erasures.objects(&present);
        self.report.objects_erased = objects.erased;
        for digest in objects.erased_but_present {
            self.report.erased_but_present.push(format!("{OBJECTS}{digest}"));
        }
        for (sequence, digest) in objects.missing {
            self.problem(Problem::ObjectMissing { sequence, digest });
        }
        Ok(())
    }

    /// Hashes one object; its digest when it is one, whatever its bytes say.
    fn object(&mut self, path: &str) -> Result<Option<Digest>, VerifyError> {
        let Some(Ok(digest)) = path.strip_prefix(OBJECTS).map(str::parse::<Digest>) else {
            return Ok(None);
        };
        let unreadable = |source| VerifyError::Unreadable { path: path.to_owned(), source };
        let Some(mut reader) = self.source.open(path).map_err(unreadable)? else {
            return Ok(None);
        };
        let (found, _) = Digest::of_reader(&mut reader).map_err(unreadable)?;
        drop(reader);
        if found != digest {
            self.unseen.remove(path);
            self.problem(Problem::File {
                path: path.to_owned(),
                reason: format!("hashes to `{found}`: its bytes have changed"),
            });
        } else if self.erasures.stands_on(&digest) {
            self.unseen.remove(path);
            self.report.objects += 1;
        }
        Ok(Some(digest))
    }

    fn finish(mut self) -> Result<VerifyReport, VerifyError> {
        if self.count > 0 {
            return Err(VerifyError::Refused { problems: self.problems, count: self.count });
        }
        self.report.unproved = self.unseen.into_iter().collect();
        Ok(self.report)
    }
}
