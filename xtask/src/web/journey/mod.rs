//! Journeys: what people do from the first start of a workspace to the month-end, in a real browser and
//! before the real server. Each is made twice, the second time with scripts switched off.

mod client;
pub mod evidence;
mod provider;

use std::path::{Path, PathBuf};

use super::{
    PASSWORD, code,
    house::{House, Served},
    set_password,
};
use crate::browser::{Browser, Person, Profile, Screen};

/// The screen of a desk.
const DESK: Screen = Screen { width: 1_280, dark: false, print: false };

/// Makes every journey.
///
/// # Errors
/// The first step that could not be taken, with what stood there instead.
pub fn run(program: &Path, browser: &Path) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no folder to work in: {error}"))?;
    let mut browser = Browser::start(browser, &scratch.path().join("profile"))?;
    for (scripts, name) in [(true, "with scripts"), (false, "without scripts")] {
        let folder = scratch.path().join(name.replace(' ', "-"));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let mut trip = Trip { browser: &mut browser, folder, scripts };
        client::go(&mut trip, program).map_err(|why| format!("client's journey {name}: {why}"))?;
        provider::go(&mut trip, program)
            .map_err(|why| format!("provider's journey {name}: {why}"))?;
        println!("journeys {name}: the client's and the provider's, to their ends");
    }
    Ok(())
}

/// What a journey has with it.
struct Trip<'t> {
    browser: &'t mut Browser,
    folder: PathBuf,
    scripts: bool,
}

impl Trip<'_> {
    /// Somebody with a browser of their own.
    fn person(&mut self, served: &Served, profile: &Profile) -> Result<Person<'_>, String> {
        let downloads = self.folder.join("downloads");
        self.browser.keep_downloads(profile, &downloads)?;
        let tab = self.browser.tab(Some(profile), DESK)?;
        Person::new(tab, &served.base, &downloads, self.scripts)
    }

    fn profile(&mut self) -> Result<Profile, String> {
        self.browser.profile()
    }
}

/// What was wanted, or what was there instead.
fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
