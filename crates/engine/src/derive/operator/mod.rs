//! `case_clock` worked out on demand: from the files' own codes, case by case in the order of their
//! ids, a few row groups at a time, on every core; only the columns and rows that somebody reads.
//!
//! Owns the way through the work log. What a clock says is in [`super::clock`]; [`kernel`] gives the
//! same for cases in which nothing is missing and hands all others to it. It must never hold more than
//! the row groups whose cases may still go on, nor let cores or row groups reach a value.

mod code;
mod gather;
mod kernel;
mod log;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod oracle;
mod rows;
mod sweep;
mod symbol;

use std::sync::Arc;

pub(crate) use rows::{Ask, Counted, present, schema};
pub(crate) use sweep::Sweep;

use super::{DeriveInput, terms::Terms};
use crate::{
    derive::terms::{ClockStart, ServiceLevel},
    error::EngineError,
    tables::TableRows,
};
use code::Code;
use rows::Words;
use symbol::Symbols;

/// The work log and the terms of one arrangement, ready for questions.
#[derive(Debug)]
pub(crate) struct Operator {
    events: Arc<TableRows>,
    terms: Terms,
    as_of_us: i64,
    symbols: Symbols,
    code: Code,
    words: Words,
}

impl Operator {
    /// Reads the registers; of the work log nothing is read yet.
    ///
    /// # Errors
    /// As [`Terms::read`].
    pub(crate) fn new(
        events: Arc<TableRows>,
        input: &DeriveInput<'_>,
    ) -> Result<Self, EngineError> {
        let terms = Terms::read(input)?;
        let symbols = Symbols::default();
        let code = Code::new(&terms, &symbols);
        let words = Words::new(&symbols, input.arrangement_id);
        Ok(Self { events, terms, as_of_us: input.as_of_us, symbols, code, words })
    }

    /// What of the log a question needs beside states, sites and teams.
    fn reading(&self, ask: &Ask) -> log::Reading {
        let any = |is: &dyn Fn(&ServiceLevel) -> bool| {
            let versions = self.terms.service_levels.values();
            versions.flat_map(|versions| versions.iter()).any(|(_, _, level)| is(level))
        };
        log::Reading {
            priority: ask.wants("priority") || any(&|level| !level.priorities.is_empty()),
            case_type: any(&|level| !level.case_types.is_empty()),
            activity: any(&|level| !level.update_activities.is_empty()),
            person: any(&|level| level.clock_starts == ClockStart::Assigned),
        }
    }
}
