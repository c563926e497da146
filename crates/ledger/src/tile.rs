//! Owns the file layout of the tree (c2sp.org/tlog-tiles): paths of tiles and entry bundles and the
//! bytes inside. A tile of level L holds up to 256 hashes, each the root of 256^L leaves. It must
//! never know where files are kept.

use crate::digest::Digest;
use crate::tree::node_hash;

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: usize = 256;

/// The path of a hash tile; `width` below 256 marks a partial one.
pub fn tile_path(level: u8, index: u64, width: usize) -> String {
    format!("tile/{level}/{}{}", number(index), partial(width))
}

/// The path of a bundle of entries.
pub fn entries_path(index: u64, width: usize) -> String {
    format!("tile/entries/{}{}", number(index), partial(width))
}

/// `1234067` is `x001/x234/067`.
fn number(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn partial(width: usize) -> String {
    if width < TILE_WIDTH { format!(".p/{width}") } else { String::new() }
}

/// A tile that is complete, or as far as the tree goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its level.
    pub level: u8,
    /// Its place in the level, from 0.
    pub index: u64,
    /// One to 256 hashes.
    pub hashes: Vec<Digest>,
}

impl Tile {
    /// Its path in a bundle.
    pub fn path(&self) -> String {
        tile_path(self.level, self.index, self.hashes.len())
    }

    /// Its bytes: the hashes, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.0).collect()
    }
}

/// Cuts a growing tree into tiles in bounded memory: at most 256 hashes a level.
#[derive(Debug, Clone, Default)]
pub struct TileCutter {
    levels: Vec<Tile>,
}

impl TileCutter {
    /// Begins with an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf's hash and returns the tiles that it fills, lowest first.
    pub fn append(&mut self, leaf: Digest) -> Vec<Tile> {
        let mut full = Vec::new();
        let mut hash = leaf;
        for level in 0..u8::MAX {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Tile { level, index: 0, hashes: Vec::with_capacity(TILE_WIDTH) });
            }
            let Some(tile) = self.levels.get_mut(at) else {
                break;
            };
            tile.hashes.push(hash);
            if tile.hashes.len() < TILE_WIDTH {
                break;
            }
            hash = full_root(&tile.hashes);
            let next =
                Tile { level, index: tile.index + 1, hashes: Vec::with_capacity(TILE_WIDTH) };
            full.push(std::mem::replace(tile, next));
        }
        full
    }

    /// The partial tiles at the edge of the tree, lowest first.
    pub fn finish(self) -> Vec<Tile> {
        self.levels.into_iter().filter(|tile| !tile.hashes.is_empty()).collect()
    }
}

/// The root of a power of two of hashes.
fn full_root(hashes: &[Digest]) -> Digest {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied().unwrap_or_else(crate::tree::empty_root)
}

/// Appends one entry to the bytes of an entry bundle: 16-bit big-endian length, then the bytes.
/// Returns whether it fits.
#[must_use]
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else {
        return false;
    };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// The entries of an entry bundle, or `None` when its lengths do not add up.
pub fn split_entries(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = after;
    }
    Some(entries)
}
