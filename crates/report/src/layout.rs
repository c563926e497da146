//! Text on a terminal: columns that line up, paragraphs that wrap at the width, colour that can
//! be left out. It knows nothing of what it sets; it never writes anywhere and never lets a control
//! character of the evidence reach the terminal.

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Narrowest and widest page that is set.
const WIDTHS: (usize, usize) = (60, 160);
/// A column that may shrink is not made narrower than this.
const NARROWEST_COLUMN: usize = 8;
/// Blank characters between two columns.
const GAP: usize = 2;

/// How a text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Characters in a line.
    pub width: usize,
    /// Whether styles are written as ANSI sequences.
    pub colour: bool,
}

impl Look {
    /// A look of that many characters a line, held between 60 and 160.
    #[must_use]
    pub fn new(width: usize, colour: bool) -> Self {
        Self { width: width.clamp(WIDTHS.0, WIDTHS.1), colour }
    }
}

/// What a piece of text is, from which its style follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Plain,
    /// Headings and the figures that matter most.
    Strong,
    /// Text that may be passed over.
    Quiet,
    /// As it should be.
    Good,
    /// As it should not be.
    Bad,
    /// Not known, or too old to rely on.
    Unsure,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Quiet => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Unsure => AnsiColor::Yellow.on_default(),
        }
    }
}

/// Control characters, and those that turn the direction of writing.
fn steers(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with control characters made visible, so that evidence cannot steer a terminal.
#[must_use]
pub fn clean(text: &str) -> String {
    if !text.chars().any(steers) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => out.push(' '),
            control if steers(control) => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out
}

/// As [`clean`], but lines stay lines and tabs become blanks.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Columns that `text` takes on a terminal.
#[must_use]
pub fn width_of(text: &str) -> usize {
    text.width()
}

/// Breaks `text` at blanks into lines of at most `width` columns; a word longer than a line is cut.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut word = word;
        let mut needed = word.width();
        if used > 0 && used + 1 + needed <= width {
            line.push(' ');
            line.push_str(word);
            used += 1 + needed;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
        }
        while needed > width {
            let cut = cut_at(word, width);
            let (head, tail) = word.split_at(cut);
            lines.push(head.to_owned());
            word = tail;
            needed = word.width();
        }
        line.push_str(word);
        used = needed;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Byte position at which the first `width` columns of `word` end; at least one character. An
/// address that must be cut is cut after one of `/ : . _ -` when there is one in the last third.
fn cut_at(word: &str, width: usize) -> usize {
    let mut used = 0;
    let mut hard = 0;
    let mut soft = None;
    for (at, character) in word.char_indices() {
        let wide = character.width().unwrap_or(0);
        if used + wide > width && hard > 0 {
            break;
        }
        used += wide;
        hard = at + character.len_utf8();
        if used * 3 >= width * 2 && matches!(character, '/' | ':' | '.' | '_' | '-' | ',') {
            soft = Some(hard);
        }
    }
    soft.unwrap_or(hard)
}

/// One cell of a [`Grid`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell of that tone.
    #[must_use]
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: clean(text.as_ref()), tone }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// How a column behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// To the left, at its own width.
    Left,
    /// To the right: figures.
    Right,
    /// To the left, broken over lines when the page is too narrow.
    Flex,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    head: String,
    set: Set,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Cells(Vec<Cell>),
    Note(usize, Cell),
}

/// Rows and columns that line up, with notes between them that do not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grid {
    columns: Vec<Column>,
    lines: Vec<Line>,
    indent: usize,
}

impl Grid {
    /// A grid with these columns; when all heads are empty no head line is set.
    #[must_use]
    pub fn new(columns: &[(&str, Set)]) -> Self {
        let columns =
            columns.iter().map(|(head, set)| Column { head: clean(head), set: *set }).collect();
        Self { columns, lines: Vec::new(), indent: 0 }
    }

    /// The same, this many blanks to the right.
    #[must_use]
    pub fn indented(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    /// Adds a row; missing cells stay empty, cells beyond the columns are left out.
    pub fn row(&mut self, cells: Vec<Cell>) {
        let mut cells = cells;
        cells.resize(self.columns.len(), Cell::default());
        self.lines.push(Line::Cells(cells));
    }

    /// Adds a paragraph below the last row, `indent` blanks to the right of the grid.
    pub fn note(&mut self, indent: usize, text: impl AsRef<str>, tone: Tone) {
        self.lines.push(Line::Note(indent, Cell::toned(text, tone)));
    }

    /// Whether it has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }

    /// Whether it fits without breaking a cell.
    #[must_use]
    pub fn fits(&self, look: Look) -> bool {
        let widths = self.natural_widths();
        let gaps = GAP * widths.len().saturating_sub(1);
        self.indent + widths.iter().sum::<usize>() + gaps <= look.width
    }

    fn rows(&self) -> impl Iterator<Item = &Vec<Cell>> {
        self.lines.iter().filter_map(|line| match line {
            Line::Cells(cells) => Some(cells),
            Line::Note(..) => None,
        })
    }

    fn natural_widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|c| c.head.width()).collect();
        for row in self.rows() {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        widths
    }

    /// Widths that fit into `room`: without cutting a word when that is possible, else with; nothing
    /// when even the narrowest do not fit.
    fn widths(&self, room: usize) -> Option<Vec<usize>> {
        let mut words = vec![NARROWEST_COLUMN; self.columns.len()];
        for row in self.rows() {
            for (widest, cell) in words.iter_mut().zip(row) {
                let longest = cell.text.split_whitespace().map(width_of).max().unwrap_or(0);
                *widest = (*widest).max(longest);
            }
        }
        self.shrunk(room, &words)
            .or_else(|| self.shrunk(room, &vec![NARROWEST_COLUMN; self.columns.len()]))
    }

    /// Natural widths, the widest flexible column made narrower again and again until all fit.
    fn shrunk(&self, room: usize, least: &[usize]) -> Option<Vec<usize>> {
        let mut widths = self.natural_widths();
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut total = widths.iter().sum::<usize>() + gaps;
        while total > room {
            let (width, least) = widths
                .iter_mut()
                .zip(least)
                .zip(&self.columns)
                .filter(|((width, least), column)| column.set == Set::Flex && **width > **least)
                .map(|(pair, _)| pair)
                .max_by_key(|(width, _)| **width)?;
            let step = (total - room).min((*width - least).div_ceil(4)).max(1);
            *width -= step;
            total -= step;
        }
        Some(widths)
    }

    fn write(&self, look: Look, out: &mut String) {
        let room = look.width.saturating_sub(self.indent);
        match self.widths(room) {
            Some(widths) => self.write_columns(look, &widths, out),
            None => self.write_records(look, out),
        }
    }

    fn write_columns(&self, look: Look, widths: &[usize], out: &mut String) {
        if self.columns.iter().any(|column| !column.head.is_empty()) {
            let heads: Vec<Cell> =
                self.columns.iter().map(|c| Cell::toned(&c.head, Tone::Quiet)).collect();
            self.write_row(look, widths, &heads, out);
        }
        for line in &self.lines {
            match line {
                Line::Cells(row) => self.write_row(look, widths, row, out),
                Line::Note(indent, note) => self.write_note(look, *indent, note, out),
            }
        }
    }

    fn write_note(&self, look: Look, indent: usize, note: &Cell, out: &mut String) {
        let indent = self.indent + indent;
        for text in wrap(&note.text, look.width.saturating_sub(indent)) {
            let mut line = " ".repeat(indent);
            push_toned(&mut line, &text, note.tone, look.colour);
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }

    fn write_row(&self, look: Look, widths: &[usize], row: &[Cell], out: &mut String) {
        let broken: Vec<Vec<String>> =
            row.iter().zip(widths).map(|(cell, width)| break_cell(&cell.text, *width)).collect();
        let height = broken.iter().map(Vec::len).max().unwrap_or(0);
        for n in 0..height {
            let mut line = " ".repeat(self.indent);
            let mut owed = 0;
            for (((cell, lines), width), column) in
                row.iter().zip(&broken).zip(widths).zip(&self.columns)
            {
                let text = lines.get(n).map_or("", String::as_str);
                let pad = width.saturating_sub(text.width());
                let (before, after) = if column.set == Set::Right { (pad, 0) } else { (0, pad) };
                owed += before;
                if !text.is_empty() {
                    line.push_str(&" ".repeat(owed));
                    owed = 0;
                    push_toned(&mut line, text, cell.tone, look.colour);
                }
                owed += after + GAP;
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }

    /// One line per cell, for a grid that no page is wide enough for.
    fn write_records(&self, look: Look, out: &mut String) {
        let label = self.columns.iter().map(|c| c.head.width()).max().unwrap_or(0);
        for (n, line) in self.lines.iter().enumerate() {
            let row = match line {
                Line::Cells(row) => row,
                Line::Note(_, note) => {
                    self.write_note(look, label + GAP, note, out);
                    continue;
                }
            };
            if n > 0 {
                out.push('\n');
            }
            for (column, cell) in self.columns.iter().zip(row) {
                let room = look.width.saturating_sub(self.indent + label + GAP);
                for (k, text) in break_cell(&cell.text, room.max(1)).iter().enumerate() {
                    let head = if k == 0 { column.head.as_str() } else { "" };
                    let mut line = " ".repeat(self.indent);
                    push_toned(&mut line, head, Tone::Quiet, look.colour);
                    line.push_str(&" ".repeat(label - head.width() + GAP));
                    push_toned(&mut line, text, cell.tone, look.colour);
                    out.push_str(line.trim_end());
                    out.push('\n');
                }
            }
        }
    }
}

/// A cell that fits stays as it is, inner blanks included; another is wrapped.
fn break_cell(text: &str, width: usize) -> Vec<String> {
    if text.width() <= width { vec![text.to_owned()] } else { wrap(text, width) }
}

fn push_toned(line: &mut String, text: &str, tone: Tone, colour: bool) {
    let style = tone.style();
    if text.is_empty() || !colour || style == Style::new() {
        line.push_str(text);
    } else {
        line.push_str(&format!("{style}{text}{style:#}"));
    }
}

/// A text in the making.
#[derive(Debug, Clone)]
pub struct Page {
    look: Look,
    out: String,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self { look, out: String::new() }
    }

    /// The look it is set in.
    #[must_use]
    pub fn look(&self) -> Look {
        self.look
    }

    /// One empty line, never two.
    pub fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A heading, apart from what stands before it.
    pub fn heading(&mut self, text: &str) {
        self.gap();
        self.paragraph(0, text, Tone::Strong);
    }

    /// A paragraph, wrapped, `indent` blanks to the right.
    pub fn paragraph(&mut self, indent: usize, text: &str, tone: Tone) {
        self.hanging(indent, indent, text, tone);
    }

    /// A paragraph whose first line starts at `first` and whose others start at `rest`.
    pub fn hanging(&mut self, first: usize, rest: usize, text: &str, tone: Tone) {
        let room = self.look.width.saturating_sub(first.max(rest));
        for (n, line) in wrap(&clean(text), room).iter().enumerate() {
            let mut set = " ".repeat(if n == 0 { first } else { rest });
            push_toned(&mut set, line, tone, self.look.colour);
            self.out.push_str(set.trim_end());
            self.out.push('\n');
        }
    }

    /// A line that is not wrapped: a command to copy, or a line of a source. Control characters are
    /// made visible all the same.
    pub fn verbatim(&mut self, indent: usize, text: &str, tone: Tone) {
        let mut line = " ".repeat(indent);
        push_toned(&mut line, &clean(text), tone, self.look.colour);
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// A grid.
    pub fn grid(&mut self, grid: &Grid) {
        grid.write(self.look, &mut self.out);
    }

    /// The text, ending in a line feed.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn narrow() -> Look {
        Look::new(60, false)
    }

    #[test]
    fn a_paragraph_breaks_at_blanks_and_never_exceeds_the_width() {
        let text =
            "the quick brown fox jumps over the lazy dog and does so again and again until noon";
        for line in wrap(text, 20) {
            assert!(line.width() <= 20, "{line}");
        }
        assert_eq!(wrap(text, 20).join(" "), text);
        assert_eq!(wrap("", 20), [""]);
    }

    #[test]
    fn a_word_longer_than_the_line_is_cut_after_a_separator_when_one_is_near() {
        assert_eq!(
            wrap("handed-in/service-desk/2026-10.csv", 25),
            ["handed-in/service-desk/", "2026-10.csv"]
        );
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    }

    #[test]
    fn figures_stand_to_the_right_and_a_flexible_column_breaks() {
        let mut grid = Grid::new(&[("name", Set::Left), ("cases", Set::Right), ("why", Set::Flex)]);
        let why = "a rather long explanation that cannot stand in one line of a narrow page";
        grid.row(vec!["turnaround".into(), "7".into(), why.into()]);
        grid.row(vec!["volume".into(), "1,204".into(), "short".into()]);
        let mut page = Page::new(narrow());
        page.grid(&grid);
        let text = page.finish();
        assert!(text.lines().all(|line| line.width() <= 60), "{text}");
        assert!(text.contains("turnaround      7  a rather"), "{text}");
        assert!(text.contains("volume      1,204  short"), "{text}");
    }

    #[test]
    fn a_word_is_cut_only_when_nothing_else_helps() {
        let mut grid = Grid::new(&[("", Set::Left), ("", Set::Flex), ("", Set::Flex)]);
        grid.row(vec![
            "x".repeat(30).into(),
            "request documentation now".into(),
            "a b c d e f g h".into(),
        ]);
        let mut page = Page::new(narrow());
        page.grid(&grid);
        assert!(page.finish().contains("documentation"), "the other column gives way");
        let mut tight = Grid::new(&[("", Set::Left), ("", Set::Flex)]);
        tight.row(vec!["x".repeat(48).into(), "documentation".into()]);
        let mut page = Page::new(narrow());
        page.grid(&tight);
        assert_eq!(page.finish().lines().count(), 2);
    }

    #[test]
    fn a_grid_too_wide_for_any_page_is_set_as_records() {
        let heads: Vec<String> = (0..12).map(|n| format!("column_{n}")).collect();
        let columns: Vec<(&str, Set)> = heads.iter().map(|h| (h.as_str(), Set::Left)).collect();
        let mut grid = Grid::new(&columns);
        grid.row((0..12).map(|n| Cell::from(format!("value {n}"))).collect());
        let mut page = Page::new(narrow());
        page.grid(&grid);
        let text = page.finish();
        assert_eq!(text.lines().count(), 12);
        assert!(text.contains("column_11  value 11"), "{text}");
    }

    #[test]
    fn wide_characters_count_twice_and_columns_still_line_up() {
        let mut grid = Grid::new(&[("", Set::Left), ("", Set::Left)]);
        grid.row(vec!["東京".into(), "x".into()]);
        grid.row(vec!["abcd".into(), "y".into()]);
        let mut page = Page::new(narrow());
        page.grid(&grid);
        assert_eq!(page.finish(), "東京  x\nabcd  y\n");
    }

    #[test]
    fn escape_sequences_of_the_evidence_do_not_reach_the_terminal() {
        let mut page = Page::new(Look::new(80, true));
        page.verbatim(0, "case \u{1b}[2J\u{7}9", Tone::Plain);
        assert_eq!(page.finish(), "case \\u{1b}[2J\\u{7}9\n");
    }

    #[test]
    fn colour_is_written_only_when_asked_for() {
        for (colour, expected) in [(false, "bad\n"), (true, "\u{1b}[1m\u{1b}[31mbad\u{1b}[0m\n")] {
            let mut page = Page::new(Look::new(80, colour));
            page.paragraph(0, "bad", Tone::Bad);
            assert_eq!(page.finish(), expected);
        }
    }
}
