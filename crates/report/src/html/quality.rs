//! Quality of the work, stream by stream: lots and their switching, drift, agreement of reviewers,
//! feedback, strain; and complaints. Owns how each is told; whether it holds is said by its control.

use backstay_engine::panel::{
    Agreement, Complaints, Feedback, Inspection, Lot, Panels, StrainGroup, Stream,
};
use maud::{Markup, html};

use super::{
    Dossier, Links, drift, level, oc, part,
    sheet::{Row, Set, Sheet},
    status, text,
};
use crate::figure;

/// Lots shown of one class.
const LOTS_SHOWN: usize = 10;
/// Rows shown of feedback and of strain.
const SHOWN: usize = 12;
/// References shown of one row.
const REFS_SHOWN: usize = 4;

/// Parts of a stream: control and title.
const PARTS: [(&str, &str); 5] = [
    ("lots-sampled", "Lots and their inspection"),
    ("drift-detected", "Drift"),
    ("reviewers-agree", "Agreement of reviewers"),
    ("feedback-closed", "Feedback: cause, action, and not back"),
    ("strain-watched", "Strain"),
];
const COMPLAINTS: (&str, &str) = ("complaints-falling", "Complaints");

/// All arrangements.
pub(super) fn body(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    html! {
        @for panels in dossier.panels.iter() {
            h3 { (text::name(&panels.arrangement_id)) (level::what(dossier, &panels.arrangement_id)) }
            (one(dossier, links, panels))
        }
    }
}

pub(super) fn one(dossier: &Dossier<'_>, links: &Links<'_>, panels: &Panels) -> Markup {
    let arrangement = panels.arrangement_id.as_str();
    let page = Page { dossier, links, arrangement };
    let mut blocks: Vec<(usize, Vec<Markup>)> = Vec::new();
    for (n, _) in PARTS.iter().enumerate() {
        let shown = panels.quality.streams.iter().filter_map(|stream| page.part(n, stream));
        blocks.push((n, shown.collect()));
    }
    let complaints = panels.quality.complaints.as_ref().and_then(|found| page.complaints(found));
    let mut absent: Vec<(&str, &str)> = blocks
        .iter()
        .filter(|(_, shown)| shown.is_empty())
        .filter_map(|(n, _)| PARTS.get(*n).copied())
        .collect();
    if complaints.is_none() {
        absent.push(COMPLAINTS);
    }
    html! {
        @for (n, shown) in &blocks {
            @if let Some((control, title)) = PARTS.get(*n).filter(|_| !shown.is_empty()) {
                (part::head(dossier, links, arrangement, control, title))
                @for block in shown { (block) }
            }
        }
        @if let Some(complaints) = complaints {
            (part::head(dossier, links, arrangement, COMPLAINTS.0, COMPLAINTS.1))
            (complaints)
        }
        (part::absent(dossier, links, arrangement, &absent, &panels.quality.feedback_said))
    }
}

struct Page<'a> {
    dossier: &'a Dossier<'a>,
    links: &'a Links<'a>,
    arrangement: &'a str,
}

impl Page<'_> {
    /// One part of a stream, when there is something to show.
    fn part(&self, part: usize, stream: &Stream) -> Option<Markup> {
        match part {
            0 => self.lots(stream),
            1 => self.drift(stream),
            2 => stream.agreement.as_ref().and_then(|found| self.agreement(stream, found)),
            3 => self.feedback(stream),
            _ => self.strain(stream),
        }
    }

    fn rest(&self, hidden: usize, noun: &str, sql: &str) -> Markup {
        part::rest(self.links, hidden, noun, &part::query(self.dossier, self.arrangement, sql))
    }

    fn lots(&self, stream: &Stream) -> Option<Markup> {
        let judged = |own: &&Inspection| own.lots.iter().any(|lot| lot.plan.is_some());
        let inspections: Vec<&Inspection> = stream.inspections.iter().filter(judged).collect();
        if inspections.is_empty() {
            return None;
        }
        Some(html! {
            @for own in inspections {
                (self.lot_table(&stream.stream, own))
                @if let Some(found) = &own.curve {
                    (oc::figure(self.arrangement, &stream.stream, &own.class, found))
                }
            }
        })
    }

    fn lot_table(&self, stream: &str, own: &Inspection) -> Markup {
        let hidden = own.lots.len().saturating_sub(self.links.shown(LOTS_SHOWN));
        let with_remarks = own.lots.iter().skip(hidden).any(|lot| !remarks(lot).0.is_empty());
        let mut heads = vec![
            ("Lot", Set::Text),
            ("Day", Set::Text),
            ("Items", Set::Figure),
            ("Severity", Set::Text),
            ("Sample", Set::Figure),
            ("Accept to", Set::Figure),
            ("Found", Set::Figure),
            ("Verdict", Set::Text),
            ("Score", Set::Figure),
            ("Next", Set::Text),
        ];
        if with_remarks {
            heads.push(("Remarks", Set::Wide));
        }
        heads.push(("Rows", Set::Text));
        let caption = html! { (text::name(stream)) ", class " (text::name(&own.class)) ": the last lots and the severity in force" };
        let mut sheet = Sheet::new(caption, &heads);
        let number = |n: Option<i64>| html! { (n.map_or_else(|| "–".to_owned(), figure::count)) };
        for lot in own.lots.iter().skip(hidden) {
            let mut cells = vec![
                text::name(&lot.lot),
                html! { span.nowrap { (lot.on.map(|day| day.to_string()).unwrap_or_default()) } },
                number(lot.items),
                html! { (lot.severity.as_deref().unwrap_or_default()) },
                number(lot.plan.map(|plan| plan.0)),
                number(lot.plan.map(|plan| plan.1)),
                number(lot.nonconforming),
                verdict(lot),
                number(lot.score),
                next(lot),
            ];
            if with_remarks {
                cells.push(remarks(lot));
            }
            cells.push(self.links.some(&lot.evidence, REFS_SHOWN));
            sheet.row(Row::of(cells));
        }
        let sql = "SELECT * FROM lot_state ORDER BY stream, defect_class, lot_number";
        html! {
            (sheet.render())
            (switching(own))
            (self.rest(hidden, "lot", sql))
        }
    }

    fn drift(&self, stream: &Stream) -> Option<Markup> {
        let (shown, gaps): (Vec<_>, Vec<_>) =
            stream.drift.iter().partition(|series| !series.signals.is_empty());
        if shown.is_empty() {
            return None;
        }
        let sql = "SELECT * FROM drift_point ORDER BY stream, series, week";
        let command = part::query(self.dossier, self.arrangement, sql);
        Some(html! {
            @for series in shown {
                (drift::series(self.links, self.arrangement, &stream.stream, series, &command))
            }
            @for series in gaps {
                p.basis { (text::name(&stream.stream)) ", " (text::title(&series.series)) ": nothing is said, because "
                    (text::told(series.gap.as_deref().unwrap_or_default())) "." }
            }
        })
    }

    fn agreement(&self, stream: &Stream, found: &Agreement) -> Option<Markup> {
        if found.twice.unwrap_or_default() == 0 {
            return None;
        }
        let short = |text: &Option<String>| figure::rounded(text.as_deref().unwrap_or_default(), 2);
        let share = found.observed.as_deref().and_then(|share| figure::percent_of_share(share, 1));
        Some(html! {
            p { (text::name(&stream.stream)) ": "
                (text::counted(u64::try_from(found.twice.unwrap_or_default()).unwrap_or_default(), "item"))
                " judged twice by different people"
                @if let Some(wanted) = found.agreed_twice { " (" (figure::count(wanted)) " had to be)" }
                @if let Some(share) = share { "; the same was said of " (share) }
                @if let Some(kappa) = short(&found.kappa) {
                    "; " strong { "kappa " (kappa) }
                    @if let Some((lower, upper)) = &found.interval {
                        ", 95 % interval " (figure::rounded(lower, 2).unwrap_or_default()) " to " (figure::rounded(upper, 2).unwrap_or_default())
                    }
                }
                @if let Some(minimum) = short(&found.minimum) { "; agreed: at least " (minimum) }
                ". "
                @if let Some(faults) = &found.faults { strong { (text::told(faults)) } ". " }
                @if let Some(gap) = &found.gap { "Nothing is said, because " (text::told(gap)) ". " }
                span.quiet { "Rows: " (self.links.some(&found.evidence, REFS_SHOWN)) }
            }
        })
    }

    fn feedback(&self, stream: &Stream) -> Option<Markup> {
        if stream.feedback.is_empty() {
            return None;
        }
        let heads = [
            ("What", Set::Text),
            ("Cause", Set::Text),
            ("Due", Set::Text),
            ("Standing", Set::Text),
            ("In words", Set::Wide),
            ("Defects", Set::Figure),
            ("Rows", Set::Text),
        ];
        let caption = html! { (text::name(&stream.stream)) ": causes of defects, actions, and whether the cause came back within 90 days" };
        let mut sheet = Sheet::new(caption, &heads);
        let mut rows: Vec<&Feedback> = stream.feedback.iter().collect();
        rows.sort_by_key(|item| item.due_on);
        for item in rows.iter().take(self.links.shown(SHOWN)) {
            sheet.row(Row::of(vec![
                html! { (feedback_kind(item)) },
                html! { (text::title(item.cause.as_deref().unwrap_or_default())) },
                html! { span.nowrap { (item.due_on.map(|day| day.to_string()).unwrap_or_default()) } },
                feedback_standing(item),
                html! { @match (&item.gap, &item.sentence) {
                    (Some(gap), _) => (text::told(gap)),
                    (None, Some(sentence)) => (text::told(sentence)),
                    (None, None) => "",
                } },
                html! { (figure::count(item.times)) },
                self.links.some(&item.evidence, REFS_SHOWN),
            ]));
        }
        let sql = "SELECT * FROM feedback_item ORDER BY due_on, subject";
        Some(html! {
            (sheet.render())
            (self.rest(rows.len().saturating_sub(self.links.shown(SHOWN)), "line", sql))
        })
    }

    fn strain(&self, stream: &Stream) -> Option<Markup> {
        let (told, small): (Vec<&StrainGroup>, Vec<&StrainGroup>) =
            stream.strain.iter().partition(|group| group.gap.is_none());
        if told.is_empty() {
            return None;
        }
        let heads = [
            ("Group", Set::Wide),
            ("Items", Set::Figure),
            ("Defective", Set::Figure),
            ("Share", Set::Figure),
            ("Other items", Set::Figure),
            ("Their share", Set::Figure),
            ("By chance alone", Set::Figure),
            ("Rows", Set::Text),
        ];
        let caption = html! { (text::name(&stream.stream)) ": share of defective items of a group beside all others" };
        let mut sheet = Sheet::new(caption, &heads);
        for group in told.iter().take(self.links.shown(SHOWN)) {
            let share = |of: Option<(i64, i64)>| {
                html! { (of.and_then(|(items, bad)| figure::percent(bad, items, 2)).unwrap_or_default()) }
            };
            let count = |n: Option<i64>| html! { (n.map(figure::count).unwrap_or_default()) };
            let chance =
                group.chance.as_deref().and_then(|chance| figure::percent_of_share(chance, 2));
            sheet.row(Row::of(vec![
                html! { (text::title(&group.factor)) ": " (text::title(&group.members)) },
                count(group.items.map(|items| items.0)),
                count(group.items.map(|items| items.1)),
                share(group.items),
                count(group.others.map(|others| others.0)),
                share(group.others),
                html! { (chance.unwrap_or_default()) },
                self.links.some(&group.evidence, REFS_SHOWN),
            ]));
        }
        let sql = "SELECT * FROM strain_group ORDER BY stream, factor, members";
        Some(html! {
            (sheet.render())
            (self.rest(told.len().saturating_sub(self.links.shown(SHOWN)), "group", sql))
            p.basis { "By chance alone: how often a group of that size would hold at least as many defects if it were like the others. "
                @if !small.is_empty() { (text::counted(small.len() as u64, "group")) " of which nothing is said: "
                    @for (n, group) in small.iter().take(4).enumerate() {
                        @if n > 0 { "; " } (text::title(&group.factor)) ", " (text::title(&group.members)) ": " (text::told(group.gap.as_deref().unwrap_or_default()))
                    }
                    @if small.len() > 4 { "; …" } "." } }
        })
    }

    fn complaints(&self, found: &Complaints) -> Option<Markup> {
        if found.now.1 == 0 {
            return None;
        }
        let per = |(complaints, cases): (i64, i64)| {
            let share = figure::percent(complaints, cases, 2).unwrap_or_default();
            format!("{} in {} ({share})", figure::count(complaints), figure::counted(cases, "case"))
        };
        let chance = found.chance.as_deref().and_then(|chance| figure::percent_of_share(chance, 2));
        let chance = chance.map(|shown| match shown.as_str() {
            "0.00 %" => "less than 0.01 %".to_owned(),
            _ => shown,
        });
        Some(html! {
            p { "Caused by the service: " strong { (per(found.now)) } " opened in the period"
                @if found.gap.is_none() { "; in the two months before " (per(found.before)) }
                @if let (Some(chance), None) = (chance, &found.gap) { ". As many would come by chance alone " (chance) " of the time" }
                ". "
                @if let Some(gap) = &found.gap { "No comparison: " (text::told(gap)) ". " }
                @if !found.evidence.is_empty() { span.quiet { "Rows: " (self.links.some(&found.evidence, REFS_SHOWN)) } }
            }
        })
    }
}

fn verdict(lot: &Lot) -> Markup {
    match lot.verdict.as_deref() {
        Some("accepted") => status::held(Some(true), "accepted"),
        Some(word) => status::held(Some(false), word),
        None => status::held(None, "not known"),
    }
}

fn next(lot: &Lot) -> Markup {
    html! {
        @if lot.discontinued { strong { "discontinued" } }
        @else { (lot.severity_after.as_deref().unwrap_or_default()) }
    }
}

fn remarks(lot: &Lot) -> Markup {
    html! {
        @if let Some(disposition) = lot.disposition.as_deref().filter(|done| lot.verdict.as_deref() != Some(*done)) {
            "handled as " strong { (text::plain(disposition)) }
        }
        @if let Some(faults) = &lot.faults { span.sub { strong { (text::told(faults)) } } }
        @if let Some(gap) = &lot.gap { span.sub { (text::told(gap)) } }
    }
}

/// Where the switching stands after the last lot.
fn switching(own: &Inspection) -> Markup {
    let Some(last) = own.lots.iter().rev().find(|lot| lot.severity_after.is_some()) else {
        return Markup::default();
    };
    let refused = own.lots.iter().filter(|lot| lot.verdict.as_deref() == Some("refused")).count();
    html! {
        p { "The next lot is inspected " strong { (last.severity_after.as_deref().unwrap_or_default()) }
            @if last.discontinued { "; acceptance is discontinued until a corrective action is done" }
            ": of " (text::counted(own.lots.len() as u64, "lot")) " so far " (text::number(refused as u64)) " refused"
            @if let Some(score) = last.score.filter(|score| *score > 0) { ", switching score " (figure::count(score)) " of 30" }
            "." }
    }
}

fn feedback_kind(item: &Feedback) -> String {
    let action = item.action.as_deref().map(text::plain);
    match (item.kind.as_str(), action) {
        ("raised", _) => "action raised".to_owned(),
        ("done", Some(action)) => format!("{action} done"),
        ("not-back", Some(action)) => format!("{action}: not back"),
        (word, _) => text::plain(word),
    }
}

fn feedback_standing(item: &Feedback) -> Markup {
    if item.gap.is_some() {
        return status::held(None, "not known");
    }
    match (item.kind.as_str(), item.happened_on, item.due_on) {
        ("not-back", None, _) => status::held(Some(true), "not back"),
        ("not-back", Some(_), _) => status::held(Some(false), "back"),
        (_, Some(day), Some(due)) if day <= due => status::held(Some(true), "in time"),
        (_, Some(_), _) => status::held(Some(false), "late"),
        (_, None, _) => status::held(Some(false), "open"),
    }
}
