//! One civil day of an arrangement: its teams at work and the promised hours that were manned or not.
//! Owns the reading of that day; it must never say whether it suffices.

use backstay_calendar::Span;
use jiff::civil::Date;

use super::line::lines;
use crate::{
    derive::{
        coverage_span,
        team_day::{TeamDay, team_days},
    },
    error::EngineError,
    session::{Session, derived::AllTables},
};

/// A civil day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPanel {
    /// The day, in the zone of the arrangement.
    pub day: Date,
    /// From midnight to midnight, microseconds UTC.
    pub span: Span,
    /// Zone of the arrangement.
    pub zone: String,
    /// Teams, by id.
    pub teams: Vec<TeamDay>,
    /// Promised hours by function, where the session's period holds the day.
    pub promised: Vec<PromisedDay>,
}

/// The promised hours of a function on a day, up to the instant looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PromisedDay {
    /// Function.
    pub function: String,
    /// Promised and manned.
    pub manned: Vec<Span>,
    /// Promised and not manned.
    pub unmanned: Vec<Span>,
    /// Why it is not known, or nothing is promised; each once.
    pub said: Vec<String>,
}

/// A civil day of a session's arrangement.
///
/// # Errors
/// Unreadable rows, or a day beyond what a calendar can say.
pub fn day(session: &Session, day: Date) -> Result<DayPanel, EngineError> {
    let tables = AllTables(session);
    let (span, teams) = team_days(&session.derive_input(&tables)?, day)?;
    Ok(DayPanel {
        day,
        span,
        zone: session.view().zone.clone(),
        teams,
        promised: promised(session, span)?,
    })
}

fn promised(session: &Session, day: Span) -> Result<Vec<PromisedDay>, EngineError> {
    let mut found: Vec<PromisedDay> = Vec::new();
    lines(session, coverage_span::NAME, |line| {
        let Some(function) = line.text("function_id")? else { return Ok(None::<()>) };
        let state = line.word("state")?;
        let span = line.instant("starts_at")?.zip(line.instant("ends_at")?);
        let inside = span.map(|(from, until)| (from.max(day.0), until.min(day.1)));
        // What is said of no span is said of every day.
        if inside.is_some_and(|(from, until)| from >= until) {
            return Ok(None);
        }
        let at = match found.iter().position(|own| own.function == function) {
            Some(at) => at,
            None => {
                found.push(PromisedDay { function, ..PromisedDay::default() });
                found.len() - 1
            }
        };
        let Some(own) = found.get_mut(at) else { return Ok(None) };
        match (state.as_str(), inside) {
            ("covered", Some(span)) => own.manned.push(span),
            ("uncovered", Some(span)) => own.unmanned.push(span),
            _ => {
                let reason = line.text("reason")?;
                own.said.extend(reason.filter(|reason| !own.said.contains(reason)));
            }
        }
        Ok(None)
    })?;
    Ok(found)
}
