//! The engine from outside: folding, catalogue, assessment, replay.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod catalogue;
mod coverage;
mod fold;
mod no_green;
mod quality;
mod replay;
mod same_bytes;
mod world;
