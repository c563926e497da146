//! Credits from the outside: worked figures, each rule on both sides of its threshold, and what must
//! hold of any scheme.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod property;
mod worked;

use backstay_credits::{Attained, Exact, Level, Month, MonthInput, Scheme, Term, exact};

/// A level of so many cases met in a thousand, with target 95 % and minimum 90 %.
pub fn level(name: &str, met: i64, term: Term) -> Level {
    Level {
        target: Some(exact(95, 100)),
        minimum: Some(exact(90, 100)),
        ..Level::new(name, Attained::Known { met, counted: 1_000 }, term)
    }
}

/// Month `n` of 2026 with a charge of 1,000.00 and these levels.
pub fn month(n: i32, scheme: &Scheme, levels: Vec<Level>) -> MonthInput {
    MonthInput { month: Month::new(2026, n), charge: Ok(100_000), scheme: scheme.clone(), levels }
}

/// Shares of the charge, from January on.
pub fn scheme() -> Scheme {
    Scheme::of_the_charge(Month::new(2026, 1))
}

/// So many hundredths.
pub fn percent(n: i64) -> Exact {
    exact(n, 100)
}
