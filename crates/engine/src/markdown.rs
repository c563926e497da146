//! Pipe tables of Markdown, by line: rows of catalogue cases and of tests. It must never interpret a
//! cell; it only takes the text apart and remembers the line.

/// A pipe table. Cells are trimmed; `\|` stands for a bar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarkdownTable {
    /// 1-based line of the header in its text.
    pub line: usize,
    /// Names of the columns.
    pub header: Vec<String>,
    /// 1-based line and cells of each row; as many cells as the header has.
    pub rows: Vec<(usize, Vec<String>)>,
}

/// A line of a table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// 1-based line.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl MarkdownTable {
    /// Reads a whole text as one table; blank lines around it are allowed.
    ///
    /// # Errors
    /// The first line that does not belong to a table.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
        let lines: Vec<_> = lines.filter(|(_, line)| !line.trim().is_empty()).collect();
        Self::from_lines(&lines)
    }

    /// Reads numbered lines: header, rule, rows.
    ///
    /// # Errors
    /// The first line that does not fit.
    pub fn from_lines(lines: &[(usize, &str)]) -> Result<Self, TableError> {
        let wrong = |line: usize, message: &str| TableError { line, message: message.to_owned() };
        let Some(((line, header), rest)) = lines.split_first() else {
            return Err(wrong(1, "expected a table: a header line between bars, then `|---|`"));
        };
        let header = cells(header)
            .ok_or_else(|| wrong(*line, "expected a table row: it starts and ends with a bar"))?;
        let Some(((rule_line, rule), rest)) = rest.split_first() else {
            return Err(wrong(*line, "the header needs a line `|---|` under it"));
        };
        let is_rule = |cell: &String| {
            cell.contains('-') && cell.chars().all(|letter| letter == '-' || letter == ':')
        };
        let rule = cells(rule).filter(|cells| cells.iter().all(is_rule));
        if rule.is_none_or(|cells| cells.len() != header.len()) {
            return Err(wrong(
                *rule_line,
                "expected a line `|---|` with as many parts as the header",
            ));
        }
        let mut table = Self { line: *line, header, rows: Vec::new() };
        for (line, text) in rest {
            let row = cells(text).ok_or_else(|| {
                wrong(*line, "expected a table row: it starts and ends with a bar")
            })?;
            if row.len() != table.header.len() {
                let message = format!("{} cells under {} headings", row.len(), table.header.len());
                return Err(TableError { line: *line, message });
            }
            table.rows.push((*line, row));
        }
        Ok(table)
    }
}

/// The cells of a line that starts and ends with a bar.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?;
    let (mut found, mut cell, mut escaped) = (Vec::new(), String::new(), false);
    for letter in inner.chars() {
        match letter {
            '|' if escaped => {
                cell.pop();
                cell.push('|');
            }
            '|' => found.push(std::mem::take(&mut cell).trim().to_owned()),
            other => cell.push(other),
        }
        escaped = letter == '\\' && !escaped;
    }
    (cell.trim().is_empty() && !found.is_empty()).then_some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_taken_apart_with_its_lines() {
        let table =
            MarkdownTable::parse("\n| a | b |\n|---|:-:|\n| 1 | x\\|y |\n|  | |\n").unwrap();
        assert_eq!((table.line, table.header.clone()), (2, vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(table.rows[0], (4, vec!["1".to_owned(), "x|y".to_owned()]));
        assert_eq!(table.rows[1].1, vec![String::new(), String::new()]);
    }

    #[test]
    fn a_row_with_another_number_of_cells_is_named_by_its_line() {
        let error = MarkdownTable::parse("| a | b |\n|---|---|\n| 1 |").unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (3, "1 cells under 2 headings"));
        assert_eq!(MarkdownTable::parse("| a |\n| 1 |").unwrap_err().line, 2);
        assert_eq!(MarkdownTable::parse("a\n|---|").unwrap_err().line, 1);
        assert!(MarkdownTable::parse("").is_err());
    }
}
