//! That part of the operation as files in the vocabulary, and the feeds that promise them. Owns which
//! columns are written; it must never choose a value.

use std::collections::BTreeMap;

use jiff::{civil::date, tz::TimeZone};

use super::{Hours, Pair};
use crate::{
    almanac::with_offset,
    error::SimError,
    registers::{file, share},
    table::Handed,
    world::{FeedRow, World},
};

/// The files, registers first.
///
/// # Errors
/// As of writing instants.
pub(crate) fn files(hours: &Hours, world: &World) -> Result<Vec<Handed>, SimError> {
    Ok(vec![
        overlaps(hours),
        coverages(hours),
        holiday_terms(hours),
        covers(hours),
        handover_terms(hours),
        urgents(hours),
        meeting_terms(hours),
        shifts(hours, world)?,
        notes(hours, world)?,
        meetings(hours)?,
    ])
}

const SOURCE: &str = "Schedule 5";

fn of_pair(pair: &Pair) -> [String; 3] {
    [pair.arrangement, pair.team, pair.other].map(str::to_owned)
}

fn minutes(length: i64) -> String {
    if length % 60 == 0 && length > 0 { format!("{}h", length / 60) } else { format!("{length}m") }
}

fn overlaps(hours: &Hours) -> Handed {
    let header = ["arrangement_id", "team_id", "other_team_id", "required", "hours_from", "source"];
    let rows = hours.overlaps.iter().map(|row| {
        let from = if row.by_roster { "roster" } else { "" };
        let own = [minutes(row.required), from.to_owned(), SOURCE.to_owned()];
        of_pair(&row.pair).into_iter().chain(own).collect()
    });
    file("time/overlap_term.csv", "overlap_term", &header, &header[..3], rows.collect())
}

fn coverages(hours: &Hours) -> Handed {
    let header = ["arrangement_id", "function_id", "calendar_id", "team_ids", "source"];
    let rows = hours.coverages.iter().map(|row| {
        let teams = row.teams.join("|");
        vec![
            row.arrangement.into(),
            row.function.into(),
            row.calendar.into(),
            teams,
            SOURCE.to_owned(),
        ]
    });
    file("time/coverage_term.csv", "coverage_term", &header, &header[..2], rows.collect())
}

fn holiday_terms(hours: &Hours) -> Handed {
    let header = ["arrangement_id", "team_id", "other_team_id", "notice_days", "source"];
    let rows = hours.holidays.iter().map(|row| {
        let notice = row.notice.map(|days| days.to_string()).unwrap_or_default();
        of_pair(&row.pair).into_iter().chain([notice, SOURCE.to_owned()]).collect()
    });
    file("time/holiday_term.csv", "holiday_term", &header, &header[..3], rows.collect())
}

fn covers(hours: &Hours) -> Handed {
    let header = [
        "arrangement_id",
        "team_id",
        "other_team_id",
        "on_date",
        "answer",
        "cover_team_id",
        "agreed_on",
        "source",
    ];
    let rows = hours.covers.iter().map(|row| {
        let own = [
            row.on.to_string(),
            row.answer.to_owned(),
            row.cover.to_owned(),
            row.agreed.to_string(),
            "Joint calendar of 1 September 2026".to_owned(),
        ];
        of_pair(&row.pair).into_iter().chain(own).collect()
    });
    file("time/holiday_cover.csv", "holiday_cover", &header, &header[..4], rows.collect())
}

fn handover_terms(hours: &Hours) -> Handed {
    let header =
        ["arrangement_id", "from_team_id", "to_team_id", "make_within", "pick_up_within", "source"];
    let rows = hours.handovers.iter().map(|row| {
        let own = [minutes(row.make), minutes(row.pick_up), SOURCE.to_owned()];
        of_pair(&row.pair).into_iter().chain(own).collect()
    });
    file("time/handover_term.csv", "handover_term", &header, &header[..3], rows.collect())
}

fn urgents(hours: &Hours) -> Handed {
    let header = [
        "arrangement_id",
        "urgent_term_id",
        "priorities",
        "case_types",
        "team_id",
        "other_team_id",
        "answered_states",
        "answer_within",
        "source",
    ];
    let rows = hours.urgents.iter().map(|row| {
        vec![
            row.pair.arrangement.into(),
            row.id.into(),
            row.priority.into(),
            row.case_type.into(),
            row.pair.team.into(),
            row.pair.other.into(),
            row.states.join("|"),
            row.within.map(minutes).unwrap_or_default(),
            SOURCE.to_owned(),
        ]
    });
    file("time/urgent_term.csv", "urgent_term", &header, &header[..2], rows.collect())
}

fn meeting_terms(hours: &Hours) -> Handed {
    let header = ["arrangement_id", "meeting_term_id", "team_ids", "greatest_share", "source"];
    let rows = hours.meeting_terms.iter().map(|row| {
        vec![
            row.pair.arrangement.into(),
            "weekly".to_owned(),
            format!("{}|{}", row.pair.team, row.pair.other),
            share(row.greatest),
            SOURCE.to_owned(),
        ]
    });
    file("time/meeting_term.csv", "meeting_term", &header, &header[..2], rows.collect())
}

/// The zone of a team's site: rosters are written in it.
fn zone_of(world: &World, arrangement: &str, team: &str) -> Result<TimeZone, SimError> {
    let site = world.site_of_team(arrangement, team);
    let row = site.and_then(|site| world.sites.iter().find(|row| row.id == site));
    let row = row.ok_or_else(|| SimError::Missing(format!("site of team `{team}`")))?;
    Ok(TimeZone::get(&row.zone)?)
}

fn shifts(hours: &Hours, world: &World) -> Result<Handed, SimError> {
    let header = ["arrangement_id", "team_id", "site_id", "starts_at", "ends_at"];
    let mut rows = Vec::new();
    for row in &hours.shifts {
        let zone = zone_of(world, row.arrangement, row.team)?;
        rows.push(vec![
            row.arrangement.into(),
            row.team.into(),
            world.site_of_team(row.arrangement, row.team).unwrap_or_default().to_owned(),
            with_offset(row.from, &zone)?,
            with_offset(row.until, &zone)?,
        ]);
    }
    let identity = ["arrangement_id", "team_id", "starts_at"];
    Ok(file("time/shift.csv", "shift", &header, &identity, rows))
}

fn notes(hours: &Hours, world: &World) -> Result<Handed, SimError> {
    let header = [
        "arrangement_id",
        "source",
        "from_team_id",
        "to_team_id",
        "shift_ended_at",
        "made_at",
        "picked_up_at",
    ];
    let mut rows = Vec::new();
    for row in &hours.notes {
        let zone = zone_of(world, row.pair.arrangement, row.pair.team)?;
        let [arrangement, from, to] = of_pair(&row.pair);
        rows.push(vec![
            arrangement,
            "shift log".to_owned(),
            from,
            to,
            with_offset(row.ended, &zone)?,
            with_offset(row.made, &zone)?,
            row.picked_up.map(|at| with_offset(at, &zone)).transpose()?.unwrap_or_default(),
        ]);
    }
    let identity = ["arrangement_id", "source", "from_team_id", "to_team_id", "shift_ended_at"];
    Ok(file("time/handover.csv", "handover", &header, &identity, rows))
}

fn meetings(hours: &Hours) -> Result<Handed, SimError> {
    let header = [
        "arrangement_id",
        "source",
        "meeting_id",
        "series",
        "starts_at",
        "ends_at",
        "team_ids",
        "state",
    ];
    let zone = TimeZone::get("Europe/Dublin")?;
    let mut rows = Vec::new();
    for row in &hours.meetings {
        rows.push(vec![
            row.pair.arrangement.into(),
            "diary".to_owned(),
            format!("{}-{}", row.pair.arrangement, row.number + 1),
            "weekly review".to_owned(),
            with_offset(row.from, &zone)?,
            with_offset(row.until, &zone)?,
            format!("{}|{}", row.pair.team, row.pair.other),
            "held".to_owned(),
        ]);
    }
    let identity = ["arrangement_id", "source", "meeting_id"];
    Ok(file("time/meeting.csv", "meeting", &header, &identity, rows))
}

/// Promised: complete rosters, monthly logs of handovers, diaries.
pub(crate) fn feeds(hours: &Hours, world: &World) -> Vec<FeedRow> {
    let mut rows = Vec::new();
    let mut rostered: BTreeMap<&str, i64> = BTreeMap::new();
    for shift in &hours.shifts {
        *rostered.entry(shift.arrangement).or_default() += 1;
    }
    for (arrangement, count) in rostered {
        rows.push(FeedRow {
            arrangement: arrangement.into(),
            feed: "roster".into(),
            table: "shift".into(),
            entry: "complete".into(),
            count: Some(count),
            from: date(2026, 7, 27),
            until: Some(date(2026, 11, 5)),
            ..FeedRow::default()
        });
    }
    let monthly = |arrangement: &str, feed: &str, table: &str| FeedRow {
        arrangement: arrangement.into(),
        feed: feed.into(),
        table: table.into(),
        entry: "declared".into(),
        cadence: Some("month".into()),
        from: date(2026, 8, 1),
        ..FeedRow::default()
    };
    for row in &world.arrangements {
        let id = row.id.as_str();
        if hours.notes.iter().any(|note| note.pair.arrangement == id) {
            rows.push(monthly(id, "handovers", "handover"));
        }
        rows.push(monthly(id, "diary", "meeting"));
        if !hours.meetings.iter().any(|meeting| meeting.pair.arrangement == id) {
            for month in [8, 9, 10] {
                rows.push(FeedRow {
                    entry: "delivered".into(),
                    cadence: None,
                    nil: true,
                    from: date(2026, month, 1),
                    ..monthly(id, "diary", "meeting")
                });
            }
        }
    }
    rows
}
