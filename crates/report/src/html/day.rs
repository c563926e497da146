//! A day of teams as a picture: when each is at work, when all of a pair are at once, which promised hours
//! were manned. Owns positions, in integers; it must never say whether that suffices, and what it draws
//! stands in the table beneath as well.

use backstay_engine::{
    panel::{DayPanel, OverlapPair, TeamDay},
    period::time_zone,
};
use jiff::Timestamp;
use maud::{Markup, html};

use super::{
    sheet::{Row, Set, Sheet},
    text,
};

const WIDTH: i64 = 420;
const LEFT: i64 = 112;
const RIGHT: i64 = 412;
const HEAD: i64 = 20;
const ROW: i64 = 26;
/// Letters of a name beside the drawing.
const NAME: usize = 17;

/// Spans of microseconds UTC.
type Spans = Vec<(i64, i64)>;

/// A line of the picture.
struct Line {
    name: String,
    /// Said beneath its name.
    beneath: String,
    /// Class and spans of what is drawn.
    bars: Vec<(&'static str, Spans)>,
    said: Option<String>,
}

/// Hours of both at once.
fn both(left: &[(i64, i64)], right: &[(i64, i64)]) -> Spans {
    let mut found = Spans::new();
    for (from, until) in left {
        for (start, end) in right {
            let span = (*from.max(start), *until.min(end));
            if span.0 < span.1 {
                found.push(span);
            }
        }
    }
    found.sort_unstable();
    found
}

fn total(spans: &[(i64, i64)]) -> i64 {
    spans.iter().map(|(from, until)| until - from).sum()
}

/// Spans as the wall clock of a zone has them.
fn told(spans: &[(i64, i64)], zone: Option<&str>) -> String {
    let zone = zone.and_then(|zone| time_zone(zone).ok());
    let at = |us: i64, form: &str| {
        let zone = zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
        let at = Timestamp::from_microsecond(us).map(|at| at.to_zoned(zone));
        at.map(|at| at.strftime(form).to_string()).unwrap_or_default()
    };
    let spans =
        spans.iter().map(|(from, until)| format!("{}–{}", at(*from, "%H:%M"), at(*until, "%H:%M")));
    spans.collect::<Vec<_>>().join(", ")
}

/// The picture of a day, and its table. `pairs`: those of which an overlap is agreed.
#[must_use]
pub fn picture(day: &DayPanel, pairs: &[OverlapPair], viewer: Option<&str>) -> Markup {
    let lines = lines(day, pairs);
    if lines.is_empty() {
        return html! {
            p { "No team of this arrangement is registered, so there is nothing to lay over each other. Import the registers "
                code { "team" } ", " code { "site" } " and " code { "calendar" } "." }
        };
    }
    html! {
        figure.level {
            figcaption { strong { (day.day.strftime("%A, %-d %B %Y").to_string()) }
                span.sub { "midnight to midnight in " (text::plain(&day.zone))
                    @if let Some(viewer) = viewer { "; below, the hours in " (text::plain(viewer)) } } }
            (drawing(day, &lines, viewer))
            (legend())
        }
        (table(day, pairs))
    }
}

/// What the shapes mean.
fn legend() -> Markup {
    let sample = |class: &str, y: i64, height: i64, words: &str| {
        html! {
            li {
                svg.chart.key viewBox="0 0 34 14" width="34" height="14" aria-hidden="true" focusable="false" {
                    rect class=(class) x="1" y=(y) width="32" height=(height) {}
                }
                " " (words)
            }
        }
    };
    html! {
        ul.legend {
            (sample("run", 3, 9, "at work by the calendar of the site"))
            (sample("shift", 5, 4, "rostered"))
            (sample("both", 2, 11, "both of a pair at work"))
            (sample("open", 2, 11, "promised hours, manned"))
            (sample("lack", 2, 10, "promised hours, nobody there"))
        }
    }
}

fn lines(day: &DayPanel, pairs: &[OverlapPair]) -> Vec<Line> {
    let mut lines = Vec::new();
    for team in &day.teams {
        let mut bars = vec![("run", team.open.clone())];
        if let Some(rostered) = &team.rostered {
            bars.push(("shift", rostered.clone()));
        }
        lines.push(Line {
            name: text::plain(&team.team),
            beneath: team.zone.as_deref().map(text::plain).unwrap_or_default(),
            bars,
            said: said(team),
        });
    }
    for (pair, spans) in together(day, pairs) {
        lines.push(Line {
            name: "both at work".to_owned(),
            beneath: format!("{}, {}", text::plain(&pair.team), text::plain(&pair.other)),
            said: spans.is_empty().then(|| "never on this day".to_owned()),
            bars: vec![("both", spans)],
        });
    }
    for own in &day.promised {
        let known = !own.manned.is_empty() || !own.unmanned.is_empty();
        lines.push(Line {
            name: text::plain(&own.function),
            beneath: "promised hours".to_owned(),
            bars: vec![("open", own.manned.clone()), ("lack", own.unmanned.clone())],
            said: (!known).then(|| "not known, not promised, or not come yet".to_owned()),
        });
    }
    lines
}

fn said(team: &TeamDay) -> Option<String> {
    let change = (team.change_minutes != 0).then(|| {
        let sign = if team.change_minutes > 0 { "+" } else { "−" };
        format!("clocks change: day of {sign}{} min", team.change_minutes.abs())
    });
    let closed = team.open.is_empty() && team.gap.is_none() && team.holiday.is_none();
    let words = [
        team.holiday.as_deref().map(text::plain),
        team.gap.is_some().then(|| "not known".to_owned()),
        closed.then(|| "closed".to_owned()),
        change,
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The pairs of which an overlap is agreed, with the hours that both work.
fn together<'a>(day: &DayPanel, pairs: &'a [OverlapPair]) -> Vec<(&'a OverlapPair, Spans)> {
    let of = |id: &str| day.teams.iter().find(|team| team.team == id);
    let spans = |pair: &'a OverlapPair| {
        let (own, other) = of(&pair.team).zip(of(&pair.other))?;
        Some((pair, both(&own.open, &other.open)))
    };
    pairs.iter().filter_map(spans).collect()
}

/// Place of an instant, in tenths.
fn x(day: &DayPanel, us: i64) -> i64 {
    let (from, until) = day.span;
    let part = i128::from(us.clamp(from, until) - from) * i128::from((RIGHT - LEFT) * 10);
    LEFT * 10 + i64::try_from(part / i128::from((until - from).max(1))).unwrap_or_default()
}

fn at(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Every third full hour of a zone inside the day, with its place.
fn hours(day: &DayPanel, zone: &str) -> Vec<(i64, i8)> {
    const HOUR_US: i64 = 3_600_000_000;
    let Ok(zone) = time_zone(zone) else { return Vec::new() };
    let (from, until) = day.span;
    let mut found: Vec<(i64, i8)> = Vec::new();
    // Zones stand apart by quarters of an hour.
    let mut us = from;
    while us <= until {
        let local = Timestamp::from_microsecond(us).map(|at| at.to_zoned(zone.clone()));
        if let Ok(local) = local
            && local.minute() == 0
            && local.hour() % 3 == 0
            && found.last().is_none_or(|(_, hour)| *hour != local.hour())
        {
            found.push((us, local.hour()));
        }
        us += HOUR_US / 4;
    }
    found
}

fn drawing(day: &DayPanel, lines: &[Line], viewer: Option<&str>) -> Markup {
    let count = i64::try_from(lines.len()).unwrap_or_default();
    let bottom = HEAD + count * ROW;
    let height = bottom + if viewer.is_some() { 18 } else { 6 };
    let title = format!("Who is at work on {} in {}", day.day, text::plain(&day.zone));
    html! {
        svg.chart.days viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-labelledby="day.chart" focusable="false" {
            title id="day.chart" { (title) ". What it shows stands in the table below." }
            @for (us, hour) in hours(day, &day.zone) {
                line.grid x1=(at(x(day, us))) x2=(at(x(day, us))) y1=(HEAD) y2=(bottom) {}
                text.axis.mid x=(at(x(day, us))) y="12" { (hour) }
            }
            @for (n, line) in lines.iter().enumerate() {
                (row(day, HEAD + i64::try_from(n).unwrap_or_default() * ROW, line))
            }
            line.base x1="0" x2=(RIGHT) y1=(bottom) y2=(bottom) {}
            @if let Some(viewer) = viewer {
                text.axis x="0" y=(bottom + 14) { "your hours" }
                @for (us, hour) in hours(day, viewer) { text.axis.mid x=(at(x(day, us))) y=(bottom + 14) { (hour) } }
            }
        }
    }
}

fn short(name: &str) -> String {
    let cut: String = name.chars().take(NAME).collect();
    if cut.len() < name.len() { format!("{}…", cut.trim_end()) } else { cut }
}

fn row(day: &DayPanel, top: i64, line: &Line) -> Markup {
    let thin = line.bars.len() > 1 && line.bars.iter().any(|(class, _)| *class == "shift");
    html! {
        line.base x1="0" x2=(RIGHT) y1=(top) y2=(top) {}
        text.axis.name x="0" y=(top + 11) { (short(&line.name)) }
        text.axis.tiny x="0" y=(top + 22) { (short(&line.beneath)) }
        @for (class, spans) in &line.bars {
            @let (y, height) = match *class { "shift" => (top + 17, 4), _ if thin => (top + 5, 10), _ => (top + 7, 12) };
            @for (from, until) in spans {
                rect class=(class) x=(at(x(day, *from))) y=(y) width=(at((x(day, *until) - x(day, *from)).max(8))) height=(height) {}
                @if *class == "lack" && x(day, *until) - x(day, *from) > 420 {
                    text.in.lack x=(at((x(day, *from) + x(day, *until)) / 2)) y=(top + 16) { "nobody" }
                }
            }
        }
        @if let Some(said) = &line.said { text.axis.halo x=(LEFT + 6) y=(top + 16) { (said.chars().take(48).collect::<String>()) } }
    }
}

fn table(day: &DayPanel, pairs: &[OverlapPair]) -> Markup {
    let heads = [
        ("Who", Set::Text),
        ("At work, in the zone of the site", Set::Text),
        ("The same in the zone of the arrangement", Set::Text),
        ("In all", Set::Figure),
        ("Remarks", Set::Wide),
    ];
    let caption = html! { "Who is at work on " (day.day.to_string()) };
    let mut sheet = Sheet::new(caption, &heads);
    let zone = Some(day.zone.as_str());
    for team in &day.teams {
        sheet.row(Row::of(vec![
            html! { (text::name(&team.team)) @if let Some(site) = &team.site { span.sub { (text::plain(site)) ", " (text::plain(team.zone.as_deref().unwrap_or("zone not known"))) } } },
            html! { (told(&team.open, team.zone.as_deref())) @if let Some(rostered) = &team.rostered { span.sub { @if rostered.is_empty() { "nobody is rostered" } @else { "rostered: " (told(rostered, team.zone.as_deref())) } } } },
            html! { (told(&team.open, zone)) },
            html! { @if team.gap.is_none() { (text::length(total(&team.open))) } },
            html! {
                @if let Some(said) = said(team) { (said) }
                @if let Some(gap) = &team.gap { span.sub { (text::told(gap)) } }
            },
        ]));
    }
    for (pair, spans) in together(day, pairs) {
        let required = pair.days.iter().find(|own| own.day == day.day).map(|own| own.required_us);
        sheet.row(Row::of(vec![
            html! { "Both at work" span.sub { (text::plain(&pair.team)) ", " (text::plain(&pair.other)) } },
            html! {},
            html! { (told(&spans, zone)) },
            html! { (text::length(total(&spans))) },
            html! { @match required {
                Some(required) => { "agreed: " (text::length(required)) },
                None => { "nothing is due on this day" },
            } },
        ]));
    }
    for own in &day.promised {
        sheet.row(Row::of(vec![
            html! { (text::name(&own.function)) span.sub { "promised hours" } },
            html! {},
            html! { (told(&own.manned, zone)) @if !own.unmanned.is_empty() { span.sub { strong { "nobody: " (told(&own.unmanned, zone)) } } } },
            html! { @if !own.manned.is_empty() || !own.unmanned.is_empty() { (text::length(total(&own.manned))) } @else { "–" } },
            html! { @for said in &own.said { (text::told(said)) " " } },
        ]));
    }
    sheet.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_both_are_those_that_lie_in_the_hours_of_each() {
        assert_eq!(both(&[(0, 10), (20, 30)], &[(5, 25)]), [(5, 10), (20, 25)]);
        assert!(both(&[(0, 10)], &[(10, 20)]).is_empty());
        assert_eq!(total(&both(&[(0, 10), (20, 30)], &[(5, 25)])), 10);
    }
}
