//! The server in process, over a made-up portfolio of two providers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api;
mod bring;
mod door;
mod hand;
mod home;
mod ledger;
mod pages;
mod panels;
mod people;
mod register;
mod rights;
mod search;
