//! The open cases of every arrangement with the working time left, as results. Owns how a row of
//! `due_soon` is handed on; it must never work out a deadline.

use backstay_evidence::RowRef;
use serde::Serialize;

use crate::{
    arrangement,
    derive::due_soon::NAME,
    error::EngineError,
    measured::unregistered,
    period::{Window, day_of_us, instant_text},
    rows,
    session::{Evidence, Session, runtime},
    tables::Layout,
};

/// An open case under a service level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DueCase {
    /// Arrangement.
    pub arrangement_id: String,
    /// Service level.
    pub service_level: String,
    /// Case.
    pub case_id: String,
    /// `overdue`, `warn` (the warning is due), `open`, or `gap` when its clock cannot be known.
    pub standing: String,
    /// Priority.
    pub priority: Option<String>,
    /// State.
    pub state: Option<String>,
    /// Team that the case is with.
    pub team_id: Option<String>,
    /// Site responsible.
    pub site_id: Option<String>,
    /// Working time used, microseconds.
    pub used_us: Option<i64>,
    /// Working time allowed.
    pub threshold_us: Option<i64>,
    /// Working time left; negative when overdue.
    pub left_us: Option<i64>,
    /// Deadline, RFC 3339 in UTC, as if the clock ran on from now.
    pub due_at: Option<String>,
    /// When the warning is due.
    pub warn_at: Option<String>,
    /// The same, moved into the working hours of whoever is warned.
    pub notify_at: Option<String>,
    /// `no`, `later` or `earlier`.
    pub moved: Option<String>,
    /// What cannot be known.
    pub gap: Option<String>,
    /// Rows of the case are in quarantine: events may be lacking.
    pub incomplete: bool,
    /// The event that the case stands at, `entry:record`.
    pub evidence: Option<String>,
}

/// Every open case of every arrangement in the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warned {
    /// By arrangement, service level and deadline.
    pub cases: Vec<DueCase>,
    /// What is not looked at, and why.
    pub notes: Vec<String>,
}

/// The open cases as of an instant.
///
/// # Errors
/// Unreadable evidence.
pub fn warned(evidence: &Evidence, now_us: i64, layout: Layout) -> Result<Warned, EngineError> {
    let threads = runtime(layout)?;
    let mut found = Warned { cases: Vec::new(), notes: Vec::new() };
    let month = Window::Month.around(day_of_us("UTC", now_us)?)?;
    for id in arrangement::ids(&evidence.manifest) {
        let Some(mut view) = arrangement::view(evidence, &id, month, now_us)? else {
            found.notes.push(unregistered(&id));
            continue;
        };
        // The month of now may have ended at the site where it has not in UTC.
        view.period = Window::Month.around(day_of_us(&view.zone, now_us)?)?;
        view.as_of_us = now_us;
        let session = Session::new(evidence, view, layout, threads.clone())?;
        found.cases.extend(of_session(&session)?);
    }
    Ok(found)
}

pub(crate) fn of_session(session: &Session) -> Result<Vec<DueCase>, EngineError> {
    let mut found = Vec::new();
    for batch in session.batches(NAME)? {
        let texts = |name: &str| rows::texts(&batch, NAME, name);
        let numbers = |name: &str| rows::integers(&batch, NAME, name);
        let instants = |name: &str| rows::instants(&batch, NAME, name);
        let (arrangements, levels, cases) =
            (texts("arrangement_id")?, texts("service_level_id")?, texts("case_id")?);
        let (standings, priorities, states) =
            (texts("standing")?, texts("priority")?, texts("state")?);
        let (teams, sites, moved, gaps) =
            (texts("team_id")?, texts("site_id")?, texts("moved")?, texts("gap_reason")?);
        let (used, threshold, left) =
            (numbers("used_us")?, numbers("threshold_us")?, numbers("left_us")?);
        let (due, warn, notify) =
            (instants("due_at")?, instants("warn_at")?, instants("notify_at")?);
        let (incomplete, refs) = (rows::booleans(&batch, NAME, "incomplete")?, numbers("_ref")?);
        for row in 0..batch.num_rows() {
            let word = |array| rows::text(array, row).map(str::to_owned);
            let at = |array| rows::instant(array, row).map(instant_text);
            let evidence = rows::integer(&refs, row).and_then(RowRef::unpack);
            found.push(DueCase {
                arrangement_id: word(&arrangements).unwrap_or_default(),
                service_level: word(&levels).unwrap_or_default(),
                case_id: word(&cases).unwrap_or_default(),
                standing: word(&standings).unwrap_or_default(),
                priority: word(&priorities),
                state: word(&states),
                team_id: word(&teams),
                site_id: word(&sites),
                used_us: rows::integer(&used, row),
                threshold_us: rows::integer(&threshold, row),
                left_us: rows::integer(&left, row),
                due_at: at(&due),
                warn_at: at(&warn),
                notify_at: at(&notify),
                moved: word(&moved),
                gap: word(&gaps),
                incomplete: rows::boolean(&incomplete, row).unwrap_or(false),
                evidence: evidence.map(|row| row.to_string()),
            });
        }
    }
    Ok(found)
}
