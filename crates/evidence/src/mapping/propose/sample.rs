//! A look at a file before anything is known of it: format, head, and records from all over it. Keeps
//! a bounded number of them; types nothing.

use std::io::{self, Read};

use crate::{
    mapping::{Mapping, SourceFormat},
    options::{ImportOptions, TextEncoding},
    read::{
        Limits, ReadError,
        record::{ColumnSet, RawRecord},
        source::SourceReader,
    },
};

/// Records at the beginning that are kept.
const FIRST: usize = 500;
/// Records after them that are kept at most; when there are more, every second goes and the step
/// doubles.
const SPREAD: usize = 4_000;
/// Records looked at.
const RECORDS_MAX: u64 = 1_000_000;
/// Bytes of a value that are kept.
const VALUE_MAX: usize = 200;
/// Columns that are looked at.
const COLUMNS_MAX: usize = 500;

/// Only its format counts: it opens a source that is no lines of cells.
const PROBE_XES: &str = "mapping = \"probe\"\ntitle = \"probe\"\nabout = \"probe\"\nformat = \"xes\"\n\
                         [[table]]\nname = \"case_event\"\n[table.columns]\ncase_id = \"x\"\n";

/// What a file shows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// File name without folder.
    pub file_name: String,
    /// Layout.
    pub format: SourceFormat,
    /// Encoding that the text was read in.
    pub encoding: TextEncoding,
    /// Delimiter, for lines of cells.
    pub delimiter: Option<char>,
    /// Whether the bytes were compressed.
    pub gzip: bool,
    /// Source columns, in order.
    pub columns: Vec<String>,
    /// Records looked at.
    pub records: u64,
    /// Whether these are all.
    pub whole: bool,
    /// Records that cannot be split into cells.
    pub broken: u64,
    /// Records kept: their cells by column, as written.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many of `rows`, from the first, follow one another in the file.
    pub consecutive: usize,
}

/// Looks at a source; `open` is asked for it once per format tried.
///
/// # Errors
/// When it can be read in no format.
pub fn sample(
    file_name: &str,
    options: &ImportOptions,
    open: &mut dyn FnMut() -> io::Result<Box<dyn Read>>,
) -> Result<Sample, ReadError> {
    let unread = |source| ReadError::Io { records: 0, source };
    let mut plain = ImportOptions {
        encoding: options.encoding,
        delimiter: options.delimiter,
        ..ImportOptions::default()
    };
    let first = look(file_name, &plain, &mut *open().map_err(unread)?);
    if !matches!(first, Err(ReadError::Format { .. })) {
        return first;
    }
    // An event log is opened only by a mapping that is for one.
    plain.mapping = Some(Mapping::from_text(PROBE_XES)?);
    match look(file_name, &plain, &mut *open().map_err(unread)?) {
        // It is none either: what was said first names the mapping that there is.
        Err(ReadError::Format { .. }) => first,
        other => other,
    }
}

fn look(
    file_name: &str,
    options: &ImportOptions,
    source: &mut dyn Read,
) -> Result<Sample, ReadError> {
    let mut reader = SourceReader::open(source, options, Limits::default(), false)?;
    let format = match &reader {
        SourceReader::Delimited(_) => SourceFormat::Delimited,
        SourceReader::Xes(_) => SourceFormat::Xes,
        SourceReader::Json(_) => SourceFormat::JsonLines,
        SourceReader::Xlsx(_) => SourceFormat::Xlsx,
        SourceReader::Parquet(_) => SourceFormat::Parquet,
        SourceReader::Calendar(_) => SourceFormat::Icalendar,
    };
    let mut kept = Kept::default();
    let mut record = RawRecord::default();
    let (mut records, mut broken, mut whole) = (0, 0, true);
    while reader.next(&mut record)? {
        records += 1;
        match &record.broken {
            Some(_) => broken += 1,
            None => kept.offer(&record, reader.columns()),
        }
        if records == RECORDS_MAX {
            whole = false;
            break;
        }
    }
    let columns: Vec<String> = reader.columns().names().iter().take(COLUMNS_MAX).cloned().collect();
    let consecutive = kept.rows.len().min(FIRST);
    Ok(Sample {
        file_name: file_name.to_owned(),
        format,
        encoding: reader.encoding(),
        delimiter: reader.delimiter(),
        gzip: reader.is_gzip(),
        columns,
        records,
        whole,
        broken,
        rows: kept.rows,
        consecutive,
    })
}

/// The first records, and of the rest every n-th.
#[derive(Default)]
struct Kept {
    rows: Vec<Vec<Option<String>>>,
    offered: usize,
    step: usize,
}

impl Kept {
    fn offer(&mut self, record: &RawRecord, columns: &ColumnSet) {
        let step = self.step.max(1);
        let beyond = self.offered.checked_sub(FIRST);
        self.offered += 1;
        if beyond.is_some_and(|beyond| !beyond.is_multiple_of(step)) {
            return;
        }
        if self.rows.len() == FIRST + SPREAD {
            let mut place = 0_usize;
            self.rows.retain(|_| {
                place += 1;
                place <= FIRST || (place - FIRST - 1).is_multiple_of(2)
            });
            self.step = step * 2;
            if beyond.is_some_and(|beyond| !beyond.is_multiple_of(self.step)) {
                return;
            }
        }
        let cells = (0..columns.len().min(COLUMNS_MAX)).map(|column| record.cell(column).map(cut));
        self.rows.push(cells.collect());
    }
}

/// A value, or its beginning.
fn cut(value: &str) -> String {
    let end = value.char_indices().map(|(at, _)| at).take_while(|at| *at <= VALUE_MAX).last();
    match end.filter(|_| value.len() > VALUE_MAX) {
        Some(end) => value.get(..end).unwrap_or_default().to_owned(),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn records_from_all_over_a_long_file_are_kept_and_no_more_than_a_few_thousand() {
        let mut text = "n\n".to_owned();
        for n in 0..50_000 {
            text.push_str(&format!("{n}\n"));
        }
        let open =
            &mut || Ok(Box::new(io::Cursor::new(text.clone().into_bytes())) as Box<dyn Read>);
        let sample = sample("x.csv", &ImportOptions::default(), open).unwrap();
        assert_eq!((sample.records, sample.whole, sample.consecutive), (50_000, true, 500));
        let kept: Vec<usize> =
            sample.rows.iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect();
        assert!((FIRST + SPREAD / 2..=FIRST + SPREAD).contains(&kept.len()), "{}", kept.len());
        assert_eq!(kept[..FIRST], (0..FIRST).collect::<Vec<_>>());
        let steps: Vec<usize> = kept[FIRST..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().all(|step| *step == steps[0]), "evenly spread");
        assert!(*kept.last().unwrap() > 49_900, "to the end");
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        let long = "ä".repeat(300);
        let short = cut(&long);
        assert!(short.len() <= VALUE_MAX && short.chars().all(|symbol| symbol == 'ä'));
        assert_eq!(cut("x"), "x");
    }
}
