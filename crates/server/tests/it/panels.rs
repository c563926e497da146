//! Figures as pages: service levels with their cases, a case over its days, hours, evidence, assessments
//! kept and compared; and who sees none of it.

use axum::http::{Method, StatusCode};

use crate::{
    hand::events,
    home::{Browser, Home, NORTH, SOUTH},
};

const LEVEL: &str = "/service-levels/north-level-qx";

fn north(page: &str) -> String {
    format!("/arrangements/{NORTH}{page}")
}

/// Sends the form with which an arrangement is assessed; gives the page that it leads to.
fn assess(browser: &mut Browser<'_>, arrangement: &str, period: &str) -> (StatusCode, String) {
    let token = browser.token("/account");
    let path = format!("/arrangements/{arrangement}/assessments?period={period}");
    let form = [("token", token.as_str())];
    let shown = browser.ask(Method::POST, &path, &form, &[("sec-fetch-site", "same-origin")]);
    (shown.status, shown.to().to_owned())
}

#[test]
fn a_service_level_leads_to_its_cases_and_a_case_to_its_days_and_the_line_of_its_file() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    let level = browser.get(&north(&format!("{LEVEL}?period=2026-10"))).text;
    for told in ["9 of 12 cases", "All 12 cases", "outcome=missed", "What the running window"] {
        assert!(level.contains(told), "the page lacks `{told}`: {level}");
    }
    let missed = browser.get(&north(&format!("{LEVEL}/cases?period=2026-10&outcome=missed"))).text;
    assert!(missed.contains("qx-case-0") && missed.contains("qx-case-8"), "{missed}");
    assert!(!missed.contains(">qx-case-1<"), "that one was met");
    let one = browser.get(&north(&format!("{LEVEL}/cases?period=2026-10&case=CASE-1"))).text;
    assert!(one.contains("3 cases of October 2026"), "1, 10 and 11, in any letters: {one}");
    let none = browser.get(&north(&format!("{LEVEL}/cases?period=2026-10&case=zzz"))).text;
    assert!(none.contains("No case fits"), "{none}");
    let case = browser.get(&north(&format!("{LEVEL}/cases/qx-case-0?period=2026-10")));
    assert_eq!(case.status, StatusCode::OK, "{}", case.text);
    for told in ["Fri  2 Oct", "class=\"run\"", "8:00:00", "working hours", "/rows/"] {
        assert!(case.text.contains(told), "the page lacks `{told}`: {}", case.text);
    }
    let marks = case.text.matches("class=\"due\"").count();
    assert_eq!(marks, 2, "the deadline is marked on its day, and the legend says what the mark is");
    let unknown = browser.get(&north(&format!("{LEVEL}/cases/qx-case-99?period=2026-10")));
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[test]
fn what_cannot_be_a_filter_a_day_or_a_zone_is_said_to_be_none() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    for wrong in [
        format!("{LEVEL}/cases?outcome=splendid"),
        format!("{LEVEL}/cases?page=0"),
        format!("{LEVEL}/cases?page=second"),
        "/time?date=2026-02-30".to_owned(),
        "/time?date=9999-12-31".to_owned(),
        "/time?zone=Mars/Olympus".to_owned(),
    ] {
        let shown = browser.get(&north(&wrong));
        assert_eq!(shown.status, StatusCode::BAD_REQUEST, "{wrong}: {}", shown.text);
    }
    let many = browser.get(&north(&format!("{LEVEL}/cases?period=2026-10&page=99999999999")));
    assert_eq!(many.status, StatusCode::OK, "beyond the last page is nothing, not a fault");
    let markup = "%3Cscript%3Ealert(1)%3C/script%3E";
    let shown = browser.get(&north(&format!("{LEVEL}/cases?case={markup}")));
    assert!(!shown.text.contains("<script>alert"), "{}", shown.text);
}

#[test]
fn times_are_shown_in_the_zone_that_was_asked_for_beside_the_sites() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    let path = north(&format!("{LEVEL}/cases/qx-case-0?period=2026-10&zone=Asia/Manila"));
    let case = browser.get(&path).text;
    assert!(
        case.contains("2026-10-02 09:00") && case.contains("2026-10-02 17:00 +08:00"),
        "{case}"
    );
    assert!(case.contains("zone=Asia%2FManila"), "links keep the zone");
}

#[test]
fn who_sees_figures_and_no_rows_is_shown_no_case() {
    let home = Home::shared();
    let mut browser = home.signed_in("executive-of-north");
    let level = browser.get(&north(&format!("{LEVEL}?period=2026-10"))).text;
    assert!(level.contains("do not include the cases") && !level.contains("qx-case"), "{level}");
    let cases = browser.get(&north(&format!("{LEVEL}/cases?period=2026-10")));
    assert_eq!(cases.status, StatusCode::FORBIDDEN);
}

#[test]
fn an_answer_that_is_kept_once_has_one_entry_and_is_worked_out_again_to_the_same_bytes() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    let (status, first) = assess(&mut browser, NORTH, "2026-10");
    assert_eq!(
        (status, first.starts_with("/assessments/")),
        (StatusCode::SEE_OTHER, true),
        "{first}"
    );
    let (_, again) = assess(&mut browser, NORTH, "2026-10");
    assert_eq!(first, again, "the same basis has one entry");
    let page = browser.get(&first).text;
    assert!(page.contains(NORTH) && page.contains("Work it out again"), "{page}");
    let token = browser.token(&first);
    let form = [("token", token.as_str())];
    let path = format!("{first}/replay");
    let replayed = browser.ask(Method::POST, &path, &form, &[("sec-fetch-site", "same-origin")]);
    assert!(replayed.text.contains("The same bytes"), "{}", replayed.text);
    let forged = browser.ask(Method::POST, &path, &[("token", "none")], &[]);
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
}

#[test]
fn two_kept_answers_are_compared_and_say_what_each_is_a_function_of() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    let (_, september) = assess(&mut browser, NORTH, "2026-09");
    let (_, october) = assess(&mut browser, NORTH, "2026-10");
    let with = september.rsplit('/').next().unwrap();
    let page = browser.get(&format!("{october}/compare?with={with}"));
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    for told in ["What each is a function of", "The periods differ", "9 of 12", "north-level-qx"] {
        assert!(page.text.contains(told), "the page lacks `{told}`: {}", page.text);
    }
    let trend = browser.get(&north("/controls/service-levels-met?period=2026-10")).text;
    assert!(trend.contains("2026-09") && trend.contains("Things tested"), "{trend}");
    let risk = browser.get(&north("/risks/quality?period=2026-10")).text;
    assert!(risk.contains("Loss scenario") && risk.contains("2026-09"), "{risk}");
    let nothing = browser.get(&format!("{october}/compare?with=1"));
    assert_eq!(nothing.status, StatusCode::NOT_FOUND, "entry 1 is no assessment");
}

#[test]
fn two_answers_about_one_month_name_the_entry_that_brought_each_case() {
    let home = Home::changing();
    let mut browser = home.signed_in("vendor-manager");
    let (_, before) = assess(&mut browser, SOUTH, "2026-10");
    let mut program = home.program("vendor-manager");
    let mut file = events(SOUTH, "none", 0);
    for (state, hour) in [("Received", "09"), ("Done", "18")] {
        file.push_str(&format!(
            "{SOUTH},log,late-case,request,{state},{state},2026-10-05T{hour}:00:00Z,2026-10-05T09:00:00Z,worker-1\n"
        ));
    }
    let id = program.hand_in("name=late-file.csv", file.as_bytes());
    let told = program.settled(&id);
    assert_eq!(told["state"], "brought", "{told}");
    let (_, after) = assess(&mut browser, SOUTH, "2026-10");
    let with = before.rsplit('/').next().unwrap();
    let whole = browser.get(&format!("{after}/compare?with={with}")).text;
    assert!(whole.contains("late-file.csv") && whole.contains("cases="), "{whole}");
    let cases = format!("{after}/compare?with={with}&cases={SOUTH}");
    let shown = browser.get(&cases);
    for told in ["late-case", "not counted", "import late-file.csv", "Figures that differ"] {
        assert!(shown.text.contains(told), "the page lacks `{told}`: {}", shown.text);
    }
    let mut finance = home.signed_in("finance-analyst");
    assert_eq!(finance.get(&cases).status, StatusCode::OK, "rows without people");
    let mut provider = home.signed_in("south-provider-zv");
    let own = provider.get(&format!("{after}/compare?with={with}"));
    assert_eq!(own.status, StatusCode::OK, "{}", own.text);
    assert!(!own.text.contains("late-file.csv"), "the ledger is not open to a provider's people");
    assert_eq!(provider.get(&cases).status, StatusCode::FORBIDDEN);
}

#[test]
fn every_role_may_assess_as_its_rights_say_and_nobody_sees_anothers_answer() {
    let home = Home::shared();
    let mut manager = home.signed_in("vendor-manager");
    let (_, of_south) = assess(&mut manager, SOUTH, "2026-10");
    let (_, of_north) = assess(&mut manager, NORTH, "2026-10");
    let names: Vec<String> =
        home.names().filter(|name| *name != "executive").map(str::to_owned).collect();
    for name in &names {
        let mut browser = home.signed_in(name);
        let (status, _) = assess(&mut browser, NORTH, "2026-10");
        let wanted = match name.as_str() {
            "administrator" | "south-provider-zv" => StatusCode::NOT_FOUND,
            "internal-auditor" | "executive-of-north" | "north-provider-qx" => {
                StatusCode::FORBIDDEN
            }
            _ => StatusCode::SEE_OTHER,
        };
        assert_eq!(status, wanted, "{name}");
        let token = browser.token("/account");
        let path = format!("{of_north}/replay");
        let form = [("token", token.as_str())];
        let shown = browser.ask(Method::POST, &path, &form, &[("sec-fetch-site", "same-origin")]);
        let wanted = match name.as_str() {
            "administrator" | "south-provider-zv" => StatusCode::NOT_FOUND,
            "executive-of-north" | "north-provider-qx" => StatusCode::FORBIDDEN,
            _ => StatusCode::OK,
        };
        assert_eq!(shown.status, wanted, "{name} replays");
    }
    for (name, own, other, word) in [
        ("north-provider-qx", &of_north, &of_south, "zv"),
        ("south-provider-zv", &of_south, &of_north, "qx"),
    ] {
        let mut browser = home.signed_in(name);
        let page = browser.get(own);
        assert_eq!(page.status, StatusCode::OK, "{name} sees its own");
        let hidden = browser.get(other);
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{name}");
        let list = browser.get("/assessments");
        let with = other.rsplit('/').next().unwrap();
        let compared = browser.get(&format!("{own}/compare?with={with}"));
        assert_eq!(compared.status, StatusCode::NOT_FOUND, "{name}");
        for shown in [page, hidden, list, compared] {
            assert!(!shown.text.contains(word), "{name}: {}", shown.text);
        }
    }
    let mut owner = home.signed_in("owner-of-north");
    assert_eq!(owner.get(&of_south).status, StatusCode::NOT_FOUND);
    assert!(!owner.get("/assessments").text.contains(SOUTH));
}

#[test]
fn panels_of_an_arrangement_without_their_registers_say_what_to_import() {
    let home = Home::shared();
    let mut browser = home.signed_in("vendor-manager");
    for (page, told) in [
        ("/credits", "No scheme of service credits is registered"),
        ("/time?date=2026-10-02", "No team of this arrangement is registered"),
        ("/evidence?period=2026-10", "no feed"),
        ("/quality", "What to do"),
    ] {
        let shown = browser.get(&north(page));
        assert_eq!(shown.status, StatusCode::OK, "{page}: {}", shown.text);
        assert!(shown.text.contains(told), "{page} lacks `{told}`: {}", shown.text);
    }
}
