//! SQL over the evidence seen, read-only, over every arrangement in it at once.

use backstay_engine::{
    EngineError, Period,
    session::{GuestLimits, QueryResult, View, query},
};

use crate::{
    error::DeskError,
    evidence::{Seen, layout},
};

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The query is wrong, not allowed, or went beyond its limits: the asker's to mend.
    #[error(transparent)]
    Query(DeskError),
    /// Evidence that cannot be read, or a machine that gave out.
    #[error(transparent)]
    Evidence(DeskError),
}

impl AskError {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Query(error) | Self::Evidence(error) => error.help(),
        }
    }
}

impl From<AskError> for DeskError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Query(error) | AskError::Evidence(error) => error,
        }
    }
}

/// Runs one SELECT within limits. An arrangement whose zone is not known has its months counted in UTC.
///
/// # Errors
/// [`AskError`].
pub fn ask(
    seen: &Seen,
    period: Period,
    sql: &str,
    limits: GuestLimits,
) -> Result<QueryResult, AskError> {
    let mut views = Vec::new();
    for arrangement in seen.arrangements() {
        let view = seen.view(&arrangement, period).map_err(AskError::Evidence)?;
        views.push(view.unwrap_or_else(|| unzoned(seen, &arrangement, period)));
    }
    if views.is_empty() {
        views.push(unzoned(seen, "", period));
    }
    query(&seen.evidence, &views, sql, layout(), limits).map_err(|error| match error {
        EngineError::Object { .. } | EngineError::Machine(_) | EngineError::Evidence { .. } => {
            AskError::Evidence(error.into())
        }
        error => AskError::Query(error.into()),
    })
}

fn unzoned(seen: &Seen, arrangement: &str, period: Period) -> View {
    View {
        arrangement_id: arrangement.to_owned(),
        zone: "UTC".to_owned(),
        period,
        as_of_us: seen.now_us,
    }
}
