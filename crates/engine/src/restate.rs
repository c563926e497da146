//! Two answers about one month side by side: a closed month on later evidence, or the same evidence with
//! another calendar. Which figures, cases, findings' amounts and service credits differ, and which entry
//! brought it. Owns the comparison; it must never change what was closed.

use std::collections::{BTreeMap, BTreeSet};

use backstay_evidence::Digest;
use serde::Serialize;

use crate::{
    assessment::{Assessment, Finding, MeasureResult},
    credit_note::{self, Owed},
    error::EngineError,
    measure, measured,
    outcome::Outcome,
    period::Period,
    session::Session,
};

/// One case under one service level in one window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Counted {
    /// Service level.
    pub service_level: String,
    /// Window.
    pub period: Period,
    /// Case.
    pub case_id: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseAnswer {
    /// `met`, `missed`, `excluded` or `gap`.
    pub outcome: Outcome,
    /// What was found: working time.
    pub measured: Option<String>,
    /// What was promised.
    pub required: Option<String>,
    /// In words.
    pub explanation: String,
}

/// Every case that falls into a window, with its answer.
pub type Answers = BTreeMap<Counted, CaseAnswer>;

/// The cases behind every figure of an arrangement in the windows that end in a period.
///
/// # Errors
/// Unreadable evidence, or a metric whose SQL fails.
pub fn answers(session: &Session) -> Result<Answers, EngineError> {
    let mut found = Answers::new();
    for (period, row) in measure::answers(session)? {
        let key = Counted { service_level: row.service_level_id, period, case_id: row.subject };
        let answer = CaseAnswer {
            outcome: row.outcome,
            measured: row.measured,
            required: row.required,
            explanation: row.explanation,
        };
        found.insert(key, answer);
    }
    Ok(found)
}

/// What would differ in a session's period if its evidence were looked at as another does, which supposes
/// something ([`Session::supposing`]).
///
/// # Errors
/// Unreadable evidence, or a metric whose SQL fails.
pub fn supposed(own: &Session, other: &Session) -> Result<Restatement, EngineError> {
    let (measures, changed) = (measured::of_session(own)?, measured::of_session(other)?);
    let (cases, otherwise) = (answers(own)?, answers(other)?);
    let (owed, other_owed) = (credit_note::owed(own)?, credit_note::owed(other)?);
    let before = Side { measures: &measures, findings: &[], answers: &cases, owed: &owed };
    let after = Side { measures: &changed, findings: &[], answers: &otherwise, owed: &other_owed };
    let view = own.view();
    Ok(compare(&view.arrangement_id, view.period, &before, &after, &BTreeMap::new()))
}

/// The figure of a service level in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Cases met, or counted.
    pub numerator: i64,
    /// Cases met and missed.
    pub denominator: i64,
    /// The value; null without cases.
    pub value: Option<String>,
    /// Target.
    pub target: Option<String>,
    /// Minimum.
    pub minimum: Option<String>,
    /// `met`, `below-target`, `below-minimum`; null without a value.
    pub judgement: Option<String>,
    /// Cases left out.
    pub excluded: i64,
    /// Cases that could not be judged.
    pub gaps: i64,
}

impl Figure {
    fn of(measure: &MeasureResult) -> Self {
        Self {
            numerator: measure.numerator,
            denominator: measure.denominator,
            value: measure.value.clone(),
            target: measure.target.clone(),
            minimum: measure.minimum.clone(),
            judgement: measure.judgement.clone(),
            excluded: measure.excluded.values().sum(),
            gaps: measure.gaps.values().sum(),
        }
    }
}

/// Money that findings name, in minor units of one currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Stake {
    /// Control that found it.
    pub control: String,
    /// What it was found in.
    pub subject: String,
    /// ISO 4217 code.
    pub currency: String,
}

/// A figure that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FigureChange {
    /// Service level.
    pub service_level: String,
    /// Window.
    pub period: Period,
    /// As closed; none when it was not measured.
    pub before: Option<Figure>,
    /// Now; none when it is no longer measured.
    pub after: Option<Figure>,
}

/// A case that is not counted as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseChange {
    /// The case, its service level and window.
    #[serde(flatten)]
    pub counted: Counted,
    /// As closed; none when it was not counted.
    pub before: Option<CaseAnswer>,
    /// Now; none when it is no longer counted.
    pub after: Option<CaseAnswer>,
    /// What brought it, in order.
    pub because: Vec<String>,
}

/// Money that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MoneyChange {
    /// What it is about.
    #[serde(flatten)]
    pub stake: Stake,
    /// Decimal places of the minor unit.
    pub places: u32,
    /// As closed, in minor units.
    pub before_minor: i64,
    /// Now.
    pub after_minor: i64,
}

/// A service credit that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditChange {
    /// Month, as `2026-10`.
    pub month: String,
    /// As closed; none when nothing was agreed.
    pub before: Option<Owed>,
    /// Now.
    pub after: Option<Owed>,
}

/// Old answer, new answer, difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restatement {
    /// Arrangement.
    pub arrangement_id: String,
    /// The month.
    pub period: Period,
    /// By service level and window.
    pub figures: Vec<FigureChange>,
    /// By service level, window and case.
    pub cases: Vec<CaseChange>,
    /// By control, subject and currency.
    pub money: Vec<MoneyChange>,
    /// By month.
    pub credits: Vec<CreditChange>,
}

impl Restatement {
    /// Whether nothing is other than it was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty()
            && self.cases.is_empty()
            && self.money.is_empty()
            && self.credits.is_empty()
    }
}

/// One of two answers that are compared.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Figures.
    pub measures: &'a [MeasureResult],
    /// Findings, for the money that they name.
    pub findings: &'a [Finding],
    /// Cases.
    pub answers: &'a Answers,
    /// Service credits.
    pub owed: &'a [Owed],
}

impl<'a> Side<'a> {
    /// An assessment, with the cases and credits behind it.
    #[must_use]
    pub fn of(assessment: &'a Assessment, answers: &'a Answers, owed: &'a [Owed]) -> Self {
        Self { measures: &assessment.measures, findings: &assessment.findings, answers, owed }
    }
}

/// Digest of what is closed: every figure with its target and its counts, the money that findings name,
/// and the service credits. Evidence that changes none of them leaves it as it is.
#[must_use]
pub fn figures_digest(assessment: &Assessment, owed: &[Owed]) -> Digest {
    let figures: Vec<(&str, Period, Figure)> = assessment
        .measures
        .iter()
        .map(|measure| (measure.service_level.as_str(), measure.period, Figure::of(measure)))
        .collect();
    let money: Vec<(Stake, i64)> = money(&assessment.findings).into_iter().collect();
    // Plain structs with text keys cannot fail to be written.
    Digest::of(&serde_json::to_vec(&(figures, money, owed)).unwrap_or_default())
}

fn money(findings: &[Finding]) -> BTreeMap<Stake, i64> {
    let mut sums = BTreeMap::new();
    for finding in findings {
        let Some((minor, currency)) = finding.amount_minor.zip(finding.currency.clone()) else {
            continue;
        };
        let (control, subject) = (finding.control.clone(), finding.subject.clone());
        *sums.entry(Stake { control, subject, currency }).or_insert(0) += minor;
    }
    sums
}

/// Compares two answers about one month.
#[must_use]
pub fn compare(
    arrangement_id: &str,
    period: Period,
    before: &Side<'_>,
    after: &Side<'_>,
    because: &BTreeMap<Counted, Vec<String>>,
) -> Restatement {
    let figures = |side: &Side<'_>| -> BTreeMap<(String, Period), Figure> {
        let of = |measure: &MeasureResult| {
            ((measure.service_level.clone(), measure.period), Figure::of(measure))
        };
        side.measures.iter().map(of).collect()
    };
    let figures = differing(&figures(before), &figures(after)).into_iter().map(
        |((service_level, period), (before, after))| FigureChange {
            service_level,
            period,
            before,
            after,
        },
    );
    let cases =
        differing(before.answers, after.answers).into_iter().map(|(counted, (before, after))| {
            CaseChange {
                because: because.get(&counted).cloned().unwrap_or_default(),
                counted,
                before,
                after,
            }
        });
    let money = differing(&money(before.findings), &money(after.findings)).into_iter().map(
        |(stake, (before, after))| MoneyChange {
            places: backstay_evidence::minor_places(&stake.currency),
            stake,
            before_minor: before.unwrap_or_default(),
            after_minor: after.unwrap_or_default(),
        },
    );
    let owed = |side: &Side<'_>| -> BTreeMap<String, Owed> {
        side.owed.iter().map(|owed| (owed.month.clone(), owed.clone())).collect()
    };
    let credits = differing(&owed(before), &owed(after))
        .into_iter()
        .map(|(month, (before, after))| CreditChange { month, before, after });
    Restatement {
        arrangement_id: arrangement_id.to_owned(),
        period,
        figures: figures.collect(),
        cases: cases.collect(),
        money: money.collect(),
        credits: credits.collect(),
    }
}

/// Keys whose values differ, with both.
type Differing<K, V> = BTreeMap<K, (Option<V>, Option<V>)>;

fn differing<K: Ord + Clone, V: PartialEq + Clone>(
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
) -> Differing<K, V> {
    let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    let both = |key: &K| (old.get(key).cloned(), new.get(key).cloned());
    let pairs = keys.into_iter().map(|key| (key.clone(), both(key)));
    pairs.filter(|(_, (before, after))| before != after).collect()
}

/// Which of `count` entries, taken one after the other, brought each difference: for every case that
/// ends otherwise than it began, the places of the entries at which it changed, in order. `at(n)` gives
/// the answers with the first `n` entries; it is asked about `log2` times for each entry that matters.
///
/// # Errors
/// The first that `at` gives.
pub fn causes<E>(
    count: usize,
    first: &Answers,
    last: &Answers,
    at: &mut dyn FnMut(usize) -> Result<Answers, E>,
) -> Result<BTreeMap<Counted, Vec<usize>>, E> {
    let wanted: BTreeSet<Counted> = differing(first, last).into_keys().collect();
    let mut found = BTreeMap::new();
    let only = |answers: &Answers| -> Answers {
        let own = answers.iter().filter(|(key, _)| wanted.contains(key));
        own.map(|(key, answer)| (key.clone(), answer.clone())).collect()
    };
    // Spans of entries still to be looked into, the earliest last.
    let mut spans = vec![(0, count, only(first), only(last))];
    while let Some((from, until, before, after)) = spans.pop() {
        let changed = differing(&before, &after);
        if changed.is_empty() || from >= until {
            continue;
        }
        if until - from == 1 {
            for key in changed.into_keys() {
                found.entry(key).or_insert_with(Vec::new).push(from);
            }
            continue;
        }
        let middle = from + (until - from) / 2;
        let between = only(&at(middle)?);
        spans.push((middle, until, between.clone(), after));
        spans.push((from, middle, before, between));
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn answers(cases: &[(&str, Outcome)]) -> Answers {
        let period: Period = "2026-03".parse().unwrap();
        let one = |(case, outcome): &(&str, Outcome)| {
            let key =
                Counted { service_level: "fast".to_owned(), period, case_id: (*case).to_owned() };
            let answer = CaseAnswer {
                outcome: *outcome,
                measured: None,
                required: None,
                explanation: String::new(),
            };
            (key, answer)
        };
        cases.iter().map(one).collect()
    }

    #[test]
    fn each_case_is_traced_to_the_entries_that_changed_it() {
        // Entry 0 changes nothing, 1 turns A and B, 3 turns B again, 5 takes C away, 6 brings D; E goes
        // and comes back, and is as it was.
        let states = [
            answers(&[
                ("A", Outcome::Met),
                ("B", Outcome::Met),
                ("C", Outcome::Met),
                ("E", Outcome::Met),
            ]),
            answers(&[
                ("A", Outcome::Met),
                ("B", Outcome::Met),
                ("C", Outcome::Met),
                ("E", Outcome::Met),
            ]),
            answers(&[("A", Outcome::Missed), ("B", Outcome::Missed), ("C", Outcome::Met)]),
            answers(&[("A", Outcome::Missed), ("B", Outcome::Missed), ("C", Outcome::Met)]),
            answers(&[
                ("A", Outcome::Missed),
                ("B", Outcome::Gap),
                ("C", Outcome::Met),
                ("E", Outcome::Met),
            ]),
            answers(&[
                ("A", Outcome::Missed),
                ("B", Outcome::Gap),
                ("C", Outcome::Met),
                ("E", Outcome::Met),
            ]),
            answers(&[("A", Outcome::Missed), ("B", Outcome::Gap), ("E", Outcome::Met)]),
            answers(&[
                ("A", Outcome::Missed),
                ("B", Outcome::Gap),
                ("D", Outcome::Met),
                ("E", Outcome::Met),
            ]),
        ];
        let mut asked = 0;
        let found = causes::<()>(7, &states[0], &states[7], &mut |n| {
            asked += 1;
            Ok(states[n].clone())
        })
        .unwrap();
        let named: Vec<(&str, &[usize])> =
            found.iter().map(|(key, at)| (key.case_id.as_str(), at.as_slice())).collect();
        assert_eq!(named, [("A", &[1][..]), ("B", &[1, 3][..]), ("C", &[5][..]), ("D", &[6][..])]);
        assert!(asked <= 6, "every place is asked about once at most: {asked}");
    }

    #[test]
    fn equal_answers_ask_for_nothing() {
        let same = answers(&[("A", Outcome::Met)]);
        let found = causes::<()>(9, &same, &same, &mut |_| panic!("nobody need ask")).unwrap();
        assert!(found.is_empty());
    }
}
