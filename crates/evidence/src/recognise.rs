//! What a source is, from its head alone: its layout, and which mappings have all that they need in it.
//! Reads a bounded number of records; types nothing and decides nothing about a value.

use std::{
    collections::BTreeSet,
    io::{self, Read},
};

use crate::{
    mapping::{Mapping, SourceFormat},
    options::{ImportOptions, TextEncoding},
    read::{Limits, ReadError, SourceInfo, record::RawRecord, source::SourceReader},
    vocabulary::Vocabulary,
};

/// Records looked at of a source whose columns are not known from its head.
const RECORDS: usize = 200;
/// Share of a mapping's names, in hundredths, that such a source must have.
const LEAST_SEEN: usize = 60;
/// Stands for an arrangement that is said at the import.
const ANY_ARRANGEMENT: &str = "any";

/// What a source shows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Format.
    pub format: SourceFormat,
    /// Encoding of its text.
    pub encoding: TextEncoding,
    /// Delimiter, for lines of cells.
    pub delimiter: Option<char>,
    /// Whether its bytes are compressed.
    pub gzip: bool,
}

/// What reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// Its own columns are those of this table.
    Table(String),
    /// The mapping of this place in the list that was given, which finds so many columns.
    Mapping {
        /// Place in the list.
        place: usize,
        /// Columns of the source that it uses.
        columns: usize,
    },
}

/// What reads a source: its own table first, then the mapping that finds most columns, those named
/// earlier first among equals. An empty list: nothing does.
///
/// `open` gives the source from its beginning each time it is asked.
///
/// # Errors
/// When the source can be read in no format, or the bytes give out.
pub fn recognise(
    info: &SourceInfo,
    vocabulary: &Vocabulary,
    options: &ImportOptions,
    mappings: &[&Mapping],
    open: &mut dyn FnMut() -> io::Result<Box<dyn Read>>,
) -> Result<Vec<Fit>, ReadError> {
    let unread = |source| ReadError::Io { records: 0, source };
    let mut fits = Vec::new();
    let plain = ImportOptions { mapping: None, ..options.clone() };
    let mut failed = None;
    match table_of(info, vocabulary, &plain, &mut *open().map_err(unread)?) {
        Ok(table) => fits.push(Fit::Table(table)),
        // The head is that of no table, or the format needs a mapping: one may read it.
        Err(ReadError::Plan { .. } | ReadError::Format { .. }) => {}
        Err(other) => failed = Some(other),
    }
    let mut found = Vec::new();
    for (place, mapping) in mappings.iter().enumerate() {
        match columns_of(info, vocabulary, options, mapping, &mut *open().map_err(unread)?) {
            Ok(Some(columns)) => found.push((columns, place)),
            Ok(None) => {}
            Err(error @ ReadError::Io { .. }) => return Err(error),
            Err(_) => {}
        }
    }
    found.sort_by_key(|(columns, place)| (std::cmp::Reverse(*columns), *place));
    fits.extend(found.into_iter().map(|(columns, place)| Fit::Mapping { place, columns }));
    match failed {
        Some(error) if fits.is_empty() => Err(error),
        _ => Ok(fits),
    }
}

/// The layout of a source that is read in this way.
///
/// # Errors
/// As [`crate::read::read_source`].
pub fn layout(source: &mut dyn Read, options: &ImportOptions) -> Result<Layout, ReadError> {
    let reader = SourceReader::open(source, options, Limits::default(), false)?;
    let format = match &reader {
        SourceReader::Delimited(_) => SourceFormat::Delimited,
        SourceReader::Xes(_) => SourceFormat::Xes,
        SourceReader::Json(_) => SourceFormat::JsonLines,
        SourceReader::Xlsx(_) => SourceFormat::Xlsx,
        SourceReader::Parquet(_) => SourceFormat::Parquet,
        SourceReader::Calendar(_) => SourceFormat::Icalendar,
    };
    Ok(Layout {
        format,
        encoding: reader.encoding(),
        delimiter: reader.delimiter(),
        gzip: reader.is_gzip(),
    })
}

/// Whether a source has what its reading needs, as far as its head says.
///
/// # Errors
/// As [`crate::read::read_source`]: what is lacking.
pub fn check(
    source: &mut dyn Read,
    info: &SourceInfo,
    vocabulary: &Vocabulary,
    options: &ImportOptions,
) -> Result<(), ReadError> {
    let mut reader = SourceReader::open(source, options, Limits::default(), false)?;
    reader.plan(info, vocabulary, options).map(|_| ())
}

/// The table that the source's own columns are those of.
fn table_of(
    info: &SourceInfo,
    vocabulary: &Vocabulary,
    options: &ImportOptions,
    source: &mut dyn Read,
) -> Result<String, ReadError> {
    let mut reader = SourceReader::open(source, options, Limits::default(), false)?;
    let (_, table) = reader.plan(info, vocabulary, options)?;
    table.ok_or_else(|| ReadError::plan("the header is that of no table"))
}

/// How many columns of the source a mapping uses, when it finds all that it needs.
fn columns_of(
    info: &SourceInfo,
    vocabulary: &Vocabulary,
    options: &ImportOptions,
    mapping: &Mapping,
    source: &mut dyn Read,
) -> Result<Option<usize>, ReadError> {
    let mut with = ImportOptions {
        mapping: Some(mapping.clone()),
        as_table: None,
        zone: options.zone.clone().or_else(|| Some("Etc/UTC".to_owned())),
        ..options.clone()
    };
    let tables = mapping.definition().tables.iter();
    let mut tables = tables.filter_map(|rule| vocabulary.table(&rule.name));
    if tables.any(|table| table.column("arrangement_id").is_some())
        && !with.set.contains_key("arrangement_id")
    {
        with.set.insert("arrangement_id".to_owned(), ANY_ARRANGEMENT.to_owned());
    }
    let mut reader = SourceReader::open(source, &with, Limits::default(), false)?;
    let marked = matches!(reader, SourceReader::Xes(_) | SourceReader::Calendar(_));
    let open_ended = marked || matches!(reader, SourceReader::Json(_));
    let (plan, _) = reader.plan(info, vocabulary, &with)?;
    if !open_ended {
        return Ok(Some(plan.used.len()));
    }
    let mut record = RawRecord::default();
    for _ in 0..RECORDS {
        if !reader.next(&mut record)? {
            break;
        }
    }
    let seen: BTreeSet<&str> = reader.columns().seen_names().collect();
    let named = mapping.definition().source_names();
    let there = |name: &&String| seen.contains(reader.columns().canonical(name).as_ref());
    let found = named.iter().filter(there).count();
    // Formats of their own say by themselves what they are.
    Ok((marked || found * 100 >= named.len() * LEAST_SEEN).then_some(found))
}
