//! Which arrangements there are, in which zone they count their days, and which month is assessed when
//! nobody says. Owns the reading of the register `arrangement`; it must never invent a zone.

use std::{collections::BTreeSet, sync::Arc};

use backstay_evidence::Manifest;
use jiff::civil::Date;

use crate::{
    error::EngineError,
    period::{Period, Window, day_of_us},
    rows,
    session::{Evidence, Rules, Session, View, runtime},
    tables::{EvidenceTables, Layout},
};

/// Register of arrangements.
pub const ARRANGEMENT: &str = "arrangement";

/// Ids of the arrangements that have evidence in a manifest, in order.
#[must_use]
pub fn ids(manifest: &Manifest) -> Vec<String> {
    let ids: BTreeSet<&String> =
        manifest.segments.iter().map(|segment| &segment.arrangement_id).collect();
    ids.into_iter().filter(|id| !id.is_empty()).cloned().collect()
}

/// The zone of an arrangement on a day: of the row valid then, else of the nearest row before it,
/// else of the first. None when the register has no row for it.
///
/// # Errors
/// Unreadable rows, or a zone that the tz database does not know.
pub fn zone(evidence: &Evidence, id: &str, day: Date) -> Result<Option<String>, EngineError> {
    let manifest = Arc::new(crate::session::cut(&evidence.manifest, &[id]));
    let tables = EvidenceTables::new(&evidence.vocabulary, &manifest, &evidence.objects);
    let Some(table) = tables.get(ARRANGEMENT) else { return Ok(None) };
    let mut found: Vec<(Option<Date>, i64, String)> = Vec::new();
    for batch in table.batches()? {
        let ids = rows::texts(&batch, ARRANGEMENT, "arrangement_id")?;
        let zones = rows::texts(&batch, ARRANGEMENT, "time_zone")?;
        let from = rows::dates(&batch, ARRANGEMENT, "valid_from")?;
        let refs = rows::integers(&batch, ARRANGEMENT, "_ref")?;
        for row in 0..batch.num_rows() {
            if rows::text(&ids, row) == Some(id)
                && let Some(zone) = rows::text(&zones, row)
            {
                let row_ref = rows::integer(&refs, row).unwrap_or_default();
                found.push((rows::date(&from, row), row_ref, zone.to_owned()));
            }
        }
    }
    found.sort();
    let before = found.iter().rfind(|(from, ..)| from.is_none_or(|from| from <= day));
    let zone = before.or(found.first()).map(|(_, _, zone)| zone.clone());
    if let Some(zone) = &zone {
        crate::period::time_zone(zone).map_err(|error| EngineError::Evidence {
            table: ARRANGEMENT.to_owned(),
            message: format!("arrangement `{id}`: {error}"),
        })?;
    }
    Ok(zone)
}

/// What to look at: an arrangement in a period, as of now.
///
/// # Errors
/// Unreadable rows. An arrangement without a row in the register has no view: `Ok(None)`.
pub fn view(
    evidence: &Evidence,
    id: &str,
    period: Period,
    now_us: i64,
) -> Result<Option<View>, EngineError> {
    let last_day = period.after.yesterday().unwrap_or(period.first);
    let Some(zone) = zone(evidence, id, last_day)? else { return Ok(None) };
    let (_, end_us) = period.bounds_us(&zone)?;
    let as_of_us = now_us.min(end_us);
    Ok(Some(View { arrangement_id: id.to_owned(), zone, period, as_of_us }))
}

/// The last complete month with events of any arrangement; none when there are no events.
///
/// # Errors
/// Unreadable rows.
pub fn last_month_with_events(
    evidence: &Evidence,
    now_us: i64,
    layout: Layout,
) -> Result<Option<Period>, EngineError> {
    let threads = runtime(layout)?;
    let mut newest: Option<Period> = None;
    for id in ids(&evidence.manifest) {
        let today = day_of_us("UTC", now_us)?;
        let Some(zone) = zone(evidence, &id, today)? else { continue };
        let month = Window::Month.around(day_of_us(&zone, now_us)?)?;
        let view = View { arrangement_id: id, zone, period: month, as_of_us: now_us };
        let session = Session::new(evidence, view, layout, threads.clone())?;
        let sql =
            "SELECT max(occurred_at) AS newest FROM case_event WHERE occurred_at < $period_start";
        let planned = session.plan("period", sql, month, Rules::Check)?;
        for batch in session.run("period", &planned)? {
            let at = rows::instants(&batch, "case_event", "newest")?;
            if let Some(us) = rows::instant(&at, 0) {
                let month = Window::Month.around(day_of_us(&session.view().zone, us)?)?;
                newest = newest.max(Some(month));
            }
        }
    }
    Ok(newest)
}
