//! The routes of the server, as `backstay serve --routes` lists them, and which of them a path belongs
//! to. A route that nobody looked at is found by what is left.

use super::house::House;

/// Paths of routes that no page links to, and what is asked there instead of a page that is found by
/// its links.
const BY_HAND: &[(&str, &str)] = &[
    ("/healthz", "/healthz"),
    ("/metrics", "/metrics"),
    ("/search", "/search?q=claims"),
    ("/sign-in", "/sign-in"),
    ("/sign-in/code", "/sign-in/code"),
    ("/enter/{secret}", "/enter/0000000000000000000000000000000000000000000000000000000000000000"),
];

/// Routes that every page loads by itself.
const LOADED: &[&str] = &["/style/{digest}"];

/// A route that can be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its path, with `{name}` for its parts.
    pub pattern: String,
    /// Whether nobody need be signed in.
    pub open: bool,
}

impl Route {
    /// A name for its pictures.
    pub fn name(&self) -> String {
        let words: Vec<&str> = self
            .pattern
            .split('/')
            .map(|part| part.trim_matches(['{', '}', '*']))
            .filter(|part| !part.is_empty())
            .collect();
        if words.is_empty() { "portfolio".to_owned() } else { words.join("-").replace('.', "-") }
    }

    /// Whether a path belongs to it.
    pub fn fits(&self, path: &str) -> bool {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let (ours, theirs): (Vec<&str>, Vec<&str>) =
            (self.pattern.split('/').collect(), path.split('/').collect());
        let same = |(ours, theirs): (&&str, &&str)| {
            ours == theirs || ours.contains('{') && fits_part(ours, theirs)
        };
        ours.len() == theirs.len() && ours.iter().zip(&theirs).all(same)
    }

    /// A path of it that no page links to.
    pub fn by_hand(&self) -> Option<&'static str> {
        BY_HAND.iter().find(|(pattern, _)| *pattern == self.pattern).map(|(_, path)| *path)
    }
}

/// `{name}` or `{name}.csv` beside a part of a path.
fn fits_part(ours: &str, theirs: &str) -> bool {
    let (before, rest) = ours.split_once('{').unwrap_or((ours, ""));
    let after = rest.split_once('}').map(|(_, after)| after).unwrap_or_default();
    theirs.len() > before.len() + after.len()
        && theirs.starts_with(before)
        && theirs.ends_with(after)
}

/// Routes that are pages or files: everything that is got and is not for machines.
///
/// # Errors
/// When the product does not list them.
pub fn list(house: &House) -> Result<Vec<Route>, String> {
    let told = house.run(&["serve", "--routes"])?;
    let routes: Vec<Route> = told.lines().filter_map(read).collect();
    if routes.len() < 10 {
        return Err(format!("`backstay serve --routes` lists no routes: {told}"));
    }
    Ok(routes)
}

/// `GET /path  open`.
fn read(line: &str) -> Option<Route> {
    let mut words = line.split_whitespace();
    let (method, pattern, right) = (words.next()?, words.next()?, words.next()?);
    let page = method == "GET" && !pattern.starts_with("/api/") && !LOADED.contains(&pattern);
    page.then(|| Route { pattern: pattern.to_owned(), open: right == "open" })
}

/// The route of a path: the one with the fewest parts left open.
pub fn of<'r>(routes: &'r [Route], path: &str) -> Option<&'r Route> {
    let fit = routes.iter().filter(|route| route.fits(path));
    fit.min_by_key(|route| route.pattern.matches('{').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(pattern: &str) -> Route {
        Route { pattern: pattern.to_owned(), open: false }
    }

    #[test]
    fn a_path_belongs_to_the_route_with_the_fewest_open_parts() {
        let routes = ["/", "/a/{x}", "/a/new", "/a/{x}/b", "/e/{x}.csv"].map(route);
        let found = |path| of(&routes, path).map(|route| route.pattern.as_str());
        assert_eq!(found("/?period=2026-10"), Some("/"));
        assert_eq!(found("/a/new"), Some("/a/new"));
        assert_eq!(found("/a/1%2F2#here"), Some("/a/{x}"));
        assert_eq!(found("/a/1/b"), Some("/a/{x}/b"));
        assert_eq!(found("/e/1.csv"), Some("/e/{x}.csv"));
        assert_eq!(found("/e/1.xlsx"), None);
        assert_eq!(found("/c"), None);
    }

    #[test]
    fn only_what_is_got_and_is_for_people_is_looked_at() {
        let pattern = |line| read(line).map(|route| (route.pattern, route.open));
        assert_eq!(pattern("GET   /a/{x}  arrangement-read"), Some(("/a/{x}".to_owned(), false)));
        assert_eq!(pattern("GET   /sign-in  open"), Some(("/sign-in".to_owned(), true)));
        assert_eq!(pattern("POST  /sign-in  open"), None);
        assert_eq!(pattern("GET   /api/v1/cases  read"), None);
        assert_eq!(pattern("GET   /style/{digest}  open"), None);
    }

    #[test]
    fn pictures_are_named_by_the_route() {
        assert_eq!(route("/").name(), "portfolio");
        assert_eq!(route("/a/{x}/b.csv").name(), "a-x-b-csv");
    }
}
