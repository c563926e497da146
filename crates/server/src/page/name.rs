//! The name behind a pseudonym, for those who may ask: that somebody asked, and why, is in the ledger
//! before the name is on the page. It must never put a name anywhere else.

use backstay_access::{Action, Resource};
use backstay_desk::name::{check, occurs};
use backstay_report::html::piece;
use backstay_store::StoreError;
use maud::html;

use super::{enter::field, frame};
use crate::{
    answer::Answer,
    asked::Asked,
    figures::{period, seen},
    problem::ProblemError,
};

type Done = Result<Answer, ProblemError>;

/// Where somebody may ask for names.
enum Reach {
    /// Of whomever.
    Anywhere,
    /// Of people whom the evidence of these arrangements names.
    Among(Vec<String>),
}

fn reach(asked: &Asked<'_>) -> Result<Reach, ProblemError> {
    let authority = asked.authority()?;
    let anywhere =
        authority.decide(Action::NameReveal, &Resource::PersonName { arrangement: None });
    if anywhere.allowed {
        return Ok(Reach::Anywhere);
    }
    let mut among: Vec<String> = authority.visible().into_iter().collect();
    among.retain(|id| {
        asked.may(Action::NameReveal, &Resource::PersonName { arrangement: Some(id) })
    });
    match among.is_empty() {
        true => Err(ProblemError::refused(anywhere.refusal)),
        false => Ok(Reach::Among(among)),
    }
}

/// The question.
pub fn show(asked: &Asked<'_>) -> Done {
    reach(asked)?;
    Ok(form(asked, asked.query("pseudonym").unwrap_or_default(), None))
}

fn form(asked: &Asked<'_>, pseudonym: &str, wrong: Option<&str>) -> Answer {
    let body = html! {
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        p { "Evidence holds pseudonyms. That you ask for the name behind one, and why, is written into the ledger first; name no person in the reason." }
        form.narrow method="post" action="/names" {
            (frame::token(asked))
            div.field { label for="pseudonym" { "Pseudonym" } input #pseudonym name="pseudonym" value=(pseudonym) autocomplete="off" required; }
            (field("reason", "Reason", "text", "off"))
            button { "Show the name" }
        }
    };
    Answer::page("Name behind a pseudonym", body)
}

/// The answer.
pub fn reveal(asked: &Asked<'_>) -> Done {
    let reach = reach(asked)?;
    let (pseudonym, reason) = (asked.field("pseudonym").trim(), asked.field("reason"));
    if check(pseudonym).is_err() {
        // What was written may be a name, so it is not written back.
        let wrong = "That is not a pseudonym: it is `p-` and 40 digits from 0 to 9 and a to f.";
        return Ok(form(asked, "", Some(wrong)));
    }
    let unknown = "No name is kept behind that pseudonym, or it is not open to you.";
    if let Reach::Among(ids) = reach {
        let seen = seen(asked, &ids.into_iter().collect())?;
        let named = match &seen {
            Some(seen) => occurs(seen, period(asked, seen)?, pseudonym)?,
            None => false,
        };
        if !named {
            return Ok(form(asked, pseudonym, Some(unknown)));
        }
    }
    let workspace = &asked.server.workspace;
    let shown = asked.with_context(|ctx| {
        Ok::<_, ProblemError>(match workspace.reveal(pseudonym, reason, ctx) {
            Ok(shown) => Ok(shown),
            Err(StoreError::NoReason) => Err("Give a reason."),
            Err(StoreError::NoPerson(_)) => Err(unknown),
            Err(other) => return Err(other.into()),
        })
    })?;
    let shown = match shown {
        Ok(shown) => shown,
        Err(wrong) => return Ok(form(asked, pseudonym, Some(wrong))),
    };
    let body = html! {
        p.lead { "Behind " code { (shown.pseudonym) } " stands " strong { (piece::name(&shown.id)) } "." }
        dl.facts {
            div { dt { "Kind of id" } dd { (piece::name(&shown.id_kind)) } }
            div { dt { "Given by" } dd { (piece::name(&shown.party)) } }
            div { dt { "That you asked is entry" } dd { a href="/ledger" { (shown.entry) } } }
        }
    };
    Ok(Answer::page("Name behind a pseudonym", body))
}
