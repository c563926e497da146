//! The whole table role × action × resource as one reviewed snapshot. A change of a policy shows here
//! as a changed line; review it as you would review a contract.

use std::fmt::Write as _;

use backstay_access::{
    Action, Authority, Grant, Policies, Portfolio, Principal, Privacy, Resource, Role, Scope, Visit,
};

/// `desk` and `claims` are north's, `payroll` is south's, `moved` went from north to south.
pub fn portfolio() -> Portfolio {
    Portfolio::new([
        ("desk", "north"),
        ("claims", "north"),
        ("payroll", "south"),
        ("moved", "north"),
        ("moved", "south"),
    ])
}

const ARRANGEMENTS: [&str; 4] = ["desk", "claims", "payroll", "moved"];

fn visit() -> Visit {
    Visit { second_factor: true, token: None }
}

/// What one cell says: `yes`, the highest class of columns, or nothing.
fn cell(authority: &Authority<'_>, action: Action, arrangement: Option<&str>) -> String {
    if let Some(id) = arrangement
        && authority.may(action, &Resource::Arrangement(id))
    {
        return "yes".into();
    }
    match authority.ceiling(action, arrangement) {
        Some(Privacy::Secret) => "all".into(),
        Some(class) => format!("to {}", class.as_str()),
        None if authority.may(action, &Resource::PersonName { arrangement }) => "yes".into(),
        None => String::new(),
    }
}

fn others(authority: &Authority<'_>, action: Action, own: Option<&str>) -> (String, String) {
    let workspace = match authority.may(action, &Resource::Workspace) {
        true => "yes".into(),
        false => String::new(),
    };
    let mut accounts = Vec::new();
    for (name, id, provider) in
        [("own", "a-1", own), ("client's", "a-2", None), ("north's", "a-3", Some("north"))]
    {
        if authority.may(action, &Resource::Account { id, provider }) {
            accounts.push(name);
        }
    }
    (workspace, accounts.join(", "))
}

fn section(page: &mut String, role: Role, scope: &Scope) {
    let mut principal =
        Principal::new("a-1", [Grant::new(role, scope.clone())]).with_visit(visit());
    if role == Role::ProviderAccountManager {
        principal = principal.of_provider("north");
    }
    let portfolio = portfolio();
    let authority = Policies::built_in().unwrap().authority(&principal, &portfolio).unwrap();
    writeln!(page, "\n### {role} on {scope}\n").unwrap();
    let seen: Vec<String> = authority.visible().into_iter().collect();
    writeln!(page, "Sees: {}.\n", if seen.is_empty() { "nothing".into() } else { seen.join(", ") })
        .unwrap();
    writeln!(page, "| action | desk | claims | payroll | moved | shared | workspace | accounts |")
        .unwrap();
    writeln!(page, "|---|---|---|---|---|---|---|---|").unwrap();
    let (mut never, mut own) = (Vec::new(), Vec::new());
    for action in Action::ALL {
        let mut cells: Vec<String> =
            ARRANGEMENTS.iter().map(|id| cell(&authority, *action, Some(id))).collect();
        cells.push(cell(&authority, *action, None));
        let (workspace, accounts) = others(&authority, *action, principal.provider.as_deref());
        cells.extend([workspace, accounts]);
        if cells.iter().all(String::is_empty) {
            never.push(action.as_str());
        } else if cells.concat() == "own" {
            own.push(action.as_str());
        } else {
            writeln!(page, "| {action} | {} |", cells.join(" | ")).unwrap();
        }
    }
    writeln!(page, "\nOn the own account alone: {}.", own.join(", ")).unwrap();
    writeln!(page, "\nNever: {}.", never.join(", ")).unwrap();
}

#[test]
fn the_whole_table_is_as_it_was_reviewed() {
    let mut page = String::from(
        "# Who may do what\n\n\
         Signed in with a second factor. North holds `desk` and `claims`, south `payroll`; `moved` \
         went from north to south. A cell says `yes`, or up to which privacy class of columns \
         (`all`: secret ones too). `shared`: tables without an arrangement.\n",
    );
    for role in Role::ALL {
        writeln!(page, "\n## {}\n\n{}.", role.title(), role.about()).unwrap();
        let scopes: &[Scope] = match role {
            Role::Administrator => &[Scope::All],
            Role::ProviderAccountManager => {
                &[Scope::Provider("north".into()), Scope::Arrangement("desk".into())]
            }
            _ => &[Scope::All, Scope::Provider("north".into()), Scope::Arrangement("desk".into())],
        };
        for scope in scopes {
            section(&mut page, role, scope);
        }
    }
    insta::assert_snapshot!("who_may_do_what", page);
}

#[test]
fn every_action_is_open_to_somebody() {
    let portfolio = portfolio();
    for action in Action::ALL {
        let may = Role::ALL.into_iter().any(|role| {
            let principal =
                Principal::new("a-1", [Grant::new(role, Scope::All)]).with_visit(visit());
            let authority =
                Policies::built_in().unwrap().authority(&principal, &portfolio).unwrap();
            let (workspace, accounts) = others(&authority, *action, None);
            !(cell(&authority, *action, Some("desk")) + &workspace + &accounts).is_empty()
        });
        assert!(may, "{action}");
    }
}
