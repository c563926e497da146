//! What the pages show of a period: one assessment an arrangement, worked out once and kept in memory
//! by its basis. Who may see an arrangement is decided before any of this; an assessment of one
//! arrangement is the same whoever looks at it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, PoisonError},
};

use backstay_access::Action;
use backstay_desk::{
    assess,
    evidence::{Seen, see_visible},
};
use backstay_engine::{
    Assessment, Period, Status,
    assessment::{Amount, ControlResult},
};

use crate::{asked::Asked, problem::ProblemError};

/// Answers kept in memory.
const KEPT: usize = 256;
/// The clock of pages moves in steps of this length, so that one answer serves many requests.
const STEP_US: i64 = 600 * 1_000_000;

/// Answers by what they are answers to, the oldest first.
#[derive(Default)]
pub struct Kept {
    assessments: VecDeque<(String, Arc<Assessment>)>,
    periods: VecDeque<(String, Period)>,
}

fn find<T: Clone>(all: &VecDeque<(String, T)>, key: &str) -> Option<T> {
    all.iter().find(|(known, _)| known == key).map(|(_, found)| found.clone())
}

fn put<T>(all: &mut VecDeque<(String, T)>, key: String, value: T) {
    if all.len() >= KEPT {
        all.pop_front();
    }
    all.push_back((key, value));
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
        let server = asked.server;
        let clock_us = asked.now_us - asked.now_us.rem_euclid(STEP_US);
        let catalogue = server.catalogue.clone();
        let as_of = asked.query("as_of");
        if let Some(entry) = as_of.and_then(|text| text.parse::<u64>().ok()) {
            let size = server.workspace.backend().head()?.size;
            if !(1..=size).contains(&entry) {
                return Err(ProblemError::nothing("ledger entry"));
            }
        }
        let Some(seen) = see_visible(&server.workspace, as_of, ids, catalogue, clock_us)? else {
            return Ok(None);
        };
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

fn period(asked: &Asked<'_>, seen: &Seen) -> Result<Period, ProblemError> {
    let text = asked.query("period");
    if text.is_some() {
        return Ok(seen.period(text)?.0);
    }
    let key = format!("{} {} {:?}", seen.known_at, seen.now_us, seen.arrangements());
    let kept = &asked.server.kept;
    if let Some(known) = find(&kept.lock().unwrap_or_else(PoisonError::into_inner).periods, &key) {
        return Ok(known);
    }
    let found = seen.period(None)?.0;
    put(&mut kept.lock().unwrap_or_else(PoisonError::into_inner).periods, key, found);
    Ok(found)
}

fn assessment(
    asked: &Asked<'_>,
    id: &str,
    period: Period,
    all: &Seen,
) -> Result<Arc<Assessment>, ProblemError> {
    let server = asked.server;
    let evidence = &all.evidence.manifest.evidence_digest;
    let key = format!("{id} {period} {evidence} {} {}", all.known_at, all.now_us);
    // Held while it is worked out: the same is never worked out twice, and two never at once.
    let mut kept = server.kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = find(&kept.assessments, &key) {
        return Ok(known);
    }
    let as_of = all.known_at.to_string();
    let own = BTreeSet::from([id.to_owned()]);
    let catalogue = all.evidence.catalogue.as_ref().clone();
    let seen = see_visible(&server.workspace, Some(&as_of), &own, catalogue, all.now_us)?;
    let Some(mut seen) = seen else { return Err(ProblemError::nothing("arrangement")) };
    seen.now_us = all.now_us;
    let made = Arc::new(assess::work_out(&server.workspace, &seen, period)?);
    put(&mut kept.assessments, key, Arc::clone(&made));
    Ok(made)
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
