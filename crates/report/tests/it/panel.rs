//! What stands beside an assessment: open cases, credits, hours, quality. Each part is shown with the
//! status of its control, long tables are cut, and nothing of the evidence becomes markup.

use backstay_engine::{
    DueCase,
    assessment::Amount,
    credit_note::{CreditNote, NoteCase, NoteLevel, NoteMonth},
    panel::{
        Agreement, Clash, ClockStep, Complaints, Coverage, CreditMonth, CreditPanel, CurvePoint,
        DriftSeries, DriftSignal, DriftWeek, Feedback, Handover, HandoverPair, HoursPanel,
        Inspection, Lot, Meeting, MeetingSide, OpenSpan, OverlapPair, OverlapPoint, Panels,
        PlanCurve, QualityPanel, StrainGroup, Stream, Urgent, UrgentTerm,
    },
};
use backstay_report::html::{note, page};
use jiff::{ToSpan, civil::date};

use crate::{
    html::{HOSTILE, catalogue, check, dossier},
    sample,
};

const HOUR_US: i64 = 3_600_000_000;
/// 31 October 2026, midnight in Dublin.
const END_US: i64 = 1_793_491_200_000_000;

fn rows() -> Vec<String> {
    ["17:656", "17:657", "17:658", "17:659", "17:660"].map(str::to_owned).to_vec()
}

fn due(text: &str) -> DueCase {
    DueCase {
        arrangement_id: "claims".to_owned(),
        service_level: "settlement".to_owned(),
        case_id: text.to_owned(),
        standing: "warn".to_owned(),
        priority: Some(text.to_owned()),
        state: None,
        team_id: Some(text.to_owned()),
        site_id: None,
        used_us: Some(39 * HOUR_US),
        threshold_us: Some(40 * HOUR_US),
        left_us: Some(HOUR_US),
        due_at: Some("2026-11-02T04:40:00Z".to_owned()),
        warn_at: None,
        notify_at: None,
        moved: None,
        gap: None,
        incomplete: false,
        evidence: Some("17:656".to_owned()),
    }
}

fn credit_note(text: &str) -> CreditNote {
    let level = NoteLevel {
        service_level: "settlement".to_owned(),
        title: text.to_owned(),
        attained: Some("0.976923".to_owned()),
        expected: Some("0.99".to_owned()),
        band: None,
        multiplier: None,
        points: None,
        raw_minor: Some(1_057_500),
        credit_minor: Some(1_000_000),
        earn_back: "open",
        explanation: text.to_owned(),
        evidence: rows(),
    };
    let month = NoteMonth {
        month: "2026-10".to_owned(),
        model: "share".to_owned(),
        currency: Some("EUR".to_owned()),
        charge_minor: Some(8_812_500),
        raw_minor: Some(1_057_500),
        month_cap_minor: Some(1_000_000),
        year_cap_minor: None,
        span_credit_minor: None,
        credit_minor: Some(1_000_000),
        earned_back_minor: Some(0),
        owed_minor: Some(1_000_000),
        taken_minor: Some(0),
        documents: Vec::new(),
        due_before: date(2026, 12, 1),
        gap: None,
        explanation: text.to_owned(),
        evidence: rows(),
        levels: vec![level],
    };
    let case = NoteCase {
        service_level: "settlement".to_owned(),
        case_id: text.to_owned(),
        working_time: Some("41h".to_owned()),
        allowed: Some("40h".to_owned()),
        due_at: Some("2026-10-02T04:40:00Z".to_owned()),
        closed_at: None,
        reference: Some("17:656".to_owned()),
    };
    CreditNote {
        schema: "backstay.credit-note/1",
        arrangement_id: "claims".to_owned(),
        period: "2026-10".parse().unwrap(),
        supposed: vec![(text.to_owned(), "0.91".to_owned())],
        months: vec![month],
        cases: vec![case],
    }
}

fn credits(text: &str) -> CreditPanel {
    let euro = |minor| Some(Amount { minor, currency: "EUR".to_owned(), places: 2 });
    let month = CreditMonth {
        month: date(2026, 9, 1),
        model: "share".to_owned(),
        charge: euro(8_812_500),
        raw: euro(1_057_500),
        month_cap: euro(1_000_000),
        year_cap: None,
        credit: euro(1_000_000),
        earned_back: euro(0),
        owed: euro(1_000_000),
        taken: euro(0),
        due_before: Some(date(2026, 10, 1)),
        is_due: true,
        gap: None,
        record: Some("17:656".to_owned()),
    };
    let unknown = CreditMonth { gap: Some(text.to_owned()), owed: None, ..month.clone() };
    CreditPanel { months: vec![unknown, month], note: Some(credit_note(text)) }
}

fn hours(text: &str) -> HoursPanel {
    let own = || text.to_owned();
    let days = (0..300)
        .map(|n| OverlapPoint {
            day: date(2026, 10, 1).checked_add(i64::from(n).days()).unwrap(),
            overlap_us: (n < 200).then_some(if n < 25 { 5 } else { 3 } * HOUR_US),
            required_us: 4 * HOUR_US,
            forecast: n > 30,
            reason: (n >= 200).then(own),
        })
        .collect::<Vec<_>>();
    let pair = OverlapPair {
        team: own(),
        other: "night".to_owned(),
        months: backstay_engine::panel::months(&days),
        days,
        clocks: vec![
            ClockStep { from: date(2026, 10, 1), ahead_minutes: 270 },
            ClockStep { from: date(2026, 10, 26), ahead_minutes: 330 },
        ],
        record: Some("17:656".to_owned()),
    };
    let span =
        |n: i64| OpenSpan { from_us: n, until_us: n + HOUR_US, local: own(), evidence: rows() };
    let clash = Clash {
        teams: (own(), "night".to_owned()),
        day: Some(date(2026, 11, 2)),
        off: Some(own()),
        holiday: Some(own()),
        due: true,
        state: "open".to_owned(),
        agreed_on: None,
        reason: Some(own()),
        evidence: rows(),
    };
    let handover = Handover {
        ended_us: END_US,
        made_us: None,
        picked_up_us: None,
        state: "not-made".to_owned(),
        evidence: rows(),
    };
    let urgent = Urgent {
        case_id: own(),
        urgent_us: END_US,
        answer_us: None,
        gap: Some(own()),
        evidence: rows(),
    };
    let side = MeetingSide {
        team: own(),
        meetings: 5,
        outside_us: Some(3 * HOUR_US),
        total_us: Some(5 * HOUR_US),
        evidence: rows(),
    };
    HoursPanel {
        overlaps: vec![pair],
        overlap_said: vec![own()],
        coverage: vec![Coverage {
            function: own(),
            manned_us: 100 * HOUR_US,
            unmanned_us: 12 * HOUR_US,
            unmanned: (0..12).map(span).collect(),
            said: vec![own()],
            record: None,
        }],
        clashes: vec![clash; 20],
        clashes_said: vec![own()],
        handovers: vec![HandoverPair {
            from: Some(own()),
            to: Some("night".to_owned()),
            due: 30,
            in_time: 10,
            others: vec![handover; 20],
            said: Vec::new(),
        }],
        urgent: vec![UrgentTerm {
            term: Some(own()),
            required_us: Some(2 * HOUR_US),
            inside: 3,
            outside: 4,
            in_time: 3,
            others: vec![urgent],
            said: Vec::new(),
        }],
        meetings: vec![Meeting {
            term: Some(own()),
            greatest_share: Some("0.6".to_owned()),
            sides: vec![side],
            proposal: Some(own()),
            said: Vec::new(),
        }],
    }
}

fn lot(text: &str, number: i64) -> Lot {
    Lot {
        lot: format!("{text}{number}"),
        number: Some(number),
        on: Some(date(2026, 10, 2)),
        in_period: true,
        items: Some(240),
        severity: Some("tightened".to_owned()),
        plan: Some((32, 1, 2)),
        inspected: Some(32),
        nonconforming: Some(2),
        verdict: Some("refused".to_owned()),
        disposition: Some(text.to_owned()),
        score: Some(12),
        severity_after: Some("tightened".to_owned()),
        discontinued: false,
        faults: Some(text.to_owned()),
        gap: None,
        evidence: rows(),
    }
}

fn drift(text: &str) -> DriftSeries {
    let week = |n: i64| DriftWeek {
        week: date(2026, 8, 3).checked_add((7 * n).days()).unwrap(),
        baseline: n < 8,
        in_period: n > 9,
        found: if n == 15 { 30 } else { 2 },
        of: 64,
        centre: Some(31_250_000),
        limits: Some((0, 96_500_000)),
        cusum: (n >= 8).then_some((1_500_000_000 * i128::from(n - 8), n > 10)),
        ewma: (n >= 8).then_some((-900_000_000, false)),
    };
    let signal = |rule: &str, signal: Option<&str>| DriftSignal {
        rule: rule.to_owned(),
        signal: signal.map(str::to_owned),
        sentence: text.to_owned(),
        evidence: rows(),
    };
    DriftSeries {
        series: text.to_owned(),
        baseline: Some((date(2026, 8, 3), date(2026, 9, 28))),
        signals: vec![signal("cusum", Some("up")), signal("ewma", None)],
        weeks: (0..16).map(week).collect(),
        gap: None,
        record: Some("17:656".to_owned()),
    }
}

fn quality(text: &str) -> QualityPanel {
    let own = || text.to_owned();
    let curve = PlanCurve {
        severity: "tightened".to_owned(),
        plan: (32, 1, 2),
        aql_thousandths: 2_500,
        producers_risk: 190_000,
        good_thousandths: 1_122,
        consumer_thousandths: 11_620,
        points: [(0, 1_000_000), (2_500, 810_000), (20_000, 7_000)]
            .map(|(share_thousandths, accepted)| CurvePoint { share_thousandths, accepted })
            .to_vec(),
    };
    let feedback = Feedback {
        kind: "not-back".to_owned(),
        subject: own(),
        cause: Some(own()),
        action: Some(own()),
        due_on: Some(date(2026, 10, 5)),
        happened_on: Some(date(2026, 10, 4)),
        times: 3,
        sentence: Some(own()),
        gap: None,
        evidence: rows(),
    };
    let group = StrainGroup {
        factor: "days without a break".to_owned(),
        members: own(),
        items: Some((120, 12)),
        others: Some((900, 30)),
        chance: Some("0.0012".to_owned()),
        gap: None,
        evidence: rows(),
    };
    let small = StrainGroup { gap: Some(own()), items: None, others: None, ..group.clone() };
    let stream = Stream {
        stream: own(),
        inspections: vec![Inspection {
            class: "major".to_owned(),
            lots: (1..=25).map(|n| lot(text, n)).collect(),
            curve: Some(curve),
        }],
        drift: vec![drift(text)],
        agreement: Some(Agreement {
            method: Some("cohen".to_owned()),
            inspected: Some(160),
            twice: Some(40),
            agreed_twice: Some(40),
            observed: Some("0.925".to_owned()),
            kappa: Some("0.4356".to_owned()),
            interval: Some(("0.2".to_owned(), "0.67".to_owned())),
            minimum: Some("0.6".to_owned()),
            faults: Some(own()),
            gap: None,
            evidence: rows(),
        }),
        feedback: vec![feedback; 30],
        strain: vec![group, small],
    };
    QualityPanel {
        streams: vec![stream],
        feedback_said: vec![own()],
        complaints: Some(Complaints {
            before_from: Some(date(2026, 8, 1)),
            now: (3, 200),
            before: (2, 410),
            chance: Some("0.21".to_owned()),
            gap: None,
            evidence: rows(),
        }),
    }
}

fn panels(text: &str) -> Panels {
    Panels {
        arrangement_id: "claims".to_owned(),
        as_of_us: END_US,
        due: (0..30).map(|n| due(&format!("{text}{n}"))).collect(),
        credits: credits(text),
        hours: hours(text),
        quality: quality(text),
    }
}

#[test]
fn a_page_shows_open_cases_credits_hours_and_quality() {
    let (assessment, catalogue) = (sample(), catalogue());
    let mut dossier = dossier(&assessment, &catalogue);
    dossier.panels = vec![panels("plain")].into();
    let told = page(&dossier);
    check(&told);
    for wanted in [
        // Deadlines stand in the arrangement's zone with their offset.
        "2026-11-02 04:40 +00:00",
        "And 18 cases more: <code>backstay query",
        "97.69 %",
        "10,575.00",
        "not taken in full",
        "Clock changes move",
        "5 h 30 min ahead</bdi> instead of",
        "Not known from 2027-04-19",
        "not answered",
        "And 15 lots more",
        "is refused in 19.0 %",
        "signal: more</span> by CUSUM",
        "kappa 0.44",
        "0.20 to 0.67",
        "3 in 200 cases (1.50 %)",
    ] {
        let wanted = wanted.replace("</bdi>", "");
        assert!(told.contains(&wanted), "the page lacks `{wanted}`");
    }
    // Nothing is told of a group that is too small but why.
    assert!(told.contains("1 group of which nothing is said"));
    for drawing in ["overlap", "curve", "drift"] {
        assert!(told.contains(&format!("<title id=\"{drawing}.")), "{drawing} is not drawn");
    }
}

#[test]
fn an_arrangement_of_which_nothing_is_known_says_so_and_draws_nothing() {
    let (assessment, catalogue) = (sample(), catalogue());
    let mut dossier = dossier(&assessment, &catalogue);
    let arrangement_id = "claims".to_owned();
    dossier.panels = vec![Panels { arrangement_id, as_of_us: END_US, ..Panels::default() }].into();
    let told = page(&dossier);
    check(&told);
    assert!(told.contains("Nothing was open under a service level with a time limit"));
    assert!(told.contains("No scheme of service credits is registered"));
    assert!(told.contains("no control of this assessment tests it"));
    assert!(!told.contains("id=\"overlap.") && !told.contains("id=\"drift."));
}

#[test]
fn hostile_words_in_what_stands_beside_are_text_and_nothing_else() {
    let (assessment, catalogue) = (sample(), catalogue());
    let long = "x".repeat(10_000);
    for hostile in HOSTILE.iter().copied().chain([long.as_str(), ""]) {
        let mut dossier = dossier(&assessment, &catalogue);
        dossier.panels = vec![panels(hostile)].into();
        let told = page(&dossier);
        check(&told);
        assert!(!told.contains('\u{202e}') && !told.contains('\u{7}'));
        assert!(!told.contains(&"x".repeat(2_000)), "a text that never ends is cut");
        assert!(told.len() < 600_000, "{} bytes", told.len());
        let note = note(&credit_note(hostile));
        check(&note);
        assert!(!note.contains('\u{202e}') && !note.contains(&"x".repeat(2_000)));
    }
}

#[test]
fn a_credit_note_is_set_in_the_style_of_the_report() {
    let told = note(&credit_note("plain"));
    check(&told);
    for wanted in ["Credit note", "October 2026", "10,575.00", "still possible", "41h", "Annex"] {
        assert!(told.contains(wanted), "the note lacks `{wanted}`");
    }
    assert!(told.contains("2026-10-02 04:40"));
}
