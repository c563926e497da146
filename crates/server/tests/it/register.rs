//! Registers by page: lists, one row with its past, the form, and two people at one row.

use std::sync::OnceLock;

use axum::http::{Method, StatusCode};

use crate::home::{Browser, Home, NORTH, SOUTH, Shown};

/// One whose registers these tests change.
fn home() -> &'static Home {
    static HOME: OnceLock<Home> = OnceLock::new();
    HOME.get_or_init(Home::new)
}

fn level(arrangement: &str, id: &str) -> String {
    format!("/registers/service_level/rows/{arrangement},{id},")
}

fn row_of(arrangement: &str) -> String {
    format!("/registers/function/rows/{arrangement},f,")
}

/// Sends a form of a page with what its step needs.
fn send(browser: &mut Browser<'_>, page: &str, step: &str, fields: &[(&str, &str)]) -> Shown {
    let mut all = vec![("step", step)];
    all.extend(fields);
    browser.send(page, &all)
}

/// The entry that a form was made from.
fn expected(browser: &mut Browser<'_>, page: &str) -> String {
    let shown = browser.get(page);
    assert_eq!(shown.status, StatusCode::OK, "{page}: {}", shown.text);
    let rest = shown.text.split("name=\"expect\" value=\"").nth(1).expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn a_register_is_searched_filtered_sorted_and_paged() {
    let mut browser = Home::shared().signed_in("vendor-manager");
    let all = browser.get("/registers/service_level");
    assert!(all.text.contains("2 rows"), "{}", all.text);
    assert!(all.text.contains("north-level-qx") && all.text.contains("south-level-zv"));
    let of_north = browser.get(&format!("/registers/service_level?arrangement={NORTH}"));
    assert!(of_north.text.contains("1 row") && !of_north.text.contains("south-level-zv"));
    let searched = browser.get("/registers/service_level?q=SOUTH+WITHIN");
    assert!(searched.text.contains("1 of 2 rows"), "{}", searched.text);
    assert!(!searched.text.contains("north-level-qx"));
    let none = browser.get("/registers/service_level?f.target=%3E+0.95");
    assert!(none.text.contains("No row fits"), "{}", none.text);
    let some = browser.get("/registers/service_level?f.target=%3E%3D+0.95&f.valid_to=%3D");
    assert!(some.text.contains("2 rows") && some.text.contains("Filter by column (2)"));
    let wrong = browser.get("/registers/service_level?f.target=many");
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text.contains("Write a number"), "{}", wrong.text);
    let down = browser.get("/registers/service_level?sort=title&down=1").text;
    assert!(down.find("south-level-zv").unwrap() < down.find("north-level-qx").unwrap());
    let up = browser.get("/registers/service_level?sort=title").text;
    assert!(up.find("south-level-zv").unwrap() > up.find("north-level-qx").unwrap());
    let past = browser.get("/registers/service_level?as_of=2");
    assert!(past.text.contains("Nothing is here"), "{}", past.text);
    assert!(browser.get("/registers/service_level?page=9").text.contains("no such page"));
    assert_eq!(browser.get("/registers/case_event").status, StatusCode::NOT_FOUND, "no register");
}

#[test]
fn a_reference_leads_to_the_row_it_names() {
    let mut browser = Home::shared().signed_in("vendor-manager");
    let sites = browser.get("/registers/site").text;
    assert!(sites.contains("href=\"/registers/calendar/rows/always,"), "{sites}");
    let row = browser.get("/registers/site/rows/hall,");
    assert_eq!(row.status, StatusCode::OK, "{}", row.text);
    assert!(row.text.contains("First version"), "{}", row.text);
    assert!(row.text.contains("down to the line of its file"));
    assert_eq!(browser.get("/registers/site/rows/nowhere,").status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/registers/site/rows/hall").status, StatusCode::NOT_FOUND, "short key");
}

#[test]
fn a_row_is_changed_after_a_look_at_what_will_change_and_keeps_its_past() {
    let mut browser = home().signed_in("vendor-manager");
    let row = level(NORTH, "north-level-qx");
    let form = format!("{row}/edit");
    let expect = expected(&mut browser, &form);
    let fields = [("expect", expect.as_str()), ("v.target", "0.97"), ("reason", "Amendment 3")];
    let preview = send(&mut browser, &form, "preview", &fields);
    assert!(preview.text.contains("What will change"), "{}", preview.text);
    assert!(preview.text.contains("0.95") && preview.text.contains("0.97"));
    assert!(!browser.get(&row).text.contains("0.97"), "a look writes nothing");
    let written = send(&mut browser, &form, "write", &fields);
    assert!(written.to().starts_with(&format!("{row}?done=")), "{} {}", written.to(), written.text);
    let shown = browser.get(&row).text;
    assert!(shown.contains("<del><bdi class=\"nowrap\">0.95</bdi></del>"), "{shown}");
    assert!(shown.contains("Amendment 3") && shown.contains("First version"));
    let before = browser.get(&format!("{row}?as_of={expect}")).text;
    assert!(before.contains("As known at"), "{before}");
    let same = send(&mut browser, &form, "write", &[("expect", "0"), ("v.target", "x")]);
    assert!(same.text.contains("Nothing was written"), "{}", same.text);
}

#[test]
fn what_is_wrong_stands_beside_its_field_with_what_was_entered() {
    let mut browser = home().signed_in("vendor-manager");
    let form = format!("{}/edit", level(SOUTH, "south-level-zv"));
    let expect = expected(&mut browser, &form);
    let wrong = [
        ("expect", expect.as_str()),
        ("v.target", "<b>many</b>"),
        ("v.threshold", "4 days"),
        ("v.title", ""),
    ];
    let shown = send(&mut browser, &form, "preview", &wrong);
    assert!(shown.text.contains("Nothing was written: 2 things are not right"), "{}", shown.text);
    assert!(
        shown.text.contains("id=\"wrong.target\"") && shown.text.contains("id=\"wrong.threshold\"")
    );
    assert!(
        shown.text.contains("value=\"&lt;b&gt;many&lt;/b&gt;\"") && !shown.text.contains("<b>many")
    );
    assert!(shown.text.contains("value=\"4 days\""), "{}", shown.text);
    assert!(shown.text.contains("aria-invalid=\"true\""));
    let emptied = send(&mut browser, &form, "preview", &[("expect", &expect), ("v.title", "")]);
    assert!(emptied.text.contains("id=\"wrong.title\""), "{}", emptied.text);
    assert!(
        emptied.text.contains("a value is required")
            || emptied.text.contains("A value is required")
    );
}

#[test]
fn two_people_at_one_row_are_shown_both_versions_and_choose() {
    let home = home();
    let row = "/registers/site/rows/hall,";
    let form = format!("{row}/edit");
    let mut first = home.signed_in("vendor-manager");
    let mut second = home.signed_in("security-privacy-officer");
    let expect = expected(&mut first, &form);
    assert_eq!(expected(&mut second, &form), expect);
    let fields = [
        ("expect", expect.as_str()),
        ("v.name", "Great hall"),
        ("v.city", "Porto"),
        ("reason", "renamed"),
    ];
    let written = send(&mut first, &form, "write", &fields);
    assert_eq!(written.status, StatusCode::SEE_OTHER, "{}", written.text);
    let mine = [("expect", expect.as_str()), ("v.name", "Small hall"), ("reason", "shrunk")];
    let conflict = send(&mut second, &form, "write", &mine);
    assert_eq!(conflict.status, StatusCode::OK);
    assert!(conflict.text.contains("Somebody changed this row"), "{}", conflict.text);
    for word in ["Great hall", "Small hall", "Porto", "Lisbon", "renamed", "changed by both"] {
        assert!(conflict.text.contains(word), "{word}: {}", conflict.text);
    }
    assert!(!second.get(row).text.contains("Small hall"), "nothing was lost or written");
    // The form of the choice is made from the version that stands now.
    let now = conflict.text.split("name=\"expect\" value=\"").nth(1).unwrap();
    let now = now.split('"').next().unwrap().to_owned();
    assert_ne!(now, expect);
    let chosen = [("expect", now.as_str()), ("v.name", "Small hall"), ("reason", "shrunk")];
    let done = send(&mut second, &form, "write", &chosen);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let shown = second.get(row).text;
    assert!(shown.contains("Small hall") && shown.contains("Porto"), "{shown}");
    // A row that was taken away meanwhile can be written anew.
    let late = expected(&mut first, &form);
    let gone = send(
        &mut second,
        &format!("{row}/take-away"),
        "",
        &[("expect", &late), ("reason", "sold")],
    );
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.text);
    assert!(second.get(row).text.contains("It no longer stands"));
    let token = first.token("/account");
    let again = [
        ("token", token.as_str()),
        ("step", "write"),
        ("expect", late.as_str()),
        ("v.name", "Old hall"),
    ];
    let shown = first.ask(Method::POST, &form, &again, &[]);
    assert!(shown.text.contains("took this row away"), "{}", shown.text);
    let anew = [
        ("expect", "0"),
        ("v.site_id", "hall"),
        ("v.name", "Old hall"),
        ("v.country", "PT"),
        ("v.city", "Lisbon"),
        ("v.time_zone", "UTC"),
        ("v.calendar_id", "always"),
        ("reason", "bought back"),
    ];
    let done = send(&mut first, "/registers/site/new", "write", &anew);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
}

#[test]
fn a_new_row_asks_for_its_arrangement_and_a_key_that_stands_is_not_overwritten() {
    let mut browser = home().signed_in("vendor-manager");
    let choose = browser.get("/registers/team/new");
    assert!(choose.text.contains("Of which arrangement?"), "{}", choose.text);
    let form = format!("/registers/team/new?arrangement={NORTH}");
    assert!(browser.get(&form).text.contains("name=\"v.team_id\""));
    let token = browser.token("/account");
    let mut post = |fields: &[(&str, &str)]| {
        let mut all = vec![("token", token.as_str()), ("arrangement", NORTH)];
        all.extend(fields);
        browser.ask(Method::POST, "/registers/team/new", &all, &[])
    };
    let missing = post(&[("step", "write"), ("v.title", "Night")]);
    assert!(missing.text.contains("id=\"wrong.team_id\""), "{}", missing.text);
    let whole = [("step", "write"), ("v.team_id", "night"), ("v.title", "Night")];
    let done = post(&whole);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let other = [("step", "write"), ("v.team_id", "night"), ("v.title", "Late")];
    let stands = post(&other);
    assert!(stands.text.contains("stands already"), "{}", stands.text);
    assert!(stands.text.contains("Night") && stands.text.contains("Late"));
}

#[test]
fn nobody_changes_or_sees_rows_beyond_the_own_rights() {
    let home = home();
    let row = level(SOUTH, "south-level-zv");
    // The owner of one arrangement is told nothing of another's row, and may change none.
    let mut owner = home.signed_in("owner-of-north");
    assert_eq!(owner.get(&row).status, StatusCode::NOT_FOUND);
    assert_eq!(owner.get(&format!("{row}/edit")).status, StatusCode::NOT_FOUND);
    let own = format!("{}/edit", level(NORTH, "north-level-qx"));
    assert_eq!(owner.get(&own).status, StatusCode::FORBIDDEN);
    // A provider's people read the own rows, no shared table, and change nothing.
    let mut north = home.signed_in("north-provider-qx");
    let list = north.get("/registers/service_level");
    assert!(list.text.contains("north-level-qx") && !list.text.contains("zv"), "{}", list.text);
    assert_eq!(north.get("/registers/site").status, StatusCode::NOT_FOUND);
    assert_eq!(north.get("/registers/site/rows/hall,").status, StatusCode::NOT_FOUND);
    assert!(!north.get("/registers").text.contains("/registers/site"));
    let own = level(NORTH, "north-level-qx");
    let shown = north.get(&own);
    assert_eq!(shown.status, StatusCode::OK);
    assert!(!shown.text.contains(".csv"), "no name of a file: {}", shown.text);
    assert_eq!(north.get(&format!("{own}/edit")).status, StatusCode::FORBIDDEN);
    let token = north.token("/account");
    for (page, wanted) in [
        (format!("{own}/edit"), StatusCode::FORBIDDEN),
        (format!("{row}/edit"), StatusCode::NOT_FOUND),
        (format!("{own}/take-away"), StatusCode::FORBIDDEN),
    ] {
        let fields =
            [("token", token.as_str()), ("step", "write"), ("reason", "x"), ("v.title", "y")];
        let shown = north.ask(Method::POST, &page, &fields, &[]);
        assert_eq!(shown.status, wanted, "{page}: {}", shown.text);
    }
    // A form for one arrangement cannot name another.
    let mut manager = home.signed_in("vendor-manager");
    let token = manager.token("/account");
    let fields = [
        ("token", token.as_str()),
        ("step", "write"),
        ("arrangement", NORTH),
        ("v.arrangement_id", SOUTH),
        ("v.function_id", "f"),
        ("v.title", "F"),
    ];
    let shown = manager.ask(Method::POST, "/registers/function/new", &fields, &[]);
    assert_eq!(shown.to().split('?').next(), Some(row_of(NORTH).as_str()), "{}", shown.text);
    assert_eq!(manager.get(&row_of(SOUTH)).status, StatusCode::NOT_FOUND);
}

#[test]
fn registers_are_changed_by_those_roles_alone_that_may() {
    let home = home();
    let form = format!("{}/edit", level(SOUTH, "south-level-zv"));
    let mut able = Vec::new();
    for name in home.names() {
        let mut browser = home.signed_in(name);
        let token = browser.token("/account");
        let fields =
            [("token", token.as_str()), ("step", "preview"), ("v.target", "0.9"), ("expect", "6")];
        let shown = browser.ask(Method::POST, &form, &fields, &[]);
        match shown.status {
            StatusCode::OK => able.push(name.to_owned()),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {}
            other => panic!("{name}: {other} {}", shown.text),
        }
    }
    assert_eq!(able, ["legal-compliance", "security-privacy-officer", "vendor-manager"]);
}
