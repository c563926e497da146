//! Reads an XES file whole with the `process_mining` crate, as its own import does, and prints what came
//! out as one line of JSON. A yardstick for the bench; it must never do more than read.

use std::{env, process::ExitCode, time::Instant};

use process_mining::{EventLog, Importable as _};

fn main() -> ExitCode {
    let Some(path) = env::args().nth(1) else {
        eprintln!("usage: bench-xes FILE.xes[.gz]");
        return ExitCode::from(2);
    };
    let started = Instant::now();
    let log = match EventLog::import_from_path(&path) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("error: `{path}` cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    let events: usize = log.traces.iter().map(|trace| trace.events.len()).sum();
    println!("{{\"seconds\": {seconds:.6}, \"traces\": {}, \"events\": {events}}}", log.traces.len());
    ExitCode::SUCCESS
}
