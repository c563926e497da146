//! The ledger by page: lists, an entry with its proof, checkpoints that are kept and held against it.

use axum::http::{Method, StatusCode};
use backstay_desk::ledger::{Wanted, find};
use backstay_store::{InitOptions, Workspace};

use crate::home::{Home, NOW_US, SOUTH};

#[test]
fn an_entry_opens_with_what_it_did_and_a_proof_that_leads_to_the_checkpoint() {
    let mut browser = Home::shared().signed_in("internal-auditor");
    let list = browser.get("/ledger?kind=import");
    assert!(list.text.contains("href=\"/ledger/8\""), "{}", list.text);
    assert!(!list.text.contains("workspace made"));
    let entry = browser.get("/ledger/8");
    assert_eq!(entry.status, StatusCode::OK);
    for word in ["6-case_event.csv", "Rows by table", "Its place in the ledger", "case_event"] {
        assert!(entry.text.contains(word), "{word}: {}", entry.text);
    }
    let proof = browser.get("/ledger/8/proof");
    assert!(proof.headers["content-disposition"].to_str().unwrap().contains("entry-8-proof"));
    let proof: serde_json::Value = serde_json::from_str(&proof.text).unwrap();
    assert_eq!(proof["leaf_index"], 7);
    assert!(!proof["hashes"].as_array().unwrap().is_empty());
    assert!(proof["entry_text"].as_str().unwrap().contains("kind import"));
    assert_eq!(browser.get("/ledger/0").status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/ledger/999999").status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/ledger?from=soon").status, StatusCode::BAD_REQUEST);
    let none = browser.get("/ledger?from=2001-01-01&until=2001-12-31");
    assert!(none.text.contains("No entry that is open to you fits"), "{}", none.text);
    let of_south = browser.get(&format!("/ledger?arrangement={SOUTH}")).text;
    assert!(of_south.contains("/ledger/9\"") && !of_south.contains("/ledger/8\""), "{of_south}");
}

#[test]
fn a_checkpoint_that_was_kept_holds_until_the_ledger_is_another_one() {
    let home = Home::new();
    // Everybody may keep one: a provider's person above all.
    let mut browser = home.signed_in("north-provider-qx");
    let page = browser.get("/ledger/checkpoints");
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("backstay-verify") && !page.text.contains("zv"), "{}", page.text);
    let to = page.text.split("href=\"/ledger/checkpoints/").nth(1).unwrap();
    let to = format!("/ledger/checkpoints/{}", to.split('"').next().unwrap());
    let note = browser.get(&to).text;
    assert!(note.starts_with("backstay/"), "{note}");
    let sent = note.replace('\n', "\r\n");
    let holds = browser.send("/ledger/checkpoints", &[("note", &sent)]);
    assert!(holds.text.contains("It holds."), "{}", holds.text);
    let mut changed = note.clone();
    let at = note.find('\n').unwrap() + 1;
    changed.replace_range(at..=at, "7");
    let foreign = browser.send("/ledger/checkpoints", &[("note", &changed)]);
    assert!(foreign.text.contains("cannot be held against"), "{}", foreign.text);
    let nonsense = browser.send("/ledger/checkpoints", &[("note", "<script>")]);
    assert!(nonsense.text.contains("&lt;script&gt;") && !nonsense.text.contains("<script"));
    assert_eq!(browser.get("/ledger/checkpoints/0").status, StatusCode::NOT_FOUND);
    // What it signed is not told to somebody without a session.
    let mut nobody = home.browser();
    assert_eq!(nobody.get(&to).status, StatusCode::SEE_OTHER);
    let posted = nobody.ask(Method::POST, "/ledger/checkpoints", &[("note", "x")], &[]);
    assert_eq!(posted.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_search_that_is_cut_off_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let made = InitOptions { now_us: NOW_US, actor: "test".into(), random: [5; 144] };
    let workspace = Workspace::init(&dir.path().join("ws"), made).unwrap();
    for n in 0_u8..7 {
        let mut random = |bytes: &mut [u8]| bytes.fill(n);
        let actor = if n % 2 == 0 { "even" } else { "odd" };
        let mut ctx = backstay_store::Ctx { now_us: NOW_US, actor, random: &mut random };
        let (settings, decision) = ("settings".parse().unwrap(), "decision".parse().unwrap());
        let kind = if n < 3 { settings } else { decision };
        workspace.append_plain(kind, &[], &serde_json::json!({ "n": n }), &mut ctx).unwrap();
    }
    let all = |wanted: Wanted<'_>| {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let wanted = Wanted { before, most: 2, ..wanted.clone() };
            let found = find(&workspace, &wanted, &|_| true).unwrap();
            assert!(found.entries.len() <= 2);
            seen.extend(found.entries.iter().map(|entry| entry.entry));
            before = found.next;
            if before.is_none() {
                return seen;
            }
        }
    };
    assert_eq!(all(Wanted::default()), [8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(all(Wanted { kind: Some("settings"), ..Wanted::default() }), [4, 3, 2]);
    assert_eq!(all(Wanted { actor: Some("odd"), ..Wanted::default() }), [7, 5, 3]);
    assert_eq!(all(Wanted { words: Some("made"), ..Wanted::default() }), [1]);
    assert_eq!(all(Wanted { kind: Some("no kind!"), ..Wanted::default() }), [0_u64; 0]);
}
