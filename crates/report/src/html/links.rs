//! Where a page shows things, and how it links to them: inside the one file, or on pages of a server.
//! Owns the markup of links; whether something is shown at all is said by the [`Way`].

use std::collections::BTreeSet;

use backstay_engine::assessment::ControlResult;
use maud::{Markup, html};

use super::{Dossier, posture::result_anchor, text};

/// Where things are shown. Each answer is what a link leads to; nothing where it is not shown.
pub trait Way {
    /// A row, `entry:record`.
    fn row(&self, _reference: &str) -> Option<String> {
        None
    }

    /// A service level with its figures.
    fn level(&self, _arrangement: &str, _id: &str) -> Option<String> {
        None
    }

    /// The provider's figure beside ours.
    fn ladder(&self, _arrangement: &str, _level: &str) -> Option<String> {
        None
    }

    /// A case under a service level, segment by segment.
    fn case(&self, _arrangement: &str, _level: &str, _case: &str) -> Option<String> {
        None
    }

    /// What a control came to in an arrangement, with its reason.
    fn result(&self, _found: &ControlResult) -> Option<String> {
        None
    }

    /// What a control tests.
    fn control(&self, _id: &str) -> Option<String> {
        None
    }

    /// What to do about a control that is not effective.
    fn remedy(&self, _arrangement: &str, _control: &str) -> Option<String> {
        None
    }

    /// How a service level is computed.
    fn metric(&self, _arrangement: &str, _level: &str, _metric: &str) -> Option<String> {
        None
    }

    /// What arrived of an arrangement.
    fn evidence(&self, _arrangement: &str) -> Option<String> {
        None
    }

    /// Whether cases may be named one by one.
    fn names_cases(&self) -> bool {
        true
    }

    /// Rows of a table that are shown where a page that must stay short shows `few`.
    fn shown(&self, few: usize) -> usize {
        few
    }

    /// The zone in which times are shown beside that of a site.
    fn zone(&self) -> Option<&str> {
        None
    }

    /// Whether it is a page by itself: its parts are headed one step below the page, and no command of a
    /// terminal is told.
    fn stands_alone(&self) -> bool {
        false
    }
}

/// Links of a page.
#[derive(Clone, Copy)]
pub struct Links<'a>(pub &'a dyn Way);

/// What is shown nowhere else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nowhere;

impl Way for Nowhere {}

/// What one file holds and may be linked to.
#[derive(Debug, Default)]
pub(super) struct OneFile {
    entries: BTreeSet<String>,
    controls: BTreeSet<String>,
    levels: BTreeSet<(String, String)>,
    ladders: BTreeSet<(String, String)>,
}

impl OneFile {
    pub(super) fn new(dossier: &Dossier<'_>) -> Self {
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
}

impl Way for OneFile {
    fn row(&self, reference: &str) -> Option<String> {
        let entry = reference.split(':').next().unwrap_or_default();
        self.entries.contains(entry).then(|| format!("#entry.{entry}"))
    }

    fn level(&self, arrangement: &str, id: &str) -> Option<String> {
        let shown = self.levels.contains(&(arrangement.to_owned(), id.to_owned()));
        shown.then(|| format!("#{}", text::anchor("level", &[arrangement, id])))
    }

    fn ladder(&self, arrangement: &str, level: &str) -> Option<String> {
        let shown = self.ladders.contains(&(arrangement.to_owned(), level.to_owned()));
        shown.then(|| format!("#{}", text::anchor("ladder", &[arrangement, level])))
    }

    fn result(&self, found: &ControlResult) -> Option<String> {
        Some(format!("#{}", result_anchor(found)))
    }

    fn control(&self, id: &str) -> Option<String> {
        self.controls.contains(id).then(|| format!("#{}", text::anchor("control", &[id])))
    }

    fn remedy(&self, _arrangement: &str, control: &str) -> Option<String> {
        Some(format!("#{}", text::anchor("remedy", &[control])))
    }

    fn metric(&self, _arrangement: &str, _level: &str, metric: &str) -> Option<String> {
        Some(format!("#{}", text::anchor("metric", &[metric])))
    }

    fn evidence(&self, _arrangement: &str) -> Option<String> {
        Some("#evidence".to_owned())
    }
}

/// Words as a link, when there is somewhere to go.
fn link(to: Option<String>, words: Markup) -> Markup {
    match to {
        Some(to) => html! { a href=(to) { (words) } },
        None => words,
    }
}

impl Links<'_> {
    /// A reference `entry:record`.
    pub(super) fn reference(&self, reference: &str) -> Markup {
        match self.0.row(reference) {
            Some(to) => html! { a.ref href=(to) { (text::plain(reference)) } },
            None => html! { span.ref { (text::plain(reference)) } },
        }
    }

    /// Some references, at most `shown`, and how many there are in all.
    pub(super) fn references(&self, references: &[String], total: u64, shown: usize) -> Markup {
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
    pub(super) fn some(&self, references: &[String], shown: usize) -> Markup {
        html! {
            @for (n, reference) in references.iter().take(shown).enumerate() {
                @if n > 0 { " " }
                (self.reference(reference))
            }
            @if references.len() > shown { " …" }
        }
    }

    /// A service level by its id.
    pub(super) fn level(&self, arrangement: &str, id: &str) -> Markup {
        link(self.0.level(arrangement, id), text::name(id))
    }

    /// A service level by its title.
    pub(super) fn level_titled(&self, arrangement: &str, id: &str, title: &str) -> Markup {
        link(self.0.level(arrangement, id), text::title(title))
    }

    /// A comparison with the provider's figure, by its service level.
    pub(super) fn ladder(&self, arrangement: &str, level: &str) -> Markup {
        link(self.0.ladder(arrangement, level), text::name(level))
    }

    /// A case under a service level.
    pub(super) fn case(&self, arrangement: &str, level: &str, case: &str) -> Markup {
        link(self.0.case(arrangement, level, case), text::name(case))
    }

    /// The title of a control, as a link to what it tests.
    pub(super) fn control(&self, id: &str, title: &str) -> Markup {
        link(self.0.control(id), text::title(title))
    }

    /// What a control came to, in `words`, as a link to its reason.
    pub(super) fn result(&self, found: &ControlResult, words: Markup) -> Markup {
        match self.0.result(found) {
            Some(to) => html! { a.quietlink href=(to) { (words) } },
            None => words,
        }
    }

    /// What to do about a control.
    pub(super) fn remedy(&self, arrangement: &str, control: &str) -> Markup {
        html! {
            @if let Some(to) = self.0.remedy(arrangement, control) {
                a.nowrap href=(to) { "What to do" }
            }
        }
    }

    /// A metric.
    pub(super) fn metric(&self, arrangement: &str, level: &str, metric: &str) -> Markup {
        link(self.0.metric(arrangement, level, metric), text::name(metric))
    }

    /// What arrived, in `words`.
    pub(super) fn evidence(&self, arrangement: &str, words: &str) -> Markup {
        link(self.0.evidence(arrangement), html! { (words) })
    }

    /// Where a subject of findings is shown as a service level or a comparison.
    pub(super) fn subject(
        &self,
        control: &str,
        arrangement: &str,
        subject: &str,
    ) -> Option<String> {
        let ladder = (control == "provider-report-agrees")
            .then(|| self.0.ladder(arrangement, subject))
            .flatten();
        ladder.or_else(|| self.0.level(arrangement, subject))
    }

    /// An instant in the viewer's zone, beneath how it was set already; nothing when that says the same.
    pub(super) fn beneath(&self, micros: i64, set: &str) -> Markup {
        let told = self.0.zone().map(|zone| text::local(micros, Some(zone)));
        html! { @if let Some(told) = told.filter(|told| told != set) { span.sub { (told) } } }
    }

    /// The same of an instant written as RFC 3339.
    pub(super) fn beneath_of(&self, text: &str, set: &str) -> Markup {
        match text.parse::<jiff::Timestamp>() {
            Ok(at) => self.beneath(at.as_microsecond(), set),
            Err(_) => Markup::default(),
        }
    }

    /// Rows shown of a table that shows `few` on a page that must stay short.
    pub(super) fn shown(&self, few: usize) -> usize {
        self.0.shown(few)
    }
}
