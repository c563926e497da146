//! Derived tables of a session: worked out when first asked for, once, and then served from memory.
//! Owns the check that a derivation reads only what it declares; it must never compute anything
//! itself.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{MemTable, Session as SqlSession, TableProvider},
    common::DataFusionError,
    logical_expr::{Expr, TableType},
    physical_plan::ExecutionPlan,
};

use super::Session;
use crate::{
    derive::{
        Derivation, DeriveInput, MEASUREMENT, MEASUREMENT_HISTORY, TableBatches, case_clock,
        case_day::Stretch,
        credit_book::{CreditBook, first_month},
        credit_row::{CreditRows, rows},
        explain::{Explanation, explain, explain_by_day},
        operator::Operator,
    },
    error::EngineError,
    period::Period,
    tables::hint,
};

/// The rows of a derived table, once they are there.
pub(super) type Cell = Arc<OnceLock<Vec<RecordBatch>>>;

/// A derived table in SQL.
pub(super) struct DerivedTable {
    name: &'static str,
    schema: SchemaRef,
    cell: Cell,
}

impl DerivedTable {
    pub(super) fn new(name: &'static str, schema: SchemaRef, cell: Cell) -> Self {
        Self { name, schema, cell }
    }
}

impl fmt::Debug for DerivedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[async_trait]
impl TableProvider for DerivedTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn SqlSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let Some(batches) = self.cell.get() else {
            let message =
                format!("derived table `{}` was not worked out before it was read", self.name);
            return Err(DataFusionError::Internal(message));
        };
        let config = state.config();
        let mut parts = vec![Vec::new(); config.target_partitions().max(1)];
        let count = parts.len();
        let slices =
            batches.iter().flat_map(|batch| crate::tables::slice(batch, config.batch_size()));
        for (n, slice) in slices.enumerate() {
            if let Some(part) = parts.get_mut(n % count) {
                part.push(slice);
            }
        }
        let table = MemTable::try_new(self.schema.clone(), parts)?;
        table.scan(state, projection, filters, limit).await
    }
}

impl Session {
    /// Gives a derived table its rows, when they were worked out elsewhere.
    pub(super) fn fill(&self, name: &str, rows: Vec<RecordBatch>) {
        if let Some(cell) = self.cells.get(name) {
            cell.get_or_init(|| rows);
        }
    }

    /// All rows of a derived table.
    pub(super) fn derived(&self, name: &str) -> Result<Vec<RecordBatch>, EngineError> {
        if name == case_clock::NAME {
            self.ready_clock()?;
            return self.clock.all();
        }
        if name == MEASUREMENT_HISTORY {
            return self.measured_before();
        }
        let Some(cell) = self.cells.get(name) else {
            return Err(EngineError::UnknownTable {
                table: name.to_owned(),
                hint: hint(name, self.names()),
            });
        };
        if let Some(rows) = cell.get() {
            return Ok(rows.clone());
        }
        let rows = if name == MEASUREMENT {
            crate::measure_table::batches(self)?
        } else {
            match self.derivations.iter().find(|derivation| derivation.name() == name) {
                Some(derivation) => self.derive(derivation.as_ref())?,
                None => Vec::new(),
            }
        };
        Ok(cell.get_or_init(|| rows).clone())
    }

    /// `measurement` over the windows from the credit scheme's first month on.
    fn measured_before(&self) -> Result<Vec<RecordBatch>, EngineError> {
        if let Some(known) = self.measured_before.get() {
            return Ok(known.clone());
        }
        let rows = match self.credit_span()? {
            None => Vec::new(),
            Some(period) if period.first >= self.view.period.first => self.derived(MEASUREMENT)?,
            Some(period) => {
                let view = super::View { period, ..self.view.clone() };
                let options = self.context.copied_config();
                let layout = crate::tables::Layout {
                    partitions: options.target_partitions(),
                    batch_rows: options.batch_size(),
                };
                let (evidence, threads) = (self.evidence.clone(), self.runtime.clone());
                let limits = self.context.runtime_env();
                let mut earlier = Self::over(evidence, view, layout, threads, limits)?;
                earlier.supposed_calendar.clone_from(&self.supposed_calendar);
                crate::measure_table::batches(&earlier)?
            }
        };
        Ok(self.measured_before.get_or_init(|| rows).clone())
    }

    /// From the first month of the credit scheme, or the period's first day if that is earlier, to the
    /// period's end; none without a scheme.
    pub(crate) fn credit_span(&self) -> Result<Option<Period>, EngineError> {
        const TABLE: &str = "credit_scheme";
        let mut days = Vec::new();
        for batch in self.batches(TABLE)? {
            let from = crate::rows::dates(&batch, TABLE, "valid_from")?;
            days.extend((0..batch.num_rows()).filter_map(|row| crate::rows::date(&from, row)));
        }
        let first = first_month(days.into_iter());
        let (own, after) = (self.view.period.first, self.view.period.after);
        Ok(first.map(|first| Period { first: first.min(own), after }))
    }

    /// The book of service credits, for callers that put other figures into it.
    ///
    /// # Errors
    /// Unreadable rows.
    pub fn credit_book(&self) -> Result<CreditBook, EngineError> {
        CreditBook::read(&self.derive_input(&AllTables(self))?)
    }

    /// The credits of a book, as rows.
    ///
    /// # Errors
    /// Unreadable rows.
    pub fn credit_rows(&self, book: &CreditBook) -> Result<CreditRows, EngineError> {
        rows(book, &self.derive_input(&AllTables(self))?)
    }

    /// Reads what `case_clock` rests on, once.
    pub(super) fn ready_clock(&self) -> Result<(), EngineError> {
        if self.clock.operators().is_some() {
            return Ok(());
        }
        let Some(events) = self.tables.get("case_event") else { return Ok(()) };
        let operator = Operator::new(events.clone(), &self.derive_input(&AllTables(self))?)?;
        self.clock.rest_on(vec![Arc::new(operator)]);
        Ok(())
    }

    /// Lets `case_clock` rest on that of other sessions, for questions across arrangements.
    pub(super) fn join_clocks(&self, sessions: &[Self]) -> Result<(), EngineError> {
        let mut operators = Vec::new();
        for session in sessions {
            session.ready_clock()?;
            operators.extend(session.clock.operators().unwrap_or_default().iter().cloned());
        }
        self.clock.rest_on(operators);
        Ok(())
    }

    /// Every segment of a case's clock under a service level.
    ///
    /// # Errors
    /// A case or service level of which nothing is held, or unreadable rows.
    pub fn explain(
        &self,
        case_id: &str,
        service_level_id: &str,
    ) -> Result<Explanation, EngineError> {
        explain(&self.derive_input(&AllTables(self))?, case_id, service_level_id)
    }

    /// One case under one service level, segment by segment, laid over the days of its sites.
    ///
    /// # Errors
    /// As [`Session::explain`].
    pub fn explain_by_day(
        &self,
        case_id: &str,
        service_level_id: &str,
    ) -> Result<(Explanation, Vec<Stretch>), EngineError> {
        explain_by_day(&self.derive_input(&AllTables(self))?, case_id, service_level_id)
    }

    /// What a derivation may see, reading through `tables`.
    pub(crate) fn derive_input<'a>(
        &'a self,
        tables: &'a dyn TableBatches,
    ) -> Result<DeriveInput<'a>, EngineError> {
        let (period_start_us, period_end_us) = self.view.period.bounds_us(&self.view.zone)?;
        Ok(DeriveInput {
            tables,
            as_of_us: self.view.as_of_us,
            period_start_us,
            period_end_us,
            period_first: self.view.period.first,
            period_after: self.view.period.after,
            arrangement_id: &self.view.arrangement_id,
            zone: &self.view.zone,
            supposed_calendar: self.supposed_calendar.as_ref(),
        })
    }

    fn derive(&self, derivation: &dyn Derivation) -> Result<Vec<RecordBatch>, EngineError> {
        let reader = DeclaredTables { session: self, derivation };
        let rows = derivation.derive(&self.derive_input(&reader)?)?;
        let schema = derivation.schema();
        for batch in &rows {
            if batch.schema().fields() != schema.fields() {
                let message = "its rows do not have the columns that it declares";
                return Err(EngineError::derivation(derivation.name(), message));
            }
        }
        Ok(rows)
    }
}

/// The tables that a derivation declares, and no other.
struct DeclaredTables<'a> {
    session: &'a Session,
    derivation: &'a dyn Derivation,
}

impl DeclaredTables<'_> {
    fn check(&self, table: &str) -> Result<(), EngineError> {
        let declared = self.derivation.reads().iter().chain(self.derivation.consults());
        if !declared.into_iter().any(|name| *name == table) {
            return Err(EngineError::UndeclaredRead {
                derivation: self.derivation.name().to_owned(),
                table: table.to_owned(),
            });
        }
        Ok(())
    }
}

impl TableBatches for DeclaredTables<'_> {
    fn batches(&self, table: &str) -> Result<Vec<RecordBatch>, EngineError> {
        self.check(table)?;
        self.session.batches(table)
    }

    fn each(
        &self,
        table: &str,
        columns: &[&str],
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.check(table)?;
        self.session.each(table, columns, take)
    }
}

/// Any table, for explanations asked for by a person.
pub(crate) struct AllTables<'a>(pub &'a Session);

impl TableBatches for AllTables<'_> {
    fn batches(&self, table: &str) -> Result<Vec<RecordBatch>, EngineError> {
        self.0.batches(table)
    }

    fn each(
        &self,
        table: &str,
        columns: &[&str],
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.0.each(table, columns, take)
    }
}
