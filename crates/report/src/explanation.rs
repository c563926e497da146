//! How one case was measured, so that an auditor can work it out again with a pencil.

use backstay_engine::derive::explain::{Explanation, InstantTold, Length, SegmentTold};

use crate::layout::{Cell, Grid, Look, Page, Set, Tone};

/// The explanation as text.
#[must_use]
pub fn text(told: &Explanation, look: Look) -> String {
    let mut page = Page::new(look);
    let terms = &told.terms;
    page.heading(&format!(
        "Case {} of {}, by {}",
        told.case_id, told.arrangement_id, terms.service_level_id
    ));
    let (mark, tone) = match told.outcome.as_str() {
        "met" => ("✓", Tone::Good),
        "missed" | "overdue" => ("✗", Tone::Bad),
        "open" => ("–", Tone::Plain),
        _ => ("?", Tone::Unsure),
    };
    page.hanging(0, 2, &format!("{mark} {}: {}", told.outcome, told.outcome_how), tone);
    if let Some((why, record)) = &told.exclusion_refused {
        page.hanging(0, 2, &format!("– counted: {why} (record {record})"), Tone::Unsure);
    }
    if let Some((reason, record)) = &told.excluded {
        page.hanging(0, 2, &format!("– left out: {reason} (record {record})"), Tone::Unsure);
    }
    if let Some(record) = &told.quarantined {
        let text = format!(
            "? rows of this case are in quarantine (first: record {record}); events may be lacking"
        );
        page.hanging(0, 2, &text, Tone::Unsure);
    }
    page.gap();
    page.grid(&facts(told));
    segments(&mut page, &told.segments);
    if !told.calendar_refs.is_empty() {
        page.gap();
        let text = format!("calendar and holiday records: {}", told.calendar_refs.join(" "));
        page.hanging(0, 2, &text, Tone::Quiet);
    }
    page.finish()
}

fn facts(told: &Explanation) -> Grid {
    let terms = &told.terms;
    let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]);
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            grid.row(vec![Cell::toned(name, Tone::Quiet), value.into()]);
        }
    };
    fact("service level", terms.title.clone());
    let source = terms.source.as_deref().map(|source| format!(", {source}")).unwrap_or_default();
    fact("terms", format!("record {}, {}{source}", terms.record, terms.basis));
    fact("allowed", terms.threshold.as_ref().map(length).unwrap_or_default());
    fact("clock starts", terms.clock_starts.clone());
    fact("done in", terms.stop_states.join(", "));
    fact("pauses in", terms.paused_states.join(", "));
    fact(
        "calendar",
        terms.calendar_id.clone().unwrap_or_else(|| "of the site responsible".to_owned()),
    );
    fact("opened", readable(&told.opened_at));
    fact("clock started", told.clock_started_at.as_deref().map(readable).unwrap_or_default());
    fact("done", told.closed_at.as_deref().map(readable).unwrap_or_default());
    fact("deadline", told.deadline.as_ref().map(both).unwrap_or_default());
    fact("", told.deadline_how.clone());
    fact(
        "counts in",
        told.counted_at
            .as_deref()
            .map(|at| format!("the period of {}", readable(at)))
            .unwrap_or_default(),
    );
    fact("working time", told.total.as_ref().map(length).unwrap_or_default());
    fact("paused", told.paused.as_ref().map(length).unwrap_or_default());
    fact("unknown", told.gap.clone().unwrap_or_default());
    fact("looked at", readable(&told.as_of));
    grid
}

fn segments(page: &mut Page, segments: &[SegmentTold]) {
    page.heading("Segments");
    let mut grid = Grid::new(&[
        ("", Set::Right),
        ("from (site time)", Set::Left),
        ("to", Set::Left),
        ("state", Set::Flex),
        ("clock", Set::Left),
        ("counted", Set::Right),
        ("so far", Set::Right),
    ]);
    let mut place = String::new();
    for segment in segments {
        let to = if segment.is_open { "still open".to_owned() } else { wall(&segment.to) };
        let tone = match segment.clock.as_str() {
            "running" => Tone::Plain,
            "gap" => Tone::Unsure,
            _ => Tone::Quiet,
        };
        let hms =
            |length: &Option<Length>| length.as_ref().map(|l| l.hms.clone()).unwrap_or_default();
        grid.row(vec![
            segment.segment.to_string().into(),
            wall(&segment.from).into(),
            to.into(),
            segment.state.clone().unwrap_or_default().into(),
            Cell::toned(&segment.clock, tone),
            hms(&segment.working).into(),
            hms(&segment.elapsed).into(),
        ]);
        let now = whereabouts(segment);
        let mut note = format!("record {}", segment.record);
        if now != place {
            note.push_str(&format!("; {now}"));
            place = now;
        }
        if let Some(paused) = segment.paused.as_ref().filter(|paused| paused.us > 0) {
            note.push_str(&format!("; {} of working time not counted", paused.hms));
        }
        if let Some(gap) = &segment.gap {
            note.push_str(&format!("; unknown: {gap}"));
        }
        grid.note(4, note, Tone::Quiet);
        if segment.clock == "running" {
            let open: Vec<String> = segment
                .windows
                .iter()
                .map(|window| {
                    format!(
                        "{} to {} {}",
                        wall(&window.from),
                        clock_only(&window.from, &window.to),
                        window.length.hms
                    )
                })
                .collect();
            if !open.is_empty() {
                grid.note(4, format!("open {}", open.join("; ")), Tone::Quiet);
            } else if segment.window_count > 0 {
                grid.note(
                    4,
                    format!(
                        "{} open windows, {} in all",
                        segment.window_count,
                        hms(&segment.working)
                    ),
                    Tone::Quiet,
                );
            } else {
                grid.note(4, "no open window", Tone::Quiet);
            }
        }
    }
    page.grid(&grid);
}

/// Who holds the case, and which calendar counts.
fn whereabouts(segment: &SegmentTold) -> String {
    let mut parts = Vec::new();
    for (name, value) in [
        ("site", &segment.site_id),
        ("team", &segment.team_id),
        ("priority", &segment.priority),
        ("calendar", &segment.calendar_id),
        ("zone", &segment.zone),
    ] {
        if let Some(value) = value {
            parts.push(format!("{name} {value}"));
        }
    }
    if parts.is_empty() { "no site".to_owned() } else { parts.join(", ") }
}

fn length(length: &Length) -> String {
    let minutes = crate::figure::counted(length.minutes, "minute");
    let more = if length.us % 60_000_000 == 0 { "" } else { "more than " };
    format!("{} ({more}{minutes})", length.hms)
}

/// An instant in UTC without the `T`.
fn readable(utc: &str) -> String {
    utc.replacen('T', " ", 1)
}

/// Site time and UTC.
fn both(instant: &InstantTold) -> String {
    match &instant.local {
        Some(local) => format!("{} ({})", readable(local), readable(&instant.utc)),
        None => readable(&instant.utc),
    }
}

/// The wall clock at the site without its offset, to the minute when it is whole; UTC when no zone
/// is known.
fn wall(instant: &InstantTold) -> String {
    let text = instant.local.as_deref().unwrap_or(&instant.utc);
    let readable = readable(text);
    let end = readable
        .char_indices()
        .skip(11)
        .find(|(_, c)| matches!(c, '+' | '-' | 'Z'))
        .map(|(at, _)| at);
    let civil = readable.get(..end.unwrap_or(readable.len())).unwrap_or(&readable);
    let civil = civil.strip_suffix(":00").filter(|short| short.len() == 16).unwrap_or(civil);
    if instant.local.is_some() { civil.to_owned() } else { format!("{civil}Z") }
}

/// The end of a window: only its time of day when it ends on the day it began.
fn clock_only(from: &InstantTold, to: &InstantTold) -> String {
    let (from, to) = (wall(from), wall(to));
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => time.to_owned(),
        _ => to,
    }
}
