//! A workspace with two arrangements of two providers, a server before it, and a browser of sorts: it
//! keeps cookies, follows nothing, and fills in forms that it was shown.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use backstay_access::{Grant, Role, Scope};
use backstay_desk::import::{Reading, Source, bring, options};
use backstay_server::{Ports, Server};
use backstay_store::{Ctx, InitOptions, NewAccount, NewToken, Workspace, account::LINK_US};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// A day in December 2026, microseconds UTC.
pub const NOW_US: i64 = 1_796_000_000_000_000;
pub const NORTH: &str = "north-arrangement-qx";
pub const SOUTH: &str = "south-arrangement-zv";
pub const PASSWORD: &str = "seven wet herons on a lock gate";

pub struct Home {
    dir: tempfile::TempDir,
    pub app: Router,
    pub server: Arc<Server>,
    pub runtime: Runtime,
    pub log: Arc<Mutex<Vec<String>>>,
    /// A one-time link into an account of each kind, by its name.
    links: BTreeMap<String, Mutex<Option<String>>>,
    sessions: Mutex<BTreeMap<String, String>>,
    /// An API token of each account, by its name.
    tokens: BTreeMap<String, String>,
}

fn counting() -> impl FnMut(&mut [u8]) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    |bytes: &mut [u8]| {
        for chunk in bytes.chunks_mut(32) {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&Sha256::digest(n.to_be_bytes())[..chunk.len()]);
        }
    }
}

fn events(arrangement: &str, letter: &str) -> String {
    let mut text =
        "arrangement_id,source,case_id,case_type,activity,state,occurred_at,opened_at,person_id\n"
            .to_owned();
    for n in 0..12 {
        let day = 2 + n * 2;
        for (state, hour) in [("Received", 9), ("Done", if n % 4 == 0 { 17 } else { 10 })] {
            text.push_str(&format!(
                "{arrangement},log,{letter}-case-{n},request,{state},{state},2026-10-{day:02}T{hour:02}:00:00Z,2026-10-{day:02}T09:00:00Z,{letter}-person-{n}\n"
            ));
        }
    }
    text
}

fn files() -> Vec<(&'static str, String)> {
    vec![
        ("client", "client_id,name,country\nclient,Client (made up),PT\n".to_owned()),
        (
            "provider",
            "provider_id,name,country\nnorth-provider-qx,North (made up),PH\nsouth-provider-zv,South (made up),IN\n".to_owned(),
        ),
        (
            "calendar",
            "calendar_id,time_zone,monday,tuesday,wednesday,thursday,friday,saturday,sunday,night_shift,covered_from,covered_until,source\n\
             always,UTC,00:00-24:00,00:00-24:00,00:00-24:00,00:00-24:00,00:00-24:00,00:00-24:00,00:00-24:00,start-day,2026-01-01,2027-01-01,test\n"
                .to_owned(),
        ),
        (
            "site",
            "site_id,provider_id,name,country,city,time_zone,calendar_id\n\
             hall,,Hall,PT,Lisbon,UTC,always\n"
                .to_owned(),
        ),
        (
            "arrangement",
            format!(
                "arrangement_id,client_id,provider_id,title,time_zone,default_site_id,starts_on\n\
                 {NORTH},client,north-provider-qx,North work qx,UTC,hall,2026-01-01\n\
                 {SOUTH},client,south-provider-zv,South work zv,UTC,hall,2026-01-01\n"
            ),
        ),
        (
            "service_level",
            format!(
                "arrangement_id,service_level_id,title,metric,target,minimum,threshold,window,counts_in,stop_states,basis,source\n\
                 {NORTH},north-level-qx,North within four hours qx,turnaround,0.95,0.9,4h,month,,Done,contract,1\n\
                 {SOUTH},south-level-zv,South within four hours zv,turnaround,0.95,0.9,4h,month,,Done,contract,1\n"
            ),
        ),
        ("case_event", events(NORTH, "qx")),
        ("case_event", events(SOUTH, "zv")),
    ]
}

/// Who there is: each role of the client's side on everything, and a person of each provider.
fn people() -> Vec<(String, Option<&'static str>, Grant)> {
    let mut people: Vec<_> = Role::ALL
        .into_iter()
        .filter(|role| *role != Role::ProviderAccountManager)
        .map(|role| (role.as_str().to_owned(), None, Grant::new(role, Scope::All)))
        .collect();
    for provider in ["north-provider-qx", "south-provider-zv"] {
        let grant = Grant::new(Role::ProviderAccountManager, Scope::Provider(provider.into()));
        people.push((provider.to_owned(), Some(provider), grant));
    }
    let only = Grant::new(Role::ServiceOwner, Scope::Arrangement(NORTH.into()));
    people.push(("owner-of-north".to_owned(), None, only));
    let figures = Grant::new(Role::Executive, Scope::Arrangement(NORTH.into()));
    people.push(("executive-of-north".to_owned(), None, figures));
    people
}

impl Home {
    /// One of a test's own, for what changes evidence.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut random = counting();
        let made = InitOptions { now_us: NOW_US, actor: "test".into(), random: [5; 144] };
        let workspace = Workspace::init(&dir.path().join("ws"), made).unwrap();
        for (n, (table, text)) in files().into_iter().enumerate() {
            let path = dir.path().join(format!("{n}-{table}.csv"));
            std::fs::write(&path, text).unwrap();
            let reading = Reading { as_table: Some(table.into()), ..Reading::default() };
            let source = Source {
                name: format!("{n}-{table}.csv"),
                file: None,
                options: options(&reading, None).unwrap(),
                path,
                allow_duplicate_log: false,
            };
            let mut ctx = Ctx { now_us: NOW_US, actor: "test", random: &mut random };
            bring(&workspace, &source, &mut ctx, &mut |_| {}).unwrap();
        }
        let (mut links, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        for (name, provider, grant) in people() {
            let mut ctx = Ctx { now_us: NOW_US, actor: "test", random: &mut random };
            let new = NewAccount {
                email: format!("{name}@example.org"),
                name: format!("Person {}", links.len()),
                provider: provider.map(str::to_owned),
                grants: vec![grant],
                reason: String::new(),
            };
            let account = workspace.accounts().add(&new, &mut ctx).unwrap();
            let link = workspace.accounts().link(&account.id, LINK_US, "", &mut ctx).unwrap();
            let new = NewToken {
                title: "tests".into(),
                lasts_us: LINK_US,
                read_only: false,
                arrangements: None,
            };
            let (token, _) = workspace.accounts().make_token(&account.id, &new, &mut ctx).unwrap();
            tokens.insert(name.clone(), token.text().to_owned());
            links.insert(name, Mutex::new(Some(link.path())));
        }
        let log = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&log);
        let ports = Ports {
            now_us: Box::new(|| NOW_US),
            random: Box::new(move |bytes| {
                counting()(bytes);
                true
            }),
            log: Box::new(move |line| noted.lock().unwrap().push(line.to_owned())),
            secure: false,
        };
        let server = Server::new(workspace, ports).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let app = server.app();
        let sessions = Mutex::default();
        Self { dir, app, server, runtime, log, links, sessions, tokens }
    }

    /// One that tests share which bring evidence in.
    pub fn changing() -> &'static Self {
        static HOME: OnceLock<Home> = OnceLock::new();
        HOME.get_or_init(Self::new)
    }

    /// The one that tests share which change no evidence.
    pub fn shared() -> &'static Self {
        static HOME: OnceLock<Home> = OnceLock::new();
        HOME.get_or_init(Self::new)
    }

    /// Where its workspace lies, as `ws`.
    pub fn folder(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.links.keys().map(String::as_str)
    }

    pub fn link(&self, name: &str) -> String {
        self.links[name].lock().unwrap().take().expect("each link is used once")
    }

    /// How the token of an account is shown.
    pub fn bearer(&self, name: &str) -> String {
        format!("Bearer {}", self.tokens[name])
    }

    /// A program that asks with the token of an account.
    pub fn program(&self, name: &str) -> Program<'_> {
        Program { browser: self.browser(), bearer: self.bearer(name) }
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { home: self, cookies: BTreeMap::new() }
    }

    /// A browser in which somebody is signed in; the first time by link.
    pub fn signed_in(&self, name: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let mut sessions = self.sessions.lock().unwrap();
        if let Some(session) = sessions.get(name) {
            browser.cookies.insert("backstay-session".into(), session.clone());
            return browser;
        }
        let link = self.link(name);
        assert_eq!(browser.send(&link, &[]).to(), "/account/password");
        let set = browser.send("/account/password", &[("new", PASSWORD), ("again", PASSWORD)]);
        assert_eq!(set.to(), "/", "{}", set.text);
        sessions.insert(name.to_owned(), browser.cookies["backstay-session"].clone());
        browser
    }
}

pub struct Shown {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Shown {
    pub fn to(&self) -> &str {
        self.headers.get(header::LOCATION).map(|to| to.to_str().unwrap()).unwrap_or_default()
    }
}

pub struct Program<'h> {
    browser: Browser<'h>,
    bearer: String,
}

impl Program<'_> {
    /// Sends bytes as the body.
    pub fn send(&mut self, path: &str, bytes: &[u8], extra: &[(&str, &str)]) -> Shown {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("/api/v1{path}"))
            .header("host", "localhost")
            .header("authorization", &self.bearer);
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        self.browser.send_request(request.body(Body::from(bytes.to_vec())).unwrap())
    }

    pub fn ask(&mut self, method: Method, path: &str, extra: &[(&str, &str)]) -> Shown {
        let bearer = self.bearer.clone();
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(extra);
        self.browser.ask(method, &format!("/api/v1{path}"), &[], &headers)
    }

    pub fn get(&mut self, path: &str) -> Shown {
        self.ask(Method::GET, path, &[])
    }

    /// Sends JSON.
    pub fn tell(&mut self, path: &str, body: &serde_json::Value) -> Shown {
        self.send(path, body.to_string().as_bytes(), &[("content-type", "application/json")])
    }

    /// The JSON of an answer that must be good.
    pub fn json(&mut self, path: &str) -> serde_json::Value {
        let shown = self.get(path);
        assert_eq!(shown.status, StatusCode::OK, "{path}: {}", shown.text);
        serde_json::from_str(&shown.text).unwrap()
    }
}

pub struct Browser<'h> {
    pub home: &'h Home,
    pub cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    pub fn ask(
        &mut self,
        method: Method,
        path: &str,
        form: &[(&str, &str)],
        extra: &[(&str, &str)],
    ) -> Shown {
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        request = request.header("cookie", cookies.join("; "));
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        self.send_request(request)
    }

    /// Sends a form with a file: parts in this order, a file with its name.
    pub fn send_parts(&mut self, path: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Shown {
        const EDGE: &str = "edge-of-the-parts";
        let mut body = Vec::new();
        for (name, file, bytes) in parts {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            let head = format!(
                "--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{EDGE}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={EDGE}");
        self.send_body(path, &kind, Body::from(body))
    }

    pub fn send_body(&mut self, path: &str, kind: &str, body: Body) -> Shown {
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("host", "localhost")
            .header("cookie", cookies.join("; "))
            .header("content-type", kind)
            .header("sec-fetch-site", "same-origin");
        self.send_request(request.body(body).unwrap())
    }

    fn send_request(&mut self, request: Request<Body>) -> Shown {
        let shown = self.home.runtime.block_on(async {
            let (parts, body) = self.home.app.clone().oneshot(request).await.unwrap().into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Shown { status: parts.status, headers: parts.headers, text }
        });
        for cookie in shown.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        shown
    }

    pub fn get(&mut self, path: &str) -> Shown {
        self.ask(Method::GET, path, &[], &[])
    }

    /// The token of the forms on a page.
    pub fn token(&mut self, page: &str) -> String {
        let shown = self.get(page).text;
        let found =
            shown.split("name=\"token\" value=\"").nth(1).unwrap_or_else(|| panic!("{shown}"));
        found.split('"').next().unwrap().to_owned()
    }

    /// Opens a page with a form, fills it in and sends it to the same path.
    pub fn send(&mut self, page: &str, fields: &[(&str, &str)]) -> Shown {
        let token = self.token(page);
        let mut form = vec![("token", token.as_str())];
        form.extend(fields);
        self.ask(Method::POST, page, &form, &[("sec-fetch-site", "same-origin")])
    }
}
