//! Derived table `agreement`: how far those who inspect judge alike, per stream and period.
//!
//! Owns which judgements are compared: the first of an item with the blind ones of others. It must
//! never count a reviewer's second look at an own judgement, and never say agreement where chance
//! cannot be told from it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_sampling::{Agreement, cohen, draw::second_look, fleiss};

use super::{
    super::{
        Derivation, DeriveInput,
        array::{self, Kind},
    },
    record::{self, Judgement, LotRow, Term},
};
use crate::error::EngineError;

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct AgreementTable;

/// Its name.
pub const NAME: &str = "agreement";

/// Items judged twice below which nothing is said: the interval of kappa would span most of its range.
pub const LEAST_ITEMS: usize = 30;

/// Categories of a judgement, in order.
const CATEGORIES: [&str; 4] = ["conforming", "minor", "major", "critical"];

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("stream", Kind::Text),
    ("method", Kind::Text),
    ("inspected", Kind::Integer),
    ("judged_twice", Kind::Integer),
    ("agreed_twice", Kind::Integer),
    ("not_chosen", Kind::Integer),
    ("own_again", Kind::Integer),
    ("observed", Kind::Decimal),
    ("expected", Kind::Decimal),
    ("kappa", Kind::Decimal),
    ("standard_error", Kind::Decimal),
    ("lower", Kind::Decimal),
    ("upper", Kind::Decimal),
    ("minimum", Kind::Decimal),
    ("faults", Kind::Text),
    ("gap_reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone, Default)]
struct Row {
    stream: String,
    method: Option<&'static str>,
    inspected: i64,
    twice: i64,
    agreed_twice: Option<i64>,
    not_chosen: i64,
    own_again: i64,
    found: Option<Agreement>,
    minimum: Option<i64>,
    faults: Vec<String>,
    gap: Option<String>,
    refs: Vec<i64>,
    row_ref: i64,
}

impl Derivation for AgreementTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "How far reviewers judge the same items alike: kappa with its interval, per stream."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["quality_term", "inspection"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["lot"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let judgements = record::judgements(input)?;
        let lots = record::lots(input)?;
        let within =
            |one: &&Judgement| (input.period_start_us..input.period_end_us).contains(&one.at_us);
        let mut rows = Vec::new();
        for term in record::terms(input)?.values() {
            let here: Vec<&Judgement> =
                judgements.iter().filter(within).filter(|one| one.stream == term.stream).collect();
            rows.push(row(term, &here, &lots));
        }
        table(input.arrangement_id, &rows, self.schema())
    }
}

/// The judgements of one item.
#[derive(Default)]
struct Item<'a> {
    first: Vec<&'a Judgement>,
    blind: Vec<&'a Judgement>,
}

fn row(term: &Term, here: &[&Judgement], lots: &[LotRow]) -> Row {
    let mut items: BTreeMap<_, Item<'_>> = BTreeMap::new();
    for one in here {
        let item = items.entry(one.item_key()).or_default();
        if one.blind { item.blind.push(one) } else { item.first.push(one) }
    }
    let inspected = items.values().filter(|item| !item.first.is_empty()).count();
    let mut found = Row {
        stream: term.stream.clone(),
        inspected: integer(inspected),
        minimum: term.kappa_minimum,
        refs: vec![term.row_ref],
        row_ref: term.row_ref,
        ..Row::default()
    };
    let mut pairs: Vec<(&Judgement, Vec<&Judgement>)> = Vec::new();
    for item in items.values() {
        let Some(first) = item.first.first() else { continue };
        let own = |one: &Judgement| one.reviewer.is_none() || one.reviewer == first.reviewer;
        found.own_again += i64::from(item.blind.iter().any(|one| own(one)));
        let others: Vec<&Judgement> = item.blind.iter().copied().filter(|one| !own(one)).collect();
        if !others.is_empty() {
            found.refs.extend(others.iter().map(|one| one.row_ref));
            pairs.push((first, others));
        }
    }
    found.twice = integer(pairs.len());
    choose(&mut found, term, &items, lots);
    if found.own_again > 0 {
        found
            .faults
            .push(format!("{} items were judged again by the same reviewer", found.own_again));
    }
    estimate(&mut found, &pairs);
    conclude(&mut found, term, inspected);
    found
}

type Items<'a> = BTreeMap<(Option<&'a str>, Option<u64>, Option<&'a str>), Item<'a>>;

/// Numbers judged once and again in a lot, and how many items were judged at all.
type Looked = (BTreeSet<u64>, BTreeSet<u64>, u64);

/// Which items had to be judged again, where lots and seeds say so, and how many everywhere.
fn choose(found: &mut Row, term: &Term, items: &Items<'_>, lots: &[LotRow]) {
    let Some(share) = term.blind else { return };
    let mut by_lot: BTreeMap<Option<&str>, Looked> = BTreeMap::new();
    for ((lot, number, _), item) in items {
        if item.first.is_empty() {
            continue;
        }
        let entry = by_lot.entry(*lot).or_default();
        entry.2 += 1;
        if let Some(number) = number {
            entry.0.insert(*number);
            if !item.blind.is_empty() {
                entry.1.insert(*number);
            }
        }
    }
    let mut wanted = 0;
    for (lot, (numbers, again, count)) in &by_lot {
        wanted += count.saturating_mul(share).div_ceil(100_000);
        let seed = lots
            .iter()
            .find(|row| row.stream == term.stream && Some(row.lot.as_str()) == *lot)
            .and_then(|row| row.seed.as_deref());
        let chosen =
            seed.zip(*lot).and_then(|(seed, lot)| second_look(seed, lot, numbers, share).ok());
        if let Some(chosen) = chosen {
            found.not_chosen += integer(again.difference(&chosen).count());
        }
    }
    found.agreed_twice = i64::try_from(wanted).ok();
    if found.agreed_twice.is_some_and(|agreed| found.twice < agreed) {
        found.faults.push(format!(
            "{} items were judged twice by different people, {wanted} are agreed",
            found.twice
        ));
    }
    if found.not_chosen > 0 {
        found.faults.push(format!(
            "{} items judged twice are not those that the draw chose",
            found.not_chosen
        ));
    }
}

/// Cohen for pairs, Fleiss where every item was judged three times or more, equally often.
fn estimate(found: &mut Row, pairs: &[(&Judgement, Vec<&Judgement>)]) {
    let category = |one: &Judgement| CATEGORIES.iter().position(|word| *word == one.outcome);
    let most = pairs.iter().map(|(_, others)| others.len()).min().unwrap_or_default();
    if most >= 2 {
        found.method = Some("fleiss");
        let counts: Vec<Vec<u64>> = pairs
            .iter()
            .map(|(first, others)| {
                let mut counts = vec![0; CATEGORIES.len()];
                for one in std::iter::once(first).chain(others.iter().take(most)) {
                    if let Some(count) = category(one).and_then(|place| counts.get_mut(place)) {
                        *count += 1;
                    }
                }
                counts
            })
            .collect();
        found.found = fleiss(&counts);
    } else {
        found.method = Some("cohen");
        let mut square = vec![vec![0; CATEGORIES.len()]; CATEGORIES.len()];
        for (first, others) in pairs {
            let places = category(first).zip(others.first().and_then(|one| category(one)));
            let cell = places.and_then(|(row, column)| square.get_mut(row)?.get_mut(column));
            if let Some(cell) = cell {
                *cell += 1;
            }
        }
        found.found = cohen(&square);
    }
}

fn conclude(found: &mut Row, term: &Term, inspected: usize) {
    found.gap = if inspected == 0 {
        Some("nothing of the stream was inspected in the period".to_owned())
    } else if term.blind.is_none() || term.kappa_minimum.is_none() {
        Some("no share of second looks, or no least agreement, is agreed".to_owned())
    } else if found.twice < integer(LEAST_ITEMS) {
        Some(format!(
            "{} items were judged twice by different people; below {LEAST_ITEMS} nothing is said",
            found.twice
        ))
    } else if found.found.is_none() {
        Some("every judgement is the same, so agreement cannot be told from chance".to_owned())
    } else {
        None
    };
    if found.gap.is_some() {
        found.found = None;
    }
}

fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn table(
    arrangement_id: &str,
    rows: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let faults: Vec<Option<String>> =
        rows.iter().map(|row| (!row.faults.is_empty()).then(|| row.faults.join("; "))).collect();
    let of = |value: fn(&Agreement) -> i64| {
        array::decimals(
            rows.iter().map(|row| row.found.as_ref().map(|found| i128::from(value(found)) * 1000)),
        )
    };
    let arrays = vec![
        array::texts(rows.iter().map(|_| Some(arrangement_id))),
        array::texts(rows.iter().map(|row| Some(row.stream.as_str()))),
        array::texts(rows.iter().map(|row| row.method)),
        array::integers(rows.iter().map(|row| Some(row.inspected))),
        array::integers(rows.iter().map(|row| Some(row.twice))),
        array::integers(rows.iter().map(|row| row.agreed_twice)),
        array::integers(rows.iter().map(|row| Some(row.not_chosen))),
        array::integers(rows.iter().map(|row| Some(row.own_again))),
        of(|found| found.observed),
        of(|found| found.expected),
        of(|found| found.kappa),
        of(|found| found.standard_error),
        of(|found| found.lower),
        of(|found| found.upper),
        array::decimals(rows.iter().map(|row| Some(i128::from(row.minimum?) * 1000))),
        array::texts(faults.iter().map(Option::as_deref)),
        array::texts(rows.iter().map(|row| row.gap.as_deref())),
        array::refs(rows.iter().map(|row| row.refs.as_slice())),
        array::integers(rows.iter().map(|row| Some(row.row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
