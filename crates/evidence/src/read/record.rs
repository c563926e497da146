//! One record as it stands in the source: numbered cells of text under column names. Owns this
//! shape and the place of the record; never types a value.

use std::{borrow::Cow, collections::HashMap};

use super::path;

/// What is known of all cells of a source, whatever their column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cells {
    /// Dates, times and percentages are marked as such by the source and come in ISO 8601 and with
    /// their `%`, whatever formats the mapping names for texts.
    pub(crate) native: bool,
    /// Numbers of days count from 1904 and not from 1900.
    pub(crate) from_1904: bool,
    /// Columns are paths into nested fields: a JSON pointer names the same column as its dotted
    /// path.
    pub(crate) paths: bool,
}

/// Names of the source's columns, numbered in order of appearance. An event log may add to them
/// while it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnSet {
    names: Vec<String>,
    /// Whether the source itself has named the column, and not only a mapping.
    seen: Vec<bool>,
    numbers: HashMap<String, usize>,
    pub(crate) cells: Cells,
}

impl ColumnSet {
    pub(crate) fn of(cells: Cells) -> Self {
        Self { cells, ..Self::default() }
    }

    /// The spelling under which a name is kept.
    pub(crate) fn canonical<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.cells.paths { path::canonical(name) } else { Cow::Borrowed(name) }
    }

    /// The number of a name that the source has, which is added when it is new.
    pub(crate) fn intern(&mut self, name: &str) -> usize {
        let number = self.reserve(name);
        if let Some(seen) = self.seen.get_mut(number) {
            *seen = true;
        }
        number
    }

    /// Whether the source itself has given this name to this column.
    fn has_named(&self, number: usize, name: &str) -> bool {
        self.names.get(number).is_some_and(|known| known == name)
            && self.seen.get(number).is_some_and(|seen| *seen)
    }

    /// The number of a name that the source may come to have.
    pub(crate) fn reserve(&mut self, name: &str) -> usize {
        let name = self.canonical(name);
        if let Some(number) = self.numbers.get(name.as_ref()) {
            return *number;
        }
        let number = self.names.len();
        self.seen.push(false);
        self.names.push(name.as_ref().to_owned());
        self.numbers.insert(name.into_owned(), number);
        number
    }

    /// Adds names that another set has got since the two were equal.
    pub(crate) fn extend(&mut self, names: Vec<String>) {
        for name in names {
            self.numbers.insert(name.clone(), self.names.len());
            self.names.push(name);
            self.seen.push(true);
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(self.canonical(name).as_ref()).copied()
    }

    pub(crate) fn name(&self, number: usize) -> &str {
        self.names.get(number).map_or("", String::as_str)
    }

    /// Names that the source itself has.
    pub(crate) fn seen_names(&self) -> impl Iterator<Item = &str> {
        let seen = self.names.iter().zip(&self.seen).filter(|(_, seen)| **seen);
        seen.map(|(name, _)| name.as_str())
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

/// Which column came after which, since the records of a source name theirs in much the same order:
/// most names are found by looking at one.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    last: usize,
    after: Vec<usize>,
}

impl Trail {
    /// As [`ColumnSet::intern`].
    pub(crate) fn intern(&mut self, name: &str, columns: &mut ColumnSet) -> usize {
        let guess = self.after.get(self.last).copied();
        let number = match guess.filter(|guess| columns.has_named(*guess, name)) {
            Some(number) => number,
            None => columns.intern(name),
        };
        if guess != Some(number) {
            let length = self.after.len().max(self.last + 1);
            self.after.resize(length, usize::MAX);
            if let Some(after) = self.after.get_mut(self.last) {
                *after = number;
            }
        }
        self.last = number;
        number
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
    /// Cells that are there and cannot be used; they matter only where a rule looks at them.
    pub(crate) faults: Vec<CellFault>,
    /// Members of the arrays that the mapping takes apart.
    pub(crate) items: Vec<Item>,
    /// Sheet of a workbook, counted from 0 in the order of reading, and its row, 1-based.
    pub(crate) spot: (u32, u32),
    /// Where it stands, when the reader was asked to say.
    pub(crate) place: Place,
}

/// A cell without usable value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellFault {
    pub(crate) column: usize,
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

/// One member of an array.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Item {
    /// Column of the array itself.
    pub(crate) array: usize,
    /// Place in the array, from 1, as text.
    pub(crate) position: String,
    /// Columns and where their cells stand in the record's text.
    pub(crate) cells: Vec<(usize, (u32, u32))>,
}

/// Physical place of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Sheet of a workbook.
    pub(crate) sheet: Option<String>,
    pub(crate) first_line: u64,
    pub(crate) last_line: u64,
    pub(crate) text: Vec<u8>,
}

impl RawRecord {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.broken = None;
        self.faults.clear();
        self.items.clear();
        self.spot = (0, 0);
    }

    /// Says that a cell cannot be used.
    pub(crate) fn fault(&mut self, column: usize, code: &'static str, reason: impl Into<String>) {
        self.faults.push(CellFault { column, code, reason: reason.into() });
    }

    /// A text that belongs to a member of an array.
    pub(crate) fn item_text(&self, (start, end): (u32, u32)) -> Option<&str> {
        self.text.get(start as usize..end as usize)
    }

    /// Adds a cell to the last member of an array.
    pub(crate) fn set_in_item(&mut self, column: usize, value: &str) {
        let start = u32::try_from(self.text.len()).unwrap_or(0);
        self.text.push_str(value);
        let end = u32::try_from(self.text.len()).unwrap_or(0);
        if let Some(item) = self.items.last_mut() {
            item.cells.push((column, (start, end)));
        }
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
