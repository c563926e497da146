//! Whether a series of counts has moved away from its baseline, and how often such an alarm is false.
//!
//! Owns p and u charts with varying denominators, CUSUM and EWMA over standardised counts, and their
//! average run lengths. It must never read a clock or a file, and it depends on nothing else of ours.
//! Floats stay inside, in fixed order, with `libm` for what is not one of the four operations or a
//! square root; results leave as whole thousandths.

pub mod chart;
pub mod quadrature;
pub mod run_length;
pub mod watch;

pub use chart::{Baseline, Count, Law};
pub use watch::{Direction, Point, Rule, Watch};
