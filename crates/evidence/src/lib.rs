//! Vocabulary, mappings and readers: from source bytes to typed rows with provenance. This crate
//! reads and checks; it never decides what a row means for a control, and it keeps nothing.

pub mod digest;
pub mod dry_run;
pub mod entered;
pub mod excerpt;
pub mod fingerprint;
pub mod identity;
pub mod manifest;
pub mod mapping;
pub mod options;
pub mod quarantine;
pub mod read;
pub mod recognise;
pub mod schema;
pub mod sink;
pub mod trace;
mod typing;
pub mod vocabulary;

pub use digest::Digest;
pub use excerpt::{Excerpts, excerpts};
pub use manifest::{Manifest, ObjectSource, Segment};
pub use mapping::Mapping;
pub use options::ImportOptions;
pub use read::{Limits, ReadError, ReadSummary, SourceInfo, read_source, read_source_within};
pub use schema::RowRef;
pub use sink::{Rejection, Sink, TypedBatch};
pub use typing::number::minor_places;
pub use vocabulary::Vocabulary;
