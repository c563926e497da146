//! The words of the page, explained where they are read.

use backstay_engine::Status;
use maud::{Markup, html};

use super::status;

/// The words of a status, in the order in which they are decided, then other terms.
pub(super) fn body() -> Markup {
    let statuses = [
        (Status::NotApplicable, "Rows say that the control does not concern the arrangement."),
        (Status::Deficient, "Tested, and more was missed than is tolerated."),
        (
            Status::Untested,
            "Evidence is missing or does not add up, or there was nothing to test. Without evidence nothing is effective.",
        ),
        (Status::Stale, "Tested, but the newest evidence is older than the control allows."),
        (
            Status::Effective,
            "Tested on evidence that is all there and recent enough, and it holds.",
        ),
    ];
    let terms = [
        (
            "arrangement",
            "What is outsourced to one provider, as the register arrangement names it.",
        ),
        ("control", "A safeguard that is tested from evidence, one row for each thing tested."),
        ("finding", "One thing tested that was missed, or that could not be tested."),
        (
            "service level",
            "A promise with a metric, a target, a window and, if agreed, a minimum and exclusions.",
        ),
        ("left out", "A case that an agreed exclusion takes out of a figure."),
        (
            "could not be judged",
            "A case for which a calendar, a target or an event is missing. It is never counted as met.",
        ),
        (
            "feed",
            "Evidence that is declared to arrive at a cadence, with what its sender says it sent.",
        ),
        ("nil return", "The sender’s statement that there was nothing to send."),
        ("quarantine", "Records that could not be read, kept with the reason; nothing is dropped."),
        (
            "entry:record",
            "A row of the evidence: the ledger entry of its file and the record in that file.",
        ),
        (
            "as of",
            "The instant from which open work is seen: the end of the period, or now when that is earlier.",
        ),
    ];
    html! {
        p { "A status is decided from rows, in this order; the first that holds counts." }
        dl.words {
            @for (status, what) in statuses { dt { (status::status(status)) } dd { (what) } }
        }
        h3 { "Terms" }
        dl.words {
            @for (term, what) in terms { dt { (term) } dd { (what) } }
        }
    }
}
