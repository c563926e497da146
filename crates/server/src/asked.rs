//! One request as a handler sees it: who asks, what they may, and what they sent. Holds no socket.

use std::{cell::RefCell, collections::BTreeMap};

use axum::{
    extract::{FromRequestParts as _, RawPathParams},
    http::{HeaderMap, header, request::Parts},
};
use backstay_access::{Action, Authority, Privacy, Resource};
use backstay_store::{Ctx, Visitor};
use bytes::Bytes;

use crate::{listen::Peer, problem::ProblemError, server::Server, upload::Place};

/// Named texts: parts of a path, a query, a form.
pub type Texts = BTreeMap<String, String>;

/// A request before anybody knows who asks.
pub struct Call {
    /// Headers.
    pub headers: HeaderMap,
    /// The path as it was asked for.
    pub path: String,
    /// Named parts of the path.
    pub parts: Texts,
    /// The query.
    pub query: Texts,
    /// The form.
    pub form: Texts,
    /// The body as it came; empty when it was a file.
    pub body: Bytes,
    /// It wants to change something.
    pub changes: bool,
    /// Where it came from, as text.
    pub peer: String,
    /// The file that came with the form.
    pub file: Place,
}

impl Call {
    /// Of the head of a request and its whole body.
    pub fn of(parts: Parts, named: Texts, body: &[u8]) -> Self {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.to_string());
        Self {
            query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            form: if is_json(&parts.headers) { Texts::new() } else { pairs(body) },
            body: Bytes::copy_from_slice(body),
            changes: parts.method == axum::http::Method::POST,
            path: parts.uri.path().to_owned(),
            parts: named,
            peer: peer.unwrap_or_default(),
            file: Place::default(),
            headers: parts.headers,
        }
    }

    /// What a change by program is to be done once by: the asker and the key that came along.
    pub fn repeat_key(&self, visitor: Option<&Visitor>) -> Option<String> {
        let account = visitor.filter(|visitor| visitor.session.is_none() && self.changes)?;
        let key = self.headers.get("idempotency-key")?.to_str().ok()?;
        Some(format!("{} {key}", account.account.id))
    }
}

/// A request with who asks.
pub struct Asked<'a> {
    /// The server.
    pub server: &'a Server,
    /// The request.
    pub call: &'a Call,
    /// Now, microseconds UTC.
    pub now_us: i64,
    /// Who is signed in.
    pub visitor: Option<Visitor>,
    /// What they may do.
    pub authority: Option<Authority<'a>>,
    /// What the forms of the page are tied to: the value of a cookie.
    pub bound_to: String,
    /// Cookies that any answer sets.
    pub cookies: RefCell<Vec<String>>,
}

impl<'a> Asked<'a> {
    /// A named part of the path.
    pub fn part(&self, name: &str) -> &str {
        self.call.parts.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A value of the query, when it says something.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.call.query.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// A field of the form.
    pub fn field(&self, name: &str) -> &str {
        self.call.form.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// A body that is not what is wanted, with the place.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, ProblemError> {
        serde_json::from_slice(&self.call.body).map_err(|error| {
            ProblemError::unclear(format!("The body is not the JSON that this takes: {error}."))
        })
    }

    /// What stands in this page for the token of its forms.
    pub fn token(&self) -> &str {
        &self.server.marker
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// When nobody is.
    pub fn visitor(&self) -> Result<&Visitor, ProblemError> {
        self.visitor.as_ref().ok_or_else(ProblemError::sign_in)
    }

    /// What they may do.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub fn authority(&self) -> Result<&Authority<'a>, ProblemError> {
        self.authority.as_ref().ok_or_else(ProblemError::sign_in)
    }

    /// Whether they may do this; nobody may nothing.
    pub fn may(&self, action: Action, resource: &Resource<'_>) -> bool {
        self.authority.as_ref().is_some_and(|authority| authority.may(action, resource))
    }

    /// Whether there is any arrangement, or anything shared, whose rows they may do this to.
    pub fn may_somewhere(&self, action: Action) -> bool {
        let shared = Resource::Rows { arrangement: None, privacy: Privacy::Open };
        self.may(action, &shared)
            || self.authority.as_ref().is_some_and(|may| !may.visible_for(action).is_empty())
    }

    /// Whether they may do this to what an entry of the ledger is about: every arrangement that it
    /// names, or the workspace when it names none.
    pub fn may_entry(&self, action: Action, arrangements: &[String]) -> bool {
        let Some(authority) = &self.authority else { return false };
        if arrangements.is_empty() {
            return authority.may(action, &Resource::Workspace);
        }
        arrangements.iter().all(|id| authority.may(action, &Resource::Arrangement(id)))
    }

    /// Whether they may open the record that a row was read from, in a file about these arrangements.
    pub fn may_open(&self, arrangements: &[String]) -> bool {
        let Some(authority) = &self.authority else { return false };
        let rows = |arrangement| Resource::Rows { arrangement, privacy: Privacy::Secret };
        if arrangements.is_empty() {
            return authority.may(Action::SourceRead, &rows(None));
        }
        arrangements.iter().all(|id| authority.may(Action::SourceRead, &rows(Some(id))))
    }

    /// The zone in which times are shown beside that of a site: UTC unless another was asked for.
    ///
    /// # Errors
    /// A name that is no time zone.
    pub fn zone(&self) -> Result<&str, ProblemError> {
        let Some(name) = self.query("zone") else { return Ok("UTC") };
        match backstay_engine::period::time_zone(name) {
            Ok(_) => Ok(name),
            Err(_) => {
                let mut problem = ProblemError::unclear(format!("`{name}` is not a time zone."));
                problem.help =
                    Some("Write one of IANA’s names, as Europe/Lisbon or Asia/Manila.".to_owned());
                Err(problem)
            }
        }
    }

    /// `path` with the period and the instant that this page is of.
    pub fn link(&self, path: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut any = false;
        for name in ["period", "as_of", "zone"] {
            if let Some(text) = self.query(name) {
                query.append_pair(name, text);
                any = true;
            }
        }
        if any { format!("{path}?{}", query.finish()) } else { path.to_owned() }
    }

    /// Does something that needs clock, actor and randomness.
    ///
    /// # Errors
    /// Those of `work`; a machine without randomness.
    pub fn with_context<T, E>(
        &self,
        work: impl FnOnce(&mut Ctx<'_>) -> Result<T, E>,
    ) -> Result<T, ProblemError>
    where
        ProblemError: From<E>,
    {
        let actor = self.visitor.as_ref().map_or("server", |visitor| visitor.account.id.as_str());
        self.server.with_context(actor, self.now_us, work)
    }
}

/// A part of a path, as it may stand in one.
pub fn segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The named parts of a path.
pub async fn named(parts: &mut Parts) -> Texts {
    let named = RawPathParams::from_request_parts(parts, &()).await;
    let texts = |params: RawPathParams| {
        params.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    };
    named.map(texts).unwrap_or_default()
}

/// Whether the body of a request is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| {
        kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
    })
}

fn pairs(bytes: &[u8]) -> Texts {
    form_urlencoded::parse(bytes).into_owned().collect()
}
