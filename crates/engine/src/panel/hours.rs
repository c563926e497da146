//! Distance in hours of one arrangement: overlap, promised hours, holidays, handovers, urgent items,
//! meetings. Owns the counting of what is too much to be shown one by one; what was not as promised
//! keeps its rows.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    line::{Line, lines},
    overlap::{OverlapPair, overlaps},
};
use crate::{
    derive::{coverage_span, handover_due, holiday_clash, meeting_share, urgent_item},
    error::EngineError,
    session::Session,
};

/// Distance in hours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HoursPanel {
    /// Pairs of teams.
    pub overlaps: Vec<OverlapPair>,
    /// What is said of overlap and of no day.
    pub overlap_said: Vec<String>,
    /// Promised hours by function.
    pub coverage: Vec<Coverage>,
    /// Holidays of one team alone, in order of day, those with an answer too.
    pub clashes: Vec<Clash>,
    /// What is said of holidays and of no clash.
    pub clashes_said: Vec<String>,
    /// Handovers by pair of teams.
    pub handovers: Vec<HandoverPair>,
    /// Urgent items by promise.
    pub urgent: Vec<UrgentTerm>,
    /// Meetings by agreement.
    pub meetings: Vec<Meeting>,
}

/// The promised hours of a function up to the instant looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Function.
    pub function: String,
    /// Promised and manned, microseconds.
    pub manned_us: i64,
    /// Promised and not manned, microseconds.
    pub unmanned_us: i64,
    /// The spans that were not manned.
    pub unmanned: Vec<OpenSpan>,
    /// Why some of it, or all, is not known, or nothing is promised; each once.
    pub said: Vec<String>,
    /// Row that says what is agreed, `entry:record`.
    pub record: Option<String>,
}

/// A span that nobody manned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSpan {
    /// Microseconds UTC.
    pub from_us: i64,
    /// Microseconds UTC.
    pub until_us: i64,
    /// In the zone of the arrangement, in words.
    pub local: String,
    /// Shifts around it.
    pub evidence: Vec<String>,
}

/// A day on which a holiday closes one of two teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The teams.
    pub teams: (String, String),
    /// Civil day; nothing for a gap.
    pub day: Option<Date>,
    /// Team that is closed.
    pub off: Option<String>,
    /// Holiday.
    pub holiday: Option<String>,
    /// Whether it had to be answered by now.
    pub due: bool,
    /// `answered`, `late`, `open`, `gap` and others of `holiday_clash`.
    pub state: String,
    /// Day on which the answer was agreed.
    pub agreed_on: Option<Date>,
    /// In words.
    pub reason: Option<String>,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// Handovers from one team to another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandoverPair {
    /// From; nothing when nothing was agreed.
    pub from: Option<String>,
    /// To.
    pub to: Option<String>,
    /// Handovers due.
    pub due: u64,
    /// Of these, made and picked up in time.
    pub in_time: u64,
    /// Those that were not, or of which it is not known.
    pub others: Vec<Handover>,
    /// Why it is not known, or not needed.
    pub said: Vec<String>,
}

/// One handover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// End of the shift, microseconds UTC.
    pub ended_us: i64,
    /// Note made.
    pub made_us: Option<i64>,
    /// Note picked up.
    pub picked_up_us: Option<i64>,
    /// `not-made`, `made-late`, `not-picked-up` and others of `handover_due`.
    pub state: String,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// Urgent items under one promise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UrgentTerm {
    /// Promise; nothing when none was made.
    pub term: Option<String>,
    /// Time promised, microseconds.
    pub required_us: Option<i64>,
    /// Items that came in while both teams were at work, which the promise is not about.
    pub inside: u64,
    /// Items that came in outside.
    pub outside: u64,
    /// Of these, answered in time.
    pub in_time: u64,
    /// Those that were not answered in time, or of which it is not known.
    pub others: Vec<Urgent>,
    /// Why it is not known, or nothing is promised.
    pub said: Vec<String>,
}

/// An urgent item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urgent {
    /// Case.
    pub case_id: String,
    /// Urgent from, microseconds UTC.
    pub urgent_us: i64,
    /// Time to the answer; nothing without one.
    pub answer_us: Option<i64>,
    /// Why it is not known.
    pub gap: Option<String>,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// Meetings under one agreement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meeting {
    /// Agreement; nothing when none was made.
    pub term: Option<String>,
    /// Greatest share that one team may carry, as a decimal.
    pub greatest_share: Option<String>,
    /// Teams.
    pub sides: Vec<MeetingSide>,
    /// Better times.
    pub proposal: Option<String>,
    /// Why it is not known, or not needed.
    pub said: Vec<String>,
}

/// What one team carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingSide {
    /// Team.
    pub team: String,
    /// Meetings that it took part in.
    pub meetings: i64,
    /// Meeting time outside its working hours, microseconds; nothing when it is not known.
    pub outside_us: Option<i64>,
    /// The same of all teams.
    pub total_us: Option<i64>,
    /// Rows behind it.
    pub evidence: Vec<String>,
}

/// Distance in hours in a session's arrangement and period, and up to a year after it.
///
/// # Errors
/// Unreadable rows.
pub fn hours(session: &Session) -> Result<HoursPanel, EngineError> {
    let (overlaps, overlap_said) = overlaps(session)?;
    let (clashes, clashes_said) = clashes(session)?;
    Ok(HoursPanel {
        overlaps,
        overlap_said,
        coverage: coverage(session)?,
        clashes,
        clashes_said,
        handovers: handovers(session)?,
        urgent: urgent(session)?,
        meetings: meetings(session)?,
    })
}

/// Adds a sentence that is not there yet.
fn say(said: &mut Vec<String>, reason: Option<String>) {
    if let Some(reason) = reason.filter(|reason| !said.contains(reason)) {
        said.push(reason);
    }
}

fn coverage(session: &Session) -> Result<Vec<Coverage>, EngineError> {
    let mut found: BTreeMap<String, Coverage> = BTreeMap::new();
    lines(session, coverage_span::NAME, |line| {
        let function = line.word("function_id")?;
        let own = found
            .entry(function.clone())
            .or_insert_with(|| Coverage { function, ..Coverage::default() });
        own.record = line.record()?.or(own.record.take());
        let span = line.instant("starts_at")?.zip(line.instant("ends_at")?);
        let length = line.integer("length_us")?.unwrap_or_default();
        match (line.word("state")?.as_str(), span) {
            ("covered", _) => own.manned_us += length,
            ("uncovered", Some((from_us, until_us))) => {
                own.unmanned_us += length;
                let (local, evidence) = (line.word("reason")?, line.evidence()?);
                own.unmanned.push(OpenSpan { from_us, until_us, local, evidence });
            }
            _ => say(&mut own.said, line.text("reason")?),
        }
        Ok(None::<()>)
    })?;
    Ok(found.into_values().collect())
}

fn clashes(session: &Session) -> Result<(Vec<Clash>, Vec<String>), EngineError> {
    let mut said = Vec::new();
    let mut found = lines(session, holiday_clash::NAME, |line| {
        let teams = (line.word("team_id")?, line.word("other_team_id")?);
        let state = line.word("state")?;
        let (day, reason) = (line.date("day")?, line.text("reason")?);
        if day.is_none() {
            let who = match teams.0.as_str() {
                "" => String::new(),
                _ => format!("{} and {}: ", teams.0, teams.1),
            };
            said.extend(reason.map(|reason| format!("{who}{reason}")));
            return Ok(None);
        }
        Ok(Some(Clash {
            teams,
            day,
            off: line.text("off_team_id")?,
            holiday: line.text("holiday")?,
            due: line.flag("due")?.unwrap_or_default(),
            state,
            agreed_on: line.date("agreed_on")?,
            reason,
            evidence: line.evidence()?,
        }))
    })?;
    found.sort_by(|a, b| (a.day, &a.teams).cmp(&(b.day, &b.teams)));
    Ok((found, said))
}

fn handovers(session: &Session) -> Result<Vec<HandoverPair>, EngineError> {
    let mut found: BTreeMap<(Option<String>, Option<String>), HandoverPair> = BTreeMap::new();
    lines(session, handover_due::NAME, |line| {
        let (from, to) = (line.text("from_team_id")?, line.text("to_team_id")?);
        let own = found.entry((from.clone(), to.clone())).or_insert_with(|| HandoverPair {
            from,
            to,
            ..HandoverPair::default()
        });
        let state = line.word("state")?;
        let Some(ended_us) = line.instant("shift_ended_at")? else {
            say(&mut own.said, line.text("reason")?);
            return Ok(None::<()>);
        };
        own.due += 1;
        if state == "in-time" {
            own.in_time += 1;
        } else {
            own.others.push(Handover {
                ended_us,
                made_us: line.instant("made_at")?,
                picked_up_us: line.instant("picked_up_at")?,
                state,
                evidence: line.evidence()?,
            });
        }
        Ok(None)
    })?;
    Ok(found.into_values().collect())
}

fn urgent(session: &Session) -> Result<Vec<UrgentTerm>, EngineError> {
    let mut found: BTreeMap<Option<String>, UrgentTerm> = BTreeMap::new();
    lines(session, urgent_item::NAME, |line| {
        let term = line.text("urgent_term_id")?;
        let own = found
            .entry(term.clone())
            .or_insert_with(|| UrgentTerm { term, ..UrgentTerm::default() });
        own.required_us = line.integer("required_us")?.or(own.required_us);
        let (state, reason) = (line.word("state")?, line.text("reason")?);
        let Some((case_id, urgent_us)) = line.text("case_id")?.zip(line.instant("urgent_at")?)
        else {
            say(&mut own.said, reason);
            return Ok(None::<()>);
        };
        if state == "inside" {
            own.inside += 1;
            return Ok(None);
        }
        own.outside += 1;
        if state == "due" && is_answered_in_time(line)? {
            own.in_time += 1;
            return Ok(None);
        }
        own.others.push(Urgent {
            case_id,
            urgent_us,
            answer_us: line.integer("answer_us")?,
            gap: reason.filter(|_| state == "gap"),
            evidence: line.evidence()?,
        });
        Ok(None)
    })?;
    Ok(found.into_values().collect())
}

/// Whether an item was answered within the time promised.
fn is_answered_in_time(line: &Line<'_>) -> Result<bool, EngineError> {
    let times = line.integer("answer_us")?.zip(line.integer("required_us")?);
    Ok(times.is_some_and(|(answer, required)| answer <= required))
}

fn meetings(session: &Session) -> Result<Vec<Meeting>, EngineError> {
    let mut found: BTreeMap<Option<String>, Meeting> = BTreeMap::new();
    lines(session, meeting_share::NAME, |line| {
        let term = line.text("meeting_term_id")?;
        let own =
            found.entry(term.clone()).or_insert_with(|| Meeting { term, ..Meeting::default() });
        own.greatest_share = line.decimal("greatest_share")?.or(own.greatest_share.take());
        own.proposal = line.text("proposal")?.or(own.proposal.take());
        say(&mut own.said, line.text("reason")?);
        if let Some(team) = line.text("team_id")? {
            let is_known = line.word("state")? == "due";
            own.sides.push(MeetingSide {
                team,
                meetings: line.integer("meetings")?.unwrap_or_default(),
                outside_us: line.integer("outside_us")?.filter(|_| is_known),
                total_us: line.integer("total_us")?,
                evidence: line.evidence()?,
            });
        }
        Ok(None::<()>)
    })?;
    Ok(found.into_values().collect())
}
