//! A credit note as a page of its own, in the style of the report: to be handed to the provider. Owns its
//! order; it must never reckon an amount.

use backstay_engine::credit_note::CreditNote;
use maud::{Markup, html};

use super::{
    credit, head,
    links::{Links, Nowhere},
    sheet::{Row, Set, Sheet},
    text,
};

/// The whole page: it asks for nothing and runs no script.
#[must_use]
pub fn note(note: &CreditNote) -> String {
    let period = text::period(note.period);
    let title = format!("Service credits of {}, {period}", text::plain(&note.arrangement_id));
    let links = Links(&Nowhere);
    let body = html! {
        main #main tabindex="-1" {
            header.front {
                p.kicker { "Credit note" }
                h1 { "Service credits of " (text::name(&note.arrangement_id)) ", " (period) }
                @for (level, share) in &note.supposed {
                    p.lead { strong { "Supposing" } " that " (text::name(level)) " attained " (text::plain(share)) ": no evidence says so." }
                }
            }
            @if note.months.is_empty() {
                p { "No month of the period has a scheme of service credits. The register "
                    code { "credit_scheme" } " says how they are reckoned." }
            }
            @for month in &note.months {
                section {
                    h2 { (text::plain(&month.month)) }
                    (credit::sentence(&links, month))
                    (credit::levels(&links, &note.arrangement_id, month))
                }
            }
            @if !note.cases.is_empty() { (annex(&links, note)) }
            p.basis { "Each row is ledger entry and record: " code { "backstay trace ENTRY:RECORD" }
                " opens it down to the line of the file." }
        }
    };
    head::document(&title, &html! { div.page.single { (body) } })
}

fn annex(links: &Links<'_>, note: &CreditNote) -> Markup {
    let heads = [
        ("Case", Set::Text),
        ("Service level", Set::Text),
        ("Took", Set::Figure),
        ("Allowed", Set::Figure),
        ("Due, UTC", Set::Text),
        ("Done, UTC", Set::Text),
        ("Row", Set::Text),
    ];
    let caption = html! { (text::counted(note.cases.len() as u64, "missed case")) " behind the credits, in working time" };
    let mut sheet = Sheet::new(caption, &heads);
    let own = |text: &Option<String>| html! { (text::plain(text.as_deref().unwrap_or("–"))) };
    let at = |at: &Option<String>| {
        html! { span.nowrap { (at.as_deref().map_or_else(|| "–".to_owned(), text::minute_of)) } }
    };
    for case in &note.cases {
        sheet.row(Row::of(vec![
            text::name(&case.case_id),
            text::name(&case.service_level),
            own(&case.working_time),
            own(&case.allowed),
            at(&case.due_at),
            at(&case.closed_at),
            html! { @match &case.reference { Some(row) => { (links.reference(row)) }, None => { "–" } } },
        ]));
    }
    html! { section { h2 { "Annex: missed cases" } (sheet.render()) } }
}
