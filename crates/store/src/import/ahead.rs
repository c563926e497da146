//! Reads a source in a thread of its own: each piece is hashed, encrypted, and then handed to
//! whoever takes it apart. Owns the queue between the two, which is bounded; never looks at a byte.

use std::{
    io::{self, Read, Write as _},
    sync::mpsc::{Receiver, SyncSender},
};

use backstay_privacy::SourceWriter;
use sha2::{Digest as _, Sha256};

use crate::backend::Staged;

/// Bytes of a piece.
const PIECE: u64 = 256 << 10;
/// Pieces that may wait: with the one at either end, under 3 MiB.
pub(super) const WAITING: usize = 8;

/// What was read of a source, once all of it was.
pub(super) struct Whole {
    pub(super) digest: [u8; 32],
    pub(super) bytes: u64,
    pub(super) writer: Option<SourceWriter<Staged>>,
}

/// Reads, hashes and encrypts to the end, or until nobody takes the pieces. What goes wrong on the
/// way is handed on as if reading had failed.
pub(super) fn read_ahead(
    mut source: Box<dyn Read + Send>,
    mut writer: Option<SourceWriter<Staged>>,
    to: SyncSender<io::Result<Vec<u8>>>,
) -> Whole {
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    loop {
        let read = piece(&mut source).and_then(|piece| {
            hasher.update(&piece);
            bytes += piece.len() as u64;
            match &mut writer {
                Some(writer) => writer.write_all(&piece).map(|()| piece),
                None => Ok(piece),
            }
        });
        let last = read.as_ref().map_or(true, Vec::is_empty);
        if to.send(read).is_err() || last {
            return Whole { digest: hasher.finalize().into(), bytes, writer };
        }
    }
}

/// The next bytes; none at the end.
fn piece(source: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(usize::try_from(PIECE).unwrap_or_default());
    source.take(PIECE).read_to_end(&mut piece)?;
    Ok(piece)
}

/// The taking end, as a reader.
pub(super) struct Ahead {
    from: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Ahead {
    pub(super) fn new(from: Receiver<io::Result<Vec<u8>>>) -> Self {
        Self { from, piece: Vec::new(), at: 0, ended: false }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.ended {
            // Without an end the thread is gone, and its panic comes out where it is joined.
            self.piece = self.from.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
            self.at = 0;
            self.ended = self.piece.is_empty();
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let (count, taken) = (rest.len().min(buffer.len()), self.at);
        if let (Some(to), Some(from)) =
            (buffer.get_mut(..count), self.piece.get(taken..taken + count))
        {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    /// Gives so many bytes, then an end or an error.
    struct Given(u64, bool);

    impl Read for Given {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 && self.1 {
                return Err(io::Error::other("the disk is gone"));
            }
            let count = buffer.len().min(usize::try_from(self.0).unwrap()).min(70_001);
            for (at, byte) in buffer[..count].iter_mut().enumerate() {
                *byte = (self.0 - at as u64) as u8;
            }
            self.0 -= count as u64;
            Ok(count)
        }
    }

    fn read(given: Given) -> (io::Result<Vec<u8>>, Whole) {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || read_ahead(Box::new(given), None, sender));
        let mut all = Vec::new();
        let result = Ahead::new(receiver).read_to_end(&mut all).map(|_| all);
        (result, thread.join().unwrap())
    }

    #[test]
    fn bytes_come_out_as_they_went_in_and_are_hashed_to_the_last() {
        for length in [0, 1, PIECE, PIECE + 1, 10 * PIECE + 77] {
            let mut plain = Vec::new();
            Given(length, false).read_to_end(&mut plain).unwrap();
            let (read, whole) = read(Given(length, false));
            assert!(read.unwrap() == plain, "{length}");
            assert_eq!(whole.bytes, length);
            assert_eq!(whole.digest, <[u8; 32]>::from(Sha256::digest(&plain)));
        }
    }

    #[test]
    fn an_error_of_the_disk_comes_out_where_the_bytes_do() {
        let (read, _) = read(Given(3 * PIECE, true));
        assert_eq!(read.unwrap_err().to_string(), "the disk is gone");
    }

    #[test]
    fn the_thread_ends_when_nobody_takes_the_bytes() {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || {
            read_ahead(Box::new(Given(100 * PIECE, false)), None, sender)
        });
        drop(Ahead::new(receiver));
        assert!(thread.join().unwrap().bytes < 100 * PIECE);
    }
}
