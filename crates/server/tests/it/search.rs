//! Search: everything of the own, nothing of others.

use axum::http::StatusCode;

use crate::home::{Home, NORTH};

#[test]
fn a_search_finds_things_of_every_kind_and_each_hit_opens() {
    let home = Home::shared();
    let mut browser = home.signed_in("internal-auditor");
    for (text, found) in [
        ("north-arr", "/arrangements/north-arrangement-qx\""),
        ("within+four", "/service-levels/north-level-qx\""),
        ("provider-report", "/catalogue/controls/provider-report-agrees\""),
        ("QX-CASE-1", "/arrangements/north-arrangement-qx/cases/qx-case-1\""),
        ("lisbon", "/registers/site/rows/hall,\""),
        ("occurred_at", "/catalogue/tables/case_event\""),
        ("8", "<p>Write at least"),
        ("08", "/ledger/8\""),
        ("8:1", "/rows/8%3A1\""),
        ("service_level.csv", "/ledger/7\""),
        ("executive@", "/people/a-"),
    ] {
        let shown = browser.get(&format!("/search?q={text}"));
        assert_eq!(shown.status, StatusCode::OK, "{text}: {}", shown.text);
        assert!(shown.text.contains(found), "{text}: {}", shown.text);
        let hits = shown.text.split("ul class=\"plain hits\"").skip(1);
        let links = hits.flat_map(|part| part.split("</ul>").next()).flat_map(|part| {
            part.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned())
        });
        for to in links.collect::<Vec<_>>() {
            let opened = browser.get(&to.replace("&amp;", "&"));
            assert_eq!(opened.status, StatusCode::OK, "{text} {to}: {}", opened.text);
        }
    }
    let many = browser.get("/search?q=case-1").text;
    assert!(many.contains("qx-case-1") && many.contains("zv-case-11"), "{many}");
    let none = browser.get("/search?q=%27%3B+DROP+TABLE+x--");
    assert!(none.text.contains("Nothing that is open to you"), "{}", none.text);
    let long = "y".repeat(300);
    assert!(browser.get(&format!("/search?q={long}")).text.contains("at most"));
    assert_eq!(browser.get("/search").status, StatusCode::OK);
}

#[test]
fn a_search_by_a_providers_person_finds_nothing_of_another_whatever_is_asked() {
    let home = Home::shared();
    let mut browser = home.signed_in("north-provider-qx");
    let own = browser.get("/search?q=qx-case").text;
    assert!(own.contains("qx-case-1"), "{own}");
    for text in [
        "south",
        "zv-case",
        "zv-person",
        "csv",
        "1",
        "09",
        "9:1",
        "arrangement",
        "level",
        "access",
        "example.org",
        "provider",
        "person",
        "case",
        "2026",
        "within",
    ] {
        let shown = browser.get(&format!("/search?q={text}"));
        let said = shown.text.replace(&format!("value=\"{text}\""), "");
        assert!(!said.contains("zv"), "{text}: {}", shown.text);
        assert!(!said.contains("/ledger/") || said.contains("/ledger/checkpoints"), "{text}");
        assert!(!said.contains("/people/") && !said.contains("/registers/site"), "{text}");
    }
    let mut executive = home.signed_in("owner-of-north");
    let person = executive.get("/search?q=qx-person").text;
    assert!(person.contains("Nothing that is open to you"), "{person}");
    assert!(
        executive.get(&format!("/arrangements/{NORTH}/cases/qx-case-1")).text.contains("Received")
    );
    let other = executive.get("/arrangements/south-arrangement-zv/cases/zv-case-1");
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let quoted = executive.get(&format!("/arrangements/{NORTH}/cases/qx-case-1'%20OR%20'1'%3D'1"));
    assert_eq!(quoted.status, StatusCode::NOT_FOUND);
}
