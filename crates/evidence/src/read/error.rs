//! Why a source as a whole cannot be read. A single record that is wrong never ends up here: it is
//! quarantined.

use std::io;

use crate::{mapping::MappingError, sink::SinkError};

/// The source as a whole cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes could not be read.
    #[error("reading stopped after {records} records: {source}")]
    Io {
        /// Records read before.
        records: u64,
        /// Cause.
        source: io::Error,
    },
    /// The compressed bytes end too early or are damaged.
    #[error(
        "the compressed file is damaged or cut off after {inflated} inflated bytes ({records} \
         records): fetch it again"
    )]
    Gzip {
        /// Bytes inflated before.
        inflated: u64,
        /// Records read before.
        records: u64,
    },
    /// The compressed bytes inflate to more than is allowed.
    #[error(
        "the compressed file inflates to more than {limit}: it is refused, unpack and split it if \
         it is genuine"
    )]
    Inflated {
        /// The limit in words.
        limit: String,
    },
    /// A byte sequence is not in the encoding.
    #[error("byte {offset} of the text is not {encoding}: {hint}")]
    Encoding {
        /// 0-based byte of the inflated text.
        offset: u64,
        /// Encoding that was expected.
        encoding: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// Not a text at all.
    #[error("this is {what}, not a text file: {remedy}")]
    NotText {
        /// What it looks like.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Nothing in it.
    #[error("the file is empty: a header line is expected")]
    Empty,
    /// The header is unusable.
    #[error("header: {message}")]
    Header {
        /// What is wrong.
        message: String,
    },
    /// The file is of another format than the mapping is for.
    #[error("{message}")]
    Format {
        /// What is wrong and what to do.
        message: String,
    },
    /// The mapping is wrong.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// Mapping, options or header do not fit the vocabulary or each other.
    #[error("{message}")]
    Plan {
        /// What is wrong and what to write instead.
        message: String,
    },
    /// Day and month cannot be told apart, or a column mixes formats.
    #[error("column `{column}`: {message}")]
    Dates {
        /// Source column.
        column: String,
        /// What was found and what to write.
        message: String,
    },
    /// The event log is not well-formed, or uses what is refused.
    #[error("event log, after {records} events: {message}")]
    Xes {
        /// Events read before.
        records: u64,
        /// What is wrong.
        message: String,
    },
    /// More records than a reference can count.
    #[error("the file has more than 4,294,967,295 records: split it")]
    TooManyRecords,
    /// Typed rows could not be put together.
    #[error("rows of table `{table}` could not be put together: {source}")]
    Rows {
        /// Table.
        table: String,
        /// Cause.
        source: arrow::error::ArrowError,
    },
    /// Whoever took the rows stopped.
    #[error("{0}")]
    Sink(#[source] SinkError),
    /// No record of that number.
    #[error("there is no record {record} in `{file}`: it has {records}")]
    NoSuchRecord {
        /// File name.
        file: String,
        /// Record asked for.
        record: u32,
        /// Records there are.
        records: u64,
    },
}

impl ReadError {
    /// A plan that does not fit.
    pub(crate) fn plan(message: impl Into<String>) -> Self {
        Self::Plan { message: message.into() }
    }

    /// Carries this error through an interface that only knows `io::Error`.
    pub(crate) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }

    /// Takes it out again, or wraps a plain I/O error, with the number of records before it.
    pub(crate) fn from_io(error: io::Error, done: u64) -> Self {
        if !error.get_ref().is_some_and(|inner| inner.is::<Self>()) {
            return Self::Io { records: done, source: error };
        }
        match error.into_inner().map(|inner| inner.downcast::<Self>()) {
            Some(Ok(own)) => own.after(done),
            Some(Err(other)) => Self::Io { records: done, source: io::Error::other(other) },
            None => Self::Io { records: done, source: io::Error::other("unknown cause") },
        }
    }

    pub(crate) fn after(self, done: u64) -> Self {
        match self {
            Self::Gzip { inflated, .. } => Self::Gzip { inflated, records: done },
            Self::Xes { message, .. } => Self::Xes { records: done, message },
            other => other,
        }
    }
}
