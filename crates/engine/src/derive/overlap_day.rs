//! Derived table `overlap_day`: per pair of teams and civil day, how long both are at work at once.
//!
//! Owns the laying of two teams' hours over each other, for the period and for the twelve months after
//! it. Hours are turned into instants by each team's own zone first, and meet only there, so that a
//! week in which one side has switched its clocks and the other has not comes out as it is. It must
//! never call a day long enough: the check compares it with what was agreed.
//!
//! Rules
//! - A day is a civil day of the first team's site. It is due when the calendars of both sites work on
//!   it; on other days nothing was promised.
//! - By roster, only shifts count, and only where a feed calls the roster complete. Days that have not
//!   ended are a forecast, and a forecast is always made from the calendars.
//! - Without any agreement there is one row that says so; teams that all sit in one zone, the client
//!   among them, need none.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_calendar::{Span, Zone, intersect_spans, total_us};
use jiff::{ToSpan, civil::Date};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    register::{read_keyed, read_named, some_text},
    side::{HoursFrom, Keyed, Sides},
};
use crate::{error::EngineError, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct OverlapDayTable;

/// Its name.
pub const NAME: &str = "overlap_day";

/// Months after the period that are looked ahead to.
const AHEAD_MONTHS: i64 = 12;

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("team_id", Kind::Text),
    ("other_team_id", Kind::Text),
    ("site_id", Kind::Text),
    ("other_site_id", Kind::Text),
    ("day", Kind::Date),
    ("state", Kind::Text),
    ("overlap_us", Kind::Integer),
    ("required_us", Kind::Integer),
    ("hours_from", Kind::Text),
    ("forecast", Kind::Flag),
    ("ahead_minutes", Kind::Integer),
    ("reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

/// One agreed overlap.
#[derive(Debug, Clone)]
struct Term {
    required_us: i64,
    hours_from: HoursFrom,
    row_ref: i64,
}

#[derive(Debug, Clone, Default)]
struct Row {
    team: Option<String>,
    other: Option<String>,
    site: Option<String>,
    other_site: Option<String>,
    day: Option<Date>,
    state: &'static str,
    overlap_us: Option<i64>,
    required_us: Option<i64>,
    hours_from: Option<&'static str>,
    forecast: bool,
    /// Minutes that the other team's clocks are ahead.
    ahead_minutes: Option<i64>,
    reason: Option<String>,
    evidence: Vec<i64>,
    row_ref: Option<i64>,
}

impl Derivation for OverlapDayTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Per pair of teams and civil day: how long both are at work at once, in the period and for twelve months after it."
    }

    fn reads(&self) -> &'static [&'static str] {
        &[]
    }

    fn consults(&self) -> &'static [&'static str] {
        &[
            "overlap_term",
            "arrangement",
            "client",
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
        let terms = read_terms(input, &sides.zone)?;
        let mut found = Vec::new();
        for ((team, other), versions) in &terms {
            for (_, _, term) in versions.iter().filter(|(_, _, term)| term.required_us <= 0) {
                found.push(Row {
                    team: Some(team.clone()),
                    other: Some(other.clone()),
                    state: "none-needed",
                    required_us: Some(0),
                    reason: Some("it was agreed that no overlap is needed".to_owned()),
                    row_ref: Some(term.row_ref),
                    ..Row::default()
                });
            }
            let pair = Pair { sides: &sides, team, other };
            let mut day = input.period_first;
            let end = input.period_after.saturating_add(AHEAD_MONTHS.months());
            while day < end {
                if let Some(row) = pair.day(versions, day, input)? {
                    found.push(row);
                }
                day = day.tomorrow().unwrap_or(Date::MAX);
            }
        }
        if terms.is_empty() {
            found.push(nothing_agreed(input, &sides)?);
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

struct Pair<'a> {
    sides: &'a Sides,
    team: &'a str,
    other: &'a str,
}

impl Pair<'_> {
    /// The row of one day; none when nothing was agreed for it.
    fn day(
        &self,
        versions: &super::terms::Versions<Term>,
        day: Date,
        input: &DeriveInput<'_>,
    ) -> Result<Option<Row>, EngineError> {
        let start_in = |zone: &Zone, day: Date| {
            zone.day_start_us(day).map_err(|error| EngineError::Time(error.to_string()))
        };
        let near = start_in(&self.sides.zone, day)?;
        let Some(term) = versions.at(near).filter(|term| term.required_us > 0) else {
            return Ok(None);
        };
        let mut row = Row {
            team: Some(self.team.to_owned()),
            other: Some(self.other.to_owned()),
            day: Some(day),
            required_us: Some(term.required_us),
            row_ref: Some(term.row_ref),
            ..Row::default()
        };
        let zone = match self.sides.zone_of(self.team, near) {
            Ok(zone) => zone,
            Err(reason) => return Ok(Some(Row { state: "gap", reason: Some(reason), ..row })),
        };
        let span = (start_in(&zone, day)?, start_in(&zone, day.tomorrow().unwrap_or(Date::MAX))?);
        row.forecast = span.1 > input.as_of_us;
        let hours_from = if row.forecast { HoursFrom::Calendar } else { term.hours_from };
        row.hours_from = Some(hours_from.as_str());
        if let Err(reason) = self.lay(&mut row, span, hours_from, &zone) {
            row.state = "gap";
            row.reason = Some(reason);
        }
        Ok(Some(row))
    }

    /// Lays the hours of the two over each other.
    fn lay(
        &self,
        row: &mut Row,
        span: Span,
        hours_from: HoursFrom,
        zone: &Zone,
    ) -> Result<(), String> {
        let sides = self.sides;
        row.site = Some(sides.site(self.team, span.0)?.to_string());
        row.other_site = Some(sides.site(self.other, span.0)?.to_string());
        let other_zone = sides.zone_of(self.other, span.0)?;
        // Clocks change at night: the last instant of the day has the day's own offset.
        let offset = |zone: &Zone| zone.offset_seconds(span.1 - 1).map(i64::from);
        row.ahead_minutes =
            offset(&other_zone).zip(offset(zone)).map(|(other, own)| (other - own) / 60);
        let (own, own_refs) = sides.at_work(self.team, span, HoursFrom::Calendar)?;
        let (theirs, their_refs) = sides.at_work(self.other, span, HoursFrom::Calendar)?;
        row.evidence = own_refs.into_iter().chain(their_refs).collect();
        if own.is_empty() || theirs.is_empty() {
            row.state = "not-due";
            return Ok(());
        }
        row.state = "due";
        let (own, theirs) = match hours_from {
            HoursFrom::Calendar => (own, theirs),
            HoursFrom::Roster => {
                let (own, own_refs) = sides.at_work(self.team, span, hours_from)?;
                let (theirs, their_refs) = sides.at_work(self.other, span, hours_from)?;
                row.evidence.extend(own_refs.into_iter().chain(their_refs));
                (own, theirs)
            }
        };
        row.overlap_us = Some(total_us(&intersect_spans(&own, &theirs)));
        Ok(())
    }
}

/// The one row of an arrangement without any agreed overlap.
fn nothing_agreed(input: &DeriveInput<'_>, sides: &Sides) -> Result<Row, EngineError> {
    let at_us = input.period_end_us.saturating_sub(1);
    let mut zones: Vec<Option<String>> = Vec::new();
    for team in sides.teams() {
        zones.push(sides.zone_of(team, at_us).ok().map(|zone| zone.name().to_owned()));
    }
    let clients = read_named(input, &sides.zone, "arrangement", "arrangement_id", "client_id")?;
    let zone_of = read_named(input, &sides.zone, "client", "client_id", "time_zone")?;
    let named = |named: &super::register::Named, key: &str| {
        named.get(key).and_then(|versions| versions.at(at_us)).cloned().flatten()
    };
    let client = named(&clients, input.arrangement_id).and_then(|id| named(&zone_of, &id));
    zones.push(client.map(|zone| zone.to_string()));
    let one =
        zones.len() > 1 && zones.iter().all(|zone| zone.is_some() && Some(zone) == zones.first());
    let (state, reason) = if one {
        ("none-needed", "the client and every team are in one time zone")
    } else {
        ("gap", "no overlap of hours is agreed (`overlap_term`)")
    };
    Ok(Row { state, reason: Some(reason.to_owned()), ..Row::default() })
}

/// Terms that hold in the period or later.
fn read_terms(
    input: &DeriveInput<'_>,
    zone: &Zone,
) -> Result<Keyed<(String, String), Term>, EngineError> {
    const TABLE: &str = "overlap_term";
    read_keyed(input, zone, TABLE, |batch| {
        let text = |name| rows::texts(batch, TABLE, name);
        let (teams, others, hours) =
            (text("team_id")?, text("other_team_id")?, text("hours_from")?);
        let required = rows::integers(batch, TABLE, "required")?;
        let refs = rows::integers(batch, TABLE, "_ref")?;
        Ok(move |row, (_, until): Span| {
            let (team, other) = some_text(&teams, row).zip(some_text(&others, row))?;
            let term = Term {
                required_us: rows::integer(&required, row).unwrap_or_default(),
                hours_from: HoursFrom::parse(some_text(&hours, row)),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            let holds = until > input.period_start_us;
            holds.then(|| ((team.to_owned(), other.to_owned()), term))
        })
    })
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
        array::texts(found.iter().map(|row| row.site.as_deref())),
        array::texts(found.iter().map(|row| row.other_site.as_deref())),
        array::dates(found.iter().map(|row| row.day)),
        array::texts(found.iter().map(|row| Some(row.state))),
        array::integers(found.iter().map(|row| row.overlap_us)),
        array::integers(found.iter().map(|row| row.required_us)),
        array::texts(found.iter().map(|row| row.hours_from)),
        array::flags(found.iter().map(|row| Some(row.forecast))),
        array::integers(found.iter().map(|row| row.ahead_minutes)),
        array::texts(found.iter().map(|row| row.reason.as_deref())),
        array::refs(found.iter().map(|row| row.evidence.as_slice())),
        array::integers(found.iter().map(|row| row.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}
