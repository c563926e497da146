//! Tables: a caption, scoped heads, figures to the right. Owns the markup of a table; on a narrow page
//! a wide table is set as one block a row, with each head beside its value.

use maud::{Markup, html};

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// To the left.
    Text,
    /// To the right, in figures of equal width.
    Figure,
    /// To the left, and takes what room there is.
    Wide,
}

impl Set {
    fn class(self) -> &'static str {
        match self {
            Self::Text => "t",
            Self::Figure => "n",
            Self::Wide => "w",
        }
    }
}

/// Columns of figures that fit a page of 360 pixels side by side.
const COMPACT_COLUMNS: usize = 6;

/// A row; its first cell is its head.
pub(super) struct Row {
    /// Anchor.
    pub id: Option<String>,
    /// Whether it heads the rows that follow.
    pub group: bool,
    /// Cells.
    pub cells: Vec<Markup>,
}

impl Row {
    /// A row without anchor.
    pub fn of(cells: Vec<Markup>) -> Self {
        Self { id: None, group: false, cells }
    }

    /// A row that links can go to.
    pub fn at(id: String, cells: Vec<Markup>) -> Self {
        Self { id: Some(id), group: false, cells }
    }
}

/// A table.
pub(super) struct Sheet {
    caption: Markup,
    heads: Vec<(String, Set)>,
    rows: Vec<Row>,
    foot: Option<Row>,
    compact: bool,
}

impl Sheet {
    /// A table with these heads; units stand in the head.
    pub fn new(caption: Markup, heads: &[(&str, Set)]) -> Self {
        let heads = heads.iter().map(|(head, set)| ((*head).to_owned(), *set)).collect();
        Self { caption, heads, rows: Vec::new(), foot: None, compact: false }
    }

    /// Set smaller, and with a few columns kept on one line on a narrow page too.
    pub fn compact(mut self) -> Self {
        self.compact = true;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Sets the last row, which sums up.
    pub fn foot(&mut self, row: Row) {
        self.foot = Some(row);
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn class(&self) -> &'static str {
        match (self.compact, self.heads.len() <= COMPACT_COLUMNS) {
            (true, true) => "compact",
            (true, false) => "compact stack",
            (false, _) => "stack",
        }
    }

    fn line(&self, row: &Row) -> Markup {
        let scope = if row.group { "rowgroup" } else { "row" };
        html! {
            tr id=[row.id.as_deref()] class=[row.group.then_some("group")] {
                @for (n, (cell, (head, set))) in row.cells.iter().zip(&self.heads).enumerate() {
                    @if n == 0 { th scope=(scope) class=(set.class()) { (cell) } }
                    @else { td class=(set.class()) data-head=(head) { (cell) } }
                }
            }
        }
    }

    /// The table.
    pub fn render(&self) -> Markup {
        html! {
            table class=(self.class()) {
                caption { (self.caption) }
                thead {
                    tr {
                        @for (head, set) in &self.heads {
                            th scope="col" class=(set.class()) { (head) }
                        }
                    }
                }
                tbody { @for row in &self.rows { (self.line(row)) } }
                @if let Some(foot) = &self.foot { tfoot { (self.line(foot)) } }
            }
        }
    }
}
