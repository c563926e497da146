//! A disk that is full, or read-only: the real thing, a small file system in a mount namespace of
//! its own. Where the system allows none, the tests say so; as root they fail instead.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{sandbox::Sandbox, small::hand_in};

/// What one command in the namespace gave.
#[derive(Debug)]
struct Step {
    code: i32,
    out: String,
    err: String,
}

/// Whether this system lets us mount.
fn can_mount() -> bool {
    let script = "mount -t tmpfs none /mnt";
    let made = Command::new("unshare")
        .args(["-rm", "sh", "-c", script])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if made.is_ok_and(|status| status.success()) {
        return true;
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    assert!(!root, "`unshare -rm {script}` fails as root: this test cannot run, and must");
    eprintln!("NOT RUN: this system allows no mount namespace, so a full disk cannot be made");
    false
}

/// Runs a script in a folder that is a small disk; `$B` is the product on its workspace `ws`, `$IN`
/// the sandbox, and `run NAME COMMAND…` keeps what a command gives.
fn on_small_disk(sandbox: &Sandbox, megabytes: u32, script: &str) -> impl Fn(&str) -> Step {
    let disk = sandbox.path("disk");
    let results = sandbox.path("results");
    fs::create_dir_all(&disk).unwrap();
    fs::create_dir_all(&results).unwrap();
    let whole = format!(
        "set -u\n\
         mount -t tmpfs -o size={megabytes}m none \"$DISK\" || exit 99\n\
         cd \"$DISK\"\n\
         run() {{ name=$1; shift; \"$@\" >\"$RESULTS/$name.out\" 2>\"$RESULTS/$name.err\"; \
         echo $? >\"$RESULTS/$name.code\"; }}\n\
         fill() {{ dd if=/dev/zero of=filler bs=1k 2>/dev/null; \
         truncate -s \"-${{1}}K\" filler; }}\n\
         {script}\n"
    );
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", &whole])
        .env("DISK", &disk)
        .env("RESULTS", &results)
        .env("IN", sandbox.path(""))
        .env("B", env!("CARGO_BIN_EXE_backstay"))
        .env("BACKSTAY_ACTOR", "tester")
        .env("TMPDIR", &disk)
        .env_remove("BACKSTAY_WORKSPACE")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    move |name| {
        let read = |kind: &str| {
            let path = results.join(format!("{name}.{kind}"));
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        Step { code: read("code").trim().parse().unwrap(), out: read("out"), err: read("err") }
    }
}

/// A log too large for what is left on the disk.
fn log(path: &Path, name: &str, events: usize) {
    let mut text = "arrangement_id,source,case_id,activity,state,occurred_at\n".to_owned();
    for n in 0..events {
        let (minute, second) = (n / 60 % 60, n % 60);
        let noise = n.wrapping_mul(2_654_435_761) % 1_000_003;
        writeln!(text, "claims,{name},{noise}-{n},New,New,2026-03-02T09:{minute:02}:{second:02}Z")
            .unwrap();
    }
    fs::write(path, text).unwrap();
}

#[test]
fn a_full_disk_is_named_loses_nothing_and_all_works_when_there_is_room_again() {
    if !can_mount() {
        return;
    }
    let sandbox = Sandbox::new();
    hand_in(&sandbox);
    let free = [0, 24, 60, 120, 200, 300, 420];
    let mut script =
        "run init $B init ws\nrun first $B -w ws import \"$IN/handed-in\"\n".to_owned();
    for kib in free {
        log(&sandbox.path(&format!("log-{kib}.csv")), &format!("log-{kib}"), 4_000);
        writeln!(
            script,
            "fill {kib}\n\
             run full-{kib} $B -w ws import \"$IN/log-{kib}.csv\" --as case_event\n\
             run assess-{kib} $B -w ws assess --period 2026-03\n\
             rm filler\n\
             run verify-{kib} $B -w ws verify\n\
             run log-{kib} $B -w ws log --format json\n\
             run again-{kib} $B -w ws import \"$IN/log-{kib}.csv\" --as case_event --format json"
        )
        .unwrap();
    }
    script += "run verify $B -w ws verify\nls ws/tmp >\"$RESULTS/tmp\"\n";
    let step = on_small_disk(&sandbox, 24, &script);
    for name in ["init", "first", "verify"] {
        let done = step(name);
        assert_eq!(done.code, 0, "{name}: {done:?}");
    }
    let mut refused = 0;
    for kib in free {
        for name in [format!("full-{kib}"), format!("assess-{kib}")] {
            let full = step(&name);
            if full.code != 0 {
                refused += 1;
                assert_eq!(full.code, 1, "{name}: {full:?}");
                let help = "help: make room on that disk and run the command again";
                assert!(
                    full.err.contains("no space is left") && full.err.contains(help),
                    "{full:?}"
                );
            }
        }
        for name in [format!("verify-{kib}"), format!("again-{kib}")] {
            let done = step(&name);
            assert_eq!(done.code, 0, "{name}: {done:?}");
        }
        let again: serde_json::Value =
            serde_json::from_str(&step(&format!("again-{kib}")).out).unwrap();
        let held = again["accepted"].as_i64().unwrap() + again["already_known"].as_i64().unwrap();
        assert_eq!(held, 4_000, "{again}");
    }
    assert!(refused >= free.len(), "{refused} commands met a full disk");
}

#[test]
fn on_a_read_only_disk_one_can_read_and_is_told_why_nothing_is_kept() {
    if !can_mount() {
        return;
    }
    let sandbox = Sandbox::new();
    hand_in(&sandbox);
    log(&sandbox.path("more.csv"), "more", 10);
    let script = "\
        run init $B init ws\n\
        run first $B -w ws import \"$IN/handed-in\"\n\
        mount -o remount,ro \"$DISK\"\n\
        run log $B -w ws log\n\
        run verify $B -w ws verify\n\
        run query $B -w ws query 'SELECT count(*) AS n FROM case_event' --format json\n\
        run assess $B -w ws assess --period 2026-03\n\
        run trace $B -w ws trace 9:1\n\
        run bundle $B -w ws bundle \"$RESULTS/bundle\"\n\
        run import $B -w ws import \"$IN/more.csv\" --as case_event\n\
        run retract $B -w ws retract 9:1 --reason 'a test case'\n\
        run made $B init other\n\
        mount -o remount,rw \"$DISK\"\n\
        run after $B -w ws import \"$IN/more.csv\" --as case_event\n\
        run whole $B -w ws verify\n";
    let step = on_small_disk(&sandbox, 24, script);
    for name in
        ["init", "first", "log", "verify", "query", "assess", "trace", "bundle", "after", "whole"]
    {
        let done = step(name);
        assert_eq!(done.code, 0, "{name}: {done:?}");
    }
    assert!(step("assess").err.contains("not kept: the workspace lies on a read-only disk"));
    assert!(step("verify").out.contains("the disk is read-only"), "{:?}", step("verify"));
    for name in ["import", "retract", "made"] {
        let refused = step(name);
        assert_eq!(refused.code, 1, "{name}: {refused:?}");
        assert!(refused.err.contains("its disk is read-only"), "{name}: {refused:?}");
        assert!(refused.err.contains("help: make it writable"), "{name}: {refused:?}");
    }
}
