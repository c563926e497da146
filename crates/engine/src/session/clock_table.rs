//! `case_clock` in SQL: worked out while it is read, only the columns and rows that a plan asks for.
//! Owns what a plan's filters let the operator leave out, and what is kept when the same question comes
//! again for another window; it must never change a row.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session as SqlSession, TableProvider},
    common::{DataFusionError, ScalarValue, tree_node::TreeNodeRecursion},
    execution::{
        SendableRecordBatchStream, TaskContext,
        memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation},
    },
    logical_expr::{
        BinaryExpr, Expr, LogicalPlan, Operator as Sign, TableProviderFilterPushDown, TableType,
    },
    physical_plan::{
        ExecutionPlan,
        stream::RecordBatchStreamAdapter,
        streaming::{PartitionStream, StreamingTableExec},
    },
};

use crate::{
    derive::{
        case_clock,
        operator::{Ask, Counted, Operator, Sweep, present, schema},
    },
    error::EngineError,
    tables::slice,
};

/// Columns by which kept rows are chosen.
const FILTERED: [&str; 3] = ["metric", "service_level_id", "counted_at"];

/// The columns of `case_clock` that the scans of an optimised plan show.
pub(super) fn columns(plan: &LogicalPlan) -> Vec<usize> {
    let mut found = BTreeSet::new();
    let visit = |node: &LogicalPlan| {
        if let LogicalPlan::TableScan(scan) = node
            && scan.table_name.table() == case_clock::NAME
        {
            let all = || (0..scan.source.schema().fields().len()).collect();
            found.extend(scan.projection.clone().unwrap_or_else(all));
        }
        Ok(TreeNodeRecursion::Continue)
    };
    // The visitor never fails.
    let _ = plan.apply_with_subqueries(visit);
    found.into_iter().collect()
}

/// The table. What it rests on is set before it is read.
pub(crate) struct ClockTable {
    schema: SchemaRef,
    threads: usize,
    /// One for each arrangement that the session sees.
    operators: OnceLock<Vec<Arc<Operator>>>,
    /// Columns that more than one question will ask of last segments.
    shared: Mutex<BTreeSet<usize>>,
    kept: Mutex<Option<Arc<Kept>>>,
}

/// Last segments of every case, coded.
struct Kept {
    columns: BTreeSet<usize>,
    batches: Vec<RecordBatch>,
    /// Holds its share of the memory as long as the rows are there.
    _memory: MemoryReservation,
}

impl fmt::Debug for ClockTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(case_clock::NAME)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClockTable {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            schema: schema(),
            threads,
            operators: OnceLock::new(),
            shared: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// What it is read from, when that is set.
    pub(super) fn operators(&self) -> Option<&[Arc<Operator>]> {
        self.operators.get().map(Vec::as_slice)
    }

    /// Sets what it is read from, unless that was set before.
    pub(super) fn rest_on(&self, operators: Vec<Arc<Operator>>) {
        self.operators.get_or_init(|| operators);
    }

    /// Announces that the last segments will be asked for again and again in these columns.
    pub(super) fn share(&self, columns: impl IntoIterator<Item = usize>) {
        let named = |place: &usize| {
            let field = self.schema.fields().get(*place);
            field.is_some_and(|field| FILTERED.contains(&field.name().as_str()))
        };
        let filtered = (0..self.schema.fields().len()).filter(named);
        locked(&self.shared).extend(filtered.chain(columns));
    }

    /// Every row.
    pub(super) fn all(&self) -> Result<Vec<RecordBatch>, EngineError> {
        let ask = Ask::all((0..self.schema.fields().len()).collect());
        let failed = |message: String| EngineError::derivation(case_clock::NAME, message);
        let mut found = Vec::new();
        for operator in self.operators().unwrap_or_default() {
            for step in Sweep::new(operator.clone(), ask.clone(), self.threads)? {
                for batch in step? {
                    let rows = present(&batch, &ask, &self.schema);
                    found.push(rows.map_err(|error| failed(error.to_string()))?);
                }
            }
        }
        Ok(found)
    }

    /// The kept rows, when this question is one of those announced.
    fn kept(
        &self,
        ask: &Ask,
        memory: &Arc<dyn MemoryPool>,
    ) -> datafusion::error::Result<Option<Arc<Kept>>> {
        let shared = locked(&self.shared).clone();
        let announced = ask.columns.iter().all(|column| shared.contains(column));
        if !announced || !ask.only_last || !ask.cases.is_empty() {
            return Ok(None);
        }
        let mut held = locked(&self.kept);
        if let Some(kept) = held.as_ref().filter(|kept| kept.columns == shared) {
            return Ok(Some(kept.clone()));
        }
        let whole = Ask { only_last: true, ..Ask::all(shared.iter().copied().collect()) };
        let reservation = MemoryConsumer::new(case_clock::NAME).register(memory);
        let mut batches = Vec::new();
        for operator in self.operators().unwrap_or_default() {
            let sweep = Sweep::new(operator.clone(), whole.clone(), self.threads);
            for step in sweep.map_err(external)? {
                for batch in step.map_err(external)? {
                    reservation.try_grow(batch.get_array_memory_size())?;
                    batches.push(batch);
                }
            }
        }
        let kept = Arc::new(Kept { columns: shared, batches, _memory: reservation });
        *held = Some(kept.clone());
        Ok(Some(kept))
    }
}

fn external(error: EngineError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl TableProvider for ClockTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> datafusion::error::Result<Vec<TableProviderFilterPushDown>> {
        let exact = |filter: &&Expr| match filter_of(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None if counted(filter) == Counted::ALL => TableProviderFilterPushDown::Unsupported,
            None => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(exact).collect())
    }

    async fn scan(
        &self,
        state: &dyn SqlSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let Some(operators) = self.operators.get() else {
            let message = format!("`{}` was not made ready before it was read", case_clock::NAME);
            return Err(DataFusionError::Internal(message));
        };
        let all = || (0..self.schema.fields().len()).collect();
        let columns: Vec<usize> = projection.cloned().unwrap_or_else(all);
        let shown = Arc::new(self.schema.project(&columns)?);
        let ask = ask(columns, filters);
        let parts: Vec<Arc<dyn PartitionStream>> =
            match self.kept(&ask, &state.runtime_env().memory_pool)? {
                Some(kept) => {
                    let count = state.config().target_partitions().max(1);
                    let part = |n: usize| {
                        let (kept, ask, schema) = (kept.clone(), ask.clone(), shown.clone());
                        let own = (n..kept.batches.len()).step_by(count).collect();
                        Arc::new(Part { rows: Rows::Kept(kept, own), ask, schema })
                            as Arc<dyn PartitionStream>
                    };
                    (0..count).map(part).collect()
                }
                None => {
                    let rows = Rows::Fresh(operators.clone(), self.threads);
                    vec![Arc::new(Part { rows, ask, schema: shown.clone() })]
                }
            };
        Ok(Arc::new(StreamingTableExec::try_new(shown, parts, None, None, false, limit)?))
    }
}

/// Where a stream takes its rows from.
enum Rows {
    /// Kept batches, by place.
    Kept(Arc<Kept>, Vec<usize>),
    /// Worked out on the way.
    Fresh(Vec<Arc<Operator>>, usize),
}

/// One stream.
struct Part {
    rows: Rows,
    ask: Ask,
    schema: SchemaRef,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(case_clock::NAME)
    }
}

type Batches = Box<dyn Iterator<Item = datafusion::error::Result<RecordBatch>> + Send>;

impl Part {
    fn coded(&self, memory: &Arc<dyn MemoryPool>) -> Batches {
        match &self.rows {
            Rows::Kept(kept, own) => {
                let kept = kept.clone();
                let own = own.clone().into_iter();
                Box::new(own.filter_map(move |place| kept.batches.get(place).cloned().map(Ok)))
            }
            Rows::Fresh(operators, threads) => {
                let (ask, threads) = (self.ask.clone(), *threads);
                let reservation = MemoryConsumer::new(case_clock::NAME).register(memory);
                let sweep = move |operator: Arc<Operator>| -> Batches {
                    match Sweep::new(operator, ask.clone(), threads) {
                        Ok(sweep) => {
                            Box::new(Steps { sweep, reservation: reservation.new_empty() })
                        }
                        Err(error) => Box::new(std::iter::once(Err(external(error)))),
                    }
                };
                Box::new(operators.clone().into_iter().flat_map(sweep))
            }
        }
    }
}

/// The batches of a sweep, with the memory that it holds booked.
struct Steps {
    sweep: Sweep,
    reservation: MemoryReservation,
}

impl Iterator for Steps {
    type Item = datafusion::error::Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut found = match self.sweep.take_batch() {
            Some(batch) => return Some(Ok(batch)),
            None => match self.sweep.next()? {
                Ok(found) => found,
                Err(error) => return Some(Err(external(error))),
            },
        };
        if let Err(error) = self.reservation.try_resize(self.sweep.bytes()) {
            return Some(Err(error));
        }
        found.reverse();
        self.sweep.hold(found);
        self.next()
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, ctx: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = ctx.session_config().batch_size();
        let (ask, schema) = (self.ask.clone(), self.schema.clone());
        let show = move |batch: datafusion::error::Result<RecordBatch>| {
            let shown = batch.and_then(|batch| Ok(present(&batch, &ask, &schema)?));
            match shown {
                Ok(batch) => slice(&batch, rows).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        };
        let items = self.coded(&ctx.runtime_env().memory_pool).flat_map(show);
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), futures::stream::iter(items)))
    }
}

/// A filter that the operator applies itself.
enum Filter<'a> {
    Last,
    Word(&'static str, &'a str),
}

fn column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(column.name.as_str()),
        Expr::Cast(cast) => column(&cast.expr),
        _ => None,
    }
}

fn filter_of(expr: &Expr) -> Option<Filter<'_>> {
    if let Expr::Column(column) = expr {
        return (column.name == "is_last").then_some(Filter::Last);
    }
    let Expr::BinaryExpr(BinaryExpr { left, op: Sign::Eq, right }) = expr else { return None };
    let (Expr::Column(name), Expr::Literal(ScalarValue::Utf8(Some(word)), _)) =
        (left.as_ref(), right.as_ref())
    else {
        return None;
    };
    let names = ["metric", "service_level_id", "case_id"];
    let name = names.into_iter().find(|known| *known == name.name)?;
    Some(Filter::Word(name, word))
}

/// What a plan asks for. Columns that the operator filters by itself need not be shown.
fn ask(columns: Vec<usize>, filters: &[Expr]) -> Ask {
    let mut ask = Ask::all(columns);
    for filter in filters {
        match filter_of(filter) {
            Some(Filter::Last) => ask.only_last = true,
            Some(Filter::Word("metric", word)) => ask.metrics.push(word.to_owned()),
            Some(Filter::Word("service_level_id", word)) => ask.levels.push(word.to_owned()),
            Some(Filter::Word(_, word)) => ask.cases.push(word.to_owned()),
            None => ask.counted = both(ask.counted, counted(filter)),
        }
    }
    ask
}

/// Instants of `counted_at` outside of which a filter is never true.
fn counted(expr: &Expr) -> Counted {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Sign::And, right }) => {
            both(counted(left), counted(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Sign::Or, right }) => {
            either(counted(left), counted(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let here = |expr: &Expr| column(expr) == Some("counted_at");
            match (here(left), instant(right), here(right), instant(left)) {
                (true, Some(us), ..) => bound(*op, us),
                (.., true, Some(us)) => op.swap().map_or(Counted::ALL, |op| bound(op, us)),
                _ => Counted::ALL,
            }
        }
        Expr::IsNull(inner) if column(inner) == Some("counted_at") => NOWHERE,
        _ => Counted::ALL,
    }
}

/// Only rows without an instant.
const NOWHERE: Counted = Counted { from_us: i64::MAX, to_us: i64::MIN, null: true };

fn instant(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::TimestampMicrosecond(us, _), _) => *us,
        _ => None,
    }
}

fn bound(op: Sign, us: i64) -> Counted {
    let within = |from_us, to_us| Counted { from_us, to_us, null: false };
    match op {
        Sign::Eq => within(us, us),
        Sign::Lt => within(i64::MIN, us.saturating_sub(1)),
        Sign::LtEq => within(i64::MIN, us),
        Sign::Gt => within(us.saturating_add(1), i64::MAX),
        Sign::GtEq => within(us, i64::MAX),
        _ => Counted::ALL,
    }
}

fn both(a: Counted, b: Counted) -> Counted {
    Counted {
        from_us: a.from_us.max(b.from_us),
        to_us: a.to_us.min(b.to_us),
        null: a.null && b.null,
    }
}

fn either(a: Counted, b: Counted) -> Counted {
    let null = a.null || b.null;
    let hull = match (a.from_us <= a.to_us, b.from_us <= b.to_us) {
        (true, true) => (a.from_us.min(b.from_us), a.to_us.max(b.to_us)),
        (true, false) => (a.from_us, a.to_us),
        (false, _) => (b.from_us, b.to_us),
    };
    Counted { from_us: hull.0, to_us: hull.1, null }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use datafusion::prelude::{col, lit};

    use super::*;

    fn at(us: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into())))
    }

    #[test]
    fn the_filter_of_a_window_leaves_its_instants_and_those_without_one() {
        let within = col("counted_at").gt_eq(at(10)).and(col("counted_at").lt(at(20)));
        assert_eq!(counted(&within), Counted { from_us: 10, to_us: 19, null: false });
        let gap = col("counted_at").is_null().and(col("outcome").eq(lit("gap")));
        let window = within.or(gap);
        assert_eq!(counted(&window), Counted { from_us: 10, to_us: 19, null: true });
        for (us, holds) in [(Some(9), false), (Some(10), true), (Some(19), true), (Some(20), false)]
        {
            assert_eq!(counted(&window).holds(us), holds, "{us:?}");
        }
        assert!(counted(&window).holds(None));
    }

    #[test]
    fn a_filter_that_says_nothing_of_the_window_leaves_all() {
        let open = col("opened_at").lt(at(5)).or(col("counted_at").lt(at(5)));
        assert_eq!(counted(&open), Counted::ALL);
        assert_eq!(counted(&at(5).lt_eq(col("counted_at"))).from_us, 5);
        let nothing = col("counted_at").is_null().and(col("counted_at").gt(at(1)));
        let never = counted(&nothing);
        assert!(!never.holds(None) && !never.holds(Some(0)) && !never.holds(Some(2)));
    }
}
