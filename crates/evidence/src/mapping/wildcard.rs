//! Names compared loosely: patterns with `*` and `?`, and the known name that a misspelt one is
//! nearest to. Never decides anything by itself.

/// Whether a name fits a pattern in which `*` stands for any text and `?` for one character.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None::<(usize, usize)>);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(symbol) if *symbol == '?' || Some(symbol) == name.get(n) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|symbol| *symbol == '*')
}

/// The known name with the fewest letters to change, if it is near enough to be meant.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (name.chars().count() / 3).max(2);
    let scored = known.map(|candidate| (steps(name, candidate), candidate));
    let (best, candidate) = scored.min()?;
    (best <= limit).then_some(candidate)
}

/// Levenshtein distance, capitals and small letters being the same.
pub(crate) fn steps(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().take(100).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.to_lowercase().chars().take(100).enumerate() {
        let mut diagonal = i;
        let mut left_cost = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left_cost;
        }
        for (cell, r) in row.iter_mut().skip(1).zip(&right) {
            let cost = (diagonal + usize::from(l != *r)).min(*cell + 1).min(left_cost + 1);
            diagonal = *cell;
            *cell = cost;
            left_cost = cost;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_whole_names() {
        for (pattern, name, fits) in [
            ("20??-??", "2026-03", true),
            ("20??-??", "2026-031", false),
            ("* 2026", "Mar 2026", true),
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        let known = ["case_id", "occurred_at", "activity"];
        assert_eq!(nearest("caseid", known.into_iter()), Some("case_id"));
        assert_eq!(nearest("Occured_At", known.into_iter()), Some("occurred_at"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }
}
