//! What the policies come to: the whole table as a reviewed snapshot, and what holds for every
//! portfolio and every set of grants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod property;
mod table;
mod wall;
