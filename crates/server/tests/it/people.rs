//! Accounts by page: an administrator's work, what nobody else may, and the own tokens and sessions.

use axum::http::{Method, StatusCode};
use backstay_access::TotpSecret;

use crate::home::{Browser, Home, NORTH, NOW_US, Shown};

/// An administrator who signed in with a second factor.
fn administrator(home: &Home) -> Browser<'_> {
    let mut browser = home.signed_in("administrator");
    let page = browser.get("/account/factor").text;
    let secret = page.split("name=\"secret\" value=\"").nth(1).unwrap();
    let secret = secret.split('"').next().unwrap().to_owned();
    let code = TotpSecret::parse(&secret).unwrap().code(NOW_US / 30_000_000);
    let done = browser.send("/account/factor", &[("secret", &secret), ("code", &code)]);
    assert!(done.text.contains("recovery codes"), "{}", done.text);
    browser
}

/// The id of an account, from the list.
fn id_of(browser: &mut Browser<'_>, email: &str) -> String {
    let list = browser.get("/people").text;
    let before = list.split(email).next().unwrap();
    let id = before.rsplit("href=\"/people/").next().unwrap();
    id.split('"').next().unwrap().to_owned()
}

fn post(browser: &mut Browser<'_>, page: &str, fields: &[(&str, &str)]) -> Shown {
    let token = browser.token("/account");
    let mut all = vec![("token", token.as_str())];
    all.extend(fields);
    browser.ask(Method::POST, page, &all, &[])
}

#[test]
fn an_administrator_makes_an_account_gives_roles_and_takes_them_and_shuts_it() {
    let home = Home::new();
    let mut admin = home.signed_in("administrator");
    let without = admin.get("/people");
    assert!(without.text.contains("second factor"), "{}", without.text);
    assert_eq!(admin.get("/people/new").status, StatusCode::FORBIDDEN);
    let mut admin = administrator(&home);
    let wrong = [("name", "Ana"), ("email", "ana"), ("role", "analyst"), ("scope", "all")];
    let refused = admin.send("/people/new", &wrong);
    assert!(refused.text.contains("is no mail address"), "{}", refused.text);
    assert!(refused.text.contains("value=\"Ana\""), "what was entered stays");
    let scope = format!("arrangement:{NORTH}");
    let new = [
        ("name", "Ana <b>Cruz</b>"),
        ("email", "ana@example.com"),
        ("role", "service-owner"),
        ("scope", scope.as_str()),
    ];
    let made = admin.send("/people/new", &new);
    assert!(made.text.contains("/enter/"), "{}", made.text);
    assert!(!made.text.contains("<b>Cruz"));
    let again = admin.send("/people/new", &new);
    assert!(again.text.contains("Another account has the mail address"), "{}", again.text);
    let id = id_of(&mut admin, "ana@example.com");
    let page = format!("/people/{id}");
    let shown = admin.get(&page);
    assert!(shown.text.contains("Service owner") && shown.text.contains(NORTH), "{}", shown.text);
    // Roles are given and taken; what does not go together is said.
    let give =
        |role: &'static str, step: &'static str| [("role", role), ("scope", "all"), ("step", step)];
    let given = post(&mut admin, &format!("{page}/grants"), &give("analyst", "give"));
    assert_eq!(given.to(), format!("{page}?done=granted"), "{}", given.text);
    let same = post(&mut admin, &format!("{page}/grants"), &give("analyst", "give"));
    assert_eq!(same.to(), format!("{page}?done=same"));
    let alone = post(&mut admin, &format!("{page}/grants"), &give("internal-auditor", "give"));
    assert!(alone.text.contains("stands alone"), "{}", alone.text);
    let none = post(&mut admin, &format!("{page}/grants"), &[("role", "king"), ("scope", "all")]);
    assert!(none.text.contains("there is no role"), "{}", none.text);
    let chosen = post(&mut admin, &format!("{page}/grants"), &[("role", ""), ("scope", "all")]);
    assert!(chosen.text.contains("Choose a role"), "nothing is given by default: {}", chosen.text);
    let taken = post(&mut admin, &format!("{page}/grants"), &give("analyst", "take"));
    assert_eq!(taken.to(), format!("{page}?done=taken"));
    // Dangerous steps ask for a tick.
    let unsure = post(&mut admin, &format!("{page}/state"), &[("step", "disable")]);
    assert!(unsure.text.contains("tick the box"), "{}", unsure.text);
    let shut = post(&mut admin, &format!("{page}/state"), &[("step", "disable"), ("sure", "yes")]);
    assert_eq!(shut.to(), format!("{page}?done=disabled"));
    let link = post(&mut admin, &format!("{page}/link"), &[]);
    assert!(link.text.contains("is disabled"), "{}", link.text);
    let open = post(&mut admin, &format!("{page}/state"), &[("step", "enable")]);
    assert_eq!(open.to(), format!("{page}?done=enabled"));
    let link = post(&mut admin, &format!("{page}/link"), &[("reason", "lost")]);
    assert!(link.text.contains("/enter/"), "{}", link.text);
    // The own account is left alone, and so is the last administrator.
    let own = id_of(&mut admin, "administrator@example.org");
    assert!(admin.get(&format!("/people/{own}")).text.contains("own account"));
    let self_shut =
        post(&mut admin, &format!("/people/{own}/state"), &[("step", "disable"), ("sure", "yes")]);
    assert_eq!(self_shut.status, StatusCode::FORBIDDEN);
    let self_take = [("role", "administrator"), ("scope", "all"), ("step", "take")];
    let self_take = post(&mut admin, &format!("/people/{own}/grants"), &self_take);
    assert_eq!(self_take.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.get("/people/a-0000000000000000").status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get("/people/ana@example.com").status, StatusCode::NOT_FOUND);
}

#[test]
fn sessions_tokens_and_a_lost_second_factor_are_ended_by_an_administrator() {
    let home = Home::new();
    let mut victim = home.signed_in("analyst");
    let made = post(&mut victim, "/account/tokens", &[("title", "night import"), ("days", "30")]);
    assert!(made.text.contains("backstay_token_"), "{}", made.text);
    let mut admin = administrator(&home);
    let id = id_of(&mut admin, "analyst@example.org");
    let page = format!("/people/{id}");
    let shown = admin.get(&page).text;
    assert!(shown.contains("night import") && !shown.contains("backstay_token_"), "{shown}");
    let token = shown.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let ended = post(&mut admin, &format!("{page}/tokens"), &[("id", token)]);
    assert_eq!(ended.to(), format!("{page}?done=tokens"));
    let twice = post(&mut admin, &format!("{page}/tokens"), &[("id", token)]);
    assert!(twice.text.contains("has no API token"), "{}", twice.text);
    assert_eq!(victim.get("/account").status, StatusCode::OK);
    let out = post(&mut admin, &format!("{page}/sessions"), &[]);
    assert_eq!(out.to(), format!("{page}?done=sessions"));
    assert_eq!(victim.get("/account").to(), "/sign-in");
    let factor = post(&mut admin, &format!("{page}/factor"), &[]);
    assert!(factor.text.contains("tick the box"), "{}", factor.text);
    let factor = post(&mut admin, &format!("{page}/factor"), &[("sure", "yes")]);
    assert_eq!(factor.to(), format!("{page}?done=factor"));
}

#[test]
fn a_token_of_ones_own_is_shown_once_limited_and_ended() {
    let home = Home::new();
    let mut browser = home.signed_in("north-provider-qx");
    let page = browser.get("/account/tokens");
    assert!(page.text.contains(NORTH) && !page.text.contains("zv"), "{}", page.text);
    let other = [("title", "x"), ("days", "3"), ("only.south-arrangement-zv", "yes")];
    let refused = post(&mut browser, "/account/tokens", &other);
    assert!(refused.text.contains("not open to you"), "{}", refused.text);
    for days in ["many", "0", "367"] {
        let refused = post(&mut browser, "/account/tokens", &[("title", "x"), ("days", days)]);
        assert!(refused.text.contains("role=\"alert\""), "{days}: {}", refused.text);
    }
    let only = format!("only.{NORTH}");
    let fields =
        [("title", "nightly"), ("days", "3"), ("read_only", "yes"), (only.as_str(), "yes")];
    let made = post(&mut browser, "/account/tokens", &fields);
    let token = made.text.split("backstay_token_").nth(1).expect("shown once");
    let token = format!("backstay_token_{}", token.split('<').next().unwrap());
    let listed = browser.get("/account/tokens").text;
    assert!(listed.contains("nightly") && !listed.contains(&token), "{listed}");
    let bearer = format!("Bearer {token}");
    let mut machine = home.browser();
    let asks = [("authorization", bearer.as_str())];
    let account = machine.ask(Method::GET, "/api/v1/account", &[], &asks);
    assert_eq!(account.status, StatusCode::OK, "{}", account.text);
    // A token makes no other token, and ends none.
    for page in ["/account/tokens", "/account/tokens/end", "/account/sessions"] {
        let shown = machine.ask(Method::POST, page, &[("title", "y"), ("days", "1")], &asks);
        assert_eq!(shown.status, StatusCode::FORBIDDEN, "{page}: {}", shown.text);
    }
    let own = listed.split("nightly").nth(1).unwrap();
    let id = own.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(post(&mut browser, "/account/tokens/end", &[("id", id)]).to(), "/account/tokens");
    let after = browser.get("/account/tokens").text;
    assert!(!after.contains("nightly"), "{id}: {after}");
    let account = machine.ask(Method::GET, "/api/v1/account", &[], &asks);
    assert_eq!(account.status, StatusCode::UNAUTHORIZED, "{}", account.text);
}

#[test]
fn nobody_but_an_administrator_changes_an_account() {
    let home = Home::new();
    let mut admin = administrator(&home);
    let id = id_of(&mut admin, "executive@example.org");
    for name in home.names().filter(|name| !["administrator", "executive"].contains(name)) {
        let mut browser = home.signed_in(name);
        for (page, fields) in [
            ("grants", &[("role", "administrator"), ("scope", "all"), ("step", "give")][..]),
            ("state", &[("step", "disable"), ("sure", "yes")][..]),
            ("link", &[][..]),
            ("factor", &[("sure", "yes")][..]),
            ("sessions", &[][..]),
            ("tokens", &[("id", "t-1")][..]),
        ] {
            for id in [id.as_str(), "a-0000000000000000"] {
                let shown = post(&mut browser, &format!("/people/{id}/{page}"), fields);
                assert_eq!(shown.status, StatusCode::FORBIDDEN, "{name} {page}: {}", shown.text);
            }
        }
        let new =
            [("name", "X"), ("email", "x@example.com"), ("role", "analyst"), ("scope", "all")];
        let shown = post(&mut browser, "/people/new", &new);
        assert_eq!(shown.status, StatusCode::FORBIDDEN, "{name}");
    }
    assert!(admin.get(&format!("/people/{id}")).text.contains("nobody has come in yet"));
}
