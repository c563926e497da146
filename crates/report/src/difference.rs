//! The provider's figure against ours, step by step, as small tables.

use serde::Serialize;

use crate::layout::{Cell, Grid, Page, Set, Tone};

/// One figure reported, and how it differs from ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ladder {
    /// Arrangement.
    pub arrangement_id: String,
    /// Service level.
    pub service_level: String,
    /// Window, in short.
    pub window: String,
    /// Our figure.
    pub ours: Side,
    /// The provider's figure.
    pub theirs: Side,
    /// The difference, as it is shown: the shown parts add up to it.
    pub difference: String,
    /// Unit of difference and parts.
    pub unit: String,
    /// In one sentence; findings repeat it.
    pub summary: String,
    /// Whether the two figures, and the cases behind them, are the same.
    pub agrees: bool,
    /// The steps in their fixed order.
    pub steps: Vec<Step>,
}

/// A figure as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Side {
    /// The share, or the count.
    pub figure: String,
    /// `188 of 190`, when the cases are known.
    pub cases: String,
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Cause.
    pub cause: String,
    /// Whether the provider stated enough for it to be tested.
    pub tested: bool,
    /// Cases concerned.
    pub cases: i64,
    /// Its part of the difference, as it is shown; none when there is no figure.
    pub part: Option<String>,
}

impl Step {
    /// Whether it explains anything.
    #[must_use]
    pub fn says_something(&self) -> bool {
        let part = self.part.as_deref().unwrap_or_default();
        self.cases != 0 || part.chars().any(|digit| ('1'..='9').contains(&digit))
    }
}

/// Sets the ladders of figures that do not agree, each as a table from ours to the provider's.
pub fn set(page: &mut Page, ladders: &[Ladder]) {
    for (n, ladder) in ladders.iter().filter(|ladder| !ladder.agrees).enumerate() {
        if n > 0 {
            page.gap();
        }
        let head =
            format!("{}, {}, {}", ladder.arrangement_id, ladder.service_level, ladder.window);
        page.paragraph(2, &head, Tone::Strong);
        let mut grid = Grid::new(&[("", Set::Left), ("", Set::Right), ("", Set::Flex)]).indented(4);
        let side = |name: &str, side: &Side| {
            vec![name.into(), (&side.figure).into(), Cell::toned(&side.cases, Tone::Quiet)]
        };
        grid.row(side("we find", &ladder.ours));
        for step in ladder.steps.iter().filter(|step| step.says_something()) {
            let noun = if step.cases == 1 { "case" } else { "cases" };
            let cases = match step.cases {
                0 => String::new(),
                cases => format!("{} {noun}", crate::figure::count(cases)),
            };
            let tone = if step.cause == "unexplained" { Tone::Unsure } else { Tone::Plain };
            let part = step.part.clone().unwrap_or_default();
            let cause = step.cause.replace('-', " ");
            grid.row(vec![
                Cell::toned(cause, tone),
                Cell::toned(part, tone),
                Cell::toned(cases, Tone::Quiet),
            ]);
        }
        grid.row(side("the provider reports", &ladder.theirs));
        grid.row(
            ["difference", &ladder.difference, &ladder.unit]
                .map(|text| Cell::toned(text, Tone::Quiet))
                .to_vec(),
        );
        page.grid(&grid);
        let untested: Vec<String> = ladder
            .steps
            .iter()
            .filter(|step| !step.tested)
            .map(|step| step.cause.replace('-', " "))
            .collect();
        if !untested.is_empty() {
            let text =
                format!("not stated by the provider, so not tested: {}", untested.join(", "));
            page.hanging(4, 6, &text, Tone::Quiet);
        }
    }
}
