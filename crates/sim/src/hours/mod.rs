//! Distance in hours: rosters, handovers, meetings, and what was agreed about them. Owns the rows of
//! that part of the operation and the one door to it; the product's tables are only files here.

mod files;
mod plan;
mod reckon;

pub(crate) use files::{feeds, files};
pub(crate) use plan::{cases, plan};
pub(crate) use reckon::reckon;

use jiff::civil::Date;

use crate::world::Minute;

/// Two teams of an arrangement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Arrangement.
    pub(crate) arrangement: &'static str,
    /// One team.
    pub(crate) team: &'static str,
    /// The other.
    pub(crate) other: &'static str,
}

/// A rostered shift of a whole team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShiftRow {
    pub(crate) arrangement: &'static str,
    pub(crate) team: &'static str,
    pub(crate) from: Minute,
    pub(crate) until: Minute,
}

/// Least minutes together on a day; 0: none needed.
#[derive(Debug, Clone)]
pub(crate) struct OverlapTerm {
    pub(crate) pair: Pair,
    pub(crate) required: i64,
    pub(crate) by_roster: bool,
}

/// Hours promised of a function; without a calendar none are.
#[derive(Debug, Clone)]
pub(crate) struct CoverageTerm {
    pub(crate) arrangement: &'static str,
    pub(crate) function: &'static str,
    pub(crate) calendar: &'static str,
    pub(crate) teams: &'static [&'static str],
}

/// Days of notice for an answer to a holiday; without them none is needed.
#[derive(Debug, Clone)]
pub(crate) struct HolidayTerm {
    pub(crate) pair: Pair,
    pub(crate) notice: Option<i64>,
}

/// An answer to a holiday.
#[derive(Debug, Clone)]
pub(crate) struct CoverRow {
    pub(crate) pair: Pair,
    pub(crate) on: Date,
    pub(crate) answer: &'static str,
    pub(crate) cover: &'static str,
    pub(crate) agreed: Date,
}

/// Minutes within which a note is made and picked up.
#[derive(Debug, Clone)]
pub(crate) struct HandoverTerm {
    pub(crate) pair: Pair,
    pub(crate) make: i64,
    pub(crate) pick_up: i64,
}

/// A note at the end of a shift.
#[derive(Debug, Clone)]
pub(crate) struct NoteRow {
    pub(crate) pair: Pair,
    pub(crate) ended: Minute,
    pub(crate) made: Minute,
    pub(crate) picked_up: Option<Minute>,
}

/// What is urgent, and in how many minutes of the wall clock it is answered; none when nothing is
/// promised.
#[derive(Debug, Clone)]
pub(crate) struct UrgentTerm {
    pub(crate) pair: Pair,
    pub(crate) id: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) case_type: &'static str,
    pub(crate) states: &'static [&'static str],
    pub(crate) within: Option<i64>,
}

/// A meeting of two teams.
#[derive(Debug, Clone)]
pub(crate) struct MeetingRow {
    pub(crate) pair: Pair,
    pub(crate) number: usize,
    pub(crate) from: Minute,
    pub(crate) until: Minute,
}

/// Greatest share in thousandths of the time outside hours for one of two teams.
#[derive(Debug, Clone)]
pub(crate) struct MeetingTerm {
    pub(crate) pair: Pair,
    pub(crate) greatest: i64,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hours {
    pub(crate) shifts: Vec<ShiftRow>,
    pub(crate) overlaps: Vec<OverlapTerm>,
    pub(crate) coverages: Vec<CoverageTerm>,
    pub(crate) holidays: Vec<HolidayTerm>,
    pub(crate) covers: Vec<CoverRow>,
    pub(crate) handovers: Vec<HandoverTerm>,
    pub(crate) notes: Vec<NoteRow>,
    pub(crate) urgents: Vec<UrgentTerm>,
    pub(crate) meetings: Vec<MeetingRow>,
    pub(crate) meeting_terms: Vec<MeetingTerm>,
}

impl Hours {
    /// The shifts of a team.
    fn of_team<'a>(
        &'a self,
        arrangement: &'a str,
        team: &'a str,
    ) -> impl Iterator<Item = &'a ShiftRow> {
        self.shifts.iter().filter(move |row| row.arrangement == arrangement && row.team == team)
    }
}
