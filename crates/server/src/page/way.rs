//! Where the pages of one arrangement show things, and what the sections of the report are set from on
//! them. Owns the paths; what may be opened is asked of the rights.

use std::borrow::Cow;

use backstay_access::{Action, Privacy, Resource};
use backstay_engine::{Past, assessment::ControlResult};
use backstay_report::html::{Dossier, Feed, Party, Way, piece};
use maud::Markup;

use crate::{
    asked::{Asked, segment},
    figures::Figures,
    problem::ProblemError,
};

use super::frame;

/// Rows of a table for each one that a printed report shows.
const TIMES: usize = 40;

/// The pages of an arrangement, for whoever asks.
pub struct Pages<'a> {
    asked: &'a Asked<'a>,
    base: String,
    /// Whether the asker may open lines of its files.
    pub opens: bool,
    /// Whether the asker may see its rows: cases one by one.
    pub reads_rows: bool,
    /// The zone in which times are shown beside the site's.
    pub zone: Option<String>,
}

impl<'a> Pages<'a> {
    /// Of an arrangement that the route's rule has let the asker through to.
    ///
    /// # Errors
    /// A zone that there is not.
    pub fn new(asked: &'a Asked<'a>, id: &str) -> Result<Self, ProblemError> {
        Ok(Self {
            asked,
            base: format!("/arrangements/{}", segment(id)),
            opens: asked.may(Action::SourceRead, &rows(id, Privacy::Secret)),
            reads_rows: reads_cases(asked, id),
            zone: Some(asked.zone()?.to_owned()),
        })
    }

    /// A page below the arrangement's own.
    pub fn to(&self, path: &str) -> String {
        self.asked.link(&format!("{}{path}", self.base))
    }

    /// Links up: to the portfolio and the arrangement, then what is given.
    pub fn crumbs(&self, id: &str, further: &[(String, Markup)]) -> Markup {
        let mut links = vec![
            (self.asked.link("/"), maud::html! { "Portfolio" }),
            (self.to(""), piece::name(id)),
        ];
        links.extend(further.iter().cloned());
        frame::crumbs(&links)
    }
}

fn rows(id: &str, privacy: Privacy) -> Resource<'_> {
    Resource::Rows { arrangement: Some(id), privacy }
}

/// Whether the asker may see the cases of an arrangement one by one.
pub fn reads_cases(asked: &Asked<'_>, id: &str) -> bool {
    asked.may(Action::EvidenceRead, &rows(id, Privacy::Internal))
}

impl Way for Pages<'_> {
    fn row(&self, reference: &str) -> Option<String> {
        self.opens.then(|| format!("/rows/{}", segment(reference)))
    }

    fn level(&self, _: &str, id: &str) -> Option<String> {
        Some(self.to(&format!("/service-levels/{}", segment(id))))
    }

    fn ladder(&self, arrangement: &str, level: &str) -> Option<String> {
        Some(format!("{}#ladder", self.level(arrangement, level)?))
    }

    fn case(&self, _: &str, level: &str, case: &str) -> Option<String> {
        let path = format!("/service-levels/{}/cases/{}", segment(level), segment(case));
        self.reads_rows.then(|| self.to(&path))
    }

    fn result(&self, found: &ControlResult) -> Option<String> {
        Some(self.to(&format!("/controls/{}", segment(&found.control))))
    }

    fn control(&self, id: &str) -> Option<String> {
        Some(self.to(&format!("/controls/{}", segment(id))))
    }

    fn remedy(&self, _: &str, control: &str) -> Option<String> {
        Some(format!("{}#remedy", self.control(control)?))
    }

    fn metric(&self, arrangement: &str, level: &str, _: &str) -> Option<String> {
        Some(format!("{}#computed", self.level(arrangement, level)?))
    }

    fn evidence(&self, _: &str) -> Option<String> {
        Some(self.to("/evidence"))
    }

    fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    fn names_cases(&self) -> bool {
        self.reads_rows
    }

    fn shown(&self, few: usize) -> usize {
        few * TIMES
    }

    fn stands_alone(&self) -> bool {
        true
    }
}

/// What sections of the report are set from, of the one arrangement of these figures.
pub fn dossier<'a>(
    figures: &'a Figures,
    party: &'a Party,
    history: &'a [Past],
    feeds: &'a [Feed],
) -> Option<Dossier<'a>> {
    Some(Dossier {
        assessment: figures.only()?.1,
        catalogue: &figures.seen.evidence.catalogue,
        known_at: figures.seen.known_at,
        kept: None,
        parties: Cow::Borrowed(std::slice::from_ref(party)),
        history: Cow::Borrowed(history),
        panels: Cow::default(),
        ladders: Cow::default(),
        feeds: Cow::Borrowed(feeds),
        incomplete: Cow::default(),
        sources: Cow::default(),
    })
}
