//! Whether a stored assessment comes out the same again, and what changed when it does not.

use backstay_engine::Replay;

use crate::layout::{Cell, Grid, Look, Page, Set, Tone};

/// The replay of the assessment that a ledger entry keeps, as text. It says nothing that differs
/// from one day or machine to the next.
#[must_use]
pub fn text(entry: u64, replay: &Replay, look: Look) -> String {
    let mut page = Page::new(look);
    if replay.identical {
        page.paragraph(
            0,
            &format!("✓ assessment {entry} comes out the same, byte for byte"),
            Tone::Good,
        );
    } else if replay.changes.is_empty() {
        let text = format!(
            "✓ assessment {entry} comes out with the same figures by engine {} (kept by {})",
            replay.engine, replay.stored_engine
        );
        page.paragraph(0, &text, Tone::Good);
    } else {
        let number = i64::try_from(replay.changes.len()).unwrap_or(i64::MAX);
        let number = crate::figure::counted(number, "value");
        let text = format!(
            "✗ assessment {entry}: {number} changed (kept by engine {}, recomputed by {})",
            replay.stored_engine, replay.engine
        );
        page.paragraph(0, &text, Tone::Bad);
        page.gap();
        let columns = [("where", Set::Flex), ("kept", Set::Flex), ("now", Set::Flex)];
        let mut grid = Grid::new(&columns).indented(2);
        for change in &replay.changes {
            grid.row(vec![(&change.place).into(), shown(&change.before), shown(&change.after)]);
        }
        page.grid(&grid);
    }
    page.gap();
    let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex)]);
    let digests = [("kept", &replay.stored_digest), ("recomputed", &replay.digest)];
    for (name, digest) in digests {
        grid.row(vec![Cell::toned(name, Tone::Quiet), digest.to_string().into()]);
    }
    page.grid(&grid);
    page.finish()
}

fn shown(value: &Option<String>) -> Cell {
    match value {
        None => Cell::toned("nothing", Tone::Quiet),
        Some(text) => text.into(),
    }
}
