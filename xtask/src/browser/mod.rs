//! A real Chromium: the program, a tab of it, and somebody who reads a page and acts on it. What is
//! right about a page is for others to say.

pub mod chromium;
pub mod person;
pub mod tab;

use serde_json::Value;

pub use chromium::{Browser, Profile, Screen};
pub use person::Person;
pub use tab::Tab;

/// A value of a JSON object as text.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
