//! Lock-out and rate limits of signing in, as a state machine over the clock and what was tried
//! before. Every attempt is counted before it is looked at, so that many at once gain nothing; a
//! success takes its own count back. A refused attempt is not counted: nobody can hold a door shut by
//! knocking at it. Delays grow, and none is for good.
//!
//! Three counts stand against each attempt:
//! - **pair**: this account from this address. The owner who forgot the password meets this one.
//! - **address**: this address, whatever accounts it tries.
//! - **account**: this account from anywhere, against guessing spread over many addresses. Strangers
//!   could keep it busy, so its delay is short, and it does not stand against an address from which the
//!   account signed in within the last 30 days.

use serde::{Deserialize, Serialize};

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
const DAY_US: i64 = 24 * 60 * MINUTE_US;
/// How long a success makes an address known to the account.
const KNOWN_US: i64 = 30 * DAY_US;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitKind {
    /// One account from one address.
    Pair,
    /// One address.
    Address,
    /// One account.
    Account,
}

struct Rule {
    /// Attempts without a delay.
    free: u32,
    /// The delay after the first that is not free; doubled with each further one.
    first_us: i64,
    /// The longest delay.
    longest_us: i64,
    /// After this long without an attempt all is forgotten.
    forgotten_us: i64,
}

impl LimitKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pair, Self::Address, Self::Account];

    /// Its name where it is kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Address => "address",
            Self::Account => "account",
        }
    }

    fn rule(self) -> Rule {
        let (free, first_us, longest_us, forgotten_us) = match self {
            Self::Pair => (5, 2 * SECOND_US, 15 * MINUTE_US, DAY_US),
            Self::Address => (20, 2 * SECOND_US, 15 * MINUTE_US, DAY_US),
            Self::Account => (20, 2 * SECOND_US, MINUTE_US, DAY_US),
        };
        Rule { free, first_us, longest_us, forgotten_us }
    }
}

/// What was tried so far, of one kind. Starts at its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attempts {
    /// Attempts that did not succeed, or whose end is not known yet.
    pub failures: u32,
    /// When the last was made, microseconds UTC.
    pub last_us: i64,
    /// No attempt before this instant; 0: none stands against.
    pub until_us: i64,
    /// Until when the pair counts as known; 0: never signed in.
    pub known_until_us: i64,
}

/// Whether an attempt may be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Go,
    /// Not before this instant, microseconds UTC.
    Wait {
        /// The instant.
        until_us: i64,
    },
}

impl Attempts {
    /// Whether an attempt may be made now, by all three counts together.
    #[must_use]
    pub fn verdict(now_us: i64, pair: &Self, address: &Self, account: &Self) -> Verdict {
        let mut until_us = pair.until_us.max(address.until_us);
        if pair.known_until_us <= now_us {
            until_us = until_us.max(account.until_us);
        }
        if until_us > now_us { Verdict::Wait { until_us } } else { Verdict::Go }
    }

    /// The count with one more attempt, which is taken as failed until [`Attempts::succeeded`].
    #[must_use]
    pub fn tried(self, kind: LimitKind, now_us: i64) -> Self {
        let rule = kind.rule();
        let mut next = self.rested(kind, now_us);
        next.failures = next.failures.saturating_add(1);
        next.last_us = now_us;
        if let Some(over) = next.failures.checked_sub(rule.free) {
            // The shift is bounded, so that nothing overflows before it is cut to the longest.
            let delay = rule.first_us << over.min(20);
            next.until_us = now_us.saturating_add(delay.min(rule.longest_us));
        }
        next
    }

    /// The count after a success: a pair begins anew and is known; of the others the attempt itself is
    /// taken back, so that a success of somebody's own account clears nothing for guesses at others.
    #[must_use]
    pub fn succeeded(self, kind: LimitKind, now_us: i64) -> Self {
        if kind == LimitKind::Pair {
            let known_until_us = now_us.saturating_add(KNOWN_US);
            return Self { last_us: now_us, known_until_us, ..Self::default() };
        }
        let failures = self.failures.saturating_sub(1);
        let until_us = if failures < kind.rule().free { 0 } else { self.until_us };
        Self { failures, until_us, ..self }
    }

    /// The count without what is forgotten.
    fn rested(self, kind: LimitKind, now_us: i64) -> Self {
        match now_us.saturating_sub(self.last_us) > kind.rule().forgotten_us {
            true => Self { known_until_us: self.known_until_us, ..Self::default() },
            false => self,
        }
    }

    /// Whether nothing would change if this were thrown away.
    #[must_use]
    pub fn is_spent(&self, kind: LimitKind, now_us: i64) -> bool {
        self.rested(kind, now_us).failures == 0 && self.known_until_us <= now_us
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000 * SECOND_US;

    fn after(kind: LimitKind, tries: u32) -> Attempts {
        (0..tries).fold(Attempts::default(), |count, _| count.tried(kind, NOW))
    }

    fn delay(kind: LimitKind, tries: u32) -> i64 {
        (after(kind, tries).until_us - NOW).max(0) / SECOND_US
    }

    #[test]
    fn the_first_few_cost_nothing_then_each_doubles_the_wait_up_to_a_bound() {
        let pair: Vec<i64> = (3..=9).map(|tries| delay(LimitKind::Pair, tries)).collect();
        assert_eq!(pair, [0, 0, 2, 4, 8, 16, 32]);
        assert_eq!(delay(LimitKind::Pair, 13), 512);
        assert_eq!(delay(LimitKind::Pair, 14), 900);
        assert_eq!(delay(LimitKind::Pair, 4_000), 900);
        assert_eq!((delay(LimitKind::Address, 19), delay(LimitKind::Address, 20)), (0, 2));
        assert_eq!(delay(LimitKind::Address, 4_000), 900);
        assert_eq!((delay(LimitKind::Account, 19), delay(LimitKind::Account, 20)), (0, 2));
        assert_eq!(delay(LimitKind::Account, 4_000), 60);
    }

    #[test]
    fn each_count_holds_an_attempt_back_until_its_instant() {
        let none = Attempts::default();
        let full = |kind| after(kind, 30);
        let (pair, address, account) =
            (full(LimitKind::Pair), full(LimitKind::Address), full(LimitKind::Account));
        let go = |now, p: &Attempts, a: &Attempts, c: &Attempts| Attempts::verdict(now, p, a, c);
        assert_eq!(go(NOW, &none, &none, &none), Verdict::Go);
        let wait = |until_us| Verdict::Wait { until_us };
        assert_eq!(go(NOW, &pair, &none, &none), wait(pair.until_us));
        assert_eq!(go(NOW, &none, &address, &none), wait(address.until_us));
        assert_eq!(go(NOW, &none, &none, &account), wait(account.until_us));
        assert_eq!(go(pair.until_us - 1, &pair, &none, &none), wait(pair.until_us));
        assert_eq!(go(pair.until_us, &pair, &none, &none), Verdict::Go);
    }

    #[test]
    fn strangers_hold_up_an_account_but_not_its_owner_at_a_known_address() {
        let account = after(LimitKind::Account, 1_000);
        let none = Attempts::default();
        let known = none.tried(LimitKind::Pair, NOW).succeeded(LimitKind::Pair, NOW);
        assert_eq!(Attempts::verdict(NOW, &known, &none, &account), Verdict::Go);
        let later = NOW + KNOWN_US;
        let account = (0..1_000).fold(account, |count, _| count.tried(LimitKind::Account, later));
        assert_ne!(Attempts::verdict(later, &known, &none, &account), Verdict::Go);
        // At an unknown address the owner waits a minute at most.
        assert!(account.until_us - later <= MINUTE_US);
    }

    #[test]
    fn a_success_clears_the_pair_and_only_itself_elsewhere() {
        let pair = after(LimitKind::Pair, 8).succeeded(LimitKind::Pair, NOW);
        assert_eq!((pair.failures, pair.until_us), (0, 0));
        // Guessing at others from an address with an account of one's own gains nothing.
        let mut address = Attempts::default();
        for _ in 0..30 {
            address = address.tried(LimitKind::Address, NOW);
            let own = address.tried(LimitKind::Address, NOW);
            address = own.succeeded(LimitKind::Address, NOW);
        }
        assert_eq!(address.failures, 30);
        assert!(address.until_us > NOW);
        let one = after(LimitKind::Address, 1).succeeded(LimitKind::Address, NOW);
        assert!(one.is_spent(LimitKind::Address, NOW));
    }

    #[test]
    fn a_quiet_day_forgets_the_failures_and_not_the_address() {
        let count = Attempts { known_until_us: NOW + KNOWN_US, ..after(LimitKind::Pair, 9) };
        let almost = count.tried(LimitKind::Pair, NOW + DAY_US);
        assert_eq!(almost.failures, 10);
        let next = count.tried(LimitKind::Pair, NOW + DAY_US + 1);
        assert_eq!((next.failures, next.known_until_us), (1, NOW + KNOWN_US));
        assert!(!count.is_spent(LimitKind::Pair, NOW + DAY_US + 1), "the address is known");
        assert!(count.is_spent(LimitKind::Pair, NOW + KNOWN_US));
    }

    proptest! {
        #[test]
        fn no_history_shuts_anyone_out_for_longer_than_the_bound(
            steps in prop::collection::vec((0_i64..100 * MINUTE_US, 0_u8..3, any::<bool>()), 0..60),
        ) {
            let mut counts = [Attempts::default(); 3];
            let mut now = NOW;
            for (wait, kind, success) in steps {
                now += wait;
                let at = usize::from(kind);
                let kind = LimitKind::ALL[at];
                counts[at] = counts[at].tried(kind, now);
                if success {
                    counts[at] = counts[at].succeeded(kind, now);
                }
                let [pair, address, account] = &counts;
                if let Verdict::Wait { until_us } = Attempts::verdict(now, pair, address, account) {
                    prop_assert!(until_us - now <= 15 * MINUTE_US);
                }
            }
        }
    }
}
