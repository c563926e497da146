//! The rows of a metric counted batch by batch, without keeping them: what a figure needs of a million
//! cases is a few sums and the references. Owns the counting; it must never change what a row says.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;

use crate::{
    catalogue::Metric,
    error::EngineError,
    measure,
    outcome::{self, Kind, Outcome},
    period::Period,
    rows,
    session::{Planned, Rules, Session},
};

/// Cases of one service level in one window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub met: i64,
    pub missed: i64,
    /// Cases left out, by reason.
    pub excluded: BTreeMap<String, i64>,
    /// Cases that could not be measured, by reason.
    pub gaps: BTreeMap<String, i64>,
    /// Rows behind them; in order and each once after [`Tally::settle`].
    pub evidence: Vec<i64>,
}

impl Tally {
    fn settle(&mut self) {
        self.evidence.sort_unstable();
        self.evidence.dedup();
    }
}

/// A metric's SQL for a window, with only the columns that counting needs.
pub(crate) fn plan(
    session: &Session,
    metric: &Metric,
    window: Period,
) -> Result<Planned, EngineError> {
    let subject = subject(metric);
    let planned = session.plan(&subject, &metric.body.sql, window, Rules::Check)?;
    outcome::check_columns(Kind::Metric, &subject, planned.schema().as_arrow())?;
    let needed = ["arrangement_id", "service_level_id", "subject", "outcome", "explanation"];
    let there = planned.schema().fields().iter().any(|field| field.name() == "evidence");
    let evidence = there.then_some("evidence");
    session.narrow(&subject, &planned, &needed.into_iter().chain(evidence).collect::<Vec<_>>())
}

fn subject(metric: &Metric) -> String {
    format!("metric `{}`", metric.id)
}

/// Counts the rows of a metric in a window, by service level.
///
/// # Errors
/// SQL that fails, or rows that are not as agreed.
pub(crate) fn tally(
    session: &Session,
    metric: &Metric,
    window: Period,
) -> Result<BTreeMap<String, Tally>, EngineError> {
    let subject = subject(metric);
    let planned = plan(session, metric, window)?;
    let mut count = Count { subject: &subject, levels: Vec::new(), last: 0, seen: Vec::new() };
    session.run_each(&subject, &planned, &mut |batch| count.add(&batch))?;
    if count.may_repeat() {
        // Two cases of one hash, or one case twice: looking at the rows themselves tells, and fails.
        measure::rows_of(session, metric, window)?;
    }
    let mut found: BTreeMap<String, Tally> = count.levels.into_iter().collect();
    found.values_mut().for_each(Tally::settle);
    Ok(found)
}

struct Count<'a> {
    subject: &'a str,
    levels: Vec<(String, Tally)>,
    /// Place of the level of the last row: the next is often of the same.
    last: usize,
    /// A hash of level and subject of each row.
    seen: Vec<u64>,
}

impl Count<'_> {
    fn wrong(&self, message: String) -> EngineError {
        EngineError::Shape { subject: self.subject.to_owned(), message }
    }

    fn text(&self, batch: &RecordBatch, name: &str) -> Result<StringArray, EngineError> {
        let column = outcome::written(self.subject, batch, name)?;
        let missing = || self.wrong(format!("a row has no `{name}`"));
        column.filter(|column| column.null_count() == 0).ok_or_else(missing)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), EngineError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.text(batch, "arrangement_id")?;
        let (levels, subjects) =
            (self.text(batch, "service_level_id")?, self.text(batch, "subject")?);
        let (outcomes, explanations) =
            (self.text(batch, "outcome")?, self.text(batch, "explanation")?);
        let evidence = match batch.column_by_name("evidence") {
            Some(_) => Some(rows::integer_lists(batch, self.subject, "evidence")?),
            None => None,
        };
        self.seen.reserve(batch.num_rows());
        for row in 0..batch.num_rows() {
            let (level, word) = (levels.value(row), outcomes.value(row));
            let outcome = Outcome::parse(word).ok_or_else(|| {
                let known = "`met`, `missed`, `excluded` or `gap`";
                self.wrong(format!("outcome `{word}` is not {known}"))
            })?;
            let mut hasher = DefaultHasher::new();
            (level, subjects.value(row)).hash(&mut hasher);
            self.seen.push(hasher.finish());
            let Some(tally) = self.level(level) else { continue };
            let explanation = || explanations.value(row).to_owned();
            match outcome {
                Outcome::Met => tally.met += 1,
                Outcome::Missed => tally.missed += 1,
                Outcome::Excluded => *tally.excluded.entry(explanation()).or_insert(0) += 1,
                Outcome::Gap => *tally.gaps.entry(explanation()).or_insert(0) += 1,
            }
            let Some(lists) = evidence.as_ref().filter(|lists| lists.is_valid(row)) else {
                continue;
            };
            let bounds = lists.value_offsets().get(row).zip(lists.value_offsets().get(row + 1));
            let values = lists.values().as_primitive_opt::<Int64Type>();
            let (Some((from, to)), Some(values)) = (bounds, values) else { continue };
            let own = usize::try_from(*from).unwrap_or(0)..usize::try_from(*to).unwrap_or(0);
            if values.null_count() == 0 {
                tally.evidence.extend_from_slice(values.values().get(own).unwrap_or_default());
            } else {
                let there = own.filter(|place| values.is_valid(*place));
                tally.evidence.extend(there.map(|place| values.value(place)));
            }
        }
        Ok(())
    }

    fn level(&mut self, id: &str) -> Option<&mut Tally> {
        if self.levels.get(self.last).is_none_or(|(known, _)| known != id) {
            let place = self.levels.iter().position(|(known, _)| known == id);
            self.last = place.unwrap_or(self.levels.len());
            if place.is_none() {
                self.levels.push((id.to_owned(), Tally::default()));
            }
        }
        self.levels.get_mut(self.last).map(|(_, tally)| tally)
    }

    /// Whether a subject may have come twice under one service level.
    fn may_repeat(&self) -> bool {
        let mut seen = HashSet::with_capacity(self.seen.len());
        !self.seen.iter().all(|hash| seen.insert(*hash))
    }
}
