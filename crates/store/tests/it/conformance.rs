//! What every backend must do, run unchanged on each. A new backend adds one test below.

use backstay_evidence::manifest::{ImportNote, RetractTarget, Retraction};
use backstay_evidence::{Digest, Segment};
use backstay_ledger::{
    Digest as LedgerDigest, EntryKind, EvidenceDigest, Frontier, NodeSource as _, Precondition,
    Salt, SaltedDigest, consistency_proof, verify_consistency,
};
use backstay_store::StoreError;
use backstay_store::backend::{
    Append, Backend, Basis, Covers, Expectation, IndexWriter, MergedNote, RegisterRow, SecretKind,
    TailNote, VersionNote,
};
use std::io::{Read as _, Write as _};

pub fn append(kind: EntryKind, payload: &str, now_us: i64) -> Append {
    Append {
        actor: "a-1".into(),
        kind,
        arrangements: vec!["b".into(), "a".into()],
        expectations: Vec::new(),
        basis: Basis::Any,
        payload: payload.as_bytes().to_vec(),
        salt: Salt([now_us as u8; 32]),
        content: LedgerDigest::of_content(payload.as_bytes()),
        now_us,
    }
}

fn nothing(
    _: &backstay_store::backend::Sealed,
    _: &mut dyn IndexWriter,
) -> backstay_store::Result<()> {
    Ok(())
}

fn register(seq: u64, row: Option<&str>) -> RegisterRow {
    RegisterRow {
        table: "site".into(),
        arrangement_id: String::new(),
        key: "[\"manila\"]".into(),
        version: 0,
        seq,
        entry: seq,
        record: 1,
        item: 0,
        root: (1, 0),
        content: 7,
        row: row.map(str::to_owned),
    }
}

/// `open` gives a new way into the same backend, which is empty at first.
fn suite(open: &dyn Fn() -> Box<dyn Backend>) {
    appending(open);
    checks(open);
    readings(open);
    objects(open);
    layout(open);
    crate::account_tables::suite(open);
    at_once(open);
    together(open);
}

fn appending(open: &dyn Fn() -> Box<dyn Backend>) {
    let backend = open();
    let empty = backend.head().unwrap();
    assert_eq!((empty.size, empty.recorded_at_us, empty.evidence_seq), (0, None, 0));
    assert_eq!(empty.root, Frontier::new().root());
    assert_eq!(empty.evidence, EvidenceDigest::empty());
    assert_eq!(backend.entry(1).unwrap(), None);
    let first = backend.append(&append(EntryKind::Init, "{}", 100), &mut nothing).unwrap();
    let second = backend.append(&append(EntryKind::Import, "{\"n\":1}", 50), &mut nothing).unwrap();
    assert_eq!((first.seq, second.seq), (1, 2));
    assert_eq!(second.recorded_at_us, 100, "time never goes back");
    // Another way in sees the same, byte for byte.
    let other = open();
    let entries = other.entries(1, 10).unwrap();
    assert_eq!(entries.len(), 2);
    let mut frontier = Frontier::new();
    let mut evidence = EvidenceDigest::empty();
    for stored in &entries {
        frontier.append(stored.entry.leaf_hash());
        evidence = evidence.advance(&stored.entry.kind, &stored.content).unwrap();
        assert_eq!(stored.evidence, evidence);
        let (salt, payload) = stored.payload.as_ref().unwrap();
        assert_eq!(SaltedDigest::of(salt, payload), stored.entry.payload);
        assert_eq!(stored.entry.arrangements, ["a", "b"]);
    }
    let head = other.head().unwrap();
    assert_eq!((head.size, head.root, head.evidence), (2, frontier.root(), evidence));
    assert_eq!((head.evidence_seq, head.recorded_at_us), (2, Some(100)));
    assert_eq!(other.entries(2, 10).unwrap().len(), 1);
    assert_eq!(other.with_content(&entries[1].content).unwrap(), vec![2]);
    assert_eq!((other.seq_at(99).unwrap(), other.seq_at(100).unwrap()), (0, 2));
    let proof = consistency_proof(other.nodes(), 1, 2).unwrap();
    verify_consistency(1, 2, &first.root.unwrap(), &second.root.unwrap(), &proof).unwrap();
}

fn checks(open: &dyn Fn() -> Box<dyn Backend>) {
    let backend = open();
    let head = backend.head().unwrap();
    let mut stale = append(EntryKind::Import, "{}", 200);
    stale.basis = Basis::EvidenceAt(head.evidence_seq + 1);
    let error = backend.append(&stale, &mut nothing).unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error}");
    stale.basis = Basis::SizeIs(head.size - 1);
    assert!(matches!(backend.append(&stale, &mut nothing), Err(StoreError::Stale { .. })));
    // An error of what is written beside the entry takes the entry back, and all else with it.
    let error = backend.append(&append(EntryKind::Import, "{}", 200), &mut |sealed, index| {
        index.put_register(&register(sealed.seq, Some("{}")))?;
        Err(StoreError::NoReason)
    });
    assert!(error.is_err());
    assert_eq!(backend.head().unwrap(), head);
    let mut rows = 0;
    backend
        .registers(None, &mut |_| {
            rows += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(rows, 0);
    // A lost update becomes a conflict that shows both versions.
    let written = backend
        .append(&append(EntryKind::Edit, "{\"e\":1}", 200), &mut |sealed, index| {
            index.put_register(&register(sealed.seq, Some("{\"title\":\"theirs\"}")))
        })
        .unwrap();
    let expecting = |seq: u64, seen: Option<&str>| {
        let mut edit = append(EntryKind::Edit, "{\"e\":2}", 201);
        edit.expectations = vec![Expectation {
            precondition: Precondition {
                table: "site".into(),
                key: "[\"manila\"]".into(),
                expected_seq: seq,
            },
            seen: seen.map(str::to_owned),
        }];
        edit
    };
    let error = open()
        .append(&expecting(0, Some("{\"title\":\"mine\"}")), &mut nothing)
        .unwrap_err()
        .to_string();
    assert!(error.contains("mine") && error.contains("theirs"), "{error}");
    assert!(error.contains(&format!("entry {}", written.seq)), "{error}");
    let sealed = backend.append(&expecting(written.seq, None), &mut nothing).unwrap();
    let kept = backend.entry(sealed.seq).unwrap().unwrap();
    assert_eq!(kept.entry.preconditions[0].expected_seq, written.seq);
    // A row that no longer stands is no row.
    backend
        .append(&append(EntryKind::Edit, "{\"e\":3}", 202), &mut |sealed, index| {
            index.put_register(&register(sealed.seq, None))
        })
        .unwrap();
    backend.append(&expecting(0, None), &mut nothing).unwrap();
}

fn readings(open: &dyn Fn() -> Box<dyn Backend>) {
    let backend = open();
    let segment = |seq: u64, arrangement: &str| Segment {
        table: "case_event".into(),
        arrangement_id: arrangement.into(),
        seq,
        first_seq: seq,
        entry: seq,
        digest: Digest::of(arrangement.as_bytes()),
        rows: 3,
        later_versions: 1,
        occurred_us: Some((-5, 7)),
    };
    let mut made = (0, None);
    backend
        .append(&append(EntryKind::Import, "{\"i\":1}", 300), &mut |sealed, index| {
            made.0 = sealed.seq;
            index.put_segment(&segment(sealed.seq, "b"))?;
            index.put_segment(&segment(sealed.seq, "a"))?;
            let note = ImportNote {
                seq: sealed.seq,
                file: "f.csv".into(),
                arrangements: vec!["a".into(), "b".into()],
                tables: vec!["case_event".into()],
                disagreeing_clock_with: Some(1),
            };
            index.put_import(&note, 4_711, Some(2))?;
            made.1 = Some(note);
            index.put_retraction(&Retraction {
                seq: sealed.seq,
                target: RetractTarget::Record(2, u32::MAX),
            })?;
            index
                .put_retraction(&Retraction { seq: sealed.seq, target: RetractTarget::Entry(2) })?;
            index.put_secret(SecretKind::Source, "s", b"sealed")?;
            index.put_secret(SecretKind::Source, "s", b"another")?;
            index.link_person("p-1", sealed.seq)?;
            index.link_person("p-1", sealed.seq)?;
            index.put_checkpoint(sealed.seq, "note")
        })
        .unwrap();
    let (seq, note) = (made.0, made.1.unwrap());
    let other = open();
    assert_eq!(other.segments(seq).unwrap(), vec![segment(seq, "a"), segment(seq, "b")]);
    assert_eq!(other.segments(seq - 1).unwrap(), vec![]);
    assert_eq!(other.imports(seq).unwrap(), vec![note]);
    assert_eq!(other.with_plain_bytes(4_711).unwrap(), vec![seq]);
    assert_eq!(other.retractions(seq).unwrap().len(), 2);
    assert_eq!(other.retractions(seq - 1).unwrap(), vec![]);
    assert_eq!(other.secret(SecretKind::Source, "s").unwrap().unwrap(), b"sealed");
    assert_eq!(other.secret(SecretKind::Person, "s").unwrap(), None);
    assert_eq!(other.sources_naming("p-1").unwrap(), vec![seq]);
    assert_eq!(other.checkpoints().unwrap().last().unwrap(), &(seq, "note".to_owned()));
    backend
        .append(&append(EntryKind::Erase, "{}", 301), &mut |_, index| {
            assert!(index.delete_secret(SecretKind::Source, "s")?);
            assert!(!index.delete_secret(SecretKind::Source, "s")?);
            Ok(())
        })
        .unwrap();
    assert_eq!(other.secret(SecretKind::Source, "s").unwrap(), None);
    backend.rebuild(&mut |index| index.clear_readings()).unwrap();
    assert_eq!(other.segments(u64::MAX >> 1).unwrap(), vec![]);
    assert_eq!(other.checkpoints().unwrap().len(), 1, "checkpoints are no reading");
}

fn objects(open: &dyn Fn() -> Box<dyn Backend>) {
    let backend = open();
    let put = |bytes: &[u8]| {
        let mut staged = backend.stage().unwrap();
        staged.write_all(bytes).unwrap();
        assert_eq!(staged.digest(), Digest::of(bytes));
        backend.put_object(staged).unwrap()
    };
    let digest = put(b"some bytes");
    assert_eq!(digest, Digest::of(b"some bytes"));
    assert_eq!(put(b"some bytes"), digest, "the same bytes again are no error");
    let empty = put(b"");
    let other = open();
    assert!(other.has_object(digest).unwrap() && other.has_object(empty).unwrap());
    let body = other.open_object(digest).unwrap();
    let mut bytes = Vec::new();
    use parquet::file::reader::ChunkReader as _;
    body.get_read(0).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"some bytes");
    let mut listed = Vec::new();
    other
        .list_objects(&mut |digest| {
            listed.push(digest);
            Ok(())
        })
        .unwrap();
    listed.sort();
    let mut expected = vec![digest, empty];
    expected.sort();
    assert_eq!(listed, expected);
    other.remove_object(empty).unwrap();
    assert!(!backend.has_object(empty).unwrap());
    let missing = backend.open_object(empty).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    assert!(missing.to_string().contains(&empty.to_string()));
}

/// Lists of what is kept for speed: later versions, tails of edits, merged objects, keys.
fn layout(open: &dyn Fn() -> Box<dyn Backend>) {
    let backend = open();
    let tail =
        |seq: u64| TailNote { table: "site".into(), arrangement_id: "a".into(), seq, rows: 2 };
    let version = |seq: u64| VersionNote {
        table: "site".into(),
        root: (5, 1),
        seq,
        entry: seq,
        record: 1,
        item: 0,
    };
    let mut seqs = Vec::new();
    for n in 0..3_u64 {
        let payload = format!("{{\"tail\":{n}}}");
        let sealed =
            backend.append(&append(EntryKind::Edit, &payload, 390), &mut |sealed, index| {
                index.put_tail(&tail(sealed.seq))?;
                index.put_version(&version(sealed.seq))
            });
        seqs.push(sealed.unwrap().seq);
    }
    let other = open();
    let all: Vec<TailNote> = seqs.iter().map(|seq| tail(*seq)).collect();
    assert_eq!(other.tails(None, seqs[2]).unwrap(), all);
    assert_eq!(other.tails(Some(("site", "a")), seqs[1]).unwrap(), all[..2]);
    assert_eq!(other.tails(Some(("site", "")), seqs[2]).unwrap(), vec![]);
    let newest = other.versions(Some(("site", (5, 1))), 2).unwrap();
    assert_eq!(newest, vec![version(seqs[2]), version(seqs[1])]);
    assert_eq!(other.versions(Some(("site", (5, 0))), 2).unwrap(), vec![]);
    let merged = MergedNote {
        segment: Segment {
            table: "site".into(),
            arrangement_id: "a".into(),
            seq: seqs[1],
            first_seq: seqs[0],
            entry: seqs[1],
            digest: Digest::of(b"merged"),
            rows: 4,
            later_versions: 1,
            occurred_us: None,
        },
        covers: Covers {
            segments: vec![(1, Digest::of(b"part"))],
            edits: Some((seqs[0], seqs[1])),
        },
    };
    backend.rebuild(&mut |index| index.put_merged(&merged)).unwrap();
    assert_eq!(other.merged().unwrap(), vec![merged.clone()]);
    assert_eq!(other.tails(None, seqs[2]).unwrap(), all[2..], "what is covered leaves the tail");
    backend.rebuild(&mut |index| index.delete_merged(&merged)).unwrap();
    assert_eq!(other.merged().unwrap(), vec![]);
    // Keys are found by how they begin, and only those.
    backend
        .rebuild(&mut |index| {
            for key in ["[\"a\"]", "[\"a\",null]", "[\"a\",\"2026\"]", "[\"ab\",null]"] {
                index.put_register(&RegisterRow { key: key.into(), ..register(1, Some("{}")) })?;
            }
            Ok(())
        })
        .unwrap();
    let keys = other.register_rows("site", "", "[\"a\",").unwrap();
    let keys: Vec<String> = keys.into_iter().map(|row| row.key).collect();
    assert_eq!(keys, ["[\"a\",\"2026\"]", "[\"a\",null]"]);
    let one = other.register_row("site", "", "[\"ab\",null]").unwrap().unwrap();
    assert_eq!((one.root, one.content), ((1, 0), 7));
    assert_eq!(other.register_row("site", "x", "[\"ab\",null]").unwrap(), None);
    backend.rebuild(&mut |index| index.clear_register("site")).unwrap();
    assert_eq!(other.versions(None, 10).unwrap(), vec![]);
    let held = backend.hold_object(bytes::Bytes::from_static(b"held"));
    assert_eq!(held, Digest::of(b"held"));
    use parquet::file::reader::Length as _;
    assert_eq!(backend.open_object(held).unwrap().len(), 4);
    assert!(!other.has_object(held).unwrap(), "what is held is not kept");
}

/// Several entries in one transaction: all or none, each seeing those before it; and the tree over
/// more entries than one kept node spans.
fn together(open: &dyn Fn() -> Box<dyn Backend>) {
    let backend = open();
    let before = backend.head().unwrap();
    let expecting = |seq: u64| {
        let mut edit = append(EntryKind::Edit, &format!("{{\"expects\":{seq}}}"), 500);
        edit.expectations = vec![Expectation {
            precondition: Precondition {
                table: "team".into(),
                key: "[\"t\"]".into(),
                expected_seq: seq,
            },
            seen: None,
        }];
        edit
    };
    let mut write =
        |_: usize, sealed: &backstay_store::backend::Sealed, index: &mut dyn IndexWriter| {
            let row = RegisterRow {
                table: "team".into(),
                key: "[\"t\"]".into(),
                ..register(sealed.seq, Some("{}"))
            };
            index.put_register(&row)
        };
    let next = before.size + 1;
    let error = backend.append_many(&[expecting(0), expecting(next), expecting(next)], &mut write);
    assert!(matches!(error, Err(StoreError::Conflict { .. })), "{error:?}");
    assert_eq!(backend.head().unwrap(), before, "all or none");
    let sealed = backend.append_many(&[expecting(0), expecting(next)], &mut write).unwrap();
    assert_eq!(sealed.iter().map(|sealed| sealed.seq).collect::<Vec<_>>(), [next, next + 1]);
    assert_eq!(backend.append_many(&[], &mut write).unwrap(), vec![]);
    let many: Vec<Append> =
        (0..700).map(|n| append(EntryKind::Edit, &format!("{{\"n\":{n}}}"), 501)).collect();
    let sealed = backend.append_many(&many, &mut |_, _, _| Ok(())).unwrap();
    let size = sealed.last().unwrap().seq;
    let head = backend.head().unwrap();
    assert_eq!((head.size, Some(head.root)), (size, sealed.last().unwrap().root));
    let mut whole = backstay_ledger::MemoryTree::default();
    let entries = open().entries(1, usize::MAX).unwrap();
    for stored in &entries {
        whole.append(stored.entry.leaf_hash());
    }
    for level in 0..9 {
        for index in [0, (size >> level) / 2, (size >> level) - 1] {
            assert_eq!(backend.nodes().node(level, index), whole.node(level, index));
        }
    }
    assert!(backend.nodes().node(0, size).is_err());
    for old in [1, 255, 256, 257, 511, 512, 640, size] {
        let root = backstay_ledger::root_at(backend.nodes(), old).unwrap();
        let proof = consistency_proof(backend.nodes(), old, size).unwrap();
        verify_consistency(old, size, &root, &head.root, &proof).unwrap();
    }
    assert_eq!(backend.with_kind(&EntryKind::Erase).unwrap().len(), 1);
    let stored = &entries[entries.len() / 2];
    let found = backend.evidence_before(size + 1, &stored.evidence).unwrap();
    assert_eq!(found, Some(stored.entry.sequence));
    assert_eq!(backend.evidence_before(stored.entry.sequence, &stored.evidence).unwrap(), None);
    assert_eq!(backend.seq_at(499).unwrap(), before.size);
    assert_eq!((backend.seq_at(500).unwrap(), backend.seq_at(i64::MAX).unwrap()), (next + 1, size));
}

fn at_once(open: &dyn Fn() -> Box<dyn Backend>) {
    let before = open().head().unwrap().size;
    let ways: Vec<Box<dyn Backend>> = (0..4).map(|_| open()).collect();
    std::thread::scope(|scope| {
        for (n, way) in ways.into_iter().enumerate() {
            scope.spawn(move || {
                for k in 0..10 {
                    let payload = format!("{{\"way\":{n},\"k\":{k}}}");
                    way.append(&append(EntryKind::Decision, &payload, 400), &mut nothing).unwrap();
                }
            });
        }
    });
    let backend = open();
    let entries = backend.entries(1, 1_000).unwrap();
    assert_eq!(entries.len() as u64, before + 40, "no place is skipped or taken twice");
    let mut frontier = Frontier::new();
    for (stored, seq) in entries.iter().zip(1..) {
        assert_eq!(stored.entry.sequence, seq);
        frontier.append(stored.entry.leaf_hash());
    }
    assert_eq!(frontier.root(), backend.head().unwrap().root);
}

#[test]
fn sqlite_and_a_folder_do_what_every_backend_must() {
    use backstay_store::objects::Folder;
    use backstay_store::sqlite::SqliteBackend;
    let folder = tempfile::tempdir().unwrap();
    let (objects, scratch) = (folder.path().join("objects"), folder.path().join("tmp"));
    std::fs::create_dir(&objects).unwrap();
    std::fs::create_dir(&scratch).unwrap();
    let database = folder.path().join("db.sqlite");
    let place = Folder::new(objects, scratch);
    SqliteBackend::create(&database, place.clone()).unwrap();
    suite(&|| Box::new(SqliteBackend::open(&database, place.clone()).unwrap().0));
}
