//! Rows of the tables of evidence, and answers to SQL: cut to the arrangements and to the privacy classes
//! that the asker may read, before a query runs.

use std::collections::BTreeSet;

use backstay_access::{Action, Privacy};
use backstay_desk::{evidence::Seen, query::ask};
use backstay_engine::session::GuestLimits;
use backstay_evidence::vocabulary::{self, Scope, Table};
use backstay_report::rows::listing;

use super::{
    figure::nothing,
    list::{Cursor, Format, file, limit, page, whole},
};
use crate::{
    answer::Answer,
    asked::Asked,
    figures::{period, seen},
    page::register::class,
    problem::ProblemError,
};

/// Words of a query that are not names of columns.
const RESERVED: [&str; 6] = ["as_of", "arrangement", "cursor", "format", "limit", "period"];

/// What somebody may read: arrangements, and the highest class of columns in all of them.
pub struct Reach {
    /// Arrangements.
    pub arrangements: BTreeSet<String>,
    /// The highest class.
    pub highest: vocabulary::Privacy,
}

/// What the asker may do `action` to among the arrangements asked for; `shared`: rows of no arrangement
/// are part of it.
///
/// # Errors
/// When that is nothing.
pub fn reach(asked: &Asked<'_>, action: Action, shared: bool) -> Result<Reach, ProblemError> {
    let authority = asked.authority()?;
    let mut arrangements = authority.visible();
    if let Some(only) = asked.query("arrangement") {
        arrangements.retain(|id| id == only);
        if arrangements.is_empty() {
            return Err(ProblemError::nothing("arrangement"));
        }
    }
    let none =
        || ProblemError::refused(Some(format!("this asks for the right `{action}` on rows")));
    let mut highest: Option<Privacy> = None;
    arrangements.retain(|id| {
        let own = authority.ceiling(action, Some(id));
        highest = own.map(|own| highest.map_or(own, |known| known.min(own))).or(highest);
        own.is_some()
    });
    if shared {
        let own = authority.ceiling(action, None).ok_or_else(none)?;
        highest = Some(highest.map_or(own, |known| known.min(own)));
    }
    let highest = highest.ok_or_else(none)?;
    Ok(Reach { arrangements, highest: class(highest) })
}

/// Rows of a table, the oldest reference first; further words of the query name columns and their values.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let unknown = || ProblemError::nothing("table");
    let table = asked.server.workspace.vocabulary().table(asked.part("table"));
    let table = table.ok_or_else(unknown)?;
    let format = Format::of(asked)?;
    let action = match format {
        Format::Json => Action::EvidenceRead,
        _ => Action::EvidenceExport,
    };
    let reach = reach(asked, action, table.scope == Scope::Shared)?;
    let Some(seen) = seen(asked, &reach.arrangements)? else { return Ok(nothing()) };
    let seen = seen.without_above(reach.highest)?;
    let table = seen.evidence.vocabulary.table(&table.name).cloned().ok_or_else(|| {
        ProblemError::refused(Some("rows of this table cannot be told apart without columns that your rights do not include".to_owned()))
    })?;
    let sql = select(asked, &table)?;
    let period = period(asked, &seen)?;
    if format != Format::Json {
        let found = ask(&seen, period, &sql, GuestLimits::default())?;
        let listing = listing(&table.name, &found.schema, &found.batches);
        return file(format, &listing, seen.now_us);
    }
    let (limit, before) = (limit(asked)?, Cursor::of(asked)?.map_or(0, |cursor| cursor.before));
    let sql = format!("{sql} LIMIT {} OFFSET {before}", limit + 1);
    let found = ask(&seen, period, &sql, GuestLimits::default())?;
    let mut listing = listing(&table.name, &found.schema, &found.batches);
    let more = listing.rows.len() > limit;
    listing.rows.truncate(limit);
    Ok(page(&listing, &seen, None, before, more))
}

fn select(asked: &Asked<'_>, table: &Table) -> Result<String, ProblemError> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut columns = vec![quoted("_ref")];
    columns.extend(table.columns.iter().map(|column| quoted(&column.name)));
    let mut wanted = Vec::new();
    for (name, value) in &asked.call.query {
        if RESERVED.contains(&name.as_str()) {
            continue;
        }
        let column = table.columns.iter().find(|column| column.name == *name).ok_or_else(|| {
            ProblemError::unclear(format!("`{name}` is neither a column of `{}` that is open to you nor a word of this query.", table.name))
        })?;
        let value = value.replace('\'', "''");
        wanted.push(format!("CAST({} AS VARCHAR) = '{value}'", quoted(&column.name)));
    }
    let condition = match wanted.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", wanted.join(" AND ")),
    };
    let order: Vec<String> = (1..=columns.len()).map(|n| n.to_string()).collect();
    let (columns, name) = (columns.join(", "), quoted(&table.name));
    Ok(format!("SELECT {columns} FROM {name}{condition} ORDER BY {}", order.join(", ")))
}

/// The evidence that the asker may query: every arrangement on which there is the right to, and the columns
/// that may be read in all of them.
///
/// # Errors
/// When that is nothing.
pub fn queried(asked: &Asked<'_>) -> Result<Option<Seen>, ProblemError> {
    let mut reach = reach(asked, Action::EvidenceRead, true)?;
    let may = asked.authority()?.visible_for(Action::SqlQuery);
    reach.arrangements.retain(|id| may.contains(id));
    if reach.arrangements.is_empty() {
        return Err(ProblemError::refused(Some("this asks for the right `sql:query`".to_owned())));
    }
    let Some(seen) = seen(asked, &reach.arrangements)? else { return Ok(None) };
    Ok(Some(seen.without_above(reach.highest)?))
}

/// Rows of a query.
pub fn sql(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let sql = asked.query("q").ok_or_else(|| {
        ProblemError::unclear("Write a SELECT as `q`, for example `q=SELECT * FROM arrangement`.")
    })?;
    // What is wrong with the question is told before the query runs.
    Format::of(asked)?;
    let Some(seen) = queried(asked)? else { return Ok(nothing()) };
    let period = period(asked, &seen)?;
    let found = ask(&seen, period, sql, GuestLimits::default())?;
    let listing = listing("query", &found.schema, &found.batches);
    whole(asked, listing, &seen, Some(period))
}
