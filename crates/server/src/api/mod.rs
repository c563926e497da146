//! The interface for machines, `/api/v1`: what the pages show and take, as JSON. It stands behind the same
//! rules and asks the same rooms; it must never know anything that a page does not.

pub mod account;
pub mod assessment;
pub mod catalogue;
pub mod document;
pub mod edit;
pub mod figure;
pub mod import;
pub mod ledger;
pub mod list;
pub mod rows;
