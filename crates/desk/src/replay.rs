//! What a kept assessment was made from, so that it can be worked out again.

use backstay_engine::{Assessment, Catalogue, EngineError};
use backstay_evidence::{Digest, Vocabulary, vocabulary::Table};
use backstay_store::{Workspace, assessment::Assessment as Kept};

use crate::{
    assess::{CATALOGUE_PREFIX, VOCABULARY_FILE},
    error::DeskError,
    evidence::{self, Seen},
    period::Known,
};

/// The instant that an assessment looked at its evidence from, microseconds UTC.
///
/// # Errors
/// A basis that names no instant.
pub fn as_of_us(entry: u64, stored: &Assessment) -> Result<i64, DeskError> {
    let as_of = &stored.basis.as_of;
    let instant: Result<jiff::Timestamp, _> = as_of.parse();
    instant.map(jiff::Timestamp::as_microsecond).map_err(|_| {
        DeskError::failed(format!("the basis of assessment {entry} has no instant: `{as_of}`"))
    })
}

/// The evidence and the catalogue that an assessment was made from.
///
/// # Errors
/// A catalogue or evidence that the workspace no longer gives.
pub fn basis(
    workspace: &Workspace,
    kept: &Kept,
    stored: &Assessment,
    clock_us: i64,
) -> Result<Seen, DeskError> {
    let mut texts = Vec::new();
    for (name, bytes) in &kept.files {
        if let Some(name) = name.strip_prefix(CATALOGUE_PREFIX) {
            texts.push((name, String::from_utf8_lossy(bytes)));
        }
    }
    let catalogue = Catalogue::from_texts(texts.iter().map(|(name, text)| (*name, text.as_ref())))
        .map_err(EngineError::from)?;
    let known = evidence_entry(workspace, kept.entry, stored.basis.evidence_digest)?;
    let (known, scope) = (Some(Known::Entry(known)), &stored.basis.scope);
    if stored.basis.vocabulary == workspace.vocabulary().digest() {
        return evidence::see_with(workspace, known, scope, catalogue, clock_us);
    }
    // Assessed with the vocabulary of another release, which was kept with it.
    let text = kept.files.get(VOCABULARY_FILE).map(Vec::as_slice).unwrap_or_default();
    let tables: Vec<Table> = serde_json::from_slice(text).map_err(|error| {
        DeskError::failed(format!(
            "the vocabulary kept with assessment {} cannot be read: {error}",
            kept.entry
        ))
    })?;
    let vocabulary = Vocabulary::kept(tables, stored.basis.vocabulary)
        .map_err(|error| DeskError::failed(error.to_string()))?;
    let then = Workspace::open(workspace.dir())?.read_with(vocabulary);
    evidence::see_with(&then, known, scope, catalogue, clock_us)
}

/// The last entry before the assessment at which the evidence had this digest.
fn evidence_entry(workspace: &Workspace, entry: u64, wanted: Digest) -> Result<u64, DeskError> {
    let found = workspace.entry_with_evidence(entry, wanted)?;
    found.ok_or_else(|| {
        DeskError::failed_with(
            format!("the ledger before entry {entry} never held the evidence of this basis"),
            "run `backstay verify`",
        )
    })
}
