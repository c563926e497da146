//! The basis: what the assessment is a function of, and how to prove that nothing was changed.

use maud::{Markup, html};

use super::{
    Dossier,
    sheet::{Row, Set, Sheet},
    text,
};

/// Digests and commands.
pub(super) fn body(dossier: &Dossier<'_>) -> Markup {
    let basis = &dossier.assessment.basis;
    let scope = match basis.scope.as_slice() {
        [] => "all arrangements".to_owned(),
        ids => ids.iter().map(|id| text::plain(id)).collect::<Vec<_>>().join(", "),
    };
    let heads = [("Part of the basis", Set::Text), ("Value", Set::Wide)];
    let mut sheet = Sheet::new(
        html! { "What this assessment is a function of: the same basis gives the same bytes" },
        &heads,
    )
    .compact();
    let mut fact = |name: &str, value: Markup| sheet.row(Row::of(vec![html! { (name) }, value]));
    let digest = |text: String| html! { code.digest { (text) } };
    fact("Evidence", digest(basis.evidence_digest.to_string()));
    fact("Evidence known at", html! { "ledger entry " (dossier.known_at) });
    fact("As of", html! { (text::instant_of(&basis.as_of)) });
    fact("Period", html! { (basis.period) ", the last day left out" });
    fact("Arrangements asked for", html! { bdi { (scope) } });
    fact("Catalogue", digest(basis.catalogue.to_string()));
    fact("Vocabulary", digest(basis.vocabulary.to_string()));
    fact("Settings", digest(basis.settings.to_string()));
    fact("Time-zone data", html! { (text::plain(&basis.time_zones)) });
    fact("Engine", html! { "Backstay " (text::plain(&basis.engine)) });
    fact("Seed", html! { (basis.seed) });
    if let Some(kept) = &dossier.kept {
        fact(
            "Kept as",
            html! { "ledger entry " (kept.entry) ", " (text::instant(kept.recorded_at_us)) },
        );
        fact("SHA-256 of the assessment", digest(text::plain(&kept.digest)));
    }
    html! {
        (sheet.render())
        @if let Some(kept) = &dossier.kept { (proof(kept.entry)) }
    }
}

/// Commands with what they prove.
fn proof(entry: u64) -> Markup {
    let steps = [
        (
            format!("backstay replay {entry}"),
            "recomputes this assessment from its basis and compares it byte for byte.",
        ),
        (
            format!("backstay replay {entry} --output bytes | sha256sum"),
            "gives the digest above again.",
        ),
        (
            format!("backstay report {entry} --html again.html"),
            "writes this page again, byte for byte.",
        ),
        (
            "backstay verify".to_owned(),
            "re-derives the ledger and checks every object against its name.",
        ),
        (
            "backstay bundle audit".to_owned(),
            "writes what an auditor checks offline with backstay-verify, without this workspace and its keys.",
        ),
    ];
    html! {
        h3 { "How to prove it" }
        p { "In the workspace that holds the evidence:" }
        dl.commands {
            @for (command, what) in &steps { dt { code { (command) } } dd { (what) } }
        }
    }
}
