//! Forecasts and their back-test, as text or CSV. It sets what the engine worked out; it must never
//! foretell anything.

use backstay_engine::forecast::{BackTest, ForecastResult, Trial};

use crate::{
    figure,
    layout::{Cell, Grid, Look, Page, Set, Tone},
    rows::quoted,
};

/// What stands around the forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The arrangement.
    pub arrangement: &'a str,
    /// Ledger entry up to which evidence was known.
    pub known_at: u64,
}

/// The forecasts as a page of text.
#[must_use]
pub fn text(forecasts: &[ForecastResult], frame: &Frame<'_>, look: Look) -> String {
    let mut page = Page::new(look);
    let looked_at = forecasts.first().map(|row| row.looked_at.as_str()).unwrap_or_default();
    let head = format!("Forecast for {}", frame.arrangement);
    page.paragraph(0, &head, Tone::Strong);
    let known = format!(
        "from what happened before {looked_at}; evidence as known at ledger entry {}",
        frame.known_at
    );
    page.paragraph(0, &known, Tone::Quiet);
    if forecasts.is_empty() {
        page.paragraph(0, "no service level is in force in the period", Tone::Unsure);
        return page.finish();
    }
    let mut grid = Grid::new(&[
        ("", Set::Left),
        ("window", Set::Left),
        ("met", Set::Right),
        ("of", Set::Right),
        ("ahead", Set::Right),
        ("expected", Set::Right),
        ("90 % interval", Set::Left),
        ("target", Set::Right),
        ("minimum", Set::Right),
    ])
    .indented(2);
    let share = |text: &Option<String>| text.as_deref().map(percent).unwrap_or_default();
    for row in forecasts {
        grid.row(vec![
            (&row.service_level).into(),
            window(row).into(),
            count(row.met).into(),
            count(row.met + row.missed).into(),
            ahead(row).into(),
            share(&row.expected).into(),
            interval(row).into(),
            chance(row.target.as_deref(), row.target_chance.as_deref()),
            chance(row.minimum.as_deref(), row.minimum_chance.as_deref()),
        ]);
    }
    page.gap();
    page.grid(&grid);
    for row in forecasts {
        if let Some(reason) = &row.reason {
            let text = format!("? {}: no forecast: {reason}", row.service_level);
            page.hanging(2, 4, &text, Tone::Unsure);
        }
    }
    for row in forecasts {
        if row.gaps > 0 {
            let cases = i64::try_from(row.gaps).unwrap_or(i64::MAX);
            let text = format!(
                "? {}: {} cannot be judged and are not foretold",
                row.service_level,
                figure::counted(cases, "case")
            );
            page.hanging(2, 4, &text, Tone::Unsure);
        }
    }
    notes(&mut page, forecasts.iter());
    if forecasts.iter().any(|row| row.standing == "forecast") {
        page.gap();
        let meaning = "Ahead: open cases and cases still to come, as far as they are expected to count \
                       in the window. Beside target and minimum: the chance to end there or above. Of \
                       ten such intervals nine are meant to hold; `--back-test` says how many did.";
        page.paragraph(0, meaning, Tone::Quiet);
    }
    page.finish()
}

/// Each doubt once, with the service levels that share it.
fn notes<'a>(page: &mut Page, forecasts: impl Iterator<Item = &'a ForecastResult>) {
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in forecasts {
        let Some(note) = row.note.as_deref() else { continue };
        match told.iter_mut().find(|(known, _)| *known == note) {
            Some((_, levels)) => levels.push(&row.service_level),
            None => told.push((note, vec![&row.service_level])),
        }
    }
    for (note, levels) in told {
        page.hanging(2, 4, &format!("! {}: {note}", levels.join(", ")), Tone::Unsure);
    }
}

fn count(number: u64) -> String {
    figure::count(i64::try_from(number).unwrap_or(i64::MAX))
}

fn percent(share: &str) -> String {
    figure::percent_of_share(share, 2).unwrap_or_default()
}

/// A month by its name, anything else by its days.
fn window(row: &ForecastResult) -> String {
    let text = row.window.to_string();
    let month = text.get(..7).unwrap_or_default();
    let whole = month.parse().is_ok_and(|period: backstay_engine::Period| period == row.window);
    if whole { month.to_owned() } else { text }
}

fn interval(row: &ForecastResult) -> String {
    match (&row.low, &row.high, row.standing.as_str()) {
        (Some(_), Some(_), "decided") => "decided".to_owned(),
        (Some(low), Some(high), _) => {
            let low = percent(low);
            format!("{} to {}", low.trim_end_matches(" %"), percent(high))
        }
        _ => "none".to_owned(),
    }
}

/// Open cases and cases to come.
fn ahead(row: &ForecastResult) -> String {
    match (row.open_cases, row.arriving_cases, row.standing.as_str()) {
        (Some(open), Some(arriving), "forecast") => {
            format!("{} + {}", count(open), count(arriving))
        }
        _ => String::new(),
    }
}

/// A limit and the chance to end there or above. Draws cannot tell a small chance from none, nor a
/// great one from all.
fn chance(limit: Option<&str>, chance: Option<&str>) -> Cell {
    let Some(limit) = limit.and_then(figure::plain_percent) else { return "".into() };
    let (shown, tone) = match chance {
        None => return limit.into(),
        Some("0.00") => ("< 1 %".to_owned(), Tone::Bad),
        Some("1.00") => ("> 99 %".to_owned(), Tone::Plain),
        Some(text) => {
            let tone = if text < "0.50" { Tone::Unsure } else { Tone::Plain };
            (figure::percent_of_share(text, 0).unwrap_or_default(), tone)
        }
    };
    Cell::toned(format!("{limit}: {shown}"), tone)
}

/// The back-test as a page of text; its last line sums it up.
#[must_use]
pub fn back_test_text(found: &BackTest, frame: &Frame<'_>, look: Look) -> String {
    let mut page = Page::new(look);
    let head = format!("Back-test of forecasts for {}", frame.arrangement);
    page.paragraph(0, &head, Tone::Strong);
    let known = format!(
        "each from what happened before its day; evidence as known at ledger entry {}",
        frame.known_at
    );
    page.paragraph(0, &known, Tone::Quiet);
    let mut rest = found.trials.as_slice();
    while let Some(first) = rest.first() {
        let same = |trial: &&Trial| trial.forecast.service_level == first.forecast.service_level;
        let (own, others) = rest.split_at(rest.iter().take_while(same).count());
        page.heading(&first.forecast.service_level);
        page.grid(&trials(own));
        let empty = own.iter().filter(|trial| trial.came.is_none()).count();
        if let Some(empty) = i64::try_from(empty).ok().filter(|empty| *empty > 0) {
            let text =
                format!("{} of windows without a case left out", figure::counted(empty, "line"));
            page.hanging(4, 6, &text, Tone::Quiet);
        }
        let mut reasons: Vec<&str> = Vec::new();
        for trial in own {
            let Some(reason) = trial.forecast.reason.as_deref() else { continue };
            if trial.came.is_some() && !reasons.contains(&reason) {
                reasons.push(reason);
                let text = format!("? from {}: no forecast: {reason}", trial.day);
                page.hanging(4, 6, &text, Tone::Unsure);
            }
        }
        rest = others;
    }
    page.gap();
    page.paragraph(0, &summary(found), Tone::Strong);
    page.finish()
}

fn trials(own: &[Trial]) -> Grid {
    let mut grid = Grid::new(&[
        ("window", Set::Left),
        ("from", Set::Left),
        ("decided", Set::Right),
        ("expected", Set::Right),
        ("90 % interval", Set::Left),
        ("came", Set::Right),
        ("of", Set::Right),
        ("", Set::Left),
        ("before", Set::Right),
    ])
    .indented(4);
    for trial in own.iter().filter(|trial| trial.came.is_some()) {
        let row = &trial.forecast;
        let share = |text: &Option<String>| text.as_deref().map(percent).unwrap_or_default();
        let (mark, tone) = match trial.inside {
            Some(true) => ("✓ inside", Tone::Plain),
            Some(false) => ("✗ outside", Tone::Bad),
            None => ("", Tone::Plain),
        };
        grid.row(vec![
            window(row).into(),
            trial.day.to_string().into(),
            count(row.met + row.missed).into(),
            share(&row.expected).into(),
            interval(row).into(),
            share(&trial.came).into(),
            count(trial.came_counted).into(),
            Cell::toned(mark, tone),
            share(&trial.before).into(),
        ]);
    }
    grid
}

/// How often the interval held, how wide it was, and how the naive forecast did.
fn summary(found: &BackTest) -> String {
    let Ok(forecasts) = i64::try_from(found.forecasts) else { return String::new() };
    if forecasts == 0 {
        return "no forecast could be made and held against anything".to_owned();
    }
    let inside = i64::try_from(found.inside).unwrap_or(forecasts);
    let points = |share: &str| {
        let percent = percent(share);
        format!("{} points", percent.trim_end_matches(" %"))
    };
    let held = format!(
        "the 90 % interval held in {} of {} ({}); mean width {}, mean absolute error {}",
        count(found.inside),
        figure::counted(forecasts, "forecast"),
        figure::percent(inside, forecasts, 1).unwrap_or_default(),
        points(&found.mean_width),
        points(&found.mean_error),
    );
    if found.compared == 0 {
        return format!("{held}; no window before to compare with");
    }
    format!(
        "{held}; where there was a window before ({}), it alone would have been off by {}, the forecast \
         by {}",
        count(found.compared),
        points(&found.naive_error),
        points(&found.compared_error),
    )
}

const HEADS: &str = "arrangement_id,service_level_id,metric,window_start,window_end,looked_at,standing,\
                     met,missed,excluded,gaps,open_cases,arriving_cases,expected,low,high,target,minimum,\
                     target_chance,minimum_chance,history_weeks,history_cases,reason,note";

fn cells(row: &ForecastResult) -> Vec<String> {
    let own = |text: &Option<String>| text.clone().unwrap_or_default();
    let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    vec![
        row.arrangement_id.clone(),
        row.service_level.clone(),
        row.metric.clone(),
        row.window.first.to_string(),
        row.window.after.to_string(),
        row.looked_at.clone(),
        row.standing.clone(),
        row.met.to_string(),
        row.missed.to_string(),
        row.excluded.to_string(),
        row.gaps.to_string(),
        number(row.open_cases),
        number(row.arriving_cases),
        own(&row.expected),
        own(&row.low),
        own(&row.high),
        own(&row.target),
        own(&row.minimum),
        own(&row.target_chance),
        own(&row.minimum_chance),
        row.history_weeks.to_string(),
        row.history_cases.to_string(),
        own(&row.reason),
        own(&row.note),
    ]
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    format!("{}\n", cells.join(","))
}

/// The forecasts as CSV.
#[must_use]
pub fn csv(forecasts: &[ForecastResult]) -> String {
    let lines = forecasts.iter().map(|row| line(&cells(row)));
    std::iter::once(format!("{HEADS}\n")).chain(lines).collect()
}

/// The trials of a back-test as CSV.
#[must_use]
pub fn back_test_csv(found: &BackTest) -> String {
    let lines = found.trials.iter().map(|trial| {
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut all = vec![trial.day.to_string()];
        all.extend(cells(&trial.forecast));
        all.extend([
            trial.came_met.to_string(),
            trial.came_counted.to_string(),
            own(&trial.came),
            own(&trial.before),
            trial.inside.map(|inside| inside.to_string()).unwrap_or_default(),
        ]);
        line(&all)
    });
    let heads = format!("day,{HEADS},came_met,came_counted,came,before,inside\n");
    std::iter::once(heads).chain(lines).collect()
}
