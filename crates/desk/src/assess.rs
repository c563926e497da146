//! An assessment: worked out on the evidence seen, and kept with everything that a replay needs.

use backstay_engine::{
    Period,
    assess::{AssessRequest, assess as compute},
    assessment::Assessment,
};
use backstay_evidence::Digest;
use backstay_store::{CloseNote, Ctx, NewAssessment, Workspace};

use crate::{
    error::DeskError,
    evidence::{self, Cache, Seen},
};

/// Name of the kept vocabulary: a list of tables.
pub const VOCABULARY_FILE: &str = "vocabulary.json";

/// Names of kept catalogue files begin so.
pub const CATALOGUE_PREFIX: &str = "catalogue/";

/// Assesses a period on the evidence seen, and keeps nothing.
///
/// # Errors
/// Unreadable evidence.
pub fn work_out(
    workspace: &Workspace,
    seen: &Seen,
    period: Period,
) -> Result<Assessment, DeskError> {
    let cache = Cache(workspace.cache());
    Ok(compute(&request(seen, period, &cache))?)
}

/// What is asked of the engine about a period of the evidence seen.
#[must_use]
pub fn request<'c>(seen: &Seen, period: Period, cache: &'c Cache) -> AssessRequest<'c> {
    AssessRequest {
        evidence: seen.evidence.clone(),
        settings: settings(),
        // Named even when it was chosen, so that the bytes depend on the basis alone.
        period: Some(period),
        now_us: seen.now_us,
        seed: 0,
        layout: evidence::layout(),
        cache: Some(cache),
    }
}

/// Digest of the settings: there are none yet, which is a setting too.
#[must_use]
pub fn settings() -> Digest {
    Digest::of(b"{}")
}

/// Keeps an assessment, of which `bytes` are the canonical ones; gives its entry. The same basis has one
/// entry.
///
/// # Errors
/// A workspace that cannot be written.
pub fn keep(
    workspace: &Workspace,
    seen: &Seen,
    assessment: &Assessment,
    bytes: &[u8],
    ctx: &mut Ctx<'_>,
) -> Result<u64, DeskError> {
    with_basis(seen, assessment, bytes, |new| Ok(workspace.append_assessment(new, ctx)?.entry))
}

/// Keeps an assessment as a step of the month-end; gives its entry.
///
/// # Errors
/// A step that may not follow, or a workspace that cannot be written.
pub fn close(
    workspace: &Workspace,
    seen: &Seen,
    assessment: &Assessment,
    note: &CloseNote,
    ctx: &mut Ctx<'_>,
) -> Result<u64, DeskError> {
    let bytes = assessment.bytes();
    with_basis(seen, assessment, &bytes, |new| Ok(workspace.close(new, note, ctx)?.entry))
}

/// Puts an assessment away together with what a replay needs.
fn with_basis(
    seen: &Seen,
    assessment: &Assessment,
    bytes: &[u8],
    put: impl FnOnce(NewAssessment<'_>) -> Result<u64, DeskError>,
) -> Result<u64, DeskError> {
    let (basis, files) = basis_files(seen, assessment)?;
    put(NewAssessment {
        basis: &basis,
        result: bytes,
        files: &files,
        arrangements: &assessment.basis.scope,
    })
}

/// The basis as it is kept, and the files that it names.
type BasisFiles = (Vec<u8>, Vec<(String, Vec<u8>)>);

/// What is kept beside a result so that it can be replayed.
///
/// # Errors
/// A basis that cannot be written.
fn basis_files(seen: &Seen, assessment: &Assessment) -> Result<BasisFiles, DeskError> {
    let unwritable = |error: serde_json::Error| {
        DeskError::failed(format!("the basis cannot be written: {error}"))
    };
    let basis = serde_json::to_vec(&assessment.basis).map_err(unwritable)?;
    let mut files: Vec<(String, Vec<u8>)> = seen
        .evidence
        .catalogue
        .texts()
        .iter()
        .map(|(name, text)| (format!("{CATALOGUE_PREFIX}{name}"), text.clone().into_bytes()))
        .collect();
    let tables: Vec<_> = seen.evidence.vocabulary.tables().collect();
    files.push((VOCABULARY_FILE.to_owned(), serde_json::to_vec(&tables).map_err(unwritable)?));
    Ok((basis, files))
}
