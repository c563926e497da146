//! What is to be simulated: a world, the work done in it, and what is planted. Owns the types of the
//! recipe and the questions about civil months; it must never draw anything.

use jiff::{ToSpan, civil::Date, tz::TimeZone};

use crate::{
    almanac::{Almanac, at_civil},
    clock::{Reading, Terms, applies, level_for, month_of, read},
    error::SimError,
    world::{Case, Minute, Stated, World},
};

/// A cause for which a provider's figure differs from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The provider lists some cases more than once.
    Duplicates,
    /// The provider lists cases of which we hold no event.
    RowsMissingHere,
    /// The provider leaves out cases that we hold.
    RowsMissingThere,
    /// The provider leaves cases out, or counts them, against what was agreed.
    Exclusions,
    /// The provider starts or pauses the clock otherwise, and says so.
    Clock,
    /// The provider counts by another calendar, and says so.
    Calendar,
    /// The provider's outcomes differ, and it states nothing that explains it.
    Unexplained,
}

impl Cause {
    /// Every cause, in the order of the ladder.
    pub const ALL: [Self; 7] = [
        Self::Duplicates,
        Self::RowsMissingHere,
        Self::RowsMissingThere,
        Self::Exclusions,
        Self::Clock,
        Self::Calendar,
        Self::Unexplained,
    ];

    /// The name of the ladder's step.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicates => "duplicates",
            Self::RowsMissingHere => "rows-missing-here",
            Self::RowsMissingThere => "rows-missing-there",
            Self::Exclusions => "exclusions",
            Self::Clock => "clock",
            Self::Calendar => "calendar",
            Self::Unexplained => "unexplained",
        }
    }

    /// The cause of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// How a provider prints its figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// A share with three decimal places, in a report with months across.
    Share,
    /// Cases met and cases counted.
    Counts,
}

/// What a provider reports of one service level and month.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Arrangement.
    pub arrangement: String,
    /// Service level.
    pub level: String,
    /// First day of the month.
    pub month: Date,
    /// Whether the cases are listed.
    pub listed: bool,
    /// How the figure is printed.
    pub figure: Figure,
    /// What makes it differ.
    pub causes: Vec<Cause>,
    /// The clock and calendar that the provider uses where these are causes.
    pub own: Stated,
}

impl Plan {
    /// The provider's choices that its causes bring in.
    #[must_use]
    pub fn stated(&self, with_clock: bool, with_calendar: bool) -> Stated {
        let clock = with_clock && self.causes.contains(&Cause::Clock);
        let calendar = with_calendar && self.causes.contains(&Cause::Calendar);
        Stated {
            calendar: self.own.calendar.clone().filter(|_| calendar),
            starts: self.own.starts.filter(|_| clock),
            paused: self.own.paused.clone().filter(|_| clock),
        }
    }
}

/// The words of a work log for the steps of a case; each is activity and state.
#[derive(Debug, Clone)]
pub struct Words {
    /// The case arrives.
    pub new: &'static str,
    /// Work starts.
    pub start: &'static str,
    /// Work waits for the client.
    pub pause: &'static str,
    /// Work goes on.
    pub resume: &'static str,
    /// Work waits for somebody else; the agreed clock runs on.
    pub wait: &'static str,
    /// Work passes to another team or step.
    pub pass: &'static str,
    /// The case is done, in one of these ways.
    pub done: &'static [&'static str],
    /// An administrative end some days later; empty: none.
    pub close: &'static str,
}

/// A team at work.
#[derive(Debug, Clone)]
pub struct Post {
    /// Team as the log writes it, if it does.
    pub team: Option<&'static str>,
    /// Site as the log writes it, if it does.
    pub names_site: bool,
    /// Site.
    pub site: &'static str,
    /// Prefix of its people's ids.
    pub people: &'static str,
}

/// How cases of one kind come in and are worked.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Arrangement.
    pub arrangement: &'static str,
    /// Case type, if the log has it.
    pub case_type: Option<&'static str>,
    /// Priority, if the log has it.
    pub priority: Option<&'static str>,
    /// Priority that a case starts with before it is raised, in some cases.
    pub raised_from: Option<&'static str>,
    /// Service level that sets the pace.
    pub level: &'static str,
    /// Another service level with a quicker clock to the first step.
    pub first_level: Option<&'static str>,
    /// Cases a month.
    pub per_month: i64,
    /// Words of the log.
    pub words: Words,
    /// Teams; the first takes the case unless `sun` is set.
    pub posts: Vec<Post>,
    /// Whether the team that opens next takes the case.
    pub sun: bool,
    /// Whether a new case names its team already.
    pub assigned_when_new: bool,
    /// Per thousand: cases that wait for the client.
    pub pauses: i64,
    /// Per thousand: cases that pass on.
    pub passes: i64,
    /// Per thousand: cases that are reopened.
    pub reopens: i64,
    /// Per thousand of the slow cases: slow for waiting or for being taken up late.
    pub slow_by_waiting: i64,
    /// Days on which nothing is worked or opened by the client: Saturday and Sunday mostly.
    pub weekends: i64,
    /// Civil hours of the client between which most cases come in.
    pub hours: (i64, i64),
}

/// A simulated operation before anything is drawn.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Registers.
    pub world: World,
    /// Kinds of case.
    pub recipes: Vec<Recipe>,
    /// Provider's reports.
    pub plans: Vec<Plan>,
    /// Case id prefixes per arrangement.
    pub prefixes: Vec<(&'static str, &'static str)>,
    /// Service levels and months that are to be missed.
    pub missed: Vec<(&'static str, &'static str, Date)>,
    /// A civil day of an arrangement without any event.
    pub blind: Option<(&'static str, Date)>,
    /// First civil day of evidence.
    pub first: Date,
    /// First civil day without evidence.
    pub cut: Date,
    /// Months that are measured.
    pub months: Vec<Date>,
}

/// A case counted in a month.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Case.
    pub case: String,
    /// Whether it met the level.
    pub met: bool,
    /// Reason for which it is left out, when it is.
    pub excluded: Option<String>,
    /// The clock.
    pub reading: Reading,
}

impl Operation {
    /// The zone of an arrangement.
    ///
    /// # Errors
    /// When either is not known.
    pub fn zone(&self, arrangement: &str) -> Result<TimeZone, SimError> {
        let row = self
            .world
            .arrangement(arrangement)
            .ok_or_else(|| SimError::Missing(format!("arrangement `{arrangement}`")))?;
        Ok(TimeZone::get(&row.zone)?)
    }

    /// The first instant after a month, in a zone.
    ///
    /// # Errors
    /// A month outside what the tz database can say.
    pub fn month_end(month: Date, zone: &TimeZone) -> Result<Minute, SimError> {
        at_civil(month.checked_add(1.month())?, 0, zone)
    }

    /// The clock of a case under a level, with stated choices in place of the agreed ones.
    ///
    /// # Errors
    /// As the clock's.
    pub fn reading(
        &self,
        almanac: &Almanac,
        case: &Case,
        level: &str,
        stated: &Stated,
        as_of: Minute,
    ) -> Result<Option<(Reading, Option<Date>)>, SimError> {
        let zone = self.zone(&case.arrangement)?;
        let Some(row) = level_for(&self.world, case, level, &zone)? else { return Ok(None) };
        if !applies(row, case, as_of) {
            return Ok(None);
        }
        let agreed = Terms::agreed(row);
        let terms = Terms {
            level: row,
            starts: stated.starts.unwrap_or(agreed.starts),
            paused: stated.paused.as_deref().unwrap_or(agreed.paused),
            calendar: stated.calendar.as_deref().or(agreed.calendar),
        };
        let Some(reading) = read(&self.world, almanac, case, &terms, as_of) else {
            return Ok(None);
        };
        let month = month_of(&reading, row.counts_in, &zone)?;
        Ok(Some((reading, month)))
    }

    /// The cases that fall into a month of a level as of the month's end, by the agreed terms or
    /// with stated choices, left-out ones marked. In the order of the cases.
    ///
    /// # Errors
    /// As the clock's.
    pub fn counted(
        &self,
        almanac: &Almanac,
        cases: &[Case],
        (arrangement, level, month): (&str, &str, Date),
        stated: &Stated,
    ) -> Result<Vec<Counted>, SimError> {
        let as_of = Self::month_end(month, &self.zone(arrangement)?)?;
        let backlog = self.is_backlog(arrangement, level);
        let mut found = Vec::new();
        for case in cases.iter().filter(|case| case.arrangement == arrangement) {
            let Some((reading, falls)) = self.reading(almanac, case, level, stated, as_of)? else {
                continue;
            };
            let met = match reading.verdict.met() {
                // The backlog is what is open at the month's end: young enough, or too old.
                _ if backlog && reading.closed.is_some() => None,
                _ if backlog => Some(reading.worked <= reading.threshold),
                met => met.filter(|_| falls == Some(month)),
            };
            let Some(met) = met else { continue };
            let excluded = self.exclusion((arrangement, level, month), &case.id)?;
            found.push(Counted { case: case.id.clone(), met, excluded, reading });
        }
        Ok(found)
    }

    /// Whether a level limits the age of what is open, rather than the time a case took.
    #[must_use]
    pub fn is_backlog(&self, arrangement: &str, level: &str) -> bool {
        let mut rows = self.world.levels.iter();
        rows.any(|row| {
            row.arrangement == arrangement && row.id == level && row.metric == "backlog-age"
        })
    }

    /// The reason of the exclusion of a case: accepted, for a reason that the level names, with what
    /// proves it, and asked for before the days that the level allows after the month are over.
    fn exclusion(
        &self,
        (arrangement, level, month): (&str, &str, Date),
        case: &str,
    ) -> Result<Option<String>, SimError> {
        let zone = self.zone(arrangement)?;
        let row = self.world.level_on(arrangement, level, month);
        let last = match row.and_then(|row| row.request_days) {
            None => None,
            Some(days) => {
                let after = month.checked_add(1.month())?.checked_add(days.days())?;
                Some(at_civil(after, 0, &zone)?)
            }
        };
        let named = |reason: &String| {
            let mut rows = self.world.levels.iter();
            rows.any(|row| {
                row.arrangement == arrangement && row.id == level && row.reasons.contains(reason)
            })
        };
        let mut rows = self.world.exclusions.iter();
        let found = rows.find(|row| {
            row.arrangement == arrangement
                && row.level == level
                && row.case == case
                && row.decision == "accepted"
                && !row.source.is_empty()
                && last.is_none_or(|last| row.requested < last)
                && named(&row.reason)
        });
        Ok(found.map(|row| row.reason.clone()))
    }
}
