//! The real `backstay` binary, run as a user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod demo;
mod duplicate;
mod edit;
mod erase;
mod help;
mod journey;
mod ladder;
mod message;
mod report;
mod sandbox;
mod schema;
mod servicenow;
mod small;
mod tutorial;
mod watch;
