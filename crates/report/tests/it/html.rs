//! The page as a whole: what it links to, what it never holds, and that nothing in the evidence can
//! break it.

use std::{borrow::Cow, collections::BTreeSet};

use backstay_engine::{
    Assessment, Catalogue, Past,
    assessment::{CoverageResult, Finding, MeasureResult},
    coverage::TableCoverage,
};
use backstay_report::html::{Dossier, Feed, Keeping, Lacking, Party, Source, page};

use crate::{frame, sample};

/// Texts that would run, steer or never end if they were let.
pub const HOSTILE: [&str; 5] = [
    "<script>document.title='owned'</script>",
    "\"><img src=x onerror=alert(1)>",
    "left\u{202e}thgir\u{2066}\u{7}",
    "' onmouseover='alert(1)",
    "</title></style><svg onload=alert(1)>",
];

pub fn catalogue() -> Catalogue {
    Catalogue::built_in().unwrap()
}

pub fn dossier<'a>(assessment: &'a Assessment, catalogue: &'a Catalogue) -> Dossier<'a> {
    let settlement = &assessment.measures[0];
    let past = |month: &str, met: i64, covered| {
        let value = Some(format!("{:.6}", met as f64 / 200.0));
        let period = month.parse().unwrap();
        let measure =
            MeasureResult { period, numerator: met, denominator: 200, value, ..settlement.clone() };
        Past { measure, covered }
    };
    Dossier {
        assessment,
        catalogue,
        known_at: 31,
        kept: Some(Keeping {
            entry: 32,
            recorded_at_us: 1_793_534_400_000_000,
            actor: "vendor manager".to_owned(),
            digest: "5".repeat(64),
        }),
        parties: vec![Party {
            arrangement_id: "claims".to_owned(),
            title: Some("Claims of motor and home".to_owned()),
            client: Some("Meridian".to_owned()),
            provider: Some("Neelavana".to_owned()),
            zone: Some("Europe/Dublin".to_owned()),
        }]
        .into(),
        history: vec![past("2026-08", 190, true), past("2026-09", 184, false)].into(),
        panels: Cow::default(),
        ladders: frame().ladders.into(),
        feeds: vec![Feed {
            arrangement_id: "payroll".to_owned(),
            feed: Some("daily".to_owned()),
            table: "case_event".to_owned(),
            cadence: "working-day".to_owned(),
            expected: 31,
            arrived: 30,
            declared_by: Some("17:4".to_owned()),
            lacking: vec![Lacking {
                days: "2026-10-14".to_owned(),
                outcome: "missing".to_owned(),
                reason: "nothing was delivered".to_owned(),
                evidence: vec!["17:4".to_owned()],
            }],
            intervals: Vec::new(),
        }]
        .into(),
        incomplete: frame().incomplete.into(),
        sources: vec![Source {
            entry: 17,
            recorded_at_us: 1_793_530_800_000_000,
            actor: "vendor manager".to_owned(),
            file: "claims-2026-10.xes.gz".to_owned(),
            digest: "6".repeat(64),
            counts: [900, 895, 1, 2, 2],
        }]
        .into(),
    }
}

/// Values of one attribute, in order.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let mark = format!(" {attribute}=\"");
    let starts = page.match_indices(&mark).map(|(at, mark)| at + mark.len());
    starts.map(|at| page[at..].split('"').next().unwrap()).collect()
}

/// What holds of every page: each anchor once, each link leads somewhere, tables have captions and
/// scoped heads, and nothing is asked for or run.
pub fn check(page: &str) {
    let ids = values(page, "id");
    let known: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(known.len(), ids.len(), "an anchor stands twice");
    for target in values(page, "href") {
        let local = target.strip_prefix('#').unwrap_or_else(|| panic!("a link leaves: {target}"));
        assert!(known.contains(local), "nothing has the anchor {target}");
    }
    assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
    for head in page.split("<th").skip(1).filter(|rest| !rest.starts_with("ead")) {
        assert!(head.starts_with(" scope=\""), "a head without scope: {}", &head[..60]);
    }
    // Text holds no raw angle bracket, so what stands between two of them is a tag.
    for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap().to_lowercase()) {
        for forbidden in ["script", "img", "iframe", "link", "object", "embed", "base"] {
            assert!(!tag.starts_with(forbidden), "the page holds <{tag}>");
        }
        let names: String = tag.split('"').step_by(2).collect();
        for forbidden in [" src=", " srcset=", " style=", " on", " formaction="] {
            assert!(!names.contains(forbidden), "the page holds <{tag}>");
        }
    }
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert!(page.contains("default-src 'none'"));
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
}

#[test]
fn a_page_links_to_what_it_holds_and_asks_for_nothing() {
    let (assessment, catalogue) = (sample(), catalogue());
    let page = page(&dossier(&assessment, &catalogue));
    check(&page);
    for told in [
        "Meridian</bdi>: October 2026",
        "6 tests of controls in 1 arrangement: ",
        ">17:656</a>",
        "href=\"#ladder.claims.settlement\"",
        "href=\"#feed.payroll.daily.case_event.working-day\"",
        "backstay replay 32",
        "SELECT",
    ] {
        assert!(page.contains(told), "the page lacks `{told}`");
    }
    for status in ["effective", "deficient", "stale", "untested", "not-applicable"] {
        assert!(page.contains(&format!("</svg> {status}</span>")), "{status} has no shape");
    }
}

#[test]
fn the_same_assessment_gives_the_same_bytes() {
    let (assessment, catalogue) = (sample(), catalogue());
    assert_eq!(
        page(&dossier(&assessment, &catalogue)),
        page(&dossier(&assessment.clone(), &catalogue.clone()))
    );
}

#[test]
fn a_target_reached_on_incomplete_evidence_is_not_called_reached() {
    let catalogue = catalogue();
    let mut assessment = sample();
    let measure = &mut assessment.measures[0];
    measure.numerator = 190;
    measure.value = Some("0.989583".to_owned());
    let told = page(&dossier(&assessment, &catalogue));
    assert!(told.contains("</svg> reached</span> in October 2026. Target stated by the contract"));
    assessment.coverage = vec![CoverageResult {
        arrangement_id: "claims".to_owned(),
        table: TableCoverage {
            table: "case_event".to_owned(),
            rows: 812,
            covered: false,
            lacking: vec!["feed `daily` of `case_event`, 2026-10-14: nothing was delivered".into()],
            lacking_total: 1,
            known_complete: false,
            newest_us: Some(1_793_530_800_000_000),
        },
    }];
    let told = page(&dossier(&assessment, &catalogue));
    assert!(told.contains("</svg> not certain</span> in October 2026, on evidence that is"));
    assert!(!told.contains("</svg> reached</span> in October 2026. Target stated by the contract"));
    check(&told);
}

#[test]
fn hostile_evidence_is_text_and_nothing_else() {
    let catalogue = catalogue();
    let long = "x".repeat(10_000);
    for hostile in HOSTILE.iter().copied().chain([long.as_str(), ""]) {
        let mut assessment = sample();
        for control in &mut assessment.controls {
            control.arrangement_id = hostile.to_owned();
            control.reason = hostile.to_owned();
            control.title = hostile.to_owned();
            control.control = format!("{}{hostile}", control.control);
        }
        for measure in &mut assessment.measures {
            measure.title = hostile.to_owned();
            measure.service_level = format!("{hostile}{}", measure.service_level);
            measure.excluded.insert(hostile.to_owned(), 3);
        }
        for (n, finding) in assessment.findings.iter_mut().enumerate() {
            finding.subject = hostile.to_owned();
            finding.explanation = hostile.to_owned();
            finding.id = format!("{hostile}{n}");
            finding.evidence = vec![hostile.to_owned()];
            finding.currency = Some(hostile.to_owned());
            finding.amount_minor = Some(-5);
        }
        // One result of each control in each arrangement, as in every assessment.
        let mut seen = BTreeSet::new();
        assessment.controls.retain(|control| seen.insert(control.control.clone()));
        let mut dossier = dossier(&assessment, &catalogue);
        dossier.parties.to_mut()[0].client = Some(hostile.to_owned());
        dossier.parties.to_mut()[0].title = Some(hostile.to_owned());
        dossier.sources.to_mut()[0].file = hostile.to_owned();
        dossier.feeds.to_mut()[0].feed = Some(hostile.to_owned());
        dossier.incomplete = vec![[hostile, hostile, hostile].map(str::to_owned)].into();
        let page = page(&dossier);
        check(&page);
        assert!(!page.contains('\u{202e}') && !page.contains('\u{7}'));
        assert!(!page.contains(&"x".repeat(2_000)), "a text that never ends is cut");
        assert!(page.len() < 400_000, "{} bytes", page.len());
    }
}

#[test]
fn many_findings_are_capped_and_say_where_the_rest_is() {
    let catalogue = catalogue();
    let mut assessment = sample();
    let template = assessment.findings[0].clone();
    assessment.findings = (0..1_259)
        .map(|n| Finding {
            id: format!("{n:016x}"),
            subject: format!("case {n}"),
            evidence: (0..100).map(|row| format!("17:{row}")).collect(),
            evidence_total: 40_000,
            ..template.clone()
        })
        .collect();
    let page = page(&dossier(&assessment, &catalogue));
    check(&page);
    assert!(
        page.contains("And 1,234 more findings: <code>backstay replay 32 --output bytes</code>")
    );
    assert!(page.contains("40,000 in all"));
    assert!(page.len() < 400_000, "{} bytes", page.len());
}

#[test]
fn an_assessment_of_nothing_says_what_to_import() {
    let catalogue = catalogue();
    let mut assessment = sample();
    assessment.controls.clear();
    assessment.measures.clear();
    assessment.findings.clear();
    assessment.coverage.clear();
    let empty = Dossier {
        assessment: &assessment,
        catalogue: &catalogue,
        known_at: 1,
        kept: None,
        parties: Cow::default(),
        history: Cow::default(),
        panels: Cow::default(),
        ladders: Cow::default(),
        feeds: Cow::default(),
        incomplete: Cow::default(),
        sources: Cow::default(),
    };
    let page = page(&empty);
    check(&page);
    assert!(page.contains("Import evidence first"));
    assert!(page.contains("No feed of evidence is declared"));
}
