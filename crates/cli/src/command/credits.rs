//! `backstay credits`: what an arrangement's missed service levels cost, with the missed cases.

use std::path::Path;

use backstay_desk::evidence;
use backstay_engine::{cell::decimal_nanos, credit_note::credit_note};
use backstay_report::credit;

use crate::{
    args::{CreditsArgs, NoteFormat},
    door,
    error::CliError,
};

pub fn run(args: &CreditsArgs, named: Option<&Path>) -> Result<u8, CliError> {
    let suppose = args.attained.iter().map(|text| supposed(text)).collect::<Result<Vec<_>, _>>()?;
    let workspace = door::open(named)?;
    let scope = [args.arrangement.clone()];
    let seen = door::see(&workspace, args.as_of.as_deref(), &scope)?;
    let (period, _) = seen.period(args.period.as_deref())?;
    let Some(view) = seen.view(&args.arrangement, period)? else {
        return Err(evidence::unregistered(&args.arrangement).into());
    };
    let note = credit_note(&seen.session(view)?, &suppose)?.map_err(|unknown| {
        CliError::usage(
            format!("`{}` earns no credit in the period", unknown.join("`, `")),
            "`credit_term` names the service levels that do",
        )
    })?;
    if let Some(file) = &args.html {
        std::fs::write(file, credit::page(&note)).map_err(|error| {
            let why = door::because(&error);
            CliError::failed(format!("`{}` cannot be written: {why}", file.display()))
        })?;
        door::remark(&format!("the credit note is in `{}`", file.display()));
    }
    match args.format {
        NoteFormat::Text if args.html.is_some() => {}
        NoteFormat::Text => door::print(&credit::text(&note, door::look()))?,
        NoteFormat::Json => door::print_json(&note)?,
        NoteFormat::Csv => door::print(&credit::csv(&note))?,
    }
    Ok(0)
}

/// `LEVEL=0.97` as the level and its share in units of 10⁻⁹.
fn supposed(text: &str) -> Result<(String, i64), CliError> {
    let wrong = || {
        CliError::usage(
            format!("`{text}` is no supposition"),
            "write the service level and a share between 0 and 1, as in `resolution-p1=0.97`",
        )
    };
    let (level, share) = text.split_once('=').ok_or_else(wrong)?;
    let nanos = decimal_nanos(share).map_err(|_| wrong())?;
    let nanos = i64::try_from(nanos).ok().filter(|nanos| (0..=1_000_000_000).contains(nanos));
    Ok((level.to_owned(), nanos.ok_or_else(wrong)?))
}
