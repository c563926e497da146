//! An assessment as one HTML file: no request, no script, the same bytes for the same assessment.
//!
//! Owns the order of the page and what it is made from ([`Dossier`]). It sets what the engine worked out
//! and works nothing out itself; every text that comes from evidence is escaped, cleaned of characters
//! that steer a terminal or a line, and shortened where it would break the page.

mod attention;
mod basis;
mod chart;
pub mod clock;
mod control;
mod credit;
pub mod day;
mod drift;
mod due;
mod evidence;
mod feed;
mod finding;
mod head;
mod hours;
mod ladder;
mod level;
mod links;
mod metric;
mod note;
mod oc;
mod part;
pub mod piece;
mod plot;
mod posture;
mod quality;
pub mod section;
mod sheet;
mod status;
mod text;
pub mod trend;
mod words;

use std::borrow::Cow;

use backstay_engine::{Catalogue, Past, assessment::Assessment, panel::Panels};
use jiff::civil::Date;
use maud::{Markup, html};

use crate::difference::Ladder;

pub use links::{Links, Way};
pub use note::note;

use links::OneFile;

/// All that the page is made from: the assessment and what stands beside it in the same evidence.
#[derive(Debug, Clone)]
pub struct Dossier<'a> {
    /// The assessment.
    pub assessment: &'a Assessment,
    /// The catalogue that it was made with.
    pub catalogue: &'a Catalogue,
    /// Ledger entry up to which evidence was known.
    pub known_at: u64,
    /// Where it is kept.
    pub kept: Option<Keeping>,
    /// Who is party to each arrangement.
    pub parties: Cow<'a, [Party]>,
    /// Service levels in the windows before the period.
    pub history: Cow<'a, [Past]>,
    /// What stands beside the assessment in each arrangement: open cases, credits, hours, quality.
    pub panels: Cow<'a, [Panels]>,
    /// What the provider reported beside ours, in the period.
    pub ladders: Cow<'a, [Ladder]>,
    /// Feeds of evidence, by arrangement.
    pub feeds: Cow<'a, [Feed]>,
    /// Cases that count although rows of theirs are in quarantine: arrangement, service level, case.
    pub incomplete: Cow<'a, [[String; 3]]>,
    /// Files that the evidence came from, by ledger entry.
    pub sources: Cow<'a, [Source]>,
}

impl Dossier<'_> {
    /// The zone in which the days of an arrangement are counted.
    pub(crate) fn zone(&self, arrangement: &str) -> Option<&str> {
        let own = |party: &&Party| party.arrangement_id == arrangement;
        self.parties.iter().find(own)?.zone.as_deref()
    }
}

/// The ledger entry that keeps an assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// Entry.
    pub entry: u64,
    /// When it was recorded, microseconds UTC.
    pub recorded_at_us: i64,
    /// Who recorded it.
    pub actor: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub digest: String,
}

/// The parties to one arrangement, as valid on the last day of the period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Arrangement.
    pub arrangement_id: String,
    /// What is outsourced.
    pub title: Option<String>,
    /// Name of the client.
    pub client: Option<String>,
    /// Name of the provider.
    pub provider: Option<String>,
    /// Zone in which its days and months are counted.
    pub zone: Option<String>,
}

/// One feed of evidence in the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Arrangement.
    pub arrangement_id: String,
    /// Feed; none for days that no feed declares.
    pub feed: Option<String>,
    /// Table that it feeds.
    pub table: String,
    /// `day`, `week`, `month` …, as declared.
    pub cadence: String,
    /// Intervals expected.
    pub expected: u64,
    /// Of these, arrived and adding up; nil returns among them.
    pub arrived: u64,
    /// Record that declares it, `entry:record`.
    pub declared_by: Option<String>,
    /// Intervals that did not arrive as they should.
    pub lacking: Vec<Lacking>,
    /// Every interval that was expected, in order.
    pub intervals: Vec<Interval>,
}

/// An interval in which evidence was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Its days, half-open; none for the whole period.
    pub days: Option<(Date, Date)>,
    /// `arrived`, or as in [`Lacking`].
    pub outcome: String,
}

/// An interval of a feed that is missing, or does not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// Its days: `2026-10-14`, or `2026-10-12..2026-10-19`, the last one left out.
    pub days: String,
    /// `missing`, `differs`, `unknown` or `undeclared`.
    pub outcome: String,
    /// In words.
    pub reason: String,
    /// Rows that say so, `entry:record`.
    pub evidence: Vec<String>,
}

/// A file that evidence came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Ledger entry of its import.
    pub entry: u64,
    /// When it was recorded, microseconds UTC.
    pub recorded_at_us: i64,
    /// Who brought it in.
    pub actor: String,
    /// Name as handed in.
    pub file: String,
    /// SHA-256 of its bytes as handed in, hexadecimal.
    pub digest: String,
    /// Records read, accepted, corrected, already known and quarantined.
    pub counts: [u64; 5],
}

/// What makes the body of a section.
type Part = fn(&Dossier<'_>, &Links<'_>) -> Markup;

/// A section of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

/// The whole page.
#[must_use]
pub fn page(dossier: &Dossier<'_>) -> String {
    let file = OneFile::new(dossier);
    let links = Links(&file);
    let mut sections = vec![
        Section { id: "posture", title: "Posture", body: posture::body(dossier) },
        Section {
            id: "attention",
            title: "What needs attention first",
            body: attention::body(dossier),
        },
        Section { id: "levels", title: "Service levels", body: level::body(dossier, &links) },
    ];
    if !dossier.ladders.is_empty() {
        let title = "The provider’s figures and ours";
        sections.push(Section { id: "ladders", title, body: ladder::body(dossier, &links) });
    }
    if !dossier.panels.is_empty() {
        let beside: [(&str, &str, Part); 4] = [
            ("due", "Open cases", due::body),
            ("credits", "Service credits", credit::body),
            ("hours", "Distance in hours", hours::body),
            ("quality", "Quality of the work", quality::body),
        ];
        sections.extend(beside.map(|(id, title, body)| Section {
            id,
            title,
            body: body(dossier, &links),
        }));
    }
    sections.extend([
        Section { id: "findings", title: "Findings", body: finding::body(dossier, &links) },
        Section {
            id: "evidence",
            title: "Evidence: what arrived",
            body: evidence::body(dossier, &links),
        },
        Section { id: "controls", title: "What each control tests", body: control::body(dossier) },
        Section {
            id: "metrics",
            title: "How service levels are computed",
            body: metric::body(dossier),
        },
        Section { id: "basis", title: "Basis and proof", body: basis::body(dossier) },
        Section { id: "words", title: "What the words mean", body: words::body() },
    ]);
    let title = head::title(dossier);
    let body = html! {
        a.skip href="#main" { "Skip to the report" }
        (status::sprite())
        div.page {
            nav.contents aria-label="Contents" {
                ol {
                    @for (n, section) in sections.iter().enumerate() {
                        li { a href={ "#" (section.id) } { span.no { (n + 1) } " " (section.title) } }
                    }
                }
            }
            main #main tabindex="-1" {
                (head::body(dossier))
                @for (n, section) in sections.iter().enumerate() {
                    section aria-labelledby=(section.id) {
                        h2 id=(section.id) tabindex="-1" { span.no { (n + 1) } " " (section.title) }
                        (section.body)
                    }
                }
            }
        }
    };
    head::document(&title, &body)
}
