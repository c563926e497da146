//! A workspace in a temporary folder, and a fold of its tables that is written apart from the
//! engine's, to be simple enough to be right.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int16Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use backstay_evidence::manifest::{Manifest, ObjectSource};
use backstay_evidence::{ImportOptions, RowRef, schema};
use backstay_store::{
    AsOf, Ctx, Edit, Edited, ImportOutcome, ImportRequest, InitOptions, RowEdit, StoreError,
    Workspace,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Random bytes that are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 24) as u8;
        }
    }
}

pub struct Home {
    pub folder: tempfile::TempDir,
    pub workspace: Workspace,
    pub now_us: i64,
    pub random: Random,
}

pub const START_US: i64 = 1_767_225_600_000_000;

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut seed = [0; 144];
        random.fill(&mut seed);
        let options = InitOptions { now_us: START_US, actor: "a-1".into(), random: seed };
        let workspace = Workspace::init(&folder.path().join("w"), options).unwrap();
        Self { folder, workspace, now_us: START_US, random }
    }

    /// A second way into the same folder, as another process has.
    pub fn again(&self) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            workspace: Workspace::open(self.workspace.dir()).unwrap(),
            now_us: self.now_us + 1_000_000,
            random: Random(77),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn with<T>(&mut self, work: impl FnOnce(&Workspace, &mut Ctx<'_>) -> T) -> T {
        self.now_us += 1_000_000;
        let random = &mut self.random;
        let mut fill = |bytes: &mut [u8]| random.fill(bytes);
        let mut ctx = Ctx { now_us: self.now_us, actor: "a-1", random: &mut fill };
        work(&self.workspace, &mut ctx)
    }

    pub fn import_file(
        &mut self,
        path: &Path,
        request: &ImportRequest,
    ) -> Result<ImportOutcome, StoreError> {
        self.with(|workspace, ctx| workspace.import(path, request, ctx, &mut |_| {}))
    }

    pub fn try_import(
        &mut self,
        name: &str,
        text: &str,
        request: &ImportRequest,
    ) -> Result<ImportOutcome, StoreError> {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        let outcome = self.import_file(&path, request);
        if let Ok(outcome) = &outcome {
            assert_eq!(
                outcome.read,
                outcome.accepted + outcome.corrected + outcome.already_known + outcome.quarantined,
                "records must add up: {outcome:?}"
            );
        }
        outcome
    }

    pub fn import(&mut self, name: &str, table: &str, text: &str) -> ImportOutcome {
        self.try_import(name, text, &as_table(table)).unwrap()
    }

    pub fn edit(&mut self, rows: Vec<RowEdit>) -> Result<Edited, StoreError> {
        let edit = Edit { rows, reason: "test".into(), options: ImportOptions::default() };
        self.with(|workspace, ctx| workspace.edit(&[edit], ctx)).map(|mut done| done.remove(0))
    }

    pub fn rows(&self, table: &str) -> Vec<Fact> {
        fold(&self.workspace, AsOf::Latest, table)
    }

    pub fn rows_at(&self, entry: u64, table: &str) -> Vec<Fact> {
        fold(&self.workspace, AsOf::Seq(entry), table)
    }

    pub fn evidence(&self) -> String {
        self.workspace.manifest(AsOf::Latest, &[]).unwrap().evidence_digest.to_string()
    }

    /// Fails when anything in the workspace is not as the ledger says.
    pub fn must_hold(&self) {
        let report = self.workspace.verify(Default::default(), &mut |_| {}).unwrap();
        assert!(report.holds(), "{:#?}", report.problems);
    }
}

pub fn row_edit(table: &str, values: &[(&str, &str)]) -> RowEdit {
    let values =
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    RowEdit { table: table.to_owned(), values, delete: false, expect: None }
}

pub fn as_table(table: &str) -> ImportRequest {
    ImportRequest {
        options: ImportOptions { as_table: Some(table.to_owned()), ..ImportOptions::default() },
        ..ImportRequest::default()
    }
}

/// A fact that stands: its values, and where they come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    pub values: BTreeMap<String, String>,
    pub row: RowRef,
}

impl Fact {
    pub fn get(&self, column: &str) -> &str {
        self.values.get(column).map_or("", String::as_str)
    }
}

/// The values of some facts, without where they come from.
pub fn values(facts: &[Fact]) -> Vec<BTreeMap<String, String>> {
    let mut all: Vec<_> = facts.iter().map(|fact| fact.values.clone()).collect();
    all.sort();
    all
}

struct Version {
    rank: (i64, u64, u32, i16),
    deleted: bool,
    fact: Fact,
}

/// The facts of a table as of an instant: of each chain of versions the greatest by (source
/// version, sequence, record, item), unless it is deleted; without what retractions take.
pub fn fold(workspace: &Workspace, as_of: AsOf, table: &str) -> Vec<Fact> {
    let manifest = workspace.manifest(as_of, &[]).unwrap();
    let mut chains: BTreeMap<(i64, i16), Version> = BTreeMap::new();
    for segment in manifest.table(table) {
        let mut rows = 0;
        for batch in read(workspace, &manifest, segment.digest) {
            rows += batch.num_rows() as u64;
            for at in 0..batch.num_rows() {
                fold_row(&manifest, segment, &batch, at, &mut chains);
            }
        }
        assert_eq!(rows, segment.rows);
    }
    let mut facts: Vec<Fact> =
        chains.into_values().filter(|version| !version.deleted).map(|v| v.fact).collect();
    facts.sort();
    facts
}

fn fold_row(
    manifest: &Manifest,
    segment: &backstay_evidence::Segment,
    batch: &RecordBatch,
    at: usize,
    chains: &mut BTreeMap<(i64, i16), Version>,
) {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let record = column(schema::ROW).as_primitive::<Int64Type>().value(at);
    let item = column(schema::ITEM).as_primitive::<Int16Type>().value(at);
    // A merged object says per row what a segment says of all its rows.
    let own = |name: &str| {
        segment.is_merged().then(|| column(name).as_primitive::<Int64Type>().value(at) as u64)
    };
    let seq = own(schema::SEQ).unwrap_or(segment.seq);
    let entry = own(schema::ENTRY).unwrap_or(segment.entry);
    assert!(seq <= manifest.as_of_seq, "a row of the future");
    let row = RowRef { entry: entry as u32, record: record as u32 };
    if manifest.retractions.iter().any(|retraction| retraction.takes(seq, row)) {
        return;
    }
    let roots = column(schema::ROOT_REF).as_primitive::<Int64Type>();
    let root_items = column(schema::ROOT_ITEM).as_primitive::<Int16Type>();
    let chain = match roots.is_valid(at) {
        true => (roots.value(at), root_items.value(at)),
        false => (row.pack(), item),
    };
    let mut values = BTreeMap::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        if !field.name().starts_with('_') && array.is_valid(at) {
            values.insert(field.name().clone(), text(array, at));
        }
    }
    let version = values.get("version").map_or(0, |text| text.parse().unwrap());
    let candidate = Version {
        rank: (version, seq, record as u32, item),
        deleted: column(schema::DELETED).as_boolean().value(at),
        fact: Fact { values, row },
    };
    match chains.get(&chain) {
        Some(current) if current.rank > candidate.rank => {}
        _ => {
            chains.insert(chain, candidate);
        }
    }
}

fn text(array: &dyn Array, at: usize) -> String {
    if let Some(instants) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        return jiff::Timestamp::from_microsecond(instants.value(at)).unwrap().to_string();
    }
    let options = FormatOptions::default();
    ArrayFormatter::try_new(array, &options).unwrap().value(at).to_string()
}

fn read(
    workspace: &Workspace,
    _manifest: &Manifest,
    digest: backstay_evidence::Digest,
) -> Vec<RecordBatch> {
    let body = workspace.objects().open(digest).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(body).unwrap().build().unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

/// A file of the shared test data.
pub fn data(path: &str) -> PathBuf {
    let root = PathBuf::from("../../../shared/data");
    let root = std::env::var_os("BACKSTAY_TEST_DATA").map_or(root, PathBuf::from);
    let file = root.join(path);
    assert!(
        file.is_file(),
        "`{}` is missing: this test needs the shared test data, at `../shared/data` from the project's root or in the folder that BACKSTAY_TEST_DATA names",
        file.display()
    );
    file
}
