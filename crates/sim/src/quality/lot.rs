//! Sampled streams: lots, draws, inspections, and what follows from them by the standard's rules.
//! Owns the truth of lots-sampled, reviewers-agree and drift-detected there, reckoned from the counts
//! alone with rules of its own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use sha2::{Digest, Sha256};

use crate::{
    almanac::{at_civil, with_offset},
    dice::Dice,
    error::SimError,
    operation::Operation,
    truth::{AgreementTruth, LotTruth},
};

use super::{
    FIRST_FRIDAY, OCTOBER, Quality,
    recheck::{drifts, kappa},
    rows::Rows,
    scheme::{BLIND, LOT, Stream},
};

/// The plans of letter G at 2.5 %: items, accepted up to, refused from.
fn plan(severity: &str) -> (i64, i64, i64) {
    match severity {
        "tightened" => (32, 1, 2),
        "reduced" => (13, 1, 3),
        _ => (32, 2, 3),
    }
}

/// What the standard keeps from lot to lot, as far as this example needs it.
struct Switch {
    severity: &'static str,
    refused: Vec<bool>,
    in_a_row: i64,
    score: i64,
}

impl Switch {
    fn new(severity: &'static str) -> Self {
        Self { severity, refused: Vec::new(), in_a_row: 0, score: 0 }
    }

    fn after(&mut self, defective: i64, reduced_allowed: bool) {
        let (_, accept, refuse) = plan(self.severity);
        match self.severity {
            "tightened" => {
                self.in_a_row = if defective <= accept { self.in_a_row + 1 } else { 0 };
                if self.in_a_row == 5 {
                    *self = Self::new("normal");
                }
            }
            "reduced" => {
                if defective > accept {
                    *self = Self::new("normal");
                }
            }
            _ => {
                self.refused.push(defective >= refuse);
                // One defective item would pass at 1.5 %, two would not.
                self.score = if defective <= 1 { self.score + 3 } else { 0 };
                if self.refused.iter().rev().take(5).filter(|refused| **refused).count() == 2 {
                    *self = Self::new("tightened");
                } else if self.score >= 30 && reduced_allowed {
                    *self = Self::new("reduced");
                }
            }
        }
    }
}

/// Numbers in the order of their keys.
fn ranked(word: &str, seed: &str, lot: &str, numbers: impl Iterator<Item = i64>) -> Vec<i64> {
    let key = |number: &i64| Sha256::digest(format!("{word}\n{seed}\n{lot}\n{number}")).to_vec();
    let mut keyed: Vec<(Vec<u8>, i64)> = numbers.map(|number| (key(&number), number)).collect();
    keyed.sort();
    keyed.into_iter().map(|(_, number)| number).collect()
}

/// The Friday of a week.
pub fn friday(week: i64) -> Result<Date, SimError> {
    Ok(FIRST_FRIDAY.checked_add((7 * week).days())?)
}

/// One lot as it is made.
struct Made<'a> {
    stream: &'a Stream,
    week: i64,
    lot: String,
    zone: TimeZone,
    sample: Vec<i64>,
    again: BTreeSet<i64>,
    bad: BTreeSet<i64>,
}

/// Makes a stream and its truth.
pub fn stream(
    stream: &Stream,
    operation: &Operation,
    seed: u64,
    rows: &mut Rows,
    quality: &mut Quality,
) -> Result<(), SimError> {
    let zone = operation.zone(stream.arrangement)?;
    let mut dice = Dice::new(seed, stream.stream);
    let mut switch = Switch::new("normal");
    let mut table: BTreeMap<(bool, bool), i64> = BTreeMap::new();
    let mut weeks = Vec::new();
    for (week, wanted) in (0..).zip(&stream.defective) {
        let (size, accept, _) = plan(switch.severity);
        let lot = format!("{}-2026-{:02}", stream.short, week + 32);
        let lot_seed = format!("{:016x}", dice.next());
        let mut sample = ranked("backstay-draw/1", &lot_seed, &lot, 1..=LOT);
        sample.truncate(usize::try_from(size).unwrap_or(0));
        let looks = usize::try_from((size * BLIND + 99) / 100).unwrap_or(0);
        let again: Vec<i64> = ranked("backstay-blind/1", &lot_seed, &lot, sample.iter().copied())
            .into_iter()
            .take(looks)
            .collect();
        // The first defective item is one that is looked at twice, the others are not.
        let mut others: Vec<i64> =
            sample.iter().copied().filter(|item| !again.contains(item)).collect();
        dice.shuffle(&mut others);
        let first = dice.pick(&again).copied();
        let bad: BTreeSet<i64> =
            first.into_iter().chain(others).take(usize::try_from(*wanted).unwrap_or(0)).collect();
        let made = Made {
            stream,
            week,
            lot: lot.clone(),
            zone: zone.clone(),
            sample,
            again: again.into_iter().collect(),
            bad,
        };
        made.inspections(&mut dice, rows, &mut table)?;
        let verdict = if *wanted <= accept { "accepted" } else { "refused" };
        let let_through = stream.let_through == Some(week);
        let disposition = if let_through { "accepted" } else { verdict };
        made.lot_row(&lot_seed, disposition, rows)?;
        if week >= OCTOBER {
            if disposition != verdict {
                quality.find(
                    stream.arrangement,
                    "lots-sampled",
                    &format!("{} major {lot}", stream.stream),
                );
                let about =
                    format!("accepted with {wanted} defective items under tightened inspection");
                quality.plant("lot-accepted", stream.arrangement, &lot, &about);
            }
            quality.truth.lots.push(LotTruth {
                arrangement_id: stream.arrangement.into(),
                lot_id: lot,
                severity: switch.severity.into(),
                sample_size: size,
                nonconforming: *wanted,
                verdict: verdict.into(),
            });
        }
        weeks.push((*wanted, size));
        switch.after(*wanted, stream.reduced);
    }
    quality.judge(
        stream.arrangement,
        "lots-sampled",
        "every lot was sampled and decided by the plan",
    );
    agree(stream, &table, quality);
    drift(stream, &weeks, quality);
    Ok(())
}

impl Made<'_> {
    fn lot_row(&self, seed: &str, disposition: &str, rows: &mut Rows) -> Result<(), SimError> {
        let day = friday(self.week)?;
        let at = |minute| with_offset(at_civil(day, minute, &self.zone)?, &self.zone);
        rows.lots.push(vec![
            self.stream.arrangement.into(),
            "quality office".into(),
            self.stream.stream.into(),
            self.lot.clone(),
            (self.week + 1).to_string(),
            at(9 * 60)?,
            LOT.to_string(),
            seed.into(),
            disposition.into(),
            at(17 * 60)?,
        ]);
        Ok(())
    }

    fn inspections(
        &self,
        dice: &mut Dice,
        rows: &mut Rows,
        table: &mut BTreeMap<(bool, bool), i64>,
    ) -> Result<(), SimError> {
        let day = friday(self.week)?;
        let mut sorted = self.sample.clone();
        sorted.sort_unstable();
        let in_october = self.week >= OCTOBER;
        let mut missed_here = 0;
        for (place, item) in (0..).zip(&sorted) {
            let worked = day.checked_sub(dice.between(1, 4).days())?;
            let worked = with_offset(
                at_civil(worked, dice.between(9 * 60, 16 * 60), &self.zone)?,
                &self.zone,
            )?;
            let worker = format!("{}-{:03}", self.stream.worker, dice.between(1, 12));
            let is_bad = self.bad.contains(item);
            let mut passes = vec![("first", "QA-1", is_bad, 10 * 60)];
            if self.again.contains(item) {
                let sees = self.second(is_bad, in_october, &mut missed_here);
                if in_october {
                    *table.entry((is_bad, sees)).or_default() += 1;
                }
                passes.push(("blind", "QA-2", sees, 13 * 60));
            }
            for (pass, reviewer, bad, from) in passes {
                let at = at_civil(day, from + 3 * place, &self.zone)?;
                rows.inspections.push(vec![
                    self.stream.arrangement.into(),
                    "quality office".into(),
                    self.stream.stream.into(),
                    self.lot.clone(),
                    item.to_string(),
                    String::new(),
                    pass.into(),
                    reviewer.into(),
                    worker.clone(),
                    worked.clone(),
                    with_offset(at, &self.zone)?,
                    if bad { "major" } else { "conforming" }.into(),
                ]);
            }
        }
        Ok(())
    }

    /// What the second reviewer sees: the same, but for one item of the last lot; or, where they are
    /// apart, nothing of what the first one saw in three lots of five, and one other item in each.
    fn second(&self, is_bad: bool, in_october: bool, other: &mut i64) -> bool {
        if !in_october {
            return is_bad;
        }
        if self.stream.apart {
            if is_bad {
                return self.week >= OCTOBER + 3;
            }
            *other += 1;
            return *other == 1;
        }
        is_bad && self.week != OCTOBER + 4
    }
}

fn agree(stream: &Stream, table: &BTreeMap<(bool, bool), i64>, quality: &mut Quality) {
    const CONTROL: &str = "reviewers-agree";
    let twice: i64 = table.values().sum();
    if twice < 30 {
        let why = format!("{twice} items judged twice are too few");
        quality.status(stream.arrangement, CONTROL, "untested", &why);
        return;
    }
    let thousandths = kappa(table);
    quality.truth.agreements.push(AgreementTruth {
        arrangement_id: stream.arrangement.into(),
        stream: stream.stream.into(),
        judged_twice: twice,
        kappa_thousandths: thousandths,
    });
    if thousandths < 600 {
        quality.find(stream.arrangement, CONTROL, stream.stream);
        let about = format!("kappa is {thousandths} thousandths, 600 are agreed");
        quality.plant("reviewers-apart", stream.arrangement, stream.stream, &about);
    }
    quality.judge(stream.arrangement, CONTROL, "both reviewers see the same");
}

fn drift(stream: &Stream, weeks: &[(i64, i64)], quality: &mut Quality) {
    const CONTROL: &str = "drift-detected";
    for rule in drifts(weeks) {
        let subject = format!("{}: defects ({rule})", stream.stream);
        quality.find(stream.arrangement, CONTROL, &subject);
        let about = "the share of defective items has risen since the week of 2026-09-28";
        quality.plant("defects-rise", stream.arrangement, &subject, about);
    }
    quality.judge(
        stream.arrangement,
        CONTROL,
        "the share of defective items keeps to its baseline",
    );
}
