//! A weekly series against its baseline: what the rules say, the p chart, CUSUM and EWMA with their
//! limits, and the weeks as a table. Owns positions; it must never decide whether there is a signal.

use backstay_engine::panel::{DriftSeries, DriftWeek};
use maud::{Markup, html};

use super::{
    Links,
    plot::{self, Frame, Mark, PLOT, Scale},
    sheet::{Row, Set, Sheet},
    status, text,
};
use crate::figure;

/// Weeks in the table, the last ones.
const WEEKS_SHOWN: usize = 10;
/// Weeks drawn, the last ones.
const WEEKS_DRAWN: usize = 78;
/// References shown.
const REFS_SHOWN: usize = 4;
/// Units of 10⁻⁹ in one.
const ONE: i128 = 1_000_000_000;
/// Limits of the rules in thousandths of a standard deviation.
const LIMITS: [(&str, &str, i128); 2] = [("cusum", "CUSUM", 4_000), ("ewma", "EWMA", 2_860)];

/// A series: sentences, drawings, table.
pub(super) fn series(
    links: &Links<'_>,
    arrangement: &str,
    stream: &str,
    series: &DriftSeries,
    command: &str,
) -> Markup {
    let id = text::anchor("drift", &[arrangement, stream, &series.series]);
    let skipped = series.weeks.len().saturating_sub(WEEKS_DRAWN);
    let weeks = series.weeks.get(skipped..).unwrap_or_default();
    let shown = links.shown(WEEKS_SHOWN);
    let any = series.signals.iter().any(|signal| signal.signal.is_some());
    html! {
        @let words = html! { (text::name(stream)) ", " (text::title(&series.series)) };
        @if links.0.stands_alone() { h3 { (words) } } @else { h5 { (words) } }
        ul.said { @for signal in &series.signals { li {
            (held(signal.signal.as_deref())) " by " (signal.rule.to_uppercase()) ": " (text::told(&signal.sentence)) ". "
            @if signal.signal.is_some() { span.quiet { "Rows: " (links.some(&signal.evidence, REFS_SHOWN)) } }
        } } }
        figure.level id=(id) tabindex="-1" {
            figcaption { strong { "Share by week" } span.sub { "p chart: limits of three standard deviations around the baseline" } }
            div.beside {
                @if let Some(drawing) = shares(&id, weeks) { (drawing) }
                div {
                    (table(stream, series, shown))
                    @if series.weeks.len() > shown {
                        p.basis {
                                "And " (text::counted((series.weeks.len() - shown) as u64, "week")) " before"
                                @if links.0.stands_alone() { "." } @else { ": " code { (text::title_text(command)) } }
                            }
                    }
                }
            }
        }
        details open[any] {
            summary { "CUSUM and EWMA by week" }
            div.figures {
                @for (rule, name, limit) in LIMITS {
                    @if let Some(drawing) = rule_chart(&id, weeks, (rule, name, limit)) {
                        figure.level {
                            figcaption { strong { (name) } span.sub { "signals beyond " (thousandths(limit)) " standard deviations" } }
                            (drawing)
                        }
                    }
                }
            }
        }
    }
}

/// A signal as word and shape.
fn held(signal: Option<&str>) -> Markup {
    match signal {
        Some("up") => status::held(Some(false), "signal: more"),
        Some(_) => status::held(Some(true), "signal: fewer"),
        None => status::held(Some(true), "no signal"),
    }
}

fn thousandths(units: i128) -> String {
    figure::trim_decimal(&format!("{}.{:03}", units / 1_000, units % 1_000)).to_owned()
}

/// Middle of a week in the plot, and its edges.
fn place(nth: usize, of: usize) -> (i128, i128, i128) {
    let (n, of) = (i128::try_from(nth).unwrap_or(0), i128::try_from(of).unwrap_or(1));
    (plot::x(2 * n + 1, 2 * of), plot::x(n, of), plot::x(n + 1, of))
}

/// Every week's Monday, as many as fit.
fn marks(weeks: &[DriftWeek]) -> Vec<Mark> {
    let every = weeks.len().div_ceil(6).max(1);
    let named = weeks.iter().enumerate().filter(|(n, _)| n.is_multiple_of(every));
    let mark = |(n, week): (usize, &DriftWeek)| {
        let day = week.week;
        let name: String = text::month_name(day.month()).chars().take(3).collect();
        let (x, ..) = place(n, weeks.len());
        Mark { x: x.max((PLOT.0 + 16) * 10), label: format!("{} {name}", day.day()) }
    };
    plot::fitting(named.map(mark).collect())
}

/// The line between baseline and what is watched.
fn border(weeks: &[DriftWeek]) -> Markup {
    let nth = weeks.iter().position(|week| !week.baseline).filter(|n| *n > 0);
    let (_, _, top, bottom) = PLOT;
    html! {
        @if let Some(nth) = nth {
            @let x = place(nth, weeks.len()).1;
            line.base x1=(plot::at(x)) x2=(plot::at(x)) y1=(top - 6) y2=(bottom) {}
            text.axis.end x=(plot::at(x - 30)) y=(top - 6) { "baseline" }
        }
    }
}

fn shares(id: &str, weeks: &[DriftWeek]) -> Option<Markup> {
    if weeks.len() < 2 {
        return None;
    }
    let share = |week: &DriftWeek| {
        (week.of > 0).then(|| i128::from(week.found) * ONE / i128::from(week.of))
    };
    let values = weeks.iter().flat_map(|week| [share(week), week.limits.map(|limits| limits.1)]);
    let scale = Scale::of([0].into_iter().chain(values.flatten()), ONE / 1_000)?;
    let at = |(n, week): (usize, &DriftWeek)| {
        share(week).map(|value| (place(n, weeks.len()).0, scale.y(value)))
    };
    let steps = |of: &dyn Fn(&DriftWeek) -> Option<i128>| {
        plot::steps(weeks.iter().enumerate().map(|(n, week)| {
            let (_, from, until) = place(n, weeks.len());
            (from, until, of(week).map(|value| scale.y(value)))
        }))
    };
    let frame = Frame {
        id,
        title: "Share of what was found, by week, with the limits of the p chart",
        unit: "% a week",
        along: "week from",
        marks: marks(weeks),
    };
    let inner = html! {
        (border(weeks))
        path.target d=(steps(&|week| week.centre)) {}
        path.minimum d=(steps(&|week| week.limits.map(|limits| limits.0))) {}
        path.minimum d=(steps(&|week| week.limits.map(|limits| limits.1))) {}
        path.value d=(plot::line(weeks.iter().enumerate().map(at))) {}
        @for (n, week) in weeks.iter().enumerate() {
            @if let Some((x, y)) = at((n, week)) {
                @if beyond(week) { (plot::diamond(x, y)) }
                @else { circle.mark cx=(plot::at(x)) cy=(plot::at(y)) r="3" {} }
            }
        }
    };
    let label = |tick: i128| tenths(tick * 1_000 / ONE);
    Some(frame.draw(&scale, label, &inner))
}

/// Tenths of a per cent as per cent.
fn tenths(tenths: i128) -> String {
    figure::trim_decimal(&plot::at(tenths)).to_owned()
}

/// Whether a week's share lies outside the limits of its own number of items, exactly.
fn beyond(week: &DriftWeek) -> bool {
    let found = i128::from(week.found) * ONE;
    let of = i128::from(week.of);
    week.of > 0 && week.limits.is_some_and(|(low, high)| found < low * of || found > high * of)
}

fn rule_chart(
    id: &str,
    weeks: &[DriftWeek],
    (rule, name, limit): (&str, &str, i128),
) -> Option<Markup> {
    let watched: Vec<&DriftWeek> = weeks.iter().filter(|week| !week.baseline).collect();
    if watched.len() < 2 {
        return None;
    }
    let value = |week: &DriftWeek| if rule == "cusum" { week.cusum } else { week.ewma };
    let limit = limit * (ONE / 1_000);
    let values = watched.iter().filter_map(|week| value(week).map(|(value, _)| value));
    let scale = Scale::of(values.chain([-limit, limit]), ONE)?;
    let at = |n: usize, week: &DriftWeek| {
        value(week).map(|(value, _)| (place(n, watched.len()).0, scale.y(value)))
    };
    let owned: Vec<DriftWeek> = watched.iter().map(|week| (*week).clone()).collect();
    let id = format!("{id}.{rule}");
    let title = format!("{name} by week, in standard deviations, with its limits");
    let frame = Frame {
        id: &id,
        title: &title,
        unit: "standard deviations",
        along: "week from",
        marks: marks(&owned),
    };
    let inner = html! {
        path.target d=(plot::level(&scale, 0)) {}
        path.minimum d=(plot::level(&scale, limit)) {}
        path.minimum d=(plot::level(&scale, -limit)) {}
        path.value d=(plot::line(watched.iter().enumerate().map(|(n, week)| at(n, week)))) {}
        @for (n, week) in watched.iter().enumerate() {
            @if let Some((x, y)) = at(n, week) {
                @if value(week).is_some_and(|(_, signal)| signal) { (plot::diamond(x, y)) }
                @else { circle.mark cx=(plot::at(x)) cy=(plot::at(y)) r="3" {} }
            }
        }
    };
    Some(frame.draw(&scale, |tick| (tick / ONE).to_string(), &inner))
}

fn table(stream: &str, series: &DriftSeries, shown: usize) -> Markup {
    let heads = [
        ("Week from", Set::Text),
        ("Found", Set::Figure),
        ("Of", Set::Figure),
        ("%", Set::Figure),
        ("Limits, %", Set::Figure),
        ("CUSUM", Set::Figure),
        ("EWMA", Set::Figure),
    ];
    let caption = html! { span.only-read { (text::name(stream)) ", " (text::title(&series.series)) ", by week" } };
    let mut sheet = Sheet::new(caption, &heads).compact();
    let hidden = series.weeks.len().saturating_sub(shown);
    let percent = |nanos: i128| {
        let share = i64::try_from(nanos).unwrap_or(i64::MAX);
        figure::percent(share, 1_000_000_000, 1).unwrap_or_default().replace(" %", "")
    };
    let signed = |value: Option<(i128, bool)>| {
        let text = value.map(|(value, _)| figure::signed_decimal(value, 9, 2));
        html! { @match (text, value) {
            (Some(text), Some((_, true))) => { strong { (text) } },
            (Some(text), _) => (text),
            _ => "",
        } }
    };
    for week in series.weeks.iter().skip(hidden) {
        let share = figure::percent(week.found, week.of, 1).unwrap_or_default();
        sheet.row(Row::of(vec![
            html! { span.nowrap { (week.week.to_string()) @if week.baseline { span.quiet { " base" } } } },
            html! { (figure::count(week.found)) },
            html! { (figure::count(week.of)) },
            html! { @if beyond(week) { strong { (share.replace(" %", "")) } } @else { (share.replace(" %", "")) } },
            html! { @if let Some((low, high)) = week.limits { (percent(low)) " to " (percent(high)) } },
            signed(week.cusum),
            signed(week.ewma),
        ]));
    }
    sheet.render()
}
