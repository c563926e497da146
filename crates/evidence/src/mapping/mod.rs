//! The mapping file: how one source layout becomes rows of the vocabulary. Owns the format, its
//! checks that need no file, and the mappings of this release; never reads a source. The format is
//! described for users in `docs/mappings.md`.

mod definition;
pub(crate) mod plan;
pub mod propose;
mod settle;
pub(crate) mod wildcard;

use serde::{Deserialize, Serialize};

pub use definition::{
    AttributesRule, ColumnRule, ColumnSource, Condition, Definition, Filter, Keep, OneOrMany,
    Recurrence, SourceFormat, TableRule, Transform, Unpivot, WorkbookRule,
};

use crate::{digest::Digest, vocabulary::MAPPINGS};

/// A mapping is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// No mapping of that name.
    #[error("there is no mapping `{name}`: the built-in ones are {known}")]
    Unknown {
        /// Name asked for.
        name: String,
        /// Names there are.
        known: String,
    },
    /// Not TOML, or an unknown field.
    #[error("mapping: {message}")]
    Syntax {
        /// What the reader said, with line and column.
        message: String,
    },
    /// The parts do not fit together.
    #[error("mapping `{mapping}`: {message}")]
    Meaning {
        /// Name in the file.
        mapping: String,
        /// What is wrong and what to write instead.
        message: String,
    },
}

/// A mapping as it was written, and what it says. Serialised as its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mapping {
    text: String,
    definition: Definition,
}

impl Mapping {
    /// Names of the mappings compiled into this release.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        MAPPINGS.iter().map(|(name, _)| *name).collect()
    }

    /// The built-in mapping of that name.
    ///
    /// # Errors
    /// [`MappingError::Unknown`], naming those there are.
    pub fn built_in(name: &str) -> Result<Self, MappingError> {
        match MAPPINGS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::from_text(text),
            None => Err(MappingError::Unknown {
                name: name.to_owned(),
                known: Self::names()
                    .iter()
                    .map(|n| format!("`{n}`"))
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// Reads a mapping file.
    ///
    /// # Errors
    /// When it is not TOML, has an unknown field, or contradicts itself. Tables and columns are
    /// compared with the vocabulary when a source is read.
    pub fn from_text(text: &str) -> Result<Self, MappingError> {
        let definition: Definition = toml::from_str(text)
            .map_err(|error| MappingError::Syntax { message: error.to_string() })?;
        definition.check().map_err(|message| MappingError::Meaning {
            mapping: definition.mapping.clone(),
            message,
        })?;
        Ok(Self { text: text.to_owned(), definition })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.definition.mapping
    }

    /// The file as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Digest of the file as it was written.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// Whether local times of a zone may become instants by it.
    pub(crate) fn names_a_zone(&self) -> bool {
        self.definition.zone.is_some()
    }
}

impl TryFrom<String> for Mapping {
    type Error = MappingError;

    fn try_from(text: String) -> Result<Self, MappingError> {
        Self::from_text(&text)
    }
}

impl From<Mapping> for String {
    fn from(mapping: Mapping) -> Self {
        mapping.text
    }
}

/// Whether a name fits a pattern in which `*` stands for any text and `?` for any one character.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    wildcard::matches(pattern, name)
}
