//! The page that `backstay report` writes: of which assessment, from which evidence, and always the
//! same.

use std::fs;

use crate::{sandbox::Sandbox, small::imported};

fn read(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.path(name)).unwrap()
}

#[test]
fn a_report_is_of_the_last_assessment_and_the_same_bytes_each_time() {
    let sandbox = imported();
    let none = sandbox.ws(&["report", "--html", "none.html"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("no assessment is kept yet"), "{}", none.err);
    assert!(!sandbox.path("none.html").exists());

    sandbox.ws(&["assess", "--period", "2026-03", "--html", "assessed.html"]).ok();
    let said = sandbox.ws(&["report", "--html", "last.html"]).ok();
    assert!(said.contains("is in `last.html`"), "{said}");
    let page = read(&sandbox, "last.html");
    assert_eq!(page, read(&sandbox, "assessed.html"));
    for told in [
        "Meadow Mutual (made up)</bdi>: March 2026",
        "Lantern Services (made up)",
        "id=\"level.claims.",
        "id=\"entry.9\"",
        "as known at <a href=\"#basis\">ledger entry ",
        "backstay replay ",
    ] {
        assert!(page.contains(told), "the page lacks `{told}`");
    }

    // Later evidence changes no page of an earlier assessment.
    let late = "arrangement_id,function_id,title\nclaims,late-function,Came later\n";
    sandbox.write("late.csv", late);
    sandbox.ws(&["import", "late.csv", "--as", "function"]).ok();
    sandbox.ws(&["report", "--html", "again.html"]).ok();
    assert_eq!(page, read(&sandbox, "again.html"));

    // A period that was not assessed is assessed and kept; its entry opens the same page.
    sandbox.ws(&["report", "--period", "2026-02", "--html", "february.html"]).ok();
    let february = read(&sandbox, "february.html");
    assert!(february.contains("</bdi>: February 2026"));
    let entry = february.split("kept as <a href=\"#basis\">ledger entry ").nth(1).unwrap();
    let entry = entry.split('<').next().unwrap();
    sandbox.ws(&["report", entry, "--html", "named.html"]).ok();
    assert_eq!(february, read(&sandbox, "named.html"));
}

#[test]
fn a_report_says_what_it_cannot_do() {
    let sandbox = imported();
    let both = sandbox.ws(&["report", "3", "--period", "2026-03", "--html", "x.html"]);
    assert_eq!(both.code, 2, "{}", both.err);
    let wrong = sandbox.ws(&["report", "3", "--html", "x.html"]);
    assert_eq!(wrong.code, 1, "{}", wrong.err);
    sandbox.ws(&["assess", "--period", "2026-03"]).ok();
    let nowhere = sandbox.ws(&["report", "--html", "no/such/folder/x.html"]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.err.contains("`no/such/folder/x.html` cannot be written"), "{}", nowhere.err);
}
