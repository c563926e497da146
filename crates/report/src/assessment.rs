//! An assessment for reading: where each control stands, what was measured, how the provider's
//! figures differ, what was found, what to do next.

use std::collections::BTreeSet;

use backstay_engine::{
    Status,
    assessment::{Assessment, ControlResult, Finding, MeasureResult},
};

use crate::{
    difference::{self, Ladder},
    figure::{count, counted},
    layout::{Cell, Grid, Look, Page, Set, Tone},
    measures, words,
};

/// Findings shown of one control in one arrangement.
const FINDINGS_SHOWN: usize = 5;
/// Cases named in one sentence.
const CASES_SHOWN: usize = 8;
/// References shown of one finding.
const REFS_SHOWN: usize = 4;

/// What stands around an assessment: how it came about and what to do with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Ledger entry up to which evidence was known.
    pub known_at: u64,
    /// Ledger entry that keeps the assessment.
    pub entry: Option<u64>,
    /// Why this period, when nobody said.
    pub chosen: Option<String>,
    /// What the provider reported beside ours; those that agree are not shown.
    pub ladders: Vec<Ladder>,
    /// Cases that count although rows of theirs are in quarantine: arrangement, service level, case.
    pub incomplete: Vec<[String; 3]>,
    /// What to do next: in words, and as a command when there is one.
    pub next: Vec<(String, Option<String>)>,
}

/// The whole assessment as text.
#[must_use]
pub fn text(assessment: &Assessment, frame: &Frame, look: Look) -> String {
    let mut page = Page::new(look);
    head(&mut page, assessment, frame);
    posture(&mut page, assessment);
    service_levels(&mut page, &assessment.measures);
    incomplete(&mut page, &frame.incomplete);
    if frame.ladders.iter().any(|ladder| !ladder.agrees) {
        page.heading("Differences to the provider's report");
        difference::set(&mut page, &frame.ladders);
    }
    findings(&mut page, assessment, &frame.ladders);
    if !assessment.notes.is_empty() {
        page.heading("Notes");
        for note in &assessment.notes {
            page.hanging(2, 4, note, Tone::Plain);
        }
    }
    next(&mut page, &frame.next);
    page.finish()
}

fn head(page: &mut Page, assessment: &Assessment, frame: &Frame) {
    let period = words::period(assessment.basis.period);
    page.paragraph(0, &format!("Assessment of {period}"), Tone::Strong);
    if let Some(why) = &frame.chosen {
        page.paragraph(0, why, Tone::Plain);
    }
    let mut how = format!(
        "evidence as known at ledger entry {}, looked at as of {}",
        frame.known_at, assessment.basis.as_of
    );
    if let Some(entry) = frame.entry {
        how.push_str(&format!("; kept as ledger entry {entry}"));
    }
    page.paragraph(0, &how, Tone::Quiet);
}

fn posture(page: &mut Page, assessment: &Assessment) {
    page.heading("Posture");
    if assessment.controls.is_empty() {
        page.paragraph(
            2,
            "no control could be tested: there is no evidence, or no control",
            Tone::Unsure,
        );
        return;
    }
    for risk in &assessment.risks {
        let controls: Vec<&ControlResult> =
            assessment.controls.iter().filter(|control| control.risk == risk.risk).collect();
        if controls.is_empty() {
            continue;
        }
        let counts: Vec<String> = risk
            .counts
            .iter()
            .map(|(status, number)| format!("{number} {}", status.word()))
            .collect();
        let tone = risk.status.map_or(Tone::Plain, |status| words::mark(status).1);
        let mark = risk.status.map_or("", |status| words::mark(status).0);
        page.hanging(2, 4, &format!("{mark} {}: {}", risk.risk, risk.title), tone);
        page.hanging(4, 4, &counts.join(", "), Tone::Quiet);
        page.gap();
        let grid = matrix(&controls);
        if grid.fits(page.look()) {
            page.grid(&grid);
            page.gap();
            reasons(page, &controls);
        } else {
            page.grid(&list(&controls));
        }
        page.gap();
    }
}

/// Controls down, arrangements across.
fn matrix(controls: &[&ControlResult]) -> Grid {
    let arrangements: BTreeSet<&str> = controls.iter().map(|c| c.arrangement_id.as_str()).collect();
    let mut columns = vec![("", Set::Left)];
    columns.extend(arrangements.iter().map(|id| (*id, Set::Left)));
    let mut grid = Grid::new(&columns).indented(4);
    for id in in_order(controls) {
        let mut cells = vec![Cell::from(id)];
        for arrangement in &arrangements {
            let found =
                controls.iter().find(|c| c.control == id && c.arrangement_id == **arrangement);
            cells.push(found.map_or_else(Cell::default, |control| words::status(control.status)));
        }
        grid.row(cells);
    }
    grid
}

/// Ids of controls in the order in which they come.
fn in_order<'a>(controls: &[&'a ControlResult]) -> Vec<&'a str> {
    let mut ids: Vec<&str> = Vec::new();
    for control in controls {
        if !ids.contains(&control.control.as_str()) {
            ids.push(&control.control);
        }
    }
    ids
}

/// A line for each control and arrangement, with the reason.
fn list(controls: &[&ControlResult]) -> Grid {
    let mut grid = Grid::new(&[("", Set::Left), ("", Set::Left), ("", Set::Left), ("", Set::Flex)])
        .indented(4);
    for id in in_order(controls) {
        for control in controls.iter().filter(|control| control.control == id) {
            grid.row(vec![
                id.into(),
                (&control.arrangement_id).into(),
                words::status(control.status),
            ]);
            if control.status != Status::Effective {
                grid.note(2, &control.reason, Tone::Quiet);
            }
        }
    }
    grid
}

/// Why a control is not effective.
fn reasons(page: &mut Page, controls: &[&ControlResult]) {
    for status in [Status::Deficient, Status::Untested, Status::Stale] {
        for control in controls.iter().filter(|control| control.status == status) {
            let (mark, tone) = words::mark(status);
            let text = format!(
                "{mark} {}, {}: {}",
                control.control, control.arrangement_id, control.reason
            );
            page.hanging(4, 6, &text, tone);
        }
    }
}

fn service_levels(page: &mut Page, found: &[MeasureResult]) {
    if found.is_empty() {
        return;
    }
    page.heading("Service levels, recomputed");
    measures::set(page, found);
}

/// Names the cases whose figure may lack events.
fn incomplete(page: &mut Page, cases: &[[String; 3]]) {
    if cases.is_empty() {
        return;
    }
    page.gap();
    let number = counted(i64::try_from(cases.len()).unwrap_or(i64::MAX), "case");
    let listed: Vec<String> = cases
        .iter()
        .take(CASES_SHOWN)
        .map(|[arrangement, level, case]| format!("{case} ({arrangement}, {level})"))
        .collect();
    let more = if cases.len() > CASES_SHOWN { " …" } else { "" };
    let text = format!(
        "? {number} counted above with rows in quarantine, so that events may be lacking: {}{more}",
        listed.join(", ")
    );
    page.hanging(2, 4, &text, Tone::Unsure);
}

fn findings(page: &mut Page, assessment: &Assessment, ladders: &[Ladder]) {
    if assessment.findings.is_empty() {
        return;
    }
    page.heading("Findings");
    let mut groups: Vec<((&str, &str), Vec<&Finding>)> = Vec::new();
    for finding in &assessment.findings {
        let key = (finding.control.as_str(), finding.arrangement_id.as_str());
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(finding),
            None => groups.push((key, vec![finding])),
        }
    }
    for ((control, arrangement), mut group) in groups {
        group.sort_by_key(|finding| words::outcome_mark(finding.outcome).0 != "✗");
        page.gap();
        page.paragraph(2, &format!("{control}, {arrangement}"), Tone::Strong);
        for finding in group.iter().take(FINDINGS_SHOWN) {
            show_finding(page, finding, ladders);
        }
        let hidden = group.len().saturating_sub(FINDINGS_SHOWN);
        if hidden > 0 {
            let number = counted(i64::try_from(hidden).unwrap_or(i64::MAX), "more finding");
            page.hanging(4, 6, &format!("and {number}: --format json has all"), Tone::Quiet);
        }
    }
}

fn show_finding(page: &mut Page, finding: &Finding, ladders: &[Ladder]) {
    let (mark, tone) = words::outcome_mark(finding.outcome);
    page.hanging(4, 6, &format!("{mark} {}", finding.subject), tone);
    let told = ladders.iter().any(|ladder| {
        ladder.arrangement_id == finding.arrangement_id
            && finding.explanation.contains(&ladder.summary)
    });
    let text =
        if told { "the difference is taken apart above" } else { finding.explanation.as_str() };
    page.hanging(6, 6, text, Tone::Plain);
    let refs: Vec<&str> = finding.evidence.iter().take(REFS_SHOWN).map(String::as_str).collect();
    let total = i64::try_from(finding.evidence_total).unwrap_or(i64::MAX);
    let evidence = match refs.len() {
        0 => "no evidence row".to_owned(),
        shown if shown as u64 == finding.evidence_total => format!("evidence {}", refs.join(" ")),
        _ => format!("evidence {} … {} in all", refs.join(" "), count(total)),
    };
    page.hanging(6, 8, &format!("finding {}, {evidence}", finding.id), Tone::Quiet);
}

fn next(page: &mut Page, next: &[(String, Option<String>)]) {
    if next.is_empty() {
        return;
    }
    page.heading("What to do next");
    for (what, command) in next {
        page.hanging(2, 4, what, Tone::Plain);
        if let Some(command) = command {
            page.verbatim(4, command, Tone::Strong);
        }
    }
}
