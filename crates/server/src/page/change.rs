//! What is other in one answer than in another about an arrangement, as pieces of pages: statuses,
//! findings, service levels, money.

use backstay_desk::change::{Changes, StatusChange};
use backstay_engine::assessment::{Finding, MeasureResult};
use backstay_report::{
    html::piece::{self, Set},
    level,
};
use backstay_store::CloseStep;
use maud::{Markup, html};

use crate::{
    asked::{Asked, segment},
    figures::money,
    past::Past,
};

/// Findings listed of each kind.
const FINDINGS: usize = 60;

/// A kept assessment in a few words, as a link.
pub fn named(kept: &Past) -> Markup {
    html! {
        a href={ "/assessments/" (kept.entry) } {
            (piece::period_words(kept.period)) " "
            @match kept.close.as_ref().map(|note| note.step) {
                Some(step @ (CloseStep::Issue | CloseStep::Agree | CloseStep::Freeze | CloseStep::Restate)) => { "as " (step.done()) },
                None => { "as assessed" },
            }
            " (entry " (kept.entry) ")"
        }
    }
}

/// In a few words, for a table: how many words are worse and better, findings new and ended, and money.
pub fn brief(changes: &Changes) -> Markup {
    let (worse, better) = (changes.worse(), changes.better());
    let parts = [
        (worse, "worse"),
        (better, "better"),
        (changes.statuses.len() - worse - better, "otherwise"),
        (changes.new.len(), "new"),
        (changes.ended.len(), "ended"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| match *word {
            "new" | "ended" if *count == 1 => format!("1 finding {word}"),
            "new" | "ended" => format!("{count} findings {word}"),
            _ if *count == 1 => format!("1 control {word}"),
            _ => format!("{count} controls {word}"),
        })
        .chain(changes.money.iter().map(|change| {
            let bare = |minor| backstay_report::figure::money(minor, change.after.places);
            let (before, after) = (change.before.minor, change.after.minor);
            format!("{} {} instead of {}", bare(after), change.after.currency, bare(before))
        }))
        .collect();
    html! {
        @if told.is_empty() { span.quiet { "nothing" } }
        @else { (told.join(", ")) }
    }
}

/// All of it; `links`: the things are shown by their pages of today.
pub fn whole(asked: &Asked<'_>, id: &str, changes: &Changes, links: bool) -> Markup {
    let base = format!("/arrangements/{}", segment(id));
    let to = |path: String| links.then(|| asked.link(&format!("{base}{path}")));
    html! {
        @if changes.is_empty() { p { "Nothing differs: every status, finding and figure is the same." } }
        @if !changes.statuses.is_empty() { (statuses(changes, &to)) }
        @if !changes.levels.is_empty() { (levels(changes, &to)) }
        @if !changes.money.is_empty() { (amounts(changes)) }
        (findings("Findings that were not there before", &changes.new, &|f| to(format!("/findings/{}", segment(&f.id)))))
        (findings("Findings that are no longer there", &changes.ended, &|_| None))
    }
}

fn link(to: Option<String>, words: Markup) -> Markup {
    html! { @if let Some(to) = to { a href=(to) { (words) } } @else { (words) } }
}

type To<'a> = dyn Fn(String) -> Option<String> + 'a;

fn statuses(changes: &Changes, to: &To<'_>) -> Markup {
    let heads = [("Control", Set::Wide), ("Was", Set::Text), ("Is", Set::Text), ("Why", Set::Wide)];
    let word = |status: Option<backstay_engine::Status>| match status {
        Some(status) => piece::status_word(status),
        None => html! { span.quiet { "not tested" } },
    };
    let rows = changes.statuses.iter().map(|change: &StatusChange| {
        let to = change.after.and_then(|_| to(format!("/controls/{}", segment(&change.control))));
        vec![
            html! { (link(to, piece::title(&change.title))) span.sub { (piece::name(&change.control)) } },
            word(change.before),
            word(change.after),
            piece::sentence(&change.reason),
        ]
    });
    piece::table(html! { "Controls whose status differs" }, &heads, rows.collect())
}

fn figure(measure: Option<&MeasureResult>) -> Markup {
    html! {
        @match measure {
            Some(measure) => {
                (level::value(measure))
                span.sub { (piece::period_words(measure.period))
                    @if level::is_share(measure) { ", " (measure.numerator) " of " (measure.denominator) } }
            },
            None => { span.quiet { "not measured" } },
        }
    }
}

fn levels(changes: &Changes, to: &To<'_>) -> Markup {
    let heads = [
        ("Service level", Set::Wide),
        ("Was", Set::Figure),
        ("Came to", Set::Text),
        ("Is", Set::Figure),
        ("Comes to", Set::Text),
    ];
    let verdict =
        |measure: Option<&MeasureResult>| measure.map(piece::verdict_word).unwrap_or_default();
    let rows = changes.levels.iter().map(|change| {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let title =
            after.or(before).map(|measure| piece::title(&measure.title)).unwrap_or_default();
        let to =
            after.and_then(|_| to(format!("/service-levels/{}", segment(&change.service_level))));
        vec![
            html! { (link(to, title)) span.sub { (piece::name(&change.service_level)) } },
            figure(before),
            verdict(before),
            figure(after),
            verdict(after),
        ]
    });
    piece::table(html! { "Service levels whose figure differs" }, &heads, rows.collect())
}

fn amounts(changes: &Changes) -> Markup {
    let heads = [("Currency", Set::Text), ("Was", Set::Figure), ("Is", Set::Figure)];
    let bare = |amount: &backstay_engine::assessment::Amount| {
        backstay_report::figure::money(amount.minor, amount.places)
    };
    let rows = changes.money.iter().map(|change| {
        vec![
            piece::name(&change.after.currency),
            html! { (bare(&change.before)) },
            html! { (bare(&change.after)) },
        ]
    });
    piece::table(html! { "Money named by findings" }, &heads, rows.collect())
}

fn findings(caption: &str, found: &[Finding], to: &dyn Fn(&Finding) -> Option<String>) -> Markup {
    if found.is_empty() {
        return html! {};
    }
    let heads = [
        ("What was tested", Set::Wide),
        ("Outcome", Set::Text),
        ("Control", Set::Text),
        ("What was found", Set::Wide),
        ("Money", Set::Figure),
    ];
    let rows = found.iter().take(FINDINGS).map(|finding| {
        let amount: Vec<_> = finding.amount().into_iter().collect();
        vec![
            link(to(finding), piece::name(&finding.subject)),
            piece::outcome_word(finding.outcome),
            piece::name(&finding.control),
            piece::sentence(&finding.explanation),
            html! { (money(&amount)) },
        ]
    });
    html! {
        (piece::table(html! { (caption) ": " (found.len()) }, &heads, rows.collect()))
        @if found.len() > FINDINGS { p { "And " (found.len() - FINDINGS) " more." } }
    }
}
