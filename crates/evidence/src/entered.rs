//! Values that a person enters by hand, typed as an import types them: the same vocabulary, the same
//! rules for cells, the same pseudonyms. Owns that way in; keeps nothing, and never sees a row that is
//! stored.

use std::collections::{BTreeMap, BTreeSet};

use arrow::record_batch::RecordBatch;
use backstay_privacy::{PseudonymKey, pseudonym::is_pseudonym};

use crate::{
    mapping::plan::Plan,
    options::ImportOptions,
    quarantine::code,
    read::{
        ReadError,
        feed::{AttributeOrder, Look, Typist},
        people::People,
        record::{ColumnSet, RawRecord},
    },
    schema,
    sink::{Rejection, VaultEntry},
    typing::row::{GrowingTable, Row},
    vocabulary::{ColumnType, Table, Vocabulary},
};

/// One row as entered, typed.
#[derive(Debug, Clone)]
pub struct EnteredRow {
    /// One row with the columns of [`schema::object_schema`]; columns that were not entered are null.
    pub row: RecordBatch,
    /// Physical columns that were entered, by today's names. One that is null in `row` was emptied.
    pub given: BTreeSet<String>,
    /// Pseudonyms that were entered as such: physical column and pseudonym, null in `row`.
    pub pseudonyms: Vec<(String, String)>,
    /// Real ids for the vault.
    pub people: Vec<VaultEntry>,
}

/// Values that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum EnteredError {
    /// A column that the table does not have, or an option that does not fit.
    #[error(transparent)]
    Plan(#[from] ReadError),
    /// Cells that cannot be typed.
    #[error("{}", in_words(.0))]
    Refused(Vec<Rejection>),
}

/// Each refused cell with its reason.
fn in_words(rejections: &[Rejection]) -> String {
    let word = |rejection: &Rejection| match &rejection.column {
        Some(column) => format!("column `{column}`: {}", rejection.reason),
        None => rejection.reason.clone(),
    };
    rejections.iter().map(word).collect::<Vec<_>>().join("; ")
}

/// Types the values of some columns of one row. An empty text empties its column. A person may be
/// entered by id, or by the pseudonym that rows show. Whether a required column is missing is for
/// the caller to say, who knows the row that the values change.
///
/// # Errors
/// [`EnteredError::Plan`] for a column that is none, [`EnteredError::Refused`] for a text that is no
/// value of its column.
pub fn type_values(
    vocabulary: &Vocabulary,
    table: &Table,
    options: &ImportOptions,
    values: &BTreeMap<String, String>,
    key: &PseudonymKey,
) -> Result<EnteredRow, EnteredError> {
    let mut columns = ColumnSet::default();
    let mut record = RawRecord { number: 1, ..RawRecord::default() };
    let mut given = BTreeSet::new();
    let mut pseudonyms = Vec::new();
    let mut named = BTreeSet::new();
    for (name, value) in values {
        let column = table.column(name).filter(|column| !column.retired);
        if let Some(column) = column {
            given.extend(schema::fields(column).iter().map(|field| field.name().clone()));
            if column.kind == ColumnType::Person && is_pseudonym(value.trim()) {
                pseudonyms.push((column.name.clone(), value.trim().to_owned()));
                columns.intern(&column.name);
                continue;
            }
            named.insert(column.id);
        }
        let number = columns.intern(name);
        record.set(number, value);
    }
    // A column that is required stands in the header, whether it was entered or not.
    for column in table.columns.iter().filter(|c| c.required && !c.retired) {
        if !named.contains(&column.id) {
            columns.intern(&column.name);
        }
    }
    let plan = Plan::of_vocabulary(table, vocabulary, options, &mut columns, true)?;
    let mut people = People::new(key);
    let mut row = Row::default();
    let mut reasons = Vec::new();
    for table_plan in &plan.tables {
        let mut order = AttributeOrder::default();
        let watch = &mut Vec::new();
        let mut typist = Typist {
            plan: table_plan,
            marks: plan.marks,
            people: &mut people,
            order: &mut order,
            watch,
            columns: &columns,
        };
        let look = Look {
            record: &record,
            missing: &plan.missing,
            pivot: None,
            pivot_column: None,
            item: None,
        };
        typist.row(look, &mut row, &mut reasons);
    }
    reasons.retain(|reason| reason.rejection.code != code::MISSING_REQUIRED);
    if !reasons.is_empty() {
        let rejections = reasons.into_iter().map(|reason| reason.rejection).collect();
        return Err(EnteredError::Refused(rejections));
    }
    row.record = 1;
    let failed = |source| ReadError::Rows { table: table.name.clone(), source };
    let mut growing = GrowingTable::new(table).map_err(failed)?;
    growing.push(&row);
    let batch = growing.finish(&row.arrangement).hashed()?;
    Ok(EnteredRow { row: batch.rows, given, pseudonyms, people: people.take_pending() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use arrow::array::{Array as _, AsArray as _};

    use super::*;

    fn enter(table: &str, values: &[(&str, &str)]) -> Result<EnteredRow, EnteredError> {
        let vocabulary = Vocabulary::built_in().unwrap();
        let values =
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let key = PseudonymKey::new([7; 32]);
        let table = vocabulary.table(table).unwrap();
        type_values(&vocabulary, table, &ImportOptions::default(), &values, &key)
    }

    #[test]
    fn only_what_was_entered_is_given_and_an_empty_text_empties() {
        let row = enter("site", &[("site_id", "manila"), ("name", "")]).unwrap();
        assert_eq!(row.given.iter().collect::<Vec<_>>(), ["name", "site_id"]);
        assert_eq!(
            row.row.column_by_name("site_id").unwrap().as_string::<i32>().value(0),
            "manila"
        );
        assert!(row.row.column_by_name("name").unwrap().is_null(0));
        assert!(row.row.column_by_name("time_zone").unwrap().is_null(0));
    }

    #[test]
    fn a_person_is_entered_by_id_or_by_pseudonym_and_never_kept_in_the_clear() {
        let by_id =
            enter("person", &[("arrangement_id", "desk"), ("person_id", "Ana Reyes")]).unwrap();
        let pseudonym = by_id.row.column_by_name("person_id").unwrap().as_string::<i32>().value(0);
        assert!(is_pseudonym(pseudonym));
        assert_eq!(by_id.people[0].id, "Ana Reyes");
        let again =
            enter("person", &[("arrangement_id", "desk"), ("person_id", pseudonym)]).unwrap();
        assert_eq!(again.pseudonyms, [("person_id".to_owned(), pseudonym.to_owned())]);
        assert!(again.people.is_empty());
    }

    #[test]
    fn a_cell_that_is_no_value_is_refused_with_its_column() {
        let error = enter("site", &[("site_id", "manila"), ("valid_from", "soon")]).unwrap_err();
        assert!(error.to_string().contains("column `valid_from`"), "{error}");
        let error = enter("site", &[("sight", "x")]).unwrap_err();
        assert!(error.to_string().contains("`sight`"), "{error}");
    }
}
