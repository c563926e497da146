//! Open cases by the working time that is left, as text or CSV. It sets what the engine worked out; it
//! must never decide who is late.

use backstay_engine::{DueCase, Warned};

use crate::{
    figure,
    layout::{Cell, Grid, Look, Page, Set, Tone},
    rows::quoted,
};

/// What stands around the cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The instant looked at, microseconds UTC.
    pub now_us: i64,
    /// Ledger entry up to which evidence was known.
    pub known_at: u64,
    /// Whether cases are listed whose warning is not due yet.
    pub all: bool,
}

/// Cases that are worth a line: all of them, or those that are late, to be warned of, or unclear.
fn listed<'a>(warned: &'a Warned, frame: &Frame) -> Vec<&'a DueCase> {
    warned.cases.iter().filter(|case| frame.all || case.standing != "open").collect()
}

/// The cases as a page of text.
#[must_use]
pub fn text(warned: &Warned, frame: &Frame, look: Look) -> String {
    let mut page = Page::new(look);
    let head = format!("Open cases as of {}", figure::instant(frame.now_us));
    page.paragraph(0, &head, Tone::Strong);
    let known = format!("evidence as known at ledger entry {}", frame.known_at);
    page.paragraph(0, &known, Tone::Quiet);
    page.paragraph(0, &summary(warned), Tone::Plain);
    let cases = listed(warned, frame);
    let mut rest = cases.as_slice();
    while let Some(first) = rest.first() {
        let same = |case: &&&DueCase| {
            (&case.arrangement_id, &case.service_level)
                == (&first.arrangement_id, &first.service_level)
        };
        let (own, others) = rest.split_at(rest.iter().take_while(same).count());
        page.heading(&format!("{}, {}", first.arrangement_id, first.service_level));
        page.grid(&grid(own));
        for case in own {
            if let Some(gap) = &case.gap {
                let text = format!("? {}: {gap}", case.case_id);
                page.hanging(4, 6, &text, Tone::Unsure);
            }
        }
        rest = others;
    }
    if !warned.notes.is_empty() {
        page.heading("Notes");
        for note in &warned.notes {
            page.hanging(2, 4, note, Tone::Plain);
        }
    }
    page.finish()
}

/// How many cases stand where. A case counts once under each service level that measures it.
fn summary(warned: &Warned) -> String {
    let count = |word: &str| {
        let number = warned.cases.iter().filter(|case| case.standing == word).count();
        figure::count(i64::try_from(number).unwrap_or(i64::MAX))
    };
    format!(
        "{} overdue, {} to be warned of, {} unclear, {} with more time (a case counts under each \
         service level that measures it)",
        count("overdue"),
        count("warn"),
        count("gap"),
        count("open")
    )
}

fn grid(cases: &[&DueCase]) -> Grid {
    let heads = [
        ("case", Set::Left),
        ("priority", Set::Left),
        ("with", Set::Left),
        ("left", Set::Right),
        ("of", Set::Right),
        ("due, UTC", Set::Left),
        ("warn, UTC", Set::Left),
        ("", Set::Left),
    ];
    let mut grid = Grid::new(&heads).indented(4);
    for case in cases {
        let (mark, tone) = match case.standing.as_str() {
            "overdue" => ("✗ overdue", Tone::Bad),
            "warn" => ("! warn", Tone::Unsure),
            "gap" => ("? unclear", Tone::Unsure),
            _ => ("", Tone::Plain),
        };
        let span = |micros: Option<i64>| micros.map(signed_span).unwrap_or_default();
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        let with = case.team_id.as_ref().or(case.site_id.as_ref()).cloned().unwrap_or_default();
        let moved = match case.moved.as_deref() {
            Some("later") => " (moved to the opening)",
            Some("earlier") => " (moved to the last minute of work before)",
            _ => "",
        };
        grid.row(vec![
            (&case.case_id).into(),
            own(&case.priority).into(),
            with.into(),
            Cell::toned(span(case.left_us), tone),
            span(case.threshold_us).into(),
            minute(case.due_at.as_deref()).into(),
            format!("{}{moved}", minute(case.notify_at.as_deref())).into(),
            Cell::toned(mark, tone),
        ]);
    }
    grid
}

/// Working time in hours and minutes, rounded towards less time left.
pub(crate) fn signed_span(micros: i64) -> String {
    let minutes = micros.div_euclid(60_000_000);
    let sign = if minutes < 0 { "−" } else { "" };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{} h {:02} min", minutes / 60, minutes % 60)
}

/// An instant to the minute, cut off.
fn minute(utc: Option<&str>) -> String {
    utc.and_then(|text| text.get(..16)).unwrap_or_default().replacen('T', " ", 1)
}

/// The cases as CSV, one line for each case and service level.
#[must_use]
pub fn csv(warned: &Warned, frame: &Frame) -> String {
    let mut out = String::from(
        "arrangement_id,service_level_id,case_id,standing,priority,state,team_id,site_id,used_us,\
         threshold_us,left_us,due_at,warn_at,notify_at,moved,gap,evidence\n",
    );
    for case in listed(warned, frame) {
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        let number = |number: Option<i64>| number.map(|n| n.to_string()).unwrap_or_default();
        let cells = [
            case.arrangement_id.clone(),
            case.service_level.clone(),
            case.case_id.clone(),
            case.standing.clone(),
            own(&case.priority),
            own(&case.state),
            own(&case.team_id),
            own(&case.site_id),
            number(case.used_us),
            number(case.threshold_us),
            number(case.left_us),
            own(&case.due_at),
            own(&case.warn_at),
            own(&case.notify_at),
            own(&case.moved),
            own(&case.gap),
            own(&case.evidence),
        ];
        let line: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        out.push_str(&line.join(","));
        out.push('\n');
    }
    out
}
