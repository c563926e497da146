//! Service levels: of the period at a glance, then each by month with what it rests on.

use std::collections::BTreeMap;

use backstay_engine::assessment::MeasureResult;
use maud::{Markup, html};

use super::{
    Dossier, Links, chart,
    sheet::{Row, Set, Sheet},
    status, text,
};
use crate::{
    figure,
    level::{self, Verdict},
};

/// References shown of one service level.
const REFS_SHOWN: usize = 6;
/// Cases named of those with rows in quarantine.
const CASES_SHOWN: usize = 12;

type Levels<'a> = BTreeMap<&'a str, Vec<&'a MeasureResult>>;

/// All service levels, by arrangement.
pub(super) fn body(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    let mut by_arrangement: BTreeMap<&str, Levels<'_>> = BTreeMap::new();
    for measure in &dossier.assessment.measures {
        let levels = by_arrangement.entry(&measure.arrangement_id).or_default();
        levels.entry(&measure.service_level).or_default().push(measure);
    }
    if by_arrangement.is_empty() {
        return html! {
            p { "Nothing was measured in this period. A service level needs a row in "
                code { "service_level" } " and work events; " code { "backstay vocabulary template service_level" }
                " writes the head line." }
            (notes(dossier))
        };
    }
    html! {
        (incomplete(dossier))
        @for (arrangement, levels) in &by_arrangement {
            h3 { (text::name(arrangement)) (what(dossier, arrangement)) }
            (overview(dossier, links, arrangement, levels))
            div.figures {
                @for (id, measures) in levels { (figure_of(dossier, links, (arrangement, id), measures)) }
            }
        }
        (notes(dossier))
    }
}

/// What an arrangement is about, after its id.
pub(super) fn what(dossier: &Dossier<'_>, arrangement: &str) -> Markup {
    let party = dossier.parties.iter().find(|party| party.arrangement_id == arrangement);
    html! {
        @if let Some(title) = party.and_then(|party| party.title.as_deref()) {
            span.quiet { ": " (text::name(title)) }
        }
    }
}

fn notes(dossier: &Dossier<'_>) -> Markup {
    html! {
        @if !dossier.assessment.notes.is_empty() {
            h3 { "Notes" }
            ul { @for note in &dossier.assessment.notes { li { (text::told(note)) } } }
        }
    }
}

/// Cases whose figure may lack events.
fn incomplete(dossier: &Dossier<'_>) -> Markup {
    let cases = &dossier.incomplete;
    html! {
        @if !cases.is_empty() {
            p { (text::counted(cases.len() as u64, "case")) " counted below with rows in quarantine, so that events may be lacking: "
                @for (n, [arrangement, level, case]) in cases.iter().take(CASES_SHOWN).enumerate() {
                    @if n > 0 { ", " }
                    (text::name(case)) " (" (text::name(arrangement)) ", " (text::name(level)) ")"
                }
                @if cases.len() > CASES_SHOWN { " and " (text::number((cases.len() - CASES_SHOWN) as u64)) " more" }
                "." }
        }
    }
}

fn overview(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    arrangement: &str,
    levels: &Levels<'_>,
) -> Markup {
    let heads = [
        ("Service level", Set::Wide),
        ("Window", Set::Text),
        ("Value", Set::Figure),
        ("Met", Set::Figure),
        ("Of", Set::Figure),
        ("Target", Set::Figure),
        ("Minimum", Set::Figure),
        ("Verdict", Set::Text),
    ];
    let caption =
        html! { span.only-read { "Service levels of " (text::name(arrangement)) ", recomputed" } };
    let mut sheet = Sheet::new(caption, &heads);
    for (id, measures) in levels {
        for measure in measures {
            let wanted = |text: &Option<String>| {
                text.as_deref().map(|text| level::wanted(measure, text)).unwrap_or_default()
            };
            let counts = |number: i64| {
                if level::is_share(measure) { figure::count(number) } else { String::new() }
            };
            sheet.row(Row::of(vec![
                html! {
                    (links.level_titled(arrangement, id, &measure.title))
                    span.sub { (text::name(id)) }
                },
                html! { (crate::words::period(measure.period)) },
                html! { strong { (level::value(measure)) } },
                html! { (counts(measure.numerator)) },
                html! { (counts(measure.denominator)) },
                html! { (wanted(&measure.target)) },
                html! { (wanted(&measure.minimum)) },
                html! {
                    (status::verdict(seen(dossier, measure).verdict()))
                    @for said in level::beside(measure) { span.sub { (said) } }
                    @if measure.target_basis == "assumed" { span.sub { "target assumed" } }
                },
            ]));
        }
    }
    sheet.render()
}

/// A service level in one window, and whether its work events are all there.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// The figure.
    pub measure: &'a MeasureResult,
    /// Whether every work event expected arrived and adds up.
    pub covered: bool,
}

impl Seen<'_> {
    /// The verdict; a target that is reached on incomplete evidence is not certain.
    pub fn verdict(&self) -> Verdict {
        match Verdict::of(self.measure) {
            Verdict::Reached if !self.covered => Verdict::Unsure,
            verdict => verdict,
        }
    }
}

/// A measure of the period, with what is known of its evidence.
fn seen<'a>(dossier: &Dossier<'_>, measure: &'a MeasureResult) -> Seen<'a> {
    let of_events = dossier.assessment.coverage.iter().find(|found| {
        found.arrangement_id == measure.arrangement_id && found.table.table == "case_event"
    });
    Seen { measure, covered: of_events.is_none_or(|found| found.table.covered) }
}

/// The windows of a service level, those before the period first. Leading ones of which the evidence
/// does not tell everything are left out: that is where it begins.
fn windows<'a>(
    dossier: &'a Dossier<'_>,
    (arrangement, id): (&str, &str),
    measures: &[&'a MeasureResult],
) -> Vec<Seen<'a>> {
    let last = measures.last();
    let comparable = |measure: &MeasureResult| {
        measure.arrangement_id == arrangement
            && measure.service_level == id
            && last.is_some_and(|last| last.metric == measure.metric)
    };
    let mut past: Vec<Seen<'a>> = dossier
        .history
        .iter()
        .filter(|past| comparable(&past.measure))
        .map(|past| Seen { measure: &past.measure, covered: past.covered })
        .collect();
    past.sort_by_key(|seen| seen.measure.period);
    let ever_covered = past.iter().any(|seen| seen.covered);
    let told = |seen: &Seen<'_>| seen.measure.value.is_some() && (seen.covered || !ever_covered);
    let start = past.iter().position(told).unwrap_or(past.len());
    let mut windows = past.split_off(start);
    windows.extend(measures.iter().map(|measure| seen(dossier, measure)));
    windows
}

pub(super) fn figure_of(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    (arrangement, id): (&str, &str),
    measures: &[&MeasureResult],
) -> Markup {
    let windows = windows(dossier, (arrangement, id), measures);
    let Some(last) = measures.last() else { return Markup::default() };
    let anchor = text::anchor("level", &[arrangement, id]);
    let drawing = chart::chart(&anchor, &windows);
    html! {
        figure.level id=(anchor) tabindex="-1" {
            figcaption { strong { (text::title(&last.title)) } span.sub { (text::name(id)) } }
            @if let Some(drawing) = drawing { (drawing) }
            (data(&last.title, &windows))
            (basis(links, seen(dossier, last)))
        }
    }
}

/// The figures behind the drawing.
fn data(title: &str, windows: &[Seen<'_>]) -> Markup {
    let share = windows.last().is_some_and(|last| level::is_share(last.measure));
    let any = |of: &dyn Fn(&Seen<'_>) -> bool| windows.iter().any(of);
    let excluded = |seen: &Seen<'_>| seen.measure.excluded.values().sum::<i64>();
    let gaps = |seen: &Seen<'_>| seen.measure.gaps.values().sum::<i64>();
    let with_minimum = any(&|seen| seen.measure.minimum.is_some());
    let with_excluded = any(&|seen| excluded(seen) > 0);
    let with_gaps = any(&|seen| gaps(seen) > 0);
    let with_worst = any(&|seen| seen.measure.worst.is_some());
    let with_holes = any(&|seen| !seen.covered);
    let heads: Vec<(&str, Set)> = [
        (true, "Window", Set::Text),
        (true, if share { "Value, %" } else { "Cases" }, Set::Figure),
        (share, "Met", Set::Figure),
        (share, "Of", Set::Figure),
        (true, if share { "Target, %" } else { "Target" }, Set::Figure),
        (with_minimum, if share { "Min., %" } else { "Min." }, Set::Figure),
        (with_excluded, "Left out", Set::Figure),
        (with_gaps, "Unclear", Set::Figure),
        (with_worst, if share { "Worst, %" } else { "Worst" }, Set::Figure),
        (with_holes, "Evidence", Set::Text),
    ]
    .into_iter()
    .filter_map(|(shown, head, set)| shown.then_some((head, set)))
    .collect();
    let caption = html! { span.only-read { (text::title(title)) ", by window" } };
    let mut sheet = Sheet::new(caption, &heads).compact();
    let bare = |text: String| text.trim_end_matches(" %").to_owned();
    for seen in windows {
        let measure = seen.measure;
        let wanted = |text: &Option<String>| {
            text.as_deref().map(|text| bare(level::wanted(measure, text))).unwrap_or_default()
        };
        let cells = [
            (true, crate::words::period(measure.period)),
            (true, bare(level::value(measure))),
            (share, figure::count(measure.numerator)),
            (share, figure::count(measure.denominator)),
            (true, wanted(&measure.target)),
            (with_minimum, wanted(&measure.minimum)),
            (with_excluded, figure::count(excluded(seen))),
            (with_gaps, figure::count(gaps(seen))),
            (with_worst, bare(level::worst_value(measure).unwrap_or_default())),
            (with_holes, if seen.covered { "complete" } else { "partial" }.to_owned()),
        ];
        let cells = cells.into_iter().filter(|(shown, _)| *shown);
        sheet.row(Row::of(cells.map(|(_, cell)| html! { (cell) }).collect()));
    }
    sheet.render()
}

/// What the contract makes of the service level.
fn kind_said(kind: &str) -> Option<&'static str> {
    match kind {
        "critical" => Some("A critical service level"),
        "key-measurement" => {
            Some("A key measurement: reported, without consequences by the contract")
        }
        _ => None,
    }
}

/// What the figure of the period rests on.
fn basis(links: &Links<'_>, seen: Seen<'_>) -> Markup {
    let measure = seen.measure;
    let reasons = |counts: &BTreeMap<String, i64>| {
        let mut told: Vec<(&String, &i64)> = counts.iter().collect();
        told.sort_by(|(left, m), (right, n)| n.cmp(m).then(left.cmp(right)));
        html! {
            @for (n, (why, number)) in told.iter().take(4).enumerate() {
                @if n > 0 { "; " } (text::told(why)) " (" (figure::count(**number)) ")"
            }
            @if told.len() > 4 { "; …" }
        }
    };
    let source = match measure.target_basis.as_str() {
        "contract" => "stated by the contract",
        "amendment" => "stated by an amendment",
        "assumed" => "assumed: neither contract nor amendment states it",
        other => other,
    };
    html! {
        p.basis {
            (status::verdict(seen.verdict())) " in " (text::period(measure.period))
            @if !seen.covered { ", on evidence that is " (links.evidence(&measure.arrangement_id, "not all there")) } ". "
            @if let Some(kind) = kind_said(&measure.kind) { (kind) ". " }
            @if let (Some(worst), Some(value)) = (&measure.worst, level::worst_value(measure)) {
                "Worst " (text::plain(&worst.sub_window)) ": " (value) " from " (worst.period.first.to_string()) ". "
            }
            "Target " (text::plain(source)) ", record " (links.reference(&measure.target_ref)) ". "
            "Computed as " (links.metric(&measure.arrangement_id, &measure.service_level, &measure.metric)) ". "
            @if !measure.excluded.is_empty() { "Left out: " (reasons(&measure.excluded)) ". " }
            @if !measure.gaps.is_empty() { "Could not be judged: " (reasons(&measure.gaps)) ". " }
            "Rows: " (links.references(&measure.evidence, measure.evidence_total, REFS_SHOWN)) "."
        }
    }
}
