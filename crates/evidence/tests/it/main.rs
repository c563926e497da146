//! The readers on real logs, and on files made to break them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clocks;
mod files;
mod hostile;
mod json;
mod properties;
mod real;
mod support;
mod xlsx;
