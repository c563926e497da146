//! One row of a register entered, changed or taken away by a program, as the form of a page does it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use backstay_access::Action;
use backstay_desk::register::{
    self,
    change::{Draft, apply, meanwhile},
};
use backstay_evidence::vocabulary::{Scope, Table};
use backstay_store::StoreError;
use serde::Deserialize;
use serde_json::json;

use crate::{
    answer::Answer,
    asked::Asked,
    page::register::{form::editing, named, sight},
    problem::ProblemError,
};

/// A change, as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Columns with their values as a file would write them; an empty text empties a column.
    values: BTreeMap<String, String>,
    /// Why.
    #[serde(default)]
    reason: String,
    /// Entry of the version that was seen; 0: there was no row.
    expect: Option<u64>,
    /// The fact no longer stands.
    #[serde(default)]
    delete: bool,
    /// IANA zone of times without offset.
    zone: Option<String>,
    /// Party that person ids belong to, when it is not the arrangement.
    party: Option<String>,
    /// Only try it.
    #[serde(default)]
    dry_run: bool,
}

/// Takes one row.
pub fn row(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let seen = sight(asked, Action::EvidenceRead)?;
    let table = named(asked, &seen)?;
    let change: Change = asked.json()?;
    allowed(asked, table, &change)?;
    let draft = Draft {
        table: table.name.clone(),
        values: change.values,
        delete: change.delete,
        expect: change.expect,
        reason: change.reason,
        zone: change.zone,
        party: change.party,
    };
    let workspace = &asked.server.workspace;
    let done = asked.with_context(|ctx| {
        Ok::<_, ProblemError>(apply(workspace, &draft, !change.dry_run, ctx))
    })?;
    let done = done.map_err(|error| match error {
        StoreError::Refused { refusals, .. } => ProblemError::row_refused(&refusals),
        StoreError::NoRow { .. } => ProblemError::nothing("row"),
        StoreError::Read(error) => ProblemError::unclear(error.to_string()),
        StoreError::Conflict { key, expected_seq, .. } => {
            match meanwhile(workspace, table, &key, expected_seq, &seen) {
                Ok(found) => ProblemError::conflict(json!({
                    "seen": found.seen,
                    "stands": found.stands,
                    "entry": found.now,
                })),
                Err(error) => error.into(),
            }
        }
        other => other.into(),
    })?;
    let rows = done.rows.iter().map(|row| {
        json!({ "key": register::key_text(&row.key), "verdict": row.verdict, "stands": row.stands })
    });
    let told = json!({
        "entry": done.entry,
        "dry_run": change.dry_run,
        "rows": rows.collect::<Vec<_>>(),
    });
    let status = if done.entry.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Answer::Json(status, told))
}

/// Whether the asker may write every column that is written, in the arrangement that the row is of.
fn allowed(asked: &Asked<'_>, table: &Table, change: &Change) -> Result<(), ProblemError> {
    let arrangement = match table.scope {
        Scope::Shared => "",
        Scope::Arrangement => {
            change.values.get("arrangement_id").map(|id| id.trim()).unwrap_or_default()
        }
    };
    if table.scope == Scope::Arrangement && arrangement.is_empty() {
        return Err(ProblemError::unclear("`values` names no `arrangement_id`."));
    }
    let most = editing(asked, table, arrangement)?.of(arrangement);
    let above = register::columns(table).find(|column| {
        Some(column.privacy) > most
            && register::text::fields(column).iter().any(|field| change.values.contains_key(field))
    });
    match above {
        Some(column) => Err(ProblemError::refused(Some(format!(
            "your rights do not include the column `{}`",
            column.name
        )))),
        None => Ok(()),
    }
}
