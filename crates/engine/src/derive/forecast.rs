//! Derived table `forecast`: what each service level of a share will end its running window with, as
//! far as that can be said from what had happened by the instant looked at.
//!
//! Owns the columns, and which service levels have a forecast; the reckoning is in
//! `backstay-forecast`. It must never give a figure where there is none: then `standing` is `none`
//! and `reason` says why.
//!
//! | column | |
//! |---|---|
//! | `arrangement_id`, `service_level_id`, `metric` | what is foretold |
//! | `window_start`, `window_end` | the window that holds the period's last day; half-open |
//! | `looked_at` | only what happened before is seen |
//! | `standing` | `forecast`; `decided` when the window has ended; `none` |
//! | `reason` | why there is none |
//! | `note` | what makes the evidence doubtful |
//! | `met`, `missed`, `excluded`, `gaps` | cases of the window by then, overdue ones missed |
//! | `open_cases`, `arriving_cases` | open and coming cases that are expected to count in it |
//! | `expected`, `low`, `high` | the share: mean, 5th and 95th percentile, four places |
//! | `target`, `minimum` | as agreed |
//! | `target_chance`, `minimum_chance` | to reach the one, not to fall below the other, two places |
//! | `history_weeks`, `history_cases` | weeks with cases by deadline, and their cases |
//! | `terms_ref` | record of the service level's version |

use std::{cell::RefCell, collections::BTreeMap};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_forecast::{Hit, NoForecast, Outlook, Question, outlook};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    case::{self, Case},
    forecast_ground::{Counts, Ground, Scene, Walked, counts_by, ground},
    terms::{Metric, ServiceLevel, Terms, Versions},
};
use crate::{
    error::EngineError,
    period::{Period, day_of_us},
};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct ForecastTable;

/// Its name.
pub const NAME: &str = "forecast";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("service_level_id", Kind::Text),
    ("metric", Kind::Text),
    ("window_start", Kind::Date),
    ("window_end", Kind::Date),
    ("looked_at", Kind::Instant),
    ("standing", Kind::Text),
    ("reason", Kind::Text),
    ("note", Kind::Text),
    ("met", Kind::Integer),
    ("missed", Kind::Integer),
    ("excluded", Kind::Integer),
    ("gaps", Kind::Integer),
    ("open_cases", Kind::Integer),
    ("arriving_cases", Kind::Integer),
    ("expected", Kind::Decimal),
    ("low", Kind::Decimal),
    ("high", Kind::Decimal),
    ("target", Kind::Decimal),
    ("minimum", Kind::Decimal),
    ("target_chance", Kind::Decimal),
    ("minimum_chance", Kind::Decimal),
    ("history_weeks", Kind::Integer),
    ("history_cases", Kind::Integer),
    ("terms_ref", Kind::Integer),
];

/// Windows before whose forecasts are looked back at.
const PAST: usize = 12;

/// Units of 10⁻⁹ in one ten-thousandth and in one hundredth.
const SHARE: i128 = 100_000;
const CHANCE: i128 = 10_000_000;

/// What is foretold of one window of one service level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelForecast {
    /// Service level.
    pub service_level_id: String,
    /// Its metric.
    pub metric: String,
    /// The window.
    pub window: Period,
    /// The instant looked from, microseconds UTC.
    pub looked_at_us: i64,
    /// Cases of the window by then.
    pub counts: Counts,
    /// The forecast, or why there is none.
    pub outlook: Result<Outlook, String>,
    /// What makes the evidence doubtful.
    pub note: Option<String>,
    /// Target and minimum, in units of 10⁻⁹.
    pub target: Option<i128>,
    /// See `target`.
    pub minimum: Option<i128>,
    /// Weeks before with cases by deadline.
    pub history_weeks: u64,
    /// Cases in them.
    pub history_cases: u64,
    /// Record of the service level's version.
    pub terms_ref: i64,
    /// Whether the window has ended.
    pub is_over: bool,
}

impl LevelForecast {
    /// As in `forecast.standing`.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        match &self.outlook {
            Err(_) => "none",
            Ok(_) if self.is_over => "decided",
            Ok(_) => "forecast",
        }
    }
}

/// One service level with its cases, to be foretold from as many instants as wanted.
pub struct Foreteller<'a> {
    terms: &'a Terms,
    versions: &'a Versions<ServiceLevel>,
    cases: &'a [Case],
    walked: Walked<'a>,
    zone: &'a str,
    /// The first event of any case.
    begun_us: Option<i64>,
    /// What became of forecasts before, by terms, instant and window.
    hits: RefCell<BTreeMap<(i64, i64, Period), Option<Hit>>>,
}

impl<'a> Foreteller<'a> {
    /// Judges the cases once, as of the latest instant that will be asked about.
    #[must_use]
    pub fn new(
        terms: &'a Terms,
        versions: &'a Versions<ServiceLevel>,
        cases: &'a [Case],
        zone: &'a str,
        latest_us: i64,
    ) -> Self {
        let walked = Walked::new(terms, versions, cases, latest_us);
        let first = |case: &Case| case.events.first().map(|event| event.at_us);
        let begun_us = cases.iter().filter_map(first).min();
        Self { terms, versions, cases, walked, zone, begun_us, hits: RefCell::default() }
    }

    /// The version that measures a window.
    ///
    /// # Errors
    /// An unknown zone.
    pub fn level(&self, window: Period) -> Result<Option<&'a ServiceLevel>, EngineError> {
        Ok(self.versions.measuring(window.bounds_us(self.zone)?))
    }

    /// Cases of a window as they stood at an instant.
    ///
    /// # Errors
    /// An unknown zone.
    pub fn counts(
        &self,
        level: &ServiceLevel,
        window: Period,
        at_us: i64,
    ) -> Result<Counts, EngineError> {
        let alone = Versions::default();
        let scene = self.scene(level, &alone, window, at_us)?;
        Ok(scene.counts(&self.walked.at(at_us)))
    }

    fn scene<'s>(
        &'s self,
        level: &'s ServiceLevel,
        alone: &'s Versions<ServiceLevel>,
        window: Period,
        at_us: i64,
    ) -> Result<Scene<'s>, EngineError> {
        let bounds_us = window.bounds_us(self.zone)?;
        Ok(Scene { terms: self.terms, level, alone, window, bounds_us, at_us })
    }

    /// Foretells a window from an instant. How far off such forecasts were in the windows before
    /// it, each from the same place in its window, widens or narrows the interval.
    ///
    /// # Errors
    /// An unknown zone. What keeps a forecast from being made is in the outlook.
    pub fn foretell(
        &self,
        level: &ServiceLevel,
        window: Period,
        at_us: i64,
    ) -> Result<LevelForecast, EngineError> {
        let (start_us, end_us) = window.bounds_us(self.zone)?;
        let mut past = Vec::new();
        let mut earlier = window;
        if start_us <= at_us && at_us < end_us && unfit(level).is_none() {
            for _ in 0..PAST {
                let day = earlier.first.yesterday().unwrap_or(earlier.first);
                earlier = level.window.around(day)?;
                match self.hit(level, earlier, at_us - start_us)? {
                    Some(hit) => past.extend(hit),
                    None => break,
                }
            }
        }
        self.foretell_with(level, window, at_us, &past)
    }

    /// What became of the forecast of an earlier window, from as far into it; nothing inside when
    /// there was none, nothing at all where the evidence had not begun or other terms held.
    fn hit(
        &self,
        level: &ServiceLevel,
        window: Period,
        into_us: i64,
    ) -> Result<Option<Option<Hit>>, EngineError> {
        let (start_us, end_us) = window.bounds_us(self.zone)?;
        let at_us = start_us + into_us;
        if self.begun_us.is_none_or(|begun| at_us <= begun) {
            return Ok(None);
        }
        if at_us >= end_us {
            return Ok(Some(None));
        }
        if self.level(window)?.is_none_or(|earlier| earlier.row_ref != level.row_ref) {
            return Ok(None);
        }
        let key = (level.row_ref, at_us, window);
        if let Some(known) = self.hits.borrow().get(&key) {
            return Ok(Some(*known));
        }
        let foretold = self.foretell_with(level, window, at_us, &[])?;
        let came = self.counts(level, window, end_us)?;
        let counted = came.met + came.missed;
        let hit = foretold.outlook.ok().filter(|_| counted > 0).map(|outlook| Hit {
            expected: outlook.expected,
            low: outlook.low,
            high: outlook.high,
            came: (came.met, counted),
            before: None,
        });
        self.hits.borrow_mut().insert(key, hit);
        Ok(Some(hit))
    }

    fn foretell_with(
        &self,
        level: &ServiceLevel,
        window: Period,
        at_us: i64,
        past: &[Hit],
    ) -> Result<LevelForecast, EngineError> {
        let alone = Versions::always(level.clone());
        let scene = self.scene(level, &alone, window, at_us)?;
        let clocks = self.walked.at(at_us);
        let counts = scene.counts(&clocks);
        let is_over = at_us >= scene.bounds_us.1;
        let found = match unfit(level) {
            Some(reason) => Err(reason),
            None if at_us < scene.bounds_us.0 => Err("the window has not begun".to_owned()),
            None if is_over => Ok(Ground::default()),
            None => ground(&scene, self.cases, &clocks).map_err(|gap| gap.to_string()),
        };
        let (outlook, ground) = match found {
            Err(reason) => (Err(reason), Ground::default()),
            Ok(ground) => {
                let asked = outlook(&question(level, counts, &ground, past, is_over));
                (asked.map_err(|why: NoForecast| why.to_string()), ground)
            }
        };
        let weeks = || ground.weeks.iter().map(|week| week.met + week.missed);
        Ok(LevelForecast {
            service_level_id: level.id.to_string(),
            metric: level.metric_id.to_string(),
            window,
            looked_at_us: at_us,
            counts,
            note: note(self.zone, &ground, at_us)?,
            outlook,
            target: level.target,
            minimum: level.minimum,
            history_weeks: weeks().filter(|cases| *cases > 0).count() as u64,
            history_cases: weeks().sum(),
            terms_ref: level.row_ref,
            is_over,
        })
    }
}

/// Why a service level has no forecast, whatever its cases.
fn unfit(level: &ServiceLevel) -> Option<String> {
    match level.metric {
        Metric::Turnaround | Metric::FirstResponse | Metric::Update => {}
        Metric::Volume => {
            return Some("it counts cases, and there is no share to foretell".to_owned());
        }
        Metric::BacklogAge => {
            return Some(
                "it looks at what is open on the last day, and only that day decides".to_owned(),
            );
        }
        Metric::Own => {
            return Some(format!(
                "its metric `{}` is a file of the workspace, and only its own SQL says what counts",
                level.metric_id
            ));
        }
    }
    if level.stop_states.is_empty() {
        return Some("the service level names no stop states".to_owned());
    }
    level.threshold_us.is_none().then(|| "the service level has no threshold".to_owned())
}

fn question<'g>(
    level: &ServiceLevel,
    counts: Counts,
    ground: &'g Ground,
    past: &'g [Hit],
    is_over: bool,
) -> Question<'g> {
    Question {
        weeks: &ground.weeks,
        carried: &ground.carried,
        lives: &ground.lives,
        pauses: &ground.pauses,
        threshold: level.threshold_us.unwrap_or_default(),
        counts_by: counts_by(level),
        met: counts.met,
        missed: counts.missed,
        open: &ground.open,
        intake: &ground.intake,
        came: &ground.came,
        past,
        is_over,
        target: level.target,
        minimum: level.minimum,
    }
}

/// What makes the evidence doubtful: days without any event, among them those just before.
fn note(zone: &str, ground: &Ground, at_us: i64) -> Result<Option<String>, EngineError> {
    const DAY_US: i64 = 86_400_000_000;
    let mut parts = Vec::new();
    if let Some(newest) = ground.newest_us.filter(|newest| at_us - newest > 3 * DAY_US) {
        parts.push(format!(
            "the newest event is of {}; what happened since is not known, so open cases may be done",
            day_of_us(zone, newest)?
        ));
    }
    if ground.quiet_days > 0 {
        parts.push(format!(
            "{} working days of the history have no event at all: evidence may be missing",
            ground.quiet_days
        ));
    }
    Ok((!parts.is_empty()).then(|| parts.join("; ")))
}

/// What each service level will end the window with that holds the period's last day.
///
/// # Errors
/// Unreadable rows.
pub fn forecasts(input: &DeriveInput<'_>) -> Result<Vec<LevelForecast>, EngineError> {
    let terms = Terms::read(input)?;
    let cases = case::read(&input.tables.batches("case_event")?)?;
    let last_day = input.period_after.yesterday().unwrap_or(input.period_first);
    let mut found = Vec::new();
    for versions in terms.service_levels.values() {
        let teller = Foreteller::new(&terms, versions, &cases, input.zone, input.as_of_us);
        let mut windows = Vec::new();
        for window in Terms::windows([versions]) {
            windows.push((window, window.around(last_day)?));
        }
        for (kind, window) in windows {
            if let Some(level) = teller.level(window)?.filter(|level| level.window == kind) {
                found.push(teller.foretell(level, window, input.as_of_us)?);
            }
        }
    }
    Ok(found)
}

impl Derivation for ForecastTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "What each service level is expected to end its running window with, and within which bounds."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["case_event", "service_level"]
    }

    fn consults(&self) -> &'static [&'static str] {
        super::terms::CONSULTS
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        table(input.arrangement_id, &forecasts(input)?, self.schema())
    }
}

fn table(
    arrangement_id: &str,
    rows: &[LevelForecast],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let number = |number: u64| i64::try_from(number).ok();
    let of = |row: &LevelForecast, of: fn(&Outlook) -> i128| row.outlook.as_ref().ok().map(of);
    let chance = |row: &LevelForecast, of: fn(&Outlook) -> Option<u32>| {
        row.outlook.as_ref().ok().and_then(of).map(|chance| i128::from(chance) * CHANCE)
    };
    let share = |of_row: fn(&Outlook) -> i128| {
        array::decimals(rows.iter().map(|row| of(row, of_row).map(|share| share * SHARE)))
    };
    let count =
        |of: fn(&Counts) -> u64| array::integers(rows.iter().map(|row| number(of(&row.counts))));
    let expected = |of: fn(&Outlook) -> u64| {
        array::integers(rows.iter().map(|row| row.outlook.as_ref().ok().map(of).and_then(number)))
    };
    let arrays = vec![
        array::texts(rows.iter().map(|_| Some(arrangement_id))),
        array::texts(rows.iter().map(|row| Some(row.service_level_id.as_str()))),
        array::texts(rows.iter().map(|row| Some(row.metric.as_str()))),
        array::dates(rows.iter().map(|row| Some(row.window.first))),
        array::dates(rows.iter().map(|row| Some(row.window.after))),
        array::instants(rows.iter().map(|row| Some(row.looked_at_us))),
        array::texts(rows.iter().map(|row| Some(row.standing()))),
        array::texts(rows.iter().map(|row| row.outlook.as_ref().err().map(String::as_str))),
        array::texts(rows.iter().map(|row| row.note.as_deref())),
        count(|counts| counts.met),
        count(|counts| counts.missed),
        count(|counts| counts.excluded),
        count(|counts| counts.gaps),
        expected(|outlook| outlook.open),
        expected(|outlook| outlook.arriving),
        share(|outlook| i128::from(outlook.expected)),
        share(|outlook| i128::from(outlook.low)),
        share(|outlook| i128::from(outlook.high)),
        array::decimals(rows.iter().map(|row| row.target)),
        array::decimals(rows.iter().map(|row| row.minimum)),
        array::decimals(rows.iter().map(|row| chance(row, |outlook| outlook.target_chance))),
        array::decimals(rows.iter().map(|row| chance(row, |outlook| outlook.minimum_chance))),
        array::integers(rows.iter().map(|row| number(row.history_weeks))),
        array::integers(rows.iter().map(|row| number(row.history_cases))),
        array::integers(rows.iter().map(|row| Some(row.terms_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
