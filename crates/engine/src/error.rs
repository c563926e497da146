//! What can go wrong between a manifest and an answer, said to the user: what, where, what to do.

use backstay_evidence::Digest;
use datafusion::error::DataFusionError;

/// The engine could not answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// An object of the manifest cannot be read.
    #[error("object {digest} of table `{table}` cannot be read: {message}; run `backstay verify`")]
    Object {
        /// Its content address.
        digest: Digest,
        /// Table it belongs to.
        table: String,
        /// What the reader said.
        message: String,
    },
    /// A table that neither the vocabulary nor the registry of derived tables knows.
    #[error("unknown table `{table}`{hint}")]
    UnknownTable {
        /// The name asked for.
        table: String,
        /// The nearest known name, or where to look.
        hint: String,
    },
    /// A derived table read a table that it does not declare.
    #[error("derived table `{derivation}` reads `{table}` without declaring it: add it to `reads`")]
    UndeclaredRead {
        /// The derived table.
        derivation: String,
        /// What it read.
        table: String,
    },
    /// A derived table could not be worked out.
    #[error("derived table `{derivation}`: {message}")]
    Derivation {
        /// The derived table.
        derivation: String,
        /// What is wrong, where, and what to do.
        message: String,
    },
    /// SQL that cannot be planned or run.
    #[error("{subject}: {message}")]
    Sql {
        /// Whose SQL: a control, a metric, or the query of a guest.
        subject: String,
        /// What is wrong.
        message: String,
    },
    /// SQL that would run, but must not.
    #[error("{subject}: refused: {message}")]
    Refused {
        /// Whose SQL.
        subject: String,
        /// The rule it breaks and what to write instead.
        message: String,
    },
    /// A guest's query went beyond its limits.
    #[error("query stopped: {message}")]
    Limit {
        /// Which limit, and how to stay within it.
        message: String,
    },
    /// A check returned something else than its contract says.
    #[error("{subject}: {message}")]
    Shape {
        /// The control or metric.
        subject: String,
        /// Column or row, and what was expected.
        message: String,
    },
    /// A period, zone or instant makes no sense.
    #[error("{0}")]
    Time(String),
    /// Evidence that contradicts what every row must hold.
    #[error("table `{table}`: {message}")]
    Evidence {
        /// The table.
        table: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// A table written in Markdown cannot be typed.
    #[error("{place}: {message}")]
    Fixture {
        /// File and line, or table and row.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] crate::catalogue::CatalogueError),
    /// The machine refused something: threads, memory.
    #[error("the engine could not start: {0}")]
    Machine(String),
}

impl EngineError {
    /// From the SQL engine, in the name of a control, metric or query.
    #[must_use]
    pub fn sql(subject: &str, error: &DataFusionError) -> Self {
        Self::Sql { subject: subject.to_owned(), message: plain(error) }
    }

    /// From a derivation.
    #[must_use]
    pub fn derivation(name: &str, message: impl Into<String>) -> Self {
        Self::Derivation { derivation: name.to_owned(), message: message.into() }
    }
}

/// The message of the SQL engine without its layers of context and its advice about itself.
fn plain(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let mut text = text.as_str();
    for prefix in [
        "Error during planning: ",
        "Schema error: ",
        "SQL error: ",
        "Execution error: ",
        "External error: ",
        "This feature is not implemented: ",
        "Invalid or Unsupported Configuration: ",
    ] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    let text = text.trim_end_matches('.').replace('\n', " ");
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => "the SQL engine gave no reason".to_owned(),
    }
}
