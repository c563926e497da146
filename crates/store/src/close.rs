//! The month-end in the ledger: a month is issued, agreed and frozen, each step an assessment with a
//! note of what it closes. Owns the order of the steps; it must never change what was frozen, and never
//! look into an assessment.

use backstay_evidence::Digest;
use backstay_ledger::EntryKind;
use serde::{Deserialize, Serialize};

use crate::{
    assessment::{AssessmentKept, NewAssessment},
    backend::Backend as _,
    error::{Result, StoreError},
    payload::{self, AssessmentPayload},
    workspace::{Ctx, Workspace},
};

/// A step of the month-end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseStep {
    /// Our figures are handed out.
    Issue,
    /// The other side agrees to them.
    Agree,
    /// They stand for good.
    Freeze,
    /// Figures of a closed month on later evidence, beside it.
    Restate,
}

impl CloseStep {
    /// As in payloads and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Agree => "agree",
            Self::Freeze => "freeze",
            Self::Restate => "restate",
        }
    }

    /// What has happened, in words.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Issue => "issued",
            Self::Agree => "agreed",
            Self::Freeze => "frozen",
            Self::Restate => "restated",
        }
    }
}

/// What an assessment closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseNote {
    /// The step.
    pub step: CloseStep,
    /// Arrangement.
    pub arrangement: String,
    /// Days, `2026-10-01..2026-11-01`.
    pub period: String,
    /// Digest of the figures, which evidence that changes none of them leaves as it is.
    pub figures: Digest,
    /// Who agreed, or decided; empty for us.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Anything to be remembered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// For a restatement: the entry that it restates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restates: Option<u64>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closed {
    /// Its entry, by which the assessment is replayed.
    pub entry: u64,
    /// When, microseconds UTC.
    pub recorded_at_us: i64,
    /// Whose hand wrote it.
    pub actor: String,
    /// What it closes.
    #[serde(flatten)]
    pub note: CloseNote,
}

/// Whether a step may follow those taken; the sentence says what to do instead.
fn check(taken: &[Closed], new: &CloseNote) -> std::result::Result<(), String> {
    let steps = taken.iter().filter(|closed| closed.note.step != CloseStep::Restate);
    let last = steps.clone().next_back();
    let frozen = steps.clone().find(|closed| closed.note.step == CloseStep::Freeze);
    if new.step == CloseStep::Restate {
        return match last {
            Some(_) => Ok(()),
            None => Err("it was never issued, so there is nothing to restate".to_owned()),
        };
    }
    if let Some(frozen) = frozen {
        return Err(format!(
            "entry {} froze it, and a frozen month is never changed: `backstay restate` says what later evidence makes of it",
            frozen.entry
        ));
    }
    let (wanted, before) = match new.step {
        CloseStep::Issue => return Ok(()),
        CloseStep::Agree => (CloseStep::Issue, "issue it first: `--step issue`"),
        _ => (CloseStep::Agree, "let it be agreed first: `--step agree --by WHO`"),
    };
    let Some(last) = last.filter(|last| last.note.step == wanted) else {
        return Err(before.to_owned());
    };
    if last.note.figures != new.figures {
        return Err(format!(
            "the figures are no longer those {} with entry {}: evidence came in since; issue them again",
            last.note.step.done(),
            last.entry
        ));
    }
    if new.step == CloseStep::Agree && new.by.trim().is_empty() {
        return Err("say who agreed: `--by WHO`".to_owned());
    }
    Ok(())
}

impl Workspace {
    /// Takes a step of the month-end: keeps the assessment with the note.
    ///
    /// # Errors
    /// [`StoreError::Close`] when the step may not follow; else as
    /// [`append_assessment`](Workspace::append_assessment).
    pub fn close(
        &self,
        new: NewAssessment<'_>,
        note: &CloseNote,
        ctx: &mut Ctx<'_>,
    ) -> Result<AssessmentKept> {
        self.keep_assessment(new, Some(note), ctx)
    }

    /// Whether a step may follow those taken.
    ///
    /// # Errors
    /// [`StoreError::Close`].
    pub fn check_close(&self, note: &CloseNote) -> Result<()> {
        let taken = self.closes(&note.arrangement, &note.period)?;
        check(&taken, note).map_err(|reason| StoreError::Close {
            arrangement: note.arrangement.clone(),
            period: note.period.clone(),
            step: note.step.as_str(),
            reason,
        })
    }

    /// The steps that were taken for a month, in order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn closes(&self, arrangement: &str, period: &str) -> Result<Vec<Closed>> {
        let mut all = Vec::new();
        for entry in self.backend.with_kind(&EntryKind::Assessment)? {
            let stored = self.stored(entry)?;
            let kept: AssessmentPayload = payload::read(&stored)?;
            let Some(note) = kept.close else { continue };
            if note.arrangement == arrangement && note.period == period {
                all.push(Closed {
                    entry,
                    recorded_at_us: stored.entry.recorded_at_us,
                    actor: stored.entry.actor.clone(),
                    note,
                });
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn note(step: CloseStep, figures: &[u8], by: &str) -> CloseNote {
        CloseNote {
            step,
            arrangement: "desk".to_owned(),
            period: "2026-03-01..2026-04-01".to_owned(),
            figures: Digest::of(figures),
            by: by.to_owned(),
            note: String::new(),
            restates: None,
        }
    }

    fn taken(notes: &[CloseNote]) -> Vec<Closed> {
        let closed = |(n, note): (usize, &CloseNote)| Closed {
            entry: n as u64 + 1,
            recorded_at_us: 0,
            actor: "a".to_owned(),
            note: note.clone(),
        };
        notes.iter().enumerate().map(closed).collect()
    }

    #[test]
    fn a_month_is_issued_then_agreed_then_frozen_and_then_nothing_more() {
        let issue = note(CloseStep::Issue, b"f", "");
        let agree = note(CloseStep::Agree, b"f", "provider");
        let freeze = note(CloseStep::Freeze, b"f", "");
        let mut done = Vec::new();
        for step in [&issue, &agree, &freeze] {
            check(&taken(&done), step).unwrap();
            done.push(step.clone());
        }
        for step in [&issue, &agree, &freeze] {
            let refused = check(&taken(&done), step).unwrap_err();
            assert!(refused.contains("entry 3 froze it"), "{refused}");
        }
        check(&taken(&done), &note(CloseStep::Restate, b"g", "")).unwrap();
    }

    #[test]
    fn a_step_out_of_order_says_what_comes_first() {
        let agree = note(CloseStep::Agree, b"f", "provider");
        let freeze = note(CloseStep::Freeze, b"f", "");
        assert!(check(&[], &agree).unwrap_err().contains("issue it first"));
        assert!(check(&[], &freeze).unwrap_err().contains("agreed first"));
        assert!(
            check(&[], &note(CloseStep::Restate, b"f", "")).unwrap_err().contains("never issued")
        );
        let issued = taken(&[note(CloseStep::Issue, b"f", "")]);
        assert!(check(&issued, &freeze).unwrap_err().contains("agreed first"));
        let nobody = note(CloseStep::Agree, b"f", " ");
        assert!(check(&issued, &nobody).unwrap_err().contains("--by WHO"));
    }

    #[test]
    fn figures_that_changed_are_issued_again_before_anybody_agrees_to_them() {
        let issued = [note(CloseStep::Issue, b"f", "")];
        let other = note(CloseStep::Agree, b"g", "provider");
        let refused = check(&taken(&issued), &other).unwrap_err();
        assert!(refused.contains("no longer those issued with entry 1"), "{refused}");
        let again = [issued[0].clone(), note(CloseStep::Issue, b"g", "")];
        check(&taken(&again), &other).unwrap();
        // An agreement ends with the figures that it was about.
        let reissued = [again[1].clone(), other.clone(), note(CloseStep::Issue, b"h", "")];
        let freeze = note(CloseStep::Freeze, b"h", "");
        assert!(check(&taken(&reissued), &freeze).unwrap_err().contains("agreed first"));
        let changed = note(CloseStep::Freeze, b"h", "");
        let agreed = [again[1].clone(), other];
        assert!(check(&taken(&agreed), &changed).unwrap_err().contains("no longer those agreed"));
    }
}
