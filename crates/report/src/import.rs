//! What came of an import, a dry run or a rereading: counts that add up, what was rejected and why.
//! It only sets what it is given; it counts nothing but totals.

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
    /// What was found out about the file: encoding, delimiter, columns not used.
    pub hints: Vec<String>,
    /// Import whose log this one repeats with another clock; kept because it was asked for.
    pub disagreeing_clock_with: Option<u64>,
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
        for (n, row) in table.first.iter().take(ROWS_SHOWN).enumerate() {
            if n > 0 {
                page.gap();
            }
            let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]).indented(2);
            let shown = row.iter().filter(|(column, value)| {
                !value.is_empty() && !column.ends_with("_offset_minutes")
            });
            for (column, value) in shown {
                grid.row(vec![Cell::toned(column, Tone::Quiet), shortened(value).into()]);
            }
            page.grid(&grid);
        }
    }
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
