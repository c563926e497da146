//! Complaints, each traced, and the truth of complaints-falling. Owns their number and dates; it must
//! never name a case that the work log does not hold.

use std::collections::BTreeMap;

use jiff::{
    ToSpan,
    civil::{Date, date},
};

use crate::{
    Plant,
    almanac::{at_civil, civil_at, with_offset},
    error::SimError,
    operation::Operation,
    verdict::Fault,
    world::Case,
};

use super::{Quality, chance, rows::Rows};

const CONTROL: &str = "complaints-falling";
/// Complaints of an arrangement in a month.
const USUAL: i64 = 2;
/// Complaints about the service desk in October, when they rise.
const RISEN: i64 = 18;

/// Makes the complaints of every arrangement and their truth.
pub fn complaints(
    operation: &Operation,
    cases: &[Case],
    faults: &[Fault],
    plants: &[Plant],
    rows: &mut Rows,
    quality: &mut Quality,
) -> Result<(), SimError> {
    for arrangement in operation.world.arrangements.iter().map(|row| row.id.as_str()) {
        let zone = operation.zone(arrangement)?;
        let mut opened: BTreeMap<i8, Vec<&str>> = BTreeMap::new();
        for case in cases.iter().filter(|case| case.arrangement == arrangement) {
            if let Some(first) = case.events.iter().map(|event| event.at).min() {
                opened.entry(civil_at(first, &zone)?.month()).or_default().push(&case.id);
            }
        }
        let risen = arrangement == "service-desk" && plants.contains(&Plant::ComplaintsRise);
        let mut number = 0;
        for month in 8..=10_i8 {
            let count = if month == 10 && risen { RISEN } else { USUAL };
            let of_month = opened.get(&month).map(Vec::as_slice).unwrap_or_default();
            for place in 0..=count {
                number += 1;
                let day: Date = date(2026, i16::from(month).try_into().unwrap_or(8), 6)
                    .checked_add((place % 20).days())?;
                // The last one of each month is about something else.
                let elsewhere = place == count;
                let case = of_month.get(usize::try_from(place * 2).unwrap_or(0)).copied();
                let case = match (elsewhere, case) {
                    (true, _) => "",
                    (false, Some(case)) => case,
                    (false, None) => {
                        return Err(SimError::Plant(format!("complaints in `{arrangement}`")));
                    }
                };
                rows.complaints.push(vec![
                    arrangement.into(),
                    "customer care".into(),
                    format!("CC-{}-{number:03}", arrangement),
                    with_offset(at_civil(day, 11 * 60, &zone)?, &zone)?,
                    "mail".into(),
                    if elsewhere { "elsewhere" } else { "service" }.into(),
                    case.into(),
                ]);
            }
        }
        let of = |month: i8| {
            opened.get(&month).map_or(0, |cases| i64::try_from(cases.len()).unwrap_or(0))
        };
        let october = if risen { RISEN } else { USUAL };
        let odds = chance::of_group(october, of(10), 2 * USUAL, of(8) + of(9));
        if risen != (odds < 0.005) || (!risen && odds < 0.02) {
            return Err(SimError::Plant(format!(
                "a clear number of complaints in `{arrangement}`"
            )));
        }
        judge(arrangement, risen, faults, quality);
    }
    Ok(())
}

fn judge(arrangement: &str, risen: bool, faults: &[Fault], quality: &mut Quality) {
    if risen {
        quality.find(arrangement, CONTROL, "trend");
        let about = format!("{RISEN} complaints in October, {USUAL} in each month before");
        quality.plant("complaints-rise", arrangement, "trend", &about);
        quality.judge(arrangement, CONTROL, "");
        return;
    }
    match faults.iter().find(|fault| fault.arrangement == arrangement) {
        Some(fault) => quality.status(arrangement, CONTROL, "untested", &fault.what),
        None => {
            quality.status(arrangement, CONTROL, "effective", "traced, and no more than before")
        }
    }
}
