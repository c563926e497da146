//! What controls and metrics say, row by row. Owns the reading of their results and the order of rows;
//! it must never decide a status.

use arrow::{
    array::{Array, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Schema},
};
use serde::{Deserialize, Serialize};

use crate::{error::EngineError, rows};

/// The outcome of one thing tested, or of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As promised.
    Met,
    /// Not as promised.
    Missed,
    /// Left out by agreement; metrics only.
    Excluded,
    /// Evidence is lacking.
    Gap,
}

impl Outcome {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Excluded => "excluded",
            Self::Gap => "gap",
        }
    }

    /// From the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Met, Self::Missed, Self::Excluded, Self::Gap].into_iter().find(|o| o.word() == word)
    }
}

/// One row of a control or metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OutcomeRow {
    /// Arrangement.
    pub arrangement_id: String,
    /// Service level; empty for a control.
    pub service_level_id: String,
    /// What was tested, or the case.
    pub subject: String,
    /// Outcome.
    pub outcome: Outcome,
    /// What was found.
    pub measured: Option<String>,
    /// What was promised.
    pub required: Option<String>,
    /// Unit of both.
    pub unit: Option<String>,
    /// Money at stake in minor units.
    pub amount_minor: Option<i64>,
    /// Its currency.
    pub currency: Option<String>,
    /// In words.
    pub explanation: String,
    /// Rows that it rests on, packed.
    pub evidence: Vec<i64>,
}

/// Whose rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A control.
    Control,
    /// A metric.
    Metric,
}

const CONTROL: &[&str] = &[
    "arrangement_id",
    "subject",
    "outcome",
    "measured",
    "required",
    "unit",
    "amount_minor",
    "currency",
    "explanation",
    "evidence",
];
const METRIC: &[&str] = &[
    "arrangement_id",
    "service_level_id",
    "subject",
    "outcome",
    "measured",
    "required",
    "unit",
    "explanation",
    "evidence",
];
const CONTROL_NEEDS: &[&str] = &["arrangement_id", "subject", "outcome", "explanation"];
const METRIC_NEEDS: &[&str] =
    &["arrangement_id", "service_level_id", "subject", "outcome", "explanation"];

/// Reads and orders the rows of a result.
///
/// # Errors
/// Columns or values that are not as `docs/catalogue.md` says.
pub fn read(
    kind: Kind,
    subject: &str,
    batches: &[RecordBatch],
) -> Result<Vec<OutcomeRow>, EngineError> {
    let mut all = Vec::new();
    for batch in batches {
        check_columns(kind, subject, &batch.schema())?;
        read_batch(kind, subject, batch, &mut all)?;
    }
    all.sort();
    for pair in all.windows(2) {
        let [first, second] = pair else { continue };
        let key = |row: &OutcomeRow| (row.service_level_id.clone(), row.subject.clone());
        if key(first) == key(second) {
            let message = format!(
                "subject `{}` comes more than once; each row needs its own",
                second.subject
            );
            return Err(EngineError::Shape { subject: subject.to_owned(), message });
        }
    }
    Ok(all)
}

/// Whether the columns of a result are those agreed.
pub(crate) fn check_columns(kind: Kind, subject: &str, schema: &Schema) -> Result<(), EngineError> {
    let (known, needed) = match kind {
        Kind::Control => (CONTROL, CONTROL_NEEDS),
        Kind::Metric => (METRIC, METRIC_NEEDS),
    };
    let wrong = |message| EngineError::Shape { subject: subject.to_owned(), message };
    for field in schema.fields() {
        if !known.contains(&field.name().as_str()) {
            let message =
                format!("column `{}` is not one of `{}`", field.name(), known.join("`, `"));
            return Err(wrong(message));
        }
    }
    for name in needed {
        if schema.index_of(name).is_err() {
            return Err(wrong(format!("column `{name}` is missing")));
        }
    }
    Ok(())
}

/// A column as text; numbers are written out. None when the column is not there.
pub(crate) fn written(
    subject: &str,
    batch: &RecordBatch,
    name: &str,
) -> Result<Option<StringArray>, EngineError> {
    let Some(column) = batch.column_by_name(name) else { return Ok(None) };
    let plain = matches!(column.data_type(), DataType::Null | DataType::Boolean | DataType::Date32)
        || column.data_type().is_integer()
        || matches!(column.data_type(), DataType::Decimal128(..));
    if !plain {
        return rows::texts(batch, subject, name).map(Some);
    }
    let text = cast(column, &DataType::Utf8).map_err(|error| EngineError::Shape {
        subject: subject.to_owned(),
        message: format!("column `{name}`: {error}"),
    })?;
    Ok(text.as_any().downcast_ref::<StringArray>().cloned())
}

fn read_batch(
    kind: Kind,
    subject: &str,
    batch: &RecordBatch,
    all: &mut Vec<OutcomeRow>,
) -> Result<(), EngineError> {
    let column = |name: &str| written(subject, batch, name);
    let (arrangement, level) = (column("arrangement_id")?, column("service_level_id")?);
    let (tested, outcome) = (column("subject")?, column("outcome")?);
    let (measured, required, unit) = (column("measured")?, column("required")?, column("unit")?);
    let (currency, explanation) = (column("currency")?, column("explanation")?);
    let amount = match batch.column_by_name("amount_minor") {
        Some(_) => Some(rows::integers(batch, subject, "amount_minor")?),
        None => None,
    };
    let evidence = match batch.column_by_name("evidence") {
        Some(_) => Some(rows::integer_lists(batch, subject, "evidence")?),
        None => None,
    };
    let value = |array: &Option<StringArray>, row: usize| {
        array.as_ref().and_then(|array| rows::text(array, row)).map(str::to_owned)
    };
    let wrong = |message| EngineError::Shape { subject: subject.to_owned(), message };
    for row in 0..batch.num_rows() {
        let needed = |array: &Option<StringArray>, name: &str| {
            value(array, row).ok_or_else(|| wrong(format!("a row has no `{name}`")))
        };
        let word = needed(&outcome, "outcome")?;
        let parsed =
            Outcome::parse(&word).filter(|o| kind == Kind::Metric || *o != Outcome::Excluded);
        let known = match kind {
            Kind::Control => "`met`, `missed` or `gap`",
            Kind::Metric => "`met`, `missed`, `excluded` or `gap`",
        };
        let mut refs =
            evidence.as_ref().map(|lists| rows::integer_list(lists, row)).unwrap_or_default();
        refs.sort_unstable();
        refs.dedup();
        all.push(OutcomeRow {
            arrangement_id: needed(&arrangement, "arrangement_id")?,
            service_level_id: match kind {
                Kind::Metric => needed(&level, "service_level_id")?,
                Kind::Control => String::new(),
            },
            subject: needed(&tested, "subject")?,
            outcome: parsed.ok_or_else(|| wrong(format!("outcome `{word}` is not {known}")))?,
            measured: value(&measured, row),
            required: value(&required, row),
            unit: value(&unit, row),
            amount_minor: amount.as_ref().filter(|a| a.is_valid(row)).map(|a| a.value(row)),
            currency: value(&currency, row),
            explanation: needed(&explanation, "explanation")?,
            evidence: refs,
        });
    }
    Ok(())
}
