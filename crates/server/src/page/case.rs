//! The cases behind a service level: as a list with filter and pages, and one of them over the days of
//! its sites. Open to those who may see rows of the arrangement.

use backstay_access::{Action, Privacy, Resource};
use backstay_engine::{
    derive::explain::{Explanation, Length},
    outcome::Outcome,
    restate::{Answers, CaseAnswer, Counted},
};
use backstay_report::{
    figure,
    html::{
        Links, Way,
        clock::{moment, picture, segments},
        piece::{self, Set},
    },
};
use maud::{Markup, html};

use super::{frame, level::counts, way::Pages};
use crate::{
    answer::Answer, asked::Asked, figures::Figures, panels::Beside, problem::ProblemError,
};

/// Cases on a page.
const ROWS: usize = 100;
/// Cases shown with the service level itself.
const FEW: usize = 12;
/// Letters of a filter.
const MOST_FILTER: usize = 200;

/// Outcomes in the order in which people look for them.
const OUTCOMES: [Outcome; 4] = [Outcome::Missed, Outcome::Gap, Outcome::Excluded, Outcome::Met];

/// An outcome as it stands in an address.
pub fn word(of: Outcome) -> &'static str {
    match of {
        Outcome::Met => "met",
        Outcome::Missed => "missed",
        Outcome::Excluded => "left-out",
        Outcome::Gap => "unclear",
    }
}

/// The rule of both pages, beyond that of the route.
fn may(asked: &Asked<'_>, id: &str) -> Result<(), ProblemError> {
    let rows = Resource::Rows { arrangement: Some(id), privacy: Privacy::Internal };
    let decision = asked.authority()?.decide(Action::EvidenceRead, &rows);
    if decision.allowed { Ok(()) } else { Err(ProblemError::refused(decision.refusal)) }
}

/// The list.
pub fn list(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("service level");
    may(asked, asked.part("arrangement"))?;
    let figures = Figures::named(asked)?.ok_or_else(nothing)?;
    let (id, found) = figures.only().ok_or_else(nothing)?;
    let level = asked.part("level");
    let title = found.measures.iter().rfind(|m| m.service_level == level);
    let title = title.ok_or_else(nothing)?.title.clone();
    let pages = Pages::new(asked, id)?;
    let cases = Beside::new(asked.server, &figures, id).cases()?;
    let asked_for = Filter::of(asked)?;
    let own: Vec<_> = chosen(&cases, level, &asked_for);
    let from = asked_for.page.saturating_sub(1).saturating_mul(ROWS);
    let shown: Vec<_> = own.iter().skip(from).take(ROWS).copied().collect();
    let here = format!("/service-levels/{}", crate::asked::segment(level));
    let body = html! {
        (pages.crumbs(id, &[(pages.to(&here), piece::title(&title))]))
        (frame::when(asked, Some(figures.period)))
        (form(asked, &asked_for, &cases, level))
        @if shown.is_empty() {
            p.lead { "No case fits." } p { "Take words out of the search, or choose all outcomes." }
        } @else {
            (table(&pages, level, &shown, html! { (figure::counted(i64::try_from(own.len()).unwrap_or(i64::MAX), "case")) " of " (piece::period_words(figures.period)) ", those that took longest first within an outcome" }))
            (pager(asked, &asked_for, own.len()))
        }
    };
    Ok(Answer::page(format!("Cases: {title}"), body))
}

/// What somebody looks for.
struct Filter {
    outcome: Option<Outcome>,
    text: String,
    page: usize,
}

impl Filter {
    fn of(asked: &Asked<'_>) -> Result<Self, ProblemError> {
        let outcome = match asked.query("outcome") {
            None | Some("all") => None,
            Some(text) => {
                let found = OUTCOMES.into_iter().find(|outcome| word(*outcome) == text);
                Some(found.ok_or_else(|| ProblemError::unclear("There is no such outcome."))?)
            }
        };
        let page = asked.query("page").map_or(Some(1), |text| text.parse().ok());
        let page = page.filter(|page| *page > 0);
        let text: String =
            asked.query("case").unwrap_or_default().chars().take(MOST_FILTER).collect();
        Ok(Self {
            outcome,
            text,
            page: page.ok_or_else(|| ProblemError::unclear("The page is no number."))?,
        })
    }
}

type Case<'a> = (&'a Counted, &'a CaseAnswer);

/// The cases of a service level that fit, worst outcome first.
fn chosen<'a>(cases: &'a Answers, level: &str, filter: &Filter) -> Vec<Case<'a>> {
    let wanted = filter.text.to_lowercase();
    let fits = |(counted, answer): &Case<'_>| {
        counted.service_level == level
            && filter.outcome.is_none_or(|outcome| answer.outcome == outcome)
            && (wanted.is_empty() || counted.case_id.to_lowercase().contains(&wanted))
    };
    let mut own: Vec<Case<'_>> = cases.iter().filter(fits).collect();
    let rank = |outcome: Outcome| OUTCOMES.iter().position(|own| *own == outcome);
    own.sort_by_cached_key(|(counted, answer)| {
        let took = answer.measured.as_deref().map_or(0, length_rank);
        (rank(answer.outcome), std::cmp::Reverse(took), counted.case_id.clone())
    });
    own
}

/// How long a measured length is, for the order alone: the digits of its parts, hours first.
fn length_rank(text: &str) -> u64 {
    let mut total = 0_u64;
    let mut number = 0_u64;
    for letter in text.chars() {
        match letter {
            '0'..='9' => {
                let digit = u64::from(letter.to_digit(10).unwrap_or_default());
                number = number.saturating_mul(10).saturating_add(digit);
            }
            'd' | 'h' | 'm' | 's' => {
                let seconds = match letter {
                    'd' => 86_400,
                    'h' => 3_600,
                    'm' => 60,
                    _ => 1,
                };
                total = total.saturating_add(number.saturating_mul(seconds));
                number = 0;
            }
            _ => {}
        }
    }
    total
}

fn form(asked: &Asked<'_>, filter: &Filter, cases: &Answers, level: &str) -> Markup {
    let counts = counts(cases, level);
    let all: usize = counts.values().sum();
    let chosen = filter.outcome.map_or("all", word);
    html! {
        form.when method="get" {
            @for name in ["period", "as_of", "zone"] {
                @if let Some(text) = asked.query(name) { input type="hidden" name=(name) value=(text); }
            }
            div {
                label for="case" { "Case holds" }
                input #case name="case" value=(filter.text) maxlength=(MOST_FILTER);
            }
            div {
                label for="outcome" { "Outcome" }
                select #outcome name="outcome" {
                    option value="all" selected[chosen == "all"] { "all (" (all) ")" }
                    @for outcome in OUTCOMES {
                        option value=(word(outcome)) selected[chosen == word(outcome)] {
                            (word(outcome).replace('-', " ")) " (" (counts.get(word(outcome)).copied().unwrap_or_default()) ")"
                        }
                    }
                }
            }
            button { "Filter" }
        }
    }
}

fn table(pages: &Pages<'_>, level: &str, cases: &[Case<'_>], caption: Markup) -> Markup {
    let heads = [
        ("Case", Set::Text),
        ("Outcome", Set::Text),
        ("Found", Set::Figure),
        ("Promised", Set::Figure),
        ("In words", Set::Wide),
    ];
    let rows = cases.iter().map(|(counted, answer)| {
        let to = pages.case("", level, &counted.case_id);
        let text = |text: &Option<String>| text.as_deref().map(piece::name).unwrap_or_default();
        vec![
            html! { @if let Some(to) = to { a href=(to) { (piece::name(&counted.case_id)) } } @else { (piece::name(&counted.case_id)) } },
            piece::outcome_word(answer.outcome),
            text(&answer.measured),
            text(&answer.required),
            piece::sentence(&answer.explanation),
        ]
    });
    piece::table(caption, &heads, rows.collect())
}

fn pager(asked: &Asked<'_>, filter: &Filter, all: usize) -> Markup {
    let last = all.div_ceil(ROWS).max(1);
    let to = |page: usize| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in ["period", "as_of", "zone", "case", "outcome"] {
            if let Some(text) = asked.query(name) {
                query.append_pair(name, text);
            }
        }
        query.append_pair("page", &page.to_string());
        format!("?{}", query.finish())
    };
    html! {
        @if last > 1 {
            p.pager {
                @if filter.page > 1 { a href=(to(filter.page - 1)) rel="prev" { "Page before" } }
                span { "Page " (filter.page) " of " (last) }
                @if filter.page < last { a href=(to(filter.page + 1)) rel="next" { "Next page" } }
            }
        }
    }
}

/// The cases that a reader of a service level looks for first, and the way to all.
pub fn few(pages: &Pages<'_>, level: &str, cases: &Answers) -> Markup {
    let none = Filter { outcome: None, text: String::new(), page: 1 };
    let own = chosen(cases, level, &none);
    let counts = counts(cases, level);
    let base = format!("/service-levels/{}/cases", crate::asked::segment(level));
    let to = |outcome: &str| {
        let path = pages.to(&base);
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}outcome={outcome}")
    };
    html! {
        h2 #cases { "Cases" }
        @if own.is_empty() { p { "No case falls into this window." } }
        @else {
            p {
                a href=(pages.to(&base)) { "All " (figure::counted(i64::try_from(own.len()).unwrap_or(i64::MAX), "case")) }
                @for outcome in OUTCOMES {
                    @if let Some(count) = counts.get(word(outcome)) {
                        " · " a href=(to(word(outcome))) { (count) " " (word(outcome).replace('-', " ")) }
                    }
                }
            }
            (table(pages, level, own.get(..FEW.min(own.len())).unwrap_or_default(), html! { "The first of them, missed ones before others" }))
        }
    }
}

/// One case.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("case");
    may(asked, asked.part("arrangement"))?;
    let figures = Figures::named(asked)?.ok_or_else(nothing)?;
    let (id, found) = figures.only().ok_or_else(nothing)?;
    let (level, case) = (asked.part("level"), asked.part("case"));
    let title = found.measures.iter().rfind(|m| m.service_level == level);
    let title = title.ok_or_else(nothing)?.title.clone();
    let pages = Pages::new(asked, id)?;
    let links = Links(&pages);
    let beside = Beside::new(asked.server, &figures, id);
    let cases = beside.cases()?;
    let answer = cases.iter().find(|(c, _)| c.service_level == level && c.case_id == case);
    let answer = answer.map(|(_, answer)| answer);
    // A service level that counts otherwise than by a clock has no segments.
    let told = match beside.told(case, level) {
        Err(error) if error.status.is_client_error() && answer.is_some() => None,
        told => Some(told?),
    };
    let here = format!("/service-levels/{}", crate::asked::segment(level));
    let up = [
        (pages.to(&here), piece::title(&title)),
        (pages.to(&format!("{here}/cases")), html! { "Cases" }),
    ];
    let body = html! {
        (pages.crumbs(id, &up))
        (frame::when(asked, Some(figures.period)))
        p { a href=(pages.to(&format!("/cases/{}", crate::asked::segment(case)))) { "Everything that happened to it, event by event" } }
        @if let Some(told) = &told {
            (outcome(&told.0, answer))
            (picture(&told.0, &told.1))
            (segments(&told.0, &links))
            h2 { "What it was measured by" }
            (facts(&told.0, &links, &pages))
        } @else if let Some(answer) = answer {
            p.lead { (piece::outcome_word(answer.outcome)) ": " (piece::sentence(&answer.explanation)) }
            p { "This service level is not measured by a clock, so there are no segments to show." }
        }
    };
    Ok(Answer::page(format!("Case {case}"), body))
}

fn outcome(told: &Explanation, answer: Option<&CaseAnswer>) -> Markup {
    html! {
        p.lead {
            @if let Some(answer) = answer { (piece::outcome_word(answer.outcome)) ": " }
            @else { strong { (told.outcome) } ": " }
            (piece::sentence(&told.outcome_how))
        }
        @if let Some((reason, _)) = &told.excluded { p.note { "Left out: " (piece::sentence(reason)) } }
        @if let Some((why, _)) = &told.exclusion_refused { p.note { "Counted: " (piece::sentence(why)) } }
        @if let Some(gap) = &told.gap { p.note.bad { "Not known: " (piece::sentence(gap)) } }
        @if let Some(record) = &told.quarantined {
            p.note.bad { "Rows of this case are in quarantine (the first is record " (piece::name(record)) "), so events may be lacking." }
        }
    }
}

fn facts(told: &Explanation, links: &Links<'_>, pages: &Pages<'_>) -> Markup {
    let terms = &told.terms;
    let length = |length: &Option<Length>| {
        length.as_ref().map_or_else(|| "none".to_owned(), |length| length.hms.clone())
    };
    let utc = |text: &Option<String>| {
        html! { @match text { Some(at) => { (piece::instant_in(at, pages.zone.as_deref())) }, None => { "not yet" } } }
    };
    let reference =
        |record: &String| frame::references(std::slice::from_ref(record), 1, 1, pages.opens);
    html! {
        dl.facts {
            div { dt { "Service level" } dd { (piece::title(&terms.title)) } }
            div { dt { "Terms" } dd { (piece::name(&terms.basis)) @if let Some(source) = &terms.source { ", " (piece::name(source)) } ", record " (reference(&terms.record)) } }
            div { dt { "Allowed" } dd { (length(&terms.threshold)) } }
            div { dt { "Clock starts" } dd { (piece::name(&terms.clock_starts)) } }
            div { dt { "Done in" } dd { (piece::sentence(&terms.stop_states.join(", "))) } }
            div { dt { "Pauses in" } dd { @if terms.paused_states.is_empty() { "no state" } @else { (piece::sentence(&terms.paused_states.join(", "))) } } }
            div { dt { "Calendar" } dd { @match &terms.calendar_id { Some(id) => (piece::name(id)), None => "of the site responsible" } } }
            div { dt { "Opened" } dd { (utc(&Some(told.opened_at.clone()))) } }
            div { dt { "Clock started" } dd { (utc(&told.clock_started_at)) } }
            div { dt { "Done" } dd { (utc(&told.closed_at)) } }
            div { dt { "Deadline" } dd { @match &told.deadline { Some(at) => { (moment(at, links)) }, None => { "none" } } } }
            div { dt { "How the deadline is reached" } dd { (piece::sentence(&told.deadline_how)) } }
            div { dt { "Counts in the window of" } dd { (utc(&told.counted_at)) } }
            div { dt { "Working time" } dd { (length(&told.total)) } }
            div { dt { "Paused" } dd { (length(&told.paused)) } }
            div { dt { "Looked at" } dd { (utc(&Some(told.as_of.clone()))) } }
        }
        @if !told.calendar_refs.is_empty() {
            @let all = u64::try_from(told.calendar_refs.len()).unwrap_or(u64::MAX);
            p.basis { "Rows of calendars and holidays: " (frame::references(&told.calendar_refs, all, 12, pages.opens)) }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn longer_is_ranked_before_shorter_whatever_the_unit() {
        assert!(length_rank("1h 5m") > length_rank("59m 59s"));
        assert!(length_rank("2d") > length_rank("47h"));
        assert_eq!(length_rank("no length"), 0);
    }
}
