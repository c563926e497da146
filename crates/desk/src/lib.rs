//! What every door asks of a workspace, asked in one place: evidence as of an instant, the period that is
//! meant, an assessment worked out and kept or worked out again, a file brought in or only tried.
//!
//! Owns the way from a door's question to store and engine, and the errors as people are told them. It
//! must never read the machine's clock, draw randomness, or write to a terminal or a socket: doors hand
//! in the instant, the actor and the randomness ([`backstay_store::Ctx`]), and show what comes back.

pub mod assess;
pub mod beside;
pub mod catalogue;
pub mod change;
pub mod error;
pub mod evidence;
pub mod forecast;
pub mod import;
pub mod ladder;
pub mod ledger;
pub mod mapping;
pub mod meeting;
pub mod name;
pub mod period;
pub mod query;
pub mod register;
pub mod replay;
pub mod report;
pub mod restate;
pub mod trial;

pub use error::DeskError;
