//! `backstay replay`: a kept assessment worked out again from its basis.

use std::path::Path;

use backstay_engine::{
    AssessRequest, Assessment, Catalogue, ENGINE_VERSION, EngineError, assess, replay::replay,
};
use backstay_evidence::{Digest, Vocabulary, vocabulary::Table};
use backstay_report::replay::text;
use backstay_store::{Workspace, assessment::Assessment as Kept};

use crate::{
    args::{ReplayArgs, ReplayOutput},
    command::assess::{CATALOGUE_PREFIX, VOCABULARY_FILE, settings},
    door,
    error::{CliError, FOUND},
    evidence::{self, Seen},
    period::Known,
};

pub fn run(args: &ReplayArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let kept = workspace.assessment(args.entry)?;
    let stored = Assessment::from_bytes(&kept.result)?;
    let seen = basis(&workspace, &kept, &stored)?;
    let request = AssessRequest {
        evidence: seen.evidence,
        settings: settings(),
        period: Some(stored.basis.period),
        now_us: as_of_us(args.entry, &stored)?,
        seed: stored.basis.seed,
        layout: evidence::layout(),
        // Worked out anew: a cache would only repeat what it once kept.
        cache: None,
    };
    if args.output == ReplayOutput::Bytes {
        let bytes = assess(&request)?.bytes();
        door::print_bytes(&bytes)?;
        return Ok(if bytes == kept.result { 0 } else { FOUND });
    }
    let found = replay(&request, &kept.result)?;
    match args.output {
        ReplayOutput::Json => door::print_json(&found)?,
        _ => door::print(&text(args.entry, &found, door::look()))?,
    }
    let same =
        found.identical || (found.stored_engine != ENGINE_VERSION && found.changes.is_empty());
    Ok(if same { 0 } else { FOUND })
}

/// The instant that an assessment looked at its evidence from, microseconds UTC.
///
/// # Errors
/// A basis that names no instant.
pub(super) fn as_of_us(entry: u64, stored: &Assessment) -> Result<i64, CliError> {
    let as_of = &stored.basis.as_of;
    let instant: Result<jiff::Timestamp, _> = as_of.parse();
    instant.map(jiff::Timestamp::as_microsecond).map_err(|_| {
        CliError::failed(format!("the basis of assessment {entry} has no instant: `{as_of}`"))
    })
}

/// The evidence and the catalogue that an assessment was made from.
///
/// # Errors
/// A catalogue or evidence that the workspace no longer gives.
pub(super) fn basis(
    workspace: &Workspace,
    kept: &Kept,
    stored: &Assessment,
) -> Result<Seen, CliError> {
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
        return evidence::see_with(workspace, known, scope, catalogue);
    }
    // Assessed with the vocabulary of another release, which was kept with it.
    let text = kept.files.get(VOCABULARY_FILE).map(Vec::as_slice).unwrap_or_default();
    let tables: Vec<Table> = serde_json::from_slice(text).map_err(|error| {
        CliError::failed(format!(
            "the vocabulary kept with assessment {} cannot be read: {error}",
            kept.entry
        ))
    })?;
    let vocabulary = Vocabulary::kept(tables, stored.basis.vocabulary)
        .map_err(|error| CliError::failed(error.to_string()))?;
    let then = Workspace::open(workspace.dir())?.read_with(vocabulary);
    evidence::see_with(&then, known, scope, catalogue)
}

/// The last entry before the assessment at which the evidence had this digest.
fn evidence_entry(workspace: &Workspace, entry: u64, wanted: Digest) -> Result<u64, CliError> {
    let found = workspace.entry_with_evidence(entry, wanted)?;
    found.ok_or_else(|| {
        CliError::failed_with(
            format!("the ledger before entry {entry} never held the evidence of this basis"),
            "run `backstay verify`",
        )
    })
}
