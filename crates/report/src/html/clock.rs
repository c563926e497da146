//! One case as a picture of its clock over the days of its sites: days as rows, the wall clock across,
//! working hours shaded, what the clock did as a bar of its own shape and word. Owns positions, in
//! integers; it must never count time, and every number it shows stands in the table of segments too.

use backstay_engine::derive::{
    case_day::{CaseDay, DayPart, Stretch, WallSpan},
    explain::{Explanation, InstantTold, Length, SegmentTold},
};
use maud::{Markup, html};

use super::{
    Links,
    sheet::{Row, Set, Sheet},
    text,
};

/// Width of the drawing.
const WIDTH: i64 = 420;
/// Where the day begins, and how many tenths a minute takes: 24 hours take 288.
const LEFT: i64 = 78;
const TENTHS: i64 = 2;
const RIGHT: i64 = LEFT + 1_440 * TENTHS / 10;
/// Height of a day, and of the head.
const ROW: i64 = 22;
const HEAD: i64 = 20;
/// Width that a letter takes, in tenths.
const LETTER: i64 = 58;

/// Tenths of the place of a minute.
fn x(minute: i64) -> i64 {
    LEFT * 10 + minute.clamp(0, 1_440) * TENTHS
}

fn at(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn width(span: &WallSpan) -> i64 {
    (x(span.until_minute) - x(span.from_minute)).max(8)
}

/// Whether a word fits into so many tenths.
fn fits(word: &str, tenths: i64) -> bool {
    i64::try_from(word.chars().count()).unwrap_or(i64::MAX).saturating_mul(LETTER) + 20 < tenths
}

/// The drawings, one for each stretch at one calendar, and what their shapes mean.
#[must_use]
pub fn picture(told: &Explanation, stretches: &[Stretch]) -> Markup {
    html! {
        @for (n, stretch) in stretches.iter().enumerate() { (one(told, n, stretch)) }
        (legend())
    }
}

fn one(told: &Explanation, nth: usize, stretch: &Stretch) -> Markup {
    let sites: Vec<String> = stretch.sites.iter().map(|site| text::plain(site)).collect();
    let place = if sites.is_empty() { "no site is named".to_owned() } else { sites.join(", ") };
    let title = format!(
        "Case {} over the days of {place}, in {}",
        text::plain(&told.case_id),
        text::plain(&stretch.zone)
    );
    let rows: i64 = stretch.days.iter().map(|day| if day.skipped > 0 { 2 } else { 1 }).sum();
    let height = HEAD + rows * ROW + 6;
    let name = format!("clock.{nth}");
    let mut top = HEAD;
    let places: Vec<(i64, &CaseDay)> = stretch
        .days
        .iter()
        .map(|day| {
            top += if day.skipped > 0 { 2 * ROW } else { ROW };
            (top - ROW, day)
        })
        .collect();
    html! {
        figure.level {
            figcaption {
                strong { (place) }
                span.sub { "days and hours in " (text::plain(&stretch.zone))
                    @if let Some(id) = &stretch.calendar_id { ", working hours of the calendar " (text::name(id)) }
                    @else { ", no calendar is known" } }
            }
            svg.chart.days viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-labelledby=(name) focusable="false" {
                title id=(name) { (title) ". What it shows stands in the table of segments." }
                @for hour in (0..=24).step_by(3) {
                    text.axis.mid x=(at(x(hour * 60))) y="12" { (hour) }
                }
                text.axis.end x=(WIDTH) y="12" { "h:min" }
                @for (top, day) in &places { (row(*top, day)) }
            }
        }
    }
}

/// One day.
fn row(top: i64, day: &CaseDay) -> Markup {
    let middle = top * 10 + ROW * 5;
    let label = day.day.strftime("%a %e %b").to_string();
    html! {
        @if day.skipped > 0 {
            text.axis x=(LEFT) y=(at((top - ROW) * 10 + 145)) { "… " (text::counted(day.skipped as u64, "day")) " left out …" }
        }
        text.axis x="0" y=(at(middle + 38)) { (label) }
        rect.day x=(LEFT) y=(top + 1) width=(RIGHT - LEFT) height=(ROW - 2) {}
        @for span in &day.open {
            rect.open x=(at(x(span.from_minute))) y=(top + 1) width=(at(width(span))) height=(ROW - 2) {}
        }
        @for hour in (3..24).step_by(3) {
            line.grid x1=(at(x(hour * 60))) x2=(at(x(hour * 60))) y1=(top + 1) y2=(top + ROW - 1) {}
        }
        @for part in &day.parts { (bar(middle, part)) }
        @if let Some(said) = said(day) {
            text.axis.halo x=(LEFT + 4) y=(at(middle + 38)) { (said) }
        }
        @if let Some(minute) = day.deadline_minute { (deadline(top, minute, day)) }
        @if day.counted_us > 0 {
            text.axis.end x=(WIDTH) y=(at(middle + 38)) { (short(day.counted_us)) }
        }
    }
}

/// What is said of a day in words.
fn said(day: &CaseDay) -> Option<String> {
    let mut words = Vec::new();
    if let Some(holiday) = &day.holiday {
        words.push(text::plain(holiday));
    }
    if day.change_minutes != 0 {
        let sign = if day.change_minutes > 0 { "+" } else { "−" };
        words.push(format!("day of {sign}{} min", day.change_minutes.abs()));
    }
    if day.gap.is_some() {
        words.push("working hours not known".to_owned());
    }
    (!words.is_empty()).then(|| words.join(", ").chars().take(44).collect())
}

/// Hours and minutes, as short as they can be.
fn short(us: i64) -> String {
    let minutes = us / 60_000_000;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// What the clock did: a shape of its own each, with its word where there is room.
fn bar(middle: i64, part: &DayPart) -> Markup {
    let line = |class: &str| {
        let (from, until) = (x(part.span.from_minute), x(part.span.until_minute));
        html! { line class=(class) x1=(at(from)) x2=(at(until.max(from + 8))) y1=(at(middle)) y2=(at(middle)) {} }
    };
    let boxes = |class: &str, spans: &[WallSpan], word: &str| {
        html! {
            @for span in spans {
                rect class=(class) x=(at(x(span.from_minute))) y=(at(middle - 55)) width=(at(width(span))) height="11" {}
                @if fits(word, width(span)) {
                    text class={ "in " (class) } x=(at(x(span.from_minute) + width(span) / 2)) y=(at(middle + 32)) { (word) }
                }
            }
        }
    };
    html! {
        @match part.clock.as_str() {
            "running" => { (line("wait")) (boxes("run", &part.working, "running")) },
            "paused" => { (line("wait")) (boxes("pause", &part.working, "paused")) },
            "gap" => { (boxes("unsure", &[part.span], "not known")) },
            _ => { (line("stop")) },
        }
    }
}

fn deadline(top: i64, minute: i64, day: &CaseDay) -> Markup {
    let place = x(minute);
    let spans = || day.parts.iter().flat_map(|part| &part.working);
    let free = |from: i64, until: i64| {
        let covers = |span: &WallSpan| x(span.from_minute) < until && x(span.until_minute) > from;
        from >= LEFT * 10 && until <= RIGHT * 10 && !spans().any(covers)
    };
    // The word stands where nothing was counted; when there is no such side, the mark says it alone.
    let left = free(place - 640, place - 30);
    let right = !left && free(place + 30, place + 640);
    html! {
        line.due x1=(at(place)) x2=(at(place)) y1=(top) y2=(top + ROW) {}
        path.mark.bad d={ "M" (at(place)) " " (top - 1) "l4 4-4 4-4-4Z" } {}
        @if left { text.axis.end.halo x=(at(place - 70)) y=(top + ROW - 7) { "deadline" } }
        @else if right { text.axis.halo x=(at(place + 70)) y=(top + ROW - 7) { "deadline" } }
    }
}

/// What the shapes mean.
fn legend() -> Markup {
    let sample = |inner: Markup| {
        html! { svg.chart.key viewBox="0 0 34 14" width="34" height="14" aria-hidden="true" focusable="false" { (inner) } }
    };
    html! {
        ul.legend {
            li { (sample(html! { rect.open x="0" y="0" width="34" height="14" {} })) " working hours" }
            li { (sample(html! { rect.run x="0" y="2" width="34" height="10" {} })) " running: counted" }
            li { (sample(html! { rect.pause x="1" y="2" width="32" height="10" {} })) " paused: not counted" }
            li { (sample(html! { line.wait x1="0" x2="34" y1="7" y2="7" {} })) " outside working hours: nothing to count" }
            li { (sample(html! { line.stop x1="0" x2="34" y1="7" y2="7" {} })) " stopped: not started, elsewhere, or done" }
            li { (sample(html! { rect.unsure x="1" y="2" width="32" height="10" {} })) " not known" }
            li { (sample(html! { line.due x1="17" x2="17" y1="0" y2="14" {} path.mark.bad d="M17 3l4 4-4 4-4-4Z" {} })) " deadline" }
        }
    }
}

/// The segments as a table, in the zone of each site and, where one is chosen, in the viewer's.
#[must_use]
pub fn segments(told: &Explanation, links: &Links<'_>) -> Markup {
    let heads = [
        ("Segment", Set::Text),
        ("From", Set::Text),
        ("To", Set::Text),
        ("State", Set::Wide),
        ("Clock", Set::Text),
        ("With", Set::Text),
        ("Counted", Set::Figure),
        ("So far", Set::Figure),
        ("Row", Set::Text),
    ];
    let caption = html! { "Segments: what held from when to when, and the working time in it (hours:minutes:seconds)" };
    let mut sheet = Sheet::new(caption, &heads);
    for segment in &told.segments {
        sheet.row(line(segment, links));
    }
    sheet.render()
}

fn line(segment: &SegmentTold, links: &Links<'_>) -> Row {
    let hms = |length: &Option<Length>| length.as_ref().map(|l| l.hms.clone()).unwrap_or_default();
    let with = [segment.team_id.as_deref(), segment.site_id.as_deref()];
    let with: Vec<String> = with.into_iter().flatten().map(text::plain).collect();
    Row::of(vec![
        html! { (segment.segment) },
        moment(&segment.from, links),
        html! { @if segment.is_open { "goes on" } @else { (moment(&segment.to, links)) } },
        html! {
            (text::name(segment.state.as_deref().unwrap_or("–")))
            @if let Some(gap) = &segment.gap { span.sub { (text::told(gap)) } }
            @if let Some(paused) = segment.paused.as_ref().filter(|paused| paused.us > 0) { span.sub { (paused.hms) " of working time not counted" } }
        },
        html! { (text::plain(&segment.clock)) },
        html! { (with.join(", ")) },
        html! { (hms(&segment.working)) },
        html! { (hms(&segment.elapsed)) },
        links.reference(&segment.record),
    ])
}

/// An instant as the site's wall clock had it, and as the viewer's has.
#[must_use]
pub fn moment(at: &InstantTold, links: &Links<'_>) -> Markup {
    let own = at.local.as_deref().unwrap_or(&at.utc);
    let own = match own.split_once('T') {
        Some((day, rest)) => {
            let (clock, offset) = rest.split_at(rest.find(['+', '-', 'Z']).unwrap_or(rest.len()));
            let clock = clock.strip_suffix(":00").unwrap_or(clock);
            format!("{day} {clock} {}", if offset == "Z" { "UTC" } else { offset })
        }
        None => own.to_owned(),
    };
    html! {
        span.nowrap { (text::plain(&own)) }
        (links.beneath_of(&at.utc, &own.replace(" UTC", " +00:00")))
    }
}
