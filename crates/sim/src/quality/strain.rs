//! Monotonous work of which every item is inspected: who did it, in which hour of which day without a
//! break, at which price. Owns the truth of strain-watched there and of what follows from the counts.

use std::collections::BTreeMap;

use jiff::{
    ToSpan,
    civil::{Date, date},
};

use crate::{
    Plant,
    almanac::{at_civil, with_offset},
    dice::Dice,
    error::SimError,
    operation::Operation,
};

use super::{OCTOBER, Quality, WEEKS, chance, lot::friday, recheck::drifts, rows::Rows};

const ARRANGEMENT: &str = "payroll-cebu";
const STREAM: &str = "time-sheets";
/// Draws of the defective items before the seed is given up.
const DRAWS: usize = 400;

/// An item inspected in October.
#[derive(Debug, Clone)]
struct Item {
    case: String,
    worker: i64,
    worked: Date,
    hour: i64,
    week: i64,
}

impl Item {
    /// Its group under each factor.
    fn groups(&self) -> [(&'static str, &'static str); 4] {
        let tenure = match self.worker {
            1..=3 => "less than 90 days",
            4..=6 => "90 days to a year",
            _ => "a year and more",
        };
        let hour = match self.hour {
            0..=2 => "first to third hour",
            3..=5 => "fourth to sixth hour",
            _ => "seventh hour and later",
        };
        // Everybody works from Monday to Saturday.
        let day = match self.worked.weekday().to_monday_one_offset() {
            1..=3 => "first to third day",
            4..=5 => "fourth and fifth day",
            _ => "sixth day and later",
        };
        let price = match self.worked < date(2026, 10, 12) {
            true => "first price",
            false => "after the cut of 2026-10-12",
        };
        [
            ("tenure", tenure),
            ("hour of shift", hour),
            ("days without a break", day),
            ("price", price),
        ]
    }
}

/// Makes the stream and its truth.
pub fn stream(
    operation: &Operation,
    seed: u64,
    plants: &[Plant],
    rows: &mut Rows,
    quality: &mut Quality,
) -> Result<(), SimError> {
    let zone = operation.zone(ARRANGEMENT)?;
    let mut dice = Dice::new(seed, STREAM);
    people(rows);
    // Shifts from the week before October's first inspection on.
    for day in (0..40).map(|after| date(2026, 9, 21).checked_add(after.days())) {
        let day = day?;
        if day.weekday().to_monday_one_offset() == 7 || day >= date(2026, 10, 31) {
            continue;
        }
        for worker in 1..=9 {
            let at = |hour: i64| with_offset(at_civil(day, hour * 60, &zone)?, &zone);
            rows.shifts.push(vec![ARRANGEMENT.into(), name(worker), at(8)?, at(17)?]);
        }
    }
    let mut items = Vec::new();
    let mut weeks = Vec::new();
    for week in 0..WEEKS {
        let of_week = batch(week, &mut dice)?;
        let bad = if week >= OCTOBER { 3 } else { 1 + week % 2 };
        weeks.push((bad, i64::try_from(of_week.len()).unwrap_or(0)));
        items.push(of_week);
    }
    let strained = plants.contains(&Plant::SixthDay);
    let bad = defective(&items, strained, &mut dice)?;
    for (week, of_week) in (0..).zip(&items) {
        let day = friday(week)?;
        for (place, item) in (0..).zip(of_week) {
            let worked = at_civil(item.worked, (8 + item.hour) * 60 + 20, &zone)?;
            let at = at_civil(day, 9 * 60 + 4 * place, &zone)?;
            let outcome = if bad.contains(&item.case) { "minor" } else { "conforming" };
            rows.inspections.push(vec![
                ARRANGEMENT.into(),
                "quality office".into(),
                STREAM.into(),
                String::new(),
                String::new(),
                item.case.clone(),
                "first".into(),
                "QA-1".into(),
                name(item.worker),
                with_offset(worked, &zone)?,
                with_offset(at, &zone)?,
                outcome.into(),
            ]);
        }
    }
    if strained {
        let subject = format!("{STREAM} days without a break: sixth day and later");
        quality.find(ARRANGEMENT, "strain-watched", &subject);
        let about = "every defective item of October was made on a sixth day without a break";
        quality.plant("sixth-day", ARRANGEMENT, &subject, about);
    }
    quality.judge(ARRANGEMENT, "strain-watched", "no group has more defects than chance explains");
    if !drifts(&weeks).is_empty() {
        return Err(SimError::Plant("a steady series of time sheets".into()));
    }
    quality.judge(
        ARRANGEMENT,
        "drift-detected",
        "the share of defective items keeps to its baseline",
    );
    quality.status(ARRANGEMENT, "lots-sampled", "not-applicable", "every item is inspected");
    quality.status(ARRANGEMENT, "reviewers-agree", "untested", "no second look is agreed");
    for (arrangement, status, reason) in [
        ("payroll-manila", "not-applicable", "the work is not monotonous"),
        ("accounts-payable", "not-applicable", "the work is not monotonous"),
        ("claims", "untested", "who works when is nowhere on record"),
    ] {
        quality.status(arrangement, "strain-watched", status, reason);
    }
    Ok(())
}

fn name(worker: i64) -> String {
    format!("CEB-{worker:03}")
}

fn people(rows: &mut Rows) {
    for worker in 1..=9 {
        let since = match worker {
            1..=3 => "2026-08-10",
            4..=6 => "2026-02-02",
            _ => "2024-05-06",
        };
        let cells = [ARRANGEMENT, &name(worker), "clerk", since];
        rows.assignments.push(cells.map(str::to_owned).to_vec());
    }
}

/// The items inspected on a Friday: worked since the Saturday before.
fn batch(week: i64, dice: &mut Dice) -> Result<Vec<Item>, SimError> {
    let count = if week >= OCTOBER { 60 } else { 30 };
    let mut places: Vec<i64> = (0..count).collect();
    dice.shuffle(&mut places);
    let mut items = Vec::new();
    for (number, place) in (0..).zip(places) {
        // A quarter on Saturday, half from Monday to Wednesday, a quarter on Thursday.
        let back = match number % 4 {
            0 => 6,
            1 => 1,
            _ => 2 + number / 4 % 3,
        };
        items.push(Item {
            case: format!("TS-{:02}-{:02}", week + 32, number + 1),
            worker: 1 + place % 9,
            worked: friday(week)?.checked_sub(back.days())?,
            hour: place / 9 % 9,
            week,
        });
    }
    Ok(items)
}

/// Which items are defective. Planted, those of October lie on sixth days; no other group, and without
/// the plant none, may have more than chance explains with a wide margin.
fn defective(
    items: &[Vec<Item>],
    strained: bool,
    dice: &mut Dice,
) -> Result<Vec<String>, SimError> {
    let mut found = Vec::new();
    for (week, of_week) in (0..OCTOBER).zip(items) {
        let mut pool: Vec<&Item> = of_week.iter().collect();
        dice.shuffle(&mut pool);
        let count = usize::try_from(1 + week % 2).unwrap_or(0);
        found.extend(pool.iter().take(count).map(|item| item.case.clone()));
    }
    let october: Vec<&Item> = items.iter().flatten().filter(|item| item.week >= OCTOBER).collect();
    for _ in 0..DRAWS {
        let mut bad = Vec::new();
        for week in OCTOBER..WEEKS {
            let fits = |item: &&&Item| {
                item.week == week
                    && (!strained || item.worked.weekday().to_monday_one_offset() == 6)
            };
            let mut pool: Vec<&Item> = october.iter().filter(fits).copied().collect();
            dice.shuffle(&mut pool);
            bad.extend(pool.iter().take(3).map(|item| item.case.clone()));
        }
        if is_plain(&october, &bad, strained) {
            found.extend(bad);
            return Ok(found);
        }
    }
    Err(SimError::Plant("defects that only one group explains".into()))
}

/// Whether exactly the planted group stands out.
fn is_plain(items: &[&Item], bad: &[String], strained: bool) -> bool {
    let mut groups: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
    for item in items {
        let is_bad = i64::from(bad.contains(&item.case));
        for group in item.groups() {
            let entry = groups.entry(group).or_default();
            entry.0 += is_bad;
            entry.1 += 1;
        }
    }
    let all = i64::try_from(items.len()).unwrap_or(0);
    let all_bad = i64::try_from(bad.len()).unwrap_or(0);
    groups.iter().all(|((_, group), (found, of))| {
        let chance = chance::of_group(*found, *of, all_bad - found, all - of);
        if strained && *group == "sixth day and later" { chance < 0.000_1 } else { chance > 0.02 }
    })
}
