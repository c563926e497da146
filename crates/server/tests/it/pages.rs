//! What the pages say.

use axum::http::StatusCode;

use crate::home::{Home, NORTH, SOUTH};

/// Paths of ours that a page links to.
fn links(text: &str) -> Vec<String> {
    let found = text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut all: Vec<String> = found
        .filter(|to| to.starts_with('/'))
        .map(|to| to.split('#').next().unwrap().replace("&amp;", "&"))
        .collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn a_vendor_manager_goes_from_the_portfolio_down_to_the_line_of_a_file() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    let portfolio = browser.get("/?period=2026-10");
    assert_eq!(portfolio.status, StatusCode::OK, "{}", portfolio.text);
    assert!(portfolio.text.contains(NORTH) && portfolio.text.contains(SOUTH));
    assert!(portfolio.text.contains("October 2026"));
    let page = browser.get(&format!("/arrangements/{NORTH}?period=2026-10"));
    assert!(page.text.contains("below minimum"), "{}", page.text);
    let level =
        browser.get(&format!("/arrangements/{NORTH}/service-levels/north-level-qx?period=2026-10"));
    assert!(level.text.contains("9 of 12 cases"), "{}", level.text);
    let row = links(&level.text).into_iter().find(|to| to.starts_with("/rows/")).unwrap();
    let row = browser.get(&row);
    assert_eq!(row.status, StatusCode::OK);
    assert!(row.text.contains("SHA-256"), "{}", row.text);
}

#[test]
fn every_link_of_every_page_leads_somewhere_and_no_page_breaks() {
    let home = Home::shared();
    let mut browser = home.signed_in("internal-auditor");
    let mut seen = Vec::new();
    let mut waiting = vec!["/?period=2026-10".to_owned()];
    while let Some(path) = waiting.pop() {
        if seen.contains(&path) || seen.len() > 400 {
            continue;
        }
        let shown = browser.get(&path);
        assert_eq!(shown.status, StatusCode::OK, "{path}: {}", shown.text);
        // A day leads to the day after, without an end.
        waiting.extend(links(&shown.text).into_iter().filter(|to| !to.contains("date=")));
        seen.push(path);
    }
    for part in ["/controls/", "/findings/", "/service-levels/", "/evidence", "/rows/", "/ledger"] {
        assert!(seen.iter().any(|path| path.contains(part)), "{part}: {seen:#?}");
    }
    assert!(home.log.lock().unwrap().is_empty(), "{:?}", home.log.lock().unwrap());
}

#[test]
fn a_page_as_of_an_earlier_entry_shows_what_was_known_then() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    // The first entry and seven files: the events of the second arrangement are not in yet.
    let before = browser.get(&format!(
        "/arrangements/{SOUTH}/service-levels/south-level-zv?period=2026-10&as_of=8"
    ));
    assert!(!before.text.contains("9 of 12 cases"), "{}", before.text);
    let empty = browser.get("/?period=2026-10&as_of=1");
    assert!(empty.text.contains("Import the register"), "{}", empty.text);
    let wrong = browser.get("/?period=march");
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text.contains("is not a period"), "{}", wrong.text);
    assert_eq!(browser.get("/?as_of=999999").status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/?as_of=yesterday").status, StatusCode::BAD_REQUEST);
}
