//! A walk through every page that somebody is shown: along its links, one page of each route, looked at
//! in both widths and both colour schemes. Nothing it finds may be passed over.

use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    axe::Axe,
    route::{self, Route},
};
use crate::{
    browser::{Browser, Profile, Screen, Tab, tab::Came},
    shots,
};

/// How a page is looked at, and whether the public checker is asked as well: it need not see a narrow
/// page twice, since colours do not change with the width.
const VIEWS: [(&str, Screen, bool); 4] = [
    ("1440-light", Screen { width: 1_440, dark: false, print: false }, true),
    ("1440-dark", Screen { width: 1_440, dark: true, print: false }, true),
    ("360-dark", Screen { width: 360, dark: true, print: false }, false),
    ("360-light", Screen { width: 360, dark: false, print: false }, true),
];
/// Paths that a page links to.
const LINKS: &str = "[...document.links].filter((a) => a.origin === location.origin).map((a) => a.pathname + a.search)";

/// What a walk needs.
pub struct Walk<'w> {
    /// The checker.
    pub axe: &'w Axe,
    /// Every route.
    pub routes: &'w [Route],
    /// Address of the server.
    pub base: &'w str,
    /// Whose walk it is, for the names of pictures.
    pub who: &'w str,
    /// Where pictures go; none: only look.
    pub out: Option<PathBuf>,
    /// Routes that need not be looked at again.
    pub known: BTreeSet<String>,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// What is wrong.
    pub problems: Vec<String>,
    /// Routes of which a page was seen.
    pub seen: BTreeSet<String>,
    /// Pictures written.
    pub pictures: u64,
    /// Pages looked at.
    pub pages: u64,
}

impl Walk<'_> {
    /// Walks from these paths on, as whoever is signed in there.
    ///
    /// # Errors
    /// When browser or server fail; what is wrong about a page is among what was found.
    pub fn walk(
        &self,
        browser: &mut Browser,
        profile: &Profile,
        from: &[&str],
    ) -> Result<Found, String> {
        let mut found = Found::default();
        let mut queue: VecDeque<(String, String)> =
            from.iter().map(|path| ((*path).to_owned(), "the beginning".to_owned())).collect();
        let mut asked = self.known.clone();
        while let Some((path, by)) = queue.pop_front() {
            // Files of the interface for machines; the tests of the server ask for each.
            if path.starts_with("/api/") {
                continue;
            }
            let Some(route) = route::of(self.routes, &path) else {
                found
                    .problems
                    .push(format!("{}: {by} links to `{path}`, which is no route", self.who));
                continue;
            };
            if !asked.insert(route.pattern.clone()) {
                continue;
            }
            let mut tab = browser.tab(Some(profile), VIEWS[0].1)?;
            let links = self.page(&mut tab, route, &path, &mut found)?;
            tab.close()?;
            queue.extend(links.into_iter().map(|link| (link, path.clone())));
        }
        Ok(found)
    }

    /// One page; gives where it leads.
    fn page(
        &self,
        tab: &mut Tab<'_>,
        route: &Route,
        path: &str,
        found: &mut Found,
    ) -> Result<Vec<String>, String> {
        let came = tab.visit(&format!("{}{path}", self.base))?;
        found.seen.insert(route.pattern.clone());
        let Came::Page(status) = came else { return Ok(Vec::new()) };
        if !(200..300).contains(&status) {
            found.problems.push(format!("{}: {path} is answered by {status}", self.who));
        }
        if tab.ask("document.contentType")?.as_str() != Some("text/html") {
            return Ok(Vec::new());
        }
        found.pages += 1;
        for (name, screen, axe) in VIEWS {
            tab.look_as(screen)?;
            let mut problems = shots::ask(tab)?;
            if axe {
                problems.extend(self.axe.judge(tab)?);
            }
            let say = |what: &String| format!("{} {path} at {name}: {what}", self.who);
            found.problems.extend(problems.iter().map(say));
            if let Some(out) = &self.out {
                let file = format!("{}-{}-{name}", self.who, route.name());
                found.pictures += shots::keep(tab, out, &file, screen)?;
            }
        }
        let complaints = tab.complaints();
        found.problems.extend(complaints.iter().map(|what| format!("{} {path}: {what}", self.who)));
        Ok(texts(&tab.ask(LINKS)?))
    }
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A picture of one page down to its last line, or of so much of it, for the README.
///
/// # Errors
/// When the browser gives none.
pub fn portrait(
    browser: &mut Browser,
    profile: &Profile,
    url: &str,
    (width, height): (u64, u64),
    file: &Path,
) -> Result<u64, String> {
    let mut tab = browser.tab(Some(profile), Screen { width, dark: false, print: false })?;
    tab.visit(url)?;
    let end = tab.ask("Math.ceil(document.querySelector('main').lastElementChild.getBoundingClientRect().bottom) + 16")?;
    let bytes = tab.picture((0, height.min(end.as_u64().unwrap_or(height))))?;
    tab.close()?;
    std::fs::write(file, &bytes).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(bytes.len() as u64)
}
