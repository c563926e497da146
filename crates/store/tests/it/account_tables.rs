//! What every backend must do for accounts; a part of `conformance`.

use backstay_access::{Attempts, Grant, LimitKind, Role, Scope, SecretDigest};
use backstay_ledger::EntryKind;
use backstay_store::StoreError;
use backstay_store::account::{AccountRow, LinkRow, SessionRow, Sessions, Standing, TokenRow};
use backstay_store::backend::Backend;

use crate::conformance::append;

fn account(id: &str, email: &str) -> AccountRow {
    AccountRow {
        id: id.into(),
        email: email.into(),
        name: "Ana".into(),
        password: Some(vec![1, 2, 3]),
        factor: None,
        factor_on: false,
        factor_step: None,
        created_us: 7,
    }
}

fn session(n: u8, account: &str, until_us: i64) -> SessionRow {
    SessionRow {
        digest: SecretDigest([n; 32]),
        account: account.into(),
        created_us: i64::from(n),
        seen_us: 2,
        until_us,
        second_factor: n == 1,
        awaits_code: n == 2,
        by_link: n == 3,
    }
}

fn token(n: u8, account: &str) -> TokenRow {
    TokenRow {
        id: format!("t-{n}"),
        digest: SecretDigest([n; 32]),
        account: account.into(),
        title: "nightly".into(),
        created_us: i64::from(n),
        until_us: 50,
        used_us: (n == 1).then_some(9),
        read_only: n == 1,
        arrangements: (n == 2).then(|| vec!["desk".into()]),
    }
}

/// The tables of accounts: seen by every way in, changed together or not at all.
pub fn suite(open: &dyn Fn() -> Box<dyn Backend>) {
    let (backend, other) = (open(), open());
    let head = backend.head().unwrap();
    let link = LinkRow { digest: SecretDigest([9; 32]), account: "a-1".into(), until_us: 50 };
    let codes = [SecretDigest([4; 32]), SecretDigest([5; 32])];
    let tried = Attempts::default().tried(LimitKind::Pair, 20);
    backend
        .change_accounts(&mut |tables| {
            tables.put_account(&account("a-1", "ana@example.com"))?;
            tables.put_account(&account("a-2", "bo@example.com"))?;
            for (n, of) in [(1, "a-1"), (2, "a-1"), (3, "a-2")] {
                tables.put_session(&session(n, of, 100))?;
                tables.put_token(&token(n, of))?;
            }
            tables.put_link(&link)?;
            tables.put_recovery_codes("a-1", &codes)?;
            tables.put_attempts(LimitKind::Pair, &codes[0], &tried)
        })
        .unwrap();
    other
        .read_accounts(&mut |tables| {
            assert_eq!(tables.accounts()?.len(), 2);
            assert_eq!(tables.account("a-2")?, Some(account("a-2", "bo@example.com")));
            let ana = tables.account_by_email("ana@example.com")?;
            assert_eq!(ana, Some(account("a-1", "ana@example.com")));
            assert_eq!(tables.sessions("a-1")?, [session(2, "a-1", 100), session(1, "a-1", 100)]);
            assert_eq!(tables.session(&SecretDigest([3; 32]))?, Some(session(3, "a-2", 100)));
            assert_eq!(tables.tokens("a-1")?, [token(2, "a-1"), token(1, "a-1")]);
            assert_eq!(tables.token(&SecretDigest([1; 32]))?, Some(token(1, "a-1")));
            assert_eq!(tables.link(&link.digest)?, Some(link.clone()));
            assert_eq!(tables.recovery_codes("a-1")?, 2);
            assert_eq!(tables.attempts(LimitKind::Pair, &codes[0])?, tried);
            assert_eq!(tables.attempts(LimitKind::Account, &codes[0])?, Attempts::default());
            Ok(())
        })
        .unwrap();
    // An error takes all back; a mail address is one account's.
    let refused = backend.change_accounts(&mut |tables| {
        tables.delete_account("a-1")?;
        tables.put_account(&account("a-3", "bo@example.com"))
    });
    assert!(matches!(refused, Err(StoreError::EmailTaken(_))), "{refused:?}");
    backend
        .change_accounts(&mut |tables| {
            assert!(tables.account("a-1")?.is_some());
            // A change of the address replaces the row.
            tables.put_account(&AccountRow { factor_step: Some(3), ..account("a-2", "b@x") })?;
            assert!(tables.account_by_email("bo@example.com")?.is_none());
            assert_eq!(tables.account("a-2")?.unwrap().factor_step, Some(3));
            assert!(tables.take_recovery_code("a-1", &codes[0])?);
            assert!(!tables.take_recovery_code("a-1", &codes[0])?);
            assert!(!tables.take_recovery_code("a-2", &codes[1])?);
            assert_eq!(tables.delete_sessions(Sessions::One(SecretDigest([7; 32])))?, 0);
            let but = Some(SecretDigest([1; 32]));
            assert_eq!(tables.delete_sessions(Sessions::Of { account: "a-1", but })?, 1);
            assert_eq!(tables.delete_tokens("a-2", Some("t-1"))?, 0, "another's");
            assert_eq!(tables.delete_tokens("a-1", Some("t-1"))?, 1);
            tables.put_session(&session(6, "a-2", 30))?;
            tables.sweep(50)?;
            assert_eq!(tables.sessions("a-2")?, [session(3, "a-2", 100)]);
            assert!(tables.tokens("a-1")?.is_empty() && tables.link(&link.digest)?.is_none());
            assert_eq!(tables.attempts(LimitKind::Pair, &codes[0])?, tried, "still counts");
            tables.delete_account("a-1")?;
            assert_eq!((tables.sessions("a-1")?.len(), tables.recovery_codes("a-1")?), (0, 0));
            tables.put_link(&link)?;
            assert_eq!(tables.delete_links(Some("a-2"))?, 0);
            assert_eq!(tables.delete_links(None)?, 1);
            tables.put_link(&link)?;
            tables.clear_visits()?;
            assert!(tables.sessions("a-2")?.is_empty() && tables.link(&link.digest)?.is_none());
            assert_eq!(tables.attempts(LimitKind::Pair, &codes[0])?, Attempts::default());
            Ok(())
        })
        .unwrap();
    assert_eq!(backend.head().unwrap(), head, "none of it is a fact");
    standings(backend.as_ref());
}

/// What an entry says of an account stands with it, or not at all.
fn standings(backend: &dyn Backend) {
    let standing = Standing {
        account: "a-2".into(),
        seq: 1,
        provider: Some("north".into()),
        disabled: false,
        grants: vec![Grant::new(Role::Executive, Scope::All)],
    };
    let entry = append(EntryKind::Access, "{\"a\":1}", 450);
    let refused = backend.append(&entry, &mut |_, index| {
        index.put_standing(&standing)?;
        Err(StoreError::NoReason)
    });
    assert!(refused.is_err());
    let kept = |backend: &dyn Backend| {
        let mut kept = None;
        backend
            .read_accounts(&mut |tables| {
                kept = tables.standing("a-2")?;
                Ok(())
            })
            .unwrap();
        kept
    };
    assert_eq!(kept(backend), None);
    backend
        .append(&entry, &mut |_, index| {
            index.put_standing(&standing)?;
            assert_eq!(index.standing("a-2")?.as_ref(), Some(&standing));
            let mut tables = index.accounts().unwrap();
            assert_eq!(tables.standings()?, std::slice::from_ref(&standing));
            tables.delete_account("a-2")
        })
        .unwrap();
    assert_eq!(kept(backend), Some(standing));
    backend.rebuild(&mut |index| index.clear_readings()).unwrap();
    assert_eq!(kept(backend), None, "a reading of the ledger");
}
