//! A kept assessment as a page: the assessment, and what stands beside it in the evidence that it was made
//! from. Owns the gathering; the page depends on the assessment and its basis alone.

use std::{borrow::Cow, collections::BTreeSet};

use backstay_engine::{Assessment, panel::credits as credits_of};
use backstay_evidence::Digest;
use backstay_report::{
    html::{Dossier, Keeping, Source, page},
    listing::{Listing, figure},
};
use backstay_store::{EntrySummary, Workspace};
use serde_json::Value;

use crate::{beside::beside, error::DeskError, replay};

/// Files listed; the page must stay one that can be read.
const SOURCES_SHOWN: usize = 2_000;
/// Entries read at once.
const CHUNK: usize = 1_000;

/// The page of a kept assessment. `lists` says of a file's arrangements (none: it is shared) whether the
/// file is named on the page.
///
/// # Errors
/// No assessment in that entry, or unreadable evidence.
pub fn html(
    workspace: &Workspace,
    entry: u64,
    clock_us: i64,
    lists: &dyn Fn(&[String]) -> bool,
) -> Result<String, DeskError> {
    let kept = workspace.assessment(entry)?;
    let assessment = Assessment::from_bytes(&kept.result)?;
    let mut seen = replay::basis(workspace, &kept, &assessment, clock_us)?;
    // Everything beside the assessment is seen from the instant that it was seen from.
    seen.now_us = replay::as_of_us(entry, &assessment)?;
    let mut entries = entries(workspace, entry)?;
    let actor = entries.iter().find(|found| found.entry == entry).map(|found| found.actor.clone());
    entries.retain(|entry| lists(&entry.arrangements));
    let mut dossier = Dossier {
        assessment: &assessment,
        catalogue: &seen.evidence.catalogue,
        known_at: seen.known_at,
        kept: Some(Keeping {
            entry,
            recorded_at_us: kept.recorded_at_us,
            actor: actor.unwrap_or_default(),
            digest: Digest::of(&kept.result).to_string(),
        }),
        parties: Cow::default(),
        history: Cow::default(),
        panels: Cow::default(),
        ladders: Cow::default(),
        feeds: Cow::default(),
        incomplete: Cow::default(),
        sources: sources(&entries, seen.known_at, &assessment.basis.scope).into(),
    };
    let period = assessment.basis.period;
    for id in seen.arrangements() {
        let measured = assessment.measures.iter().any(|measure| measure.arrangement_id == id);
        let found = beside(workspace, &seen, &id, period, measured)?;
        dossier.parties.to_mut().push(found.party);
        dossier.history.to_mut().extend(found.history);
        dossier.panels.to_mut().extend(found.panels);
        dossier.ladders.to_mut().extend(found.ladders);
        dossier.feeds.to_mut().extend(found.feeds);
        dossier.incomplete.to_mut().extend(found.incomplete);
    }
    Ok(page(&dossier))
}

/// A kept assessment as the sheets of a workbook: its figures, and the service credits beside them. `found`
/// is the assessment as far as it is shown; nothing beside it is of another arrangement.
///
/// # Errors
/// No assessment in that entry, or unreadable evidence.
pub fn sheets(
    workspace: &Workspace,
    entry: u64,
    found: &Assessment,
    clock_us: i64,
) -> Result<Vec<Listing>, DeskError> {
    let kept = workspace.assessment(entry)?;
    let mut seen =
        replay::basis(workspace, &kept, &Assessment::from_bytes(&kept.result)?, clock_us)?;
    seen.now_us = replay::as_of_us(entry, found)?;
    let shown: BTreeSet<&str> =
        found.controls.iter().map(|control| control.arrangement_id.as_str()).collect();
    let mut credits = Listing::new("credits", figure::CREDITS);
    for id in seen.arrangements().iter().filter(|id| shown.contains(id.as_str())) {
        if let Some(view) = seen.view(id, found.basis.period)? {
            let panel = credits_of(&seen.session(view)?)?;
            credits.rows.extend(figure::credit_rows(id, &panel));
        }
    }
    let mut all = figure::sheets(found);
    all.insert(1, credits);
    Ok(all)
}

/// The ledger up to an entry.
fn entries(workspace: &Workspace, up_to: u64) -> Result<Vec<EntrySummary>, DeskError> {
    let mut all = Vec::new();
    let mut from = 1;
    while from <= up_to {
        let chunk = workspace.entries(from, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        from = last.entry + 1;
        all.extend(chunk.into_iter().filter(|found| found.entry <= up_to));
    }
    Ok(all)
}

/// The imports that evidence up to `known_at` came from, of the arrangements in scope.
fn sources(entries: &[EntrySummary], known_at: u64, scope: &[String]) -> Vec<Source> {
    let in_scope = |entry: &&EntrySummary| {
        scope.is_empty()
            || entry.arrangements.is_empty()
            || entry.arrangements.iter().any(|id| scope.contains(id))
    };
    entries
        .iter()
        .filter(|entry| {
            entry.entry <= known_at && matches!(entry.kind.as_str(), "import" | "reread")
        })
        .filter(in_scope)
        .take(SOURCES_SHOWN)
        .map(source)
        .collect()
}

fn source(entry: &EntrySummary) -> Source {
    let at = |pointer: &str| entry.payload.as_ref().and_then(|payload| payload.pointer(pointer));
    let word = |pointer: &str| at(pointer).and_then(Value::as_str).unwrap_or("erased").to_owned();
    let number = |pointer: &str| at(pointer).and_then(Value::as_u64).unwrap_or_default();
    Source {
        entry: entry.entry,
        recorded_at_us: entry.recorded_at_us,
        actor: entry.actor.clone(),
        file: word("/file"),
        digest: word("/plain_digest"),
        counts: [
            number("/counts/read"),
            number("/counts/accepted"),
            number("/counts/corrected"),
            number("/counts/already_known"),
            number("/counts/quarantined"),
        ],
    }
}
