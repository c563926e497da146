//! Fair times for the sites of an arrangement to meet. Owns which slots are told; the slots themselves are
//! worked out by the calendar.

use std::collections::BTreeSet;

use backstay_engine::{
    View,
    hours::{Slot, Span, Zone, meeting_slots, site_hours},
};
use jiff::{ToSpan as _, civil::Date};

use crate::{error::DeskError, evidence::Seen};

/// Minutes between two starts that are tried.
pub const STEP_US: i64 = 15 * 60_000_000;

/// A site that meets.
#[derive(Debug, Clone)]
pub struct Side {
    /// Site.
    pub name: String,
    /// Its zone.
    pub zone: Zone,
}

/// Sites, and the best slots, the best first; or why it is not known.
pub type Met = Result<(Vec<Side>, Vec<Slot>), String>;

/// The best slot of each day, the best days first.
#[must_use]
pub fn best_a_day(zone: &Zone, slots: Vec<Slot>, top: usize) -> Vec<Slot> {
    let mut seen = BTreeSet::new();
    let mut best: Vec<Slot> = slots
        .into_iter()
        .filter(|slot| zone.date(slot.start_us).is_some_and(|day| seen.insert(day)))
        .collect();
    best.truncate(top);
    best
}

/// The best times for `minutes` on each of `days` from a day on, for sites with their own calendars.
///
/// # Errors
/// Unreadable rows, or days beyond what a calendar can say.
pub fn best(
    seen: &Seen,
    view: &View,
    sites: &[&str],
    from: Date,
    days: i64,
    minutes: i64,
) -> Result<Met, DeskError> {
    let session = seen.session(view.clone())?;
    let zone = Zone::find(&view.zone).map_err(|error| DeskError::failed(error.to_string()))?;
    let start =
        |day: Date| zone.day_start_us(day).map_err(|error| DeskError::failed(error.to_string()));
    let span = (start(from)?, start(from.saturating_add(days.days()))?);
    let mut sides = Vec::new();
    let mut open: Vec<Vec<Span>> = Vec::new();
    for (name, hours) in sites.iter().zip(site_hours(&session, sites, span)?) {
        match hours {
            Ok((zone, spans)) => {
                sides.push(Side { name: (*name).to_owned(), zone });
                open.push(spans);
            }
            Err(reason) => return Ok(Err(reason)),
        }
    }
    let slots = meeting_slots(&open, minutes * 60_000_000, STEP_US, &[span]);
    let days = usize::try_from(days).unwrap_or_default();
    Ok(Ok((sides, best_a_day(&zone, slots, days))))
}
