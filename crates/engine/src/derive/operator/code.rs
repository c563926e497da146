//! Service levels, sites and calendars with words as numbers, worked out once for millions of cases.
//! Owns this second form of [`Terms`]; it must never say anything that they do not.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use backstay_calendar::Calendar;

use super::symbol::{NONE, Symbol, SymbolSet, Symbols};
use crate::derive::{
    terms::{ClockStart, CountsIn, Metric, ServiceLevel, Terms},
    worktime::WorkCalendar,
};

/// One version of a service level.
#[derive(Debug)]
pub(super) struct LevelCode {
    /// Its place among the versions of the service level.
    pub place: usize,
    pub id: Symbol,
    pub metric: Symbol,
    pub kind: Metric,
    pub from_us: i64,
    pub until_us: i64,
    pub starts: ClockStart,
    pub counts_in: CountsIn,
    pub stops: SymbolSet,
    pub pauses: SymbolSet,
    pub priorities: SymbolSet,
    pub case_types: SymbolSet,
    pub first_priority: bool,
    pub threshold_us: Option<i64>,
    pub row_ref: i64,
    /// The one calendar that counts, whatever the site.
    pub calendar: Option<CalendarCode>,
    /// Whether a quick answer is possible at all: what the version lacks makes every case a gap, and
    /// updates are counted by the plain path.
    pub is_quick: bool,
}

/// A calendar: its id and, when it exists, its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CalendarCode {
    pub id: Symbol,
    pub place: Option<usize>,
}

/// Which site and calendar answer from one instant to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stay {
    pub until_us: i64,
    pub site: Symbol,
    pub calendar: CalendarCode,
    /// Whether a site answers and works by a calendar.
    pub is_known: bool,
}

/// Who answers for what an event names, over time, in order.
pub(super) type Route = Arc<Vec<Stay>>;

/// A calendar as the quick path asks it.
#[derive(Debug)]
pub(super) struct CalendarPlace<'a> {
    pub whole: &'a WorkCalendar,
    /// The same, when one version without holes is all there is.
    pub plain: Option<&'a Calendar>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Code {
    /// By service level, in order of id; each in order of its versions.
    pub levels: Vec<(Arc<str>, Vec<LevelCode>)>,
    calendars: Vec<Arc<str>>,
    routes: RwLock<HashMap<(Symbol, Symbol), Route>>,
}

impl Code {
    pub(super) fn new(terms: &Terms, symbols: &Symbols) -> Self {
        let calendars: Vec<Arc<str>> = terms.calendar_ids().map(Arc::from).collect();
        let mut code = Self { levels: Vec::new(), calendars, routes: RwLock::default() };
        for (id, versions) in &terms.service_levels {
            let own = versions.iter().enumerate().map(|(place, (from, until, level))| LevelCode {
                place,
                ..code.level(terms, symbols, (*from, *until), level)
            });
            let own = own.collect();
            code.levels.push((id.clone(), own));
        }
        code
    }

    fn level(
        &self,
        terms: &Terms,
        symbols: &Symbols,
        (from_us, until_us): (i64, i64),
        level: &ServiceLevel,
    ) -> LevelCode {
        let set = |words: &[String]| SymbolSet::new(symbols, words);
        let judges = level.metric.judges();
        let defined = !judges || (!level.stop_states.is_empty() && level.threshold_us.is_some());
        LevelCode {
            place: 0,
            id: symbols.number(&level.id),
            metric: symbols.number(&level.metric_id),
            kind: level.metric,
            from_us,
            until_us,
            starts: level.clock_starts,
            counts_in: level.counts_in,
            stops: set(&level.stop_states),
            pauses: set(&level.paused_states),
            priorities: set(&level.priorities),
            case_types: set(&level.case_types),
            first_priority: level.first_priority,
            threshold_us: level.threshold_us,
            row_ref: level.row_ref,
            calendar: level.calendar_id.as_ref().map(|id| self.calendar(symbols, id)),
            is_quick: defined && level.metric != Metric::Update && terms.exclusions_known(level),
        }
    }

    pub(super) fn calendar(&self, symbols: &Symbols, id: &str) -> CalendarCode {
        let place = self.calendars.iter().position(|other| other.as_ref() == id);
        CalendarCode { id: symbols.number(id), place }
    }

    /// The calendars by place.
    pub(super) fn calendars<'a>(&self, terms: &'a Terms) -> Vec<CalendarPlace<'a>> {
        let place = |id: &Arc<str>| {
            let whole = terms.calendar(id).ok()?;
            Some(CalendarPlace { whole, plain: whole.plain() })
        };
        self.calendars.iter().filter_map(place).collect()
    }

    /// Who answers when an event names this site and this team.
    pub(super) fn route(
        &self,
        terms: &Terms,
        symbols: &Symbols,
        site: Symbol,
        team: Symbol,
    ) -> Route {
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = known.get(&(site, team)) {
            return route.clone();
        }
        drop(known);
        let route = Arc::new(self.stays(terms, symbols, site, team));
        let mut known = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        known.entry((site, team)).or_insert(route).clone()
    }

    fn stays(&self, terms: &Terms, symbols: &Symbols, site: Symbol, team: Symbol) -> Vec<Stay> {
        let (site, team) = (symbols.word(site), symbols.word(team));
        let (mut stays, mut at_us) = (Vec::new(), i64::MIN);
        loop {
            let found = terms.responsible(site.as_ref(), team.as_ref(), at_us);
            let next_us = terms.next_handover_us(site.as_ref(), team.as_ref(), at_us);
            let calendar = match found.calendar_id.as_deref() {
                Some(id) => self.calendar(symbols, id),
                None => CalendarCode { id: NONE, place: None },
            };
            stays.push(Stay {
                until_us: next_us.unwrap_or(i64::MAX),
                site: symbols.maybe(found.site_id.as_deref()),
                calendar,
                is_known: found.gap.is_none(),
            });
            match next_us {
                Some(next_us) => at_us = next_us,
                None => return stays,
            }
        }
    }
}
