//! `backstay overlap`: how long pairs of teams are at work together, month by month, a year ahead.

use std::{collections::BTreeMap, path::Path};

use backstay_desk::evidence;
use backstay_engine::hours::{OverlapDay, overlap_days};
use backstay_report::layout::{Cell, Grid, Page, Set, Tone};
use jiff::{ToSpan, civil::Date};
use serde_json::json;

use crate::{
    args::{Format, OverlapArgs},
    door,
    error::CliError,
};

const MINUTE_US: i64 = 60_000_000;

pub fn run(args: &OverlapArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let seen = door::see(&workspace, args.as_of.as_deref(), &args.arrangements)?;
    let period = match &args.period {
        Some(_) => seen.period(args.period.as_deref())?.0,
        None => seen.this_month()?,
    };
    let until = period.first.first_of_month().saturating_add(i64::from(args.months).months());
    let mut page = Page::new(door::look());
    let mut found = Vec::new();
    for arrangement in seen.arrangements() {
        let Some(view) = seen.view(&arrangement, period)? else {
            return Err(evidence::unregistered(&arrangement).into());
        };
        let mut rows = overlap_days(&seen.session(view)?)?;
        rows.retain(|row| row.day.is_none_or(|day| day < until));
        let pairs = pairs(&rows);
        match args.format {
            Format::Text => show(&mut page, &arrangement, &rows, &pairs),
            Format::Json => found.extend(pairs.iter().map(|pair| pair.json(&arrangement))),
        }
    }
    match args.format {
        Format::Text => door::print(&page.finish())?,
        Format::Json => door::print_json(&found)?,
    }
    Ok(0)
}

/// A pair of teams over the months.
#[derive(Debug, Default)]
struct Pair {
    team: String,
    other: String,
    months: BTreeMap<Date, Month>,
    /// From this day on the other's clocks are so many minutes ahead.
    ahead: Vec<(Date, i64)>,
}

#[derive(Debug, Default)]
struct Month {
    overlap_us: Vec<i64>,
    required_us: i64,
    below: i64,
    unknown: i64,
}

impl Month {
    fn least(&self) -> Option<i64> {
        self.overlap_us.iter().min().copied()
    }

    /// The middle day; of an even number the shorter of the two.
    fn median(&self) -> Option<i64> {
        let mut sorted = self.overlap_us.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len().checked_sub(1)? / 2).copied()
    }
}

fn pairs(rows: &[OverlapDay]) -> Vec<Pair> {
    let mut found: BTreeMap<(String, String), Pair> = BTreeMap::new();
    for row in rows {
        let (Some(team), Some(other), Some(day)) = (&row.team, &row.other, row.day) else {
            continue;
        };
        let pair = found.entry((team.clone(), other.clone())).or_insert_with(|| Pair {
            team: team.clone(),
            other: other.clone(),
            ..Pair::default()
        });
        if let Some(ahead) = row.ahead_minutes
            && pair.ahead.last().is_none_or(|(_, last)| *last != ahead)
        {
            pair.ahead.push((day, ahead));
        }
        let month = pair.months.entry(day.first_of_month()).or_default();
        match (row.state.as_str(), row.overlap_us) {
            ("due", Some(overlap_us)) => {
                month.overlap_us.push(overlap_us);
                month.required_us = row.required_us.unwrap_or_default();
                month.below += i64::from(overlap_us < month.required_us);
            }
            ("gap", _) => month.unknown += 1,
            _ => {}
        }
    }
    found.into_values().collect()
}

impl Pair {
    fn json(&self, arrangement: &str) -> serde_json::Value {
        let minutes = |us: Option<i64>| us.map(|us| us / MINUTE_US);
        let months = self.months.iter().map(|(month, own)| {
            json!({
                "month": month.strftime("%Y-%m").to_string(),
                "days": own.overlap_us.len(),
                "required_minutes": own.required_us / MINUTE_US,
                "least_minutes": minutes(own.least()),
                "median_minutes": minutes(own.median()),
                "days_below": own.below,
                "days_not_known": own.unknown,
            })
        });
        let ahead = self
            .ahead
            .iter()
            .map(|(day, minutes)| json!({"from": day.to_string(), "other_ahead_minutes": minutes}));
        json!({
            "arrangement_id": arrangement,
            "team_id": self.team,
            "other_team_id": self.other,
            "months": months.collect::<Vec<_>>(),
            "clocks": ahead.collect::<Vec<_>>(),
        })
    }

    /// What the clock changes do, in words; nothing where they do nothing.
    fn clocks(&self) -> Option<String> {
        let (_, rest) = self.ahead.split_first()?;
        let steps: Vec<String> = self
            .ahead
            .windows(2)
            .filter_map(|pair| match pair {
                [(_, before), (day, after)] => {
                    Some(format!("from {day} on {} instead of {}", ahead(*after), ahead(*before)))
                }
                _ => None,
            })
            .collect();
        (!rest.is_empty())
            .then(|| format!("Clock changes move {}: {}.", self.other, steps.join("; ")))
    }
}

/// `5 h 30 min ahead`.
fn ahead(minutes: i64) -> String {
    let (length, side) = (minutes.abs(), if minutes < 0 { "behind" } else { "ahead" });
    format!("{} {side}", length_text(length))
}

fn length_text(minutes: i64) -> String {
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

fn show(page: &mut Page, arrangement: &str, rows: &[OverlapDay], pairs: &[Pair]) {
    page.heading(arrangement);
    for row in rows.iter().filter(|row| row.day.is_none()) {
        let pair = row.team.as_ref().zip(row.other.as_ref());
        let who = pair.map(|(team, other)| format!("{team} / {other}: ")).unwrap_or_default();
        let text = format!("{who}{}", row.reason.as_deref().unwrap_or(&row.state));
        page.paragraph(0, &text, Tone::Quiet);
    }
    for pair in pairs {
        page.gap();
        let required = pair.months.values().map(|month| month.required_us).max().unwrap_or(0);
        let text = format!(
            "{} / {}, agreed: {} a day",
            pair.team,
            pair.other,
            length_text(required / MINUTE_US)
        );
        page.paragraph(0, &text, Tone::Strong);
        let columns = ["month", "days", "least", "median", "below", "not known"];
        let mut grid = Grid::new(&columns.map(|column| (column, Set::Right))).indented(2);
        for (month, own) in &pair.months {
            let length = |us: Option<i64>| {
                us.map_or_else(|| "–".to_owned(), |us| length_text(us / MINUTE_US))
            };
            let count = |count: i64, tone| {
                let tone = if count > 0 { tone } else { Tone::Quiet };
                Cell::toned(count.to_string(), tone)
            };
            grid.row(vec![
                Cell::from(month.strftime("%Y-%m").to_string()),
                Cell::from(own.overlap_us.len().to_string()),
                Cell::from(length(own.least())),
                Cell::from(length(own.median())),
                count(own.below, Tone::Bad),
                count(own.unknown, Tone::Unsure),
            ]);
        }
        page.grid(&grid);
        if let Some(text) = pair.clocks() {
            page.paragraph(2, &text, Tone::Plain);
        }
    }
    page.gap();
}
