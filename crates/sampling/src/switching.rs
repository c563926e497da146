//! From lot to lot: which severity the next one is inspected with (ISO 2859-1:1999, 9).
//!
//! Owns the state between lots. It must never look at items or dates: a lot comes in as the number of
//! nonconforming items in its sample and goes out as accepted or refused.

use crate::plan::{Plan, Severity, plan};

/// Lots over which refusals are counted under normal inspection (9.3.1).
const WINDOW: usize = 5;
/// Refusals among them that tighten (9.3.1).
const REFUSALS_THAT_TIGHTEN: usize = 2;
/// Accepted in a row that lead back from tightened to normal (9.3.2).
const ACCEPTED_BACK_TO_NORMAL: u32 = 5;
/// Switching score from which reduced inspection may begin (9.3.3.1 a).
pub const SCORE_FOR_REDUCED: u32 = 30;
/// Refused in all under tightened inspection that end acceptance (9.4).
const REFUSED_THAT_STOP: u32 = 5;

/// What becomes of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted.
    Accepted,
    /// Accepted, but between the two numbers of a reduced plan: normal inspection is back
    /// (MIL-STD-105E, 4.7.4).
    AcceptedMarginally,
    /// Refused.
    Refused,
}

impl Verdict {
    /// By a plan and the nonconforming items found in its sample.
    #[must_use]
    pub fn of(plan: &Plan, nonconforming: u64) -> Self {
        if nonconforming <= plan.accept {
            Self::Accepted
        } else if nonconforming < plan.refuse {
            Self::AcceptedMarginally
        } else {
            Self::Refused
        }
    }

    /// Whether the lot is taken.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        self != Self::Refused
    }
}

/// What the switching rules look at in one lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// Nonconforming items found in the sample.
    pub nonconforming: u64,
    /// Inspected for the first time; lots handed in again are judged but do not switch (9.3.1).
    pub original: bool,
    /// Production at a steady rate; an irregular one ends reduced inspection (9.3.4 b).
    pub steady: bool,
    /// The responsible authority wants reduced inspection where it is earned (9.3.3.1 c).
    pub reduced_allowed: bool,
}

/// The state between two lots of one stream and class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    severity: Severity,
    stopped: bool,
    score: u32,
    recent: Vec<bool>,
    accepted_in_a_row: u32,
    refused_on_tightened: u32,
}

impl Default for State {
    fn default() -> Self {
        Self::start()
    }
}

impl State {
    /// Normal inspection (9.2), nothing known.
    #[must_use]
    pub fn start() -> Self {
        Self::at(Severity::Normal)
    }

    fn at(severity: Severity) -> Self {
        Self {
            severity,
            stopped: false,
            score: 0,
            recent: Vec::new(),
            accepted_in_a_row: 0,
            refused_on_tightened: 0,
        }
    }

    /// The severity in force.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Whether acceptance is discontinued (9.4): no lot is accepted before the provider has acted.
    #[must_use]
    pub fn is_discontinued(&self) -> bool {
        self.stopped
    }

    /// The switching score; it is kept under normal inspection only (9.3.3.2).
    #[must_use]
    pub fn score(&self) -> u32 {
        self.score
    }

    /// Acceptance goes on under tightened inspection after the provider's corrective action (9.4).
    /// Nothing changes when it is not discontinued.
    pub fn resume(&mut self) {
        if self.stopped {
            *self = Self::at(Severity::Tightened);
        }
    }

    /// Judges a lot by its plan, which must be of the severity in force, and moves on.
    pub fn judge(&mut self, by: &Plan, lot: &Lot) -> Verdict {
        let verdict = Verdict::of(by, lot.nonconforming);
        if self.stopped {
            return verdict;
        }
        if lot.original {
            match self.severity {
                Severity::Normal => self.after_normal(by, lot, verdict.is_accepted()),
                Severity::Tightened => self.after_tightened(verdict.is_accepted()),
                Severity::Reduced if verdict != Verdict::Accepted => *self = Self::start(),
                Severity::Reduced => {}
            }
        }
        if self.severity == Severity::Reduced && !lot.steady {
            *self = Self::start();
        }
        verdict
    }

    fn after_normal(&mut self, by: &Plan, lot: &Lot, accepted: bool) {
        self.score = score(self.score, by, lot.nonconforming, accepted);
        self.recent.push(accepted);
        if self.recent.len() > WINDOW {
            self.recent.remove(0);
        }
        let refused = self.recent.iter().filter(|accepted| !**accepted).count();
        if refused >= REFUSALS_THAT_TIGHTEN {
            *self = Self::at(Severity::Tightened);
        } else if self.score >= SCORE_FOR_REDUCED && lot.steady && lot.reduced_allowed {
            *self = Self::at(Severity::Reduced);
        }
    }

    fn after_tightened(&mut self, accepted: bool) {
        if accepted {
            self.accepted_in_a_row += 1;
        } else {
            self.accepted_in_a_row = 0;
            self.refused_on_tightened += 1;
        }
        if self.refused_on_tightened >= REFUSED_THAT_STOP {
            self.stopped = true;
        } else if self.accepted_in_a_row >= ACCEPTED_BACK_TO_NORMAL {
            *self = Self::start();
        }
    }
}

/// The switching score after a lot under normal inspection (9.3.3.2). With an acceptance number of 2
/// and more: three points when the lot would have been accepted at the next stricter limit as well,
/// else back to zero. With 0 or 1: two points when it is accepted, else back to zero.
fn score(before: u32, by: &Plan, nonconforming: u64, accepted: bool) -> u32 {
    if !accepted {
        return 0;
    }
    if by.accept < 2 {
        return before + 2;
    }
    let stricter = by.aql.tighter().map(|aql| plan(by.letter, aql, Severity::Normal));
    match stricter {
        Some(stricter) if nonconforming > stricter.accept => 0,
        _ => before + 3,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::plan::{Aql, Level, code_letter};

    /// A stream of lots of one size and limit.
    struct Stream(State, u64, &'static str);

    impl Stream {
        /// Letter K at 2.5: accept 7, or 5 tightened, or 3 (refuse 6) reduced; 5 at the next limit.
        fn of_k() -> Self {
            Self(State::start(), 2000, "2.5")
        }

        fn give(&mut self, lot: Lot) -> Verdict {
            let letter = code_letter(self.1, Level::II).unwrap();
            let by = plan(letter, Aql::parse(self.2).unwrap(), self.0.severity());
            self.0.judge(&by, &lot)
        }

        fn lots(&mut self, nonconforming: &[u64]) -> Severity {
            for count in nonconforming {
                self.give(lot(*count));
            }
            self.0.severity()
        }
    }

    fn lot(nonconforming: u64) -> Lot {
        Lot { nonconforming, original: true, steady: true, reduced_allowed: true }
    }

    #[test]
    fn two_refused_among_five_in_a_row_tighten_at_once_and_two_among_six_do_not() {
        assert_eq!(Stream::of_k().lots(&[8, 8]), Severity::Tightened);
        assert_eq!(Stream::of_k().lots(&[8, 0, 0, 0, 8]), Severity::Tightened);
        assert_eq!(Stream::of_k().lots(&[8, 0, 0, 0, 0, 8]), Severity::Normal);
        assert_eq!(Stream::of_k().lots(&[7, 7, 7, 7, 7]), Severity::Normal);
    }

    #[test]
    fn lots_handed_in_again_are_judged_but_do_not_switch() {
        let mut stream = Stream::of_k();
        for _ in 0..6 {
            let again = Lot { original: false, ..lot(8) };
            assert_eq!(stream.give(again), Verdict::Refused);
        }
        assert_eq!(stream.0.severity(), Severity::Normal);
    }

    #[test]
    fn five_accepted_in_a_row_lead_back_to_normal_and_four_do_not() {
        let mut stream = Stream::of_k();
        assert_eq!(stream.lots(&[8, 8, 5, 5, 5, 5]), Severity::Tightened);
        assert_eq!(stream.lots(&[6]), Severity::Tightened);
        assert_eq!(stream.lots(&[0, 0, 0, 0]), Severity::Tightened);
        assert_eq!(stream.lots(&[0]), Severity::Normal);
        // The refusals before are forgotten.
        assert_eq!(stream.lots(&[8, 0]), Severity::Normal);
    }

    #[test]
    fn five_refused_in_all_on_tightened_end_acceptance_until_something_is_done() {
        let mut stream = Stream::of_k();
        stream.lots(&[8, 8, 6, 0, 6, 6, 6]);
        assert!(!stream.0.is_discontinued());
        stream.lots(&[6]);
        assert!(stream.0.is_discontinued());
        stream.lots(&[0, 0, 0, 0, 0]);
        assert!(stream.0.is_discontinued());
        stream.0.resume();
        assert!(!stream.0.is_discontinued());
        assert_eq!(stream.0.severity(), Severity::Tightened);
        stream.lots(&[0, 0, 0, 0, 0]);
        assert_eq!(stream.0.severity(), Severity::Normal);
        stream.0.resume();
        assert_eq!(stream.0.severity(), Severity::Normal);
    }

    #[test]
    fn ten_lots_that_would_pass_the_next_limit_earn_reduced_inspection() {
        let mut stream = Stream::of_k();
        assert_eq!(stream.lots(&[5; 9]), Severity::Normal);
        assert_eq!(stream.0.score(), 27);
        assert_eq!(stream.lots(&[5]), Severity::Reduced);
        // Accepted by its own number, but not by the stricter one: the score begins again.
        let mut stream = Stream::of_k();
        stream.lots(&[5; 9]);
        assert_eq!(stream.lots(&[6]), Severity::Normal);
        assert_eq!(stream.0.score(), 0);
        // Nobody wants it, or production is irregular: the score is kept.
        let mut stream = Stream::of_k();
        stream.lots(&[0; 9]);
        stream.give(Lot { reduced_allowed: false, ..lot(0) });
        assert_eq!((stream.0.severity(), stream.0.score()), (Severity::Normal, 30));
        stream.give(Lot { steady: false, ..lot(0) });
        assert_eq!((stream.0.severity(), stream.0.score()), (Severity::Normal, 33));
    }

    #[test]
    fn plans_that_let_none_or_one_pass_score_two_points_a_lot() {
        // Letter F at 0.65: 20 items, none may be nonconforming.
        let mut stream = Stream(State::start(), 120, "0.65");
        assert_eq!(stream.lots(&[0; 14]), Severity::Normal);
        assert_eq!(stream.0.score(), 28);
        assert_eq!(stream.lots(&[0]), Severity::Reduced);
        let mut stream = Stream(State::start(), 120, "0.65");
        stream.lots(&[0, 0, 1]);
        assert_eq!(stream.0.score(), 0);
    }

    #[test]
    fn reduced_inspection_ends_with_one_lot_refused_or_marginal_or_an_irregular_one() {
        let reduced = || {
            let mut stream = Stream::of_k();
            assert_eq!(stream.lots(&[0; 10]), Severity::Reduced);
            stream
        };
        assert_eq!(reduced().lots(&[3, 3, 3, 3]), Severity::Reduced);
        let mut marginal = reduced();
        assert_eq!(marginal.give(lot(4)), Verdict::AcceptedMarginally);
        assert_eq!(marginal.0.severity(), Severity::Normal);
        let mut refused = reduced();
        assert_eq!(refused.give(lot(6)), Verdict::Refused);
        assert_eq!(refused.0.severity(), Severity::Normal);
        let mut irregular = reduced();
        assert_eq!(irregular.give(Lot { steady: false, ..lot(0) }), Verdict::Accepted);
        assert_eq!(irregular.0.severity(), Severity::Normal);
    }
}
