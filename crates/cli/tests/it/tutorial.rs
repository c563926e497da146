//! Runs `docs/tutorial.md` from top to bottom on the real log and compares what it shows with what
//! the product says. With `BACKSTAY_WRITE_TUTORIAL=1` the outputs in the document are replaced by
//! the real ones instead.
//!
//! A fenced block `csv NAME` or `toml NAME` is a file to write; a fenced block `console` holds
//! commands after `$ ` (continued after a trailing `\`) with their output. A line `…` stands for any
//! lines, and `…` within a line for any text: what differs from run to run, or is long.

use std::{
    env, fs,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
};

use crate::sandbox::{Sandbox, data, repository};

/// One part of the document.
enum Part {
    /// Lines that are only read.
    Prose(String),
    /// A file: head line of the fence, name, text.
    File(String, String, String),
    /// Commands with the output shown.
    Console(Vec<(String, Vec<String>)>),
}

fn parts(document: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else {
            parts.push(Part::Prose(line.to_owned()));
            continue;
        };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match info.split_once(' ') {
            None if info == "console" => parts.push(Part::Console(commands(&body))),
            Some((_, name)) => {
                parts.push(Part::File(line.to_owned(), name.to_owned(), body.join("\n") + "\n"));
            }
            None => {
                parts.push(Part::Prose(format!("{line}\n{}\n```", body.join("\n"))));
            }
        }
    }
    parts
}

fn commands(body: &[&str]) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut continues = false;
    for line in body {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), Vec::new()));
        } else if continues {
            let (command, _) = commands.last_mut().unwrap();
            command.push('\n');
            command.push_str(line);
        } else {
            let (_, output) = commands.last_mut().expect("a console block starts with `$ `");
            output.push((*line).to_owned());
        }
        continues = (line.starts_with("$ ") || continues) && line.ends_with('\\');
    }
    commands
}

/// Whether a line as shown stands for the line as it is.
fn line_fits(shown: &str, real: &str) -> bool {
    let mut pieces = shown.split('…');
    let first = pieces.next().unwrap_or("");
    let Some(mut rest) = real.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn fits(shown: &[String], real: &[&str]) -> bool {
    match shown.split_first() {
        None => real.is_empty(),
        Some((line, rest)) if line.trim() == "…" => {
            (0..=real.len()).any(|skipped| fits(rest, &real[skipped..]))
        }
        Some((line, rest)) => real
            .split_first()
            .is_some_and(|(first, others)| line_fits(line, first) && fits(rest, others)),
    }
}

fn run(sandbox: &Sandbox, command: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_backstay"));
    let path = env::join_paths(
        std::iter::once(binary.parent().unwrap().to_owned())
            .chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
    );
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(sandbox.path("."))
        .stdin(Stdio::null())
        .env("PATH", path.unwrap())
        .env("BACKSTAY_ACTOR", "you")
        .env("COLUMNS", "100")
        .env_remove("BACKSTAY_WORKSPACE")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The files that the document has its reader write: name and text.
pub fn files(document: &str) -> Vec<(String, String)> {
    parts(document)
        .into_iter()
        .filter_map(|part| match part {
            Part::File(_, name, text) => Some((name, text)),
            _ => None,
        })
        .collect()
}

/// What differs from run to run, left out: digests, pseudonyms, instants and sizes of the ledger.
fn settled(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
        let is_digest = [32, 64].contains(&word.len()) && hex(word);
        if is_digest && !line.starts_with("SHA-256") {
            out.push('…');
        } else if word.strip_prefix("p-").is_some_and(|id| id.len() == 40 && hex(id)) {
            out.push_str("p-…");
        } else {
            out.push_str(word);
        }
        let gap = after.find(is_part).unwrap_or(after.len());
        out.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    if let (Some(from), Some(to)) = (out.find("recorded 20"), out.find("Z by ")) {
        out.replace_range(from + "recorded ".len()..=to, "…");
    }
    if let (true, Some(comma)) = (out.starts_with("objects "), out.find(", ")) {
        out.replace_range(comma + 2.., "…");
    }
    out
}

fn rewritten(shown: &[String], real: &str) -> Vec<String> {
    let real: Vec<&str> = real.lines().collect();
    if fits(shown, &real) && !shown.is_empty() {
        return shown.to_vec();
    }
    real.iter().map(|line| settled(line)).collect()
}

#[test]
fn the_tutorial_shows_what_the_product_says() {
    let path = repository("docs/tutorial.md");
    let document = fs::read_to_string(&path).unwrap();
    let write = env::var_os("BACKSTAY_WRITE_TUTORIAL").is_some();
    let sandbox = Sandbox::new();
    let mut log = Vec::new();
    let packed = fs::File::open(data("work-logs/servicenow_incident_event_log.csv.gz")).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut log).unwrap();
    sandbox.write("incident_event_log.csv", log);
    let mut renewed = String::new();
    for part in parts(&document) {
        match part {
            Part::Prose(line) => renewed += &(line + "\n"),
            Part::File(fence, name, text) => {
                sandbox.write(&name, &text);
                renewed += &format!("{fence}\n{text}```\n");
            }
            Part::Console(commands) => {
                renewed += "```console\n";
                for (command, shown) in commands {
                    let real = run(&sandbox, &command);
                    let lines: Vec<&str> = real.lines().collect();
                    assert!(
                        write || fits(&shown, &lines),
                        "the tutorial shows for `{command}`:\n{}\nbut it is:\n{real}",
                        shown.join("\n")
                    );
                    renewed += &format!("$ {command}\n");
                    for line in rewritten(&shown, &real) {
                        renewed += &(line + "\n");
                    }
                }
                renewed += "```\n";
            }
        }
    }
    if write {
        fs::write(path, renewed).unwrap();
    }
}

#[test]
fn an_ellipsis_stands_for_what_differs_and_nothing_else() {
    let shown = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert!(fits(&shown(&["a", "…", "c … e"]), &["a", "x", "y", "c 12 e"]));
    assert!(fits(&shown(&["…"]), &[]));
    assert!(!fits(&shown(&["a", "c"]), &["a", "b", "c"]));
    assert!(!fits(&shown(&["c … e"]), &["c 12 f"]));
    assert!(!fits(&shown(&["abc"]), &["abcd"]));
}
