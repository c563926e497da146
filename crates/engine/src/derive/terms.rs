//! The registers of one arrangement as typed terms: service levels by validity, sites, teams,
//! calendars, exclusions.
//!
//! Owns which row holds at which instant; it must never decide what a case did. A register whose
//! absence would change an answer becomes a [`Gap`], never a default.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use backstay_calendar::Zone;

use super::{
    DeriveInput,
    register::{
        Named, exclusions_complete, read_calendars, read_default_site, read_exclusions, read_named,
        read_quarantined, read_service_levels,
    },
    worktime::{Gap, WorkCalendar},
};
pub use super::{
    exclusion::{Exclusion, ExclusionRequest, RequestDeadline},
    warning::Warning,
};
use crate::{
    error::EngineError,
    period::{SubWindow, Window},
};

/// Registers that [`Terms::read`] cannot do without.
pub const READS: &[&str] = &["service_level"];
/// Registers whose absence becomes a gap of the cases concerned.
pub const CONSULTS: &[&str] = &[
    "arrangement",
    "site",
    "team",
    "calendar",
    "holiday",
    "exclusion",
    "evidence_feed",
    "quarantine",
];

/// Rows of one key, each holding from an instant until another.
#[derive(Debug, Clone)]
pub struct Versions<T> {
    rows: Vec<(i64, i64, T)>,
}

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<T> Versions<T> {
    /// One row that holds always.
    #[must_use]
    pub fn always(row: T) -> Self {
        Self { rows: vec![(i64::MIN, i64::MAX, row)] }
    }

    /// The row in force at an instant.
    #[must_use]
    pub fn at(&self, at_us: i64) -> Option<&T> {
        let begun = self.rows.iter().rev().find(|(from, _, _)| *from <= at_us);
        begun.filter(|(_, until, _)| at_us < *until).map(|(_, _, row)| row)
    }

    /// The row that measures a window: in force at its end, else the last that touches it.
    #[must_use]
    pub fn measuring(&self, (from_us, until_us): (i64, i64)) -> Option<&T> {
        let touches = |(from, until, _): &&(i64, i64, T)| *from < until_us && from_us < *until;
        self.at(until_us - 1)
            .or_else(|| self.rows.iter().filter(touches).last().map(|(_, _, row)| row))
    }

    /// The first instant after `at_us` at which a row begins or ends.
    fn next_change_us(&self, at_us: i64) -> Option<i64> {
        let edges = self.rows.iter().flat_map(|(from, until, _)| [*from, *until]);
        edges.filter(|edge| at_us < *edge && *edge < i64::MAX).min()
    }

    /// All rows with the instants between which they hold, in order.
    pub fn iter(&self) -> impl Iterator<Item = &(i64, i64, T)> {
        self.rows.iter()
    }

    pub(super) fn push(&mut self, from_us: i64, until_us: i64, row: T) {
        self.rows.push((from_us, until_us, row));
    }

    pub(super) fn settle(&mut self) {
        self.rows.sort_by_key(|(from, _, _)| *from);
        let starts: Vec<i64> = self.rows.iter().skip(1).map(|(from, _, _)| *from).collect();
        for (row, next) in self.rows.iter_mut().zip(starts) {
            row.1 = row.1.min(next);
        }
    }
}

/// How a service level is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// From start to done.
    Turnaround,
    /// From start to the first response.
    FirstResponse,
    /// Age of what is open at the end of the window.
    BacklogAge,
    /// Number of cases.
    Volume,
    /// The longest time between two updates.
    Update,
    /// By a file of the workspace's own; the clock is that of turnaround.
    Own,
}

impl Metric {
    /// From the id of a metric; what is none of the product's is the workspace's own.
    pub(super) fn of(id: &str) -> Self {
        match id {
            "turnaround" => Self::Turnaround,
            "first-response" => Self::FirstResponse,
            "backlog-age" => Self::BacklogAge,
            "volume" => Self::Volume,
            "update" => Self::Update,
            _ => Self::Own,
        }
    }

    /// Whether a case under it can be met or missed by the clock, so that it needs a threshold and
    /// states in which it is done.
    #[must_use]
    pub fn judges(self) -> bool {
        !matches!(self, Self::Volume)
    }
}

/// Which instant puts a case into a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountsIn {
    /// Its opening.
    Opened,
    /// Its deadline.
    Due,
    /// Its end.
    Closed,
}

/// When the clock starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClockStart {
    /// When the source says it was opened.
    Opened,
    /// At the first event.
    FirstEvent,
    /// At the first event that names a team; without any, at the first that names a person.
    Assigned,
}

impl ClockStart {
    /// From the vocabulary's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "opened" => Some(Self::Opened),
            "first-event" => Some(Self::FirstEvent),
            "assigned" => Some(Self::Assigned),
            _ => None,
        }
    }

    /// The vocabulary's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::FirstEvent => "first-event",
            Self::Assigned => "assigned",
        }
    }
}

/// One version of a service level.
#[derive(Debug, Clone)]
pub struct ServiceLevel {
    /// Id.
    pub id: Arc<str>,
    /// In words.
    pub title: String,
    /// How it is measured.
    pub metric: Metric,
    /// Id of the metric, as the register writes it.
    pub metric_id: Arc<str>,
    /// Priorities it applies to; empty for all.
    pub priorities: Vec<String>,
    /// Case types it applies to; empty for all.
    pub case_types: Vec<String>,
    /// Target, in units of 10⁻⁹.
    pub target: Option<i128>,
    /// Minimum, in units of 10⁻⁹.
    pub minimum: Option<i128>,
    /// Working time allowed.
    pub threshold_us: Option<i64>,
    /// Span measured as one.
    pub window: Window,
    /// Shorter spans, of which the worst is shown.
    pub sub_window: Option<SubWindow>,
    /// Activities that count as an update; empty for every event.
    pub update_activities: Vec<String>,
    /// When an open case is warned of.
    pub warning: Warning,
    /// Working hours of whoever is warned; none for those of the site responsible.
    pub warn_calendar_id: Option<Arc<str>>,
    /// Until when leaving a case out may be asked for; none for no deadline.
    pub exclusion_deadline: Option<RequestDeadline>,
    /// What puts a case into a window.
    pub counts_in: CountsIn,
    /// Start of the clock.
    pub clock_starts: ClockStart,
    /// States in which the case is done.
    pub stop_states: Vec<String>,
    /// States in which the clock pauses.
    pub paused_states: Vec<String>,
    /// Whether the first priority decides rather than the last.
    pub first_priority: bool,
    /// Calendar that counts, whatever the site.
    pub calendar_id: Option<Arc<str>>,
    /// Reasons for which a case may be left out.
    pub exclusion_reasons: Vec<String>,
    /// `contract`, `amendment` or `assumed`.
    pub basis: String,
    /// Clause or document.
    pub source: Option<String>,
    /// Its record.
    pub row_ref: i64,
}

/// Site that is responsible, by which calendar, or what keeps that from being known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Responsible {
    /// Site.
    pub site_id: Option<Arc<str>>,
    /// Calendar of the site.
    pub calendar_id: Option<Arc<str>>,
    /// What is missing.
    pub gap: Option<Gap>,
}

/// Everything that the clock needs beside events.
#[derive(Debug)]
pub struct Terms {
    /// The arrangement's zone.
    pub zone: Zone,
    /// Service levels by id.
    pub service_levels: BTreeMap<Arc<str>, Versions<ServiceLevel>>,
    default_site: Versions<Option<Arc<str>>>,
    sites: Named,
    teams: Named,
    calendars: BTreeMap<String, WorkCalendar>,
    exclusions: BTreeMap<String, Vec<ExclusionRequest>>,
    /// Whether absence of an exclusion means that there is none.
    exclusions_known: bool,
    /// Cases with rejected rows, and the first such row.
    quarantined: BTreeMap<String, i64>,
}

impl Terms {
    /// Reads the registers of the arrangement.
    ///
    /// # Errors
    /// An unknown zone, or a table that lacks a column.
    pub fn read(input: &DeriveInput<'_>) -> Result<Self, EngineError> {
        let zone = Zone::find(input.zone).map_err(|error| EngineError::Time(error.to_string()))?;
        let calendars = read_calendars(input)?;
        let (exclusions, any) = read_exclusions(input)?;
        let exclusions_known = any || exclusions_complete(input)?;
        Ok(Self {
            service_levels: read_service_levels(input, &zone)?,
            default_site: read_default_site(input, &zone)?,
            sites: read_named(input, &zone, "site", "site_id", "calendar_id")?,
            teams: read_named(input, &zone, "team", "team_id", "site_id")?,
            calendars,
            exclusions,
            exclusions_known,
            quarantined: read_quarantined(input)?,
            zone,
        })
    }

    /// The calendar of that id.
    ///
    /// # Errors
    /// [`Gap::CalendarUnknown`].
    pub fn calendar(&self, id: &Arc<str>) -> Result<&WorkCalendar, Gap> {
        self.calendars.get(id.as_ref()).ok_or_else(|| Gap::CalendarUnknown(id.clone()))
    }

    /// Ids of all calendars, in order.
    pub fn calendar_ids(&self) -> impl Iterator<Item = &str> {
        self.calendars.keys().map(String::as_str)
    }

    /// Whether leaving a case out was never asked for.
    #[must_use]
    pub fn has_no_exclusion(&self) -> bool {
        self.exclusions.is_empty()
    }

    /// Whether no row of any case was rejected.
    #[must_use]
    pub fn has_no_quarantine(&self) -> bool {
        self.quarantined.is_empty()
    }

    /// The site responsible when an event names this site and this team: the site named, else the
    /// team's, else the arrangement's default.
    #[must_use]
    pub fn responsible(
        &self,
        site: Option<&Arc<str>>,
        team: Option<&Arc<str>>,
        at_us: i64,
    ) -> Responsible {
        let of_team = || {
            let Some(team) = team else { return Ok(None) };
            let rows =
                self.teams.get(team.as_ref()).ok_or_else(|| Gap::TeamUnknown(team.clone()))?;
            rows.at(at_us).cloned().ok_or_else(|| Gap::TeamUnknown(team.clone()))
        };
        let site = match site.cloned().map_or_else(of_team, |site| Ok(Some(site))) {
            Ok(site) => site.or_else(|| self.default_site.at(at_us).cloned().flatten()),
            Err(gap) => return Responsible { gap: Some(gap), ..Responsible::default() },
        };
        let Some(site) = site else {
            return Responsible { gap: Some(Gap::NoSite), ..Responsible::default() };
        };
        match self.sites.get(site.as_ref()).and_then(|rows| rows.at(at_us)) {
            None => Responsible {
                gap: Some(Gap::SiteUnknown(site.clone())),
                site_id: Some(site),
                calendar_id: None,
            },
            Some(None) => Responsible {
                gap: Some(Gap::SiteWithoutCalendar(site.clone())),
                site_id: Some(site),
                calendar_id: None,
            },
            Some(Some(calendar)) => {
                Responsible { site_id: Some(site), calendar_id: Some(calendar.clone()), gap: None }
            }
        }
    }

    /// The first instant after `at_us` at which the registers make another site or calendar answer for
    /// the same site and team named.
    #[must_use]
    pub fn next_handover_us(
        &self,
        site: Option<&Arc<str>>,
        team: Option<&Arc<str>>,
        at_us: i64,
    ) -> Option<i64> {
        let now = self.responsible(site, team, at_us);
        let mut at_us = at_us;
        loop {
            let teams = team.and_then(|team| self.teams.get(team.as_ref()));
            let sites = now.site_id.as_ref().and_then(|site| self.sites.get(site.as_ref()));
            let edges = [
                self.default_site.next_change_us(at_us),
                teams.and_then(|rows| rows.next_change_us(at_us)),
                sites.and_then(|rows| rows.next_change_us(at_us)),
            ];
            at_us = edges.into_iter().flatten().min()?;
            if self.responsible(site, team, at_us) != now {
                return Some(at_us);
            }
        }
    }

    /// What became of the requests to leave a case out of a service level. `counted_us` is the instant
    /// that puts it into a window, when that is known.
    #[must_use]
    pub fn exclusion(
        &self,
        level: &ServiceLevel,
        case_id: &str,
        counted_us: Option<i64>,
    ) -> Option<Exclusion<'_>> {
        let requests = self.exclusions.get(case_id)?;
        super::exclusion::judge(self, level, requests, counted_us)
    }

    /// When a request to leave a case out was decided, where it says so.
    #[must_use]
    pub fn decided_us(&self, case_id: &str, row_ref: i64) -> Option<i64> {
        let requests = self.exclusions.get(case_id)?;
        requests.iter().find(|request| request.row_ref == row_ref)?.decided_us
    }

    /// Every window span that a version of some service level is measured over.
    pub fn windows<'a>(
        versions: impl IntoIterator<Item = &'a Versions<ServiceLevel>>,
    ) -> BTreeSet<Window> {
        let rows = versions.into_iter().flat_map(Versions::iter);
        rows.map(|(_, _, level)| level.window).collect()
    }

    /// The calendar by which working days of the contract count: the service level's own, else the
    /// default site's at that instant.
    ///
    /// # Errors
    /// What keeps it from being known.
    pub fn contract_calendar(
        &self,
        level: &ServiceLevel,
        at_us: i64,
    ) -> Result<&WorkCalendar, Gap> {
        if let Some(id) = &level.calendar_id {
            return self.calendar(id);
        }
        let Responsible { calendar_id, gap, .. } = self.responsible(None, None, at_us);
        match (calendar_id, gap) {
            (Some(id), _) => self.calendar(&id),
            (None, gap) => Err(gap.unwrap_or(Gap::NoSite)),
        }
    }

    /// Whether it can be said that a case is not excluded.
    #[must_use]
    pub fn exclusions_known(&self, level: &ServiceLevel) -> bool {
        level.exclusion_reasons.is_empty() || self.exclusions_known
    }

    /// The first rejected row of a case.
    #[must_use]
    pub fn quarantined(&self, case_id: &str) -> Option<i64> {
        self.quarantined.get(case_id).copied()
    }
}
