//! Derived table `strain_group`: where work is monotonous, the share of defective items by how long
//! people have been at it: since they began, in the shift, in days without a break, and since a change
//! of price.
//!
//! Owns the groups. It must never speak of a group that is too small: below [`LEAST_ITEMS`] items or
//! [`LEAST_PEOPLE`] people it says so and nothing else, because chance would speak, and of persons.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_sampling::curve::chance_of_group;
use jiff::civil::Date;

use super::{
    super::{
        Derivation, DeriveInput,
        array::{self, Kind},
        register::some_text,
    },
    record::{self, Judgement, Term},
};
use crate::{error::EngineError, period::day_of_us, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct StrainGroupTable;

/// Its name.
pub const NAME: &str = "strain_group";

/// Inspected items below which nothing is said of a group.
pub const LEAST_ITEMS: usize = 30;
/// People below which nothing is said of a group.
pub const LEAST_PEOPLE: usize = 3;

const HOUR_US: i64 = 3_600_000_000;

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("stream", Kind::Text),
    ("factor", Kind::Text),
    ("members", Kind::Text),
    ("items", Kind::Integer),
    ("people", Kind::Integer),
    ("defective", Kind::Integer),
    ("other_items", Kind::Integer),
    ("other_defective", Kind::Integer),
    ("chance", Kind::Decimal),
    ("gap_reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone, Default)]
struct Row {
    stream: String,
    factor: &'static str,
    members: String,
    items: i64,
    people: Option<i64>,
    defective: Option<i64>,
    other_items: Option<i64>,
    other_defective: Option<i64>,
    /// Millionths.
    chance: Option<u64>,
    gap: Option<String>,
    refs: Vec<i64>,
    row_ref: i64,
}

impl Derivation for StrainGroupTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Defects in monotonous work by tenure, hour of shift, days without a break and price; silent on small groups."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["quality_term", "inspection"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["assignment", "shift", "unit_price"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let judgements = record::judgements(input)?;
        let roster = Roster::read(input)?;
        let mut found = Vec::new();
        for term in record::terms(input)?.values().filter(|term| term.monotonous) {
            let here: Vec<&Judgement> = judgements
                .iter()
                .filter(|one| one.stream == term.stream && !one.blind)
                .filter(|one| (input.period_start_us..input.period_end_us).contains(&one.at_us))
                .collect();
            if here.is_empty() {
                found.push(Row {
                    gap: Some("nothing of the stream was inspected in the period".to_owned()),
                    factor: "all",
                    members: "no item".to_owned(),
                    ..blank(term)
                });
                continue;
            }
            for factor in FACTORS {
                of_factor(term, factor, &here, &roster, &mut found);
            }
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

fn blank(term: &Term) -> Row {
    Row {
        stream: term.stream.clone(),
        refs: vec![term.row_ref],
        row_ref: term.row_ref,
        ..Row::default()
    }
}

/// What a judged item is grouped by.
type Place = fn(&Roster, &Judgement) -> Option<Group>;

/// A group: its order and words; whether it is the one that strain would show in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    order: i64,
    words: String,
    strained: bool,
}

struct Factor {
    name: &'static str,
    place: Place,
    /// What is lacking for an item that has no group.
    lacks: &'static str,
}

const FACTORS: [Factor; 4] = [
    Factor {
        name: "tenure",
        place: Roster::tenure,
        lacks: "the worker or the start of the worker's assignment",
    },
    Factor {
        name: "hour of shift",
        place: Roster::hour,
        lacks: "the shift in which they were done",
    },
    Factor {
        name: "days without a break",
        place: Roster::days_on,
        lacks: "the shift in which they were done",
    },
    Factor { name: "price", place: Roster::price, lacks: "a unit price" },
];

fn of_factor(
    term: &Term,
    factor: Factor,
    here: &[&Judgement],
    roster: &Roster,
    found: &mut Vec<Row>,
) {
    let mut groups: BTreeMap<Group, Vec<&Judgement>> = BTreeMap::new();
    let mut unplaced = Vec::new();
    for one in here.iter().copied() {
        match (factor.place)(roster, one) {
            Some(group) => groups.entry(group).or_default().push(one),
            None => unplaced.push(one),
        }
    }
    let of = |items: &[&Judgement]| {
        (count(items.len()), count(items.iter().filter(|one| one.is_defective()).count()))
    };
    if !unplaced.is_empty() {
        found.push(Row {
            factor: factor.name,
            members: "not known".to_owned(),
            items: count(unplaced.len()),
            gap: Some(format!("{} items lack {}", unplaced.len(), factor.lacks)),
            ..blank(term)
        });
    }
    let placed: Vec<&Judgement> = groups.values().flatten().copied().collect();
    let (all, all_defective) = of(&placed);
    let alone = groups.len() == 1;
    for (group, items) in groups {
        let people: BTreeSet<&String> =
            items.iter().filter_map(|one| one.worker.as_ref()).collect();
        let (number, defective) = of(&items);
        let mut row =
            Row { factor: factor.name, members: group.words.clone(), items: number, ..blank(term) };
        if items.len() < LEAST_ITEMS || people.len() < LEAST_PEOPLE {
            row.gap = Some(format!(
                "the group is too small: of fewer than {LEAST_ITEMS} items or {LEAST_PEOPLE} people nothing is said"
            ));
            found.push(row);
            continue;
        }
        // What is left of all items, less a group that may be spoken of, is a group as well.
        let others: BTreeSet<&String> = placed
            .iter()
            .filter(|one| (factor.place)(roster, one).is_some_and(|other| other != group))
            .filter_map(|one| one.worker.as_ref())
            .collect();
        let left = placed.len() - items.len();
        if left > 0 && (left < LEAST_ITEMS || others.len() < LEAST_PEOPLE) {
            row.gap = Some(format!(
                "the items of all other groups are too few: of fewer than {LEAST_ITEMS} items or {LEAST_PEOPLE} people nothing is said"
            ));
            found.push(row);
            continue;
        }
        let whole = |value: i64| u64::try_from(value).unwrap_or_default();
        let (others, other_defective) = (all - number, all_defective - defective);
        row.people = Some(count(people.len()));
        row.defective = Some(defective);
        row.other_items = Some(others);
        row.other_defective = Some(other_defective);
        row.refs.extend(items.iter().filter(|one| one.is_defective()).map(|one| one.row_ref));
        row.chance =
            chance_of_group(whole(defective), whole(number), whole(other_defective), whole(others));
        if alone && group.strained {
            row.gap = Some(
                "every item is of this group, so there is nothing to compare it with".to_owned(),
            );
        } else if row.chance.is_none() {
            row.gap = Some("there are more defective items than are compared exactly".to_owned());
        }
        found.push(row);
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Start, end, and the civil day that it starts on.
type Shift = (i64, i64, Date);

/// Who began when, who was on shift when, and what was paid.
struct Roster {
    /// First day of a person's first assignment.
    began: BTreeMap<String, Date>,
    /// Shifts of a person, by start: start, end, and the civil day that it starts on.
    shifts: BTreeMap<String, Vec<Shift>>,
    /// Prices of a stream, by first day: first day, minor units.
    prices: BTreeMap<String, Vec<(Date, Date, i64)>>,
    zone: String,
}

impl Roster {
    fn read(input: &DeriveInput<'_>) -> Result<Self, EngineError> {
        let mut roster = Self {
            began: BTreeMap::new(),
            shifts: BTreeMap::new(),
            prices: BTreeMap::new(),
            zone: input.zone.to_owned(),
        };
        roster.read_assignments(input)?;
        roster.read_shifts(input)?;
        roster.read_prices(input)?;
        Ok(roster)
    }

    fn read_assignments(&mut self, input: &DeriveInput<'_>) -> Result<(), EngineError> {
        const TABLE: &str = "assignment";
        for batch in input.tables.batches(TABLE)? {
            let people = rows::texts(&batch, TABLE, "person_id")?;
            let from = rows::dates(&batch, TABLE, "valid_from")?;
            for row in 0..batch.num_rows() {
                if let Some((person, day)) = some_text(&people, row).zip(rows::date(&from, row)) {
                    let first = self.began.entry(person.to_owned()).or_insert(day);
                    *first = day.min(*first);
                }
            }
        }
        Ok(())
    }

    fn read_shifts(&mut self, input: &DeriveInput<'_>) -> Result<(), EngineError> {
        const TABLE: &str = "shift";
        for batch in input.tables.batches(TABLE)? {
            let people = rows::texts(&batch, TABLE, "person_id")?;
            let starts = rows::instants(&batch, TABLE, "starts_at")?;
            let ends = rows::instants(&batch, TABLE, "ends_at")?;
            for row in 0..batch.num_rows() {
                let times = rows::instant(&starts, row).zip(rows::instant(&ends, row));
                if let Some((person, (start, end))) = some_text(&people, row).zip(times) {
                    let day = day_of_us(input.zone, start)?;
                    self.shifts.entry(person.to_owned()).or_default().push((start, end, day));
                }
            }
        }
        self.shifts.values_mut().for_each(|shifts| shifts.sort_unstable());
        Ok(())
    }

    fn read_prices(&mut self, input: &DeriveInput<'_>) -> Result<(), EngineError> {
        const TABLE: &str = "unit_price";
        for batch in input.tables.batches(TABLE)? {
            let streams = rows::texts(&batch, TABLE, "stream")?;
            let prices = rows::integers(&batch, TABLE, "price_minor")?;
            let (from, to) = (
                rows::dates(&batch, TABLE, "valid_from")?,
                rows::dates(&batch, TABLE, "valid_to")?,
            );
            for row in 0..batch.num_rows() {
                let Some(stream) = some_text(&streams, row) else { continue };
                let days = (
                    rows::date(&from, row).unwrap_or(Date::MIN),
                    rows::date(&to, row).unwrap_or(Date::MAX),
                );
                let price = rows::integer(&prices, row).unwrap_or_default();
                self.prices.entry(stream.to_owned()).or_default().push((days.0, days.1, price));
            }
        }
        self.prices.values_mut().for_each(|prices| prices.sort_unstable());
        Ok(())
    }

    fn day(&self, one: &Judgement) -> Option<Date> {
        day_of_us(&self.zone, one.worked_us?).ok()
    }

    fn tenure(&self, one: &Judgement) -> Option<Group> {
        let (began, day) = (self.began.get(one.worker.as_ref()?)?, self.day(one)?);
        let days = day.since(*began).ok()?.get_days();
        Some(match days {
            ..0 => return None,
            0..90 => group(0, "less than 90 days", true),
            90..365 => group(1, "90 days to a year", false),
            _ => group(2, "a year and more", false),
        })
    }

    fn shift(&self, one: &Judgement) -> Option<(&[Shift], usize)> {
        let (shifts, at) = (self.shifts.get(one.worker.as_ref()?)?, one.worked_us?);
        let place = shifts.iter().position(|(start, end, _)| *start <= at && at < *end)?;
        Some((shifts, place))
    }

    fn hour(&self, one: &Judgement) -> Option<Group> {
        let (shifts, place) = self.shift(one)?;
        let hours = (one.worked_us? - shifts.get(place)?.0) / HOUR_US;
        Some(match hours {
            ..3 => group(0, "first to third hour", false),
            3..6 => group(1, "fourth to sixth hour", false),
            _ => group(2, "seventh hour and later", true),
        })
    }

    fn days_on(&self, one: &Judgement) -> Option<Group> {
        let (shifts, place) = self.shift(one)?;
        let mut day = shifts.get(place)?.2;
        let mut run = 1;
        for (_, _, earlier) in shifts.get(..place)?.iter().rev() {
            if *earlier == day {
                continue;
            }
            if earlier.tomorrow().ok() != Some(day) {
                break;
            }
            run += 1;
            day = *earlier;
        }
        Some(match run {
            ..=3 => group(0, "first to third day", false),
            4..=5 => group(1, "fourth and fifth day", false),
            _ => group(2, "sixth day and later", true),
        })
    }

    fn price(&self, one: &Judgement) -> Option<Group> {
        let (prices, day) = (self.prices.get(&one.stream)?, self.day(one)?);
        let place = prices.iter().position(|(from, to, _)| *from <= day && day < *to)?;
        let (from, _, now) = prices.get(place)?;
        let before = place.checked_sub(1).and_then(|place| prices.get(place));
        let order = i64::try_from(place).unwrap_or_default();
        Some(match before {
            Some((_, _, before)) if now < before => {
                group(order, &format!("after the cut of {from}"), true)
            }
            Some(_) => group(order, &format!("price of {from}"), false),
            None => group(order, "first price", false),
        })
    }
}

fn group(order: i64, words: &str, strained: bool) -> Group {
    Group { order, words: words.to_owned(), strained }
}

fn table(
    arrangement_id: &str,
    found: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let arrays = vec![
        array::texts(found.iter().map(|_| Some(arrangement_id))),
        array::texts(found.iter().map(|row| Some(row.stream.as_str()))),
        array::texts(found.iter().map(|row| Some(row.factor))),
        array::texts(found.iter().map(|row| Some(row.members.as_str()))),
        array::integers(found.iter().map(|row| Some(row.items))),
        array::integers(found.iter().map(|row| row.people)),
        array::integers(found.iter().map(|row| row.defective)),
        array::integers(found.iter().map(|row| row.other_items)),
        array::integers(found.iter().map(|row| row.other_defective)),
        array::decimals(found.iter().map(|row| Some(i128::from(row.chance?) * 1000))),
        array::texts(found.iter().map(|row| row.gap.as_deref())),
        array::refs(found.iter().map(|row| row.refs.as_slice())),
        array::integers(found.iter().map(|row| Some(row.row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
