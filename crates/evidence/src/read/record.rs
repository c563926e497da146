//! One record as it stands in the source: numbered cells of text under column names. Owns this
//! shape and the place of the record; never types a value.

use std::collections::HashMap;

/// Names of the source's columns, numbered in order of appearance. An event log may add to them
/// while it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnSet {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl ColumnSet {
    /// The number of a name, which is added when it is new.
    pub(crate) fn intern(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    pub(crate) fn name(&self, number: usize) -> &str {
        self.names.get(number).map_or("", String::as_str)
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

/// One record. Buffers are used again for the next one.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawRecord {
    /// 1-based.
    pub(crate) number: u32,
    /// Text of all cells, one after the other.
    pub(crate) text: String,
    /// Where each column's cell stands in `text`.
    pub(crate) spans: Vec<Option<(u32, u32)>>,
    /// Why it cannot be used: code and reason.
    pub(crate) broken: Option<(&'static str, String)>,
    /// Where it stands, when the reader was asked to say.
    pub(crate) place: Place,
}

/// Physical place of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) first_line: u64,
    pub(crate) last_line: u64,
    pub(crate) text: Vec<u8>,
}

impl RawRecord {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.broken = None;
    }

    /// The cell of a column, as written.
    pub(crate) fn cell(&self, column: usize) -> Option<&str> {
        let (start, end) = self.spans.get(column).copied().flatten()?;
        self.text.get(start as usize..end as usize)
    }

    /// Sets a cell.
    pub(crate) fn set(&mut self, column: usize, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        self.span(column, start, self.text.len());
    }

    fn span(&mut self, column: usize, start: usize, end: usize) {
        if self.spans.len() <= column {
            self.spans.resize(column + 1, None);
        }
        // Records are bounded to 16 MiB, far below 4 GiB.
        let span = (u32::try_from(start).unwrap_or(0), u32::try_from(end).unwrap_or(0));
        if let Some(slot) = self.spans.get_mut(column) {
            *slot = Some(span);
        }
    }
}
