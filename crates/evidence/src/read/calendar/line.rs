//! One content line of a calendar: name, parameters, value. Never knows what a property means.

/// A line taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentLine {
    /// In capitals.
    pub(crate) name: String,
    parameters: Vec<(String, String)>,
    /// As written.
    pub(crate) value: String,
}

impl ContentLine {
    /// Takes a line apart, if it is one: `NAME;PARAMETER="value":value`.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let (mut quoted, mut cuts) = (false, Vec::new());
        let mut colon = None;
        for (at, symbol) in line.char_indices() {
            match symbol {
                '"' => quoted = !quoted,
                ';' if !quoted => cuts.push(at),
                ':' if !quoted => {
                    colon = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let (head, value) = (line.get(..colon?)?, line.get(colon? + 1..)?);
        let mut parts = Vec::new();
        let mut start = 0;
        for cut in cuts {
            parts.push(head.get(start..cut)?);
            start = cut + 1;
        }
        parts.push(head.get(start..)?);
        let mut parts = parts.into_iter();
        let name = parts.next()?.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if name.is_empty() || name.len() > 200 || !name.chars().all(plain) {
            return None;
        }
        let parameter = |part: &str| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()))
        };
        Some(Self {
            name: name.to_ascii_uppercase(),
            parameters: parts.filter_map(parameter).collect(),
            value: value.to_owned(),
        })
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value as text, without its escapes; members of a list of categories are set apart by `|`.
    pub(crate) fn text(&self) -> String {
        let list = matches!(self.name.as_str(), "CATEGORIES" | "RESOURCES");
        let mut text = String::new();
        let mut symbols = self.value.chars();
        while let Some(symbol) = symbols.next() {
            match symbol {
                '\\' => match symbols.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(other) => text.push(other),
                    None => text.push('\\'),
                },
                ',' if list => text.push('|'),
                other => text.push(other),
            }
        }
        text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_line_is_taken_apart_outside_its_quotes() {
        let line =
            ContentLine::parse(b"dtstart;TZID=\"Europe/Vienna\";X=a:20120327T100000").unwrap();
        assert_eq!((line.name.as_str(), line.value.as_str()), ("DTSTART", "20120327T100000"));
        assert_eq!(line.parameter("TZID"), Some("Europe/Vienna"));
        let line = ContentLine::parse(b"ORGANIZER;CN=\"a;b:c\":mailto:x").unwrap();
        assert_eq!((line.parameter("CN"), line.value.as_str()), (Some("a;b:c"), "mailto:x"));
        for broken in ["X", "", ":x", "A B:x", "N;CN=\"open:x"] {
            assert_eq!(ContentLine::parse(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn escapes_are_resolved() {
        let text = |line: &str| ContentLine::parse(line.as_bytes()).unwrap().text();
        assert_eq!(text("SUMMARY:a\\, b\\; c\\\\d\\ne"), "a, b; c\\d\ne");
        assert_eq!(text("CATEGORIES:Public holiday,Bank\\, closed"), "Public holiday|Bank, closed");
    }
}
