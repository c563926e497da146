//! What stands beside an assessment on the pages of one arrangement, worked out once and kept in memory by
//! what it depends on. Who may see it is decided before any of this; it must never be asked for an
//! arrangement that the evidence was not cut to.

use std::sync::{Arc, Mutex, PoisonError};

use backstay_desk::{beside, forecast, ladder};
use backstay_engine::{
    EngineError, Past, Period,
    derive::{case_day::Stretch, explain::Explanation},
    forecast::ForecastResult,
    panel::{self, DayPanel, Panels},
    period::day_start_us,
    restate::{Answers, answers},
    session::{Session, View},
};
use backstay_report::{
    difference::Ladder,
    html::{Feed, Party},
};
use jiff::civil::Date;
use quick_cache::sync::Cache;

use crate::{figures::Figures, problem::ProblemError, server::Server};

/// Answers of each kind kept in memory; lists of cases are long, so few.
const KEPT: usize = 128;
const LISTS: usize = 12;
/// Microseconds of a day: no zone is further from UTC.
const DAY_US: i64 = 86_400_000_000;

/// Answers by what they are answers to.
pub struct Kept {
    parties: Cache<String, Arc<Party>>,
    history: Cache<String, Arc<Vec<Past>>>,
    panels: Cache<String, Arc<Panels>>,
    ladders: Cache<String, Arc<Vec<Ladder>>>,
    feeds: Cache<String, Arc<Vec<Feed>>>,
    cases: Cache<String, Arc<Answers>>,
    told: Cache<String, Arc<(Explanation, Vec<Stretch>)>>,
    forecasts: Cache<String, Arc<Vec<ForecastResult>>>,
    days: Cache<String, Arc<DayPanel>>,
    /// Held while something is worked out: it uses every core by itself.
    work: Mutex<()>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            parties: Cache::new(KEPT),
            history: Cache::new(KEPT),
            panels: Cache::new(KEPT),
            ladders: Cache::new(KEPT),
            feeds: Cache::new(KEPT),
            cases: Cache::new(LISTS),
            told: Cache::new(KEPT),
            forecasts: Cache::new(KEPT),
            days: Cache::new(KEPT),
            work: Mutex::new(()),
        }
    }
}

/// A subject of panels, asked for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Open cases.
    Due,
    /// Service credits.
    Credits,
    /// Distance in hours.
    Hours,
    /// Quality.
    Quality,
}

/// What stands beside the figures of one arrangement.
pub struct Beside<'a> {
    server: &'a Server,
    figures: &'a Figures,
    id: &'a str,
}

impl<'a> Beside<'a> {
    /// Of an arrangement among the figures.
    pub fn new(server: &'a Server, figures: &'a Figures, id: &'a str) -> Self {
        Self { server, figures, id }
    }

    /// What the answers about the period depend on besides the question. A period that has ended in every
    /// zone is looked at from its end, so it is the same whatever the clock says.
    fn key(&self) -> String {
        let period = self.figures.period;
        let now_us = self.figures.seen.now_us;
        let ended = day_start_us("UTC", period.after).is_ok_and(|end| now_us > end + DAY_US);
        let now = if ended { "ended".to_owned() } else { now_us.to_string() };
        format!("{} {period} {now} {}", self.id, self.evidence())
    }

    /// The same for what looks at things from now, whatever the period.
    fn key_now(&self) -> String {
        let now_us = self.figures.seen.now_us;
        format!("{} {} {now_us} {}", self.id, self.figures.period, self.evidence())
    }

    fn evidence(&self) -> String {
        self.figures.seen.evidence.manifest.evidence_digest.to_string()
    }

    fn kept<T: Clone>(
        &self,
        cache: &Cache<String, Arc<T>>,
        key: &str,
        make: impl FnOnce() -> Result<T, ProblemError>,
    ) -> Result<Arc<T>, ProblemError> {
        cache.get_or_insert_with(key, || {
            let work = &self.server.panels.work;
            let _turn = work.lock().unwrap_or_else(PoisonError::into_inner);
            make().map(Arc::new)
        })
    }

    fn view_of(&self, period: Period) -> Result<View, ProblemError> {
        let view = self.figures.seen.view(self.id, period)?;
        view.ok_or_else(|| ProblemError::nothing("arrangement"))
    }

    fn session(&self) -> Result<Session, ProblemError> {
        let view = self.view_of(self.figures.period)?;
        Ok(self.figures.seen.session(view)?)
    }

    /// Who is party to it.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn party(&self) -> Result<Arc<Party>, ProblemError> {
        self.kept(&self.server.panels.parties, &self.key(), || {
            Ok(beside::party(&self.figures.seen, &self.view_of(self.figures.period)?)?)
        })
    }

    /// Its service levels in the months before.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn history(&self) -> Result<Arc<Vec<Past>>, ProblemError> {
        self.kept(&self.server.panels.history, &self.key(), || {
            let (seen, period) = (&self.figures.seen, self.figures.period);
            Ok(beside::past(&self.server.workspace, seen, self.id, period)?)
        })
    }

    /// One subject of its panels; the others are empty.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn panels(&self, subject: Subject) -> Result<Arc<Panels>, ProblemError> {
        let key = format!("{subject:?} {}", self.key());
        self.kept(&self.server.panels.panels, &key, || {
            let session = self.session()?;
            let mut found = Panels {
                arrangement_id: self.id.to_owned(),
                as_of_us: session.view().as_of_us,
                ..Panels::default()
            };
            match subject {
                Subject::Due => found.due = panel::due(&session)?,
                Subject::Credits => found.credits = panel::credits(&session)?,
                Subject::Hours => found.hours = panel::hours(&session)?,
                Subject::Quality => found.quality = panel::quality(&session)?,
            }
            Ok(found)
        })
    }

    /// The provider's figures beside ours.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn ladders(&self) -> Result<Arc<Vec<Ladder>>, ProblemError> {
        self.kept(&self.server.panels.ladders, &self.key(), || {
            let view = self.view_of(self.figures.period)?;
            Ok(ladder::ladders(&self.figures.seen, &view)?)
        })
    }

    /// Its feeds of evidence.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn feeds(&self) -> Result<Arc<Vec<Feed>>, ProblemError> {
        self.kept(&self.server.panels.feeds, &self.key(), || {
            let view = self.view_of(self.figures.period)?;
            Ok(beside::feeds(&self.figures.seen, &view)?)
        })
    }

    /// Every case behind its figures.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn cases(&self) -> Result<Arc<Answers>, ProblemError> {
        self.kept(&self.server.panels.cases, &self.key(), || Ok(answers(&self.session()?)?))
    }

    /// One case under one service level, over the days of its sites.
    ///
    /// # Errors
    /// A case of which nothing is held; unreadable evidence.
    pub fn told(
        &self,
        case: &str,
        level: &str,
    ) -> Result<Arc<(Explanation, Vec<Stretch>)>, ProblemError> {
        let key = format!("{level}\n{case}\n{}", self.key());
        self.kept(&self.server.panels.told, &key, || {
            self.session()?.explain_by_day(case, level).map_err(|error| match error {
                // No such case, or one that this service level does not measure.
                EngineError::Evidence { .. } => ProblemError::nothing("case"),
                other => other.into(),
            })
        })
    }

    /// What the window that is running will probably end with, by service level; nothing without events.
    ///
    /// # Errors
    /// Unreadable evidence.
    pub fn forecast(&self) -> Result<Arc<Vec<ForecastResult>>, ProblemError> {
        self.kept(&self.server.panels.forecasts, &self.key_now(), || {
            let found = forecast::running(&self.figures.seen, self.id)?;
            Ok(found.unwrap_or_default())
        })
    }

    /// A civil day of its teams.
    ///
    /// # Errors
    /// Unreadable evidence; a day beyond what a calendar can say.
    pub fn day(&self, day: Date, month: Period) -> Result<Arc<DayPanel>, ProblemError> {
        let key = format!("{day} {}", self.key_now());
        self.kept(&self.server.panels.days, &key, || {
            let session = self.figures.seen.session(self.view_of(month)?)?;
            Ok(panel::day(&session, day)?)
        })
    }
}
