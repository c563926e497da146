//! Owns checkpoints (c2sp.org/tlog-checkpoint): the signed statement that a ledger of this origin had
//! this many entries and this root. It must never accept one that its key did not sign, except where
//! the name says `unverified`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::Digest;
use crate::note::{NoteError, SigningKey, VerifierKey, unverified_text};

/// What a ledger was at one size.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Checkpoint {
    /// Whose ledger: `backstay/<workspace id>`.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The root of its tree at that size.
    pub root: Digest,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Note, signature or key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The signed text is no checkpoint.
    #[error("line {line} of the checkpoint: {reason}")]
    Form {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The key belongs to another ledger.
    #[error(
        "the checkpoint is for `{origin}`, the key for `{key}`: they belong to different ledgers"
    )]
    Origin {
        /// The checkpoint's origin.
        origin: String,
        /// The key's name.
        key: String,
    },
}

/// The origin of a workspace's ledger, which is also the name of its key.
pub fn origin_of(workspace_id: &str) -> String {
    format!("backstay/{workspace_id}")
}

impl Checkpoint {
    /// The text that is signed: origin, size, root in base64, one a line.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Signs it: the whole note. The same checkpoint and key give the same bytes.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`] when the key bears another name; [`CheckpointError::Note`].
    pub fn sign(&self, key: &SigningKey) -> Result<String, CheckpointError> {
        self.check_origin(key.name())?;
        Ok(key.sign(&self.to_text())?)
    }

    /// Opens a signed checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`]: not signed by this key, malformed, or of another origin.
    pub fn verify(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(key.open(note)?)?;
        checkpoint.check_origin(key.name())?;
        Ok(checkpoint)
    }

    /// Reads a signed checkpoint without looking at its signatures.
    ///
    /// # Errors
    /// [`CheckpointError::Note`], [`CheckpointError::Form`].
    pub fn unverified(note: &str) -> Result<Self, CheckpointError> {
        Self::parse(unverified_text(note)?)
    }

    /// Reads the text of a checkpoint. Extension lines after the third are signed but not ours, and
    /// are passed over as the format demands.
    fn parse(text: &str) -> Result<Self, CheckpointError> {
        let refuse = |line, reason| CheckpointError::Form { line, reason };
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let origin = lines.next().unwrap_or_default();
        if origin.is_empty() {
            return Err(refuse(1, "the origin is empty"));
        }
        let size = lines.next().unwrap_or_default();
        let number: u64 = size.parse().map_err(|_| refuse(2, "the size is not a number"))?;
        if number.to_string() != size {
            return Err(refuse(2, "the size has leading zeros or a sign"));
        }
        let root = STANDARD
            .decode(lines.next().unwrap_or_default())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| refuse(3, "the root is not base64 of 32 bytes"))?;
        if lines.any(str::is_empty) {
            return Err(refuse(4, "an extension line is empty"));
        }
        Ok(Self { origin: origin.to_owned(), size: number, root: Digest(root) })
    }

    fn check_origin(&self, key: &str) -> Result<(), CheckpointError> {
        if self.origin == key {
            return Ok(());
        }
        Err(CheckpointError::Origin { origin: self.origin.clone(), key: key.to_owned() })
    }
}
