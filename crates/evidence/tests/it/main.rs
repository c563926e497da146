//! The readers on real logs, and on files made to break them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bad_input;
mod calendar;
mod clocks;
mod files;
mod formats;
mod hostile;
mod json;
mod parquet;
mod properties;
mod propose;
mod real;
mod recognise;
mod support;
mod xlsx;
