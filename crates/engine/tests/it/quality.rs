//! No evidence, no green, for quality: a small operation in which lots are sampled, reviewers compared and
//! causes removed; something is wrong, and rows, imports and tables are taken away one by one.

use std::collections::BTreeMap;

use backstay_engine::Status;
use backstay_sampling::draw::{DRAW, numbers};

use crate::world::{Rows, World, assessed, march};

fn block(world: &mut World, name: &'static str, header: &[&'static str], rows: Vec<Vec<String>>) {
    world.blocks.push((name, Rows { header: header.to_vec(), rows }));
}

fn cells(row: &[&str]) -> Vec<String> {
    row.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Four lots of fifty items, eight drawn of each, all of them judged by two people; one defective item
/// is let pass. One cause was found and removed.
fn quality() -> World {
    let mut world = march();
    block(
        &mut world,
        "quality_term",
        &[
            "arrangement_id",
            "stream",
            "inspection",
            "blind_percent",
            "kappa_minimum",
            "action_days",
        ],
        vec![cells(&["desk", "forms", "sampled", "100", "0.5", "10"])],
    );
    block(
        &mut world,
        "sampling_plan",
        &["arrangement_id", "stream", "defect_class", "level", "aql"],
        vec![cells(&["desk", "forms", "major", "II", "6.5"])],
    );
    let (mut lots, mut judged) = (Vec::new(), Vec::new());
    for lot in 1..=4 {
        let (name, seed, number) = (format!("L{lot}"), format!("s{lot}"), lot.to_string());
        let at = format!("2026-03-{:02}T09:00:00Z", 2 + lot);
        lots.push(cells(&["desk", "forms", &name, &number, &at, "50", &seed, "accepted", &at]));
        let drawn = numbers(DRAW, &seed, &name, 50, 8).unwrap();
        for (place, item) in drawn.into_iter().enumerate() {
            let outcome = if place == 0 { "major" } else { "conforming" };
            for (pass, who) in [("first", "R1"), ("blind", "R2")] {
                let item = item.to_string();
                judged.push(cells(&["desk", "forms", &name, &item, pass, who, &at, outcome]));
            }
        }
    }
    let header = [
        "arrangement_id",
        "stream",
        "lot_id",
        "lot_number",
        "submitted_at",
        "item_count",
        "draw_seed",
        "disposition",
        "decided_at",
    ];
    block(&mut world, "lot", &header, lots);
    let header = [
        "arrangement_id",
        "stream",
        "lot_id",
        "item_number",
        "pass",
        "reviewer_id",
        "inspected_at",
        "outcome",
    ];
    block(&mut world, "inspection", &header, judged);
    let defect = |id: &str, day: &str| {
        cells(&["desk", id, "forms", "major", "wrong-code", &format!("2026-{day}T09:00:00Z")])
    };
    let header = ["arrangement_id", "defect_id", "stream", "defect_class", "cause", "found_at"];
    block(&mut world, "defect", &header, vec![defect("D1", "02-20"), defect("D2", "02-21")]);
    block(
        &mut world,
        "corrective_action",
        &["arrangement_id", "action_id", "stream", "cause", "raised_on", "due_on", "done_on"],
        vec![cells(&[
            "desk",
            "A1",
            "forms",
            "wrong-code",
            "2026-02-25",
            "2026-03-10",
            "2026-03-09",
        ])],
    );
    complete(world, 64, 2)
}

/// States how many inspections and defects there are.
fn complete(mut world: World, inspections: usize, defects: usize) -> World {
    world
        .blocks
        .retain(|(name, rows)| *name != "evidence_feed" || !rows.header.contains(&"valid_to"));
    let feed = |table: &str, count: usize| {
        cells(&[
            "desk",
            "quality",
            table,
            "complete",
            &count.to_string(),
            "2026-01-01",
            "2026-05-01",
        ])
    };
    let rows = vec![feed("lot", 4), feed("inspection", inspections), feed("defect", defects)];
    let header = [
        "arrangement_id",
        "feed_id",
        "table_name",
        "entry",
        "expected_count",
        "valid_from",
        "valid_to",
    ];
    block(&mut world, "evidence_feed", &header, rows);
    world
}

fn statuses(world: &World) -> BTreeMap<String, (Status, String)> {
    const OURS: [&str; 3] = ["lots-sampled", "reviewers-agree", "feedback-closed"];
    let controls = assessed(world).controls.into_iter();
    let ours = controls.filter(|control| OURS.contains(&control.control.as_str()));
    ours.map(|control| (control.control, (control.status, control.reason))).collect()
}

#[test]
fn lots_reviewers_and_feedback_are_effective_where_all_is_well() {
    for (control, (status, reason)) in statuses(&quality()) {
        assert_eq!(status, Status::Effective, "{control}: {reason}");
    }
}

#[test]
fn withholding_evidence_of_quality_makes_nothing_effective_that_was_not() {
    // A lot with too many defective items accepted, reviewers apart, a cause that is back.
    let mut world = quality();
    let mut changed = 0;
    for (_, rows) in world.blocks.iter_mut().filter(|(name, _)| *name == "inspection") {
        for row in &mut rows.rows {
            let (lot, pass) = (row[2].clone(), row[4].clone());
            if lot == "L2" && pass == "first" && row[7] == "conforming" && changed < 3 {
                row[7] = "major".into();
                changed += 1;
            }
            if pass == "blind" && lot != "L2" {
                row[7] = if row[7] == "major" { "conforming".into() } else { row[7].clone() };
            }
        }
    }
    assert_eq!(changed, 3);
    for (_, rows) in world.blocks.iter_mut().filter(|(name, _)| *name == "defect") {
        let mut back = rows.rows[0].clone();
        back[1] = "D3".into();
        back[5] = "2026-03-20T09:00:00Z".into();
        rows.rows.push(back);
    }
    let world = complete(world, 64, 3);
    let before = statuses(&world);
    for (control, (status, reason)) in &before {
        assert_eq!(*status, Status::Deficient, "{control}: {reason}");
    }
    let check = |less: &World, what: &str| {
        for (control, (status, reason)) in statuses(less) {
            assert_ne!(status, Status::Effective, "{control} without {what}: {reason}");
        }
    };
    let tables = ["quality_term", "sampling_plan", "lot", "inspection", "defect", "evidence_feed"];
    for table in tables {
        check(&world.without(table), table);
    }
    for lot in ["L1", "L2", "L3", "L4"] {
        check(&world.retain("inspection", |row| row["lot_id"] != lot), lot);
        check(&world.retain("lot", |row| row["lot_id"] != lot), lot);
    }
    for defect in ["D1", "D3"] {
        check(&world.retain("defect", |row| row["defect_id"] != defect), defect);
    }
    check(&world.retain("inspection", |row| row["pass"] != "blind"), "second looks");
    check(&world.retain("inspection", |row| row["outcome"] != "major"), "defective items");
}
