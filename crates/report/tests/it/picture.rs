//! Pictures of a case and of a day: whatever the evidence says becomes text, and what is drawn keeps to
//! its place.

use backstay_engine::{
    derive::{
        case_day::{CaseDay, DayPart, Stretch, WallSpan},
        explain::{Explanation, InstantTold, Length, SegmentTold, TermsTold},
    },
    panel::{DayPanel, OverlapPair, PromisedDay, TeamDay},
};
use backstay_report::html::{Links, Way, clock, day};
use jiff::civil::date;

use crate::html::HOSTILE;

struct Nowhere;

impl Way for Nowhere {
    fn zone(&self) -> Option<&str> {
        Some("Asia/Manila")
    }
}

fn told(text: &str) -> Explanation {
    let own = || text.to_owned();
    let length = Length { us: 3_600_000_000, hms: "1:00:00".to_owned(), minutes: 60 };
    let at = InstantTold {
        utc: "2026-10-02T09:00:00Z".to_owned(),
        local: Some("2026-10-02T10:00:00+01:00".to_owned()),
    };
    Explanation {
        arrangement_id: own(),
        case_id: own(),
        terms: TermsTold {
            service_level_id: own(),
            title: own(),
            metric: own(),
            threshold: Some(length.clone()),
            clock_starts: own(),
            stop_states: vec![own()],
            paused_states: vec![own()],
            calendar_id: Some(own()),
            basis: own(),
            source: Some(own()),
            record: own(),
        },
        as_of: "2026-11-01T00:00:00Z".to_owned(),
        opened_at: "2026-10-02T09:00:00Z".to_owned(),
        clock_started_at: None,
        segments: vec![SegmentTold {
            segment: 1,
            record: "10:1".to_owned(),
            state: Some(own()),
            site_id: Some(own()),
            team_id: Some(own()),
            priority: Some(own()),
            calendar_id: Some(own()),
            zone: Some(own()),
            from: at.clone(),
            to: at,
            is_open: false,
            clock: own(),
            working: Some(length.clone()),
            paused: Some(length.clone()),
            elapsed: Some(length),
            windows: Vec::new(),
            window_count: 0,
            gap: Some(own()),
        }],
        total: None,
        paused: None,
        deadline: None,
        deadline_how: own(),
        closed_at: None,
        counted_at: None,
        outcome: own(),
        outcome_how: own(),
        excluded: None,
        exclusion_refused: None,
        gap: None,
        quarantined: None,
        calendar_refs: Vec::new(),
    }
}

fn stretch(text: &str, span: WallSpan) -> Stretch {
    let part =
        |clock: &str| DayPart { segment: 1, span, clock: clock.to_owned(), working: vec![span] };
    Stretch {
        zone: text.to_owned(),
        calendar_id: Some(text.to_owned()),
        sites: vec![text.to_owned()],
        days: vec![CaseDay {
            day: date(2026, 10, 2),
            skipped: 3,
            change_minutes: -60,
            holiday: Some(text.to_owned()),
            gap: Some(text.to_owned()),
            open: vec![span],
            parts: vec![part("running"), part("paused"), part("gap"), part(text)],
            counted_us: 3_600_000_000,
            deadline_minute: Some(1_439),
        }],
    }
}

fn panel(text: &str) -> DayPanel {
    let team = |id: &str, from: i64| TeamDay {
        team: format!("{id} {text}"),
        site: Some(text.to_owned()),
        zone: Some(text.to_owned()),
        open: vec![(from, from + 3_600_000_000)],
        rostered: Some(vec![(from, from + 1)]),
        holiday: Some(text.to_owned()),
        change_minutes: 60,
        gap: Some(text.to_owned()),
    };
    DayPanel {
        day: date(2026, 10, 2),
        span: (0, 86_400_000_000),
        zone: text.to_owned(),
        teams: vec![team("one", 0), team("two", 1_800_000_000)],
        promised: vec![PromisedDay {
            function: text.to_owned(),
            manned: vec![(0, 10)],
            unmanned: vec![(10, 86_400_000_000)],
            said: vec![text.to_owned()],
        }],
    }
}

/// Whether a text holds a tag, an attribute or a sign that steers which we did not write.
fn is_harmless(page: &str) {
    for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        for forbidden in ["script", "img", "iframe", "a "] {
            assert!(!tag.starts_with(forbidden), "the picture holds <{tag}>");
        }
        let names: String = tag.split('"').step_by(2).collect();
        for forbidden in [" on", " style=", " src="] {
            assert!(!names.contains(forbidden), "the picture holds <{tag}>");
        }
    }
    assert!(!page.contains('\u{202e}') && !page.contains('\u{7}'));
    assert!(page.len() < 60_000, "{} bytes", page.len());
}

#[test]
fn nothing_that_evidence_says_becomes_markup_in_a_picture() {
    let long = "x".repeat(100_000);
    let span = WallSpan { from_minute: 540, until_minute: 1_020 };
    for text in HOSTILE.into_iter().chain([long.as_str()]) {
        let links = Links(&Nowhere);
        let case = clock::picture(&told(text), &[stretch(text, span)]).into_string();
        let table = clock::segments(&told(text), &links).into_string();
        let pair = OverlapPair {
            team: format!("one {text}"),
            other: format!("two {text}"),
            ..OverlapPair::default()
        };
        let day = day::picture(&panel(text), &[pair], Some("Asia/Manila")).into_string();
        for page in [case, table, day] {
            is_harmless(&page);
        }
    }
}

#[test]
fn what_is_drawn_keeps_to_the_day_whatever_the_minutes_are() {
    for (from_minute, until_minute) in [(-5, 20), (1_400, 9_999), (700, 700)] {
        let span = WallSpan { from_minute, until_minute };
        let drawn = clock::picture(&told("case"), &[stretch("site", span)]).into_string();
        for rect in drawn.split("<rect ").skip(1).filter(|rect| !rect.contains("width=\"3")) {
            let value = |name: &str| -> f64 {
                let rest = rect.split(&format!(" {name}=\"")).nth(1).unwrap();
                rest.split('"').next().unwrap().parse().unwrap()
            };
            let (x, width) = (value("x"), value("width"));
            assert!(x >= 78.0 && x + width <= 367.0, "{from_minute}: {x} and {width}");
        }
        assert!(drawn.contains("day of −60 min") && drawn.contains("3 days left out"), "{drawn}");
    }
}

#[test]
fn an_instant_is_told_by_the_sites_clock_and_by_the_viewers_and_once_when_they_agree() {
    struct Utc;
    impl Way for Utc {
        fn zone(&self) -> Option<&str> {
            Some("UTC")
        }
    }
    let local = InstantTold {
        utc: "2026-10-02T09:00:00Z".to_owned(),
        local: Some("2026-10-02T10:00:00+01:00".to_owned()),
    };
    let shown = clock::moment(&local, &Links(&Nowhere)).into_string();
    assert!(shown.contains("2026-10-02 10:00 +01:00") && shown.contains("2026-10-02 17:00 +08:00"));
    let utc = InstantTold { utc: "2026-10-02T09:00:00Z".to_owned(), local: None };
    let shown = clock::moment(&utc, &Links(&Utc)).into_string();
    assert_eq!(shown.matches("2026-10-02").count(), 1, "{shown}");
}
