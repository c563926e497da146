//! Coming in, going, and forms from elsewhere.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use tower::ServiceExt as _;

use backstay_access::TotpSecret;

use crate::home::{Home, NOW_US, PASSWORD};

#[test]
fn who_is_not_signed_in_is_shown_where_to_sign_in_and_nothing_else() {
    let home = Home::shared();
    let mut browser = home.browser();
    let shown = browser.get("/");
    assert_eq!((shown.status, shown.to()), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(browser.get("/sign-in").text.contains("Mail address"));
    assert_eq!(browser.get("/healthz").text, "ok\n");
    assert_eq!(browser.get("/nowhere").status, StatusCode::NOT_FOUND);
    let api = browser.get("/api/v1/nothing");
    assert_eq!(api.headers["content-type"], "application/problem+json");
}

#[test]
fn a_link_lets_in_once_and_only_when_it_is_used_not_when_it_is_looked_at() {
    let home = Home::shared();
    let link = home.link("executive");
    let mut browser = home.browser();
    assert!(browser.get(&link).text.contains("Come in"));
    assert!(browser.get(&link).text.contains("Come in"), "looking does not use it up");
    assert_eq!(browser.send(&link, &[]).to(), "/account/password");
    assert_eq!(browser.get("/").to(), "/account/password", "a password comes first");
    let mut other = home.browser();
    assert!(other.get(&link).text.contains("lets nobody in"));
    let weak = browser.send("/account/password", &[("new", "short"), ("again", "short")]);
    assert!(weak.text.contains("role=\"alert\""), "{}", weak.text);
    let differ = browser.send("/account/password", &[("new", PASSWORD), ("again", "x")]);
    assert!(differ.text.contains("differ"));
    let set = browser.send("/account/password", &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(set.to(), "/");
    assert_eq!(browser.get("/").status, StatusCode::OK);

    let mut again = home.browser();
    let wrong = again.send("/sign-in", &[("email", "executive@example.org"), ("password", "no")]);
    let stranger = again.send("/sign-in", &[("email", "nobody@example.org"), ("password", "no")]);
    assert!(wrong.text.contains("Mail address or password is wrong"));
    assert!(stranger.text.contains("Mail address or password is wrong"));
    let right =
        again.send("/sign-in", &[("email", "executive@example.org"), ("password", PASSWORD)]);
    let cookie = right.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert_eq!(again.get("/").status, StatusCode::OK);
    let kept = again.cookies.clone();
    let token = again.token("/");
    assert_eq!(again.ask(Method::POST, "/sign-out", &[("token", &token)], &[]).to(), "/sign-in");
    again.cookies = kept;
    assert_eq!(again.get("/").to(), "/sign-in", "the session ended here, not only in the browser");
}

#[test]
fn a_form_without_the_token_of_its_page_or_from_another_site_is_not_taken() {
    let home = Home::shared();
    let mut browser = home.signed_in("analyst");
    let none = browser.ask(Method::POST, "/sign-out", &[], &[]);
    assert_eq!(none.status, StatusCode::FORBIDDEN);
    let token = browser.token("/account");
    let cross = [("sec-fetch-site", "cross-site")];
    let from_elsewhere = browser.ask(Method::POST, "/sign-out", &[("token", &token)], &cross);
    assert_eq!(from_elsewhere.status, StatusCode::FORBIDDEN);
    let origin = [("origin", "http://elsewhere.example")];
    let named = browser.ask(Method::POST, "/sign-out", &[("token", &token)], &origin);
    assert_eq!(named.status, StatusCode::FORBIDDEN);
    let other = home.signed_in("finance-analyst").token("/account");
    let borrowed = browser.ask(Method::POST, "/sign-out", &[("token", &other)], &[]);
    assert_eq!(borrowed.status, StatusCode::FORBIDDEN, "another's token");
    assert_eq!(browser.get("/account").status, StatusCode::OK, "still signed in");
}

#[test]
fn a_form_that_is_too_large_is_refused_and_every_answer_carries_the_headers() {
    let home = Home::shared();
    let mut browser = home.browser();
    let large = "x".repeat(70_000);
    let shown = browser.ask(Method::POST, "/sign-in", &[("email", &large)], &[]);
    assert_eq!(shown.status, StatusCode::PAYLOAD_TOO_LARGE);
    let page = browser.get("/sign-in");
    for shown in [&shown, &page] {
        let policy = shown.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(shown.headers["x-content-type-options"], "nosniff");
        assert_eq!(shown.headers["referrer-policy"], "same-origin");
    }
    assert!(!page.text.contains("<script") && !page.text.contains(" style="));
    let style = page.text.split("href=\"/style/").nth(1).unwrap().split('"').next().unwrap();
    let sheet = browser.get(&format!("/style/{style}"));
    assert!(sheet.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(browser.get("/style/0123456789abcdef.css").status, StatusCode::NOT_FOUND);
}

#[test]
fn a_name_is_shown_to_who_may_ask_with_a_second_factor_and_the_asking_is_an_entry() {
    let home = Home::shared();
    let mut browser = home.signed_in("security-privacy-officer");
    let refused = browser.get("/names");
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("second factor"), "{}", refused.text);

    let offered = browser.get("/account/factor").text;
    let value = |text: &str, before: &str| {
        text.split(before).nth(1).unwrap().split(['"', '<']).next().unwrap().to_owned()
    };
    let secret = value(&offered, "name=\"secret\" value=\"");
    let code = TotpSecret::parse(&secret).unwrap().code(NOW_US / 30_000_000);
    let token = value(&offered, "name=\"token\" value=\"");
    let form = [("token", token.as_str()), ("secret", &secret), ("code", &code)];
    let on = browser.ask(Method::POST, "/account/factor", &form, &[]);
    assert!(on.text.contains("The second factor is on"), "{}", on.text);
    let recovery = value(&on.text, "<li><code>");

    let mut officer = home.browser();
    let email = "security-privacy-officer@example.org";
    let first = officer.send("/sign-in", &[("email", email), ("password", PASSWORD)]);
    assert_eq!(first.to(), "/sign-in/code", "{}", first.text);
    assert_eq!(officer.send("/sign-in/code", &[("code", &recovery)]).to(), "/");
    let rows = officer.get("/api/v1/tables/case_event/rows?case_id=qx-case-3&limit=1");
    let rows: serde_json::Value = serde_json::from_str(&rows.text).unwrap();
    let pseudonym = rows["items"][0]["person_id"].as_str().unwrap().to_owned();
    let none = officer.send("/names", &[("pseudonym", "Ana Cruz"), ("reason", "x")]);
    assert!(none.text.contains("not a pseudonym") && !none.text.contains("Ana"), "{}", none.text);
    let bare = officer.send("/names", &[("pseudonym", &pseudonym), ("reason", " ")]);
    assert!(bare.text.contains("Give a reason"), "{}", bare.text);
    let asked = [("pseudonym", pseudonym.as_str()), ("reason", "a complaint about a case")];
    let shown = officer.send("/names", &asked);
    assert!(shown.text.contains("qx-person-3"), "{}", shown.text);
    let ledger = officer.get("/ledger");
    assert!(ledger.text.contains("a complaint about a case"), "{}", ledger.text);
    assert!(!ledger.text.contains("qx-person-3"));
}

/// A body of which one byte comes and then nothing.
struct Halting(bool);

impl futures::Stream for Halting {
    type Item = Result<Vec<u8>, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Pending
        } else {
            Poll::Ready(Some(Ok(b"t".to_vec())))
        }
    }
}

#[test]
fn a_form_that_stops_half_way_does_not_hold_its_connection_for_ever() {
    let home = Home::new();
    home.server.limit_forms(20);
    let halting = Body::from_stream(Halting(false));
    let request = Request::builder().method(Method::POST).uri("/sign-in").body(halting).unwrap();
    let app = home.app.clone();
    let answer = home.runtime.block_on(async { app.oneshot(request).await.unwrap() });
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(home.browser().get("/healthz").text, "ok\n");
}
