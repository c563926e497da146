//! Two kept assessments beside each other: what changed and why. The basis of each, the evidence that came
//! in between, statuses, findings, service levels, money; and of one arrangement every case, with the
//! entry that brought it.

use std::{collections::BTreeSet, sync::Arc};

use backstay_access::{Action, Privacy, Resource};
use backstay_desk::{
    change::changes,
    replay,
    restate::{Answered, Restated, between, restated},
};
use backstay_engine::{Assessment, assessment::Basis, restate::Restatement};
use backstay_report::html::piece::{self, Set};
use backstay_store::EntrySummary;
use maud::{Markup, html};

use super::{assessment, change, frame, way::reads_cases};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    past::{self, Past},
    problem::ProblemError,
};

/// Entries and cases listed.
const ENTRIES: usize = 100;
const CASES: usize = 500;

/// The comparison.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let kept = assessment::named(asked)?;
    let other = match asked.query("with") {
        Some(text) => {
            let entry = text.parse().map_err(|_| ProblemError::nothing("assessment"))?;
            past::one(asked, entry)?
        }
        None => {
            let all = past::all(asked, None)?;
            let found = all.into_iter().rfind(|other| assessment::is_comparable(other, &kept));
            found.ok_or_else(|| ProblemError::nothing("assessment"))?
        }
    };
    // The earlier period first; of one period the earlier entry.
    let (before, after) = match (other.period.first, other.entry) <= (kept.period.first, kept.entry)
    {
        true => (other, kept),
        false => (kept, other),
    };
    let (was, is) = (before.result(asked)?, after.result(asked)?);
    let ids = shared(&was, &is);
    if let Some(id) = asked.query("cases") {
        return cases(asked, &before, &after, ids.iter().find(|own| own.as_str() == id));
    }
    let body = html! {
        (frame::crumbs(&[("/assessments".to_owned(), html! { "Assessments" }), (format!("/assessments/{}", after.entry), html! { "Entry " (after.entry) })]))
        p.lead { "Was: " (change::named(&before)) ". Is: " (change::named(&after)) "." }
        @if before.period != after.period { p.note { "The periods differ, so cases differ by themselves; statuses, service levels and findings that stay are compared." } }
        (basis(&was.basis, &is.basis))
        @if ids.is_empty() { p { "No arrangement that is open to you stands in both." } }
        @for id in &ids {
            @let found = changes(&was, &is, id);
            h2 { (piece::name(id)) }
            p { "In short: " (change::brief(&found)) ". "
                @if may_cases(asked, id, &before, &after) {
                    a href={ "/assessments/" (after.entry) "/compare?with=" (before.entry) "&cases=" (segment(id)) } { "Case by case, and which entry brought each" }
                } }
            (change::whole(asked, id, &found, false))
            (evidence(asked, id, &before, &after, &was, &is)?)
        }
    };
    Ok(Answer::page("What changed, and why", body))
}

/// Arrangements that stand in both.
fn shared(was: &Assessment, is: &Assessment) -> BTreeSet<String> {
    let of = |found: &Assessment| -> BTreeSet<String> {
        found.controls.iter().map(|c| c.arrangement_id.clone()).collect()
    };
    of(was).intersection(&of(is)).cloned().collect()
}

/// Whether cases can be compared, and the asker may see them with the entries that brought them.
fn may_cases(asked: &Asked<'_>, id: &str, before: &Past, after: &Past) -> bool {
    before.period == after.period
        && before.entry != after.entry
        && reads_cases(asked, id)
        && reads_entries(asked, &[id.to_owned()])
}

/// Whether the asker may read entries about these arrangements, with what they say.
fn reads_entries(asked: &Asked<'_>, arrangements: &[String]) -> bool {
    let rows = |id: &String| {
        let rows = Resource::Rows { arrangement: Some(id), privacy: Privacy::Internal };
        asked.may(Action::EvidenceRead, &rows)
    };
    asked.may_entry(Action::LedgerRead, arrangements) && arrangements.iter().all(rows)
}

fn basis(was: &Basis, is: &Basis) -> Markup {
    let heads = [
        ("Part of the basis", Set::Text),
        ("Was", Set::Wide),
        ("Is", Set::Wide),
        ("Same", Set::Text),
    ];
    let digest = |text: String| html! { code.digest { (text) } };
    let parts = [
        ("Period", was.period.to_string(), is.period.to_string()),
        ("Looked at from", piece::instant_in(&was.as_of, None), piece::instant_in(&is.as_of, None)),
        ("Evidence", was.evidence_digest.to_string(), is.evidence_digest.to_string()),
        ("Catalogue", was.catalogue.to_string(), is.catalogue.to_string()),
        ("Vocabulary", was.vocabulary.to_string(), is.vocabulary.to_string()),
        ("Settings", was.settings.to_string(), is.settings.to_string()),
        ("Time zones", was.time_zones.clone(), is.time_zones.clone()),
        ("Engine", was.engine.clone(), is.engine.clone()),
    ];
    let rows = parts.into_iter().map(|(name, was, is)| {
        let same = was == is;
        let set = |text: String| if text.len() == 64 { digest(text) } else { piece::name(&text) };
        vec![
            html! { (name) },
            set(was),
            html! { @if same { span.quiet { "the same" } } @else { (set(is)) } },
            html! { @if same { "same" } @else { strong { "differs" } } },
        ]
    });
    piece::table(html! { "What each is a function of" }, &heads, rows.collect())
}

/// The last entry that an assessment's evidence held.
fn known(asked: &Asked<'_>, kept: &Past, found: &Assessment) -> Result<u64, ProblemError> {
    let workspace = &asked.server.workspace;
    let entry = workspace.entry_with_evidence(kept.entry, found.basis.evidence_digest)?;
    Ok(entry.unwrap_or(kept.entry))
}

/// The entries in between that brought evidence on an arrangement.
fn evidence(
    asked: &Asked<'_>,
    id: &str,
    before: &Past,
    after: &Past,
    was: &Assessment,
    is: &Assessment,
) -> Result<Markup, ProblemError> {
    if !asked.may(Action::LedgerRead, &Resource::Arrangement(id)) {
        return Ok(html! {});
    }
    let (from, until) = (known(asked, before, was)?, known(asked, after, is)?);
    let (from, until) = (from.min(until), from.max(until));
    let all = between(&asked.server.workspace, id, from, until)?;
    let own: Vec<&EntrySummary> = all
        .iter()
        .filter(|entry| asked.may_entry(Action::LedgerRead, &entry.arrangements))
        .collect();
    let heads =
        [("Entry", Set::Figure), ("Recorded", Set::Text), ("Kind", Set::Text), ("What", Set::Wide)];
    let text = |entry: &EntrySummary| {
        let payload = entry.payload.as_ref()?;
        let file = payload.pointer("/file").or_else(|| payload.pointer("/reason"))?;
        file.as_str().filter(|_| reads_entries(asked, &entry.arrangements)).map(str::to_owned)
    };
    let rows = own.iter().take(ENTRIES).map(|entry| {
        vec![
            html! { a href={ "/ledger?before=" (entry.entry + 1) } { (entry.entry) } },
            html! { span.nowrap { (piece::instant(entry.recorded_at_us)) } },
            html! { (entry.kind) },
            text(entry).as_deref().map(piece::sentence).unwrap_or_default(),
        ]
    });
    Ok(html! {
        @if own.is_empty() { p.quiet { "No evidence about it came in between that is open to you." } }
        @else {
            (piece::table(html! { "Evidence that came in between: " (own.len()) }, &heads, rows.collect()))
            @if own.len() > ENTRIES { p { "And " (own.len() - ENTRIES) " more." } }
        }
    })
}

/// Case by case.
fn cases(
    asked: &Asked<'_>,
    before: &Past,
    after: &Past,
    id: Option<&String>,
) -> Result<Answer, ProblemError> {
    let id = id.ok_or_else(|| ProblemError::nothing("arrangement"))?;
    if !may_cases(asked, id, before, after) {
        return Err(ProblemError::refused(None));
    }
    let key = (before.entry, after.entry, id.clone());
    // Two entries never change, and neither does what lies between them.
    let found = asked
        .server
        .past
        .restated
        .get_or_insert_with(&key, || compared(asked, before, after, id).map(Arc::new))?;
    let here = format!("/assessments/{}/compare?with={}", after.entry, before.entry);
    let body = html! {
        (frame::crumbs(&[("/assessments".to_owned(), html! { "Assessments" }), (here, html! { "What changed" })]))
        p.lead { "Was: " (change::named(before)) ". Is: " (change::named(after)) "." }
        @for note in &found.notes { p.note { (piece::sentence(note)) } }
        @if found.found.is_empty() { p { "No figure, case, amount or credit differs." } }
        (figures(&found.found))
        (listed(&found.found))
        (amounts(&found.found))
    };
    Ok(Answer::page(format!("What changed in {id}, case by case"), body))
}

fn compared(
    asked: &Asked<'_>,
    before: &Past,
    after: &Past,
    id: &str,
) -> Result<Restated, ProblemError> {
    let workspace = &asked.server.workspace;
    let side = |kept: &Past| -> Result<_, ProblemError> {
        let held = workspace.assessment(kept.entry)?;
        let stored = Assessment::from_bytes(&held.result);
        let stored = stored.map_err(|error| ProblemError::broken(error.to_string()))?;
        let seen = replay::basis(workspace, &held, &stored, asked.now_us)?;
        let as_of_us = replay::as_of_us(kept.entry, &stored)?;
        Ok((seen, stored, as_of_us))
    };
    let (was, is) = (side(before)?, side(after)?);
    let (old, new) = (
        Answered { seen: &was.0, assessment: &was.1 },
        Answered { seen: &is.0, assessment: &is.1 },
    );
    Ok(restated(workspace, id, was.2, &old, &new, asked.now_us)?)
}

fn figures(found: &Restatement) -> Markup {
    if found.figures.is_empty() {
        return html! {};
    }
    let heads = [
        ("Service level", Set::Text),
        ("Window", Set::Text),
        ("Was", Set::Figure),
        ("Is", Set::Figure),
        ("Target, minimum", Set::Text),
    ];
    let told = |figure: &Option<backstay_engine::restate::Figure>| match figure {
        None => html! { span.quiet { "not measured" } },
        Some(figure) => html! {
            @match &figure.value { Some(_) if figure.denominator > 0 => { (backstay_report::figure::percent(figure.numerator, figure.denominator, 2).unwrap_or_default()) }, Some(value) => { (value) }, None => { "no value" } }
            span.sub { (figure.numerator) " of " (figure.denominator) }
        },
    };
    let rows = found.figures.iter().map(|change| {
        let terms = change.after.as_ref().or(change.before.as_ref());
        let terms = terms.map(|figure| [figure.target.clone(), figure.minimum.clone()]);
        let terms: Vec<String> = terms.into_iter().flatten().flatten().collect();
        vec![
            piece::name(&change.service_level),
            html! { (piece::period_words(change.period)) },
            told(&change.before),
            told(&change.after),
            html! { (terms.join(", ")) },
        ]
    });
    html! { h2 { "Service levels" } (piece::table(html! { "Figures that differ" }, &heads, rows.collect())) }
}

fn listed(found: &Restatement) -> Markup {
    if found.cases.is_empty() {
        return html! {};
    }
    let heads = [
        ("Case", Set::Text),
        ("Service level", Set::Text),
        ("Was", Set::Text),
        ("Is", Set::Text),
        ("In words", Set::Wide),
        ("Because of", Set::Wide),
    ];
    let answer = |answer: &Option<backstay_engine::restate::CaseAnswer>| match answer {
        Some(answer) => html! {
            (piece::outcome_word(answer.outcome))
            @if let Some(measured) = &answer.measured { span.sub { (piece::name(measured)) } }
        },
        None => html! { span.quiet { "not counted" } },
    };
    let rows = found.cases.iter().take(CASES).map(|change| {
        let words = change.after.as_ref().or(change.before.as_ref());
        vec![
            piece::name(&change.counted.case_id),
            piece::name(&change.counted.service_level),
            answer(&change.before),
            answer(&change.after),
            words.map(|answer| piece::sentence(&answer.explanation)).unwrap_or_default(),
            html! { @for (n, why) in change.because.iter().enumerate() { @if n > 0 { "; " } (piece::sentence(why)) } },
        ]
    });
    html! {
        h2 { "Cases" }
        (piece::table(html! { "Cases that are counted otherwise: " (found.cases.len()) }, &heads, rows.collect()))
        @if found.cases.len() > CASES { p { "And " (found.cases.len() - CASES) " more." } }
    }
}

fn amounts(found: &Restatement) -> Markup {
    let heads =
        [("What", Set::Wide), ("Currency", Set::Text), ("Was", Set::Figure), ("Is", Set::Figure)];
    let set = |minor: i64, places: u32| backstay_report::figure::money(minor.into(), places);
    let mut rows: Vec<Vec<Markup>> = found
        .money
        .iter()
        .map(|change| {
            vec![
                html! { (piece::name(&change.stake.subject)) span.sub { (piece::name(&change.stake.control)) } },
                piece::name(&change.stake.currency),
                html! { (set(change.before_minor, change.places)) },
                html! { (set(change.after_minor, change.places)) },
            ]
        })
        .collect();
    rows.extend(found.credits.iter().map(|change| {
        let owed = |owed: &Option<backstay_engine::credit_note::Owed>| match owed {
            Some(owed) => html! { @match (owed.owed_minor, &owed.currency) {
                (Some(minor), Some(currency)) => { (set(minor, backstay_evidence::minor_places(currency))) },
                _ => { "cannot be said" },
            } },
            None => html! { span.quiet { "nothing agreed" } },
        };
        let currency = change.after.as_ref().or(change.before.as_ref()).and_then(|o| o.currency.clone());
        vec![
            html! { "Service credits of " (piece::name(&change.month)) },
            currency.as_deref().map(piece::name).unwrap_or_default(),
            owed(&change.before),
            owed(&change.after),
        ]
    }));
    if rows.is_empty() {
        return html! {};
    }
    html! { h2 { "Money" } (piece::table(html! { "Amounts that differ" }, &heads, rows)) }
}
