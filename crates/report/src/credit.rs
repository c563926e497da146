//! A credit note as terminal text, CSV of its cases, and one HTML page. It sets figures and must never
//! work one out.

use backstay_engine::credit_note::{CreditNote, NoteMonth};

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
pub(crate) fn total(month: &NoteMonth) -> String {
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

/// The note as one page in the style of the report.
#[must_use]
pub fn page(note: &CreditNote) -> String {
    crate::html::note(note)
}
