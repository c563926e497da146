//! What drawings share: a scale that is easy to read, lines that break where nothing is known, and the
//! frame. Owns positions, in integers; it must never decide whether a figure is good, and everything
//! drawn with it stands in a table beneath as well.

use maud::{Markup, html};

/// Size of a drawing.
pub(super) const SIZE: (i128, i128) = (380, 184);
/// Its plot: left, right, top, bottom.
pub(super) const PLOT: (i128, i128, i128, i128) = (44, 372, 26, 154);

/// Tenths as a coordinate.
pub(super) fn at(tenths: i128) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10)
}

/// From the lowest to the highest value shown, and the step between two lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Lowest.
    pub low: i128,
    /// Highest.
    pub high: i128,
    /// Step.
    pub step: i128,
}

impl Scale {
    /// A scale that holds every value, in at most five steps of `unit` times 1, 2 or 5 and tens of them.
    pub fn of(values: impl Iterator<Item = i128>, unit: i128) -> Option<Self> {
        Self::in_steps(values, &[unit, 2 * unit, 5 * unit])
    }

    /// The same in steps of one of `units`, or of tens of them; `units` rise and stay below ten of the
    /// first.
    pub fn in_steps(values: impl Iterator<Item = i128>, units: &[i128]) -> Option<Self> {
        let (low, high) = values.fold(None, |found: Option<(i128, i128)>, value| match found {
            None => Some((value, value)),
            Some((low, high)) => Some((low.min(value), high.max(value))),
        })?;
        let span = (high - low).max(1);
        let mut tens = 1;
        let step = 'found: loop {
            for unit in units {
                if span <= unit * tens * 5 || tens > i128::MAX / 1_000_000_000_000 {
                    break 'found (unit * tens).max(1);
                }
            }
            tens *= 10;
        };
        let low = low.div_euclid(step) * step;
        let high = (high + step - 1).div_euclid(step) * step;
        Some(Self { low, high: high.max(low + step), step })
    }

    /// Vertical place of a value, in tenths.
    pub fn y(&self, value: i128) -> i128 {
        let (_, _, top, bottom) = PLOT;
        bottom * 10 - (bottom - top) * 10 * (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> impl Iterator<Item = i128> {
        let (low, step) = (self.low, self.step);
        (0..=(self.high - low) / step).map(move |n| low + n * step)
    }
}

/// Horizontal place in tenths of `part` of `whole`.
pub(super) fn x(part: i128, whole: i128) -> i128 {
    let (left, right, _, _) = PLOT;
    left * 10 + (right - left) * 10 * part / whole.max(1)
}

/// A name below the axis.
pub(super) struct Mark {
    /// Where, in tenths.
    pub x: i128,
    /// The name.
    pub label: String,
}

/// As many marks as fit side by side, from the first on.
pub(super) fn fitting(marks: Vec<Mark>) -> Vec<Mark> {
    /// Tenths that a letter takes.
    const LETTER: i128 = 62;
    let mut shown: Vec<Mark> = Vec::new();
    for mark in marks {
        let half =
            |mark: &Mark| i128::try_from(mark.label.chars().count()).unwrap_or(0) * LETTER / 2;
        let free = shown.last().is_none_or(|last| last.x + half(last) + 60 < mark.x - half(&mark));
        if free {
            shown.push(mark);
        }
    }
    shown
}

/// A line through places, broken where there is none.
pub(super) fn line(places: impl Iterator<Item = Option<(i128, i128)>>) -> String {
    let mut path = String::new();
    let mut open = false;
    for place in places {
        let Some((x, y)) = place else {
            open = false;
            continue;
        };
        path.push_str(&format!("{}{} {}", if open { 'L' } else { 'M' }, at(x), at(y)));
        open = true;
    }
    path
}

/// Steps: each value holds from one place to the next; broken where there is none.
pub(super) fn steps(places: impl Iterator<Item = (i128, i128, Option<i128>)>) -> String {
    let mut path = String::new();
    let mut open = None;
    for (from, until, value) in places {
        let Some(y) = value else {
            open = None;
            continue;
        };
        if open == Some(from) {
            path.push_str(&format!("L{} {}L{} {}", at(from), at(y), at(until), at(y)));
        } else {
            path.push_str(&format!("M{} {}L{} {}", at(from), at(y), at(until), at(y)));
        }
        open = Some(until);
    }
    path
}

/// A level across the whole plot.
pub(super) fn level(scale: &Scale, value: i128) -> String {
    let (left, right, _, _) = PLOT;
    steps([(left * 10, right * 10, Some(scale.y(value)))].into_iter())
}

/// A diamond: what is beyond a limit, or below what is agreed.
pub(super) fn diamond(x: i128, y: i128) -> Markup {
    let corners = [(0, -50), (50, 0), (0, 50), (-50, 0)];
    let path = line(corners.iter().map(|(dx, dy)| Some((x + dx, y + dy))));
    html! { path.mark.bad d={ (path) "Z" } {} }
}

/// What stands around a drawing.
pub(super) struct Frame<'a> {
    /// Anchor of the figure.
    pub id: &'a str,
    /// Title for those who do not see it.
    pub title: &'a str,
    /// Unit of the vertical axis.
    pub unit: &'a str,
    /// Name of the horizontal axis, where its marks do not say it.
    pub along: &'a str,
    /// Names along the horizontal axis.
    pub marks: Vec<Mark>,
}

impl Frame<'_> {
    /// The drawing: frame, then what is drawn in it.
    pub fn draw(&self, scale: &Scale, label: impl Fn(i128) -> String, inner: &Markup) -> Markup {
        let (left, right, _, bottom) = PLOT;
        let name = format!("{}.chart", self.id);
        html! {
            svg.chart viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } role="img" aria-labelledby=(name) focusable="false" {
                title id=(name) { (self.title) ". The figures stand in the table below." }
                text.axis x="2" y="11" { (self.unit) }
                @for tick in scale.ticks() {
                    line.grid x1=(left) x2=(right) y1=(at(scale.y(tick))) y2=(at(scale.y(tick))) {}
                    text.axis.end x=(left - 6) y=(at(scale.y(tick) + 38)) { (label(tick)) }
                }
                line.base x1=(left) x2=(right) y1=(bottom) y2=(bottom) {}
                (inner)
                @for mark in &self.marks { text.axis.mid x=(at(mark.x)) y=(bottom + 16) { (mark.label) } }
                @if !self.along.is_empty() { text.axis.end x=(right) y=(bottom + 28) { (self.along) } }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_every_value_in_few_steps() {
        for (values, low, high) in [
            (vec![0, 7], 0, 8),
            (vec![3, 3], 3, 4),
            (vec![-4_200, 4_000, 900], -6_000, 4_000),
            (vec![0, 1_000_000], 0, 1_000_000),
            (vec![210, 270], 200, 280),
        ] {
            let scale = Scale::of(values.iter().copied(), 1).unwrap();
            assert_eq!((scale.low, scale.high), (low, high), "{values:?}");
            assert!(scale.ticks().count() <= 7, "{values:?}");
            for value in values {
                assert!((260..=1540).contains(&scale.y(value)), "{value}");
            }
        }
        assert!(Scale::of(std::iter::empty(), 1).is_none());
        let hours = Scale::in_steps([0, 270].into_iter(), &[30, 60, 120]).unwrap();
        assert_eq!((hours.high, hours.step), (300, 60));
    }

    #[test]
    fn lines_and_steps_break_where_nothing_is_known() {
        let places = [Some((10, 20)), Some((30, 40)), None, Some((50, 60))];
        assert_eq!(line(places.into_iter()), "M1.0 2.0L3.0 4.0M5.0 6.0");
        let held = [(0, 10, Some(5)), (10, 20, Some(7)), (20, 30, None), (30, 40, Some(7))];
        assert_eq!(steps(held.into_iter()), "M0.0 0.5L1.0 0.5L1.0 0.7L2.0 0.7M3.0 0.7L4.0 0.7");
        assert_eq!(at(-5), "-0.5");
    }

    #[test]
    fn marks_that_would_touch_are_left_out() {
        let mark = |x, label: &str| Mark { x, label: label.to_owned() };
        let shown = fitting(vec![mark(0, "Jan 26"), mark(200, "Feb"), mark(700, "Mar")]);
        let names: Vec<&str> = shown.iter().map(|mark| mark.label.as_str()).collect();
        assert_eq!(names, ["Jan 26", "Mar"]);
    }
}
