//! What came of a trial: what the file is, what its rows would be, and every kind of record that is set
//! aside, with its cells in their place.

use std::collections::BTreeSet;

use backstay_evidence::{
    Vocabulary,
    excerpt::{ExcerptCell, ExcerptRecord},
    mapping::SourceFormat,
};
use backstay_report::{
    figure::count,
    html::piece::{self, Set},
    import::{FromCell, ReadCell, RejectionKind},
};
use maud::{Markup, html};

use crate::job::{Job, Open, Reader, Tried};

/// Kinds of rejection shown with their cells.
const KINDS_SHOWN: usize = 25;
/// Columns of the source shown around a cell.
const COLUMNS_SHOWN: usize = 9;
/// Columns shown before and after a cell.
const AROUND: usize = 2;
/// Characters of a cell shown.
const CELL_SHOWN: usize = 60;
/// Characters of a value shown in a row of many.
const IN_A_ROW: usize = 26;
/// The column of what no other takes.
const ATTRIBUTES: &str = "attributes";
/// Rows shown cell by cell.
const ROWS_SHOWN: usize = 2;

/// A figure with its thousands apart.
pub fn number(figure: u64) -> String {
    count(i64::try_from(figure).unwrap_or(i64::MAX))
}

/// Bytes as people say them.
pub fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (unit, one) in units {
        if bytes >= one {
            let tenths = bytes / (one / 10);
            return format!("{}.{} {unit}", number(tenths / 10), tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

/// `count noun`, with an `s` unless the count is one.
pub fn counted(figure: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(figure), if figure == 1 { "" } else { "s" })
}

fn shortened(text: &str) -> String {
    cut(text, CELL_SHOWN)
}

fn in_a_row(text: &str) -> String {
    // A pseudonym says nothing by its length.
    let personal = text.len() == 42 && text.starts_with("p-");
    cut(text, if personal { 12 } else { IN_A_ROW })
}

fn cut(text: &str, shown: usize) -> String {
    match text.char_indices().nth(shown) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// What the file is.
pub fn facts(job: &Job, tried: &Tried) -> Markup {
    let layout = &tried.trial.layout;
    let format = match layout.format {
        SourceFormat::Delimited => "delimited text",
        SourceFormat::Xes => "XES event log",
        SourceFormat::JsonLines => "JSON Lines",
        SourceFormat::Xlsx => "Excel workbook",
        SourceFormat::Parquet => "Parquet",
        SourceFormat::Icalendar => "iCalendar",
    };
    let delimiter = layout.delimiter.map(|delimiter| match delimiter {
        ',' => "a comma".to_owned(),
        ';' => "a semicolon".to_owned(),
        '\t' => "a tab".to_owned(),
        '|' => "an upright stroke".to_owned(),
        other => format!("`{other}`"),
    });
    let text = !matches!(layout.format, SourceFormat::Xlsx | SourceFormat::Parquet);
    let zone = tried.options.zone.clone().filter(|_| !tried.open.contains(&Open::Zone));
    let zone = zone.or_else(|| {
        tried.options.mapping.as_ref().and_then(|mapping| mapping.definition().zone.clone())
    });
    html! {
        dl.facts {
            div { dt { "File" } dd { (piece::name(&job.name)) ", " (size(job.bytes)) } }
            div { dt { "Read by" } dd { (reader(tried)) } }
            div { dt { "Format" } dd { (format)
                @if let Some(delimiter) = delimiter { ", cells parted by " (piece::sentence(&delimiter)) }
                @if text { ", " (layout.encoding.name()) }
                @if layout.gzip { ", compressed" } } }
            div { dt { "Time zone" } dd { @match zone { Some(zone) => { (piece::name(&zone)) } None if tried.open.contains(&Open::Zone) => { "not said yet" } None => { "as each time says" } } } }
            @if !tried.trial.date_formats.is_empty() {
                div { dt { "Dates" } dd {
                    @for (n, (column, format)) in tried.trial.date_formats.iter().enumerate() {
                        @if n > 0 { ", " } (piece::name(column)) " as " code { (format) } } } }
            }
            div { dt { "People" } dd { @if tried.trial.people == 0 { "none named" } @else { "named; kept as pseudonyms" } } }
            div { dt { "SHA-256" } dd { code.digest { (job.digest) } } }
        }
    }
}

fn reader(tried: &Tried) -> Markup {
    let found =
        |of: &str| if tried.found { format!("{of}, found by itself") } else { of.to_owned() };
    let (name, of) = match &tried.reader {
        Reader::Table(name) => (name, found("its own columns, those of the table")),
        Reader::OfRelease(name) => (name, found("mapping of this release")),
        Reader::OfWorkspace(name) => (name, found("mapping of this workspace")),
        Reader::Proposed(name) => (name, "mapping proposed from the file".to_owned()),
        Reader::Written(name) => (name, "mapping as you wrote it".to_owned()),
    };
    html! { (piece::name(name)) span.sub { (of) } }
}

/// What was noticed.
pub fn hints(tried: &Tried) -> Markup {
    let hints = &tried.trial.read.hints;
    html! {
        @if !hints.is_empty() {
            ul.said { @for hint in hints { li { (piece::sentence(&crate::job::in_words_of_the_page(hint))) } } }
        }
    }
}

/// Rows by table, and the first of each.
pub fn tables(tried: &Tried) -> Markup {
    let read = &tried.trial.read;
    html! {
        @for table in &read.tables {
            h3 { (piece::name(&table.table)) span.s.quiet { " " (counted(table.rows, "row")) } }
            (first_rows(&table.table, &table.first))
            (cell_by_cell(&read.cells, &table.table))
        }
        @if read.tables.is_empty() { p { "No record gives a row." } }
    }
}

fn first_rows(table: &str, rows: &[Vec<(String, String)>]) -> Markup {
    let heads: Vec<&str> = rows
        .first()
        .map(|row| row.iter().map(|(column, _)| column.as_str()).collect())
        .unwrap_or_default();
    let aside = |head: &str| head.ends_with("_offset_minutes") || head == ATTRIBUTES;
    let kept_beside = heads.contains(&ATTRIBUTES);
    let shown: Vec<&str> = heads.into_iter().filter(|head| !aside(head)).collect();
    if shown.is_empty() {
        return html! {};
    }
    html! {
        div.across role="region" tabindex="0" aria-label={ "First rows of " (table) } {
            table.compact {
                caption { "First rows, as they would be kept" }
                thead { tr { @for head in &shown { th scope="col" { (piece::name(head)) } } } }
                tbody {
                    @for row in rows {
                        tr { @for head in &shown { td { (piece::name(&in_a_row(value(row, head)))) } } }
                    }
                }
            }
        }
        @if kept_beside { p.quiet { "What no column takes is kept beside each row, in its attributes." } }
    }
}

fn value<'r>(row: &'r [(String, String)], column: &str) -> &'r str {
    row.iter().find(|(name, _)| name == column).map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// The first records, each value beside the cell that it comes from.
fn cell_by_cell(cells: &[ReadCell], table: &str) -> Markup {
    let refused: BTreeSet<u32> =
        cells.iter().filter(|cell| cell.refused.is_some()).map(|cell| cell.record).collect();
    let own = cells.iter().filter(|c| c.table == table && !refused.contains(&c.record));
    let own = own.filter(|cell| cell.column != ATTRIBUTES);
    let own: Vec<&ReadCell> = own.filter(|cell| cell.value.is_some()).collect();
    let mut rows: Vec<(u32, i16)> = own.iter().map(|cell| (cell.record, cell.item)).collect();
    rows.dedup();
    rows.truncate(ROWS_SHOWN);
    let heads = [
        ("Column", Set::Text),
        ("As kept", Set::Wide),
        ("From", Set::Text),
        ("As written", Set::Wide),
    ];
    html! {
        @if !rows.is_empty() {
            details {
                summary { "Where each value comes from" }
                @for (record, item) in rows {
                    @let of = own.iter().filter(|cell| (cell.record, cell.item) == (record, item));
                    (piece::table(html! { "Record " (record) }, &heads, of.map(|cell| vec![
                        piece::name(&cell.column),
                        piece::name(&shortened(cell.value.as_deref().unwrap_or_default())),
                        html! { @for (n, from) in cell.from.iter().enumerate() { @if n > 0 { ", " } (origin(from)) }
                            @if cell.from.is_empty() { span.quiet { "the same in every row" } } },
                        html! { @for (n, from) in cell.from.iter().enumerate() { @if n > 0 { ", " } (written(from)) } },
                    ]).collect()))
                }
            }
        }
    }
}

fn origin(from: &FromCell) -> Markup {
    html! { @if let Some(cell) = &from.cell { (piece::name(cell)) " " } (piece::name(&from.column)) }
}

fn written(from: &FromCell) -> Markup {
    match (&from.written, from.personal) {
        (Some(text), _) => piece::name(&shortened(text)),
        (None, true) => html! { span.quiet { "id of a person" } },
        (None, false) => html! { span.quiet { "empty" } },
    }
}

/// Every kind of record that is set aside, the cells in their place.
pub fn rejections(vocabulary: &Vocabulary, tried: &Tried) -> Markup {
    let kinds = &tried.trial.read.rejections;
    html! {
        @for kind in kinds.iter().take(KINDS_SHOWN) { (rejection(vocabulary, tried, kind)) }
        @if kinds.len() > KINDS_SHOWN {
            p { "And " (counted((kinds.len() - KINDS_SHOWN) as u64, "further kind")) "." }
        }
    }
}

fn rejection(vocabulary: &Vocabulary, tried: &Tried, kind: &RejectionKind) -> Markup {
    // A filter of the mapping looks at a column of the source.
    let of_table = |column: &String| {
        vocabulary.table(&kind.table).is_some_and(|table| table.column(column).is_some())
    };
    let place = match (&kind.column, kind.table.as_str()) {
        (Some(column), table) if of_table(column) => format!("`{table}.{column}`"),
        (Some(column), _) => format!("`{column}` of the file"),
        (None, "") => "the record as a whole".to_owned(),
        (None, table) => format!("`{table}`"),
    };
    let records: Vec<String> =
        kind.records.iter().map(|record| number(u64::from(*record))).collect();
    html! {
        section.kind {
            h3 { (counted(kind.count, "record")) ": " (piece::sentence(&place)) span.s.bad { " " (kind.code) } }
            p { (piece::sentence(&piece::capital(&crate::job::in_words_of_the_page(&kind.reason)))) "." }
            @if let Some(first) = kind.records.first() { (in_place(tried, kind, *first)) }
            @if kind.count > 1 { p.quiet { "First in records " (records.join(", ")) "." } }
        }
    }
}

/// A record between its neighbours, the cells marked that are not taken.
fn in_place(tried: &Tried, kind: &RejectionKind, record: u32) -> Markup {
    let excerpts = &tried.trial.excerpts;
    let around: Vec<&ExcerptRecord> = excerpts.around(record).collect();
    if around.is_empty() {
        return html! {};
    }
    let wrong = wrong_columns(&tried.trial.read.cells, kind, record);
    let wrong: Vec<usize> = wrong
        .iter()
        .filter_map(|name| excerpts.columns.iter().position(|column| column == name))
        .collect();
    let shown = shown_columns(excerpts.columns.len(), &wrong);
    let sheet = around.iter().any(|found| found.sheet.is_some());
    let label = format!("Record {record} and those around it");
    html! {
        div.across role="region" tabindex="0" aria-label=(label) {
            table.compact.cells {
                caption { "Record " (number(u64::from(record))) " and those around it" }
                thead { tr {
                    th.n scope="col" { "Record" }
                    th.n scope="col" { @if sheet { "Row of the sheet" } @else { "Line" } }
                    @for at in &shown { (head(excerpts.columns.get(*at))) }
                } }
                tbody {
                    @for found in around {
                        tr.this[found.record == record] {
                            th.n scope="row" { (number(u64::from(found.record))) }
                            td.n { @if let Some(sheet) = &found.sheet { (piece::name(sheet)) " " } (number(found.line)) }
                            @for at in &shown { (cell(found, *at, found.record == record && wrong.contains(at))) }
                        }
                    }
                }
            }
        }
        @if shown.len() < excerpts.columns.len() {
            p.quiet { (shown.len()) " of " (excerpts.columns.len()) " columns shown." }
        }
    }
}

fn head(name: Option<&String>) -> Markup {
    html! { th scope="col" { (piece::name(name.map(String::as_str).unwrap_or_default())) } }
}

fn cell(found: &ExcerptRecord, at: usize, wrong: bool) -> Markup {
    let content = match found.cells.get(at) {
        Some(ExcerptCell::Written(text)) => piece::name(&shortened(text)),
        Some(ExcerptCell::Personal) => html! { span.quiet { "id of a person" } },
        Some(ExcerptCell::LeftOut) => html! { span.quiet { "left out" } },
        Some(ExcerptCell::Empty) | None => html! { span.quiet { "empty" } },
    };
    html! { td { @if wrong { mark { (content) span.only-read { " (not taken)" } } } @else { (content) } } }
}

/// Columns of the source whose cells are not taken.
fn wrong_columns(cells: &[ReadCell], kind: &RejectionKind, record: u32) -> Vec<String> {
    let of = |cell: &&ReadCell| {
        let refused = cell.refused.as_ref().is_some_and(|refused| refused.code == kind.code);
        let here = cell.column.is_empty() || kind.column.as_deref() == Some(&cell.column);
        cell.record == record && refused && here
    };
    let from = cells.iter().filter(of).flat_map(|cell| &cell.from);
    let mut names: Vec<String> = from.map(|from| from.column.clone()).collect();
    // A filter of the mapping names the source's own column.
    names.extend(kind.column.clone().filter(|_| names.is_empty()));
    names
}

/// The first two columns, and those around the wrong ones.
fn shown_columns(all: usize, wrong: &[usize]) -> Vec<usize> {
    if all <= COLUMNS_SHOWN {
        return (0..all).collect();
    }
    let mut shown: BTreeSet<usize> = wrong.iter().copied().take(COLUMNS_SHOWN - 2).collect();
    shown.extend([0, 1]);
    for distance in 1..=AROUND {
        for at in wrong {
            for near in [at.checked_sub(distance), at.checked_add(distance)].into_iter().flatten() {
                if shown.len() < COLUMNS_SHOWN && near < all {
                    shown.insert(near);
                }
            }
        }
    }
    let mut rest = 2..all;
    while shown.len() < COLUMNS_SHOWN {
        let Some(next) = rest.next() else { break };
        shown.insert(next);
    }
    shown.into_iter().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn of_many_columns_those_around_the_wrong_cell_are_shown() {
        assert_eq!(shown_columns(4, &[3]), [0, 1, 2, 3]);
        assert_eq!(shown_columns(36, &[20]), [0, 1, 2, 3, 18, 19, 20, 21, 22].to_vec());
        let many: Vec<usize> = (10..30).collect();
        assert_eq!(shown_columns(36, &many).len(), COLUMNS_SHOWN);
    }

    #[test]
    fn bytes_are_said_as_people_say_them() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_250), "1.2 kB");
        assert_eq!(size(4_294_967_296), "4.2 GB");
    }
}
