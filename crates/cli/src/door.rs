//! The door itself: the machine's clock, randomness, the terminal, and which workspace is meant.
//! Nothing else in the product asks the machine for these.

use std::{
    env, fs,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub use backstay_desk::error::because;
use backstay_desk::evidence::{self, Seen};
use backstay_report::layout::{Look, Page, Tone};
use backstay_store::{Ctx, Workspace};

use crate::error::{CliError, writing};

/// Characters in a line when nobody looks: reports, files, pipes.
const UNSEEN_WIDTH: usize = 100;

/// Exit code of a process that was interrupted, as shells know it.
const INTERRUPTED: u8 = 130;

/// Now, in microseconds UTC.
#[expect(clippy::disallowed_methods, reason = "this is the door that reads the clock")]
pub fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Bytes that nobody can guess.
///
/// # Errors
/// When the operating system gives none.
#[expect(clippy::disallowed_methods, reason = "this is the door that draws randomness")]
pub fn random_bytes<const N: usize>() -> Result<[u8; N], CliError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| CliError::failed(format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}

/// Fills bytes with what nobody can guess; false: the operating system gives none.
#[expect(clippy::disallowed_methods, reason = "this is the door that draws randomness")]
pub fn fill_random(bytes: &mut [u8]) -> bool {
    getrandom::fill(bytes).is_ok()
}

/// A flag that Ctrl-C, or a request to end, raises; asked a second time the process ends at once.
///
/// # Errors
/// When the system lets nobody listen for it.
pub fn stop_flag() -> Result<Arc<AtomicBool>, CliError> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
    .map_err(|error| CliError::failed(format!("Ctrl-C cannot be listened for: {error}")))?;
    Ok(flag)
}

/// Who acts, as the ledger records it: `BACKSTAY_ACTOR`, else the user's login name.
pub fn actor() -> String {
    let named = ["BACKSTAY_ACTOR", "USER", "LOGNAME", "USERNAME"];
    let found = named.iter().find_map(|name| env::var(name).ok().filter(|v| !v.trim().is_empty()));
    found.map_or_else(|| "operator".to_owned(), |name| name.trim().to_owned())
}

/// How text on standard output is to look: as wide as the terminal, in colour only there and only
/// when `NO_COLOR` is not set.
pub fn look() -> Look {
    let stdout = std::io::stdout();
    let wanted = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let seen = stdout
        .is_terminal()
        .then(terminal_size::terminal_size)
        .flatten()
        .map(|(width, _)| usize::from(width.0));
    let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
    Look::new(wanted.or(seen).unwrap_or(UNSEEN_WIDTH), colour)
}

/// How text in a file is to look.
pub fn plain_look() -> Look {
    Look::new(UNSEEN_WIDTH, false)
}

/// Writes to standard output.
///
/// # Errors
/// [`CliError::ReaderGone`] when the reader went away.
pub fn print(text: &str) -> Result<(), CliError> {
    print_bytes(text.as_bytes())
}

/// Writes paragraphs, a line of `text` each, to standard output, wrapped to the page.
///
/// # Errors
/// As [`print`].
pub fn tell(text: &str) -> Result<(), CliError> {
    let mut page = Page::new(look());
    for line in text.lines() {
        page.paragraph(0, line, Tone::Plain);
    }
    print(&page.finish())
}

/// Writes bytes to standard output.
///
/// # Errors
/// [`CliError::ReaderGone`] when the reader went away.
pub fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| writing(&error))
}

/// Writes a value as indented JSON to standard output.
///
/// # Errors
/// When the value cannot be written.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::failed(format!("the result cannot be written: {error}")))?;
    text.push('\n');
    print(&text)
}

/// A remark to the user beside the output.
pub fn remark(text: &str) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The folder of the workspace that is meant: `-w` or `BACKSTAY_WORKSPACE`, else the current one.
///
/// # Errors
/// When none is named and the current folder is none.
pub fn workspace_dir(named: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(dir) = named {
        return Ok(dir.to_owned());
    }
    if Path::new("workspace.toml").is_file() {
        return Ok(PathBuf::from("."));
    }
    Err(CliError::usage(
        "no workspace is named, and the current folder is none",
        "name one with `-w DIR` or BACKSTAY_WORKSPACE, or make one with `backstay init DIR`",
    ))
}

/// Reads a text file that the user named.
///
/// # Errors
/// When it cannot be read; the message names it.
pub fn read_text(path: &Path) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|error| {
        CliError::failed(format!("`{}` cannot be read: {}", path.display(), because(&error)))
    })
}

/// Whether a folder is missing or holds nothing.
///
/// # Errors
/// When it cannot be looked into, or is no folder.
pub fn is_free(dir: &Path) -> Result<bool, CliError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(CliError::failed(format!(
            "`{}` cannot be looked into: {}",
            dir.display(),
            because(&error)
        ))),
    }
}

/// Opens the workspace that is meant.
///
/// # Errors
/// When none is named, or what is named is none.
pub fn open(named: Option<&Path>) -> Result<Workspace, CliError> {
    let workspace = Workspace::open(&workspace_dir(named)?)?;
    Ok(workspace.on_waiting(|| remark("waiting: another process is writing to this workspace")))
}

/// The evidence of some arrangements (none named: of all) as of what `--as-of` says.
///
/// # Errors
/// An entry that is not there, an arrangement without evidence, a catalogue file that is wrong.
pub fn see(workspace: &Workspace, as_of: Option<&str>, scope: &[String]) -> Result<Seen, CliError> {
    Ok(evidence::see(workspace, as_of, scope, now_us())?)
}

/// Who acts, when, and with which randomness, for one change of a workspace.
///
/// # Errors
/// Those of `work`, or when the system gives no randomness.
pub fn with_context<T, E>(work: impl FnOnce(&mut Ctx<'_>) -> Result<T, E>) -> Result<T, CliError>
where
    CliError: From<E>,
{
    let actor = actor();
    let mut lacking = None;
    let mut random = |bytes: &mut [u8]| {
        #[expect(clippy::disallowed_methods, reason = "this is the door that draws randomness")]
        if let Err(error) = getrandom::fill(bytes) {
            lacking = Some(error);
        }
    };
    let done = work(&mut Ctx { now_us: now_us(), actor: &actor, random: &mut random });
    match lacking {
        Some(error) => Err(CliError::failed(format!("the system gives no randomness: {error}"))),
        None => Ok(done?),
    }
}

/// How a further command on the same workspace begins: with `-w` unless the workspace would be found
/// without it.
pub fn command(named: Option<&Path>) -> String {
    let known = env::var_os("BACKSTAY_WORKSPACE").map(PathBuf::from);
    match named.filter(|dir| known.as_deref() != Some(dir)) {
        Some(dir) => format!("backstay -w {}", quoted(&dir.display().to_string())),
        None => "backstay".to_owned(),
    }
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
