//! Registers as doors show and change them: rows cut to what somebody may see, found, sorted and paged;
//! one row with its past; a change tried and written. Doors say who may see what; nothing here decides
//! it, and no value above somebody's class leaves this room, nor can be found or sorted by.

pub mod change;
pub mod list;
pub mod text;

use std::collections::BTreeMap;

use backstay_evidence::{
    RowRef,
    identity::identity_columns,
    schema,
    vocabulary::{Column, Privacy, Scope, Table, TableKind},
};
use backstay_store::{PastVersion, RegisterRow, Workspace};

use crate::{
    error::DeskError,
    evidence::as_of_known,
    period::{Known, parse_known},
};

/// Values by physical column.
pub type Values = BTreeMap<String, String>;

/// What somebody may see of rows: the highest privacy class of columns, by arrangement and of shared
/// tables. What is not named is not seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// Of shared tables.
    pub shared: Option<Privacy>,
    /// Of the tables of arrangements.
    pub arrangements: BTreeMap<String, Privacy>,
}

impl Sight {
    /// The highest class seen of an arrangement, or of shared tables when it is empty.
    #[must_use]
    pub fn of(&self, arrangement_id: &str) -> Option<Privacy> {
        match arrangement_id {
            "" => self.shared,
            id => self.arrangements.get(id).copied(),
        }
    }

    /// The highest class seen anywhere of a table.
    #[must_use]
    pub fn most(&self, table: &Table) -> Option<Privacy> {
        match table.scope {
            Scope::Shared => self.shared,
            Scope::Arrangement => self.arrangements.values().copied().max(),
        }
    }

    /// The same, of one arrangement and what is shared alone.
    #[must_use]
    pub fn only(&self, arrangement_id: &str) -> Self {
        let own = self.arrangements.get(arrangement_id);
        let arrangements = own.map(|most| (arrangement_id.to_owned(), *most));
        Self { shared: self.shared, arrangements: arrangements.into_iter().collect() }
    }
}

/// One row of a register, cut to what is seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Arrangement; empty for a shared table.
    pub arrangement_id: String,
    /// Its key as the store names it: a JSON array of texts.
    pub key: String,
    /// Every column of the key is seen, so the row can be named.
    pub named: bool,
    /// Entry of the version that stands: what a change expects.
    pub entry: u64,
    /// The record that it came from.
    pub reference: String,
    /// Values by physical column; those of classes that are not seen are left out.
    pub values: Values,
}

/// The table of that name, when it is a register.
#[must_use]
pub fn table<'w>(workspace: &'w Workspace, name: &str) -> Option<&'w Table> {
    workspace.vocabulary().table(name).filter(|table| table.kind == TableKind::Register)
}

/// Columns that are still filled.
pub fn columns(table: &Table) -> impl Iterator<Item = &Column> {
    table.columns.iter().filter(|column| !column.retired)
}

/// The columns of the key.
#[must_use]
pub fn key_columns(table: &Table) -> Vec<&Column> {
    identity_columns(table).into_iter().filter_map(|name| table.column(name)).collect()
}

/// Leaves out what is above a class.
pub fn cut(table: &Table, values: &mut Values, most: Privacy) {
    for column in table.columns.iter().filter(|column| column.privacy > most) {
        for field in schema::fields(column) {
            values.remove(field.name());
        }
    }
}

/// A row as it is seen; nothing when no row of its arrangement is.
fn seen(table: &Table, row: &RegisterRow, sight: &Sight) -> Option<Row> {
    let most = sight.of(&row.arrangement_id)?;
    let mut values: Values = serde_json::from_str(row.row.as_deref()?).ok()?;
    cut(table, &mut values, most);
    let record = RowRef { entry: u32::try_from(row.entry).unwrap_or(u32::MAX), record: row.record };
    Some(Row {
        arrangement_id: row.arrangement_id.clone(),
        key: row.key.clone(),
        named: key_columns(table).iter().all(|column| column.privacy <= most),
        entry: row.seq,
        reference: record.to_string(),
        values,
    })
}

/// Reads an instant as it was asked for.
pub(crate) fn known(as_of: Option<&str>) -> Result<Option<Known>, DeskError> {
    as_of.map(parse_known).transpose()
}

/// How many rows stand of every register, of those arrangements that are seen.
///
/// # Errors
/// Those of the database.
pub fn counts(workspace: &Workspace, sight: &Sight) -> Result<BTreeMap<String, u64>, DeskError> {
    let mut counts = BTreeMap::new();
    for (table, arrangement, rows) in workspace.backend().register_counts()? {
        if sight.of(&arrangement).is_some() {
            *counts.entry(table).or_default() += rows;
        }
    }
    Ok(counts)
}

/// The arrangement that a key is of; empty for a shared table.
#[must_use]
pub fn arrangement_of(table: &Table, key: &str) -> String {
    if table.scope == Scope::Shared {
        return String::new();
    }
    let parts: Vec<Option<String>> = serde_json::from_str(key).unwrap_or_default();
    let named = identity_columns(table).into_iter().zip(parts);
    let own = named.into_iter().find(|(name, _)| *name == "arrangement_id");
    own.and_then(|(_, id)| id).unwrap_or_default()
}

/// The row of that key as it stands, or as it stood; nothing when there is none that is seen by name.
///
/// # Errors
/// An instant that is none; those of the database.
pub fn row(
    workspace: &Workspace,
    table: &Table,
    key: &str,
    as_of: Option<&str>,
    sight: &Sight,
) -> Result<Option<Row>, DeskError> {
    let arrangement = arrangement_of(table, key);
    if sight.of(&arrangement).is_none() {
        return Ok(None);
    }
    let found = match known(as_of)? {
        None => workspace.backend().register_row(&table.name, &arrangement, key)?,
        then => {
            let (_, rows) = workspace.registers_at(&table.name, as_of_known(then))?;
            rows.into_iter().find(|row| row.arrangement_id == arrangement && row.key == key)
        }
    };
    Ok(found.and_then(|row| seen(table, &row, sight)).filter(|row| row.named))
}

/// The versions of a row, the newest first, at most `limit`, cut to what is seen.
///
/// # Errors
/// Those of database and objects; a row that never was.
pub fn history(
    workspace: &Workspace,
    table: &Table,
    key: &str,
    limit: usize,
    sight: &Sight,
) -> Result<Vec<PastVersion>, DeskError> {
    let arrangement = arrangement_of(table, key);
    let Some(most) = sight.of(&arrangement) else { return Ok(Vec::new()) };
    let mut versions = workspace.history(&table.name, &arrangement, key, limit)?;
    for version in &mut versions {
        if let Some(values) = &mut version.values {
            cut(table, values, most);
        }
    }
    Ok(versions)
}

/// Rows of the same key at other times of validity, in order of when they begin to hold; the row
/// itself is among them. None where the table has no validity.
///
/// # Errors
/// Those of the database.
pub fn validities(
    workspace: &Workspace,
    table: &Table,
    key: &str,
    sight: &Sight,
) -> Result<Vec<Row>, DeskError> {
    let parts: Vec<Option<String>> = serde_json::from_str(key).unwrap_or_default();
    let names = identity_columns(table);
    let Some(place) = names.iter().position(|name| *name == "valid_from") else {
        return Ok(Vec::new());
    };
    let rows = starting_with(workspace, table, parts.get(..place).unwrap_or_default(), sight)?;
    let of = |row: &Row| -> Vec<Option<String>> {
        let mut parts: Vec<Option<String>> = serde_json::from_str(&row.key).unwrap_or_default();
        if place < parts.len() {
            parts.remove(place);
        }
        parts
    };
    let mut own = parts.clone();
    if place < own.len() {
        own.remove(place);
    }
    let mut rows: Vec<Row> = rows.into_iter().filter(|row| of(row) == own).collect();
    rows.sort_by_key(|row| row.values.get("valid_from").cloned());
    Ok(rows)
}

/// Rows whose key begins with these values and that are seen by name.
fn starting_with(
    workspace: &Workspace,
    table: &Table,
    leading: &[Option<String>],
    sight: &Sight,
) -> Result<Vec<Row>, DeskError> {
    let prefix = match serde_json::json!(leading).to_string().strip_suffix(']') {
        Some(open) if !leading.is_empty() => open.to_owned(),
        _ => "[".to_owned(),
    };
    let arrangement = match table.scope {
        Scope::Shared => String::new(),
        Scope::Arrangement => leading.first().cloned().flatten().unwrap_or_default(),
    };
    let rows = workspace.backend().register_rows(&table.name, &arrangement, &prefix)?;
    let whole = |row: &RegisterRow| {
        let next = row.key.as_bytes().get(prefix.len());
        prefix == "[" || matches!(next, Some(b',' | b']'))
    };
    let rows = rows.iter().filter(|row| whole(row));
    Ok(rows.filter_map(|row| seen(table, row, sight)).filter(|row| row.named).collect())
}

/// The row that a reference names: its key in the table referred to. Of several validities the last.
///
/// # Errors
/// Those of the database.
pub fn referred(
    workspace: &Workspace,
    to: &str,
    arrangement_id: &str,
    value: &str,
    sight: &Sight,
) -> Result<Option<String>, DeskError> {
    let Some(to) = table(workspace, to) else { return Ok(None) };
    let own = to.scope == Scope::Arrangement;
    let ids: Vec<&str> = identity_columns(to).into_iter().filter(|n| *n != "valid_from").collect();
    let id = Some(value.to_owned());
    let leading = match (own, ids.as_slice()) {
        (true, ["arrangement_id"]) | (false, [_]) => vec![id],
        (true, ["arrangement_id", _]) => vec![Some(arrangement_id.to_owned()), id],
        _ => return Ok(None),
    };
    let rows = starting_with(workspace, to, &leading, sight)?;
    Ok(rows.into_iter().max_by_key(|row| row.values.get("valid_from").cloned()).map(|row| row.key))
}

/// The ids that a reference may name, sorted: those of the arrangement and of shared tables.
///
/// # Errors
/// Those of the database.
pub fn known_ids(
    workspace: &Workspace,
    to: &str,
    arrangement_id: &str,
    sight: &Sight,
) -> Result<Vec<(String, String)>, DeskError> {
    let Some(to) = table(workspace, to) else { return Ok(Vec::new()) };
    let names = identity_columns(to);
    let id = names.iter().find(|name| !matches!(**name, "arrangement_id" | "valid_from"));
    let id = id.or_else(|| names.first()).copied().unwrap_or_default();
    let mut ids = BTreeMap::new();
    let of = match to.scope {
        Scope::Shared => "",
        Scope::Arrangement => arrangement_id,
    };
    for row in workspace.backend().register_rows(&to.name, of, "[")? {
        if row.row.is_none() {
            continue;
        }
        if let Some(row) = seen(to, &row, sight)
            && let Some(value) = row.values.get(id)
        {
            let title = row.values.get("title").or_else(|| row.values.get("name"));
            ids.insert(value.clone(), title.cloned().unwrap_or_default());
        }
    }
    Ok(ids.into_iter().collect())
}

/// A key as it may stand in an address: its parts with commas between them.
#[must_use]
pub fn key_text(key: &str) -> String {
    let parts: Vec<Option<String>> = serde_json::from_str(key).unwrap_or_default();
    let part = |part: &Option<String>| {
        part.as_deref().unwrap_or_default().replace('~', "~0").replace(',', "~1")
    };
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

/// A key as [`key_text`] wrote it; a part without text is one without value.
#[must_use]
pub fn key_of(text: &str) -> String {
    let part = |part: &str| {
        let whole = part.replace("~1", ",").replace("~0", "~");
        (!whole.is_empty()).then_some(whole)
    };
    serde_json::json!(text.split(',').map(part).collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_key_in_an_address_reads_back_as_it_was() {
        for key in [
            r#"["desk","p1",null]"#,
            r#"["a,b","~1~0",null,"2026-01-01"]"#,
            r#"["ü \"x\" [y]/z"]"#,
            r"[null]",
        ] {
            assert_eq!(key_of(&key_text(key)), key, "{}", key_text(key));
        }
        assert_eq!(key_text(r#"["desk","p1",null]"#), "desk,p1,");
    }

    #[test]
    fn nobody_sees_what_is_not_named() {
        let sight = Sight {
            shared: None,
            arrangements: BTreeMap::from([("a".to_owned(), Privacy::Internal)]),
        };
        assert_eq!(sight.of("a"), Some(Privacy::Internal));
        assert_eq!(sight.of("b"), None);
        assert_eq!(sight.of(""), None);
        assert_eq!(sight.only("b"), Sight::default());
    }
}
