//! One row of a register entered, changed or taken away by hand: what somebody wrote, tried or written,
//! and what to show when somebody else was faster. Both the command line and the pages come here.

use std::collections::BTreeMap;

use backstay_evidence::{ImportOptions, vocabulary::Table};
use backstay_store::{Ctx, Edit, Edited, PastVersion, RowEdit, StoreError, Workspace};

use super::{Sight, Values, history, row};
use crate::error::DeskError;

/// Versions looked through for the one that somebody saw.
const LOOKED_THROUGH: usize = 500;

/// A change as somebody wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// Table.
    pub table: String,
    /// Columns with their values as a file would write them; an empty text empties a column.
    pub values: BTreeMap<String, String>,
    /// The fact no longer stands.
    pub delete: bool,
    /// Entry of the version that was seen; 0: there was no row.
    pub expect: Option<u64>,
    /// Why.
    pub reason: String,
    /// IANA zone of times without offset.
    pub zone: Option<String>,
    /// Party that person ids belong to, when it is not the arrangement.
    pub party: Option<String>,
}

/// Columns with their values, from texts of the form `column=value`.
///
/// # Errors
/// A text of another form; a column that is named twice.
pub fn pairs(texts: &[String]) -> Result<BTreeMap<String, String>, DeskError> {
    let mut values = BTreeMap::new();
    for pair in texts {
        let Some((column, value)) = pair.split_once('=') else {
            return Err(DeskError::usage(
                format!("`{pair}` is no column with its value"),
                "write `column=value`, as in `name=Makati`",
            ));
        };
        if values.insert(column.to_owned(), value.to_owned()).is_some() {
            return Err(DeskError::usage(
                format!("the column `{column}` is named twice"),
                "keep one of its values",
            ));
        }
    }
    Ok(values)
}

/// Writes the change, or only tries it. A row that stands already just so is not written again.
///
/// # Errors
/// [`StoreError::Refused`] with each column that is wrong, [`StoreError::Conflict`] when another
/// version stands than was seen, [`StoreError::NoRow`]; those of disk and database.
pub fn apply(
    workspace: &Workspace,
    draft: &Draft,
    write: bool,
    ctx: &mut Ctx<'_>,
) -> Result<Edited, StoreError> {
    let row = RowEdit {
        table: draft.table.clone(),
        values: draft.values.clone(),
        delete: draft.delete,
        expect: draft.expect,
    };
    let options = ImportOptions {
        zone: draft.zone.clone(),
        party: draft.party.clone(),
        ..ImportOptions::default()
    };
    let edits = [Edit { rows: vec![row], reason: draft.reason.clone(), options }];
    let mut done = match write {
        true => workspace.edit(&edits, ctx)?,
        false => workspace.edit_dry_run(&edits, ctx)?,
    };
    Ok(done.pop().unwrap_or(Edited { entry: None, rows: Vec::new() }))
}

/// Two versions of a row: the one that somebody saw, and the one that stands meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanwhile {
    /// What was seen; none when there was no row, or its version is no longer among the last.
    pub seen: Option<Values>,
    /// Entry of the version that stands; 0: there is none.
    pub now: u64,
    /// What stands; none when it was taken away.
    pub stands: Option<Values>,
    /// The version that stands, or that took the row away: by whom, when, why.
    pub last: Option<PastVersion>,
}

/// What became of a row since somebody saw the version of `expected`.
///
/// # Errors
/// Those of database and objects.
pub fn meanwhile(
    workspace: &Workspace,
    table: &Table,
    key: &str,
    expected: u64,
    sight: &Sight,
) -> Result<Meanwhile, DeskError> {
    let now = row(workspace, table, key, None, sight)?;
    let past = match history(workspace, table, key, LOOKED_THROUGH, sight) {
        Ok(past) => past,
        // There never was such a row.
        Err(_) if now.is_none() => Vec::new(),
        Err(error) => return Err(error),
    };
    let seen = past.iter().find(|version| version.entry == expected && !version.deleted);
    let seen = seen.and_then(|version| version.values.clone());
    let standing = now.as_ref().map(|row| row.entry);
    let last = past.into_iter().find(|version| standing.is_none_or(|entry| version.entry == entry));
    Ok(Meanwhile {
        seen: if expected == 0 { None } else { seen },
        now: standing.unwrap_or_default(),
        stands: now.map(|row| row.values),
        last,
    })
}

/// The version of a row that an entry made known, cut to what is seen: what a form was made from.
///
/// # Errors
/// Those of database and objects.
pub fn version(
    workspace: &Workspace,
    table: &Table,
    key: &str,
    entry: u64,
    sight: &Sight,
) -> Result<Option<Values>, DeskError> {
    if entry == 0 {
        return Ok(None);
    }
    if let Some(row) = row(workspace, table, key, None, sight)?.filter(|row| row.entry == entry) {
        return Ok(Some(row.values));
    }
    Ok(meanwhile(workspace, table, key, entry, sight)?.seen)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_column_is_written_with_its_value_and_once() {
        let texts = ["name=Makati".to_owned(), "note=a=b".to_owned(), "city=".to_owned()];
        let values = pairs(&texts).unwrap();
        assert_eq!(values["note"], "a=b");
        assert_eq!(values["city"], "");
        assert!(pairs(&["name".to_owned()]).unwrap_err().to_string().contains("`name`"));
        let twice = ["a=1".to_owned(), "a=2".to_owned()];
        assert!(pairs(&twice).unwrap_err().to_string().contains("twice"));
    }
}
