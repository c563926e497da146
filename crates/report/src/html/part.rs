//! A part of the page about what one control tests: its head with the control's status, and, where there
//! is nothing to show, one line that says why and what to bring. Owns these lines; it must never show
//! figures without the status of the control that says whether they are all there.

use backstay_engine::{
    Status,
    assessment::{ControlResult, Finding},
};
use maud::{Markup, html};

use super::{Dossier, links::Links, status, text};

/// Reasons told of what is lacking.
const REASONS_SHOWN: usize = 2;

/// What a control came to in an arrangement.
pub(super) fn result<'a>(
    dossier: &'a Dossier<'_>,
    arrangement: &str,
    control: &str,
) -> Option<&'a ControlResult> {
    let own =
        |found: &&ControlResult| found.control == control && found.arrangement_id == arrangement;
    dossier.assessment.controls.iter().find(own)
}

/// The status of a control, as a link to its reason.
pub(super) fn status_of(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    arrangement: &str,
    control: &str,
) -> Markup {
    html! {
        @if let Some(found) = result(dossier, arrangement, control) {
            (links.result(found, status::status(found.status)))
        }
    }
}

/// Head of a part, with the status of the control that it is about; evidence that is lacking is said at
/// once, because the figures beneath it are then not all.
pub(super) fn head(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    arrangement: &str,
    control: &str,
    title: &str,
) -> Markup {
    let lacking = result(dossier, arrangement, control)
        .filter(|found| found.status == Status::Untested)
        .map(|found| found.lacking.as_slice())
        .unwrap_or_default();
    html! {
        @let words = html! { (title) " " (status_of(dossier, links, arrangement, control)) };
        @if links.0.stands_alone() { h2.part id=(text::anchor("part", &[control])) { (words) } }
        @else { h4.part { (words) } }
        @if !lacking.is_empty() {
            p.basis { "Not all evidence is there: " (reasons(lacking)) ". What stands here rests on the rest." }
        }
    }
}

fn reasons(lacking: &[String]) -> Markup {
    html! {
        @for (n, reason) in lacking.iter().take(REASONS_SHOWN).enumerate() {
            @if n > 0 { "; " } (text::told(reason))
        }
        @if lacking.len() > REASONS_SHOWN {
            "; and " (text::counted((lacking.len() - REASONS_SHOWN) as u64, "more reason"))
        }
    }
}

/// What is not shown of an arrangement: for each control its status, why, and what to do.
pub(super) fn absent(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    arrangement: &str,
    parts: &[(&str, &str)],
    beside: &[String],
) -> Markup {
    html! {
        @if !parts.is_empty() || !beside.is_empty() {
            ul.absent {
                @for (control, title) in parts { li { (absent_line(dossier, links, arrangement, control, title)) } }
                @for said in beside { li { (text::told(said)) } }
            }
        }
    }
}

fn absent_line(
    dossier: &Dossier<'_>,
    links: &Links<'_>,
    arrangement: &str,
    control: &str,
    title: &str,
) -> Markup {
    let Some(found) = result(dossier, arrangement, control) else {
        return html! { (title) ": " span.quiet { "no control of this assessment tests it" } "." };
    };
    let is_wanting = !matches!(found.status, Status::Effective | Status::NotApplicable);
    html! {
        (title) ": " (status_of(dossier, links, arrangement, control)) ", "
        @match (is_wanting, found.lacking.as_slice()) {
            (true, []) => (first_finding(dossier, found)),
            (true, lacking) => (reasons(lacking)),
            (false, _) => (text::told(&found.reason)),
        }
        ". "
        @if is_wanting { (links.remedy(arrangement, control)) }
    }
}

/// What a control found first, else its reason.
fn first_finding(dossier: &Dossier<'_>, found: &ControlResult) -> Markup {
    let own = |finding: &&Finding| {
        finding.control == found.control && finding.arrangement_id == found.arrangement_id
    };
    let first = dossier.assessment.findings.iter().find(own).map(|finding| &finding.explanation);
    text::told(first.filter(|told| !told.is_empty()).unwrap_or(&found.reason))
}

/// How many rows a table leaves out, and the command that has them all.
pub(super) fn rest(links: &Links<'_>, hidden: usize, noun: &str, command: &str) -> Markup {
    html! {
        @if hidden > 0 {
            p.basis {
                "And " (text::counted(hidden as u64, noun)) " more"
                @if links.0.stands_alone() { "." }
                @else { ": " code { (text::title_text(command)) } }
            }
        }
    }
}

/// A query of one arrangement in the period of the page.
pub(super) fn query(dossier: &Dossier<'_>, arrangement: &str, sql: &str) -> String {
    let period = crate::words::period(dossier.assessment.basis.period);
    format!("backstay query \"{sql}\" --arrangement {} --period {period}", text::plain(arrangement))
}

#[cfg(test)]
mod tests {
    use super::{super::links::Nowhere, *};

    #[test]
    fn a_table_that_leaves_nothing_out_says_nothing() {
        let links = Links(&Nowhere);
        assert_eq!(rest(&links, 0, "lot", "x").into_string(), "");
        let told = rest(&links, 1_200, "lot", "backstay query \"x\"").into_string();
        assert!(told.contains("And 1,200 lots more: <code>backstay query &quot;x&quot;</code>"));
    }
}
