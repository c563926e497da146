//! Signed checkpoints: to keep, to hold against the ledger, and how to check all of it without this
//! server. They hold no evidence, so everybody who is signed in may have them.

use backstay_report::html::piece::{self, Set};
use backstay_store::KeptCheckpoint;
use maud::{Markup, html};

use crate::{answer::Answer, asked::Asked, page::frame, problem::ProblemError};

/// Checkpoints listed.
const LISTED: usize = 100;

/// The checkpoints.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    page(asked, None)
}

/// A kept checkpoint is held against the ledger.
pub fn check(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    // Browsers send the ends of lines as two characters; a note has one.
    let note = asked.field("note").replace("\r\n", "\n");
    let note = format!("{}\n", note.trim());
    let found = asked.server.workspace.check_kept(&note)?;
    page(asked, Some((&note, &found)))
}

fn page(
    asked: &Asked<'_>,
    checked: Option<(&str, &KeptCheckpoint)>,
) -> Result<Answer, ProblemError> {
    let workspace = &asked.server.workspace;
    let kept = workspace.checkpoints(LISTED)?;
    let key = workspace.verifier_key()?.to_string();
    let heads = [
        ("Entries under it", Set::Figure),
        ("Newest of them recorded", Set::Text),
        ("Root of the tree", Set::Wide),
        ("To keep", Set::Text),
    ];
    let rows = kept.iter().map(|one| {
        vec![
            html! { (one.size) },
            html! { span.nowrap { (piece::instant(one.recorded_at_us)) } },
            html! { code.digest { (one.root) } },
            html! { a href={ "/ledger/checkpoints/" (one.size) } { "Checkpoint" span.only-read { " of " (one.size) " entries" } } },
        ]
    });
    let rows = rows.collect();
    let body = html! {
        (frame::crumbs(&[("/ledger".to_owned(), html! { "Ledger" })]))
        p.lead { "A checkpoint says, signed, how many entries the ledger had and what their root was. Whoever keeps one can tell later whether anything before it was changed or taken away." }
        @if let Some((_, found)) = checked { (verdict(found)) }
        form.entry method="post" action="/ledger/checkpoints" {
            (frame::token(asked))
            div.field {
                label for="note" { "A checkpoint that you kept" }
                textarea #note name="note" rows="6" required aria-describedby="about.note" { (checked.map(|(note, _)| note).unwrap_or_default()) }
                p.hint id="about.note" { "The whole text of the file, with its signature." }
            }
            button { "Hold it against the ledger" }
        }
        (piece::table(html! { "Checkpoints, the newest first; older ones are thinned" }, &heads, rows))
        h2 { "Checking without this server" }
        ol {
            li { "Keep a checkpoint where the owner of this workspace cannot change it, and this key with it: " code.digest { (key) } }
            li { "Ask for a bundle of the ledger (" code { "backstay bundle FOLDER" } "), which holds all of it but the keys." }
            li { code { "backstay-verify FOLDER --since CHECKPOINT" } " works the tree out again, checks every signature, payload and object, and that the checkpoint you kept is a beginning of it. The program needs nothing but the bundle." }
            li { "For one entry the proof on its page is enough: the SHA-256 of a zero byte and the entry's text is the leaf; joined with each hash in turn (a byte 1 before the two, RFC 9162, 2.1.3.2) it leads to the root that the checkpoint signs (a note of c2sp.org/tlog-checkpoint, Ed25519)." }
        }
        p { "It proves that nothing changed since the checkpoint was handed out. It does not prove that the evidence is true." }
    };
    Ok(Answer::page("Checkpoints", body))
}

fn verdict(found: &KeptCheckpoint) -> Markup {
    match found {
        KeptCheckpoint::Holds { size, now, hashes } => html! {
            p.note role="status" { strong { "It holds. " } "The ledger has " (now) " entries now and still begins with the " (size) " that this checkpoint signed." }
            @if !hashes.is_empty() {
                details { summary { "Consistency proof (RFC 9162, 2.1.4)" } ol { @for hash in hashes { li { code.digest { (hash) } } } } }
            }
        },
        KeptCheckpoint::Broken { size, now } => html! {
            p.note.bad role="alert" { strong { "It does not hold. " } "This checkpoint is signed by this workspace and says " (size) " entries; the ledger has " (now) ", and does not begin with them. Entries were changed or taken away since: keep the checkpoint and ask whoever owns the workspace." }
        },
        KeptCheckpoint::Foreign { reason } => html! {
            p.note.bad role="alert" { strong { "It cannot be held against this ledger: " } (piece::sentence(reason)) "." }
        },
    }
}

/// A checkpoint as a file.
pub fn note(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let nothing = || ProblemError::nothing("checkpoint");
    let size: u64 = asked.part("size").parse().map_err(|_| nothing())?;
    let found = asked.server.workspace.checkpoint_of(size)?.filter(|_| size > 0);
    let found = found.ok_or_else(nothing)?;
    let name = format!("backstay-checkpoint-{size}.txt");
    Ok(Answer::File { kind: "text/plain; charset=utf-8", name, body: found.note.into() })
}
