//! The operating characteristic of a sampling plan as a drawing, its points as a table, and what they
//! mean in a sentence. Owns positions; it must never work out a probability.

use backstay_engine::panel::PlanCurve;
use maud::{Markup, html};

use super::{
    plot::{self, Frame, Mark, PLOT, Scale},
    sheet::{Row, Set, Sheet},
    text,
};
use crate::figure;

/// Thousandths of a per cent as per cent, without needless zeros.
fn percent(thousandths: u64) -> String {
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    figure::trim_decimal(&text).to_owned()
}

/// Millionths as per cent with one place, half to even.
fn chance(millionths: u64) -> String {
    let number = i64::try_from(millionths).unwrap_or(i64::MAX);
    figure::percent(number, 1_000_000, 1).unwrap_or_default()
}

/// The plan of the last lot: drawing, points, meaning.
pub(super) fn figure(arrangement: &str, stream: &str, class: &str, curve: &PlanCurve) -> Markup {
    let id = text::anchor("curve", &[arrangement, stream, class]);
    let (size, accept, refuse) = curve.plan;
    html! {
        figure.level id=(id) tabindex="-1" {
            figcaption { strong { "What the plan lets through" }
                span.sub { (text::name(stream)) ", " (text::name(class)) ", " (text::plain(&curve.severity)) ": "
                    (text::number(size)) " items, accept up to " (accept) ", refuse from " (refuse) } }
            div.beside { @if let Some(drawing) = drawing(&id, curve) { (drawing) }
            div { p { "A lot exactly at the limit of " (percent(curve.aql_thousandths)) " % is refused in " (chance(curve.producers_risk))
                " of cases (producer’s risk). Lots with " (percent(curve.good_thousandths)) " % defective pass 95 times in 100; lots with "
                (percent(curve.consumer_thousandths)) " % still pass ten times in 100." }
            (table(curve)) } }
        }
    }
}

fn drawing(id: &str, curve: &PlanCurve) -> Option<Markup> {
    let whole = i128::from(curve.points.last()?.share_thousandths);
    let scale = Scale { low: 0, high: 1_000_000, step: 250_000 };
    let x = |share: u64| plot::x(i128::from(share), whole);
    let place = |share: u64, accepted: u64| (x(share), scale.y(i128::from(accepted)));
    let points = curve.points.iter().map(|p| Some(place(p.share_thousandths, p.accepted)));
    let across = Scale::of([0, whole].into_iter(), 1)?;
    let marks = (0..).map(|n| n * across.step).take_while(|share| *share <= whole).map(|share| {
        let share = u64::try_from(share).unwrap_or_default();
        Mark { x: x(share), label: percent(share) }
    });
    let marks = plot::fitting(marks.collect());
    let frame = Frame {
        id,
        title: "Probability that a lot is accepted, by its share of defective items",
        unit: "% of lots accepted",
        along: "% of items defective",
        marks,
    };
    let limit = x(curve.aql_thousandths);
    let (_, _, top, bottom) = PLOT;
    let inner = html! {
        line.clock x1=(plot::at(limit)) x2=(plot::at(limit)) y1=(top) y2=(bottom) {}
        text.axis x=(plot::at(limit + 40)) y=(bottom - 6) { "limit" }
        path.value d=(plot::line(points)) {}
        @for point in &curve.points {
            @let (x, y) = place(point.share_thousandths, point.accepted);
            circle.mark cx=(plot::at(x)) cy=(plot::at(y)) r="3" {}
        }
    };
    Some(frame.draw(&scale, |tick| (tick / 10_000).to_string(), &inner))
}

fn table(curve: &PlanCurve) -> Markup {
    let heads = [("Defective, %", Set::Figure), ("Lots accepted", Set::Figure)];
    let caption = html! { span.only-read { "Points of the curve" } };
    let mut sheet = Sheet::new(caption, &heads).compact();
    for point in &curve.points {
        sheet.row(Row::of(vec![
            html! { (percent(point.share_thousandths)) },
            html! { (chance(point.accepted)) },
        ]));
    }
    html! { details { summary { "Points of the curve" } (sheet.render()) } }
}
