//! One row group of the work log as columns of numbers, its rows in runs of one case. Owns the step
//! from a file's columns to these; it must never order events of a case.

use arrow::{
    array::{Array, ArrayRef, AsArray as _, DictionaryArray, StringArray},
    datatypes::{Int32Type, TimestampMicrosecondType},
};

use super::symbol::{NONE, Symbol, Symbols};
use crate::{
    error::EngineError,
    tables::{
        TableRows,
        group::{GroupKey, GroupRows},
    },
};

/// No instant.
pub(super) const NEVER: i64 = i64::MIN;

/// Which of the columns that not every question needs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reading {
    pub priority: bool,
    pub case_type: bool,
    pub activity: bool,
    pub person: bool,
}

/// Rows of one case that lie together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Place of the case's id among the piece's ids.
    pub id: u32,
    pub start: u32,
    pub len: u32,
}

/// The rows of one row group. Columns without any value are empty.
#[derive(Debug)]
pub(super) struct Piece {
    pub key: GroupKey,
    ids: StringArray,
    /// In order of the case's id.
    pub runs: Vec<Run>,
    pub at: Vec<i64>,
    pub opened: Vec<i64>,
    pub state: Vec<Symbol>,
    pub team: Vec<Symbol>,
    pub site: Vec<Symbol>,
    pub priority: Vec<Symbol>,
    pub case_type: Vec<Symbol>,
    pub activity: Vec<Symbol>,
    pub person: Vec<bool>,
    pub refs: Vec<i64>,
    places: Option<Vec<u32>>,
}

const TABLE: &str = "case_event";

impl Piece {
    /// Reads a row group.
    pub(super) fn read(
        table: &TableRows,
        key: &GroupKey,
        reading: Reading,
        symbols: &Symbols,
    ) -> Result<Self, EngineError> {
        let mut names = vec!["case_id", "occurred_at", "opened_at", "state", "team_id", "site_id"];
        let extra = [
            (reading.priority, "priority"),
            (reading.case_type, "case_type"),
            (reading.activity, "activity"),
            (reading.person, "person_id"),
        ];
        names.extend(extra.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| *name));
        let rows = table.read_group(key, &names, &["case_id", "occurred_at"])?;
        let wrong = |message: &str| EngineError::Evidence {
            table: TABLE.to_owned(),
            message: message.to_owned(),
        };
        let GroupRows { columns, refs, places } = rows;
        let column = |name: &str| {
            let place = names.iter().position(|other| *other == name)?;
            columns.get(place).cloned().flatten()
        };
        let words = |name: &str| match column(name) {
            Some(array) => numbers(&array, symbols).ok_or_else(|| wrong("a column is no text")),
            None => Ok(Vec::new()),
        };
        let instants = |name: &str| match column(name) {
            Some(array) => times(&array).ok_or_else(|| wrong("a column holds no instants")),
            None => Ok(Vec::new()),
        };
        let ids = column("case_id");
        let ids = ids.as_ref().and_then(|array| array.as_dictionary_opt::<Int32Type>());
        let (ids, runs) = match ids {
            Some(ids) => runs(ids).ok_or_else(|| wrong("`case_id` is no text"))?,
            None if refs.is_empty() => (StringArray::new_null(0), Vec::new()),
            None => return Err(wrong("`case_id` is no text")),
        };
        let person = match column("person_id") {
            Some(array) => named(&array).ok_or_else(|| wrong("`person_id` is no text"))?,
            None => Vec::new(),
        };
        let mut piece = Self {
            key: key.clone(),
            ids,
            runs,
            at: instants("occurred_at")?,
            opened: instants("opened_at")?,
            state: words("state")?,
            team: words("team_id")?,
            site: words("site_id")?,
            priority: words("priority")?,
            case_type: words("case_type")?,
            activity: words("activity")?,
            person,
            refs,
            places,
        };
        piece.settle();
        Ok(piece)
    }

    /// Puts the runs in order of their cases and joins those of one case; where that moves rows, all
    /// columns follow.
    fn settle(&mut self) {
        let (ids, runs) = (&self.ids, &mut self.runs);
        let id = |run: &Run| ids.value(run.id as usize);
        runs.retain(|run| !id(run).is_empty());
        if runs.is_sorted_by(|a, b| id(a) < id(b)) {
            return;
        }
        runs.sort_by(|a, b| id(a).cmp(id(b)));
        let order: Vec<usize> = runs
            .iter()
            .flat_map(|run| (run.start as usize)..(run.start as usize + run.len as usize))
            .collect();
        let mut joined: Vec<Run> = Vec::with_capacity(runs.len());
        let mut start = 0;
        for run in runs.iter() {
            match joined.last_mut().filter(|last| id(last) == id(run)) {
                Some(last) => last.len += run.len,
                None => joined.push(Run { start, ..*run }),
            }
            start += run.len;
        }
        self.runs = joined;
        fn moved<T: Copy>(column: &mut Vec<T>, order: &[usize]) {
            if !column.is_empty() {
                *column = order.iter().filter_map(|row| column.get(*row).copied()).collect();
            }
        }
        moved(&mut self.at, &order);
        moved(&mut self.opened, &order);
        for column in [
            &mut self.state,
            &mut self.team,
            &mut self.site,
            &mut self.priority,
            &mut self.case_type,
            &mut self.activity,
        ] {
            moved(column, &order);
        }
        moved(&mut self.person, &order);
        moved(&mut self.refs, &order);
        let places = self.places.take();
        self.places = Some(match places {
            Some(mut places) => {
                moved(&mut places, &order);
                places
            }
            None => order.iter().filter_map(|row| u32::try_from(*row).ok()).collect(),
        });
    }

    /// Id of a run's case.
    pub(super) fn id(&self, run: &Run) -> &str {
        self.ids.value(run.id as usize)
    }

    /// Place of a row in its row group.
    pub(super) fn place(&self, row: u32) -> u32 {
        match &self.places {
            Some(places) => places.get(row as usize).copied().unwrap_or(row),
            None => row,
        }
    }

    /// Memory held, roughly.
    pub(super) fn bytes(&self) -> usize {
        let words =
            [&self.state, &self.team, &self.site, &self.priority, &self.case_type, &self.activity];
        self.ids.get_array_memory_size()
            + 8 * (self.at.len() + self.opened.len() + self.refs.len())
            + 4 * words.iter().map(|column| column.len()).sum::<usize>()
            + self.person.len()
            + size_of::<Run>() * self.runs.len()
    }
}

/// Runs of equal codes, and the texts that they stand for.
fn runs(ids: &DictionaryArray<Int32Type>) -> Option<(StringArray, Vec<Run>)> {
    let texts = ids.values().as_string_opt::<i32>()?.clone();
    let mut runs: Vec<Run> = Vec::with_capacity(ids.values().len());
    let mut last = -1;
    for (row, code) in ids.keys().values().iter().enumerate() {
        let row = u32::try_from(row).ok()?;
        match runs.last_mut() {
            Some(run) if last == *code => run.len += 1,
            _ => runs.push(Run { id: u32::try_from(*code).ok()?, start: row, len: 1 }),
        }
        last = *code;
    }
    Some((texts, runs))
}

/// Codes of a file turned into numbers of words.
fn numbers(array: &ArrayRef, symbols: &Symbols) -> Option<Vec<Symbol>> {
    let coded = array.as_dictionary_opt::<Int32Type>()?;
    let words = coded.values().as_string_opt::<i32>()?;
    let known: Vec<Symbol> = words.iter().map(|word| symbols.maybe(word)).collect();
    let number = |code: i32| usize::try_from(code).ok().and_then(|code| known.get(code).copied());
    let keys = coded.keys();
    if keys.null_count() == 0 {
        return Some(keys.values().iter().map(|code| number(*code).unwrap_or(NONE)).collect());
    }
    Some(keys.iter().map(|code| code.and_then(number).unwrap_or(NONE)).collect())
}

/// Whether a text is there and not empty.
fn named(array: &ArrayRef) -> Option<Vec<bool>> {
    let coded = array.as_dictionary_opt::<Int32Type>()?;
    let words = coded.values().as_string_opt::<i32>()?;
    let full: Vec<bool> = words.iter().map(|word| word.is_some_and(|w| !w.is_empty())).collect();
    let is = |code: i32| usize::try_from(code).ok().and_then(|code| full.get(code).copied());
    Some(coded.keys().iter().map(|code| code.and_then(is).unwrap_or(false)).collect())
}

fn times(array: &ArrayRef) -> Option<Vec<i64>> {
    let instants = array.as_primitive_opt::<TimestampMicrosecondType>()?;
    if instants.null_count() == 0 {
        return Some(instants.values().to_vec());
    }
    Some(instants.iter().map(|at| at.unwrap_or(NEVER)).collect())
}
