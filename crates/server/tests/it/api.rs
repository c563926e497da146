//! The interface for machines.

use axum::http::{Method, StatusCode};
use backstay_server::{document, routes};

use crate::home::{Home, NORTH, SOUTH};

fn items(page: &serde_json::Value) -> &Vec<serde_json::Value> {
    page["items"].as_array().unwrap()
}

#[test]
fn every_route_is_described_and_every_description_has_its_route() {
    let mut described = Vec::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.push(format!("{} /api/v1{path}", method.to_uppercase()));
            assert!(operation["summary"].as_str().is_some_and(|about| about.len() > 10), "{path}");
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                let name = part.trim_end_matches('}');
                let all = operation["parameters"].as_array().unwrap();
                assert!(all.iter().any(|p| p["name"] == name && p["in"] == "path"), "{path}");
            }
        }
    }
    let mut there: Vec<String> = routes()
        .iter()
        .filter(|route| route.path.starts_with("/api/"))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    described.sort();
    there.sort();
    assert_eq!(described, there);
}

#[test]
fn a_list_goes_on_by_its_cursor_and_all_pages_are_of_one_instant() {
    let home = Home::shared();
    let mut program = home.program("vendor-manager");
    let whole = program.json("/tables/case_event/rows?limit=1000");
    assert_eq!(items(&whole).len(), 48);
    assert_eq!(whole["next"], serde_json::Value::Null);
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = program.json(&format!("/tables/case_event/rows?limit=7{cursor}"));
        assert_eq!(page["basis"]["known_at"], whole["basis"]["known_at"]);
        all.extend(items(&page).clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&all, items(&whole));
    let controls = program.json(&format!("/arrangements/{NORTH}/controls?period=2026-10&limit=3"));
    let next = controls["next"].as_str().unwrap();
    let more =
        program.json(&format!("/arrangements/{NORTH}/controls?period=2026-10&cursor={next}"));
    assert!(items(&more).iter().all(|row| !items(&controls).contains(row)));
    for wrong in [
        "limit=true&format=ndjson",
        "limit=0",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "format=pdf",
        "colour=red",
    ] {
        let shown = program.get(&format!("/tables/case_event/rows?{wrong}"));
        assert_eq!(shown.status, StatusCode::BAD_REQUEST, "{wrong}: {}", shown.text);
        assert_eq!(shown.headers["content-type"], "application/problem+json");
    }
}

#[test]
fn rows_are_chosen_by_the_values_of_their_columns_and_as_of_an_entry() {
    let home = Home::shared();
    let mut program = home.program("vendor-manager");
    let one = program.json("/tables/case_event/rows?case_id=qx-case-3&state=Done");
    assert_eq!(items(&one).len(), 1, "{one}");
    let quoted = program.json("/tables/case_event/rows?case_id=x'%20OR%20'1'%3D'1");
    assert_eq!(items(&quoted).len(), 0);
    let south = program.json(&format!("/tables/case_event/rows?arrangement={SOUTH}"));
    assert!(items(&south).iter().all(|row| row["arrangement_id"] == SOUTH), "{south}");
    let before = program.json("/tables/case_event/rows?as_of=8");
    assert_eq!(items(&before).len(), 24, "one of two files was there");
    let nowhere = program.get("/tables/case_event/rows?arrangement=none");
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[test]
fn columns_above_the_rights_of_the_asker_are_not_there() {
    let home = Home::shared();
    let columns = |name: &str| {
        let page = home.program(name).json("/tables/case_event/rows?limit=1");
        items(&page)[0].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let has = |name: &str, column: &str| columns(name).contains(&column.to_owned());
    assert!(has("security-privacy-officer", "attributes"));
    assert!(has("vendor-manager", "person_id") && !has("vendor-manager", "attributes"));
    assert!(has("finance-analyst", "state") && !has("finance-analyst", "person_id"));
    let mut executive = home.program("executive");
    assert_eq!(executive.get("/tables/case_event/rows").status, StatusCode::FORBIDDEN);
    let mut provider = home.program("north-provider-qx");
    assert_eq!(items(&provider.json("/tables/case_event/rows")).len(), 24);
    assert_eq!(provider.get("/tables/provider/rows").status, StatusCode::FORBIDDEN);
}

#[test]
fn a_query_sees_what_the_asker_may_query_and_its_errors_are_the_askers() {
    let home = Home::shared();
    let mut analyst = home.program("analyst");
    let counted = analyst.json("/sql?q=SELECT%20count(*)%20AS%20n%20FROM%20case_event");
    assert_eq!(items(&counted)[0]["n"], 48);
    for wrong in [
        "SELECT%20attributes%20FROM%20case_event",
        "SELECT%20*%20FROM%20nowhere",
        "DROP%20TABLE%20case_event",
        "SELECT",
        "",
    ] {
        let shown = analyst.get(&format!("/sql?q={wrong}"));
        assert_eq!(shown.status, StatusCode::BAD_REQUEST, "{wrong}: {}", shown.text);
    }
    let clocks =
        analyst.json("/sql?period=2026-10&q=SELECT%20count(*)%20AS%20n%20FROM%20case_clock");
    assert!(items(&clocks)[0]["n"].as_i64().unwrap() > 0, "{clocks}");
    for name in ["vendor-manager", "north-provider-qx", "executive", "administrator"] {
        let shown = home.program(name).get("/sql?q=SELECT%20*%20FROM%20arrangement");
        assert_eq!(shown.status, StatusCode::FORBIDDEN, "{name}: {}", shown.text);
    }
}

#[test]
fn a_list_is_saved_as_lines_of_json_as_values_and_as_a_workbook() {
    let home = Home::shared();
    let mut program = home.program("vendor-manager");
    let path = format!("/arrangements/{NORTH}/service-levels?period=2026-10");
    let csv = program.get(&format!("{path}&format=csv"));
    assert!(csv.text.starts_with("arrangement_id,service_level,"), "{}", csv.text);
    assert!(csv.headers["content-disposition"].to_str().unwrap().contains("service-levels.csv"));
    let lines = program.ask(Method::GET, &path, &[("accept", "application/x-ndjson")]);
    let line: serde_json::Value = serde_json::from_str(lines.text.lines().next().unwrap()).unwrap();
    assert_eq!((&line["numerator"], &line["denominator"]), (&9.into(), &12.into()));
    assert!(program.get(&format!("{path}&format=xlsx")).text.starts_with("PK"));
    let tag = csv.headers["etag"].to_str().unwrap().to_owned();
    let again = program.ask(Method::GET, &format!("{path}&format=csv"), &[("if-none-match", &tag)]);
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let mut finance = home.program("finance-analyst");
    let rows = finance.get("/tables/case_event/rows?format=csv").text;
    assert!(rows.contains("qx-case-3") && !rows.contains("person_id"), "{rows}");
}

#[test]
fn a_program_keeps_an_assessment_once_and_a_browser_cannot_be_made_to() {
    let home = Home::shared();
    let path = format!("/arrangements/{NORTH}/assessments?period=2026-10");
    let mut owner = home.program("service-owner");
    let first = owner.ask(Method::POST, &path, &[]);
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let kept: serde_json::Value = serde_json::from_str(&first.text).unwrap();
    let again: serde_json::Value =
        serde_json::from_str(&owner.ask(Method::POST, &path, &[]).text).unwrap();
    assert_eq!(kept["entry"], again["entry"], "the same basis keeps one entry");
    let whole = owner.json(&format!("/assessments/{}", kept["entry"]));
    assert_eq!(whole["schema"], "backstay.assessment/1");
    let mut other = home.program("south-provider-zv");
    let hidden = other.get(&format!("/assessments/{}", kept["entry"]));
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    let mut browser = home.signed_in("service-owner");
    let forged = browser.ask(Method::POST, &format!("/api/v1{path}"), &[], &[]);
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "{}", forged.text);
    let mut executive = home.program("executive");
    assert_eq!(executive.ask(Method::POST, &path, &[]).status, StatusCode::FORBIDDEN);
}

#[test]
fn the_ledger_is_read_page_by_page_and_as_of_an_earlier_entry() {
    let home = Home::shared();
    let mut program = home.program("internal-auditor");
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = program.json(&format!("/ledger/entries?limit=3&as_of=9{cursor}"));
        all.extend(items(&page).iter().map(|entry| entry["entry"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(all, (1..=9).collect::<Vec<u64>>());
    assert_eq!(items(&program.json("/assessments?as_of=9")).len(), 0);
    assert_eq!(program.get("/ledger/entries?as_of=999999").status, StatusCode::NOT_FOUND);
    let note = program.get("/ledger/checkpoint");
    assert!(note.text.contains("\n\u{2014} "), "{}", note.text);
}

#[test]
fn a_program_enters_a_row_and_hears_of_both_versions_when_another_was_faster() {
    let home = Home::shared();
    let mut manager = home.program("vendor-manager");
    let row = |title: &str, expect: u64| {
        serde_json::json!({
            "values": { "client_id": "client-api", "name": title, "country": "PT" },
            "reason": "test", "expect": expect,
        })
    };
    let mut tried = row("First", 0);
    tried["dry_run"] = true.into();
    assert_eq!(manager.tell("/tables/client/rows", &tried).status, StatusCode::OK);
    let first = manager.tell("/tables/client/rows", &row("First", 0));
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let first: serde_json::Value = serde_json::from_str(&first.text).unwrap();
    let entry = first["entry"].as_u64().unwrap();
    let second = manager.tell("/tables/client/rows", &row("Second", entry));
    assert_eq!(second.status, StatusCode::CREATED, "{}", second.text);
    let late = manager.tell("/tables/client/rows", &row("Late", entry));
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    let late: serde_json::Value = serde_json::from_str(&late.text).unwrap();
    assert_eq!(
        (&late["seen"]["name"], &late["stands"]["name"]),
        (&"First".into(), &"Second".into())
    );
    let wrong =
        serde_json::json!({ "values": { "client_id": "x", "name": "X", "country": "Portugal" } });
    let wrong = manager.tell("/tables/client/rows", &wrong);
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("\"column\":\"country\""), "{}", wrong.text);
    let unclear = manager.tell("/tables/client/rows", &serde_json::json!({ "row": 1 }));
    assert_eq!(unclear.status, StatusCode::BAD_REQUEST, "{}", unclear.text);
}

#[test]
fn a_program_enters_rows_only_where_its_owner_may() {
    let home = Home::shared();
    let level = |arrangement: &str| {
        serde_json::json!({ "values": {
            "arrangement_id": arrangement, "service_level_id": "api", "title": "T",
            "metric": "turnaround", "target": "0.9", "threshold": "4h", "window": "month",
            "basis": "contract", "source": "1",
        }, "dry_run": true })
    };
    let mut manager = home.program("vendor-manager");
    let taken = manager.tell("/tables/service_level/rows", &level(NORTH));
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    for (name, arrangement, wanted) in [
        ("north-provider-qx", NORTH, StatusCode::FORBIDDEN),
        ("north-provider-qx", SOUTH, StatusCode::NOT_FOUND),
        ("owner-of-north", NORTH, StatusCode::FORBIDDEN),
        ("owner-of-north", SOUTH, StatusCode::NOT_FOUND),
        ("vendor-manager", "", StatusCode::BAD_REQUEST),
        ("executive", NORTH, StatusCode::NOT_FOUND),
    ] {
        let shown = home.program(name).tell("/tables/service_level/rows", &level(arrangement));
        assert_eq!(shown.status, wanted, "{name} {arrangement}: {}", shown.text);
        let other = if arrangement == NORTH { "zv" } else { "qx" };
        assert!(name != "north-provider-qx" || arrangement == SOUTH || !shown.text.contains(other));
    }
}

#[test]
fn a_request_with_a_key_is_done_once_and_the_key_fits_no_other() {
    let home = Home::shared();
    let mut owner = home.program("vendor-manager");
    let path = format!("/arrangements/{SOUTH}/assessments?period=2026-10");
    let key = [("idempotency-key", "one")];
    let first = owner.ask(Method::POST, &path, &key);
    let again = owner.ask(Method::POST, &path, &key);
    assert_eq!((first.status, &first.text), (StatusCode::CREATED, &again.text));
    let other = format!("/arrangements/{NORTH}/assessments?period=2026-10");
    let refused = owner.ask(Method::POST, &other, &key);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    let mut analyst = home.program("analyst");
    assert_eq!(analyst.ask(Method::POST, &other, &key).status, StatusCode::CREATED);
}

#[test]
fn the_month_end_pack_is_a_report_and_a_workbook_for_who_sees_all_that_it_is_about() {
    let home = Home::shared();
    let mut owner = home.program("service-owner");
    let kept =
        owner.ask(Method::POST, &format!("/arrangements/{NORTH}/assessments?period=2026-10"), &[]);
    let kept: serde_json::Value = serde_json::from_str(&kept.text).unwrap();
    let entry = &kept["entry"];
    let mut browser = home.signed_in("service-owner");
    let report = browser.get(&format!("/assessments/{entry}/report"));
    assert_eq!(report.status, StatusCode::OK, "{}", report.text);
    assert!(report.text.contains("North within four hours qx"), "{}", report.text);
    let policy = report.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
    let workbook = browser.get(&format!("/assessments/{entry}/workbook"));
    assert!(workbook.text.starts_with("PK"), "{}", workbook.text);
    let mut provider = home.signed_in("north-provider-qx");
    let own = provider.get(&format!("/assessments/{entry}/report"));
    assert_eq!(own.status, StatusCode::OK, "{}", own.text);
    assert!(!own.text.contains("zv") && !own.text.contains("provider.csv"), "{}", own.text);
    let mut other = home.signed_in("south-provider-zv");
    for part in ["report", "workbook"] {
        let hidden = other.get(&format!("/assessments/{entry}/{part}"));
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{part}");
    }
}

#[test]
fn a_token_that_is_none_is_told_so_and_no_session_helps_it() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    let shown = browser.ask(
        Method::GET,
        "/api/v1/account",
        &[],
        &[("authorization", "Bearer backstay_token_none")],
    );
    assert_eq!(shown.status, StatusCode::UNAUTHORIZED);
    let own: serde_json::Value = home.program("vendor-manager").json("/account");
    assert_eq!(own["grants"][0]["role"], "vendor-manager");
}

#[test]
fn the_figures_of_the_server_name_routes_and_nothing_that_was_asked() {
    let home = Home::shared();
    home.program("vendor-manager").json(&format!("/arrangements/{NORTH}/controls?period=2026-10"));
    let bearer = home.bearer("administrator");
    let shown =
        home.browser().ask(Method::GET, "/metrics", &[], &[("authorization", bearer.as_str())]);
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    let line = "backstay_requests_total{method=\"GET\",route=\"/api/v1/arrangements/{arrangement}/controls\",status=\"200\"}";
    assert!(shown.text.contains(line), "{}", shown.text);
    assert!(shown.text.contains("backstay_ledger_entries ") && shown.text.ends_with("# EOF\n"));
    assert!(!shown.text.contains(NORTH));
    let bearer = home.bearer("vendor-manager");
    let refused =
        home.browser().ask(Method::GET, "/metrics", &[], &[("authorization", bearer.as_str())]);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
