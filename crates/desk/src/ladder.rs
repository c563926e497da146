//! The provider's figures beside ours, the difference taken apart cause by cause, as rows say it. Owns
//! the words for both sides; it must never work out a part.

use backstay_engine::session::View;
use backstay_report::{
    difference::{Ladder, Side, Step},
    figure,
};
use serde_json::Value;

use crate::{
    beside::{Line, ask, text},
    error::DeskError,
    evidence::Seen,
};

/// Ladders of figures that can be compared. One row per step.
const LADDERS: &str = "
    SELECT service_level_id, period_start, period_end, cause, tested, cases, part_shown, unit,
           difference_shown, summary, ours_numerator, ours_denominator, theirs_numerator,
           theirs_denominator, reported_value, reported_places, metric, agrees
    FROM report_ladder
    WHERE agrees IS NOT NULL
    ORDER BY service_level_id, period_start, step";

fn number(row: &Line, name: &str) -> Option<i64> {
    row.get(name)?.as_i64()
}

/// The ladders of every figure reported of an arrangement that can be compared with ours.
///
/// # Errors
/// Unreadable evidence.
pub fn ladders(seen: &Seen, view: &View) -> Result<Vec<Ladder>, DeskError> {
    let mut found: Vec<Ladder> = Vec::new();
    for row in ask(seen, view, LADDERS)? {
        let level = text(&row, "service_level_id").unwrap_or_default();
        let window = window(&row);
        let known =
            found.last().is_some_and(|last| last.service_level == level && last.window == window);
        if !known {
            found.push(ladder(&row, &view.arrangement_id, level, window));
        }
        if let Some(last) = found.last_mut() {
            last.steps.push(step(&row));
        }
    }
    Ok(found)
}

fn window(row: &Line) -> String {
    let days = [text(row, "period_start"), text(row, "period_end")]
        .map(Option::unwrap_or_default)
        .join("..");
    days.parse().map_or(days.clone(), backstay_report::words::period)
}

fn ladder(row: &Line, arrangement: &str, service_level: String, window: String) -> Ladder {
    let plain = |name: &str| text(row, name).unwrap_or_default();
    let is_count = text(row, "metric").as_deref() == Some("volume");
    let side = |numerator: &str, denominator: &str| {
        let (numerator, denominator) = (number(row, numerator)?, number(row, denominator)?);
        if is_count {
            return Some(Side { figure: figure::count(numerator), cases: String::new() });
        }
        let cases = format!("{} of {}", figure::count(numerator), figure::count(denominator));
        Some(Side { figure: figure::percent(numerator, denominator, 2)?, cases })
    };
    let places = number(row, "reported_places").and_then(|places| u32::try_from(places - 2).ok());
    let reported = text(row, "reported_value").map(|value| match (is_count, places) {
        (true, _) => figure::trim_decimal(&value).to_owned(),
        (false, Some(places)) => figure::percent_of_share(&value, places).unwrap_or(value),
        (false, None) => figure::plain_percent(&value).unwrap_or(value),
    });
    let only = |figure: &str| Side { figure: figure.to_owned(), cases: String::new() };
    Ladder {
        arrangement_id: arrangement.to_owned(),
        service_level,
        window,
        ours: side("ours_numerator", "ours_denominator").unwrap_or_else(|| only("no value")),
        theirs: side("theirs_numerator", "theirs_denominator")
            .or_else(|| reported.as_deref().map(only))
            .unwrap_or_else(|| only("no figure")),
        difference: plain("difference_shown"),
        unit: plain("unit"),
        summary: plain("summary"),
        agrees: row.get("agrees").and_then(Value::as_bool).unwrap_or_default(),
        steps: Vec::new(),
    }
}

fn step(row: &Line) -> Step {
    Step {
        cause: text(row, "cause").unwrap_or_default(),
        tested: row.get("tested").and_then(Value::as_bool).unwrap_or_default(),
        cases: number(row, "cases").unwrap_or_default(),
        part: text(row, "part_shown"),
    }
}
