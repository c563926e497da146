//! The worked example that the binary carries, unpacked as a user would hand it in.

use std::{
    fs,
    io::{self, Read as _},
    path::{Component, Path},
};

use flate2::read::GzDecoder;

static ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/example.gz"));

/// Writes the example's files below `dir`; says how many.
///
/// # Errors
/// When a file cannot be written.
pub fn unpack(dir: &Path) -> io::Result<usize> {
    let mut archive = GzDecoder::new(ARCHIVE);
    let mut files = 0;
    while let Some(name) = read_part(&mut archive)? {
        let name = String::from_utf8(name).map_err(io::Error::other)?;
        let relative = Path::new(&name);
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(io::Error::other(format!("the example names `{name}` outside its folder")));
        }
        let bytes = read_part(&mut archive)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let path = dir.join(relative);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
        files += 1;
    }
    Ok(files)
}

/// The next length-prefixed part; nothing at the end.
fn read_part(archive: &mut impl io::Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match archive.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u64::from_be_bytes(length);
    let mut bytes = Vec::new();
    archive.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}
