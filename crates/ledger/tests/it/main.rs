//! Tests of the ledger from outside: published vectors, golden bytes, properties, and bundles that
//! somebody tampered with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bundle;
mod conformance;
mod fixture;
mod golden;
mod oracle;
mod property;
mod verify_binary;
