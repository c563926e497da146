//! The web application in a real Chromium before the real server: every page as a picture and checked,
//! and journeys as people make them. Owns what is opened for whom; what is right about a page is said by
//! `shots/check.js` and by the public checker.

mod axe;
mod code;
mod house;
pub mod journey;
mod route;
pub mod schema;
mod walk;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::browser::{Browser, Person, Profile, Screen};
use axe::Axe;
use house::{House, Served};
use route::Route;
use walk::{Found, Walk};

/// A password for everybody made up here.
const PASSWORD: &str = "seven wet herons on a lock gate";
/// The picture of the README: file, width, height, bytes that it may have.
const README: (&str, u64, u64, u64) = ("docs/portfolio.png", 1_280, 900, 200_000);
/// The screen on which people sign in.
const DESK: Screen = Screen { width: 1_280, dark: false, print: false };

/// What is to be walked through.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Where pictures go; none: only look.
    pub out: Option<PathBuf>,
    /// Also a workspace with nothing in it, and one whose evidence means harm.
    pub all: bool,
}

/// Walks through every page of the worked example as the client's and as a provider's person.
///
/// # Errors
/// Every problem of a page; a route of which no page was seen.
pub fn pages(program: &Path, browser: &Path, target: &Path, asked: &Pages) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no folder to work in: {error}"))?;
    let axe = Axe::fetch(target)?;
    let mut browser = Browser::start(browser, &scratch.path().join("profile"))?;
    axe.prove(&mut browser, scratch.path())?;
    let example = House::new(program, scratch.path(), "meridian");
    let routes = route::list(&example)?;
    let mut tour =
        Tour { browser: &mut browser, axe: &axe, routes: &routes, asked, found: Found::default() };
    example.run(&["demo", "--no-serve", "meridian"])?;
    tour.client(&example, "manager", &["/"], Some("/arrangements/claims?period=2026-10"))?;
    tour.others(&example)?;
    tour.provider(&example)?;
    if asked.all {
        let empty = House::new(program, scratch.path(), "empty");
        empty.run(&["init", "empty"])?;
        tour.client(&empty, "empty", &["/"], None)?;
        let hostile = House::new(program, scratch.path(), "hostile");
        crate::shots::make_hostile(program, scratch.path())?;
        tour.client(&hostile, "hostile", &["/?period=2026-03"], None)?;
    }
    tour.end()
}

/// What walks share.
struct Tour<'t> {
    browser: &'t mut Browser,
    axe: &'t Axe,
    routes: &'t [Route],
    asked: &'t Pages,
    found: Found,
}

impl Tour<'_> {
    /// As the first administrator, who is vendor manager and analyst too, with a file that waits to be
    /// brought in; `assess`: what is assessed and kept before.
    fn client(
        &mut self,
        house: &House,
        who: &str,
        from: &[&str],
        assess: Option<&str>,
    ) -> Result<(), String> {
        let mut served = house.serve()?;
        let nobody = self.browser.profile()?;
        let link = served.first_link()?;
        let by_hand = |open: bool| {
            let routes = self.routes.iter().filter(move |route| route.open == open);
            routes.filter_map(|route| route.by_hand())
        };
        let mut doors: Vec<&str> = vec![&link];
        doors.extend(by_hand(true));
        let from: Vec<&str> = from.iter().copied().chain(by_hand(false)).collect();
        self.walk(&served, &format!("{who}-door"), &nobody, &doors, false)?;
        let profile = come_in(self.browser, &served, &link, true)?;
        if let Some(path) = assess {
            let tab = self.browser.tab(Some(&profile), DESK)?;
            let mut person = Person::new(tab, &served.base, &PathBuf::new(), true)?;
            person.go(path)?;
            person.button("Assess now and keep")?;
            person.tab.close()?;
        }
        let handed = hand_in(self.browser, &served, &profile, &house.scratch)?;
        let from: Vec<&str> = from.into_iter().chain(handed.iter().map(String::as_str)).collect();
        self.walk(&served, who, &profile, &from, false)
    }

    /// As others of the client: what only they may open.
    fn others(&mut self, house: &House) -> Result<(), String> {
        let grants = ["administrator@all", "security-privacy-officer@all"];
        let link = house.account("sam@client.example", "Sam Ferreira", None, &grants)?;
        let served = house.serve()?;
        let profile = come_in(self.browser, &served, &link, true)?;
        self.walk(&served, "officer", &profile, &["/names", "/people"], true)
    }

    /// As the account manager of one of the providers.
    fn provider(&mut self, house: &House) -> Result<(), String> {
        let grants = ["provider-account-manager@provider:talahib"];
        let link = house.account("tala@talahib.example", "Tala Reyes", Some("talahib"), &grants)?;
        let served = house.serve()?;
        let profile = come_in(self.browser, &served, &link, false)?;
        self.walk(&served, "provider", &profile, &["/"], false)
    }

    /// `rest`: only what nobody has looked at yet.
    fn walk(
        &mut self,
        served: &Served,
        who: &str,
        profile: &Profile,
        from: &[&str],
        rest: bool,
    ) -> Result<(), String> {
        let out = self.asked.out.clone();
        let known = if rest { self.found.seen.clone() } else { BTreeSet::new() };
        let walk = Walk { axe: self.axe, routes: self.routes, base: &served.base, who, out, known };
        let found = walk.walk(self.browser, profile, from)?;
        let broke =
            served.errors().into_iter().map(|line| format!("{who}: the server says: {line}"));
        self.found.problems.extend(found.problems);
        self.found.problems.extend(broke);
        self.found.seen.extend(found.seen);
        self.found.pages += found.pages;
        self.found.pictures += found.pictures;
        Ok(())
    }

    fn end(mut self) -> Result<(), String> {
        for route in self.routes.iter().filter(|route| !self.found.seen.contains(&route.pattern)) {
            self.found.problems.push(format!(
                "nobody came to GET {}: link to it, or give it a path in xtask/src/web/route.rs",
                route.pattern
            ));
        }
        let Found { problems, pages, pictures, .. } = self.found;
        if problems.is_empty() {
            let kept = self.asked.out.as_ref();
            let kept = kept.map(|out| format!("; {pictures} pictures in {}", out.display()));
            println!(
                "{pages} pages of the server in {} routes: nothing to mend{}",
                self.routes.len(),
                kept.unwrap_or_default()
            );
            return Ok(());
        }
        Err(format!("{} problems of pages\n  {}", problems.len(), problems.join("\n  ")))
    }
}

/// Somebody comes in by a link and sets a password, and a second factor if asked; gives the browser in
/// which that was done.
fn come_in(
    browser: &mut Browser,
    served: &Served,
    link: &str,
    factor: bool,
) -> Result<Profile, String> {
    let profile = browser.profile()?;
    let tab = browser.tab(Some(&profile), DESK)?;
    let mut person = Person::new(tab, &served.base, &PathBuf::new(), true)?;
    person.go(link)?;
    set_password(&mut person)?;
    if factor {
        person.go("/account/factor")?;
        let key = code::key(&person.reads()?)?;
        person.fill("Code", &code::now(&key)?)?;
        person.button("Turn it on")?;
    }
    person.tab.close()?;
    Ok(profile)
}

/// One file is brought in with a row that cannot be read, another waits for its owner; gives the pages of
/// the mapping of the one and of the quarantine of the other.
fn hand_in(
    browser: &mut Browser,
    served: &Served,
    profile: &Profile,
    folder: &Path,
) -> Result<[String; 2], String> {
    let tab = browser.tab(Some(profile), DESK)?;
    let mut person = Person::new(tab, &served.base, &PathBuf::new(), true)?;
    let tried = |person: &mut Person<'_>, month: u32| {
        let file = journey::evidence::events(folder, month, true)?;
        person.go("/import")?;
        person.hand_in("A file", &[&file])?;
        person.button("Try it")?;
        person.waits_for("Nothing is kept yet")
    };
    tried(&mut person, 9)?;
    person.link("Say column by column")?;
    let mapping = person.place()?;
    tried(&mut person, 10)?;
    person.button("Bring it in")?;
    person.waits_for("It is in, as entry")?;
    person.link("1 record in quarantine")?;
    let set_aside = person.place()?;
    person.tab.close()?;
    Ok([mapping, set_aside])
}

/// From the page of a link to the first page behind it.
fn set_password(person: &mut Person<'_>) -> Result<(), String> {
    person.button("Come in")?;
    person.fill("New password", PASSWORD)?;
    person.fill("New password, again", PASSWORD)?;
    person.button("Set password")
}

/// The picture that the README shows: the portfolio of the worked example.
///
/// # Errors
/// When it cannot be taken, or is larger than a README should load.
pub fn portrait(program: &Path, browser: &Path, root: &Path) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no folder to work in: {error}"))?;
    let house = House::new(program, scratch.path(), "meridian");
    house.run(&["demo", "--no-serve", "meridian"])?;
    let mut served = house.serve()?;
    let mut browser = Browser::start(browser, &scratch.path().join("profile"))?;
    let link = served.first_link()?;
    let profile = come_in(&mut browser, &served, &link, false)?;
    let (name, width, height, most) = README;
    let file = root.join(name);
    let url = format!("{}/?period=2026-10", served.base);
    let bytes = walk::portrait(&mut browser, &profile, &url, (width, height), &file)?;
    if bytes > most {
        return Err(format!("{name} has {bytes} bytes, {most} are allowed"));
    }
    println!("{name}: {width} by {height}, {bytes} bytes");
    Ok(())
}
