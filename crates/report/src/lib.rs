//! An assessment as a document: terminal text, JSON, one HTML file. It sets what the engine worked out and
//! works nothing out itself; it reads no clock, no file and no terminal.

pub mod assessment;
pub mod catalogue;
pub mod close;
pub mod credit;
pub mod difference;
pub mod due;
pub mod explanation;
pub mod figure;
pub mod forecast;
pub mod html;
pub mod icalendar;
pub mod import;
pub mod layout;
pub mod ledger;
pub mod level;
pub mod listing;
pub mod measures;
pub mod replay;
pub mod rows;
pub mod trace;
pub mod words;
