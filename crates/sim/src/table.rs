//! Files of rows: their bytes, and what an import must make of them. Owns the writing of delimited
//! text and the counting of records; it must never decide what the rows say.

use std::collections::BTreeMap;

use crate::truth::ImportTruth;

/// A file to hand in, with how it is to be imported.
#[derive(Debug, Clone)]
pub struct Handed {
    /// Path in the folder.
    pub path: String,
    /// Bytes.
    pub bytes: Vec<u8>,
    /// Table, for a file that speaks the vocabulary.
    pub as_table: Option<String>,
    /// Mapping, by name or path.
    pub mapping: Option<String>,
    /// Zone of times without offset.
    pub zone: Option<String>,
    /// Columns set.
    pub set: Vec<(String, String)>,
    /// Records, for the counts.
    pub records: Vec<Record>,
}

/// One record of a file, as an import must see it.
#[derive(Debug, Clone)]
pub struct Record {
    /// Identity of the row; empty for a record that cannot be taken.
    pub key: String,
    /// Everything else of the row.
    pub content: String,
}

impl Record {
    /// A record that must end in quarantine.
    #[must_use]
    pub fn bad() -> Self {
        Self { key: String::new(), content: String::new() }
    }
}

/// Delimited text: a header and rows, quoted where needed.
#[must_use]
pub fn delimited(delimiter: char, header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let head: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell, delimiter)).collect();
        text.push_str(&cells.join(&delimiter.to_string()));
        text.push('\n');
    }
    text
}

/// A cell, in quotes when it holds the delimiter, a quote or a line end.
fn quoted(cell: &str, delimiter: char) -> String {
    if cell.contains([delimiter, '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// Latin-1 bytes; a letter outside it becomes `?`.
#[must_use]
pub fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}

/// What the imports of files in this order must count. Within one identity, equal content is known
/// already; of the rest, as many as are held unmatched are corrections, the others are new.
#[must_use]
pub fn count_imports(files: &[Handed]) -> Vec<ImportTruth> {
    let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut counts = Vec::new();
    for file in files {
        let mut count = ImportTruth {
            file: file.path.clone(),
            read: 0,
            accepted: 0,
            corrected: 0,
            already_known: 0,
            quarantined: 0,
            quarantined_records: Vec::new(),
        };
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (number, record) in (1..).zip(&file.records) {
            count.read += 1;
            if record.key.is_empty() {
                count.quarantined += 1;
                count.quarantined_records.push(number);
            } else {
                groups.entry(&record.key).or_default().push(&record.content);
            }
        }
        for (key, contents) in groups {
            let known = held.entry(key.to_owned()).or_default();
            let mut unmatched = known.clone();
            let mut left = Vec::new();
            for content in contents {
                match unmatched.iter().position(|other| other == content) {
                    Some(place) => {
                        unmatched.remove(place);
                        count.already_known += 1;
                    }
                    None => left.push(content),
                }
            }
            for content in left {
                if let Some(old) = unmatched.pop() {
                    known.retain(|other| *other != old);
                    count.corrected += 1;
                } else {
                    count.accepted += 1;
                }
                known.push(content.to_owned());
            }
        }
        counts.push(count);
    }
    counts
}

/// The order of imports as a file that the `import` command reads.
#[must_use]
pub fn imports_toml(files: &[Handed]) -> String {
    let mut text = String::from(
        "# The order in which the files of this folder are imported, and how each is read.\n",
    );
    for file in files {
        text.push_str(&format!("\n[[import]]\nfile = \"{}\"\n", file.path));
        for (name, value) in
            [("as", &file.as_table), ("mapping", &file.mapping), ("zone", &file.zone)]
        {
            if let Some(value) = value {
                text.push_str(&format!("{name} = \"{value}\"\n"));
            }
        }
        if !file.set.is_empty() {
            let pairs: Vec<String> =
                file.set.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
            text.push_str(&format!("set = {{ {} }}\n", pairs.join(", ")));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn file(path: &str, records: &[(&str, &str)]) -> Handed {
        let records = records
            .iter()
            .map(|(key, content)| Record { key: (*key).into(), content: (*content).into() });
        Handed {
            path: path.into(),
            bytes: Vec::new(),
            as_table: None,
            mapping: None,
            zone: None,
            set: Vec::new(),
            records: records.collect(),
        }
    }

    #[test]
    fn an_overlap_adds_nothing_and_a_changed_row_is_a_correction() {
        let counts = count_imports(&[
            file("a", &[("1", "x"), ("2", "x"), ("2", "x"), ("", "")]),
            file("b", &[("2", "x"), ("1", "y"), ("3", "z"), ("2", "x"), ("2", "x")]),
        ]);
        let of = |index: usize| {
            let count: &ImportTruth = &counts[index];
            (count.read, count.accepted, count.corrected, count.already_known, count.quarantined)
        };
        assert_eq!(of(0), (4, 3, 0, 0, 1));
        assert_eq!(counts[0].quarantined_records, [4]);
        assert_eq!(of(1), (5, 2, 1, 2, 0));
    }

    #[test]
    fn cells_with_the_delimiter_are_quoted() {
        let rows = [vec!["a;b".to_owned(), "c\"d".to_owned(), "e,f".to_owned()]];
        assert_eq!(delimited(';', &["x", "y", "z"], &rows), "x;y;z\n\"a;b\";\"c\"\"d\";e,f\n");
    }

    #[test]
    fn latin_1_keeps_its_letters_in_one_byte() {
        assert_eq!(latin_1("Kraków"), b"Krak\xf3w");
    }
}
