//! The ledger as doors list it: what an entry did in a few words, and the entries that somebody looks for.
//! Who may read an entry is decided by the door.

use backstay_report::figure::{count, counted};
use backstay_store::{EntrySummary, Workspace};
use serde_json::Value;

use crate::error::DeskError;

/// Entries read at once.
const CHUNK: u64 = 200;
/// Entries looked at for one page.
const LOOKED_AT: u64 = 5_000;

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Of this kind.
    pub kind: Option<&'a str>,
    /// Naming this arrangement.
    pub arrangement: Option<&'a str>,
    /// By this actor.
    pub actor: Option<&'a str>,
    /// Recorded at this instant or later, microseconds UTC.
    pub from_us: Option<i64>,
    /// Recorded before this instant.
    pub before_us: Option<i64>,
    /// Entries before this one.
    pub before: Option<u64>,
    /// Words that its kind, actor, arrangements or summary hold, in small letters.
    pub words: Option<&'a str>,
    /// Entries at most.
    pub most: usize,
}

/// Entries, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The entries.
    pub entries: Vec<EntrySummary>,
    /// Where the search goes on, as [`Wanted::before`]; none when all was looked at.
    pub next: Option<u64>,
}

/// Looks for entries that may be read, from the newest on; bounded, so a search may have to go on.
///
/// # Errors
/// Those of the database.
pub fn find(
    workspace: &Workspace,
    wanted: &Wanted<'_>,
    may_read: &dyn Fn(&EntrySummary) -> bool,
) -> Result<Found, DeskError> {
    let backend = workspace.backend();
    let mut high = backend.head()?.size;
    if let Some(before) = wanted.before {
        high = high.min(before.saturating_sub(1));
    }
    if let Some(before) = wanted.before_us {
        high = high.min(backend.seq_at(before.saturating_sub(1))?);
    }
    let low = match wanted.from_us {
        Some(from) => backend.seq_at(from.saturating_sub(1))?.saturating_add(1),
        None => 1,
    };
    let mut found = Found::default();
    let mut looked = 0;
    // Of most kinds there are few among many edits, and the store knows which.
    let known = match wanted.kind {
        Some(kind) if kind != "edit" => Some(workspace.entries_of_kind(kind)?),
        _ => None,
    };
    let mut places: Vec<u64> = known.unwrap_or_default();
    let listed = wanted.kind.is_some_and(|kind| kind != "edit");
    while high >= low && found.entries.len() < wanted.most && looked < LOOKED_AT {
        let (first, chunk) = match listed {
            true => {
                while places.last().is_some_and(|place| *place > high) {
                    places.pop();
                }
                match places.pop() {
                    Some(place) if place >= low => (place, workspace.entries(place, 1)?),
                    _ => return Ok(found),
                }
            }
            false => {
                let first = high.saturating_sub(CHUNK - 1).max(low);
                let many = usize::try_from(high - first + 1).unwrap_or(usize::MAX);
                (first, workspace.entries(first, many)?)
            }
        };
        for entry in chunk.into_iter().rev() {
            looked += 1;
            high = entry.entry.saturating_sub(1);
            if fits(&entry, wanted) && may_read(&entry) {
                found.entries.push(entry);
                if found.entries.len() >= wanted.most {
                    break;
                }
            }
        }
        high = high.min(if found.entries.len() < wanted.most {
            first.saturating_sub(1)
        } else {
            high
        });
    }
    found.next = (high >= low).then_some(high + 1);
    Ok(found)
}

fn fits(entry: &EntrySummary, wanted: &Wanted<'_>) -> bool {
    let holds = |words: &str| {
        let said = entry.payload.as_ref().map(|payload| summary(&entry.kind, payload));
        [entry.kind.as_str(), &entry.actor, said.as_deref().unwrap_or_default()]
            .into_iter()
            .chain(entry.arrangements.iter().map(String::as_str))
            .any(|text| text.to_lowercase().contains(words))
    };
    wanted.kind.is_none_or(|kind| entry.kind == kind)
        && wanted.arrangement.is_none_or(|id| entry.arrangements.iter().any(|own| own == id))
        && wanted.actor.is_none_or(|actor| entry.actor == actor)
        && wanted.words.is_none_or(holds)
}

/// What an entry did, from its payload; nothing for a kind that says nothing in short.
#[must_use]
pub fn summary(kind: &str, payload: &Value) -> String {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let number =
        |pointer: &str| payload.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
    match kind {
        "import" | "reread" => {
            let mut parts = Vec::new();
            for (pointer, word) in [
                ("/counts/accepted", "accepted"),
                ("/counts/corrected", "corrected"),
                ("/counts/already_known", "known"),
                ("/counts/quarantined", "quarantined"),
            ] {
                if number(pointer) > 0 {
                    parts.push(format!("{} {word}", count(number(pointer))));
                }
            }
            let counts = if parts.is_empty() { "nothing new".to_owned() } else { parts.join(", ") };
            format!("{}: {counts}", text("/file"))
        }
        "retract" => {
            let taken = payload.pointer("/takes").and_then(Value::as_array).map_or(0, Vec::len);
            let taken = counted(i64::try_from(taken).unwrap_or(i64::MAX), "target");
            format!("{taken}: {}", text("/reason"))
        }
        "edit" => {
            let rows = payload.pointer("/rows").and_then(Value::as_array);
            let mut tables: Vec<&str> = rows
                .into_iter()
                .flatten()
                .filter_map(|row| row.pointer("/table").and_then(Value::as_str))
                .collect();
            let entered = counted(i64::try_from(tables.len()).unwrap_or(i64::MAX), "row");
            tables.dedup();
            let what = format!("{entered} of {}", tables.join(", "));
            match text("/reason") {
                "" => what,
                reason => format!("{what}: {reason}"),
            }
        }
        "erase" | "disclosure" => text("/reason").to_owned(),
        "assessment" => match text("/close/step") {
            "" => format!("of {}", text("/basis/period")),
            step => format!("of {}, step `{step}` of its month-end", text("/basis/period")),
        },
        "access" => access(payload),
        "init" => "workspace made".to_owned(),
        _ => String::new(),
    }
}

/// What became of an account, by its id.
fn access(payload: &Value) -> String {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    let grants = payload.get("grants").and_then(Value::as_array);
    let grants: Vec<String> = grants
        .into_iter()
        .flatten()
        .map(|grant| {
            let part = |name: &str| grant.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("{} on {}", part("role"), part("scope"))
        })
        .collect();
    let mut what = format!("account {} {}", text("account"), text("event"));
    if !grants.is_empty() {
        what += &format!(" {}", grants.join(", "));
    }
    match text("reason") {
        "" => what,
        reason => format!("{what}: {reason}"),
    }
}
