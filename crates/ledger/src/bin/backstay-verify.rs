//! The offline verifier: checks a bundle with nothing but this crate and says what holds. It must
//! never write, ask a network or need the product that made the bundle.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use backstay_ledger::{
    FolderSource, Problem, VerifierKey, VerifyError, VerifyOptions, VerifyReport, verify_bundle,
};

const USAGE: &str = "\
Check a Backstay bundle offline.

Usage: backstay-verify BUNDLE [--since FILE] [--vkey KEY] [--format text|json]

  BUNDLE         folder written by `backstay bundle`
  --since FILE   a signed checkpoint that you kept: the bundle must continue it
  --vkey KEY     the ledger's verifier key, obtained by another way than the bundle
  --format F     text (default) or json
  -h, --help     this help
  -V, --version  the version

Examples:
  backstay-verify ./bundle
  backstay-verify ./bundle --since checkpoint-2026-06 --vkey \"$(cat trusted.vkey)\"

Exit code: 0 verified, 1 not verified or not readable, 2 wrong usage.
";

/// Schema of the JSON output; it changes when a field changes its meaning or goes.
const SCHEMA: &str = "backstay-verify/1";

struct Arguments {
    bundle: String,
    since: Option<String>,
    key: Option<VerifierKey>,
    json: bool,
}

enum Asked {
    Verify(Box<Arguments>),
    Show(String),
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(Asked::Verify(arguments)) => arguments,
        Ok(Asked::Show(text)) => return say(&text, 0),
        Err(reason) => {
            let text = format!("error: {reason}\n\nTry `backstay-verify --help`.\n");
            // Nobody left to tell when standard error is gone.
            let _ = std::io::stderr().write_all(text.as_bytes());
            return ExitCode::from(2);
        }
    };
    let options = VerifyOptions { since: arguments.since.as_deref(), key: arguments.key };
    let outcome = verify_bundle(&FolderSource::new(&arguments.bundle), &options);
    let code = u8::from(outcome.is_err());
    let text = match (arguments.json, &outcome) {
        (true, outcome) => as_json(outcome),
        (false, Ok(report)) => as_text(report),
        (false, Err(error)) => error_text(error),
    };
    say(&text, code)
}

fn say(text: &str, code: u8) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(1),
    }
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut arguments = arguments;
    let (mut bundle, mut since, mut key, mut format) = (None, None, None, None);
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let slot = match name {
            "-h" | "--help" => return Ok(Asked::Show(USAGE.to_owned())),
            "-V" | "--version" => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Asked::Show(format!("backstay-verify {version}\n")));
            }
            "--since" => &mut since,
            "--vkey" => &mut key,
            "--format" => &mut format,
            _ if name.starts_with('-') => return Err(format!("unknown option `{name}`")),
            _ if bundle.is_none() => {
                bundle = Some(argument);
                continue;
            }
            _ => return Err(format!("unexpected `{argument}`: give one bundle")),
        };
        let value =
            inline.or_else(|| arguments.next()).ok_or_else(|| format!("`{name}` needs a value"))?;
        if slot.replace(value).is_some() {
            return Err(format!("`{name}` is given twice"));
        }
    }
    let bundle = bundle.ok_or("no bundle given")?;
    let json = match format.as_deref() {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => return Err(format!("unknown format `{other}`: expected text or json")),
    };
    let since = since
        .map(|path| {
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read `{path}`: {error}"))
        })
        .transpose()?;
    let key =
        key.map(|text| text.trim().parse().map_err(|error| format!("{error}"))).transpose()?;
    if !std::path::Path::new(&bundle).is_dir() {
        return Err(format!("`{bundle}` is not a folder"));
    }
    Ok(Asked::Verify(Box::new(Arguments { bundle, since, key, json })))
}

fn as_json(outcome: &Result<VerifyReport, VerifyError>) -> String {
    let value = match outcome {
        Ok(report) => serde_json::json!({"schema": SCHEMA, "verified": true, "report": report}),
        Err(VerifyError::Refused { problems, count }) => serde_json::json!({
            "schema": SCHEMA,
            "verified": false,
            "problem_count": count,
            "problems": problems.iter().map(Problem::to_string).collect::<Vec<_>>(),
        }),
        Err(error) => serde_json::json!({
            "schema": SCHEMA,
            "verified": false,
            "error": error.to_string(),
        }),
    };
    format!("{value:#}\n")
}

fn error_text(error: &VerifyError) -> String {
    let mut text = format!("NOT VERIFIED: {error}\n");
    if let VerifyError::Refused { problems, count } = error {
        for problem in problems {
            text.push_str(&format!("  {problem}\n"));
        }
        let named = problems.len() as u64;
        if named < *count {
            text.push_str(&format!("  and {} more\n", count - named));
        }
    }
    text
}

fn as_text(report: &VerifyReport) -> String {
    let mut text = format!("VERIFIED: {}\n", report.origin);
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<12} {value}");
    };
    let kinds: Vec<String> =
        report.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    line("entries", format!("{} ({})", report.size, kinds.join(", ")));
    if let (Some(first), Some(last)) = (report.first_recorded_at_us, report.last_recorded_at_us) {
        line("recorded", format!("{} to {}", utc(first), utc(last)));
    }
    line("root", report.root.clone());
    line("tiles", report.tiles.to_string());
    line("payloads", present_and_erased(report.payloads, report.payloads_erased));
    line("objects", present_and_erased(report.objects, report.objects_erased));
    line("checkpoints", format!("{} older ones continued", report.earlier_checkpoints));
    match report.since_size {
        Some(size) => line("since", format!("continues yours of {size} entries")),
        None => line(
            "since",
            "not asked: only a checkpoint that you kept yourself (--since) shows that history was not rewritten"
                .to_owned(),
        ),
    }
    line("key", report.key.clone());
    if report.key_from_bundle {
        line(
            "",
            "taken from the bundle itself: give --vkey to know whose ledger this is".to_owned(),
        );
    }
    for path in &report.erased_but_present {
        line("warning", format!("`{path}` was erased on record but is here"));
    }
    for path in &report.unproved {
        line("warning", format!("`{path}`: no entry speaks of this file"));
    }
    text
}

fn present_and_erased(present: u64, erased: u64) -> String {
    if erased == 0 {
        return present.to_string();
    }
    format!("{present}, and {erased} erased on record")
}

/// An instant in UTC, to the second, as RFC 3339 writes it. Days become a date by the usual
/// arithmetic on 400-year cycles that begin on 1 March.
fn utc(us: i64) -> String {
    let seconds = us.div_euclid(1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let since_0000_03_01 = days + 719_468;
    let cycle = since_0000_03_01.div_euclid(146_097);
    let day_of_cycle = since_0000_03_01.rem_euclid(146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn instants_are_shown_in_utc() {
        for (us, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (951_868_799_999_999, "2000-02-29T23:59:59Z"),
            (1_767_225_600_000_000, "2026-01-01T00:00:00Z"),
            (4_107_542_399_000_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(us), shown);
        }
    }
}
