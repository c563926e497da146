//! One streaming pass from source bytes to typed rows. Owns the order of the steps and what is
//! counted; formats, mapping and typing are in their own files. Never keeps more than a few
//! batches in memory. Splitting into records, typing, and taking what was typed go on in a thread
//! each.

mod bytes;
mod calendar;
mod choice;
mod delimited;
mod error;
pub(crate) mod explain;
pub(crate) mod feed;
mod json;
mod keep;
mod parquet;
pub(crate) mod path;
pub(crate) mod people;
pub(crate) mod record;
mod rows;
pub(crate) mod source;
mod splitting;
mod stage;
mod text;
mod xes;
mod xlsx;

use std::{collections::BTreeSet, io::Read, sync::mpsc::sync_channel, thread};

use serde::{Deserialize, Serialize};

use backstay_privacy::PseudonymKey;

pub use bytes::Limits;
pub use error::ReadError;

use self::{
    feed::Reason,
    record::{ColumnSet, RawRecord},
    rows::{RowWriter, Seen},
    source::{CellNames, SourceReader},
    splitting::{Split, Splitter},
    stage::{Handed, Outlet, WAITING, take_all},
};
use crate::{
    mapping::plan::Plan,
    options::{ImportOptions, Load, TextEncoding},
    sink::{Progress, Rejection, Sink},
    vocabulary::Vocabulary,
};

/// What is known of a source beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceInfo {
    /// File name without folder, for messages and to find the table.
    pub file_name: String,
    /// Size in bytes as stored, for progress.
    pub bytes_total: Option<u64>,
}

/// A table and arrangement that the file spoke about, and how it is to be loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoadScope {
    /// Table.
    pub table: String,
    /// Arrangement; empty for a shared table.
    pub arrangement_id: String,
    /// Changes or the whole.
    pub load: Load,
}

/// What a pass found out about its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSummary {
    /// Records read, taken or not.
    pub records: u64,
    /// Records that were rejected (each counted once).
    pub rejected: u64,
    /// Records that were taken but gave no row, because a later record of the same group took
    /// their place. They are neither rejected nor among the rows handed out.
    pub superseded: u64,
    /// Table of a file without mapping.
    pub table: Option<String>,
    /// Source columns that some rule used.
    pub columns_used: Vec<String>,
    /// Source columns that no rule used.
    pub columns_unused: Vec<String>,
    /// Encoding that the text was read in.
    pub encoding: TextEncoding,
    /// Delimiter, for a delimited source.
    pub delimiter: Option<char>,
    /// Whether the bytes were compressed.
    pub gzip: bool,
    /// Date format that each column turned out to have, when there was a choice.
    pub date_formats: Vec<(String, String)>,
    /// Tables and arrangements spoken about, sorted. With `--set arrangement_id` also one that got
    /// no row.
    pub scopes: Vec<LoadScope>,
    /// What a user should know, in sentences without full stop.
    pub hints: Vec<String>,
}

/// Records between two reports of progress.
const PROGRESS_EVERY: u64 = 8_192;
/// Text of records held back until date formats are settled, at most.
const HELD_BYTES: usize = 32 << 20;

/// Reads a source once, from its first byte to its last.
///
/// Everything that `source` holds has been taken from it when this returns `Ok`, so that a caller
/// may hash or copy the bytes as they pass.
///
/// # Errors
/// See [`ReadError`]; what was handed out before is then void.
pub fn read_source(
    source: &mut (dyn Read + Send),
    info: &SourceInfo,
    vocabulary: &Vocabulary,
    options: &ImportOptions,
    key: &PseudonymKey,
    sink: &mut dyn Sink,
) -> Result<ReadSummary, ReadError> {
    read_source_within(source, info, vocabulary, options, key, sink, Limits::default())
}

/// As [`read_source`], with other limits than the product's own.
///
/// # Errors
/// See [`ReadError`].
pub fn read_source_within(
    source: &mut (dyn Read + Send),
    info: &SourceInfo,
    vocabulary: &Vocabulary,
    options: &ImportOptions,
    key: &PseudonymKey,
    sink: &mut dyn Sink,
    limits: Limits,
) -> Result<ReadSummary, ReadError> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let out = Outlet::new(sender, sink.wants_cells());
        let reading =
            scope.spawn(move || pass(source, info, vocabulary, options, key, out, limits));
        let taken = take_all(receiver, sink);
        match reading.join() {
            Ok(read) => taken.and(read),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Reads and types everything: splits the source into records here, and types them in a thread of
/// their own.
fn pass(
    source: &mut dyn Read,
    info: &SourceInfo,
    vocabulary: &Vocabulary,
    options: &ImportOptions,
    key: &PseudonymKey,
    out: Outlet,
    limits: Limits,
) -> Result<ReadSummary, ReadError> {
    let mut reader = SourceReader::open(source, options, limits, false)?;
    let (mut plan, table) = reader.plan(info, vocabulary, options)?;
    let (held, date_formats) = settle_dates(&mut reader, &mut plan)?;
    let pass = Pass {
        info,
        columns: reader.columns().clone(),
        names: reader.cell_names(),
        stored: 0,
        writer: RowWriter::new(&plan, key)?,
        out,
        records: 0,
        rejected: 0,
        reasons: Vec::new(),
    };
    let (mut splitter, splits) = Splitter::new(pass.columns.len());
    let (split, typed) = thread::scope(|scope| {
        let typing = scope.spawn(move || pass.take_all(splits));
        let split = splitter.split(held, &mut reader);
        drop(splitter);
        (split, typing.join())
    });
    // What went wrong with an earlier record is said first.
    let mut pass = typed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    split?;
    reader.check_names(&plan, options)?;
    let seen = pass.writer.finish(&mut pass.out)?;
    pass.stored = reader.stored_bytes();
    pass.report()?;
    let (records, rejected) = (pass.records, pass.rejected);
    drop(pass);
    Ok(summarise(&reader, &plan, options, Found { records, rejected, table, date_formats, seen }))
}

/// Records looked at before the first was typed, and the date formats found from them.
type LookedAhead = (Vec<RawRecord>, Vec<(String, String)>);

/// Looks ahead while some column's date format is open.
fn settle_dates(reader: &mut SourceReader<'_>, plan: &mut Plan) -> Result<LookedAhead, ReadError> {
    let mut held = Vec::new();
    if !choice::is_open(plan) {
        return Ok((held, Vec::new()));
    }
    let mut bytes = 0;
    while held.len() < choice::LOOKED_AT && bytes < HELD_BYTES {
        let mut record = RawRecord::default();
        if !reader.next(&mut record)? {
            break;
        }
        bytes += record.text.len();
        held.push(record);
    }
    let made = choice::settle(plan, &held, reader.columns())?;
    Ok((held, made))
}

/// The typing end of one pass.
struct Pass<'p> {
    info: &'p SourceInfo,
    /// All columns of the records taken so far.
    columns: ColumnSet,
    names: CellNames,
    /// Bytes of the source, as stored, that the records taken so far were made from.
    stored: u64,
    writer: RowWriter<'p>,
    out: Outlet,
    records: u64,
    rejected: u64,
    reasons: Vec<Reason>,
}

impl Pass<'_> {
    /// Takes records until there are no more.
    fn take_all(mut self, splits: splitting::Splits) -> Result<Self, ReadError> {
        for Split { records, columns, stored } in splits.iter() {
            self.columns.extend(columns);
            self.stored = stored;
            for record in records.as_slice() {
                self.take(record)?;
            }
            splits.give_back(records);
        }
        Ok(self)
    }

    fn take(&mut self, record: &RawRecord) -> Result<(), ReadError> {
        self.records += 1;
        self.reasons.clear();
        self.writer.take(record, &self.columns, &mut self.out, &mut self.reasons)?;
        if self.reasons.is_empty() && !self.out.asks_for_cells() {
            return self.progress();
        }
        let mut reasons = std::mem::take(&mut self.reasons);
        for Reason { rejection, from } in &mut reasons {
            rejection.cell = from.iter().find_map(|column| self.names.of(record, *column));
        }
        let rejections: Vec<Rejection> = reasons.drain(..).map(|reason| reason.rejection).collect();
        self.reasons = reasons;
        if self.out.wants_cells(record.number, &rejections) {
            let name = |column| self.names.of(record, column);
            let cells = self.writer.explain(record, &self.columns, &rejections, &name);
            self.out.say(Handed::Cells(cells))?;
        }
        if !rejections.is_empty() {
            self.rejected += 1;
            for rejection in rejections {
                self.out.say(Handed::Reject(rejection))?;
            }
        }
        self.progress()
    }

    /// Reports every few thousand records.
    fn progress(&mut self) -> Result<(), ReadError> {
        if self.records.is_multiple_of(PROGRESS_EVERY) { self.report() } else { Ok(()) }
    }

    fn report(&mut self) -> Result<(), ReadError> {
        let progress = Progress {
            bytes_read: self.stored,
            bytes_total: self.info.bytes_total,
            records: self.records,
        };
        self.out.say(Handed::Progress(progress))?;
        self.out.flush()
    }
}

/// What a pass has found out by itself.
struct Found {
    records: u64,
    rejected: u64,
    table: Option<String>,
    date_formats: Vec<(String, String)>,
    seen: Seen,
}

fn summarise(
    reader: &SourceReader<'_>,
    plan: &Plan,
    options: &ImportOptions,
    found: Found,
) -> ReadSummary {
    let columns = reader.columns();
    let (mut columns_used, mut columns_unused) = (Vec::new(), Vec::new());
    for name in columns.seen_names() {
        let used = columns.number(name).is_some_and(|number| plan.takes(number));
        if used { &mut columns_used } else { &mut columns_unused }.push(name.to_owned());
    }
    let mut scopes: BTreeSet<LoadScope> = found.seen.scopes;
    for table in &plan.tables {
        let arrangement_id = match (table.arrangement, options.set.get("arrangement_id")) {
            (None, _) => String::new(),
            (Some(_), Some(set)) => set.clone(),
            (Some(_), None) => continue,
        };
        scopes.insert(LoadScope {
            table: table.table.name.clone(),
            arrangement_id,
            load: table.load,
        });
    }
    let mut hints = Vec::new();
    let declared = options.mapping.as_ref().and_then(|mapping| mapping.definition().encoding);
    let said = options.encoding.or(declared);
    if reader.encoding() == TextEncoding::Latin1 && said.is_none() {
        hints.push("the text is not UTF-8 and was read as latin-1".to_owned());
    }
    if found.records == 0 {
        hints.push("the file has a header and no record".to_owned());
    }
    hints.extend(reader.hints());
    hints.extend(found.seen.hints);
    if !columns_unused.is_empty() {
        hints.push(format!("columns not taken: {}", columns_unused.join(", ")));
    }
    ReadSummary {
        records: found.records,
        rejected: found.rejected,
        superseded: found.records - found.rejected - found.seen.records_with_rows,
        table: found.table,
        columns_used,
        columns_unused,
        encoding: reader.encoding(),
        delimiter: reader.delimiter(),
        gzip: reader.is_gzip(),
        date_formats: found.date_formats,
        scopes: scopes.into_iter().collect(),
        hints,
    }
}
