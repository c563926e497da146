//! `backstay query`: the evidence in SQL, read-only, over all arrangements or those named.

use std::{io::Read as _, path::Path};

use backstay_desk::evidence::{self, Seen};
use backstay_engine::session::{GuestLimits, QueryResult, query};
use backstay_report::rows;

use crate::{
    args::{QueryArgs, RowFormat},
    door,
    error::CliError,
};

pub fn run(args: &QueryArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let workspace = door::open(named)?;
    let seen = door::see(&workspace, args.as_of.as_deref(), &args.arrangement)?;
    let sql = read_sql(&args.sql)?;
    let result = ask(&seen, args.period.as_deref(), &sql, args.time_limit)?;
    let (schema, batches) = (&result.schema, &result.batches);
    let text = match args.format {
        RowFormat::Table => rows::table(schema, batches, door::look()),
        RowFormat::Csv => rows::csv(schema, batches),
        RowFormat::Json => rows::json(schema, batches)
            .map_err(|error| backstay_desk::error::explained(&error.to_string()))?,
    };
    door::print(&text)?;
    Ok(0)
}

fn read_sql(written: &str) -> Result<String, CliError> {
    if written != "-" {
        return Ok(written.to_owned());
    }
    let mut sql = String::new();
    std::io::stdin().read_to_string(&mut sql).map_err(|error| {
        CliError::failed(format!("standard input cannot be read: {}", door::because(&error)))
    })?;
    Ok(sql)
}

/// Runs the query over every arrangement in scope at once.
fn ask(seen: &Seen, asked: Option<&str>, sql: &str, seconds: u64) -> Result<QueryResult, CliError> {
    let (period, _) = seen.period(asked)?;
    let mut views = Vec::new();
    for arrangement in seen.arrangements() {
        let view = seen.view(&arrangement, period)?;
        views.push(view.unwrap_or_else(|| unzoned(seen, &arrangement, period)));
    }
    if views.is_empty() {
        views.push(unzoned(seen, "", period));
    }
    Ok(query(
        &seen.evidence,
        &views,
        sql,
        evidence::layout(),
        GuestLimits { seconds, ..GuestLimits::default() },
    )?)
}

/// A view of an arrangement whose zone is not known: its months are counted in UTC.
fn unzoned(
    seen: &Seen,
    arrangement: &str,
    period: backstay_engine::Period,
) -> backstay_engine::session::View {
    backstay_engine::session::View {
        arrangement_id: arrangement.to_owned(),
        zone: "UTC".to_owned(),
        period,
        as_of_us: seen.now_us,
    }
}
