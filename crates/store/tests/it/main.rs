//! Integration tests of the store, by what a user sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod account;
mod account_tables;
mod conformance;
mod correction;
mod damage;
mod edit;
mod enter;
mod fault;
mod forget;
mod guard;
mod import;
mod property;
mod real;
mod register;
mod release;
mod support;
