//! The derived table `measurement`: measured service levels as rows. Owns the columns; it must never
//! count anything.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, Date32Builder, Decimal128Builder, Int64Builder, ListBuilder, RecordBatch,
        StringBuilder,
    },
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use backstay_evidence::schema::DECIMAL;
use jiff::civil::Date;

use crate::{
    error::EngineError,
    measure::{Measure, measures, value},
    rows::days_from_date,
    session::Session,
};

/// The columns of `measurement`; `docs/catalogue.md` says what they hold.
#[must_use]
pub fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    let decimal = |name: &str| Field::new(name, DataType::Decimal128(DECIMAL.0, DECIMAL.1), true);
    Arc::new(Schema::new(vec![
        text("arrangement_id"),
        text("service_level_id"),
        text("metric"),
        text("title"),
        Field::new("period_start", DataType::Date32, true),
        Field::new("period_end", DataType::Date32, true),
        number("numerator"),
        number("denominator"),
        number("excluded"),
        number("gaps"),
        decimal("value"),
        decimal("target"),
        decimal("minimum"),
        text("kind"),
        text("value_kind"),
        text("judgement"),
        text("lacking"),
        text("sub_window"),
        Field::new("worst_start", DataType::Date32, true),
        Field::new("worst_end", DataType::Date32, true),
        number("worst_numerator"),
        number("worst_denominator"),
        decimal("worst_value"),
        text("basis"),
        Field::new("evidence", DataType::new_list(DataType::Int64, true), true),
        number("_ref"),
    ]))
}

/// The rows of `measurement`.
pub(crate) fn batches(session: &Session) -> Result<Vec<RecordBatch>, EngineError> {
    let measures = measures(session)?;
    let arrangement = &session.view.arrangement_id;
    let text = |value: &dyn Fn(&Measure) -> Option<String>| -> ArrayRef {
        let mut builder = StringBuilder::new();
        measures.iter().for_each(|measure| builder.append_option(value(measure)));
        Arc::new(builder.finish())
    };
    let maybe = |value: &dyn Fn(&Measure) -> Option<i64>| -> ArrayRef {
        let mut builder = Int64Builder::new();
        measures.iter().for_each(|measure| builder.append_option(value(measure)));
        Arc::new(builder.finish())
    };
    let number = |value: &dyn Fn(&Measure) -> i64| maybe(&|measure| Some(value(measure)));
    let day = |value: &dyn Fn(&Measure) -> Option<Date>| -> ArrayRef {
        let mut builder = Date32Builder::new();
        let days = measures.iter().map(|measure| value(measure).map(days_from_date));
        days.for_each(|day| builder.append_option(day));
        Arc::new(builder.finish())
    };
    let decimal = |value: &dyn Fn(&Measure) -> Option<i128>| -> ArrayRef {
        let kind = DataType::Decimal128(DECIMAL.0, DECIMAL.1);
        let mut builder = Decimal128Builder::new().with_data_type(kind);
        measures.iter().for_each(|measure| builder.append_option(value(measure)));
        Arc::new(builder.finish())
    };
    let mut evidence = ListBuilder::new(Int64Builder::new());
    for measure in measures {
        evidence.values().append_slice(&measure.evidence);
        evidence.append(true);
    }
    let columns = vec![
        text(&|_| Some(arrangement.clone())),
        text(&|measure| Some(measure.service_level_id.clone())),
        text(&|measure| Some(measure.metric.clone())),
        text(&|measure| Some(measure.title.clone())),
        day(&|measure| Some(measure.window.first)),
        day(&|measure| Some(measure.window.after)),
        number(&|measure| measure.numerator),
        number(&|measure| measure.denominator),
        number(&|measure| measure.excluded.values().sum()),
        number(&|measure| measure.gaps.values().sum()),
        decimal(&|measure| measure.value),
        decimal(&|measure| measure.target),
        decimal(&|measure| measure.minimum),
        text(&|measure| Some(measure.kind.as_str().to_owned())),
        text(&|measure| Some(measure.value_kind.as_str().to_owned())),
        text(&|measure| measure.judgement().map(|word| word.as_str().to_owned())),
        text(&|measure| measure.lacking.clone()),
        text(&|measure| measure.sub_window.map(|sub| sub.as_str().to_owned())),
        day(&|measure| measure.worst.map(|worst| worst.span.first)),
        day(&|measure| measure.worst.map(|worst| worst.span.after)),
        maybe(&|measure| measure.worst.map(|worst| worst.numerator)),
        maybe(&|measure| measure.worst.map(|worst| worst.denominator)),
        decimal(&|measure| {
            let worst = measure.worst?;
            value(measure.value_kind, worst.numerator, worst.denominator)
        }),
        text(&|measure| Some(measure.basis.clone())),
        Arc::new(evidence.finish()) as ArrayRef,
        number(&|measure| measure.terms_ref),
    ];
    let batch = RecordBatch::try_new(schema(), columns)
        .map_err(|error| EngineError::derivation(crate::derive::MEASUREMENT, error.to_string()))?;
    Ok(vec![batch])
}
