//! Lists the catalogue's files as text compiled into the crate, so that a new file is a new control,
//! metric or risk and nothing else has to be touched.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let manifest_dir = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = Path::new(&manifest_dir).join("../../catalogue");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for folder in fs::read_dir(&root)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        println!("cargo:rerun-if-changed={}", folder.display());
        for file in fs::read_dir(&folder)? {
            let file = file?.path();
            if file.extension().is_some_and(|extension| extension == "md") {
                let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
                let below = [name(&folder), name(&file)].map(Option::unwrap_or_default).join("/");
                files.push((below, file.canonicalize()?));
            }
        }
    }
    files.sort();
    let mut out = String::from("pub(crate) const CATALOGUE: &[(&str, &str)] = &[\n");
    for (below, path) in files {
        let _ = writeln!(out, "    ({below:?}, include_str!({:?})),", path.display().to_string());
    }
    out.push_str("];\n");
    let target = env::var("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&target).join("catalogue.rs"), out)
}
