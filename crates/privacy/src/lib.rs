//! Pseudonyms and source encryption.
//!
//! The crate owns how a person's id becomes a pseudonym, how the kept bytes of a source are encrypted
//! under a key of their own, and how such keys and real ids are sealed under a workspace's key, so that
//! deleting one small sealed value erases what it opened. It must never read a clock or a disk, nor
//! print a secret: where a type that holds one has a `Debug` form, it shows only the type's name.
//!
//! Randomness is a parameter, with one exception: `age` draws the source key, the file key and the
//! nonces of a file from the operating system itself and offers no other way.

pub mod pseudonym;
pub mod source;
pub mod wrap;

pub use pseudonym::{PseudonymKey, normalise_id};
pub use source::{
    SourceError, SourceKey, SourceRecipient, SourceWriter, decrypt_stream, encrypt_stream,
};
pub use wrap::{RealId, SealError, Secret, VaultBox, WrapKey};
