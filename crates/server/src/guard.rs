//! Cookies and the tokens of forms. A form carries a token that only a page of the same session, or of
//! the same browser before signing in, can hold; the token says nothing about the session's secret.

use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The session.
pub const SESSION: &str = "backstay-session";
/// A browser that has not signed in: ties its forms to it.
pub const BROWSER: &str = "backstay-browser";

/// A cookie of the request; nothing when it is missing or came twice.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut found = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned());
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The token of a request that names one; nothing when the header came twice.
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (first, more) = (lines.next()?, lines.next());
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    let named = scheme.eq_ignore_ascii_case("bearer") && more.is_none();
    named.then(|| token.trim().to_owned())
}

/// The line that sets a cookie; `seconds`: how long it lasts, 0 ends it.
pub fn set_cookie(name: &str, value: &str, seconds: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn mac(key: &[u8; 32], bound_to: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(b"backstay form v1\n");
    mac.update(bound_to.as_bytes());
    Some(mac)
}

/// The token of forms for whoever holds this cookie's value.
pub fn token(key: &[u8; 32], bound_to: &str) -> String {
    mac(key, bound_to).map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default()
}

/// Whether a token is that of this cookie's value, in constant time.
pub fn is_token(key: &[u8; 32], bound_to: &str, token: &str) -> bool {
    let bytes = hex::decode(token).unwrap_or_default();
    mac(key, bound_to).is_some_and(|mac| mac.verify_slice(&bytes).is_ok())
}

/// Whether a form was sent by a page of this very server, as far as the browser says.
pub fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site")
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_cookie_that_came_twice_is_none() {
        let one = headers(&[("cookie", "a=1; backstay-session=x; b=2")]);
        assert_eq!(cookie(&one, SESSION).as_deref(), Some("x"));
        let two = headers(&[("cookie", "backstay-session=x; backstay-session=y")]);
        assert_eq!(cookie(&two, SESSION), None);
        assert_eq!(cookie(&headers(&[]), SESSION), None);
    }

    #[test]
    fn a_token_fits_one_session_and_one_key() {
        let made = token(&[7; 32], "session");
        assert!(is_token(&[7; 32], "session", &made));
        assert!(!is_token(&[7; 32], "other", &made));
        assert!(!is_token(&[8; 32], "session", &made));
        assert!(!is_token(&[7; 32], "session", ""));
        assert!(!is_token(&[7; 32], "session", &made[..62]));
        assert!(!made.contains("session"));
    }

    #[test]
    fn a_form_from_elsewhere_is_known_by_what_the_browser_says() {
        assert!(same_origin(&headers(&[("host", "h:1"), ("origin", "http://h:1")])));
        assert!(!same_origin(&headers(&[("host", "h:1"), ("origin", "http://evil:1")])));
        assert!(!same_origin(&headers(&[("host", "h:1"), ("origin", "null")])));
        assert!(!same_origin(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!same_origin(&headers(&[("sec-fetch-site", "same-site")])));
        assert!(same_origin(&headers(&[("sec-fetch-site", "same-origin"), ("host", "h")])));
    }
}
