//! Feeds of evidence day by day as a drawing: what arrived, what is missing, what does not add up, each by
//! a shape of its own. Owns positions; what it draws stands in the tables beneath.

use jiff::{ToSpan as _, civil::Date};
use maud::{Markup, html};

use super::{Dossier, Feed, text};

const WIDTH: i64 = 420;
const LEFT: i64 = 118;
const HEAD: i64 = 20;
const ROW: i64 = 22;
/// Days that can be told apart.
const MOST_DAYS: i64 = 62;
/// Letters of a name beside the drawing.
const NAME: usize = 20;

/// The drawing, when the period is one that can be drawn.
pub(super) fn picture(dossier: &Dossier<'_>) -> Markup {
    let period = dossier.assessment.basis.period;
    let days = i64::from((period.after - period.first).get_days());
    if dossier.feeds.is_empty() || !(1..=MOST_DAYS).contains(&days) {
        return html! {};
    }
    let place = Place { first: period.first, days };
    let rows = i64::try_from(dossier.feeds.len()).unwrap_or_default();
    let (bottom, every) = (HEAD + rows * ROW, if days > 40 { 14 } else { 7 });
    html! {
        figure.level {
            figcaption { strong { "Day by day" } span.sub { (text::period(period)) ", in the zone of the arrangement" } }
            svg.chart.days viewBox={ "0 0 " (WIDTH) " " (bottom + 4) } role="img" aria-labelledby="feeds.chart" focusable="false" {
                title id="feeds.chart" { "What arrived of each feed, day by day. The same stands in the tables below." }
                @for n in (0..days).step_by(every) {
                    @let day = period.first.saturating_add(n.days());
                    @if place.x(day) < (WIDTH - 42) * 10 { text.axis x=(at(place.x(day))) y="12" { (day.strftime("%-d %b").to_string()) } }
                    line.grid x1=(at(place.x(day))) x2=(at(place.x(day))) y1=(HEAD) y2=(bottom) {}
                }
                @for (feed, n) in dossier.feeds.iter().zip(0..) { (row(&place, feed, HEAD + n * ROW)) }
            }
            ul.legend {
                li { (key(html! { rect.run x="1" y="3" width="32" height="8" {} })) " arrived, and adds up" }
                li { (key(html! { rect.lack x="1" y="3" width="32" height="8" {} path.mark.bad d="M17 2l5 5-5 5-5-5Z" {} })) " missing, or does not add up" }
                li { (key(html! { rect.unsure x="1" y="3" width="32" height="8" {} })) " not known, or no feed declares it" }
                li { (key(html! { line.stop x1="0" x2="34" y1="7" y2="7" {} })) " nothing was expected" }
            }
        }
    }
}

fn key(inner: Markup) -> Markup {
    html! { svg.chart.key viewBox="0 0 34 14" width="34" height="14" aria-hidden="true" focusable="false" { (inner) } }
}

struct Place {
    first: Date,
    days: i64,
}

impl Place {
    /// Tenths of the place where a day begins.
    fn x(&self, day: Date) -> i64 {
        let n = i64::from((day - self.first).get_days()).clamp(0, self.days);
        LEFT * 10 + n * (WIDTH - LEFT) * 10 / self.days.max(1)
    }
}

fn at(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn row(place: &Place, feed: &Feed, top: i64) -> Markup {
    let name = feed.feed.as_deref().unwrap_or("no feed");
    let name: String = text::plain(name).chars().take(NAME).collect();
    let middle = top * 10 + ROW * 5;
    html! {
        text.axis.name x="0" y=(at(middle + 38)) { (name) }
        line.stop x1=(LEFT) x2=(WIDTH) y1=(at(middle)) y2=(at(middle)) {}
        @for interval in &feed.intervals {
            @let (from, until) = interval.days.map_or((LEFT * 10, WIDTH * 10), |(from, until)| (place.x(from), place.x(until)));
            @let (x, width) = (from + 5, (until - from - 10).max(20));
            @match interval.outcome.as_str() {
                "arrived" => { rect.run x=(at(x)) width=(at(width)) y=(at(middle - 40)) height="8" {} },
                "missing" | "differs" => {
                    rect.lack x=(at(x)) width=(at(width)) y=(at(middle - 40)) height="8" {}
                    path.mark.bad d={ "M" (at(x + width / 2)) " " (at(middle - 50)) "l5 5-5 5-5-5Z" } {}
                },
                _ => { rect.unsure x=(at(x)) width=(at(width)) y=(at(middle - 40)) height="8" {} },
            }
        }
    }
}
