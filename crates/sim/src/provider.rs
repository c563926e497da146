//! What the providers report, and by which steps one gets from our figure to theirs. Owns the
//! planting of causes and the exact parts; it must never change a case.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    almanac::Almanac,
    dice::Dice,
    error::SimError,
    operation::{Cause, Counted, Figure, Operation, Plan},
    truth::{LadderTruth, PartTruth, StepTruth},
    world::{Case, ReportRow, Stated},
};

/// Cases met and cases counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ratio {
    /// Met.
    pub numerator: i64,
    /// Counted.
    pub denominator: i64,
}

impl Ratio {
    fn add(&mut self, met: bool, times: i64) {
        self.numerator += if met { times } else { 0 };
        self.denominator += times;
    }

    /// `self - before` as a reduced fraction; nothing while either has no case.
    #[must_use]
    pub fn minus(self, before: Self) -> Option<PartTruth> {
        if self.denominator == 0 || before.denominator == 0 {
            return None;
        }
        let numer = self.numerator * before.denominator - before.numerator * self.denominator;
        let denom = self.denominator * before.denominator;
        let divisor = gcd(numer.abs(), denom).max(1);
        Some(PartTruth { numer: numer / divisor, denom: denom / divisor })
    }

    /// The share as it is printed with three decimal places.
    fn printed(self) -> Self {
        let whole = self.share(3).and_then(|share| share.replace('.', "").parse().ok());
        Self { numerator: whole.unwrap_or(0), denominator: 1000 }
    }

    /// The share with some decimal places, half up, as `0.958`; nothing without a case.
    #[must_use]
    pub fn share(self, places: u32) -> Option<String> {
        let scale = 10_i64.pow(places);
        let whole =
            (self.numerator * scale * 2 + self.denominator).checked_div(self.denominator * 2)?;
        let width = usize::try_from(places).unwrap_or(0);
        Some(format!("{}.{:0width$}", whole / scale, whole % scale))
    }
}

/// The greatest common divisor.
fn gcd(left: i64, right: i64) -> i64 {
    if right == 0 { left } else { gcd(right, left % right) }
}

/// A provider's report of one level and month, with the ladder that explains it.
///
/// # Errors
/// When a cause cannot be planted in the cases that there are.
pub fn report(
    operation: &Operation,
    almanac: &Almanac,
    cases: &[Case],
    plan: &Plan,
    seed: u64,
) -> Result<(Vec<ReportRow>, LadderTruth), SimError> {
    let purpose = format!("report {} {} {}", plan.arrangement, plan.level, plan.month);
    let mut dice = Dice::new(seed, &purpose);
    let books = Books::open(operation, almanac, cases, plan)?;
    let listing = books.list(plan, &mut dice)?;
    let mut theirs = Ratio::default();
    for line in &listing {
        if let Some(met) = line.met {
            theirs.add(met, 1);
        }
    }
    if !plan.listed {
        theirs = books.ours_ratio();
        if plan.causes.contains(&Cause::Unexplained) {
            theirs.numerator = flattered(theirs)?;
        }
    }
    let ladder = books.ladder(plan, &listing, theirs)?;
    Ok((rows(plan, &listing, theirs), ladder))
}

/// A better figure than `ours` by some cases, or a worse one when there is nothing to better.
fn flattered(ours: Ratio) -> Result<i64, SimError> {
    let step = (ours.denominator / 60).max(1);
    let missed = ours.denominator - ours.numerator;
    match () {
        () if missed >= 1 => Ok(ours.numerator + step.min((missed / 2).max(1))),
        () if ours.numerator > step => Ok(ours.numerator - step),
        () => Err(SimError::Plant("an unexplained difference".into())),
    }
}

/// One line of a case list: met, missed, or excluded (`None`).
#[derive(Debug, Clone)]
struct Line {
    case: String,
    met: Option<bool>,
}

/// The cases of a month by the agreed terms and by the provider's.
struct Books {
    ours: Vec<Counted>,
    by_clock: BTreeMap<String, bool>,
    by_both: BTreeMap<String, bool>,
    known: BTreeSet<String>,
}

impl Books {
    fn open(
        operation: &Operation,
        almanac: &Almanac,
        cases: &[Case],
        plan: &Plan,
    ) -> Result<Self, SimError> {
        let key = (plan.arrangement.as_str(), plan.level.as_str(), plan.month);
        let ours = operation.counted(almanac, cases, key, &Stated::default())?;
        let by = |stated: Stated| -> Result<BTreeMap<String, bool>, SimError> {
            let counted = operation.counted(almanac, cases, key, &stated)?;
            Ok(counted.into_iter().map(|row| (row.case, row.met)).collect())
        };
        let by_clock = by(plan.stated(true, false))?;
        let by_both = by(plan.stated(true, true))?;
        let known = cases.iter().filter(|case| case.arrangement == plan.arrangement);
        let known = known.map(|case| case.id.clone()).collect();
        Ok(Self { ours, by_clock, by_both, known })
    }

    fn ours_ratio(&self) -> Ratio {
        let mut ratio = Ratio::default();
        for row in self.ours.iter().filter(|row| row.excluded.is_none()) {
            ratio.add(row.met, 1);
        }
        ratio
    }

    /// The provider's case list with its causes in it.
    fn list(&self, plan: &Plan, dice: &mut Dice) -> Result<Vec<Line>, SimError> {
        let theirs = |case: &str| self.by_both.get(case).copied();
        let mut lines: Vec<Line> = Vec::new();
        for row in &self.ours {
            let met = if row.excluded.is_some() { None } else { theirs(&row.case) };
            lines.push(Line { case: row.case.clone(), met });
        }
        if !plan.listed {
            return Ok(lines);
        }
        // Each cause takes cases of its own, so that none hides another.
        let mut free: Vec<String> = self
            .ours
            .iter()
            .filter(|row| row.excluded.is_none())
            .map(|row| row.case.clone())
            .collect();
        dice.shuffle(&mut free);
        let lenient = |case: &String| {
            self.ours.iter().any(|row| row.case == *case && !row.met && theirs(case) == Some(false))
        };
        let (late, timely): (Vec<String>, Vec<String>) = free.into_iter().partition(lenient);
        let mut taking = Taking { late, timely };
        for cause in &plan.causes {
            self.plant(*cause, plan, &mut lines, &mut taking, dice)?;
        }
        lines.sort_by(|left, right| left.case.cmp(&right.case));
        Ok(lines)
    }

    fn plant(
        &self,
        cause: Cause,
        plan: &Plan,
        lines: &mut Vec<Line>,
        taking: &mut Taking,
        dice: &mut Dice,
    ) -> Result<(), SimError> {
        let many = i64::try_from(self.ours.len()).unwrap_or(0);
        let some = |least: i64, share: i64| usize::try_from((many / share).max(least)).unwrap_or(1);
        match cause {
            Cause::Duplicates => {
                let mut twice = taking.timely(some(4, 25), plan)?;
                // A figure printed with few places hides a few duplicates: list more of them.
                while plan.figure == Figure::Share && !self.shows(twice.len()) {
                    twice.extend(taking.timely(1, plan)?);
                }
                for case in twice {
                    let line = lines.iter().find(|line| line.case == case).cloned();
                    lines.extend(line);
                }
            }
            Cause::RowsMissingHere => {
                for index in 0..some(3, 30) {
                    lines.push(Line { case: self.unknown(dice, lines), met: Some(index != 2) });
                }
            }
            Cause::RowsMissingThere => {
                let gone = taking.late_first(some(2, 60), plan)?;
                lines.retain(|line| !gone.contains(&line.case));
            }
            Cause::Exclusions => {
                let out = taking.late_first(some(2, 50), plan)?;
                for line in lines.iter_mut().filter(|line| out.contains(&line.case)) {
                    line.met = None;
                }
                // And one that was agreed to be left out is counted all the same.
                if let Some(row) = self.ours.iter().find(|row| row.excluded.is_some()) {
                    let met = self.by_both.get(&row.case).copied();
                    for line in lines.iter_mut().filter(|line| line.case == row.case) {
                        line.met = met;
                    }
                }
            }
            Cause::Clock | Cause::Calendar => {}
            Cause::Unexplained => {
                for case in taking.late_first(some(2, 50), plan)? {
                    for line in lines.iter_mut().filter(|line| line.case == case) {
                        line.met = line.met.map(|met| !met);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether so many timely cases listed twice change the figure to the places printed.
    fn shows(&self, twice: usize) -> bool {
        let ours = self.ours_ratio();
        let mut theirs = ours;
        theirs.add(true, i64::try_from(twice).unwrap_or(0));
        theirs.share(3) != ours.share(3)
    }

    /// A case id of the same make that our log does not hold.
    fn unknown(&self, dice: &mut Dice, lines: &[Line]) -> String {
        let pattern = self.known.first().map_or("CASE00000", String::as_str);
        let digits = pattern.trim_start_matches(|letter: char| !letter.is_ascii_digit()).len();
        let prefix = pattern.get(..pattern.len() - digits).unwrap_or("CASE");
        loop {
            let id = format!("{prefix}{:0digits$}", dice.between(90_000, 98_999));
            if !self.known.contains(&id) && lines.iter().all(|line| line.case != id) {
                return id;
            }
        }
    }

    /// The ladder: each step takes one more of the provider's choices on.
    fn ladder(&self, plan: &Plan, lines: &[Line], theirs: Ratio) -> Result<LadderTruth, SimError> {
        let ours = self.ours_ratio();
        let printed = theirs.share(3).filter(|_| plan.figure == Figure::Share);
        let agrees = match &printed {
            Some(share) => ours.share(3).as_ref() == Some(share),
            None => theirs.minus(ours).is_some_and(|part| part.numer == 0),
        };
        // Without a list nobody but the provider knows more than the share that it prints.
        let known = match (&printed, plan.listed) {
            (Some(_), false) if agrees => ours,
            (Some(_), false) => theirs.printed(),
            _ => theirs,
        };
        let mut steps = Vec::new();
        let mut before = ours;
        for cause in Cause::ALL {
            let after = match cause {
                Cause::Unexplained => known,
                _ if !plan.listed => ours,
                _ => self.after(cause, lines),
            };
            let part = after
                .minus(before)
                .ok_or_else(|| SimError::Plant(format!("a figure for `{}`", plan.level)))?;
            if plan.causes.contains(&cause) != (part.numer != 0) && plan.causes.len() <= 1 {
                return Err(SimError::Plant(format!(
                    "`{}` alone in `{}`",
                    cause.name(),
                    plan.level
                )));
            }
            steps.push(StepTruth {
                step: cause.name().into(),
                numerator: after.numerator,
                denominator: after.denominator,
                part,
            });
            before = after;
        }
        if plan.causes.is_empty() != agrees {
            return Err(SimError::Plant(format!("a visible difference in `{}`", plan.level)));
        }
        let counted = |count: i64| (plan.listed || plan.figure == Figure::Counts).then_some(count);
        Ok(LadderTruth {
            arrangement_id: plan.arrangement.clone(),
            service_level_id: plan.level.clone(),
            month: month_text(plan),
            listed: plan.listed,
            planted: plan.causes.iter().map(|cause| cause.name().into()).collect(),
            ours_numerator: ours.numerator,
            ours_denominator: ours.denominator,
            provider_numerator: counted(theirs.numerator),
            provider_denominator: counted(theirs.denominator),
            provider_share: printed,
            agrees,
            steps,
        })
    }

    /// Our figure with the provider's choices taken on up to a step.
    fn after(&self, upto: Cause, lines: &[Line]) -> Ratio {
        let taken = |cause: Cause| cause <= upto;
        let mut listed: BTreeMap<&str, Vec<Option<bool>>> = BTreeMap::new();
        for line in lines {
            listed.entry(line.case.as_str()).or_default().push(line.met);
        }
        let mut ratio = Ratio::default();
        for row in &self.ours {
            let theirs = listed.get(row.case.as_str()).map_or(&[][..], Vec::as_slice);
            let met = match () {
                () if taken(Cause::Calendar) => self.by_both.get(&row.case).copied(),
                () if taken(Cause::Clock) => self.by_clock.get(&row.case).copied(),
                () => Some(row.met),
            };
            let Some(met) = met else { continue };
            if theirs.is_empty() && taken(Cause::RowsMissingThere) {
                continue;
            }
            let counted_there = theirs.iter().any(Option::is_some);
            let counted = match row.excluded {
                _ if taken(Cause::Exclusions) && !theirs.is_empty() => counted_there,
                Some(_) => false,
                None => true,
            };
            if counted {
                let times = i64::try_from(theirs.len()).unwrap_or(1).max(1);
                ratio.add(met, if taken(Cause::Duplicates) { times } else { 1 });
            }
        }
        if taken(Cause::RowsMissingHere) {
            for line in lines.iter().filter(|line| !self.known.contains(&line.case)) {
                if let Some(met) = line.met {
                    ratio.add(met, 1);
                }
            }
        }
        ratio
    }
}

/// Cases that no cause has taken yet.
struct Taking {
    late: Vec<String>,
    timely: Vec<String>,
}

impl Taking {
    fn timely(&mut self, count: usize, plan: &Plan) -> Result<Vec<String>, SimError> {
        if self.timely.len() < count {
            return Err(SimError::Plant(format!("{count} more cases in `{}`", plan.level)));
        }
        Ok(self.timely.drain(..count).collect())
    }

    /// Late cases as far as there are any, timely ones for the rest. A few late ones stay for the
    /// causes that come after.
    fn late_first(&mut self, count: usize, plan: &Plan) -> Result<Vec<String>, SimError> {
        let late = count.min(self.late.len().div_ceil(2));
        let mut taken: Vec<String> = self.late.drain(..late).collect();
        taken.extend(self.timely(count - late, plan)?);
        Ok(taken)
    }
}

/// `2026-10`.
fn month_text(plan: &Plan) -> String {
    plan.month.strftime("%Y-%m").to_string()
}

/// The rows of a report: the figure, then the cases if they are listed.
fn rows(plan: &Plan, lines: &[Line], theirs: Ratio) -> Vec<ReportRow> {
    let counts = plan.figure == Figure::Counts;
    let blank = ReportRow {
        arrangement: plan.arrangement.clone(),
        level: plan.level.clone(),
        month: plan.month,
        stated: plan.stated(true, true),
        ..ReportRow::default()
    };
    let mut rows = vec![ReportRow {
        numerator: counts.then_some(theirs.numerator),
        denominator: counts.then_some(theirs.denominator),
        value: if counts { None } else { theirs.share(3) },
        ..blank.clone()
    }];
    for line in lines.iter().filter(|_| plan.listed) {
        let outcome = match line.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "excluded",
        };
        rows.push(ReportRow {
            case: Some(line.case.clone()),
            outcome: Some(outcome.into()),
            ..blank.clone()
        });
    }
    rows
}
