//! A register as a list: searched, filtered column by column, sorted and paged. What is not seen of a
//! row takes no part in any of it, so that no order and no count tells of it.

use std::collections::{BTreeMap, BTreeSet};

use backstay_evidence::{
    minor_places,
    vocabulary::{Column, ColumnType, Table},
};
use backstay_store::{RegisterRow, Workspace};

use super::{
    Row, Sight, columns, known, seen,
    text::{Rank, nano, rank, shown, written},
};
use crate::{error::DeskError, evidence::as_of_known};

/// What is wanted of a register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice<'a> {
    /// As of a ledger entry or an instant.
    pub as_of: Option<&'a str>,
    /// Words that some column holds.
    pub search: Option<&'a str>,
    /// What single columns must hold; a name that is no column is passed over.
    pub filters: BTreeMap<&'a str, &'a str>,
    /// Column to sort by, and whether the greatest comes first; else by key.
    pub sort: Option<(&'a str, bool)>,
    /// Rows to pass over.
    pub skip: usize,
    /// Rows at most.
    pub most: usize,
}

/// Part of a register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Entry as of which it is.
    pub known_at: u64,
    /// Rows that are seen.
    pub all: usize,
    /// Rows that fit what is wanted.
    pub found: usize,
    /// Those from `skip` on.
    pub rows: Vec<Row>,
    /// Columns of which one of `rows` has a value.
    pub filled: BTreeSet<String>,
}

/// How a filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// A filter made ready.
enum Test<'t> {
    /// It has no value.
    Empty(&'t Column),
    /// The text as it is written, capitals aside.
    Exactly(&'t Column, String),
    /// Somewhere in the text.
    Holds(&'t Column, String),
    /// By its place in order; of an amount in any currency.
    Ranked(&'t Column, Compare, Rank),
}

/// The rows that fit.
///
/// # Errors
/// An instant that is none, a filter that its column cannot be compared with; those of the database.
pub fn list(
    workspace: &Workspace,
    table: &Table,
    choice: &Choice<'_>,
    sight: &Sight,
) -> Result<Listed, DeskError> {
    let tests = tests(table, choice)?;
    let words = choice.search.map(str::to_lowercase);
    let sort = choice.sort.and_then(|(name, down)| {
        let column = columns(table).find(|column| column.name == name)?;
        Some((column, down))
    });
    let plain = tests.is_empty() && words.is_none() && sort.is_none();
    let mut listed = Listed::default();
    let mut kept: Vec<(Option<Rank>, Row)> = Vec::new();
    let mut take = |row: &RegisterRow| {
        if sight.of(&row.arrangement_id).is_none() || row.row.is_none() {
            return;
        }
        listed.all += 1;
        // Without a question only the rows of this page need to be read.
        if plain && (listed.all <= choice.skip || kept.len() >= choice.most) {
            return;
        }
        let Some(row) = seen(table, row, sight) else { return };
        let fits = tests.iter().all(|test| test.holds(&row))
            && words.as_deref().is_none_or(|words| found_in(table, &row, words));
        if fits {
            let rank = sort.and_then(|(column, _)| rank(column, &row.values));
            kept.push((rank, row));
        }
    };
    match known(choice.as_of)? {
        None => {
            listed.known_at = workspace.backend().head()?.size;
            workspace.backend().registers(Some(&table.name), &mut |row| {
                take(&row);
                Ok(())
            })?;
        }
        then => {
            let (seq, rows) = workspace.registers_at(&table.name, as_of_known(then))?;
            rows.iter().for_each(&mut take);
            listed.known_at = seq;
        }
    }
    listed.found = if plain { listed.all } else { kept.len() };
    if let Some((_, down)) = sort {
        // Rows without a value come last, whichever way the others go.
        kept.sort_by(|(left, _), (right, _)| match (left, right) {
            (Some(left), Some(right)) if down => right.cmp(left),
            (Some(left), Some(right)) => left.cmp(right),
            (left, right) => right.is_some().cmp(&left.is_some()),
        });
    }
    let skip = if plain { 0 } else { choice.skip };
    listed.rows = kept.into_iter().map(|(_, row)| row).skip(skip).take(choice.most).collect();
    for column in columns(table) {
        if listed.rows.iter().any(|row| shown(column, &row.values).is_some()) {
            listed.filled.insert(column.name.clone());
        }
    }
    Ok(listed)
}

/// Whether some column holds the words, which are in small letters.
pub fn found_in(table: &Table, row: &Row, words: &str) -> bool {
    let holds = |text: String| text.to_lowercase().contains(words);
    columns(table).any(|column| shown(column, &row.values).is_some_and(holds))
}

/// Whether a filter on this column takes a value whole, as one of a list.
#[must_use]
pub fn is_exact(column: &Column) -> bool {
    matches!(
        column.kind,
        ColumnType::Enumeration
            | ColumnType::Boolean
            | ColumnType::Country
            | ColumnType::Currency
            | ColumnType::LanguageLevel
            | ColumnType::Reference
            | ColumnType::Person
    )
}

/// Whether a filter on this column may compare: `>= 2026-01-01`.
#[must_use]
pub fn is_ordered(column: &Column) -> bool {
    matches!(
        column.kind,
        ColumnType::Integer
            | ColumnType::Decimal
            | ColumnType::Money
            | ColumnType::Duration
            | ColumnType::Date
            | ColumnType::Instant
    )
}

fn tests<'t>(table: &'t Table, choice: &Choice<'_>) -> Result<Vec<Test<'t>>, DeskError> {
    let mut tests = Vec::new();
    for column in columns(table) {
        let Some(wanted) = choice.filters.get(column.name.as_str()) else { continue };
        let wanted = wanted.trim();
        if !wanted.is_empty() {
            tests.push(test(column, wanted)?);
        }
    }
    Ok(tests)
}

fn test<'t>(column: &'t Column, wanted: &str) -> Result<Test<'t>, DeskError> {
    if wanted == "=" {
        return Ok(Test::Empty(column));
    }
    if is_exact(column) {
        return Ok(Test::Exactly(column, wanted.to_lowercase()));
    }
    let compares = [
        (">=", Compare::AtLeast),
        ("<=", Compare::AtMost),
        (">", Compare::More),
        ("<", Compare::Less),
        ("=", Compare::Equal),
    ];
    let said = compares
        .into_iter()
        .find_map(|(sign, compare)| Some((compare, wanted.strip_prefix(sign)?.trim())));
    let (compare, text) = match said {
        Some(found) if is_ordered(column) => found,
        // A whole number is meant as it is; of a date or an amount any part.
        None if matches!(column.kind, ColumnType::Integer | ColumnType::Decimal) => {
            (Compare::Equal, wanted)
        }
        _ => return Ok(Test::Holds(column, wanted.to_lowercase())),
    };
    let rank = ranked(column, text).ok_or_else(|| {
        DeskError::usage(
            format!("`{}` cannot be compared with `{text}`", column.name),
            match column.kind {
                ColumnType::Date => "write a date, as in `>= 2026-01-01`",
                ColumnType::Instant => {
                    "write an instant with its offset, `>= 2026-01-01T00:00:00Z`"
                }
                ColumnType::Duration => "write a length of time, as in `> 4h`",
                _ => "write a number, as in `> 10`",
            },
        )
    })?;
    Ok(Test::Ranked(column, compare, rank))
}

/// What is written after a comparison, as a place in order.
fn ranked(column: &Column, text: &str) -> Option<Rank> {
    match column.kind {
        ColumnType::Integer => Some((String::new(), text.parse().ok()?)),
        ColumnType::Decimal | ColumnType::Money => Some((String::new(), nano(text)?)),
        ColumnType::Date => {
            let date: jiff::civil::Date = text.parse().ok()?;
            Some((date.to_string(), 0))
        }
        ColumnType::Instant => {
            let at: jiff::Timestamp = text.parse().ok()?;
            Some((String::new(), i128::from(at.as_microsecond())))
        }
        ColumnType::Duration => {
            let span: jiff::SignedDuration = text.replace(' ', "").parse().ok()?;
            Some((String::new(), span.as_micros()))
        }
        _ => None,
    }
}

impl Test<'_> {
    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Empty(column) => shown(column, &row.values).is_none(),
            Self::Exactly(column, wanted) => {
                let fits = |text: &str| &text.to_lowercase() == wanted;
                let values = written(column, &row.values);
                values.first().is_some_and(|(_, text)| fits(text))
                    || shown(column, &row.values).is_some_and(|text| fits(&text))
            }
            Self::Holds(column, wanted) => {
                shown(column, &row.values).is_some_and(|text| text.to_lowercase().contains(wanted))
            }
            Self::Ranked(column, compare, wanted) => {
                let Some((own, number)) = rank(column, &row.values) else { return false };
                let own = match column.kind {
                    // Amounts are compared as numbers, in whatever currency.
                    ColumnType::Money => {
                        let places = 9_u32.saturating_sub(minor_places(&own));
                        (String::new(), number.saturating_mul(10_i128.pow(places)))
                    }
                    _ => (own, number),
                };
                match compare {
                    Compare::Less => own < *wanted,
                    Compare::AtMost => own <= *wanted,
                    Compare::Equal => own == *wanted,
                    Compare::AtLeast => own >= *wanted,
                    Compare::More => own > *wanted,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use backstay_evidence::vocabulary::Vocabulary;

    use super::*;
    use crate::register::Values;

    fn holds(table: &str, column: &str, values: &[(&str, &str)], wanted: &str) -> bool {
        let vocabulary = Vocabulary::built_in().unwrap();
        let table = vocabulary.table(table).unwrap();
        let values: Values =
            values.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
        let row = Row {
            arrangement_id: String::new(),
            key: "[]".into(),
            named: true,
            entry: 1,
            reference: "1:1".into(),
            values,
        };
        test(table.column(column).unwrap(), wanted).ok().unwrap().holds(&row)
    }

    #[test]
    fn filters_compare_as_their_columns_do() {
        let level = [
            ("target", "0.950000000"),
            ("title", "Resolved in time"),
            ("basis", "contract"),
            ("threshold", "14400000000"),
            ("valid_from", "2026-03-01"),
        ];
        for (column, wanted) in [
            ("target", "0.95"),
            ("target", ">= 0.95"),
            ("target", "<1"),
            ("title", "RESOLVED"),
            ("basis", "Contract"),
            ("threshold", "> 3h"),
            ("threshold", "=4h"),
            ("valid_from", "2026-03"),
            ("valid_from", ">= 2026-03-01"),
            ("valid_to", "="),
        ] {
            assert!(holds("service_level", column, &level, wanted), "{column} {wanted}");
        }
        for (column, wanted) in [
            ("target", "> 0.95"),
            ("title", "late"),
            ("basis", "contr"),
            ("threshold", "< 4h"),
            ("valid_from", "> 2026-03-01"),
            ("valid_from", "="),
            ("valid_to", "> 2026-01-01"),
        ] {
            assert!(!holds("service_level", column, &level, wanted), "{column} {wanted}");
        }
        let charge = [("amount_minor", "123405"), ("amount_currency", "EUR")];
        assert!(holds("charge", "amount", &charge, "> 1234"));
        assert!(!holds("charge", "amount", &charge, "> 1234.05"));
    }

    #[test]
    fn what_cannot_be_compared_says_what_to_write() {
        let vocabulary = Vocabulary::built_in().unwrap();
        let table = vocabulary.table("service_level").unwrap();
        let refused = |column: &str, wanted: &str| {
            let error = test(table.column(column).unwrap(), wanted).err().unwrap();
            (error.to_string(), error.help().unwrap().to_owned())
        };
        let (message, help) = refused("valid_from", "> soon");
        assert!(
            message.contains("`valid_from`") && help.contains("2026-01-01"),
            "{message} {help}"
        );
        assert!(refused("target", "many").1.contains("number"));
        assert!(refused("threshold", ">4").1.contains("4h"));
    }
}
