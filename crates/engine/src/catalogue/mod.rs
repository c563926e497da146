//! The catalogue: risks, controls and metrics as Markdown files. Owns reading them and saying what is
//! wrong with file and line; the format is in `docs/catalogue.md`. It must never run anything: cases
//! run in `trial`.

mod case;
mod file;
/// Slips in SQL.
mod mutate;
mod skeleton;
mod trial;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use backstay_evidence::Digest;
use serde::{Deserialize, Serialize};

pub use case::{Case, Expectation};
pub use mutate::Mutant;
pub use skeleton::skeleton;
pub use trial::{CaseReport, FileReport, TrialOptions, catalogue_test};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

/// A catalogue file is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// It does not follow the format.
    #[error("`{file}`, line {line}: {message}")]
    Syntax {
        /// Path below the catalogue's folder.
        file: String,
        /// 1-based line.
        line: usize,
        /// What is wrong and what to write.
        message: String,
    },
    /// The files do not fit together.
    #[error("`{file}`: {message}")]
    Meaning {
        /// Path below the catalogue's folder.
        file: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// A file of the workspace cannot be read.
    #[error("`{file}` cannot be read: {message}")]
    Unreadable {
        /// The path.
        file: String,
        /// What the system said.
        message: String,
    },
    /// Nothing has that id.
    #[error(
        "no control, metric or risk has the id `{id}`; `backstay catalogue list` names them all"
    )]
    Unknown {
        /// The id asked for.
        id: String,
    },
}

/// How much a miss matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A blemish.
    Low,
    /// To be put right.
    Medium,
    /// To be put right soon.
    High,
    /// To be put right now.
    Critical,
}

/// The prose, SQL and cases that a control or metric consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Section *What it tests*.
    pub tests: String,
    /// Section *Why it matters*.
    pub why: String,
    /// Section *How it is computed*, with its SQL block.
    pub computed: String,
    /// The SQL.
    pub sql: String,
    /// Line of the SQL's first line in the file.
    pub sql_line: usize,
    /// Section *What to do*.
    pub remedy: String,
    /// Section *Cases*, as text.
    pub cases_text: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Permanent id.
    pub id: String,
    /// What holds when it is effective.
    pub title: String,
    /// Risk it belongs to.
    pub risk: String,
    /// Severity of its findings.
    pub severity: Severity,
    /// Status limits.
    pub limits: crate::status::Limits,
    /// Tables that may be empty.
    pub consults: Vec<String>,
    /// SQL of one boolean.
    pub applies_when: Option<String>,
    /// Standards and laws.
    pub references: Vec<String>,
    /// Prose, SQL and cases.
    pub body: Body,
    /// Path below the catalogue's folder.
    pub file: String,
    /// Digest of the file.
    pub digest: Digest,
}

/// What a metric's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueKind {
    /// Met ÷ (met + missed).
    Share,
    /// The number of cases counted.
    Count,
}

impl ValueKind {
    /// As in front matter and in `measurement.value_kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Count => "count",
        }
    }
}

/// One metric of service levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Permanent id, as `service_level.metric` names it.
    pub id: String,
    /// In words.
    pub title: String,
    /// What its value is.
    pub value: ValueKind,
    /// Tables that may be empty.
    pub consults: Vec<String>,
    /// Standards and laws.
    pub references: Vec<String>,
    /// Prose, SQL and cases.
    pub body: Body,
    /// Path below the catalogue's folder.
    pub file: String,
    /// Digest of the file.
    pub digest: Digest,
}

/// One risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// Permanent id: the folder.
    pub id: String,
    /// In words.
    pub title: String,
    /// Its number.
    pub order: u32,
    /// Section *What can happen*.
    pub what: String,
    /// Section *Loss scenario*.
    pub loss_scenario: String,
    /// Path below the catalogue's folder.
    pub file: String,
}

/// Risks, controls and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    texts: BTreeMap<String, String>,
    risks: BTreeMap<String, Risk>,
    controls: BTreeMap<String, Control>,
    metrics: BTreeMap<String, Metric>,
}

impl Catalogue {
    /// The catalogue compiled into this release.
    ///
    /// # Errors
    /// A file that is wrong; a test keeps that from being released.
    pub fn built_in() -> Result<Self, CatalogueError> {
        Self::from_texts(embedded::CATALOGUE.iter().map(|(file, text)| (*file, *text)))
    }

    /// Reads `(path below the catalogue's folder, text)` pairs.
    ///
    /// # Errors
    /// The first file that is wrong, an id that is taken twice, a control without its risk.
    pub fn from_texts<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for (file, text) in files {
            catalogue.add(file, text)?;
        }
        catalogue.check()?;
        Ok(catalogue)
    }

    /// The catalogue with a workspace's own files, which lie under `folder` in the same layout.
    ///
    /// # Errors
    /// As [`Catalogue::from_texts`], and when a file cannot be read. A missing folder is no error.
    pub fn with_workspace_files(mut self, folder: &Path) -> Result<Self, CatalogueError> {
        for path in markdown_files(folder)? {
            let unreadable = |error: std::io::Error| CatalogueError::Unreadable {
                file: path.display().to_string(),
                message: error.to_string(),
            };
            let text = std::fs::read_to_string(&path).map_err(unreadable)?;
            let below = path.strip_prefix(folder).unwrap_or(&path);
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            self.add(&parts.join("/"), &text)?;
        }
        self.check()?;
        Ok(self)
    }

    fn add(&mut self, file: &str, text: &str) -> Result<(), CatalogueError> {
        let taken = |what: &str, id: &str| CatalogueError::Meaning {
            file: file.to_owned(),
            message: format!("{what} `{id}` exists already; ids are permanent, choose another"),
        };
        match file.split_once('/') {
            Some(("metrics", _)) => {
                let metric = file::metric(file, text)?;
                if self.metrics.contains_key(&metric.id) {
                    return Err(taken("metric", &metric.id));
                }
                self.metrics.insert(metric.id.clone(), metric);
            }
            Some((_, "risk.md")) => {
                let risk = file::risk(file, text)?;
                if self.risks.contains_key(&risk.id) {
                    return Err(taken("risk", &risk.id));
                }
                self.risks.insert(risk.id.clone(), risk);
            }
            _ => {
                let control = file::control(file, text)?;
                if self.controls.contains_key(&control.id) {
                    return Err(taken("control", &control.id));
                }
                self.controls.insert(control.id.clone(), control);
            }
        }
        self.texts.insert(file.to_owned(), text.to_owned());
        Ok(())
    }

    fn check(&self) -> Result<(), CatalogueError> {
        for control in self.controls.values() {
            if !self.risks.contains_key(&control.risk) {
                return Err(CatalogueError::Meaning {
                    file: control.file.clone(),
                    message: format!("its risk needs a file `{}/risk.md`", control.risk),
                });
            }
        }
        Ok(())
    }

    /// Risks by their number.
    #[must_use]
    pub fn risks(&self) -> Vec<&Risk> {
        let mut all: Vec<&Risk> = self.risks.values().collect();
        all.sort_by_key(|risk| (risk.order, &risk.id));
        all
    }

    /// A risk by id.
    #[must_use]
    pub fn risk(&self, id: &str) -> Option<&Risk> {
        self.risks.get(id)
    }

    /// Controls by risk, then id.
    #[must_use]
    pub fn controls(&self) -> Vec<&Control> {
        let mut all: Vec<&Control> = self.controls.values().collect();
        let order = |control: &Control| self.risks.get(&control.risk).map_or(0, |risk| risk.order);
        all.sort_by_key(|control| (order(control), &control.id));
        all
    }

    /// A control by id.
    #[must_use]
    pub fn control(&self, id: &str) -> Option<&Control> {
        self.controls.get(id)
    }

    /// Metrics by id.
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.metrics.values()
    }

    /// A metric by id.
    #[must_use]
    pub fn metric(&self, id: &str) -> Option<&Metric> {
        self.metrics.get(id)
    }

    /// The files, as read: what a basis names, kept so that it can be replayed.
    #[must_use]
    pub fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }

    /// The text of the file of a control, metric or risk.
    ///
    /// # Errors
    /// When nothing has that id.
    pub fn show(&self, id: &str) -> Result<&str, CatalogueError> {
        let control = self.controls.get(id).map(|control| &control.file);
        let metric = self.metrics.get(id).map(|metric| &metric.file);
        let risk = self.risks.get(id).map(|risk| &risk.file);
        let file = control.or(metric).or(risk);
        let text = file.and_then(|file| self.texts.get(file));
        text.map(String::as_str).ok_or_else(|| CatalogueError::Unknown { id: id.to_owned() })
    }

    /// Digest over all files: part of every basis.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let files = self.texts.iter().flat_map(|(file, text)| [file.as_bytes(), text.as_bytes()]);
        Digest::of_parts(&files.collect::<Vec<_>>())
    }
}

/// The Markdown files one folder deep, in order of path.
fn markdown_files(folder: &Path) -> Result<Vec<PathBuf>, CatalogueError> {
    let unreadable = |path: &Path, error: std::io::Error| CatalogueError::Unreadable {
        file: path.display().to_string(),
        message: error.to_string(),
    };
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if !path.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&path).map_err(|error| unreadable(&path, error))? {
            let file = entry.map_err(|error| unreadable(&path, error))?.path();
            if file.extension().is_some_and(|extension| extension == "md") {
                found.push(file);
            }
        }
    }
    found.sort();
    Ok(found)
}
