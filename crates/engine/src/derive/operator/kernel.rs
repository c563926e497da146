//! The clock of one case under one service level, for the case in which nothing is missing: the same
//! rules as [`super::super::clock`], on numbers. Owns nothing but speed: whatever is unusual (a gap, a
//! clock that has not started, terms that judge nobody) it hands back, and the plain path answers. A
//! property test compares the two, column by column.

use super::{
    code::{CalendarCode, CalendarPlace, Code, LevelCode, Route, Stay},
    log::NEVER,
    symbol::{NONE, Symbol, Symbols},
};
use crate::derive::{
    clock_word::{Outcome, Run},
    terms::{ClockStart, CountsIn, Metric, Terms},
};

/// The events of one case in order. Columns without any value are empty.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Events<'a> {
    pub at: &'a [i64],
    pub opened: &'a [i64],
    pub state: &'a [Symbol],
    pub team: &'a [Symbol],
    pub site: &'a [Symbol],
    pub priority: &'a [Symbol],
    pub case_type: &'a [Symbol],
    pub activity: &'a [Symbol],
    pub person: &'a [bool],
    pub refs: &'a [i64],
}

/// What a column says of a row.
#[inline]
pub(super) fn word(column: &[Symbol], row: usize) -> Symbol {
    column.get(row).copied().unwrap_or(NONE)
}

impl Events<'_> {
    #[inline]
    fn at(&self, row: usize) -> i64 {
        self.at.get(row).copied().unwrap_or(NEVER)
    }

    fn last(&self, column: &[Symbol]) -> Symbol {
        column.iter().rev().copied().find(|word| *word != NONE).unwrap_or(NONE)
    }

    fn first(&self, column: &[Symbol]) -> Symbol {
        column.iter().copied().find(|word| *word != NONE).unwrap_or(NONE)
    }

    fn assigned_us(&self) -> Option<i64> {
        let to_team = self.team.iter().position(|team| *team != NONE);
        let row = to_team.or_else(|| self.person.iter().position(|named| *named))?;
        Some(self.at(row))
    }
}

/// A segment, with words as numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub start_us: i64,
    pub end_us: i64,
    pub is_open: bool,
    pub state: Symbol,
    pub team: Symbol,
    pub priority: Symbol,
    pub site: Symbol,
    pub calendar: Symbol,
    pub run: Run,
    pub working_us: Option<i64>,
    pub paused_us: Option<i64>,
    pub elapsed_us: Option<i64>,
    pub row_ref: i64,
}

/// What is the same on every segment of a case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub opened_us: i64,
    pub started_us: Option<i64>,
    pub closed_us: Option<i64>,
    pub total_us: Option<i64>,
    pub due_us: Option<i64>,
    pub counted_us: Option<i64>,
    pub outcome: Outcome,
}

/// An answer of the quick path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// The service level does not apply.
    Elsewhere,
    /// The plain path must say.
    Unusual,
    /// The segments are in the list that was handed in; the version has this place.
    Known(Head, usize),
}

/// What all cases share, and the routes that this thread has met.
pub(super) struct Kernel<'a> {
    terms: &'a Terms,
    symbols: &'a Symbols,
    code: &'a Code,
    calendars: Vec<CalendarPlace<'a>>,
    as_of_us: i64,
    routes: Vec<Option<((Symbol, Symbol), Route)>>,
    /// Working time before the instant asked about last, by one calendar.
    worked: Option<(usize, i64, i64)>,
}

/// Routes kept at hand.
const ROUTES: usize = 256;

/// State, team, site and priority from an event on.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    state: Symbol,
    team: Symbol,
    site: Symbol,
    priority: Symbol,
}

impl Standing {
    #[inline]
    fn after(&mut self, events: &Events<'_>, row: usize) {
        let or = |new: Symbol, held: Symbol| if new == NONE { held } else { new };
        self.state = or(word(events.state, row), self.state);
        self.priority = or(word(events.priority, row), self.priority);
        let team = word(events.team, row);
        if team != NONE {
            self.team = team;
            // A new team answers for the case, unless the event itself names another site.
            self.site = NONE;
        }
        self.site = or(word(events.site, row), self.site);
    }
}

/// The case is unusual.
struct Unusual;

impl<'a> Kernel<'a> {
    pub(super) fn new(
        terms: &'a Terms,
        symbols: &'a Symbols,
        code: &'a Code,
        as_of_us: i64,
    ) -> Self {
        let calendars = code.calendars(terms);
        let routes = vec![None; ROUTES];
        Self { terms, symbols, code, calendars, as_of_us, routes, worked: None }
    }

    /// The clock of a case under the versions of one service level. `events` must hold only what
    /// happened before the instant looked at, and at least one.
    pub(super) fn clock(
        &mut self,
        versions: &[LevelCode],
        events: &Events<'_>,
        segments: &mut Vec<Segment>,
    ) -> Answer {
        segments.clear();
        let first_us = events.at(0);
        let said = events.opened.iter().rev().copied().find(|at| *at != NEVER);
        let opened_us = said.unwrap_or(first_us);
        if opened_us >= self.as_of_us {
            return Answer::Unusual;
        }
        let Some(level) = in_force(versions, events, opened_us) else { return Answer::Elsewhere };
        match applies(level, events) {
            Applies::No => return Answer::Elsewhere,
            Applies::Yes if level.is_quick => {}
            _ => return Answer::Unusual,
        }
        let started = start_us(level.starts, events, opened_us);
        let Some(started_us) = started.filter(|start| *start < self.as_of_us) else {
            return Answer::Unusual;
        };
        let mut walk = Walk {
            level,
            started_us,
            as_of_us: self.as_of_us,
            known_us: 0,
            due_us: None,
            done_us: None,
            last_calendar: None,
        };
        let walked = walk.run(self, events, segments);
        match walked.and_then(|()| walk.finish(self, opened_us, segments)) {
            Ok(head) => Answer::Known(head, level.place),
            Err(Unusual) => Answer::Unusual,
        }
    }

    fn route(&mut self, site: Symbol, team: Symbol) -> Option<&Route> {
        let place = (site.wrapping_mul(31).wrapping_add(team)) as usize % ROUTES;
        let held = self.routes.get_mut(place)?;
        if held.as_ref().is_none_or(|(known, _)| *known != (site, team)) {
            let route = self.code.route(self.terms, self.symbols, site, team);
            *held = Some(((site, team), route));
        }
        held.as_ref().map(|(_, route)| route)
    }

    fn working_us(&mut self, place: usize, start_us: i64, end_us: i64) -> Result<i64, Unusual> {
        let calendar = self.calendars.get(place).ok_or(Unusual)?;
        let Some(plain) = calendar.plain else {
            return calendar.whole.working_us(start_us, end_us).map_err(|_| Unusual);
        };
        // Most segments begin where the last one ended.
        let before = match self.worked {
            Some((known, at_us, worked)) if known == place && at_us == start_us => worked,
            _ => plain.worked_before_us(start_us).map_err(|_| Unusual)?,
        };
        let after = plain.worked_before_us(end_us).map_err(|_| Unusual)?;
        self.worked = Some((place, end_us, after));
        Ok(after - before)
    }

    fn add_working_us(&self, place: usize, start_us: i64, work_us: i64) -> Result<i64, Unusual> {
        let calendar = self.calendars.get(place).ok_or(Unusual)?;
        match calendar.plain {
            Some(plain) => plain.add_working_us(start_us, work_us).map_err(|_| Unusual),
            None => calendar.whole.add_working_us(start_us, work_us).map_err(|_| Unusual),
        }
    }
}

/// The version in force when its own clock starts; when none is, the one at the opening.
fn in_force<'l>(
    versions: &'l [LevelCode],
    events: &Events<'_>,
    opened_us: i64,
) -> Option<&'l LevelCode> {
    let holds = |level: &&LevelCode| {
        let start = start_us(level.starts, events, opened_us).unwrap_or(opened_us);
        level.from_us <= start && start < level.until_us
    };
    let begun = || versions.iter().rev().find(|level| level.from_us <= opened_us);
    versions.iter().rev().find(holds).or_else(|| begun().filter(|l| opened_us < l.until_us))
}

/// Whether a service level applies to a case.
enum Applies {
    Yes,
    No,
    /// The case does not say what decides that.
    Unsaid,
}

fn applies(level: &LevelCode, events: &Events<'_>) -> Applies {
    let mut answer = Applies::Yes;
    if !level.case_types.is_empty() {
        match events.last(events.case_type) {
            NONE => answer = Applies::Unsaid,
            found if level.case_types.holds(found) => {}
            _ => return Applies::No,
        }
    }
    if !level.priorities.is_empty() {
        let found = if level.first_priority {
            events.first(events.priority)
        } else {
            events.last(events.priority)
        };
        match found {
            NONE => answer = Applies::Unsaid,
            found if level.priorities.holds(found) => {}
            _ => return Applies::No,
        }
    }
    answer
}

fn start_us(starts: ClockStart, events: &Events<'_>, opened_us: i64) -> Option<i64> {
    match starts {
        ClockStart::Opened => Some(opened_us),
        ClockStart::FirstEvent => Some(events.at(0)),
        ClockStart::Assigned => events.assigned_us(),
    }
}

struct Walk<'l> {
    level: &'l LevelCode,
    started_us: i64,
    as_of_us: i64,
    known_us: i64,
    due_us: Option<i64>,
    done_us: Option<i64>,
    last_calendar: Option<usize>,
}

/// What is the same of every piece of the time between two events.
#[derive(Clone, Copy)]
struct Between {
    standing: Standing,
    row_ref: i64,
    stops: bool,
}

impl Walk<'_> {
    fn run(
        &mut self,
        kernel: &mut Kernel<'_>,
        events: &Events<'_>,
        segments: &mut Vec<Segment>,
    ) -> Result<(), Unusual> {
        let mut standing = Standing::default();
        let first_us = events.at(0);
        let row_ref = |row: usize| events.refs.get(row).copied().unwrap_or_default();
        if self.started_us < first_us {
            // Open before its first event: nobody saw the state, the first event tells the rest.
            standing.after(events, 0);
            standing.state = NONE;
            let unseen = Between { standing, row_ref: row_ref(0), stops: false };
            self.segment(kernel, segments, (self.started_us, first_us), unseen, false)?;
        }
        let count = events.at.len();
        for row in 0..count {
            standing.after(events, row);
            let at_us = events.at(row);
            let is_last = row + 1 == count;
            let stops = self.level.stops.holds(standing.state);
            let here = Between { standing, row_ref: row_ref(row), stops };
            let end_us = match (is_last, stops) {
                (false, _) => events.at(row + 1),
                (true, true) => at_us,
                (true, false) => self.as_of_us,
            };
            let is_open = is_last && !stops;
            if self.started_us <= at_us {
                self.done_us = if stops { self.done_us.or(Some(at_us)) } else { None };
                let is_final = stops && self.level.kind == Metric::FirstResponse;
                let end_us = if is_final { at_us } else { end_us };
                self.segment(kernel, segments, (at_us, end_us), here, is_open)?;
                if is_final {
                    return Ok(());
                }
            } else if self.started_us < end_us {
                let started_us = self.started_us;
                self.segment(kernel, segments, (at_us, started_us), here, false)?;
                self.segment(kernel, segments, (started_us, end_us), here, is_open)?;
                self.done_us = stops.then_some(started_us);
            } else {
                self.segment(kernel, segments, (at_us, end_us), here, is_open)?;
                self.done_us = if stops { self.done_us.or(Some(at_us)) } else { None };
            }
        }
        Ok(())
    }

    /// Adds the time between two instants, cut where the registers hand it to another site or calendar.
    fn segment(
        &mut self,
        kernel: &mut Kernel<'_>,
        segments: &mut Vec<Segment>,
        (mut start_us, end_us): (i64, i64),
        between: Between,
        is_open: bool,
    ) -> Result<(), Unusual> {
        let Between { standing: Standing { site, team, .. }, stops, .. } = between;
        let route = kernel.route(site, team).ok_or(Unusual)?;
        if let [only] = route.as_slice() {
            let only = *only;
            return self.stretch(kernel, segments, (start_us, end_us), between, only, is_open);
        }
        let route = route.clone();
        let place = route.iter().position(|stay| start_us < stay.until_us).ok_or(Unusual)?;
        let mut stays = route.iter().skip(place).copied();
        let mut stay = stays.next().ok_or(Unusual)?;
        while !stops && stay.until_us < end_us {
            self.stretch(kernel, segments, (start_us, stay.until_us), between, stay, false)?;
            start_us = stay.until_us;
            stay = stays.next().ok_or(Unusual)?;
        }
        self.stretch(kernel, segments, (start_us, end_us), between, stay, is_open)
    }

    fn stretch(
        &mut self,
        kernel: &mut Kernel<'_>,
        segments: &mut Vec<Segment>,
        (start_us, end_us): (i64, i64),
        between: Between,
        stay: Stay,
        is_open: bool,
    ) -> Result<(), Unusual> {
        let Between { standing, row_ref, stops } = between;
        let calendar = self.level.calendar.unwrap_or(stay.calendar);
        let run = if start_us < self.started_us || stops {
            Run::Stopped
        } else if self.level.pauses.holds(standing.state) {
            Run::Paused
        } else {
            Run::Running
        };
        let mut segment = Segment {
            start_us,
            end_us,
            is_open,
            state: standing.state,
            team: standing.team,
            priority: standing.priority,
            site: stay.site,
            calendar: calendar.id,
            run,
            working_us: Some(0),
            paused_us: Some(0),
            elapsed_us: None,
            row_ref,
        };
        if run != Run::Stopped {
            let is_known = stay.is_known || self.level.calendar.is_some();
            let place = calendar.place.filter(|_| is_known).ok_or(Unusual)?;
            let worked_us =
                if start_us < end_us { kernel.working_us(place, start_us, end_us)? } else { 0 };
            if run == Run::Paused {
                segment.paused_us = Some(worked_us);
            } else {
                segment.working_us = Some(worked_us);
                self.reach(kernel, place, start_us, worked_us)?;
                self.known_us += worked_us;
            }
            self.last_calendar = Some(place);
        }
        segment.elapsed_us = Some(self.known_us);
        segments.push(segment);
        Ok(())
    }

    /// Notes the deadline when the threshold is reached in a segment.
    fn reach(
        &mut self,
        kernel: &Kernel<'_>,
        place: usize,
        start_us: i64,
        working_us: i64,
    ) -> Result<(), Unusual> {
        let Some(threshold) = self.level.threshold_us else { return Ok(()) };
        if self.due_us.is_none() && self.known_us + working_us >= threshold {
            let left = threshold - self.known_us;
            self.due_us = Some(kernel.add_working_us(place, start_us, left)?);
        }
        Ok(())
    }

    /// Works out deadline and outcome from the segments.
    fn finish(
        &mut self,
        kernel: &Kernel<'_>,
        opened_us: i64,
        segments: &[Segment],
    ) -> Result<Head, Unusual> {
        if self.due_us.is_none()
            && let Some(threshold) = self.level.threshold_us
        {
            let from_us = self.done_us.unwrap_or(self.as_of_us).max(self.started_us);
            let place = match self.last_calendar {
                Some(place) => place,
                None => {
                    let last = segments.last().map_or(NONE, |segment| segment.calendar);
                    let word = kernel.symbols.word(last).ok_or(Unusual)?;
                    let CalendarCode { place, .. } = kernel.code.calendar(kernel.symbols, &word);
                    place.ok_or(Unusual)?
                }
            };
            let left = threshold - self.known_us;
            self.due_us = Some(kernel.add_working_us(place, from_us, left)?);
        }
        let opened_late = self.level.kind.judges()
            && self.level.starts == ClockStart::Opened
            && self.done_us.is_some_and(|done| done < self.started_us);
        if opened_late {
            return Err(Unusual);
        }
        let exceeded = self.level.threshold_us.is_some_and(|threshold| self.known_us > threshold);
        let outcome = match (self.done_us, self.due_us) {
            (Some(_), _) if exceeded => Outcome::Missed,
            (Some(_), _) => Outcome::Met,
            (None, Some(due)) if due < self.as_of_us => Outcome::Overdue,
            (None, _) => Outcome::Open,
        };
        let counted_us = match self.level.counts_in {
            CountsIn::Opened => Some(opened_us),
            CountsIn::Closed => self.done_us,
            CountsIn::Due => self.due_us,
        };
        Ok(Head {
            opened_us,
            started_us: Some(self.started_us),
            closed_us: self.done_us,
            total_us: Some(self.known_us),
            due_us: self.due_us,
            counted_us,
            outcome,
        })
    }
}
