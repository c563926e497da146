//! From which instant a running window is looked at, and what it will probably end with. Owns the choice
//! of the instant; the forecast is the engine's.

use backstay_engine::{
    Period, View,
    forecast::{ForecastResult, evidence_span, forecast},
    period::{Window, day_of_us, day_start_us},
};
use jiff::civil::Date;

use crate::{
    error::DeskError,
    evidence::{Seen, unregistered},
};

/// What the month that is running at the newest event will end with, by service level; nothing when no
/// event is held.
///
/// # Errors
/// An arrangement that the register does not know, or unreadable evidence.
pub fn running(seen: &Seen, arrangement: &str) -> Result<Option<Vec<ForecastResult>>, DeskError> {
    let view = view(seen, arrangement)?;
    let whole = seen.session(view.clone())?;
    let Some((_, newest_us)) = evidence_span(&whole)? else { return Ok(None) };
    let (at_us, period) = instant(seen, &view, newest_us, None, None)?;
    let session = seen.session(View { period, as_of_us: at_us, ..view })?;
    Ok(Some(forecast(&session)?))
}

/// An arrangement as it is looked at now.
///
/// # Errors
/// An arrangement that the register does not know, or unreadable evidence.
pub fn view(seen: &Seen, arrangement: &str) -> Result<View, DeskError> {
    let view = seen.view(arrangement, seen.this_month()?)?;
    let view = view.ok_or_else(|| unregistered(arrangement))?;
    Ok(View { as_of_us: seen.now_us, ..view })
}

/// The instant to look from, and the window: from the start of a day, else from the day after the newest
/// event; the month around that instant unless another period was asked for.
///
/// # Errors
/// A day that lies ahead, or a period that had not begun.
pub fn instant(
    seen: &Seen,
    view: &View,
    newest_us: i64,
    at: Option<Date>,
    period: Option<Period>,
) -> Result<(i64, Period), DeskError> {
    let zone = &view.zone;
    let start_us = |day: Date| day_start_us(zone, day);
    let at_us = match at {
        Some(day) => {
            let at_us = start_us(day)?;
            if at_us > seen.now_us {
                return Err(DeskError::usage(
                    format!("{day} lies ahead, and nothing is known of the days until then"),
                    "leave `--at` out to look from now",
                ));
            }
            at_us
        }
        None => {
            let next = day_of_us(zone, newest_us)?.tomorrow().map_err(|_| {
                DeskError::failed("the newest event lies beyond what a calendar can say")
            })?;
            start_us(next)?.min(seen.now_us)
        }
    };
    let period = match period {
        Some(period) => period,
        None => Window::Month.around(day_of_us(zone, at_us)?)?,
    };
    let (first_us, after_us) = period.bounds_us(zone)?;
    if at_us < first_us {
        let from = day_of_us(zone, at_us)?;
        return Err(DeskError::usage(
            format!("on {from}, which is looked from, {period} had not begun"),
            "write a later `--at`, or an earlier `--period`",
        ));
    }
    Ok((at_us.min(after_us), period))
}
