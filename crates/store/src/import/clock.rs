//! Recognises that a work log is here already with another clock. Compares case fingerprints with
//! those that earlier imports left; what a fingerprint is belongs to `evidence`.

use backstay_evidence::{
    Segment,
    fingerprint::{
        Disagreement, FINGERPRINT, Fingerprint, Fingerprinter, LogComparison, compare,
        fingerprint_rows, fingerprint_table, fingerprints_from_rows,
    },
    identity::identity_keys,
    manifest::Retraction,
    schema,
};

use super::{
    collect::{Collector, Group},
    existing::{RowReader, visible},
    run::merge,
};
use crate::{
    backend::Backend,
    error::{Result, StoreError},
    index::table_of,
    workspace::Workspace,
};

/// The table whose rows are a work log.
const CASE_EVENT: &str = "case_event";

/// An earlier import of the same log with another clock.
pub(super) struct Duplicate {
    pub(super) entry: u64,
    pub(super) disagreement: Disagreement,
}

impl Duplicate {
    /// The shift in words.
    pub(super) fn shift(&self) -> String {
        let mut parts: Vec<String> = self
            .disagreement
            .shifts
            .iter()
            .take(3)
            .map(|shift| format!("{:+} min in {} cases", shift.minutes, shift.cases))
            .collect();
        if self.disagreement.equal_wall_clocks {
            parts.push("the wall clocks are equal, only the offsets differ".to_owned());
        }
        parts.join(", ")
    }
}

/// The fingerprints of the cases of one arrangement in the file.
fn of_group(group: &Group) -> Result<Vec<Fingerprint>> {
    let mut names: Vec<String> = group
        .table
        .columns
        .iter()
        .filter(|column| {
            ["arrangement_id", "case_id", "activity", "occurred_at"].contains(&column.name.as_str())
        })
        .flat_map(schema::fields)
        .map(|field| field.name().clone())
        .collect();
    names.extend([schema::ROW, schema::ITEM].map(str::to_owned));
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fingerprinter = Fingerprinter::default();
    merge(&group.sorter, group.runs(Some(&wanted))?, &mut |batch| {
        fingerprinter.push(&batch).map_err(StoreError::columns(CASE_EVENT, "compared"))
    })?;
    Ok(fingerprinter.finish())
}

/// Adds the fingerprints of the file's work log to its rows; gives them back for comparison.
pub(super) fn add_fingerprints(collector: &mut Collector<'_>) -> Result<Vec<Fingerprint>> {
    let mut all = Vec::new();
    for group in collector.groups.values().filter(|group| group.table.name == CASE_EVENT) {
        all.push((group.arrangement_id.clone(), of_group(group)?));
    }
    for (arrangement_id, fingerprints) in &all {
        if fingerprints.is_empty() {
            continue;
        }
        let rows =
            fingerprint_rows(fingerprints).map_err(StoreError::columns(FINGERPRINT, "written"))?;
        let keys = identity_keys(&fingerprint_table(), &rows);
        collector.push_rows(FINGERPRINT, arrangement_id, &rows, &keys)?;
    }
    Ok(all.into_iter().flat_map(|(_, fingerprints)| fingerprints).collect())
}

/// The first import that holds the same log with another clock.
pub(super) fn find_duplicate(
    workspace: &Workspace,
    segments: &[Segment],
    retractions: &[Retraction],
    new: &[Fingerprint],
) -> Result<Option<Duplicate>> {
    if new.is_empty() {
        return Ok(None);
    }
    let mut here: Vec<&Segment> = segments
        .iter()
        .filter(|segment| segment.table == FINGERPRINT)
        .filter(|segment| visible(segment, retractions))
        .collect();
    here.sort_by_key(|segment| segment.seq);
    for import in here.chunk_by(|a, b| a.seq == b.seq) {
        let mut existing = Vec::new();
        for segment in import {
            existing.extend(stored(workspace, segment)?);
        }
        if let LogComparison::DisagreeingClocks(disagreement) = compare(&existing, new)
            && let Some(segment) = import.first()
        {
            return Ok(Some(Duplicate { entry: segment.seq, disagreement }));
        }
    }
    Ok(None)
}

fn stored(workspace: &Workspace, segment: &Segment) -> Result<Vec<Fingerprint>> {
    let Some(table) = table_of(workspace.vocabulary(), FINGERPRINT) else { return Ok(Vec::new()) };
    let backend: &dyn Backend = workspace.backend.as_ref();
    let mut all = Vec::new();
    for batch in RowReader::open(backend, segment, &table, None)? {
        let found =
            fingerprints_from_rows(&batch?).map_err(StoreError::columns(FINGERPRINT, "read"))?;
        all.extend(found);
    }
    Ok(all)
}
