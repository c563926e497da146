//! Derived tables of quality: acceptance sampling, agreement of reviewers, drift, strain, complaints.
//! Owns nothing itself; each table has its own file, and what they read has one as well.

pub mod agreement;
pub mod complaint_trend;
pub mod drift_point;
mod drift_series;
pub mod drift_signal;
pub mod feedback_item;
mod history;
pub mod lot_state;
pub(crate) mod record;
pub mod strain_group;
