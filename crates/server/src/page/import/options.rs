//! How a file is to be read: the fields in which it is said, and what was said in them.

use backstay_evidence::options::{Fold, TextEncoding};
use backstay_report::html::piece;
use maud::{Markup, html};

use super::right;
use crate::{
    asked::{Asked, Texts},
    job::{By, Open, Reader, Wish, offered_names},
    problem::ProblemError,
};

const FOLDS: [(&str, &str, Fold); 3] = [
    ("", "its record is set aside", Fold::Refuse),
    ("earlier", "the earlier of the two instants", Fold::Earlier),
    ("later", "the later of the two", Fold::Later),
];
const ENCODINGS: [(&str, TextEncoding); 4] = [
    ("utf-8", TextEncoding::Utf8),
    ("latin-1", TextEncoding::Latin1),
    ("utf-16le", TextEncoding::Utf16Le),
    ("utf-16be", TextEncoding::Utf16Be),
];

/// A choice of words; the first is what holds when nothing is chosen.
pub fn choice(
    id: &str,
    label: &str,
    options: impl IntoIterator<Item = (String, String)>,
    chosen: &str,
) -> Markup {
    html! {
        div {
            label for=(id) { (label) }
            select id=(id) name=(id) {
                @for (value, word) in options { option value=(value) selected[value == chosen] { (word) } }
            }
        }
    }
}

/// A choice that must be made, under a name that another field of the page has too.
fn named_choice(
    id: &str,
    name: &str,
    label: &str,
    options: impl IntoIterator<Item = (String, String)>,
) -> Markup {
    html! {
        div {
            label for=(id) { (label) }
            select id=(id) name=(name) required { @for (value, word) in options { option value=(value) { (word) } } }
        }
    }
}

/// What is wrong with a field, beside it.
fn wrong(field: &str, told: Option<(&str, &str)>) -> Option<String> {
    told.filter(|(of, _)| *of == field).map(|(_, what)| what.to_owned())
}

/// A line of text, with what is wrong with it.
pub fn line(
    id: &str,
    label: &str,
    value: &str,
    example: &str,
    told: Option<(&str, &str)>,
) -> Markup {
    let wrong = wrong(id, told);
    html! {
        div {
            label for=(id) { (label) }
            input id=(id) name=(id) value=(value) placeholder=(example) maxlength="200"
                aria-invalid=[wrong.as_ref().map(|_| "true")]
                aria-describedby=[wrong.as_ref().map(|_| format!("{id}-wrong"))];
            @if let Some(wrong) = wrong { p.wrong id={ (id) "-wrong" } { (piece::sentence(&piece::capital(&wrong))) } }
        }
    }
}

fn pairs(names: impl IntoIterator<Item = String>) -> impl Iterator<Item = (String, String)> {
    names.into_iter().map(|name| (name.clone(), name))
}

/// The fields; `told`: a field, and what is wrong with it.
pub fn fields(asked: &Asked<'_>, wish: &Wish, told: Option<(&str, &str)>) -> Markup {
    let first = |word: &str| (String::new(), word.to_owned());
    let importable = right::importable(asked);
    let (mapping, table) = match &wish.by {
        By::Mapping(name) => (name.as_str(), ""),
        By::Table(name) => ("", name.as_str()),
        _ => ("", ""),
    };
    let names = offered_names(asked).unwrap_or_default();
    let mappings = names.into_iter().map(|(name, reader)| {
        let of = match reader {
            Reader::OfWorkspace(_) => "of this workspace",
            _ => "of this release",
        };
        (name.clone(), format!("{name} ({of})"))
    });
    let tables = right::tables(asked);
    let tables = tables.iter().map(|t| (t.name.clone(), format!("{} ({})", t.name, t.title)));
    let fold = match wish.fold {
        Some(Fold::Earlier) => "earlier",
        Some(Fold::Later) => "later",
        _ => "",
    };
    let folds = FOLDS.iter().map(|(value, word, _)| ((*value).to_owned(), (*word).to_owned()));
    let encoding = wish.encoding.map_or("", TextEncoding::name);
    let encodings = pairs(ENCODINGS.iter().map(|(name, _)| (*name).to_owned()));
    html! {
        div.grid {
            (choice("arrangement", "Arrangement of all rows", std::iter::once(first("as the file says")).chain(pairs(importable)), wish.arrangement.as_deref().unwrap_or_default()))
            (choice("mapping", "Mapping", std::iter::once(first("found by itself")).chain(mappings), mapping))
            (choice("table", "Table", std::iter::once(first("found by itself")).chain(tables), table))
            (line("zone", "Time zone of times without offset", wish.zone.as_deref().unwrap_or_default(), "Europe/Lisbon", told))
            (choice("fold", "A time that occurs twice when clocks go back", folds, fold))
            (choice("encoding", "Encoding", std::iter::once(first("found by itself")).chain(encodings), encoding))
            (line("party", "Party that ids of people belong to", wish.party.as_deref().unwrap_or_default(), "the row’s arrangement", told))
            (same(wish, told))
        }
        @if wish.allow_duplicate_log || told.is_some_and(|(field, _)| field == "keep_both") {
            p { label.check { input type="checkbox" name="keep_both" value="yes" checked[wish.allow_duplicate_log];
                " Keep it beside the other: both logs stay, and controls on either stay untested" } }
        }
    }
}

/// The fields that a file leaves open; what was said in the others goes along.
pub fn asked_for(asked: &Asked<'_>, wish: &Wish, open: &[Open]) -> Markup {
    let first = |word: &str| (String::new(), word.to_owned());
    let arrangement = open.contains(&Open::Arrangement);
    let zone = open.contains(&Open::Zone);
    let (mapping, table) = match &wish.by {
        By::Mapping(name) => (name.as_str(), ""),
        By::Table(name) => ("", name.as_str()),
        _ => ("", ""),
    };
    let fold =
        FOLDS.iter().find(|(.., fold)| Some(*fold) == wish.fold).map_or("", |(word, ..)| word);
    let said = [
        ("mapping", mapping),
        ("table", table),
        ("fold", fold),
        ("encoding", wish.encoding.map_or("", TextEncoding::name)),
        ("party", wish.party.as_deref().unwrap_or_default()),
        ("set", wish.set.as_str()),
        ("keep_both", if wish.allow_duplicate_log { "yes" } else { "" }),
    ];
    let none = std::iter::once(first("choose one"));
    html! {
        div.grid {
            @if arrangement { (named_choice("say-arrangement", "arrangement", "Which arrangement its rows belong to", none.chain(pairs(right::importable(asked))))) }
            @else { input type="hidden" name="arrangement" value=(wish.arrangement.as_deref().unwrap_or_default()); }
            @if zone {
                div {
                    label for="say-zone" { "The zone of its times, which have no offset and are shown as if in UTC" }
                    input #say-zone name="zone" required maxlength="200" placeholder="Europe/Lisbon";
                }
            } @else { input type="hidden" name="zone" value=(wish.zone.as_deref().unwrap_or_default()); }
        }
        @for (name, value) in said { @if !value.is_empty() { input type="hidden" name=(name) value=(value); } }
    }
}

fn same(wish: &Wish, told: Option<(&str, &str)>) -> Markup {
    let wrong = wrong("set", told);
    html! {
        div {
            label for="set" { "The same in every row" }
            textarea #set name="set" rows="2" placeholder="column=value, one a line"
                aria-invalid=[wrong.as_ref().map(|_| "true")]
                aria-describedby=[wrong.as_ref().map(|_| "set-wrong")] { (wish.set) }
            @if let Some(wrong) = wrong { p.wrong #set-wrong { (piece::sentence(&piece::capital(&wrong))) } }
        }
    }
}

/// What the fields of a form, or of a query, say.
///
/// # Errors
/// A choice that the form does not offer.
pub fn wish(asked: &Asked<'_>, said: &Texts) -> Result<Wish, ProblemError> {
    let field = |name: &str| said.get(name).map(String::as_str).unwrap_or_default();
    let text = |name: &str| Some(field(name).trim().to_owned()).filter(|text| !text.is_empty());
    let importable = right::importable(asked);
    let only = (importable.len() == 1 && !right::may_share(asked)).then(|| importable.first());
    let by = match (text("mapping"), text("table")) {
        (Some(_), Some(_)) => {
            return Err(ProblemError::unclear(
                "A mapping and a table were both chosen; a table is for a file that needs no mapping.",
            ));
        }
        (Some(mapping), None) => By::Mapping(mapping),
        (None, Some(table)) => By::Table(table),
        (None, None) => By::Found,
    };
    let strange = |what: &str| ProblemError::unclear(format!("There is no such {what}."));
    let fold = match field("fold") {
        "" => None,
        word => Some(
            FOLDS
                .iter()
                .find(|(value, ..)| *value == word)
                .map(|(_, _, fold)| *fold)
                .ok_or_else(|| strange("choice of a time that occurs twice"))?,
        ),
    };
    let encoding = match field("encoding") {
        "" => None,
        word => Some(
            ENCODINGS
                .iter()
                .find(|(name, _)| *name == word)
                .map(|(_, encoding)| *encoding)
                .ok_or_else(|| strange("encoding"))?,
        ),
    };
    Ok(Wish {
        by,
        arrangement: text("arrangement"),
        only_arrangement: only.flatten().cloned(),
        set: field("set").trim().to_owned(),
        zone: text("zone"),
        fold,
        encoding,
        party: text("party"),
        allow_duplicate_log: field("keep_both") == "yes",
    })
}
