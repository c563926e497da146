//! The figures of service levels as a table, alone or as part of an assessment. It sets figures and
//! must never work one out.

use std::collections::BTreeMap;

use backstay_engine::{Period, assessment::MeasureResult};

use crate::{
    figure::count,
    layout::{Cell, Grid, Look, Page, Set, Tone},
    level::{self, Verdict},
    rows::quoted,
    words,
};

/// Reasons named of what cannot be measured.
const REASONS_SHOWN: usize = 3;

/// What stands around the figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Period asked for.
    pub period: Period,
    /// Ledger entry up to which evidence was known.
    pub known_at: u64,
    /// Why this period, when nobody said.
    pub chosen: Option<String>,
    /// What is not measured, and why.
    pub notes: Vec<String>,
}

/// The figures as a page of text.
#[must_use]
pub fn text(measures: &[MeasureResult], frame: &Frame, look: Look) -> String {
    let mut page = Page::new(look);
    page.paragraph(0, &format!("Service levels of {}", words::period(frame.period)), Tone::Strong);
    if let Some(why) = &frame.chosen {
        page.paragraph(0, why, Tone::Plain);
    }
    let known = format!("evidence as known at ledger entry {}", frame.known_at);
    page.paragraph(0, &known, Tone::Quiet);
    if measures.is_empty() {
        page.gap();
        page.paragraph(2, "no service level is measured in this period", Tone::Unsure);
    }
    set(&mut page, measures);
    if !frame.notes.is_empty() {
        page.heading("Notes");
        for note in &frame.notes {
            page.hanging(2, 4, note, Tone::Plain);
        }
    }
    page.finish()
}

/// The figures as CSV, one line a figure; reasons are added up.
#[must_use]
pub fn csv(measures: &[MeasureResult]) -> String {
    let mut out = String::from(
        "arrangement_id,service_level_id,metric,period_start,period_end,numerator,denominator,\
         excluded,gaps,value,target,minimum,basis\n",
    );
    for measure in measures {
        let sum = |counts: &BTreeMap<String, i64>| counts.values().sum::<i64>().to_string();
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            measure.arrangement_id.clone(),
            measure.service_level.clone(),
            measure.metric.clone(),
            measure.period.first.to_string(),
            measure.period.after.to_string(),
            measure.numerator.to_string(),
            measure.denominator.to_string(),
            sum(&measure.excluded),
            sum(&measure.gaps),
            own(&measure.value),
            own(&measure.target),
            own(&measure.minimum),
            measure.target_basis.clone(),
        ];
        let line: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        out.push_str(&line.join(","));
        out.push('\n');
    }
    out
}

/// The figures by arrangement, as part of a page.
pub(crate) fn set(page: &mut Page, measures: &[MeasureResult]) {
    let mut by_arrangement: BTreeMap<&str, Vec<&MeasureResult>> = BTreeMap::new();
    for measure in measures {
        by_arrangement.entry(&measure.arrangement_id).or_default().push(measure);
    }
    for (arrangement, measures) in by_arrangement {
        page.gap();
        page.paragraph(2, arrangement, Tone::Strong);
        let mut grid = Grid::new(&[
            ("", Set::Left),
            ("period", Set::Left),
            ("met", Set::Right),
            ("of", Set::Right),
            ("value", Set::Right),
            ("target", Set::Right),
            ("", Set::Flex),
        ])
        .indented(4);
        for measure in &measures {
            grid.row(measure_row(measure));
        }
        page.grid(&grid);
        for measure in &measures {
            why_not_measurable(page, measure);
        }
    }
}

/// The commonest reasons for which cases of a measure could not be judged.
fn why_not_measurable(page: &mut Page, measure: &MeasureResult) {
    let mut reasons: Vec<(&String, i64)> = measure.gaps.iter().map(|(why, n)| (why, *n)).collect();
    if reasons.is_empty() {
        return;
    }
    reasons.sort_by(|(left, m), (right, n)| n.cmp(m).then(left.cmp(right)));
    let told = |(why, number): &(&String, i64)| format!("{why} ({})", count(*number));
    let listed: Vec<String> = reasons.iter().take(REASONS_SHOWN).map(told).collect();
    let more = if reasons.len() > REASONS_SHOWN { "; …" } else { "" };
    let (level, period) = (&measure.service_level, words::period(measure.period));
    let text = format!("? {level}, {period}, not measurable: {}{more}", listed.join("; "));
    page.hanging(4, 6, &text, Tone::Unsure);
}

fn measure_row(measure: &MeasureResult) -> Vec<Cell> {
    let target = measure.target.as_deref().map(|target| level::wanted(measure, target));
    let verdict = Verdict::of(measure);
    let (mark, tone) = match verdict {
        Verdict::NoValue | Verdict::Unsure => ("?", Tone::Unsure),
        Verdict::BelowMinimum | Verdict::BelowTarget => ("✗", Tone::Bad),
        Verdict::Reached => ("✓", Tone::Good),
        Verdict::NoTarget => ("", Tone::Plain),
    };
    let mut remarks = Vec::new();
    match verdict {
        Verdict::BelowMinimum => remarks.push("below minimum".to_owned()),
        Verdict::BelowTarget => remarks.push("below target".to_owned()),
        _ => {}
    }
    for (counts, what) in [(&measure.excluded, "excluded"), (&measure.gaps, "not measurable")] {
        let number: i64 = counts.values().sum();
        if number > 0 {
            remarks.push(format!("{} {what}", count(number)));
        }
    }
    remarks.extend(level::beside(measure));
    if measure.target_basis == "assumed" {
        remarks.push("target assumed".to_owned());
    }
    vec![
        (&measure.service_level).into(),
        words::period(measure.period).into(),
        count(measure.numerator).into(),
        count(measure.denominator).into(),
        Cell::toned(level::value(measure), tone),
        target.unwrap_or_default().into(),
        Cell::toned(format!("{mark} {}", remarks.join(", ")).trim(), tone),
    ]
}
