//! Entries of the ledger, and its newest checkpoint.

use backstay_access::Action;
use serde_json::{Value, json};

use super::list::{Cursor, instant, limit};
use crate::{answer::Answer, asked::Asked, figures::up_to, problem::ProblemError};

type Done = Result<Answer, ProblemError>;

/// Entries looked at together: many may not be open to the asker.
const CHUNK: usize = 1_000;

/// Entries that the asker may read, in order; the payload needs more rights and is not here.
pub fn entries(asked: &Asked<'_>) -> Done {
    let workspace = &asked.server.workspace;
    let (limit, cursor) = (limit(asked)?, Cursor::of(asked)?);
    let size = match cursor {
        Some(cursor) => cursor.known_at.min(workspace.backend().head()?.size),
        None => up_to(asked)?,
    };
    let mut from = cursor.map_or(0, |cursor| cursor.before as u64).saturating_add(1);
    let (mut items, mut next): (Vec<Value>, Option<u64>) = (Vec::new(), None);
    while from <= size {
        let chunk = workspace.entries(from, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        from = last.entry + 1;
        for entry in &chunk {
            if items.len() == limit {
                break;
            }
            if entry.entry <= size && asked.may_entry(Action::LedgerRead, &entry.arrangements) {
                next = Some(entry.entry);
                items.push(json!({
                    "entry": entry.entry,
                    "recorded_at": instant(entry.recorded_at_us),
                    "actor": entry.actor,
                    "kind": entry.kind,
                    "arrangements": entry.arrangements,
                }));
            }
        }
        if items.len() == limit {
            break;
        }
    }
    let next = next.filter(|last| items.len() == limit && *last < size).map(|last| {
        let before = usize::try_from(last).unwrap_or(usize::MAX);
        Cursor { known_at: size, now_us: asked.now_us, before }.text()
    });
    Ok(Answer::json(json!({ "items": items, "next": next, "basis": null })))
}

/// The newest signed checkpoint, as a note.
pub fn checkpoint(asked: &Asked<'_>) -> Done {
    let note = asked.server.workspace.checkpoint()?;
    let note = note.ok_or_else(|| ProblemError::nothing("checkpoint"))?;
    Ok(Answer::File {
        kind: "text/plain; charset=utf-8",
        name: "checkpoint.txt".to_owned(),
        body: note.into(),
    })
}
