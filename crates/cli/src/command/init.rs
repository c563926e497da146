//! `backstay init`: an empty workspace.

use std::path::Path;

use backstay_store::{InitOptions, Workspace};

use crate::{args::InitArgs, door, error::CliError};

pub fn run(args: &InitArgs) -> Result<u8, CliError> {
    make(&args.dir)?;
    let dir = args.dir.display();
    door::tell(&format!(
        "Workspace made in `{dir}`. Keep its folder `keys` safe: without it sources cannot be opened.\n\
         Next: backstay -w {dir} vocabulary list, then backstay -w {dir} import FILE\n"
    ))?;
    Ok(0)
}

/// Makes an empty workspace.
///
/// # Errors
/// When the folder holds something, or cannot be written.
pub fn make(dir: &Path) -> Result<Workspace, CliError> {
    let random = door::random_bytes()?;
    let options = InitOptions { now_us: door::now_us(), actor: door::actor(), random };
    Ok(Workspace::init(dir, options)?)
}
