//! Requests to leave a case out of a service level, and whether one does.
//!
//! Owns the rule: left out is what was accepted, for a reason that the service level names, asked for
//! in time and proved. It must never leave a case out because nobody can tell.

use super::{
    terms::{ServiceLevel, Terms},
    worktime::Gap,
};

/// Days looked ahead for a deadline in working days.
const MOST_DAYS: u32 = 400;

/// Until when leaving a case out may be asked for: days after the window that the case counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestDeadline {
    /// How many days.
    pub days: u32,
    /// Whether only days with working time count.
    pub working: bool,
}

/// One request, as the register holds it.
#[derive(Debug, Clone, Default)]
pub struct ExclusionRequest {
    /// Its id.
    pub id: String,
    /// Service level; none for all.
    pub service_level_id: Option<String>,
    /// Reason as the contract names it.
    pub reason: String,
    /// `accepted`, `rejected` or `open`.
    pub decision: String,
    /// When it was asked for.
    pub requested_us: Option<i64>,
    /// When it was decided.
    pub decided_us: Option<i64>,
    /// Whether it names what proves it.
    pub is_proved: bool,
    /// Its record.
    pub row_ref: i64,
}

/// What became of the requests for one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion<'a> {
    /// Left out.
    Accepted {
        /// Reason as the contract names it.
        reason: &'a str,
        /// The record.
        row_ref: i64,
    },
    /// Asked for, and counted all the same.
    Refused {
        /// Why.
        why: String,
        /// The record.
        row_ref: i64,
    },
}

/// The first request, by record, that leaves the case out; else the first that does not, with why.
/// A request for every service level, under a reason that this one does not name, is none.
pub(super) fn judge<'a>(
    terms: &Terms,
    level: &ServiceLevel,
    requests: &'a [ExclusionRequest],
    counted_us: Option<i64>,
) -> Option<Exclusion<'a>> {
    let mut refused = None;
    for request in requests {
        let named = request.service_level_id.as_deref();
        if named.is_some_and(|id| id != level.id.as_ref()) {
            continue;
        }
        let allowed = level.exclusion_reasons.contains(&request.reason);
        if !allowed && named.is_none() {
            continue;
        }
        let row_ref = request.row_ref;
        match fault(terms, level, request, allowed, counted_us) {
            None => return Some(Exclusion::Accepted { reason: &request.reason, row_ref }),
            Some(why) => {
                let why = format!("request {} does not leave it out: {why}", request.id);
                refused.get_or_insert(Exclusion::Refused { why, row_ref });
            }
        }
    }
    refused
}

/// Why a request leaves nothing out.
fn fault(
    terms: &Terms,
    level: &ServiceLevel,
    request: &ExclusionRequest,
    allowed: bool,
    counted_us: Option<i64>,
) -> Option<String> {
    if !allowed {
        return Some(format!("the service level allows no exclusion for `{}`", request.reason));
    }
    match request.decision.as_str() {
        "accepted" => {}
        "rejected" => return Some("it was rejected".to_owned()),
        _ => return Some("it is not decided".to_owned()),
    }
    if !request.is_proved {
        return Some("it names no evidence".to_owned());
    }
    let deadline = level.exclusion_deadline?;
    let Some(requested_us) = request.requested_us else {
        return Some("it does not say when it was asked for".to_owned());
    };
    let Some(counted_us) = counted_us else {
        return Some("the window that the case counts in is not known".to_owned());
    };
    match deadline_us(terms, level, deadline, counted_us) {
        Ok((last_day, until_us)) => (requested_us >= until_us)
            .then(|| format!("it was asked for after the last day, {last_day}")),
        Err(why) => Some(format!("its deadline is not known: {why}")),
    }
}

/// The last day for a request, and the instant at which that day ends in the arrangement's zone.
fn deadline_us(
    terms: &Terms,
    level: &ServiceLevel,
    deadline: RequestDeadline,
    counted_us: i64,
) -> Result<(jiff::civil::Date, i64), String> {
    let beyond = || "it lies beyond the calendar".to_owned();
    let day = terms.zone.date(counted_us).ok_or_else(beyond)?;
    let window = level.window.around(day).map_err(|error| error.to_string())?;
    let start_us = |day| terms.zone.day_start_us(day).map_err(|error| error.to_string());
    let (mut last, mut next) = (window.after.yesterday().map_err(|_| beyond())?, window.after);
    let mut left = deadline.days;
    for _ in 0..MOST_DAYS {
        if left == 0 {
            return Ok((last, start_us(next)?));
        }
        let after = next.tomorrow().map_err(|_| beyond())?;
        let counts = !deadline.working || {
            let (from_us, until_us) = (start_us(next)?, start_us(after)?);
            let worked = terms
                .contract_calendar(level, from_us)
                .and_then(|calendar| calendar.working_us(from_us, until_us));
            worked.map_err(|gap: Gap| gap.to_string())? > 0
        };
        left -= u32::from(counts);
        (last, next) = (next, after);
    }
    Err(format!("no working day for {MOST_DAYS} days"))
}
