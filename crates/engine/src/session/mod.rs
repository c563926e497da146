//! One arrangement, one period, one instant: its tables and derived tables in SQL. Owns planning,
//! checking and running of SQL; it must never let SQL see another arrangement, change anything, or
//! reach the machine.

mod allow;
mod clock_table;
pub(crate) mod derived;
mod guard;
mod guest;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_evidence::{Manifest, ObjectSource, Vocabulary};
use datafusion::{
    common::{Column, DFSchema, ParamValues, ScalarValue},
    execution::{
        SessionStateBuilder, SessionStateDefaults, TaskContext, context::SQLOptions,
        runtime_env::RuntimeEnv,
    },
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder},
    physical_plan::{self, ExecutionPlan},
    prelude::{SessionConfig, SessionContext},
    sql::{parser::Statement, sqlparser::ast},
};
use futures::StreamExt as _;
use tokio::runtime::Runtime;

use crate::{
    catalogue::Catalogue,
    derive::{Derivation, MEASUREMENT, case_clock},
    error::EngineError,
    period::Period,
    tables::{EvidenceTable, EvidenceTables, Layout, hint},
};

pub use crate::derive::CalendarSwap;
pub use guard::Rules;
pub use guest::{GuestLimits, QueryResult, query};

use clock_table::ClockTable;
use derived::{Cell, DerivedTable};

/// Everything that a session is a function of, besides the arrangement.
#[derive(Clone)]
pub struct Evidence {
    /// The language of the tables.
    pub vocabulary: Arc<Vocabulary>,
    /// Risks, controls, metrics.
    pub catalogue: Arc<Catalogue>,
    /// The objects, cut to the scope asked for.
    pub manifest: Arc<Manifest>,
    /// Where they are read from.
    pub objects: Arc<dyn ObjectSource>,
}

/// What a session looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The arrangement.
    pub arrangement_id: String,
    /// Its zone.
    pub zone: String,
    /// The period.
    pub period: Period,
    /// The earlier of now and the period's end, microseconds UTC.
    pub as_of_us: i64,
}

/// Tables of one arrangement, ready for SQL.
pub struct Session {
    pub(crate) view: View,
    pub(crate) evidence: Evidence,
    pub(crate) tables: EvidenceTables,
    pub(crate) derivations: Vec<Box<dyn Derivation>>,
    cells: BTreeMap<&'static str, Cell>,
    clock: Arc<ClockTable>,
    pub(crate) measured: OnceLock<Vec<crate::measure::Measure>>,
    /// What is supposed of a calendar.
    supposed_calendar: Option<CalendarSwap>,
    /// The rows of `measurement_history`.
    measured_before: OnceLock<Vec<RecordBatch>>,
    /// What `measurement` rests on; asked for by every control that reads it.
    pub(crate) measured_from: OnceLock<crate::lineage::Inputs>,
    context: SessionContext,
    runtime: Arc<Runtime>,
}

/// SQL that was planned, checked and given its parameters.
#[derive(Debug, Clone)]
pub struct Planned {
    plan: LogicalPlan,
    /// Tables that it reads, derived ones unexpanded.
    pub reads: BTreeSet<String>,
}

/// Threads to run on.
///
/// # Errors
/// When the machine gives none.
pub fn runtime(layout: Layout) -> Result<Arc<Runtime>, EngineError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(layout.partitions.max(1)).enable_time().thread_name("backstay-engine");
    builder.build().map(Arc::new).map_err(|error| EngineError::Machine(error.to_string()))
}

/// The manifest as these arrangements may be seen: their own objects and the shared ones.
#[must_use]
pub fn cut(manifest: &Manifest, arrangements: &[&str]) -> Manifest {
    let seen = |id: &str| id.is_empty() || arrangements.contains(&id);
    let mut own = manifest.clone();
    own.scope = arrangements.iter().map(|id| (*id).to_owned()).collect();
    own.segments.retain(|segment| seen(&segment.arrangement_id));
    own.imports.retain(|import| import.arrangements.iter().any(|id| seen(id)));
    own
}

impl Planned {
    /// Columns of the result.
    pub(crate) fn schema(&self) -> &DFSchema {
        self.plan.schema()
    }
}

impl Session {
    /// Opens the tables of one arrangement. Nothing is read yet.
    ///
    /// # Errors
    /// When a table cannot be registered.
    pub fn new(
        evidence: &Evidence,
        view: View,
        layout: Layout,
        runtime: Arc<Runtime>,
    ) -> Result<Self, EngineError> {
        let own = Arc::new(cut(&evidence.manifest, &[&view.arrangement_id]));
        let evidence = Evidence { manifest: own, ..evidence.clone() };
        Self::over(evidence, view, layout, runtime, Arc::new(RuntimeEnv::default()))
    }

    /// Opens the tables of a manifest as it is, cut or not.
    fn over(
        evidence: Evidence,
        view: View,
        layout: Layout,
        runtime: Arc<Runtime>,
        limits: Arc<RuntimeEnv>,
    ) -> Result<Self, EngineError> {
        let manifest = evidence.manifest.clone();
        let tables = EvidenceTables::new(&evidence.vocabulary, &manifest, &evidence.objects);
        let context = context(layout, limits);
        let failed = |error| EngineError::sql("session", &error);
        for table in tables.iter() {
            let provider = Arc::new(EvidenceTable(table.clone()));
            context.register_table(table.definition().name.as_str(), provider).map_err(failed)?;
        }
        let derivations = crate::derive::all();
        let mut cells = BTreeMap::new();
        let clock = Arc::new(ClockTable::new(layout.partitions.max(1)));
        context.register_table(case_clock::NAME, clock.clone()).map_err(failed)?;
        let kept = derivations.iter().filter(|d| d.name() != case_clock::NAME);
        let schemas = kept.map(|d| (d.name(), d.schema()));
        let measurement: (&'static str, SchemaRef) = (MEASUREMENT, crate::measure_table::schema());
        for (name, schema) in schemas.chain([measurement]) {
            let cell = Cell::default();
            let provider = Arc::new(DerivedTable::new(name, schema, cell.clone()));
            context.register_table(name, provider).map_err(failed)?;
            cells.insert(name, cell);
        }
        let (measured, measured_from) = (OnceLock::new(), OnceLock::new());
        Ok(Self {
            view,
            evidence,
            tables,
            derivations,
            cells,
            clock,
            measured,
            supposed_calendar: None,
            measured_before: OnceLock::new(),
            measured_from,
            context,
            runtime,
        })
    }

    /// The same session, supposing that wherever one calendar is named another is meant. Nothing may
    /// have been read from it before.
    #[must_use]
    pub fn supposing(mut self, swap: CalendarSwap) -> Self {
        self.supposed_calendar = Some(swap);
        self
    }

    /// What it looks at.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The manifest, cut to the arrangement.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.evidence.manifest
    }

    /// All rows of a table or derived table.
    ///
    /// # Errors
    /// Unknown table, unreadable object, or a derivation that fails.
    pub fn batches(&self, table: &str) -> Result<Vec<RecordBatch>, EngineError> {
        if let Some(rows) = self.tables.get(table) {
            return rows.batches();
        }
        self.derived(table)
    }

    /// Hands on the rows of a table of evidence with some of its columns, in any order, without
    /// holding them.
    pub(crate) fn each(
        &self,
        table: &str,
        columns: &[&str],
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        match self.tables.get(table) {
            Some(rows) => rows.each(columns, take),
            None => self.derived(table)?.iter().try_for_each(take),
        }
    }

    /// The parameters of the period.
    pub(crate) fn parameters(&self, period: Period) -> Result<ParamValues, EngineError> {
        let (start_us, end_us) = period.bounds_us(&self.view.zone)?;
        let instant = |us| ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into()));
        let day = |day| ScalarValue::Date32(Some(crate::rows::days_from_date(day)));
        let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        Ok(ParamValues::from(vec![
            ("period_start", instant(start_us)),
            ("period_end", instant(end_us)),
            ("period_first", day(period.first)),
            ("period_after", day(period.after)),
            ("as_of", instant(self.view.as_of_us)),
            ("arrangement_id", text(&self.view.arrangement_id)),
            ("zone", text(&self.view.zone)),
        ]))
    }

    /// Plans SQL for a period and checks it against the rules. Nothing is run.
    ///
    /// # Errors
    /// SQL that is wrong, reads an unknown table, or breaks a rule.
    pub fn plan(
        &self,
        subject: &str,
        sql: &str,
        period: Period,
        rules: Rules,
    ) -> Result<Planned, EngineError> {
        let failed = |error| EngineError::sql(subject, &error);
        let state = self.context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let statement = state.sql_to_statement(sql, &dialect).map_err(failed)?;
        let refused = |message: &str| EngineError::Refused {
            subject: subject.to_owned(),
            message: message.to_owned(),
        };
        match &statement {
            Statement::Statement(inner) if matches!(inner.as_ref(), ast::Statement::Query(_)) => {}
            _ => return Err(refused("only a SELECT may be run")),
        }
        self.check_tables(&state, &statement)?;
        let plan = self.runtime.block_on(state.statement_to_plan(statement)).map_err(failed)?;
        let read_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        read_only.verify_plan(&plan).map_err(failed)?;
        let plan = plan.with_param_values(self.parameters(period)?).map_err(failed)?;
        let options = state.config().options().clone();
        let analysed = state
            .analyzer()
            .execute_and_check(plan.clone(), &options, |_, _| {})
            .map_err(failed)?;
        let mut reads = guard::inspect(subject, &analysed, rules)?;
        reads.retain(|name| self.knows(name));
        Ok(Planned { plan, reads })
    }

    /// Every table and derived table.
    fn names(&self) -> impl Iterator<Item = &str> {
        let tables = self.tables.iter().map(|table| table.definition().name.as_str());
        tables.chain(self.cells.keys().copied()).chain([case_clock::NAME])
    }

    fn knows(&self, name: &str) -> bool {
        name == case_clock::NAME || self.tables.get(name).is_some() || self.cells.contains_key(name)
    }

    /// An unknown table is named before the planner does, with the nearest known one.
    fn check_tables(
        &self,
        state: &datafusion::execution::SessionState,
        statement: &Statement,
    ) -> Result<(), EngineError> {
        let references = state.resolve_table_references(statement).unwrap_or_default();
        for reference in references {
            if reference.schema().is_some() || !self.knows(reference.table()) {
                return Err(EngineError::UnknownTable {
                    table: reference.to_string(),
                    hint: hint(reference.table(), self.names()),
                });
            }
        }
        Ok(())
    }

    /// Works out the derived tables that a plan reads.
    fn prepare(&self, planned: &Planned) -> Result<(), EngineError> {
        for name in &planned.reads {
            if name == case_clock::NAME {
                self.ready_clock()?;
            } else if self.tables.get(name).is_none() {
                self.derived(name)?;
            }
        }
        Ok(())
    }

    fn physical(
        &self,
        subject: &str,
        planned: &Planned,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>), EngineError> {
        self.prepare(planned)?;
        let state = self.context.state();
        let plan = self.runtime.block_on(state.create_physical_plan(&planned.plan));
        Ok((plan.map_err(|error| EngineError::sql(subject, &error))?, state.task_ctx()))
    }

    /// The same rows with fewer columns, so that nobody works the others out.
    pub(crate) fn narrow(
        &self,
        subject: &str,
        planned: &Planned,
        columns: &[&str],
    ) -> Result<Planned, EngineError> {
        let failed = |error| EngineError::sql(subject, &error);
        let named = columns.iter().map(|name| Expr::Column(Column::new_unqualified(*name)));
        let builder = LogicalPlanBuilder::from(planned.plan.clone());
        let plan = builder.project(named).and_then(LogicalPlanBuilder::build).map_err(failed)?;
        Ok(Planned { plan, reads: planned.reads.clone() })
    }

    /// The columns of `case_clock` that a plan needs once it is optimised; none when it reads no row
    /// of it.
    pub(crate) fn clock_columns(&self, planned: &Planned) -> Result<Vec<usize>, EngineError> {
        let optimised = self.context.state().optimize(&planned.plan);
        let optimised = optimised.map_err(|error| EngineError::sql("metric", &error))?;
        Ok(clock_table::columns(&optimised))
    }

    /// Lets the last segments of `case_clock` be kept in these columns.
    pub(crate) fn share_clock(&self, columns: Vec<usize>) {
        self.clock.share(columns);
    }

    /// Runs planned SQL and hands each batch on. Rows come in any order.
    ///
    /// # Errors
    /// What goes wrong while running, or an error handed back.
    pub(crate) fn run_each(
        &self,
        subject: &str,
        planned: &Planned,
        take: &mut dyn FnMut(RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let (plan, task) = self.physical(subject, planned)?;
        let failed = |error| EngineError::sql(subject, &error);
        self.runtime.block_on(async {
            // Operators start tasks as soon as they are asked for a stream.
            let mut stream = physical_plan::execute_stream(plan, task).map_err(failed)?;
            while let Some(batch) = stream.next().await {
                take(batch.map_err(failed)?)?;
            }
            Ok(())
        })
    }

    /// Runs planned SQL. Rows come in any order.
    ///
    /// # Errors
    /// What goes wrong while running.
    pub fn run(&self, subject: &str, planned: &Planned) -> Result<Vec<RecordBatch>, EngineError> {
        let (plan, task) = self.physical(subject, planned)?;
        let rows = self.runtime.block_on(physical_plan::collect(plan, task));
        rows.map_err(|error| EngineError::sql(subject, &error))
    }
}

fn context(layout: Layout, limits: Arc<RuntimeEnv>) -> SessionContext {
    let mut config = SessionConfig::new()
        .with_target_partitions(layout.partitions.max(1))
        .with_batch_size(layout.batch_rows.max(1))
        .with_information_schema(false);
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    config.options_mut().catalog.create_default_catalog_and_schema = true;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(limits)
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(allow::scalar_functions())
        .with_aggregate_functions(allow::aggregate_functions())
        .with_window_functions(allow::window_functions())
        .build();
    SessionContext::new_with_state(state)
}

/// Every segment of one case's clock under one service level, so that a person can work it out again
/// with a pencil.
///
/// # Errors
/// A case or service level of which nothing is held, or unreadable rows.
pub fn explain_case(
    evidence: &Evidence,
    view: &View,
    case_id: &str,
    service_level_id: &str,
    layout: Layout,
) -> Result<crate::derive::explain::Explanation, EngineError> {
    Session::new(evidence, view.clone(), layout, runtime(layout)?)?
        .explain(case_id, service_level_id)
}
