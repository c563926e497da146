//! What came of an import, a dry run or a rereading: counts that add up, what was rejected and why.
//! It only sets what it is given; it counts nothing but totals.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    figure::{count, counted},
    layout::{Cell, Grid, Look, Page, Set, Tone},
};

/// Kinds of rejection shown in a text; JSON has all.
const KINDS_SHOWN: usize = 12;
/// Characters of a value shown in a preview.
const VALUE_SHOWN: usize = 120;
/// First rows of a table shown in a text; JSON has as many as were kept.
const ROWS_SHOWN: usize = 2;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FileImport {
    /// File as it was named.
    pub file: String,
    /// Records read.
    pub read: u64,
    /// Records that brought at least one new row.
    pub accepted: u64,
    /// Records kept aside, with their reasons.
    pub quarantined: u64,
    /// Records that hold nothing new.
    pub already_known: u64,
    /// Records that correct a row known before.
    pub corrected: u64,
    /// Ledger entry that holds the import; none in a dry run, or when there was nothing to record.
    pub entry: Option<u64>,
    /// True when exactly this file, read in this way, was imported before: `entry` is that import.
    pub repeated: bool,
    /// True when nothing was written because nothing was asked to be.
    pub dry_run: bool,
    /// Rows by table.
    pub tables: Vec<TableRows>,
    /// What was rejected, by kind.
    pub rejections: Vec<RejectionKind>,
    /// Cell by cell how the first records are read, and the first record of each kind of rejection.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<ReadCell>,
    /// What was found out about the file: encoding, delimiter, columns not used.
    pub hints: Vec<String>,
    /// Import whose log this one repeats with another clock; kept because it was asked for.
    pub disagreeing_clock_with: Option<u64>,
}

/// A cell of the source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FromCell {
    /// Column of the source.
    pub column: String,
    /// Cell of a workbook, as `Sheet!B7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// As it is written; none when it is empty or personal.
    pub written: Option<String>,
    /// Whether it holds a person's id, which is not shown.
    pub personal: bool,
}

/// Why a cell is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Refusal {
    /// Permanent code of the kind.
    pub code: String,
    /// In words.
    pub reason: String,
}

/// What became of one column of one row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ReadCell {
    /// 1-based record of the source.
    pub record: u32,
    /// Which of several rows that the record gives to the table, from 0.
    pub item: i16,
    /// Cells that it was made from; none for a constant.
    pub from: Vec<FromCell>,
    /// Table; empty when the record was refused before it reached one.
    pub table: String,
    /// Column of the table; empty when the record was refused as a whole.
    pub column: String,
    /// The value as it was typed: a pseudonym for a person.
    pub value: Option<String>,
    /// Why it is not taken.
    pub refused: Option<Refusal>,
}

/// Rows that a file gave to one table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TableRows {
    /// Table of the vocabulary.
    pub table: String,
    /// Rows in all.
    pub rows: u64,
    /// First rows, as column and value, when asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<Vec<(String, String)>>,
}

/// Rejections of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RejectionKind {
    /// Permanent code of the kind.
    pub code: String,
    /// Table that the records were meant for.
    pub table: String,
    /// Column that was wrong, when it was one.
    pub column: Option<String>,
    /// In words, what to do included.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// First records, 1-based.
    pub records: Vec<u32>,
}

/// Several files, and their sums.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Imports {
    /// The files, in the order in which they were read.
    pub files: Vec<FileImport>,
    /// Sums over the files.
    pub totals: Totals,
}

/// Sums over files; `read` is always the sum of the other four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Records read.
    pub read: u64,
    /// Records that brought a new row.
    pub accepted: u64,
    /// Records kept aside.
    pub quarantined: u64,
    /// Records that hold nothing new.
    pub already_known: u64,
    /// Records that correct a row.
    pub corrected: u64,
}

impl Imports {
    /// Adds the files up.
    #[must_use]
    pub fn of(files: Vec<FileImport>) -> Self {
        let mut totals = Totals::default();
        for file in &files {
            totals.read += file.read;
            totals.accepted += file.accepted;
            totals.quarantined += file.quarantined;
            totals.already_known += file.already_known;
            totals.corrected += file.corrected;
        }
        Self { files, totals }
    }
}

fn number(figure: u64) -> String {
    count(i64::try_from(figure).unwrap_or(i64::MAX))
}

fn quiet_zero(figure: u64, tone: Tone) -> Cell {
    Cell::toned(number(figure), if figure == 0 { Tone::Quiet } else { tone })
}

/// The files as aligned columns, then what was rejected.
#[must_use]
pub fn text(imports: &Imports, look: Look) -> String {
    let mut page = Page::new(look);
    let mut grid = Grid::new(&[
        ("file", Set::Flex),
        ("read", Set::Right),
        ("accepted", Set::Right),
        ("corrected", Set::Right),
        ("known", Set::Right),
        ("quarantined", Set::Right),
        ("entry", Set::Right),
    ]);
    for file in &imports.files {
        let entry = match (file.entry, file.dry_run) {
            (_, true) => "dry run".to_owned(),
            (Some(entry), _) => entry.to_string(),
            (None, _) => "none".to_owned(),
        };
        grid.row(vec![
            (&file.file).into(),
            number(file.read).into(),
            quiet_zero(file.accepted, Tone::Plain),
            quiet_zero(file.corrected, Tone::Plain),
            quiet_zero(file.already_known, Tone::Plain),
            quiet_zero(file.quarantined, Tone::Unsure),
            entry.into(),
        ]);
    }
    if imports.files.len() > 1 {
        let totals = imports.totals;
        let counts = [
            totals.read,
            totals.accepted,
            totals.corrected,
            totals.already_known,
            totals.quarantined,
        ];
        let mut cells = vec![Cell::toned("in all", Tone::Strong)];
        cells.extend(counts.map(|figure| Cell::toned(number(figure), Tone::Strong)));
        grid.row(cells);
    }
    page.grid(&grid);
    for file in &imports.files {
        remarks(&mut page, file, imports.files.len() > 1);
    }
    page.finish()
}

/// The sums only, and where rows are in quarantine.
#[must_use]
pub fn totals_text(imports: &Imports, look: Look) -> String {
    let totals = imports.totals;
    let mut page = Page::new(look);
    let files = i64::try_from(imports.files.len()).unwrap_or(i64::MAX);
    let text = format!(
        "{}: {} records read, {} accepted, {} corrected, {} known already, {} in quarantine",
        counted(files, "file"),
        number(totals.read),
        number(totals.accepted),
        number(totals.corrected),
        number(totals.already_known),
        number(totals.quarantined),
    );
    page.hanging(0, 2, &text, Tone::Plain);
    page.finish()
}

fn remarks(page: &mut Page, file: &FileImport, name_it: bool) {
    let details = file.repeated
        || (file.entry.is_none() && !file.dry_run)
        || file.disagreeing_clock_with.is_some()
        || !file.rejections.is_empty()
        || (!name_it && (!file.hints.is_empty() || !file.tables.is_empty()))
        || file.dry_run;
    if !details {
        return;
    }
    page.gap();
    if name_it {
        page.paragraph(0, &file.file, Tone::Strong);
    }
    if let (true, Some(entry)) = (file.repeated, file.entry) {
        let text = format!(
            "Nothing changed: ledger entry {entry} holds this very file, read in this way."
        );
        page.paragraph(0, &text, Tone::Plain);
    } else if file.entry.is_none() && !file.dry_run {
        page.paragraph(0, "Nothing changed: all that it holds was known before.", Tone::Plain);
    }
    if let Some(other) = file.disagreeing_clock_with {
        let text = format!(
            "Kept although it repeats the log of ledger entry {other} with another clock: controls that \
             read either stay untested."
        );
        page.paragraph(0, &text, Tone::Unsure);
    }
    if file.dry_run {
        page.paragraph(
            0,
            "Nothing was written. Whether rows are known already, only a real import finds out.",
            Tone::Quiet,
        );
    }
    if !name_it || file.dry_run {
        tables(page, file);
        for hint in &file.hints {
            page.hanging(0, 2, hint, Tone::Quiet);
        }
    }
    rejections(page, file);
    refused_cells(page, file);
}

fn tables(page: &mut Page, file: &FileImport) {
    if file.tables.is_empty() {
        return;
    }
    let listed: Vec<String> =
        file.tables.iter().map(|t| format!("{} {}", t.table, number(t.rows))).collect();
    page.hanging(0, 2, &format!("rows by table: {}", listed.join(", ")), Tone::Plain);
    for table in file.tables.iter().filter(|table| !table.first.is_empty()) {
        page.gap();
        page.paragraph(0, &format!("first rows of {}", table.table), Tone::Strong);
        if !cell_by_cell(page, file, &table.table) {
            as_rows(page, table);
        }
    }
}

/// The first rows of a table without where they come from; for a table that the first records do
/// not feed.
fn as_rows(page: &mut Page, table: &TableRows) {
    for (n, row) in table.first.iter().take(ROWS_SHOWN).enumerate() {
        if n > 0 {
            page.gap();
        }
        let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]).indented(2);
        let shown = row
            .iter()
            .filter(|(column, value)| !value.is_empty() && !column.ends_with("_offset_minutes"));
        for (column, value) in shown {
            grid.row(vec![Cell::toned(column, Tone::Quiet), shortened(value).into()]);
        }
        page.grid(&grid);
    }
}

/// The first rows of a table, each value beside the cell that it comes from; false when there is
/// none.
fn cell_by_cell(page: &mut Page, file: &FileImport, table: &str) -> bool {
    let refused: BTreeSet<u32> =
        file.cells.iter().filter(|cell| cell.refused.is_some()).map(|cell| cell.record).collect();
    let mut rows: Vec<(u32, i16, Vec<&ReadCell>)> = Vec::new();
    for cell in file.cells.iter().filter(|c| c.table == table && !refused.contains(&c.record)) {
        match rows.last_mut() {
            Some((record, item, cells)) if (*record, *item) == (cell.record, cell.item) => {
                cells.push(cell);
            }
            _ => rows.push((cell.record, cell.item, vec![cell])),
        }
    }
    for (n, (record, _, cells)) in rows.iter().take(ROWS_SHOWN).enumerate() {
        if n > 0 {
            page.gap();
        }
        let source = format!("from record {record}");
        let mut grid = Grid::new(&[
            ("column", Set::Left),
            ("as typed", Set::Flex),
            (source.as_str(), Set::Flex),
            ("as written", Set::Flex),
        ])
        .indented(2);
        for cell in cells.iter().filter(|cell| cell.value.is_some()) {
            let written = written(cell);
            let typed = shortened(cell.value.as_deref().unwrap_or_default());
            let same = written == typed;
            grid.row(vec![
                Cell::toned(&cell.column, Tone::Quiet),
                typed.into(),
                Cell::toned(origin(cell), Tone::Quiet),
                if same { Cell::toned("the same", Tone::Quiet) } else { written.into() },
            ]);
        }
        page.grid(&grid);
    }
    !rows.is_empty()
}

/// The cells that a value comes from, by name.
fn origin(cell: &ReadCell) -> String {
    let name = |from: &FromCell| match &from.cell {
        Some(place) => format!("{place} {}", from.column),
        None => from.column.clone(),
    };
    cell.from.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The cells that a value comes from, as written.
fn written(cell: &ReadCell) -> String {
    let text = |from: &FromCell| match &from.written {
        Some(text) => shortened(text),
        None if from.personal => "(id of a person)".to_owned(),
        None => "(empty)".to_owned(),
    };
    cell.from.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The cells that are refused, of the first record of each kind.
fn refused_cells(page: &mut Page, file: &FileImport) {
    let refused: Vec<&ReadCell> =
        file.cells.iter().filter(|c| c.refused.is_some() && !c.from.is_empty()).collect();
    if refused.is_empty() {
        return;
    }
    page.gap();
    page.paragraph(0, "the first cell of each kind", Tone::Strong);
    let mut grid = Grid::new(&[
        ("record", Set::Right),
        ("from", Set::Flex),
        ("as written", Set::Flex),
        ("for", Set::Flex),
        ("kind", Set::Left),
    ])
    .indented(2);
    for cell in refused.into_iter().take(KINDS_SHOWN) {
        let place = match cell.table.as_str() {
            "" => "the record".to_owned(),
            table => format!("{table}.{}", cell.column),
        };
        let code = cell.refused.as_ref().map(|refusal| refusal.code.as_str());
        grid.row(vec![
            number(cell.record.into()).into(),
            origin(cell).into(),
            written(cell).into(),
            place.into(),
            Cell::toned(code.unwrap_or_default(), Tone::Unsure),
        ]);
    }
    page.grid(&grid);
}

/// A value of a preview, cut after its beginning when it is long.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(VALUE_SHOWN) {
        Some((at, _)) => format!("{} …", value.get(..at).unwrap_or(value)),
        None => value.to_owned(),
    }
}

fn rejections(page: &mut Page, file: &FileImport) {
    if file.rejections.is_empty() {
        return;
    }
    page.gap();
    page.paragraph(0, "in quarantine", Tone::Strong);
    let mut grid = Grid::new(&[
        ("records", Set::Right),
        ("kind", Set::Left),
        ("where", Set::Flex),
        ("why", Set::Flex),
        ("first", Set::Flex),
    ])
    .indented(2);
    for kind in file.rejections.iter().take(KINDS_SHOWN) {
        let place = match (&kind.column, kind.table.as_str()) {
            (Some(column), "") => column.clone(),
            (Some(column), table) => format!("{table}.{column}"),
            (None, table) => table.to_owned(),
        };
        let records: Vec<String> = kind.records.iter().map(u32::to_string).collect();
        grid.row(vec![
            number(kind.count).into(),
            Cell::toned(&kind.code, Tone::Unsure),
            place.into(),
            (&kind.reason).into(),
            records.join(" ").into(),
        ]);
    }
    page.grid(&grid);
    let hidden = file.rejections.len().saturating_sub(KINDS_SHOWN);
    if hidden > 0 {
        let kinds = counted(i64::try_from(hidden).unwrap_or(i64::MAX), "further kind");
        page.paragraph(
            2,
            &format!("and {kinds}: see `backstay query 'SELECT * FROM quarantine'`"),
            Tone::Quiet,
        );
    }
}
