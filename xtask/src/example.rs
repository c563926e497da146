//! The worked example: written by the simulator from its fixed seed, or compared with it.

use std::{fs, path::Path};

use backstay_sim::{MERIDIAN_SEED, Scenario, simulate};

/// Writes `examples/meridian`, or with `check_only` compares it.
///
/// # Errors
/// When a file cannot be written, or differs.
pub fn run(root: &Path, check_only: bool) -> Result<(), String> {
    let folder = root.join("examples/meridian");
    let made = simulate(&Scenario::meridian(MERIDIAN_SEED)).map_err(|error| error.to_string())?;
    if check_only {
        let differs =
            |name: &&str, bytes: &[u8]| fs::read(folder.join(name)).ok().as_deref() != Some(bytes);
        let found = made.files.iter().find(|(name, bytes)| differs(&name.as_str(), bytes));
        return match found {
            Some((name, _)) => Err(format!("{name} differs; run `cargo xtask example`")),
            None => Ok(()),
        };
    }
    made.write(&folder).map_err(|error| error.to_string())?;
    eprintln!("wrote {} files under {}", made.files.len(), folder.display());
    Ok(())
}
