//! From a manifest to an assessment: tables as of an instant, SQL checks, derived tables, status.
//!
//! The doors call [`assess`](assess::assess), [`replay`](replay::replay), [`query`], [`explain_case`]
//! and [`catalogue_test`]; [`arrangement::view`] says what an arrangement's period and zone are.
//!
//! Owns the computing: every answer is a function of a [`backstay_evidence::Manifest`], a catalogue
//! and a period. It reads no clock and no randomness, keeps nothing, and knows of the outside only
//! what [`backstay_evidence::ObjectSource`] gives it. It must never round a figure through a float,
//! let the number of cores change a byte, or call a control effective without evidence.

pub mod arrangement;
pub mod assess;
pub mod assessment;
pub mod cache;
pub mod catalogue;
pub mod cell;
pub mod coverage;
pub mod credit_note;
pub mod derive;
mod error;
pub mod fixture;
pub mod forecast;
pub mod function;
pub mod history;
pub mod hours;
pub mod lineage;
mod markdown;
pub mod measure;
pub mod measure_table;
pub mod measured;
pub mod outcome;
pub mod panel;
mod parallel;
pub mod period;
pub mod replay;
pub mod restate;
pub mod rows;
pub mod session;
pub mod status;
pub mod tables;
mod tally;
pub mod warned;

pub use assess::{AssessRequest, ENGINE_VERSION, assess};
pub use assessment::Assessment;
pub use cache::{MemoryCache, ResultCache};
pub use catalogue::{Catalogue, TrialOptions, catalogue_test, skeleton};
pub use derive::{Derivation, DeriveInput, TableBatches, explain::Explanation};
pub use error::EngineError;
pub use history::{Past, history};
pub use measured::{Measured, measured};
pub use period::Period;
pub use replay::{Replay, replay};
pub use session::{Evidence, GuestLimits, QueryResult, View, explain_case, query};
pub use status::Status;
pub use tables::Layout;
pub use warned::{DueCase, Warned, warned};
