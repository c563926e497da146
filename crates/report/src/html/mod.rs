//! An assessment as one HTML file: no request, no script, the same bytes for the same assessment.
//!
//! Owns the order of the page and what it is made from ([`Dossier`]). It sets what the engine worked out
//! and works nothing out itself; every text that comes from evidence is escaped, cleaned of characters
//! that steer a terminal or a line, and shortened where it would break the page.

mod attention;
mod basis;
mod chart;
mod control;
mod credit;
mod drift;
mod due;
mod evidence;
mod finding;
mod head;
mod hours;
mod ladder;
mod level;
mod metric;
mod note;
mod oc;
mod part;
pub mod piece;
mod plot;
mod posture;
mod quality;
mod sheet;
mod status;
mod text;
mod words;

use std::collections::BTreeSet;

use backstay_engine::{Catalogue, Past, assessment::Assessment, panel::Panels};
use maud::{Markup, html};

use crate::difference::Ladder;

pub use note::note;

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
    pub parties: Vec<Party>,
    /// Service levels in the windows before the period.
    pub history: Vec<Past>,
    /// What stands beside the assessment in each arrangement: open cases, credits, hours, quality.
    pub panels: Vec<Panels>,
    /// What the provider reported beside ours, in the period.
    pub ladders: Vec<Ladder>,
    /// Feeds of evidence, by arrangement.
    pub feeds: Vec<Feed>,
    /// Cases that count although rows of theirs are in quarantine: arrangement, service level, case.
    pub incomplete: Vec<[String; 3]>,
    /// Files that the evidence came from, by ledger entry.
    pub sources: Vec<Source>,
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

/// What the page holds and may be linked to.
#[derive(Default)]
pub(crate) struct Links {
    entries: BTreeSet<String>,
    controls: BTreeSet<String>,
    levels: BTreeSet<(String, String)>,
    ladders: BTreeSet<(String, String)>,
}

impl Links {
    fn new(dossier: &Dossier<'_>) -> Self {
        let levels = dossier.assessment.measures.iter();
        Self {
            entries: dossier.sources.iter().map(|source| source.entry.to_string()).collect(),
            controls: dossier.assessment.controls.iter().map(|c| c.control.clone()).collect(),
            levels: levels
                .map(|measure| (measure.arrangement_id.clone(), measure.service_level.clone()))
                .collect(),
            ladders: dossier
                .ladders
                .iter()
                .filter(|ladder| !ladder.agrees)
                .map(|ladder| (ladder.arrangement_id.clone(), ladder.service_level.clone()))
                .collect(),
        }
    }

    /// Of a page that holds nothing but itself.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// A reference `entry:record`, as a link to the file it stands in when that file is listed.
    pub(crate) fn reference(&self, reference: &str) -> Markup {
        let entry = reference.split(':').next().unwrap_or_default();
        if self.entries.contains(entry) {
            return html! { a.ref href={ "#entry." (entry) } { (text::plain(reference)) } };
        }
        html! { span.ref { (text::plain(reference)) } }
    }

    /// Some references, at most `shown`, and how many there are in all.
    pub(crate) fn references(&self, references: &[String], total: u64, shown: usize) -> Markup {
        let all = references.len().min(shown) as u64 == total;
        html! {
            @if total == 0 { "none" }
            @for (n, reference) in references.iter().take(shown).enumerate() {
                @if n > 0 { " " }
                (self.reference(reference))
            }
            @if !all {
                " … " span.quiet { (text::number(total)) " in all" }
            }
        }
    }

    /// The first of some references that may have been cut already, and whether there are more.
    pub(crate) fn some(&self, references: &[String], shown: usize) -> Markup {
        html! {
            @for (n, reference) in references.iter().take(shown).enumerate() {
                @if n > 0 { " " }
                (self.reference(reference))
            }
            @if references.len() > shown { " …" }
        }
    }

    /// A service level, as a link to its figures when they are shown.
    pub(crate) fn level(&self, arrangement: &str, id: &str) -> Markup {
        if self.levels.contains(&(arrangement.to_owned(), id.to_owned())) {
            let anchor = text::anchor("level", &[arrangement, id]);
            return html! { a href={ "#" (anchor) } { (text::name(id)) } };
        }
        text::name(id)
    }

    /// The title of a control, as a link to what it tests when that is shown.
    pub(crate) fn control(&self, id: &str, title: &str) -> Markup {
        if self.controls.contains(id) {
            return html! { a href={ "#" (text::anchor("control", &[id])) } { (text::title(title)) } };
        }
        text::title(title)
    }

    /// Where a subject of findings is shown as a service level or a comparison; none when it is not.
    pub(crate) fn subject(
        &self,
        control: &str,
        arrangement: &str,
        subject: &str,
    ) -> Option<String> {
        let key = (arrangement.to_owned(), subject.to_owned());
        if control == "provider-report-agrees" && self.ladders.contains(&key) {
            return Some(text::anchor("ladder", &[arrangement, subject]));
        }
        self.levels.contains(&key).then(|| text::anchor("level", &[arrangement, subject]))
    }
}

/// What makes the body of a section.
type Part = fn(&Dossier<'_>, &Links) -> Markup;

/// A section of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

/// The whole page.
#[must_use]
pub fn page(dossier: &Dossier<'_>) -> String {
    let links = Links::new(dossier);
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
