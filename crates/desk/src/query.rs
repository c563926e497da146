//! SQL over the evidence seen, read-only, over every arrangement in it at once.

use backstay_engine::{
    EngineError, Period,
    session::{GuestLimits, QueryResult, View, query},
};

use crate::{
    error::DeskError,
    evidence::{Seen, layout},
};

/// Runs one SELECT within limits. An arrangement whose zone is not known has its months counted in UTC.
///
/// # Errors
/// SQL that is wrong or not allowed; a limit reached; unreadable evidence.
pub fn ask(
    seen: &Seen,
    period: Period,
    sql: &str,
    limits: GuestLimits,
) -> Result<QueryResult, DeskError> {
    let mut views = Vec::new();
    for arrangement in seen.arrangements() {
        let view = seen.view(&arrangement, period)?;
        views.push(view.unwrap_or_else(|| unzoned(seen, &arrangement, period)));
    }
    if views.is_empty() {
        views.push(unzoned(seen, "", period));
    }
    query(&seen.evidence, &views, sql, layout(), limits).map_err(told)
}

/// What is wrong with the query is the asker's; a machine that gave out is not.
fn told(error: EngineError) -> DeskError {
    let machine = matches!(
        error,
        EngineError::Object { .. } | EngineError::Machine(_) | EngineError::Evidence { .. }
    );
    match DeskError::from(error) {
        DeskError::Failed { message, help } if !machine => DeskError::Usage {
            message,
            help: help
                .unwrap_or_else(|| "write one SELECT over tables of the vocabulary".to_owned()),
        },
        other => other,
    }
}

fn unzoned(seen: &Seen, arrangement: &str, period: Period) -> View {
    View {
        arrangement_id: arrangement.to_owned(),
        zone: "UTC".to_owned(),
        period,
        as_of_us: seen.now_us,
    }
}
