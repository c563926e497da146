//! Accounts: what the ledger says of them, and what is kept of them. Coming in is in `enter`.

use std::collections::BTreeSet;

use backstay_access::{Grant, LINK_PREFIX, Role, Scope, TotpSecret};
use backstay_ledger::EntryKind;
use backstay_store::account::{FIRST_EMAIL, LINK_US};
use backstay_store::{
    Account, BackupOptions, CodeVerdict, Ctx, NewAccount, NewToken, SignIn, StoreError, Visitor,
    Workspace, restore,
};

use crate::support::Home;

pub const HERE: &str = "192.0.2.1";
pub const THERE: &str = "198.51.100.7";
pub const PASSWORD: &str = "kettle morning gravel";
pub const MINUTE_US: i64 = 60_000_000;
pub const ARRANGEMENTS: &str = "arrangement_id,client_id,provider_id,title,time_zone,valid_from\n\
    desk,meridian,north,Desk,Europe/Lisbon,\n\
    payroll,meridian,south,Payroll,Europe/Lisbon,\n\
    moved,meridian,north,Moved,Europe/Lisbon,2025-01-01\n\
    moved,meridian,south,Moved,Europe/Lisbon,2026-01-01\n";

pub fn grant(role: Role, scope: &str) -> Grant {
    Grant::new(role, scope.parse().unwrap())
}

pub fn home() -> Home {
    let mut home = Home::new();
    home.import("arrangement.csv", "arrangement", ARRANGEMENTS);
    home
}

pub fn new(email: &str, grants: &[Grant]) -> NewAccount {
    NewAccount {
        email: email.into(),
        name: "Ana Salgueiro".into(),
        provider: None,
        grants: grants.to_vec(),
        reason: "starts in March".into(),
    }
}

pub fn add(home: &mut Home, email: &str, grants: &[Grant]) -> Account {
    home.with(|w, ctx| w.accounts().add(&new(email, grants), ctx)).unwrap()
}

/// An account with a password.
pub fn with_password(home: &mut Home, email: &str, grants: &[Grant]) -> Account {
    let account = add(home, email, grants);
    let link = home.with(|w, ctx| w.accounts().link(&account.id, LINK_US, "", ctx)).unwrap();
    let session = entered(home.with(|w, ctx| w.accounts().enter(link.secret.text(), ctx)).unwrap());
    let visitor = visitor(home, &session);
    assert!(visitor.must_set_password && visitor.by_link);
    set_password(home, &visitor, None, PASSWORD).unwrap();
    home.workspace.accounts().find(&account.id).unwrap()
}

pub fn entered(outcome: SignIn) -> String {
    match outcome {
        SignIn::In { session, .. } => session.text().to_owned(),
        other => panic!("{other:?}"),
    }
}

pub fn awaiting(outcome: SignIn) -> String {
    match outcome {
        SignIn::AwaitsCode { session, .. } => session.text().to_owned(),
        other => panic!("{other:?}"),
    }
}

pub fn visitor(home: &Home, session: &str) -> Visitor {
    home.workspace.accounts().visitor(session, home.now_us).unwrap().expect("is in")
}

pub fn is_in(home: &Home, session: &str) -> bool {
    home.workspace.accounts().visitor(session, home.now_us).unwrap().is_some()
}

pub fn sign_in(home: &mut Home, email: &str, password: &str, address: &str) -> SignIn {
    home.with(|w, ctx| w.accounts().sign_in(email, password, address, ctx)).unwrap()
}

pub fn set_password(
    home: &mut Home,
    visitor: &Visitor,
    old: Option<&str>,
    password: &str,
) -> Result<(), StoreError> {
    home.with(|w, ctx| w.accounts().set_password(visitor, old, password, HERE, ctx))
}

pub fn give_code(home: &mut Home, session: &str, code: &str) -> CodeVerdict {
    home.with(|w, ctx| w.accounts().give_code(session, code, HERE, ctx)).unwrap()
}

/// The code of an authenticator, so many steps from now.
pub fn code(home: &Home, secret: &TotpSecret, off: i64) -> String {
    // What the next piece of work sees is a second later.
    secret.code((home.now_us / 1_000_000 + 1) / 30 + off)
}

/// Sets up a second factor, and gives its recovery codes.
pub fn with_factor(home: &mut Home, session: &str) -> (TotpSecret, Vec<String>) {
    let visitor = visitor(home, session);
    let offer = home.with(|w, ctx| w.accounts().offer_factor(&visitor, ctx)).unwrap();
    assert!(offer.uri.contains(&offer.secret.base32()));
    let typed = TotpSecret::parse(&offer.secret.base32()).unwrap();
    let now = code(home, &typed, 0);
    let codes =
        home.with(|w, ctx| w.accounts().confirm_factor(&visitor, &typed, &now, HERE, ctx)).unwrap();
    (typed, codes.iter().map(|code| code.text()).collect())
}

#[test]
fn the_ledger_says_who_was_given_which_right_by_whom_and_never_a_mail_address() {
    let mut home = home();
    let owner = grant(Role::ServiceOwner, "arrangement:desk");
    let account = add(&mut home, " Ana@Example.COM ", std::slice::from_ref(&owner));
    assert_eq!((account.email.as_str(), account.disabled), ("ana@example.com", false));
    add(&mut home, "root@example.com", &[grant(Role::Administrator, "all")]);
    let analyst = grant(Role::Analyst, "provider:south");
    let given = |w: &Workspace, ctx: &mut Ctx<'_>| {
        w.accounts().grant("ana@example.com", &analyst, "helps in April", ctx)
    };
    assert!(home.with(given).unwrap().is_some());
    assert_eq!(home.with(given).unwrap(), None, "held already");
    home.with(|w, ctx| w.accounts().revoke(&account.id, &owner, "moved on", ctx)).unwrap();
    let again = home.with(|w, ctx| w.accounts().revoke(&account.id, &owner, "", ctx));
    assert!(matches!(again, Err(StoreError::NotGranted { .. })), "{again:?}");
    let found = home.workspace.accounts().find(&account.id).unwrap();
    assert_eq!(found.grants, [analyst]);
    let evidence = home.evidence();
    let entries = home.workspace.entries(1, 100).unwrap();
    let said: Vec<_> = entries.iter().filter(|entry| entry.kind == "access").collect();
    assert_eq!(said.len(), 4);
    assert_eq!(said[0].arrangements, ["desk"]);
    assert_eq!(said[0].actor, "a-1");
    let payload = said[2].payload.as_ref().unwrap();
    assert_eq!(payload["event"], "granted");
    assert_eq!(payload["account"], account.id.as_str());
    assert_eq!(payload["grants"][0]["scope"], "provider:south");
    assert_eq!(payload["reason"], "helps in April");
    let all = serde_json::to_string(&entries).unwrap();
    assert!(!all.contains("example.com") && !all.contains("Salgueiro"), "{all}");
    add(&mut home, "more@example.com", &[]);
    assert_eq!(home.evidence(), evidence, "rights are no evidence");
    home.must_hold();
}

#[test]
fn rights_are_read_from_the_ledger_alone_and_a_changed_one_is_found() {
    let mut home = home();
    let account = add(&mut home, "ana@example.com", &[grant(Role::Executive, "all")]);
    home.workspace.rebuild_readings().unwrap();
    home.must_hold();
    assert_eq!(home.workspace.accounts().find(&account.id).unwrap().grants, account.grants);
    // Somebody with the disk makes himself administrator.
    let database =
        rusqlite::Connection::open(home.workspace.dir().join("backstay.sqlite")).unwrap();
    let mine = r#"[{"role":"administrator","scope":"all"}]"#;
    database.execute("UPDATE standing SET grants = ?", [mine]).unwrap();
    drop(database);
    let report = home.workspace.verify(Default::default(), &mut |_| {}).unwrap();
    let problem = report.problems.iter().find(|p| p.place == "the rights of accounts").unwrap();
    assert!(problem.what.contains("differs from the ledger"), "{problem:?}");
    home.workspace.rebuild_readings().unwrap();
    assert_eq!(home.workspace.accounts().find(&account.id).unwrap().grants, account.grants);
    home.must_hold();
}

#[test]
fn what_may_not_be_granted_leaves_no_trace() {
    let mut home = home();
    let before = home.workspace.backend().head().unwrap();
    for (new, part) in [
        (new("no address", &[]), "no mail address"),
        (new("a@b@c", &[]), "no mail address"),
        (NewAccount { name: " ".into(), ..new("a@b", &[]) }, "1 to 200"),
        (new("a@b", &[grant(Role::ServiceOwner, "arrangement:dest")]), "no arrangement `dest`"),
        (new("a@b", &[grant(Role::Administrator, "provider:north")]), "granted on `all`"),
        (
            NewAccount {
                provider: Some("north".into()),
                ..new("a@b", &[grant(Role::ProviderAccountManager, "arrangement:moved")])
            },
            "reaches beyond provider `north`",
        ),
        (
            new("a@b", &[grant(Role::InternalAuditor, "all"), grant(Role::Analyst, "all")]),
            "stands alone",
        ),
    ] {
        let error = home.with(|w, ctx| w.accounts().add(&new, ctx)).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(home.workspace.backend().head().unwrap(), before);
    assert!(home.workspace.accounts().list().unwrap().is_empty());
    let auditor = add(&mut home, "audit@example.com", &[grant(Role::InternalAuditor, "all")]);
    let analyst = grant(Role::Analyst, "all");
    let error = home.with(|w, ctx| w.accounts().grant(&auditor.id, &analyst, "", ctx)).unwrap_err();
    assert!(matches!(error, StoreError::Grant(_)), "{error}");
    let taken = home.with(|w, ctx| w.accounts().add(&new("AUDIT@example.com", &[]), ctx));
    assert!(matches!(taken, Err(StoreError::EmailTaken(_))), "{taken:?}");
    let missing = home.workspace.accounts().find("nobody@example.com");
    assert!(matches!(missing, Err(StoreError::NoAccount(_))));
    home.must_hold();
}

#[test]
fn the_first_link_makes_an_administrator_once() {
    let mut home = home();
    assert!(!home.workspace.accounts().has_administrator().unwrap());
    let first = home.with(|w, ctx| w.accounts().first_link(ctx)).unwrap().unwrap();
    assert!(first.path().starts_with(LINK_PREFIX));
    // Lost before it was used: another one for the same account, and the first opens nothing.
    let second = home.with(|w, ctx| w.accounts().first_link(ctx)).unwrap().unwrap();
    assert_eq!(first.account.id, second.account.id);
    let old = home.with(|w, ctx| w.accounts().enter(first.secret.text(), ctx)).unwrap();
    assert!(matches!(old, SignIn::Refused), "{old:?}");
    let owner = home.workspace.accounts().link_owner(second.secret.text(), home.now_us).unwrap();
    assert_eq!(owner.unwrap().email, FIRST_EMAIL, "looking uses nothing up");
    let session =
        entered(home.with(|w, ctx| w.accounts().enter(second.secret.text(), ctx)).unwrap());
    let twice = home.with(|w, ctx| w.accounts().enter(second.secret.text(), ctx)).unwrap();
    assert!(matches!(twice, SignIn::Refused), "{twice:?}");
    let visitor = visitor(&home, &session);
    let id = visitor.account.id.clone();
    home.workspace.accounts().describe(&id, "ana@example.com", "Ana").unwrap();
    set_password(&mut home, &visitor, None, PASSWORD).unwrap();
    assert!(home.with(|w, ctx| w.accounts().first_link(ctx)).unwrap().is_none());
    let roles: BTreeSet<Role> = visitor.account.grants.iter().map(|grant| grant.role).collect();
    assert!(roles.contains(&Role::Administrator) && roles.contains(&Role::VendorManager));
    entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
}

#[test]
fn the_last_administrator_stays_and_a_disabled_account_is_out_at_once() {
    let mut home = home();
    let administrator = grant(Role::Administrator, "all");
    let root = with_password(&mut home, "root@example.com", std::slice::from_ref(&administrator));
    let session = entered(sign_in(&mut home, "root@example.com", PASSWORD, HERE));
    let id = root.id.clone();
    for last in [
        home.with(|w, ctx| w.accounts().disable(&id, "", ctx).map(|_| 0)),
        home.with(|w, ctx| w.accounts().revoke(&id, &administrator, "", ctx)),
        home.with(|w, ctx| w.accounts().forget(&id, "asked for", ctx)),
    ] {
        assert!(matches!(last, Err(StoreError::LastAdministrator(_))), "{last:?}");
    }
    assert!(is_in(&home, &session));
    add(&mut home, "second@example.com", &[administrator]);
    assert!(home.with(|w, ctx| w.accounts().disable(&id, "left", ctx)).unwrap().is_some());
    assert!(home.with(|w, ctx| w.accounts().disable(&id, "left", ctx)).unwrap().is_none());
    assert!(!is_in(&home, &session));
    let refused = sign_in(&mut home, "root@example.com", PASSWORD, HERE);
    assert!(matches!(refused, SignIn::Refused));
    home.with(|w, ctx| w.accounts().enable(&id, "back", ctx)).unwrap();
    assert!(!is_in(&home, &session), "the session does not come back");
    entered(sign_in(&mut home, "root@example.com", PASSWORD, HERE));
}

#[test]
fn a_forgotten_account_leaves_its_id_and_no_byte_of_its_owner() {
    let mut home = home();
    let account = with_password(&mut home, "dolores.makiling@example.com", &[]);
    let session = entered(sign_in(&mut home, "dolores.makiling@example.com", PASSWORD, HERE));
    let unsaid = home.with(|w, ctx| w.accounts().forget(&account.id, " ", ctx));
    assert!(matches!(unsaid, Err(StoreError::NoReason)));
    home.with(|w, ctx| w.accounts().forget(&account.id, "request 17", ctx)).unwrap();
    assert!(!is_in(&home, &session));
    assert!(home.workspace.accounts().list().unwrap().is_empty());
    let entries = home.workspace.backend().with_kind(&EntryKind::Access).unwrap();
    assert_eq!(entries.len(), 3, "added, linked, forgotten");
    for name in ["backstay.sqlite", "backstay.sqlite-wal"] {
        let bytes = std::fs::read(home.workspace.dir().join(name)).unwrap_or_default();
        let needle = b"dolores.makiling";
        assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{name}");
    }
    let again = home.with(|w, ctx| w.accounts().grant(&account.id, &account_grant(), "", ctx));
    assert!(matches!(again, Err(StoreError::NoAccount(_))));
    home.must_hold();
    // The address is free again, for another id.
    assert_ne!(add(&mut home, "dolores.makiling@example.com", &[]).id, account.id);
}

fn account_grant() -> Grant {
    Grant::new(Role::Executive, Scope::All)
}

#[test]
fn nothing_that_opens_a_door_lies_in_the_database() {
    let mut home = home();
    let account = with_password(&mut home, "ana@example.com", &[]);
    let session = entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    let (secret, codes) = with_factor(&mut home, &session);
    let token = NewToken {
        title: "t".into(),
        lasts_us: 60 * MINUTE_US,
        read_only: true,
        arrangements: None,
    };
    let (token, _) = home.with(|w, ctx| w.accounts().make_token(&account.id, &token, ctx)).unwrap();
    let link = home.with(|w, ctx| w.accounts().link(&account.id, LINK_US, "", ctx)).unwrap();
    let mut bytes = Vec::new();
    for name in ["backstay.sqlite", "backstay.sqlite-wal"] {
        bytes.extend(std::fs::read(home.workspace.dir().join(name)).unwrap());
    }
    let code = codes[0].replace('-', "");
    for text in [session.as_str(), token.text(), link.secret.text(), PASSWORD, "argon2id", &code] {
        let there = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!there, "{text}");
    }
    assert!(!bytes.windows(20).any(|window| window == secret.bytes()));
}

#[test]
fn a_copy_brings_accounts_and_tokens_and_no_session_and_no_link() {
    let mut home = home();
    let account = with_password(&mut home, "ana@example.com", &[]);
    let session = entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    let link = home.with(|w, ctx| w.accounts().link(&account.id, LINK_US, "", ctx)).unwrap();
    let copy = home.path("copy");
    home.workspace.backup(&copy, BackupOptions::default()).unwrap();
    assert!(is_in(&home, &session), "the workspace keeps its own");
    home.workspace = restore(&copy, &home.path("restored")).unwrap();
    assert!(!is_in(&home, &session));
    let outcome = home.with(|w, ctx| w.accounts().enter(link.secret.text(), ctx)).unwrap();
    assert!(matches!(outcome, SignIn::Refused), "{outcome:?}");
    entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
}

#[test]
fn a_workspace_from_before_accounts_opens_and_gets_them() {
    let mut home = home();
    let before = home.rows("arrangement");
    let path = home.workspace.dir().join("backstay.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    for table in
        ["standing", "account", "recovery_code", "session", "api_token", "one_time_link", "attempt"]
    {
        database.execute(&format!("DROP TABLE {table}"), []).unwrap();
    }
    database.pragma_update(None, "user_version", 2).unwrap();
    drop(database);
    home.workspace = Workspace::open(home.workspace.dir()).unwrap();
    assert_eq!(home.rows("arrangement"), before);
    assert!(home.workspace.accounts().list().unwrap().is_empty());
    with_password(&mut home, "ana@example.com", &[account_grant()]);
    home.must_hold();
    let database = rusqlite::Connection::open(&path).unwrap();
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 3);
}
