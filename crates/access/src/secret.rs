//! Secrets that stand for somebody: of sessions, API tokens, one-time links and recovery codes. The
//! owner holds the text; what is kept is its SHA-256 alone. 256 bits (80 for a recovery code, of
//! which few exist and guesses are limited) cannot be guessed, so the digest needs no salt.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// How an API token begins, so that a token in the wrong place is recognised.
pub const TOKEN_PREFIX: &str = "backstay_token_";
/// The path under which a one-time link is entered.
pub const LINK_PREFIX: &str = "/enter/";
/// Recovery codes made at a time.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a recovery code.
const RECOVERY_BYTES: usize = 10;

/// What a secret opens. Secrets of one kind never open another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A session; the text is the cookie's value.
    Session,
    /// A personal API token; the text begins with [`TOKEN_PREFIX`].
    Token,
    /// A one-time link; the text is what follows [`LINK_PREFIX`].
    Link,
}

impl SecretKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Link => "link",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Token => TOKEN_PREFIX,
            Self::Session | Self::Link => "",
        }
    }
}

/// A text that is no secret of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no {} of this product: copy it whole", .0.as_str())]
pub struct SecretError(pub SecretKind);

/// A secret in its owner's hands: wiped when dropped, printed only by who means to.
pub struct Secret {
    kind: SecretKind,
    text: Zeroizing<String>,
}

/// What is kept of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretDigest(pub [u8; 32]);

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(not shown)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, not shown)", self.kind.as_str())
    }
}

fn digest(domain: &str, text: &str) -> SecretDigest {
    let mut hash = Sha256::new();
    hash.update(b"backstay secret v1\n");
    hash.update(domain.as_bytes());
    hash.update(b"\n");
    hash.update(text.as_bytes());
    SecretDigest(hash.finalize().into())
}

impl Secret {
    /// A new secret from 32 random bytes.
    #[must_use]
    pub fn new(kind: SecretKind, random: [u8; 32]) -> Self {
        let digits = Zeroizing::new(hex::encode(random));
        Self { kind, text: Zeroizing::new(format!("{}{}", kind.prefix(), digits.as_str())) }
    }

    /// Reads what its owner shows.
    ///
    /// # Errors
    /// [`SecretError`] when it has another form; it is not said which part.
    pub fn parse(kind: SecretKind, text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let digits = text.strip_prefix(kind.prefix()).ok_or(SecretError(kind))?;
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() != 64 || !digits.bytes().all(hexadecimal) {
            return Err(SecretError(kind));
        }
        Ok(Self { kind, text: Zeroizing::new(text.to_owned()) })
    }

    /// The text, to hand to its owner once.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is kept.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        digest(self.kind.as_str(), &self.text)
    }
}

/// A recovery code: stands for the second factor once, when the device is lost.
pub struct RecoveryCode(Zeroizing<String>);

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(not shown)")
    }
}

impl RecoveryCode {
    /// [`RECOVERY_CODES`] codes from random bytes.
    #[must_use]
    pub fn make(random: &[u8; RECOVERY_CODES * RECOVERY_BYTES]) -> Vec<Self> {
        let written = random.chunks_exact(RECOVERY_BYTES).map(crate::totp::base32);
        written.map(|text| Self(Zeroizing::new(text))).collect()
    }

    /// Reads what somebody typed: case, blanks and hyphens do not matter. `None`: no code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let letters = |b: u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b);
        (plain.len() == RECOVERY_BYTES * 8 / 5 && plain.bytes().all(letters))
            .then(|| Self(Zeroizing::new(plain)))
    }

    /// The code as it is shown once: four groups of four.
    #[must_use]
    pub fn text(&self) -> String {
        let mut shown = String::new();
        for (n, letter) in self.0.chars().enumerate() {
            if n > 0 && n % 4 == 0 {
                shown.push('-');
            }
            shown.push(letter);
        }
        shown
    }

    /// What is kept, bound to its account.
    #[must_use]
    pub fn digest(&self, account: &str) -> SecretDigest {
        digest(&format!("recovery\n{account}"), &self.0)
    }
}

/// The id of a new account from 8 random bytes: `a-` and 16 hexadecimal digits. Ids stay in the
/// ledger for good, so they say nothing about the person.
#[must_use]
pub fn account_id(random: [u8; 8]) -> String {
    format!("a-{}", hex::encode(random))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_secret_is_read_as_it_was_given_and_opens_only_its_own_kind() {
        let random = [0xab; 32];
        let mut digests = Vec::new();
        for kind in [SecretKind::Session, SecretKind::Token, SecretKind::Link] {
            let secret = Secret::new(kind, random);
            let read = Secret::parse(kind, &format!(" {}\n", secret.text())).unwrap();
            assert_eq!(read.digest(), secret.digest());
            assert!(!format!("{secret:?}").contains("abab"));
            digests.push(secret.digest());
        }
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 3, "the same bytes, three kinds");
        let token = Secret::new(SecretKind::Token, random);
        assert!(token.text().starts_with(TOKEN_PREFIX));
        for wrong in ["", "abc", &token.text()[1..], &token.text().to_uppercase(), "é"] {
            assert!(Secret::parse(SecretKind::Token, wrong).is_err(), "{wrong}");
            assert!(Secret::parse(SecretKind::Session, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn recovery_codes_are_read_however_they_are_typed_and_belong_to_one_account() {
        let mut random = [0; 100];
        random.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
        let codes = RecoveryCode::make(&random);
        assert_eq!(codes.len(), RECOVERY_CODES);
        let shown = codes[3].text();
        assert_eq!(shown.len(), 19, "{shown}");
        let typed = RecoveryCode::parse(&format!(" {} ", shown.to_lowercase().replace('-', " ")));
        assert_eq!(typed.unwrap().digest("a-1"), codes[3].digest("a-1"));
        assert_ne!(codes[3].digest("a-1"), codes[3].digest("a-2"));
        assert!(RecoveryCode::parse("123456").is_none());
        assert!(RecoveryCode::parse("AAAA-AAAA-AAAA-AAA1").is_none());
    }

    #[test]
    fn an_account_id_is_what_the_ledger_can_keep_for_good() {
        assert_eq!(account_id([0, 1, 2, 3, 4, 5, 6, 255]), "a-00010203040506ff");
    }
}
