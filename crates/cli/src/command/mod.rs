//! One module per command. Each takes its arguments and returns an exit code; what it prints is set
//! by `backstay-report`.

mod account;
mod advice;
mod assess;
mod calendar;
mod catalogue;
mod close;
mod compact;
mod copy;
mod credits;
mod demo;
mod edit;
mod erase;
mod explain;
mod forecast;
mod import;
mod init;
mod log;
mod mapping;
mod mapping_new;
mod measure;
mod meet;
mod overlap;
mod query;
mod replay;
mod report;
mod restate;
mod retract;
mod reveal;
mod sample;
mod serve;
mod trace;
mod verify;
mod vocabulary;
mod warn;
mod watch;

use clap::CommandFactory as _;

use crate::{
    args::{Cli, Command},
    door,
    error::CliError,
};

/// Does what the command line asks.
///
/// # Errors
/// Whatever kept it from being done.
pub fn run(cli: Cli) -> Result<u8, CliError> {
    let named = cli.workspace.as_deref();
    match &cli.command {
        Command::Init(args) => init::run(args),
        Command::Vocabulary(command) => vocabulary::run(command),
        Command::Mapping(command) => mapping::run(command, named),
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "backstay", &mut script);
            door::print_bytes(&script)?;
            Ok(0)
        }
        Command::Import(args) => import::run(args, named),
        Command::Watch(args) => watch::run(args, named),
        Command::Assess(args) => assess::run(args, named),
        Command::Measure(args) => measure::run(args, named),
        Command::Warn(args) => warn::run(args, named),
        Command::Forecast(args) => forecast::run(args, named),
        Command::Close(args) => close::run(args, named),
        Command::Restate(args) => restate::run(args, named),
        Command::Credits(args) => credits::run(args, named),
        Command::Report(args) => report::run(args, named),
        Command::Explain(args) => explain::run(args, named),
        Command::Trace(args) => trace::run(args, named),
        Command::Query(args) => query::run(args, named),
        Command::Replay(args) => replay::run(args, named),
        Command::Retract(args) => retract::run(args, named),
        Command::Edit(args) => edit::run(args, named),
        Command::Compact(args) => compact::run(args, named),
        Command::Reread(args) => import::reread(args, named),
        Command::Erase(command) => erase::run(command, named),
        Command::Reveal(args) => reveal::run(args, named),
        Command::Verify(args) => verify::run(args, named),
        Command::Bundle(args) => copy::bundle(args, named),
        Command::Backup(args) => copy::backup(args, named),
        Command::Restore(args) => copy::restore(args),
        Command::Log(args) => log::run(args, named),
        Command::Catalogue(command) => catalogue::run(command, named),
        Command::Sample(command) => sample::run(command),
        Command::Overlap(args) => overlap::run(args, named),
        Command::Calendar(command) => calendar::run(command, named),
        Command::Meet(args) => meet::run(args, named),
        Command::Account(command) => account::run(command, named),
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args, named),
    }
}

/// Advice that names the known word nearest to `word`, when one is near; else `otherwise`.
pub fn nearest(word: &str, known: &[&str], otherwise: &str) -> String {
    let near = known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(steps, candidate)| *steps <= 1 + candidate.len() / 4)
        .min();
    match near {
        Some((_, candidate)) => format!("did you mean `{candidate}`? {otherwise}"),
        None => otherwise.to_owned(),
    }
}

/// Letters to insert, take out or change to turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (n, letter) in from.chars().enumerate() {
        let mut next = vec![n + 1];
        for ((other, diagonal), above) in to.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or(0);
            let change = diagonal + usize::from(*other != letter);
            next.push(change.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_nearest_known_word_is_offered_only_when_near() {
        let known = ["case_event", "service_level", "site"];
        assert_eq!(nearest("case_events", &known, "x"), "did you mean `case_event`? x");
        assert_eq!(nearest("sevice_level", &known, "x"), "did you mean `service_level`? x");
        assert_eq!(nearest("invoice", &known, "x"), "x");
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn examples_fit_a_page_of_eighty_columns() {
        let top = Cli::command();
        for command in std::iter::once(&top).chain(top.get_subcommands()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("backstay "), "{} has no example", command.get_name());
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
        }
    }
}
