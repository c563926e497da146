//! What share a window of a service level will end with, while the window still runs.
//!
//! Owns three models and what they say together: how long cases last (product-limit survival), the
//! share of cases met as a hidden level that moves from week to week, and how many cases still
//! come. It must never read a clock, a file or a source of randomness, never say a figure on too
//! short a history, and it depends on nothing else of ours.
//!
//! Floats stay inside, in fixed order, with `libm` for what is not one of the four operations or a
//! square root; the draws come from a pinned generator with a fixed seed. Results leave as whole
//! ten-thousandths and hundredths.

mod level;
pub mod outlook;
mod random;
pub mod score;
mod survival;

pub use level::Week;
pub use outlook::{
    Carried, CountsBy, Intake, NoForecast, OpenCase, Outlook, Question, RULE_CASES, RULE_ENDED,
    RULE_SILENT, RULE_SPAN, RULE_WEEKS, outlook,
};
pub use score::{Hit, Score, score};
pub use survival::Life;
