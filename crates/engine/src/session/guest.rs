//! Analysts' questions: any SELECT over the arrangements in scope, within limits of time, memory and
//! rows. Owns the limits; it must never let a query outlive them, nor show more than the scope.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use datafusion::{
    execution::{
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        memory_pool::GreedyMemoryPool,
        runtime_env::RuntimeEnvBuilder,
    },
    physical_plan::execute_stream,
};
use futures::StreamExt as _;
use tokio::runtime::Runtime;

use super::{Evidence, Rules, Session, View, cut, runtime};
use crate::{error::EngineError, tables::Layout};

/// What a guest's query may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuestLimits {
    /// Time from start to last row.
    pub seconds: u64,
    /// Memory of sorting, grouping and joining.
    pub bytes: usize,
    /// Rows of the result.
    pub rows: usize,
}

impl Default for GuestLimits {
    /// 30 s, 1 GiB, 1,000,000 rows.
    fn default() -> Self {
        Self { seconds: 30, bytes: 1 << 30, rows: 1_000_000 }
    }
}

/// The rows of a guest's query, in the order it asked for.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
    /// Tables read, derived ones unexpanded.
    pub reads: Vec<String>,
}

/// Parameters that are an instant, and so depend on the zone.
const INSTANTS: [&str; 2] = ["$period_start", "$period_end"];

/// Runs one SELECT over the arrangements of some views, within limits. Tables hold the rows of all of
/// them; derived tables are worked out for each, in its own zone, and put together. The parameters
/// are those of the only view; of several, the period counts in their common zone, and
/// `$arrangement_id` is empty.
///
/// # Errors
/// SQL that is wrong or not allowed, or that asks when a period starts or ends although that differs
/// from zone to zone; a limit reached.
pub fn query(
    evidence: &Evidence,
    views: &[View],
    sql: &str,
    layout: Layout,
    limits: GuestLimits,
) -> Result<QueryResult, EngineError> {
    let subject = "query";
    let environment = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(limits.bytes)))
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        )
        .build_arc()
        .map_err(|error| EngineError::sql(subject, &error))?;
    let threads = runtime(layout)?;
    let Some(view) = common(views) else {
        let message = "there is no arrangement to look at".to_owned();
        return Err(EngineError::Refused { subject: subject.to_owned(), message });
    };
    let zones: BTreeSet<&str> = views.iter().map(|view| view.zone.as_str()).collect();
    let instant = INSTANTS.iter().find(|name| sql.contains(**name));
    if let Some(name) = instant.filter(|_| zones.len() > 1) {
        let zones: Vec<&str> = zones.into_iter().collect();
        let message = format!(
            "`{name}` is another instant in each of the zones {}: name one arrangement, or compare \
             with an instant of your own",
            zones.join(", ")
        );
        return Err(EngineError::Refused { subject: subject.to_owned(), message });
    }
    let period = view.period;
    let ids: Vec<&str> = views.iter().map(|view| view.arrangement_id.as_str()).collect();
    let manifest = Arc::new(cut(&evidence.manifest, &ids));
    let seen = Evidence { manifest, ..evidence.clone() };
    let session = Session::over(seen, view, layout, threads.clone(), environment)?;
    let planned = session.plan(subject, sql, period, Rules::Guest)?;
    if views.len() > 1 {
        put_together(&session, evidence, views, &planned.reads, layout, &threads)?;
    }
    let (plan, task) = session.physical(subject, &planned)?;
    let schema = plan.schema();
    let work = async move {
        let mut stream = execute_stream(plan, task)?;
        let (mut batches, mut rows) = (Vec::new(), 0);
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            rows += batch.num_rows();
            batches.push(batch);
            if rows > limits.rows {
                break;
            }
        }
        Ok::<_, datafusion::error::DataFusionError>((batches, rows))
    };
    let job = threads.spawn(work);
    let stop = job.abort_handle();
    let finished = threads
        .block_on(async { tokio::time::timeout(Duration::from_secs(limits.seconds), job).await });
    drop(session);
    if let Ok(threads) = Arc::try_unwrap(threads) {
        stop.abort();
        threads.shutdown_background();
    }
    let limit = |message: String| EngineError::Limit { message };
    let joined = finished.map_err(|_| {
        limit(format!(
            "it took longer than {} s; ask for fewer rows or a shorter period",
            limits.seconds
        ))
    })?;
    let result = joined.map_err(|error| EngineError::Machine(error.to_string()))?;
    let (batches, rows) = result.map_err(|error| match error.find_root() {
        datafusion::error::DataFusionError::ResourcesExhausted(_) => limit(format!(
            "it needs more than {} MiB of memory; group or join fewer rows",
            limits.bytes >> 20
        )),
        _ => EngineError::sql(subject, &error),
    })?;
    if rows > limits.rows {
        return Err(limit(format!(
            "it gives more than {} rows; count, group or add `LIMIT`",
            limits.rows
        )));
    }
    Ok(QueryResult { schema, batches, reads: planned.reads.into_iter().collect() })
}

/// One view for the parameters of several; its zone is the one that they share.
fn common(views: &[View]) -> Option<View> {
    let (first, rest) = views.split_first()?;
    if rest.is_empty() {
        return Some(first.clone());
    }
    let zone = first.zone.clone();
    let as_of_us = views.iter().map(|view| view.as_of_us).max().unwrap_or(first.as_of_us);
    Some(View { arrangement_id: String::new(), zone, period: first.period, as_of_us })
}

/// Works the derived tables out arrangement by arrangement and puts their rows together.
fn put_together(
    whole: &Session,
    evidence: &Evidence,
    views: &[View],
    reads: &BTreeSet<String>,
    layout: Layout,
    threads: &Arc<Runtime>,
) -> Result<(), EngineError> {
    let derived: Vec<&String> =
        reads.iter().filter(|name| whole.tables.get(name).is_none()).collect();
    if derived.is_empty() {
        return Ok(());
    }
    let sessions = views
        .iter()
        .map(|view| Session::new(evidence, view.clone(), layout, threads.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    for name in derived {
        if name == crate::derive::case_clock::NAME {
            whole.join_clocks(&sessions)?;
            continue;
        }
        let mut rows = Vec::new();
        for session in &sessions {
            rows.extend(session.batches(name)?);
        }
        whole.fill(name, rows);
    }
    Ok(())
}
