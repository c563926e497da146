//! Packs the worked example into one compressed archive inside the binary, so that `backstay demo`
//! needs nothing beside it. The archive is a run of (path, bytes), each preceded by its length as
//! eight big-endian bytes, in order of path.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

/// What a user does not hand in: the answers, and the text about the example.
const LEFT_OUT: [&str; 1] = ["truth.json"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let example = root.join("../../examples/meridian");
    println!("cargo:rerun-if-changed={}", example.display());
    let mut files = Vec::new();
    collect(&example, &example, &mut files)?;
    files.sort();
    if !files.iter().any(|name| name == "imports.toml") {
        let place = example.join("imports.toml");
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!(
                "`{}` is missing: remake the example with `cargo xtask example`",
                place.display()
            ),
        ));
    }
    let target = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("example.gz");
    let mut archive = GzEncoder::new(fs::File::create(target)?, Compression::best());
    for name in files {
        let bytes = fs::read(example.join(&name))?;
        for part in [name.as_bytes(), &bytes] {
            archive.write_all(&(part.len() as u64).to_be_bytes())?;
            archive.write_all(part)?;
        }
    }
    archive.finish()?.sync_all()
}

/// The files below `folder`, relative to `root`, with `/` between their parts.
fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(relative) = path.strip_prefix(root) {
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts.join("/");
            if !LEFT_OUT.contains(&name.as_str()) {
                files.push(name);
            }
        }
    }
    Ok(())
}
