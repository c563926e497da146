//! One risk, one control, one metric: what it tests and why, how it is computed, what it reads, and where
//! it stands.

use backstay_engine::catalogue::Body;
use backstay_report::html::piece::{self, Set};
use maud::{Markup, html};

use super::{all_reads, control_path, severity_word, tables};
use crate::{
    answer::Answer,
    asked::{Asked, segment},
    figures::Figures,
    page::frame,
    problem::ProblemError,
};

fn crumbs(rest: &[(String, Markup)]) -> Markup {
    let mut links = vec![("/catalogue".to_owned(), html! { "Catalogue" })];
    links.extend(rest.iter().cloned());
    frame::crumbs(&links)
}

/// One risk.
pub fn risk(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let catalogue = &asked.server.catalogue;
    let risk = catalogue.risk(asked.part("risk")).ok_or_else(|| ProblemError::nothing("risk"))?;
    let all = catalogue.controls();
    let own = all.iter().filter(|control| control.risk == risk.id);
    let heads = [("Control", Set::Wide), ("Severity", Set::Text)];
    let rows = own.map(|control| {
        vec![
            html! { a href=(control_path(&control.id)) { (piece::title(&control.title)) } span.sub { (piece::name(&control.id)) } },
            html! { (severity_word(control.severity)) },
        ]
    });
    let body = html! {
        (crumbs(&[]))
        h2 { "What can happen" } div.prose { (piece::prose(&risk.what)) }
        h2 { "Loss scenario" } div.prose { (piece::prose(&risk.loss_scenario)) }
        (piece::table(html! { "Its controls" }, &heads, rows.collect()))
    };
    Ok(Answer::page(risk.title.clone(), body))
}

/// One control.
pub fn control(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let catalogue = &asked.server.catalogue;
    let nothing = || ProblemError::nothing("control");
    let control = catalogue.control(asked.part("control")).ok_or_else(nothing)?;
    let risk = catalogue.risk(&control.risk);
    let limits = &control.limits;
    let body = html! {
        (crumbs(&[(format!("/catalogue/risks/{}", segment(&control.risk)), html! { @match risk { Some(risk) => { (piece::title(&risk.title)) } None => { (control.risk) } } })]))
        dl.facts {
            div { dt { "Control" } dd { code { (control.id) } } }
            div { dt { "Severity of a miss" } dd { (severity_word(control.severity)) } }
            div { dt { "Misses tolerated" } dd { (limits.tolerance) } }
            div { dt { "Gaps tolerated" } dd { (limits.max_gap) } }
            div { dt { "Evidence may be old by" } dd { (limits.max_evidence_age_days) " days" } }
            div { dt { "Nothing to test" } dd { @if limits.may_be_empty { "is fine when its feed says that nothing was to come" } @else { "makes it untested" } } }
            (reads(asked, &control.id, &control.consults)?)
            div { dt { "File" } dd { code { (piece::name(&control.file)) } } }
        }
        (stands(asked, &control.id)?)
        (told(&control.body))
        @if let Some(sql) = &control.applies_when { h2 { "When it applies" } pre { code { (sql) } } }
        (references(&control.references))
        (cases(&control.body))
    };
    Ok(Answer::page(control.title.clone(), body))
}

/// One metric.
pub fn metric(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("metric");
    let metric = asked.server.catalogue.metric(asked.part("metric")).ok_or_else(nothing)?;
    let body = html! {
        (crumbs(&[("/catalogue#metrics".to_owned(), html! { "Metrics" })]))
        dl.facts {
            div { dt { "Metric" } dd { code { (metric.id) } } }
            div { dt { "Its value" } dd { (metric.value.as_str()) } }
            (reads(asked, &metric.id, &metric.consults)?)
            div { dt { "File" } dd { code { (piece::name(&metric.file)) } } }
        }
        (told(&metric.body))
        (references(&metric.references))
        (cases(&metric.body))
    };
    Ok(Answer::page(metric.title.clone(), body))
}

fn reads(asked: &Asked<'_>, id: &str, consults: &[String]) -> Result<Markup, ProblemError> {
    let all = all_reads(asked)?;
    Ok(html! {
        @if let Some(names) = all.get(id) { div { dt { "Reads" } dd { (tables(asked, names)) } } }
        @if !consults.is_empty() { div { dt { "Of these may be empty" } dd { (tables(asked, consults)) } } }
    })
}

fn told(body: &Body) -> Markup {
    html! {
        h2 { "What it tests" } div.prose { (piece::prose(&body.tests)) }
        h2 { "Why it matters" } div.prose { (piece::prose(&body.why)) }
        h2 { "How it is computed" } div.prose { (piece::computed(body)) }
        @if !body.remedy.is_empty() { h2 { "What to do" } div.prose { (piece::prose(&body.remedy)) } }
    }
}

fn references(all: &[String]) -> Markup {
    html! {
        @if !all.is_empty() {
            h2 { "References" }
            ul { @for reference in all { li { (piece::sentence(reference)) } } }
        }
    }
}

/// The cases that prove it, as the file has them.
fn cases(body: &Body) -> Markup {
    html! {
        @if !body.cases.is_empty() {
            h2 { "Cases that prove it" }
            ul { @for case in &body.cases { li { (piece::title(&case.name)) } } }
            details { summary { "With their tables" } pre { code { (body.cases_text) } } }
        }
    }
}

/// Where a control stands, in the arrangements that the asker sees.
fn stands(asked: &Asked<'_>, control: &str) -> Result<Markup, ProblemError> {
    let Some(figures) = Figures::visible(asked)? else { return Ok(html! {}) };
    let found = figures.parts.iter().filter_map(|(id, found)| {
        let result = found.controls.iter().find(|result| result.control == control)?;
        let to = format!("/arrangements/{}/controls/{}", segment(id), segment(control));
        Some(vec![
            html! { a href=(asked.link(&to)) { (piece::name(id)) } },
            piece::status_word(result.status),
            piece::sentence(&result.reason),
        ])
    });
    let rows: Vec<_> = found.collect();
    if rows.is_empty() {
        return Ok(html! {});
    }
    let heads = [("Arrangement", Set::Text), ("Status", Set::Text), ("Why", Set::Wide)];
    let caption = html! { "Where it stands, " (piece::period_words(figures.period)) };
    Ok(piece::table(caption, &heads, rows))
}
