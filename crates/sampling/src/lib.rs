//! Acceptance sampling by attributes and the agreement of those who inspect.
//!
//! Owns the single sampling plans and switching rules of ISO 2859-1 (the tables of MIL-STD-105E),
//! their operating characteristics, draws that anyone can redo with `sha256sum`, and kappa. It must
//! never read a clock, a file or a source of randomness, and it depends on nothing else of ours.
//!
//! Everything about plans and their characteristics is exact arithmetic on whole numbers; only kappa
//! uses floats, with nothing but the four operations and the square root, and rounds them to six
//! places before they leave.

pub mod agreement;
pub mod curve;
pub mod draw;
mod error;
pub mod plan;
pub mod switching;

pub use agreement::{Agreement, cohen, fleiss};
pub use draw::{Draw, draw};
pub use error::SamplingError;
pub use plan::{Aql, Letter, Level, Plan, Severity, code_letter, plan};
pub use switching::{Lot, State, Verdict};
