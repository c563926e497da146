//! Evidence brought in by page.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Method, StatusCode},
};
use backstay_server::routes;

use crate::{
    hand::{events, one_wrong},
    home::{Home, NORTH, SOUTH},
};

/// Columns that are those of no table, with days that say themselves which is the day.
const STRANGE: &str = "Ticket;Step;When;Agent\n\
    T-1;opened;13.11.2026 09:00;ana\nT-1;closed;13.11.2026 11:00;ben\n\
    T-2;opened;14.11.2026 09:30;ana\nT-2;closed;14.11.2026 10:00;cid\n";

#[test]
fn a_providers_person_brings_own_evidence_and_finds_what_was_set_aside() {
    let home = Home::changing();
    let mut browser = home.signed_in("north-provider-qx");
    let file = one_wrong("own");
    let page = browser.hand_in("north-november.csv", file.as_bytes(), &[]);
    let tried = browser.settled(&page);
    assert!(
        tried.text.contains("13 records</bdi>") || tried.text.contains("13 records"),
        "{}",
        tried.text
    );
    assert!(tried.text.contains("12 would be taken, 1 set aside"), "{}", tried.text);
    assert!(tried.text.contains("case_event"), "{}", tried.text);
    let wrong = tried.text.split("<mark>").nth(1).expect("the cell is marked");
    assert!(wrong.starts_with("<bdi") && wrong.contains("yesterday"), "{wrong}");
    assert!(tried.text.contains("own-3") && tried.text.contains("own-more-0"), "its neighbours");
    assert!(!tried.text.contains("worker-1"), "ids of people are not shown");

    let done = browser.bring(&page);
    assert!(done.text.contains("It is in, as entry"), "{}", done.text);
    let link = done.text.split("href=\"/quarantine/").nth(1).expect("a link to the quarantine");
    let entry = link.split('"').next().unwrap();
    let aside = browser.get(&format!("/quarantine/{entry}"));
    assert_eq!(aside.status, StatusCode::OK, "{}", aside.text);
    assert!(aside.text.contains("bad-date") && aside.text.contains("own-wrong"), "{}", aside.text);
    let csv = browser.get(&format!("/quarantine/{entry}/csv"));
    assert!(
        csv.text.starts_with("record,table,column,about,kind,what is wrong\r\n9,"),
        "{}",
        csv.text
    );

    let again = browser.hand_in("north-november.csv", file.as_bytes(), &[]);
    assert!(browser.settled(&again).text.contains("This very file is in already"));
    let again = browser.bring(&again);
    assert!(again.text.contains("holds this very file"), "{}", again.text);
    let list = browser.get("/import").text;
    assert!(list.contains("north-november.csv") && !list.contains("zv"), "{list}");
    let other = home.signed_in("south-provider-zv").get(&format!("/quarantine/{entry}"));
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[test]
fn a_file_that_touches_anything_of_another_is_refused_as_a_whole_without_naming_it() {
    let home = Home::changing();
    let mut browser = home.signed_in("north-provider-qx");
    let before = browser.get("/import").text.matches("href=\"/imports/").count();
    let mixed =
        events(NORTH, "mixed", 2) + events(SOUTH, "mixed-too", 1).split_once('\n').unwrap().1;
    let wrong_row = events(NORTH, "part", 1)
        + &format!("{SOUTH},log,x,request,Done,Done,yesterday,2026-11-02T09:00:00Z,w\n");
    let unknown = events("no-such-arrangement", "none", 1);
    let shared = "site_id,provider_id,name,country,city,time_zone,calendar_id\nnew,,New,PT,Lisbon,UTC,always\n";
    let files = [
        ("mixed.csv", mixed.as_str(), "an arrangement that you may not"),
        ("wrong-row.csv", &wrong_row, "an arrangement that you may not"),
        ("unknown.csv", &unknown, "an arrangement that you may not"),
        ("site.csv", shared, "which all arrangements share"),
    ];
    for (name, text, why) in files {
        let page = browser.hand_in(name, text.as_bytes(), &[]);
        let shown = browser.settled(&page);
        assert!(shown.text.contains(why), "{name}: {}", shown.text);
        assert!(
            !shown.text.contains("zv") && !shown.text.contains("Bring it in"),
            "{}",
            shown.text
        );
        let asked = browser.press(&page, &format!("{page}/bring"), &[]);
        assert_eq!(asked.status, StatusCode::FORBIDDEN, "{name}");
        assert!(!asked.text.contains("zv"), "{}", asked.text);
        assert_eq!(browser.press(&page, &format!("{page}/discard"), &[]).to(), "/import");
    }
    let party = [("party", "south-provider-zv")];
    let page = browser.hand_in("own.csv", events(NORTH, "party", 1).as_bytes(), &party);
    assert!(browser.settled(&page).text.contains("a party that is not yours"));
    assert_eq!(browser.press(&page, &format!("{page}/discard"), &[]).to(), "/import");
    let said = [("arrangement", SOUTH)];
    let file = events(NORTH, "said", 1);
    let page = browser.hand_in("said.csv", file.as_bytes(), &said);
    assert!(browser.settled(&page).text.contains("an arrangement that you may not"));
    assert_eq!(browser.press(&page, &format!("{page}/discard"), &[]).to(), "/import");
    let after = browser.get("/import").text.matches("href=\"/imports/").count();
    assert_eq!(after, before, "what is given up is gone");
}

/// A body that tells whether anybody read it.
struct Watched(Arc<AtomicBool>);

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.0.store(true, Ordering::Relaxed);
        Poll::Ready(None)
    }
}

#[test]
fn who_may_bring_nothing_is_refused_before_a_byte_of_the_file_is_read() {
    let home = Home::changing();
    let kind = "multipart/form-data; boundary=x";
    for name in ["finance-analyst", "internal-auditor", "owner-of-north", "administrator"] {
        let mut browser = home.signed_in(name);
        assert_eq!(browser.get("/import").status, StatusCode::FORBIDDEN, "{name}");
        let read = Arc::new(AtomicBool::new(false));
        let shown = browser.send_body("/import", kind, Body::new(Watched(Arc::clone(&read))));
        assert_eq!(shown.status, StatusCode::FORBIDDEN, "{name}");
        assert!(!read.load(Ordering::Relaxed), "{name}");
    }
    let read = Arc::new(AtomicBool::new(false));
    let shown = home.browser().send_body("/import", kind, Body::new(Watched(Arc::clone(&read))));
    assert_eq!((shown.status, read.load(Ordering::Relaxed)), (StatusCode::UNAUTHORIZED, false));
}

#[test]
fn a_file_that_waits_is_its_owners_and_others_who_may_bring_it_may_only_look() {
    let home = Home::changing();
    let mut owner = home.signed_in("vendor-manager");
    let page = owner.hand_in("waits.csv", events(SOUTH, "waits", 2).as_bytes(), &[]);
    owner.settled(&page);
    let mut analyst = home.signed_in("analyst");
    let seen = analyst.settled(&page);
    assert!(seen.text.contains("Somebody else handed this file in"), "{}", seen.text);
    for name in ["north-provider-qx", "finance-analyst", "internal-auditor", "south-provider-zv"] {
        let mut browser = home.signed_in(name);
        let status = browser.get(&page).status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{name}: the client's files are the client's");
    }
    let own = routes()
        .iter()
        .filter(|route| route.method == "POST" && route.path.starts_with("/imports/{import}"));
    for route in own {
        let path = route.path.replace("/imports/{import}", &page);
        for name in ["analyst", "north-provider-qx", "finance-analyst", "south-provider-zv"] {
            let status = home.signed_in(name).press("/account", &path, &[]).status;
            let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
            assert!(refused.contains(&status), "{name} {path}: {status}");
        }
    }
    assert_eq!(owner.press(&page, &format!("{page}/discard"), &[]).to(), "/import");
}

#[test]
fn a_form_that_is_not_as_it_should_be_leaves_nothing_behind() {
    let home = Home::new();
    let mut browser = home.signed_in("security-privacy-officer");
    let token = browser.token("/import");
    let (token, file) = (token.as_bytes(), events(NORTH, "form", 1));
    let file = file.as_bytes();
    let late = [("file", Some("a.csv"), file), ("token", None, token)];
    let twice =
        [("token", None, token), ("file", Some("a.csv"), file), ("file", Some("b.csv"), file)];
    let field_twice =
        [("token", None, token), ("zone", None, &b"UTC"[..]), ("zone", None, &b"UTC"[..])];
    let long = vec![b'x'; 5_000];
    let too_long = [("token", None, token), ("set", None, long.as_slice())];
    let none = [("token", None, token)];
    let empty = [("token", None, token), ("file", Some(""), &b""[..])];
    let strange =
        [("token", None, token), ("encoding", None, &b"ebcdic"[..]), ("file", Some("a.csv"), file)];
    type Part<'p> = (&'p str, Option<&'p str>, &'p [u8]);
    let cases: [(&[Part<'_>], StatusCode, &str); 7] = [
        (&late, StatusCode::FORBIDDEN, "out of date"),
        (&twice, StatusCode::BAD_REQUEST, "One file at a time"),
        (&field_twice, StatusCode::BAD_REQUEST, "came twice"),
        (&too_long, StatusCode::PAYLOAD_TOO_LARGE, "more than"),
        (&none, StatusCode::OK, "No file came"),
        (&empty, StatusCode::OK, "No file came"),
        (&strange, StatusCode::BAD_REQUEST, "no such encoding"),
    ];
    for (parts, status, why) in cases {
        let shown = browser.send_parts("/import", parts);
        assert_eq!(shown.status, status, "{why}: {}", shown.text);
        assert!(shown.text.contains(why), "{why}: {}", shown.text);
    }
    let cut = "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n";
    let cut = [
        cut.as_bytes(),
        token,
        b"\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\narr",
    ]
    .concat();
    let shown = browser.send_body("/import", "multipart/form-data; boundary=x", Body::from(cut));
    assert_eq!(shown.status, StatusCode::BAD_REQUEST);
    assert!(shown.text.contains("broke off"), "{}", shown.text);
    let shown = browser.send_body("/import", "text/plain", Body::from("x"));
    assert_eq!(shown.status, StatusCode::BAD_REQUEST);
    assert!(!browser.get("/import").text.contains("Your files"), "nothing waits");
    let left = walk(&home.folder().join("ws/tmp"));
    assert!(!left.iter().any(|path| path.ends_with("handed-in")), "{left:?}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(walk(&path));
        }
        all.push(path);
    }
    all
}

#[test]
fn a_file_that_is_too_large_is_refused_and_gone() {
    let home = Home::new();
    home.server.limit_files(2_000);
    let mut browser = home.signed_in("vendor-manager");
    let large = events(NORTH, "large", 60);
    assert!(large.len() > 2_000);
    let shown = browser.try_handing_in("large.csv", large.as_bytes(), &[]);
    assert_eq!(shown.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", shown.text);
    assert!(shown.text.contains("more than 2000 bytes"), "{}", shown.text);
    let left = walk(&home.folder().join("ws/tmp"));
    assert!(!left.iter().any(|path| path.ends_with("handed-in")), "{left:?}");
    let small = browser.hand_in("small.csv", events(NORTH, "small", 2).as_bytes(), &[]);
    browser.settled(&small);
    assert!(walk(&home.folder().join("ws/tmp")).iter().any(|path| path.ends_with("handed-in")));
    home.server.finish();
    let left = walk(&home.folder().join("ws/tmp"));
    assert!(
        !left.iter().any(|path| path.ends_with("handed-in")),
        "a server that ends keeps none: {left:?}"
    );
}

#[test]
fn names_and_cells_that_are_markup_or_paths_are_only_text() {
    let home = Home::changing();
    let mut browser = home.signed_in("security-privacy-officer");
    let file = events(NORTH, "<script>alert(1)</script>", 1)
        + &format!("{NORTH},log,=cmd(),request,<b>x</b>,Done,never,2026-11-02T09:00:00Z,w\n");
    let page =
        browser.hand_in("..\\..\\<img src=x>.csv", file.as_bytes(), &[("table", "case_event")]);
    let shown = browser.settled(&page);
    for markup in ["<script", "<b>x", "<img", "..\\"] {
        assert!(!shown.text.contains(markup), "{markup}: {}", shown.text);
    }
    assert!(shown.text.contains("&lt;img src=x&gt;.csv"), "{}", shown.text);
    browser.press(&page, &format!("{page}/discard"), &[]);
}

#[test]
fn what_cannot_be_read_is_said_in_the_words_of_the_page() {
    let home = Home::changing();
    let mut browser = home.signed_in("security-privacy-officer");
    let naive = "arrangement_id,source,case_id,activity,state,occurred_at\n\
                 north-arrangement-qx,log,c,Done,Done,2026-11-02T09:00:00\n";
    for (name, bytes, fields, why) in [
        ("blank.csv", &b"\n\n\n"[..], &[][..], "file is empty"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &[], "No table of the vocabulary fits"),
        ("broken.xlsx", b"PK\x03\x04broken", &[], ""),
        ("cut.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0", &[], "fetch it again"),
        ("site.csv", b"nothing,of\nthis,fits\n", &[("table", "site")], "does not have the column"),
        ("zone.csv", naive.as_bytes(), &[("zone", "Mars/Olympus")], "is not a time zone"),
        ("set.csv", naive.as_bytes(), &[("set", "nonsense")], "names no column"),
        ("map.csv", naive.as_bytes(), &[("mapping", "../../etc/passwd")], "There is no mapping"),
    ] {
        let page = browser.hand_in(name, bytes, fields);
        let shown = browser.settled(&page);
        assert!(shown.text.contains("It did not work"), "{name}: {}", shown.text);
        let told = shown.text.to_lowercase();
        assert!(told.contains(&why.to_lowercase()), "{name}: {}", shown.text);
        let steers = ["`--", " --", "/tmp/", "backstay "];
        assert!(!steers.iter().any(|word| shown.text.contains(word)), "{name}: {}", shown.text);
        browser.press(&page, &format!("{page}/discard"), &[]);
    }
    let page = browser.hand_in("naive.csv", naive.as_bytes(), &[]);
    let shown = browser.settled(&page);
    assert!(shown.text.contains("1 record") && shown.text.contains("no-offset"), "{}", shown.text);
    let again = format!("{page}/again");
    browser.press(&page, &again, &[("zone", "Europe/Lisbon")]);
    let shown = browser.settled(&page);
    assert!(shown.text.contains("1 would be taken, 0 set aside"), "{}", shown.text);
    browser.press(&page, &format!("{page}/discard"), &[]);
}

#[test]
fn a_mapping_is_proposed_answered_kept_and_then_found_by_itself() {
    let home = Home::changing();
    let mut browser = home.signed_in("analyst");
    let page = browser.hand_in("desk-export.csv", STRANGE.as_bytes(), &[]);
    let shown = browser.settled(&page);
    assert!(shown.text.contains("Nothing known reads this file"), "{}", shown.text);
    let asked = browser.press(&page, &format!("{page}/bring"), &[]);
    assert_eq!(asked.status, StatusCode::CONFLICT, "nothing was read");

    let form = format!("{page}/mapping");
    let shown = browser.get(&form);
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    assert!(shown.text.contains("name=\"c.case_id\"") && shown.text.contains("13.11.2026 09:00"));
    let wrong = browser.press(&form, &form, &[("name", "No Name"), ("table", "case_event")]);
    assert!(wrong.text.contains("cannot be a mapping"), "{}", wrong.text);
    let said = [
        ("name", "strange-desk"),
        ("table", "case_event"),
        ("zone", "Europe/Lisbon"),
        ("c.arrangement_id", "="),
        ("k.arrangement_id", NORTH),
        ("c.case_id", "Ticket"),
        ("c.activity", "Step"),
        ("c.state", "Step"),
        ("c.occurred_at", "When"),
        ("c.person_id", "Agent"),
        ("c.source", "="),
        ("k.source", "strange-desk"),
    ];
    assert_eq!(browser.press(&form, &form, &said).to(), page);
    let shown = browser.settled(&page);
    assert!(shown.text.contains("4 would be taken, 0 set aside"), "{}", shown.text);
    assert!(shown.text.contains("2026-11-13T09:00"), "the day stands first: {}", shown.text);

    let save = format!("{page}/mapping/save");
    assert!(browser.press(&page, &save, &[("name", "../x")]).text.contains("cannot be a mapping"));
    let kept = browser.press(&page, &save, &[("name", "strange-desk")]);
    assert!(kept.to().starts_with(&page), "{}", kept.text);
    let taken = browser.press(&page, &save, &[("name", "strange-desk")]);
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(home.folder().join("ws/mappings/strange-desk.toml").is_file());

    let text = browser.get(&form).text;
    assert!(text.contains("mapping = &quot;strange-desk&quot;"), "{text}");
    let bad = browser.press(&form, &format!("{form}/text"), &[("text", "mapping = ")]);
    assert!(bad.text.contains("role=\"alert\""), "{}", bad.text);

    let mut other = home.signed_in("vendor-manager");
    let next = other.hand_in("next-month.csv", STRANGE.replace("T-", "U-").as_bytes(), &[]);
    let shown = other.settled(&next);
    assert!(shown.text.contains("mapping of this workspace, found by itself"), "{}", shown.text);
    assert!(other.bring(&next).text.contains("It is in"), "brought in");
    browser.press(&page, &format!("{page}/discard"), &[]);

    // It read evidence of the north arrangement, so the people of its provider may use it; others do not
    // learn that it is there.
    let north = home.signed_in("north-provider-qx").get("/import").text;
    let south = home.signed_in("south-provider-zv").get("/import").text;
    assert!(north.contains("strange-desk") && !south.contains("strange-desk"));
}

#[test]
fn what_nobody_says_is_asked_for_beside_a_look_at_the_file() {
    let home = Home::changing();
    let file = "number,incident_state,active,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,opened_by,opened_at,sys_created_by,sys_created_at,sys_updated_by,sys_updated_at,contact_type,location,category,subcategory,u_symptom,cmdb_ci,impact,urgency,priority,assignment_group,assigned_to,knowledge,u_priority_confirmation,notify,problem_id,rfc,vendor,caused_by,closed_code,resolved_by,resolved_at,closed_at\n\
        INC1,New,true,0,0,0,true,Caller 1,Opened 1,29/2/2016 01:16,Created 1,29/2/2016 01:23,Updated 1,29/2/2016 01:23,Phone,L,C,S,Y,?,2,2,3 - Moderate,Group 1,?,true,false,N,?,?,?,?,code 5,Resolver 1,29/2/2016 11:29,5/3/2016 12:00\n";
    let mut browser = home.signed_in("security-privacy-officer");
    let page = browser.hand_in("incidents.csv", file.as_bytes(), &[]);
    let shown = browser.settled(&page);
    assert!(shown.text.contains("servicenow-incident"), "{}", shown.text);
    assert!(
        shown.text.contains("Which arrangement") && shown.text.contains("The zone of its times")
    );
    let asked = browser.press(&page, &format!("{page}/bring"), &[]);
    assert_eq!(asked.status, StatusCode::BAD_REQUEST, "not while something is open");
    assert!(!shown.text.contains("Caller 1"), "ids of people are not shown");
    let said = [("arrangement", NORTH), ("zone", "Europe/Lisbon")];
    browser.press(&page, &format!("{page}/again"), &said);
    let shown = browser.settled(&page);
    assert!(shown.text.contains("Bring it in"), "{}", shown.text);
    browser.press(&page, &format!("{page}/discard"), &[]);

    // A provider's person has one arrangement to bring evidence for, and need not say it.
    let mut south = home.signed_in("south-provider-zv");
    let page = south.hand_in("incidents.csv", file.as_bytes(), &[("zone", "Asia/Kolkata")]);
    let shown = south.settled(&page);
    assert!(shown.text.contains("the one that you bring evidence for"), "{}", shown.text);
    assert!(shown.text.contains("Bring it in"), "{}", shown.text);
    assert!(!shown.text.contains("Keep it for everybody"), "{}", shown.text);
    south.press(&page, &format!("{page}/discard"), &[]);
}

#[test]
fn a_page_about_something_that_goes_on_can_be_held_still() {
    let home = Home::changing();
    let mut browser = home.signed_in("vendor-manager");
    let page = browser.hand_in("still.csv", events(NORTH, "still", 20).as_bytes(), &[]);
    let still = browser.get(&format!("{page}?still=yes"));
    assert!(!still.headers.contains_key("refresh"));
    browser.settled(&page);
    let method = browser.ask(Method::POST, &format!("{page}/bring"), &[], &[]);
    assert_eq!(method.status, StatusCode::FORBIDDEN, "without the token of the page");
    browser.press(&page, &format!("{page}/discard"), &[]);
}

#[test]
fn a_program_hands_a_file_in_and_asks_until_it_is_in() {
    let home = Home::changing();
    let mut program = home.program("vendor-manager");
    let file = one_wrong("program");
    let id = program.hand_in("name=program.csv&dry_run=true", file.as_bytes());
    let told = program.settled(&id);
    assert_eq!(told["state"], "tried", "{told}");
    assert_eq!(
        (&told["result"]["accepted"], &told["result"]["quarantined"]),
        (&12.into(), &1.into())
    );
    assert_eq!(told["read_by"]["name"], "case_event");
    let asked = program.ask(Method::POST, &format!("/imports/{id}/bring"), &[]);
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
    let told = program.settled(&id);
    assert_eq!(told["state"], "brought", "{told}");
    assert!(told["about"]["entry"].as_u64().is_some_and(|entry| entry > 9), "{told}");
    let again = program.hand_in("name=program.csv", file.as_bytes());
    let told = program.settled(&again);
    assert_eq!((&told["state"], &told["about"]["repeated"]), (&"brought".into(), &true.into()));

    let lacking = program.hand_in(
        "name=x.csv&table=case_event",
        b"case_id,activity,occurred_at\nc,Done,2026-11-02T09:00:00Z\n",
    );
    let told = program.settled(&lacking);
    assert_eq!(
        (&told["state"], &told["open"]),
        (&"tried".into(), &serde_json::json!(["arrangement"]))
    );
    for (query, bytes, status) in [
        ("name=x.csv&colour=red", &b"x"[..], StatusCode::BAD_REQUEST),
        ("name=x.csv&dry_run=perhaps", b"x", StatusCode::BAD_REQUEST),
        ("name=x.csv", b"", StatusCode::BAD_REQUEST),
    ] {
        let shown = program.send(&format!("/imports?{query}"), bytes, &[]);
        assert_eq!(shown.status, status, "{query}: {}", shown.text);
        assert_eq!(shown.headers["content-type"], "application/problem+json");
    }
    let gone = program.ask(Method::POST, &format!("/imports/{lacking}/discard"), &[]);
    assert_eq!(gone.status, StatusCode::ACCEPTED, "{}", gone.text);
    assert_eq!(program.get(&format!("/imports/{lacking}")).status, StatusCode::NOT_FOUND);
}

#[test]
fn the_same_request_of_a_program_is_done_once_and_a_foreign_file_never() {
    let home = Home::changing();
    let mut north = home.program("north-provider-qx");
    let file = events(NORTH, "key", 2);
    let key = [("idempotency-key", "november")];
    let first = north.send("/imports?name=key.csv", file.as_bytes(), &key);
    let second = north.send("/imports?name=key.csv", file.as_bytes(), &key);
    assert_eq!((first.status, &first.text), (StatusCode::ACCEPTED, &second.text));
    let other = events(NORTH, "other", 2);
    let other = north.send("/imports?name=key.csv", other.as_bytes(), &key);
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", other.text);
    let id = north.hand_in("name=south.csv", events(SOUTH, "key", 2).as_bytes());
    let told = north.settled(&id);
    assert!(told["state"] == "refused" && !told.to_string().contains("zv"), "{told}");
    let asked = north.ask(Method::POST, &format!("/imports/{id}/bring"), &[]);
    assert!(asked.status.is_client_error() && !asked.text.contains("zv"), "{}", asked.text);
    let reader = home.program("finance-analyst").send("/imports?name=x.csv", b"x", &[]);
    assert_eq!(reader.status, StatusCode::FORBIDDEN, "{}", reader.text);
}
