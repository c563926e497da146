//! Owns the layout of a bundle: a folder that proves a ledger to somebody who trusts nobody. It must
//! never need anything but the folder itself and, to be sure, a key or an older checkpoint that came
//! by another way.
//!
//! | path | what |
//! |---|---|
//! | `checkpoint` | the newest signed checkpoint |
//! | `checkpoints/<20 digits of size>` | older ones |
//! | `vkey` | the verifier key, one line |
//! | `tile/<L>/<N>[.p/<W>]` | hash tiles (C2SP tlog-tiles) |
//! | `tile/entries/<N>[.p/<W>]` | entries in canonical form, 256 a file |
//! | `payload/<hex>` | 32 bytes of salt, then the payload; named by its salted digest |
//! | `objects/<hex>` | an object, named by its SHA-256 |
//!
//! A payload is a JSON object. The verifier reads two of its fields and no other:
//! `"objects": [{"digest": "<hex>", …}, …]`, the objects that the entry stands on, and, in entries of
//! kind `erase`, `"erased": {"entries": [<sequence>, …], "objects": ["<hex>", …]}`, what was destroyed
//! on purpose: payloads of earlier entries, and objects. What is missing and not erased is a fault.

mod erasure;
mod source;
mod verify;
mod write;

pub use source::{BundleSource, FolderSource};
pub use verify::{Problem, VerifyError, VerifyOptions, VerifyReport, verify_bundle};
pub use write::{BundleSink, BundleWriteError, BundleWriter, PayloadFile};

/// Path of the newest checkpoint.
pub const CHECKPOINT_PATH: &str = "checkpoint";
/// Path of the verifier key.
pub const VKEY_PATH: &str = "vkey";
/// Folder of older checkpoints.
pub const CHECKPOINTS: &str = "checkpoints/";
/// Folder of payloads.
pub const PAYLOADS: &str = "payload/";
/// Folder of objects.
pub const OBJECTS: &str = "objects/";

/// The longest payload that a bundle carries: 256 MiB. Larger things are objects.
pub const MAX_PAYLOAD_BYTES: u64 = 256 << 20;

/// Path of an older checkpoint.
pub fn checkpoint_path(size: u64) -> String {
    format!("{CHECKPOINTS}{size:020}")
}
