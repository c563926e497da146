//! Entry bytes, Merkle tree, checkpoints, proofs and the offline bundle verifier.
//!
//! The crate owns every byte that the proof of a workspace rests on: the canonical form of an entry,
//! the RFC 9162 tree over those forms, the C2SP checkpoint that signs the tree's root, the running
//! digest of the evidence, and the layout of a bundle that a stranger can check. It must never read
//! a clock, draw randomness or know what a payload means. Nothing but [`bundle::FolderSource`], which
//! the verifier uses, touches a disk.

pub mod bundle;
pub mod checkpoint;
pub mod digest;
pub mod entry;
pub mod evidence;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;

pub use bundle::{
    BundleSink, BundleSource, BundleWriteError, BundleWriter, FolderSource, PayloadFile, Problem,
    VerifyError, VerifyOptions, VerifyReport, verify_bundle,
};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use digest::{Digest, DigestError, DigestWriter, Salt, SaltedDigest};
pub use entry::{Entry, EntryDraft, EntryError, EntryKind, Precondition};
pub use evidence::{EvidenceDigest, EvidenceError};
pub use note::{NoteError, SigningKey, VerifierKey};
pub use proof::{
    ProofError, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};
pub use tree::{Frontier, MemoryTree, Node, NodeSource, TreeError, leaf_hash, node_hash, root_at};
