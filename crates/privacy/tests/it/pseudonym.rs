//! Pseudonyms: golden values computed outside this crate (Python's `hmac` and `unicodedata`), and
//! what must never collide.

use std::collections::BTreeSet;

use backstay_privacy::pseudonym::is_pseudonym;
use backstay_privacy::{PseudonymKey, normalise_id};
use proptest::prelude::*;

fn key() -> PseudonymKey {
    PseudonymKey::new(std::array::from_fn(|n| n as u8))
}

#[test]
fn pseudonyms_have_the_golden_values() {
    for (party, kind, id, pseudonym) in [
        ("northwind", "employee", "149", "p-60011646314c9bc8414177d33a756c8c68ace48e"),
        ("southwind", "employee", "149", "p-b0c1217ba70a375edc01fafcad4528f0e8ef8c06"),
        ("northwind", "badge", "149", "p-dfa3578c53b390297599ef6b356dd4a33aac9e7e"),
        (
            "northwind",
            "employee",
            "  J\u{fc}rgen\u{a0} WEI\u{1e9e}\u{feff} ",
            "p-a84da3c6948dfee0ca65676d4ad8ab48e4b9ec33",
        ),
        (
            "northwind",
            "employee",
            "Ju\u{308}rgen weiss",
            "p-a84da3c6948dfee0ca65676d4ad8ab48e4b9ec33",
        ),
    ] {
        let found = key().pseudonymise(party, kind, id).unwrap();
        assert_eq!(found, pseudonym, "{party}, {kind}, `{id}`");
        assert!(is_pseudonym(&found));
    }
}

#[test]
fn one_id_has_one_spelling() {
    for (written, normal) in [
        ("149", "149"),
        ("0149", "0149"),
        (" ana  MARIA\tcruz\r\n", "ana maria cruz"),
        ("a\u{200b}b\u{2060}c", "abc"),
        ("\u{3000}X\u{2003}Y", "x y"),
        ("STRASSE", "strasse"),
        ("Stra\u{df}e", "strasse"),
        (
            "\u{39f}\u{394}\u{3a5}\u{3a3}\u{3a3}\u{395}\u{3a5}\u{3a3}",
            "\u{3bf}\u{3b4}\u{3c5}\u{3c3}\u{3c3}\u{3b5}\u{3c5}\u{3c3}",
        ),
        ("\u{3c2}", "\u{3c3}"),
        ("\u{212b}", "\u{e5}"),
        ("A\u{30a}", "\u{e5}"),
        ("o'neil@x.com", "o'neil@x.com"),
    ] {
        assert_eq!(normalise_id(written).as_deref(), Some(normal), "`{written}`");
    }
    for nothing in ["", "  \t", "\u{a0}\u{feff}", "\u{200b} "] {
        assert_eq!(normalise_id(nothing), None);
        assert_eq!(key().pseudonymise("northwind", "employee", nothing), None);
    }
}

#[test]
fn no_boundary_between_party_kind_and_id_can_be_moved() {
    let parts = ["", "a", "b", "ab", "ba", "aab", "a b", "\0", "\0\0\0\u{1}a"];
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for party in parts {
        for kind in parts {
            for id in ["a", "b", "ab", "ba", "aab", "a b", "\0", "\0\0\0\u{1}a"] {
                seen.insert(key().pseudonymise(party, kind, id).unwrap());
                count += 1;
            }
        }
    }
    assert_eq!(seen.len(), count);
}

#[test]
fn what_is_no_pseudonym_is_told_apart() {
    for text in [
        "149",
        "p-",
        "p-60011646314c9bc8414177d33a756c8c68ace48",
        "p-60011646314c9bc8414177d33a756c8c68ace48ee",
        "p-60011646314C9BC8414177D33A756C8C68ACE48E",
        "q-60011646314c9bc8414177d33a756c8c68ace48e",
    ] {
        assert!(!is_pseudonym(text), "`{text}`");
    }
}

proptest! {
    #[test]
    fn two_parties_never_share_a_pseudonym(
        one in "\\PC{0,12}", other in "\\PC{0,12}",
        kind in "[a-z_]{1,10}", id in "\\PC{1,16}",
    ) {
        prop_assume!(one != other);
        let found = key().pseudonymise(&one, &kind, &id);
        prop_assume!(found.is_some());
        prop_assert_ne!(found, key().pseudonymise(&other, &kind, &id));
    }

    #[test]
    fn two_keys_never_share_a_pseudonym(bytes in any::<[u8; 32]>(), id in "[a-z0-9]{1,16}") {
        prop_assume!(bytes != std::array::from_fn::<u8, 32, _>(|n| n as u8));
        let other = PseudonymKey::new(bytes);
        prop_assert_ne!(key().pseudonymise("a", "b", &id), other.pseudonymise("a", "b", &id));
    }

    #[test]
    fn normalising_twice_changes_nothing_more(id in "\\PC{0,24}|[ \\ta-zA-Z\u{300}-\u{30f}\u{345}\u{370}-\u{3ff}]{0,24}") {
        if let Some(normal) = normalise_id(&id) {
            let again = normalise_id(&normal);
            prop_assert_eq!(again.as_deref(), Some(normal.as_str()));
        }
    }

    #[test]
    fn white_space_and_ascii_case_do_not_matter(words in proptest::collection::vec("[a-z0-9.@-]{1,6}", 1..4)) {
        let plain = words.join(" ");
        let messy = format!("\t {} \u{a0}", words.join(" \u{2009} ").to_uppercase());
        prop_assert_eq!(normalise_id(&plain), normalise_id(&messy));
    }
}
