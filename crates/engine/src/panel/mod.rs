//! What a page shows about one arrangement beside its assessment, as typed rows read once from the
//! derived tables: open cases, service credits, distance in hours, quality.
//!
//! This is the one seam between the tables and whatever sets pages. Each subject can be asked for by
//! itself ([`credits`], [`hours`], [`quality`], [`due`]) on a session that is opened once; [`panels`]
//! asks for all. Owns the reading, and the summing up of rows that are too many to be shown one by one.
//! It must never judge: whether something is met is said by a control.

mod credit;
mod day;
mod hours;
mod line;
mod overlap;
mod quality;

pub use credit::{CreditMonth, CreditPanel, amount, credits};
pub use day::{DayPanel, PromisedDay, day};
pub use hours::{
    Clash, Coverage, Handover, HandoverPair, HoursPanel, Meeting, MeetingSide, OpenSpan, Urgent,
    UrgentTerm, hours,
};
pub use overlap::{ClockStep, OverlapMonth, OverlapPair, OverlapPoint, months, overlaps};
pub use quality::{
    Agreement, Complaints, CurvePoint, DriftSeries, DriftSignal, DriftWeek, Feedback, Inspection,
    Lot, PlanCurve, QualityPanel, StrainGroup, Stream, quality,
};

pub use crate::derive::team_day::TeamDay;

use crate::{error::EngineError, session::Session, warned::DueCase};

/// Everything that a page may show of one arrangement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panels {
    /// Arrangement.
    pub arrangement_id: String,
    /// Instant up to which things are looked at, microseconds UTC.
    pub as_of_us: i64,
    /// Cases that were open then.
    pub due: Vec<DueCase>,
    /// Service credits.
    pub credits: CreditPanel,
    /// Distance in hours.
    pub hours: HoursPanel,
    /// Quality.
    pub quality: QualityPanel,
}

/// All panels of a session's arrangement, period and instant.
///
/// # Errors
/// Unreadable rows.
pub fn panels(session: &Session) -> Result<Panels, EngineError> {
    Ok(Panels {
        arrangement_id: session.view().arrangement_id.clone(),
        as_of_us: session.view().as_of_us,
        due: due(session)?,
        credits: credits(session)?,
        hours: hours(session)?,
        quality: quality(session)?,
    })
}

/// The cases that were open at the session's instant, with the working time that was left.
///
/// # Errors
/// Unreadable rows.
pub fn due(session: &Session) -> Result<Vec<DueCase>, EngineError> {
    crate::warned::of_session(session)
}
