//! Reader of Apache Parquet: one record a row, fields of structures as dotted paths. Values come as
//! text without loss: decimals with their places, timestamps in ISO 8601, in UTC if the file says that
//! they are. The bytes lie in a temporary file while they are read, a thousand rows are in memory.

use std::{
    cell::Cell,
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use ::parquet::{
    arrow::arrow_reader::{
        ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    },
    basic::Compression,
};
use arrow::{
    array::{Array, ArrayRef, AsArray as _, RecordBatch},
    datatypes::{
        DataType, Field, Fields, Float16Type, Float32Type, Float64Type, TimeUnit,
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType,
    },
    util::display::{ArrayFormatter, DurationFormat, FormatOptions},
};

use super::{
    bytes::{Limits, SourceBytes, size},
    error::ReadError,
    path,
    record::{Cells, ColumnSet, RawRecord},
};
use crate::{
    mapping::plan::{ColumnPlan, Expr, Plan, Source},
    quarantine::code,
    vocabulary::ColumnType,
};

/// Rows decoded at a time.
const BATCH_ROWS: usize = 1_024;
/// Most columns of a file.
const COLUMNS_MAX: usize = 16_384;

/// One column of the file: where it is and what it holds.
struct Leaf {
    /// Position in the schema, then within each structure.
    steps: Vec<usize>,
    kind: Kind,
    /// Type as the file names it.
    found: String,
}

/// What a column holds, as far as the vocabulary is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Bytes,
    Whole,
    Float,
    Decimal,
    Boolean,
    Date,
    Time,
    Timestamp,
    Length,
    List,
    Map,
    Other,
}

/// Reader of one file.
pub(crate) struct ParquetReader {
    batches: ParquetRecordBatchReader,
    columns: ColumnSet,
    leaves: Vec<Leaf>,
    /// Arrays of the rows at hand, one for each leaf.
    arrays: Vec<ArrayRef>,
    row: usize,
    rows: usize,
    records: u64,
    /// Text handed out, to bound what a few bytes unfold to.
    unfolded: u64,
    file_bytes: u64,
    limits: Limits,
    pub(crate) stored: Rc<Cell<u64>>,
    pub(crate) gzip: bool,
}

fn damaged() -> ReadError {
    ReadError::Format {
        message: "the Parquet file is damaged, cut off or encrypted: fetch it again".to_owned(),
    }
}

/// Runs the decoder. What makes it panic is a file that is damaged in a way it does not foresee,
/// and no reason to end.
fn decoded<T, E>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, ReadError> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(value)) => Ok(value),
        _ => Err(damaged()),
    }
}

impl ParquetReader {
    pub(crate) fn open(mut bytes: SourceBytes<'_>) -> Result<Self, ReadError> {
        let (file, file_bytes) = bytes.spool()?;
        let limits = bytes.limits;
        // Types go by Parquet's own schema: another one that a writer left behind is not needed.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = decoded(|| {
            ParquetRecordBatchReaderBuilder::<File>::try_new_with_options(file, options)
        })?;
        for group in builder.metadata().row_groups() {
            let inflated = group.columns().iter().map(|column| column.uncompressed_size());
            let inflated = inflated.map(|size| u64::try_from(size).unwrap_or(u64::MAX));
            let inflated = inflated.fold(0_u64, u64::saturating_add);
            limits.check(inflated, file_bytes)?;
            let foreign = group.columns().iter().find(|column| !is_read(column.compression()));
            if let Some(column) = foreign {
                return Err(ReadError::Format {
                    message: format!(
                        "column `{}` is compressed in a way that is not read: have the file \
                         written with Snappy, Zstandard, gzip or LZ4, or without compression",
                        column.column_path().string()
                    ),
                });
            }
        }
        let schema = builder.schema().clone();
        let (mut leaves, mut columns) =
            (Vec::new(), ColumnSet::of(Cells { native: true, ..Cells::default() }));
        collect(schema.fields(), &mut Vec::new(), &mut Vec::new(), &mut leaves, &mut columns)?;
        if leaves.len() > COLUMNS_MAX {
            let message = "it has more than 16,384 columns".to_owned();
            return Err(ReadError::Header { message });
        }
        let batches = decoded(|| builder.with_batch_size(BATCH_ROWS).build())?;
        Ok(Self {
            batches,
            columns,
            leaves,
            arrays: Vec::new(),
            row: 0,
            rows: 0,
            records: 0,
            unfolded: 0,
            file_bytes,
            limits,
            stored: Rc::clone(&bytes.stored),
            gzip: bytes.gzip,
        })
    }

    pub(crate) fn columns(&self) -> &ColumnSet {
        &self.columns
    }

    pub(crate) fn columns_mut(&mut self) -> &mut ColumnSet {
        &mut self.columns
    }

    /// Refuses a file whose columns hold something else than the tables expect of them.
    pub(crate) fn check_schema(&self, plan: &Plan) -> Result<(), ReadError> {
        for table in &plan.tables {
            for column in &table.columns {
                let Some((number, leaf)) = self.taken_as_it_is(column) else { continue };
                if !fits(leaf.kind, column) {
                    return Err(ReadError::plan(format!(
                        "column `{}`: {} is expected for `{}.{}`, and the file has {} ({}); have it \
                         exported as that",
                        self.columns.name(number),
                        expected(column.column.kind),
                        table.table.name,
                        column.column.name,
                        in_words(leaf.kind),
                        leaf.found,
                    )));
                }
            }
        }
        Ok(())
    }

    /// The column of the file that goes unchanged into one of a table.
    fn taken_as_it_is(&self, column: &ColumnPlan) -> Option<(usize, &Leaf)> {
        match column.expr {
            Some(Expr::From(Source::Cell(number)))
                if column.values.is_none() && column.transform.is_none() =>
            {
                self.leaves.get(number).map(|leaf| (number, leaf))
            }
            _ => None,
        }
    }

    /// Reads the next record; false at the end.
    pub(crate) fn next(&mut self, record: &mut RawRecord) -> Result<bool, ReadError> {
        record.clear();
        while self.row >= self.rows {
            let next = decoded(|| self.batches.next().transpose())?;
            let Some(batch) = next else { return Ok(false) };
            self.rows = batch.num_rows();
            self.row = 0;
            self.arrays =
                self.leaves.iter().filter_map(|leaf| array(&batch, &leaf.steps)).collect();
            if self.arrays.len() != self.leaves.len() {
                return Err(damaged());
            }
        }
        self.records += 1;
        record.number = u32::try_from(self.records).map_err(|_| ReadError::TooManyRecords)?;
        record.place.first_line = self.records;
        record.place.last_line = self.records;
        for (column, (leaf, values)) in self.leaves.iter().zip(&self.arrays).enumerate() {
            if values.is_null(self.row) {
                continue;
            }
            match text(leaf.kind, values.as_ref(), self.row) {
                Some(text) if record.text.len() + text.len() > self.limits.record_max => {
                    let most = size(self.limits.record_max as u64);
                    let reason = format!("the record is larger than {most}");
                    record.broken.get_or_insert((code::TOO_LARGE, reason));
                }
                Some(text) => record.set(column, &text),
                None => {
                    record.fault(column, code::BAD_TYPE, "the value is of a type that is not read")
                }
            }
        }
        self.row += 1;
        self.unfolded += record.text.len() as u64;
        self.limits.check(self.unfolded, self.file_bytes)?;
        Ok(true)
    }
}

fn is_read(compression: Compression) -> bool {
    matches!(
        compression,
        Compression::UNCOMPRESSED
            | Compression::SNAPPY
            | Compression::GZIP(_)
            | Compression::LZ4
            | Compression::LZ4_RAW
            | Compression::ZSTD(_)
    )
}

/// Lists the columns, those within structures by their path.
fn collect(
    fields: &Fields,
    steps: &mut Vec<usize>,
    keys: &mut Vec<String>,
    leaves: &mut Vec<Leaf>,
    columns: &mut ColumnSet,
) -> Result<(), ReadError> {
    for (at, field) in fields.iter().enumerate() {
        steps.push(at);
        keys.push(field.name().clone());
        match field.data_type() {
            DataType::Struct(inner) if keys.len() < 32 => {
                collect(inner, steps, keys, leaves, columns)?;
            }
            kind => {
                let name = path::joined(keys.iter().map(String::as_str));
                if columns.number(&name).is_some() {
                    let message = format!("it names `{name}` twice: rename one");
                    return Err(ReadError::Header { message });
                }
                columns.intern(&name);
                let (kind, found) = (kind_of(kind), kind.to_string());
                leaves.push(Leaf { steps: steps.clone(), kind, found });
            }
        }
        keys.pop();
        steps.pop();
    }
    Ok(())
}

fn kind_of(kind: &DataType) -> Kind {
    let is_plain = |field: &Field| {
        !matches!(kind_of(field.data_type()), Kind::List | Kind::Map | Kind::Other | Kind::Bytes)
    };
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Kind::Bytes,
        whole if whole.is_integer() => Kind::Whole,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Float,
        decimal if decimal.is_decimal() => Kind::Decimal,
        DataType::Boolean => Kind::Boolean,
        DataType::Date32 | DataType::Date64 => Kind::Date,
        DataType::Time32(_) | DataType::Time64(_) => Kind::Time,
        DataType::Timestamp(..) => Kind::Timestamp,
        DataType::Duration(_) => Kind::Length,
        DataType::List(field) | DataType::LargeList(field) if is_plain(field) => Kind::List,
        DataType::Map(..) => Kind::Map,
        _ => Kind::Other,
    }
}

/// The array at a path of steps.
fn array(batch: &RecordBatch, steps: &[usize]) -> Option<ArrayRef> {
    let (first, inner) = steps.split_first()?;
    let mut at = batch.columns().get(*first)?.clone();
    for step in inner {
        let next = at.as_struct_opt()?.columns().get(*step)?.clone();
        at = next;
    }
    Some(at)
}

/// A value as text; none when its type is not read.
fn text(kind: Kind, values: &dyn Array, row: usize) -> Option<String> {
    match kind {
        Kind::Float => Some(match values.data_type() {
            DataType::Float16 => values.as_primitive::<Float16Type>().value(row).to_string(),
            DataType::Float32 => values.as_primitive::<Float32Type>().value(row).to_string(),
            _ => values.as_primitive::<Float64Type>().value(row).to_string(),
        }),
        Kind::Timestamp => timestamp(values, row),
        Kind::Bytes => bytes(values, row).and_then(|bytes| String::from_utf8(bytes).ok()),
        Kind::List => {
            let members = match values.data_type() {
                DataType::LargeList(_) => values.as_list::<i64>().value(row),
                _ => values.as_list::<i32>().value(row),
            };
            let inner = kind_of(members.data_type());
            let there = (0..members.len()).filter(|at| members.is_valid(*at));
            let texts: Option<Vec<String>> =
                there.map(|at| text(inner, members.as_ref(), at)).collect();
            Some(texts?.join("|"))
        }
        Kind::Map => {
            let entries = values.as_map_opt()?.value(row);
            let (keys, members) = (entries.column(0), entries.column(1));
            let mut object = serde_json::Map::new();
            for at in (0..entries.len()).filter(|at| members.is_valid(*at)) {
                let key = formatted(keys.as_ref(), at)?;
                let value = text(kind_of(members.data_type()), members.as_ref(), at)?;
                object.insert(key, value.into());
            }
            serde_json::to_string(&object).ok()
        }
        Kind::Other => None,
        _ => formatted(values, row),
    }
}

/// An instant in UTC when the file says that it is one, else a civil time.
fn timestamp(values: &dyn Array, row: usize) -> Option<String> {
    let DataType::Timestamp(unit, zone) = values.data_type() else { return None };
    let (count, nanoseconds) = match unit {
        TimeUnit::Second => {
            (values.as_primitive::<TimestampSecondType>().value(row), 1_000_000_000)
        }
        TimeUnit::Millisecond => {
            (values.as_primitive::<TimestampMillisecondType>().value(row), 1_000_000)
        }
        TimeUnit::Microsecond => {
            (values.as_primitive::<TimestampMicrosecondType>().value(row), 1_000)
        }
        TimeUnit::Nanosecond => (values.as_primitive::<TimestampNanosecondType>().value(row), 1),
    };
    let at = jiff::Timestamp::from_nanosecond(i128::from(count) * nanoseconds).ok()?;
    Some(match zone {
        Some(_) => at.to_string(),
        None => jiff::tz::TimeZone::UTC.to_datetime(at).to_string(),
    })
}

fn bytes(values: &dyn Array, row: usize) -> Option<Vec<u8>> {
    Some(match values.data_type() {
        DataType::Binary => values.as_binary::<i32>().value(row).to_vec(),
        DataType::LargeBinary => values.as_binary::<i64>().value(row).to_vec(),
        _ => values.as_binary_view_opt()?.value(row).to_vec(),
    })
}

fn formatted(values: &dyn Array, row: usize) -> Option<String> {
    let options = FormatOptions::new()
        .with_display_error(false)
        .with_duration_format(DurationFormat::ISO8601);
    let formatter = ArrayFormatter::try_new(values, &options).ok()?;
    formatter.value(row).try_to_string().ok()
}

/// Whether values of the kind can be those of the column.
fn fits(kind: Kind, column: &ColumnPlan) -> bool {
    let scalar = matches!(
        kind,
        Kind::Text | Kind::Bytes | Kind::Whole | Kind::Float | Kind::Decimal | Kind::Boolean
    );
    let number = matches!(kind, Kind::Text | Kind::Whole | Kind::Float | Kind::Decimal);
    match column.column.kind {
        ColumnType::Text | ColumnType::Reference | ColumnType::Person => {
            scalar
                || (kind == Kind::List && column.column.list)
                || (kind == Kind::Date && !column.is_id)
        }
        ColumnType::Integer | ColumnType::Decimal | ColumnType::Money => number,
        ColumnType::Duration => matches!(kind, Kind::Text | Kind::Time | Kind::Length),
        ColumnType::Boolean => matches!(kind, Kind::Text | Kind::Boolean | Kind::Whole),
        ColumnType::Date => matches!(kind, Kind::Text | Kind::Date | Kind::Timestamp),
        ColumnType::Instant => matches!(kind, Kind::Text | Kind::Timestamp),
        ColumnType::Country
        | ColumnType::Currency
        | ColumnType::LanguageLevel
        | ColumnType::Enumeration => matches!(kind, Kind::Text | Kind::Bytes),
        ColumnType::Attributes => matches!(kind, Kind::Text | Kind::Map),
    }
}

fn expected(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text | ColumnType::Reference | ColumnType::Person => "a text",
        ColumnType::Integer | ColumnType::Decimal => "a number",
        ColumnType::Money => "an amount",
        ColumnType::Duration => "a duration",
        ColumnType::Boolean => "a truth value",
        ColumnType::Date => "a date",
        ColumnType::Instant => "a timestamp",
        ColumnType::Attributes => "a map of texts",
        _ => "a code as text",
    }
}

fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "texts",
        Kind::Bytes => "bytes",
        Kind::Whole => "whole numbers",
        Kind::Float => "floating-point numbers",
        Kind::Decimal => "decimals",
        Kind::Boolean => "truth values",
        Kind::Date => "dates",
        Kind::Time => "times of day",
        Kind::Timestamp => "timestamps",
        Kind::Length => "durations",
        Kind::List => "lists",
        Kind::Map => "maps",
        Kind::Other => "values of a type that is not read",
    }
}
