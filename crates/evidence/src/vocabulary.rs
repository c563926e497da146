//! The language of evidence: tables, columns, types, keys and privacy classes, each table read
//! from one TOML file under `vocabulary/`. Import, SQL, templates and documentation follow from
//! it. This file never knows a table by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
pub(crate) use embedded::MAPPINGS;

/// What a table records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableKind {
    /// Something that happened once. Truly identical occurrences count.
    Event,
    /// A fact that holds until another takes its place. One row per key and `valid_from`.
    Register,
}

/// Whether rows belong to one arrangement or to the whole workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Each row names its `arrangement_id`, and is stored apart by it.
    Arrangement,
    /// Rows are common to all arrangements; stored under the empty arrangement id.
    Shared,
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// Signed 64-bit whole number.
    Integer,
    /// Exact decimal, 38 digits of which 9 after the point.
    Decimal,
    /// Amount in minor units with its currency: two physical columns.
    Money,
    /// UTC microseconds, plus the offset in minutes it was recorded in: two physical columns.
    Instant,
    /// Civil date.
    Date,
    /// Length of time in microseconds.
    Duration,
    /// True or false.
    Boolean,
    /// ISO 3166-1 alpha-2 code.
    Country,
    /// ISO 4217 code.
    Currency,
    /// CEFR level, A1 to C2.
    LanguageLevel,
    /// One of the values listed.
    Enumeration,
    /// Id of a row of another table.
    Reference,
    /// Id of a person, stored as a pseudonym.
    Person,
    /// Source-specific columns as one JSON object of strings with sorted keys; at most 256 keys
    /// and 64 KiB a row.
    Attributes,
}

/// Who may see a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privacy {
    /// Both parties.
    Open,
    /// The parties to the arrangement.
    Internal,
    /// About a person.
    Personal,
    /// Unknown or sensitive content.
    Secret,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Permanent number within the table.
    pub id: u32,
    /// Name, as in templates and SQL.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether a row without it is quarantined.
    #[serde(default)]
    pub required: bool,
    /// Unit of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Privacy class.
    pub privacy: Privacy,
    /// What it holds.
    pub about: String,
    /// Values of an enumeration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Table that a reference points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether a text holds several values, separated by `|`.
    #[serde(default)]
    pub list: bool,
    /// A value as a user would write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Earlier names, still accepted on import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed_from: Vec<String>,
    /// No longer filled; still readable.
    #[serde(default)]
    pub retired: bool,
    /// Column whose place it took, when the type had to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// One table of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Name, permanent.
    #[serde(rename = "table")]
    pub name: String,
    /// Heading for people.
    pub title: String,
    /// What it records.
    pub about: String,
    /// Event or register.
    pub kind: TableKind,
    /// Per arrangement or shared.
    pub scope: Scope,
    /// Columns that identify a row. A register with a `valid_from` column has it in the key too;
    /// an event also counts the n-th identical occurrence.
    pub identity: Vec<String>,
    /// Column of the source's own event id: when a row has one, its identity is (arrangement,
    /// source, that id) instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Column of the instant at which an event happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<String>,
    /// Columns by which stored rows are sorted; identity when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<String>,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

impl Table {
    /// The column of that name, or that once had it.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        let named = self.columns.iter().find(|column| column.name == name);
        named.or_else(|| self.columns.iter().find(|c| c.renamed_from.iter().any(|old| old == name)))
    }

    /// Whether the key also holds `valid_from`.
    #[must_use]
    pub fn has_validity(&self) -> bool {
        self.kind == TableKind::Register && self.column("valid_from").is_some()
    }
}

/// A vocabulary file is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    /// Not TOML, or an unknown field.
    #[error("vocabulary file `{file}`: {message}")]
    Syntax {
        /// File stem.
        file: String,
        /// What the reader said, with line and column.
        message: String,
    },
    /// The parts do not fit together.
    #[error("vocabulary file `{file}`: {message}")]
    Meaning {
        /// File stem.
        file: String,
        /// What is wrong and what to write instead.
        message: String,
    },
}

/// All tables, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    tables: BTreeMap<String, Table>,
    digest: Digest,
}

impl Vocabulary {
    /// The vocabulary compiled into this release.
    ///
    /// # Errors
    /// A file that is wrong; a test of this crate keeps that from being released.
    pub fn built_in() -> Result<Self, VocabularyError> {
        Self::from_texts(embedded::VOCABULARY.iter().copied())
    }

    /// Reads `(file stem, TOML text)` pairs.
    ///
    /// # Errors
    /// The first file that cannot be read or whose identity, sort or reference names nothing.
    pub fn from_texts<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, VocabularyError> {
        let mut tables = BTreeMap::new();
        let mut digests = Vec::new();
        for (file, text) in files {
            let table: Table = toml::from_str(text).map_err(|error| VocabularyError::Syntax {
                file: file.to_owned(),
                message: error.to_string(),
            })?;
            check_table(file, &table)?;
            digests.push((table.name.clone(), Digest::of(text.as_bytes())));
            tables.insert(table.name.clone(), table);
        }
        for table in tables.values() {
            for column in &table.columns {
                if let Some(to) = &column.to
                    && !tables.contains_key(to)
                {
                    return Err(VocabularyError::Meaning {
                        file: table.name.clone(),
                        message: format!("column `{}` refers to unknown table `{to}`", column.name),
                    });
                }
            }
        }
        digests.sort();
        let parts: Vec<&[u8]> =
            digests.iter().flat_map(|(name, digest)| [name.as_bytes(), &digest.0]).collect();
        Ok(Self { tables, digest: Digest::of_parts(&parts) })
    }

    /// A vocabulary as an assessment kept it: its tables, and the digest that its basis names. Later
    /// releases replay with it what was assessed with it.
    ///
    /// # Errors
    /// [`VocabularyError::Meaning`] when a table does not hold together.
    pub fn kept(tables: Vec<Table>, digest: Digest) -> Result<Self, VocabularyError> {
        for table in &tables {
            check_table(&table.name, table)?;
        }
        let tables = tables.into_iter().map(|table| (table.name.clone(), table)).collect();
        Ok(Self { tables, digest })
    }

    /// The table of that name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// All tables in order of name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// Digest over all files: part of every basis, and named by every import.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

fn check_table(file: &str, table: &Table) -> Result<(), VocabularyError> {
    let wrong = |message: String| Err(VocabularyError::Meaning { file: file.to_owned(), message });
    if table.name != file {
        return wrong(format!("table `{}` must stand in `{}.toml`", table.name, table.name));
    }
    let named = table.identity.iter().chain(&table.sort).chain(&table.source_id);
    for name in named.chain(&table.occurred) {
        if !table.columns.iter().any(|column| &column.name == name) {
            return wrong(format!("`{name}` is not a column of the table"));
        }
    }
    let mut ids = std::collections::BTreeSet::new();
    let mut names = std::collections::BTreeSet::new();
    for column in &table.columns {
        if !ids.insert(column.id) || !names.insert(&column.name) {
            return wrong(format!("column `{}` repeats an id or a name", column.name));
        }
        if (column.kind == ColumnType::Enumeration) == column.values.is_empty() {
            return wrong(format!("column `{}`: values belong to an enumeration", column.name));
        }
        if (column.kind == ColumnType::Reference) != column.to.is_some() {
            return wrong(format!("column `{}`: `to` belongs to a reference", column.name));
        }
    }
    let has_arrangement = table.columns.iter().any(|c| c.name == "arrangement_id" && c.required);
    if (table.scope == Scope::Arrangement) != has_arrangement {
        return wrong(
            "an arrangement's table, and no other, has a required `arrangement_id`".into(),
        );
    }
    Ok(())
}
