//! What somebody takes away to check the ledger elsewhere: signed checkpoints, the proof that an entry
//! is under one of them, and whether a checkpoint that somebody kept still is the beginning of this
//! ledger. It must never hand out a proof that it did not check itself.

use backstay_ledger::{
    Checkpoint, Digest, consistency_proof, inclusion_proof, root_at, verify_inclusion,
};
use serde::Serialize;

use crate::{
    backend::Backend as _,
    error::{Result, StoreError},
    workspace::Workspace,
};

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointView {
    /// Entries under it.
    pub size: u64,
    /// Root of the tree, in hexadecimal.
    pub root: String,
    /// When the last entry under it was recorded, microseconds UTC.
    pub recorded_at_us: i64,
    /// The signed note, as it is kept.
    pub note: String,
}

/// The proof that an entry is in the tree that a checkpoint signs (RFC 9162, 2.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inclusion {
    /// Name and version of this form.
    pub schema: &'static str,
    /// The entry.
    pub entry: u64,
    /// Its place in the tree, from 0.
    pub leaf_index: u64,
    /// Its canonical bytes, which are text.
    pub entry_text: String,
    /// SHA-256 of a zero byte and those bytes, in hexadecimal.
    pub leaf_hash: String,
    /// Entries in the tree.
    pub tree_size: u64,
    /// The tree's root, in hexadecimal.
    pub root: String,
    /// The hashes that lead from the leaf to the root, in hexadecimal, from the leaf upwards.
    pub hashes: Vec<String>,
    /// The checkpoint that signs size and root.
    pub checkpoint: String,
    /// The key that it is signed with.
    pub verifier_key: String,
}

/// What became of a checkpoint that somebody kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptCheckpoint {
    /// This ledger begins with what it signed.
    Holds {
        /// Entries under it.
        size: u64,
        /// Entries now.
        now: u64,
        /// Hashes that show it (RFC 9162, 2.1.4), in hexadecimal.
        hashes: Vec<String>,
    },
    /// It is signed by this workspace, and the ledger is another one since: entries were changed or
    /// taken away.
    Broken {
        /// Entries under it.
        size: u64,
        /// Entries now.
        now: u64,
    },
    /// It is no checkpoint of this workspace.
    Foreign {
        /// Why.
        reason: String,
    },
}

fn hexes(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(Digest::to_hex).collect()
}

impl Workspace {
    /// The checkpoints kept, the newest first, at most `limit`.
    ///
    /// # Errors
    /// Those of the database; a checkpoint that cannot be read.
    pub fn checkpoints(&self, limit: usize) -> Result<Vec<CheckpointView>> {
        let kept = self.backend.checkpoints()?;
        kept.into_iter().rev().take(limit).map(|(_, note)| self.checkpoint_view(note)).collect()
    }

    /// The checkpoint of that size; of size 0 the newest.
    ///
    /// # Errors
    /// As [`Workspace::checkpoints`].
    pub fn checkpoint_of(&self, size: u64) -> Result<Option<CheckpointView>> {
        let mut kept = self.backend.checkpoints()?;
        let found = match size {
            0 => kept.pop(),
            size => kept.into_iter().find(|(of, _)| *of == size),
        };
        found.map(|(_, note)| self.checkpoint_view(note)).transpose()
    }

    fn checkpoint_view(&self, note: String) -> Result<CheckpointView> {
        let Checkpoint { size, root, .. } = Checkpoint::unverified(&note)?;
        let last = self.backend.entry(size)?;
        let recorded_at_us = last.map_or(0, |stored| stored.entry.recorded_at_us);
        Ok(CheckpointView { size, root: root.to_hex(), recorded_at_us, note })
    }

    /// The proof that an entry is under the newest checkpoint, checked before it is handed out.
    ///
    /// # Errors
    /// [`StoreError::NoEntry`]; a tree that contradicts the checkpoint.
    pub fn inclusion(&self, entry: u64) -> Result<Inclusion> {
        let missing = |size| StoreError::NoEntry { entry, size };
        let newest = self.checkpoint_of(0)?.ok_or_else(|| missing(0))?;
        let key = self.verifier_key()?;
        let checkpoint = Checkpoint::verify(&newest.note, &key)?;
        let size = checkpoint.size;
        let stored = self.backend.entry(entry)?.filter(|_| entry <= size);
        let entry_of = stored.ok_or_else(|| missing(size))?.entry;
        let (index, leaf) = (entry_of.leaf_index(), entry_of.leaf_hash());
        let hashes = inclusion_proof(self.backend.nodes(), index, size)?;
        verify_inclusion(index, size, &leaf, &hashes, &checkpoint.root).map_err(|error| {
            let doing = "proving an entry";
            StoreError::BadDatabase { doing, message: error.to_string() }
        })?;
        Ok(Inclusion {
            schema: "backstay.inclusion/1",
            entry,
            leaf_index: index,
            entry_text: String::from_utf8_lossy(&entry_of.to_bytes()).into_owned(),
            leaf_hash: leaf.to_hex(),
            tree_size: size,
            root: newest.root,
            hashes: hexes(&hashes),
            checkpoint: newest.note,
            verifier_key: key.to_string(),
        })
    }

    /// Whether this ledger still begins with what a checkpoint says that somebody kept.
    ///
    /// # Errors
    /// Those of the database.
    pub fn check_kept(&self, note: &str) -> Result<KeptCheckpoint> {
        let kept = match Checkpoint::verify(note, &self.verifier_key()?) {
            Ok(kept) => kept,
            Err(error) => return Ok(KeptCheckpoint::Foreign { reason: error.to_string() }),
        };
        let (size, now) = (kept.size, self.backend.head()?.size);
        let nodes = self.backend.nodes();
        if size > now || root_at(nodes, size)? != kept.root {
            return Ok(KeptCheckpoint::Broken { size, now });
        }
        let hashes = match size {
            0 => Vec::new(),
            size => hexes(&consistency_proof(nodes, size, now)?),
        };
        Ok(KeptCheckpoint::Holds { size, now, hashes })
    }
}
