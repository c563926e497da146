//! What a file may touch: the policies are asked about every table and arrangement that its rows name, and
//! about the parties of its people. What is said of a refusal names no arrangement.

use std::collections::BTreeSet;

use backstay_access::{Action, Authority, Principal, Privacy, Resource};
use backstay_desk::mapping::LOOK_ARRANGEMENT;
use backstay_evidence::{Vocabulary, vocabulary::Privacy as Class};

use super::{Open, Tried};

/// The highest class among a table's columns.
fn class(vocabulary: &Vocabulary, table: &str) -> Privacy {
    let columns = vocabulary.table(table).into_iter().flat_map(|table| &table.columns);
    match columns.map(|column| column.privacy).max() {
        // What was rejected names its case at most.
        None | Some(Class::Internal) => Privacy::Internal,
        Some(Class::Open) => Privacy::Open,
        Some(Class::Personal) => Privacy::Personal,
        Some(Class::Secret) => Privacy::Secret,
    }
}

/// Why somebody may not bring in what a file holds; nothing when they may.
pub fn refusal(
    authority: &Authority<'_>,
    principal: &Principal,
    vocabulary: &Vocabulary,
    tried: &Tried,
) -> Option<String> {
    let open = tried.open.contains(&Open::Arrangement);
    let (mut shared, mut foreign) = (BTreeSet::new(), false);
    for (table, arrangement) in &tried.trial.touched.rows {
        // It stands for an arrangement that is still to be said.
        if open && arrangement == LOOK_ARRANGEMENT {
            continue;
        }
        let of = (!arrangement.is_empty()).then_some(arrangement.as_str());
        let rows = Resource::Rows { arrangement: of, privacy: class(vocabulary, table) };
        if authority.may(Action::ImportCreate, &rows) {
            continue;
        }
        match of {
            None => drop(shared.insert(table.as_str())),
            Some(_) => foreign = true,
        }
    }
    if foreign {
        return Some(
            "This file holds rows of an arrangement that you may not bring evidence for. It is refused as \
             a whole, and nothing of it is kept."
                .to_owned(),
        );
    }
    if !shared.is_empty() {
        let named: Vec<String> = shared.iter().map(|table| format!("`{table}`")).collect();
        return Some(format!(
            "This file holds rows of {}, which all arrangements share and you may not bring in. It is \
             refused as a whole, and nothing of it is kept.",
            named.join(", ")
        ));
    }
    foreign_people(authority, principal, tried)
}

/// Ids of people count as those of a party: a provider's people speak of their own party alone, so that
/// nobody joins another's people to theirs.
fn foreign_people(
    authority: &Authority<'_>,
    principal: &Principal,
    tried: &Tried,
) -> Option<String> {
    let provider = principal.provider.as_deref()?;
    let own = authority.visible_for(Action::ImportCreate);
    let open = tried.open.contains(&Open::Arrangement);
    let known = |party: &String| {
        party == provider || own.contains(party) || (open && party == LOOK_ARRANGEMENT)
    };
    let foreign = tried.trial.touched.parties.iter().any(|party| !known(party));
    foreign.then(|| {
        "This file counts ids of people as those of a party that is not yours. Leave the party out, or name \
         your own; nothing of the file is kept."
            .to_owned()
    })
}
