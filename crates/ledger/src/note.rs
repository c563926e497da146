//! Owns C2SP signed notes (c2sp.org/signed-note): text, signature lines, Ed25519 keys and their text
//! form. It must never sign or accept a note whose text it could not write again byte for byte, and
//! never shows a seed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _};

use crate::digest::Digest;

/// Signature type byte of Ed25519 in key ids and verifier keys.
const ED25519: u8 = 1;
/// A note holds at most so many signature lines.
const MAX_SIGNATURES: usize = 100;

/// Why a note or a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Key names have no white space and no plus sign.
    #[error(
        "key name `{0}` is not allowed: it must not be empty nor hold white space, controls or `+`"
    )]
    Name(String),
    /// A verifier key that is none.
    #[error("`{text}` is not a verifier key: {reason}")]
    VerifierKey {
        /// What was given.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The note's form is wrong.
    #[error("the signed note is malformed: {0}")]
    Form(&'static str),
    /// The key that was asked for did not sign.
    #[error("the note is not signed by key `{name}+{id}`")]
    Unsigned {
        /// The key's name.
        name: String,
        /// Its id in hexadecimal.
        id: String,
    },
    /// The signature does not belong to the text.
    #[error(
        "the signature by key `{name}+{id}` does not fit the text: text or signature was changed"
    )]
    Signature {
        /// The key's name.
        name: String,
        /// Its id in hexadecimal.
        id: String,
    },
}

/// The public half of a workspace's key, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: ed25519_dalek::VerifyingKey,
}

/// The secret half. Has no text form and no `Debug`; the seed is wiped when it is dropped.
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The key with this 32-byte seed (RFC 8032). The name is the origin of the checkpoints it signs.
    ///
    /// # Errors
    /// [`NoteError::Name`].
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key: ed25519_dalek::SigningKey::from_bytes(seed) })
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Signs a text, which must end in a line feed and hold no other control: the whole note.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        let mut blob = self.verifier().id().to_vec();
        blob.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        Ok(format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(blob)))
    }
}

impl VerifierKey {
    /// A key from its name and 32 bytes (RFC 8032).
    ///
    /// # Errors
    /// [`NoteError::Name`], or [`NoteError::VerifierKey`] when the bytes are no point of the curve.
    pub fn new(name: &str, key: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| {
            NoteError::VerifierKey { text: name.to_owned(), reason: "its bytes are no Ed25519 key" }
        })?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key).
    pub fn id(&self) -> [u8; 4] {
        let mut input = self.name.as_bytes().to_vec();
        input.extend_from_slice(&[b'\n', ED25519]);
        input.extend_from_slice(self.key.as_bytes());
        let [a, b, c, d, ..] = Digest::of(&input).0;
        [a, b, c, d]
    }

    /// The id as eight hexadecimal digits.
    pub fn id_hex(&self) -> String {
        hex::encode(self.id())
    }

    /// Checks a signature of 64 bytes, strictly: canonical encodings only, no key or point of small
    /// order, as `ed25519_dalek::VerifyingKey::verify_strict` has it.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }

    /// Opens a note: its text, when this key signed it. Signatures by other keys are passed over.
    ///
    /// # Errors
    /// [`NoteError::Form`], [`NoteError::Unsigned`], [`NoteError::Signature`].
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let (text, signatures) = split(note)?;
        let mut signed = false;
        for line in signatures {
            if line.name != self.name || line.id != self.id() {
                continue;
            }
            if !self.verify(text.as_bytes(), &line.signature) {
                return Err(NoteError::Signature { name: self.name.clone(), id: self.id_hex() });
            }
            signed = true;
        }
        if signed {
            return Ok(text);
        }
        Err(NoteError::Unsigned { name: self.name.clone(), id: self.id_hex() })
    }
}

/// `name+id+key`: the C2SP verifier key.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id_hex(), STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason| NoteError::VerifierKey { text: text.to_owned(), reason };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refuse("expected `name+id+key`"));
        };
        let bytes = STANDARD.decode(key).map_err(|_| refuse("the key is not base64"))?;
        let (kind, bytes) = bytes.split_first().ok_or_else(|| refuse("the key is empty"))?;
        if *kind != ED25519 {
            return Err(refuse("only Ed25519 keys (type 1) are known"));
        }
        let bytes =
            <&[u8; 32]>::try_from(bytes).map_err(|_| refuse("an Ed25519 key has 32 bytes"))?;
        let key = Self::new(name, bytes)?;
        if key.id_hex() != id {
            return Err(refuse("the id does not belong to name and key"));
        }
        Ok(key)
    }
}

/// The text of a note, unverified: for showing what somebody claims, never for believing it.
///
/// # Errors
/// [`NoteError::Form`].
pub fn unverified_text(note: &str) -> Result<&str, NoteError> {
    split(note).map(|(text, _)| text)
}

struct SignatureLine<'n> {
    name: &'n str,
    id: [u8; 4],
    signature: Vec<u8>,
}

fn split(note: &str) -> Result<(&str, Vec<SignatureLine<'_>>), NoteError> {
    let at = note.rfind("\n\n").ok_or(NoteError::Form("no blank line before the signatures"))?;
    let (text, rest) = note.split_at(at + 1);
    check_text(text)?;
    let lines = rest
        .strip_prefix('\n')
        .and_then(|lines| lines.strip_suffix('\n'))
        .ok_or(NoteError::Form("the last signature line has no line feed"))?;
    let mut signatures = Vec::new();
    for line in lines.split('\n') {
        if signatures.len() == MAX_SIGNATURES {
            return Err(NoteError::Form("more than 100 signatures"));
        }
        signatures.push(signature_line(line)?);
    }
    Ok((text, signatures))
}

fn signature_line(line: &str) -> Result<SignatureLine<'_>, NoteError> {
    const FORM: NoteError = NoteError::Form("a signature line is not `\u{2014} name base64`");
    let (name, blob) =
        line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or(FORM)?;
    check_name(name).map_err(|_| FORM)?;
    let blob = STANDARD.decode(blob).map_err(|_| FORM)?;
    let (id, signature) = blob.split_first_chunk::<4>().ok_or(FORM)?;
    if signature.is_empty() {
        return Err(FORM);
    }
    Ok(SignatureLine { name, id: *id, signature: signature.to_vec() })
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.is_empty() || !text.ends_with('\n') {
        return Err(NoteError::Form("the text does not end in a line feed"));
    }
    if text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Form("the text holds a control character"));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), NoteError> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
        return Err(NoteError::Name(name.to_owned()));
    }
    Ok(())
}
