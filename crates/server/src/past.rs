//! Kept assessments as far as somebody sees what they are about. Whoever sees some of the arrangements is
//! shown those parts alone; a provider's people see what was assessed for their own arrangements and
//! nothing that was assessed for all.

use std::{collections::BTreeSet, sync::Arc};

use backstay_access::Action;
use backstay_desk::restate::Restated;
use backstay_engine::{Assessment, Period};
use backstay_store::{AssessmentSummary, CloseNote, CloseStep};
use quick_cache::sync::Cache;

use crate::{asked::Asked, problem::ProblemError};

/// Results kept in memory; each holds every finding of its period.
const RESULTS: usize = 96;
/// Comparisons kept; each holds the cases that differ.
const RESTATED: usize = 24;

/// What was read of kept assessments.
pub struct Read {
    lists: Cache<u64, Arc<Vec<AssessmentSummary>>>,
    results: Cache<u64, Arc<Assessment>>,
    /// What differs between two of them, case by case: by the entries and the arrangement.
    pub restated: Cache<(u64, u64, String), Arc<Restated>>,
}

impl Default for Read {
    fn default() -> Self {
        Self { lists: Cache::new(4), results: Cache::new(RESULTS), restated: Cache::new(RESTATED) }
    }
}

/// A kept assessment.
#[derive(Debug, Clone)]
pub struct Past {
    /// Its entry.
    pub entry: u64,
    /// When it was kept, microseconds UTC.
    pub recorded_at_us: i64,
    /// What it closes.
    pub close: Option<CloseNote>,
    /// The period.
    pub period: Period,
    /// The arrangements that it is about and the asker sees; empty: all that there are, for somebody who
    /// sees whatever an assessment of all holds.
    pub scope: Vec<String>,
    digest: backstay_evidence::Digest,
}

impl Past {
    /// Whether it says something of an arrangement that the asker sees.
    pub fn is_about(&self, arrangement: &str) -> bool {
        self.scope.is_empty() || self.scope.iter().any(|id| id == arrangement)
    }

    /// The assessment as it is kept, whatever the asker sees: for rules, never for a page.
    ///
    /// # Errors
    /// An object that is missing or has changed.
    pub fn whole(&self, asked: &Asked<'_>) -> Result<Arc<Assessment>, ProblemError> {
        let server = asked.server;
        server.past.results.get_or_insert_with(&self.entry, || {
            let bytes = server.workspace.read_object(self.digest)?;
            let read = Assessment::from_bytes(&bytes);
            read.map(Arc::new).map_err(|error| ProblemError::broken(error.to_string()))
        })
    }

    /// The assessment, cut to what the asker sees.
    ///
    /// # Errors
    /// An object that is missing or has changed.
    pub fn result(&self, asked: &Asked<'_>) -> Result<Arc<Assessment>, ProblemError> {
        let whole = self.whole(asked)?;
        let visible = asked.authority()?.visible_for(Action::ArrangementRead);
        let own = |id: &String| visible.contains(id);
        if whole.controls.iter().all(|c| own(&c.arrangement_id))
            && whole.measures.iter().all(|m| own(&m.arrangement_id))
            && whole.findings.iter().all(|f| own(&f.arrangement_id))
            && whole.coverage.iter().all(|c| own(&c.arrangement_id))
            && whole.basis.scope.iter().all(own)
            && (!whole.basis.scope.is_empty() || sees_everything(asked, &visible)?)
        {
            return Ok(whole);
        }
        let mut cut = whole.as_ref().clone();
        cut.controls.retain(|c| own(&c.arrangement_id));
        cut.measures.retain(|m| own(&m.arrangement_id));
        cut.findings.retain(|f| own(&f.arrangement_id));
        cut.coverage.retain(|c| own(&c.arrangement_id));
        cut.basis.scope.retain(own);
        // Both are about all arrangements at once.
        cut.risks.clear();
        cut.notes.clear();
        Ok(Arc::new(cut))
    }
}

/// Whether somebody of the client sees every arrangement there is: an assessment of all is whole to them.
fn sees_everything(asked: &Asked<'_>, visible: &BTreeSet<String>) -> Result<bool, ProblemError> {
    let portfolio = asked.server.workspace.portfolio()?;
    let all = portfolio.arrangements().all(|id| visible.contains(id));
    Ok(all && asked.visitor()?.account.provider.is_none())
}

/// Every kept assessment of which the asker sees something, in order, up to the instant of the page.
///
/// # Errors
/// Those of the database.
pub fn all(asked: &Asked<'_>, known_at: Option<u64>) -> Result<Vec<Past>, ProblemError> {
    let server = asked.server;
    let head = server.workspace.backend().head()?.size;
    let list = server.past.lists.get_or_insert_with(&head, || {
        Ok::<_, ProblemError>(Arc::new(server.workspace.assessments()?))
    })?;
    let visible = asked.authority()?.visible_for(Action::ArrangementRead);
    let of_provider = asked.visitor()?.account.provider.is_some();
    let known = list.iter().filter(|kept| known_at.is_none_or(|entry| kept.entry <= entry));
    Ok(known.filter_map(|kept| past(kept, &visible, of_provider)).collect())
}

fn past(kept: &AssessmentSummary, visible: &BTreeSet<String>, of_provider: bool) -> Option<Past> {
    let own: Vec<String> =
        kept.arrangements.iter().filter(|id| visible.contains(*id)).cloned().collect();
    let is_open = match kept.arrangements.is_empty() {
        true => !of_provider && !visible.is_empty(),
        false if of_provider => own.len() == kept.arrangements.len(),
        false => !own.is_empty(),
    };
    let period = kept.basis.get("period")?.as_str()?.parse().ok()?;
    is_open.then(|| Past {
        entry: kept.entry,
        recorded_at_us: kept.recorded_at_us,
        close: kept.close.clone(),
        period,
        scope: own,
        digest: kept.result,
    })
}

/// One of them.
///
/// # Errors
/// No such entry, or none that is open to the asker.
pub fn one(asked: &Asked<'_>, entry: u64) -> Result<Past, ProblemError> {
    let found = all(asked, None)?.into_iter().find(|kept| kept.entry == entry);
    found.ok_or_else(|| ProblemError::nothing("assessment"))
}

/// What the figures of an arrangement are held against: the last close of the period or one before, else
/// the last assessment of an earlier period, else the last of the same.
pub fn before<'a>(all: &'a [Past], arrangement: &str, period: Period) -> Option<&'a Past> {
    let own = || {
        let about =
            move |kept: &&Past| kept.is_about(arrangement) && kept.period.first <= period.first;
        all.iter().filter(about)
    };
    let closing = |kept: &&Past| {
        let step = kept.close.as_ref().map(|note| note.step);
        step.is_some_and(|step| step != CloseStep::Restate)
    };
    let close = own().filter(closing).max_by_key(|kept| (kept.period.first, kept.entry));
    let earlier = own().filter(|kept| kept.period.first < period.first);
    let earlier = earlier.max_by_key(|kept| (kept.period.first, kept.entry));
    close.or(earlier).or_else(|| own().max_by_key(|kept| kept.entry))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn kept(entry: u64, arrangements: &[&str]) -> AssessmentSummary {
        AssessmentSummary {
            entry,
            recorded_at_us: 0,
            actor: "somebody".to_owned(),
            arrangements: arrangements.iter().map(|id| (*id).to_owned()).collect(),
            basis: serde_json::json!({"period": "2026-10-01..2026-11-01"}),
            result: backstay_evidence::Digest::of(b"x"),
            close: None,
        }
    }

    #[test]
    fn what_was_assessed_for_all_is_never_open_to_a_providers_person() {
        let own = BTreeSet::from(["desk".to_owned()]);
        for (arrangements, of_provider, open) in [
            (&[][..], false, true),
            (&[], true, false),
            (&["desk"], true, true),
            (&["desk", "other"], true, false),
            (&["desk", "other"], false, true),
            (&["other"], false, false),
        ] {
            let found = past(&kept(1, arrangements), &own, of_provider);
            assert_eq!(found.is_some(), open, "{arrangements:?} {of_provider}");
            if let Some(found) = found {
                assert!(!found.scope.contains(&"other".to_owned()));
            }
        }
        assert!(past(&kept(1, &[]), &BTreeSet::new(), false).is_none(), "who sees nothing");
    }

    #[test]
    fn figures_are_held_against_the_last_close_else_against_the_last_assessment_before() {
        let period = |text: &str| -> Period { text.parse().unwrap() };
        let at = |entry, month: &str, step: Option<CloseStep>| Past {
            entry,
            recorded_at_us: 0,
            close: step.map(|step| CloseNote {
                step,
                arrangement: "desk".to_owned(),
                period: String::new(),
                figures: backstay_evidence::Digest::of(b"x"),
                by: String::new(),
                note: String::new(),
                restates: None,
            }),
            period: period(month),
            scope: vec!["desk".to_owned()],
            digest: backstay_evidence::Digest::of(b"x"),
        };
        let all = [
            at(1, "2026-08", Some(CloseStep::Freeze)),
            at(2, "2026-09", None),
            at(3, "2026-08", Some(CloseStep::Restate)),
            at(4, "2026-10", None),
            at(5, "2026-11", Some(CloseStep::Issue)),
        ];
        let found = |all, month: &str| before(all, "desk", period(month)).map(|kept| kept.entry);
        assert_eq!(found(&all, "2026-10"), Some(1), "a restatement is no close");
        assert_eq!(found(&all, "2026-11"), Some(5), "its own close");
        assert_eq!(found(&all[1..4], "2026-10"), Some(2), "the period nearest before");
        assert_eq!(found(&all[3..4], "2026-10"), Some(4));
        assert_eq!(found(&all, "2026-07"), None);
        assert_eq!(before(&all, "other", period("2026-10")).map(|kept| kept.entry), None);
    }
}
