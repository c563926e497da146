//! Two answers about one period of one arrangement beside each other: a closed month and what today's
//! evidence makes of it, or two kept assessments. Which figures, cases, findings' amounts and credits
//! differ, and which entry brought it. Owns the way to both sides; the comparison itself is the engine's.

use std::collections::BTreeMap;

use backstay_engine::{
    Assessment, Period, arrangement,
    credit_note::{Owed, owed},
    restate::{self, Answers, Counted, Restatement, Side, answers, causes, compare},
    session::Session,
};
use backstay_store::{CloseStep, Closed, EntrySummary, Workspace};
use serde_json::Value;

use crate::{
    error::DeskError,
    evidence::{self, Seen},
    period::Known,
};

/// Entries read at once.
const CHUNK: usize = 1_000;
/// Kinds of entries that bring evidence, or take it away.
const EVIDENCE: [&str; 5] = ["import", "reread", "edit", "correction", "retract"];

/// The step of a month-end that stands: the freezing, else the last agreement or issue.
#[must_use]
pub fn standing(taken: &[Closed]) -> Option<&Closed> {
    let of = |step: CloseStep| taken.iter().rfind(|closed| closed.note.step == step);
    let last = taken.iter().rfind(|closed| closed.note.step != CloseStep::Restate);
    of(CloseStep::Freeze).or(last)
}

/// One of two answers: an assessment with the evidence that it was made from.
pub struct Answered<'a> {
    /// The evidence.
    pub seen: &'a Seen,
    /// The assessment.
    pub assessment: &'a Assessment,
}

/// What differs between two answers.
pub struct Restated {
    /// Figures, cases, money, credits.
    pub found: Restatement,
    /// What a reader should know beside it.
    pub notes: Vec<String>,
    /// What is owed by the later answer, month by month.
    pub owed: Vec<Owed>,
}

/// Compares two answers about one period of an arrangement, both looked at from `as_of_us`.
///
/// # Errors
/// Unreadable evidence, or a metric whose SQL fails.
pub fn restated(
    workspace: &Workspace,
    arrangement: &str,
    as_of_us: i64,
    was: &Answered<'_>,
    is: &Answered<'_>,
    clock_us: i64,
) -> Result<Restated, DeskError> {
    let period = was.assessment.basis.period;
    let month = Month { workspace, arrangement, period, as_of_us, clock_us };
    let (old, old_owed) = month.worked(was.seen)?;
    let (new, new_owed) = month.worked(is.seen)?;
    let because = month.because(was.seen, &old, is.seen, &new)?;
    let sides = (
        own(was.assessment, arrangement, &old, &old_owed),
        own(is.assessment, arrangement, &new, &new_owed),
    );
    let found = compare(arrangement, period, &sides.0.side(), &sides.1.side(), &because);
    let notes = notes(was.assessment, &is.assessment.basis.engine, &found);
    Ok(Restated { found, notes, owed: new_owed })
}

/// What an assessment says of one arrangement.
struct Own<'a> {
    measures: Vec<backstay_engine::assessment::MeasureResult>,
    findings: Vec<backstay_engine::assessment::Finding>,
    answers: &'a Answers,
    owed: &'a [Owed],
}

impl Own<'_> {
    fn side(&self) -> Side<'_> {
        let Self { measures, findings, answers, owed } = self;
        Side { measures, findings, answers, owed }
    }
}

fn own<'a>(
    assessment: &Assessment,
    arrangement: &str,
    answers: &'a Answers,
    owed: &'a [Owed],
) -> Own<'a> {
    let measures = assessment.measures.iter().filter(|m| m.arrangement_id == arrangement);
    let findings = assessment.findings.iter().filter(|f| f.arrangement_id == arrangement);
    Own {
        measures: measures.cloned().collect(),
        findings: findings.cloned().collect(),
        answers,
        owed,
    }
}

/// The month that is looked at twice.
struct Month<'a> {
    workspace: &'a Workspace,
    arrangement: &'a str,
    period: Period,
    as_of_us: i64,
    clock_us: i64,
}

impl Month<'_> {
    /// The month on some evidence; nothing when the arrangement has no row there.
    fn session(&self, seen: &Seen) -> Result<Option<Session>, DeskError> {
        let id = self.arrangement;
        let view = arrangement::view(&seen.evidence, id, self.period, self.as_of_us)?;
        Ok(view.map(|view| seen.session(view)).transpose()?)
    }

    fn answers(&self, seen: &Seen) -> Result<Answers, DeskError> {
        let session = self.session(seen)?;
        Ok(session.as_ref().map(answers).transpose()?.unwrap_or_default())
    }

    /// The cases of the month, and what is owed up to its end.
    fn worked(&self, seen: &Seen) -> Result<(Answers, Vec<Owed>), DeskError> {
        let Some(session) = self.session(seen)? else { return Ok(Default::default()) };
        Ok((answers(&session)?, owed(&session)?))
    }

    /// What brought each difference: the catalogue and the vocabulary first, then entry by entry.
    fn because(
        &self,
        then: &Seen,
        old: &Answers,
        today: &Seen,
        new: &Answers,
    ) -> Result<BTreeMap<Counted, Vec<String>>, DeskError> {
        let mut found: BTreeMap<Counted, Vec<String>> = BTreeMap::new();
        if old == new {
            return Ok(found);
        }
        let (was, is) = (&then.evidence, &today.evidence);
        let rules_changed = was.catalogue.digest() != is.catalogue.digest()
            || was.vocabulary.digest() != is.vocabulary.digest();
        let first = match rules_changed {
            true => self.answers(&self.at(then.known_at)?)?,
            false => old.clone(),
        };
        for counted in causes(1, old, &first, &mut |_| Ok::<_, DeskError>(old.clone()))?.into_keys()
        {
            let rules = "another catalogue or vocabulary".to_owned();
            found.entry(counted).or_default().push(rules);
        }
        let entries = between(self.workspace, self.arrangement, then.known_at, today.known_at)?;
        let mut at = |n: usize| {
            let entry = n.checked_sub(1).and_then(|n| entries.get(n)).map(|entry| entry.entry);
            self.answers(&self.at(entry.unwrap_or(then.known_at))?)
        };
        for (counted, places) in causes(entries.len(), &first, new, &mut at)? {
            let told = places.iter().filter_map(|n| entries.get(*n)).map(told);
            found.entry(counted).or_default().extend(told);
        }
        Ok(found)
    }

    /// The evidence as of an entry, with today's rules.
    fn at(&self, entry: u64) -> Result<Seen, DeskError> {
        let scope = &[self.arrangement.to_owned()];
        let catalogue = evidence::catalogue(self.workspace)?;
        let known = Some(Known::Entry(entry));
        evidence::see_with(self.workspace, known, scope, catalogue, self.clock_us)
    }
}

/// The entries after one and up to another that may have brought evidence on an arrangement, in order.
///
/// # Errors
/// Those of the database.
pub fn between(
    workspace: &Workspace,
    arrangement: &str,
    after: u64,
    until: u64,
) -> Result<Vec<EntrySummary>, DeskError> {
    let mut found = Vec::new();
    let mut from = after + 1;
    while from <= until {
        let chunk = workspace.entries(from, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        from = last.entry + 1;
        let concerns = |entry: &EntrySummary| {
            let own = &entry.arrangements;
            entry.entry <= until
                && EVIDENCE.contains(&entry.kind.as_str())
                && (own.is_empty() || own.iter().any(|id| id == arrangement))
        };
        found.extend(chunk.into_iter().filter(concerns));
    }
    Ok(found)
}

/// What the comparison does not say by itself: another release, cases that no entry explains, terms that
/// changed.
fn notes(before: &Assessment, engine: &str, found: &Restatement) -> Vec<String> {
    let mut notes = Vec::new();
    if before.basis.engine != engine {
        notes.push(format!(
            "it was closed with release {}; this is {engine}: `backstay replay` says what that alone changes",
            before.basis.engine
        ));
    }
    let nameless = found.cases.iter().filter(|case| case.because.is_empty()).count();
    if nameless > 0 {
        notes.push(format!("for {nameless} cases no entry alone explains the difference"));
    }
    let targets = found.figures.iter().filter(|change| {
        let target = |figure: &Option<restate::Figure>| {
            figure.as_ref().map(|f| (f.target.clone(), f.minimum.clone()))
        };
        target(&change.before) != target(&change.after)
    });
    for change in targets {
        notes.push(format!(
            "the terms of `{}` are not those of the closing: its target or minimum changed",
            change.service_level
        ));
    }
    notes
}

/// An entry in a few words.
#[must_use]
pub fn told(entry: &EntrySummary) -> String {
    let text = |pointer: &str| {
        let payload = entry.payload.as_ref();
        payload.and_then(|payload| payload.pointer(pointer)).and_then(Value::as_str)
    };
    match text("/file").or_else(|| text("/reason")).filter(|text| !text.is_empty()) {
        Some(what) => format!("entry {} ({} {what})", entry.entry, entry.kind),
        None => format!("entry {} ({})", entry.entry, entry.kind),
    }
}
