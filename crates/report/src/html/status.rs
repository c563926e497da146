//! Statuses and outcomes as word, shape and colour. The word carries the meaning; each shape differs
//! from the others without colour.

use backstay_engine::{Status, outcome::Outcome};
use maud::{Markup, PreEscaped, html};

use crate::level::Verdict;

/// The shapes, once for the page. Strokes take the page's ground through `--ground`.
const SPRITE: &str = r##"<svg class="sprite" width="0" height="0" aria-hidden="true" focusable="false">
<symbol id="i-good" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.25" fill="currentColor"/><path d="M4.4 8.3l2.5 2.5 4.7-5.3" fill="none" stroke="var(--ground)" stroke-width="1.9"/></symbol>
<symbol id="i-bad" viewBox="0 0 16 16"><path d="M8 .3 15.7 8 8 15.7.3 8z" fill="currentColor"/><path d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" stroke="var(--ground)" stroke-width="1.8"/></symbol>
<symbol id="i-open" viewBox="0 0 16 16"><rect x="1.4" y="1.4" width="13.2" height="13.2" rx="1.5" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="3 1.6"/><path d="M5.9 6.2c0-2.8 4.3-2.6 4.2 0 0 1.5-2.1 1.6-2.1 3.3M8 11v1.7" fill="none" stroke="currentColor" stroke-width="1.6"/></symbol>
<symbol id="i-old" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 3.8V8l2.8 2" fill="none" stroke="currentColor" stroke-width="1.6"/></symbol>
<symbol id="i-none" viewBox="0 0 16 16"><path d="M3 8h10" stroke="currentColor" stroke-width="1.8"/></symbol>
</svg>"##;

/// The shapes as markup.
pub(super) fn sprite() -> Markup {
    PreEscaped(SPRITE.to_owned())
}

fn shaped(shape: &str, tone: &str, word: &str) -> Markup {
    html! {
        span class={ "s " (tone) } {
            svg width="14" height="14" aria-hidden="true" focusable="false" { use href={ "#i-" (shape) } {} }
            " " (word)
        }
    }
}

/// A status.
pub(super) fn status(status: Status) -> Markup {
    let (shape, tone) = match status {
        Status::Effective => ("good", "good"),
        Status::Deficient => ("bad", "bad"),
        Status::Untested => ("open", "unsure"),
        Status::Stale => ("old", "unsure"),
        Status::NotApplicable => ("none", "quiet"),
    };
    shaped(shape, tone, status.word())
}

/// An outcome of one test.
pub(super) fn outcome(outcome: Outcome) -> Markup {
    match outcome {
        Outcome::Met => shaped("good", "good", "met"),
        Outcome::Missed => shaped("bad", "bad", "missed"),
        Outcome::Gap => shaped("open", "unsure", "not testable"),
        Outcome::Excluded => shaped("none", "quiet", "left out"),
    }
}

/// Where an open case stands.
pub(super) fn standing(word: &str) -> Markup {
    match word {
        "overdue" => shaped("bad", "bad", "overdue"),
        "warn" => shaped("old", "unsure", "warn"),
        "open" => shaped("none", "quiet", "time left"),
        _ => shaped("open", "unsure", "unclear"),
    }
}

/// Something that was as agreed, was not, or of which it is not known, in its own word.
pub(super) fn held(held: Option<bool>, word: &str) -> Markup {
    match held {
        Some(true) => shaped("good", "good", word),
        Some(false) => shaped("bad", "bad", word),
        None => shaped("open", "unsure", word),
    }
}

/// What a service level came to.
pub(super) fn verdict(verdict: Verdict) -> Markup {
    match verdict {
        Verdict::BelowMinimum => shaped("bad", "bad", "below minimum"),
        Verdict::BelowTarget => shaped("bad", "bad", "below target"),
        Verdict::NoValue => shaped("open", "unsure", "no value"),
        Verdict::Unsure => shaped("open", "unsure", "not certain"),
        Verdict::Reached => shaped("good", "good", "reached"),
        Verdict::NoTarget => shaped("none", "quiet", "no target"),
    }
}

/// Whether two figures agree.
pub(super) fn agreement(agrees: bool) -> Markup {
    if agrees { shaped("good", "good", "agrees") } else { shaped("bad", "bad", "differs") }
}

/// How an interval of a feed came.
pub(super) fn arrival(outcome: &str) -> Markup {
    let (shape, tone) = match outcome {
        "arrived" => ("good", "good"),
        "missing" | "differs" => ("bad", "bad"),
        _ => ("open", "unsure"),
    };
    let word = match outcome {
        "differs" => "does not add up",
        other => other,
    };
    shaped(shape, tone, word)
}
