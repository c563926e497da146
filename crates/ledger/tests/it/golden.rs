//! Golden bytes, computed outside this crate from the words of its documentation (Python's `hashlib`
//! and `cryptography`). A change here breaks every ledger that exists.

use backstay_ledger::evidence::EvidenceDigest;
use backstay_ledger::{
    Checkpoint, Digest, Entry, EntryDraft, EntryError, EntryKind, Frontier, Precondition, Salt,
    SaltedDigest, SigningKey, leaf_hash, node_hash,
};

const INIT: &[u8] = include_bytes!("../golden/entry-init.txt");
const FULL: &[u8] = include_bytes!("../golden/entry-full.txt");
const CHECKPOINT: &str = include_str!("../golden/checkpoint");
const SALTED: &str = "4907c4fbbed96cf379408498f95ae06190ee392dae31c5c4f139895a3371037c";
const ROOT: &str = "86b38667d2424fe96f79ae69e966498e5d3fd1b22a8694478ecdc417bcf653b5";

fn full_draft() -> EntryDraft {
    EntryDraft {
        actor: "provider\\desk\t\x7f é".to_owned(),
        kind: "from-the-future-2".parse().unwrap(),
        arrangements: ["claims-chennai", "é", "A b", "é"].map(str::to_owned).to_vec(),
        preconditions: vec![
            Precondition {
                table: "service_level".to_owned(),
                key: " SL 3 ".to_owned(),
                expected_seq: u64::MAX,
            },
            Precondition {
                table: "assignment".to_owned(),
                key: "[\"p-1\"]\x1f2026-01-01".to_owned(),
                expected_seq: 0,
            },
        ],
        payload: SALTED.parse().unwrap(),
    }
}

#[test]
fn the_first_entry_has_the_golden_bytes() {
    let salt = Salt(std::array::from_fn(|n| n as u8));
    let payload = SaltedDigest::of(&salt, br#"{"objects":[]}"#);
    assert_eq!(payload.to_hex(), SALTED);
    let draft = EntryDraft {
        actor: "a-17".to_owned(),
        kind: EntryKind::Init,
        arrangements: Vec::new(),
        preconditions: Vec::new(),
        payload,
    };
    let entry = draft.seal(1, 1_767_225_600_000_000, None).unwrap().0;
    assert_eq!(entry.to_bytes(), INIT);
    assert_eq!(
        entry.leaf_hash().to_hex(),
        "0d167c7384b178d5385451c90301256e53a2fad830e1f8f3708f7c8446f2a966"
    );
    assert_eq!(entry.leaf_index(), 0);
}

#[test]
fn a_full_entry_of_an_unknown_kind_has_the_golden_bytes_and_is_read_back() {
    let entry = full_draft().seal(2, -1, Some(-1)).unwrap().0;
    assert_eq!(
        String::from_utf8(entry.to_bytes()).unwrap(),
        String::from_utf8(FULL.to_vec()).unwrap()
    );
    let read = Entry::from_bytes(FULL).unwrap();
    assert_eq!(read, entry);
    assert_eq!(read.kind.as_str(), "from-the-future-2");
    assert_eq!(read.kind.bears_evidence(), None);
    assert_eq!(
        read.leaf_hash().to_hex(),
        "65cb5211d7f1d66018f08caf6227c86aadd7143628fdd2f26faac1515b4d170f"
    );
    assert_eq!(node_hash(&leaf_hash(INIT), &leaf_hash(FULL)).to_hex(), ROOT);
}

#[test]
fn bytes_that_would_not_be_written_are_refused() {
    let full = String::from_utf8(FULL.to_vec()).unwrap();
    for (what, from, to) in [
        ("a later version", "backstay-entry/1", "backstay-entry/2"),
        ("a plus sign", "sequence 2", "sequence +2"),
        ("a leading zero", "sequence 2", "sequence 02"),
        ("sequence 0", "sequence 2", "sequence 0"),
        ("an empty actor", "actor provider\\\\desk\\x09\\x7f é", "actor "),
        ("an escape without need", "actor provider", "actor \\x70rovider"),
        ("an upper-case escape", "\\x7f", "\\x7F"),
        ("an unknown escape", "\\x7f", "\\n"),
        ("a cut escape", "\\x7f é", "\\x7"),
        ("a tab as it is", "\\x09", "\t"),
        ("an upper-case kind", "kind from", "kind From"),
        ("a field too many", "kind from", "colour red\nkind from"),
        ("a repeated arrangement", "arrangement A b\n", "arrangement A b\narrangement A b\n"),
        (
            "unsorted arrangements",
            "arrangement A b\narrangement claims-chennai",
            "arrangement claims-chennai\narrangement A b",
        ),
        ("a table with a blank", "0 assignment", "0 Assignment"),
        ("a negative sequence", "precondition 0", "precondition -0"),
        ("an upper-case digest", "payload 4907c4", "payload 4907C4"),
        ("a short digest", "payload 49", "payload "),
        ("a line after the end", "371037c\n", "371037c\n\n"),
        ("no last line feed", "371037c\n", "371037c"),
        ("carriage returns", "\n", "\r\n"),
    ] {
        let changed = full.replacen(from, to, if what == "carriage returns" { 99 } else { 1 });
        assert_ne!(changed, full, "{what} changed nothing");
        assert!(Entry::from_bytes(changed.as_bytes()).is_err(), "{what} was accepted");
    }
    assert!(Entry::from_bytes(b"").is_err());
    assert!(Entry::from_bytes(&[0xff, b'\n']).is_err());
}

#[test]
fn a_draft_that_breaks_a_rule_is_not_sealed() {
    let seal = |change: fn(&mut EntryDraft)| {
        let mut draft = full_draft();
        change(&mut draft);
        draft.seal(2, 0, None)
    };
    assert!(matches!(full_draft().seal(0, 0, None), Err(EntryError::SequenceZero)));
    assert!(matches!(
        full_draft().seal(2, 9, Some(10)),
        Err(EntryError::RecordedEarlier { sequence: 2, recorded_at_us: 9, previous_us: 10 })
    ));
    assert!(matches!(
        seal(|draft| draft.actor.clear()),
        Err(EntryError::Field { field: "actor", .. })
    ));
    assert!(matches!(
        seal(|draft| draft.arrangements.push(String::new())),
        Err(EntryError::Field { field: "arrangement", .. })
    ));
    assert!(matches!(
        seal(|draft| draft.preconditions[0].table = "Sla 3".to_owned()),
        Err(EntryError::Field { .. })
    ));
    assert!(matches!(
        seal(|draft| {
            let mut again = draft.preconditions[0].clone();
            again.expected_seq = 4;
            draft.preconditions.push(again);
        }),
        Err(EntryError::PreconditionTwice { .. })
    ));
    assert!(matches!(
        seal(|draft| draft.actor = "a".repeat(70_000)),
        Err(EntryError::TooLong { .. })
    ));
    assert!("Import".parse::<EntryKind>().is_err());
    assert!("".parse::<EntryKind>().is_err());
    assert!("9lives".parse::<EntryKind>().is_err());
}

#[test]
fn every_known_kind_is_read_back_as_itself() {
    for name in [
        "init",
        "import",
        "reread",
        "edit",
        "correction",
        "retract",
        "decision",
        "assessment",
        "settings",
        "erase",
        "key",
        "disclosure",
        "access",
    ] {
        let kind: EntryKind = name.parse().unwrap();
        assert!(!matches!(kind, EntryKind::Other(_)), "{name}");
        assert_eq!(kind.as_str(), name);
        assert!(kind.bears_evidence().is_some(), "{name}");
    }
}

#[test]
fn the_evidence_digest_has_the_golden_values() {
    let mut digest = EvidenceDigest::empty();
    assert_eq!(digest.to_hex(), "9eb07f21235365ec6a313d328a0d0b27a0cfd7f627860238eee0cc597c906770");
    for (kind, after) in [
        ("import", "7b9cb951fa59a8acd205b966f5b9c8fc42139e3a2fa9c92ed227a6a98a0ddca3"),
        ("correction", "7b60f713fa9aadd20b6bffdc244821e72bc5b977efe21d1c516ed2246be538aa"),
        ("retract", "ae0020caeaa09e9b676c593c6f6ea033fc2ce637f980f82ddfab5ac575c4ac69"),
    ] {
        let content = Digest::of_content(kind.as_bytes());
        digest = digest.advance(&kind.parse().unwrap(), &content).unwrap();
        assert_eq!(digest.to_hex(), after);
    }
    assert_eq!(
        Digest::of_content(b"content").to_hex(),
        "ece6767e63a28e0728ed62174ff2537190d5c3009f297958052da78f28b13464"
    );
}

#[test]
fn kinds_without_evidence_leave_the_evidence_digest_and_unknown_kinds_refuse_it() {
    let digest = EvidenceDigest::empty();
    let content = Digest::of_content(b"anything");
    for kind in ["init", "assessment", "settings", "erase", "key", "disclosure", "access"] {
        assert_eq!(digest.advance(&kind.parse().unwrap(), &content), Ok(digest));
    }
    assert!(digest.advance(&"later".parse().unwrap(), &content).is_err());
}

#[test]
fn key_and_checkpoint_have_the_golden_bytes() {
    let seed: [u8; 32] = std::array::from_fn(|n| 100 + n as u8);
    let key = SigningKey::from_seed("backstay/0b6e", &seed).unwrap();
    assert_eq!(
        key.verifier().to_string(),
        "backstay/0b6e+77336f67+AQu8NGpXZnw4ASC9nH/X5R0sX9/qN80vW/QFssa/by14"
    );
    let checkpoint = Checkpoint {
        origin: backstay_ledger::checkpoint::origin_of("0b6e"),
        size: 2,
        root: ROOT.parse().unwrap(),
    };
    assert_eq!(checkpoint.sign(&key).unwrap(), CHECKPOINT);
    assert_eq!(Checkpoint::verify(CHECKPOINT, &key.verifier()).unwrap(), checkpoint);
}

#[test]
fn a_frontier_has_the_golden_bytes() {
    let mut frontier = Frontier::new();
    for n in 0..5 {
        frontier.append(leaf_hash(n.to_string().as_bytes()));
    }
    assert_eq!(
        hex::encode(frontier.to_bytes()),
        "00000000000000059f4a3fc20d4162dc37d4e23d907848731a76043ffff6d69288bf1abfbcff478e11e1f558223f4c71b6be1cecfd1f0de87146d2594877c27b29ec519f9040213c"
    );
    assert_eq!(Frontier::from_bytes(&frontier.to_bytes()), Ok(frontier.clone()));
    let bytes = frontier.to_bytes();
    assert!(Frontier::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(Frontier::from_bytes(&bytes[..40]).is_err());
    assert!(Frontier::from_bytes(&[]).is_err());
}
