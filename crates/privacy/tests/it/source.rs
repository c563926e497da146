//! Encryption of sources: round trips, bounded memory, and every way in which bytes can be wrong.

use std::cell::Cell;
use std::io::{self, Read, Write};

use backstay_privacy::{
    SourceError, SourceKey, SourceRecipient, SourceWriter, WrapKey, decrypt_stream, encrypt_stream,
};
use proptest::prelude::*;

const CHUNK: usize = 65_536;

fn sealed(key: &SourceKey, plain: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    let count = encrypt_stream(&key.recipient(), &mut &plain[..], &mut sealed).unwrap();
    assert_eq!(count, plain.len() as u64);
    sealed
}

fn opened(key: &SourceKey, sealed: &[u8]) -> Result<Vec<u8>, SourceError> {
    let mut plain = Vec::new();
    decrypt_stream(key, sealed)?.read_to_end(&mut plain)?;
    Ok(plain)
}

#[test]
fn what_is_sealed_opens_at_every_awkward_length() {
    let key = SourceKey::generate();
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
        let plain: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let sealed = sealed(&key, &plain);
        assert_eq!(opened(&key, &sealed).unwrap(), plain, "{length} bytes");
        assert!(length < 16 || !sealed.windows(16).any(|part| part == &plain[..16]));
    }
}

#[test]
fn the_same_source_twice_gives_other_bytes() {
    let key = SourceKey::generate();
    assert_ne!(sealed(&key, b"row"), sealed(&key, b"row"));
}

#[test]
fn another_key_opens_nothing() {
    let sealed = sealed(&SourceKey::generate(), b"row");
    assert!(matches!(opened(&SourceKey::generate(), &sealed), Err(SourceError::OtherKey)));
}

#[test]
fn a_writer_that_was_not_finished_leaves_nothing_that_opens() {
    let key = SourceKey::generate();
    let mut sealed = Vec::new();
    let mut writer = SourceWriter::new(&key.recipient(), &mut sealed).unwrap();
    writer.write_all(&[7; 2 * CHUNK]).unwrap();
    drop(writer);
    assert!(opened(&key, &sealed).is_err());
}

#[test]
fn every_cut_is_found() {
    let key = SourceKey::generate();
    let whole = sealed(&key, &[7; CHUNK + 100]);
    let header = whole.len() - (16 + CHUNK + 16 + 100 + 16);
    for length in (0..=header + 20).chain([
        whole.len() - CHUNK,
        whole.len() - 117,
        whole.len() - 116,
        whole.len() - 1,
    ]) {
        assert!(
            opened(&key, &whole[..length]).is_err(),
            "the first {length} of {} bytes opened",
            whole.len()
        );
    }
    let mut longer = whole;
    longer.push(0);
    assert!(opened(&key, &longer).is_err());
}

/// Yields a long run of bytes and counts how many were taken.
struct Endless<'c> {
    left: u64,
    taken: &'c Cell<u64>,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (buffer.len() as u64).min(self.left) as usize;
        buffer[..count].fill(7);
        self.left -= count as u64;
        self.taken.set(self.taken.get() + count as u64);
        Ok(count)
    }
}

/// Counts what is written and how far it lags behind what was taken.
struct Lag<'c> {
    written: u64,
    worst: u64,
    taken: &'c Cell<u64>,
}

impl Write for Lag<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let lag = self.taken.get().saturating_sub(self.written);
        self.worst = self.worst.max(lag);
        self.written += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn neither_direction_holds_more_than_a_few_chunks() {
    let key = SourceKey::generate();
    let long = 8 << 20;
    let taken = Cell::new(0);
    let mut lag = Lag { written: 0, worst: 0, taken: &taken };
    let mut endless = Endless { left: long, taken: &taken };
    encrypt_stream(&key.recipient(), &mut endless, &mut lag).unwrap();
    assert!(lag.written > long);
    assert!(lag.worst <= 3 * CHUNK as u64, "{} bytes held", lag.worst);

    let bytes = sealed(&key, &vec![7; long as usize]);
    let taken = Cell::new(0);
    let counting = bytes.as_slice();
    struct Counting<'b, 'c>(&'b [u8], &'c Cell<u64>);
    impl Read for Counting<'_, '_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.read(buffer)?;
            self.1.set(self.1.get() + count as u64);
            Ok(count)
        }
    }
    let mut plain = decrypt_stream(&key, Counting(counting, &taken)).unwrap();
    let mut lag = Lag { written: 0, worst: 0, taken: &taken };
    io::copy(&mut plain, &mut lag).unwrap();
    assert_eq!(lag.written, long);
    assert!(lag.worst <= 3 * CHUNK as u64, "{} bytes held", lag.worst);
}

#[test]
fn a_wrapped_key_opens_its_source_and_nothing_else_does() {
    let workspace = WrapKey::new([1; 32]);
    let key = SourceKey::generate();
    let bytes = sealed(&key, b"row");
    let wrapped = key.wrap(&workspace, "source-1", [2; 24]).unwrap();
    drop(key);
    let again = SourceKey::unwrap_sealed(&workspace, "source-1", &wrapped).unwrap();
    assert_eq!(opened(&again, &bytes).unwrap(), b"row");

    assert!(SourceKey::unwrap_sealed(&workspace, "source-2", &wrapped).is_err());
    assert!(SourceKey::unwrap_sealed(&WrapKey::new([3; 32]), "source-1", &wrapped).is_err());
    // A sealed value of the right key and name that holds no identity.
    let other = workspace.seal("source key", "source-1", b"not a key", [4; 24]).unwrap();
    assert!(matches!(
        SourceKey::unwrap_sealed(&workspace, "source-1", &other),
        Err(SourceError::Key(_))
    ));
}

#[test]
fn keys_and_recipients_have_a_text_form() {
    use backstay_privacy::source::ExposeSecret as _;
    let key = SourceKey::generate();
    let text = key.to_secret_text();
    let again = SourceKey::from_secret_text(text.expose_secret()).unwrap();
    assert!(again.recipient() == key.recipient());
    let open = key.recipient().to_string();
    assert!(open.starts_with("age1"));
    let read: SourceRecipient = open.parse().unwrap();
    assert_eq!(
        opened(&key, &{
            let mut bytes = Vec::new();
            encrypt_stream(&read, &mut b"row".as_slice(), &mut bytes).unwrap();
            bytes
        })
        .unwrap(),
        b"row"
    );
    assert!(SourceKey::from_secret_text(&open).is_err());
    assert!("age1nonsense".parse::<SourceRecipient>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_flipped_bit_anywhere_is_found(plain in proptest::collection::vec(any::<u8>(), 0..400), at in any::<proptest::sample::Index>(), bit in 0_u8..8) {
        let key = SourceKey::generate();
        let mut bytes = sealed(&key, &plain);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(opened(&key, &bytes).is_err());
    }
}

#[test]
fn a_header_without_end_is_refused_before_it_fills_the_memory() {
    let taken = Cell::new(0);
    let endless = Endless { left: 1 << 40, taken: &taken };
    let key = SourceKey::generate();
    assert!(matches!(
        decrypt_stream(&key, endless).err(),
        Some(SourceError::Format("its header is too long"))
    ));
    assert!(taken.get() <= 65_537);
}
