//! Service levels in the months before a period, for a reader who wants to see where a figure comes
//! from. Every figure is the one that an assessment of that month alone gives on the same evidence.
//! Owns the span that is looked back over; it must never enter an assessment.

use jiff::civil::Date;

use crate::{
    arrangement,
    assess::{AssessRequest, measured_and_covered},
    assessment::MeasureResult,
    error::EngineError,
    period::{Period, Window, day_of_us},
    rows,
    session::{Rules, Session, runtime},
};

/// Table of work events: without them nothing is measured.
const EVENTS: &str = "case_event";

/// A service level in an earlier window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The figure.
    pub measure: MeasureResult,
    /// Whether every work event expected in that month arrived and adds up.
    pub covered: bool,
}

/// Every service level of one arrangement in each of the `months` civil months before the period of
/// the request (October has September, August …), as the same evidence gives it now; months before
/// the first work event are left out. None when the register does not know the arrangement.
///
/// # Errors
/// Unreadable evidence, a metric whose SQL fails, or a span beyond what a calendar can say.
pub fn history(
    request: &AssessRequest<'_>,
    arrangement_id: &str,
    period: Period,
    months: u8,
) -> Result<Vec<Past>, EngineError> {
    let threads = runtime(request.layout)?;
    let mut found = Vec::new();
    let mut first_day = None;
    let mut after = period.first;
    for n in 0..months {
        let before = after.yesterday().map_err(|error| EngineError::Time(error.to_string()))?;
        let month = Window::Month.around(before)?;
        after = month.first;
        let view = arrangement::view(&request.evidence, arrangement_id, month, request.now_us)?;
        let Some(view) = view else { break };
        let session = Session::new(&request.evidence, view, request.layout, threads.clone())?;
        if n == 0 {
            first_day = first_event_day(&session)?;
        }
        if first_day.is_none_or(|first| month.after <= first) {
            break;
        }
        let (measures, covered) = measured_and_covered(request, &session, EVENTS)?;
        found.extend(measures.into_iter().map(|measure| Past { measure, covered }));
    }
    Ok(found)
}

/// The civil day of the first work event; none without any.
fn first_event_day(session: &Session) -> Result<Option<Date>, EngineError> {
    let sql = "SELECT min(occurred_at) AS first FROM case_event";
    let planned = session.plan("history", sql, session.view().period, Rules::Check)?;
    for batch in session.run("history", &planned)? {
        if batch.num_rows() > 0
            && let Some(us) = rows::instant(&rows::instants(&batch, EVENTS, "first")?, 0)
        {
            return Ok(Some(day_of_us(&session.view().zone, us)?));
        }
    }
    Ok(None)
}
