//! Whether the vault still fits the pseudonyms that stand in rows. Looks at every sealed name and at
//! the list of sources that name a person; must never show a name, nor say whose it is.

use std::collections::BTreeSet;

use crate::{
    backend::{Backend as _, SecretKind},
    error::{Result, StoreError},
    workspace::Workspace,
};

/// What is wrong with the vault.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct VaultCheck {
    /// Sealed names that do not open.
    pub(crate) closed: u64,
    /// Names that open, and have another pseudonym under the key that is here.
    pub(crate) estranged: u64,
    /// Pseudonyms in the list of sources that neither the vault nor an erasure knows.
    pub(crate) unknown: u64,
    /// Keys that were not here to look with.
    pub(crate) without_keys: bool,
}

impl Workspace {
    /// Opens every sealed name and makes its pseudonym again. `erased`: pseudonyms of people who
    /// were erased on record.
    pub(crate) fn check_vault(&self, erased: &BTreeSet<String>) -> Result<VaultCheck> {
        let mut check = VaultCheck::default();
        let mut kept = BTreeSet::new();
        let keys = (self.keys.vault(), self.keys.pseudonym());
        check.without_keys =
            matches!(&keys, (Err(StoreError::NoKey(_)), _) | (_, Err(StoreError::NoKey(_))));
        for pseudonym in self.backend.secret_names(SecretKind::Person)? {
            if let (Ok(vault), Ok(key)) = &keys {
                let sealed = self.backend.secret(SecretKind::Person, &pseudonym)?;
                match sealed.and_then(|sealed| vault.open(&pseudonym, &sealed).ok()) {
                    None => check.closed += 1,
                    Some(text) => {
                        let parts = serde_json::from_str::<(String, String, String)>(&text);
                        let made = parts
                            .ok()
                            .and_then(|(party, kind, id)| key.pseudonymise(&party, &kind, &id));
                        check.estranged += u64::from(made.as_ref() != Some(&pseudonym));
                    }
                }
            }
            kept.insert(pseudonym);
        }
        for pseudonym in self.backend.named_people()? {
            check.unknown += u64::from(!kept.contains(&pseudonym) && !erased.contains(&pseudonym));
        }
        match keys {
            (Err(error), _) | (_, Err(error)) if !check.without_keys => Err(error),
            _ => Ok(check),
        }
    }
}
