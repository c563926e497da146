//! Owns the canonical bytes of an entry: written here, read here, defined nowhere else. It must
//! never look into a payload.
//!
//! # The form, version 1
//! UTF-8 lines, each ended by one line feed, in exactly this order:
//! ```text
//! backstay-entry/1
//! sequence 2
//! recorded-at-us 1767225600000000
//! actor a-17
//! kind import
//! arrangement claims-chennai            (none or more: sorted by bytes, each once)
//! precondition 1 service_level SL-3     (none or more: expected _seq, table, key; sorted, one per table and key)
//! payload 64 lower-case hexadecimal digits
//! ```
//! Numbers are decimal without leading zeros or plus sign. In `actor`, `arrangement` and the key of
//! a precondition a backslash is written `\\` and each C0 control or DEL as `\x` and two lower-case
//! hexadecimal digits; nothing else is escaped. A reader refuses bytes that it would not write, so
//! one entry has one form. Golden vectors: `tests/golden/`.

use std::str::FromStr;
use std::{borrow::Cow, fmt};

use crate::digest::SaltedDigest;
use crate::{Digest, leaf_hash};

/// First line of every entry in this version of the form.
const HEADER: &str = "backstay-entry/1";
/// An entry travels with a 16-bit length in a bundle (C2SP tlog-tiles), so it is at most this long.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// What an entry records. Text on the wire: one to 40 of `a-z`, `0-9` and `-`, starting with a letter.
/// A kind that this version does not know is kept as [`EntryKind::Other`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// The workspace begins.
    Init,
    /// A file was imported.
    Import,
    /// Kept bytes were read again with another mapping.
    Reread,
    /// Rows were entered by hand.
    Edit,
    /// Rows supersede earlier ones with the same identity.
    Correction,
    /// Rows or a whole entry are withdrawn.
    Retract,
    /// A decision by someone entitled to it (acceptance, dispute outcome, exclusion).
    Decision,
    /// The digest of an assessment.
    Assessment,
    /// Settings of the workspace.
    Settings,
    /// Kept bytes or names were erased.
    Erase,
    /// A key was made or destroyed.
    Key,
    /// Somebody looked behind a pseudonym.
    Disclosure,
    /// Somebody was given a right, or lost one.
    Access,
    /// A kind of a later version.
    Other(OtherKind),
}

/// The text of a kind that this version does not know; made only by parsing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OtherKind(String);

/// A text that must be what the current state says, or the entry is refused as a conflict: the row
/// of `table` with `key` must carry `_seq = expected_seq`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Precondition {
    /// Table name: one to 64 of `a-z`, `0-9` and `_`.
    pub table: String,
    /// The row's key as the store writes it; any text.
    pub key: String,
    /// The sequence of the entry that wrote the version which the author saw; 0: there was none.
    pub expected_seq: u64,
}

/// What an author brings; [`EntryDraft::seal`] gives it its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDraft {
    /// Account id or pseudonym, never a person's name: entries cannot be erased.
    pub actor: String,
    /// What is recorded.
    pub kind: EntryKind,
    /// Ids of the arrangements concerned, in any order; empty: the whole workspace.
    pub arrangements: Vec<String>,
    /// What must still be true, in any order.
    pub preconditions: Vec<Precondition>,
    /// What the payload hashes to.
    pub payload: SaltedDigest,
}

/// One sealed entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Place in the ledger, from 1. The leaf's index in the tree is one less.
    pub sequence: u64,
    /// When it was recorded: microseconds since 1970-01-01 UTC, never less than its predecessor's.
    pub recorded_at_us: i64,
    /// Account id or pseudonym.
    pub actor: String,
    /// What is recorded.
    pub kind: EntryKind,
    /// Ids of the arrangements concerned, sorted, each once.
    pub arrangements: Vec<String>,
    /// What had to be true, sorted by table and key.
    pub preconditions: Vec<Precondition>,
    /// What the payload hashes to.
    pub payload: SaltedDigest,
}

/// Why an entry cannot be sealed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Sequences count from 1.
    #[error("sequence 0 is not a place in the ledger: entries count from 1")]
    SequenceZero,
    /// The clock went back.
    #[error(
        "entry {sequence} would be recorded at {recorded_at_us} µs, before its predecessor at {previous_us} µs: check the machine's clock"
    )]
    RecordedEarlier {
        /// The entry's place.
        sequence: u64,
        /// Its instant.
        recorded_at_us: i64,
        /// The predecessor's instant.
        previous_us: i64,
    },
    /// A field is empty or has a character it may not have.
    #[error("{field} `{value}` is not allowed: expected {expected}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What it held.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// Two preconditions name one row.
    #[error("two preconditions name row `{key}` of table `{table}`: give one")]
    PreconditionTwice {
        /// The table.
        table: String,
        /// The key.
        key: String,
    },
    /// Longer than a bundle can carry.
    #[error(
        "the entry takes {bytes} bytes of at most {MAX_ENTRY_BYTES}: name fewer arrangements or preconditions"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Bytes that are no entry in canonical form.
    #[error("line {line} of the entry: {reason}")]
    Form {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

impl EntryKind {
    const KNOWN: [(&'static str, EntryKind); 13] = [
        ("init", Self::Init),
        ("import", Self::Import),
        ("reread", Self::Reread),
        ("edit", Self::Edit),
        ("correction", Self::Correction),
        ("retract", Self::Retract),
        ("decision", Self::Decision),
        ("assessment", Self::Assessment),
        ("settings", Self::Settings),
        ("erase", Self::Erase),
        ("key", Self::Key),
        ("disclosure", Self::Disclosure),
        ("access", Self::Access),
    ];

    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Init => "init",
            Self::Import => "import",
            Self::Reread => "reread",
            Self::Edit => "edit",
            Self::Correction => "correction",
            Self::Retract => "retract",
            Self::Decision => "decision",
            Self::Assessment => "assessment",
            Self::Settings => "settings",
            Self::Erase => "erase",
            Self::Key => "key",
            Self::Disclosure => "disclosure",
            Self::Access => "access",
            Self::Other(kind) => &kind.0,
        }
    }

    /// Whether entries of this kind carry evidence and so advance the evidence digest; `None` for a
    /// kind that this version does not know, which then cannot say.
    pub fn bears_evidence(&self) -> Option<bool> {
        match self {
            Self::Import
            | Self::Reread
            | Self::Edit
            | Self::Correction
            | Self::Retract
            | Self::Decision => Some(true),
            Self::Init
            | Self::Assessment
            | Self::Settings
            | Self::Erase
            | Self::Key
            | Self::Disclosure
            | Self::Access => Some(false),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EntryKind {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, kind)) = Self::KNOWN.into_iter().find(|(name, _)| *name == text) {
            return Ok(kind);
        }
        let allowed = text.len() <= 40
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !allowed {
            return Err(EntryError::Field {
                field: "kind",
                value: text.to_owned(),
                expected: "at most 40 of a-z, 0-9 and -, starting with a letter",
            });
        }
        Ok(Self::Other(OtherKind(text.to_owned())))
    }
}

impl EntryDraft {
    /// Gives the draft its place: sorts what must be sorted, checks every field. `previous_us` is the
    /// predecessor's instant (`None` for the first entry).
    ///
    /// # Errors
    /// Any [`EntryError`] but [`EntryError::Form`].
    pub fn seal(
        self,
        sequence: u64,
        recorded_at_us: i64,
        previous_us: Option<i64>,
    ) -> Result<(Entry, Vec<u8>), EntryError> {
        if let Some(previous_us) = previous_us
            && recorded_at_us < previous_us
        {
            return Err(EntryError::RecordedEarlier { sequence, recorded_at_us, previous_us });
        }
        let mut arrangements = self.arrangements;
        arrangements.sort_unstable();
        arrangements.dedup();
        let mut preconditions = self.preconditions;
        preconditions.sort_unstable();
        preconditions.dedup();
        let entry = Entry {
            sequence,
            recorded_at_us,
            actor: self.actor,
            kind: self.kind,
            arrangements,
            preconditions,
            payload: self.payload,
        };
        entry.check()?;
        let bytes = entry.to_bytes();
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong { bytes: bytes.len() });
        }
        Ok((entry, bytes))
    }
}

impl Entry {
    /// The canonical bytes, as the head of this file defines them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(256);
        let push =
            |text: &mut String, parts: &[&str]| parts.iter().for_each(|part| text.push_str(part));
        let (sequence, at) = (self.sequence.to_string(), self.recorded_at_us.to_string());
        push(&mut text, &[HEADER, "\nsequence ", &sequence, "\nrecorded-at-us ", &at]);
        push(&mut text, &["\nactor ", &escape(&self.actor), "\nkind ", self.kind.as_str(), "\n"]);
        for arrangement in &self.arrangements {
            push(&mut text, &["arrangement ", &escape(arrangement), "\n"]);
        }
        for p in &self.preconditions {
            let (seq, key) = (p.expected_seq.to_string(), escape(&p.key));
            push(&mut text, &["precondition ", &seq, " ", &p.table, " ", &key, "\n"]);
        }
        push(&mut text, &["payload ", &self.payload.to_hex(), "\n"]);
        text.into_bytes()
    }

    /// Reads canonical bytes; `from_bytes(to_bytes(e)) == e`, and nothing else is accepted.
    ///
    /// # Errors
    /// [`EntryError::Form`] with the line, or the error of the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong { bytes: bytes.len() });
        }
        let entry = Lines::new(bytes)?.read()?;
        entry.check()?;
        if entry.to_bytes() != bytes {
            return Err(form(1, "the bytes are not in canonical form"));
        }
        Ok(entry)
    }

    /// The hash of this entry as a leaf of the tree (RFC 9162, 2.1.1).
    pub fn leaf_hash(&self) -> Digest {
        leaf_hash(&self.to_bytes())
    }

    /// The leaf's index in the tree, from 0.
    pub fn leaf_index(&self) -> u64 {
        self.sequence.saturating_sub(1)
    }

    fn check(&self) -> Result<(), EntryError> {
        if self.sequence == 0 {
            return Err(EntryError::SequenceZero);
        }
        check_text("actor", &self.actor)?;
        for arrangement in &self.arrangements {
            check_text("arrangement", arrangement)?;
        }
        for pair in self.arrangements.windows(2) {
            if let [a, b] = pair
                && a >= b
            {
                return Err(EntryError::Field {
                    field: "arrangement",
                    value: b.clone(),
                    expected: "sorted names, each once",
                });
            }
        }
        for p in &self.preconditions {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            if p.table.is_empty() || p.table.len() > 64 || !p.table.bytes().all(plain) {
                return Err(EntryError::Field {
                    field: "precondition's table",
                    value: p.table.clone(),
                    expected: "one to 64 of a-z, 0-9 and _",
                });
            }
            check_text("precondition's key", &p.key)?;
        }
        for pair in self.preconditions.windows(2) {
            if let [a, b] = pair {
                if (&a.table, &a.key) == (&b.table, &b.key) {
                    return Err(EntryError::PreconditionTwice {
                        table: b.table.clone(),
                        key: b.key.clone(),
                    });
                }
                if a > b {
                    return Err(EntryError::Field {
                        field: "precondition",
                        value: format!("{} {}", b.table, b.key),
                        expected: "rows sorted by table and key",
                    });
                }
            }
        }
        Ok(())
    }
}

fn check_text(field: &'static str, value: &str) -> Result<(), EntryError> {
    if value.is_empty() {
        return Err(EntryError::Field {
            field,
            value: value.to_owned(),
            expected: "at least one character",
        });
    }
    Ok(())
}

fn form(line: usize, reason: impl Into<String>) -> EntryError {
    EntryError::Form { line, reason: reason.into() }
}

fn escape(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte >= 0x20 && byte != 0x7f && byte != b'\\';
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\0'..='\x1f' | '\x7f' => escaped.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Undoes [`escape`]; lenient about which characters were escaped, since the caller compares forms.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        plain.push_str(before);
        if let Some(after) = escaped.strip_prefix("\\\\") {
            plain.push('\\');
            rest = after;
        } else {
            let digits = escaped.strip_prefix("\\x")?;
            let code = u8::from_str_radix(digits.get(..2)?, 16).ok()?;
            plain.push(char::from(code));
            rest = digits.get(2..)?;
        }
    }
    plain.push_str(rest);
    Some(plain)
}

/// The lines of one entry, taken in order.
struct Lines<'a> {
    lines: std::iter::Peekable<std::str::Split<'a, char>>,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, EntryError> {
        let text = std::str::from_utf8(bytes).map_err(|_| form(1, "not UTF-8"))?;
        let text = text
            .strip_suffix('\n')
            .ok_or_else(|| form(1, "the last line is not ended by a line feed"))?;
        Ok(Self { lines: text.split('\n').peekable(), line: 0 })
    }

    fn read(mut self) -> Result<Entry, EntryError> {
        if self.lines.next() != Some(HEADER) {
            return Err(form(
                1,
                format!("expected `{HEADER}`; a later version of Backstay may have written it"),
            ));
        }
        self.line = 1;
        let sequence = self.number("sequence")?;
        let recorded_at_us = self.number("recorded-at-us")?;
        let actor = self.text("actor")?;
        let kind = self.field("kind")?.parse()?;
        let mut arrangements = Vec::new();
        while self.comes("arrangement") {
            arrangements.push(self.text("arrangement")?);
        }
        let mut preconditions = Vec::new();
        while self.comes("precondition") {
            preconditions.push(self.precondition()?);
        }
        let payload = self
            .field("payload")?
            .parse()
            .map_err(|e: crate::DigestError| form(self.line, e.to_string()))?;
        if self.lines.next().is_some() {
            return Err(form(self.line + 1, "expected the end of the entry"));
        }
        Ok(Entry { sequence, recorded_at_us, actor, kind, arrangements, preconditions, payload })
    }

    fn comes(&mut self, name: &str) -> bool {
        self.lines
            .peek()
            .and_then(|line| line.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with(' '))
    }

    fn field(&mut self, name: &str) -> Result<&'a str, EntryError> {
        self.line += 1;
        self.lines
            .next()
            .and_then(|line| line.strip_prefix(name))
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or_else(|| form(self.line, format!("expected `{name}`")))
    }

    fn number<N: FromStr>(&mut self, name: &str) -> Result<N, EntryError> {
        let text = self.field(name)?;
        text.parse().map_err(|_| form(self.line, format!("`{text}` is not a number that fits")))
    }

    fn text(&mut self, name: &str) -> Result<String, EntryError> {
        let text = self.field(name)?;
        unescape(text).ok_or_else(|| form(self.line, format!("`{text}` has an unknown escape")))
    }

    fn precondition(&mut self) -> Result<Precondition, EntryError> {
        let text = self.field("precondition")?;
        let mut parts = text.splitn(3, ' ');
        let (Some(seq), Some(table), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(form(self.line, "expected a sequence, a table and a key"));
        };
        Ok(Precondition {
            table: table.to_owned(),
            key: unescape(key).ok_or_else(|| form(self.line, "unknown escape in the key"))?,
            expected_seq: seq
                .parse()
                .map_err(|_| form(self.line, format!("`{seq}` is not a sequence")))?,
        })
    }
}
