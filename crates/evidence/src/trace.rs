//! From a record number back to the place in the source: physical lines, raw text, cells. Reads
//! the source again with the same readers; it never types a value.

use std::{collections::BTreeMap, io::Read};

use serde::{Deserialize, Serialize};

use crate::{
    options::ImportOptions,
    read::{
        Limits, ReadError, SourceInfo,
        record::{ColumnSet, RawRecord},
        source::SourceReader,
    },
};

/// Where a record stands in its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// 1-based record.
    pub record: u32,
    /// Sheet of a workbook; its rows count as lines then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// First physical line, 1-based, in the inflated text.
    pub first_line: u64,
    /// Last physical line.
    pub last_line: u64,
    /// Those bytes as text: the delimited record as written, or the XES `<event>`; without the
    /// line break at its end. Of a workbook the sheet and the row; of Parquet nothing.
    pub text: String,
    /// Column of the source → raw value. Trace attributes of an XES event are under
    /// `case:<key>`. A record that is too large or has too many cells gives what could be split.
    pub cells: BTreeMap<String, String>,
}

/// Finds one record. The options are those of the import; the vocabulary does not matter.
///
/// # Errors
/// As [`crate::read::read_source`], and [`ReadError::NoSuchRecord`].
pub fn locate(
    source: &mut dyn Read,
    info: &SourceInfo,
    options: &ImportOptions,
    record: u32,
) -> Result<Located, ReadError> {
    let mut reader = SourceReader::open(source, options, Limits::default(), true)?;
    let mut found = RawRecord::default();
    let mut records = 0;
    while reader.next(&mut found)? {
        records += 1;
        if found.number == record {
            return Ok(located(&found, reader.columns()));
        }
    }
    Err(ReadError::NoSuchRecord { file: info.file_name.clone(), record, records })
}

fn located(record: &RawRecord, columns: &ColumnSet) -> Located {
    let mut cells = BTreeMap::new();
    for number in 0..record.spans.len() {
        let Some(cell) = record.cell(number) else { continue };
        let name = match columns.name(number) {
            "" => format!("column {}", number + 1),
            name => name.to_owned(),
        };
        cells.insert(name, cell.to_owned());
    }
    Located {
        record: record.number,
        sheet: record.place.sheet.clone(),
        first_line: record.place.first_line,
        last_line: record.place.last_line,
        text: match &record.place.sheet {
            Some(sheet) => format!("sheet `{sheet}`, row {}", record.place.first_line),
            None => String::from_utf8_lossy(&record.place.text).into_owned(),
        },
        cells,
    }
}
