//! The clock of one case under one service level: segments, working time, deadline, outcome.
//!
//! Owns the arithmetic of a service level; pure over [`Terms`] and [`Case`]. It must never count
//! time that no calendar vouches for: what cannot be known is a [`Gap`], and only a miss that was
//! complete before the gap stays a miss.
//!
//! Rules
//! - Only events before the instant looked at count. An event that leaves state, team, site or
//!   priority empty leaves them as they were. A site named beats a team; a team named beats a site
//!   named earlier.
//! - Terms are those in force when the clock started. A level whose versions start the clock
//!   differently is judged by the version in force at its own start.
//! - A register row that changes midway ends a segment, for another site or calendar answers from then.
//! - A case done without any assignment known is a gap where the clock starts at the assignment, and so
//!   is one that was opened, by its source, after it was done.
//! - The clock runs from its start, except in paused states, and stands in stop states. It runs
//!   again when a case leaves a stop state; for first response the first stop is final.
//! - `done`: the first instant of the last unbroken stay in stop states. Met when the working time
//!   is at most the threshold. An open case is overdue once its deadline has passed.
//! - For update the time is that between two updates while the case is open: it begins anew with each,
//!   the longest counts, and the deadline is the first that was not kept. The event that ends the case
//!   ends the last wait.
//! - The deadline is the earliest instant at which working time reaches the threshold, pauses as
//!   they were; of a case done before, where it stood when it was done; of an open case, as if the
//!   clock ran on from now by the calendar of the site responsible last.

use std::{borrow::Cow, sync::Arc};

pub use super::clock_word::{Outcome, Run};
use super::{
    case::{Case, Event},
    terms::{ClockStart, CountsIn, Exclusion, Metric, Responsible, ServiceLevel, Terms, Versions},
    worktime::{Gap, WorkCalendar},
};

/// Time between two events, or between an event and now.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Start.
    pub start_us: i64,
    /// End (half-open).
    pub end_us: i64,
    /// Whether it runs on beyond the instant looked at.
    pub is_open: bool,
    /// State of the case; none before its first event.
    pub state: Option<Arc<str>>,
    /// Team the case is with.
    pub team: Option<Arc<str>>,
    /// Priority.
    pub priority: Option<Arc<str>>,
    /// Site responsible.
    pub site: Option<Arc<str>>,
    /// Calendar that counts.
    pub calendar: Option<Arc<str>>,
    /// What the clock does.
    pub run: Run,
    /// Working time while running; none in a gap.
    pub working_us: Option<i64>,
    /// Working time while paused, when it can be known.
    pub paused_us: Option<i64>,
    /// Working time counted so far; none from the first gap on.
    pub elapsed_us: Option<i64>,
    /// Why nothing is known.
    pub gap: Option<Gap>,
    /// Event that starts it.
    pub row_ref: i64,
}

/// The clock of one case under one service level.
#[derive(Debug, Clone)]
pub struct CaseClock<'a> {
    /// Terms that apply.
    pub level: &'a ServiceLevel,
    /// Segments in order.
    pub segments: Vec<Segment>,
    /// When the case was opened.
    pub opened_us: i64,
    /// When the clock started, if it has.
    pub started_us: Option<i64>,
    /// When it was done, if it is.
    pub closed_us: Option<i64>,
    /// Working time; none with a gap.
    pub total_us: Option<i64>,
    /// Deadline, when there is one and it can be known.
    pub due_us: Option<i64>,
    /// Instant that puts the case into a window, when it can be known.
    pub counted_us: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
    /// Reason of an accepted exclusion.
    pub excluded: Option<&'a str>,
    /// Why it is counted although somebody asked to leave it out.
    pub refused: Option<String>,
    /// Record of that request.
    pub excluded_ref: Option<i64>,
    /// First thing that is missing.
    pub gap: Option<Gap>,
}

/// Choices of somebody else, put in place of the contract's.
#[derive(Debug, Clone, Default)]
pub struct Choice<'a> {
    /// Calendar that counts, whatever the site.
    pub calendar_id: Option<&'a Arc<str>>,
    /// Start of the clock.
    pub clock_starts: Option<ClockStart>,
    /// Paused states.
    pub paused_states: Option<&'a [String]>,
}

impl Choice<'_> {
    fn is_none(&self) -> bool {
        self.calendar_id.is_none() && self.clock_starts.is_none() && self.paused_states.is_none()
    }
}

/// The clock of a case under the versions of one service level, as of an instant. None when the
/// service level does not apply to the case, or the case does not exist yet.
#[must_use]
pub fn case_clock<'a>(
    terms: &'a Terms,
    versions: &'a Versions<ServiceLevel>,
    case: &Case,
    as_of_us: i64,
    choice: &Choice<'_>,
) -> Option<CaseClock<'a>> {
    let events = case.events_before(as_of_us);
    let first = events.first()?;
    let said_us = events.iter().rev().find_map(|event| event.opened_us).unwrap_or(first.at_us);
    // A case with events that is to be opened later contradicts itself; it must not vanish.
    let contradicts = said_us >= as_of_us;
    let opened_us = if contradicts { first.at_us } else { said_us };
    let level = level_in_force(versions, events, opened_us)?;
    let applies = applies(level, events)?;
    let chosen = chosen_terms(level, choice);
    let started_us =
        start_us(chosen.clock_starts, events, opened_us).filter(|start| *start < as_of_us);
    let mut walk = Walk::new(terms, &chosen, started_us, as_of_us);
    walk.run(events);
    let mut clock = walk.finish(level, opened_us);
    match terms.exclusion(level, &case.id, clock.counted_us) {
        Some(Exclusion::Accepted { reason, row_ref }) => {
            clock.excluded = Some(reason);
            clock.excluded_ref = Some(row_ref);
        }
        Some(Exclusion::Refused { why, row_ref }) => {
            clock.refused = Some(why);
            clock.excluded_ref = Some(row_ref);
        }
        None => {}
    }
    if contradicts {
        clock.lose(Gap::OpenedAfterEvents);
    } else if let Err(gap) = applies {
        clock.lose(gap);
    } else if !terms.exclusions_known(level) {
        clock.lose(Gap::ExclusionsUnknown);
    }
    Some(clock)
}

impl CaseClock<'_> {
    fn lose(&mut self, gap: Gap) {
        self.outcome = Outcome::Gap;
        self.gap = Some(gap);
    }

    /// Whether the working time counted so far is known and at most the threshold.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.total_us
            .zip(self.level.threshold_us)
            .is_some_and(|(total, threshold)| total <= threshold)
    }
}

/// The version in force when its own clock starts; when none is (the start lies before all), none.
fn level_in_force<'a>(
    versions: &'a Versions<ServiceLevel>,
    events: &[Event],
    opened_us: i64,
) -> Option<&'a ServiceLevel> {
    let own_start =
        |level: &ServiceLevel| start_us(level.clock_starts, events, opened_us).unwrap_or(opened_us);
    let holds = |(from, until, level): &&(i64, i64, ServiceLevel)| {
        let start = own_start(level);
        *from <= start && start < *until
    };
    let own = versions.iter().filter(holds).last().map(|(_, _, level)| level);
    own.or_else(|| versions.at(opened_us))
}

/// Whether the service level applies; an error when the case does not say what decides that.
fn applies(level: &ServiceLevel, events: &[Event]) -> Option<Result<(), Gap>> {
    let last_type = events.iter().rev().find_map(|event| event.case_type.as_deref());
    let mut outcome = Ok(());
    if !level.case_types.is_empty() {
        match last_type {
            Some(found) if level.case_types.iter().any(|wanted| wanted == found) => {}
            Some(_) => return None,
            None => outcome = Err(Gap::NoCaseType),
        }
    }
    if !level.priorities.is_empty() {
        let priority = |event: &Event| event.priority.clone();
        let found = if level.first_priority {
            events.iter().find_map(priority)
        } else {
            events.iter().rev().find_map(priority)
        };
        match found {
            Some(found) if level.priorities.iter().any(|wanted| **wanted == *found) => {}
            Some(_) => return None,
            None => outcome = Err(Gap::NoPriority),
        }
    }
    Some(outcome)
}

fn chosen_terms<'a>(level: &'a ServiceLevel, choice: &Choice<'_>) -> Cow<'a, ServiceLevel> {
    if choice.is_none() {
        return Cow::Borrowed(level);
    }
    let mut level = level.clone();
    if let Some(calendar) = choice.calendar_id {
        level.calendar_id = Some(calendar.clone());
    }
    level.clock_starts = choice.clock_starts.unwrap_or(level.clock_starts);
    if let Some(paused) = choice.paused_states {
        level.paused_states = paused.to_vec();
    }
    Cow::Owned(level)
}

fn start_us(starts: ClockStart, events: &[Event], opened_us: i64) -> Option<i64> {
    match starts {
        ClockStart::Opened => Some(opened_us),
        ClockStart::FirstEvent => events.first().map(|event| event.at_us),
        ClockStart::Assigned => {
            let to_team = events.iter().find(|event| event.team.is_some());
            to_team
                .or_else(|| events.iter().find(|event| event.has_person))
                .map(|event| event.at_us)
        }
    }
}

/// What an event leaves in force until the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub state: Option<Arc<str>>,
    pub team: Option<Arc<str>>,
    /// Site named by an event since the team took over.
    pub site: Option<Arc<str>>,
    priority: Option<Arc<str>>,
}

impl Standing {
    pub fn after(&mut self, event: &Event) {
        if event.state.is_some() {
            self.state.clone_from(&event.state);
        }
        if event.priority.is_some() {
            self.priority.clone_from(&event.priority);
        }
        if event.team.is_some() {
            self.team.clone_from(&event.team);
            // A new team answers for the case, unless the event itself names another site.
            self.site = None;
        }
        if event.site.is_some() {
            self.site.clone_from(&event.site);
        }
    }
}

struct Walk<'t, 'l> {
    terms: &'t Terms,
    level: &'l ServiceLevel,
    started_us: Option<i64>,
    as_of_us: i64,
    segments: Vec<Segment>,
    /// Working time known to have run, gaps left out; for update: since the last update.
    known_us: i64,
    /// For update: the longest time between two updates before the last.
    longest_us: i64,
    gap: Option<Gap>,
    due_us: Option<i64>,
    done_us: Option<i64>,
    /// Calendar of the last segment in which the case was being worked on.
    last_calendar: Option<Result<&'t WorkCalendar, Gap>>,
}

impl<'t, 'l> Walk<'t, 'l> {
    fn new(
        terms: &'t Terms,
        level: &'l ServiceLevel,
        started_us: Option<i64>,
        as_of_us: i64,
    ) -> Self {
        Self {
            terms,
            level,
            started_us,
            as_of_us,
            segments: Vec::new(),
            known_us: 0,
            longest_us: 0,
            gap: None,
            due_us: None,
            done_us: None,
            last_calendar: None,
        }
    }

    fn run(&mut self, events: &[Event]) {
        let mut standing = Standing::default();
        if let (Some(start), Some(first)) = (self.started_us, events.first())
            && start < first.at_us
        {
            // Open before its first event: nobody saw the state, the first event tells the rest.
            standing.after(first);
            standing.state = None;
            self.segment(start, first.at_us, &standing, first.row_ref, false);
        }
        let mut next = events.iter().skip(1);
        for event in events {
            standing.after(event);
            let following = next.next().map(|event| event.at_us);
            let stops = self.stops(standing.state.as_ref());
            if self.level.metric == Metric::Update && !stops && self.updates(event) {
                self.restart(event.at_us);
            }
            if !self.advance(event, following, &standing, stops) {
                break;
            }
        }
    }

    /// Whether an event is an update; the one that ends a case ends the last wait, and is none.
    fn updates(&self, event: &Event) -> bool {
        let wanted = &self.level.update_activities;
        let named = |activity: &Arc<str>| wanted.iter().any(|word| **word == **activity);
        wanted.is_empty() || event.activity.as_ref().is_some_and(named)
    }

    /// Ends a wait for an update. A deadline that was kept is no deadline any more.
    fn restart(&mut self, at_us: i64) {
        if self.started_us.is_none_or(|start| at_us < start) {
            return;
        }
        if !self.exceeded() {
            self.due_us = None;
        }
        self.longest_us = self.longest_us.max(self.known_us);
        self.known_us = 0;
    }

    /// The time that is held against the threshold.
    fn used_us(&self) -> i64 {
        self.known_us.max(self.longest_us)
    }

    /// Adds the segments from an event to the next; false when the clock has stopped for good.
    fn advance(
        &mut self,
        event: &Event,
        following: Option<i64>,
        standing: &Standing,
        stops: bool,
    ) -> bool {
        let is_last = following.is_none();
        let end = following.unwrap_or(if stops { event.at_us } else { self.as_of_us });
        match self.started_us {
            Some(start) if start <= event.at_us => {
                self.done_us = if stops { self.done_us.or(Some(event.at_us)) } else { None };
                let final_stop = stops && self.level.metric == Metric::FirstResponse;
                let end = if final_stop { event.at_us } else { end };
                self.segment(event.at_us, end, standing, event.row_ref, is_last && !stops);
                !final_stop
            }
            Some(start) if start < end => {
                self.segment(event.at_us, start, standing, event.row_ref, false);
                self.segment(start, end, standing, event.row_ref, is_last && !stops);
                self.done_us = stops.then_some(start);
                true
            }
            _ => {
                self.segment(event.at_us, end, standing, event.row_ref, is_last && !stops);
                // Done before the clock was to start: it never ran.
                self.done_us = if stops { self.done_us.or(Some(event.at_us)) } else { None };
                true
            }
        }
    }

    fn stops(&self, state: Option<&Arc<str>>) -> bool {
        state.is_some_and(|state| self.level.stop_states.iter().any(|stop| **stop == **state))
    }

    /// Adds the time between two instants, cut where the registers hand it to another site or calendar.
    fn segment(
        &mut self,
        mut start_us: i64,
        end_us: i64,
        standing: &Standing,
        row_ref: i64,
        is_open: bool,
    ) {
        let (site, team) = (standing.site.as_ref(), standing.team.as_ref());
        if !self.stops(standing.state.as_ref()) {
            while let Some(cut_us) =
                self.terms.next_handover_us(site, team, start_us).filter(|cut_us| *cut_us < end_us)
            {
                self.stretch(start_us, cut_us, standing, row_ref, false);
                start_us = cut_us;
            }
        }
        self.stretch(start_us, end_us, standing, row_ref, is_open);
    }

    fn stretch(
        &mut self,
        start_us: i64,
        end_us: i64,
        standing: &Standing,
        row_ref: i64,
        is_open: bool,
    ) {
        let terms = self.terms;
        let mut responsible =
            terms.responsible(standing.site.as_ref(), standing.team.as_ref(), start_us);
        if let Some(calendar) = &self.level.calendar_id {
            responsible = Responsible {
                site_id: responsible.site_id,
                calendar_id: Some(calendar.clone()),
                gap: None,
            };
        }
        let state = standing.state.as_ref();
        let before = self.started_us.is_none_or(|start| start_us < start);
        let paused =
            state.is_some_and(|state| self.level.paused_states.iter().any(|p| **p == **state));
        let run = if before || self.stops(state) {
            Run::Stopped
        } else if paused {
            Run::Paused
        } else {
            Run::Running
        };
        let mut segment = Segment {
            start_us,
            end_us,
            is_open,
            state: standing.state.clone(),
            team: standing.team.clone(),
            priority: standing.priority.clone(),
            site: responsible.site_id,
            calendar: responsible.calendar_id,
            run,
            working_us: Some(0),
            paused_us: Some(0),
            elapsed_us: None,
            gap: None,
            row_ref,
        };
        if run != Run::Stopped {
            let calendar = match (responsible.gap, &segment.calendar) {
                (Some(gap), _) => Err(gap),
                (None, Some(id)) => terms.calendar(id),
                (None, None) => Err(Gap::NoSite),
            };
            self.count(&mut segment, calendar);
        }
        segment.elapsed_us = self.gap.is_none().then_some(self.known_us);
        self.segments.push(segment);
    }

    fn count(&mut self, segment: &mut Segment, calendar: Result<&'t WorkCalendar, Gap>) {
        let (start_us, end_us) = (segment.start_us, segment.end_us);
        let measured = if start_us < end_us {
            calendar.clone().and_then(|calendar| calendar.working_us(start_us, end_us))
        } else {
            Ok(0)
        };
        if segment.run == Run::Paused {
            segment.paused_us = measured.ok();
        } else {
            match measured {
                Ok(working) => {
                    segment.working_us = Some(working);
                    self.reach(start_us, working, calendar.as_ref().ok().copied());
                    self.known_us += working;
                }
                Err(gap) => {
                    segment.run = Run::Gap;
                    segment.working_us = None;
                    segment.gap = Some(gap.clone());
                    self.gap.get_or_insert(gap);
                }
            }
        }
        self.last_calendar = Some(calendar);
    }

    /// Notes the deadline when the threshold is reached in a segment, unless a gap lies before it.
    fn reach(&mut self, start_us: i64, working_us: i64, calendar: Option<&WorkCalendar>) {
        let Some(threshold) = self.level.threshold_us else { return };
        if self.due_us.is_none() && self.gap.is_none() && self.known_us + working_us >= threshold {
            let left = threshold - self.known_us;
            self.due_us =
                calendar.and_then(|calendar| calendar.add_working_us(start_us, left).ok());
        }
    }

    /// Works out deadline and outcome from the segments.
    fn finish<'a>(mut self, level: &'a ServiceLevel, opened_us: i64) -> CaseClock<'a> {
        let total_us = self.gap.is_none().then_some(self.used_us());
        let passed = self.due_us.is_some() && self.exceeded();
        self.extrapolate();
        let unstarted_end = self.done_us.filter(|_| self.started_us.is_none());
        let counted_us = match level.counts_in {
            CountsIn::Opened => Some(opened_us),
            CountsIn::Closed => self.done_us,
            CountsIn::Due => self.due_us.or(unstarted_end),
        };
        let mut outcome = match (self.done_us, self.due_us) {
            (Some(_), _) if self.exceeded() => Outcome::Missed,
            (Some(_), _) => Outcome::Met,
            (None, Some(due)) if due < self.as_of_us => Outcome::Overdue,
            (None, _) => Outcome::Open,
        };
        // A miss that was complete before the gap stays a miss.
        if self.gap.is_some() && !passed {
            outcome = Outcome::Gap;
        }
        let judges = level.metric.judges();
        let opened_late = self.level.clock_starts == ClockStart::Opened
            && self.done_us.zip(self.started_us).is_some_and(|(done, start)| done < start);
        if judges && (unstarted_end.is_some() || opened_late) {
            outcome = Outcome::Gap;
            self.gap = Some(if opened_late { Gap::OpenedAfterEvents } else { Gap::NeverAssigned });
        }
        // Terms that do not say what done or late means judge nobody.
        let undefined = match () {
            () if judges && level.stop_states.is_empty() => Some(Gap::NoStopStates),
            () if judges && level.threshold_us.is_none() => Some(Gap::NoThreshold),
            () => None,
        };
        if undefined.is_some() {
            outcome = Outcome::Gap;
            self.gap = undefined;
        }
        CaseClock {
            level,
            segments: self.segments,
            opened_us,
            started_us: self.started_us,
            closed_us: self.done_us,
            total_us,
            due_us: self.due_us,
            counted_us,
            outcome,
            excluded: None,
            refused: None,
            excluded_ref: None,
            gap: self.gap,
        }
    }

    fn exceeded(&self) -> bool {
        self.level.threshold_us.is_some_and(|threshold| self.used_us() > threshold)
    }

    /// The deadline of a case that has time left, from where it was done or from now. When nobody can
    /// know it, that is a gap only if it may lie before now and decides the window.
    fn extrapolate(&mut self) {
        let (Some(start), Some(threshold)) = (self.started_us, self.level.threshold_us) else {
            return;
        };
        if self.due_us.is_some() || self.gap.is_some() {
            return;
        }
        let from = self.done_us.unwrap_or(self.as_of_us).max(start);
        let calendar = self.last_calendar.clone().unwrap_or_else(|| {
            let id = self.segments.last().and_then(|segment| segment.calendar.clone());
            id.ok_or(Gap::NoSite).and_then(|id| self.terms.calendar(&id))
        });
        let known_until_us =
            calendar.as_ref().map_or(from, |calendar| calendar.known_until_us(from));
        match calendar.and_then(|calendar| calendar.add_working_us(from, threshold - self.known_us))
        {
            Ok(due) => self.due_us = Some(due),
            Err(gap) if self.level.counts_in == CountsIn::Due && known_until_us < self.as_of_us => {
                self.gap = Some(gap)
            }
            Err(_) => {}
        }
    }
}
