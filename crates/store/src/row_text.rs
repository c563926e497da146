//! Rows as texts, and texts as rows: the form in which edits and the projection of registers hold
//! typed values. Each physical column is one text that reads back to the very same value; what a
//! value means stays out of it.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray as _, BooleanArray, Int16Array, Int64Array, StringArray,
        TimestampMicrosecondArray,
    },
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Schema, TimestampMicrosecondType},
    record_batch::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use backstay_evidence::{RowRef, identity::content_hashes, schema, vocabulary::Table};

use crate::{
    error::{Result, StoreError},
    import::existing::earlier_names,
};

/// Values by physical column; a column that is not there is null.
pub(crate) type Texts = BTreeMap<String, String>;

/// A column with what turns its cells into text.
pub(crate) enum TextColumn<'a> {
    Absent,
    Instants(&'a TimestampMicrosecondArray),
    Others(&'a dyn Array, ArrayFormatter<'a>),
}

impl TextColumn<'_> {
    pub(crate) fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Instants(array) if array.is_valid(row) => {
                jiff::Timestamp::from_microsecond(array.value(row)).ok().map(|at| at.to_string())
            }
            Self::Others(array, formatter) if array.is_valid(row) => {
                Some(formatter.value(row).to_string())
            }
            _ => None,
        }
    }
}

/// The columns of these names, ready to be read as text.
pub(crate) fn text_columns<'a>(
    table: &Table,
    batch: &'a RecordBatch,
    names: &[&str],
) -> Result<Vec<TextColumn<'a>>> {
    static OPTIONS: std::sync::LazyLock<FormatOptions<'static>> =
        std::sync::LazyLock::new(FormatOptions::default);
    names
        .iter()
        .map(|name| {
            let Some(array) = batch.column_by_name(name) else { return Ok(TextColumn::Absent) };
            if let Some(instants) = array.as_primitive_opt::<TimestampMicrosecondType>() {
                return Ok(TextColumn::Instants(instants));
            }
            let formatter = ArrayFormatter::try_new(array.as_ref(), &OPTIONS)
                .map_err(StoreError::columns(&table.name, "read"))?;
            Ok(TextColumn::Others(array.as_ref(), formatter))
        })
        .collect()
}

/// Names of the value columns.
pub(crate) fn value_names(table: &Table) -> Vec<String> {
    schema::value_fields(table).iter().map(|field| field.name().clone()).collect()
}

/// The values of each row.
pub(crate) fn rows_to_texts(table: &Table, batch: &RecordBatch) -> Result<Vec<Texts>> {
    let names = value_names(table);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = text_columns(table, batch, &names)?;
    let row = |at: usize| {
        let texts = names.iter().zip(&columns);
        texts.filter_map(|(name, column)| Some(((*name).to_owned(), column.text(at)?))).collect()
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

/// One row held as texts, with what stands beside its values.
#[derive(Debug, Clone)]
pub(crate) struct TextRow<'a> {
    pub(crate) values: &'a Texts,
    pub(crate) seq: u64,
    pub(crate) entry: u64,
    pub(crate) record: u32,
    pub(crate) item: i16,
    pub(crate) root: Option<(RowRef, i16)>,
    pub(crate) deleted: bool,
}

/// A column of texts as what the vocabulary says it is; values under an earlier name are found.
fn values_of(
    table: &Table,
    field: &arrow::datatypes::Field,
    rows: &[TextRow<'_>],
) -> Result<ArrayRef> {
    let names = earlier_names(table, field.name());
    let text = |row: &TextRow<'_>| names.iter().find_map(|name| row.values.get(name)).cloned();
    let texts: StringArray = rows.iter().map(text).collect();
    if texts.data_type() == field.data_type() {
        return Ok(Arc::new(texts));
    }
    if matches!(field.data_type(), DataType::Timestamp(..)) {
        let instant = |text: Option<&str>| {
            text.map(|text| text.parse().map(jiff::Timestamp::as_microsecond)).transpose()
        };
        let instants = texts.iter().map(instant).collect::<std::result::Result<_, _>>();
        let instants: Vec<Option<i64>> =
            instants.map_err(StoreError::columns(&table.name, "read"))?;
        return Ok(Arc::new(TimestampMicrosecondArray::from(instants).with_timezone("UTC")));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&texts, field.data_type(), &strict)
        .map_err(StoreError::columns(&table.name, "read"))
}

/// Texts as rows with the columns of [`schema::merged_schema`]. Content hashes are made anew.
pub(crate) fn texts_to_rows(table: &Table, rows: &[TextRow<'_>]) -> Result<RecordBatch> {
    let failed = |error| StoreError::columns(&table.name, "read")(error);
    let fields = schema::value_fields(table);
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(fields.len() + 8);
    for field in &fields {
        columns.push(values_of(table, field, rows)?);
    }
    let bare = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.clone());
    let content = content_hashes(table, &bare.map_err(failed)?);
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let of = |value: &dyn Fn(&TextRow<'_>) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(value)))
    };
    columns.push(of(&|row| i64::from(row.record)));
    columns.push(Arc::new(Int16Array::from_iter_values(rows.iter().map(|row| row.item))));
    columns.push(Arc::new(Int64Array::from(content)));
    let root = |row: &TextRow<'_>| row.root.map(|(root, _)| root.pack());
    columns.push(Arc::new(rows.iter().map(root).collect::<Int64Array>()));
    let item = |row: &TextRow<'_>| row.root.map(|(_, item)| item);
    columns.push(Arc::new(rows.iter().map(item).collect::<Int16Array>()));
    columns.push(Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.deleted)))));
    columns.push(of(&|row| whole(row.seq)));
    columns.push(of(&|row| whole(row.entry)));
    RecordBatch::try_new(Arc::new(schema::merged_schema(table)), columns).map_err(failed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use arrow::array::{Date32Array, Decimal128Array};
    use backstay_evidence::vocabulary::Vocabulary;

    use super::*;

    /// A table with a column of every physical type.
    fn table() -> Table {
        let text = r#"
            table = "all"
            title = "All"
            about = "All."
            kind = "register"
            scope = "shared"
            identity = ["a"]
            columns = [
              { id = 1, name = "a", type = "text", privacy = "open", about = "A." },
              { id = 2, name = "b", type = "integer", privacy = "open", about = "B." },
              { id = 3, name = "c", type = "decimal", privacy = "open", about = "C." },
              { id = 4, name = "d", type = "money", privacy = "open", about = "D." },
              { id = 5, name = "e", type = "instant", privacy = "open", about = "E." },
              { id = 6, name = "f", type = "date", privacy = "open", about = "F." },
              { id = 7, name = "g", type = "boolean", privacy = "open", about = "G." },
            ]"#;
        let vocabulary = Vocabulary::from_texts([("all", text)]).unwrap();
        vocabulary.table("all").unwrap().clone()
    }

    #[test]
    fn every_value_reads_back_as_it_was() {
        let table = table();
        let all = schema::value_fields(&table);
        let instants = [i64::from(i32::MIN) * 1_000_000, -1, 1_767_225_600_000_001];
        let values: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![Some(" \"ü\",\n"), Some(""), None])),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None])),
            Arc::new(
                Decimal128Array::from(vec![
                    Some(-1),
                    Some(10_i128.pow(38) - 1),
                    Some(-(10_i128.pow(38)) + 1),
                ])
                .with_precision_and_scale(38, 9)
                .unwrap(),
            ),
            Arc::new(Int64Array::from(vec![Some(-5), Some(0), None])),
            Arc::new(StringArray::from(vec![Some("EUR"), Some("JPY"), None])),
            Arc::new(TimestampMicrosecondArray::from(instants.to_vec()).with_timezone("UTC")),
            Arc::new(Int16Array::from(vec![Some(-720), Some(840), None])),
            Arc::new(Date32Array::from(vec![Some(-719_162), Some(2_932_896), None])),
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        ];
        let batch = RecordBatch::try_new(Arc::new(Schema::new(all.clone())), values).unwrap();
        let texts = rows_to_texts(&table, &batch).unwrap();
        let row = |(values, n): (_, u32)| TextRow {
            values,
            seq: 7,
            entry: 7,
            record: n,
            item: 0,
            root: (n == 2).then_some((RowRef { entry: 3, record: 9 }, 1)),
            deleted: n == 3,
        };
        let rows: Vec<TextRow<'_>> = texts.iter().zip(1..).map(row).collect();
        let again = texts_to_rows(&table, &rows).unwrap();
        for field in &all {
            let (was, is) =
                (batch.column_by_name(field.name()), again.column_by_name(field.name()));
            assert_eq!(was, is, "{}", field.name());
        }
        let contents = again.column_by_name(schema::CONTENT).unwrap();
        let contents = contents.as_primitive::<arrow::datatypes::Int64Type>();
        assert_eq!(contents.values().to_vec(), content_hashes(&table, &batch));
    }
}
