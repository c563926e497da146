//! Reader of Excel workbooks (ECMA-376): picks the sheets, finds their head rows, and gives one
//! record a row. Dates, times and percentages come as their format shows them; a cell that cannot
//! be used is marked and never guessed. The bytes lie in a temporary file while they are read; of
//! the workbook only its shared texts are in memory.
//!
//! Our own reader and not a crate: those there are give numbers as floats, which loses digits, and
//! reserve as much memory as a file claims to need.

mod package;
mod sheet;
mod workbook;

use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use self::{
    package::Package,
    sheet::{Region, Rows, SheetCell, cell_name},
    workbook::{Sheet, Workbook},
};
use super::{
    bytes::SourceBytes,
    error::ReadError,
    record::{Cells, ColumnSet, RawRecord},
};
use crate::{
    mapping::{Definition, wildcard},
    quarantine::code,
};

/// Rows looked at to find the head.
const HEAD_ROWS: u32 = 100;
/// Most columns of all sheets together.
const COLUMNS_MAX: usize = 16_384;

/// What the cells of a workbook are called.
#[derive(Debug, Default)]
pub(crate) struct CellNames {
    /// Of each sheet its name, and column of the source → column of the sheet.
    sheets: Vec<(String, HashMap<usize, u32>)>,
}

impl CellNames {
    /// `Sheet!B7`, for a column of a record.
    pub(crate) fn of(&self, record: &RawRecord, column: usize) -> Option<String> {
        let (sheet, row) = record.spot;
        let (name, places) = self.sheets.get(sheet as usize)?;
        Some(format!("{name}!{}", cell_name(row.checked_sub(1)?, *places.get(&column)?)))
    }
}

/// A sheet that is read, with its head.
struct Chosen {
    sheet: Sheet,
    /// Row of the head, from 0.
    head_row: u32,
    /// Column of the sheet → column of the source.
    columns: HashMap<u32, usize>,
    merged: HashMap<u32, Region>,
    tall: Vec<Region>,
}

/// Cells that stand where no column is.
#[derive(Default)]
struct Stray {
    count: u64,
    first: String,
}

/// Reader of one workbook.
pub(crate) struct XlsxReader {
    package: Package,
    book: Workbook,
    sheets: Vec<Chosen>,
    columns: ColumnSet,
    /// Column that holds the sheet's name.
    sheet_to: Option<usize>,
    at: usize,
    rows: Option<Rows>,
    cells: Vec<SheetCell>,
    records: u64,
    stray: Stray,
    /// Columns with numbers of which digits may be lost, and the first such cell.
    cut: HashMap<usize, String>,
    hints: Vec<String>,
    record_max: usize,
    pub(crate) stored: Rc<Cell<u64>>,
    pub(crate) gzip: bool,
}

impl XlsxReader {
    pub(crate) fn open(
        mut bytes: SourceBytes<'_>,
        definition: Option<&Definition>,
    ) -> Result<Self, ReadError> {
        let (file, _) = bytes.spool()?;
        let mut package = Package::open(file, bytes.limits)?;
        if !package.has("_rels/.rels") {
            return Err(ReadError::NotText {
                what: "a ZIP archive and no Excel workbook",
                remedy: "unpack it and import the files one by one",
            });
        }
        let book = Workbook::read(&mut package)?;
        let cells = Cells { native: true, from_1904: book.from_1904, paths: false };
        let mut reader = Self {
            package,
            sheets: Vec::new(),
            columns: ColumnSet::of(cells),
            sheet_to: None,
            at: 0,
            rows: None,
            cells: Vec::new(),
            records: 0,
            stray: Stray::default(),
            cut: HashMap::new(),
            hints: Vec::new(),
            record_max: bytes.limits.record_max,
            stored: Rc::clone(&bytes.stored),
            gzip: bytes.gzip,
            book,
        };
        let rule = definition.and_then(|definition| definition.workbook.as_ref());
        let sheet_to = rule.and_then(|rule| rule.sheet_to.as_deref());
        reader.sheet_to = sheet_to.map(|name| reader.columns.intern(name));
        let wanted = definition.map(Definition::source_names);
        for sheet in reader.choose(definition)? {
            let said = rule.and_then(|rule| rule.head_row);
            let chosen = reader.head(sheet, said, wanted.as_ref())?;
            reader.sheets.push(chosen);
        }
        Ok(reader)
    }

    /// The sheets that are meant: those named, else the only visible one that holds something.
    fn choose(&mut self, definition: Option<&Definition>) -> Result<Vec<Sheet>, ReadError> {
        let rule = definition.and_then(|definition| definition.workbook.as_ref());
        let all = self.book.sheets.clone();
        let listed = |sheets: &[Sheet]| {
            let names: Vec<String> =
                sheets.iter().map(|sheet| format!("`{}`", sheet.name)).collect();
            names.join(", ")
        };
        if let Some(patterns) = rule.and_then(|rule| rule.sheets.as_ref()) {
            let patterns = patterns.as_slice();
            let fits = |sheet: &Sheet, pattern: &String| wildcard::matches(pattern, &sheet.name);
            for pattern in patterns {
                if !all.iter().any(|sheet| fits(sheet, pattern)) {
                    return Err(ReadError::plan(format!(
                        "no sheet of the workbook fits `{pattern}`: it has {}",
                        listed(&all)
                    )));
                }
            }
            let meant: Vec<Sheet> = all
                .into_iter()
                .filter(|sheet| patterns.iter().any(|pattern| fits(sheet, pattern)))
                .collect();
            for sheet in meant.iter().filter(|sheet| sheet.hidden) {
                self.hints.push(format!("the sheet `{}` is hidden and was read", sheet.name));
            }
            return Ok(meant);
        }
        let (hidden, visible): (Vec<_>, Vec<_>) = all.into_iter().partition(|sheet| sheet.hidden);
        let mut filled = Vec::new();
        for sheet in visible {
            let mut rows = Rows::open(&mut self.package, &sheet.part)?;
            if rows.next(&self.book, &mut self.cells)?.is_some() {
                filled.push(sheet);
            }
        }
        for sheet in &hidden {
            self.hints.push(format!("the sheet `{}` is hidden and was not read", sheet.name));
        }
        match filled.as_slice() {
            [_] => Ok(filled),
            [] => Err(ReadError::Empty),
            several => Err(ReadError::plan(format!(
                "the workbook has the sheets {}: say in the mapping which are meant, as in \
                 `[workbook]` `sheets = \"{}\"`",
                listed(several),
                several.first().map_or("", |sheet| sheet.name.as_str())
            ))),
        }
    }

    /// Finds the head of a sheet and settles its columns.
    fn head(
        &mut self,
        sheet: Sheet,
        said: Option<u32>,
        wanted: Option<&BTreeSet<String>>,
    ) -> Result<Chosen, ReadError> {
        let mut rows = Rows::open(&mut self.package, &sheet.part)?;
        let mut best: Option<(usize, u32, Vec<SheetCell>)> = None;
        while let Some(row) = rows.next(&self.book, &mut self.cells)? {
            let score = match said {
                Some(said) if row + 1 == said => usize::MAX,
                Some(said) if row + 1 > said => break,
                Some(_) => continue,
                None => score(&self.cells, wanted),
            };
            if best.as_ref().is_none_or(|(most, ..)| score > *most) {
                best = Some((score, row, self.cells.clone()));
            }
            if said.is_none() && row >= HEAD_ROWS {
                break;
            }
        }
        drop(rows);
        let Some((_, head_row, cells)) = best else {
            let row = said.map_or_else(String::new, |row| format!(" in row {row}"));
            return Err(ReadError::Header {
                message: format!("the sheet `{}` holds no head{row}", sheet.name),
            });
        };
        let regions = sheet::merged(&mut self.package, &sheet.part)?;
        let over_head = |region: &&Region| region.rows.0 <= head_row && head_row <= region.rows.1;
        if let Some(region) = regions.iter().find(over_head) {
            return Err(ReadError::Header {
                message: format!(
                    "its cells `{}!{region}` are merged, so it names no column for each: unmerge \
                     them and give every column its own name",
                    sheet.name
                ),
            });
        }
        let columns = self.name_columns(&sheet, head_row, &cells)?;
        if head_row > 0 {
            let row = head_row + 1;
            self.hints.push(format!("the head of the sheet `{}` is its row {row}", sheet.name));
        }
        let (merged, tall) = sheet::by_row(&regions);
        Ok(Chosen { sheet, head_row, columns, merged, tall })
    }

    fn name_columns(
        &mut self,
        sheet: &Sheet,
        row: u32,
        cells: &[SheetCell],
    ) -> Result<HashMap<u32, usize>, ReadError> {
        let wrong = |message: String| Err(ReadError::Header { message });
        let mut columns: HashMap<u32, usize> = HashMap::new();
        for cell in cells {
            let place = format!("{}!{}", sheet.name, cell_name(row, cell.column));
            let name = match &cell.value {
                Ok(name) => name.trim(),
                Err((_, reason)) => return wrong(format!("`{place}`: {reason}")),
            };
            let number = self.columns.intern(name);
            if Some(number) == self.sheet_to {
                return wrong(format!("`{place}` has the name that `sheet_to` gives: rename one"));
            }
            if let Some((first, _)) = columns.iter().find(|(_, other)| **other == number) {
                return wrong(format!(
                    "it names `{name}` twice, in `{}!{}` and `{place}`: rename one",
                    sheet.name,
                    cell_name(row, *first)
                ));
            }
            columns.insert(cell.column, number);
        }
        if self.columns.len() > COLUMNS_MAX {
            return wrong("the sheets have more than 16,384 columns together".to_owned());
        }
        Ok(columns)
    }

    pub(crate) fn columns(&self) -> &ColumnSet {
        &self.columns
    }

    pub(crate) fn columns_mut(&mut self) -> &mut ColumnSet {
        &mut self.columns
    }

    /// Name and columns of each sheet, when there is more than one.
    pub(crate) fn heads(&self) -> Vec<(String, ColumnSet)> {
        if self.sheets.len() < 2 {
            return Vec::new();
        }
        let heads = self.sheets.iter().map(|chosen| {
            let mut columns = ColumnSet::of(self.columns.cells);
            for number in self.sheet_to.iter().chain(chosen.columns.values()) {
                columns.intern(self.columns.name(*number));
            }
            (chosen.sheet.name.clone(), columns)
        });
        heads.collect()
    }

    /// Reads the next record; false at the end.
    pub(crate) fn next(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        record.clear();
        loop {
            let Some(chosen) = self.sheets.get(self.at) else { return Ok(false) };
            let rows = match &mut self.rows {
                Some(rows) => rows,
                None => self.rows.insert(Rows::open(&mut self.package, &chosen.sheet.part)?),
            };
            match rows
                .next(&self.book, &mut self.cells)
                .map_err(|error| error.after(self.records))?
            {
                Some(row) if row <= chosen.head_row => {}
                Some(row) => {
                    if self.take(row, record)? {
                        return Ok(true);
                    }
                }
                None => {
                    self.rows = None;
                    self.at += 1;
                }
            }
        }
    }

    /// Puts the row's cells into the record; false when none of them stands under a name.
    fn take(&mut self, row: u32, record: &mut RawRecord) -> Result<bool, ReadError> {
        let Some(chosen) = self.sheets.get(self.at) else { return Ok(false) };
        let place = |column| format!("{}!{}", chosen.sheet.name, cell_name(row, column));
        if !self.cells.iter().any(|cell| chosen.columns.contains_key(&cell.column)) {
            if let Some(cell) = self.cells.first() {
                self.stray.add(self.cells.len(), || place(cell.column));
            }
            return Ok(false);
        }
        self.records += 1;
        record.number = u32::try_from(self.records).map_err(|_| ReadError::TooManyRecords)?;
        record.spot = (u32::try_from(self.at).unwrap_or(u32::MAX), row + 1);
        record.place.sheet = Some(chosen.sheet.name.clone());
        record.place.first_line = u64::from(row) + 1;
        record.place.last_line = u64::from(row) + 1;
        if let Some(column) = self.sheet_to {
            record.set(column, &chosen.sheet.name);
        }
        for cell in &self.cells {
            let Some(column) = chosen.columns.get(&cell.column) else {
                self.stray.add(1, || place(cell.column));
                continue;
            };
            match &cell.value {
                Ok(text) if record.text.len() + text.len() > self.record_max => {
                    let reason = "the row is larger than 16 MiB".to_owned();
                    record.broken = Some((code::TOO_LARGE, reason));
                }
                Ok(text) => record.set(*column, text),
                Err((code, reason)) => record.fault(*column, code, reason.clone()),
            }
            if cell.cut {
                self.cut.entry(*column).or_insert_with(|| place(cell.column));
            }
        }
        let tall =
            || chosen.tall.iter().find(|region| (region.rows.0..=region.rows.1).contains(&row));
        if let Some(region) = chosen.merged.get(&row).or_else(tall) {
            let reason = format!(
                "the cells `{}!{region}` are merged, so it is not said which row or column their \
                 value belongs to: unmerge them and write it into each",
                chosen.sheet.name
            );
            record.broken.get_or_insert((code::MERGED_CELLS, reason));
        }
        Ok(true)
    }

    pub(crate) fn cell_names(&self) -> CellNames {
        let sheet = |chosen: &Chosen| {
            let places = chosen.columns.iter().map(|(place, column)| (*column, *place));
            (chosen.sheet.name.clone(), places.collect())
        };
        CellNames { sheets: self.sheets.iter().map(sheet).collect() }
    }

    pub(crate) fn hints(&self) -> Vec<String> {
        let mut hints = self.hints.clone();
        if self.stray.count > 0 {
            hints.push(format!(
                "{} cells stand under no name of the head and were not taken, the first at `{}`",
                self.stray.count, self.stray.first
            ));
        }
        let mut cut: Vec<_> = self.cut.iter().collect();
        cut.sort();
        for (column, place) in cut {
            hints.push(format!(
                "column `{}` holds numbers beyond 2^53, the first at `{place}`: a spreadsheet keeps \
                 15 digits of a number, so an id may be cut; have ids stored as text",
                self.columns.name(*column)
            ));
        }
        hints
    }
}

impl Stray {
    fn add(&mut self, count: usize, place: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = place();
        }
        self.count += count as u64;
    }
}

/// How much a row looks like the head: names that the mapping speaks of; without mapping the first
/// row that is all names as the vocabulary writes them.
fn score(cells: &[SheetCell], wanted: Option<&BTreeSet<String>>) -> usize {
    let names: Vec<&str> =
        cells.iter().filter_map(|cell| cell.value.as_ref().ok()).map(|name| name.trim()).collect();
    match wanted {
        Some(wanted) => {
            let named =
                |name: &&&str| wanted.iter().any(|pattern| wildcard::matches(pattern, name));
            1 + names.iter().filter(named).count()
        }
        None => {
            let plain = |name: &&str| {
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                    && name.starts_with(|first: char| first.is_ascii_lowercase())
            };
            1 + usize::from(names.len() == cells.len() && names.iter().all(plain))
        }
    }
}
