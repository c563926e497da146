//! Pseudonyms and where they occur. It must never hold the name behind one.

use backstay_engine::{Period, session::GuestLimits};
use backstay_evidence::vocabulary::{ColumnType, Scope};
use backstay_privacy::pseudonym::is_pseudonym;

use crate::{error::DeskError, evidence::Seen, query::ask};

/// Refuses what is no pseudonym, without repeating it: it may be somebody's name.
///
/// # Errors
/// When it is none.
pub fn check(text: &str) -> Result<(), DeskError> {
    if is_pseudonym(text) {
        return Ok(());
    }
    Err(DeskError::usage(
        "what was written is not a pseudonym",
        "a pseudonym is `p-` and 40 digits from 0 to 9 and a to f, as queries show it; an id of a \
         person goes with `backstay erase person --id ID --party PARTY`",
    ))
}

/// Whether the evidence seen names a pseudonym in a table of an arrangement.
///
/// # Errors
/// What is no pseudonym; unreadable evidence.
pub fn occurs(seen: &Seen, period: Period, pseudonym: &str) -> Result<bool, DeskError> {
    check(pseudonym)?;
    let vocabulary = &seen.evidence.vocabulary;
    let tables = vocabulary.tables().filter(|table| table.scope == Scope::Arrangement);
    for table in tables {
        let people = table.columns.iter().filter(|column| column.kind == ColumnType::Person);
        let named: Vec<String> =
            people.map(|column| format!("\"{}\" = '{pseudonym}'", column.name)).collect();
        if named.is_empty() {
            continue;
        }
        let sql =
            format!("SELECT count(*) AS n FROM \"{}\" WHERE {}", table.name, named.join(" OR "));
        let found = ask(seen, period, &sql, GuestLimits::default())?;
        let rows = backstay_report::rows::objects(&found.schema, &found.batches);
        if rows.iter().any(|row| row.get("n").and_then(|n| n.as_i64()).is_some_and(|n| n > 0)) {
            return Ok(true);
        }
    }
    Ok(false)
}
