//! One case under one service level, told so that an auditor can work it out again with a pencil:
//! terms, segments, open windows, deadline, outcome, each with the records it rests on.
//!
//! Owns the telling; every number comes from [`super::clock`]. It must never round what it says.

use backstay_calendar::Zone;
use backstay_evidence::RowRef;
use jiff::{Timestamp, tz::Offset};
use serde::Serialize;

use super::{
    DeriveInput,
    case::{self, Case},
    case_day::{self, Stretch},
    clock::{self, CaseClock, Choice, Outcome, Segment},
    terms::{ServiceLevel, Terms},
    worktime::WorkCalendar,
};
use crate::error::EngineError;

/// Most open windows told one by one; a longer segment says only how many there are.
const WINDOWS_TOLD: usize = 12;

/// A case under a service level. References are written `entry:record`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Arrangement.
    pub arrangement_id: String,
    /// Case.
    pub case_id: String,
    /// The terms applied.
    pub terms: TermsTold,
    /// Instant looked at, UTC.
    pub as_of: String,
    /// When the case was opened, UTC.
    pub opened_at: String,
    /// When the clock started, UTC.
    pub clock_started_at: Option<String>,
    /// The segments.
    pub segments: Vec<SegmentTold>,
    /// Working time, exact, and in whole and parts of minutes.
    pub total: Option<Length>,
    /// Working time in paused segments.
    pub paused: Option<Length>,
    /// The deadline.
    pub deadline: Option<InstantTold>,
    /// How it is reached.
    pub deadline_how: String,
    /// When it was done, UTC.
    pub closed_at: Option<String>,
    /// Instant that puts the case into a window, UTC.
    pub counted_at: Option<String>,
    /// `met`, `missed`, `open`, `overdue` or `gap`.
    pub outcome: String,
    /// The outcome in a sentence.
    pub outcome_how: String,
    /// Reason of an accepted exclusion, and its record.
    pub excluded: Option<(String, String)>,
    /// Why the case counts although somebody asked to leave it out, and the record of the request.
    pub exclusion_refused: Option<(String, String)>,
    /// What is missing.
    pub gap: Option<String>,
    /// First rejected row of the case, if any: the answer may lack events.
    pub quarantined: Option<String>,
    /// Records of the calendars and holidays used.
    pub calendar_refs: Vec<String>,
}

/// The terms of a service level, as applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermsTold {
    /// Service level.
    pub service_level_id: String,
    /// In words.
    pub title: String,
    /// Metric.
    pub metric: String,
    /// Working time allowed.
    pub threshold: Option<Length>,
    /// Start of the clock.
    pub clock_starts: String,
    /// States in which the case is done.
    pub stop_states: Vec<String>,
    /// States in which the clock pauses.
    pub paused_states: Vec<String>,
    /// Calendar that counts whatever the site, when there is one.
    pub calendar_id: Option<String>,
    /// `contract`, `amendment` or `assumed`.
    pub basis: String,
    /// Clause or document.
    pub source: Option<String>,
    /// Record of the version applied.
    pub record: String,
}

/// A length of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Length {
    /// Microseconds.
    pub us: i64,
    /// As `26:05:00` (hours, minutes, seconds; parts of a second when there are any).
    pub hms: String,
    /// Whole minutes; what is left over stands in `hms`.
    pub minutes: i64,
}

/// An instant in UTC and at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstantTold {
    /// UTC.
    pub utc: String,
    /// Wall clock with offset.
    pub local: Option<String>,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SegmentTold {
    /// Number from 1.
    pub segment: usize,
    /// Record of the event that starts it.
    pub record: String,
    /// State.
    pub state: Option<String>,
    /// Site responsible.
    pub site_id: Option<String>,
    /// Team.
    pub team_id: Option<String>,
    /// Priority.
    pub priority: Option<String>,
    /// Calendar that counts.
    pub calendar_id: Option<String>,
    /// Zone of the calendar.
    pub zone: Option<String>,
    /// Start.
    pub from: InstantTold,
    /// End.
    pub to: InstantTold,
    /// Whether it runs on.
    pub is_open: bool,
    /// `running`, `paused`, `stopped` or `gap`.
    pub clock: String,
    /// Working time counted.
    pub working: Option<Length>,
    /// Working time not counted because it was paused.
    pub paused: Option<Length>,
    /// Counted so far.
    pub elapsed: Option<Length>,
    /// Open windows inside, in local time, when they are few.
    pub windows: Vec<WindowTold>,
    /// How many open windows there are.
    pub window_count: usize,
    /// Why nothing is known.
    pub gap: Option<String>,
}

/// An open window inside a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowTold {
    /// Start.
    pub from: InstantTold,
    /// End.
    pub to: InstantTold,
    /// Its length.
    pub length: Length,
}

/// Explains a case under a service level.
///
/// # Errors
/// When the case is not held at this instant, or the service level does not measure it.
pub fn explain(
    input: &DeriveInput<'_>,
    case_id: &str,
    service_level_id: &str,
) -> Result<Explanation, EngineError> {
    with_clock(input, case_id, service_level_id, |terms, case, clock| {
        Ok(tell(input, terms, case, clock))
    })
}

/// The same, and the case laid over the days of its sites.
///
/// # Errors
/// As [`explain`].
pub fn explain_by_day(
    input: &DeriveInput<'_>,
    case_id: &str,
    service_level_id: &str,
) -> Result<(Explanation, Vec<Stretch>), EngineError> {
    let zone = Zone::find(input.zone).map_err(|error| EngineError::Time(error.to_string()))?;
    with_clock(input, case_id, service_level_id, |terms, case, clock| {
        Ok((tell(input, terms, case, clock), case_day::stretches(terms, clock, &zone)?))
    })
}

/// Finds the clock of a case under a service level, and hands it on.
fn with_clock<T>(
    input: &DeriveInput<'_>,
    case_id: &str,
    service_level_id: &str,
    tell: impl FnOnce(&Terms, &Case, &CaseClock<'_>) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let terms = Terms::read(input)?;
    let cases = case::read(&input.tables.batches("case_event")?)?;
    let case = cases.iter().find(|case| case.id.as_ref() == case_id).ok_or_else(|| EngineError::Evidence {
        table: "case_event".to_owned(),
        message: format!(
            "nothing is held of case `{case_id}` in arrangement `{}`; check its spelling, or import its events",
            input.arrangement_id
        ),
    })?;
    let measures = |id: &str| {
        let versions = terms.service_levels.get(id)?;
        clock::case_clock(&terms, versions, case, input.as_of_us, &Choice::default())
    };
    let Some(clock) = measures(service_level_id) else {
        return Err(EngineError::Evidence {
            table: "service_level".to_owned(),
            message: not_measured(&terms, case, service_level_id, &measures),
        });
    };
    tell(&terms, case, &clock)
}

fn not_measured<'a>(
    terms: &Terms,
    case: &Case,
    wanted: &str,
    measures: &dyn Fn(&str) -> Option<CaseClock<'a>>,
) -> String {
    let ids = || terms.service_levels.keys().map(AsRef::as_ref);
    let others: Vec<String> =
        ids().filter(|id| measures(id).is_some()).map(|id| format!("`{id}`")).collect();
    let known = if ids().any(|id| id == wanted) {
        format!("`{wanted}` does not measure case `{}` (priority, type or validity)", case.id)
    } else {
        format!("there is no service level `{wanted}`")
    };
    let others = if others.is_empty() { "none does".to_owned() } else { others.join(", ") };
    format!("{known}; these measure the case: {others}")
}

fn tell(input: &DeriveInput<'_>, terms: &Terms, case: &Case, clock: &CaseClock<'_>) -> Explanation {
    let calendar_of = |segment: &Segment| {
        let id = segment.calendar.as_ref()?;
        terms.calendar(id).ok()
    };
    let segments: Vec<SegmentTold> = clock
        .segments
        .iter()
        .enumerate()
        .map(|(n, segment)| tell_segment(n + 1, segment, calendar_of(segment)))
        .collect();
    let mut refs: Vec<i64> = clock
        .segments
        .iter()
        .filter(|segment| segment.run != clock::Run::Stopped)
        .filter_map(|segment| Some(calendar_of(segment)?.refs(segment.start_us, segment.end_us)))
        .flatten()
        .collect();
    refs.sort_unstable();
    refs.dedup();
    let last_zone =
        clock.segments.last().and_then(|segment| calendar_of(segment)?.zone_at(segment.start_us));
    let paused: Option<i64> = clock.segments.iter().map(|segment| segment.paused_us).sum();
    let (outcome_how, deadline_how) = sentences(clock, input.as_of_us);
    Explanation {
        arrangement_id: input.arrangement_id.to_owned(),
        case_id: case.id.to_string(),
        terms: tell_terms(clock.level),
        as_of: utc(input.as_of_us),
        opened_at: utc(clock.opened_us),
        clock_started_at: clock.started_us.map(utc),
        segments,
        total: clock.total_us.map(length),
        paused: paused.map(length),
        deadline: clock.due_us.map(|due| instant(due, last_zone)),
        deadline_how,
        closed_at: clock.closed_us.map(utc),
        counted_at: clock.counted_us.map(utc),
        outcome: clock.outcome.as_str().to_owned(),
        outcome_how,
        excluded: clock
            .excluded
            .zip(clock.excluded_ref)
            .map(|(reason, row)| (reason.to_owned(), record(row))),
        exclusion_refused: clock
            .refused
            .clone()
            .zip(clock.excluded_ref)
            .map(|(why, row)| (why, record(row))),
        gap: clock.gap.as_ref().map(ToString::to_string),
        quarantined: terms.quarantined(&case.id).map(record),
        calendar_refs: refs.into_iter().map(record).collect(),
    }
}

fn tell_terms(level: &ServiceLevel) -> TermsTold {
    TermsTold {
        service_level_id: level.id.to_string(),
        title: level.title.clone(),
        metric: level.metric_id.to_string(),
        threshold: level.threshold_us.map(length),
        clock_starts: level.clock_starts.as_str().to_owned(),
        stop_states: level.stop_states.clone(),
        paused_states: level.paused_states.clone(),
        calendar_id: level.calendar_id.as_deref().map(str::to_owned),
        basis: level.basis.clone(),
        source: level.source.clone(),
        record: record(level.row_ref),
    }
}

fn tell_segment(number: usize, segment: &Segment, calendar: Option<&WorkCalendar>) -> SegmentTold {
    let zone = calendar.and_then(|calendar| calendar.zone_at(segment.start_us));
    let counts = segment.run != clock::Run::Stopped;
    let spans = calendar
        .filter(|_| counts)
        .and_then(|calendar| calendar.spans(segment.start_us, segment.end_us).ok());
    let spans = spans.unwrap_or_default();
    let told = if spans.len() <= WINDOWS_TOLD { spans.as_slice() } else { &[] };
    let window = |(from, to): &(i64, i64)| WindowTold {
        from: instant(*from, zone),
        to: instant(*to, zone),
        length: length(to - from),
    };
    let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
    SegmentTold {
        segment: number,
        record: record(segment.row_ref),
        state: text(&segment.state),
        site_id: text(&segment.site),
        team_id: text(&segment.team),
        priority: text(&segment.priority),
        calendar_id: text(&segment.calendar),
        zone: zone.map(|zone| zone.name().to_owned()),
        from: instant(segment.start_us, zone),
        to: instant(segment.end_us, zone),
        is_open: segment.is_open,
        clock: segment.run.as_str().to_owned(),
        working: segment.working_us.map(length),
        paused: segment.paused_us.map(length),
        elapsed: segment.elapsed_us.map(length),
        windows: told.iter().map(window).collect(),
        window_count: spans.len(),
        gap: segment.gap.as_ref().map(ToString::to_string),
    }
}

/// The outcome and the way to the deadline, in words.
fn sentences(clock: &CaseClock<'_>, as_of_us: i64) -> (String, String) {
    let threshold = clock
        .level
        .threshold_us
        .map_or_else(|| "none".to_owned(), |threshold| length(threshold).hms);
    let total = clock.total_us.map_or_else(|| "unknown".to_owned(), |total| length(total).hms);
    let gap = clock.gap.as_ref().map_or_else(String::new, ToString::to_string);
    let outcome = match clock.outcome {
        Outcome::Met if clock.level.threshold_us.is_none() => {
            format!("done; working time {total}, no threshold")
        }
        Outcome::Met => format!("done in time: working time {total}, allowed {threshold}"),
        Outcome::Missed => format!("done too late: working time {total}, allowed {threshold}"),
        Outcome::Open => format!(
            "not done by {}; working time so far {total}, allowed {threshold}",
            utc(as_of_us)
        ),
        Outcome::Overdue => {
            format!(
                "not done by {}, after its deadline; working time so far {total}, allowed {threshold}",
                utc(as_of_us)
            )
        }
        Outcome::Gap => format!("cannot be judged: {gap}"),
    };
    let reached = clock.segments.iter().enumerate().find(|(_, segment)| {
        clock.due_us.is_some_and(|due| {
            segment.run == clock::Run::Running && segment.start_us <= due && due <= segment.end_us
        })
    });
    let deadline = match (clock.due_us, reached) {
        (None, _) if clock.level.threshold_us.is_none() => {
            "the service level has no threshold".to_owned()
        }
        (None, _) if clock.started_us.is_none() => "the clock has not started".to_owned(),
        (None, _) => format!(
            "cannot be known: {}",
            if gap.is_empty() { "it lies beyond what the calendar is known for" } else { &gap }
        ),
        (Some(_), Some((place, _)))
            if clock.total_us.is_none_or(|total| Some(total) >= clock.level.threshold_us) =>
        {
            format!("working time reaches {threshold} in segment {}", place + 1)
        }
        (Some(_), _) => {
            let from = clock.closed_us.unwrap_or(as_of_us);
            let left = clock
                .level
                .threshold_us
                .zip(clock.total_us)
                .map(|(allowed, used)| length(allowed - used).hms);
            let left = left.unwrap_or_else(|| "unknown".to_owned());
            format!(
                "{left} of {threshold} were left at {}, counted on by the calendar of the site responsible last",
                utc(from)
            )
        }
    };
    (outcome, deadline)
}

fn record(packed: i64) -> String {
    RowRef::unpack(packed).map_or_else(|| packed.to_string(), |row| row.to_string())
}

fn utc(us: i64) -> String {
    crate::period::instant_text(us)
}

fn instant(us: i64, zone: Option<&Zone>) -> InstantTold {
    let local = zone.and_then(|zone| {
        let offset = Offset::from_seconds(zone.offset_seconds(us)?).ok()?;
        Some(Timestamp::from_microsecond(us).ok()?.display_with_offset(offset).to_string())
    });
    InstantTold { utc: utc(us), local }
}

fn length(us: i64) -> Length {
    let (seconds, rest) = (us / 1_000_000, us % 1_000_000);
    let mut hms = format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest != 0 {
        hms.push_str(format!(".{rest:06}").trim_end_matches('0'));
    }
    Length { us, hms, minutes: us / 60_000_000 }
}
