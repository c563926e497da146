//! Who the token belongs to.

use serde_json::json;

use crate::{answer::Answer, asked::Asked, problem::ProblemError};

/// The account, and what it was granted.
pub fn show(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let account = &asked.visitor()?.account;
    let grants = account
        .grants
        .iter()
        .map(|grant| json!({ "role": grant.role.as_str(), "scope": grant.scope.to_string() }));
    Ok(Answer::json(json!({
        "account": account.id,
        "name": account.name,
        "email": account.email,
        "provider": account.provider,
        "grants": grants.collect::<Vec<_>>(),
    })))
}
