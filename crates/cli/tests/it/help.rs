//! Every help text, reviewed as a whole.

use crate::sandbox::Sandbox;

#[test]
fn help_texts_stay_as_reviewed() {
    let sandbox = Sandbox::new();
    let mut all = String::new();
    for command in [
        &[][..],
        &["init"],
        &["import"],
        &["watch"],
        &["assess"],
        &["measure"],
        &["forecast"],
        &["report"],
        &["explain"],
        &["trace"],
        &["query"],
        &["replay"],
        &["retract"],
        &["edit"],
        &["compact"],
        &["reread"],
        &["erase"],
        &["erase", "person"],
        &["erase", "source"],
        &["reveal"],
        &["verify"],
        &["bundle"],
        &["backup"],
        &["restore"],
        &["log"],
        &["catalogue"],
        &["vocabulary"],
        &["mapping"],
        &["mapping", "new"],
        &["sample"],
        &["sample", "plan"],
        &["sample", "curve"],
        &["sample", "draw"],
        &["sample", "verify"],
        &["overlap"],
        &["calendar"],
        &["calendar", "diff"],
        &["meet"],
        &["account"],
        &["account", "add"],
        &["account", "grant"],
        &["account", "revoke"],
        &["account", "forget"],
        &["account", "link"],
        &["account", "token"],
        &["account", "sessions"],
        &["demo"],
        &["serve"],
        &["completions"],
    ] {
        let args = [command, &["--help"]].concat();
        let text = sandbox.run_with(&args, &[("COLUMNS", "80")]).ok();
        assert!(command.is_empty() || text.contains("Examples:"), "{command:?} has no example");
        all.push_str(&format!("===== backstay {}\n{text}\n", args.join(" ")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn completions_name_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.run(&["completions", shell]).ok();
        for command in ["assess", "explain", "replay", "vocabulary"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn tables_mappings_and_controls_can_be_listed_and_shown() {
    let sandbox = Sandbox::new();
    let tables = sandbox.run(&["vocabulary", "list"]).ok();
    for table in ["case_event", "service_level", "evidence_feed"] {
        assert!(tables.contains(table), "{tables}");
        let shown = sandbox.run(&["vocabulary", "show", table]).ok();
        assert!(shown.contains("arrangement_id"), "{shown}");
    }
    let template = sandbox.run(&["vocabulary", "template", "site"]).ok();
    assert_eq!(
        template,
        "site_id,provider_id,name,country,city,time_zone,calendar_id,valid_from,valid_to,version\n"
    );
    assert!(sandbox.run(&["mapping", "list"]).ok().contains("servicenow-incident"));
    assert!(sandbox.run(&["mapping", "show", "xes"]).ok().contains("concept:name"));
    let controls = sandbox.run(&["catalogue", "list"]).ok();
    for control in
        ["service-levels-defined", "service-levels-met", "provider-report-agrees", "work-visible"]
    {
        assert!(controls.contains(control), "{controls}");
        assert!(sandbox.run(&["catalogue", "show", control]).ok().contains("## Why it matters"));
    }
}

#[test]
fn a_new_control_works_as_it_is_written_and_passes_its_own_cases() {
    let sandbox = Sandbox::with_workspace();
    sandbox.ws(&["catalogue", "new", "quality/rework-loops"]).ok();
    assert!(sandbox.path("ws/catalogue/quality/rework-loops.md").is_file());
    let tested = sandbox.ws(&["catalogue", "test", "rework-loops"]).ok();
    assert!(tested.contains("✓") && tested.contains("1 of 1 file passed"), "{tested}");
    let again = sandbox.ws(&["catalogue", "new", "quality/rework-loops"]).fails(1);
    assert!(again.contains("it exists already"), "{again}");
}

#[test]
fn the_catalogue_passes_its_own_cases() {
    let tested = Sandbox::new().run(&["catalogue", "test", "--format", "json"]).json();
    let files = tested["files"].as_array().unwrap();
    assert!(files.len() >= 8, "{tested}");
    assert!(files.iter().all(|file| file["passed"] == true), "{tested}");
}
