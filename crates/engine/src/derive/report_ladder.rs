//! From our figure to the provider's, cause by cause.
//!
//! Owns the order of the steps and their arithmetic; the derived table `report_ladder` is made from it
//! in [`super::ladder_table`]. Each step recomputes the figure with one more of
//! the provider's choices; the change is that cause's part. A choice that was not stated cannot be
//! tested: its step changes nothing, says so, and what it would explain stays in `unexplained`.
//!
//! | step | what it takes over from the provider |
//! |---|---|
//! | `duplicates` | a case listed twice counts twice |
//! | `rows-missing-here` | cases listed that we cannot count: unknown, without evidence of their end, not computable |
//! | `rows-missing-there` | our cases that it does not list in any window are left out |
//! | `exclusions` | cases that it leaves out are left out, cases that we leave out are counted |
//! | `clock` | its start of the clock and its paused states |
//! | `calendar` | its calendar |
//! | `unexplained` | the rest |
//!
//! A case that it lists for another window than ours moves with the clock and calendar steps, if
//! those explain the move. Parts are exact; the displayed ones add up to the displayed difference
//! (largest remainder). A figure that was reported rounded stands for whatever rounds to it, so
//! rounding is no cause.

use std::sync::Arc;

use num_traits::Zero;

use super::{
    DeriveInput,
    exact::{self, Exact},
    report::{Comparison, Side, Standing, Views},
    report_row::{ReportRow, Reported, Stated},
    terms::Metric,
};
use crate::{error::EngineError, period::Period};

/// The steps in their order.
pub const STEPS: [&str; 7] = [
    "duplicates",
    "rows-missing-here",
    "rows-missing-there",
    "exclusions",
    "clock",
    "calendar",
    "unexplained",
];

/// Cases met and cases counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Met.
    pub numerator: i64,
    /// Counted.
    pub denominator: i64,
}

impl Tally {
    fn add(&mut self, met: bool, times: i64) {
        self.denominator += times;
        self.numerator += if met { times } else { 0 };
    }

    /// The figure: a share, or for volume the number counted.
    #[must_use]
    pub fn figure(self, metric: Metric) -> Option<Exact> {
        match metric {
            Metric::Volume => Some(Exact::from_integer(self.denominator.into())),
            _ => exact::share(self.numerator, self.denominator),
        }
    }
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Cause.
    pub cause: &'static str,
    /// Whether the choice was stated, so that it could be tested.
    pub tested: bool,
    /// Cases after the step.
    pub after: Tally,
    /// Cases whose counting changed.
    pub cases: i64,
    /// Change of the figure; none when there is no figure on either side.
    pub part: Option<Exact>,
    /// The part in whole units of the last place shown.
    pub shown: Option<i128>,
}

/// The ladder of one service level and window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// Window.
    pub window: Period,
    /// Metric.
    pub metric: Metric,
    /// Its id.
    pub metric_id: Arc<str>,
    /// Our cases.
    pub ours: Tally,
    /// The provider's cases, when it gave them.
    pub theirs: Option<Tally>,
    /// The provider's figure as reported.
    pub reported: Option<Exact>,
    /// Places of that figure when it was rounded.
    pub places: Option<u32>,
    /// Whether ours is, or rounds to, the figure reported; where the cases behind it were reported as
    /// well, ours must be as many.
    pub agrees: Option<bool>,
    /// Why the report cannot be taken at its word, whatever figure it gives: it contradicts itself, or
    /// another of the provider's reports.
    pub doubts: Vec<String>,
    /// The steps.
    pub steps: Vec<Step>,
    /// Places of percentage points, or of cases, that are shown.
    pub shown_places: u32,
    /// Record of the report.
    pub row_ref: Option<i64>,
}

/// What a case adds to the figure at a step: times counted, times met.
type Share = (i64, i64);

/// The ladder of one window, or none when the provider reported nothing for it.
#[must_use]
pub fn ladder(comparison: &Comparison<'_>, side: &Side<'_>) -> Option<Ladder> {
    let aggregate = comparison.reports.aggregate(side.window);
    if aggregate.is_none() && side.listed.is_empty() {
        return None;
    }
    let cases: std::collections::BTreeSet<&str> =
        side.views.keys().chain(side.listed.keys()).map(AsRef::as_ref).collect();
    let mut tallies = [Tally::default(); 7];
    let mut changed = [0_i64; 7];
    for case in cases {
        let mut former: Option<Share> = None;
        for (place, (times, met)) in shares(comparison, side, case).into_iter().enumerate() {
            if let (Some(tally), Some(count)) = (tallies.get_mut(place), changed.get_mut(place)) {
                tally.numerator += met;
                tally.denominator += times;
                *count += i64::from(former.is_some_and(|former| former != (times, met)));
            }
            former = Some((times, met));
        }
    }
    let (figure, steps) = tallies.split_first()?;
    let metric = side.level.metric;
    let mut ladder = Ladder {
        window: side.window,
        metric,
        metric_id: side.level.metric_id.clone(),
        ours: *figure,
        theirs: None,
        reported: None,
        places: None,
        agrees: None,
        doubts: doubts(side.level.metric, comparison.reports.aggregates_of(side.window)),
        steps: Vec::new(),
        shown_places: 2,
        row_ref: aggregate.map(|row| row.row_ref).or_else(|| first_ref(side)),
    };
    ladder.take_figure(aggregate, side);
    let stated = |of: &dyn Fn(&Stated) -> bool| {
        of(&side.stated) || side.listed.values().flatten().any(|row| of(&row.stated))
    };
    let tested = [
        side.has_list,
        side.has_list,
        side.has_list,
        side.has_list,
        stated(&Stated::states_clock),
        stated(&|stated| stated.calendar.as_ref().is_some_and(|id| comparison.knows_calendar(id))),
        true,
    ];
    ladder.climb(steps, changed.get(1..).unwrap_or_default(), tested);
    Some(ladder)
}

/// What makes reports of one window doubtful: a figure beside counts that do not give it, and sources
/// that report different figures.
fn doubts<'a>(metric: Metric, rows: impl Iterator<Item = &'a ReportRow>) -> Vec<String> {
    let mut found = Vec::new();
    let mut known: Option<(&ReportRow, Exact)> = None;
    let mut rows: Vec<&ReportRow> = rows.collect();
    rows.sort_by_key(|row| (row.reported_us, row.row_ref));
    for row in rows {
        let counted = counts_of(metric, row).and_then(|counts| counts.figure(metric));
        let stated = row.value.map(exact::from_nanos);
        let places = places_written(metric, row);
        if let (Some(counted), Some(stated)) = (counted, stated)
            && !exact::rounds_to(counted, stated, places)
        {
            found.push(format!("report `{}` contradicts its own counts", row.report.0));
        }
        let Some(figure) = counted.or(stated) else { continue };
        match known {
            Some((other, first))
                if !same_figure(first, figure, places.min(places_written(metric, other))) =>
            {
                found.push(format!(
                    "reports `{}` and `{}` give different figures",
                    other.report.0, row.report.0
                ));
            }
            Some(_) => {}
            None => known = Some((row, figure)),
        }
    }
    found
}

/// Whether two figures can be one, when the coarser of them was rounded to these places.
fn same_figure(one: Exact, other: Exact, places: u32) -> bool {
    one == other || exact::rounds_to(one, other, places)
}

/// Places to which a row's figure was rounded: as stated, else as written; a share is never taken for
/// coarser than whole per cents.
fn places_written(metric: Metric, row: &ReportRow) -> u32 {
    let least = if metric == Metric::Volume { 0 } else { 2 };
    row.value.map_or(NANO_PLACES, |value| row.places.unwrap_or_else(|| places_of(value).max(least)))
}

/// Places that a decimal is written with at least.
fn places_of(nanos: i128) -> u32 {
    let mut places = NANO_PLACES;
    let mut rest = nanos;
    while places > 0 && rest % 10 == 0 {
        rest /= 10;
        places -= 1;
    }
    places
}

/// Places of a decimal column.
const NANO_PLACES: u32 = 9;

/// The counts behind a reported figure, when they are given.
fn counts_of(metric: Metric, row: &ReportRow) -> Option<Tally> {
    match (metric, row.numerator, row.denominator) {
        (Metric::Volume, Some(count), None) | (Metric::Volume, _, Some(count)) => {
            Some(Tally { numerator: count, denominator: count })
        }
        (_, Some(numerator), Some(denominator)) => Some(Tally { numerator, denominator }),
        _ => None,
    }
}

fn first_ref(side: &Side<'_>) -> Option<i64> {
    side.listed.values().flatten().map(|row| row.row_ref).min()
}

/// What a case adds to ours and after each of the six steps.
fn shares(comparison: &Comparison<'_>, side: &Side<'_>, case: &str) -> [Share; 7] {
    let views = side.views.get(case).copied();
    let ours = side.ours(case);
    let rows: &[&ReportRow] = side.listed.get(case).map(Vec::as_slice).unwrap_or_default();
    let times = side.times_counted(case);
    let anywhere = comparison.reports.cases.contains_key(case);
    let share = |met: bool, times: i64| -> Share { (times, if met { times } else { 0 }) };
    let start = if let Standing::Counted(met) = ours { share(met, 1) } else { (0, 0) };
    let multiple = times.max(1);
    let mut all = [start; 7];
    let mut set =
        |from: usize, value: Share| all.iter_mut().skip(from).for_each(|share| *share = value);
    match ours {
        Standing::Counted(met) => {
            set(1, share(met, multiple));
            if side.has_list && !anywhere && !moves_away(side, views.as_ref()) {
                set(3, (0, 0));
                return all;
            }
            if !rows.is_empty() && times == 0 {
                set(4, (0, 0));
                return all;
            }
        }
        Standing::Excluded(met) if times > 0 => set(4, share(met, times)),
        Standing::Excluded(_) => return all,
        Standing::Gap | Standing::Pending | Standing::Elsewhere if times > 0 => {
            let moved = views.is_some_and(|views| moves_here(side, &views));
            let listed_at_home = duplicate_of_other_window(comparison, side, case);
            if let Some(met) = listed_at_home {
                // Counted once more in this window: a duplicate across windows.
                set(1, share(met, times));
                return all;
            }
            let decided =
                views.and_then(|views| views.ours).is_some_and(|ours| ours.counted_us.is_some());
            let elsewhere = ours == Standing::Elsewhere && decided;
            if !moved && !elsewhere {
                let met = rows.iter().filter(|row| row.outcome == Some(Reported::Met)).count();
                set(2, (times, i64::try_from(met).unwrap_or(i64::MAX)));
                return all;
            }
        }
        // Without a list the figure itself says which cases the provider's terms put here.
        _ if !side.has_list && views.is_some_and(|views| moves_here(side, &views)) => {}
        _ => return all,
    }
    let floats = side.floating.contains(case);
    for (from, view) in
        [(5, views.and_then(|views| views.clock)), (6, views.and_then(|views| views.calendar))]
    {
        match (side.standing(view), view) {
            (Standing::Counted(met) | Standing::Excluded(met), _) => {
                set(from, share(met, multiple))
            }
            // A row without a period stays where its case is; only its outcome may change.
            (Standing::Elsewhere, Some(view)) if floats => set(from, share(view.met(), multiple)),
            (Standing::Elsewhere, _) => set(from, (0, 0)),
            (Standing::Pending, _) if rows.is_empty() => set(from, (0, 0)),
            (Standing::Gap | Standing::Pending, _) => {}
        }
    }
    all
}

/// Whether the provider's clock, or its clock and calendar, puts a case into this window.
fn moves_here(side: &Side<'_>, views: &Views) -> bool {
    [views.clock, views.calendar]
        .into_iter()
        .any(|view| matches!(side.standing(view), Standing::Counted(_)))
}

/// Whether the provider's terms, all that it stated together, put a case of this window into another, so
/// that its list for this window rightly lacks it.
fn moves_away(side: &Side<'_>, views: Option<&Views>) -> bool {
    let stays =
        |standing| matches!(standing, Standing::Counted(_) | Standing::Excluded(_) | Standing::Gap);
    views.is_some_and(|views| !stays(side.standing(views.calendar)))
}

/// Whether a case that counts in another window by our terms is listed there as well; its outcome.
fn duplicate_of_other_window(
    comparison: &Comparison<'_>,
    side: &Side<'_>,
    case: &str,
) -> Option<bool> {
    let finding = side.views.get(case)?.ours?;
    let at_us =
        finding.counted_us.filter(|_| side.standing(Some(finding)) == Standing::Elsewhere)?;
    let rows = comparison.reports.cases.get(case)?;
    let day = comparison.day(at_us)?;
    let home = |row: &ReportRow| {
        row.period.is_some_and(|period| period.first <= day && day < period.after)
    };
    rows.iter().any(home).then(|| finding.met())
}

impl Ladder {
    /// Takes the provider's figure over: exact counts, a share as rounded, or the list's own counts.
    fn take_figure(&mut self, aggregate: Option<&ReportRow>, side: &Side<'_>) {
        let listed = || {
            let mut tally = Tally::default();
            for row in side.listed.values().flatten() {
                match row.outcome {
                    Some(Reported::Met) => tally.add(true, 1),
                    Some(Reported::Missed) => tally.add(false, 1),
                    _ => {}
                }
            }
            tally
        };
        let counts = aggregate.map_or_else(|| Some(listed()), |row| counts_of(self.metric, row));
        self.theirs = counts;
        self.reported = counts.and_then(|counts| counts.figure(self.metric));
        if self.reported.is_none()
            && let Some(row) = aggregate
        {
            self.reported = row.value.map(exact::from_nanos);
            self.places = row.places;
        }
    }

    fn climb(&mut self, tallies: &[Tally], changed: &[i64], tested: [bool; 7]) {
        let ours = self.ours.figure(self.metric);
        let last = tallies.iter().rev().find_map(|tally| tally.figure(self.metric)).or(ours);
        // What was reported rounded stands for the figure that the steps arrive at, if it rounds so.
        let theirs = match (self.reported, self.places, last) {
            (Some(reported), Some(places), Some(last))
                if exact::rounds_to(last, reported, places) =>
            {
                Some(last)
            }
            (reported, _, _) => reported,
        };
        self.agrees = ours.zip(self.reported).map(|(ours, reported)| {
            self.doubts.is_empty()
                && self.theirs.is_none_or(|theirs| theirs == self.ours)
                && self
                    .places
                    .map_or(ours == reported, |places| exact::rounds_to(ours, reported, places))
        });
        let comparable = ours.is_some() && theirs.is_some();
        let mut former = ours;
        for ((cause, tested), (place, changed)) in
            STEPS.into_iter().zip(tested).zip((0..).zip(changed.iter().copied().chain([0])))
        {
            let after = tallies.get(place).copied().unwrap_or_default();
            let is_rest = cause == "unexplained";
            let figure = if is_rest { theirs } else { after.figure(self.metric).or(former) };
            let part =
                figure.zip(former).map(|(figure, former)| figure - former).filter(|_| comparable);
            let after = if is_rest { self.theirs.unwrap_or_default() } else { after };
            self.steps.push(Step { cause, tested, after, cases: changed, part, shown: None });
            former = figure;
        }
        self.show();
    }

    /// Rounds the parts for display.
    fn show(&mut self) {
        let parts: Option<Vec<Exact>> = self.steps.iter().map(|step| step.part).collect();
        let Some(parts) = parts else { return };
        let per_one = if self.metric == Metric::Volume { 1 } else { 100 };
        let total: Exact = parts.iter().fold(Exact::zero(), |sum, part| sum + part);
        self.shown_places =
            if self.metric == Metric::Volume { 0 } else { exact::places_to_show(total * per_one) };
        let units = exact::largest_remainder(&parts, per_one * 10_i128.pow(self.shown_places));
        for (step, unit) in self.steps.iter_mut().zip(units) {
            step.shown = Some(unit);
        }
    }

    /// Provider's figure less ours, exactly.
    #[must_use]
    pub fn difference(&self) -> Option<Exact> {
        let parts: Option<Vec<Exact>> = self.steps.iter().map(|step| step.part).collect();
        Some(parts?.into_iter().fold(Exact::zero(), |sum, part| sum + part))
    }

    /// Both figures, the difference and its parts, in words.
    #[must_use]
    pub fn summary(&self) -> String {
        let volume = self.metric == Metric::Volume;
        let unit = if volume { "cases" } else { "points" };
        let ours = match self.ours.figure(self.metric) {
            None => "we have no value".to_owned(),
            Some(figure) => format!("we find {}", self.figure_text(figure, Some(self.ours), None)),
        };
        let theirs = match self.reported {
            None => "the provider gives no figure".to_owned(),
            Some(figure) => format!(
                "the provider reports {}",
                self.figure_text(figure, self.theirs, self.places)
            ),
        };
        let doubts: String = self.doubts.iter().map(|doubt| format!("; {doubt}")).collect();
        let Some(shown) = self.steps.iter().map(|step| step.shown).collect::<Option<Vec<_>>>()
        else {
            return format!("{ours}; {theirs}{doubts}");
        };
        let total = exact::signed_text(shown.iter().sum(), self.shown_places);
        let part = |step: &Step| {
            let shown = step.shown.filter(|shown| *shown != 0 || step.cases != 0)?;
            let noun = if step.cases == 1 { "case" } else { "cases" };
            let cases = if step.cause == "unexplained" {
                String::new()
            } else {
                format!(" ({} {noun})", step.cases)
            };
            Some(format!(
                "{} {}{cases}",
                step.cause.replace('-', " "),
                exact::signed_text(shown, self.shown_places)
            ))
        };
        let parts: Vec<String> = self.steps.iter().filter_map(part).collect();
        let parts =
            if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        let untested: Vec<String> = self
            .steps
            .iter()
            .filter(|step| !step.tested)
            .map(|step| step.cause.replace('-', " "))
            .collect();
        let untested = if untested.is_empty() {
            String::new()
        } else {
            format!("; not stated by the provider and so not tested: {}", untested.join(", "))
        };
        format!("{ours}, {theirs}; difference {total} {unit}{parts}{untested}{doubts}")
    }

    fn figure_text(&self, figure: Exact, tally: Option<Tally>, places: Option<u32>) -> String {
        if self.metric == Metric::Volume {
            return exact::plain_text(exact::round_half_even(figure), 0);
        }
        let shown =
            places.map_or(self.shown_places.max(2), |places| places.saturating_sub(2).min(9));
        let percent =
            exact::plain_text(exact::round_half_even(figure * 100 * 10_i128.pow(shown)), shown);
        match tally {
            Some(Tally { numerator, denominator }) => {
                format!("{percent} % ({numerator} of {denominator})")
            }
            None => format!("{percent} %"),
        }
    }
}

/// The ladders of an arrangement and period, by service level and window.
///
/// # Errors
/// A table that lacks a column, or an unknown zone.
pub fn ladders(input: &DeriveInput<'_>) -> Result<Vec<(String, Ladder)>, EngineError> {
    let (terms, cases, reports) = super::report::read_all(input)?;
    let period = Period { first: input.period_first, after: input.period_after };
    let mut found = Vec::new();
    for (id, versions) in &terms.service_levels {
        let Some(reports) = reports.get(id) else { continue };
        let comparison = Comparison::new(id, versions, &terms, &cases, reports, input);
        for side in comparison.sides(period)? {
            found.extend(ladder(&comparison, &side).map(|ladder| (id.to_string(), ladder)));
        }
    }
    Ok(found)
}
