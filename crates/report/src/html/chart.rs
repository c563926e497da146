//! A service level by month as a drawing: values, target and minimum. Owns positions and scales, in
//! integers; it must never decide whether a figure is good, and everything it draws stands in a table
//! beneath it as well.

use backstay_engine::assessment::MeasureResult;
use maud::{Markup, html};

use super::{level::Seen, text};
use crate::{
    figure,
    level::{self, Verdict},
};

/// Units of 10⁻⁶ in one percent.
const PERCENT: i128 = 10_000;
/// Size of the drawing.
const SIZE: (i128, i128) = (380, 184);
/// Plot: left, right, top, bottom.
const PLOT: (i128, i128, i128, i128) = (44, 372, 26, 154);

/// One point in time.
struct Point {
    label: String,
    value: Option<i128>,
    target: Option<i128>,
    minimum: Option<i128>,
    verdict: Verdict,
}

/// From the lowest to the highest value shown, and the step between two lines.
struct Scale {
    low: i128,
    high: i128,
    step: i128,
    share: bool,
}

impl Scale {
    /// A scale that holds every value with some room, in steps that are easy to read.
    fn of(points: &[Point], share: bool) -> Option<Self> {
        let values: Vec<i128> =
            points.iter().flat_map(|p| [p.value, p.target, p.minimum]).flatten().collect();
        let (low, high) = (*values.iter().min()?, *values.iter().max()?);
        let unit = if share { PERCENT } else { 1_000_000 };
        let span = (high - low).max(if share { 4 * unit } else { unit });
        let mut step = unit;
        let mut factors = [2_i128, 5, 10].iter().cycle();
        let mut base = unit;
        while span > step * 4 {
            let factor = factors.next().copied().unwrap_or(10);
            step = base * factor;
            if factor == 10 {
                base = step;
            }
        }
        let mut scale = Self {
            low: low.div_euclid(step) * step,
            high: (high + step - 1).div_euclid(step) * step,
            step,
            share,
        };
        if low - scale.low < step / 5 && scale.low > 0 {
            scale.low -= step;
        }
        if share && high > 100 * unit - step {
            scale.high = 100 * unit.max(high / 100);
        }
        if scale.high == scale.low {
            scale.high += step;
        }
        Some(scale)
    }

    /// Vertical place of a value, in tenths.
    fn y(&self, value: i128) -> i128 {
        let (_, _, top, bottom) = PLOT;
        let height = (bottom - top) * 10;
        bottom * 10 - height * (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> Vec<i128> {
        let mut ticks = Vec::new();
        let mut at = self.low;
        while at <= self.high {
            ticks.push(at);
            at += self.step;
        }
        ticks
    }

    fn label(&self, value: i128) -> String {
        let unit = if self.share { PERCENT } else { 1_000_000 };
        figure::count(i64::try_from(value / unit).unwrap_or(i64::MAX))
    }
}

/// Tenths as a coordinate.
fn at(tenths: i128) -> String {
    format!("{}.{}", tenths / 10, (tenths % 10).abs())
}

/// Horizontal middle of a point, and the edges of its share of the plot, in tenths.
fn x(nth: usize, of: usize) -> (i128, i128, i128) {
    let (left, right, _, _) = PLOT;
    let (nth, of) = (i128::try_from(nth).unwrap_or(0), i128::try_from(of.max(1)).unwrap_or(1));
    let width = (right - left) * 10;
    let edge = |n: i128| left * 10 + width * n / of;
    (left * 10 + width * (2 * nth + 1) / (2 * of), edge(nth), edge(nth + 1))
}

/// The short name of a window on the axis.
fn short(measure: &MeasureResult, first: bool) -> String {
    let window = crate::words::period(measure.period);
    if window.len() == 7 && !window.contains('Q') {
        let month = measure.period.first.month();
        let name: String = text::month_name(month).chars().take(3).collect();
        if first || month == 1 {
            return format!("{name} {:02}", measure.period.first.year() % 100);
        }
        return name;
    }
    window
}

/// The drawing, when there are at least two windows to compare.
pub(super) fn chart(id: &str, windows: &[Seen<'_>]) -> Option<Markup> {
    let last = windows.last()?.measure;
    if windows.len() < 2 {
        return None;
    }
    let share = level::is_share(last);
    let micros = |value: &Option<String>| figure::micros(value.as_deref()?);
    let points: Vec<Point> = windows
        .iter()
        .map(|seen| (seen, seen.measure))
        .enumerate()
        .map(|(n, (seen, measure))| Point {
            label: short(measure, n == 0),
            value: micros(&measure.value),
            target: micros(&measure.target),
            minimum: micros(&measure.minimum),
            verdict: seen.verdict(),
        })
        .collect();
    let scale = Scale::of(&points, share)?;
    let unit = if share { "% of cases" } else { "cases" };
    let title = format!("{} by month, {unit}", text::title_text(&last.title));
    let (left, right, _, bottom) = PLOT;
    let name = format!("{id}.chart");
    Some(html! {
        svg.chart viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } role="img" aria-labelledby=(name) focusable="false" {
            title id=(name) { (title) ". The figures stand in the table below." }
            text.axis x="2" y="11" { (unit) }
            @for tick in scale.ticks() {
                line.grid x1=(left) x2=(right) y1=(at(scale.y(tick))) y2=(at(scale.y(tick))) {}
                text.axis.end x=(left - 6) y=(at(scale.y(tick) + 38)) { (scale.label(tick)) }
            }
            line.base x1=(left) x2=(right) y1=(bottom) y2=(bottom) {}
            (lines(&points, &scale))
            (values(&points, &scale))
            @let thin = points.len() > 8;
            @for (n, point) in points.iter().enumerate() {
                @if !thin || (points.len() - 1 - n).is_multiple_of(2) {
                    text.axis.mid x=(at(x(n, points.len()).0)) y=(bottom + 16) { (point.label) }
                }
            }
        }
    })
}

/// Target and minimum as steps: they may change from one window to the next.
fn lines(points: &[Point], scale: &Scale) -> Markup {
    let path = |of: &dyn Fn(&Point) -> Option<i128>| {
        let mut path = String::new();
        let mut open = false;
        for (n, point) in points.iter().enumerate() {
            let (_, from, to) = x(n, points.len());
            match of(point) {
                Some(value) => {
                    let y = at(scale.y(value));
                    let letter = if open { 'L' } else { 'M' };
                    path.push_str(&format!("{letter}{} {y}L{} {y}", at(from), at(to)));
                    open = true;
                }
                None => open = false,
            }
        }
        path
    };
    let (target, minimum) = (path(&|point| point.target), path(&|point| point.minimum));
    let last = |of: &dyn Fn(&Point) -> Option<i128>| points.iter().rev().find_map(of);
    let right = PLOT.1;
    html! {
        @if !target.is_empty() { path.target d=(target) {} }
        @if !minimum.is_empty() { path.minimum d=(minimum) {} }
        @if let Some(value) = last(&|point| point.target) {
            text.axis.end.aim x=(right) y=(at(scale.y(value) - 40)) { "target" }
        }
        @if let Some(value) = last(&|point| point.minimum) {
            text.axis.end x=(right) y=(at(scale.y(value) + 110)) { "minimum" }
        }
    }
}

/// The values, joined where they follow each other; each mark has the shape of its verdict.
fn values(points: &[Point], scale: &Scale) -> Markup {
    let mut path = String::new();
    let mut open = false;
    for (n, point) in points.iter().enumerate() {
        let Some(value) = point.value else {
            open = false;
            continue;
        };
        let letter = if open { 'L' } else { 'M' };
        path.push_str(&format!("{letter}{} {}", at(x(n, points.len()).0), at(scale.y(value))));
        open = true;
    }
    html! {
        path.value d=(path) {}
        @for (n, point) in points.iter().enumerate() {
            @let middle = x(n, points.len()).0;
            @match point.value {
                None => { text.axis.mid x=(at(middle)) y=(PLOT.3 - 4) { "no value" } },
                Some(value) => { (mark(point.verdict, middle, scale.y(value))) },
            }
        }
    }
}

fn mark(verdict: Verdict, x: i128, y: i128) -> Markup {
    let path = |parts: &[(char, i128, i128)]| {
        parts
            .iter()
            .map(|(letter, dx, dy)| format!("{letter}{} {}", at(x + dx), at(y + dy)))
            .collect::<String>()
    };
    match verdict {
        Verdict::BelowMinimum | Verdict::BelowTarget => html! {
            path.mark.bad d={ (path(&[('M', 0, -58), ('L', 58, 0), ('L', 0, 58), ('L', -58, 0)])) "Z" } {}
        },
        Verdict::Unsure | Verdict::NoValue => html! {
            path.mark.unsure d={ (path(&[('M', -42, -42), ('L', 42, -42), ('L', 42, 42), ('L', -42, 42)])) "Z" } {}
        },
        Verdict::Reached | Verdict::NoTarget => {
            html! { circle.mark cx=(at(x)) cy=(at(y)) r="4" {} }
        }
    }
}
