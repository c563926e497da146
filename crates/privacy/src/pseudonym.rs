//! Owns pseudonyms: the one rule by which an id of a person becomes a name that joins rows and tells
//! nothing. It must never join two parties' ids, and its rule never changes: stored pseudonyms live
//! as long as their workspace.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroize as _;

/// Separates pseudonyms from everything else that a workspace key may ever sign.
const DOMAIN: &[u8] = b"backstay pseudonym v1\n";
/// Bytes of the HMAC that are kept: 160 bits.
const KEPT_BYTES: usize = 20;

/// The workspace's secret for pseudonyms. Without it nobody can tell whose a pseudonym is, not even by
/// trying all ids. Wiped when dropped.
pub struct PseudonymKey([u8; 32]);

impl PseudonymKey {
    /// A key from 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The pseudonym of a person: `p-` and 40 lower-case hexadecimal digits, the first 20 bytes of
    /// HMAC-SHA-256(key, `"backstay pseudonym v1\n"` ‖ len(party) ‖ party ‖ len(kind) ‖ kind ‖ id),
    /// lengths as 32-bit big-endian counts of bytes, the id as [`normalise_id`] leaves it. `None` when
    /// nothing is left of the id.
    ///
    /// `party` and `id_kind` are ids of this product's own tables and taken as they are. Equal ids of
    /// two parties, or of two kinds, give unrelated pseudonyms.
    pub fn pseudonymise(&self, party: &str, id_kind: &str, id: &str) -> Option<String> {
        let mut normal = normalise_id(id)?;
        // HMAC takes keys of every length, so this cannot fail for 32 bytes.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(DOMAIN);
        for part in [party, id_kind] {
            mac.update(&u32::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(normal.as_bytes());
        normal.zeroize();
        let tag = mac.finalize().into_bytes();
        Some(format!("p-{}", hex::encode(tag.get(..KEPT_BYTES)?)))
    }
}

impl Drop for PseudonymKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Whether a text has the form of a pseudonym.
pub fn is_pseudonym(text: &str) -> bool {
    text.strip_prefix("p-").is_some_and(|digits| {
        digits.len() == KEPT_BYTES * 2
            && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// One spelling of an id, however a file writes it; `None` when nothing is left.
///
/// In this order: U+FEFF, U+200B and U+2060 (invisible, left by exports) are removed; runs of Unicode
/// white space become one space and those at the ends go; Unicode NFC; full case folding (`ß` = `ss`,
/// `Σ` = `ς` = `σ`), which for assigned characters is stable between Unicode versions; NFC again.
/// Leading zeros, punctuation and look-alike characters are kept: whether `007` is `7` is for the
/// mapping to say.
pub fn normalise_id(id: &str) -> Option<String> {
    let visible: String =
        id.chars().filter(|c| !matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}')).collect();
    let mut spaced = String::with_capacity(visible.len());
    for word in visible.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    if spaced.is_empty() {
        return None;
    }
    let composed: String = spaced.nfc().collect();
    let folded = unicase::UniCase::unicode(composed).to_folded_case();
    Some(folded.nfc().collect())
}
