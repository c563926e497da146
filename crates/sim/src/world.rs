//! The rows of a simulated operation, as the simulation itself sees them. Owns plain types only; it
//! must never compute anything from them.

use jiff::civil::Date;

/// Minutes since 1970-01-01T00:00Z. Everything here happens on whole minutes.
pub type Minute = i64;

/// A client, a provider: id, name, country, zone of the head office.
#[derive(Debug, Clone)]
pub struct Party {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// ISO 3166 country.
    pub country: String,
    /// IANA zone.
    pub zone: String,
}

/// A calendar of working windows.
#[derive(Debug, Clone)]
pub struct CalendarRow {
    /// Id.
    pub id: String,
    /// IANA zone of the windows.
    pub zone: String,
    /// Windows from Monday to Sunday, as `09:00-13:00 14:00-18:00`; empty: closed.
    pub week: [String; 7],
    /// Places whose holidays count.
    pub places: Vec<String>,
    /// Kinds of holiday that stop the clock; `override` always does.
    pub kinds: Vec<String>,
    /// Where it was taken from.
    pub source: String,
}

/// A date on which a place works otherwise.
#[derive(Debug, Clone)]
pub struct HolidayRow {
    /// Place.
    pub place: String,
    /// Civil date.
    pub on: Date,
    /// Name.
    pub name: String,
    /// Kind of the vocabulary.
    pub kind: String,
    /// Windows worked all the same.
    pub windows: Option<String>,
    /// Act, proclamation or notice.
    pub source: String,
    /// When it was made public.
    pub proclaimed: Option<Date>,
}

/// A place of work.
#[derive(Debug, Clone)]
pub struct SiteRow {
    /// Id.
    pub id: String,
    /// Provider that runs it.
    pub provider: String,
    /// Name.
    pub name: String,
    /// ISO 3166 country.
    pub country: String,
    /// City.
    pub city: String,
    /// IANA zone.
    pub zone: String,
    /// Calendar it works by.
    pub calendar: String,
}

/// An outsourcing arrangement.
#[derive(Debug, Clone)]
pub struct ArrangementRow {
    /// Id.
    pub id: String,
    /// Provider.
    pub provider: String,
    /// Title.
    pub title: String,
    /// Zone in which its months are counted.
    pub zone: String,
    /// Site for events that name none.
    pub default_site: String,
}

/// An outsourced function.
#[derive(Debug, Clone)]
pub struct FunctionRow {
    /// Arrangement.
    pub arrangement: String,
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Whether it is critical.
    pub critical: bool,
}

/// A team at a site.
#[derive(Debug, Clone)]
pub struct TeamRow {
    /// Arrangement.
    pub arrangement: String,
    /// Id, as the work log writes it.
    pub id: String,
    /// Title.
    pub title: String,
    /// Site.
    pub site: String,
    /// Function.
    pub function: String,
}

/// When a clock starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// When the case was opened.
    Opened,
    /// At its first event.
    FirstEvent,
    /// At its first assignment to a person or team.
    Assigned,
}

impl Start {
    /// The vocabulary's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::FirstEvent => "first-event",
            Self::Assigned => "assigned",
        }
    }
}

/// Which instant puts a case into a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountsIn {
    /// Its deadline.
    Due,
    /// Its end.
    Closed,
}

/// A service level, one row per version.
#[derive(Debug, Clone)]
pub struct LevelRow {
    /// Arrangement.
    pub arrangement: String,
    /// Id.
    pub id: String,
    /// Function.
    pub function: String,
    /// Title.
    pub title: String,
    /// `turnaround`, `first-response` or `backlog-age`.
    pub metric: String,
    /// Priorities; empty: all.
    pub priorities: Vec<String>,
    /// Case types; empty: all.
    pub case_types: Vec<String>,
    /// Target in thousandths.
    pub target: i64,
    /// Minimum in thousandths.
    pub minimum: i64,
    /// Working minutes allowed.
    pub threshold: i64,
    /// What puts a case into a month.
    pub counts_in: CountsIn,
    /// When the clock starts.
    pub starts: Start,
    /// States in which the case is done.
    pub stop: Vec<String>,
    /// States in which the clock pauses.
    pub paused: Vec<String>,
    /// Calendar that counts whatever the site.
    pub calendar: Option<String>,
    /// Reasons for which a case may be left out.
    pub reasons: Vec<String>,
    /// `contract` or `amendment`.
    pub basis: String,
    /// Clause.
    pub source: String,
    /// First civil day of this version.
    pub valid_from: Option<Date>,
    /// Whether missing it is only reported.
    pub is_key_measurement: bool,
    /// Whether the worst week of the month is to be shown.
    pub by_week: bool,
    /// Calendar days after the month within which leaving a case out may be asked for.
    pub request_days: Option<i64>,
}

/// An event of a case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Case.
    pub case: String,
    /// When.
    pub at: Minute,
    /// Position in the case, from 0.
    pub step: i64,
    /// The source's own id, when it has one.
    pub id: Option<String>,
    /// When the case was opened.
    pub opened: Minute,
    /// What was done.
    pub activity: String,
    /// State from then on.
    pub state: String,
    /// Who did it.
    pub person: Option<String>,
    /// Team it is with.
    pub team: Option<String>,
    /// Site responsible, when the log names it.
    pub site: Option<String>,
    /// Priority.
    pub priority: Option<String>,
    /// Case type.
    pub case_type: Option<String>,
}

/// A case: its events in order.
#[derive(Debug, Clone)]
pub struct Case {
    /// Arrangement.
    pub arrangement: String,
    /// Id.
    pub id: String,
    /// Events in the order of time.
    pub events: Vec<Event>,
}

/// A request to leave a case out.
#[derive(Debug, Clone)]
pub struct ExclusionRow {
    /// Arrangement.
    pub arrangement: String,
    /// Id.
    pub id: String,
    /// Service level.
    pub level: String,
    /// Case.
    pub case: String,
    /// Reason.
    pub reason: String,
    /// When asked for.
    pub requested: Minute,
    /// `accepted`, `rejected` or `open`.
    pub decision: String,
    /// When decided.
    pub decided: Option<Minute>,
    /// Evidence.
    pub source: String,
}

/// One line of what a provider reports.
#[derive(Debug, Clone, Default)]
pub struct ReportRow {
    /// Arrangement.
    pub arrangement: String,
    /// Service level.
    pub level: String,
    /// First day of the month.
    pub month: Date,
    /// Case, in a case list.
    pub case: Option<String>,
    /// Outcome of the case.
    pub outcome: Option<String>,
    /// Cases met.
    pub numerator: Option<i64>,
    /// Cases counted.
    pub denominator: Option<i64>,
    /// Share as printed.
    pub value: Option<String>,
    /// What it states of its own reckoning.
    pub stated: Stated,
}

/// A provider's stated choices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// Calendar used.
    pub calendar: Option<String>,
    /// Start of the clock used.
    pub starts: Option<Start>,
    /// States in which it paused.
    pub paused: Option<Vec<String>>,
}

/// A declaration or delivery of evidence.
#[derive(Debug, Clone, Default)]
pub struct FeedRow {
    /// Arrangement.
    pub arrangement: String,
    /// Feed.
    pub feed: String,
    /// Table it feeds.
    pub table: String,
    /// `declared`, `delivered` or `complete`.
    pub entry: String,
    /// Cadence of a declaration.
    pub cadence: Option<String>,
    /// Calendar of working days.
    pub calendar: Option<String>,
    /// Control total.
    pub count: Option<i64>,
    /// Nothing to send.
    pub nil: bool,
    /// A declaration: every delivery states its total.
    pub totals: bool,
    /// First day.
    pub from: Date,
    /// First day after.
    pub until: Option<Date>,
}

/// Everything that is registered about an operation.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Clients.
    pub clients: Vec<Party>,
    /// Providers.
    pub providers: Vec<Party>,
    /// Calendars.
    pub calendars: Vec<CalendarRow>,
    /// Holidays.
    pub holidays: Vec<HolidayRow>,
    /// Sites.
    pub sites: Vec<SiteRow>,
    /// Arrangements.
    pub arrangements: Vec<ArrangementRow>,
    /// Functions.
    pub functions: Vec<FunctionRow>,
    /// Teams.
    pub teams: Vec<TeamRow>,
    /// Service levels.
    pub levels: Vec<LevelRow>,
    /// Exclusions.
    pub exclusions: Vec<ExclusionRow>,
}

impl World {
    /// An arrangement by id.
    #[must_use]
    pub fn arrangement(&self, id: &str) -> Option<&ArrangementRow> {
        self.arrangements.iter().find(|row| row.id == id)
    }

    /// The calendar of a site.
    #[must_use]
    pub fn calendar_of_site(&self, site: &str) -> Option<&str> {
        self.sites.iter().find(|row| row.id == site).map(|row| row.calendar.as_str())
    }

    /// The site of a team.
    #[must_use]
    pub fn site_of_team(&self, arrangement: &str, team: &str) -> Option<&str> {
        self.teams
            .iter()
            .find(|row| row.arrangement == arrangement && row.id == team)
            .map(|row| row.site.as_str())
    }

    /// Ids of an arrangement's service levels, in the order written, each once.
    #[must_use]
    pub fn level_ids(&self, arrangement: &str) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for row in self.levels.iter().filter(|row| row.arrangement == arrangement) {
            if !ids.contains(&row.id) {
                ids.push(row.id.clone());
            }
        }
        ids
    }

    /// The version of a service level that holds on a civil day.
    #[must_use]
    pub fn level_on(&self, arrangement: &str, id: &str, day: Date) -> Option<&LevelRow> {
        self.levels
            .iter()
            .filter(|row| row.arrangement == arrangement && row.id == id)
            .filter(|row| row.valid_from.is_none_or(|from| from <= day))
            .max_by_key(|row| row.valid_from)
    }
}
