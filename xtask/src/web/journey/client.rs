//! The client's journey: first start, link, password, second factor; evidence with a row that cannot be
//! read, mended and brought in again; a figure opened down to the line of its file; last month beside it;
//! both months assessed, compared and replayed; tables and the pack saved as files.

use std::path::Path;

use super::{House, PASSWORD, Trip, code, ensure, evidence, set_password};
use crate::browser::Person;
use evidence::{DESK, LEVEL};

/// From the first start of a workspace to its month-end.
///
/// # Errors
/// The first step that could not be taken.
pub fn go(trip: &mut Trip<'_>, program: &Path) -> Result<(), String> {
    let house = House::new(program, &trip.folder, "desk");
    house.run(&["init", "desk"])?;
    let mut served = house.serve()?;
    let link = served.first_link()?;
    let own = trip.profile()?;
    let folder = trip.folder.clone();
    let mut person = trip.person(&served, &own)?;
    first_start(&mut person, &link)?;
    second_factor(&mut person)?;
    for register in evidence::registers(&folder)? {
        bring_in(&mut person, &register)?;
    }
    bring_in(&mut person, &evidence::events(&folder, 9, false)?)?;
    rejected_and_mended(&mut person, &folder)?;
    down_to_the_line(&mut person)?;
    last_month(&mut person)?;
    assessed_and_compared(&mut person)?;
    saved(&mut person)?;
    let errors = served.errors();
    ensure(errors.is_empty(), || format!("the server says: {errors:?}"))
}

/// The link lets in once, a password is set, and the empty workspace says what to bring.
fn first_start(person: &mut Person<'_>, link: &str) -> Result<(), String> {
    ensure(person.go("/")? == 200 && person.heading()? == "Sign in", || {
        "who is not signed in is not asked to".to_owned()
    })?;
    person.go(link)?;
    person.sees("once")?;
    set_password(person)?;
    person.sees("Import")?;
    person.go(link)?;
    ensure(person.heading()? == "This link lets nobody in", || "the link lets in twice".to_owned())
}

/// A second factor is set up and asked for at the next sign-in; a code is taken once.
fn second_factor(person: &mut Person<'_>) -> Result<(), String> {
    person.go("/account")?;
    let email = after(&person.reads()?, "Mail address")?;
    person.link("Set one up")?;
    let key = code::key(&person.reads()?)?;
    person.fill("Code", "000000")?;
    person.button("Turn it on")?;
    person.sees("does not fit")?;
    person.fill("Code", &code::now(&key)?)?;
    person.button("Turn it on")?;
    person.sees("recovery codes")?;
    person.button("Sign out")?;
    sign_in(person, &email, "not the password at all")?;
    person.sees("is wrong")?;
    sign_in(person, &email, PASSWORD)?;
    ensure(person.heading()? == "Second factor", || "no second factor is asked for".to_owned())?;
    person.go("/")?;
    ensure(person.heading()? == "Sign in", || "half a sign-in opens a page".to_owned())?;
    sign_in(person, &email, PASSWORD)?;
    // The code of this half minute was taken when the factor was set up.
    let code = code::next(&key)?;
    person.fill("Code", &code)?;
    person.button("Go on")?;
    ensure(person.place()? == "/", || "the second factor leads nowhere".to_owned())
}

/// The word after some words of a page.
fn after(read: &str, words: &str) -> Result<String, String> {
    let found = read.split_once(words).and_then(|(_, rest)| rest.split_whitespace().next());
    found.map(str::to_owned).ok_or_else(|| format!("nothing stands after `{words}` in: {read}"))
}

fn sign_in(person: &mut Person<'_>, email: &str, password: &str) -> Result<(), String> {
    person.fill("Mail address", email)?;
    person.fill("Password", password)?;
    person.button("Sign in")
}

/// Hands a file in and looks at what it says; nothing is kept yet.
fn try_in(person: &mut Person<'_>, file: &Path) -> Result<(), String> {
    person.link("Import")?;
    person.hand_in("A file", &[file])?;
    person.button("Try it")?;
    person.waits_for("Nothing is kept yet")
}

/// Brings a file in as it is.
fn bring_in(person: &mut Person<'_>, file: &Path) -> Result<(), String> {
    try_in(person, file)?;
    person.sees(" 0 set aside")?;
    person.button("Bring it in")?;
    person.waits_for("It is in, as entry")
}

/// October comes with a row whose time has no offset: the trial names it, quarantine holds it, and the
/// mended file adds that row and no other.
fn rejected_and_mended(person: &mut Person<'_>, folder: &Path) -> Result<(), String> {
    try_in(person, &evidence::events(folder, 10, true)?)?;
    person.sees("23 would be taken, 1 set aside")?;
    person.sees("2026-10-12T10:00:00")?;
    person.button("Bring it in")?;
    person.waits_for("It is in, as entry")?;
    person.link("1 record in quarantine")?;
    person.sees("the time has no offset")?;
    person.sees("letter-10-5")?;
    person.go("/?period=2026-10")?;
    try_in(person, &evidence::events(folder, 10, false)?)?;
    person.sees("24 records read")?;
    person.button("Bring it in")?;
    person.waits_for("It is in, as entry")?;
    let read = person.reads()?;
    ensure(read.contains("Accepted 1 ") && read.contains("Known before 23 "), || {
        format!("the mended file is not one row new and 23 known: {read}")
    })
}

/// From the portfolio to the arrangement, its service level, a case, and the line that it was read from.
fn down_to_the_line(person: &mut Person<'_>) -> Result<(), String> {
    person.go("/?period=2026-10")?;
    person.link(DESK)?;
    person.sees("below minimum")?;
    person.link("Answered within four hours")?;
    person.sees("9 of 12")?;
    ensure(person.place()?.contains(LEVEL), || "another service level came".to_owned())?;
    person.unfold("the rows behind the figure")?;
    let links = person.links()?;
    // The first stands beside the target: the row of the register that states it.
    let row = links.iter().rev().find(|name| is_reference(name));
    let row = row.ok_or_else(|| format!("no row behind the figure among {links:?}"))?.clone();
    person.link(&row)?;
    person.sees("SHA-256")?;
    person.sees("letter-desk,log,letter-10-")
}

/// `12:345`.
fn is_reference(name: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once(':').is_some_and(|(entry, record)| number(entry) && number(record))
}

/// The same page of the month before, by its field.
fn last_month(person: &mut Person<'_>) -> Result<(), String> {
    person.go(&format!("/arrangements/{DESK}/service-levels/{LEVEL}?period=2026-10"))?;
    person.fill("Period", "2026-09")?;
    person.button("Show")?;
    person.sees("12 of 12")
}

/// Both months are assessed and kept; what changed between them names the service level; the later one,
/// worked out again, gives the same bytes; its pack comes as a page to print and as a workbook.
fn assessed_and_compared(person: &mut Person<'_>) -> Result<(), String> {
    for month in ["2026-09", "2026-10"] {
        person.go(&format!("/arrangements/{DESK}?period={month}"))?;
        person.button("Assess now and keep")?;
        person.sees("ledger entry")?;
    }
    let kept = person.place()?;
    person.button("Compare")?;
    person.sees("service-levels-met")?;
    person.sees("deficient")?;
    person.go(&kept)?;
    person.button("Work it out again and compare")?;
    person.sees("The same bytes.")?;
    person.link("report to read and print")?;
    person.sees("Answered within four hours")?;
    person.go(&kept)?;
    let (name, path) = person.download("XLSX")?;
    let bytes = std::fs::read(&path).map_err(|error| format!("{name}: {error}"))?;
    ensure(bytes.starts_with(b"PK"), || format!("`{name}` is no workbook"))
}

/// A table saved as a file, and the file holds what the page shows.
fn saved(person: &mut Person<'_>) -> Result<(), String> {
    person.go(&format!("/arrangements/{DESK}?period=2026-10"))?;
    for (format, ending) in [("CSV", "csv"), ("XLSX", "xlsx")] {
        let (name, path) = person.download(format)?;
        ensure(name.ends_with(&format!(".{ending}")), || format!("{format} came as `{name}`"))?;
        let bytes = std::fs::read(&path).map_err(|error| format!("{name}: {error}"))?;
        let fits = match ending {
            "csv" => String::from_utf8_lossy(&bytes).contains(DESK),
            _ => bytes.starts_with(b"PK"),
        };
        ensure(fits, || format!("`{name}` does not hold the table"))?;
    }
    Ok(())
}
