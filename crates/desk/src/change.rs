//! What is other in one answer than in another about the same arrangement: statuses, findings, service
//! levels, money. The periods may differ. Owns the laying beside each other of two assessments that are
//! there; it must never work one out.

use std::collections::{BTreeMap, BTreeSet};

use backstay_engine::{
    Assessment, Status,
    assessment::{Amount, ControlResult, Finding, MeasureResult},
};

/// A control whose status is other than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// Control.
    pub control: String,
    /// Risk.
    pub risk: String,
    /// What holds when it is effective.
    pub title: String,
    /// As it was; none when it was not there.
    pub before: Option<Status>,
    /// As it is; none when it is no longer there.
    pub after: Option<Status>,
    /// Why it is so, or why it was when it is no longer there.
    pub reason: String,
}

impl StatusChange {
    /// Whether the word is a worse one.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.ranked().is_some_and(|(before, after)| after < before)
    }

    /// Whether the word is a better one.
    #[must_use]
    pub fn is_better(&self) -> bool {
        self.ranked().is_some_and(|(before, after)| after > before)
    }

    /// Both words, when they can be ranked: what does not apply is neither good nor bad.
    fn ranked(&self) -> Option<(Status, Status)> {
        let ranked = |status: &Status| *status != Status::NotApplicable;
        self.before.filter(ranked).zip(self.after.filter(ranked))
    }
}

/// A service level whose figure is other than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    /// Service level.
    pub service_level: String,
    /// As it was.
    pub before: Option<MeasureResult>,
    /// As it is.
    pub after: Option<MeasureResult>,
}

/// Money that findings name, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StakeChange {
    /// As it was; nought when none was named.
    pub before: Amount,
    /// As it is.
    pub after: Amount,
}

/// What is other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Controls, by risk and id.
    pub statuses: Vec<StatusChange>,
    /// Findings that were not there before.
    pub new: Vec<Finding>,
    /// Findings that are no longer there.
    pub ended: Vec<Finding>,
    /// Service levels.
    pub levels: Vec<LevelChange>,
    /// Money in findings, by currency.
    pub money: Vec<StakeChange>,
}

impl Changes {
    /// Whether nothing is other.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// How many controls have a worse word.
    #[must_use]
    pub fn worse(&self) -> usize {
        self.statuses.iter().filter(|change| change.is_worse()).count()
    }

    /// How many controls have a better word.
    #[must_use]
    pub fn better(&self) -> usize {
        self.statuses.iter().filter(|change| change.is_better()).count()
    }
}

/// What is other in `after` than in `before` about an arrangement.
#[must_use]
pub fn changes(before: &Assessment, after: &Assessment, arrangement: &str) -> Changes {
    Changes {
        statuses: statuses(before, after, arrangement),
        new: only_in(after, before, arrangement),
        ended: only_in(before, after, arrangement),
        levels: levels(before, after, arrangement),
        money: money(before, after, arrangement),
    }
}

fn statuses(before: &Assessment, after: &Assessment, arrangement: &str) -> Vec<StatusChange> {
    let of = |assessment: &Assessment| -> BTreeMap<(String, String), ControlResult> {
        let own = assessment.controls.iter().filter(|found| found.arrangement_id == arrangement);
        own.map(|found| ((found.risk.clone(), found.control.clone()), found.clone())).collect()
    };
    let (was, is) = (of(before), of(after));
    let keys: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    let change = |key: &(String, String)| {
        let (before, after) = (was.get(key), is.get(key));
        let told = after.or(before)?;
        let (before, after) = (before.map(|found| found.status), after.map(|found| found.status));
        (before != after).then(|| StatusChange {
            control: told.control.clone(),
            risk: told.risk.clone(),
            title: told.title.clone(),
            before,
            after,
            reason: told.reason.clone(),
        })
    };
    keys.into_iter().filter_map(change).collect()
}

/// Findings of one answer that the other does not hold.
fn only_in(own: &Assessment, other: &Assessment, arrangement: &str) -> Vec<Finding> {
    let known: BTreeSet<(&str, _)> =
        other.findings.iter().map(|finding| (finding.id.as_str(), finding.outcome)).collect();
    let is_new = |finding: &&Finding| {
        finding.arrangement_id == arrangement
            && !known.contains(&(finding.id.as_str(), finding.outcome))
    };
    own.findings.iter().filter(is_new).cloned().collect()
}

fn levels(before: &Assessment, after: &Assessment, arrangement: &str) -> Vec<LevelChange> {
    // Of several windows in a period the last one stands for it.
    let of = |assessment: &Assessment| -> BTreeMap<String, MeasureResult> {
        let own = assessment.measures.iter().filter(|found| found.arrangement_id == arrangement);
        own.map(|found| (found.service_level.clone(), found.clone())).collect()
    };
    let (was, is) = (of(before), of(after));
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let figure = |found: Option<&MeasureResult>| {
        found.map(|m| (m.numerator, m.denominator, m.target.clone(), m.minimum.clone()))
    };
    keys.into_iter()
        .filter(|key| figure(was.get(*key)) != figure(is.get(*key)))
        .map(|key| LevelChange {
            service_level: key.clone(),
            before: was.get(key).cloned(),
            after: is.get(key).cloned(),
        })
        .collect()
}

fn money(before: &Assessment, after: &Assessment, arrangement: &str) -> Vec<StakeChange> {
    let of = |assessment: &Assessment| -> BTreeMap<String, Amount> {
        let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
        let own = assessment.findings.iter().filter(|f| f.arrangement_id == arrangement);
        for amount in own.filter_map(Finding::amount) {
            sums.entry(amount.currency.clone())
                .and_modify(|sum| sum.minor += amount.minor)
                .or_insert(amount);
        }
        sums
    };
    let (was, is) = (of(before), of(after));
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let change = |key: &String| {
        let (before, after) = (was.get(key), is.get(key));
        let some = before.or(after)?.clone();
        let nought = Amount { minor: 0, ..some };
        let before = before.cloned().unwrap_or_else(|| nought.clone());
        let after = after.cloned().unwrap_or(nought);
        (before != after).then_some(StakeChange { before, after })
    };
    keys.into_iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use serde_json::json;

    use super::*;

    fn assessment(status: &str, findings: &[(&str, &str, i64)]) -> Assessment {
        let control = |arrangement: &str| {
            json!({"arrangement_id": arrangement, "risk": "quality", "control": "c", "title": "t",
                "severity": "high", "status": status, "reason": "r", "population": 1, "missed": 0,
                "gaps": 0, "evidence_age_days": null, "lacking": [], "tables": []})
        };
        let finding = |(id, arrangement, minor): &(&str, &str, i64)| {
            json!({"id": id, "arrangement_id": arrangement, "risk": "quality", "control": "c",
                "severity": "high", "subject": id, "outcome": "missed", "measured": null,
                "required": null, "unit": null, "amount_minor": minor, "currency": "EUR",
                "explanation": "e", "evidence": [], "evidence_total": 0})
        };
        let digest = "0".repeat(64);
        let value = json!({"schema": "backstay.assessment/1",
            "basis": {"evidence_digest": digest, "as_of": "2026-11-01T00:00:00Z",
                "period": "2026-10-01..2026-11-01", "catalogue": digest, "vocabulary": digest,
                "settings": digest, "time_zones": "t", "engine": "e", "seed": 0, "scope": []},
            "risks": [], "controls": [control("desk"), control("other")], "measures": [],
            "findings": findings.iter().map(finding).collect::<Vec<_>>(), "coverage": [],
            "notes": []});
        Assessment::from_bytes(&serde_json::to_vec(&value).unwrap()).unwrap()
    }

    #[test]
    fn what_is_other_is_told_of_one_arrangement_alone() {
        let before = assessment("effective", &[("a", "desk", 100), ("b", "desk", 50)]);
        let after =
            assessment("deficient", &[("b", "desk", 50), ("c", "desk", 700), ("d", "other", 9)]);
        let found = changes(&before, &after, "desk");
        assert_eq!((found.statuses.len(), found.worse()), (1, 1));
        let ids = |findings: &[Finding]| findings.iter().map(|f| f.id.clone()).collect::<Vec<_>>();
        assert_eq!((ids(&found.new), ids(&found.ended)), (vec!["c".into()], vec!["a".into()]));
        assert_eq!((found.money[0].before.minor, found.money[0].after.minor), (150, 750));
        assert!(changes(&after, &after, "desk").is_empty());
        let back = changes(&after, &before, "desk");
        assert_eq!((back.worse(), back.better()), (0, 1));
        let gone = assessment("not-applicable", &[]);
        let gone = changes(&before, &gone, "desk");
        assert_eq!((gone.statuses.len(), gone.worse(), gone.better()), (1, 0, 0));
    }
}
