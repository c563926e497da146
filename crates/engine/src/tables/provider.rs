//! A table of evidence as DataFusion sees it: several streams side by side, only the columns asked
//! for. It must never order rows: SQL that needs an order says so.

use std::{fmt, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::DataFusionError,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableType},
    physical_plan::{
        ExecutionPlan,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
};

use super::{
    TableRows,
    scan::{Unit, UnitReader, units},
};

/// One table of evidence in SQL.
#[derive(Debug)]
pub struct EvidenceTable(pub Arc<TableRows>);

#[async_trait]
impl TableProvider for EvidenceTable {
    fn schema(&self) -> SchemaRef {
        self.0.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> =
            projection.cloned().unwrap_or_else(|| (0..self.0.schema.fields().len()).collect());
        let schema = Arc::new(self.0.schema.project(&wanted)?);
        let part = |units: Vec<Unit>, whole: bool| {
            Arc::new(Part {
                table: self.0.clone(),
                units,
                whole,
                wanted: wanted.clone(),
                schema: schema.clone(),
            }) as Arc<dyn PartitionStream>
        };
        let parts = if self.0.is_presented_whole() {
            vec![part(Vec::new(), true)]
        } else {
            let units = units(&self.0).map_err(external)?;
            let count = state.config().target_partitions().clamp(1, units.len().max(1));
            let own = |n: usize| units.iter().copied().skip(n).step_by(count).collect();
            (0..count).map(|n| part(own(n), false)).collect()
        };
        let plan = StreamingTableExec::try_new(schema, parts, None, None, false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// One stream of a table.
struct Part {
    table: Arc<TableRows>,
    units: Vec<Unit>,
    whole: bool,
    wanted: Vec<usize>,
    schema: SchemaRef,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} row groups)", self.table.definition.name, self.units.len())
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch_rows = ctx.session_config().batch_size();
        let schema = self.schema.clone();
        let (table, wanted) = (self.table.clone(), self.wanted.clone());
        if self.whole {
            let batches = table.batches().map_err(external).and_then(|batches| {
                let mut slices = Vec::new();
                for batch in batches {
                    let batch = batch.project(&wanted)?;
                    slices.extend(slice(&batch, batch_rows));
                }
                Ok(slices)
            });
            let items: Vec<datafusion::error::Result<RecordBatch>> = match batches {
                Ok(batches) => batches.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            return Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(items)));
        }
        let read = move |unit: Unit| {
            let reader =
                UnitReader::new(&table, unit.segment, Some(unit.group), &wanted, batch_rows, false);
            let (batches, error) = match reader {
                Ok(reader) => (Some(reader), None),
                Err(error) => (None, Some(Err(error))),
            };
            batches.into_iter().flatten().chain(error)
        };
        let items =
            self.units.clone().into_iter().flat_map(read).map(|item| item.map_err(external));
        Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(items)))
    }
}

/// A batch cut into pieces of at most so many rows.
pub(crate) fn slice(batch: &RecordBatch, rows: usize) -> Vec<RecordBatch> {
    let (rows, count) = (rows.max(1), batch.num_rows());
    (0..count).step_by(rows).map(|at| batch.slice(at, rows.min(count - at))).collect()
}

fn external(error: crate::error::EngineError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
