//! Owns the evidence digest: one running hash over the evidence-bearing entries of a ledger. It must
//! never depend on salts, on recording times or on how rows are laid out in objects, so that two
//! workspaces that were told the same in the same order agree.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::digest::{Digest, DigestError};
use crate::entry::EntryKind;

const DOMAIN: &[u8] = b"backstay evidence v1\n";

/// The running hash. Empty: SHA-256(`"backstay evidence v1\n"`). Each evidence-bearing entry:
/// SHA-256(`"backstay evidence v1\n"` ‖ previous 32 bytes ‖ one byte, length of kind ‖ kind ‖
/// 32 bytes of [`Digest::of_content`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct EvidenceDigest(pub Digest);

/// Why the digest cannot advance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// A later version wrote an entry that this version cannot judge.
    #[error(
        "entries of kind `{kind}` are unknown to this version, so the evidence digest cannot be computed: use the version that wrote the ledger or a later one"
    )]
    UnknownKind {
        /// The kind.
        kind: String,
    },
}

impl EvidenceDigest {
    /// The digest of no evidence.
    pub fn empty() -> Self {
        Self(Digest::of(DOMAIN))
    }

    /// The digest after one more entry; unchanged when the kind bears no evidence.
    ///
    /// # Errors
    /// [`EvidenceError::UnknownKind`].
    pub fn advance(self, kind: &EntryKind, content: &Digest) -> Result<Self, EvidenceError> {
        let name = kind.as_str();
        let unknown = || EvidenceError::UnknownKind { kind: name.to_owned() };
        if !kind.bears_evidence().ok_or_else(unknown)? {
            return Ok(self);
        }
        let length = u8::try_from(name.len()).map_err(|_| unknown())?;
        let mut hasher = Sha256::new();
        hasher.update(DOMAIN);
        hasher.update(self.0.0);
        hasher.update([length]);
        hasher.update(name.as_bytes());
        hasher.update(content.0);
        Ok(Self(Digest(hasher.finalize().into())))
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        self.0.to_hex()
    }
}

impl fmt::Display for EvidenceDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EvidenceDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
