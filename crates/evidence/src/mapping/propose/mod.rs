//! A mapping proposed from a file: which table, which columns, which dates, whose ids, and for each why;
//! what the file does not say stays a question. Proposes and never decides: a zone is never guessed, and
//! day and month only where the values themselves speak.

mod assign;
mod sample;
mod settle;
mod shape;
mod value;
mod word;
mod write;

use std::collections::{BTreeMap, BTreeSet};

pub use sample::{Sample, sample};
pub use shape::DateOrder;

use self::{
    assign::{Assignment, SourceColumn, assign},
    shape::Profile,
};
use crate::{
    mapping::plan::{table_names, with_nearest},
    vocabulary::{Table, Vocabulary},
};

/// Tables whose fit is this near to the best are named as others, in thousandths.
const NEAR: u32 = 40;
/// A best table that fits less than this fits nothing, in thousandths.
const LEAST_TABLE: u32 = 250;

/// What was said already: by options, or step by step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// Name of the mapping; else made from that of the file.
    pub name: Option<String>,
    /// Table of the vocabulary.
    pub table: Option<String>,
    /// Column of the vocabulary → source column; `None`: left out.
    pub columns: BTreeMap<String, Option<String>>,
    /// Column of the vocabulary → its value in every row.
    pub set: BTreeMap<String, String>,
    /// IANA zone of times without offset.
    pub zone: Option<String>,
    /// Whether the day or the month stands first.
    pub date_order: Option<DateOrder>,
    /// Mark before decimals.
    pub decimal_mark: Option<char>,
    /// Source column → kind of a person's id in it; `None`: it holds none.
    pub people: BTreeMap<String, Option<String>>,
    /// Source columns that are never taken.
    pub drop: BTreeSet<String>,
    /// Column of the vocabulary → value in the source → value there.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a proposed column comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A source column.
    Column(String),
    /// Several, put together: text with `{column}` for cells.
    Template(String),
    /// The same in every row.
    Constant(String),
}

/// A column of the vocabulary, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ProposedColumn {
    /// Column of the vocabulary.
    pub column: String,
    /// Whether every row needs it.
    pub required: bool,
    /// Where it comes from.
    pub from: Origin,
    /// Why.
    pub why: String,
    /// Format of its dates, when they are written otherwise than in ISO 8601.
    pub format: Option<String>,
    /// Value in the source → value in the vocabulary, when they differ.
    pub values: BTreeMap<String, String>,
    /// Values of the source whose meaning is not known.
    pub unknown: Vec<String>,
    /// Whether percentages become shares.
    pub percent: bool,
    /// Other source columns that would do.
    pub others: Vec<String>,
}

/// A source column that is treated apart, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Marked {
    /// Source column.
    pub source: String,
    /// Kind of a person's id, for people.
    pub kind: Option<String>,
    /// Why.
    pub why: String,
}

/// What the file does not say.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Question {
    /// What it is about: `table`, `zone`, `date-order`, `column:case_id`, `values:outcome`, …
    pub about: String,
    /// The question, with what was seen.
    pub text: String,
    /// The option that answers it.
    pub option: String,
    /// Whether nothing can be imported before it is answered in the mapping itself. The others can also
    /// be answered at each import.
    pub blocks: bool,
}

/// A mapping proposed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Proposal {
    /// Name of the mapping.
    pub name: String,
    /// File that it was made from.
    pub file: String,
    /// Records looked at.
    pub records: u64,
    /// Table of the vocabulary.
    pub table: String,
    /// Why that one.
    pub table_why: String,
    /// Tables that fit nearly as well.
    pub other_tables: Vec<String>,
    /// Columns, in the vocabulary's order.
    pub columns: Vec<ProposedColumn>,
    /// What was found of dates, in sentences.
    pub dates: Vec<String>,
    /// Zone of times without offset, when it was said.
    pub zone: Option<String>,
    /// Marks for a value that is missing.
    pub missing: Vec<String>,
    /// Mark before decimals, when it is not the point.
    pub decimal_mark: Option<char>,
    /// Mark between groups of digits.
    pub group_mark: Option<char>,
    /// Source columns with ids of people.
    pub people: Vec<Marked>,
    /// Source columns that are left out on purpose.
    pub dropped: Vec<Marked>,
    /// Source columns kept as attributes.
    pub attributes: Vec<String>,
    /// Source columns that are not taken, because the table has no place for them.
    pub unused: Vec<String>,
    /// What stays open.
    pub questions: Vec<Question>,
    /// What else is worth knowing.
    pub remarks: Vec<String>,
    /// The mapping file.
    pub text: String,
}

/// An answer speaks of something that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// No such table.
    #[error("there is no table {0}; see `backstay vocabulary list`")]
    Table(String),
    /// No such column.
    #[error("table `{table}` does not have the column {column}")]
    Column {
        /// Table.
        table: String,
        /// Name as written, with the nearest.
        column: String,
    },
    /// No such source column.
    #[error("the file does not have the column {0}")]
    Source(String),
    /// No table fits the file at all.
    #[error(
        "no table of the vocabulary fits this file: name one with `--table`, and its columns with \
         `--map column=SOURCE`; `backstay vocabulary list` says what there is"
    )]
    NoTable,
    /// The file has a head and no values.
    #[error("the file holds no record to look at: give one with some rows")]
    NoRecords,
}

/// Proposes a mapping for a file, given what was said already.
///
/// # Errors
/// Answers about a table or a column that there is not; a file that fits no table.
pub fn propose(
    sample: &Sample,
    vocabulary: &Vocabulary,
    answers: &Answers,
) -> Result<Proposal, ProposeError> {
    if sample.rows.is_empty() {
        return Err(ProposeError::NoRecords);
    }
    check_sources(sample, answers)?;
    let cells = |column: usize| -> Vec<&str> {
        let cells = sample.rows.iter().filter_map(|row| row.get(column)?.as_deref());
        cells.filter(|cell| !cell.trim().is_empty()).collect()
    };
    let missing = shape::missing_marks((0..sample.columns.len()).map(cells));
    let present = |column: usize| -> Vec<&str> {
        let mut values = cells(column);
        values.retain(|value| !missing.iter().any(|mark| mark == value.trim()));
        values
    };
    let sources: Vec<SourceColumn<'_>> = sample
        .columns
        .iter()
        .enumerate()
        .map(|(at, name)| SourceColumn { name, profile: Profile::of(&present(at)) })
        .collect();
    let (table, why, others) = choose_table(sample, vocabulary, answers, &sources)?;
    check_columns(table, answers)?;
    let assignment = assigned(table, sample, answers, &sources);
    let mut proposal = settle::settle(sample, table, answers, &sources, &assignment);
    proposal.table_why = why;
    proposal.other_tables = others;
    proposal.missing = missing;
    settle::ask_table(&mut proposal, answers);
    proposal.text = write::text(&proposal, sample);
    Ok(proposal)
}

fn check_sources(sample: &Sample, answers: &Answers) -> Result<(), ProposeError> {
    let named = answers.columns.values().flatten();
    for source in named.chain(answers.people.keys()).chain(&answers.drop) {
        if !sample.columns.contains(source) {
            let known = sample.columns.iter().map(String::as_str);
            return Err(ProposeError::Source(with_nearest(source, known)));
        }
    }
    Ok(())
}

fn check_columns(table: &Table, answers: &Answers) -> Result<(), ProposeError> {
    let named = answers.columns.keys().chain(answers.set.keys()).chain(answers.values.keys());
    for column in named {
        if !table_names(table).any(|name| name == column) {
            return Err(ProposeError::Column {
                table: table.name.clone(),
                column: with_nearest(column, table_names(table)),
            });
        }
    }
    Ok(())
}

/// The pairs of a table, without what was answered.
fn assigned(
    table: &Table,
    sample: &Sample,
    answers: &Answers,
    sources: &[SourceColumn<'_>],
) -> Assignment {
    let position = |name: &str| sample.columns.iter().position(|column| column == name);
    let said = answers.columns.values().flatten().chain(&answers.drop);
    let taken: Vec<usize> = said.filter_map(|name| position(name)).collect();
    let settled: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| {
            answers.columns.contains_key(&column.name) || answers.set.contains_key(&column.name)
        })
        .map(|(at, _)| at)
        .collect();
    assign(table, sources, sample.format, &taken, &settled)
}

/// The table, why, and those that fit nearly as well.
fn choose_table<'v>(
    sample: &Sample,
    vocabulary: &'v Vocabulary,
    answers: &Answers,
    sources: &[SourceColumn<'_>],
) -> Result<(&'v Table, String, Vec<String>), ProposeError> {
    if let Some(name) = &answers.table {
        let known = || vocabulary.tables().map(|table| table.name.as_str());
        let table = vocabulary
            .table(name)
            .ok_or_else(|| ProposeError::Table(with_nearest(name, known())))?;
        return Ok((table, "as you said".to_owned(), Vec::new()));
    }
    let mut scored: Vec<(u32, &Table, Assignment)> = vocabulary
        .tables()
        .filter(|table| check_columns(table, answers).is_ok())
        .map(|table| {
            let assignment = assigned(table, sample, answers, sources);
            (assignment.score, table, assignment)
        })
        // A table that asks for little fits everything; it must at least find one column.
        .filter(|(.., found)| !found.pairs.is_empty() || !answers.columns.is_empty())
        .collect();
    scored.sort_by_key(|(score, table, _)| (std::cmp::Reverse(*score), &table.name));
    let Some((best, table, assignment)) = scored.first() else { return Err(ProposeError::NoTable) };
    if *best < LEAST_TABLE {
        return Err(ProposeError::NoTable);
    }
    let near = scored.iter().skip(1).filter(|(score, ..)| score + NEAR >= *best);
    let others = near.map(|(_, table, _)| table.name.clone()).collect();
    let named: Vec<String> = assignment
        .pairs
        .iter()
        .filter_map(|pair| {
            let column = table.columns.get(pair.column)?;
            Some(format!("`{}`", column.name))
        })
        .take(6)
        .collect();
    let why = format!(
        "{} of the file's {} columns are found in it, among them {}",
        assignment.pairs.len(),
        sample.columns.len(),
        named.join(", ")
    );
    Ok((table, why, others))
}
