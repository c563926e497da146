//! A mapping, or a header that speaks the vocabulary, made ready for one source: every name is
//! settled to a number, every constant and format checked. Owns the checks that need vocabulary
//! and header together; never sees a record.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    definition::{ColumnRule, ColumnSource, Definition, Transform},
    settle::Settling,
    wildcard,
};
use crate::{
    options::{ImportOptions, Load},
    read::ReadError,
    read::record::ColumnSet,
    typing::{
        moment::{DateFormat, Zone},
        number::Marks,
    },
    vocabulary::{Column, ColumnType, Table, Vocabulary},
};

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Cell(usize),
    PivotName,
    PivotValue,
}

/// How a text is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expr {
    From(Source),
    FirstOf(Vec<Source>),
    Join(Vec<Source>, String),
    Template(Vec<Piece>),
    Constant(String),
}

/// Part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Value(Source),
}

/// A text that is fixed, or read from a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fixed {
    Text(String),
    From(Source),
    /// The row's arrangement.
    Arrangement,
}

/// One column of the vocabulary.
#[derive(Debug, Clone)]
pub(crate) struct ColumnPlan {
    pub(crate) column: Column,
    pub(crate) expr: Option<Expr>,
    pub(crate) values: Option<BTreeMap<String, String>>,
    pub(crate) otherwise: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) transform: Option<Transform>,
    /// Whether the source marks dates and percentages itself.
    pub(crate) native: bool,
    /// Formats to choose from; after the choice only one.
    pub(crate) formats: Vec<DateFormat>,
    pub(crate) zone: Option<Zone>,
    pub(crate) kind: Fixed,
    pub(crate) party: Fixed,
    pub(crate) currency: Option<Fixed>,
    /// Whether it is an id, to be shown in one line.
    pub(crate) is_id: bool,
}

/// Condition on a record.
#[derive(Debug, Clone)]
pub(crate) struct ConditionPlan {
    pub(crate) column: usize,
    pub(crate) one_of: Vec<String>,
    pub(crate) none_of: Vec<String>,
    pub(crate) present: Option<bool>,
}

/// Filter of records.
#[derive(Debug, Clone)]
pub(crate) struct FilterPlan {
    pub(crate) column: usize,
    pub(crate) name: String,
    pub(crate) one_of: Vec<String>,
    pub(crate) missing: bool,
    pub(crate) code: String,
    pub(crate) reason: String,
}

/// Which record of a group is kept.
#[derive(Debug, Clone)]
pub(crate) struct KeepPlan {
    pub(crate) by: Vec<usize>,
    pub(crate) order: Option<usize>,
}

/// Which source columns go into the attributes.
#[derive(Debug, Clone)]
pub(crate) struct AttributesPlan {
    pub(crate) rest: bool,
    pub(crate) listed: Vec<usize>,
    pub(crate) excluded: BTreeSet<usize>,
    /// Columns that hold a person's id, with the kind of id.
    pub(crate) people: HashMap<usize, String>,
    pub(crate) party: Fixed,
}

/// What becomes several rows of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pivots {
    /// Source columns: each gives a row.
    Columns(Vec<usize>),
    /// A column with an array: each member gives a row.
    Items(usize),
}

impl Pivots {
    pub(crate) fn columns(&self) -> &[usize] {
        match self {
            Self::Columns(columns) => columns,
            Self::Items(array) => std::slice::from_ref(array),
        }
    }
}

/// One table.
#[derive(Debug, Clone)]
pub(crate) struct TablePlan {
    pub(crate) table: Table,
    pub(crate) load: Load,
    pub(crate) when: Vec<ConditionPlan>,
    pub(crate) keep: Option<KeepPlan>,
    pub(crate) unpivot: Option<Pivots>,
    pub(crate) columns: Vec<ColumnPlan>,
    pub(crate) attributes: Option<AttributesPlan>,
    /// Positions of the columns that a pass looks at itself.
    pub(crate) arrangement: Option<usize>,
    pub(crate) subject: Option<usize>,
    pub(crate) validity: Option<(usize, usize)>,
}

/// Everything a pass needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) tables: Vec<TablePlan>,
    pub(crate) filters: Vec<FilterPlan>,
    pub(crate) missing: Vec<String>,
    pub(crate) marks: Marks,
    /// Source columns that hold ids of people, as the mapping says.
    pub(crate) people: BTreeSet<usize>,
    pub(crate) used: BTreeSet<usize>,
}

impl Plan {
    /// For a source with a mapping. `fixed` says that `columns` are all there will be.
    pub(crate) fn of_mapping(
        definition: &Definition,
        vocabulary: &Vocabulary,
        options: &ImportOptions,
        columns: &mut ColumnSet,
        fixed: bool,
    ) -> Result<Self, ReadError> {
        let mut settling = Settling::new(definition, vocabulary, options, columns, fixed)?;
        let filters = definition.quarantine.iter().map(|filter| settling.filter(filter)).collect();
        let mut tables = Vec::new();
        for rule in &definition.tables {
            tables.push(settling.table(rule, definition)?);
        }
        if !settling.absent.is_empty() {
            return Err(settling.absence(&definition.mapping));
        }
        let people = settling.people_columns();
        let used = settling.used;
        check_set(options, tables.iter().map(|plan| &plan.table))?;
        let marks =
            Marks { decimal: definition.decimal_mark.unwrap_or('.'), group: definition.group_mark };
        Ok(Self { tables, filters, missing: definition.missing.clone(), marks, people, used })
    }

    /// Whether any rule looks at a column.
    pub(crate) fn takes(&self, column: usize) -> bool {
        let rest =
            |attributes: &AttributesPlan| attributes.rest && !attributes.excluded.contains(&column);
        self.used.contains(&column)
            || self.tables.iter().filter_map(|table| table.attributes.as_ref()).any(rest)
    }

    /// For a file whose header speaks the vocabulary.
    pub(crate) fn of_vocabulary(
        table: &Table,
        vocabulary: &Vocabulary,
        options: &ImportOptions,
        columns: &mut ColumnSet,
        fixed: bool,
    ) -> Result<Self, ReadError> {
        check_set(options, std::iter::once(table))?;
        let mut rules = BTreeMap::new();
        let mut unknown = Vec::new();
        let mut names = columns.names().to_vec();
        if !fixed {
            // A field that the first records lack may stand in a later one.
            let open = table.columns.iter().filter(|column| !column.retired && !column.required);
            let open = open.filter(|column| columns.number(&column.name).is_none());
            names.extend(open.map(|column| column.name.clone()).collect::<Vec<_>>());
        }
        for name in names {
            match known_column(table, &name) {
                Some(target) if target == name || columns.number(target).is_none() => {
                    rules.insert(target.to_owned(), named_rule(table, target, &name, columns));
                }
                Some(target) => unknown.push(format!("`{name}` (an earlier name of `{target}`)")),
                None if companion(table, &name) => {}
                None => unknown.push(with_nearest(&name, table_names(table))),
            }
        }
        if !unknown.is_empty() {
            return Err(unknown_columns(table, &unknown));
        }
        let definition = Definition::for_vocabulary(table, rules);
        Self::of_mapping(&definition, vocabulary, options, columns, fixed)
    }

    /// Refuses columns that a file without mapping turned out to have beside those of its table.
    pub(crate) fn refuse_unknown(&self, columns: &ColumnSet) -> Result<(), ReadError> {
        let Some(TablePlan { table, .. }) = self.tables.first() else { return Ok(()) };
        let known = |name: &str| {
            known_column(table, name).is_some()
                || columns.number(name).is_some_and(|number| self.used.contains(&number))
        };
        let names = columns.seen_names().filter(|name| !known(name));
        let unknown: Vec<_> = names.map(|name| with_nearest(name, table_names(table))).collect();
        if unknown.is_empty() { Ok(()) } else { Err(unknown_columns(table, &unknown)) }
    }
}

fn unknown_columns(table: &Table, unknown: &[String]) -> ReadError {
    ReadError::plan(format!(
        "table `{}` does not have the column {}: rename or remove it, or use a mapping",
        table.name,
        unknown.join(", ")
    ))
}

/// The column of the vocabulary that a header name stands for.
pub(crate) fn known_column<'t>(table: &'t Table, name: &str) -> Option<&'t str> {
    table.column(name).filter(|column| !column.retired).map(|column| column.name.as_str())
}

/// `<person>_kind`, `<person>_party` and `<money>_currency` qualify a column.
fn companion(table: &Table, name: &str) -> bool {
    let of = |suffix: &str, kind: ColumnType| {
        let column = name.strip_suffix(suffix).and_then(|stem| table.column(stem));
        column.is_some_and(|column| column.kind == kind)
    };
    of("_kind", ColumnType::Person)
        || of("_party", ColumnType::Person)
        || of("_currency", ColumnType::Money)
}

fn named_rule(table: &Table, target: &str, name: &str, columns: &ColumnSet) -> ColumnSource {
    let has = |suffix: &str| {
        let companion = format!("{target}{suffix}");
        columns.number(&companion).map(|_| companion)
    };
    let mut rule = ColumnRule { from: Some(name.to_owned()), ..ColumnRule::default() };
    match table.column(target).map(|column| column.kind) {
        Some(ColumnType::Person) => {
            rule.kind_from = has("_kind");
            rule.party_from = has("_party");
        }
        Some(ColumnType::Money) => rule.currency_from = has("_currency"),
        _ => {}
    }
    ColumnSource::Rule(Box::new(rule))
}

/// Names of a table that may be written.
pub(crate) fn table_names(table: &Table) -> impl Iterator<Item = &str> {
    table.columns.iter().filter(|column| !column.retired).map(|column| column.name.as_str())
}

/// `` `name` (did you mean `other`?) ``.
pub(crate) fn with_nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    match wildcard::nearest(name, known) {
        Some(near) => format!("`{name}` (did you mean `{near}`?)"),
        None => format!("`{name}`"),
    }
}

fn check_set<'t>(
    options: &ImportOptions,
    tables: impl Iterator<Item = &'t Table> + Clone,
) -> Result<(), ReadError> {
    for name in options.set.keys() {
        if !tables.clone().any(|table| known_column(table, name) == Some(name)) {
            let known = tables.clone().flat_map(table_names);
            return Err(ReadError::plan(format!(
                "--set: no table that this file feeds has the column {}",
                with_nearest(name, known)
            )));
        }
    }
    Ok(())
}
