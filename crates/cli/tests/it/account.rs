//! Accounts from the command line: made, granted, let in, kept out; rights stay in the ledger.

use crate::sandbox::{Sandbox, number, text};

const ARRANGEMENTS: &str = "arrangement_id,client_id,provider_id,title,time_zone\n\
    desk,meridian,north,Desk,Europe/Lisbon\npayroll,meridian,south,Payroll,Europe/Lisbon\n";

fn with_arrangements() -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("arrangement.csv", ARRANGEMENTS);
    sandbox.ws(&["import", "arrangement.csv"]).ok();
    sandbox
}

fn json(sandbox: &Sandbox, args: &[&str]) -> serde_json::Value {
    let all = [&["account"], args, &["--format", "json"]].concat();
    let value = sandbox.ws(&all).json();
    assert_eq!(text(&value, "schema"), "backstay.account/1", "{args:?}");
    value
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_account_is_made_granted_and_kept_out_and_the_ledger_says_by_whom() {
    let sandbox = with_arrangements();
    let none = sandbox.ws(&["account", "list"]).ok();
    assert!(one_line(&none).contains("backstay account link --administrator"), "{none}");
    let first = sandbox.ws(&["account", "link", "--administrator"]).ok();
    assert!(first.contains("\n/enter/"), "{first}");
    let add = ["add", "ana@example.com", "--name", "Ana Cruz", "--grant", "executive@all"];
    let dry = sandbox.ws(&[&["account"], &add[..], &["--dry-run"]].concat()).ok();
    assert!(dry.contains("Nothing was written"), "{dry}");
    let made = json(&sandbox, &[&add[..], &["--link"]].concat());
    assert!(text(&made, "path").starts_with("/enter/"));
    let id = text(&made["account"], "id").to_owned();
    let given = [
        "grant",
        "ANA@example.com",
        "service-owner",
        "--on",
        "provider:north",
        "--reason",
        "April",
    ];
    let given = json(&sandbox, &given);
    assert!(number(&given, "entry") > 0);
    let again =
        sandbox.ws(&["account", "grant", &id, "service-owner", "--on", "provider:north"]).ok();
    assert!(again.contains("Nothing to write"), "{again}");
    let shown = json(&sandbox, &["show", &id]);
    let sees: Vec<(&str, Option<&str>)> = shown["sees"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| (text(seen, "arrangement_id"), seen["rows_up_to"].as_str()))
        .collect();
    assert_eq!(sees, [("desk", Some("internal")), ("payroll", None)]);
    let shown = sandbox.ws(&["account", "show", &id]).ok();
    assert!(shown.contains("figures alone") && shown.contains("no password yet"), "{shown}");
    sandbox.ws(&["account", "revoke", &id, "executive", "--on", "all", "--reason", "moved"]).ok();
    sandbox.ws(&["account", "disable", &id, "--reason", "left"]).ok();
    assert_eq!(json(&sandbox, &["show", &id])["sees"].as_array().unwrap().len(), 0);
    sandbox.ws(&["account", "enable", &id]).ok();
    let listed = sandbox.ws(&["account", "list"]).ok();
    assert!(listed.contains("ana@example.com"), "{listed}");
    assert!(one_line(&listed).contains("granted service-owner on provider:north"), "{listed}");
    let log = one_line(&sandbox.ws(&["log"]).ok());
    for part in [
        format!("access account {id} added executive on all"),
        format!("access account {id} granted service-owner on provider:north: April"),
        format!("access account {id} revoked executive on all: moved"),
        format!("access account {id} disabled: left"),
    ] {
        assert!(log.contains(&part), "{part}: {log}");
    }
    assert!(log.contains("tester") && !log.contains("example.com"), "{log}");
    let plan = sandbox.ws(&["account", "forget", &id]).ok();
    assert!(plan.contains("Nothing is erased yet"), "{plan}");
    sandbox.ws(&["account", "forget", &id, "--reason", "asked", "--yes"]).ok();
    let gone = sandbox.ws(&["account", "show", &id]).fails(1);
    assert!(gone.contains("there is no account"), "{gone}");
    sandbox.ws(&["verify"]).ok();
}

#[test]
fn what_is_not_well_put_is_refused_with_what_to_do() {
    let sandbox = with_arrangements();
    let tala = ["account", "add", "tala@north.example", "--name", "Tala", "--provider", "north"];
    for (args, part) in [
        (&["--grant", "vendor-manager@all"][..], "only be `provider-account-manager`"),
        (&["--grant", "provider-account-manager@all"], "grant `provider:north`"),
        (&["--grant", "provider-account-manager@arrangement:payroll"], "reaches beyond"),
    ] {
        let said = one_line(&sandbox.ws(&[&tala[..], args].concat()).fails(1));
        assert!(said.contains(part), "{said}");
    }
    for (args, part) in [
        (&["--grant", "boss@all"][..], "there is no role `boss`"),
        (&["--grant", "executive@everything"], "is no scope"),
        (&["--grant", "executive"], "executive@all"),
    ] {
        let said = one_line(&sandbox.ws(&[&tala[..], args].concat()).fails(2));
        assert!(said.contains(part), "{said}");
    }
    let own = ["--grant", "provider-account-manager@provider:north"];
    sandbox.ws(&[&tala[..], &own].concat()).ok();
    let taken = sandbox.ws(&[&tala[..], &own].concat()).fails(1);
    assert!(taken.contains("another account has the mail address"), "{taken}");
    let root = ["account", "add", "root@example.com", "--name", "Root"];
    sandbox.ws(&[&root[..], &["--grant", "administrator@all"]].concat()).ok();
    let last = sandbox.ws(&["account", "disable", "root@example.com"]).fails(1);
    assert!(last.contains("is the last administrator"), "{last}");
    let roles = sandbox.ws(&["account", "roles"]).ok();
    assert!(roles.contains("internal-auditor"), "{roles}");
}

#[test]
fn tokens_are_made_listed_and_ended_and_sessions_listed() {
    let sandbox = with_arrangements();
    let add = ["add", "ana@example.com", "--name", "Ana", "--grant", "vendor-manager@all"];
    json(&sandbox, &add);
    let none = sandbox.ws(&["account", "token", "ana@example.com"]).ok();
    assert!(none.contains("has no API token"), "{none}");
    let make = ["token", "ana@example.com", "--for", "nightly", "--arrangement", "desk"];
    let made = json(&sandbox, &make);
    assert!(text(&made, "secret").starts_with("backstay_token_"));
    let id = text(&made["token"], "id");
    let listed = sandbox.ws(&["account", "token", "ana@example.com"]).ok();
    assert!(listed.contains(id) && listed.contains("read and write desk"), "{listed}");
    assert!(!listed.contains(text(&made, "secret")));
    let wrong = ["account", "token", "ana@example.com", "--for", "x", "--arrangement", "dask"];
    let wrong = sandbox.ws(&wrong).fails(2);
    assert!(wrong.contains("did you mean `desk`?"), "{wrong}");
    sandbox.ws(&["account", "token", "ana@example.com", "--end", id]).ok();
    let gone = sandbox.ws(&["account", "token", "ana@example.com", "--end", id]).fails(1);
    assert!(gone.contains("no API token"), "{gone}");
    let none = sandbox.ws(&["account", "sessions", "ana@example.com"]).ok();
    assert!(none.contains("has no session"), "{none}");
    assert_eq!(json(&sandbox, &["sessions", "ana@example.com", "--end-all"])["ended"], 0);
    let unknown = ["account", "sessions", "ana@example.com", "--end", "0123"];
    assert!(sandbox.ws(&unknown).fails(1).contains("has no session `0123`"));
}
