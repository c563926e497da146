//! The status of a control: five words and the order in which they are decided. A pure function; it
//! must never see a colour, an opinion or a risk acceptance.

use serde::{Deserialize, Serialize};

/// What can be said of a control in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Tested, and more was missed than is tolerated.
    Deficient,
    /// Evidence is missing, does not add up, or there was nothing to test.
    Untested,
    /// Its evidence is older than allowed.
    Stale,
    /// Tested on sufficient, current evidence, and it holds.
    Effective,
    /// Rows say that the control does not concern the arrangement.
    NotApplicable,
}

impl Status {
    /// All, from the worst to the one that says least.
    pub const ALL: [Self; 5] =
        [Self::Deficient, Self::Untested, Self::Stale, Self::Effective, Self::NotApplicable];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deficient => "deficient",
            Self::Untested => "untested",
            Self::Stale => "stale",
            Self::Effective => "effective",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// From the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// What a control says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Misses tolerated.
    pub tolerance: u64,
    /// Gaps tolerated.
    pub max_gap: u64,
    /// Whether nothing to test is fine when the tables are known to be complete.
    pub may_be_empty: bool,
    /// Days that evidence may be old.
    pub max_evidence_age_days: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Whether the control concerns the arrangement.
    pub applies: bool,
    /// Rows with outcome met.
    pub met: u64,
    /// Rows with outcome missed.
    pub missed: u64,
    /// Rows with outcome gap.
    pub gaps: u64,
    /// Why evidence is lacking: tables, feed-days, control totals. Empty when all is there.
    pub lacking: Vec<String>,
    /// Whether every table needed is declared complete or sent a nil return, so that no rows mean
    /// that there was nothing.
    pub known_empty: bool,
    /// Age of the newest covered instant, in microseconds; none when nothing needed has a time.
    pub age_us: Option<i64>,
}

/// Microseconds of a day of 24 hours.
pub const DAY_US: i64 = 86_400_000_000;

/// Decides the status and says why. The order is fixed: not-applicable, deficient, untested, stale,
/// effective.
#[must_use]
pub fn decide(limits: &Limits, found: &Findings) -> (Status, String) {
    if !found.applies {
        return (Status::NotApplicable, "it does not concern this arrangement".to_owned());
    }
    let population = found.met + found.missed + found.gaps;
    if found.missed > limits.tolerance {
        let tolerated = match limits.tolerance {
            0 => String::new(),
            some => format!(", {some} tolerated"),
        };
        return (Status::Deficient, format!("{} of {population} missed{tolerated}", found.missed));
    }
    if let Some(first) = found.lacking.first() {
        let more = match found.lacking.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        return (Status::Untested, format!("{first}{more}"));
    }
    if found.gaps > limits.max_gap {
        let tolerated = match limits.max_gap {
            0 => String::new(),
            some => format!(", {some} tolerated"),
        };
        let reason = format!("{} of {population} could not be tested{tolerated}", found.gaps);
        return (Status::Untested, reason);
    }
    if population == 0 && !(limits.may_be_empty && found.known_empty) {
        return (Status::Untested, "there was nothing to test".to_owned());
    }
    let limit_us =
        i64::try_from(limits.max_evidence_age_days).unwrap_or(i64::MAX).saturating_mul(DAY_US);
    if let Some(age_us) = found.age_us
        && age_us > limit_us
    {
        let days = age_us / DAY_US;
        let limit = limits.max_evidence_age_days;
        return (Status::Stale, format!("evidence is {days} days old, {limit} allowed"));
    }
    let reason = match (population, found.missed) {
        (0, _) => "declared complete, and nothing happened".to_owned(),
        (_, 0) => format!("{} of {population} met", found.met),
        (_, missed) => format!("{missed} of {population} missed, {} tolerated", limits.tolerance),
    };
    (Status::Effective, reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// The order of the design, written once more and differently: each word with its condition; the
    /// first that holds wins.
    fn reference(limits: &Limits, found: &Findings) -> Status {
        let none = found.met == 0 && found.missed == 0 && found.gaps == 0;
        let conditions = [
            (!found.applies, Status::NotApplicable),
            (found.missed > limits.tolerance, Status::Deficient),
            (none && !limits.may_be_empty, Status::Untested),
            (none && !found.known_empty, Status::Untested),
            (!found.lacking.is_empty(), Status::Untested),
            (found.gaps > limits.max_gap, Status::Untested),
            (
                found.age_us.is_some_and(|age| age > limits.max_evidence_age_days as i64 * DAY_US),
                Status::Stale,
            ),
            (true, Status::Effective),
        ];
        conditions.into_iter().find(|(holds, _)| *holds).unwrap().1
    }

    fn every_case(mut check: impl FnMut(&Limits, &Findings)) {
        let flags = [false, true];
        let lacking = [vec![], vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]];
        for tolerance in 0..2 {
            for max_gap in 0..2 {
                for may_be_empty in flags {
                    let limits =
                        Limits { tolerance, max_gap, may_be_empty, max_evidence_age_days: 2 };
                    for applies in flags {
                        for counts in 0..27_u64 {
                            for lacking in &lacking {
                                for known_empty in flags {
                                    for age_us in
                                        [None, Some(0), Some(2 * DAY_US), Some(2 * DAY_US + 1)]
                                    {
                                        let found = Findings {
                                            applies,
                                            met: counts % 3,
                                            missed: counts / 3 % 3,
                                            gaps: counts / 9,
                                            lacking: lacking.clone(),
                                            known_empty,
                                            age_us,
                                        };
                                        check(&limits, &found);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_order_of_the_words_holds_in_every_combination() {
        let mut seen = std::collections::BTreeSet::new();
        every_case(|limits, found| {
            let (status, reason) = decide(limits, found);
            assert_eq!(status, reference(limits, found), "{limits:?} {found:?}");
            assert!(!reason.is_empty());
            seen.insert(status);
        });
        assert_eq!(seen.len(), Status::ALL.len());
    }

    #[test]
    fn less_evidence_never_makes_a_control_effective() {
        every_case(|limits, found| {
            let before = decide(limits, found).0;
            for worse in [
                Findings { lacking: vec!["withheld".to_owned()], ..found.clone() },
                Findings { gaps: found.gaps + 1, ..found.clone() },
                Findings { known_empty: false, ..found.clone() },
                Findings { age_us: Some(found.age_us.unwrap_or(0) + DAY_US), ..found.clone() },
            ] {
                let after = decide(limits, &worse).0;
                let turned = before != Status::Effective && after == Status::Effective;
                // A gap beside nothing else is a population of one within `max_gap`: that is more
                // rows, not less evidence.
                let more_rows =
                    worse.gaps > found.gaps && found.met + found.missed + found.gaps == 0;
                assert!(!turned || more_rows, "{limits:?} {found:?} {worse:?}");
            }
        });
    }

    #[test]
    fn evidence_exactly_as_old_as_allowed_is_not_stale() {
        let limits =
            Limits { tolerance: 0, max_gap: 0, may_be_empty: false, max_evidence_age_days: 2 };
        let mut found =
            Findings { applies: true, met: 1, age_us: Some(2 * DAY_US), ..Findings::default() };
        assert_eq!(decide(&limits, &found).0, Status::Effective);
        found.age_us = Some(2 * DAY_US + 1);
        assert_eq!(
            decide(&limits, &found),
            (Status::Stale, "evidence is 2 days old, 2 allowed".to_owned())
        );
    }

    #[test]
    fn every_word_reads_back() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.word()), Some(status));
        }
        assert_eq!(Status::parse("green"), None);
    }
}
