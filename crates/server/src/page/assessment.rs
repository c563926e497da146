//! Assessments that were kept: the list, one of them with its basis and its steps of the month-end,
//! whether it can be worked out again, and a new one made and kept.

use std::collections::BTreeSet;

use backstay_access::{Action, Resource};
use backstay_desk::{assess, evidence::layout, replay};
use backstay_engine::{
    AssessRequest, Assessment, Status,
    replay::{Replay, replay as again},
};
use backstay_report::html::piece::{self, Set};
use backstay_store::{CloseNote, CloseStep, Closed};
use maud::{Markup, html};

use super::{change, frame};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::{Figures, worst},
    past::{self, Past},
    problem::ProblemError,
};

/// Assessments on a page.
const ROWS: usize = 50;
/// Others that one can be compared with from a list.
const OTHERS: usize = 60;
/// Values shown of a replay that differs.
const VALUES: usize = 200;

/// The list, the newest first.
pub fn list(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let before =
        match asked.query("before") {
            Some(text) => Some(text.parse::<u64>().map_err(|_| {
                ProblemError::unclear("The entry before which to begin is no number.")
            })?),
            None => None,
        };
    let mut all = past::all(asked, None)?;
    all.retain(|kept| before.is_none_or(|before| kept.entry < before));
    let first = all.first().map(|kept| kept.entry);
    let shown: Vec<&Past> = all.iter().rev().take(ROWS).collect();
    let heads = [
        ("Assessment", Set::Text),
        ("Of", Set::Text),
        ("About", Set::Wide),
        ("Month-end", Set::Text),
        ("Kept", Set::Text),
        ("Compare", Set::Text),
    ];
    let rows = shown.iter().map(|kept| {
        let earlier = all.iter().rfind(|other| is_comparable(other, kept));
        vec![
            html! { a href={ "/assessments/" (kept.entry) } { "entry " (kept.entry) } },
            html! { span.nowrap { (piece::period_words(kept.period)) } },
            about(kept),
            step(kept.close.as_ref()),
            html! { span.nowrap { (piece::instant(kept.recorded_at_us)) } },
            html! { @if let Some(other) = earlier { a href={ "/assessments/" (kept.entry) "/compare?with=" (other.entry) } { "with entry " (other.entry) } } },
        ]
    });
    let rows: Vec<_> = rows.collect();
    let oldest = shown.last().map(|kept| kept.entry);
    let body = html! {
        @if rows.is_empty() {
            p.lead { "No assessment is kept yet that is open to you." }
            p { "Open an arrangement and press “Assess now and keep”, or take the first step of its month-end." }
        } @else {
            (piece::table(html! { "Kept assessments, the newest first" }, &heads, rows))
        }
        p.pager {
            @if let Some(oldest) = oldest.filter(|oldest| first.is_some_and(|first| first < *oldest)) {
                a href={ "/assessments?before=" (oldest) } rel="next" { "Earlier ones" }
            }
            @if before.is_some() { a href="/assessments" { "Newest ones" } }
        }
    };
    Ok(Answer::page("Assessments", body))
}

/// Whether an earlier assessment is one to hold a later one against: about the same, of the same period or
/// an earlier one.
pub fn is_comparable(other: &Past, kept: &Past) -> bool {
    other.entry < kept.entry
        && other.period.first <= kept.period.first
        && (other.scope.is_empty()
            || kept.scope.is_empty()
            || other.scope.iter().any(|id| kept.scope.contains(id)))
}

fn about(kept: &Past) -> Markup {
    html! {
        @if kept.scope.is_empty() { "all arrangements" }
        @for (n, id) in kept.scope.iter().enumerate() { @if n > 0 { ", " } (piece::name(id)) }
    }
}

fn step(close: Option<&CloseNote>) -> Markup {
    html! {
        @if let Some(note) = close {
            (note.step.done())
            @if !note.by.is_empty() { span.sub { "by " (piece::name(&note.by)) } }
        }
    }
}

/// The entry that the path names.
fn entry(asked: &Asked<'_>) -> Result<u64, ProblemError> {
    let entry = asked.part("entry").parse();
    entry.map_err(|_| ProblemError::nothing("assessment"))
}

/// The assessment that the path names.
///
/// # Errors
/// None that is open to the asker.
pub fn named(asked: &Asked<'_>) -> Result<Past, ProblemError> {
    past::one(asked, entry(asked)?)
}

/// One assessment.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let kept = named(asked)?;
    page(asked, &kept, None)
}

fn page(asked: &Asked<'_>, kept: &Past, replayed: Option<&Replay>) -> Result<Answer, ProblemError> {
    let found = kept.result(asked)?;
    let all = past::all(asked, None)?;
    let others: Vec<&Past> =
        all.iter().rev().filter(|other| other.entry != kept.entry).take(OTHERS).collect();
    let nearest = all.iter().rfind(|other| is_comparable(other, kept)).map(|other| other.entry);
    let body = html! {
        (frame::crumbs(&[("/assessments".to_owned(), html! { "Assessments" })]))
        @if let Some(replayed) = replayed { (told(replayed)) }
        dl.facts {
            div { dt { "Kept" } dd { (piece::instant(kept.recorded_at_us)) ", ledger entry " (kept.entry) } }
            div { dt { "About" } dd { (about(kept)) } }
            div { dt { "Month-end" } dd { @if kept.close.is_some() { (step(kept.close.as_ref())) } @else { "no step of one" } } }
            div { dt { "Looked at from" } dd { (piece::instant_in(&found.basis.as_of, None)) } }
        }
        p.saves { "The month-end pack: "
            a href={ "/assessments/" (kept.entry) "/report" } { "report to read and print" } " · "
            a href={ "/assessments/" (kept.entry) "/workbook" } { "XLSX" } " · "
            a href={ "/api/v1/assessments/" (kept.entry) } { "JSON" }
        }
        (arrangements(kept, &found))
        @if let Some(note) = &kept.close { (steps(&asked.server.workspace.closes(&note.arrangement, &note.period)?)) }
        h2 #compare { "What changed, and why" }
        @if others.is_empty() { p { "No other assessment is kept that it could be compared with." } }
        @else {
            form.when method="get" action={ "/assessments/" (kept.entry) "/compare" } {
                div {
                    label for="with" { "Compare with" }
                    select #with name="with" {
                        @for other in others {
                            option value=(other.entry) selected[Some(other.entry) == nearest] { (brief(other)) }
                        }
                    }
                }
                button { "Compare" }
            }
        }
        h2 #basis { "Basis" }
        (basis(&found))
        @if may_replay(asked, kept)? {
            form method="post" action={ "/assessments/" (kept.entry) "/replay" } {
                (frame::token(asked))
                p { "The same basis gives the same bytes. " button { "Work it out again and compare" } }
            }
        }
    };
    Ok(Answer::page(format!("Assessment of {}", piece::period_words(kept.period)), body))
}

fn brief(kept: &Past) -> String {
    let what = kept.close.as_ref().map_or("assessed", |note| note.step.done());
    let scope = if kept.scope.is_empty() { "all".to_owned() } else { kept.scope.join(", ") };
    let scope: String = scope.chars().take(60).collect();
    format!(
        "{}, {what}, {scope} (entry {})",
        backstay_report::words::period(kept.period),
        kept.entry
    )
}

/// The arrangements of an assessment: what became of each, as a way to its pages as they were known then.
fn arrangements(kept: &Past, found: &Assessment) -> Markup {
    let ids: BTreeSet<&str> = found.controls.iter().map(|c| c.arrangement_id.as_str()).collect();
    let period = backstay_report::words::period(kept.period);
    let mut heads = vec![("Arrangement", Set::Wide), ("Worst", Set::Text)];
    heads.extend(Status::ALL.iter().map(|status| (status.word(), Set::Figure)));
    heads.push(("Findings", Set::Figure));
    let rows = ids.iter().map(|id| {
        let own: Vec<_> = found.controls.iter().filter(|c| c.arrangement_id == **id).collect();
        let findings = found.findings.iter().filter(|f| f.arrangement_id == **id).count();
        let to = format!("/arrangements/{}?period={}&as_of={}", segment(id), segment(&period), kept.entry);
        let mut cells = vec![
            html! { a href=(to) { (piece::name(id)) } },
            html! { @if let Some((status, ..)) = worst(own.iter().copied()) { (piece::status_word(status)) } },
        ];
        cells.extend(Status::ALL.iter().map(|status| {
            html! { (own.iter().filter(|c| c.status == *status).count()) }
        }));
        cells.push(html! { (findings) });
        cells
    });
    piece::table(
        html! { "Controls by status; an arrangement opens as it was known then" },
        &heads,
        rows.collect(),
    )
}

/// The steps of a month-end.
pub fn steps(taken: &[Closed]) -> Markup {
    let heads = [
        ("Step", Set::Text),
        ("When", Set::Text),
        ("By", Set::Text),
        ("Note", Set::Wide),
        ("Assessment", Set::Text),
    ];
    let rows = taken.iter().map(|closed| {
        vec![
            html! { strong { (closed.note.step.done()) } },
            html! { span.nowrap { (piece::instant(closed.recorded_at_us)) } },
            html! { @if closed.note.by.is_empty() { "us" } @else { (piece::name(&closed.note.by)) } },
            piece::sentence(&closed.note.note),
            html! { a href={ "/assessments/" (closed.entry) } { "entry " (closed.entry) } },
        ]
    });
    piece::table(html! { "Steps of the month-end, in order" }, &heads, rows.collect())
}

fn basis(found: &Assessment) -> Markup {
    let basis = &found.basis;
    let digest = |text: String| html! { code.digest { (text) } };
    html! {
        dl.facts {
            div { dt { "Evidence" } dd { (digest(basis.evidence_digest.to_string())) } }
            div { dt { "Catalogue" } dd { (digest(basis.catalogue.to_string())) } }
            div { dt { "Vocabulary" } dd { (digest(basis.vocabulary.to_string())) } }
            div { dt { "Settings" } dd { (digest(basis.settings.to_string())) } }
            div { dt { "Period" } dd { (basis.period.to_string()) ", the last day left out" } }
            div { dt { "Engine" } dd { "Backstay " (piece::name(&basis.engine)) ", time zones " (piece::name(&basis.time_zones)) } }
        }
    }
}

/// Whether the asker may have it worked out again: every arrangement in it, whether it is shown or not.
fn may_replay(asked: &Asked<'_>, kept: &Past) -> Result<bool, ProblemError> {
    let whole = kept.whole(asked)?;
    let mut ids: BTreeSet<&str> = whole.basis.scope.iter().map(String::as_str).collect();
    ids.extend(whole.controls.iter().map(|c| c.arrangement_id.as_str()));
    ids.extend(whole.measures.iter().map(|m| m.arrangement_id.as_str()));
    ids.extend(whole.findings.iter().map(|f| f.arrangement_id.as_str()));
    let may = |id: &&str| asked.may(Action::AssessmentReplay, &Resource::Arrangement(id));
    Ok(!ids.is_empty() && ids.iter().all(may))
}

/// Works one out again and says whether it is the same.
pub fn replay(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let kept = named(asked)?;
    if !may_replay(asked, &kept)? {
        return Err(ProblemError::refused(None));
    }
    let workspace = &asked.server.workspace;
    let held = workspace.assessment(kept.entry)?;
    let stored = Assessment::from_bytes(&held.result);
    let stored = stored.map_err(|error| ProblemError::broken(error.to_string()))?;
    let seen = replay::basis(workspace, &held, &stored, asked.now_us)?;
    let request = AssessRequest {
        evidence: seen.evidence,
        settings: assess::settings(),
        period: Some(stored.basis.period),
        now_us: replay::as_of_us(kept.entry, &stored)?,
        seed: stored.basis.seed,
        layout: layout(),
        // Worked out anew: a cache would only repeat what it once kept.
        cache: None,
    };
    let found = again(&request, &held.result)?;
    page(asked, &kept, Some(&found))
}

fn told(found: &Replay) -> Markup {
    let heads = [("Where", Set::Wide), ("As kept", Set::Text), ("Now", Set::Text)];
    let text = |text: &Option<String>| match text {
        Some(text) => piece::name(text),
        None => html! { span.quiet { "not there" } },
    };
    let rows = found.changes.iter().take(VALUES).map(|change| {
        vec![piece::sentence(&change.place), text(&change.before), text(&change.after)]
    });
    html! {
        @if found.identical {
            p.note role="status" { strong { "The same bytes. " } "It was worked out again from its basis, and SHA-256 " code.digest { (found.digest.to_string()) } " came out again." }
        } @else if found.changes.is_empty() {
            p.note role="status" { strong { "The same figures. " } "Only the version differs: kept with " (piece::name(&found.stored_engine)) ", worked out with " (piece::name(&found.engine)) "." }
        } @else {
            p.note.bad role="alert" { strong { "It differs. " } "Kept with " (piece::name(&found.stored_engine)) ", worked out again with " (piece::name(&found.engine)) ": " (found.changes.len()) " values are others." }
            (piece::table(html! { "Values that differ" }, &heads, rows.collect()))
        }
    }
}

/// The form with which an arrangement is assessed; nothing for those who may not.
pub fn form(asked: &Asked<'_>, id: &str) -> Markup {
    if !asked.may(Action::AssessmentRun, &Resource::Arrangement(id)) {
        return html! {};
    }
    let mut to = format!("/arrangements/{}/assessments", segment(id));
    if let Some(period) = asked.query("period") {
        to.push_str(&format!("?period={}", segment(period)));
    }
    html! {
        form method="post" action=(to) {
            (frame::token(asked))
            p { button { "Assess now and keep" } span.quiet { " The answer becomes an entry of the ledger that can be replayed." } }
        }
    }
}

/// Assesses an arrangement as of now, and keeps the answer.
pub fn run(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let figures = Figures::named(asked)?.ok_or_else(|| ProblemError::nothing("arrangement"))?;
    let (_, found) = figures.only().ok_or_else(|| ProblemError::nothing("arrangement"))?;
    let bytes = found.bytes();
    let workspace = &asked.server.workspace;
    let entry =
        asked.with_context(|ctx| assess::keep(workspace, &figures.seen, found, &bytes, ctx))?;
    Ok(Answer::see(format!("/assessments/{entry}")))
}

/// What an arrangement's figures are held against, in a sentence.
pub fn since(kept: &Past) -> Markup {
    let closed = kept.close.as_ref().is_some_and(|note| note.step != CloseStep::Restate);
    html! {
        @if closed { "Against the last close: " } @else { "No month is closed yet, so against the last assessment that was kept: " }
        (change::named(kept)) ". "
        a href={ "/assessments/" (kept.entry) } { "What was known then" }
    }
}
