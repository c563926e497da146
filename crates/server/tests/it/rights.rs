//! Every route as every role, and no word of another provider.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use backstay_server::{Right, routes};

use crate::home::{Browser, Home, NORTH, SOUTH};

/// A path of a route, its parts filled in for an arrangement.
pub fn path(pattern: &str, arrangement: &str) -> String {
    let level = if arrangement == NORTH { "north-level-qx" } else { "south-level-zv" };
    let key = format!("{arrangement},{level},");
    pattern
        .replace("/registers/{table}", "/registers/service_level")
        .replace("{arrangement}", arrangement)
        .replace("{control}", "service-levels-met")
        .replace("{level}", level)
        .replace("{finding}", "0123456789abcdef")
        .replace("{reference}", if arrangement == NORTH { "8:1" } else { "9:1" })
        .replace("{case}", if arrangement == NORTH { "qx-case-0" } else { "zv-case-0" })
        .replace("{risk}", "quality")
        .replace("{table}", "case_event")
        .replace("{import}", "0123456789abcdef0123456789abcdef")
        .replace("{entry}", if arrangement == NORTH { "8" } else { "9" })
        .replace("{secret}", "backstay_link_none")
        .replace("{digest}", "none.css")
        .replace("{key}", &key)
        .replace("{case}", if arrangement == NORTH { "qx-case-1" } else { "zv-case-1" })
        .replace("{account}", "a-0000000000000000")
        .replace("{size}", "1")
}

fn ask(browser: &mut Browser<'_>, method: &str, path: &str) -> StatusCode {
    if method == "POST" {
        return browser.ask(Method::POST, path, &[("token", "none")], &[]).status;
    }
    browser.get(&format!("{path}{}", query(path))).status
}

/// What a path is asked with.
fn query(path: &str) -> &'static str {
    if path.ends_with("/sql") {
        return "?period=2026-10&q=SELECT%20*%20FROM%20arrangement";
    }
    "?period=2026-10"
}

#[test]
fn every_route_has_a_rule_and_those_open_to_all_are_the_few_reviewed_here() {
    let open: Vec<String> = routes()
        .iter()
        .filter(|route| route.right == Right::Open)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(
        open,
        [
            "GET /healthz",
            "GET /style/{digest}",
            "GET /sign-in",
            "POST /sign-in",
            "GET /sign-in/code",
            "POST /sign-in/code",
            "GET /enter/{secret}",
            "POST /enter/{secret}",
            "GET /api/v1/openapi.json",
        ]
    );
    let named = |route: &&backstay_server::Route| route.path.contains("{arrangement}");
    for route in routes().iter().filter(named) {
        assert!(matches!(route.right, Right::Arrangement(_)), "{route:?}");
    }
    let mut pairs: Vec<_> = routes().iter().map(|route| (route.method, route.path)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    assert_eq!(pairs.len(), routes().len(), "each route once");
}

#[test]
fn nobody_gets_in_anywhere_without_signing_in() {
    let home = Home::shared();
    for route in routes().iter().filter(|route| route.right != Right::Open) {
        let mut browser = home.browser();
        let status = ask(&mut browser, route.method, &path(route.path, NORTH));
        let page =
            route.method == "GET" && !route.path.starts_with("/api/") && route.path != "/metrics";
        let wanted = if page { StatusCode::SEE_OTHER } else { StatusCode::UNAUTHORIZED };
        assert_eq!(status, wanted, "{route:?}");
    }
}

#[test]
fn every_route_answers_every_role_as_reviewed() {
    let home = Home::shared();
    let names: Vec<String> =
        home.names().filter(|name| *name != "executive").map(str::to_owned).collect();
    let mut open: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in &names {
        let mut browser = home.signed_in(name);
        for route in routes().iter().filter(|r| r.right != Right::Open && r.method == "GET") {
            let status = ask(&mut browser, route.method, &path(route.path, NORTH));
            let known = [StatusCode::OK, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
            assert!(known.contains(&status), "{name} {route:?}: {status}");
            if status == StatusCode::OK {
                open.entry(route.path).or_default().push(name);
            }
        }
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let but = |without: &[&str]| -> Vec<&str> {
        all.iter().copied().filter(|name| !without.contains(name)).collect()
    };
    let readers = but(&["administrator", "south-provider-zv"]);
    for page in [
        "",
        "/controls/{control}",
        "/service-levels/{level}",
        "/evidence",
        "/risks/{risk}",
        "/credits",
        "/time",
        "/quality",
    ] {
        let page = format!("/arrangements/{{arrangement}}{page}");
        assert_eq!(open.get(page.as_str()), Some(&readers), "{page}");
    }
    let of_rows = but(&["administrator", "south-provider-zv", "executive-of-north"]);
    for page in ["/cases", "/cases/{case}"] {
        let page = format!("/arrangements/{{arrangement}}/service-levels/{{level}}{page}");
        assert_eq!(open.get(page.as_str()), Some(&of_rows), "{page}");
    }
    assert_eq!(open.get("/arrangements/{arrangement}/findings/{finding}"), None, "there is none");
    assert_eq!(open.get("/people"), Some(&vec!["administrator", "internal-auditor"]));
    let openers = ["internal-auditor", "security-privacy-officer", "vendor-manager"];
    assert_eq!(open.get("/rows/{reference}"), Some(&openers.to_vec()));
    let bringers = [
        "analyst",
        "north-provider-qx",
        "security-privacy-officer",
        "south-provider-zv",
        "vendor-manager",
    ];
    assert_eq!(open.get("/import"), Some(&bringers.to_vec()));
    assert_eq!(open.get("/imports/{import}"), None, "nobody knows a file that was not handed in");
    for page in ["/registers/{table}", "/registers/{table}/rows/{key}"] {
        let rows: Vec<&str> = match page {
            "/registers/{table}" => but(&["administrator", "executive-of-north"]),
            _ => of_rows.clone(),
        };
        assert_eq!(open.get(page), Some(&rows), "{page}");
    }
    let editors = ["legal-compliance", "security-privacy-officer", "vendor-manager"];
    for page in ["/new", "/rows/{key}/edit", "/rows/{key}/take-away"] {
        let page = format!("/registers/{{table}}{page}");
        assert_eq!(open.get(page.as_str()), Some(&editors.to_vec()), "{page}");
    }
    assert_eq!(open.get("/quarantine/{entry}"), Some(&of_rows));
    for page in ["/account/tokens", "/ledger/checkpoints", "/ledger/checkpoints/{size}"] {
        let none = page.ends_with("{size}");
        assert_eq!(open.get(page), if none { None } else { Some(&all) }, "{page}");
    }
    assert_eq!(open.get("/people/new"), None, "it asks for a second factor");
    let everybody =
        ["/", "/registers", "/account", "/account/password", "/account/factor", "/ledger"];
    for page in everybody.into_iter().chain(["/assessments"]) {
        assert_eq!(open.get(page), Some(&all), "{page}");
    }
}

#[test]
fn no_answer_to_a_providers_person_holds_a_word_of_another() {
    let home = Home::shared();
    let sides =
        [("north-provider-qx", NORTH, SOUTH, "zv"), ("south-provider-zv", SOUTH, NORTH, "qx")];
    for (name, own, other, word) in sides {
        let mut browser = home.signed_in(name);
        let mut read = 0;
        for arrangement in [own, other] {
            for route in routes().iter().filter(|route| route.method == "GET") {
                let path = path(route.path, arrangement);
                let shown = browser.get(&format!("{path}{}", query(&path)));
                let text = shown.text.replace(&path, "");
                assert!(!text.contains(word), "{name} {path}: {text}");
                if arrangement == other && route.path.contains("{arrangement}") {
                    assert_eq!(shown.status, StatusCode::NOT_FOUND, "{path}");
                } else if route.path.contains("{arrangement}") && shown.status == StatusCode::OK {
                    read += 1;
                }
            }
        }
        assert!(read >= 4, "{name} reads the own arrangement");
        let ledger = browser.get("/ledger").text;
        assert!(ledger.contains("No entry here is open to you"), "{ledger}");
    }
    let mut owner = home.signed_in("owner-of-north");
    let shown = owner.get("/?period=2026-10");
    assert!(shown.text.contains(NORTH) && !shown.text.contains(SOUTH), "{}", shown.text);
    let missing = owner.get(&format!("/arrangements/{SOUTH}"));
    let unknown = owner.get("/arrangements/unknown");
    assert_eq!((missing.status, unknown.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert_eq!(missing.text, unknown.text, "what is not open and what is not there look the same");
}
