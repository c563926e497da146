//! What kept a request from being answered, in the asker's words. The full cause stays with the
//! operator; a page never shows it, and never says whether something exists that the asker may not see.

use axum::http::StatusCode;
use backstay_desk::{DeskError, query::AskError};
use backstay_engine::EngineError;
use backstay_store::{Refusal, StoreError};

/// What kept a request from being answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct ProblemError {
    /// Status of HTTP.
    pub status: StatusCode,
    /// In a few words.
    pub title: &'static str,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    pub help: Option<String>,
    /// The whole cause, for the operator; ids at most, never a value of evidence.
    pub cause: Option<String>,
    /// What a program is told beside that, as a JSON object.
    pub more: Option<Box<serde_json::Value>>,
}

impl ProblemError {
    fn of(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), help: None, cause: None, more: None }
    }

    /// Nothing is there, or nothing that the asker may see: the two are not told apart.
    pub fn nothing(what: &str) -> Self {
        let detail = format!("There is no such {what}, or it is not open to you.");
        Self::of(StatusCode::NOT_FOUND, "Not found", detail)
    }

    /// The asker may not do this; why, as the policies say it.
    pub fn refused(why: Option<String>) -> Self {
        let detail = why.unwrap_or_else(|| "your rights do not include this".to_owned());
        let mut problem = Self::of(StatusCode::FORBIDDEN, "Not allowed", sentence(&detail));
        problem.help = Some("Ask an administrator of this workspace if you need it.".to_owned());
        problem
    }

    /// Somebody must sign in first.
    pub fn sign_in() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "Sign in", "This asks for somebody who is signed in.")
    }

    /// A token of the interface for machines that is none, or no longer.
    pub fn bad_token() -> Self {
        let detail = "This API token is not one, or it has ended.";
        let mut problem = Self::of(StatusCode::UNAUTHORIZED, "Unknown token", detail);
        problem.help = Some("Make one on the page of your account.".to_owned());
        problem
    }

    /// An idempotency key that came with another request before.
    pub fn other_request() -> Self {
        let detail = "This idempotency key came with another request before.";
        let mut problem = Self::of(StatusCode::UNPROCESSABLE_ENTITY, "Key used", detail);
        problem.help = Some("Use a new key for a new request.".to_owned());
        problem
    }

    /// A row that no register can hold, with each column that is wrong.
    pub fn row_refused(refusals: &[Refusal]) -> Self {
        let detail = "The row was not taken; `errors` says what is wrong with which column.";
        let mut problem = Self::of(StatusCode::UNPROCESSABLE_ENTITY, "Row not taken", detail);
        problem.more = Some(Box::new(serde_json::json!({ "errors": refusals })));
        problem
    }

    /// Another version stands than was seen; `more` holds both.
    pub fn conflict(more: serde_json::Value) -> Self {
        let detail = "Somebody else changed this row: another version stands than the one you saw.";
        let mut problem = Self::of(StatusCode::CONFLICT, "Changed meanwhile", detail);
        problem.help = Some("Look at both, and send your change with the entry of the version that stands as `expect`.".to_owned());
        problem.more = Some(Box::new(more));
        problem
    }

    /// A path that is there, asked for by a method that it has not.
    pub fn not_that_way() -> Self {
        let detail = "This path is not asked for by that method.";
        Self::of(StatusCode::METHOD_NOT_ALLOWED, "Not that way", detail)
    }

    /// A form that did not come from a page of this session.
    pub fn stale_form() -> Self {
        let detail = "This form is out of date, or was not sent from a page of yours.";
        let mut problem = Self::of(StatusCode::FORBIDDEN, "Form not taken", detail);
        problem.help = Some("Go back, load the page again and send the form once more.".to_owned());
        problem
    }

    /// More than is taken.
    pub fn too_large(most: usize) -> Self {
        let detail = format!("A form of more than {most} bytes is not taken.");
        Self::of(StatusCode::PAYLOAD_TOO_LARGE, "Too large", detail)
    }

    /// A file that is larger than is taken.
    pub fn file_too_large(most: u64) -> Self {
        let detail = format!("A file of more than {most} bytes is not taken here.");
        let mut problem = Self::of(StatusCode::PAYLOAD_TOO_LARGE, "Too large", detail);
        problem.help = Some("Split it, or have it brought in on the machine itself.".to_owned());
        problem
    }

    /// A form that did not come to its end.
    pub fn cut_off() -> Self {
        let detail = "What was sent broke off, or was not a whole form. Nothing of it is kept.";
        let mut problem = Self::of(StatusCode::BAD_REQUEST, "Not received", detail);
        problem.help = Some("Send it once more.".to_owned());
        problem
    }

    /// A form that did not arrive in time.
    pub fn too_slow() -> Self {
        let detail = "What was sent did not arrive in time. Nothing of it is kept.";
        let mut problem = Self::of(StatusCode::REQUEST_TIMEOUT, "Too slow", detail);
        problem.help = Some("Send it once more.".to_owned());
        problem
    }

    /// The disk is full.
    pub fn no_room(cause: impl Into<String>) -> Self {
        let detail = "No room is left on the disk of this server. Nothing of the file is kept.";
        let mut problem = Self::of(StatusCode::INSUFFICIENT_STORAGE, "No room", detail);
        problem.help = Some("Ask whoever runs this server to make room.".to_owned());
        problem.cause = Some(cause.into());
        problem
    }

    /// Nothing can be written here.
    pub fn read_only(cause: impl Into<String>) -> Self {
        let detail = "This workspace can only be read here, so nothing can be handed in.";
        let mut problem = Self::of(StatusCode::CONFLICT, "Read only", detail);
        problem.cause = Some(cause.into());
        problem
    }

    /// Not now: something else is at work, or too much waits.
    pub fn busy(detail: String) -> Self {
        Self::of(StatusCode::CONFLICT, "Not now", detail)
    }

    /// Something else has the name already.
    pub fn taken(detail: String) -> Self {
        Self::of(StatusCode::CONFLICT, "Name taken", detail)
    }

    /// What was sent cannot be understood.
    pub fn unclear(detail: impl Into<String>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "Not understood", detail)
    }

    /// Something broke; the operator learns what.
    pub fn broken(cause: impl Into<String>) -> Self {
        let detail =
            "Something went wrong here. Whoever runs this server finds the cause in its log.";
        let mut problem = Self::of(StatusCode::INTERNAL_SERVER_ERROR, "It did not work", detail);
        problem.cause = Some(cause.into());
        problem
    }
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

impl From<AskError> for ProblemError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Query(error) => {
                let mut problem = Self::unclear(sentence(&error.to_string()));
                problem.help = error.help().map(sentence);
                problem
            }
            AskError::Evidence(error) => error.into(),
        }
    }
}

impl From<DeskError> for ProblemError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Usage { message, help } => {
                let mut problem = Self::unclear(sentence(&message));
                problem.help = Some(sentence(&help));
                problem
            }
            // What the rooms say of a failure may name values and paths.
            DeskError::Failed { message, .. } => Self::broken(message),
        }
    }
}

impl From<EngineError> for ProblemError {
    fn from(error: EngineError) -> Self {
        DeskError::from(error).into()
    }
}

impl From<StoreError> for ProblemError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NoEntry { .. } => Self::nothing("ledger entry"),
            StoreError::Password(_)
            | StoreError::WrongPassword
            | StoreError::BadEmail(_)
            | StoreError::BadName
            | StoreError::EmailTaken(_)
            | StoreError::Wait { .. } => Self::unclear(sentence(&error.to_string())),
            StoreError::NoSession => Self::sign_in(),
            other => Self::broken(other.to_string()),
        }
    }
}
