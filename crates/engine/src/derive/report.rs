//! What the provider reported, beside what we find: for each case what our terms and the provider's
//! stated choices make of it.
//!
//! Owns where a reported row belongs and which choices it states; it must never decide who is right.
//!
//! - A row without a period falls where the service level puts its case by our terms. When that is
//!   nowhere (unknown, not due yet, a gap) the row is unplaced.
//! - Of several reports of one source for one window, only the one handed over last counts; reports
//!   of different sources stand together.
//! - Stated choices of a case's own row come before those of the window's aggregate row, and those
//!   before what all case rows of the window state alike. A case without a row is judged by the
//!   window's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    DeriveInput,
    case::{self, Case},
    clock::{self, CaseClock, Choice, Outcome},
    report_row::{ReportRow, Reported, Reports, Stated, read},
    terms::{Metric, ServiceLevel, Terms, Versions},
};
use crate::{error::EngineError, period::Period};

/// What terms make of a case, without its segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Outcome.
    pub outcome: Outcome,
    /// Instant that puts it into a window.
    pub counted_us: Option<i64>,
    /// Opening, and end or now: where a gap may count.
    pub life_us: (i64, i64),
    /// Whether an accepted exclusion leaves it out.
    pub excluded: bool,
    /// Whether it is done.
    pub done: bool,
    /// Whether its working time so far is at most the threshold.
    pub within: bool,
}

/// Where a case stands in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Counted, and whether it is met.
    Counted(bool),
    /// Would count, but is left out; whether it would be met.
    Excluded(bool),
    /// May count, but cannot be judged.
    Gap,
    /// Not decided yet: open and not due.
    Pending,
    /// Counts in another window, or in none.
    Elsewhere,
}

impl Finding {
    fn of(clock: &CaseClock<'_>, as_of_us: i64) -> Self {
        Self {
            outcome: clock.outcome,
            counted_us: clock.counted_us,
            life_us: (clock.opened_us, clock.closed_us.unwrap_or(as_of_us)),
            excluded: clock.excluded.is_some(),
            done: clock.closed_us.is_some(),
            within: clock.is_within(),
        }
    }

    /// Where it stands between two instants, by a metric other than backlog age.
    #[must_use]
    pub fn standing(&self, metric: Metric, (from_us, until_us): (i64, i64)) -> Standing {
        let here = self
            .counted_us
            .map_or(self.outcome == Outcome::Gap && self.touches(from_us, until_us), |at| {
                from_us <= at && at < until_us
            });
        if !here {
            return match self.outcome {
                Outcome::Open => Standing::Pending,
                _ => Standing::Elsewhere,
            };
        }
        let met = match self.outcome {
            _ if metric == Metric::Volume && self.outcome != Outcome::Gap => true,
            Outcome::Met => true,
            Outcome::Missed | Outcome::Overdue => false,
            Outcome::Gap if self.excluded => return Standing::Excluded(false),
            Outcome::Gap => return Standing::Gap,
            Outcome::Open => return Standing::Pending,
        };
        if self.excluded { Standing::Excluded(met) } else { Standing::Counted(met) }
    }

    /// Whether it is met, whatever the window.
    #[must_use]
    pub fn met(&self) -> bool {
        matches!(self.outcome, Outcome::Met | Outcome::Open)
    }

    fn touches(&self, from_us: i64, until_us: i64) -> bool {
        self.life_us.0 < until_us && self.life_us.1 >= from_us
    }
}

/// One case of a comparison: ours, with the stated clock, with the stated calendar as well.
#[derive(Debug, Clone, Copy)]
pub struct Views {
    /// By the contract.
    pub ours: Option<Finding>,
    /// With the provider's start and pauses.
    pub clock: Option<Finding>,
    /// With its calendar, too.
    pub calendar: Option<Finding>,
}

/// Everything that ladder and case table need of one service level.
pub struct Comparison<'a> {
    /// Id.
    pub id: &'a Arc<str>,
    versions: &'a Versions<ServiceLevel>,
    terms: &'a Terms,
    cases: &'a [Case],
    /// The provider's rows.
    pub reports: &'a Reports,
    as_of_us: i64,
    zone: &'a str,
    /// By our terms at the end of the period.
    findings: BTreeMap<Arc<str>, Finding>,
}

/// One window of a comparison.
pub struct Side<'a> {
    /// The window.
    pub window: Period,
    /// Its instants.
    pub bounds_us: (i64, i64),
    /// Terms in force at its end.
    pub level: &'a ServiceLevel,
    /// Views by case.
    pub views: BTreeMap<Arc<str>, Views>,
    /// Rows that belong here, by case.
    pub listed: BTreeMap<Arc<str>, Vec<&'a ReportRow>>,
    /// Rows of cases that do not move with a recomputation: they came without a period.
    pub floating: BTreeSet<Arc<str>>,
    /// Whether cases are listed for the window at all.
    pub has_list: bool,
    /// Choices stated for the window.
    pub stated: Stated,
}

impl<'a> Comparison<'a> {
    /// Sets ours beside the provider's for one service level.
    #[must_use]
    pub fn new(
        id: &'a Arc<str>,
        versions: &'a Versions<ServiceLevel>,
        terms: &'a Terms,
        cases: &'a [Case],
        reports: &'a Reports,
        input: &DeriveInput<'a>,
    ) -> Self {
        let mut comparison = Self {
            id,
            versions,
            terms,
            cases,
            reports,
            as_of_us: input.as_of_us,
            zone: input.zone,
            findings: BTreeMap::new(),
        };
        comparison.findings = comparison.findings_at(input.as_of_us);
        comparison
    }

    fn case(&self, case_id: &str) -> Option<&'a Case> {
        let found = self.cases.binary_search_by(|case| case.id.as_ref().cmp(case_id));
        found.ok().and_then(|place| self.cases.get(place))
    }

    /// The first rejected row of a case.
    #[must_use]
    pub fn quarantined(&self, case_id: &str) -> Option<i64> {
        self.terms.quarantined(case_id)
    }

    /// Whether the calendar stated is one that we know.
    #[must_use]
    pub fn knows_calendar(&self, id: &Arc<str>) -> bool {
        self.terms.calendar(id).is_ok()
    }

    /// The civil day of an instant in the arrangement's zone.
    #[must_use]
    pub fn day(&self, at_us: i64) -> Option<jiff::civil::Date> {
        crate::period::day_of_us(self.zone, at_us).ok()
    }

    /// What is found of a case by the contract, whatever the window.
    #[must_use]
    pub fn finding(&self, case_id: &str) -> Option<Finding> {
        self.findings.get(case_id).copied()
    }

    /// What our terms make of every case.
    fn findings_at(&self, as_of_us: i64) -> BTreeMap<Arc<str>, Finding> {
        let find = |case: &'a Case| {
            let clock =
                clock::case_clock(self.terms, self.versions, case, as_of_us, &Choice::default())?;
            Some((case.id.clone(), Finding::of(&clock, as_of_us)))
        };
        self.cases.iter().filter_map(find).collect()
    }

    /// Ours, and what the provider's stated choices make of the cases that may count in a window.
    fn views_in(
        &self,
        window: Period,
        until_us: i64,
        as_of_us: i64,
        findings: &BTreeMap<Arc<str>, Finding>,
    ) -> BTreeMap<Arc<str>, Views> {
        let mut views = BTreeMap::new();
        for (id, ours) in findings {
            let mut view = Views { ours: Some(*ours), clock: Some(*ours), calendar: Some(*ours) };
            let stated = self.stated_for(id, window);
            let states = stated.states_clock() || stated.calendar.is_some();
            let case = self.case(id).filter(|_| states && ours.life_us.0 < until_us);
            if let Some(case) = case {
                let clock = |choice: &Choice<'_>| {
                    let clock =
                        clock::case_clock(self.terms, self.versions, case, as_of_us, choice)?;
                    Some(Finding::of(&clock, as_of_us))
                };
                let mut choice = Choice {
                    calendar_id: None,
                    clock_starts: stated.starts,
                    paused_states: stated.paused.as_deref(),
                };
                if stated.states_clock() {
                    view.clock = clock(&choice);
                    view.calendar = view.clock;
                }
                choice.calendar_id = stated.calendar.as_ref().filter(|id| self.knows_calendar(id));
                if choice.calendar_id.is_some() {
                    view.calendar = clock(&choice);
                }
            }
            views.insert(id.clone(), view);
        }
        views
    }

    /// The choices that the provider states for a case: its own row's, else those of the window that
    /// it is listed in, else of the window looked at.
    fn stated_for(&self, case_id: &Arc<str>, window: Period) -> Stated {
        let rows = self.reports.cases.get(case_id).map(Vec::as_slice).unwrap_or_default();
        let row = rows.iter().find(|row| row.period == Some(window)).or(rows.first());
        match row {
            Some(row) => row.stated.or(&self.reports.stated(row.period.unwrap_or(window))),
            None => self.reports.stated(window),
        }
    }

    /// The windows of the service level that end in a period.
    ///
    /// # Errors
    /// A day beyond the calendar, or an unknown zone.
    pub fn sides(&'a self, period: Period) -> Result<Vec<Side<'a>>, EngineError> {
        let mut found = Vec::new();
        for kind in Terms::windows([self.versions]) {
            for window in kind.ending_in(period)? {
                let bounds_us = window.bounds_us(self.zone)?;
                if let Some(level) = self.versions.measuring(bounds_us).filter(|level| {
                    // What a file of the workspace's own counts, no clock can take apart.
                    level.window == kind && level.metric != Metric::Own
                }) {
                    found.push(self.side(window, bounds_us, level));
                }
            }
        }
        Ok(found)
    }

    fn side(&'a self, window: Period, bounds_us: (i64, i64), level: &'a ServiceLevel) -> Side<'a> {
        let views = if level.metric == Metric::BacklogAge {
            let at_us = bounds_us.1.min(self.as_of_us);
            self.views_in(window, bounds_us.1, at_us, &self.findings_at(at_us))
        } else {
            self.views_in(window, bounds_us.1, self.as_of_us, &self.findings)
        };
        let mut side = Side {
            window,
            bounds_us,
            level,
            views,
            listed: BTreeMap::new(),
            floating: BTreeSet::new(),
            has_list: false,
            stated: self.reports.stated(window),
        };
        let within = |period: Period| window.first <= period.first && period.after <= window.after;
        for (case, rows) in &self.reports.cases {
            let floats = rows.iter().any(|row| row.period.is_none());
            let here =
                floats && matches!(side.ours(case), Standing::Counted(_) | Standing::Excluded(_));
            let own: Vec<&ReportRow> =
                rows.iter().filter(|row| row.period.map_or(here, within)).collect();
            side.has_list |= floats || !own.is_empty();
            if here {
                side.floating.insert(case.clone());
            }
            if !own.is_empty() {
                side.listed.insert(case.clone(), own);
            }
        }
        side
    }
}

impl Side<'_> {
    /// Where a case stands here by the contract.
    #[must_use]
    pub fn ours(&self, case_id: &str) -> Standing {
        self.standing(self.views.get(case_id).and_then(|views| views.ours))
    }

    /// Where a case stands here by one of its views.
    #[must_use]
    pub fn standing(&self, finding: Option<Finding>) -> Standing {
        let Some(finding) = finding else { return Standing::Elsewhere };
        if self.level.metric != Metric::BacklogAge {
            return finding.standing(self.level.metric, self.bounds_us);
        }
        // The age of what is open at the end of the window.
        if finding.done {
            return Standing::Elsewhere;
        }
        if finding.outcome == Outcome::Gap && !finding.excluded {
            return Standing::Gap;
        }
        let met = finding.within;
        if finding.excluded { Standing::Excluded(met) } else { Standing::Counted(met) }
    }

    /// How often a case is reported here as met or missed.
    #[must_use]
    pub fn times_counted(&self, case_id: &str) -> i64 {
        let rows = self.listed.get(case_id).map(Vec::as_slice).unwrap_or_default();
        let counted =
            rows.iter().filter(|row| matches!(row.outcome, Some(Reported::Met | Reported::Missed)));
        i64::try_from(counted.count()).unwrap_or(i64::MAX)
    }

    /// What is reported of a case here: the outcome most to the provider's favour.
    #[must_use]
    pub fn reported(&self, case_id: &str) -> Option<Reported> {
        self.listed.get(case_id)?.iter().filter_map(|row| row.outcome).min()
    }
}

/// Terms, cases, and reports by service level.
pub type Inputs = (Terms, Vec<Case>, BTreeMap<Arc<str>, Reports>);

/// Reads everything that a comparison needs.
///
/// # Errors
/// A table that lacks a column, or an unknown zone.
pub fn read_all(input: &DeriveInput<'_>) -> Result<Inputs, EngineError> {
    let reports = read(input)?;
    if reports.is_empty() {
        return Ok((Terms::read(input)?, Vec::new(), reports));
    }
    Ok((Terms::read(input)?, case::read(&input.tables.batches("case_event")?)?, reports))
}
