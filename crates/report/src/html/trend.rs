//! Things tested over periods as a drawing: bars of all, with the part that was missed and the part that
//! could not be tested set apart by shape. Owns positions; the figures stand in a table beside it.

use maud::{Markup, html};

use super::plot::{self, Frame, Mark, PLOT, Scale};
use crate::figure;

/// One period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// Things tested.
    pub whole: u64,
    /// Of these, missed.
    pub part: u64,
    /// Not testable.
    pub unknown: u64,
}

/// The drawing, when there are at least two periods to compare.
#[must_use]
pub fn chart(id: &str, title: &str, points: &[Point]) -> Option<Markup> {
    if points.len() < 2 {
        return None;
    }
    let height =
        |point: &Point| i128::from(point.whole.max(point.part.saturating_add(point.unknown)));
    let scale = Scale::of([0].into_iter().chain(points.iter().map(height)), 1)?;
    let count = i128::try_from(points.len()).ok()?;
    let middle = |n: i128| plot::x(2 * n + 1, 2 * count);
    let half = (plot::x(1, count) - plot::x(0, count)) * 3 / 10;
    let marks =
        points.iter().zip(0..).map(|(point, n)| Mark { x: middle(n), label: point.name.clone() });
    let frame =
        Frame { id, title, unit: "things", along: "", marks: plot::fitting(marks.collect()) };
    let bottom = PLOT.3 * 10;
    let bar = |class: &str, n: i128, from: u64, until: u64| {
        let (low, high) = (scale.y(i128::from(from)), scale.y(i128::from(until)));
        html! {
            @if until > from {
                rect class=(class) x=(plot::at(middle(n) - half)) width=(plot::at(2 * half)) y=(plot::at(high)) height=(plot::at(low - high)) {}
            }
        }
    };
    let inner = html! {
        @for (point, n) in points.iter().zip(0..) {
            (bar("open", n, 0, point.whole))
            (bar("lack", n, 0, point.part))
            (bar("unsure", n, point.part, point.part.saturating_add(point.unknown)))
            @if point.part > 0 { text.axis.mid.halo x=(plot::at(middle(n))) y=(plot::at(scale.y(i128::from(point.part)).min(bottom) - 20)) { (point.part) " missed" } }
        }
    };
    Some(frame.draw(&scale, |tick| figure::count(i64::try_from(tick).unwrap_or_default()), &inner))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn bars_are_drawn_from_two_periods_on() {
        let point = |name: &str, part| Point { name: name.to_owned(), whole: 10, part, unknown: 1 };
        assert!(chart("t", "title", &[point("2026-09", 2)]).is_none());
        let drawn = chart("t", "title", &[point("2026-09", 2), point("2026-10", 0)]).unwrap();
        let drawn = drawn.into_string();
        assert_eq!(drawn.matches("<rect class=\"lack\"").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("<rect class=\"unsure\"").count(), 2);
        assert!(drawn.contains("2 missed") && drawn.contains("2026-09"));
    }
}
