//! The provider's journey: its account manager sees its own arrangements, and tries to see another's.

use std::path::Path;

use super::{House, Trip, ensure, set_password};
use crate::browser::Person;

/// The provider, its arrangements, and words that belong to the others.
const OWN: &str = "payroll-manila";
const OTHERS: [&str; 7] =
    ["claims", "accounts-payable", "service-desk", "neelavana", "kopiec", "threeskies", "Chennai"];

/// From the link to every way to another's data.
///
/// # Errors
/// The first step that could not be taken; anything of another's that was seen.
pub fn go(trip: &mut Trip<'_>, program: &Path) -> Result<(), String> {
    let house = House::new(program, &trip.folder, "meridian");
    house.run(&["demo", "--no-serve", "meridian"])?;
    let grants = ["provider-account-manager@provider:talahib"];
    let link = house.account("tala@talahib.example", "Tala Reyes", Some("talahib"), &grants)?;
    let served = house.serve()?;
    let own = trip.profile()?;
    let mut person = trip.person(&served, &own)?;
    person.go(&link)?;
    set_password(&mut person)?;
    own_pages(&mut person)?;
    by_link(&mut person)?;
    by_interface(&mut person)?;
    by_search(&mut person)?;
    let errors = served.errors();
    ensure(errors.is_empty(), || format!("the server says: {errors:?}"))
}

fn nothing_of_others(person: &mut Person<'_>) -> Result<(), String> {
    OTHERS.iter().try_for_each(|word| person.sees_nothing_of(word))
}

/// The portfolio holds its arrangements and nobody else's, and so does every page that it links to.
fn own_pages(person: &mut Person<'_>) -> Result<(), String> {
    person.go("/?period=2026-10")?;
    person.sees(OWN)?;
    nothing_of_others(person)?;
    person.link(OWN)?;
    nothing_of_others(person)?;
    person.sees("Findings")
}

/// The interface for machines, asked with the session of the page.
fn by_interface(person: &mut Person<'_>) -> Result<(), String> {
    for path in [
        "/api/v1/arrangements/claims/assessment",
        "/api/v1/arrangements/claims/findings",
        "/api/v1/arrangements/claims/service-levels",
        "/api/v1/tables/case_event/rows?arrangement=claims",
        "/api/v1/tables/provider/rows",
        "/api/v1/tables/arrangement/rows",
        "/api/v1/sql?q=SELECT%20*%20FROM%20arrangement",
        "/api/v1/arrangements?period=2026-10",
        "/api/v1/ledger/entries",
        "/api/v1/assessments",
    ] {
        let status = person.go(path)?;
        ensure(matches!(status, 200 | 403 | 404), || format!("{path} is answered by {status}"))?;
        let asked = path.contains("claims");
        ensure(!asked || status == 404 || person.reads()?.contains("\"items\":[]"), || {
            format!("{path} is answered by {status}")
        })?;
        nothing_of_others(person)?;
    }
    Ok(())
}

/// The search, for words of another's, when there is one.
fn by_search(person: &mut Person<'_>) -> Result<(), String> {
    for word in ["claims", "neelavana", "kopiec"] {
        let status = person.go(&format!("/search?q={word}"))?;
        ensure(matches!(status, 200 | 404), || format!("searching is answered by {status}"))?;
        // The page repeats what was asked for, and says it of nothing else.
        let rest = person.reads()?.replace(word, "");
        for other in OTHERS {
            ensure(!rest.contains(other), || format!("searching for `{word}` finds `{other}`"))?;
        }
    }
    Ok(())
}

/// Another's pages, by their addresses.
fn by_link(person: &mut Person<'_>) -> Result<(), String> {
    for path in [
        "/arrangements/claims",
        "/arrangements/claims/evidence",
        "/arrangements/claims/controls/service-levels-met",
        "/arrangements/no-such-arrangement",
        "/rows/8:1",
        "/people",
    ] {
        let status = person.go(path)?;
        ensure(matches!(status, 403 | 404), || format!("{path} is answered by {status}"))?;
        nothing_of_others(person)?;
    }
    Ok(())
}
