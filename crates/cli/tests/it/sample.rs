//! Plans, curves and draws at the command line.

use std::fs;

use crate::sandbox::Sandbox;

#[test]
fn a_plan_and_its_curve_are_told_in_words_and_in_json() {
    let sandbox = Sandbox::new();
    let plan = ["sample", "plan", "--lot", "2000", "--aql", "2.5"];
    let shown = sandbox.run(&plan).ok();
    assert!(shown.contains("code letter K"), "{shown}");
    assert!(shown.contains("Inspect 125 items; accept the lot with up to 7"), "{shown}");
    let json =
        sandbox.run(&[&plan[..], &["--severity", "reduced", "--format", "json"]].concat()).json();
    assert_eq!(
        (json["sample_size"].as_u64(), json["accept"].as_u64(), json["refuse"].as_u64()),
        (Some(50), Some(3), Some(6))
    );
    let curve = sandbox
        .run(&["sample", "curve", "--lot", "2000", "--aql", "2.5", "--format", "json"])
        .json();
    assert_eq!(curve["producers_risk_at_aql"], "0.013616");
    assert_eq!(curve["accepted_10_percent"], "9.238");
    let lot = sandbox.run(&["sample", "curve", "--lot", "150", "--aql", "2.5", "--exact-lot"]).ok();
    assert!(lot.contains("nonconforming %"), "{lot}");
    let wrong = sandbox.run(&["sample", "plan", "--lot", "2000", "--aql", "3"]).fails(2);
    assert!(wrong.contains("`3` is no preferred acceptance quality limit"), "{wrong}");
}

#[test]
fn a_draw_is_kept_and_redone_and_a_changed_one_is_noticed() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("draw.json");
    let file = file.to_str().unwrap();
    let draw =
        ["sample", "draw", "LOT-41", "--lot", "480", "--aql", "2.5", "--seed", "7f3a", "-o", file];
    let shown = sandbox.run(&draw).ok();
    assert!(shown.contains("50 of 480 items of LOT-41, seed 7f3a"), "{shown}");
    let again = sandbox.run(&draw).fails(1);
    assert!(again.contains("a draw is never overwritten"), "{again}");
    sandbox.run(&["sample", "verify", file]).ok();

    let text = fs::read_to_string(file).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let first = value["drawn"][0].as_str().unwrap().to_owned();
    let other =
        (1..=480).map(|n| n.to_string()).find(|n| !text.contains(&format!("\"{n}\""))).unwrap();
    value["drawn"][0] = other.into();
    fs::write(file, value.to_string()).unwrap();
    let noticed = sandbox.run(&["sample", "verify", file]).fails(1);
    assert!(noticed.contains("the items drawn"), "{first}: {noticed}");
}

#[test]
fn a_draw_from_ids_needs_its_list_and_knows_another_one() {
    let sandbox = Sandbox::new();
    let (list, file) = (sandbox.path("items.txt"), sandbox.path("draw.json"));
    let (list, file) = (list.to_str().unwrap(), file.to_str().unwrap());
    let ids: Vec<String> = (1..=40).map(|n| format!("INC{n:04}")).collect();
    fs::write(list, ids.join("\n")).unwrap();
    sandbox.run(&["sample", "draw", "L", "--items", list, "--count", "5", "-o", file]).ok();
    sandbox.run(&["sample", "verify", file]).fails(2);
    sandbox.run(&["sample", "verify", file, "--items", list]).ok();
    fs::write(list, ids[1..].join("\n")).unwrap();
    let noticed = sandbox.run(&["sample", "verify", file, "--items", list]).fails(1);
    assert!(noticed.contains("the list of items"), "{noticed}");
}
