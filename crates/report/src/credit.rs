//! A credit note as terminal text, CSV of its cases, and one HTML page. It sets figures and must never
//! work one out.

use backstay_engine::credit_note::{CreditNote, NoteMonth};
use maud::{DOCTYPE, html};

use crate::{
    figure::counted,
    layout::{Cell, Grid, Look, Page, Set, Tone},
    rows::quoted,
    words,
};

/// The note as a page of text.
#[must_use]
pub fn text(note: &CreditNote, look: Look) -> String {
    let mut page = Page::new(look);
    let head =
        format!("Service credits of {}, {}", note.arrangement_id, words::period(note.period));
    page.paragraph(0, &head, Tone::Strong);
    for (level, share) in &note.supposed {
        page.paragraph(0, &format!("supposing that `{level}` attained {share}"), Tone::Unsure);
    }
    if note.months.is_empty() {
        page.gap();
        page.paragraph(2, NO_SCHEME, Tone::Unsure);
    }
    for month in &note.months {
        set_month(&mut page, month);
    }
    if !note.cases.is_empty() {
        page.heading(&format!("Annex: {}", counted(cases(note), "missed case")));
        let mut grid = Grid::new(&[
            ("case", Set::Left),
            ("service level", Set::Left),
            ("took", Set::Right),
            ("allowed", Set::Right),
            ("due", Set::Left),
            ("record", Set::Left),
        ])
        .indented(2);
        for case in &note.cases {
            let own =
                |text: &Option<String>| Cell::toned(text.as_deref().unwrap_or("–"), Tone::Plain);
            grid.row(vec![
                Cell::toned(&case.case_id, Tone::Plain),
                Cell::toned(&case.service_level, Tone::Plain),
                own(&case.working_time),
                own(&case.allowed),
                own(&case.due_at),
                own(&case.reference),
            ]);
        }
        page.grid(&grid);
    }
    page.finish()
}

const NO_SCHEME: &str = "no month of the period has a credit scheme: import `credit_scheme`";

fn cases(note: &CreditNote) -> i64 {
    i64::try_from(note.cases.len()).unwrap_or(i64::MAX)
}

fn set_month(page: &mut Page, month: &NoteMonth) {
    page.heading(&month.month);
    for level in &month.levels {
        page.hanging(2, 4, &format!("{}: {}", level.service_level, level.explanation), Tone::Plain);
        let rows = format!("rows {}; earn-back: {}", level.evidence.join(", "), level.earn_back);
        page.hanging(4, 4, &rows, Tone::Quiet);
    }
    let tone = if month.gap.is_some() { Tone::Unsure } else { Tone::Plain };
    page.hanging(2, 4, &total(month), tone);
    page.hanging(4, 4, &format!("rows {}", month.evidence.join(", ")), Tone::Quiet);
}

/// What is owed and what was taken, in one line.
fn total(month: &NoteMonth) -> String {
    if month.model == "none" {
        return month.explanation.clone();
    }
    if let Some(why) = &month.gap {
        return format!("the credit cannot be said: {why}");
    }
    let taken = match month.documents.as_slice() {
        [] => "on no document yet".to_owned(),
        documents => {
            format!("{} taken on {}", month.money(month.taken_minor), documents.join(", "))
        }
    };
    format!(
        "owed {}: {}; {taken}, due before {}",
        month.money(month.owed_minor),
        month.explanation,
        month.due_before
    )
}

/// The missed cases as CSV.
#[must_use]
pub fn csv(note: &CreditNote) -> String {
    let mut out = String::from(
        "arrangement_id,service_level_id,case_id,working_time,allowed,due_at,closed_at,ref\n",
    );
    for case in &note.cases {
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            note.arrangement_id.clone(),
            case.service_level.clone(),
            case.case_id.clone(),
            own(&case.working_time),
            own(&case.allowed),
            own(&case.due_at),
            own(&case.closed_at),
            own(&case.reference),
        ];
        let line: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        out.push_str(&line.join(","));
        out.push('\n');
    }
    out
}

const CSS: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ccc}\
.n{text-align:right;white-space:nowrap}.q{color:#555}div{overflow-x:auto}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}th,td{border-color:#444}.q{color:#aaa}}";

/// The note as one page that asks for nothing and runs no script.
#[must_use]
pub fn page(note: &CreditNote) -> String {
    let title =
        format!("Service credits of {}, {}", note.arrangement_id, words::period(note.period));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (maud::PreEscaped(CSS)) }
            }
            body {
                h1 { (title) }
                @for (level, share) in &note.supposed {
                    p { strong { "Supposing that " (level) " attained " (share) "." } }
                }
                @if note.months.is_empty() { p { (NO_SCHEME) } }
                @for month in &note.months {
                    h2 { (month.month) }
                    div { table {
                        thead { tr {
                            th { "service level" } th { "how" } th.n { "by the formula" }
                            th.n { "credit" } th { "earn-back" } th { "rows" }
                        } }
                        tbody { @for level in &month.levels { tr {
                            td { (level.service_level) } td { (level.explanation) }
                            td.n { (month.money(level.raw_minor)) }
                            td.n { (month.money(level.credit_minor)) }
                            td { (level.earn_back) } td.q { (level.evidence.join(", ")) }
                        } } }
                    } }
                    p { (total(month)) " " span.q { "Rows " (month.evidence.join(", ")) } }
                }
                @if !note.cases.is_empty() {
                    h2 { "Annex: missed cases" }
                    div { table {
                        thead { tr {
                            th { "case" } th { "service level" } th.n { "took" } th.n { "allowed" }
                            th { "due (UTC)" } th { "done (UTC)" } th { "record" }
                        } }
                        tbody { @for case in &note.cases { tr {
                            td { (case.case_id) } td { (case.service_level) }
                            td.n { (case.working_time.as_deref().unwrap_or("–")) }
                            td.n { (case.allowed.as_deref().unwrap_or("–")) }
                            td { (case.due_at.as_deref().unwrap_or("–")) }
                            td { (case.closed_at.as_deref().unwrap_or("–")) }
                            td.q { (case.reference.as_deref().unwrap_or("–")) }
                        } } }
                    } }
                }
            }
        }
    }
    .into_string()
}
