//! How each metric in use is computed.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{Dossier, control, text};

/// The metrics by which something was measured.
pub(super) fn body(dossier: &Dossier<'_>) -> Markup {
    let used: BTreeSet<&str> =
        dossier.assessment.measures.iter().map(|measure| measure.metric.as_str()).collect();
    html! {
        @if used.is_empty() { p { "Nothing was measured." } }
        @for id in used {
            article.control {
                @let metric = dossier.catalogue.metric(id);
                h3 id=(text::anchor("metric", &[id])) tabindex="-1" {
                    @match metric { Some(metric) => { (text::title(&metric.title)) } None => { (text::name(id)) } }
                    span.sub { (text::name(id)) }
                }
                @if let Some(metric) = metric {
                    (control::told(&metric.body, None))
                    p.basis {
                        @if !metric.references.is_empty() { "References: " (metric.references.join("; ")) ". " }
                        "File " code { (text::plain(&metric.file)) } ", SHA-256 " code.digest { (metric.digest) } "."
                    }
                } @else {
                    p { "The catalogue of this assessment does not hold this metric." }
                }
            }
        }
    }
}
