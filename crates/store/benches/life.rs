//! Measures a long life and prints JSON: what one entry costs beside the same bytes in plain SQLite,
//! and what one edit and the page that shows it cost after few and after many edits. Times are of this
//! machine in this run; only ratios mean something.
//!
//! `cargo bench -p backstay-store --bench life [-- EDITS ENTRIES]` (100,000 and 20,000 when not said).
//! With `--into DIR EDITS` it measures nothing: it makes so many edits, an entry each, in a workspace that
//! is there, so that other programs find a long ledger (`bench/serve.py`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods
)]

use std::{path::Path, time::Instant};

use backstay_evidence::ImportOptions;
use backstay_ledger::{Checkpoint, Digest as LedgerDigest, EntryKind, Salt, SigningKey};
use backstay_store::{
    AsOf, Ctx, Edit, InitOptions, RowEdit, Workspace,
    backend::{Append, Basis},
};

/// Rows that are edited in turn: so few that a page of history is full after 1,000 edits as well.
const ROWS: u64 = 50;

/// Bytes that differ, without meaning.
struct Random(u64);

impl Random {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[3];
        }
    }
}

fn workspace(dir: &Path) -> Workspace {
    let mut random = [0; 144];
    Random(0x9e37_79b9_7f4a_7c15).fill(&mut random);
    Workspace::init(dir, InitOptions { now_us: 1, actor: "a-1".into(), random }).unwrap()
}

fn payload(n: u64) -> Vec<u8> {
    format!("{{\"rows\":[{{\"table\":\"site\",\"values\":{{\"site_id\":\"s{n}\",\"name\":\"n{n}\",\"time_zone\":\"Asia/Manila\"}}}}]}}").into_bytes()
}

fn append(n: u64, random: &mut Random) -> Append {
    let payload = payload(n);
    let mut salt = Salt([0; 32]);
    random.fill(&mut salt.0);
    Append {
        actor: "a-1".into(),
        kind: EntryKind::Edit,
        arrangements: Vec::new(),
        expectations: Vec::new(),
        basis: Basis::Any,
        content: LedgerDigest::of_content(&payload),
        payload,
        salt,
        now_us: 2,
    }
}

/// Entries a second in plain SQLite: the same bytes in one table, so many to a transaction.
fn raw(dir: &Path, entries: u64, together: u64) -> f64 {
    let name = format!("raw-{together}.sqlite");
    let mut connection = rusqlite::Connection::open(dir.join(name)).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection
        .execute_batch(
            "CREATE TABLE entry (seq INTEGER PRIMARY KEY, bytes BLOB, salt BLOB, payload BLOB)",
        )
        .unwrap();
    let mut random = Random(7);
    // An entry's own bytes are about as long as this.
    let bytes = [b'e'; 150];
    let start = Instant::now();
    for batch in 0..entries / together {
        let transaction = connection.transaction().unwrap();
        for n in 0..together {
            let mut salt = [0; 32];
            random.fill(&mut salt);
            transaction
                .prepare_cached("INSERT INTO entry (bytes, salt, payload) VALUES (?, ?, ?)")
                .unwrap()
                .execute(rusqlite::params![bytes, salt, payload(batch * together + n)])
                .unwrap();
        }
        transaction.commit().unwrap();
    }
    entries as f64 / start.elapsed().as_secs_f64()
}

/// Entries a second in the ledger: place, tree, evidence digest, head, and a signed checkpoint over
/// each transaction of so many.
fn ours(workspace: &Workspace, entries: u64, together: u64) -> f64 {
    let mut random = Random(7);
    let origin = "backstay/bench".to_owned();
    let key = SigningKey::from_seed(&origin, &[9; 32]).unwrap();
    let start = Instant::now();
    for batch in 0..entries / together {
        let appends: Vec<Append> =
            (0..together).map(|n| append(batch * together + n, &mut random)).collect();
        let all = workspace.backend().append_many(&appends, &mut |_, sealed, index| {
            let Some(root) = sealed.root else { return Ok(()) };
            let size = sealed.seq;
            let note = Checkpoint { origin: origin.clone(), size, root }.sign(&key).unwrap();
            index.put_checkpoint(size, &note)
        });
        all.unwrap();
    }
    entries as f64 / start.elapsed().as_secs_f64()
}

fn edits(from: u64, count: u64) -> Vec<Edit> {
    let edit = |n: u64| {
        let values = [
            ("site_id", format!("s{}", n % ROWS)),
            ("name", format!("n{n}")),
            ("time_zone", "Asia/Manila".to_owned()),
        ];
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let row = RowEdit { table: "site".into(), values, delete: false, expect: None };
        Edit { rows: vec![row], reason: String::new(), options: ImportOptions::default() }
    };
    (from..from + count).map(edit).collect()
}

fn edit(workspace: &Workspace, edits: &[Edit], random: &mut Random) {
    let mut fill = |bytes: &mut [u8]| random.fill(bytes);
    let mut ctx = Ctx { now_us: 3, actor: "a-1", random: &mut fill };
    workspace.edit(edits, &mut ctx).unwrap();
}

/// Median microseconds of one edit, of the page that shows its row (the row and its history), and
/// of a manifest, with so many edits made.
fn cost(workspace: &Workspace, made: &mut u64, random: &mut Random) -> [f64; 3] {
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..301 {
        let one = edits(*made, 1);
        let start = Instant::now();
        edit(workspace, &one, random);
        times[0].push(start.elapsed().as_secs_f64() * 1e6);
        let key = format!("[\"s{}\",null]", *made % ROWS);
        let start = Instant::now();
        let row = workspace.backend().register_row("site", "", &key).unwrap().unwrap();
        let history = workspace.history("site", "", &row.key, 20).unwrap();
        times[1].push(start.elapsed().as_secs_f64() * 1e6);
        assert_eq!(history.first().unwrap().entry, row.seq);
        *made += 1;
    }
    for _ in 0..5 {
        let start = Instant::now();
        let manifest = workspace.manifest(AsOf::Latest, &[]).unwrap();
        times[2].push(start.elapsed().as_secs_f64() * 1e6);
        assert!(manifest.segments.iter().map(|segment| segment.rows).sum::<u64>() >= *made);
    }
    times.map(|mut all| {
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    })
}

/// Makes so many edits, two hundred to a transaction.
fn reach(workspace: &Workspace, made: &mut u64, random: &mut Random, goal: u64) {
    while *made < goal {
        let count = 200.min(goal - *made);
        edit(workspace, &edits(*made, count), random);
        *made += count;
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "--into") {
        let there = Workspace::open(Path::new(&words[at + 1])).unwrap();
        reach(&there, &mut 0, &mut Random(11), words[at + 2].parse().unwrap());
        return;
    }
    let numbers: Vec<u64> = std::env::args().filter_map(|text| text.parse().ok()).collect();
    let many = numbers.first().copied().unwrap_or(100_000);
    let entries = numbers.get(1).copied().unwrap_or(20_000);
    let folder = tempfile::tempdir().unwrap();
    let mut table = serde_json::Map::new();
    for (name, count, together) in
        [("one_by_one", entries / 10, 1), ("in_hundreds", entries / 100 * 100, 100)]
    {
        // One after the other, three times: the best of each, so that neighbours disturb less.
        let (mut theirs, mut own) = (0_f64, 0_f64);
        for turn in 0..3 {
            let dir = folder.path().join(format!("{name}-{turn}"));
            std::fs::create_dir(&dir).unwrap();
            theirs = theirs.max(raw(&dir, count, together));
            own = own.max(ours(&workspace(&dir.join("w")), count, together));
        }
        let figures = serde_json::json!({
            "entries": count,
            "sqlite_per_s": theirs.round(),
            "ledger_per_s": own.round(),
            "ratio": (own / theirs * 100.0).round() / 100.0,
        });
        table.insert(name.to_owned(), figures);
    }
    let workspace = workspace(&folder.path().join("edits"));
    let mut random = Random(11);
    let mut made = 0;
    reach(&workspace, &mut made, &mut random, 1_000);
    let few = cost(&workspace, &mut made, &mut random);
    let start = Instant::now();
    reach(&workspace, &mut made, &mut random, many);
    let grown_s = start.elapsed().as_secs_f64();
    let lots = cost(&workspace, &mut made, &mut random);
    let named = ["edit", "row_and_history", "manifest"];
    for ((name, few), lots) in named.iter().zip(few).zip(lots) {
        let figures = serde_json::json!({
            "after_1000_us": few.round(),
            format!("after_{many}_us"): lots.round(),
            "ratio": (lots / few * 100.0).round() / 100.0,
        });
        table.insert((*name).to_owned(), figures);
    }
    let between = (grown_s * 10.0).round() / 10.0;
    table.insert("edits_between_s".to_owned(), serde_json::json!(between));
    println!("{}", serde_json::to_string_pretty(&table).unwrap());
}
