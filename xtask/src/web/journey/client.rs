//! The client's journey: first start, link, password, second factor.

use std::path::Path;

use super::{House, PASSWORD, Trip, code, ensure, set_password};
use crate::browser::Person;

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
    let mut person = trip.person(&served, &own)?;
    first_start(&mut person, &link)?;
    second_factor(&mut person)?;
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
    let read = person.reads()?;
    let key = read.split_whitespace().find(|word| is_key(word));
    let key = key.ok_or_else(|| format!("no key of a second factor in: {read}"))?.to_owned();
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

fn is_key(word: &str) -> bool {
    word.len() >= 26 && word.chars().all(|c| matches!(c, 'A'..='Z' | '2'..='7'))
}

fn sign_in(person: &mut Person<'_>, email: &str, password: &str) -> Result<(), String> {
    person.fill("Mail address", email)?;
    person.fill("Password", password)?;
    person.button("Sign in")
}
