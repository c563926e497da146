//! A table as data, and the files it can be saved as: comma-separated values, a line of JSON each, a
//! workbook. It sets what it is given; it must never round, cut or reorder, and no text of evidence may
//! become a formula in a spreadsheet.

pub mod figure;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use serde_json::{Map, Value};

use crate::rows::{quoted, shown};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; ids, references and enumerations too.
    Text,
    /// Whole numbers.
    Whole,
    /// Exact decimals, as text in JSON.
    Decimal,
    /// True or false.
    Flag,
    /// Instants in UTC, as ISO 8601 in text.
    Instant,
    /// Civil days, as ISO 8601 in text.
    Day,
    /// Lists of texts or references.
    List,
}

/// Names of columns with what they hold.
pub type Columns = &'static [(&'static str, Kind)];

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, with its unit last.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// A table: every row has a value, or null, for every column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What it is called; the name of a file and of a sheet follow from it.
    pub name: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Vec<Value>>,
}

/// Why a table cannot be saved so.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// A sheet holds 1,048,575 rows under its head.
    #[error("`{name}` has {rows} rows, more than a sheet holds: take comma-separated values")]
    Rows {
        /// The table.
        name: String,
        /// Rows.
        rows: usize,
    },
    /// A cell holds 32,767 characters.
    #[error(
        "row {row} of `{name}` holds a text longer than a cell takes: take comma-separated values"
    )]
    Text {
        /// The table.
        name: String,
        /// Row, counted from 1.
        row: usize,
    },
    /// The workbook could not be written.
    #[error("the workbook cannot be written: {0}")]
    Workbook(String),
}

impl From<XlsxError> for ListingError {
    fn from(error: XlsxError) -> Self {
        Self::Workbook(error.to_string())
    }
}

/// Rows of a sheet below its head.
const MOST_ROWS: usize = 1_048_575;
/// Characters of a cell.
const MOST_TEXT: usize = 32_767;
/// Beyond this a number of a spreadsheet is no longer exact.
const EXACT: u64 = 1 << 53;
/// Digits that a number of a spreadsheet keeps.
const EXACT_DIGITS: usize = 15;
/// Widest column, pixels.
const WIDEST: u32 = 420;

impl Listing {
    /// A table without rows.
    #[must_use]
    pub fn new(name: impl Into<String>, columns: &[(&str, Kind)]) -> Self {
        let column = |(name, kind): &(&str, Kind)| Column { name: (*name).to_owned(), kind: *kind };
        Self { name: name.into(), columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }

    /// A row as an object.
    #[must_use]
    pub fn object(&self, row: &[Value]) -> Map<String, Value> {
        let names = self.columns.iter().map(|column| column.name.clone());
        names.zip(row.iter().cloned()).collect()
    }

    /// Comma-separated values with a head line, in UTF-8. A text that a spreadsheet would take for a
    /// formula has an apostrophe before it; nothing and an empty text differ by quotes.
    #[must_use]
    pub fn csv(&self) -> String {
        let heads: Vec<String> = self.columns.iter().map(|c| quoted(&harmless(&c.name))).collect();
        let mut out = heads.join(",");
        out.push('\n');
        for row in &self.rows {
            let cells = row.iter().zip(&self.columns).map(|(value, column)| match value {
                Value::Null => String::new(),
                value if self.is_number(column) => shown(value),
                value => quoted(&harmless(&shown(value))),
            });
            out.push_str(&cells.collect::<Vec<_>>().join(","));
            out.push('\n');
        }
        out
    }

    fn is_number(&self, column: &Column) -> bool {
        matches!(column.kind, Kind::Whole | Kind::Decimal)
    }

    /// One JSON object a line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let lines = self.rows.iter().map(|row| format!("{}\n", Value::Object(self.object(row))));
        lines.collect()
    }
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    let risky = |letter| {
        matches!(letter, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
    };
    match text.trim_start_matches(' ').starts_with(risky) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// A workbook with a sheet for each table: heads that stay in sight, filters, numbers as numbers as far as
/// they stay exact, instants in UTC. `made_us`: the instant that it says it was made at, microseconds UTC.
///
/// # Errors
/// A table that a sheet cannot hold.
pub fn workbook(sheets: &[Listing], made_us: i64) -> Result<Vec<u8>, ListingError> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_timestamp(made_us.div_euclid(1_000_000))?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let styles = Styles::new();
    let mut names: Vec<String> = Vec::new();
    for (n, sheet) in sheets.iter().enumerate() {
        let name = sheet_name(&sheet.name, n, &names);
        let made = book.add_worksheet();
        made.set_name(&name)?;
        names.push(name);
        fill(made, sheet, &styles)?;
    }
    Ok(book.save_to_buffer()?)
}

struct Styles {
    head: Format,
    instant: Format,
    day: Format,
}

impl Styles {
    fn new() -> Self {
        Self {
            head: Format::new().set_bold().set_text_wrap(),
            instant: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            day: Format::new().set_num_format("yyyy-mm-dd"),
        }
    }
}

/// A name that a sheet may have, and that no earlier one has.
fn sheet_name(name: &str, n: usize, taken: &[String]) -> String {
    let allowed = |letter: char| match letter {
        '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'' => ' ',
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    let cut: String = name.chars().map(allowed).take(31).collect();
    let cut = cut.trim().to_owned();
    let same = |other: &String| other.to_lowercase() == cut.to_lowercase();
    if cut.is_empty() || taken.iter().any(same) {
        let short: String = cut.chars().take(25).collect();
        return format!("{short} {}", n + 1).trim().to_owned();
    }
    cut
}

fn fill(made: &mut Worksheet, sheet: &Listing, styles: &Styles) -> Result<(), ListingError> {
    let name = || sheet.name.clone();
    if sheet.rows.len() > MOST_ROWS {
        return Err(ListingError::Rows { name: name(), rows: sheet.rows.len() });
    }
    for (column, place) in sheet.columns.iter().zip(0..) {
        let head = match column.kind {
            Kind::Instant => format!("{} (UTC)", column.name),
            _ => column.name.clone(),
        };
        made.write_string_with_format(0, place, &head, &styles.head)?;
    }
    for (n, row) in sheet.rows.iter().enumerate() {
        let line = u32::try_from(n + 1).unwrap_or(u32::MAX);
        for ((value, column), place) in row.iter().zip(&sheet.columns).zip(0..) {
            if shown(value).chars().count() > MOST_TEXT {
                return Err(ListingError::Text { name: name(), row: n + 1 });
            }
            cell(made, (line, place), value, column.kind, styles)?;
        }
    }
    let last = u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX);
    if let Some(columns) = u16::try_from(sheet.columns.len()).ok().and_then(|n| n.checked_sub(1)) {
        made.autofilter(0, 0, last, columns)?;
    }
    made.set_freeze_panes(1, 0)?;
    made.set_autofit_max_width(WIDEST).autofit();
    Ok(())
}

fn cell(
    made: &mut Worksheet,
    (line, place): (u32, u16),
    value: &Value,
    kind: Kind,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let text = match value {
        Value::Null => return Ok(()),
        Value::Bool(flag) => return made.write_boolean(line, place, *flag).map(|_| ()),
        value => shown(value),
    };
    match kind {
        Kind::Whole | Kind::Decimal => {
            if let Some(number) = exact(&text) {
                return made.write_number(line, place, number).map(|_| ());
            }
        }
        Kind::Instant => {
            let instant: Option<jiff::Timestamp> = text.parse().ok();
            let told = instant.and_then(|at| ExcelDateTime::from_timestamp(at.as_second()).ok());
            if let Some(told) = told {
                let style = &styles.instant;
                return made.write_datetime_with_format(line, place, &told, style).map(|_| ());
            }
        }
        Kind::Day => {
            let day: Option<jiff::civil::Date> = text.parse().ok();
            let told = day.and_then(|day| {
                let year = u16::try_from(day.year()).ok()?;
                let (month, day) = (day.month().unsigned_abs(), day.day().unsigned_abs());
                ExcelDateTime::from_ymd(year, month, day).ok()
            });
            if let Some(told) = told {
                let style = &styles.day;
                return made.write_datetime_with_format(line, place, &told, style).map(|_| ());
            }
        }
        Kind::Text | Kind::Flag | Kind::List => {}
    }
    made.write_string(line, place, &text).map(|_| ())
}

/// The number, when a spreadsheet keeps it exactly as it is written.
fn exact(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches('-').chars().filter(char::is_ascii_digit).count();
    match text.contains('.') {
        true => (digits <= EXACT_DIGITS).then(|| text.parse().ok()).flatten(),
        false => {
            let whole: i64 = text.parse().ok()?;
            (whole.unsigned_abs() <= EXACT).then(|| text.parse().ok()).flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use serde_json::json;

    use super::*;

    fn hostile() -> Listing {
        let columns = [("case", Kind::Text), ("amount_minor", Kind::Whole), ("at", Kind::Instant)];
        let mut listing = Listing::new("cases", &columns);
        for text in ["=1+1", "+49 1", "-x", "@SUM(A1)", "\t=1", "  =1", "plain", "", "a\"b,c\nd"] {
            listing.rows.push(vec![json!(text), json!(-5), json!("2026-03-01T00:00:00Z")]);
        }
        listing.rows.push(vec![Value::Null, Value::Null, Value::Null]);
        listing
    }

    #[test]
    fn no_text_becomes_a_formula_and_numbers_stay_numbers() {
        let csv = hostile().csv();
        let firsts: Vec<&str> =
            csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(
            firsts[..8],
            ["'=1+1", "'+49 1", "'-x", "'@SUM(A1)", "'\t=1", "'  =1", "plain", "\"\""]
        );
        assert!(csv.contains("'=1+1,-5,2026-03-01T00:00:00Z\n"), "{csv}");
        assert!(csv.ends_with("\n,,\n"), "{csv}");
    }

    #[test]
    fn a_line_of_json_keeps_every_text_as_it_is() {
        let lines = hostile().json_lines();
        let back: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(back[0]["case"], "=1+1");
        assert_eq!(back[8]["case"], "a\"b,c\nd");
        assert_eq!(back[9]["case"], Value::Null);
    }

    #[test]
    fn a_workbook_of_the_same_tables_has_the_same_bytes_and_refuses_what_a_cell_cannot_hold() {
        let sheets = [hostile(), hostile()];
        let book = workbook(&sheets, 1_796_000_000_000_000).unwrap();
        assert_eq!(book, workbook(&sheets, 1_796_000_000_000_000).unwrap());
        assert!(book.starts_with(b"PK"));
        let mut long = hostile();
        long.rows[1][0] = json!("x".repeat(MOST_TEXT + 1));
        let error = workbook(&[long], 0).unwrap_err().to_string();
        assert!(error.contains("row 2 of `cases`"), "{error}");
    }

    #[test]
    fn what_a_spreadsheet_would_round_stays_text() {
        assert_eq!(exact("0.958"), Some(0.958));
        assert_eq!(exact("9007199254740993"), None);
        assert_eq!(exact("0.1234567890123456"), None);
        assert_eq!(exact("-12"), Some(-12.0));
    }

    #[test]
    fn sheets_have_names_that_a_workbook_takes() {
        let taken = vec!["findings".to_owned()];
        assert_eq!(sheet_name("a/b:c", 0, &taken), "a b c");
        assert_eq!(sheet_name("Findings", 1, &taken), "Findings 2");
        assert!(sheet_name(&"x".repeat(80), 2, &taken).len() <= 31);
    }
}
