//! What a catalogue rests on: the tables and derived tables that each control and metric reads, found by
//! planning their SQL over no evidence at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use backstay_engine::{
    Catalogue, Evidence, Period, View, derive,
    session::{Rules, Session, runtime},
};
use backstay_evidence::{Digest, Manifest, Vocabulary, manifest::MemoryObjects};
use jiff::civil::date;

use crate::{error::DeskError, evidence::layout};

/// A table that is worked out from others, once for all who read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// Name in SQL.
    pub name: &'static str,
    /// What a row says.
    pub about: &'static str,
    /// Tables that it is worked out from.
    pub reads: Vec<&'static str>,
    /// Its columns with their types.
    pub columns: Vec<(String, String)>,
}

/// The derived tables, in the order in which they are worked out.
#[must_use]
pub fn derived() -> Vec<Derived> {
    let all = derive::all();
    let tables = all.iter().map(|table| {
        let mut reads: Vec<&'static str> =
            table.reads().iter().chain(table.consults()).copied().collect();
        reads.sort_unstable();
        reads.dedup();
        let schema = table.schema();
        let columns = schema.fields().iter();
        let columns = columns.map(|field| (field.name().clone(), field.data_type().to_string()));
        Derived { name: table.name(), about: table.about(), reads, columns: columns.collect() }
    });
    tables.collect()
}

/// The tables that each control and metric reads, by its id; derived ones by their own name. One whose
/// SQL cannot be planned is left out: the tests of the catalogue say why.
///
/// # Errors
/// A machine that gives no threads.
pub fn reads(
    vocabulary: &Vocabulary,
    catalogue: &Catalogue,
) -> Result<BTreeMap<String, BTreeSet<String>>, DeskError> {
    let manifest = Manifest {
        as_of_seq: 0,
        as_of_us: 0,
        evidence_digest: Digest::of(&[]),
        scope: Vec::new(),
        segments: Vec::new(),
        retractions: Vec::new(),
        imports: Vec::new(),
    };
    let evidence = Evidence {
        vocabulary: Arc::new(vocabulary.clone()),
        catalogue: Arc::new(catalogue.clone()),
        manifest: Arc::new(manifest),
        objects: Arc::new(MemoryObjects::default()),
    };
    let period = Period { first: date(2026, 1, 1), after: date(2026, 2, 1) };
    let view = View { arrangement_id: "none".into(), zone: "UTC".into(), period, as_of_us: 0 };
    let session = Session::new(&evidence, view, layout(), runtime(layout())?)?;
    let controls = catalogue.controls();
    let controls = controls.iter().map(|control| (control.id.clone(), &control.body.sql));
    let metrics = catalogue.metrics().map(|metric| (metric.id.clone(), &metric.body.sql));
    let mut found = BTreeMap::new();
    for (id, sql) in controls.chain(metrics) {
        if let Ok(planned) = session.plan(&id, sql, period, Rules::Check) {
            found.insert(id, planned.reads);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn every_control_and_metric_says_what_it_reads() {
        let vocabulary = Vocabulary::built_in().unwrap();
        let catalogue = Catalogue::built_in().unwrap();
        let reads = reads(&vocabulary, &catalogue).unwrap();
        assert_eq!(reads.len(), catalogue.controls().len() + catalogue.metrics().count());
        assert_eq!(reads["service-levels-met"], BTreeSet::from(["measurement".to_owned()]));
        assert!(reads["turnaround"].contains("case_clock"));
        let names: BTreeSet<&str> = derived().iter().map(|table| table.name).collect();
        let known = |name: &String| {
            name == derive::MEASUREMENT
                || vocabulary.table(name).is_some()
                || names.contains(name.as_str())
        };
        for (id, tables) in &reads {
            assert!(!tables.is_empty() && tables.iter().all(known), "{id}: {tables:?}");
        }
    }
}
