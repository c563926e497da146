//! Results kept by what they were worked out from. Owns the keys; it must never let a key leave out
//! something that the result depends on.

use std::{collections::BTreeMap, sync::Mutex};

use backstay_evidence::Digest;

/// Keeps results. Losing one costs time, never an answer; returning other bytes than were put under a
/// key would, so whoever implements it checks what it reads.
pub trait ResultCache: Send + Sync {
    /// The bytes put under a key, when they are still there and intact.
    fn get(&self, key: Digest) -> Option<Vec<u8>>;

    /// Keeps bytes under a key.
    fn put(&self, key: Digest, bytes: &[u8]);
}

/// A cache in memory.
#[derive(Debug, Default)]
pub struct MemoryCache(Mutex<BTreeMap<Digest, Vec<u8>>>);

impl MemoryCache {
    /// How many results it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().map_or(0, |held| held.len())
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ResultCache for MemoryCache {
    fn get(&self, key: Digest) -> Option<Vec<u8>> {
        self.0.lock().ok()?.get(&key).cloned()
    }

    fn put(&self, key: Digest, bytes: &[u8]) {
        if let Ok(mut held) = self.0.lock() {
            held.insert(key, bytes.to_vec());
        }
    }
}
