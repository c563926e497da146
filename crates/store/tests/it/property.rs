//! Random small files: counts add up, importing twice is importing once, and overlapping parts
//! make the whole.

use proptest::prelude::*;

use crate::import::HEADER;
use backstay_evidence::manifest::RetractTarget;
use backstay_store::{CompactOptions, StoreError};

use crate::support::{Fact, Home, as_table, row_edit, values};

/// One line of a work log, by small numbers, so that equal identities and equal rows are common.
#[derive(Debug, Clone)]
struct Line {
    id: u8,
    case: u8,
    minute: u8,
    priority: u8,
    broken: bool,
}

fn lines(with_ids: bool) -> impl Strategy<Value = Vec<Line>> {
    let line = (0..12_u8, 0..4_u8, 0..4_u8, 0..3_u8, 0..12_u8).prop_map(
        move |(id, case, minute, priority, broken)| Line {
            id: if with_ids { id } else { 0 },
            case,
            minute,
            priority,
            broken: broken == 0,
        },
    );
    prop::collection::vec(line, 1..30)
}

fn text(lines: &[Line]) -> String {
    let mut text = HEADER.to_owned();
    for line in lines {
        let id = if line.id == 0 { String::new() } else { format!("e{}", line.id) };
        let at = if line.broken {
            "yesterday".to_owned()
        } else {
            format!("2026-03-02T10:{:02}:00Z", line.minute)
        };
        text += &format!("desk,sys,{id},c{},Note,Note,{at},{}\n", line.case, line.priority);
    }
    text
}

/// Lines of one fact stand together, so that an overlap can hold all of them.
fn by_fact(lines: &mut [Line]) {
    lines.sort_by_key(|line| {
        (line.id, if line.id == 0 { (line.case, line.minute) } else { (0, 0) })
    });
}

fn fact(line: &Line) -> (u8, u8, u8) {
    if line.id == 0 { (0, line.case, line.minute) } else { (line.id, 0, 0) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn counts_add_up_and_twice_is_once(ids in any::<bool>(), seed in lines(true), more in lines(false)) {
        let lines: Vec<Line> = if ids { seed } else { more };
        let mut home = Home::new();
        let first = home.import("a.csv", "case_event", &text(&lines));
        prop_assert_eq!(first.read, lines.len() as u64);
        prop_assert_eq!(first.quarantined, lines.iter().filter(|line| line.broken).count() as u64);
        prop_assert_eq!(first.accepted, first.read - first.quarantined);
        prop_assert_eq!(home.rows("case_event").len() as u64, first.accepted);
        let before = (values(&home.rows("case_event")), home.evidence());
        // The same file is no news, whatever it holds.
        let same = home.try_import("a.csv", &text(&lines), &as_table("case_event")).unwrap();
        prop_assert_eq!(same.entry, None);
        // Another file, byte for byte, with the same lines in another order.
        let turned: Vec<Line> = lines.iter().rev().cloned().collect();
        let second = home.try_import("b.csv", &(text(&turned) + "\n"), &as_table("case_event")).unwrap();
        prop_assert_eq!(second.accepted + second.corrected, 0);
        prop_assert_eq!(second.entry.is_some(), first.quarantined > 0);
        prop_assert_eq!(&before.0, &values(&home.rows("case_event")));
        prop_assert_eq!(before.1 == home.evidence(), second.entry.is_none());
        let report = home.workspace.verify(Default::default(), &mut |_| {}).unwrap();
        prop_assert!(report.holds(), "{:?}", report.problems);
    }

    #[test]
    fn overlapping_parts_make_the_whole(ids in any::<bool>(), seed in lines(true), more in lines(false), cut in 0..30_usize, overlap in 0..10_usize) {
        let mut lines: Vec<Line> = if ids { seed } else { more };
        by_fact(&mut lines);
        let mut whole = Home::new();
        whole.import("whole.csv", "case_event", &text(&lines));
        // The first part ends at the cut; the second begins so far before that it holds every fact
        // that the first may have seen only in part.
        let cut = cut.min(lines.len());
        let mut from = cut.saturating_sub(overlap);
        while from > 0 && from < lines.len() && fact(&lines[from - 1]) == fact(&lines[from]) {
            from -= 1;
        }
        let mut parts = Home::new();
        for (name, part) in [("1.csv", &lines[..cut]), ("2.csv", &lines[from..])] {
            if !part.is_empty() {
                parts.import(name, "case_event", &text(part));
            }
        }
        prop_assert_eq!(values(&whole.rows("case_event")), values(&parts.rows("case_event")));
        // Rejected records have no identity: each file keeps its own.
        let said = |home: &Home| {
            let mut all = values(&home.rows("quarantine"));
            all.dedup();
            all
        };
        prop_assert_eq!(said(&whole), said(&parts));
    }
}

/// One step in the life of a workspace.
#[derive(Debug, Clone)]
enum Step {
    /// A register file: site, name, from, to, version, each by a small number; 0 leaves it empty.
    Sites(Vec<(u8, u8, u8, u8, u8)>, bool),
    /// A work log.
    Log(Vec<Line>),
    /// Takes back one of the imports so far.
    Retract(u8),
    /// Takes back one record of one of the imports so far.
    RetractRecord(u8, u8),
    /// Reads one of the imports so far again, with a column set to a constant, or without.
    Reread(u8, bool),
    /// Enters a site by hand, or takes it away: site, name, from, whether it goes.
    Edit(u8, u8, u8, bool),
    /// Merges small objects, and removes the merged ones that others have taken the place of.
    Compact(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let site = (0..3_u8, 0..3_u8, 0..5_u8, 0..5_u8, 0..3_u8);
    let step = prop_oneof![
        4 => (prop::collection::vec(site, 1..6), prop::bool::weighted(0.3))
            .prop_map(|(rows, full)| Step::Sites(rows, full)),
        3 => lines(true).prop_map(Step::Log),
        1 => any::<u8>().prop_map(Step::Retract),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(n, r)| Step::RetractRecord(n, r)),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(n, set)| Step::Reread(n, set)),
        4 => (0..3_u8, 0..3_u8, 0..5_u8, prop::bool::weighted(0.2))
            .prop_map(|(site, name, from, gone)| Step::Edit(site, name, from, gone)),
        2 => any::<bool>().prop_map(Step::Compact),
    ];
    prop::collection::vec(step, 1..12)
}

fn sites(rows: &[(u8, u8, u8, u8, u8)]) -> String {
    let day = |n: u8| if n == 0 { String::new() } else { format!("2026-0{n}-01") };
    let number = |n: u8| if n == 0 { String::new() } else { n.to_string() };
    let mut text = "site_id,name,time_zone,valid_from,valid_to,version\n".to_owned();
    for (site, name, from, length, version) in rows {
        let to = if *length == 0 { 0 } else { from + length };
        text += &format!(
            "s{site},n{name},Asia/Manila,{},{},{}\n",
            day(*from),
            day(to),
            number(*version)
        );
    }
    text
}

/// Does one step; the table that an import was of.
fn perform(home: &mut Home, n: usize, step: &Step, imports: &mut Vec<(u64, &'static str, u64)>) {
    let pick = |n: u8, imports: &[(u64, &'static str, u64)]| {
        imports.get(usize::from(n) % imports.len().max(1)).copied()
    };
    match step {
        Step::Sites(rows, full) => {
            let mut request = as_table("site");
            request.options.load = full.then_some(backstay_evidence::options::Load::Full);
            let done = home.try_import(&format!("{n}.csv"), &sites(rows), &request).unwrap();
            imports.extend(done.entry.map(|entry| (entry, "site", done.read)));
        }
        Step::Log(lines) => {
            let done = home.import(&format!("{n}.csv"), "case_event", &text(lines));
            imports.extend(done.entry.map(|entry| (entry, "case_event", done.read)));
        }
        Step::Retract(n) => {
            let Some((entry, ..)) = pick(*n, imports) else { return };
            let target = RetractTarget::Entry(entry);
            let done = home.with(|workspace, ctx| workspace.retract(&target, "test", ctx));
            assert!(matches!(done, Ok(_) | Err(StoreError::AlreadyRetracted { .. })), "{done:?}");
        }
        Step::RetractRecord(n, record) => {
            let Some((entry, _, read)) = pick(*n, imports) else { return };
            let record = u32::from(*record) % read as u32 + 1;
            let target = RetractTarget::Record(entry, record);
            let done = home.with(|workspace, ctx| workspace.retract(&target, "test", ctx));
            assert!(matches!(done, Ok(_) | Err(StoreError::AlreadyRetracted { .. })), "{done:?}");
        }
        Step::Reread(n, set) => {
            let Some((entry, table, _)) = pick(*n, imports) else { return };
            if table == EDIT {
                return;
            }
            let mut request = as_table(table);
            if *set {
                let column = if table == "site" { "name" } else { "priority" };
                request.options.set.insert(column.into(), "9".into());
            }
            let done =
                home.with(|workspace, ctx| workspace.reread(entry, &request, ctx, &mut |_| {}));
            match done {
                Ok(done) => assert_eq!(
                    done.read,
                    done.accepted + done.corrected + done.already_known + done.quarantined
                ),
                Err(StoreError::AlreadyRetracted { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        Step::Edit(site, name, from, gone) => {
            let from = if *from == 0 { String::new() } else { format!("2026-0{from}-01") };
            let (site, name) = (format!("s{site}"), format!("n{name}"));
            let mut row = row_edit("site", &[("site_id", &site), ("valid_from", &from)]);
            row.delete = *gone;
            if !*gone {
                row.values.insert("name".into(), name);
                row.values.insert("time_zone".into(), "Asia/Manila".into());
            }
            match home.edit(vec![row]) {
                Ok(done) => imports.extend(done.entry.map(|entry| (entry, EDIT, 1))),
                Err(StoreError::NoRow { .. } | StoreError::Refused { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        Step::Compact(prune) => {
            let before = home.evidence();
            let options = CompactOptions { dry_run: false, prune: *prune, least: 2 };
            home.workspace.compact(options).unwrap();
            assert_eq!(home.evidence(), before, "what was said does not depend on where it lies");
        }
    }
}

/// Stands for the table of an entry that was no import.
const EDIT: &str = "";

/// Rows of one site that say how long they hold must not reach over the beginning of another.
fn overlaps(facts: &[Fact]) -> Option<(&Fact, &Fact)> {
    let span = |fact: &Fact| (fact.get("valid_from").to_owned(), fact.get("valid_to").to_owned());
    for one in facts {
        for two in facts.iter().filter(|two| two.get("site_id") == one.get("site_id")) {
            let ((from, to), (other, _)) = (span(one), span(two));
            if !to.is_empty() && from < other && other < to {
                return Some((one, two));
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_past_stays_and_every_reading_of_it_agrees(steps in steps()) {
        let mut home = Home::new();
        let mut imports = Vec::new();
        let mut past = Vec::new();
        let mut only_imports = true;
        for (n, step) in steps.iter().enumerate() {
            only_imports &=
                matches!(step, Step::Sites(..) | Step::Log(_) | Step::Edit(..) | Step::Compact(_));
            perform(&mut home, n, step, &mut imports);
            let size = home.workspace.backend().head().unwrap().size;
            let now = (home.rows("site"), home.rows("case_event"), home.rows("quarantine"));
            // The projection, kept step by step, is what a fold of all that is stored gives.
            let mut projected: Vec<std::collections::BTreeMap<String, String>> = home
                .workspace
                .registers("site")
                .unwrap()
                .into_iter()
                .map(|row| serde_json::from_str(row.row.as_deref().unwrap()).unwrap())
                .collect();
            projected.sort();
            prop_assert_eq!(&projected, &values(&now.0));
            if only_imports {
                prop_assert!(overlaps(&now.0).is_none(), "{:#?}", overlaps(&now.0));
            }
            past.push((size, now));
        }
        for (size, then) in past {
            let found = (
                home.rows_at(size, "site"),
                home.rows_at(size, "case_event"),
                home.rows_at(size, "quarantine"),
            );
            prop_assert_eq!(found, then, "as of entry {}", size);
        }
        let report = home.workspace.verify(Default::default(), &mut |_| {}).unwrap();
        prop_assert!(report.holds(), "{:?}", report.problems);
    }
}
