//! Which rows stand, against a reference that looks at all rows at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::array::{ArrayRef, BooleanArray, Int16Array, Int64Array, RecordBatch};
use backstay_engine::{cell::CellColumn, fixture::write_object, rows, tables::EvidenceTables};
use backstay_evidence::{
    Digest, Manifest, RowRef, Segment, Vocabulary,
    manifest::{MemoryObjects, RetractTarget, Retraction},
    schema,
    vocabulary::Table,
};
use proptest::prelude::*;

/// One stored row.
#[derive(Debug, Clone)]
struct Stored {
    record: u32,
    item: i16,
    root: Option<(i64, i16)>,
    deleted: bool,
    version: Option<i64>,
    reason: String,
}

/// Whether it reads the first import again, and its rows.
type PlannedImport = (bool, Vec<Plan>);

/// Sequence, kind of target, import, record.
type PlannedRetraction = (u64, u8, prop::sample::Index, u32);

#[derive(Debug, Clone)]
struct Import {
    seq: u64,
    entry: u64,
    rows: Vec<Stored>,
}

/// What a generated row is: a new fact, or a later version of an earlier one.
#[derive(Debug, Clone)]
struct Plan {
    later_of: Option<prop::sample::Index>,
    deleted: bool,
    version: Option<i64>,
    items: bool,
}

fn plans() -> impl Strategy<Value = (Vec<PlannedImport>, Vec<PlannedRetraction>, u64)> {
    let plan = (
        proptest::option::weighted(0.6, any::<prop::sample::Index>()),
        prop::bool::weighted(0.2),
        proptest::option::weighted(0.4, 0..4_i64),
        any::<bool>(),
    )
        .prop_map(|(later_of, deleted, version, items)| Plan {
            later_of,
            deleted,
            version,
            items,
        });
    let import = (prop::bool::weighted(0.2), prop::collection::vec(plan, 0..6));
    let retraction = (1..12_u64, 0..2_u8, any::<prop::sample::Index>(), 1..6_u32);
    (prop::collection::vec(import, 1..7), prop::collection::vec(retraction, 0..3), 1..12_u64)
}

/// Turns the plan into imports. A second reading (`entry` below `seq`) only brings later versions, as
/// its roots stay those of the first reading.
fn imports(plan: Vec<PlannedImport>) -> Vec<Import> {
    let mut roots: Vec<(i64, i16)> = Vec::new();
    let mut all: Vec<Import> = Vec::new();
    for (n, (again, rows)) in plan.into_iter().enumerate() {
        let seq = n as u64 + 1;
        let entry = if again && seq > 1 { 1 } else { seq };
        let mut stored: Vec<Stored> = Vec::new();
        let known = roots.clone();
        for (place, plan) in rows.into_iter().enumerate() {
            let (record, item) = if plan.items {
                (place as u32 / 2 + 1, (place % 2) as i16)
            } else {
                (place as u32 + 1, 7)
            };
            let root = plan.later_of.filter(|_| !known.is_empty()).map(|index| *index.get(&known));
            if root.is_none() && entry != seq {
                continue;
            }
            if root.is_none() {
                roots.push((RowRef { entry: entry as u32, record }.pack(), item));
            }
            stored.push(Stored {
                record,
                item,
                root,
                deleted: plan.deleted && root.is_some(),
                version: plan.version,
                reason: format!("{seq}-{place}"),
            });
        }
        all.push(Import { seq, entry, rows: stored });
    }
    all
}

/// The object of some imports: with the columns of a merged one when they are several.
fn object(table: &Table, imports: &[&Import]) -> RecordBatch {
    let own = || imports.iter().flat_map(|import| import.rows.iter().map(move |row| (import, row)));
    let rows: Vec<&Stored> = own().map(|(_, row)| row).collect();
    let mut columns: Vec<CellColumn<'_>> = table.columns.iter().map(CellColumn::new).collect();
    for row in &rows {
        for (column, definition) in columns.iter_mut().zip(&table.columns) {
            let text = match definition.name.as_str() {
                "arrangement_id" => "desk".to_owned(),
                "exclusion_id" | "case_id" => format!("x{}", row.record),
                "reason" => row.reason.clone(),
                "decision" => "accepted".to_owned(),
                "version" => row.version.map(|version| version.to_string()).unwrap_or_default(),
                _ => String::new(),
            };
            column.push(&text).unwrap();
        }
    }
    let mut arrays: Vec<ArrayRef> = columns
        .into_iter()
        .flat_map(|column| column.finish().into_iter().map(|(_, array)| array))
        .collect();
    arrays.push(Arc::new(rows.iter().map(|row| i64::from(row.record)).collect::<Int64Array>()));
    arrays.push(Arc::new(rows.iter().map(|row| Some(row.item)).collect::<Int16Array>()));
    arrays.push(Arc::new(Int64Array::from(vec![0; rows.len()])));
    arrays
        .push(Arc::new(rows.iter().map(|row| row.root.map(|root| root.0)).collect::<Int64Array>()));
    arrays
        .push(Arc::new(rows.iter().map(|row| row.root.map(|root| root.1)).collect::<Int16Array>()));
    arrays.push(Arc::new(rows.iter().map(|row| Some(row.deleted)).collect::<BooleanArray>()));
    if imports.len() < 2 {
        return RecordBatch::try_new(Arc::new(schema::object_schema(table)), arrays).unwrap();
    }
    let of = |value: fn(&Import) -> u64| -> ArrayRef {
        Arc::new(own().map(|(import, _)| value(import) as i64).collect::<Int64Array>())
    };
    arrays.push(of(|import| import.seq));
    arrays.push(of(|import| import.entry));
    RecordBatch::try_new(Arc::new(schema::merged_schema(table)), arrays).unwrap()
}

fn manifest(
    table: &Table,
    imports: &[Import],
    retractions: Vec<Retraction>,
    as_of_seq: u64,
    merged: usize,
) -> (Manifest, MemoryObjects) {
    let mut objects = MemoryObjects::default();
    let mut segments = Vec::new();
    // A merged object is only named when all of it was known.
    let seen = imports.iter().take_while(|import| import.seq <= as_of_seq).count();
    let (first, rest) = imports.split_at(merged.min(seen));
    let first: Vec<&Import> = first.iter().collect();
    let merged = (!first.is_empty()).then_some(first);
    for group in merged.into_iter().chain(rest.iter().map(|import| vec![import])) {
        let bytes = write_object(&object(table, &group), 2).unwrap();
        let digest = Digest::of(&bytes);
        let rows = || group.iter().flat_map(|import| &import.rows);
        objects.0.insert(digest, bytes.into());
        segments.push(Segment {
            table: table.name.clone(),
            arrangement_id: "desk".to_owned(),
            seq: group.last().unwrap().seq,
            first_seq: group[0].seq,
            entry: group.last().unwrap().entry,
            digest,
            rows: rows().count() as u64,
            later_versions: rows().filter(|row| row.root.is_some()).count() as u64,
            occurred_us: None,
        });
    }
    let manifest = Manifest {
        as_of_seq,
        as_of_us: 0,
        evidence_digest: Digest::of(b"fold"),
        scope: Vec::new(),
        segments,
        retractions,
        imports: Vec::new(),
    };
    (manifest, objects)
}

/// `(packed reference, sequence, reason)` of every row that stands, all rows looked at at once.
fn reference(
    imports: &[Import],
    retractions: &[Retraction],
    as_of_seq: u64,
) -> BTreeSet<(i64, u64, String)> {
    type Rank = (i64, u64, bool, u64, u32, i16);
    type Version = (Rank, bool, (i64, u64, String));
    let mut chains: BTreeMap<(i64, i16), Vec<Version>> = BTreeMap::new();
    for import in imports.iter().filter(|import| import.seq <= as_of_seq) {
        for row in &import.rows {
            let own = RowRef { entry: import.entry as u32, record: row.record };
            let taken = retractions.iter().any(|r| r.seq <= as_of_seq && r.takes(import.seq, own));
            if taken {
                continue;
            }
            let key = row.root.unwrap_or((own.pack(), row.item));
            let rank = (
                row.version.unwrap_or(0),
                import.seq,
                !row.deleted,
                import.entry,
                row.record,
                row.item,
            );
            chains.entry(key).or_default().push((
                rank,
                row.deleted,
                (own.pack(), import.seq, row.reason.clone()),
            ));
        }
    }
    let newest = chains.into_values().filter_map(|versions| versions.into_iter().max());
    newest.filter(|(_, deleted, _)| !deleted).map(|(_, _, row)| row).collect()
}

fn standing(
    manifest: Manifest,
    objects: MemoryObjects,
    vocabulary: &Vocabulary,
    table: &str,
) -> BTreeSet<(i64, u64, String)> {
    let source: Arc<dyn backstay_evidence::ObjectSource> = Arc::new(objects);
    let tables = EvidenceTables::new(vocabulary, &Arc::new(manifest), &source);
    let mut found = BTreeSet::new();
    let mut last = i64::MIN;
    for batch in tables.get(table).unwrap().batches().unwrap() {
        let refs = rows::integers(&batch, table, "_ref").unwrap();
        let seqs = rows::integers(&batch, table, "_seq").unwrap();
        let reasons = rows::texts(&batch, table, "reason").unwrap();
        for row in 0..batch.num_rows() {
            assert!(refs.value(row) >= last, "rows come in order of their records");
            last = refs.value(row);
            found.insert((refs.value(row), seqs.value(row) as u64, reasons.value(row).to_owned()));
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_stands_is_what_a_naive_reading_of_all_versions_says(
        (plan, retractions, as_of) in plans(),
        merged in 0..6_usize,
    ) {
        let vocabulary = Vocabulary::built_in().unwrap();
        let table = vocabulary.table("exclusion").unwrap();
        let imports = imports(plan);
        let retractions: Vec<Retraction> = retractions
            .into_iter()
            .map(|(seq, kind, index, record)| {
                let import = index.get(&imports);
                let target = if kind == 0 { RetractTarget::Entry(import.seq) } else { RetractTarget::Record(import.entry, record) };
                Retraction { seq, target }
            })
            .collect();
        let (manifest, objects) = manifest(table, &imports, retractions.clone(), as_of, merged);
        let found = standing(manifest, objects, &vocabulary, "exclusion");
        prop_assert_eq!(found, reference(&imports, &retractions, as_of));
    }
}

#[test]
fn a_late_back_fill_never_beats_a_newer_fact_and_its_retraction_brings_nothing_back() {
    let vocabulary = Vocabulary::built_in().unwrap();
    let table = vocabulary.table("exclusion").unwrap();
    let root = (RowRef { entry: 1, record: 1 }.pack(), 0);
    let row = |root, version, reason: &str| Stored {
        record: 1,
        item: 0,
        root,
        deleted: false,
        version: Some(version),
        reason: reason.to_owned(),
    };
    let imports = vec![
        Import { seq: 1, entry: 1, rows: vec![row(None, 2, "newer")] },
        Import { seq: 2, entry: 2, rows: vec![row(Some(root), 1, "late")] },
        Import { seq: 3, entry: 3, rows: vec![row(Some(root), 3, "corrected")] },
    ];
    let at = |retractions: &[Retraction], as_of| {
        let (manifest, objects) = manifest(table, &imports, retractions.to_vec(), as_of, 0);
        let found = standing(manifest, objects, &vocabulary, "exclusion");
        found.into_iter().map(|(_, _, reason)| reason).collect::<Vec<_>>()
    };
    assert_eq!(at(&[], 2), ["newer"]);
    assert_eq!(at(&[], 3), ["corrected"]);
    let taken = [Retraction { seq: 4, target: RetractTarget::Entry(3) }];
    assert_eq!(at(&taken, 3), ["corrected"]);
    assert_eq!(at(&taken, 4), ["newer"]);
}

#[test]
fn an_object_of_an_older_vocabulary_stays_readable() {
    let old = "table = \"thing\"\ntitle = \"Things\"\nabout = \"x\"\nkind = \"register\"\nscope = \"shared\"\nidentity = [\"thing_id\"]\ncolumns = [\n\
        { id = 1, name = \"thing_id\", type = \"text\", required = true, privacy = \"open\", about = \"x\" },\n\
        { id = 2, name = \"cost\", type = \"money\", privacy = \"open\", about = \"x\" },\n\
        { id = 3, name = \"gone\", type = \"text\", privacy = \"open\", about = \"x\" },\n]\n";
    let new = "table = \"thing\"\ntitle = \"Things\"\nabout = \"x\"\nkind = \"register\"\nscope = \"shared\"\nidentity = [\"thing_id\"]\ncolumns = [\n\
        { id = 4, name = \"added\", type = \"date\", privacy = \"open\", about = \"x\" },\n\
        { id = 2, name = \"price\", type = \"money\", privacy = \"open\", about = \"x\", renamed_from = [\"cost\"] },\n\
        { id = 1, name = \"thing_id\", type = \"text\", required = true, privacy = \"open\", about = \"x\" },\n]\n";
    let old = Vocabulary::from_texts([("thing", old)]).unwrap();
    let new = Vocabulary::from_texts([("thing", new)]).unwrap();
    let fixture = backstay_engine::fixture::Fixture::new(&old)
        .table(
            "thing",
            "| thing_id | cost | gone |\n|---|---|---|\n| a | 1250 EUR | x |\n| b | | y |\n",
        )
        .unwrap();
    let (manifest, objects) = fixture.manifest_and_objects().unwrap();
    let source: Arc<dyn backstay_evidence::ObjectSource> = Arc::new(objects);
    let tables = EvidenceTables::new(&new, &Arc::new(manifest), &source);
    let batches = tables.get("thing").unwrap().batches().unwrap();
    let names: Vec<String> =
        batches[0].schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["added", "price_minor", "price_currency", "thing_id", "_ref", "_seq"]);
    let minor = rows::integers(&batches[0], "thing", "price_minor").unwrap();
    assert_eq!((rows::integer(&minor, 0), rows::integer(&minor, 1)), (Some(1250), None));
    let added = rows::dates(&batches[0], "thing", "added").unwrap();
    assert_eq!(rows::date(&added, 0), None);
}

#[test]
fn a_missing_object_is_named_with_its_table_and_what_to_do() {
    let vocabulary = Vocabulary::built_in().unwrap();
    let table = vocabulary.table("exclusion").unwrap();
    let imports = vec![Import { seq: 1, entry: 1, rows: Vec::new() }];
    let (manifest, objects) = manifest(table, &imports, Vec::new(), 1, 0);
    let digest = *objects.0.keys().next().unwrap();
    let source: Arc<dyn backstay_evidence::ObjectSource> = Arc::new(MemoryObjects::default());
    let tables = EvidenceTables::new(&vocabulary, &Arc::new(manifest), &source);
    let error = tables.get("exclusion").unwrap().batches().unwrap_err().to_string();
    assert!(error.contains(&digest.to_string()) && error.contains("`exclusion`"), "{error}");
    assert!(error.contains("backstay verify"), "{error}");
}
