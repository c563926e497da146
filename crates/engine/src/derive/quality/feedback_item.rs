//! Derived table `feedback_item`: for each cause of defects, whether an action was raised in time; for
//! each action, whether it was done in time and whether its cause came back within ninety days.
//!
//! Owns which defects and actions are looked at in a period: those whose day falls into it, and those
//! that stay open from before. It must never judge a day that is not over.

use std::collections::BTreeMap;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use jiff::{ToSpan as _, civil::Date};

use super::{
    super::{
        Derivation, DeriveInput,
        array::{self, Kind},
        register::some_text,
    },
    history,
};
use crate::{error::EngineError, period::day_of_us, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct FeedbackItemTable;

/// Its name.
pub const NAME: &str = "feedback_item";

/// Days after an action in which its cause must not come back.
pub const WATCH_DAYS: i64 = 90;

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("kind", Kind::Text),
    ("subject", Kind::Text),
    ("stream", Kind::Text),
    ("cause", Kind::Text),
    ("action_id", Kind::Text),
    ("found_on", Kind::Date),
    ("due_on", Kind::Date),
    ("raised_on", Kind::Date),
    ("done_on", Kind::Date),
    ("back_on", Kind::Date),
    ("times", Kind::Integer),
    ("sentence", Kind::Text),
    ("gap_reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone, Default)]
struct Row {
    kind: &'static str,
    subject: String,
    stream: String,
    cause: String,
    action: Option<String>,
    found: Option<Date>,
    due: Option<Date>,
    raised: Option<Date>,
    done: Option<Date>,
    back: Option<Date>,
    times: i64,
    gap: Option<String>,
    refs: Vec<i64>,
    row_ref: i64,
}

#[derive(Debug, Clone)]
struct Defect {
    stream: String,
    cause: String,
    is_grave: bool,
    day: Date,
    row_ref: i64,
}

#[derive(Debug, Clone)]
struct Action {
    id: String,
    stream: String,
    cause: String,
    raised: Date,
    due: Date,
    done: Option<Date>,
    row_ref: i64,
}

impl Derivation for FeedbackItemTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Causes of defects and the actions against them: raised and done in time, and not back within 90 days."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["quality_term", "defect"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["corrective_action", "evidence_feed", "calendar", "holiday"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        // The day that is still running is not over.
        let today = day_of_us(input.zone, input.as_of_us)?.min(input.period_after);
        let defects = defects(input)?;
        let actions = actions(input)?;
        let mut found = Vec::new();
        let days = action_days(input)?;
        let longest = days.values().flatten().max().copied().unwrap_or_default();
        let first = input.period_first.checked_sub(longest.days()).unwrap_or(input.period_first);
        let past = history::lacking_since_declared(input, ("defect", "found_at"), first)?;
        if let Some(reason) = past {
            found.push(Row {
                kind: "raised",
                subject: "defects before the period".to_owned(),
                gap: Some(reason),
                ..Row::default()
            });
        }
        raised(input, &defects, &actions, &days, today, &mut found);
        for action in &actions {
            done(input, action, today, &mut found);
            not_back(input, action, &defects, &mut found);
        }
        found.sort_by(|a, b| (&a.subject, a.row_ref).cmp(&(&b.subject, b.row_ref)));
        table(input.arrangement_id, &found, self.schema())
    }
}

/// Days within which an action must be raised, by stream.
fn action_days(input: &DeriveInput<'_>) -> Result<BTreeMap<String, Option<i64>>, EngineError> {
    const TABLE: &str = "quality_term";
    let last = input.period_after.yesterday().unwrap_or(input.period_first);
    let mut found = BTreeMap::new();
    for batch in input.tables.batches(TABLE)? {
        let streams = rows::texts(&batch, TABLE, "stream")?;
        let days = rows::integers(&batch, TABLE, "action_days")?;
        let (from, to) =
            (rows::dates(&batch, TABLE, "valid_from")?, rows::dates(&batch, TABLE, "valid_to")?);
        for row in 0..batch.num_rows() {
            let holds = rows::date(&from, row).is_none_or(|day| day <= last)
                && rows::date(&to, row).is_none_or(|day| last < day);
            if let Some(stream) = some_text(&streams, row).filter(|_| holds) {
                found.insert(stream.to_owned(), rows::integer(&days, row));
            }
        }
    }
    Ok(found)
}

fn defects(input: &DeriveInput<'_>) -> Result<Vec<Defect>, EngineError> {
    const TABLE: &str = "defect";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (streams, causes, classes) = (text("stream")?, text("cause")?, text("defect_class")?);
        let at = rows::instants(&batch, TABLE, "found_at")?;
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some(at) = rows::instant(&at, row).filter(|at| *at < input.as_of_us) else {
                continue;
            };
            found.push(Defect {
                stream: some_text(&streams, row).unwrap_or_default().to_owned(),
                cause: some_text(&causes, row).unwrap_or_default().to_owned(),
                is_grave: matches!(some_text(&classes, row), Some("critical" | "major")),
                day: day_of_us(input.zone, at)?,
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    found.sort_by_key(|defect| (defect.day, defect.row_ref));
    Ok(found)
}

fn actions(input: &DeriveInput<'_>) -> Result<Vec<Action>, EngineError> {
    const TABLE: &str = "corrective_action";
    let as_of = day_of_us(input.zone, input.as_of_us)?;
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let day = |name| rows::dates(&batch, TABLE, name);
        let (ids, streams, causes) = (text("action_id")?, text("stream")?, text("cause")?);
        let (raised, due, done) = (day("raised_on")?, day("due_on")?, day("done_on")?);
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let days = rows::date(&raised, row).zip(rows::date(&due, row));
            let Some((raised, due)) = days.filter(|(raised, _)| *raised <= as_of) else { continue };
            found.push(Action {
                id: some_text(&ids, row).unwrap_or_default().to_owned(),
                stream: some_text(&streams, row).unwrap_or_default().to_owned(),
                cause: some_text(&causes, row).unwrap_or_default().to_owned(),
                raised,
                due,
                done: rows::date(&done, row).filter(|done| *done <= as_of),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    found.sort_by(|a, b| (&a.id, a.row_ref).cmp(&(&b.id, b.row_ref)));
    Ok(found)
}

/// Each cause of critical and major defects by whose time an action had to be raised: the first
/// defect without one in time, else the first.
fn raised(
    input: &DeriveInput<'_>,
    defects: &[Defect],
    actions: &[Action],
    days: &BTreeMap<String, Option<i64>>,
    today: Date,
    found: &mut Vec<Row>,
) {
    let mut causes: BTreeMap<(&str, &str), Vec<Row>> = BTreeMap::new();
    for defect in defects.iter().filter(|defect| defect.is_grave) {
        let allowed = days.get(&defect.stream).copied().flatten();
        let mut row = Row {
            kind: "raised",
            subject: format!("{}: {}", defect.stream, defect.cause),
            stream: defect.stream.clone(),
            cause: defect.cause.clone(),
            found: Some(defect.day),
            refs: vec![defect.row_ref],
            row_ref: defect.row_ref,
            ..Row::default()
        };
        let Some(allowed) = allowed else {
            if input.period_first <= defect.day && defect.day < input.period_after {
                row.gap = Some("no time is agreed within which an action is raised".to_owned());
                causes.entry((&defect.stream, &defect.cause)).or_default().push(row);
            }
            continue;
        };
        // An action that was done before the defect was found did not know of it.
        let answer = actions
            .iter()
            .filter(|action| action.stream == defect.stream && action.cause == defect.cause)
            .filter(|action| action.done.is_none_or(|done| done >= defect.day))
            .min_by_key(|action| (action.raised, action.row_ref));
        let due = defect.day.checked_add(allowed.days()).unwrap_or(Date::MAX);
        let open_before = answer.is_none_or(|action| action.raised >= input.period_first);
        if due >= today || (due < input.period_first && !open_before) {
            continue;
        }
        row.due = Some(due);
        row.raised = answer.map(|action| action.raised);
        row.action = answer.map(|action| action.id.clone());
        row.refs.extend(answer.map(|action| action.row_ref));
        causes.entry((&defect.stream, &defect.cause)).or_default().push(row);
    }
    for rows in causes.into_values() {
        let times = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let late =
            |row: &&Row| row.gap.is_none() && row.raised.is_none_or(|day| Some(day) > row.due);
        let one = rows.iter().find(late).or_else(|| rows.first());
        found.extend(one.map(|row| Row { times, ..row.clone() }));
    }
}

/// An action that was due in the period, or is overdue from before.
fn done(input: &DeriveInput<'_>, action: &Action, today: Date, found: &mut Vec<Row>) {
    let open_before = action.done.is_none_or(|done| done >= input.period_first);
    if action.due >= today || (action.due < input.period_first && !open_before) {
        return;
    }
    found.push(Row {
        kind: "done",
        subject: format!("{} done", action.id),
        due: Some(action.due),
        ..of_action(action)
    });
}

/// An action whose ninety days reach into the period.
fn not_back(input: &DeriveInput<'_>, action: &Action, defects: &[Defect], found: &mut Vec<Row>) {
    let Some(done) = action.done else { return };
    let end = done.checked_add(WATCH_DAYS.days()).unwrap_or(Date::MAX);
    if end < input.period_first || done >= input.period_after {
        return;
    }
    let back: Vec<&Defect> = defects
        .iter()
        .filter(|defect| defect.stream == action.stream && defect.cause == action.cause)
        .filter(|defect| done < defect.day && defect.day <= end)
        .filter(|defect| input.period_first <= defect.day && defect.day < input.period_after)
        .collect();
    let mut row = Row {
        kind: "not-back",
        subject: format!("{} not back", action.id),
        due: Some(end),
        back: back.first().map(|defect| defect.day),
        times: i64::try_from(back.len()).unwrap_or(i64::MAX),
        ..of_action(action)
    };
    row.refs.extend(back.iter().map(|defect| defect.row_ref));
    found.push(row);
}

fn of_action(action: &Action) -> Row {
    Row {
        stream: action.stream.clone(),
        cause: action.cause.clone(),
        action: Some(action.id.clone()),
        raised: Some(action.raised),
        done: action.done,
        refs: vec![action.row_ref],
        row_ref: action.row_ref,
        ..Row::default()
    }
}

/// What was found, in words.
fn sentence(row: &Row) -> String {
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    match row.kind {
        "raised" => {
            let times = match row.times {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            let answer = match (&row.action, row.raised) {
                (Some(action), Some(raised)) => format!("action {action} was raised on {raised}"),
                _ => "no action was raised".to_owned(),
            };
            format!("found on {}, {times}; {answer}", day(row.found))
        }
        "done" => {
            let done = row.done.map_or("not done".to_owned(), |done| format!("done on {done}"));
            format!("due on {}, {done}", day(row.due))
        }
        _ => match row.back {
            Some(back) => format!(
                "{} came back on {back} after {}, {} times in the period",
                row.cause,
                day(row.done),
                row.times
            ),
            None => format!(
                "{} has not come back since {}; it is watched until {}",
                row.cause,
                day(row.done),
                day(row.due)
            ),
        },
    }
}

fn table(
    arrangement_id: &str,
    found: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let sentences: Vec<String> = found.iter().map(sentence).collect();
    let arrays = vec![
        array::texts(found.iter().map(|_| Some(arrangement_id))),
        array::texts(found.iter().map(|row| Some(row.kind))),
        array::texts(found.iter().map(|row| Some(row.subject.as_str()))),
        array::texts(found.iter().map(|row| Some(row.stream.as_str()))),
        array::texts(found.iter().map(|row| Some(row.cause.as_str()))),
        array::texts(found.iter().map(|row| row.action.as_deref())),
        array::dates(found.iter().map(|row| row.found)),
        array::dates(found.iter().map(|row| row.due)),
        array::dates(found.iter().map(|row| row.raised)),
        array::dates(found.iter().map(|row| row.done)),
        array::dates(found.iter().map(|row| row.back)),
        array::integers(found.iter().map(|row| Some(row.times))),
        array::texts(sentences.iter().map(|said| Some(said.as_str()))),
        array::texts(found.iter().map(|row| row.gap.as_deref())),
        array::refs(found.iter().map(|row| row.refs.as_slice())),
        array::integers(found.iter().map(|row| Some(row.row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
