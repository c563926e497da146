//! Derived table `holiday_clash`: days on which a holiday closes one of two teams and the other works,
//! and how that was answered.
//!
//! Owns the comparison of two teams' holidays, for the period and for the twelve months after it. It
//! must never take the end of a calendar for the end of holidays: from there on is one row that says so.
//!
//! Rules
//! - A clash is a civil date on which one team's weekday is worked but for a holiday row that closes it,
//!   and the other team works. A holiday on a free weekday closes nothing; no substitute is made up.
//! - It is due when it falls in the period, or so soon after it that the agreed notice has run out.
//! - Cover counts when the team that covers is at work on that date: by its calendar, or, when so agreed
//!   and once the day is over, by its roster. An answer agreed later than the notice allows is late.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_calendar::Zone;
use jiff::{ToSpan, civil::Date};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    register::{read_keyed, some_text},
    side::{HoursFrom, Keyed, Sides},
    worktime::WorkDay,
};
use crate::{error::EngineError, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct HolidayClashTable;

/// Its name.
pub const NAME: &str = "holiday_clash";

const AHEAD_MONTHS: i64 = 12;

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("team_id", Kind::Text),
    ("other_team_id", Kind::Text),
    ("day", Kind::Date),
    ("off_team_id", Kind::Text),
    ("holiday", Kind::Text),
    ("due", Kind::Flag),
    ("state", Kind::Text),
    ("notice_days", Kind::Integer),
    ("agreed_on", Kind::Date),
    ("reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone)]
struct Term {
    notice_days: Option<i64>,
    hours_from: HoursFrom,
    row_ref: i64,
}

#[derive(Debug, Clone)]
struct Answer {
    team: String,
    other: String,
    day: Date,
    answer: String,
    cover: Option<String>,
    agreed_on: Option<Date>,
    row_ref: i64,
}

#[derive(Debug, Clone, Default)]
struct Row {
    team: Option<String>,
    other: Option<String>,
    day: Option<Date>,
    off: Option<String>,
    holiday: Option<String>,
    due: bool,
    state: &'static str,
    notice_days: Option<i64>,
    agreed_on: Option<Date>,
    reason: Option<String>,
    evidence: Vec<i64>,
    row_ref: Option<i64>,
}

impl Derivation for HolidayClashTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Days on which a holiday closes one of two teams and the other works, in the period and ahead, and how each was answered."
    }

    fn reads(&self) -> &'static [&'static str] {
        &[]
    }

    fn consults(&self) -> &'static [&'static str] {
        &[
            "holiday_term",
            "holiday_cover",
            "team",
            "site",
            "calendar",
            "holiday",
            "shift",
            "evidence_feed",
        ]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let sides = Sides::read(input)?;
        let answers = read_answers(input)?;
        let mut found = Vec::new();
        for ((team, other), versions) in read_terms(input, &sides.zone)? {
            let bounds = (input.period_start_us, input.period_end_us);
            let Some(term) = versions.measuring(bounds) else { continue };
            let as_of_us = input.as_of_us;
            let pair = Pair {
                sides: &sides,
                answers: &answers,
                team: &team,
                other: &other,
                term,
                as_of_us,
            };
            found.extend(pair.rows(input));
        }
        if found.is_empty() {
            let reason = Some("no answer to holidays is agreed (`holiday_term`)".to_owned());
            found.push(Row { state: "gap", due: true, reason, ..Row::default() });
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

struct Pair<'a> {
    sides: &'a Sides,
    answers: &'a [Answer],
    team: &'a str,
    other: &'a str,
    term: &'a Term,
    as_of_us: i64,
}

impl Pair<'_> {
    fn rows(&self, input: &DeriveInput<'_>) -> Vec<Row> {
        let blank = Row {
            team: Some(self.team.to_owned()),
            other: Some(self.other.to_owned()),
            notice_days: self.term.notice_days,
            row_ref: Some(self.term.row_ref),
            ..Row::default()
        };
        let Some(notice) = self.term.notice_days else {
            let reason = Some("it was agreed that no answer is needed".to_owned());
            return vec![Row { state: "none-needed", reason, ..blank }];
        };
        let due_until = input.period_after.saturating_add(notice.max(0).days());
        let end = input.period_after.saturating_add(AHEAD_MONTHS.months()).max(due_until);
        let (mut found, mut day) = (Vec::new(), input.period_first);
        while day < end {
            let blank = Row { day: Some(day), due: day < due_until, ..blank.clone() };
            match self.day(day) {
                Ok(Some(clash)) => found.push(self.answered(clash, day, notice, &blank)),
                Ok(None) => {}
                Err(reason) => {
                    found.push(Row { state: "gap", reason: Some(reason), ..blank });
                    // What is not known today is not known tomorrow; one row says so.
                    break;
                }
            }
            day = day.tomorrow().unwrap_or(Date::MAX);
        }
        if !found.iter().any(|row| row.due) {
            let reason = Some(format!("no holiday of one team alone before {due_until}"));
            found.push(Row { state: "none", due: true, reason, ..blank });
        }
        found
    }

    fn day(&self, day: Date) -> Result<Option<(String, WorkDay)>, String> {
        let near = self.sides.zone.day_start_us(day).map_err(|error| error.to_string())?;
        let of = |team: &str| -> Result<WorkDay, String> {
            self.sides.calendar_of(team, near)?.day(day).map_err(|gap| gap.to_string())
        };
        let (own, theirs) = (of(self.team)?, of(self.other)?);
        let closed = |day: &WorkDay| day.usual && !day.works && day.holiday.is_some();
        Ok(match (closed(&own), closed(&theirs)) {
            (true, false) if theirs.works => Some((self.team.to_owned(), own)),
            (false, true) if own.works => Some((self.other.to_owned(), theirs)),
            _ => None,
        })
    }

    fn answered(
        &self,
        (off, closed): (String, WorkDay),
        day: Date,
        notice: i64,
        blank: &Row,
    ) -> Row {
        let mut row =
            Row { off: Some(off), holiday: closed.holiday, evidence: closed.refs, ..blank.clone() };
        let pair = |answer: &&Answer| {
            answer.day == day
                && ((answer.team == self.team && answer.other == self.other)
                    || (answer.team == self.other && answer.other == self.team))
        };
        let Some(answer) = self.answers.iter().find(pair) else {
            row.state = "open";
            row.reason = Some("nothing was agreed for it".to_owned());
            return row;
        };
        row.evidence.push(answer.row_ref);
        row.agreed_on = answer.agreed_on;
        let limit = day.saturating_sub(notice.max(0).days());
        (row.state, row.reason) = match (answer.agreed_on, answer.answer.as_str(), &answer.cover) {
            (None, _, _) => ("gap", Some("the answer does not say when it was agreed".to_owned())),
            (Some(agreed), _, _) if agreed > limit => {
                ("late", Some(format!("agreed on {agreed}, to be agreed by {limit}")))
            }
            (_, "cover", None) => ("gap", Some("the answer names no team that covers".to_owned())),
            (_, "cover", Some(cover)) => match self.manned(cover, day, &mut row.evidence) {
                Ok(true) => ("answered", Some(format!("`{cover}` covers"))),
                Ok(false) => {
                    ("not-manned", Some(format!("`{cover}` was to cover and is not at work")))
                }
                Err(reason) => ("gap", Some(reason)),
            },
            (_, "common-day", _) => ("answered", Some("both follow a common schedule".to_owned())),
            _ => ("answered", Some("both agreed that nothing is due".to_owned())),
        };
        row
    }

    /// Whether a team is at work on a civil date of its site.
    fn manned(&self, team: &str, day: Date, evidence: &mut Vec<i64>) -> Result<bool, String> {
        let near = self.sides.zone.day_start_us(day).map_err(|error| error.to_string())?;
        let zone = self.sides.zone_of(team, near)?;
        let start = |day: Date| zone.day_start_us(day).map_err(|error| error.to_string());
        let span = (start(day)?, start(day.tomorrow().unwrap_or(Date::MAX))?);
        let over = span.1 <= self.as_of_us;
        let from = if over { self.term.hours_from } else { HoursFrom::Calendar };
        let (spans, refs) = self.sides.at_work(team, span, from)?;
        evidence.extend(refs);
        Ok(!spans.is_empty())
    }
}

fn read_terms(
    input: &DeriveInput<'_>,
    zone: &Zone,
) -> Result<Keyed<(String, String), Term>, EngineError> {
    const TABLE: &str = "holiday_term";
    read_keyed(input, zone, TABLE, |batch| {
        let text = |name| rows::texts(batch, TABLE, name);
        let (teams, others, hours) =
            (text("team_id")?, text("other_team_id")?, text("hours_from")?);
        let notice = rows::integers(batch, TABLE, "notice_days")?;
        let refs = rows::integers(batch, TABLE, "_ref")?;
        Ok(move |row, _| {
            let (team, other) = some_text(&teams, row).zip(some_text(&others, row))?;
            let term = Term {
                notice_days: rows::integer(&notice, row),
                hours_from: HoursFrom::parse(some_text(&hours, row)),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            Some(((team.to_owned(), other.to_owned()), term))
        })
    })
}

fn read_answers(input: &DeriveInput<'_>) -> Result<Vec<Answer>, EngineError> {
    const TABLE: &str = "holiday_cover";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (teams, others, answers, covers) =
            (text("team_id")?, text("other_team_id")?, text("answer")?, text("cover_team_id")?);
        let (days, agreed) =
            (rows::dates(&batch, TABLE, "on_date")?, rows::dates(&batch, TABLE, "agreed_on")?);
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some(day) = rows::date(&days, row) else { continue };
            found.push(Answer {
                team: some_text(&teams, row).unwrap_or_default().to_owned(),
                other: some_text(&others, row).unwrap_or_default().to_owned(),
                day,
                answer: some_text(&answers, row).unwrap_or_default().to_owned(),
                cover: some_text(&covers, row).map(str::to_owned),
                agreed_on: rows::date(&agreed, row),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    found.sort_by_key(|answer| answer.row_ref);
    Ok(found)
}

fn table(
    arrangement_id: &str,
    found: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let arrays = vec![
        array::texts(found.iter().map(|_| Some(arrangement_id))),
        array::texts(found.iter().map(|row| row.team.as_deref())),
        array::texts(found.iter().map(|row| row.other.as_deref())),
        array::dates(found.iter().map(|row| row.day)),
        array::texts(found.iter().map(|row| row.off.as_deref())),
        array::texts(found.iter().map(|row| row.holiday.as_deref())),
        array::flags(found.iter().map(|row| Some(row.due))),
        array::texts(found.iter().map(|row| Some(row.state))),
        array::integers(found.iter().map(|row| row.notice_days)),
        array::dates(found.iter().map(|row| row.agreed_on)),
        array::texts(found.iter().map(|row| row.reason.as_deref())),
        array::refs(found.iter().map(|row| row.evidence.as_slice())),
        array::integers(found.iter().map(|row| row.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}
