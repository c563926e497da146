//! Seals under a workspace's key: a golden value computed outside this crate (Python's
//! `cryptography`, with HChaCha20 written from its draft), and what must not open.

use backstay_privacy::{SealError, VaultBox, WrapKey};
use proptest::prelude::*;

const PSEUDONYM: &str = "p-60011646314c9bc8414177d33a756c8c68ace48e";
const SEALED: &str = "0132333435363738393a3b3c3d3e3f4041424344454647484941b9e3ae0984251614121bae5f9650bce8587e952b667114218f6450746ec0057a04b1606ea05c6fbd57ba0e6ec022c136bf95f9c9ebe86da7118b0646ee7dc6568f2acd5ad89b99478bc0195e5e0573";

fn key() -> WrapKey {
    WrapKey::new(std::array::from_fn(|n| n as u8))
}

fn nonce() -> [u8; 24] {
    std::array::from_fn(|n| 50 + n as u8)
}

#[test]
fn a_sealed_name_has_the_golden_bytes() {
    let vault = VaultBox::new(key());
    let sealed = vault.seal(PSEUDONYM, "Jürgen Weiß", nonce()).unwrap();
    assert_eq!(hex::encode(&sealed), SEALED);
    let opened = vault.open(PSEUDONYM, &sealed).unwrap();
    assert_eq!(&*opened, "Jürgen Weiß");
    assert_eq!(format!("{opened:?}"), "RealId(not shown)");
}

#[test]
fn a_name_opens_only_behind_its_own_pseudonym() {
    let vault = VaultBox::new(key());
    let sealed = vault.seal(PSEUDONYM, "Jürgen Weiß", nonce()).unwrap();
    let other = PSEUDONYM.replace("p-6", "p-7");
    assert_eq!(vault.open(&other, &sealed).err(), Some(SealError::Closed));
    let stranger = VaultBox::new(WrapKey::new([9; 32]));
    assert_eq!(stranger.open(PSEUDONYM, &sealed).err(), Some(SealError::Closed));
    assert!(key().open("source key", PSEUDONYM, &sealed).is_err());
    assert!(key().open("vault", PSEUDONYM, &sealed).is_ok());
}

#[test]
fn no_boundary_between_purpose_and_name_can_be_moved() {
    let sealed = key().seal("ab", "c", b"secret", nonce()).unwrap();
    assert!(key().open("a", "bc", &sealed).is_err());
    assert!(key().open("abc", "", &sealed).is_err());
}

#[test]
fn the_length_of_a_name_does_not_show() {
    let vault = VaultBox::new(key());
    let lengths: Vec<usize> = ["Al", "Bartholomew Featherstonehaugh-Cholmondeley"]
        .map(|name| vault.seal(PSEUDONYM, name, nonce()).unwrap().len())
        .to_vec();
    assert_eq!(lengths, [1 + 24 + 64 + 16; 2]);
}

#[test]
fn what_is_too_long_or_of_another_version_is_refused() {
    let long = vec![0; 65_537];
    assert_eq!(key().seal("p", "n", &long, nonce()), Err(SealError::TooLong(65_537)));
    assert!(key().seal("p", "n", &long[..65_536], nonce()).is_ok());
    let mut sealed = key().seal("p", "n", b"secret", nonce()).unwrap();
    sealed[0] = 2;
    assert_eq!(key().open("p", "n", &sealed).unwrap_err(), SealError::Format);
    assert_eq!(key().open("p", "n", &[]).unwrap_err(), SealError::Format);
    assert_eq!(key().open("p", "n", &[1; 10]).unwrap_err(), SealError::Format);
    assert_eq!(key().open("p", "n", &[1; 30]).unwrap_err(), SealError::Closed);
}

proptest! {
    #[test]
    fn every_secret_comes_back_and_every_flipped_bit_is_found(
        secret in proptest::collection::vec(any::<u8>(), 0..200),
        nonce in any::<[u8; 24]>(),
        at in any::<proptest::sample::Index>(), bit in 0_u8..8,
    ) {
        let mut sealed = key().seal("p", "n", &secret, nonce).unwrap();
        prop_assert_eq!(&*key().open("p", "n", &sealed).unwrap(), &secret[..]);
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(key().open("p", "n", &sealed).is_err());
    }
}
