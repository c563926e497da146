//! The events of each case out of the pieces that hold them, in order. Owns the order of a case's
//! events, which is that of [`super::super::case`]; it must never drop one.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap, HashMap},
    ops::Range,
};

use arrow::array::{Array as _, AsArray as _, StringArray};

use super::{
    kernel::{Events, word},
    log::{NEVER, Piece, Run},
    symbol::{Symbol, Symbols},
};
use crate::{derive::case::natural_order, error::EngineError, tables::TableRows};

/// A row: place of the piece, and row in it.
type At = (usize, u32);

/// The runs of some cases, case by case in order of id.
#[derive(Debug, Default)]
pub(super) struct Cases {
    runs: Vec<(usize, Run)>,
    /// Where each case's runs end.
    ends: Vec<usize>,
}

impl Cases {
    /// Of these runs of these pieces.
    pub(super) fn new(pieces: &[Piece], parts: &[(usize, Range<usize>)]) -> Self {
        let runs_of = |(piece, range): &(usize, Range<usize>)| {
            let runs = pieces.get(*piece).and_then(|piece| piece.runs.get(range.clone()));
            (*piece, runs.unwrap_or_default())
        };
        let mut cases = Self::default();
        if let [part] = parts {
            let (piece, runs) = runs_of(part);
            cases.runs = runs.iter().map(|run| (piece, *run)).collect();
            cases.ends = (1..=runs.len()).collect();
            return cases;
        }
        let mut rest: Vec<(usize, &[Run])> = parts.iter().map(runs_of).collect();
        let mut heap = BinaryHeap::with_capacity(rest.len());
        let id = |piece: usize, run: &Run| pieces.get(piece).map_or("", |piece| piece.id(run));
        for (part, (piece, runs)) in rest.iter().enumerate() {
            heap.extend(runs.first().map(|run| Reverse((id(*piece, run), part))));
        }
        let mut last = "";
        while let Some(Reverse((next, part))) = heap.pop() {
            let Some((piece, runs)) = rest.get_mut(part) else { continue };
            let Some((run, others)) = runs.split_first() else { continue };
            if next != last && !cases.runs.is_empty() {
                cases.ends.push(cases.runs.len());
            }
            last = next;
            cases.runs.push((*piece, *run));
            heap.extend(others.first().map(|run| Reverse((id(*piece, run), part))));
            *runs = others;
        }
        if !cases.runs.is_empty() {
            cases.ends.push(cases.runs.len());
        }
        cases
    }

    /// The runs of each case.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[(usize, Run)]> {
        let mut start = 0;
        self.ends.iter().filter_map(move |end| {
            let runs = self.runs.get(start..*end);
            start = *end;
            runs
        })
    }
}

/// Instants of one run, when they rise from event to event: then nothing is left to order.
fn rises(pieces: &[Piece], runs: &[(usize, Run)]) -> bool {
    let [(piece, run)] = runs else { return false };
    let at = pieces
        .get(*piece)
        .and_then(|piece| piece.at.get(run.start as usize..run.start as usize + run.len as usize));
    at.is_some_and(|at| at.is_sorted_by(|a, b| a < b))
}

fn rows_of(runs: &[(usize, Run)]) -> impl Iterator<Item = At> {
    runs.iter()
        .flat_map(|(piece, run)| (run.start..run.start + run.len).map(move |row| (*piece, row)))
}

fn at_of(pieces: &[Piece], (piece, row): At) -> i64 {
    let at = pieces.get(piece).and_then(|piece| piece.at.get(row as usize));
    at.copied().unwrap_or(NEVER)
}

/// What decides between events of one instant.
#[derive(Debug, Default)]
struct Tie {
    event_id: String,
    activity: Option<String>,
    item: i16,
    seq: u64,
}

/// What decides between all events of one instant of some cases.
#[derive(Debug, Default)]
pub(super) struct Ties(HashMap<At, Tie>);

impl Ties {
    /// Reads what is needed, and only of rows that share their instant with another of their case.
    ///
    /// # Errors
    /// Objects that cannot be read.
    pub(super) fn read(
        table: &TableRows,
        pieces: &[Piece],
        cases: &Cases,
    ) -> Result<Self, EngineError> {
        let mut rows: BTreeMap<usize, Vec<(u32, u32)>> = BTreeMap::new();
        let mut own: Vec<(i64, At)> = Vec::new();
        for runs in cases.iter().filter(|runs| !rises(pieces, runs)) {
            own.clear();
            own.extend(rows_of(runs).map(|row| (at_of(pieces, row), row)));
            own.sort_unstable();
            for tied in own.chunk_by(|a, b| a.0 == b.0).filter(|tied| tied.len() > 1) {
                for (_, (piece, row)) in tied {
                    let place = pieces.get(*piece).map_or(*row, |piece| piece.place(*row));
                    rows.entry(*piece).or_default().push((place, *row));
                }
            }
        }
        let mut ties = Self::default();
        for (piece, mut rows) in rows {
            rows.sort_unstable();
            ties.read_piece(table, pieces, piece, &rows)?;
        }
        Ok(ties)
    }

    fn read_piece(
        &mut self,
        table: &TableRows,
        pieces: &[Piece],
        piece: usize,
        rows: &[(u32, u32)],
    ) -> Result<(), EngineError> {
        let Some(held) = pieces.get(piece) else { return Ok(()) };
        let places: Vec<u32> = rows.iter().map(|(place, _)| *place).collect();
        let chosen = table.read_chosen(&held.key, &["event_id", "activity"], &places)?;
        let text = |column: usize, n: usize| {
            let array = chosen.columns.get(column)?.as_ref()?;
            let texts: &StringArray = array.as_string_opt::<i32>()?;
            let text = texts.is_valid(n).then(|| texts.value(n)).filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        for (n, (_, row)) in rows.iter().enumerate() {
            let (item, seq) = chosen.names.get(n).copied().unwrap_or_default();
            let event_id = text(0, n).unwrap_or_default();
            let tie = Tie { event_id, activity: text(1, n), item, seq };
            self.0.insert((piece, *row), tie);
        }
        Ok(())
    }
}

/// Room for the events of one case, used again and again.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    rows: Vec<At>,
    at: Vec<i64>,
    opened: Vec<i64>,
    state: Vec<Symbol>,
    team: Vec<Symbol>,
    site: Vec<Symbol>,
    priority: Vec<Symbol>,
    case_type: Vec<Symbol>,
    activity: Vec<Symbol>,
    person: Vec<bool>,
    refs: Vec<i64>,
}

impl Gathered {
    /// The events of a case in order.
    pub(super) fn events<'a>(
        &'a mut self,
        pieces: &'a [Piece],
        runs: &[(usize, Run)],
        ties: &Ties,
        symbols: &Symbols,
    ) -> Events<'a> {
        if rises(pieces, runs)
            && let [(piece, run)] = runs
            && let Some(piece) = pieces.get(*piece)
        {
            return slices(piece, run);
        }
        self.rows.clear();
        self.rows.extend(rows_of(runs));
        self.rows.sort_by(|a, b| order(pieces, ties, symbols, *a, *b));
        self.fill(pieces);
        Events {
            at: &self.at,
            opened: &self.opened,
            state: &self.state,
            team: &self.team,
            site: &self.site,
            priority: &self.priority,
            case_type: &self.case_type,
            activity: &self.activity,
            person: &self.person,
            refs: &self.refs,
        }
    }

    fn fill(&mut self, pieces: &[Piece]) {
        let held = || {
            self.rows.iter().filter_map(|(piece, row)| Some((pieces.get(*piece)?, *row as usize)))
        };
        fn refill<T>(column: &mut Vec<T>, values: impl Iterator<Item = T>) {
            column.clear();
            column.extend(values);
        }
        let or_never = |column: &Vec<i64>, row: usize| column.get(row).copied().unwrap_or(NEVER);
        refill(&mut self.at, held().map(|(piece, row)| or_never(&piece.at, row)));
        refill(&mut self.opened, held().map(|(piece, row)| or_never(&piece.opened, row)));
        refill(&mut self.state, held().map(|(piece, row)| word(&piece.state, row)));
        refill(&mut self.team, held().map(|(piece, row)| word(&piece.team, row)));
        refill(&mut self.site, held().map(|(piece, row)| word(&piece.site, row)));
        refill(&mut self.priority, held().map(|(piece, row)| word(&piece.priority, row)));
        refill(&mut self.case_type, held().map(|(piece, row)| word(&piece.case_type, row)));
        refill(&mut self.activity, held().map(|(piece, row)| word(&piece.activity, row)));
        let person = |piece: &Piece, row: usize| piece.person.get(row).copied().unwrap_or(false);
        refill(&mut self.person, held().map(|(piece, row)| person(piece, row)));
        refill(&mut self.refs, held().map(|(piece, row)| ref_of(piece, row)));
    }
}

fn ref_of(piece: &Piece, row: usize) -> i64 {
    piece.refs.get(row).copied().unwrap_or_default()
}

/// A run as it lies.
fn slices<'a>(piece: &'a Piece, run: &Run) -> Events<'a> {
    let (start, end) = (run.start as usize, run.start as usize + run.len as usize);
    fn part<T>(column: &[T], start: usize, end: usize) -> &[T] {
        column.get(start..end).unwrap_or_default()
    }
    Events {
        at: part(&piece.at, start, end),
        opened: part(&piece.opened, start, end),
        state: part(&piece.state, start, end),
        team: part(&piece.team, start, end),
        site: part(&piece.site, start, end),
        priority: part(&piece.priority, start, end),
        case_type: part(&piece.case_type, start, end),
        activity: part(&piece.activity, start, end),
        person: part(&piece.person, start, end),
        refs: part(&piece.refs, start, end),
    }
}

/// The order of two events of a case; see [`super::super::case`].
fn order(pieces: &[Piece], ties: &Ties, symbols: &Symbols, a: At, b: At) -> Ordering {
    let by_instant = at_of(pieces, a).cmp(&at_of(pieces, b));
    if by_instant != Ordering::Equal || a == b {
        return by_instant;
    }
    let (Some(left), Some(right)) = (ties.0.get(&a), ties.0.get(&b)) else { return a.cmp(&b) };
    let (Some(left_piece), Some(right_piece)) = (pieces.get(a.0), pieces.get(b.0)) else {
        return a.cmp(&b);
    };
    let (i, j) = (a.1 as usize, b.1 as usize);
    let words = |column: fn(&Piece) -> &Vec<Symbol>| {
        let (x, y) = (word(column(left_piece), i), word(column(right_piece), j));
        if x == y { Ordering::Equal } else { symbols.word(x).cmp(&symbols.word(y)) }
    };
    natural_order(&left.event_id, &right.event_id)
        .then_with(|| ref_of(left_piece, i).cmp(&ref_of(right_piece, j)))
        .then_with(|| left.activity.cmp(&right.activity))
        .then_with(|| words(|piece| &piece.state))
        .then_with(|| words(|piece| &piece.team))
        .then_with(|| words(|piece| &piece.site))
        .then_with(|| (left.item, left.seq).cmp(&(right.item, right.seq)))
}
