//! Coming in: passwords, links, codes and tokens, and what keeps others out.

use std::collections::BTreeSet;

use backstay_access::{Action, Policies, Resource, Role};
use backstay_store::account::{LINK_US, SESSION_IDLE_US, SESSION_US};
use backstay_store::{AsOf, CodeVerdict, Ctx, NewAccount, NewToken, SignIn, StoreError, Workspace};

use crate::account::{
    HERE, MINUTE_US, PASSWORD, THERE, add, awaiting, code, entered, give_code, grant, home, is_in,
    new, set_password, sign_in, visitor, with_factor, with_password,
};
use crate::support::Home;

#[test]
fn a_link_ends_by_its_time_and_lets_in_nobody_who_is_disabled() {
    let mut home = home();
    let account = add(&mut home, "ana@example.com", &[grant(Role::Executive, "all")]);
    let link = |home: &mut Home| {
        home.with(|w, ctx| w.accounts().link(&account.id, 10 * MINUTE_US, "", ctx)).unwrap()
    };
    let late = link(&mut home);
    home.now_us += 10 * MINUTE_US;
    let outcome = home.with(|w, ctx| w.accounts().enter(late.secret.text(), ctx)).unwrap();
    assert!(matches!(outcome, SignIn::Refused), "{outcome:?}");
    let dead = link(&mut home);
    home.with(|w, ctx| w.accounts().disable(&account.id, "left", ctx)).unwrap();
    let outcome = home.with(|w, ctx| w.accounts().enter(dead.secret.text(), ctx)).unwrap();
    assert!(matches!(outcome, SignIn::Refused), "{outcome:?}");
    let refused = home.with(|w, ctx| w.accounts().link(&account.id, LINK_US, "", ctx));
    assert!(matches!(refused, Err(StoreError::AccountDisabled(_))));
    home.with(|w, ctx| w.accounts().enable(&account.id, "back", ctx)).unwrap();
    for wrong in [0, MINUTE_US - 1, 31 * 24 * 60 * MINUTE_US] {
        let refused = home.with(|w, ctx| w.accounts().link(&account.id, wrong, "", ctx));
        assert!(matches!(refused, Err(StoreError::Lifetime { .. })));
    }
    for wrong in ["", "abc", &"0".repeat(64)] {
        let outcome = home.with(|w, ctx| w.accounts().enter(wrong, ctx)).unwrap();
        assert!(matches!(outcome, SignIn::Refused), "{wrong}");
    }
}

#[test]
fn a_password_lets_in_its_owner_and_a_new_one_ends_the_other_sessions() {
    let mut home = home();
    let account = with_password(&mut home, "ana@example.com", &[grant(Role::Executive, "all")]);
    assert!(account.has_password);
    let refused = sign_in(&mut home, "ana@example.com", "kettle morning grave", HERE);
    assert!(matches!(refused, SignIn::Refused));
    let refused = sign_in(&mut home, "nobody@example.com", PASSWORD, HERE);
    assert!(matches!(refused, SignIn::Refused));
    let one = entered(sign_in(&mut home, " ANA@example.com", PASSWORD, HERE));
    let two = entered(sign_in(&mut home, "ana@example.com", PASSWORD, THERE));
    assert_eq!(home.workspace.accounts().sessions(&account.id, home.now_us).unwrap().len(), 3);
    let visitor = visitor(&home, &one);
    assert!(!visitor.must_set_password && !visitor.by_link);
    let wrong = set_password(&mut home, &visitor, Some("kettle"), "gravel moss otter");
    assert!(matches!(wrong, Err(StoreError::WrongPassword)), "{wrong:?}");
    let weak = set_password(&mut home, &visitor, Some(PASSWORD), "Salgueiro2026Salgueiro");
    assert!(matches!(weak, Err(StoreError::Password(_))), "{weak:?}");
    set_password(&mut home, &visitor, Some(PASSWORD), "gravel moss otter").unwrap();
    assert!(is_in(&home, &one) && !is_in(&home, &two));
    assert!(matches!(sign_in(&mut home, "ana@example.com", PASSWORD, HERE), SignIn::Refused));
    entered(sign_in(&mut home, "ana@example.com", "gravel moss otter", HERE));
}

#[test]
fn a_session_ends_by_its_age_by_idleness_and_by_its_owner() {
    let mut home = home();
    let account = with_password(&mut home, "ana@example.com", &[]);
    let idle = entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    home.now_us += SESSION_IDLE_US - 1;
    assert!(is_in(&home, &idle));
    home.now_us += 1;
    assert!(!is_in(&home, &idle));
    let used = entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    let began = home.now_us;
    let digest = visitor(&home, &used).session.unwrap();
    assert!(!home.workspace.accounts().touch(&digest, home.now_us).unwrap(), "just noted");
    while home.now_us + SESSION_IDLE_US / 2 < began + SESSION_US {
        home.now_us += SESSION_IDLE_US / 2;
        assert!(home.workspace.accounts().touch(&digest, home.now_us).unwrap());
        assert!(is_in(&home, &used));
    }
    home.now_us = began + SESSION_US;
    assert!(!is_in(&home, &used));
    assert!(!home.workspace.accounts().touch(&digest, home.now_us).unwrap());
    let [one, two, three] =
        [(); 3].map(|()| entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE)));
    assert!(home.workspace.accounts().sign_out(&one).unwrap());
    assert!(!home.workspace.accounts().sign_out(&one).unwrap());
    let listed = home.workspace.accounts().sessions(&account.id, home.now_us).unwrap();
    assert_eq!(listed.len(), 2);
    let other = add(&mut home, "bo@example.com", &[]);
    let ended =
        |home: &Home, of: &str| home.workspace.accounts().end_session(of, &listed[1].id).unwrap();
    assert!(!ended(&home, &other.id), "another's session");
    assert!(ended(&home, &account.id));
    home.workspace.accounts().sweep(home.now_us).unwrap();
    assert_eq!(home.workspace.accounts().end_sessions(&account.id, None).unwrap(), 1);
    assert!(!is_in(&home, &two) && !is_in(&home, &three));
}

#[test]
fn a_second_factor_is_asked_for_and_a_code_is_taken_once() {
    let mut home = home();
    let account = with_password(&mut home, "ana@example.com", &[]);
    let session = entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    assert!(!visitor(&home, &session).principal.visit.second_factor);
    let (secret, codes) = with_factor(&mut home, &session);
    assert!(visitor(&home, &session).principal.visit.second_factor, "proved just now");
    assert_eq!(codes.len(), 10);
    let half = awaiting(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    assert!(!is_in(&home, &half), "opens nothing yet");
    // The step that set it up is used.
    let used = code(&home, &secret, 0);
    assert!(matches!(give_code(&mut home, &half, &used), CodeVerdict::Refused));
    home.now_us += 90_000_000;
    let fresh = code(&home, &secret, 0);
    let CodeVerdict::In { session: whole, codes_left, .. } = give_code(&mut home, &half, &fresh)
    else {
        panic!("the code is right")
    };
    assert_eq!(codes_left, None);
    assert!(visitor(&home, whole.text()).principal.visit.second_factor);
    assert!(!is_in(&home, &half), "another secret");
    let again = awaiting(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    assert!(matches!(give_code(&mut home, &again, &fresh), CodeVerdict::Refused), "replayed");
    let CodeVerdict::In { codes_left, .. } = give_code(&mut home, &again, &codes[2]) else {
        panic!("a recovery code is right")
    };
    assert_eq!(codes_left, Some(9));
    let third = awaiting(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    assert!(matches!(give_code(&mut home, &third, &codes[2]), CodeVerdict::Refused), "spent");
    home.now_us += 90_000_000;
    let renewed = home.workspace.accounts().visitor(whole.text(), home.now_us).unwrap().unwrap();
    let fresh = code(&home, &secret, 0);
    home.with(|w, ctx| w.accounts().new_recovery_codes(&renewed, &fresh, HERE, ctx)).unwrap();
    assert!(matches!(give_code(&mut home, &third, &codes[3]), CodeVerdict::Refused), "replaced");
    assert_eq!(home.workspace.accounts().recovery_codes(&account.id).unwrap(), 10);
    // A link stands for the password, not for the second factor.
    let link = home.with(|w, ctx| w.accounts().link(&account.id, LINK_US, "", ctx)).unwrap();
    awaiting(home.with(|w, ctx| w.accounts().enter(link.secret.text(), ctx)).unwrap());
    home.with(|w, ctx| w.accounts().remove_factor(&account.id, "lost phone", ctx)).unwrap();
    assert!(!is_in(&home, whole.text()));
    entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    home.must_hold();
}

#[test]
fn a_known_password_buys_no_guesses_at_the_code() {
    let mut home = home();
    with_password(&mut home, "ana@example.com", &[]);
    let session = entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    with_factor(&mut home, &session);
    let mut looked_at = 0;
    for _ in 0..40 {
        let half = match sign_in(&mut home, "ana@example.com", PASSWORD, THERE) {
            SignIn::AwaitsCode { session, .. } => session.text().to_owned(),
            SignIn::Wait { .. } => continue,
            other => panic!("{other:?}"),
        };
        let verdict =
            home.with(|w, ctx| w.accounts().give_code(&half, "000000", THERE, ctx)).unwrap();
        looked_at += u32::from(matches!(verdict, CodeVerdict::Refused));
    }
    assert!(looked_at <= 6, "{looked_at} guesses in a minute and a half");
}

#[test]
fn guessing_waits_longer_and_longer_and_the_owner_gets_in_elsewhere() {
    let mut home = home();
    with_password(&mut home, "ana@example.com", &[]);
    entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    let mut waits = Vec::new();
    for n in 0..30 {
        match sign_in(&mut home, "ana@example.com", &format!("guess number {n}"), THERE) {
            SignIn::Wait { until_us } => waits.push(until_us - home.now_us),
            SignIn::Refused => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(waits.len() > 20, "{waits:?}");
    // Even the right password is not looked at there now, and says no more than a wrong one.
    assert!(matches!(sign_in(&mut home, "ana@example.com", PASSWORD, THERE), SignIn::Wait { .. }));
    entered(sign_in(&mut home, "ana@example.com", PASSWORD, HERE));
    home.now_us += 16 * MINUTE_US;
    entered(sign_in(&mut home, "ana@example.com", PASSWORD, THERE));
    // What was typed is not kept, only that it was.
    sign_in(&mut home, "my very secret password", "x", THERE);
    let database = std::fs::read(home.workspace.dir().join("backstay.sqlite-wal")).unwrap();
    let typed = b"my very secret password";
    assert!(!database.windows(typed.len()).any(|window| window == typed));
}

#[test]
fn a_token_is_its_owner_within_its_limits_until_it_ends() {
    let mut home = home();
    let account = add(
        &mut home,
        "ana@example.com",
        &[grant(Role::VendorManager, "all"), grant(Role::Administrator, "all")],
    );
    let wanted = NewToken {
        title: "nightly import".into(),
        lasts_us: 60 * MINUTE_US,
        read_only: false,
        arrangements: Some(vec!["desk".into()]),
    };
    let make = |home: &mut Home, new: &NewToken| {
        home.with(|w, ctx| w.accounts().make_token("ana@example.com", new, ctx))
    };
    let (secret, view) = make(&mut home, &wanted).unwrap();
    let by = |home: &Home, text: &str| {
        home.workspace.accounts().visitor_by_token(text, home.now_us).unwrap()
    };
    let visitor = by(&home, secret.text()).unwrap();
    assert!(visitor.session.is_none());
    let portfolio = home.workspace.portfolio().unwrap();
    let policies = Policies::built_in().unwrap();
    let authority = policies.authority(&visitor.principal, &portfolio).unwrap();
    assert_eq!(authority.visible(), BTreeSet::from(["desk".to_owned()]));
    assert!(!authority.may(Action::AccountAdd, &Resource::Workspace));
    let used = home.workspace.accounts().tokens(&account.id).unwrap();
    assert_eq!((used[0].id.as_str(), used[0].used_us), (view.id.as_str(), Some(home.now_us)));
    // A token is no session, and the other way about.
    assert!(!is_in(&home, secret.text()));
    assert!(by(&home, &secret.text()[1..]).is_none());
    home.now_us += 60 * MINUTE_US;
    assert!(by(&home, secret.text()).is_none(), "ended");
    let (secret, view) = make(&mut home, &wanted).unwrap();
    home.workspace.accounts().end_token(&account.id, &view.id).unwrap();
    assert!(by(&home, secret.text()).is_none(), "ended by its owner");
    let gone = home.workspace.accounts().end_token(&account.id, &view.id);
    assert!(matches!(gone, Err(StoreError::NoToken(_))));
    for lasts_us in [0, 367 * 24 * 60 * MINUTE_US] {
        let refused = make(&mut home, &NewToken { lasts_us, ..wanted.clone() });
        assert!(matches!(refused, Err(StoreError::Lifetime { .. })));
    }
    let (secret, _) = make(&mut home, &wanted).unwrap();
    add(&mut home, "root@example.com", &[grant(Role::Administrator, "all")]);
    home.with(|w, ctx| w.accounts().disable(&account.id, "left", ctx)).unwrap();
    assert!(by(&home, secret.text()).is_none(), "its owner is disabled");
}

#[test]
fn a_session_becomes_a_decision_and_the_arrangements_that_are_seen() {
    let mut home = home();
    let person = NewAccount {
        provider: Some("north".into()),
        ..new("tala@north.example", &[grant(Role::ProviderAccountManager, "provider:north")])
    };
    let person = home.with(|w, ctx| w.accounts().add(&person, ctx)).unwrap();
    let link = home.with(|w, ctx| w.accounts().link(&person.id, LINK_US, "", ctx)).unwrap();
    let session = entered(home.with(|w, ctx| w.accounts().enter(link.secret.text(), ctx)).unwrap());
    let visitor = visitor(&home, &session);
    let portfolio = home.workspace.portfolio().unwrap();
    let policies = Policies::built_in().unwrap();
    let authority = policies.authority(&visitor.principal, &portfolio).unwrap();
    let seen = authority.visible();
    assert_eq!(seen, BTreeSet::from(["desk".to_owned()]), "not `moved`, which south holds now");
    assert!(!authority.may(Action::ArrangementRead, &Resource::Arrangement("payroll")));
    let manifest = home.workspace.manifest_seen(AsOf::Latest, &seen).unwrap().unwrap();
    assert!(manifest.segments.iter().all(|s| ["", "desk"].contains(&s.arrangement_id.as_str())));
    assert!(manifest.segments.iter().any(|s| s.arrangement_id == "desk"));
    // To see nothing is not to see everything.
    let nothing = home.workspace.manifest_seen(AsOf::Latest, &BTreeSet::new()).unwrap();
    assert_eq!(nothing, None);
}

#[test]
fn a_link_that_two_use_at_once_lets_one_in() {
    let mut home = home();
    let account = add(&mut home, "ana@example.com", &[]);
    let link = home.with(|w, ctx| w.accounts().link(&account.id, LINK_US, "", ctx)).unwrap();
    let now_us = home.now_us;
    let ins: usize = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4_u8)
            .map(|n| {
                let (dir, text) = (home.workspace.dir(), link.secret.text());
                scope.spawn(move || {
                    let workspace = Workspace::open(dir).unwrap();
                    let mut fill = |bytes: &mut [u8]| bytes.fill(n + 1);
                    let mut ctx = Ctx { now_us, actor: "a-1", random: &mut fill };
                    let outcome = workspace.accounts().enter(text, &mut ctx).unwrap();
                    usize::from(matches!(outcome, SignIn::In { .. }))
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(ins, 1);
}
