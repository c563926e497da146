//! Owns SHA-256 values and the three ways this crate makes one: plain (content addresses), salted
//! (payloads of entries) and unsalted content (evidence). It must never hash without saying which.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// What a salted payload digest starts with, so that it can be mistaken for no other hash.
const PAYLOAD_DOMAIN: &[u8] = b"backstay payload v1\n";
/// What an unsalted content digest starts with.
const CONTENT_DOMAIN: &[u8] = b"backstay content v1\n";

/// A SHA-256 value: 32 bytes, shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a digest: expected 64 lower-case hexadecimal digits")]
pub struct DigestError {
    /// What was given.
    pub text: String,
}

impl Digest {
    /// SHA-256 of the bytes, without domain or salt: the content address of an object.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// SHA-256 of everything the reader yields, and how many bytes that was, in bounded memory.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<(Self, u64)> {
        let mut writer = DigestWriter::new(io::sink());
        let bytes = io::copy(reader, &mut writer)?;
        Ok((writer.digest(), bytes))
    }

    /// The unsalted digest of canonical content, for [`crate::EvidenceDigest`]. The content must
    /// hold neither the physical layout (object names, segment order) nor any recording time.
    pub fn of_content(content: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(CONTENT_DOMAIN);
        hasher.update(content);
        Self(hasher.finalize().into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || DigestError { text: text.to_owned() };
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| refuse())?;
        Ok(Self(bytes))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A writer that hashes what passes through it, so that bytes are read once.
pub struct DigestWriter<W> {
    inner: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> DigestWriter<W> {
    /// Wraps a writer.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new(), bytes: 0 }
    }

    /// The digest of what was written so far.
    pub fn digest(&self) -> Digest {
        Digest(self.hasher.clone().finalize().into())
    }

    /// How many bytes were written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The wrapped writer.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for DigestWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        if let Some(taken) = buffer.get(..written) {
            self.hasher.update(taken);
            self.bytes += written as u64;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// 32 random bytes that hide a payload behind its digest. Whoever makes an entry draws them; this
/// crate never does. Deleting salt and payload together leaves a digest that tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

/// SHA-256(`"backstay payload v1\n"` ‖ salt ‖ payload): what an entry says of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct SaltedDigest(pub Digest);

impl SaltedDigest {
    /// Computes it.
    pub fn of(salt: &Salt, payload: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(PAYLOAD_DOMAIN);
        hasher.update(salt.0);
        hasher.update(payload);
        Self(Digest(hasher.finalize().into()))
    }

    /// 64 lower-case hexadecimal digits: also the payload's file name in a bundle.
    pub fn to_hex(&self) -> String {
        self.0.to_hex()
    }
}

impl fmt::Display for SaltedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SaltedDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
