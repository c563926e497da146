//! Tests of the privacy room from outside: published age vectors, golden pseudonyms and seals,
//! properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod age_vectors;
mod pseudonym;
mod source;
mod wrap;
