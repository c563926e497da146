//! The real `backstay` binary, run as a user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod account;
mod bad_input;
mod cases;
mod credits;
mod demo;
mod disk;
mod doors;
mod duplicate;
mod edit;
mod erase;
mod forecast;
mod help;
mod hours;
mod journey;
mod kill;
mod ladder;
mod mapping_new;
mod message;
mod month;
mod report;
mod sample;
mod sandbox;
mod schema;
mod servicenow;
mod small;
mod together;
mod tutorial;
mod watch;
