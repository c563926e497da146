//! One typed row, and the growing columns that rows of one table and arrangement are put into.
//! Owns the way from typed cells to Arrow; never types a text.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayBuilder, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int16Array,
        Int16Builder, Int64Array, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
    },
    error::ArrowError,
};

use crate::{
    identity,
    quarantine::stored_rows,
    read::ReadError,
    schema::DECIMAL,
    sink::TypedBatch,
    vocabulary::{Column, ColumnType, Table},
};

/// One typed cell. Texts are ranges of the row's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Text(usize, usize),
    Integer(i64),
    Decimal(i128),
    Money { minor: i64, currency: (usize, usize) },
    Instant { us: i64, offset: i16 },
    Date(i32),
    Boolean(bool),
}

/// One typed row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) record: u32,
    pub(crate) item: i16,
    pub(crate) arrangement: String,
    pub(crate) cells: Vec<Cell>,
    pub(crate) arena: String,
}

impl Row {
    pub(crate) fn clear(&mut self) {
        self.arrangement.clear();
        self.cells.clear();
        self.arena.clear();
    }

    /// Puts a text into the arena.
    pub(crate) fn store(&mut self, text: &str) -> (usize, usize) {
        let start = self.arena.len();
        self.arena.push_str(text);
        (start, self.arena.len())
    }

    pub(crate) fn text(&self, (start, end): (usize, usize)) -> &str {
        self.arena.get(start..end).unwrap_or_default()
    }
}

/// Growing columns of one vocabulary column.
enum Growing {
    Text(StringBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder),
    Money(Int64Builder, StringBuilder),
    Instant(TimestampMicrosecondBuilder, Int16Builder),
    Date(Date32Builder),
    Boolean(BooleanBuilder),
}

impl Growing {
    fn new(column: &Column) -> Result<Self, ArrowError> {
        Ok(match column.kind {
            ColumnType::Integer | ColumnType::Duration => Self::Integer(Int64Builder::new()),
            ColumnType::Decimal => Self::Decimal(
                Decimal128Builder::new().with_precision_and_scale(DECIMAL.0, DECIMAL.1)?,
            ),
            ColumnType::Money => Self::Money(Int64Builder::new(), StringBuilder::new()),
            ColumnType::Instant => Self::Instant(
                TimestampMicrosecondBuilder::new().with_timezone("UTC"),
                Int16Builder::new(),
            ),
            ColumnType::Date => Self::Date(Date32Builder::new()),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            _ => Self::Text(StringBuilder::new()),
        })
    }

    fn push(&mut self, row: &Row, cell: Cell) {
        match (self, cell) {
            (Self::Text(to), Cell::Text(start, end)) => to.append_value(row.text((start, end))),
            (Self::Integer(to), Cell::Integer(value)) => to.append_value(value),
            (Self::Decimal(to), Cell::Decimal(value)) => to.append_value(value),
            (Self::Money(to, code), Cell::Money { minor, currency }) => {
                to.append_value(minor);
                code.append_value(row.text(currency));
            }
            (Self::Instant(to, minutes), Cell::Instant { us, offset }) => {
                to.append_value(us);
                minutes.append_value(offset);
            }
            (Self::Date(to), Cell::Date(value)) => to.append_value(value),
            (Self::Boolean(to), Cell::Boolean(value)) => to.append_value(value),
            // Typing gives each column the cell of its type, so only a missing value is left.
            (Self::Text(to), _) => to.append_null(),
            (Self::Integer(to), _) => to.append_null(),
            (Self::Decimal(to), _) => to.append_null(),
            (Self::Money(to, code), _) => {
                to.append_null();
                code.append_null();
            }
            (Self::Instant(to, minutes), _) => {
                to.append_null();
                minutes.append_null();
            }
            (Self::Date(to), _) => to.append_null(),
            (Self::Boolean(to), _) => to.append_null(),
        }
    }

    fn finish(&mut self, into: &mut Vec<ArrayRef>) {
        match self {
            Self::Text(from) => into.push(Arc::new(from.finish())),
            Self::Integer(from) => into.push(Arc::new(from.finish())),
            Self::Decimal(from) => into.push(Arc::new(from.finish())),
            Self::Money(from, code) => {
                into.push(Arc::new(from.finish()));
                into.push(Arc::new(code.finish()));
            }
            Self::Instant(from, minutes) => {
                into.push(Arc::new(from.finish()));
                into.push(Arc::new(minutes.finish()));
            }
            Self::Date(from) => into.push(Arc::new(from.finish())),
            Self::Boolean(from) => into.push(Arc::new(from.finish())),
        }
    }
}

/// Growing columns of one table and arrangement.
pub(crate) struct GrowingTable {
    table: Arc<Table>,
    columns: Vec<Growing>,
    records: Int64Builder,
    items: Int16Builder,
    text_bytes: usize,
}

impl GrowingTable {
    pub(crate) fn new(table: &Table) -> Result<Self, ArrowError> {
        let columns = table.columns.iter().map(Growing::new).collect::<Result<_, _>>()?;
        Ok(Self {
            table: Arc::new(table.clone()),
            columns,
            records: Int64Builder::new(),
            items: Int16Builder::new(),
            text_bytes: 0,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    pub(crate) fn push(&mut self, row: &Row) {
        for (column, cell) in self.columns.iter_mut().zip(&row.cells) {
            column.push(row, *cell);
        }
        self.records.append_value(i64::from(row.record));
        self.items.append_value(row.item);
        self.text_bytes += row.arena.len();
    }

    /// The rows so far; afterwards it is empty again.
    pub(crate) fn finish(&mut self, arrangement_id: &str) -> GrownRows {
        let mut values = Vec::new();
        for column in &mut self.columns {
            column.finish(&mut values);
        }
        self.text_bytes = 0;
        GrownRows {
            table: Arc::clone(&self.table),
            arrangement_id: arrangement_id.to_owned(),
            values,
            records: self.records.finish(),
            items: self.items.finish(),
        }
    }
}

/// Typed rows of one table and arrangement that are not hashed yet.
pub(crate) struct GrownRows {
    table: Arc<Table>,
    arrangement_id: String,
    values: Vec<ArrayRef>,
    records: Int64Array,
    items: Int16Array,
}

impl GrownRows {
    /// The rows with their identity and content.
    pub(crate) fn hashed(self) -> Result<TypedBatch, ReadError> {
        let table = self.table.as_ref();
        let rows = stored_rows(table, self.values, self.records, self.items)
            .map_err(|source| ReadError::Rows { table: table.name.clone(), source })?;
        Ok(TypedBatch {
            table: table.name.clone(),
            arrangement_id: self.arrangement_id,
            keys: identity::identity_keys(table, &rows),
            rows,
        })
    }
}
