//! Derived table `lot_state`: every lot under every plan agreed for its stream: severity in force, plan,
//! what was inspected and found, verdict, and the severity of the next lot.
//!
//! Owns the walk from lot to lot. Plans and switching are those of `backstay-sampling`; the draw is
//! redone from the lot's seed. It must never be kinder for want of evidence: a lot of which not every
//! item drawn was inspected, and a number that is missing between two lots, count as not accepted.

use std::collections::{BTreeMap, BTreeSet};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_sampling::{
    Aql, Letter, Level, Lot, Plan, SamplingError, Severity, State, Verdict, code_letter,
    draw::{DRAW, numbers},
    plan,
};
use jiff::civil::Date;

use super::{
    super::{
        Derivation, DeriveInput,
        array::{self, Kind},
    },
    history,
    record::{self, Judgement, LotRow, PlanRow, Term},
};
use crate::{
    error::EngineError,
    period::{day_of_us, day_start_us},
};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct LotStateTable;

/// Its name.
pub const NAME: &str = "lot_state";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("stream", Kind::Text),
    ("defect_class", Kind::Text),
    ("lot_id", Kind::Text),
    ("lot_number", Kind::Integer),
    ("counts_on", Kind::Date),
    ("submitted_at", Kind::Instant),
    ("item_count", Kind::Integer),
    ("severity", Kind::Text),
    ("code_letter", Kind::Text),
    ("sample_size", Kind::Integer),
    ("accept", Kind::Integer),
    ("refuse", Kind::Integer),
    ("inspected", Kind::Integer),
    ("not_inspected", Kind::Integer),
    ("not_drawn", Kind::Integer),
    ("nonconforming", Kind::Integer),
    ("verdict", Kind::Text),
    ("disposition", Kind::Text),
    ("score", Kind::Integer),
    ("severity_after", Kind::Text),
    ("discontinued_after", Kind::Flag),
    ("faults", Kind::Text),
    ("gap_reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

/// One row.
#[derive(Debug, Clone, Default)]
struct Row {
    stream: String,
    class: String,
    lot: String,
    number: Option<i64>,
    counts_on: Option<Date>,
    at_us: Option<i64>,
    items: Option<u64>,
    by: Option<Plan>,
    inspected: Option<u64>,
    not_inspected: Option<u64>,
    not_drawn: Option<u64>,
    nonconforming: Option<u64>,
    verdict: Option<&'static str>,
    disposition: Option<String>,
    after: Option<State>,
    faults: Vec<String>,
    gap: Option<String>,
    refs: Vec<i64>,
    row_ref: Option<i64>,
}

impl Derivation for LotStateTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Each lot under each sampling plan: severity in force, sample, defects, verdict, and the severity after it."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["quality_term", "sampling_plan", "lot", "inspection"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["corrective_action", "evidence_feed", "calendar", "holiday"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let rows = rows(input)?;
        table(input.arrangement_id, &rows, self.schema())
    }
}

fn rows(input: &DeriveInput<'_>) -> Result<Vec<Row>, EngineError> {
    let terms = record::terms(input)?;
    let plans = record::plans(input)?;
    let lots = record::lots(input)?;
    let judgements = record::judgements(input)?;
    let done = record::actions_done(input)?;
    let mut found = Vec::new();
    for term in terms.values().filter(|term| term.sampled) {
        let of_stream: Vec<&LotRow> = lots.iter().filter(|lot| lot.stream == term.stream).collect();
        let past = past(input, &of_stream)?;
        let classes: BTreeSet<&str> = plans
            .iter()
            .filter(|plan| plan.stream == term.stream)
            .map(|plan| plan.class.as_str())
            .collect();
        if classes.is_empty() {
            found.push(silent(
                term,
                "plan",
                input.period_first,
                "no sampling plan is agreed for the stream",
            ));
        }
        let mut submitted = false;
        for lot in &of_stream {
            submitted |= (input.period_start_us..input.period_end_us).contains(&lot.at_us);
        }
        if !submitted {
            let why = "no lot of the stream was handed in within the period";
            found.push(silent(term, "lots", input.period_first, why));
        }
        let samples = Samples::of(&judgements, &term.stream);
        for class in classes {
            let walk = Walk { input, plans: &plans, samples: &samples, done: &done, class };
            walk.stream(&of_stream, past.as_deref(), &mut found)?;
        }
    }
    Ok(found)
}

/// What is lacking of the days before the period on which the state of its lots rests.
fn past(input: &DeriveInput<'_>, lots: &[&LotRow]) -> Result<Option<String>, EngineError> {
    let Some(first) = lots.iter().map(|lot| lot.at_us).min() else { return Ok(None) };
    let first = day_of_us(input.zone, first)?;
    for table in [("lot", "submitted_at"), ("inspection", "inspected_at")] {
        if let Some(reason) = history::lacking(input, table, first)? {
            return Ok(Some(format!("the severity in force rests on earlier lots: {reason}")));
        }
    }
    Ok(None)
}

fn silent(term: &Term, lot: &str, on: Date, why: &str) -> Row {
    Row {
        stream: term.stream.clone(),
        lot: lot.to_owned(),
        counts_on: Some(on),
        gap: Some(why.to_owned()),
        refs: vec![term.row_ref],
        row_ref: Some(term.row_ref),
        ..Row::default()
    }
}

/// First judgements of the items of each lot.
struct Samples<'a>(BTreeMap<&'a str, Vec<&'a Judgement>>);

impl<'a> Samples<'a> {
    fn of(judgements: &'a [Judgement], stream: &str) -> Self {
        let mut found: BTreeMap<&str, Vec<&Judgement>> = BTreeMap::new();
        for judgement in judgements.iter().filter(|one| one.stream == stream && !one.blind) {
            if let Some(lot) = &judgement.lot {
                found.entry(lot).or_default().push(judgement);
            }
        }
        Self(found)
    }

    fn get(&self, lot: &str) -> &[&'a Judgement] {
        self.0.get(lot).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The lots of a stream under the plan of one class.
struct Walk<'a> {
    input: &'a DeriveInput<'a>,
    plans: &'a [PlanRow],
    samples: &'a Samples<'a>,
    done: &'a BTreeMap<String, Date>,
    class: &'a str,
}

impl Walk<'_> {
    fn stream(
        &self,
        lots: &[&LotRow],
        past: Option<&str>,
        found: &mut Vec<Row>,
    ) -> Result<(), EngineError> {
        let mut state = State::start();
        let mut expected = 1;
        for lot in lots {
            let day = day_of_us(self.input.zone, lot.at_us)?;
            let Some(agreed) = self.agreed(&lot.stream, day) else {
                expected = expected.max(lot.number + 1);
                continue;
            };
            let known = plan_of(agreed, lot, state.severity());
            for missing in expected..lot.number {
                found.push(self.missing(lot, missing, day));
                if let Ok(by) = &known {
                    state.judge(by, &not_accepted(by, lot, agreed));
                }
                // Nobody counts a hole of thousands one by one.
                if missing - expected >= 20 {
                    break;
                }
            }
            expected = expected.max(lot.number + 1);
            self.resume(lot, &mut state)?;
            let mut row = match plan_of(agreed, lot, state.severity()) {
                Ok(by) => self.judge(lot, agreed, by, &mut state)?,
                Err(error) => self.blank(lot, agreed, Some(error.to_string())),
            };
            row.counts_on = Some(day);
            if let Some(past) = past {
                row.gap.get_or_insert_with(|| past.to_owned());
            }
            found.push(row);
        }
        Ok(())
    }

    fn agreed(&self, stream: &str, day: Date) -> Option<&PlanRow> {
        self.plans.iter().find(|plan| {
            plan.stream == stream
                && plan.class == self.class
                && plan.days.0 <= day
                && day < plan.days.1
        })
    }

    fn missing(&self, before: &LotRow, number: i64, day: Date) -> Row {
        Row {
            stream: before.stream.clone(),
            class: self.class.to_owned(),
            lot: format!("number {number}"),
            number: Some(number),
            counts_on: Some(day),
            gap: Some(format!("lot number {number} is not held; it counts as not accepted")),
            refs: vec![before.row_ref],
            row_ref: Some(before.row_ref),
            ..Row::default()
        }
    }

    /// Acceptance goes on after an action that was done before the lot was handed in.
    fn resume(&self, lot: &LotRow, state: &mut State) -> Result<(), EngineError> {
        let done = lot.resumed_after.as_ref().and_then(|action| self.done.get(action));
        if let Some(day) = done
            && day_start_us(self.input.zone, *day)? <= lot.at_us
        {
            state.resume();
        }
        Ok(())
    }

    fn blank(&self, lot: &LotRow, agreed: &PlanRow, gap: Option<String>) -> Row {
        Row {
            stream: lot.stream.clone(),
            class: self.class.to_owned(),
            lot: lot.lot.clone(),
            number: Some(lot.number),
            at_us: Some(lot.at_us),
            items: Some(lot.items),
            disposition: lot.disposition.clone(),
            gap,
            refs: vec![lot.row_ref, agreed.row_ref],
            row_ref: Some(lot.row_ref),
            ..Row::default()
        }
    }

    fn judge(
        &self,
        lot: &LotRow,
        agreed: &PlanRow,
        by: Plan,
        state: &mut State,
    ) -> Result<Row, EngineError> {
        let mut row = self.blank(lot, agreed, None);
        row.by = Some(by);
        let size = by.sample_size.min(lot.items);
        let sample = self.samples.get(&lot.lot);
        let inspected: BTreeSet<u64> = sample.iter().filter_map(|one| one.item).collect();
        let drawn = lot.seed.as_ref().map(|seed| numbers(DRAW, seed, &lot.lot, lot.items, size));
        // Another class may draw more of the same ranking.
        let largest = self.largest_sample(lot, by.severity);
        let allowed = lot
            .seed
            .as_ref()
            .and_then(|seed| numbers(DRAW, seed, &lot.lot, lot.items, largest).ok());
        let drawn = match drawn {
            Some(Ok(drawn)) => Some(drawn),
            Some(Err(error)) => {
                row.gap = Some(error.to_string());
                None
            }
            None => {
                row.gap = Some("the lot states no seed, so its draw cannot be redone".to_owned());
                None
            }
        };
        let (missing, foreign) = match (&drawn, &allowed) {
            (Some(drawn), Some(allowed)) => {
                (drawn.difference(&inspected).count(), inspected.difference(allowed).count())
            }
            _ => (usize::try_from(size).unwrap_or(usize::MAX).saturating_sub(inspected.len()), 0),
        };
        let counts = |one: &&&Judgement| {
            one.outcome == self.class
                && one.item.is_some_and(|item| drawn.as_ref().is_none_or(|set| set.contains(&item)))
        };
        let bad: BTreeSet<u64> = sample.iter().filter(counts).filter_map(|one| one.item).collect();
        let (missing, bad) = (missing as u64, bad.len() as u64);
        row.inspected = Some(inspected.len() as u64);
        row.not_inspected = Some(missing);
        row.not_drawn = Some(foreign as u64);
        row.nonconforming = Some(bad);
        row.refs.extend(sample.iter().filter(counts).map(|one| one.row_ref));
        self.conclude(&mut row, lot, agreed, &by, (missing, bad), state);
        Ok(row)
    }

    fn largest_sample(&self, lot: &LotRow, severity: Severity) -> u64 {
        // Classes may stand at different severities, so the largest of all is what may be drawn.
        let of_plan = |agreed: &PlanRow| {
            let sizes = Severity::ALL.map(|other| {
                plan_of(agreed, lot, other).map_or(0, |by| by.sample_size.min(lot.items))
            });
            let one = plan_of(agreed, lot, severity).map_or(0, |by| by.sample_size.min(lot.items));
            if agreed.class == self.class { one } else { sizes.into_iter().max().unwrap_or(one) }
        };
        let of_stream = self.plans.iter().filter(|agreed| agreed.stream == lot.stream);
        of_stream.map(of_plan).max().unwrap_or_default()
    }

    fn conclude(
        &self,
        row: &mut Row,
        lot: &LotRow,
        agreed: &PlanRow,
        by: &Plan,
        (missing, bad): (u64, u64),
        state: &mut State,
    ) {
        let was_stopped = state.is_discontinued();
        let mut given = given(lot, agreed, bad);
        if missing > 0 {
            given.nonconforming = given.nonconforming.max(by.refuse);
        }
        let verdict = state.judge(by, &given);
        // What was found can refuse a lot before everything is looked at; it cannot accept it.
        let is_known = missing == 0 || bad >= by.refuse;
        row.verdict = is_known.then_some(if Verdict::of(by, bad).is_accepted() {
            "accepted"
        } else {
            "refused"
        });
        row.after = Some(state.clone());
        if missing > 0 {
            row.faults.push(format!(
                "{missing} of {} items drawn were not inspected",
                by.sample_size.min(lot.items)
            ));
        }
        if let Some(foreign) = row.not_drawn.filter(|count| *count > 0) {
            row.faults.push(format!("{foreign} items inspected were not drawn"));
        }
        if was_stopped {
            row.faults
                .push("acceptance is discontinued, and no action to resume it was done".to_owned());
        }
        match (row.disposition.as_deref(), verdict.is_accepted() && is_known) {
            (None, _) => {
                row.gap.get_or_insert_with(|| "nothing was decided about the lot yet".to_owned());
            }
            (Some("accepted"), false) if !is_known => {
                row.faults.push("the lot was accepted before its sample was inspected".to_owned());
            }
            (Some("accepted"), false) => row.faults.push(format!(
                "the lot was accepted with {bad} nonconforming items, {} inspection refuses it from {} on",
                by.severity.word(),
                by.refuse
            )),
            _ => {}
        }
    }
}

fn plan_of(agreed: &PlanRow, lot: &LotRow, severity: Severity) -> Result<Plan, SamplingError> {
    let aql = format!("{}.{:03}", agreed.aql / 1000, agreed.aql % 1000);
    let letter: Letter = code_letter(lot.items, Level::parse(&agreed.level)?)?;
    Ok(plan(letter, Aql::parse(&aql)?, severity))
}

fn given(lot: &LotRow, agreed: &PlanRow, nonconforming: u64) -> Lot {
    Lot {
        nonconforming,
        original: !lot.resubmission,
        steady: !lot.irregular,
        reduced_allowed: agreed.reduced_allowed,
    }
}

fn not_accepted(by: &Plan, lot: &LotRow, agreed: &PlanRow) -> Lot {
    Lot { original: true, ..given(lot, agreed, by.refuse) }
}

fn table(
    arrangement_id: &str,
    rows: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let number = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok());
    let faults: Vec<Option<String>> =
        rows.iter().map(|row| (!row.faults.is_empty()).then(|| row.faults.join("; "))).collect();
    let letters: Vec<Option<String>> =
        rows.iter().map(|row| row.by.map(|by| by.letter.to_string())).collect();
    let size = |row: &Row| Some(row.by?.sample_size.min(row.items?));
    let arrays = vec![
        array::texts(rows.iter().map(|_| Some(arrangement_id))),
        array::texts(rows.iter().map(|row| Some(row.stream.as_str()))),
        array::texts(rows.iter().map(|row| Some(row.class.as_str()))),
        array::texts(rows.iter().map(|row| Some(row.lot.as_str()))),
        array::integers(rows.iter().map(|row| row.number)),
        array::dates(rows.iter().map(|row| row.counts_on)),
        array::instants(rows.iter().map(|row| row.at_us)),
        array::integers(rows.iter().map(|row| number(row.items))),
        array::texts(rows.iter().map(|row| row.by.map(|by| by.severity.word()))),
        array::texts(letters.iter().map(Option::as_deref)),
        array::integers(rows.iter().map(|row| number(size(row)))),
        array::integers(rows.iter().map(|row| number(row.by.map(|by| by.accept)))),
        array::integers(rows.iter().map(|row| number(row.by.map(|by| by.refuse)))),
        array::integers(rows.iter().map(|row| number(row.inspected))),
        array::integers(rows.iter().map(|row| number(row.not_inspected))),
        array::integers(rows.iter().map(|row| number(row.not_drawn))),
        array::integers(rows.iter().map(|row| number(row.nonconforming))),
        array::texts(rows.iter().map(|row| row.verdict)),
        array::texts(rows.iter().map(|row| row.disposition.as_deref())),
        array::integers(
            rows.iter().map(|row| row.after.as_ref().map(|state| i64::from(state.score()))),
        ),
        array::texts(
            rows.iter().map(|row| row.after.as_ref().map(|state| state.severity().word())),
        ),
        array::flags(rows.iter().map(|row| row.after.as_ref().map(State::is_discontinued))),
        array::texts(faults.iter().map(Option::as_deref)),
        array::texts(rows.iter().map(|row| row.gap.as_deref())),
        array::refs(rows.iter().map(|row| row.refs.as_slice())),
        array::integers(rows.iter().map(|row| row.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}
