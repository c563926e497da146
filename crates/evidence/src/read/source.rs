//! Opens a source: finds its format, its reader, and the table of a file without mapping. Never
//! types anything.

use std::{cell::Cell, io::Read, rc::Rc};

use super::{
    SourceInfo,
    delimited::DelimitedReader,
    error::ReadError,
    record::{ColumnSet, RawRecord},
    text::SourceText,
    xes::XesReader,
};
use crate::{
    mapping::{
        SourceFormat,
        plan::{Plan, table_names, with_nearest},
    },
    options::{ImportOptions, TextEncoding},
    vocabulary::{Table, Vocabulary},
};

/// A reader of either format.
pub(crate) enum SourceReader<'a> {
    Delimited(Box<DelimitedReader<'a>>),
    Xes(Box<XesReader<'a>>),
}

impl<'a> SourceReader<'a> {
    /// Opens the source as the mapping says, or as a delimited file of the vocabulary.
    pub(crate) fn open(
        source: &'a mut dyn Read,
        options: &ImportOptions,
        locating: bool,
    ) -> Result<Self, ReadError> {
        let definition = options.mapping.as_ref().map(crate::Mapping::definition);
        let declared = options.encoding.or(definition.and_then(|definition| definition.encoding));
        let mut text = SourceText::open(source, declared)?;
        let head = text.peek(256).map_err(|error| ReadError::from_io(error, 0))?;
        let looks_xml = head.trim_ascii_start().first() == Some(&b'<');
        let empty = head.len() < 256 && head.trim_ascii().is_empty();
        match definition {
            _ if empty => Err(ReadError::Empty),
            Some(definition) if definition.format == SourceFormat::Xes => {
                if !looks_xml {
                    return Err(ReadError::Format {
                        message: format!(
                            "the mapping `{}` is for XES event logs, and this is none",
                            definition.mapping
                        ),
                    });
                }
                Ok(Self::Xes(Box::new(XesReader::open(text, locating))))
            }
            _ if looks_xml => Err(ReadError::Format {
                message: "this is XML: if it is an XES event log, add `--mapping xes`".to_owned(),
            }),
            _ => {
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
        }
    }

    pub(crate) fn columns(&self) -> &ColumnSet {
        match self {
            Self::Delimited(reader) => reader.columns(),
            Self::Xes(reader) => reader.columns(),
        }
    }

    fn columns_mut(&mut self) -> &mut ColumnSet {
        match self {
            Self::Delimited(reader) => reader.columns_mut(),
            Self::Xes(reader) => reader.columns_mut(),
        }
    }

    fn text(&self) -> &SourceText<'a> {
        match self {
            Self::Delimited(reader) => reader.source(),
            Self::Xes(reader) => reader.source(),
        }
    }

    pub(crate) fn encoding(&self) -> TextEncoding {
        self.text().encoding()
    }

    pub(crate) fn is_gzip(&self) -> bool {
        self.text().is_gzip()
    }

    pub(crate) fn stored_bytes(&self) -> Rc<Cell<u64>> {
        self.text().stored_bytes()
    }

    pub(crate) fn delimiter(&self) -> Option<char> {
        match self {
            Self::Delimited(reader) => Some(reader.delimiter()),
            Self::Xes(_) => None,
        }
    }

    pub(crate) fn empty_traces(&self) -> u64 {
        match self {
            Self::Delimited(_) => 0,
            Self::Xes(reader) => reader.empty_traces(),
        }
    }

    /// The plan for this source, and the table when there is no mapping.
    pub(crate) fn plan(
        &mut self,
        info: &SourceInfo,
        vocabulary: &Vocabulary,
        options: &ImportOptions,
    ) -> Result<(Plan, Option<String>), ReadError> {
        let fixed = matches!(self, Self::Delimited(_));
        if let Some(mapping) = &options.mapping {
            if options.as_table.is_some() {
                return Err(ReadError::plan("write `--mapping` or `--as`, not both"));
            }
            let definition = mapping.definition();
            let plan =
                Plan::of_mapping(definition, vocabulary, options, self.columns_mut(), fixed)?;
            return Ok((plan, None));
        }
        let table = find_table(info, self.columns(), vocabulary, options)?;
        let plan = Plan::of_vocabulary(table, vocabulary, options, self.columns_mut())?;
        Ok((plan, Some(table.name.clone())))
    }
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
        Plan::of_vocabulary(table, vocabulary, options, &mut columns.clone()).is_ok()
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
