//! What a handler answers, and the response that it becomes: every one carries the same headers.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use bytes::Bytes;
use maud::Markup;
use sha2::{Digest as _, Sha256};

/// The policy of every page: our own style sheet and our own forms, and nothing else.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Seconds after which a page about something that goes on is asked for again.
const AGAIN_S: &str = "2";

/// The policy of a document with its own style; the document itself says which style that is.
const DOCUMENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What a handler answers.
pub enum Answer {
    /// A page.
    Page {
        /// Its title, for the head and the window.
        title: String,
        /// What stands below the head.
        body: Markup,
    },
    /// A page about something that goes on: it is asked for again by itself.
    Live {
        /// Its title.
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
    Style(&'static str),
    /// A word for a machine.
    Word(&'static str),
    /// A whole document with its own style, as it is printed and handed on.
    Document(String),
    /// A text for a machine.
    Text {
        /// Media type.
        kind: &'static str,
        /// What it says.
        body: String,
    },
    /// JSON, with the status that it is answered with.
    Json(StatusCode, serde_json::Value),
    /// Bytes to be saved as a file.
    File {
        /// Media type.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What it holds.
        body: Bytes,
    },
}

impl Answer {
    /// A page.
    pub fn page(title: impl Into<String>, body: Markup) -> Self {
        Self::Page { title: title.into(), body }
    }

    /// A page that is asked for again by itself.
    pub fn live(title: impl Into<String>, body: Markup) -> Self {
        Self::Live { title: title.into(), body }
    }

    /// JSON.
    pub fn json(value: serde_json::Value) -> Self {
        Self::Json(StatusCode::OK, value)
    }

    /// Go there, with the same cookies.
    pub fn see(to: impl Into<String>) -> Self {
        Self::See { to: to.into(), cookies: Vec::new() }
    }
}

/// An answer with its bytes made, so that it can be kept and told again.
#[derive(Clone)]
pub struct Told {
    status: StatusCode,
    kind: &'static str,
    /// Its bytes.
    pub body: Bytes,
    /// Cookies that it sets.
    pub cookies: Vec<String>,
    /// Further headers.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Forms on it carry the marker, for which each session's own token is put.
    marked: bool,
    /// What it holds has a digest, by which it is asked for again.
    tagged: bool,
}

impl Told {
    /// Of an answer; `page` sets what stands around a page.
    pub fn of(
        answer: Answer,
        cookies: Vec<String>,
        page: impl Fn(&str, &Markup) -> String,
    ) -> Self {
        let told = |status, kind, body: Bytes| Self {
            status,
            kind,
            body,
            cookies: cookies.clone(),
            headers: Vec::new(),
            marked: false,
            tagged: false,
        };
        let plain = "text/plain; charset=utf-8";
        match answer {
            Answer::Page { title, body } => {
                let text = page(&title, &body);
                Self {
                    marked: true,
                    ..told(StatusCode::OK, "text/html; charset=utf-8", text.into())
                }
            }
            Answer::Live { title, body } => {
                let text = page(&title, &body);
                let mut live = told(StatusCode::OK, "text/html; charset=utf-8", text.into());
                live.marked = true;
                live.headers.push((header::REFRESH, HeaderValue::from_static(AGAIN_S)));
                live
            }
            Answer::See { to, cookies: more } => {
                let mut away = told(StatusCode::SEE_OTHER, plain, Bytes::new());
                away.headers.extend(HeaderValue::from_str(&to).map(|to| (header::LOCATION, to)));
                away.cookies.extend(more);
                away
            }
            Answer::Style(text) => {
                let mut style = told(StatusCode::OK, "text/css; charset=utf-8", text.into());
                let long = HeaderValue::from_static("public, max-age=31536000, immutable");
                style.headers.push((header::CACHE_CONTROL, long));
                style
            }
            Answer::Document(text) => {
                let mut document = told(StatusCode::OK, "text/html; charset=utf-8", text.into());
                let policy = HeaderValue::from_static(DOCUMENT_POLICY);
                document.headers.push((header::CONTENT_SECURITY_POLICY, policy));
                document
            }
            Answer::Text { kind, body } => told(StatusCode::OK, kind, body.into()),
            Answer::Word(word) => told(StatusCode::OK, plain, word.into()),
            Answer::Json(status, value) => {
                let text = format!("{value}\n");
                Self { tagged: true, ..told(status, "application/json", text.into()) }
            }
            Answer::File { kind, name, body } => {
                let mut file = Self { tagged: true, ..told(StatusCode::OK, kind, body) };
                let name = file_name(&name);
                let saved = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
                file.headers.extend(saved.map(|saved| (header::CONTENT_DISPOSITION, saved)));
                file
            }
        }
    }

    /// The response; `asking` are the request's headers.
    pub fn response(
        &self,
        asking: &HeaderMap,
        marker: &str,
        token: impl FnOnce() -> String,
    ) -> Response<Body> {
        let body = match self.marked {
            true => Body::from(String::from_utf8_lossy(&self.body).replace(marker, &token())),
            false => Body::from(self.body.clone()),
        };
        let mut made = response(self.status, self.kind, body);
        for (name, value) in &self.headers {
            made.headers_mut().insert(name, value.clone());
        }
        if !(self.tagged && self.status == StatusCode::OK) {
            return made;
        }
        let tag = format!("\"{}\"", hex::encode(Sha256::digest(&self.body)));
        let known = asking.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
        let known = known.is_some_and(|known| {
            known
                .split(',')
                .map(str::trim)
                .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
        });
        if known {
            *made.body_mut() = Body::empty();
            *made.status_mut() = StatusCode::NOT_MODIFIED;
        }
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            made.headers_mut().insert(header::ETAG, tag);
            // Whoever keeps it asks each time whether it still holds.
            let ask = HeaderValue::from_static("private, no-cache");
            made.headers_mut().insert(header::CACHE_CONTROL, ask);
        }
        made
    }
}

/// A name as a file may have it on every system.
fn file_name(name: &str) -> String {
    let plain = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => letter,
        _ => '-',
    };
    name.chars().map(plain).take(120).collect::<String>().trim_start_matches('.').to_owned()
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
        // A path may hold a one-time link: it goes nowhere but here. With `no-referrer` a browser would
        // call the origin of our own forms `null`, as it does for forms from elsewhere.
        (header::REFERRER_POLICY, "same-origin"),
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
