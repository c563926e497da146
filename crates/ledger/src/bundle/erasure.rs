//! Owns the bookkeeping of what entries stand on and what was erased on record, for the verifier. It
//! must never excuse an absence that no later entry explains.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::digest::{Digest, SaltedDigest};

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Erasures {
    absent: Vec<(u64, SaltedDigest)>,
    present: BTreeMap<u64, SaltedDigest>,
    /// Entry whose payload was erased → the entry that did it.
    entries: BTreeMap<u64, u64>,
    /// Object → the last entry that erased it.
    objects: BTreeMap<Digest, u64>,
    /// Object → the last entry that stands on it.
    stands: BTreeMap<Digest, u64>,
}

/// How the objects came out.
pub(super) struct ObjectsFound {
    pub(super) erased: u64,
    pub(super) erased_but_present: Vec<Digest>,
    pub(super) missing: Vec<(u64, Digest)>,
}

#[derive(Deserialize)]
struct StandsOn {
    #[serde(default)]
    objects: Vec<ObjectName>,
}

#[derive(Deserialize)]
struct ObjectName {
    digest: Digest,
}

#[derive(Deserialize)]
struct Erases {
    erased: Erased,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Erased {
    entries: Vec<u64>,
    objects: Vec<Digest>,
}

impl Erasures {
    pub(super) fn payload_absent(&mut self, sequence: u64, digest: SaltedDigest) {
        self.absent.push((sequence, digest));
    }

    pub(super) fn payload_present(&mut self, sequence: u64, digest: SaltedDigest) {
        self.present.insert(sequence, digest);
    }

    /// Reads what a payload stands on and, for an erase entry, what it erased. An entry can erase
    /// only what came before it.
    pub(super) fn note(
        &mut self,
        sequence: u64,
        erases: bool,
        payload: &[u8],
    ) -> Result<(), serde_json::Error> {
        // The fields below could also be read from an array, by their order; only an object has names.
        if !payload.trim_ascii_start().starts_with(b"{") {
            return Err(serde::de::Error::custom("expected a JSON object"));
        }
        let stands: StandsOn = serde_json::from_slice(payload)?;
        for object in stands.objects {
            self.stands.insert(object.digest, sequence);
        }
        if erases {
            let Erases { erased } = serde_json::from_slice(payload)?;
            for entry in erased.entries.into_iter().filter(|entry| *entry < sequence) {
                self.entries.insert(entry, sequence);
            }
            for object in erased.objects {
                self.objects.insert(object, sequence);
            }
        }
        Ok(())
    }

    pub(super) fn stands_on(&self, object: &Digest) -> bool {
        self.stands.contains_key(object)
    }

    /// How many absent payloads were erased, and those that were not.
    pub(super) fn absent_payloads(&self) -> (u64, Vec<(u64, SaltedDigest)>) {
        let (erased, missing): (Vec<_>, Vec<_>) =
            self.absent.iter().partition(|(sequence, _)| self.entries.contains_key(sequence));
        (erased.len() as u64, missing)
    }

    pub(super) fn erased_but_present_payloads(&self) -> Vec<SaltedDigest> {
        self.entries.keys().filter_map(|entry| self.present.get(entry)).copied().collect()
    }

    /// Holds the objects in the bundle against those that entries stand on. An object that an entry
    /// stands on again after its erasure must be there again.
    pub(super) fn objects(&self, present: &BTreeSet<Digest>) -> ObjectsFound {
        let mut found =
            ObjectsFound { erased: 0, erased_but_present: Vec::new(), missing: Vec::new() };
        for (digest, sequence) in &self.stands {
            let erased = self.objects.get(digest).is_some_and(|by| by > sequence);
            match (present.contains(digest), erased) {
                (true, true) => found.erased_but_present.push(*digest),
                (false, true) => found.erased += 1,
                (false, false) => found.missing.push((*sequence, *digest)),
                (true, false) => {}
            }
        }
        found
    }
}
