//! A sink that keeps everything, and short ways to read files and texts.

use std::{fs::File, path::PathBuf};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use backstay_evidence::{
    ImportOptions, Mapping, ReadError, ReadSummary, Rejection, Sink, SourceInfo, TypedBatch,
    Vocabulary, read_source,
    sink::{Progress, SinkError, VaultEntry},
};
use backstay_privacy::PseudonymKey;

/// Everything that a pass handed out.
#[derive(Debug, Default)]
pub struct Taken {
    pub batches: Vec<TypedBatch>,
    pub rejections: Vec<Rejection>,
    pub people: Vec<VaultEntry>,
    pub progress: Vec<Progress>,
}

impl Sink for Taken {
    fn rows(&mut self, batch: TypedBatch) -> Result<(), SinkError> {
        self.batches.push(batch);
        Ok(())
    }

    fn reject(&mut self, rejection: Rejection) -> Result<(), SinkError> {
        self.rejections.push(rejection);
        Ok(())
    }

    fn person(&mut self, entry: VaultEntry) -> Result<(), SinkError> {
        self.people.push(entry);
        Ok(())
    }

    fn progress(&mut self, progress: Progress) -> Result<(), SinkError> {
        self.progress.push(progress);
        Ok(())
    }
}

impl Taken {
    /// Rows of a table over all batches.
    pub fn rows(&self, table: &str) -> usize {
        self.tables(table).map(RecordBatch::num_rows).sum()
    }

    pub fn tables<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a RecordBatch> {
        self.batches.iter().filter(move |batch| batch.table == table).map(|batch| &batch.rows)
    }

    /// A text column of a table over all batches.
    pub fn texts(&self, table: &str, column: &str) -> Vec<Option<String>> {
        let mut out = Vec::new();
        for rows in self.tables(table) {
            let array = rows.column_by_name(column).unwrap().as_string::<i32>();
            out.extend(array.iter().map(|value| value.map(str::to_owned)));
        }
        out
    }

    pub fn codes(&self) -> Vec<(u32, &str)> {
        self.rejections.iter().map(|r| (r.record, r.code.as_str())).collect()
    }

    /// Number of values that are there.
    pub fn present(&self, table: &str, column: &str) -> usize {
        let arrays = self.tables(table).map(|rows| rows.column_by_name(column).unwrap());
        arrays.map(|array| array.len() - array.null_count()).sum()
    }
}

/// Folder of the real data.
pub fn data() -> PathBuf {
    let folder = std::env::var_os("BACKSTAY_TEST_DATA")
        .map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    assert!(
        folder.is_dir(),
        "the real test data is missing: put it at {} or name its folder in BACKSTAY_TEST_DATA",
        folder.display()
    );
    folder
}

pub fn options(mapping: Mapping) -> ImportOptions {
    ImportOptions {
        mapping: Some(mapping),
        set: [("arrangement_id".to_owned(), "desk".to_owned())].into(),
        ..ImportOptions::default()
    }
}

pub fn key() -> PseudonymKey {
    PseudonymKey::new([7; 32])
}

pub fn read_file(name: &str, options: &ImportOptions) -> (Taken, ReadSummary) {
    let path = data().join(name);
    let mut file = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let info = SourceInfo {
        file_name: path.file_name().unwrap().to_string_lossy().into_owned(),
        bytes_total: Some(file.metadata().unwrap().len()),
    };
    let mut taken = Taken::default();
    let vocabulary = Vocabulary::built_in().unwrap();
    let summary = read_source(&mut file, &info, &vocabulary, options, &key(), &mut taken).unwrap();
    (taken, summary)
}

pub fn read_bytes(
    bytes: &[u8],
    file_name: &str,
    options: &ImportOptions,
) -> Result<(Taken, ReadSummary), ReadError> {
    let mut taken = Taken::default();
    let vocabulary = Vocabulary::built_in().unwrap();
    let info = SourceInfo { file_name: file_name.to_owned(), bytes_total: None };
    let summary = read_source(&mut &bytes[..], &info, &vocabulary, options, &key(), &mut taken)?;
    Ok((taken, summary))
}
