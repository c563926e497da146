//! Opens a source: finds its format, its reader, and the table of a file without mapping. Never
//! types anything.

use std::{collections::BTreeSet, io::Read};

pub(crate) use super::xlsx::CellNames;
use super::{
    SourceInfo,
    bytes::{Limits, SourceBytes},
    calendar::CalendarReader,
    delimited::DelimitedReader,
    error::ReadError,
    json::JsonReader,
    parquet::ParquetReader,
    record::{ColumnSet, RawRecord},
    text::SourceText,
    xes::XesReader,
    xlsx::XlsxReader,
};
use crate::{
    mapping::{
        Definition, SourceFormat,
        plan::{Plan, table_names, with_nearest},
        wildcard::nearest,
    },
    options::{ImportOptions, TextEncoding},
    vocabulary::{ColumnType, Table, Vocabulary},
};

/// A reader of any format.
pub(crate) enum SourceReader<'a> {
    Delimited(Box<DelimitedReader<'a>>),
    Xes(Box<XesReader<'a>>),
    Json(Box<JsonReader<'a>>),
    Xlsx(Box<XlsxReader>),
    Parquet(Box<ParquetReader>),
    Calendar(Box<CalendarReader<'a>>),
}

impl<'a> SourceReader<'a> {
    /// Opens the source as the mapping says, or as its first bytes say.
    pub(crate) fn open(
        source: &'a mut dyn Read,
        options: &ImportOptions,
        limits: Limits,
        locating: bool,
    ) -> Result<Self, ReadError> {
        let definition = options.mapping.as_ref().map(crate::Mapping::definition);
        let declared = options.encoding.or(definition.and_then(|definition| definition.encoding));
        let bytes = SourceBytes::open(source, limits)?;
        let said = definition.map(|definition| definition.format);
        if bytes.head().starts_with(b"PK\x03\x04") {
            fits(definition, SourceFormat::Xlsx)?;
            return Ok(Self::Xlsx(Box::new(XlsxReader::open(bytes, definition)?)));
        }
        if bytes.head().starts_with(b"PAR1") {
            fits(definition, SourceFormat::Parquet)?;
            return Ok(Self::Parquet(Box::new(ParquetReader::open(bytes)?)));
        }
        let mut text = SourceText::of(bytes, declared)?;
        let head = text.peek(256).map_err(|error| ReadError::from_io(error, 0))?;
        if head.len() < 256 && head.trim_ascii().is_empty() {
            return Err(ReadError::Empty);
        }
        let found = sniff(head, said);
        fits(definition, found)?;
        match found {
            SourceFormat::Xes if definition.is_none() => Err(ReadError::Format {
                message: "this is XML: if it is an XES event log, add `--mapping xes`".to_owned(),
            }),
            SourceFormat::Xes => Ok(Self::Xes(Box::new(XesReader::open(text, locating)))),
            SourceFormat::JsonLines => {
                let reader = JsonReader::open(text, limits.record_max, locating)?;
                Ok(Self::Json(Box::new(reader)))
            }
            SourceFormat::Icalendar if definition.is_none() => Err(ReadError::Format {
                message: "this is an iCalendar file: if it holds holidays, add \
                          `--mapping icalendar-holidays`"
                    .to_owned(),
            }),
            SourceFormat::Icalendar => {
                let max = limits.record_max;
                let reader = CalendarReader::open(text, options, definition, max, locating)?;
                Ok(Self::Calendar(Box::new(reader)))
            }
            SourceFormat::Delimited | SourceFormat::Xlsx | SourceFormat::Parquet => {
                let said = definition.and_then(|definition| definition.delimiter);
                let delimiter = options.delimiter.or(said);
                let reader = DelimitedReader::open(text, delimiter, locating)?;
                Ok(Self::Delimited(Box::new(reader)))
            }
        }
    }

    pub(crate) fn next(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        match self {
            Self::Delimited(reader) => reader.next(record),
            Self::Xes(reader) => reader.next(record),
            Self::Json(reader) => reader.next(record),
            Self::Xlsx(reader) => reader.next(record),
            Self::Parquet(reader) => reader.next(record),
            Self::Calendar(reader) => reader.next(record),
        }
    }

    pub(crate) fn columns(&self) -> &ColumnSet {
        match self {
            Self::Delimited(reader) => reader.columns(),
            Self::Xes(reader) => reader.columns(),
            Self::Json(reader) => reader.columns(),
            Self::Xlsx(reader) => reader.columns(),
            Self::Parquet(reader) => reader.columns(),
            Self::Calendar(reader) => reader.columns(),
        }
    }

    fn columns_mut(&mut self) -> &mut ColumnSet {
        match self {
            Self::Delimited(reader) => reader.columns_mut(),
            Self::Xes(reader) => reader.columns_mut(),
            Self::Json(reader) => reader.columns_mut(),
            Self::Xlsx(reader) => reader.columns_mut(),
            Self::Parquet(reader) => reader.columns_mut(),
            Self::Calendar(reader) => reader.columns_mut(),
        }
    }

    fn text(&self) -> Option<&SourceText<'a>> {
        match self {
            Self::Delimited(reader) => Some(reader.source()),
            Self::Xes(reader) => Some(reader.source()),
            Self::Json(reader) => Some(reader.source()),
            Self::Calendar(reader) => Some(reader.source()),
            Self::Xlsx(_) | Self::Parquet(_) => None,
        }
    }

    pub(crate) fn encoding(&self) -> TextEncoding {
        self.text().map_or(TextEncoding::Utf8, SourceText::encoding)
    }

    pub(crate) fn is_gzip(&self) -> bool {
        match self {
            Self::Xlsx(reader) => reader.gzip,
            Self::Parquet(reader) => reader.gzip,
            _ => self.text().is_some_and(SourceText::is_gzip),
        }
    }

    /// Bytes of the source, as stored, that were read so far.
    pub(crate) fn stored_bytes(&self) -> u64 {
        match self {
            Self::Xlsx(reader) => reader.stored.get(),
            Self::Parquet(reader) => reader.stored.get(),
            _ => self.text().map_or(0, SourceText::stored_bytes),
        }
    }

    pub(crate) fn delimiter(&self) -> Option<char> {
        match self {
            Self::Delimited(reader) => Some(reader.delimiter()),
            _ => None,
        }
    }

    /// What a user should know of the source itself.
    pub(crate) fn hints(&self) -> Vec<String> {
        match self {
            Self::Xes(reader) if reader.empty_traces() > 0 => {
                vec![format!("{} traces hold no event", reader.empty_traces())]
            }
            Self::Xlsx(reader) => reader.hints(),
            _ => Vec::new(),
        }
    }

    /// What the cells of its records are called; nothing but in a workbook.
    pub(crate) fn cell_names(&self) -> CellNames {
        match self {
            Self::Xlsx(reader) => reader.cell_names(),
            _ => CellNames::default(),
        }
    }

    /// Whether records may bring columns that are not known beforehand.
    fn is_open_ended(&self) -> bool {
        matches!(self, Self::Xes(_) | Self::Json(_) | Self::Calendar(_))
    }

    /// The plan for this source, and the table when there is no mapping.
    pub(crate) fn plan(
        &mut self,
        info: &SourceInfo,
        vocabulary: &Vocabulary,
        options: &ImportOptions,
    ) -> Result<(Plan, Option<String>), ReadError> {
        let fixed = !self.is_open_ended();
        if let Some(mapping) = &options.mapping {
            if options.as_table.is_some() {
                return Err(ReadError::plan("write `--mapping` or `--as`, not both"));
            }
            let definition = mapping.definition();
            if let Self::Xlsx(reader) = self {
                // Every sheet must have what the mapping needs, not only all of them together.
                for (sheet, mut columns) in reader.heads() {
                    Plan::of_mapping(definition, vocabulary, options, &mut columns, true)
                        .map_err(|error| ReadError::plan(format!("sheet `{sheet}`: {error}")))?;
                }
            }
            let plan =
                Plan::of_mapping(definition, vocabulary, options, self.columns_mut(), fixed)?;
            self.check_schema(&plan)?;
            return Ok((plan, None));
        }
        if let Self::Json(reader) = self {
            reader.look_ahead(whole_fields(vocabulary))?;
        }
        let table = find_table(info, self.columns(), vocabulary, options)?;
        let plan = Plan::of_vocabulary(table, vocabulary, options, self.columns_mut(), fixed)?;
        self.check_schema(&plan)?;
        Ok((plan, Some(table.name.clone())))
    }

    fn check_schema(&self, plan: &Plan) -> Result<(), ReadError> {
        match self {
            Self::Parquet(reader) => reader.check_schema(plan),
            _ => Ok(()),
        }
    }

    /// What is to be said of the names of columns once all are known.
    pub(crate) fn check_names(
        &self,
        plan: &Plan,
        options: &ImportOptions,
    ) -> Result<(), ReadError> {
        if !self.is_open_ended() {
            return Ok(());
        }
        match &options.mapping {
            Some(mapping) => near_misses(mapping.definition(), self.columns()),
            None => plan.refuse_unknown(self.columns()),
        }
    }
}

/// Refuses a file of another format than the mapping is for.
fn fits(definition: Option<&Definition>, found: SourceFormat) -> Result<(), ReadError> {
    let Some(definition) = definition.filter(|definition| definition.format != found) else {
        return Ok(());
    };
    let looks = match found {
        SourceFormat::Delimited => "is none".to_owned(),
        found => format!("looks like {}", found.in_words()),
    };
    Err(ReadError::Format {
        message: format!(
            "the mapping `{}` is for {}, and this {looks}",
            definition.mapping,
            definition.format.in_words(),
        ),
    })
}

/// The format that the first bytes speak for. Text that speaks for none is delimited, and so is
/// text that a mapping says is.
fn sniff(head: &[u8], said: Option<SourceFormat>) -> SourceFormat {
    let head = head.trim_ascii_start();
    let begins = head.get(..6).is_some_and(|head| head.eq_ignore_ascii_case(b"BEGIN:"));
    match head.first() {
        Some(b'<') => SourceFormat::Xes,
        _ if begins && said != Some(SourceFormat::Delimited) => SourceFormat::Icalendar,
        Some(b'{' | b'[') if said != Some(SourceFormat::Delimited) => SourceFormat::JsonLines,
        _ => SourceFormat::Delimited,
    }
}

/// Columns of attributes: in a file that speaks the vocabulary they hold one JSON object.
fn whole_fields(vocabulary: &Vocabulary) -> Vec<String> {
    let columns = vocabulary.tables().flat_map(|table| &table.columns);
    let attributes = columns.filter(|column| column.kind == ColumnType::Attributes);
    attributes.map(|column| column.name.clone()).collect()
}

/// Refuses a name in `[people]` that no record has although one has nearly it: real ids would then
/// have been kept in clear.
fn near_misses(definition: &Definition, columns: &ColumnSet) -> Result<(), ReadError> {
    let people: BTreeSet<_> =
        definition.people.keys().map(|name| columns.canonical(name).into_owned()).collect();
    let others = || {
        let names = columns.seen_names();
        names.filter(|name| !people.contains(*name) && !definition.drop.iter().any(|d| d == name))
    };
    let seen: BTreeSet<&str> = columns.seen_names().collect();
    for name in people.iter().filter(|name| !seen.contains(name.as_str())) {
        if let Some(near) = nearest(name, others()) {
            return Err(ReadError::plan(format!(
                "the mapping `{}` names `{name}` in `[people]`, which no record has, but `{near}` \
                 stands in them: correct the name, or drop the column; what stands under another \
                 name would be kept in clear",
                definition.mapping
            )));
        }
    }
    Ok(())
}

/// The table that a file without mapping is: as said, else by its name when the header fits, else
/// the only one that the header fits.
fn find_table<'v>(
    info: &SourceInfo,
    columns: &ColumnSet,
    vocabulary: &'v Vocabulary,
    options: &ImportOptions,
) -> Result<&'v Table, ReadError> {
    let names = || vocabulary.tables().map(|table| table.name.as_str());
    if let Some(name) = &options.as_table {
        return vocabulary.table(name).ok_or_else(|| {
            ReadError::plan(format!("--as: there is no table {}", with_nearest(name, names())))
        });
    }
    let fits = |table: &Table| {
        Plan::of_vocabulary(table, vocabulary, options, &mut columns.clone(), true).is_ok()
    };
    let named = named_table(&info.file_name, vocabulary);
    if let Some(table) = named.filter(|table| fits(table)) {
        return Ok(table);
    }
    let fitting: Vec<&Table> = vocabulary.tables().filter(|table| fits(table)).collect();
    match (fitting.as_slice(), named) {
        ([table], _) => Ok(table),
        // Its own errors are the ones that help.
        ([], Some(table)) => Ok(table),
        ([], None) => {
            let shared = |table: &&Table| {
                table_names(table).filter(|name| columns.number(name).is_some()).count()
            };
            let near = vocabulary.tables().max_by_key(|table| shared(table));
            let near = near.filter(|table| shared(table) >= 2).map(|table| {
                format!(
                    "; the nearest is `{}`: `--as {}` says what is wrong",
                    table.name, table.name
                )
            });
            Err(ReadError::plan(format!(
                "the header is that of no table of the vocabulary: name a mapping with \
                 `--mapping`, or the table with `--as`{}",
                near.unwrap_or_default()
            )))
        }
        (several, _) => {
            let names: Vec<String> =
                several.iter().map(|table| format!("`{}`", table.name)).collect();
            Err(ReadError::plan(format!(
                "the header fits the tables {}: say which with `--as`",
                names.join(", ")
            )))
        }
    }
}

/// The table whose name begins the file's name, the longest one first.
fn named_table<'v>(file_name: &str, vocabulary: &'v Vocabulary) -> Option<&'v Table> {
    let lower = file_name.to_lowercase();
    let begins = |table: &&Table| {
        lower.strip_prefix(table.name.as_str()).is_some_and(|rest| {
            !rest.starts_with(|symbol: char| symbol.is_ascii_alphabetic() || symbol == '_')
                || rest.starts_with("_20")
        })
    };
    vocabulary.tables().filter(begins).max_by_key(|table| table.name.len())
}
