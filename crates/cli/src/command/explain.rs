//! `backstay explain`: one case by one service level, segment by segment.

use std::path::Path;

use backstay_desk::error::explained;
use backstay_desk::evidence::{self, Seen};
use backstay_engine::{EngineError, Period, derive::explain::Explanation, session::View};
use backstay_report::explanation;

use crate::{
    args::{ExplainArgs, Format},
    door,
    error::CliError,
    sources::listed,
};

pub fn run(args: &ExplainArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let scope: Vec<String> = args.arrangement.iter().cloned().collect();
    let seen = door::see(&workspace, args.as_of.as_deref(), &scope)?;
    let period = match &args.period {
        Some(_) => seen.period(args.period.as_deref())?.0,
        None => seen.this_month()?,
    };
    let told = find(&seen, period, args)?;
    match args.format {
        Format::Text => door::print(&explanation::text(&told, door::look()))?,
        Format::Json => door::print_json(&told)?,
    }
    Ok(0)
}

/// The one explanation there is; several arrangements may know a case of that name.
fn find(seen: &Seen, period: Period, args: &ExplainArgs) -> Result<Explanation, CliError> {
    let arrangements = seen.arrangements();
    let mut found = Vec::new();
    let mut refusal: Option<CliError> = None;
    for arrangement in &arrangements {
        let Some(view) = seen.view(arrangement, period)? else {
            refusal = Some(evidence::unregistered(arrangement).into());
            continue;
        };
        match tell(seen, view, args) {
            Ok(told) => found.push(told),
            Err(EngineError::Evidence { message, .. }) => {
                // The arrangement that knows the case has more to say than one that does not.
                if refusal.is_none() || !message.starts_with("nothing is held") {
                    refusal = Some(explained(&message).into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    if found.len() > 1 {
        let ids: Vec<&str> = found.iter().map(|told| told.arrangement_id.as_str()).collect();
        return Err(CliError::usage(
            format!("several arrangements know a case `{}`: {}", args.case, listed(&ids)),
            "name one with `--arrangement`",
        ));
    }
    match (found.pop(), refusal) {
        (Some(told), _) => Ok(told),
        (None, Some(refusal)) if arrangements.len() == 1 => Err(refusal),
        (None, Some(refusal)) if !refusal.to_string().starts_with("nothing is held") => {
            Err(refusal)
        }
        _ => Err(CliError::failed_with(
            format!("nothing is held of a case `{}`", args.case),
            "check its spelling, or import its events; `backstay query 'SELECT DISTINCT case_id FROM \
             case_event'` lists the cases",
        )),
    }
}

fn tell(seen: &Seen, view: View, args: &ExplainArgs) -> Result<Explanation, EngineError> {
    let session = seen.session(view)?;
    session.explain(&args.case, &args.service_level)
}
