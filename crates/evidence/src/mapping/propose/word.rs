//! How near the name of a source column is to a column of the vocabulary. The words that sources use
//! are data, in `synonyms.toml`; this file only compares.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// Full likeness, in thousandths.
pub(super) const SAME: u32 = 1_000;
/// Likeness of a known other name.
const KNOWN: u32 = 950;

/// Words that many names have and that make no two of them alike.
const GENERAL: [&str; 10] =
    ["id", "number", "code", "name", "date", "time", "at", "of", "type", "key"];

const SYNONYMS: &str = include_str!("synonyms.toml");

#[derive(Debug, Default, Deserialize)]
struct File {
    short: BTreeMap<String, String>,
    people: People,
    text: Free,
    any: BTreeMap<String, Vec<String>>,
    stands_in: BTreeMap<String, BTreeMap<String, String>>,
    values: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    #[serde(flatten)]
    tables: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Default, Deserialize)]
struct People {
    staff: Vec<String>,
    outside: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Free {
    free: Vec<String>,
}

// A file that could not be read would leave every name unknown; a test reads it.
static WORDS: LazyLock<File> = LazyLock::new(|| toml::from_str(SYNONYMS).unwrap_or_default());

/// A name as its words: small letters, one blank between them, short forms written out.
pub(super) fn words(name: &str) -> String {
    let mut split = String::new();
    let mut before = ' ';
    for symbol in name.chars() {
        if symbol.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            split.push(' ');
        }
        split.push(if symbol.is_alphanumeric() { symbol } else { ' ' });
        before = symbol;
    }
    let lower = split.to_lowercase();
    let long = lower.split_whitespace().map(|word| WORDS.short.get(word).map_or(word, |w| w));
    let joined = long.collect::<Vec<_>>().join(" ");
    // Systems mark their own columns; custom ones too.
    ["sys ", "u ", "case ", "system "]
        .iter()
        .find_map(|mark| joined.strip_prefix(mark).filter(|rest| rest.contains(' ')))
        .filter(|_| !joined.starts_with("case concept"))
        .map_or_else(|| joined.clone(), str::to_owned)
}

/// How near a source column's name is to a column of a table, in thousandths.
pub(super) fn likeness(table: &str, column: &str, earlier: &[String], source: &str) -> u32 {
    if source == column || earlier.iter().any(|name| name == source) {
        return SAME;
    }
    let source = words(source);
    let own = words(column);
    if source == own {
        return SAME;
    }
    let lists = [WORDS.tables.get(table), Some(&WORDS.any)];
    let known: Vec<String> = lists
        .iter()
        .flatten()
        .filter_map(|list| list.get(column))
        .flatten()
        .map(|n| words(n))
        .collect();
    if known.contains(&source) {
        return KNOWN;
    }
    known.iter().chain([&own]).map(|name| near(name, &source)).max().unwrap_or(0)
}

/// Words that two names share, and letters that they share, in thousandths below [`KNOWN`].
fn near(name: &str, source: &str) -> u32 {
    let (ours, theirs): (Vec<&str>, Vec<&str>) =
        (name.split(' ').collect(), source.split(' ').collect());
    let shared: Vec<&&str> = ours.iter().filter(|word| theirs.contains(word)).collect();
    let telling = shared.iter().any(|word| !GENERAL.contains(word));
    let shared = if telling { shared.len() } else { 0 };
    let by_words = share(2 * shared, ours.len() + theirs.len()) * 8 / 10;
    let longest = name.chars().count().max(source.chars().count());
    let steps = super::super::wildcard::steps(name, source);
    let by_letters = share(longest.saturating_sub(steps), longest);
    // A letter or two off; more is another word.
    let by_letters = if by_letters >= 800 { by_letters * 8 / 10 } else { 0 };
    by_words.max(by_letters)
}

/// `part` of `whole` in thousandths.
pub(super) fn share(part: usize, whole: usize) -> u32 {
    u32::try_from(part.saturating_mul(1_000).checked_div(whole).unwrap_or(0)).unwrap_or(SAME)
}

/// The column whose source column serves when this one has none.
pub(super) fn stand_in(table: &str, column: &str) -> Option<&'static str> {
    WORDS.stands_in.get(table)?.get(column).map(String::as_str)
}

/// The value of an enumeration that a source's value stands for.
pub(super) fn value<'v>(column: &str, values: &'v [String], written: &str) -> Option<&'v str> {
    let wanted = words(written);
    let same = values.iter().find(|value| words(value) == wanted);
    let known = || {
        let lists = WORDS.values.get(column)?;
        values.iter().find(|value| {
            lists.get(*value).is_some_and(|list| list.iter().any(|word| words(word) == wanted))
        })
    };
    same.or_else(known).map(String::as_str)
}

/// The kind of id that a column with this name holds, if its name speaks for a person's.
pub(super) fn person_kind(source: &str) -> Option<&'static str> {
    let source = words(source);
    let among = |list: &[String]| list.iter().any(|name| words(name) == source);
    if among(&WORDS.people.outside) {
        return Some("outside-person");
    }
    (among(&WORDS.people.staff) || source.ends_with(" by")).then_some("person")
}

/// Whether the name is that of free text.
pub(super) fn is_free_text(source: &str) -> bool {
    let source = words(source);
    WORDS.text.free.iter().any(|name| words(name) == source)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::vocabulary::Vocabulary;

    #[test]
    fn every_synonym_speaks_of_a_column_that_there_is() {
        let file: File = toml::from_str(SYNONYMS).unwrap();
        let vocabulary = Vocabulary::built_in().unwrap();
        for (table, columns) in &file.tables {
            let table = vocabulary.table(table).unwrap_or_else(|| panic!("no table `{table}`"));
            for column in columns.keys() {
                assert!(table.column(column).is_some(), "`{}` has no `{column}`", table.name);
            }
        }
        for column in file.any.keys() {
            assert!(
                vocabulary.tables().any(|table| table.column(column).is_some()),
                "no table has `{column}`"
            );
        }
        for (column, values) in &file.values {
            let known: Vec<&String> = vocabulary
                .tables()
                .filter_map(|table| table.column(column))
                .flat_map(|column| &column.values)
                .collect();
            for value in values.keys() {
                assert!(known.contains(&value), "`{column}` has no value `{value}`");
            }
        }
    }

    #[test]
    fn names_are_compared_by_their_words_and_not_by_their_spelling() {
        assert_eq!(words("sys_updated_at"), "updated at");
        assert_eq!(words("IncidentState"), "incident state");
        assert_eq!(words("Ticket No."), "ticket number");
        assert_eq!(words("case:concept:name"), "case concept name");
        let at = |source| likeness("case_event", "occurred_at", &[], source);
        assert_eq!(at("occurred_at"), SAME);
        assert_eq!(at("Occurred At"), SAME);
        assert_eq!(at("sys_updated_at"), KNOWN);
        assert!(at("occured_at") > 600, "{}", at("occured_at"));
        assert!(at("location") < 400);
        assert_eq!(likeness("site", "time_zone", &["zone".to_owned()], "zone"), SAME);
    }

    #[test]
    fn people_and_values_are_known_by_their_words() {
        assert_eq!(person_kind("sys_created_by"), Some("person"));
        assert_eq!(person_kind("org:resource"), Some("person"));
        assert_eq!(person_kind("caller_id"), Some("outside-person"));
        assert_eq!(person_kind("assignment_group"), None);
        let values = ["met".to_owned(), "missed".to_owned()];
        assert_eq!(value("outcome", &values, "TRUE"), Some("met"));
        assert_eq!(value("outcome", &values, "Not met"), Some("missed"));
        assert_eq!(value("outcome", &values, "perhaps"), None);
    }
}
