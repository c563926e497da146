//! Service credits by the contract's own formula, exactly.
//!
//! Owns the arithmetic from measured service levels and monthly charges to the credit of each month:
//! what a miss costs, what a repeated one costs more, what the caps leave, what is earned back. All of
//! it is integers and exact ratios. It must never know a table, a clock or a contract by name, give a
//! credit above a cap or below zero, or take what is not known for nothing: a gap stays a gap.
//!
//! Order of operations, for each month in turn:
//! 1. each service level: share of the allocation that the formula gives, times severity, times the
//!    multiplier below the minimum, times the multiplier of a repeated miss, on the at-risk amount
//!    (or in points); then the cap of the service level;
//! 2. points turned into money; rounding half-up to the minor unit, each service level or the total;
//! 3. the cap of the month, a share of the month's charge, cut down to whole minor units;
//! 4. the cap of the year, a share of the charges of the year's span up to and including this month,
//!    less the credits already granted in that span;
//! 5. what the caps leave is spread over the service levels by largest remainder;
//! 6. earn-back, which returns a credit as granted and does not make room under a cap.
//!
//! ```
//! use backstay_credits::{Attained, Band, BandBy, Formula, Level, Month, MonthInput, Scheme, Term, credits, exact};
//!
//! let bands = vec![
//!     Band::by_level(Some(exact(99, 100)), Some(exact(999, 1000)), exact(2, 100)),
//!     Band::by_level(None, Some(exact(99, 100)), exact(3, 100)),
//! ];
//! let term = Term { formula: Formula::Bands(BandBy::Level, bands), ..Term::whole() };
//! let level = Level::new("uptime", Attained::Known { met: 997, counted: 1000 }, term);
//! let scheme = Scheme { month_cap: Some(exact(1, 10)), ..Scheme::of_the_charge(Month::new(2026, 1)) };
//! let month = MonthInput { month: Month::new(2026, 1), charge: Ok(1_000), scheme, levels: vec![level] };
//! assert_eq!(credits(&[month]).months[0].credit, Ok(20));
//! ```

mod earn;
mod exact;
mod formula;
mod month;
mod terms;
mod total;

pub use earn::{EarnState, EarnedBack};
pub use exact::{CreditError, Exact, decimal, exact, half_up, spread};
pub use month::Month;
pub use terms::{
    Attained, Band, BandBy, EarnBack, Formula, Level, MonthInput, NoCases, Points, Rounding,
    Scheme, Term, Trigger, YearSpan,
};
pub use total::{Credits, LevelCredit, MonthCredit, Reckoned, credits};
