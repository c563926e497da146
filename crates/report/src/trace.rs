//! One record of the evidence, opened down to the lines of its file.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    figure,
    layout::{Cell, Grid, Look, Page, Set, Tone},
};

/// A reference, opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// `entry:record`.
    pub reference: String,
    /// Ledger entry of the import.
    pub entry: u64,
    /// When the import was recorded, microseconds UTC.
    pub recorded_at_us: i64,
    /// File as it was handed in; empty for a row that was entered by hand.
    pub file: String,
    /// SHA-256 of the file's bytes as handed in.
    pub file_digest: String,
    /// How many bytes that is.
    pub file_bytes: u64,
    /// Who imported it.
    pub actor: String,
    /// Entry of the reading that stands: the import, or the last time it was read again.
    pub read_by: u64,
    /// The place, unless the source was erased.
    #[serde(flatten)]
    pub place: Place,
}

/// Where the record stands, or why that can no longer be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum Place {
    /// The kept bytes were opened.
    Kept {
        /// 1-based record.
        record: u32,
        /// First physical line, 1-based, in the inflated text.
        first_line: u64,
        /// Last physical line.
        last_line: u64,
        /// Those lines, or the XES event, as they stand.
        text: String,
        /// Column of the source and raw value.
        cells: BTreeMap<String, String>,
    },
    /// Record 0: the file as a whole, which says that a fact no longer stands by not holding it.
    WholeFile,
    /// A row that was entered by hand.
    Entered {
        /// Table.
        table: String,
        /// Arrangement; empty for a shared table.
        arrangement_id: String,
        /// Values by physical column; persons as pseudonyms.
        values: BTreeMap<String, String>,
        /// It says that the fact no longer stands.
        deleted: bool,
        /// Ledger entry of the version that it changed.
        before: Option<u64>,
        /// Why; may be empty.
        reason: String,
        /// Ledger entry that took it away since.
        retracted_by: Option<u64>,
    },
    /// The key of the kept bytes was deleted.
    Erased {
        /// Ledger entry of the erasure.
        by_entry: u64,
        /// When, microseconds UTC.
        at_us: i64,
        /// Who.
        actor: String,
        /// Why.
        reason: String,
    },
}

/// File, place, the raw lines, the cells.
#[must_use]
pub fn text(trace: &Trace, look: Look) -> String {
    let mut page = Page::new(look);
    page.heading(&format!("Record {}", trace.reference));
    let mut facts = Grid::new(&[("", Set::Left), ("", Set::Flex)]);
    let mut fact = |name: &str, value: String| {
        facts.row(vec![Cell::toned(name, Tone::Quiet), value.into()]);
    };
    if !matches!(trace.place, Place::Entered { .. }) {
        fact("file", format!("{}, {}", trace.file, figure::bytes(trace.file_bytes)));
        fact("SHA-256", trace.file_digest.clone());
    }
    let recorded =
        figure::instant(trace.recorded_at_us - trace.recorded_at_us.rem_euclid(1_000_000));
    fact("ledger entry", format!("{}, recorded {recorded} by {}", trace.entry, trace.actor));
    if trace.read_by != trace.entry {
        fact("read again", format!("ledger entry {}", trace.read_by));
    }
    match &trace.place {
        Place::Kept { record, first_line, last_line, text, cells } => {
            let lines = if first_line == last_line {
                format!("line {first_line}")
            } else {
                format!("lines {first_line} to {last_line}")
            };
            fact("place", format!("record {record}, {lines} of the text"));
            page.grid(&facts);
            page.gap();
            page.paragraph(0, "as it stands in the file", Tone::Strong);
            for line in text.lines() {
                page.verbatim(2, line, Tone::Plain);
            }
            page.gap();
            page.paragraph(0, "cell by cell", Tone::Strong);
            let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]).indented(2);
            for (column, value) in cells {
                grid.row(vec![Cell::toned(column, Tone::Quiet), value.into()]);
            }
            page.grid(&grid);
        }
        Place::WholeFile => {
            page.grid(&facts);
            page.gap();
            let text = "Record 0 stands for the file as a whole: it was loaded as complete, and what \
                        it no longer holds no longer stands.";
            page.paragraph(0, text, Tone::Plain);
        }
        Place::Entered { table, arrangement_id, values, deleted, before, reason, retracted_by } => {
            let mut of = vec![table.as_str(), arrangement_id.as_str()];
            of.retain(|part| !part.is_empty());
            fact("entered by hand", of.join(", "));
            if let Some(before) = before {
                fact("in place of", format!("the version of ledger entry {before}"));
            }
            if !reason.is_empty() {
                fact("reason", reason.clone());
            }
            if let Some(by) = retracted_by {
                fact("retracted", format!("by ledger entry {by}"));
            }
            page.grid(&facts);
            page.gap();
            let title = if *deleted { "no longer stands" } else { "as it was entered" };
            page.paragraph(0, title, Tone::Strong);
            let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]).indented(2);
            for (column, value) in values {
                grid.row(vec![Cell::toned(column, Tone::Quiet), value.into()]);
            }
            page.grid(&grid);
        }
        Place::Erased { by_entry, at_us, actor, reason } => {
            page.grid(&facts);
            page.gap();
            let text = format!(
                "The source was erased by {actor} on {} (ledger entry {by_entry}): {reason}. Its digest \
                 still stands in the ledger; its lines can no longer be shown.",
                figure::instant(*at_us)
            );
            page.paragraph(0, &text, Tone::Unsure);
        }
    }
    page.finish()
}
