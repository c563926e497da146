//! What a handler answers, and the response that it becomes: every one carries the same headers.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use maud::Markup;

/// The policy of every page: our own style sheet and our own forms, and nothing else.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a handler answers.
pub enum Answer {
    /// A page.
    Page {
        /// Its title, for the head and the window.
        title: String,
        /// What stands below the head.
        body: Markup,
    },
    /// Go there.
    See {
        /// A path of ours.
        to: String,
        /// Cookies to set.
        cookies: Vec<String>,
    },
    /// A text that anybody may keep: the style sheet.
    Kept(&'static str),
    /// A word for a machine.
    Word(&'static str),
}

impl Answer {
    /// A page.
    pub fn page(title: impl Into<String>, body: Markup) -> Self {
        Self::Page { title: title.into(), body }
    }

    /// Go there, with the same cookies.
    pub fn see(to: impl Into<String>) -> Self {
        Self::See { to: to.into(), cookies: Vec::new() }
    }
}

/// A response with the headers that all carry.
pub fn response(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let fixed: [(HeaderName, &'static str); 9] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // A path may hold a one-time link: it goes nowhere.
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
