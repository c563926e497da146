//! What the pages show of a period: one assessment an arrangement, worked out once and kept in memory
//! by its basis. Who may see an arrangement is decided before any of this; an assessment of one
//! arrangement is the same whoever looks at it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use backstay_access::Action;
use backstay_desk::{
    assess,
    evidence::{Seen, see_visible},
    period::{Known, parse_known},
};
use backstay_engine::{
    Assessment, Period, Status,
    assessment::{Amount, ControlResult},
};
use quick_cache::sync::Cache;

use crate::{api::list::Cursor, asked::Asked, problem::ProblemError};

/// Answers of each kind kept in memory.
const KEPT: usize = 256;
/// The clock of pages moves in steps of this length, so that one answer serves many requests.
const STEP_US: i64 = 600 * 1_000_000;

/// Answers by what they are answers to.
pub struct Kept {
    assessments: Cache<String, Arc<Assessment>>,
    periods: Cache<String, Period>,
    /// Held while an assessment is worked out: it uses every core by itself, so two never run at once.
    /// What is known already waits for nobody.
    work: Mutex<()>,
    /// The tables that each control and metric of the catalogue reads; found at the first question.
    pub reads: OnceLock<BTreeMap<String, BTreeSet<String>>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            assessments: Cache::new(KEPT),
            periods: Cache::new(KEPT),
            work: Mutex::new(()),
            reads: OnceLock::new(),
        }
    }
}

/// The step of the clock that an instant lies in, microseconds UTC.
pub fn step(now_us: i64) -> i64 {
    now_us - now_us.rem_euclid(STEP_US)
}

/// A period of some arrangements.
pub struct Figures {
    /// The evidence, cut to them.
    pub seen: Seen,
    /// The period.
    pub period: Period,
    /// One assessment each, by arrangement.
    pub parts: Vec<(String, Arc<Assessment>)>,
}

impl Figures {
    /// Of all arrangements that the asker sees; nothing when none has evidence.
    ///
    /// # Errors
    /// A period or an instant that is none; unreadable evidence.
    pub fn visible(asked: &Asked<'_>) -> Result<Option<Self>, ProblemError> {
        Self::of(asked, &asked.authority()?.visible())
    }

    /// Of the arrangement that the path names; the route's rule has let the asker through.
    ///
    /// # Errors
    /// As [`Figures::visible`].
    pub fn named(asked: &Asked<'_>) -> Result<Option<Self>, ProblemError> {
        let mut only = asked.authority()?.visible_for(Action::ArrangementRead);
        only.retain(|id| id == asked.part("arrangement"));
        Self::of(asked, &only)
    }

    fn of(asked: &Asked<'_>, ids: &BTreeSet<String>) -> Result<Option<Self>, ProblemError> {
        let Some(seen) = seen(asked, ids)? else { return Ok(None) };
        let period = period(asked, &seen)?;
        let mut parts = Vec::new();
        for id in seen.arrangements() {
            parts.push((id.clone(), assessment(asked, &id, period, &seen)?));
        }
        Ok(Some(Self { seen, period, parts }))
    }

    /// The one arrangement there is.
    pub fn only(&self) -> Option<(&str, &Assessment)> {
        self.parts.first().map(|(id, found)| (id.as_str(), found.as_ref()))
    }
}

/// The evidence of some arrangements as of the instant that was asked for; nothing when there is none.
///
/// # Errors
/// An instant that is none; unreadable evidence.
pub fn seen(asked: &Asked<'_>, ids: &BTreeSet<String>) -> Result<Option<Seen>, ProblemError> {
    let server = asked.server;
    let cursor = Cursor::of(asked)?;
    let pinned = cursor.map(|cursor| cursor.known_at.to_string());
    let as_of = pinned.as_deref().or(asked.query("as_of"));
    if let Some(entry) = as_of.and_then(|text| text.parse::<u64>().ok()) {
        let size = server.workspace.backend().head()?.size;
        if !(1..=size).contains(&entry) {
            return Err(ProblemError::nothing("ledger entry"));
        }
    }
    let (catalogue, now_us) = (server.catalogue.clone(), step(asked.now_us));
    let mut seen = see_visible(&server.workspace, as_of, ids, catalogue, now_us)?;
    if let Some((seen, cursor)) = seen.as_mut().zip(cursor) {
        seen.now_us = cursor.now_us.min(now_us);
    }
    Ok(seen)
}

/// The ledger entry up to which a list of entries is asked for: as of the instant that was named, else all.
///
/// # Errors
/// An instant that is none; an entry that is not there.
pub fn up_to(asked: &Asked<'_>) -> Result<u64, ProblemError> {
    let backend = asked.server.workspace.backend();
    let size = backend.head()?.size;
    match asked.query("as_of").map(parse_known).transpose()? {
        None => Ok(size),
        Some(Known::Entry(entry)) if (1..=size).contains(&entry) => Ok(entry),
        Some(Known::Entry(_)) => Err(ProblemError::nothing("ledger entry")),
        Some(Known::InstantUs(instant)) => Ok(backend.seq_at(instant)?),
    }
}

/// The period that was asked for, else the last complete month with events.
///
/// # Errors
/// A period that is none; unreadable evidence.
pub fn period(asked: &Asked<'_>, seen: &Seen) -> Result<Period, ProblemError> {
    let text = asked.query("period");
    if text.is_some() {
        return Ok(seen.period(text)?.0);
    }
    let key = format!("{} {} {:?}", seen.known_at, seen.now_us, seen.arrangements());
    let found = || -> Result<Period, ProblemError> { Ok(seen.period(None)?.0) };
    asked.server.kept.periods.get_or_insert_with(&key, found)
}

fn assessment(
    asked: &Asked<'_>,
    id: &str,
    period: Period,
    all: &Seen,
) -> Result<Arc<Assessment>, ProblemError> {
    let server = asked.server;
    let evidence = &all.evidence.manifest.evidence_digest;
    let key = format!("{id} {period} {evidence} {}", all.now_us);
    let made = || -> Result<Arc<Assessment>, ProblemError> {
        let _turn = server.kept.work.lock().unwrap_or_else(PoisonError::into_inner);
        let as_of = all.known_at.to_string();
        let own = BTreeSet::from([id.to_owned()]);
        let catalogue = all.evidence.catalogue.as_ref().clone();
        let seen = see_visible(&server.workspace, Some(&as_of), &own, catalogue, all.now_us)?;
        let Some(mut seen) = seen else { return Err(ProblemError::nothing("arrangement")) };
        seen.now_us = all.now_us;
        Ok(Arc::new(assess::work_out(&server.workspace, &seen, period)?))
    };
    server.kept.assessments.get_or_insert_with(&key, made)
}

/// The worst status among some controls, and how many are effective.
pub fn worst<'a>(
    controls: impl Iterator<Item = &'a ControlResult>,
) -> Option<(Status, usize, usize)> {
    let all: Vec<Status> = controls.map(|control| control.status).collect();
    let effective = all.iter().filter(|status| **status == Status::Effective).count();
    all.iter().min().map(|worst| (*worst, effective, all.len()))
}

/// Amounts as text; nothing for none.
pub fn money(amounts: &[Amount]) -> String {
    let told = amounts.iter().map(|amount| {
        let number = backstay_report::figure::money(amount.minor, amount.places);
        format!("{number} {}", amount.currency)
    });
    told.collect::<Vec<_>>().join(", ")
}
