//! Remembers the pseudonyms of a pass, so that each id is worked out once, and which real ids the
//! vault still has to be told. Owns that memory, which is bounded; the rule of a pseudonym belongs to
//! `backstay-privacy`.

use std::collections::HashMap;

use backstay_privacy::PseudonymKey;

use crate::sink::VaultEntry;

/// Pseudonyms remembered at a time.
const PEOPLE_MAX: usize = 200_000;

/// Pseudonyms given in a pass, and the real ids that the vault has not got yet.
pub(crate) struct People<'k> {
    key: &'k PseudonymKey,
    /// Places in `given`, by arrangement, party, kind and id.
    known: HashMap<String, usize>,
    /// Pseudonyms, and whether the vault was told.
    given: Vec<(String, bool)>,
    pending: Vec<(String, VaultEntry)>,
    scratch: String,
}

impl<'k> People<'k> {
    pub(crate) fn new(key: &'k PseudonymKey) -> Self {
        Self {
            key,
            known: HashMap::new(),
            given: Vec::new(),
            pending: Vec::new(),
            scratch: String::new(),
        }
    }

    /// The pseudonym of an id; none when nothing is left of the id.
    pub(crate) fn pseudonym(
        &mut self,
        party: &str,
        kind: &str,
        id: &str,
        arrangement: &str,
    ) -> Option<&str> {
        self.scratch.clear();
        for part in [arrangement, party, kind] {
            self.scratch.push_str(part);
            self.scratch.push('\0');
        }
        self.scratch.push_str(id);
        let place = match self.known.get(&self.scratch) {
            Some(place) => *place,
            None => {
                let pseudonym = self.key.pseudonymise(party, kind, id)?;
                if self.known.len() >= PEOPLE_MAX {
                    self.known.clear();
                    self.given.clear();
                }
                self.known.insert(self.scratch.clone(), self.given.len());
                self.given.push((pseudonym, false));
                self.given.len() - 1
            }
        };
        let (pseudonym, told) = self.given.get(place)?;
        if !told {
            let entry = VaultEntry {
                pseudonym: pseudonym.clone(),
                party: party.to_owned(),
                id_kind: kind.to_owned(),
                id: id.to_owned(),
                arrangement_id: arrangement.to_owned(),
            };
            self.pending.push((self.scratch.clone(), entry));
        }
        Some(pseudonym)
    }

    /// Forgets the ids of a record that is rejected.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// The ids of a record that is taken, each once.
    pub(crate) fn take_pending(&mut self) -> Vec<VaultEntry> {
        let mut fresh = Vec::new();
        if self.pending.is_empty() {
            return fresh;
        }
        for (name, entry) in std::mem::take(&mut self.pending) {
            let place = self.known.get(&name).copied();
            if let Some((_, told)) = place.and_then(|place| self.given.get_mut(place)) {
                if *told {
                    continue;
                }
                *told = true;
            }
            fresh.push(entry);
        }
        fresh
    }
}
