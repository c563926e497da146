//! Forecasts of one arrangement as results, and their back-test: each window foretold from days
//! within it, beside what came. Owns how a forecast is handed on and held against the outcome; it
//! must never let a back-test see what happened on its day or later.

use backstay_forecast::{Hit, Score, score};
use jiff::{ToSpan as _, civil::Date};
use serde::Serialize;

use crate::{
    derive::{
        case,
        forecast::{Foreteller, LevelForecast, forecasts},
        forecast_ground::Counts,
        terms::Terms,
    },
    error::EngineError,
    measure::plain_decimal,
    period::{Period, day_start_us, instant_text},
    rows,
    session::{Session, derived::AllTables},
};

/// A forecast of one window of one service level. Shares have four places, chances two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForecastResult {
    /// Arrangement.
    pub arrangement_id: String,
    /// Service level.
    pub service_level: String,
    /// Its metric.
    pub metric: String,
    /// The window.
    pub window: Period,
    /// The instant looked from, RFC 3339 in UTC: only what happened before is seen.
    pub looked_at: String,
    /// `forecast`, `decided` or `none`.
    pub standing: String,
    /// Why there is none.
    pub reason: Option<String>,
    /// What makes the evidence doubtful.
    pub note: Option<String>,
    /// Cases of the window by then: met.
    pub met: u64,
    /// Missed, overdue ones among them.
    pub missed: u64,
    /// Left out by agreement.
    pub excluded: u64,
    /// Not to be known.
    pub gaps: u64,
    /// Open cases expected to count in the window.
    pub open_cases: Option<u64>,
    /// Cases still to come, expected to count in it.
    pub arriving_cases: Option<u64>,
    /// Mean share.
    pub expected: Option<String>,
    /// 5th percentile.
    pub low: Option<String>,
    /// 95th percentile.
    pub high: Option<String>,
    /// Target, as agreed.
    pub target: Option<String>,
    /// Minimum, as agreed.
    pub minimum: Option<String>,
    /// Chance to reach the target.
    pub target_chance: Option<String>,
    /// Chance not to fall below the minimum.
    pub minimum_chance: Option<String>,
    /// Weeks before with cases by deadline.
    pub history_weeks: u64,
    /// Cases in them.
    pub history_cases: u64,
}

/// A window foretold from a day, beside what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// The first day that was not seen.
    pub day: Date,
    /// The forecast.
    pub forecast: ForecastResult,
    /// What came: cases met.
    pub came_met: u64,
    /// What came: cases counted.
    pub came_counted: u64,
    /// What came, four places; none when no case counted.
    pub came: Option<String>,
    /// The window before, as it was known on the day; the naive forecast.
    pub before: Option<String>,
    /// Whether what came lies in the interval; none without a forecast, or without cases.
    pub inside: Option<bool>,
}

/// A back-test: its trials, and what they say together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackTest {
    /// By service level, window and day.
    pub trials: Vec<Trial>,
    /// Forecasts that can be held against something.
    pub forecasts: u64,
    /// Of which the interval held.
    pub inside: u64,
    /// Mean width of the interval.
    pub mean_width: String,
    /// Mean absolute error.
    pub mean_error: String,
    /// Forecasts that have a window before them.
    pub compared: u64,
    /// Mean absolute error of those forecasts.
    pub compared_error: String,
    /// Mean absolute error of the window before as a forecast of the same.
    pub naive_error: String,
}

/// What to back-test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trials<'a> {
    /// Windows that end in this period.
    pub period: Period,
    /// Days of the window from whose start it is foretold: 10 sees nine days.
    pub days: &'a [u32],
    /// Only this service level.
    pub service_level: Option<&'a str>,
    /// Windows that end later have not ended.
    pub now_us: i64,
}

/// Ids of the service levels that the evidence names, in order.
///
/// # Errors
/// Unreadable evidence.
pub fn service_levels(session: &Session) -> Result<Vec<String>, EngineError> {
    let tables = AllTables(session);
    let terms = Terms::read(&session.derive_input(&tables)?)?;
    Ok(terms.service_levels.keys().map(ToString::to_string).collect())
}

/// The oldest and the newest event of any case before the instant that the view looks at.
///
/// # Errors
/// Unreadable evidence.
pub fn evidence_span(session: &Session) -> Result<Option<(i64, i64)>, EngineError> {
    const TABLE: &str = "case_event";
    let mut span: Option<(i64, i64)> = None;
    let before_us = session.view().as_of_us;
    session.each(TABLE, &["occurred_at"], &mut |batch| {
        let at = rows::instants(batch, TABLE, "occurred_at")?;
        for us in (0..batch.num_rows()).filter_map(|row| rows::instant(&at, row)) {
            if us < before_us {
                span = Some(span.map_or((us, us), |(from, to)| (from.min(us), to.max(us))));
            }
        }
        Ok(())
    })?;
    Ok(span)
}

/// The forecasts of a session's period, from the instant that its view looks at.
///
/// # Errors
/// Unreadable evidence.
pub fn forecast(session: &Session) -> Result<Vec<ForecastResult>, EngineError> {
    let tables = AllTables(session);
    let found = forecasts(&session.derive_input(&tables)?)?;
    let arrangement = &session.view().arrangement_id;
    Ok(found.iter().map(|forecast| result(arrangement, forecast)).collect())
}

/// Foretells past windows as if nothing after the day were known, and compares.
///
/// # Errors
/// Unreadable evidence.
pub fn back_test(session: &Session, asked: &Trials<'_>) -> Result<BackTest, EngineError> {
    let tables = AllTables(session);
    let input = session.derive_input(&tables)?;
    let terms = Terms::read(&input)?;
    let cases = case::read(&session.batches("case_event")?)?;
    let (arrangement, zone) = (&session.view().arrangement_id, input.zone);
    let latest_us = asked.now_us.min(day_start_us(zone, asked.period.after)?);
    let (mut trials, mut hits) = (Vec::new(), Vec::new());
    for (id, versions) in &terms.service_levels {
        if asked.service_level.is_some_and(|wanted| wanted != id.as_ref()) {
            continue;
        }
        let teller = Foreteller::new(&terms, versions, &cases, zone, latest_us);
        for kind in Terms::windows([versions]) {
            for window in kind.ending_in(asked.period)? {
                let end_us = day_start_us(zone, window.after)?;
                let level = teller.level(window)?.filter(|level| level.window == kind);
                let Some(level) = level.filter(|_| end_us <= asked.now_us) else { continue };
                let came = teller.counts(level, window, end_us)?;
                let previous = kind.around(window.first.yesterday().unwrap_or(window.first))?;
                for day in asked.days {
                    let Some(day) = nth(window, *day) else { continue };
                    let at_us = day_start_us(zone, day)?;
                    let foretold = teller.foretell(level, window, at_us)?;
                    let before = teller.counts(level, previous, at_us)?;
                    let (trial, hit) = compare(arrangement, day, &foretold, came, before);
                    trials.push(trial);
                    hits.extend(hit);
                }
            }
        }
    }
    Ok(told(trials, &score(&hits)))
}

/// The n-th day of a window, when it has so many.
fn nth(window: Period, number: u32) -> Option<Date> {
    let days = i64::from(number).checked_sub(1).filter(|days| *days >= 0)?;
    let day = window.first.checked_add(days.days()).ok()?;
    (day < window.after).then_some(day)
}

fn compare(
    arrangement: &str,
    day: Date,
    foretold: &LevelForecast,
    came: Counts,
    before: Counts,
) -> (Trial, Option<Hit>) {
    let some = |counts: Counts| {
        let all = counts.met + counts.missed;
        (all > 0).then_some((counts.met, all))
    };
    let hit = foretold.outlook.as_ref().ok().zip(some(came)).map(|(outlook, came)| Hit {
        expected: outlook.expected,
        low: outlook.low,
        high: outlook.high,
        came,
        before: some(before),
    });
    let share = |(met, all): (u64, u64)| rounded(met, all);
    let trial = Trial {
        day,
        forecast: result(arrangement, foretold),
        came_met: came.met,
        came_counted: came.met + came.missed,
        came: some(came).map(share),
        before: some(before).map(share),
        inside: hit.map(|hit| hit.is_inside()),
    };
    (trial, hit)
}

/// A ratio with four places, half up.
fn rounded(met: u64, all: u64) -> String {
    let (met, all) = (u128::from(met), u128::from(all.max(1)));
    places((met * 20_000 + all) / (2 * all), 4)
}

fn told(trials: Vec<Trial>, score: &Score) -> BackTest {
    let share = |value: u32| places(u128::from(value), 4);
    BackTest {
        trials,
        forecasts: score.count,
        inside: score.inside,
        mean_width: share(score.width),
        mean_error: share(score.error),
        compared: score.compared,
        compared_error: share(score.compared_error),
        naive_error: share(score.naive_error),
    }
}

fn result(arrangement: &str, row: &LevelForecast) -> ForecastResult {
    let outlook = row.outlook.as_ref().ok();
    let chance = |chance: u32| places(u128::from(chance), 2);
    ForecastResult {
        arrangement_id: arrangement.to_owned(),
        service_level: row.service_level_id.clone(),
        metric: row.metric.clone(),
        window: row.window,
        looked_at: instant_text(row.looked_at_us),
        standing: row.standing().to_owned(),
        reason: row.outlook.as_ref().err().cloned(),
        note: row.note.clone(),
        met: row.counts.met,
        missed: row.counts.missed,
        excluded: row.counts.excluded,
        gaps: row.counts.gaps,
        open_cases: outlook.map(|outlook| outlook.open),
        arriving_cases: outlook.map(|outlook| outlook.arriving),
        expected: outlook.map(|outlook| places(u128::from(outlook.expected), 4)),
        low: outlook.map(|outlook| places(u128::from(outlook.low), 4)),
        high: outlook.map(|outlook| places(u128::from(outlook.high), 4)),
        target: row.target.map(plain_decimal),
        minimum: row.minimum.map(plain_decimal),
        target_chance: outlook.and_then(|outlook| outlook.target_chance).map(chance),
        minimum_chance: outlook.and_then(|outlook| outlook.minimum_chance).map(chance),
        history_weeks: row.history_weeks,
        history_cases: row.history_cases,
    }
}

/// A whole number of the last place as a decimal with that many places.
fn places(number: u128, places: u32) -> String {
    let unit = 10_u128.pow(places);
    let width = usize::try_from(places).unwrap_or_default();
    format!("{}.{:0width$}", number / unit, number % unit)
}
