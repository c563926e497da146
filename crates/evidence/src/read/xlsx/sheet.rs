//! The cells of one sheet, row by row, with what their numbers mean as text. Owns how a cell is
//! written in a workbook; never knows a head or a column's name.

use std::collections::HashMap;

use super::{
    super::error::ReadError,
    package::{Markup, Package, Piece, attribute, damaged},
    workbook::{Shape, Workbook},
};
use crate::{quarantine::code, typing::serial};

/// Rows and columns that a sheet can have.
const ROWS_MAX: u32 = 1_048_576;
const COLUMNS_MAX: u32 = 16_384;
/// Most merged regions of a sheet.
const MERGED_MAX: usize = 100_000;

/// A rectangle of cells, all bounds included, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) rows: (u32, u32),
    pub(crate) columns: (u32, u32),
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first = cell_name(self.rows.0, self.columns.0);
        write!(f, "{first}:{}", cell_name(self.rows.1, self.columns.1))
    }
}

/// One cell that holds something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetCell {
    pub(crate) column: u32,
    /// Its text, or why it has none: code and reason.
    pub(crate) value: Result<String, (&'static str, String)>,
    /// Whether it is a number of which a spreadsheet does not keep every digit.
    pub(crate) cut: bool,
}

/// The rows of one sheet.
pub(crate) struct Rows {
    markup: Markup,
    buffer: Vec<u8>,
    row: u32,
    ended: bool,
}

impl Rows {
    pub(crate) fn open(package: &mut Package, part: &str) -> Result<Self, ReadError> {
        let markup = package.markup(part)?;
        Ok(Self { markup, buffer: Vec::new(), row: 0, ended: false })
    }

    /// The next row that holds something, with its number from 0; none at the end.
    pub(crate) fn next(
        &mut self,
        book: &Workbook,
        cells: &mut Vec<SheetCell>,
    ) -> Result<Option<u32>, ReadError> {
        cells.clear();
        while !self.ended {
            match self.markup.next(&mut self.buffer)? {
                Piece::Open(tag, empty) => match tag.local_name().into_inner() {
                    "row" => {
                        let said = attribute(&tag, "r");
                        self.begin_row(said.map(|row| row.parse().unwrap_or(0)))?;
                        if !empty {
                            self.cells(book, cells)?;
                        }
                        if !cells.is_empty() {
                            return Ok(Some(self.row - 1));
                        }
                    }
                    "c" => return Err(damaged("a cell stands outside a row")),
                    _ => {}
                },
                Piece::Close(name) if name == "sheetData" => self.ended = true,
                Piece::End => return Err(damaged("a sheet has no end")),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Rows ascend; one without number follows the one before.
    fn begin_row(&mut self, said: Option<u32>) -> Result<(), ReadError> {
        let row = said.unwrap_or(self.row + 1);
        if row <= self.row || row > ROWS_MAX {
            return Err(damaged("its rows are out of order"));
        }
        self.row = row;
        Ok(())
    }

    /// The cells of the row just opened.
    fn cells(&mut self, book: &Workbook, cells: &mut Vec<SheetCell>) -> Result<(), ReadError> {
        let mut next_column = 0;
        loop {
            let head = match self.markup.next(&mut self.buffer)? {
                Piece::Open(tag, empty) if tag.local_name().into_inner() == "c" => {
                    let column = match attribute(&tag, "r") {
                        Some(name) => {
                            column_of(&name).ok_or_else(|| damaged("a cell has no place"))?
                        }
                        None => next_column,
                    };
                    let style = attribute(&tag, "s").and_then(|style| style.parse().ok());
                    (column, style, attribute(&tag, "t"), empty)
                }
                Piece::Close(name) if name == "row" => return Ok(()),
                Piece::End => return Err(damaged("a sheet has no end")),
                _ => continue,
            };
            let (column, style, kind, empty) = head;
            if column < next_column || column >= COLUMNS_MAX {
                return Err(damaged("the cells of a row are out of order"));
            }
            next_column = column + 1;
            let written = if empty { Written::default() } else { self.cell()? };
            let shape = book.shape(style);
            if let Some((value, cut)) = value(book, kind.as_deref(), shape, written)? {
                cells.push(SheetCell { column, value, cut });
            }
        }
    }

    /// What stands in the cell just opened.
    fn cell(&mut self) -> Result<Written, ReadError> {
        let mut written = Written::default();
        let (mut within, mut beside) = (None, false);
        loop {
            match self.markup.next(&mut self.buffer)? {
                Piece::Open(tag, empty) => match tag.local_name().into_inner() {
                    "v" if !empty => within = Some(true),
                    "f" => written.formula = true,
                    "rPh" => beside = !empty,
                    "t" if !empty && !beside => {
                        within = Some(false);
                        written.inline.get_or_insert_default();
                    }
                    _ => {}
                },
                Piece::Text(text) => match within {
                    Some(true) => written.value.get_or_insert_default().push_str(&text),
                    Some(false) => written.inline.get_or_insert_default().push_str(&text),
                    None => {}
                },
                Piece::Close(name) => match name.as_str() {
                    "c" => return Ok(written),
                    "rPh" => beside = false,
                    "v" | "t" => within = None,
                    _ => {}
                },
                Piece::End => return Err(damaged("a sheet has no end")),
                Piece::Other => {}
            }
        }
    }
}

/// A cell as it stands in the sheet.
#[derive(Default)]
struct Written {
    value: Option<String>,
    inline: Option<String>,
    formula: bool,
}

/// Text of a cell, or why it has none.
type Value = Result<String, (&'static str, String)>;

/// The value of a cell and whether digits of it are lost; none when it is empty.
fn value(
    book: &Workbook,
    kind: Option<&str>,
    shape: Shape,
    written: Written,
) -> Result<Option<(Value, bool)>, ReadError> {
    let text = |text: String| (!text.trim().is_empty()).then_some((Ok(text), false));
    if kind == Some("inlineStr") {
        return Ok(written.inline.and_then(text));
    }
    let Some(raw) = written.value.filter(|raw| kind == Some("str") || !raw.trim().is_empty())
    else {
        // A formula may give an empty text, but not nothing at all.
        let reason = "the formula has no value stored: open the workbook in a spreadsheet program, \
                      let it calculate, and save it";
        let missing = written.formula && kind != Some("str");
        return Ok(missing.then(|| (Err((code::NO_VALUE, reason.to_owned())), false)));
    };
    Ok(match kind {
        Some("s") => {
            let number = raw.trim().parse().ok();
            let shared = number.and_then(|number| book.text(number));
            let shared = shared.ok_or_else(|| damaged("a cell names a text that is not there"))?;
            text(shared.to_owned())
        }
        Some("str" | "d") => text(raw),
        Some("b") => Some((Ok((raw.trim() == "1" || raw.trim() == "true").to_string()), false)),
        Some("e") => {
            let reason = format!("the cell holds the error {}", known_error(raw.trim()));
            Some((Err((code::CELL_ERROR, reason)), false))
        }
        None | Some("n") => Some(number(raw.trim(), shape, book.from_1904)),
        Some(_) => return Err(damaged("a cell is of an unknown kind")),
    })
}

/// An error by its name; what is no known one is not repeated.
fn known_error(raw: &str) -> &str {
    const KNOWN: [&str; 9] =
        ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"];
    KNOWN.into_iter().find(|known| *known == raw).unwrap_or("of a formula")
}

/// A number as text, by what its format says it is.
fn number(raw: &str, shape: Shape, from_1904: bool) -> (Value, bool) {
    let no_date = || {
        let reason = "the number is formatted as a date or a time and stands for none";
        Err((code::BAD_DATE, reason.to_owned()))
    };
    let Some(plain) = plain_number(raw) else {
        let reason = "the cell is said to hold a number and does not".to_owned();
        return (Err((code::BAD_NUMBER, reason)), false);
    };
    let serial = raw.parse::<f64>().unwrap_or(f64::NAN);
    let date_time = |with_time: bool| match serial::date_time(serial, from_1904) {
        Some(at) if with_time || at.time() != jiff::civil::Time::midnight() => Ok(at.to_string()),
        Some(at) => Ok(at.date().to_string()),
        None => no_date(),
    };
    let value = match shape {
        Shape::Plain => return (Ok(plain), serial.abs() > 9_007_199_254_740_992.0),
        Shape::Percent => Ok(percent(&plain)),
        Shape::Date => date_time(false),
        Shape::DateTime => date_time(true),
        Shape::Time => match serial::time_of_day(serial) {
            Some(time) => Ok(time.to_string()),
            None => date_time(true),
        },
        Shape::Elapsed => match serial::elapsed(serial) {
            Some((hours, rest)) => Ok(elapsed(hours, rest)),
            None => no_date(),
        },
    };
    (value, false)
}

/// `36:00:00`, with the part of a second if there is one.
fn elapsed(hours: i64, rest: i64) -> String {
    let (minutes, seconds, millis) = (rest / 60_000, rest / 1_000 % 60, rest % 1_000);
    let whole = format!("{hours}:{minutes:02}:{seconds:02}");
    if millis == 0 { whole } else { format!("{whole}.{millis:03}") }
}

/// A number without exponent and without zeros that say nothing. Whole numbers keep all digits that
/// are written; others the fifteen that a spreadsheet shows.
fn plain_number(raw: &str) -> Option<String> {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_digits(digits) {
        return Some(raw.to_owned());
    }
    if let Some((whole, places)) = digits.split_once('.')
        && is_digits(whole)
        && is_digits(places)
        && whole.len() + places.len() <= 15
    {
        return Some(without_zeros(raw));
    }
    let value: f64 = raw.parse().ok().filter(|value: &f64| value.is_finite())?;
    let scientific = format!("{value:.14e}");
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let point = usize::try_from(exponent + 1);
    let text = match point {
        Ok(point) if point >= digits.len() => {
            format!("{sign}{digits}{}", "0".repeat(point - digits.len()))
        }
        Ok(point) => {
            let (whole, places) = digits.split_at_checked(point)?;
            let whole = if whole.is_empty() { "0" } else { whole };
            without_zeros(&format!("{sign}{whole}.{places}"))
        }
        Err(_) => {
            let zeros = usize::try_from(-(exponent + 1)).ok()?;
            without_zeros(&format!("{sign}0.{}{digits}", "0".repeat(zeros)))
        }
    };
    Some(if text == "-0" { "0".to_owned() } else { text })
}

fn without_zeros(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

/// `0.958` as `95.8%`.
fn percent(plain: &str) -> String {
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", plain),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let places = format!("{places:0<2}");
    let (moved, rest) = places.split_at_checked(2).unwrap_or((places.as_str(), ""));
    let whole = format!("{whole}{moved}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{rest}%")
}

/// The merged regions of a sheet, by each row that they touch.
pub(crate) fn merged(package: &mut Package, part: &str) -> Result<Vec<Region>, ReadError> {
    let mut markup = package.markup(part)?;
    let (mut buffer, mut regions) = (Vec::new(), Vec::new());
    loop {
        match markup.next(&mut buffer)? {
            Piece::Open(tag, _) if tag.local_name().into_inner() == "mergeCell" => {
                let said = attribute(&tag, "ref").unwrap_or_default();
                regions.push(region(&said).ok_or_else(|| damaged("a merged region is nowhere"))?);
            }
            Piece::End => return Ok(regions),
            _ => {}
        }
        if regions.len() > MERGED_MAX {
            return Err(ReadError::Format {
                message: "a sheet has more than 100,000 merged regions: save it as CSV".to_owned(),
            });
        }
    }
}

/// Regions by the rows that they touch, for those of few rows; the tall ones apart.
pub(crate) fn by_row(regions: &[Region]) -> (HashMap<u32, Region>, Vec<Region>) {
    let (mut rows, mut tall) = (HashMap::new(), Vec::new());
    for region in regions {
        if region.rows.1 - region.rows.0 > 16 {
            tall.push(*region);
            continue;
        }
        for row in region.rows.0..=region.rows.1 {
            rows.entry(row).or_insert(*region);
        }
    }
    (rows, tall)
}

fn region(said: &str) -> Option<Region> {
    let (first, last) = said.split_once(':').unwrap_or((said, said));
    let (rows, columns) = ((row_of(first)?, row_of(last)?), (column_of(first)?, column_of(last)?));
    (rows.0 <= rows.1 && columns.0 <= columns.1).then_some(Region { rows, columns })
}

fn row_of(cell: &str) -> Option<u32> {
    let digits = cell.trim_start_matches(|symbol: char| symbol.is_ascii_alphabetic());
    let row: u32 = digits.parse().ok()?;
    (1..=ROWS_MAX).contains(&row).then(|| row - 1)
}

/// Column of a cell's name, from 0.
pub(crate) fn column_of(cell: &str) -> Option<u32> {
    let mut column = 0_u32;
    for symbol in cell.bytes().take_while(u8::is_ascii_alphabetic) {
        column = column * 26 + u32::from(symbol.to_ascii_uppercase() - b'A') + 1;
        if column > COLUMNS_MAX {
            return None;
        }
    }
    column.checked_sub(1)
}

/// `B7`, from a row and a column counted from 0.
pub(crate) fn cell_name(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(b'A' + u8::try_from((rest - 1) % 26).unwrap_or(0));
        rest = (rest - 1) / 26;
    }
    let letters: String = letters.into_iter().rev().map(char::from).collect();
    format!("{letters}{}", row + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn cells_have_names() {
        for (column, name) in [(0, "A1"), (25, "Z1"), (26, "AA1"), (16_383, "XFD1")] {
            assert_eq!(cell_name(0, column), name);
            assert_eq!(column_of(name), Some(column));
        }
        assert_eq!((column_of("XFE1"), column_of("1"), row_of("A0")), (None, None, None));
        assert_eq!(region("B2:D3").unwrap().to_string(), "B2:D3");
        assert_eq!(region("D2:B2"), None);
    }

    #[test]
    fn numbers_lose_their_exponent_and_keep_their_digits() {
        for (raw, plain) in [
            ("123", "123"),
            ("123.0", "123"),
            ("1234567890123456789", "1234567890123456789"),
            ("1.2345678901234567E+18", "1234567890123460000"),
            ("0.950", "0.95"),
            ("4.5999999999999999E-2", "0.046"),
            ("0.30000000000000004", "0.3"),
            ("-1.5E-3", "-0.0015"),
            ("1E3", "1000"),
            ("-0.0", "-0"),
            ("12.5E0", "12.5"),
        ] {
            assert_eq!(plain_number(raw).as_deref(), Some(plain), "{raw}");
        }
        for raw in ["", "x", "NaN", "inf", "1e999", "1.2.3"] {
            assert_eq!(plain_number(raw), None, "{raw}");
        }
    }

    #[test]
    fn percentages_are_written_as_they_are_shown() {
        for (plain, shown) in [
            ("0.958", "95.8%"),
            ("0.95", "95%"),
            ("1", "100%"),
            ("0.005", "0.5%"),
            ("-0.1", "-10%"),
            ("0", "0%"),
        ] {
            assert_eq!(percent(plain), shown);
        }
        assert_eq!(elapsed(36, 90_500), "36:01:30.500");
    }
}
