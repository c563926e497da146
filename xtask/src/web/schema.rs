//! `cargo xtask schema-check`: schemathesis, the public tester of interfaces, reads the OpenAPI document of
//! a running server and asks everything that it describes, rightly and wrongly. It is had from the package
//! registry into an environment of its own below the build folder.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::house::House;

/// Its version.
const VERSION: &str = "4.32.5";
/// Requests of each kind to each route.
const EXAMPLES: &str = "20";
/// What is asked of every answer. Not asked is whether everything that fits the document is taken: a cursor
/// is one that was given out, SQL must be right and a column must be there, which no schema can say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,\
    missing_required_header,unsupported_method,allow_header_conformance,ignored_auth";
/// Seconds that nobody waits for; the first figures of a debug build on a busy machine take long.
const PATIENCE: &str = "300";

/// Asks a server of the worked example everything that its document describes.
///
/// # Errors
/// The tester cannot be had; an answer that the document does not describe; a server that broke.
pub fn check(program: &Path, target: &Path) -> Result<(), String> {
    let tester = tester(target)?;
    let scratch = tempfile::tempdir().map_err(|error| format!("no folder to work in: {error}"))?;
    let house = House::new(program, scratch.path(), "meridian");
    house.run(&["demo", "--no-serve", "meridian"])?;
    let machine = "machine@example.org";
    house.account(machine, "Machine", None, &["vendor-manager@all", "analyst@all"])?;
    let told = house.within(&["account", "token", machine, "--for", "schema check"])?;
    let token = told.split_whitespace().find(|word| word.starts_with("backstay_token_"));
    let token = token.ok_or_else(|| format!("no token was printed: {told}"))?;
    let served = house.serve()?;
    let asked = Command::new(&tester)
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", served.base))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", CHECKS, "--continue-on-failure"])
        .args(["--max-examples", EXAMPLES, "--seed", "1", "--workers", "2"])
        .args(["--phases", "examples,coverage,fuzzing", "--request-timeout", PATIENCE])
        .args(["--max-response-time", PATIENCE])
        .args(["--generation-database", "none", "--no-color"])
        .current_dir(scratch.path())
        .output()
        .map_err(|error| format!("{}: {error}", tester.display()))?;
    let said = String::from_utf8_lossy(&asked.stdout);
    let errors = served.errors();
    if !asked.status.success() || !errors.is_empty() {
        return Err(format!("{said}\nthe interface is not as its document says; {errors:?}"));
    }
    let of = |word: &str| said.lines().find(|line| line.contains(word)).unwrap_or_default().trim();
    println!("interface: {}, {}: as its document says", of("selected /"), of("generated"));
    Ok(())
}

/// The tester's program, installed if it is not there.
fn tester(target: &Path) -> Result<PathBuf, String> {
    let folder = target.join("tools").join(format!("schemathesis-{VERSION}"));
    let program = folder.join("bin/st");
    if program.is_file() {
        return Ok(program);
    }
    let remedy = |why: String| {
        format!(
            "schemathesis {VERSION} cannot be had ({why}), so the interface cannot be tested by it; \
             install Python 3 with its venv module and be on a network"
        )
    };
    let pip = folder.join("bin/pip").display().to_string();
    let place = folder.display().to_string();
    let wanted = format!("schemathesis=={VERSION}");
    let steps: [&[&str]; 2] =
        [&["python3", "-m", "venv", &place], &[&pip, "install", "--quiet", &wanted]];
    for step in steps {
        let Some((program, arguments)) = step.split_first() else { continue };
        let done = Command::new(program).args(arguments).output();
        let done = done.map_err(|error| remedy(format!("`{program}`: {error}")))?;
        if !done.status.success() {
            return Err(remedy(String::from_utf8_lossy(&done.stderr).trim().to_owned()));
        }
    }
    Ok(program)
}
