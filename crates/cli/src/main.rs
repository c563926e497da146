//! The `backstay` binary: reads the command line, does the one thing asked, says how it went. It
//! computes nothing itself.

mod args;
mod command;
mod door;
mod error;
mod example;
mod progress;
mod sources;
mod timing;

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;

use crate::{args::Cli, error::CliError};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match command::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            report(&error);
            ExitCode::from(error.code())
        }
    }
}

/// `error:` and `help:` on standard error; nothing when nobody reads any more.
fn report(error: &CliError) {
    if matches!(error, CliError::ReaderGone) {
        return;
    }
    let bold = anstyle::Style::new().bold();
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let mut stderr = anstream::stderr();
    // A closed standard error leaves only the exit code to tell.
    let _ = writeln!(stderr, "{red}error{red:#}{bold}:{bold:#} {error}");
    if let Some(help) = error.help() {
        let _ = writeln!(stderr, "{bold}help:{bold:#} {help}");
    }
}
