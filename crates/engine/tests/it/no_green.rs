//! No evidence, no green: taking evidence away never makes a control effective that was not.

use std::collections::BTreeMap;

use backstay_engine::Status;
use proptest::prelude::*;

use crate::world::{World, assessed, march};

fn words(world: &World) -> Words {
    let controls = assessed(world).controls;
    controls
        .into_iter()
        .map(|control| (control.control, (control.status, control.reason)))
        .collect()
}

/// Something wrong with the operation or its evidence, so that not everything is effective.
#[derive(Debug, Clone)]
enum Trouble {
    Late(u32),
    Unassigned(u32),
    Unresolved(u32),
    WrongTotal(u32),
    UnknownTeam(u32),
    NotCritical,
    OtherFigure,
    Assumed,
    ExclusionOpen,
}

impl Trouble {
    fn befall(&self, world: &World) -> World {
        let of = |day: u32| format!("C{day:02}");
        match self {
            Self::Late(day) => world.set(
                "case_event",
                "occurred_at",
                &format!("2026-03-{day:02}T16:45:00Z"),
                |row| row["case_id"] == of(*day) && row["activity"] == "resolve",
            ),
            Self::Unassigned(day) => {
                world.set("case_event", "state", "New", |row| row["case_id"] == of(*day))
            }
            Self::Unresolved(day) => world.retain("case_event", |row| {
                row["case_id"] != of(*day) || row["activity"] != "resolve"
            }),
            Self::WrongTotal(day) => world.set("evidence_feed", "expected_count", "9", |row| {
                row["entry"] == "delivered" && row["valid_from"] == format!("2026-03-{day:02}")
            }),
            Self::UnknownTeam(day) => {
                world.set("case_event", "team_id", "T9", |row| row["case_id"] == of(*day))
            }
            Self::NotCritical => world.set("function", "critical", "false", |_| true),
            Self::OtherFigure => world.set("provider_report", "numerator", "20", |_| true),
            Self::Assumed => world.set("service_level", "basis", "assumed", |_| true),
            Self::ExclusionOpen => world.set("exclusion", "decision", "open", |_| true),
        }
    }
}

/// Evidence that is withheld.
#[derive(Debug, Clone)]
enum Withheld {
    Table(prop::sample::Index),
    Import(prop::sample::Index),
    FeedDay(u32),
    FeedDayWithItsTotal(u32),
    Declaration(prop::sample::Index),
    AllTotals(prop::sample::Index),
}

impl Withheld {
    fn take(&self, world: &World) -> World {
        let not_on = |day: u32| {
            move |row: &BTreeMap<&str, &str>| {
                !row["occurred_at"].starts_with(&format!("2026-03-{day:02}"))
            }
        };
        match self {
            Self::Table(index) => {
                let names: Vec<&str> = world.blocks.iter().map(|(name, _)| *name).collect();
                world.without(names[index.index(names.len())])
            }
            Self::Import(index) => world.without_block(index.index(world.blocks.len())),
            Self::FeedDay(day) => world.retain("case_event", not_on(*day)),
            Self::FeedDayWithItsTotal(day) => {
                world.retain("case_event", not_on(*day)).retain("evidence_feed", |row| {
                    row["entry"] != "delivered" || row["valid_from"] != format!("2026-03-{day:02}")
                })
            }
            Self::AllTotals(index) => {
                let feed = ["log", "reports"][index.index(2)];
                world.retain("evidence_feed", |row| {
                    row["feed_id"] != feed || row["entry"] != "delivered"
                })
            }
            Self::Declaration(index) => {
                let feed = ["log", "reports"][index.index(2)];
                world.retain("evidence_feed", |row| {
                    row["feed_id"] != feed || row["entry"] != "declared"
                })
            }
        }
    }
}

fn troubles() -> impl Strategy<Value = Vec<Trouble>> {
    let day = 2..32_u32;
    let one = prop_oneof![
        day.clone().prop_map(Trouble::Late),
        day.clone().prop_map(Trouble::Unassigned),
        day.clone().prop_map(Trouble::Unresolved),
        day.clone().prop_map(Trouble::WrongTotal),
        day.prop_map(Trouble::UnknownTeam),
        Just(Trouble::NotCritical),
        Just(Trouble::OtherFigure),
        Just(Trouble::Assumed),
        Just(Trouble::ExclusionOpen),
    ];
    prop::collection::vec(one, 0..4)
}

fn withheld() -> impl Strategy<Value = Withheld> {
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Withheld::Table),
        any::<prop::sample::Index>().prop_map(Withheld::Import),
        (2..32_u32).prop_map(Withheld::FeedDay),
        (2..32_u32).prop_map(Withheld::FeedDayWithItsTotal),
        any::<prop::sample::Index>().prop_map(Withheld::Declaration),
        any::<prop::sample::Index>().prop_map(Withheld::AllTotals),
    ]
}

type Words = BTreeMap<String, (Status, String)>;

/// Compares with what was before and gives back what is after.
fn check(before: &Words, after: &World, what: &str) -> Words {
    let after = words(after);
    for (control, (status, reason)) in &after {
        let was = before.get(control).map(|(status, _)| *status);
        let turned =
            *status == Status::Effective && was.is_some() && was != Some(Status::Effective);
        assert!(
            !turned,
            "`{control}` turned effective ({reason}) from {:?} by withholding {what}",
            before.get(control)
        );
    }
    after
}

#[test]
fn withholding_any_one_table_makes_nothing_effective_in_a_troubled_operation() {
    let trouble = [
        Trouble::Late(3),
        Trouble::Late(4),
        Trouble::Late(5),
        Trouble::UnknownTeam(6),
        Trouble::WrongTotal(9),
        Trouble::OtherFigure,
        Trouble::NotCritical,
    ];
    for with in [&trouble[..], &trouble[..3], &trouble[3..5], &trouble[5..]] {
        let world = with.iter().fold(march(), |world, trouble| trouble.befall(&world));
        let before = words(&world);
        let mut names: Vec<&str> = world.blocks.iter().map(|(name, _)| *name).collect();
        names.dedup();
        for name in names {
            check(&before, &world.without(name), name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn withholding_evidence_never_makes_a_control_effective(troubles in troubles(), withheld in prop::collection::vec(withheld(), 1..3)) {
        let mut world = troubles.iter().fold(march(), |world, trouble| trouble.befall(&world));
        let mut before = words(&world);
        for take in &withheld {
            if world.blocks.is_empty() {
                break;
            }
            let less = take.take(&world);
            before = check(&before, &less, &format!("{take:?}"));
            world = less;
        }
    }
}
