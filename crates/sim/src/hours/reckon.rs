//! What is true of hours in October, minute by minute. Owns its own reckoning of every control of
//! time-zones; it must never read a file that it hands in, nor sum over anything but minutes.

use jiff::{
    ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};

use super::{Hours, Pair, UrgentTerm};
use crate::{
    almanac::{Almanac, at_civil, windows_of},
    error::SimError,
    truth::{ControlTruth, OverlapTruth, PlantTruth},
    world::{Case, Minute, World},
};

/// The month that is judged.
const MONTH: (Date, Date) = (date(2026, 10, 1), date(2026, 11, 1));

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Reckoned {
    /// The status of each control and arrangement.
    pub(crate) controls: Vec<ControlTruth>,
    /// What is found wanting; the kind is the control.
    pub(crate) plants: Vec<PlantTruth>,
    /// Minutes together, day by day.
    pub(crate) overlaps: Vec<OverlapTruth>,
}

/// Judges every control of time-zones for every arrangement. `fault` says what is wrong with the work
/// evidence of an arrangement.
///
/// # Errors
/// As of civil time.
pub(crate) fn reckon(
    hours: &Hours,
    world: &World,
    almanac: &Almanac,
    cases: &[Case],
    fault: &dyn Fn(&str) -> Option<String>,
) -> Result<Reckoned, SimError> {
    let mut reckoned = Reckoned::default();
    for row in &world.arrangements {
        let zone = TimeZone::get(&row.zone)?;
        let month = (at_civil(MONTH.0, 0, &zone)?, at_civil(MONTH.1, 0, &zone)?);
        let judge = Judge { hours, world, almanac, arrangement: &row.id, month };
        let (overlap, days) = judge.overlap()?;
        reckoned.overlaps.extend(days);
        let found = [
            ("overlap-sufficient", overlap),
            ("hours-covered", judge.coverage()?),
            ("holidays-covered", judge.holidays()?),
            ("handovers-made", judge.handovers()),
            ("urgent-answered", judge.urgent(cases, fault(&row.id))?),
            ("meetings-shared", judge.meetings()?),
        ];
        for (control, Found { status, reason, missed }) in found {
            reckoned.controls.push(ControlTruth {
                arrangement_id: row.id.clone(),
                control: control.into(),
                status: status.into(),
                reason,
            });
            reckoned.plants.extend(missed.into_iter().map(|(subject, about)| PlantTruth {
                kind: control.into(),
                arrangement_id: row.id.clone(),
                subject,
                about,
            }));
        }
    }
    Ok(reckoned)
}

struct Found {
    status: &'static str,
    reason: String,
    missed: Vec<(String, String)>,
}

impl Found {
    fn new(status: &'static str, reason: &str) -> Self {
        Self { status, reason: reason.into(), missed: Vec::new() }
    }

    /// Deficient where anything is missed, else effective.
    fn of(missed: Vec<(String, String)>, fine: &str) -> Self {
        let reasons: Vec<String> =
            missed.iter().map(|(subject, about)| format!("{subject}: {about}")).collect();
        if reasons.is_empty() {
            return Self::new("effective", fine);
        }
        Self { status: "deficient", reason: reasons.join("; "), missed }
    }
}

struct Judge<'a> {
    hours: &'a Hours,
    world: &'a World,
    almanac: &'a Almanac,
    arrangement: &'a str,
    /// First minute of the month in the arrangement's zone, and the first after it.
    month: (Minute, Minute),
}

impl Judge<'_> {
    fn here(&self, pair: &Pair) -> bool {
        pair.arrangement == self.arrangement
    }

    fn calendar(&self, team: &str) -> Result<&str, SimError> {
        let site = self.world.site_of_team(self.arrangement, team);
        site.and_then(|site| self.world.calendar_of_site(site))
            .ok_or_else(|| SimError::Missing(format!("calendar of team `{team}`")))
    }

    fn zone(&self, team: &str) -> Result<TimeZone, SimError> {
        let site = self.world.site_of_team(self.arrangement, team);
        let row = site.and_then(|site| self.world.sites.iter().find(|row| row.id == site));
        let row = row.ok_or_else(|| SimError::Missing(format!("site of team `{team}`")))?;
        Ok(TimeZone::get(&row.zone)?)
    }

    /// Whether the calendar of a team's site is open in a minute.
    fn open(&self, team: &str, minute: Minute) -> Result<bool, SimError> {
        let calendar = self.calendar(team)?;
        Ok(self.almanac.from(calendar, minute).first().copied().unwrap_or(false))
    }

    fn on_shift(&self, team: &str, minute: Minute) -> bool {
        let mut rows = self.hours.of_team(self.arrangement, team);
        rows.any(|row| row.from <= minute && minute < row.until)
    }

    fn has_roster(&self) -> bool {
        self.hours.shifts.iter().any(|row| row.arrangement == self.arrangement)
    }

    fn overlap(&self) -> Result<(Found, Vec<OverlapTruth>), SimError> {
        let terms: Vec<_> =
            self.hours.overlaps.iter().filter(|term| self.here(&term.pair)).collect();
        if terms.is_empty() {
            return Ok((Found::new("untested", "nothing is agreed"), Vec::new()));
        }
        if terms.iter().all(|term| term.required == 0) {
            let found = Found::new("not-applicable", "it was agreed that none is needed");
            return Ok((found, Vec::new()));
        }
        let (mut missed, mut days) = (Vec::new(), Vec::new());
        for term in terms.into_iter().filter(|term| term.required > 0) {
            let (team, other) = (term.pair.team, term.pair.other);
            let zone = self.zone(team)?;
            let (mut short, mut day) = (Vec::new(), MONTH.0);
            while day < MONTH.1 {
                let next = day.tomorrow()?;
                let (mut own, mut theirs, mut both) = (false, false, 0);
                for minute in at_civil(day, 0, &zone)?..at_civil(next, 0, &zone)? {
                    let open = (self.open(team, minute)?, self.open(other, minute)?);
                    own |= open.0;
                    theirs |= open.1;
                    let there = if term.by_roster {
                        (self.on_shift(team, minute), self.on_shift(other, minute))
                    } else {
                        open
                    };
                    both += i64::from(there.0 && there.1);
                }
                if own && theirs {
                    days.push(OverlapTruth {
                        arrangement_id: self.arrangement.into(),
                        team_id: team.into(),
                        other_team_id: other.into(),
                        day: day.to_string(),
                        minutes: both,
                    });
                    if both < term.required {
                        short.push(format!("{day} {both} min"));
                    }
                }
                day = next;
            }
            if !short.is_empty() {
                let about = format!("less than {} min on {}", term.required, short.join(", "));
                missed.push((format!("{team} / {other}"), about));
            }
        }
        Ok((Found::of(missed, "on every common day long enough"), days))
    }

    fn coverage(&self) -> Result<Found, SimError> {
        let terms = || self.hours.coverages.iter().filter(|t| t.arrangement == self.arrangement);
        if terms().next().is_none() {
            return Ok(Found::new("untested", "no hours are agreed"));
        }
        if terms().all(|term| term.calendar.is_empty()) {
            return Ok(Found::new("not-applicable", "no hours are promised"));
        }
        if !self.has_roster() {
            return Ok(Found::new("untested", "the roster never came"));
        }
        let mut missed = Vec::new();
        for term in terms().filter(|term| !term.calendar.is_empty()) {
            let promised = self.almanac.from(term.calendar, self.month.0);
            let (mut holes, mut first) = (0, None);
            for (minute, promised) in (self.month.0..self.month.1).zip(promised) {
                if *promised && !term.teams.iter().any(|team| self.on_shift(team, minute)) {
                    holes += 1;
                    first = first.or(Some(minute));
                }
            }
            if let Some(first) = first {
                let at = crate::almanac::in_utc(first)?;
                missed.push((
                    term.function.to_owned(),
                    format!("{holes} min promised and not manned, the first {at}"),
                ));
            }
        }
        Ok(Found::of(missed, "every promised minute was manned"))
    }

    fn holidays(&self) -> Result<Found, SimError> {
        let terms = || self.hours.holidays.iter().filter(|term| self.here(&term.pair));
        if terms().next().is_none() {
            return Ok(Found::new("untested", "nothing is agreed"));
        }
        if terms().all(|term| term.notice.is_none()) {
            return Ok(Found::new("not-applicable", "no answer is needed"));
        }
        let mut missed = Vec::new();
        for term in terms() {
            let Some(notice) = term.notice else { continue };
            let (team, other) = (term.pair.team, term.pair.other);
            let (mut day, end) = (MONTH.0, MONTH.1.checked_add(notice.days())?);
            while day < end {
                let own = (self.usual(team, day)?, self.works(team, day)?);
                let theirs = (self.usual(other, day)?, self.works(other, day)?);
                let alone = match (own, theirs) {
                    ((true, false), (_, true)) => Some(team),
                    ((_, true), (true, false)) => Some(other),
                    _ => None,
                };
                let answered = || -> Result<bool, SimError> {
                    let row = self.hours.covers.iter().find(|r| r.pair == term.pair && r.on == day);
                    let Some(row) = row else { return Ok(false) };
                    let in_time = row.agreed <= day.checked_sub(notice.days())?;
                    Ok(in_time && (row.answer != "cover" || self.works(row.cover, day)?))
                };
                if let Some(alone) = alone
                    && !answered()?
                {
                    let about = format!("{alone} is closed, and nothing was agreed");
                    missed.push((format!("{team} / {other} {day}"), about));
                }
                day = day.tomorrow()?;
            }
        }
        Ok(Found::of(missed, "every holiday of one side was answered"))
    }

    /// Whether a team's site works on this weekday.
    fn usual(&self, team: &str, day: Date) -> Result<bool, SimError> {
        self.day(team, day, false)
    }

    /// Whether it works on this date.
    fn works(&self, team: &str, day: Date) -> Result<bool, SimError> {
        self.day(team, day, true)
    }

    fn day(&self, team: &str, day: Date, with_holidays: bool) -> Result<bool, SimError> {
        let id = self.calendar(team)?;
        let calendar = self.world.calendars.iter().find(|row| row.id == id);
        let calendar = calendar.ok_or_else(|| SimError::Missing(format!("calendar `{id}`")))?;
        let holidays = if with_holidays { self.world.holidays.as_slice() } else { &[] };
        Ok(!windows_of(calendar, holidays, day)?.is_empty())
    }

    fn handovers(&self) -> Found {
        let terms: Vec<_> =
            self.hours.handovers.iter().filter(|term| self.here(&term.pair)).collect();
        if terms.is_empty() {
            let sites = &self.world.sites;
            let works = |site: &str| sites.iter().any(|r| r.id == site && !r.provider.is_empty());
            let teams = self.world.teams.iter().filter(|row| row.arrangement == self.arrangement);
            return if teams.filter(|row| works(&row.site)).count() == 1 {
                Found::new("not-applicable", "one team does all the work")
            } else {
                Found::new("untested", "nothing is agreed")
            };
        }
        let mut missed = Vec::new();
        for term in terms {
            let mut late = Vec::new();
            for shift in self.hours.of_team(self.arrangement, term.pair.team) {
                // Wait, minute by minute, for somebody to be there.
                let there = |from: Minute| {
                    let mut minute = from;
                    while minute < from + 20_000 && !self.on_shift(term.pair.other, minute) {
                        minute += 1;
                    }
                    minute
                };
                let last = there(shift.until + term.make) + term.pick_up;
                if !(self.month.0..self.month.1).contains(&last) {
                    continue;
                }
                let note =
                    self.hours.notes.iter().find(|n| n.pair == term.pair && n.ended == shift.until);
                let fine = note.is_some_and(|note| {
                    note.made <= shift.until + term.make
                        && note.picked_up.is_some_and(|at| at <= there(note.made) + term.pick_up)
                });
                if !fine {
                    late.push(crate::almanac::in_utc(shift.until).unwrap_or_default());
                }
            }
            if !late.is_empty() {
                let subject = format!("{} → {}", term.pair.team, term.pair.other);
                missed.push((subject, format!("not picked up: {}", late.join(", "))));
            }
        }
        Found::of(missed, "every handover was made and picked up in time")
    }

    fn urgent(&self, cases: &[Case], fault: Option<String>) -> Result<Found, SimError> {
        let terms: Vec<_> =
            self.hours.urgents.iter().filter(|term| self.here(&term.pair)).collect();
        if terms.is_empty() {
            return Ok(Found::new("untested", "nothing is agreed"));
        }
        if terms.iter().all(|term| term.within.is_none()) {
            return Ok(Found::new("not-applicable", "nothing is promised"));
        }
        let (mut tested, mut missed) = (0, Vec::new());
        for term in terms {
            let Some(within) = term.within else { continue };
            for case in cases.iter().filter(|case| case.arrangement == self.arrangement) {
                let Some(from) = urgent_from(term, case) else { continue };
                let both = self.open(term.pair.team, from)? && self.open(term.pair.other, from)?;
                if both || !(self.month.0..self.month.1).contains(&(from + within)) {
                    continue;
                }
                tested += 1;
                let answers = |state: &str, at| at >= from && term.states.contains(&state);
                let answer = case.events.iter().find(|e| answers(&e.state, e.at)).map(|e| e.at);
                if answer.is_none_or(|at| at - from > within) {
                    let took = answer.map_or(-1, |at| at - from);
                    let about = format!("answered after {took} min, {within} promised");
                    missed.push((format!("{} {}", term.id, case.id), about));
                }
            }
        }
        Ok(match (missed.is_empty(), fault, tested) {
            (true, Some(what), _) => Found::new("untested", &what),
            (true, None, 0) => Found::new("untested", "nothing urgent came in"),
            _ => Found::of(missed, "every urgent item was answered in time"),
        })
    }

    fn meetings(&self) -> Result<Found, SimError> {
        let all = || self.hours.meetings.iter().filter(|row| self.here(&row.pair));
        let held: Vec<_> =
            all().filter(|row| (self.month.0..self.month.1).contains(&row.from)).collect();
        if held.is_empty() {
            return Ok(match all().next() {
                Some(_) => Found::new("untested", "the diary of the month never came"),
                None => Found::new("effective", "the sender states that nobody met"),
            });
        }
        let mut missed = Vec::new();
        for term in self.hours.meeting_terms.iter().filter(|term| self.here(&term.pair)) {
            let mut outside = [0_i64; 2];
            for row in held.iter().filter(|row| row.pair == term.pair) {
                for minute in row.from..row.until {
                    for (sum, team) in outside.iter_mut().zip([term.pair.team, term.pair.other]) {
                        *sum += i64::from(!self.open(team, minute)?);
                    }
                }
            }
            let total: i64 = outside.iter().sum();
            for (own, team) in outside.iter().zip([term.pair.team, term.pair.other]) {
                if own * 1_000 > term.greatest * total {
                    let about = format!("{own} of {total} min outside working hours");
                    missed.push((format!("weekly {team}"), about));
                }
            }
        }
        Ok(Found::of(missed, "nobody carries more than agreed"))
    }
}

/// From when on a case is urgent.
fn urgent_from(term: &UrgentTerm, case: &Case) -> Option<Minute> {
    let first = case.events.first()?;
    let kind = term.case_type.is_empty() || first.case_type.as_deref() == Some(term.case_type);
    let event = case.events.iter().find(|event| {
        term.priority.is_empty() || event.priority.as_deref() == Some(term.priority)
    })?;
    kind.then_some(if event == first { event.opened } else { event.at })
}
