//! Every document as it is set, reviewed as a whole, on a narrow and a wide page.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod html;
mod panel;
mod picture;

use std::collections::BTreeMap;

use backstay_engine::{
    Assessment, Replay,
    catalogue::{CaseReport, FileReport},
    derive::explain::{Explanation, InstantTold, Length, SegmentTold, TermsTold, WindowTold},
    replay::Change,
};
use backstay_report::{
    assessment::{self, Frame},
    catalogue::test_text,
    difference::{Ladder, Side, Step},
    explanation,
    import::{self, FileImport, Imports, RejectionKind, TableRows},
    layout::{Look, width_of},
    ledger::{LogLine, Problem, Verification, log_text, verification_text},
    replay,
    trace::{self, Place, Trace},
};

/// The text on a page of 80 and one of 120 columns, each checked not to run over. Commands to copy
/// and lines of a source are never broken.
fn pages(set: impl Fn(Look) -> String) -> String {
    let mut both = String::new();
    for width in [80, 120] {
        let text = set(Look::new(width, false));
        for line in
            text.lines().filter(|line| !line.contains("backstay -w") && !line.contains("INC"))
        {
            assert!(width_of(line) <= width, "{line}");
            assert_eq!(line.trim_end(), line, "no blank at the end of a line");
        }
        both.push_str(&format!("===== {width} columns\n{text}"));
    }
    both
}

fn frame() -> Frame {
    let step = |cause: &str, tested, cases, part: &str| Step {
        cause: cause.to_owned(),
        tested,
        cases,
        part: Some(part.to_owned()),
    };
    Frame {
        known_at: 31,
        entry: Some(32),
        chosen: Some("the last complete month with events".to_owned()),
        ladders: vec![Ladder {
            arrangement_id: "claims".to_owned(),
            service_level: "settlement".to_owned(),
            window: "2026-10".to_owned(),
            ours: Side { figure: "81.25 %".to_owned(), cases: "156 of 192".to_owned() },
            theirs: Side { figure: "88.0 %".to_owned(), cases: String::new() },
            difference: "+6.77".to_owned(),
            unit: "percentage points".to_owned(),
            summary: "we find 81.25 %, the provider reports 88.0 %".to_owned(),
            agrees: false,
            steps: vec![
                step("duplicates", true, 0, "0.00"),
                step("rows-missing-here", true, 1, "+0.10"),
                step("clock", false, 0, "0.00"),
                step("calendar", true, 12, "+6.00"),
                step("unexplained", true, 0, "+0.67"),
            ],
        }],
        incomplete: vec![["desk", "resolution-p1", "D-7"].map(str::to_owned)],
        next: vec![
            (
                "See how the case that took longest was measured:".to_owned(),
                Some("backstay -w meridian explain C-17 --service-level settlement".to_owned()),
            ),
            (
                "Bring what is lacking for service-levels-met of payroll: feed `daily`".to_owned(),
                None,
            ),
        ],
    }
}

fn sample() -> Assessment {
    Assessment::from_bytes(include_bytes!("../sample/assessment.json")).unwrap()
}

#[test]
fn an_assessment_is_set_for_reading() {
    insta::assert_snapshot!(pages(|look| assessment::text(&sample(), &frame(), look)));
}

#[test]
fn statuses_are_words_first_and_colour_only_when_asked_for() {
    let plain = assessment::text(&sample(), &frame(), Look::new(120, false));
    let coloured = assessment::text(&sample(), &frame(), Look::new(120, true));
    assert!(!plain.contains('\u{1b}'));
    for word in ["✓ effective", "✗ deficient", "~ stale", "? untested", "– not-applicable"] {
        assert!(plain.contains(word), "{word}");
    }
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find('\u{1b}') {
        stripped.push_str(&rest[..start]);
        let end = rest[start..].find('m').unwrap();
        rest = &rest[start + end + 1..];
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain, "colour adds nothing that is not in the words");
}

fn length(us: i64, hms: &str) -> Length {
    Length { us, hms: hms.to_owned(), minutes: us / 60_000_000 }
}

fn told(utc: &str, local: &str) -> InstantTold {
    InstantTold { utc: utc.to_owned(), local: Some(local.to_owned()) }
}

fn segment(
    number: usize,
    clock: &str,
    state: &str,
    from: InstantTold,
    to: InstantTold,
) -> SegmentTold {
    let text = |text: &str| Some(text.to_owned());
    SegmentTold {
        segment: number,
        record: format!("17:{number}"),
        state: text(state),
        site_id: text("pune"),
        team_id: None,
        priority: text("3 - Moderate"),
        calendar_id: text("pune-office"),
        zone: text("Asia/Kolkata"),
        from,
        to,
        is_open: false,
        clock: clock.to_owned(),
        working: Some(length(3_600_000_000, "1:00:00")),
        paused: (clock == "paused").then(|| length(1_800_000_000, "0:30:00")),
        elapsed: Some(length(3_600_000_000, "1:00:00")),
        windows: Vec::new(),
        window_count: 0,
        gap: None,
    }
}

fn explained() -> Explanation {
    let nine = || told("2026-10-01T03:30:00Z", "2026-10-01T09:00:00+05:30");
    let ten = || told("2026-10-01T04:30:00Z", "2026-10-01T10:00:00+05:30");
    let later = || told("2026-10-05T04:30:30Z", "2026-10-05T10:00:30+05:30");
    let mut first = segment(1, "running", "Open", nine(), ten());
    first.windows =
        vec![WindowTold { from: nine(), to: ten(), length: length(3_600_000_000, "1:00:00") }];
    first.window_count = 1;
    let mut last = segment(3, "gap", "Open", later(), later());
    last.site_id = None;
    last.is_open = true;
    last.gap = Some("site `nowhere` has no calendar".to_owned());
    (last.working, last.elapsed) = (None, None);
    Explanation {
        exclusion_refused: None,
        arrangement_id: "claims".to_owned(),
        case_id: "C-17".to_owned(),
        terms: TermsTold {
            service_level_id: "settlement".to_owned(),
            title: "Claims settled within 40 working hours, waiting for documents not counted"
                .to_owned(),
            metric: "turnaround".to_owned(),
            threshold: Some(length(144_000_000_000, "40:00:00")),
            clock_starts: "opened".to_owned(),
            stop_states: vec!["Pay claim".to_owned(), "Decline claim".to_owned()],
            paused_states: vec!["Request documents".to_owned()],
            calendar_id: None,
            basis: "contract".to_owned(),
            source: Some("schedule 3, 2.1".to_owned()),
            record: "10:6".to_owned(),
        },
        as_of: "2026-11-01T00:00:00Z".to_owned(),
        opened_at: "2026-10-01T03:30:00Z".to_owned(),
        clock_started_at: Some("2026-10-01T03:30:00Z".to_owned()),
        segments: vec![first, segment(2, "paused", "Request documents", ten(), later()), last],
        total: None,
        paused: Some(length(1_800_000_000, "0:30:00")),
        deadline: None,
        deadline_how: "cannot be known: site `nowhere` has no calendar".to_owned(),
        closed_at: None,
        counted_at: None,
        outcome: "gap".to_owned(),
        outcome_how: "cannot be judged: site `nowhere` has no calendar".to_owned(),
        excluded: Some(("client-delay".to_owned(), "11:2".to_owned())),
        gap: Some("site `nowhere` has no calendar".to_owned()),
        quarantined: Some("17:188".to_owned()),
        calendar_refs: vec!["5:1".to_owned(), "6:12".to_owned()],
    }
}

#[test]
fn an_explanation_shows_every_segment_and_what_is_unknown() {
    insta::assert_snapshot!(pages(|look| explanation::text(&explained(), look)));
}

fn imports() -> Imports {
    let full = FileImport {
        file: "work/service-desk-2026-10.csv".to_owned(),
        read: 119_998,
        accepted: 119_000,
        quarantined: 2,
        already_known: 990,
        corrected: 6,
        entry: Some(17),
        tables: vec![TableRows {
            table: "case_event".to_owned(),
            rows: 119_996,
            first: Vec::new(),
        }],
        rejections: vec![RejectionKind {
            code: "bad-date".to_owned(),
            table: "case_event".to_owned(),
            column: Some("occurred_at".to_owned()),
            reason: "not an instant in the form `%d/%m/%Y %H:%M`".to_owned(),
            count: 2,
            records: vec![122, 1_878],
        }],
        hints: vec!["the text is read as latin-1".to_owned()],
        ..FileImport::default()
    };
    let again = FileImport {
        entry: Some(9),
        repeated: true,
        read: 4,
        already_known: 4,
        ..named("site.csv")
    };
    let nothing = FileImport { read: 3, already_known: 3, ..named("team.csv") };
    let twice = FileImport {
        read: 5,
        accepted: 5,
        entry: Some(18),
        disagreeing_clock_with: Some(4),
        ..named("helpdesk_local.xes.gz")
    };
    Imports::of(vec![full, again, nothing, twice])
}

fn named(file: &str) -> FileImport {
    FileImport { file: file.to_owned(), ..FileImport::default() }
}

#[test]
fn an_import_adds_up_and_says_what_was_rejected() {
    let totals = imports().totals;
    let parts = totals.accepted + totals.corrected + totals.already_known + totals.quarantined;
    assert_eq!(totals.read, parts);
    insta::assert_snapshot!(pages(|look| import::text(&imports(), look)));
}

#[test]
fn a_trace_shows_the_lines_of_the_file_or_who_erased_them() {
    let mut shown = Trace {
        reference: "2:21908".to_owned(),
        entry: 2,
        recorded_at_us: 1_793_500_000_123_456,
        file: "incident_event_log.csv".to_owned(),
        file_digest: "5d77ea4853e443cf8447fca0f3089b7689e5469225cb68f72b2b9feea5f2d0d2".to_owned(),
        file_bytes: 39_147_503,
        actor: "auditor".to_owned(),
        read_by: 7,
        place: Place::Kept {
            record: 21_908,
            first_line: 21_909,
            last_line: 21_910,
            text: "INC0004822,Closed,\"two\nlines\"".to_owned(),
            cells: BTreeMap::from([("number".to_owned(), "INC0004822".to_owned())]),
        },
    };
    let kept = pages(|look| trace::text(&shown, look));
    shown.place = Place::Erased {
        by_entry: 9,
        at_us: 1_793_600_000_000_000,
        actor: "privacy".to_owned(),
        reason: "request of a person".to_owned(),
    };
    insta::assert_snapshot!(kept + &pages(|look| trace::text(&shown, look)));
}

#[test]
fn the_ledger_is_listed_and_its_verification_names_problems_with_remedies() {
    let line = |entry, kind: &str, summary: &str, arrangements: &[&str]| LogLine {
        entry,
        recorded_at_us: 1_793_500_000_000_000 + i64::try_from(entry).unwrap() * 60_000_000,
        actor: "operator".to_owned(),
        kind: kind.to_owned(),
        arrangements: arrangements.iter().map(|id| (*id).to_owned()).collect(),
        summary: summary.to_owned(),
    };
    let lines = [
        line(1, "init", "workspace made", &[]),
        line(
            2,
            "import",
            "service-desk-2026-10.csv: 1,204 accepted, 2 quarantined",
            &["service-desk"],
        ),
    ];
    let mut report = Verification {
        verified: true,
        entries: 2,
        objects: 3,
        bytes: 46_200_000,
        root: "70dcebd75328b9acf28a8d12ebdb911f9e457027c1289f5289f28b618babd0c5".to_owned(),
        checked: vec!["2 checkpoints signed and true".to_owned()],
        problems: Vec::new(),
    };
    let whole = pages(|look| verification_text(&report, look));
    report.verified = false;
    report.problems = vec![Problem {
        what: "object 70dcebd75328: has changed bytes".to_owned(),
        remedy: "restore the workspace from a backup".to_owned(),
    }];
    let broken = pages(|look| verification_text(&report, look));
    insta::assert_snapshot!(pages(|look| log_text(&lines, look)) + &whole + &broken);
}

#[test]
fn a_replay_lists_every_value_that_changed() {
    let digest = |fill: u8| filled_digest(fill);
    let mut found = Replay {
        stored_engine: "0.1.0".to_owned(),
        engine: "0.2.0".to_owned(),
        stored_digest: digest(1),
        digest: digest(2),
        identical: false,
        changes: vec![Change {
            place: "measures/claims/settlement/2026-10-01..2026-11-01/numerator".to_owned(),
            before: Some("156".to_owned()),
            after: None,
        }],
    };
    let changed = pages(|look| replay::text(14, &found, look));
    found.changes.clear();
    let same_figures = pages(|look| replay::text(14, &found, look));
    found.identical = true;
    insta::assert_snapshot!(
        changed + &same_figures + &pages(|look| replay::text(14, &found, look))
    );
}

fn filled_digest(fill: u8) -> backstay_evidence::Digest {
    backstay_evidence::Digest([fill; 32])
}

#[test]
fn a_test_of_the_catalogue_says_which_case_failed_and_what_no_case_notices() {
    let reports = [
        FileReport {
            id: "turnaround".to_owned(),
            file: "metrics/turnaround.md".to_owned(),
            cases: vec![CaseReport { name: "met".to_owned(), line: 70, failures: Vec::new() }],
            refusals: Vec::new(),
            mutants: 12,
            survivors: vec!["line 41: `>=` for `>`".to_owned()],
        },
        FileReport {
            id: "work-visible".to_owned(),
            file: "quality/work-visible.md".to_owned(),
            cases: vec![CaseReport {
                name: "a blind day".to_owned(),
                line: 88,
                failures: vec!["line 97: expected `missed`, found `met`".to_owned()],
            }],
            refusals: vec!["no case without evidence".to_owned()],
            mutants: 9,
            survivors: Vec::new(),
        },
    ];
    insta::assert_snapshot!(pages(|look| test_text(&reports, true, look)));
}
