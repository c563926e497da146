//! Row groups read by an operator of our own: only the columns it names, texts as codes into the
//! dictionary that the file has anyway. Owns what of a row group is read; it must never know what a
//! column means.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, BooleanArray, RecordBatch},
    compute::{and, cast, filter, is_not_null},
    datatypes::{DataType, Field, Schema},
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
    },
};

use super::{
    TableRows, evolve,
    scan::{SystemColumns, body, broken, metadata, system_names},
};
use crate::error::EngineError;

/// A row group of an object, with the bounds of the column that it is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupKey {
    segment: usize,
    group: usize,
    /// No value of the column is less; empty when nothing is known.
    pub least: Vec<u8>,
    /// No value of the column is greater; none when nothing is known.
    pub most: Option<Vec<u8>>,
}

/// The rows of a row group that stand.
#[derive(Debug)]
pub(crate) struct GroupRows {
    /// The columns asked for; none where no row has a value. Texts are dictionary-coded
    /// (`Int32` → `Utf8`).
    pub columns: Vec<Option<ArrayRef>>,
    /// Packed reference of each row.
    pub refs: Vec<i64>,
    /// Place of each row in its row group, when some rows are left out.
    pub places: Option<Vec<u32>>,
}

/// Columns of chosen rows, with what names each row beside its reference.
#[derive(Debug)]
pub(crate) struct ChosenRows {
    /// The columns asked for, texts plain; none where the object does not have one.
    pub columns: Vec<Option<ArrayRef>>,
    /// Item and sequence of each row.
    pub names: Vec<(i16, u64)>,
}

fn coded() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

impl TableRows {
    /// The row groups of which something may stand, in the order of the manifest.
    ///
    /// # Errors
    /// Objects that cannot be read.
    pub(crate) fn row_groups(&self, sorted_by: &str) -> Result<Vec<GroupKey>, EngineError> {
        let mut found = Vec::new();
        for (segment, rows) in self.folded()?.iter().enumerate() {
            if rows.none {
                continue;
            }
            let head = metadata(self, segment)?;
            let place = self.place_of(&head, sorted_by);
            for (group, about) in head.metadata().row_groups().iter().enumerate() {
                let column = place.and_then(|place| about.columns().get(place));
                let bounds = column.and_then(|column| column.statistics());
                let least = bounds.and_then(|bounds| bounds.min_bytes_opt()).unwrap_or_default();
                let most = bounds.and_then(|bounds| bounds.max_bytes_opt());
                found.push(GroupKey {
                    segment,
                    group,
                    least: least.to_vec(),
                    most: most.map(<[u8]>::to_vec),
                });
            }
        }
        Ok(found)
    }

    /// Where a column of the vocabulary stands in an object. Typed objects have no nested columns, so
    /// this is its place among the leaves too.
    fn place_of(&self, head: &ArrowReaderMetadata, name: &str) -> Option<usize> {
        let map = evolve::ColumnMap::new(&self.definition, head.schema());
        let place = self.schema.index_of(name).ok()?;
        map.0.get(place).copied().flatten()
    }

    /// Reads the named columns of a row group; rows that lack a value of `required` are left out.
    ///
    /// # Errors
    /// Objects that cannot be read.
    pub(crate) fn read_group(
        &self,
        key: &GroupKey,
        names: &[&str],
        required: &[&str],
    ) -> Result<GroupRows, EngineError> {
        let wrong = |message: String| broken(self, key.segment, message);
        let head = metadata(self, key.segment)?;
        let about = head.metadata().row_group(key.group);
        let full = |place: &usize| {
            let column = about.columns().get(*place);
            let nulls = column.and_then(|column| column.statistics()?.null_count_opt());
            nulls.is_none_or(|nulls| i64::try_from(nulls) != Ok(about.num_rows()))
        };
        let places: Vec<Option<usize>> =
            names.iter().map(|name| self.place_of(&head, name).filter(full)).collect();
        let rows = self.folded()?.get(key.segment).cloned().unwrap_or_default();
        let system = system_names(self, key.segment, &rows);
        let batch = self.read_places(key, &head, &places, &system, true, None)?;
        let columns = SystemColumns::new(self, key.segment, &batch).map_err(wrong)?;
        let refs = columns.refs().map_err(wrong)?;
        let mut keep = columns.standing(&rows).map_err(wrong)?;
        let mut arrays = Vec::with_capacity(names.len());
        for (name, place) in names.iter().zip(&places) {
            let array = self.shown(&head, &batch, name, *place, true).map_err(wrong)?;
            if required.contains(name) {
                let there = match &array {
                    None => Some(BooleanArray::from(vec![false; batch.num_rows()])),
                    Some(array) if array.null_count() > 0 => {
                        Some(is_not_null(array).map_err(|error| wrong(error.to_string()))?)
                    }
                    Some(_) => None,
                };
                keep = match (keep, there) {
                    (Some(keep), Some(there)) => {
                        Some(and(&keep, &there).map_err(|error| wrong(error.to_string()))?)
                    }
                    (keep, there) => keep.or(there),
                };
            }
            arrays.push(array);
        }
        let Some(keep) = keep.filter(|keep| keep.true_count() < keep.len()) else {
            return Ok(GroupRows { columns: arrays, refs, places: None });
        };
        let kept = |array: Option<ArrayRef>| array.map(|array| filter(&array, &keep)).transpose();
        let columns = arrays
            .into_iter()
            .map(kept)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(error.to_string()))?;
        let standing = || keep.iter().enumerate().filter(|(_, keep)| *keep == Some(true));
        let places = standing().filter_map(|(place, _)| u32::try_from(place).ok()).collect();
        let refs = standing().filter_map(|(place, _)| refs.get(place).copied()).collect();
        Ok(GroupRows { columns, refs, places: Some(places) })
    }

    /// Reads columns of some rows of a row group, named by their places in it, in order.
    ///
    /// # Errors
    /// Objects that cannot be read.
    pub(crate) fn read_chosen(
        &self,
        key: &GroupKey,
        names: &[&str],
        rows: &[u32],
    ) -> Result<ChosenRows, EngineError> {
        let wrong = |message: String| broken(self, key.segment, message);
        let head = metadata(self, key.segment)?;
        let total = usize::try_from(head.metadata().row_group(key.group).num_rows());
        let total = total.map_err(|error| wrong(error.to_string()))?;
        let ranges = rows.iter().map(|row| (*row as usize)..(*row as usize + 1));
        let chosen = RowSelection::from_consecutive_ranges(ranges, total);
        let places: Vec<Option<usize>> =
            names.iter().map(|name| self.place_of(&head, name)).collect();
        let mut system = system_names(self, key.segment, &Default::default());
        system.push(backstay_evidence::schema::ITEM);
        let batch = self.read_places(key, &head, &places, &system, false, Some(chosen))?;
        let own = SystemColumns::new(self, key.segment, &batch).map_err(wrong)?;
        let names_of = (0..batch.num_rows()).map(|n| own.key(n).map(|key| (key.item, key.seq)));
        let columns = names.iter().zip(&places);
        let columns = columns.map(|(name, place)| self.shown(&head, &batch, name, *place, false));
        Ok(ChosenRows {
            columns: columns.collect::<Result<_, _>>().map_err(wrong)?,
            names: names_of.collect::<Result<_, _>>().map_err(wrong)?,
        })
    }

    /// One batch of the columns at these places of an object, and of its system columns.
    fn read_places(
        &self,
        key: &GroupKey,
        head: &ArrowReaderMetadata,
        places: &[Option<usize>],
        system: &[&str],
        codes: bool,
        chosen: Option<RowSelection>,
    ) -> Result<RecordBatch, EngineError> {
        let wrong = |message: String| broken(self, key.segment, message);
        let object = head.schema();
        let mut wanted: Vec<usize> = places.iter().flatten().copied().collect();
        wanted.extend(system.iter().filter_map(|name| object.index_of(name).ok()));
        let hinted = |(place, field): (usize, &Arc<Field>)| {
            if codes && wanted.contains(&place) && field.data_type() == &DataType::Utf8 {
                Arc::new(field.as_ref().clone().with_data_type(coded()))
            } else {
                field.clone()
            }
        };
        let fields: Vec<Arc<Field>> = object.fields().iter().enumerate().map(hinted).collect();
        let schema = Arc::new(Schema::new(fields));
        let options = ArrowReaderOptions::new().with_schema(schema);
        let head = ArrowReaderMetadata::try_new(head.metadata().clone(), options)
            .map_err(|error| wrong(error.to_string()))?;
        let count = usize::try_from(head.metadata().row_group(key.group).num_rows());
        let count = count.map_err(|error| wrong(error.to_string()))?;
        let body = body(self, key.segment)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(body, head);
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let mut builder = builder
            .with_projection(mask)
            .with_row_groups(vec![key.group])
            .with_batch_size(count.max(1));
        if let Some(chosen) = chosen {
            builder = builder.with_row_selection(chosen);
        }
        let mut reader = builder.build().map_err(|error| wrong(error.to_string()))?;
        let schema = arrow::array::RecordBatchReader::schema(&reader);
        match reader.next() {
            Some(batch) => batch.map_err(|error| wrong(error.to_string())),
            None => Ok(RecordBatch::new_empty(schema)),
        }
    }

    /// A column as read, in the type that the vocabulary gives it; texts as codes when asked for.
    fn shown(
        &self,
        head: &ArrowReaderMetadata,
        batch: &RecordBatch,
        name: &str,
        place: Option<usize>,
        codes: bool,
    ) -> Result<Option<ArrayRef>, String> {
        let Some(place) = place else { return Ok(None) };
        let written = head.schema().fields().get(place);
        let found = written.and_then(|field| batch.column_by_name(field.name()));
        let (Some(array), Ok(field)) = (found, self.schema.field_with_name(name)) else {
            return Ok(None);
        };
        if array.data_type() == &coded() && codes {
            return Ok(Some(array.clone()));
        }
        let shown = evolve::present(Some(array), field, batch.num_rows())?;
        if codes && field.data_type() == &DataType::Utf8 {
            return cast(&shown, &coded()).map(Some).map_err(|error| error.to_string());
        }
        Ok(Some(shown))
    }
}
