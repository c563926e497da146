//! How long the phases of an import took, for whoever asked with `--timings`. Owns the stopwatch and
//! its one line on standard error; never part of what a command answers.

use std::time::{Duration, Instant};

use backstay_store::Phase;
use serde_json::json;

use crate::args::Format;

/// Version of the JSON written here.
const SCHEMA: &str = "backstay.import-timings/1";

/// Wall time of each phase, in the order in which they came.
#[derive(Debug)]
pub struct Stopwatch {
    started: Instant,
    since: Instant,
    now: Phase,
    spent: Vec<(Phase, Duration)>,
}

impl Stopwatch {
    /// Starts with reading.
    pub fn start() -> Self {
        let started = Instant::now();
        Self { started, since: started, now: Phase::Reading, spent: Vec::new() }
    }

    /// Notes that an import is in this phase.
    pub fn at(&mut self, phase: Phase) {
        if phase != self.now {
            self.close();
            self.now = phase;
        }
    }

    fn close(&mut self) {
        let spent = self.since.elapsed();
        self.since += spent;
        match self.spent.iter_mut().find(|(phase, _)| *phase == self.now) {
            // An import that another one overtook writes once more.
            Some((_, sum)) => *sum += spent,
            None => self.spent.push((self.now, spent)),
        }
    }

    /// The phases of one file and their sum, as a line.
    pub fn line(mut self, file: &str, format: Format) -> String {
        self.close();
        let total = self.started.elapsed();
        if format == Format::Text {
            let phases: Vec<String> = self
                .spent
                .iter()
                .map(|(phase, spent)| format!("{} {:.3} s", phase.name(), spent.as_secs_f64()))
                .collect();
            return format!("{file}: {}; {:.3} s in all", phases.join(", "), total.as_secs_f64());
        }
        let micros = |spent: Duration| u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
        let phases: serde_json::Map<String, serde_json::Value> = self
            .spent
            .iter()
            .map(|(phase, spent)| (phase.name().to_owned(), micros(*spent).into()))
            .collect();
        json!({ "schema": SCHEMA, "file": file, "phases_us": phases, "total_us": micros(total) })
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_told_in_their_order_and_each_once() {
        let mut watch = Stopwatch::start();
        for phase in [Phase::Reading, Phase::Writing, Phase::Committing, Phase::Writing] {
            watch.at(phase);
        }
        let line = watch.line("a.csv", Format::Json);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let phases: Vec<&String> = value["phases_us"].as_object().unwrap().keys().collect();
        assert_eq!(phases, ["reading", "writing", "committing"]);
        assert_eq!((&value["file"], &value["schema"]), (&"a.csv".into(), &SCHEMA.into()));
    }

    #[test]
    fn a_line_for_people_names_the_file_and_the_sum() {
        let line = Stopwatch::start().line("a.csv", Format::Text);
        assert!(line.starts_with("a.csv: reading 0.") && line.ends_with(" s in all"), "{line}");
    }
}
