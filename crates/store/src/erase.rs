//! Forgetting on purpose, and looking behind a pseudonym. Both leave an entry that says who did it
//! and why; an erasure destroys a key, so that tree, objects and answers stay as they are.

use backstay_ledger::{Digest as LedgerDigest, EntryKind, Salt};

use crate::{
    backend::{Append, Backend as _, Basis, SecretKind},
    error::{Result, StoreError},
    payload::{self, DisclosurePayload, ErasePayload, Erased, Role},
    workspace::{Ctx, Workspace},
};

/// What stands behind a pseudonym. Shown once, never kept in the clear.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct Revealed {
    /// The entry that records the asking.
    pub entry: u64,
    /// Pseudonym.
    pub pseudonym: String,
    /// Party whose id it is.
    pub party: String,
    /// Kind of id.
    pub id_kind: String,
    /// The real id.
    pub id: String,
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revealed").field("pseudonym", &self.pseudonym).finish_non_exhaustive()
    }
}

/// What an erasure destroys.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Erasure {
    /// Pseudonym of the person, when it is one that is to be forgotten.
    pub pseudonym: Option<String>,
    /// Whether the vault holds the id behind it.
    pub in_vault: bool,
    /// Imports whose kept bytes go, in order.
    pub sources: Vec<u64>,
}

impl Workspace {
    /// The pseudonym of a person's id, as an import would make it; `None` when nothing is left of
    /// the id.
    ///
    /// # Errors
    /// [`StoreError::NoKey`].
    pub fn pseudonym_of(&self, party: &str, id_kind: &str, id: &str) -> Result<Option<String>> {
        Ok(self.keys.pseudonym()?.pseudonymise(party, id_kind, id))
    }

    /// What [`Self::erase_source`] would destroy.
    ///
    /// # Errors
    /// [`StoreError::Kind`]; [`StoreError::Erased`] when it was done.
    pub fn erasure_of_source(&self, entry: u64) -> Result<Erasure> {
        let origin = self.import_payload(entry)?.rereads.unwrap_or(entry);
        if let Some((by, _)) = self.erased_by(origin)? {
            return Err(StoreError::Erased { entry: origin, by });
        }
        Ok(Erasure { pseudonym: None, in_vault: false, sources: vec![origin] })
    }

    /// What [`Self::erase_person`] would destroy.
    ///
    /// # Errors
    /// [`StoreError::NoPerson`] when nothing is kept of the person.
    pub fn erasure_of_person(&self, pseudonym: &str) -> Result<Erasure> {
        let mut sources = Vec::new();
        for entry in self.backend.sources_naming(pseudonym)? {
            if self.erased_by(entry)?.is_none() {
                sources.push(entry);
            }
        }
        let in_vault = self.backend.secret(SecretKind::Person, pseudonym)?.is_some();
        if sources.is_empty() && !in_vault {
            return Err(StoreError::NoPerson(pseudonym.to_owned()));
        }
        Ok(Erasure { pseudonym: Some(pseudonym.to_owned()), in_vault, sources })
    }

    /// Destroys the key of an import's kept source: its bytes can never be read again. Rows stay;
    /// `trace` then says what was erased, when and by whom.
    ///
    /// # Errors
    /// [`StoreError::NoReason`], [`StoreError::Kind`], [`StoreError::Erased`] when it was done.
    pub fn erase_source(&self, entry: u64, reason: &str, ctx: &mut Ctx<'_>) -> Result<u64> {
        let erasure = self.erasure_of_source(entry)?;
        self.erase(erasure.sources, None, reason, ctx)
    }

    /// Forgets a person: destroys the vault row and the keys of all sources that name the person.
    ///
    /// # Errors
    /// [`StoreError::NoReason`]; [`StoreError::NoPerson`] when nothing is kept of the person.
    pub fn erase_person(&self, pseudonym: &str, reason: &str, ctx: &mut Ctx<'_>) -> Result<u64> {
        let erasure = self.erasure_of_person(pseudonym)?;
        self.erase(erasure.sources, erasure.pseudonym, reason, ctx)
    }

    fn erase(
        &self,
        sources: Vec<u64>,
        person: Option<String>,
        reason: &str,
        ctx: &mut Ctx<'_>,
    ) -> Result<u64> {
        if reason.trim().is_empty() {
            return Err(StoreError::NoReason);
        }
        let mut keys = Vec::new();
        let mut arrangements = Vec::new();
        for entry in &sources {
            let stored = self.stored(*entry)?;
            arrangements.extend(stored.entry.arrangements.iter().cloned());
            keys.extend(self.import_payload(*entry)?.object(Role::Source));
        }
        let payload = payload::write(&ErasePayload {
            sources,
            person: person.clone(),
            reason: reason.trim().to_owned(),
            erased: Erased::default(),
        })?;
        let append = Append {
            actor: ctx.actor.to_owned(),
            kind: EntryKind::Erase,
            arrangements,
            expectations: Vec::new(),
            basis: Basis::Any,
            content: LedgerDigest::of_content(&payload),
            payload,
            salt: Salt(ctx.bytes()),
            now_us: ctx.now_us,
        };
        let sealed = self.append(&append, &mut |_, index| {
            for digest in &keys {
                index.delete_secret(SecretKind::Source, &digest.to_string())?;
            }
            if let Some(pseudonym) = &person {
                index.delete_secret(SecretKind::Person, pseudonym)?;
            }
            Ok(())
        })?;
        self.backend.scrub()?;
        Ok(sealed.seq)
    }

    /// The real id behind a pseudonym. The asking is recorded before the answer is given.
    ///
    /// # Errors
    /// [`StoreError::NoReason`], [`StoreError::NoPerson`], [`StoreError::NoKey`].
    pub fn reveal(&self, pseudonym: &str, reason: &str, ctx: &mut Ctx<'_>) -> Result<Revealed> {
        if reason.trim().is_empty() {
            return Err(StoreError::NoReason);
        }
        let sealed_id = self
            .backend
            .secret(SecretKind::Person, pseudonym)?
            .ok_or_else(|| StoreError::NoPerson(pseudonym.to_owned()))?;
        let text = self.keys.vault()?.open(pseudonym, &sealed_id)?;
        let (party, id_kind, id): (String, String, String) =
            serde_json::from_str(&text).map_err(|_| StoreError::NoPerson(pseudonym.to_owned()))?;
        let value = serde_json::json!(DisclosurePayload {
            pseudonym: pseudonym.to_owned(),
            reason: reason.trim().to_owned(),
        });
        let entry = self.append_plain(EntryKind::Disclosure, &[], &value, ctx)?;
        Ok(Revealed { entry, pseudonym: pseudonym.to_owned(), party, id_kind, id })
    }
}
