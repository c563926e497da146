//! Replaying a stored assessment: the same bytes on the same engine version, and on another version
//! every figure that changed. Owns the comparison; it must never write anything.

use std::collections::{BTreeMap, BTreeSet};

use backstay_evidence::Digest;
use serde_json::Value;

use crate::{
    assess::{AssessRequest, ENGINE_VERSION, assess},
    assessment::{Assessment, Basis},
    error::EngineError,
};

/// One value that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// Where, as in `measures/desk/resolution-p1/2026-03-01..2026-04-01/value`.
    pub place: String,
    /// As stored; none when it was not there.
    pub before: Option<String>,
    /// As worked out now; none when it is no longer there.
    pub after: Option<String>,
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Replay {
    /// Engine version that the stored assessment names.
    pub stored_engine: String,
    /// Engine version now.
    pub engine: String,
    /// Digest of the stored bytes.
    pub stored_digest: Digest,
    /// Digest of the bytes now.
    pub digest: Digest,
    /// Whether they are the same bytes.
    pub identical: bool,
    /// Every value that changed, the basis's own versions aside.
    pub changes: Vec<Change>,
}

/// Assesses again on the basis of a stored assessment and compares. The request holds the evidence,
/// catalogue and vocabulary that the basis names; its period and instant are taken from the basis.
///
/// # Errors
/// Bytes that are no assessment, a request that does not hold what the basis names, or as
/// [`assess`].
pub fn replay(request: &AssessRequest<'_>, stored: &[u8]) -> Result<Replay, EngineError> {
    let before = Assessment::from_bytes(stored)?;
    check_basis(request, &before.basis)?;
    let as_of: jiff::Timestamp = before.basis.as_of.parse().map_err(|_| EngineError::Shape {
        subject: "stored assessment".to_owned(),
        message: format!("`{}` is no instant", before.basis.as_of),
    })?;
    let again = AssessRequest {
        period: Some(before.basis.period),
        now_us: as_of.as_microsecond(),
        seed: before.basis.seed,
        ..request.clone()
    };
    let mut after = assess(&again)?;
    // How the period was chosen is part of the stored notes; a replay is told it.
    let chosen = before.notes.iter().filter(|note| note.starts_with("the period is "));
    after.notes.splice(0..0, chosen.cloned());
    let bytes = after.bytes();
    Ok(Replay {
        stored_engine: before.basis.engine.clone(),
        engine: ENGINE_VERSION.to_owned(),
        stored_digest: Digest::of(stored),
        digest: Digest::of(&bytes),
        identical: bytes == stored,
        changes: changes(&before, &after),
    })
}

fn check_basis(request: &AssessRequest<'_>, basis: &Basis) -> Result<(), EngineError> {
    let evidence = &request.evidence;
    let parts = [
        ("evidence", basis.evidence_digest, evidence.manifest.evidence_digest),
        ("catalogue", basis.catalogue, evidence.catalogue.digest()),
        ("vocabulary", basis.vocabulary, evidence.vocabulary.digest()),
        ("settings", basis.settings, request.settings),
    ];
    for (what, named, given) in parts {
        if named != given {
            return Err(EngineError::Shape {
                subject: "stored assessment".to_owned(),
                message: format!("its basis names {what} {named}, the replay was given {given}"),
            });
        }
    }
    if basis.scope != evidence.manifest.scope {
        return Err(EngineError::Shape {
            subject: "stored assessment".to_owned(),
            message: "its basis names another scope than the replay was given".to_owned(),
        });
    }
    Ok(())
}

/// Every value of two assessments that differs, by place.
#[must_use]
pub fn changes(before: &Assessment, after: &Assessment) -> Vec<Change> {
    let (old, new) = (places(before), places(after));
    let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |place: &String| {
        let (before, after) = (old.get(place).cloned(), new.get(place).cloned());
        (before != after).then(|| Change { place: place.clone(), before, after })
    };
    all.into_iter().filter_map(change).collect()
}

fn places(assessment: &Assessment) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Ok(Value::Object(parts)) = serde_json::to_value(assessment) else { return found };
    for (name, part) in &parts {
        // The basis says which engine and zones were used; it is no figure.
        if name != "basis" && name != "schema" {
            walk(name, part, &mut found);
        }
    }
    found
}

/// Names by which the elements of a list are known, so that a new one moves no other.
const KEYS: [&str; 7] =
    ["arrangement_id", "risk", "control", "service_level", "period", "table", "id"];

fn walk(place: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                walk(&format!("{place}/{name}"), value, found);
            }
        }
        Value::Array(elements) if elements.iter().all(Value::is_object) => {
            for element in elements {
                let key = |name: &&str| element.get(*name).and_then(Value::as_str);
                let keys: Vec<&str> = KEYS.iter().filter_map(key).collect();
                walk(&format!("{place}/{}", keys.join("/")), element, found);
            }
        }
        Value::String(text) => {
            found.insert(place.to_owned(), text.clone());
        }
        other => {
            found.insert(place.to_owned(), other.to_string());
        }
    }
}
