//! What a test of the catalogue found.

use backstay_engine::catalogue::FileReport;

use crate::{
    figure::counted,
    layout::{Cell, Grid, Look, Page, Set, Tone},
};

fn number(figure: usize) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

/// A line for each file, then what failed.
#[must_use]
pub fn test_text(reports: &[FileReport], mutated: bool, look: Look) -> String {
    let mut page = Page::new(look);
    let mut columns = vec![("", Set::Left), ("", Set::Left), ("cases", Set::Right)];
    if mutated {
        columns.extend([("changes", Set::Right), ("unnoticed", Set::Right)]);
    }
    let mut grid = Grid::new(&columns);
    for report in reports {
        let (mark, tone) = if report.passed() { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
        let mut cells = vec![
            Cell::toned(mark, tone),
            (&report.id).into(),
            report.cases.len().to_string().into(),
        ];
        if mutated {
            cells.push(report.mutants.to_string().into());
            cells.push(report.survivors.len().to_string().into());
        }
        grid.row(cells);
    }
    page.grid(&grid);
    for report in reports {
        let failed = report.cases.iter().filter(|case| !case.failures.is_empty());
        let quiet = report.refusals.is_empty() && report.survivors.is_empty();
        if failed.clone().next().is_none() && quiet {
            continue;
        }
        page.heading(&report.file);
        for refusal in &report.refusals {
            page.hanging(2, 4, &format!("✗ {refusal}"), Tone::Bad);
        }
        for case in failed {
            page.hanging(2, 4, &format!("✗ line {}, {}", case.line, case.name), Tone::Bad);
            for failure in &case.failures {
                page.hanging(4, 6, failure, Tone::Plain);
            }
        }
        for survivor in &report.survivors {
            page.hanging(2, 4, &format!("? no case notices: {survivor}"), Tone::Unsure);
        }
    }
    page.gap();
    let passed = reports.iter().filter(|report| report.passed()).count();
    let cases: usize = reports.iter().map(|report| report.cases.len()).sum();
    let text = format!(
        "{passed} of {} passed, {}",
        counted(number(reports.len()), "file"),
        counted(number(cases), "case")
    );
    page.paragraph(0, &text, Tone::Strong);
    page.finish()
}
