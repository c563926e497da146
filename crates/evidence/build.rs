//! Lists the vocabulary and the mappings as text compiled into the crate, so that a new file is
//! a new table or mapping and nothing else has to be touched.

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    let manifest_dir = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = Path::new(&manifest_dir).join("../..");
    let mut out = String::new();
    for (constant, folder) in [("VOCABULARY", "vocabulary"), ("MAPPINGS", "mappings")] {
        let folder = root.join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path.canonicalize()?);
            }
        }
        files.sort();
        let _ = writeln!(out, "pub(crate) const {constant}: &[(&str, &str)] = &[");
        for file in files {
            let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned());
            let stem = stem.unwrap_or_default();
            let _ =
                writeln!(out, "    ({stem:?}, include_str!({:?})),", file.display().to_string());
        }
        out.push_str("];\n");
    }
    let target = env::var("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&target).join("embedded.rs"), out)
}
