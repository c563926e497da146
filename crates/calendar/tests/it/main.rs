//! The working-time instrument from outside: named cases, local times, and brute force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod brute;
mod cases;
mod compare;
mod local_time;
mod support;
