//! Rows of `case_clock` as columns, only those asked for. Owns what stands in which column and which
//! rows are left out before they are built; texts are codes until somebody reads them.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, BooleanBuilder, DictionaryArray, Int32Builder, Int64Builder,
        RecordBatch, RecordBatchOptions, StringBuilder, TimestampMicrosecondBuilder,
    },
    compute::{cast, filter_record_batch},
    datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimestampMicrosecondType},
    error::ArrowError,
};

use super::{
    kernel::{Head, Segment},
    symbol::{NONE, Symbol, Symbols},
};
use crate::{
    derive::{
        array,
        case_clock::{COLUMNS, NAME},
    },
    error::EngineError,
};

/// Instants of `counted_at` that a question lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// First instant.
    pub from_us: i64,
    /// Last instant.
    pub to_us: i64,
    /// Whether rows without one pass.
    pub null: bool,
}

impl Counted {
    /// Any.
    pub(crate) const ALL: Self = Self { from_us: i64::MIN, to_us: i64::MAX, null: true };

    /// Whether an instant passes.
    #[inline]
    pub(crate) fn holds(self, counted_us: Option<i64>) -> bool {
        match counted_us {
            None => self.null,
            Some(us) => self.from_us <= us && us <= self.to_us,
        }
    }
}

/// Which rows and columns of `case_clock` are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Places of the columns, in the order wanted.
    pub columns: Vec<usize>,
    /// Only the last segment of each case and service level.
    pub only_last: bool,
    /// Each of these must be the metric.
    pub metrics: Vec<String>,
    /// Each of these must be the service level.
    pub levels: Vec<String>,
    /// Each of these must be the case.
    pub cases: Vec<String>,
    /// Rows outside need not be built.
    pub counted: Counted,
}

impl Ask {
    /// Every row, in these columns.
    pub(crate) fn all(columns: Vec<usize>) -> Self {
        Self {
            columns,
            only_last: false,
            metrics: Vec::new(),
            levels: Vec::new(),
            cases: Vec::new(),
            counted: Counted::ALL,
        }
    }

    pub(super) fn wants(&self, name: &str) -> bool {
        let named = |place: &usize| COLUMNS.get(*place).is_some_and(|(other, _)| *other == name);
        self.columns.iter().any(named)
    }
}

/// One row, before it is one.
pub(super) struct Row<'a> {
    pub level: Symbol,
    pub metric: Symbol,
    pub threshold_us: Option<i64>,
    pub terms_ref: i64,
    pub head: &'a Head,
    pub excluded: Symbol,
    pub refused: Symbol,
    pub gap: Symbol,
    pub incomplete: bool,
    pub segment: &'a Segment,
    pub number: usize,
    pub is_last: bool,
}

/// Words of the engine's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    arrangement: Symbol,
    runs: [Symbol; 4],
    outcomes: [Symbol; 5],
}

impl Words {
    pub(super) fn new(symbols: &Symbols, arrangement_id: &str) -> Self {
        use crate::derive::clock_word::{Outcome, Run};
        let run = |run: Run| symbols.number(run.as_str());
        let outcome = |outcome: Outcome| symbols.number(outcome.as_str());
        Self {
            arrangement: symbols.number(arrangement_id),
            runs: [run(Run::Running), run(Run::Paused), run(Run::Stopped), run(Run::Gap)],
            outcomes: [
                outcome(Outcome::Met),
                outcome(Outcome::Missed),
                outcome(Outcome::Open),
                outcome(Outcome::Overdue),
                outcome(Outcome::Gap),
            ],
        }
    }
}

/// Takes a value out of a row.
type Of<T> = fn(&Row<'_>, &Words) -> T;

enum Store {
    Word(Of<Symbol>, Int32Builder),
    Case(Int32Builder),
    Number(Of<Option<i64>>, Int64Builder),
    Instant(Of<Option<i64>>, TimestampMicrosecondBuilder),
    Flag(Of<bool>, BooleanBuilder),
}

impl Store {
    fn new(name: &str) -> Option<Self> {
        let word = |of: Of<Symbol>| Self::Word(of, Int32Builder::new());
        let number = |of: Of<Option<i64>>| Self::Number(of, Int64Builder::new());
        let instant = |of| Self::Instant(of, TimestampMicrosecondBuilder::new());
        let flag = |of| Self::Flag(of, BooleanBuilder::new());
        let store = match name {
            "case_id" => Self::Case(Int32Builder::new()),
            "arrangement_id" => word(|_, words| words.arrangement),
            "service_level_id" => word(|row, _| row.level),
            "metric" => word(|row, _| row.metric),
            "state" => word(|row, _| row.segment.state),
            "site_id" => word(|row, _| row.segment.site),
            "calendar_id" => word(|row, _| row.segment.calendar),
            "team_id" => word(|row, _| row.segment.team),
            "priority" => word(|row, _| row.segment.priority),
            "clock" => word(|row, words| chosen(&words.runs, row.segment.run as usize)),
            "outcome" => word(|row, words| chosen(&words.outcomes, row.head.outcome as usize)),
            "excluded_reason" => word(|row, _| row.excluded),
            "exclusion_refused" => word(|row, _| row.refused),
            "gap_reason" => word(|row, _| row.gap),
            "segment" => number(|row, _| i64::try_from(row.number).ok()),
            "working_us" => number(|row, _| row.segment.working_us),
            "paused_us" => number(|row, _| row.segment.paused_us),
            "elapsed_us" => number(|row, _| row.segment.elapsed_us),
            "threshold_us" => number(|row, _| row.threshold_us),
            "total_us" => number(|row, _| row.head.total_us),
            "terms_ref" => number(|row, _| Some(row.terms_ref)),
            "_ref" => number(|row, _| Some(row.segment.row_ref)),
            "started_at" => instant(|row, _| Some(row.segment.start_us)),
            "ended_at" => instant(|row, _| Some(row.segment.end_us)),
            "opened_at" => instant(|row, _| Some(row.head.opened_us)),
            "clock_started_at" => instant(|row, _| row.head.started_us),
            "closed_at" => instant(|row, _| row.head.closed_us),
            "due_at" => instant(|row, _| row.head.due_us),
            "counted_at" => instant(|row, _| row.head.counted_us),
            "is_open" => flag(|row, _| row.segment.is_open),
            "is_last" => flag(|row, _| row.is_last),
            "incomplete" => flag(|row, _| row.incomplete),
            _ => return None,
        };
        Some(store)
    }
}

fn chosen(words: &[Symbol], place: usize) -> Symbol {
    words.get(place).copied().unwrap_or(NONE)
}

/// Columns being built.
pub(super) struct Columns {
    words: Words,
    stores: Vec<(usize, Store)>,
    cases: StringBuilder,
    /// Place of the case that rows are of.
    case: Option<i32>,
    count: usize,
}

fn code(symbol: Symbol) -> Option<i32> {
    i32::try_from(symbol).ok().filter(|_| symbol != NONE)
}

impl Columns {
    pub(super) fn new(ask: &Ask, words: Words) -> Self {
        let store = |place: &usize| Some((*place, Store::new(COLUMNS.get(*place)?.0)?));
        let stores = ask.columns.iter().filter_map(store).collect();
        Self { words, stores, cases: StringBuilder::new(), case: None, count: 0 }
    }

    /// Rows that follow are of another case.
    pub(super) fn next_case(&mut self) {
        self.case = None;
    }

    /// Adds a row of the case with this id.
    pub(super) fn push(&mut self, id: &str, row: &Row<'_>) {
        let cases = &mut self.cases;
        let case = *self.case.get_or_insert_with(|| {
            cases.append_value(id);
            i32::try_from(arrow::array::ArrayBuilder::len(cases) - 1).unwrap_or(i32::MAX)
        });
        self.count += 1;
        let words = &self.words;
        for (_, store) in &mut self.stores {
            match store {
                Store::Case(codes) => codes.append_value(case),
                Store::Word(of, codes) => codes.append_option(code(of(row, words))),
                Store::Number(of, numbers) => numbers.append_option(of(row, words)),
                Store::Instant(of, instants) => instants.append_option(of(row, words)),
                Store::Flag(of, flags) => flags.append_value(of(row, words)),
            }
        }
    }

    /// The rows as one batch with coded texts; none without rows.
    pub(super) fn finish(mut self, symbols: &Symbols) -> Result<Option<RecordBatch>, EngineError> {
        if self.count == 0 {
            return Ok(None);
        }
        let failed = |error: ArrowError| EngineError::derivation(NAME, error.to_string());
        let words = symbols.column();
        let cases: ArrayRef = Arc::new(self.cases.finish());
        let mut fields = Vec::with_capacity(self.stores.len());
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.stores.len());
        for (place, store) in self.stores {
            let coded = |mut codes: Int32Builder, values: ArrayRef| {
                DictionaryArray::<Int32Type>::try_new(codes.finish(), values).map_err(failed)
            };
            let array: ArrayRef = match store {
                Store::Word(_, codes) => Arc::new(coded(codes, words.clone())?),
                Store::Case(codes) => Arc::new(coded(codes, cases.clone())?),
                Store::Number(_, mut numbers) => Arc::new(numbers.finish()),
                Store::Instant(_, mut instants) => Arc::new(instants.finish().with_timezone("UTC")),
                Store::Flag(_, mut flags) => Arc::new(flags.finish()),
            };
            let name = COLUMNS.get(place).map_or("", |(name, _)| *name);
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        // A question may count rows without wanting a column of them.
        let options = RecordBatchOptions::new().with_row_count(Some(self.count));
        let schema = Arc::new(Schema::new(fields));
        RecordBatch::try_new_with_options(schema, arrays, &options).map(Some).map_err(failed)
    }
}

/// The columns as SQL sees them.
pub(crate) fn schema() -> SchemaRef {
    array::schema(COLUMNS)
}

/// Rows of a coded batch as a question wants them: its columns, its rows, texts written out.
pub(crate) fn present(
    batch: &RecordBatch,
    ask: &Ask,
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let kept = match keep(batch, ask) {
        Some(keep) => filter_record_batch(batch, &keep)?,
        None => batch.clone(),
    };
    let rows = kept.num_rows();
    let mut arrays = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let array = kept.column_by_name(field.name());
        let array = array.ok_or_else(|| ArrowError::SchemaError(field.name().clone()))?;
        arrays.push(match array.data_type() {
            DataType::Dictionary(..) => cast(array, field.data_type())?,
            _ => array.clone(),
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
}

/// Which rows of a kept batch a question lets through; none when all.
fn keep(batch: &RecordBatch, ask: &Ask) -> Option<BooleanArray> {
    use arrow::array::AsArray as _;
    let mut keep = vec![true; batch.num_rows()];
    let mut any = false;
    for (name, words) in [("metric", &ask.metrics), ("service_level_id", &ask.levels)] {
        let column = batch.column_by_name(name);
        let Some(coded) = column.and_then(|c| c.as_dictionary_opt::<Int32Type>()) else { continue };
        let Some(values) = coded.values().as_string_opt::<i32>() else { continue };
        for word in words {
            any = true;
            let wanted = values.iter().position(|value| value == Some(word));
            for (keep, code) in keep.iter_mut().zip(coded.keys().values()) {
                *keep &= usize::try_from(*code).ok() == wanted;
            }
        }
    }
    let counted = batch.column_by_name("counted_at");
    if ask.counted != Counted::ALL
        && let Some(counted) =
            counted.and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
    {
        any = true;
        let us = |row: usize| counted.is_valid(row).then(|| counted.value(row));
        for (row, keep) in keep.iter_mut().enumerate() {
            *keep &= ask.counted.holds(us(row));
        }
    }
    any.then(|| BooleanArray::from(keep))
}
