//! Distance in hours of one arrangement: any day as a picture, times to meet, and overlap, promised hours,
//! holidays, handovers, urgent items and meetings of the period and the year ahead.

use std::collections::BTreeSet;

use backstay_desk::meeting;
use backstay_engine::{
    Period,
    panel::{DayPanel, Panels},
    period::{Window, day_of_us},
};
use backstay_report::html::{
    Links,
    day::picture,
    piece::{self, Set},
    section,
};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{
    frame,
    way::{Pages, dossier},
};
use crate::{
    answer::Answer,
    asked::Asked,
    figures::Figures,
    panels::{Beside, Subject},
    problem::ProblemError,
};

/// Times to meet that are proposed, and how long and how far ahead.
const SLOTS: usize = 5;
const MINUTES: i64 = 60;
const DAYS: i64 = 14;

/// The hours.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let id = asked.part("arrangement").to_owned();
    let title = format!("Distance in hours: {id}");
    let Some(figures) = Figures::named(asked)? else {
        return Ok(Answer::page(title, frame::nothing_yet()));
    };
    let pages = Pages::new(asked, &id)?;
    let beside = Beside::new(asked.server, &figures, &id);
    let (party, panels) = (beside.party()?, beside.panels(Subject::Hours)?);
    let dossier = dossier(&figures, &party, &[], &[]);
    let dossier = dossier.ok_or_else(|| ProblemError::nothing("arrangement"))?;
    let (date, month) = date(asked, &figures, &panels, party.zone.as_deref())?;
    let day = beside.day(date, month)?;
    let body = html! {
        (pages.crumbs(&id, &[]))
        (frame::when(asked, Some(figures.period)))
        h2 #day { "A day" }
        (picker(asked, date))
        (picture(&day, &panels.hours.overlaps, pages.zone.as_deref()))
        (meet(&figures, &panels, &day, pages.zone.as_deref())?)
        (section::distance_in_hours(&dossier, &Links(&pages), &panels))
    };
    Ok(Answer::page(title, body))
}

/// The day that was asked for, else the last one of the period on which teams were to overlap, or the last
/// day there is; and the month around it.
fn date(
    asked: &Asked<'_>,
    figures: &Figures,
    panels: &Panels,
    zone: Option<&str>,
) -> Result<(Date, Period), ProblemError> {
    let broken = |error: &dyn std::fmt::Display| ProblemError::broken(error.to_string());
    let date = match asked.query("date") {
        Some(text) => {
            let date: Option<Date> = text.parse().ok();
            let near = |date: &Date| (1970..=2200).contains(&date.year());
            date.filter(near).ok_or_else(|| {
                let mut problem = ProblemError::unclear(format!("`{text}` is not a day."));
                problem.help = Some("Write it as in 2026-11-23.".to_owned());
                problem
            })?
        }
        None => {
            let today = day_of_us(zone.unwrap_or("UTC"), figures.seen.now_us);
            let last = figures.period.after.yesterday().unwrap_or(figures.period.first);
            let last = today.map_err(|error| broken(&error))?.min(last);
            let days = panels.hours.overlaps.iter().flat_map(|pair| &pair.days);
            let known = days.filter(|own| own.overlap_us.is_some() && own.day <= last);
            known.map(|own| own.day).max().unwrap_or(last)
        }
    };
    let month = Window::Month.around(date).map_err(|error| broken(&error))?;
    Ok((date, month))
}

fn picker(asked: &Asked<'_>, date: Date) -> Markup {
    let to = |day: Result<Date, jiff::Error>| {
        let path = asked.link(&asked.call.path);
        let mark = if path.contains('?') { '&' } else { '?' };
        day.ok().map(|day| format!("{path}{mark}date={day}"))
    };
    html! {
        form.when method="get" action="#day" {
            @for name in ["period", "as_of", "zone"] {
                @if let Some(text) = asked.query(name) { input type="hidden" name=(name) value=(text); }
            }
            div {
                label for="date" { "Day" }
                input #date type="date" name="date" value=(date.to_string());
            }
            button { "Show the day" }
        }
        p.pager {
            @if let Some(to) = to(date.yesterday()) { a href={ (to) "#day" } rel="prev" { "Day before" } }
            @if let Some(to) = to(date.tomorrow()) { a href={ (to) "#day" } rel="next" { "Day after" } }
        }
    }
}

/// Times to meet in the two weeks from the day on, fair to every site of the teams that have agreed to
/// overlap.
fn meet(
    figures: &Figures,
    panels: &Panels,
    day: &DayPanel,
    viewer: Option<&str>,
) -> Result<Markup, ProblemError> {
    let teams: BTreeSet<&str> =
        panels.hours.overlaps.iter().flat_map(|pair| [pair.team.as_str(), &pair.other]).collect();
    let of_team = |team: &&str| day.teams.iter().find(|own| own.team == **team)?.site.as_deref();
    let sites: BTreeSet<&str> = teams.iter().filter_map(of_team).collect();
    let sites: Vec<&str> = sites.into_iter().collect();
    if sites.len() < 2 {
        return Ok(html! {});
    }
    let found =
        meeting::best(&figures.seen, &day_view(figures, day)?, &sites, day.day, DAYS, MINUTES)?;
    let (sides, slots) = match found {
        Ok(found) => found,
        Err(reason) => {
            return Ok(
                html! { h2 { "Times to meet" } p { "Not known: " (piece::sentence(&reason)) "." } },
            );
        }
    };
    let mut heads = vec![("Day", Set::Text)];
    heads.extend(sides.iter().map(|side| (side.name.as_str(), Set::Text)));
    if viewer.is_some() {
        heads.push(("In your zone", Set::Text));
    }
    heads.push(("Outside working hours, min", Set::Figure));
    let rows = slots.iter().take(SLOTS).map(|slot| {
        let on: String =
            piece::instant_at(slot.start_us, Some(&day.zone)).chars().take(10).collect();
        let mut cells = vec![html! { span.nowrap { (on) } }];
        cells.extend(sides.iter().zip(&slot.outside_us).map(|(side, outside)| {
            html! {
                span.nowrap { (piece::instant_at(slot.start_us, Some(side.zone.name()))) }
                @if *outside > 0 { span.sub { (outside / 60_000_000) " min outside its hours" } }
            }
        }));
        if viewer.is_some() {
            cells.push(html! { span.nowrap { (piece::instant_at(slot.start_us, viewer)) } });
        }
        cells.push(html! { (slot.burden_us() / 60_000_000) });
        cells
    });
    let rows: Vec<_> = rows.collect();
    Ok(html! {
        h2 { "Times to meet" }
        @if rows.is_empty() { p { "No time of " (MINUTES) " minutes lies in the two weeks from " (day.day.to_string()) " on." } }
        @else { (piece::table(html! { "The best start for " (MINUTES) " minutes on each day, in the two weeks from " (day.day.to_string()) " on" }, &heads, rows)) }
    })
}

fn day_view(figures: &Figures, day: &DayPanel) -> Result<backstay_engine::View, ProblemError> {
    let nothing = || ProblemError::nothing("arrangement");
    let month = Window::Month.around(day.day);
    let month = month.map_err(|error| ProblemError::broken(error.to_string()))?;
    let (id, _) = figures.only().ok_or_else(nothing)?;
    figures.seen.view(id, month)?.ok_or_else(nothing)
}
