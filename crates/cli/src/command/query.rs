//! `backstay query`: the evidence in SQL, read-only, over all arrangements or those named.

use std::{io::Read as _, path::Path};

use backstay_desk::query::ask;
use backstay_engine::session::GuestLimits;
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
    let (period, _) = seen.period(args.period.as_deref())?;
    let limits = GuestLimits { seconds: args.time_limit, ..GuestLimits::default() };
    let result = ask(&seen, period, &sql, limits).map_err(backstay_desk::DeskError::from)?;
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
