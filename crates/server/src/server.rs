//! The server: a workspace behind routes. Owns who asks, the rule before the handler, and how much is
//! worked on at once; what a page says is in `page`.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderValue, Request, Response, StatusCode, header},
    routing::{MethodFilter, on},
};
use backstay_access::{Policies, Portfolio, Resource};
use backstay_engine::Catalogue;
use backstay_store::{Ctx, Visitor, Workspace};
use bytes::Bytes;
use maud::Markup;
use quick_cache::{Weighter, sync::Cache};
use serde_json::Value;
use tokio::{sync::Semaphore, time};

use crate::{
    answer::{Answer, Told, response},
    asked::{self, Asked, Call, Texts},
    figures::{self, Kept},
    guard,
    job::Jobs,
    meter::Meter,
    page::frame,
    panels, past,
    problem::ProblemError,
    route::{Right, Route, routes},
    upload,
};

/// Bytes of a form.
const MOST_FORM: usize = 64 * 1024;
/// Milliseconds that it may take to arrive.
const FORM_MS: u64 = 30_000;
/// Requests worked on at once; others wait their turn.
const AT_ONCE: usize = 64;
/// About how many answers are kept, and their bytes at most.
const PAGES: usize = 4_096;
const KEPT_BYTES: u64 = 128 << 20;
/// Answers kept by idempotency key.
const REPEATS: usize = 4_096;

/// Fills bytes with randomness; false: the system gives none.
pub type FillRandom = Box<dyn Fn(&mut [u8]) -> bool + Send + Sync>;

/// What the machine gives: the door hands it in.
pub struct Ports {
    /// The clock, microseconds UTC.
    pub now_us: Box<dyn Fn() -> i64 + Send + Sync>,
    /// Randomness that nobody can foresee.
    pub random: FillRandom,
    /// Where the operator reads what broke.
    pub log: Box<dyn Fn(&str) + Send + Sync>,
    /// The server is reached by HTTPS only: cookies are then sent by HTTPS only.
    pub secure: bool,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The access policies cannot be used.
    #[error(transparent)]
    Policy(#[from] backstay_access::PolicyError),
    /// The catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] backstay_desk::DeskError),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

/// A workspace behind routes.
pub struct Server {
    pub(crate) workspace: Workspace,
    pub(crate) policies: &'static Policies,
    pub(crate) catalogue: Catalogue,
    pub(crate) ports: Ports,
    /// What tokens of forms are made with; another at each start.
    pub(crate) key: [u8; 32],
    pub(crate) kept: Kept,
    pub(crate) panels: panels::Kept,
    pub(crate) past: past::Read,
    /// Stands in pages for the token of their forms, so that one page serves all sessions of a person;
    /// nobody can foresee it, so no evidence can hold it.
    pub(crate) marker: String,
    pages: Cache<String, Told, Heavy>,
    /// Answers to requests with an idempotency key, with what was asked.
    repeats: Cache<String, Repeat>,
    meter: Meter,
    room: Semaphore,
    /// Files that were handed in, and the thread that works on them.
    pub(crate) jobs: Arc<Jobs>,
    most_file: AtomicU64,
    /// Files that come in at once.
    pub(crate) receiving: Semaphore,
    patience_ms: AtomicU64,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.jobs.end();
    }
}

impl Server {
    /// A server of this workspace.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn new(workspace: Workspace, ports: Ports) -> Result<Arc<Self>, ServerError> {
        let (mut key, mut marker) = ([0; 32], [0; 32]);
        if !(ports.random)(&mut key) || !(ports.random)(&mut marker) {
            return Err(ServerError::Randomness);
        }
        // Where nothing can be written, nothing was left either.
        let _ = workspace.sweep_handed_in();
        let jobs = Arc::new(Jobs::default());
        let server = Arc::new(Self {
            policies: Policies::built_in()?,
            catalogue: backstay_desk::evidence::catalogue(&workspace)?,
            workspace,
            ports,
            key,
            kept: Kept::default(),
            panels: panels::Kept::default(),
            past: past::Read::default(),
            marker: hex::encode(marker),
            pages: Cache::with_weighter(PAGES, KEPT_BYTES, Heavy),
            repeats: Cache::new(REPEATS),
            meter: Meter::default(),
            room: Semaphore::new(AT_ONCE),
            jobs,
            most_file: AtomicU64::new(upload::MOST_FILE),
            receiving: Semaphore::new(upload::AT_ONCE),
            patience_ms: AtomicU64::new(FORM_MS),
        });
        server.jobs.start(&Arc::downgrade(&server));
        Ok(server)
    }

    /// How long a form may take to arrive, in milliseconds.
    pub fn limit_forms(&self, milliseconds: u64) {
        self.patience_ms.store(milliseconds, Ordering::Relaxed);
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms.load(Ordering::Relaxed))
    }

    /// Takes files of so many bytes at most.
    pub fn limit_files(&self, bytes: u64) {
        self.most_file.store(bytes, Ordering::Relaxed);
    }

    /// Bytes of a file that are taken.
    pub(crate) fn most_file(&self) -> u64 {
        self.most_file.load(Ordering::Relaxed)
    }

    /// Ends what goes on behind the pages: a trial at once, an import when it is in the ledger. What has not
    /// begun is forgotten.
    pub fn finish(&self) {
        self.jobs.finish();
    }

    /// Its routes.
    pub fn app(self: &Arc<Self>) -> Router {
        let mut router = Router::new();
        for route in routes() {
            let server = Arc::clone(self);
            let handler = move |request: Request<Body>| {
                let server = Arc::clone(&server);
                async move { server.handle(route, request).await }
            };
            let filter =
                if route.method == "POST" { MethodFilter::POST } else { MethodFilter::GET };
            router = router.route(route.path, on(filter, handler));
        }
        let (server, wrong_way) = (Arc::clone(self), Arc::clone(self));
        router
            .method_not_allowed_fallback(move |request: Request<Body>| {
                let api = is_api(request.uri().path());
                let response = wrong_way.problem(None, &ProblemError::not_that_way(), api);
                async move { response }
            })
            .fallback(move |request: Request<Body>| {
                let api = is_api(request.uri().path());
                let response = server.problem(None, &ProblemError::nothing("page"), api);
                async move { response }
            })
    }

    async fn handle(
        self: Arc<Self>,
        route: &'static Route,
        request: Request<Body>,
    ) -> Response<Body> {
        let came_us = (self.ports.now_us)();
        let response = Arc::clone(&self).received(route, request).await;
        let took_us = (self.ports.now_us)() - came_us;
        self.meter.note(route, response.status().as_u16(), took_us);
        response
    }

    async fn received(
        self: Arc<Self>,
        route: &'static Route,
        request: Request<Body>,
    ) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        if route.file {
            let named = asked::named(&mut parts).await;
            return upload::receive(self, route, Call::of(parts, named, &[]), body).await;
        }
        let api = is_api(parts.uri.path());
        let body = match time::timeout(self.patience(), to_bytes(body, MOST_FORM)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return self.problem(None, &ProblemError::too_large(MOST_FORM), api),
            // Whoever sends nothing more must not hold one of the connections.
            Err(_) => return self.problem(None, &ProblemError::too_slow(), api),
        };
        let named = asked::named(&mut parts).await;
        self.answered(route, Call::of(parts, named, &body)).await
    }

    /// Answers a request that was read as a whole.
    pub(crate) async fn answered(
        self: Arc<Self>,
        route: &'static Route,
        call: Call,
    ) -> Response<Body> {
        // The semaphore is never closed; were it, the request would go on without a bound.
        let _turn = self.room.acquire().await.ok();
        let server = Arc::clone(&self);
        let done = tokio::task::spawn_blocking(move || server.answer(route, &call)).await;
        done.unwrap_or_else(|_| {
            self.problem(None, &ProblemError::broken("a handler ended early"), false)
        })
    }

    /// Answers one request; blocks while it does.
    fn answer(&self, route: &Route, call: &Call) -> Response<Body> {
        let came = match self.came(call) {
            Ok(came) => came,
            Err(error) => return self.problem(None, &error, is_api(&call.path)),
        };
        let bound_to = came.bound_to.clone();
        if let Some(key) = call.repeat_key(came.visitor.as_ref()) {
            return self.once(&key, route, call, came);
        }
        let told = match (&came.visitor, route.kept) {
            (Some(visitor), true) if !visitor.must_set_password => {
                match self.question(visitor, call, came.now_us) {
                    Ok(key) => self.pages.get_or_insert_with(&key, || self.work(route, call, came)),
                    Err(error) => Err(Box::new(self.problem(None, &error, is_api(&call.path)))),
                }
            }
            _ => self.work(route, call, came),
        };
        match told {
            Ok(told) => self.tell(&told, call, &bound_to),
            Err(response) => *response,
        }
    }

    /// Answers a request with an idempotency key: the same again is answered as it was, and nothing is
    /// done twice.
    fn once(&self, key: &str, route: &Route, call: &Call, came: Came) -> Response<Body> {
        // Of a file its digest stands among the fields.
        let asked = (call.path.clone(), call.query.clone(), call.form.clone(), call.body.clone());
        let work = || self.work(route, call, came).map(|told| (asked.clone(), told));
        match self.repeats.get_or_insert_with(key, work) {
            Ok((known, told)) if known == asked => self.tell(&told, call, ""),
            Ok(_) => self.problem(None, &ProblemError::other_request(), true),
            Err(response) => *response,
        }
    }

    /// What the answer to a route that is [`Route::kept`] depends on, and nothing else.
    fn question(
        &self,
        visitor: &Visitor,
        call: &Call,
        now_us: i64,
    ) -> Result<String, ProblemError> {
        let head = self.workspace.backend().head()?.size;
        let step = figures::step(now_us);
        let accept = call.headers.get(header::ACCEPT).map(HeaderValue::as_bytes);
        let wanted = is_api(&call.path).then(|| accept.map(String::from_utf8_lossy));
        let (principal, query) = (&visitor.principal, &call.query);
        Ok(format!("{head} {step} {principal:?} {} {query:?} {wanted:?}", call.path))
    }

    /// Has the handler answer, behind its rule.
    fn work(&self, route: &Route, call: &Call, came: Came) -> Result<Told, Box<Response<Body>>> {
        let api = is_api(&call.path);
        let refused = |asked: Option<&Asked<'_>>, error: &ProblemError| {
            Box::new(self.problem(asked, error, api))
        };
        let portfolio = self.workspace.portfolio().map_err(|error| refused(None, &error.into()))?;
        let asked = self.ask(call, &portfolio, came).map_err(|error| refused(None, &error))?;
        let done = self.allow(route, &asked, &portfolio).and_then(|()| {
            let unset = asked.visitor.as_ref().is_some_and(|visitor| visitor.must_set_password);
            match route.right {
                // Whoever came by a link sets a password before anything else.
                Right::Workspace(_) | Right::Arrangement(_) | Right::Each(_) if unset => {
                    Ok(Answer::see("/account/password"))
                }
                _ => (route.handler)(&asked),
            }
        });
        let cookies = asked.cookies.borrow().clone();
        match done {
            Ok(answer) => {
                let page = |title: &str, body: &Markup| frame::page(Some(&asked), title, body);
                Ok(Told::of(answer, cookies, page))
            }
            Err(error) => {
                let mut response = refused(Some(&asked), &error);
                set_cookies(&mut response, &cookies);
                Err(response)
            }
        }
    }

    /// The response to an answer, for whoever holds this cookie.
    fn tell(&self, told: &Told, call: &Call, bound_to: &str) -> Response<Body> {
        let token = || guard::token(&self.key, bound_to);
        let mut response = told.response(&call.headers, &self.marker, token);
        set_cookies(&mut response, &told.cookies);
        response
    }

    /// Who came: by session, or by a token of the interface for machines.
    fn came(&self, call: &Call) -> Result<Came, ProblemError> {
        let now_us = (self.ports.now_us)();
        let accounts = self.workspace.accounts();
        if let Some(token) = guard::bearer(&call.headers) {
            let visitor = accounts.visitor_by_token(&token, now_us)?;
            let visitor = Some(visitor.ok_or_else(ProblemError::bad_token)?);
            return Ok(Came { now_us, visitor, bound_to: String::new(), cookies: Vec::new() });
        }
        let session = guard::cookie(&call.headers, guard::SESSION);
        let visitor: Option<Visitor> = match &session {
            Some(session) => accounts.visitor(session, now_us)?,
            None => None,
        };
        let mut cookies = Vec::new();
        let mut bound_to = session.unwrap_or_default();
        if let Some(digest) = visitor.as_ref().and_then(|visitor| visitor.session.as_ref()) {
            // A note of use that could not be written costs nobody a page.
            let _ = accounts.touch(digest, now_us);
        } else {
            bound_to = match guard::cookie(&call.headers, guard::BROWSER) {
                Some(browser) if browser.len() == 32 => browser,
                _ => {
                    let mut bytes = [0; 16];
                    if !(self.ports.random)(&mut bytes) {
                        return Err(ProblemError::broken("the system gives no randomness"));
                    }
                    let browser = hex::encode(bytes);
                    let secure = self.ports.secure;
                    cookies.push(guard::set_cookie(guard::BROWSER, &browser, 43_200, secure));
                    browser
                }
            };
        }
        Ok(Came { now_us, visitor, bound_to, cookies })
    }

    /// Who asks, with what they may.
    fn ask<'a>(
        &'a self,
        call: &'a Call,
        portfolio: &'a Portfolio,
        came: Came,
    ) -> Result<Asked<'a>, ProblemError> {
        let Came { now_us, visitor, bound_to, cookies } = came;
        let authority = match &visitor {
            Some(visitor) => {
                let made = self.policies.authority(&visitor.principal, portfolio);
                Some(made.map_err(|error| ProblemError::broken(error.to_string()))?)
            }
            None => None,
        };
        let cookies = RefCell::new(cookies);
        Ok(Asked { server: self, call, now_us, visitor, authority, bound_to, cookies })
    }

    /// Asks the rule of a route that takes a file, before the file is read; gives what the token of its form
    /// must fit, and nothing for a token of the interface for machines.
    pub(crate) fn admit(
        &self,
        route: &Route,
        call: &Call,
    ) -> Result<Option<String>, Box<Response<Body>>> {
        let api = is_api(&call.path);
        let refused = |error: ProblemError| Box::new(self.problem(None, &error, api));
        let came = self.came(call).map_err(&refused)?;
        let portfolio = self.workspace.portfolio().map_err(|error| refused(error.into()))?;
        let by_token = came.visitor.as_ref().is_some_and(|visitor| visitor.session.is_none());
        let bound_to = came.bound_to.clone();
        let asked = self.ask(call, &portfolio, came).map_err(&refused)?;
        let done = asked.visitor().and_then(|visitor| match visitor.must_set_password {
            true => Err(ProblemError::refused(Some("a password is set first".to_owned()))),
            false if !by_token && !guard::same_origin(&call.headers) => {
                Err(ProblemError::stale_form())
            }
            false => self.rule(route, &asked, &portfolio),
        });
        let done = done.and_then(|()| match route.right {
            Right::Each(action) if !asked.may_somewhere(action) => Err(ProblemError::refused(None)),
            _ => Ok(()),
        });
        done.map_err(refused)?;
        Ok((!by_token).then_some(bound_to))
    }

    /// Whether a token is that of forms bound to this.
    pub(crate) fn is_token(&self, bound_to: &str, token: &str) -> bool {
        guard::is_token(&self.key, bound_to, token)
    }

    /// The answer to a request that could not be read.
    pub(crate) fn refuse(&self, error: &ProblemError, path: &str) -> Response<Body> {
        self.problem(None, error, is_api(path))
    }

    /// The rule before the handler, and that the form is one of ours.
    fn allow(
        &self,
        route: &Route,
        asked: &Asked<'_>,
        portfolio: &Portfolio,
    ) -> Result<(), ProblemError> {
        if route.right != Right::Open {
            asked.visitor()?;
        }
        let call = asked.call;
        // A token of the interface for machines is sent by nobody but its holder.
        let by_token = asked.visitor.as_ref().is_some_and(|visitor| visitor.session.is_none());
        if call.changes
            && !by_token
            && !(guard::same_origin(&call.headers)
                && guard::is_token(&self.key, &asked.bound_to, asked.field("token")))
        {
            return Err(ProblemError::stale_form());
        }
        self.rule(route, asked, portfolio)
    }

    /// The rule of a route.
    fn rule(
        &self,
        route: &Route,
        asked: &Asked<'_>,
        portfolio: &Portfolio,
    ) -> Result<(), ProblemError> {
        let (action, resource) = match route.right {
            Right::Open | Right::Each(_) => return Ok(()),
            Right::Own(action) => {
                let account = &asked.visitor()?.account;
                let provider = account.provider.as_deref();
                (action, Resource::Account { id: &account.id, provider })
            }
            Right::Workspace(action) => (action, Resource::Workspace),
            Right::Arrangement(action) => {
                let id = asked.part("arrangement");
                // What is not visible is not there, whatever else may be wrong.
                if !portfolio.has(id) || !asked.authority()?.visible().contains(id) {
                    return Err(ProblemError::nothing("arrangement"));
                }
                (action, Resource::Arrangement(id))
            }
        };
        let decision = asked.authority()?.decide(action, &resource);
        if decision.allowed { Ok(()) } else { Err(ProblemError::refused(decision.refusal)) }
    }

    /// Figures about this server, as text.
    pub(crate) fn figures(&self) -> Result<String, ProblemError> {
        let entries = self.workspace.backend().head()?.size;
        let kept = (self.pages.len(), self.pages.weight());
        self.meter.text(kept, entries).map_err(|error| ProblemError::broken(error.to_string()))
    }

    /// A problem as a page, or as JSON for machines.
    fn problem(
        &self,
        asked: Option<&Asked<'_>>,
        error: &ProblemError,
        api: bool,
    ) -> Response<Body> {
        if let Some(cause) = &error.cause {
            (self.ports.log)(cause);
        }
        if api {
            let mut told = serde_json::json!({
                "type": "about:blank",
                "title": error.title,
                "status": error.status.as_u16(),
                "detail": error.detail,
                "help": error.help,
            });
            let more = error.more.as_deref().and_then(Value::as_object);
            if let Some((told, more)) = told.as_object_mut().zip(more) {
                told.extend(more.clone());
            }
            return response(error.status, "application/problem+json", told.to_string());
        }
        let unknown = asked.is_some_and(|asked| asked.visitor.is_none() && !asked.call.changes);
        if error.status == StatusCode::UNAUTHORIZED && unknown {
            let mut away = response(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
            away.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/sign-in"));
            return away;
        }
        response(error.status, "text/html; charset=utf-8", frame::problem(asked, error))
    }

    /// Does something that needs clock, actor and randomness.
    pub(crate) fn with_context<T, E>(
        &self,
        actor: &str,
        now_us: i64,
        work: impl FnOnce(&mut Ctx<'_>) -> Result<T, E>,
    ) -> Result<T, ProblemError>
    where
        ProblemError: From<E>,
    {
        let mut given = true;
        let mut random = |bytes: &mut [u8]| given &= (self.ports.random)(bytes);
        let done = work(&mut Ctx { now_us, actor, random: &mut random });
        if !given {
            return Err(ProblemError::broken("the system gives no randomness"));
        }
        done.map_err(Into::into)
    }
}

/// What was asked with a key, path, query and body, and how it was answered.
type Repeat = ((String, Texts, Texts, Bytes), Told);

/// Who came, before what they may is known.
struct Came {
    now_us: i64,
    visitor: Option<Visitor>,
    bound_to: String,
    cookies: Vec<String>,
}

/// A kept answer weighs its bytes.
#[derive(Clone)]
struct Heavy;

impl Weighter<String, Told> for Heavy {
    fn weight(&self, key: &String, told: &Told) -> u64 {
        u64::try_from(key.len() + told.body.len()).unwrap_or(u64::MAX).max(1)
    }
}

/// Whether a path is of the interface for machines.
fn is_api(path: &str) -> bool {
    path == "/api" || path == "/metrics" || path.starts_with("/api/")
}

fn set_cookies(response: &mut Response<Body>, cookies: &[String]) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}
