//! Owns the sealing of small secrets under a workspace's key: identities of sources and real ids in
//! the vault. It must never seal two things under one nonce by itself: the caller draws 24 random
//! bytes for each.
//!
//! # Sealed bytes, version 1
//! `0x01` ‖ nonce (24) ‖ XChaCha20-Poly1305 of the padded secret. Padding: the secret, `0x80`, then
//! zeros up to a multiple of 64, so that the length of a name does not show. Bound by associated data:
//! `"backstay seal v1\n"` ‖ len(purpose) ‖ purpose ‖ name, so that a sealed value opens only for what
//! it was sealed for.

use std::fmt;
use std::ops::Deref;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize as _, Zeroizing};

const DOMAIN: &[u8] = b"backstay seal v1\n";
const VERSION: u8 = 1;
const BLOCK: usize = 64;
/// The longest secret that is sealed: 64 KiB.
pub const MAX_SECRET_BYTES: usize = 65_536;
/// What ties a sealed real id to the vault.
const VAULT_PURPOSE: &str = "vault";

/// Why a secret cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Too long to be a key or a name.
    #[error("a secret of {0} bytes is longer than the {MAX_SECRET_BYTES} that can be sealed")]
    TooLong(usize),
    /// Written by a later version, or no sealed value.
    #[error("these are no sealed bytes of this version")]
    Format,
    /// Another key or name, or changed bytes; which one cannot be told.
    #[error("the sealed value does not open: another key, another name, or changed bytes")]
    Closed,
}

/// An opened secret: bytes that are wiped when dropped and never printed.
pub struct Secret(Zeroizing<Vec<u8>>);

/// The real id behind a pseudonym: text that is wiped when dropped and printed only by who means to.
pub struct RealId(Zeroizing<String>);

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for RealId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

impl fmt::Debug for RealId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RealId(not shown)")
    }
}

/// A workspace's key for small secrets. Has no `Debug`; wiped when dropped.
pub struct WrapKey([u8; 32]);

impl WrapKey {
    /// A key from 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Seals a secret for one purpose and one name. `nonce`: 24 random bytes, never used twice.
    ///
    /// # Errors
    /// [`SealError::TooLong`].
    pub fn seal(
        &self,
        purpose: &str,
        name: &str,
        secret: &[u8],
        nonce: [u8; 24],
    ) -> Result<Vec<u8>, SealError> {
        if secret.len() > MAX_SECRET_BYTES {
            return Err(SealError::TooLong(secret.len()));
        }
        let mut padded = Zeroizing::new(Vec::with_capacity((secret.len() / BLOCK + 1) * BLOCK));
        padded.extend_from_slice(secret);
        padded.push(0x80);
        while padded.len() % BLOCK != 0 {
            padded.push(0);
        }
        let sealed = self
            .cipher()
            .encrypt(
                XNonce::from_slice(&nonce),
                Payload { msg: &padded, aad: &bound_to(purpose, name) },
            )
            .map_err(|_| SealError::TooLong(secret.len()))?;
        Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
    }

    /// Opens [`WrapKey::seal`] for the same purpose and name.
    ///
    /// # Errors
    /// [`SealError::Format`], [`SealError::Closed`].
    pub fn open(&self, purpose: &str, name: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(SealError::Format)?;
        let (nonce, sealed) = rest.split_first_chunk::<24>().ok_or(SealError::Format)?;
        let mut secret = self
            .cipher()
            .decrypt(
                XNonce::from_slice(nonce),
                Payload { msg: sealed, aad: &bound_to(purpose, name) },
            )
            .map(Zeroizing::new)
            .map_err(|_| SealError::Closed)?;
        let end = secret
            .iter()
            .rposition(|byte| *byte != 0)
            .filter(|at| secret.get(*at) == Some(&0x80))
            .ok_or(SealError::Format)?;
        secret.truncate(end);
        Ok(Secret(secret))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
    }
}

impl Drop for WrapKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn bound_to(purpose: &str, name: &str) -> Vec<u8> {
    [DOMAIN, &(purpose.len() as u64).to_be_bytes(), purpose.as_bytes(), name.as_bytes()].concat()
}

/// The vault of real ids: what a pseudonym stands for, sealed one by one, so that deleting one row
/// makes one person unknown. Has no `Debug`.
pub struct VaultBox(WrapKey);

impl VaultBox {
    /// A vault under this key.
    pub fn new(key: WrapKey) -> Self {
        Self(key)
    }

    /// Seals the real id behind a pseudonym. `nonce`: 24 random bytes, never used twice.
    ///
    /// # Errors
    /// [`SealError::TooLong`].
    pub fn seal(
        &self,
        pseudonym: &str,
        real_id: &str,
        nonce: [u8; 24],
    ) -> Result<Vec<u8>, SealError> {
        self.0.seal(VAULT_PURPOSE, pseudonym, real_id.as_bytes(), nonce)
    }

    /// Opens the real id behind a pseudonym. Whoever calls this records that it was asked for.
    ///
    /// # Errors
    /// [`SealError::Format`], [`SealError::Closed`].
    pub fn open(&self, pseudonym: &str, sealed: &[u8]) -> Result<RealId, SealError> {
        let secret = self.0.open(VAULT_PURPOSE, pseudonym, sealed)?;
        std::str::from_utf8(&secret)
            .map(|text| RealId(Zeroizing::new(text.to_owned())))
            .map_err(|_| SealError::Format)
    }
}
