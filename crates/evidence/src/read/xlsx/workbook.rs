//! What a workbook says of itself: its sheets, its date system, its number formats and its shared
//! texts. Never reads a sheet.

use super::{
    super::error::ReadError,
    package::{Package, Piece, attribute, damaged},
};

/// Most bytes of texts that cells share.
const SHARED_MAX: usize = 256 << 20;
/// Most number formats and cell styles.
const STYLES_MAX: usize = 100_000;

/// One sheet of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) name: String,
    pub(crate) hidden: bool,
    /// Its part in the package.
    pub(crate) part: String,
}

/// What a number in a cell means by its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Plain,
    Percent,
    Date,
    DateTime,
    Time,
    Elapsed,
}

/// The workbook without its sheets' cells.
pub(crate) struct Workbook {
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) from_1904: bool,
    shapes: Vec<Shape>,
    texts: String,
    ends: Vec<usize>,
}

impl Workbook {
    pub(crate) fn read(package: &mut Package) -> Result<Self, ReadError> {
        let root = relations(package, "_rels/.rels", "")?;
        let main = root.into_iter().find(|relation| relation.kind == "officeDocument");
        let main = main.ok_or_else(|| damaged("it holds no workbook"))?.target;
        let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let related = relations(package, &format!("{folder}_rels/{file}.rels"), &folder)?;
        let part = |kind: &str| related.iter().find(|r| r.kind == kind).map(|r| r.target.clone());
        let shapes = match part("styles").filter(|part| package.has(part)) {
            Some(part) => read_shapes(package, &part)?,
            None => Vec::new(),
        };
        let mut book = Self {
            sheets: Vec::new(),
            from_1904: false,
            shapes,
            texts: String::new(),
            ends: Vec::new(),
        };
        if let Some(part) = part("sharedStrings").filter(|part| package.has(part)) {
            book.read_texts(package, &part)?;
        }
        book.read_sheets(package, &main, &related)?;
        Ok(book)
    }

    fn read_sheets(
        &mut self,
        package: &mut Package,
        part: &str,
        related: &[Relation],
    ) -> Result<(), ReadError> {
        let mut markup = package.markup(part)?;
        let mut buffer = Vec::new();
        loop {
            match markup.next(&mut buffer)? {
                Piece::Open(tag, _) => match tag.local_name().into_inner() {
                    "workbookPr" => {
                        let said = attribute(&tag, "date1904");
                        self.from_1904 = matches!(said.as_deref(), Some("1" | "true"));
                    }
                    "sheet" => {
                        let id = attribute(&tag, "id").unwrap_or_default();
                        let target = related.iter().find(|r| r.id == id && r.kind == "worksheet");
                        if let (Some(name), Some(relation)) = (attribute(&tag, "name"), target) {
                            let state = attribute(&tag, "state");
                            let hidden = state.is_some_and(|state| state != "visible");
                            let part = relation.target.clone();
                            self.sheets.push(Sheet { name, hidden, part });
                        }
                    }
                    _ => {}
                },
                Piece::End => return Ok(()),
                _ => {}
            }
        }
    }

    fn read_texts(&mut self, package: &mut Package, part: &str) -> Result<(), ReadError> {
        let mut markup = package.markup(part)?;
        let mut buffer = Vec::new();
        // Readings in another script (`rPh`) stand beside a text and are none of it.
        let (mut in_text, mut beside) = (false, false);
        loop {
            match markup.next(&mut buffer)? {
                Piece::Open(tag, empty) => match tag.local_name().into_inner() {
                    "t" => in_text = !empty,
                    "rPh" => beside = !empty,
                    "si" if empty => self.ends.push(self.texts.len()),
                    _ => {}
                },
                Piece::Close(name) => match name.as_str() {
                    "t" => in_text = false,
                    "rPh" => beside = false,
                    "si" => self.ends.push(self.texts.len()),
                    _ => {}
                },
                Piece::Text(text) if in_text && !beside => self.texts.push_str(&text),
                Piece::End => return Ok(()),
                _ => {}
            }
            if self.texts.len() > SHARED_MAX || self.ends.len() > SHARED_MAX / 8 {
                let message = "the texts of the workbook are larger than 256 MiB: save the sheet \
                               as CSV"
                    .to_owned();
                return Err(ReadError::Format { message });
            }
        }
    }

    /// A text by its number.
    pub(crate) fn text(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start =
            number.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.texts.get(start..end)
    }

    /// What numbers of a cell style mean.
    pub(crate) fn shape(&self, style: Option<usize>) -> Shape {
        style.and_then(|style| self.shapes.get(style)).copied().unwrap_or(Shape::Plain)
    }
}

/// A relation of one part to another; `kind` is the last word of its type.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

fn relations(package: &mut Package, part: &str, folder: &str) -> Result<Vec<Relation>, ReadError> {
    let mut markup = package.markup(part)?;
    let (mut buffer, mut relations) = (Vec::new(), Vec::new());
    loop {
        match markup.next(&mut buffer)? {
            Piece::Open(tag, _) if tag.local_name().into_inner() == "Relationship" => {
                let (Some(kind), Some(target)) =
                    (attribute(&tag, "Type"), attribute(&tag, "Target"))
                else {
                    continue;
                };
                let target = match target.strip_prefix('/') {
                    Some(absolute) => absolute.to_owned(),
                    None => format!("{folder}{target}"),
                };
                let id = attribute(&tag, "Id").unwrap_or_default();
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                relations.push(Relation { id, kind, target });
            }
            Piece::End => return Ok(relations),
            _ => {}
        }
        if relations.len() > STYLES_MAX {
            return Err(damaged(&format!("the part `{}` never ends", markup.name())));
        }
    }
}

/// The shape of each cell style.
fn read_shapes(package: &mut Package, part: &str) -> Result<Vec<Shape>, ReadError> {
    let mut markup = package.markup(part)?;
    let (mut buffer, mut shapes) = (Vec::new(), Vec::new());
    let mut formats = std::collections::HashMap::new();
    let mut in_cells = false;
    loop {
        match markup.next(&mut buffer)? {
            Piece::Open(tag, empty) => match tag.local_name().into_inner() {
                "numFmt" => {
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse::<u32>().ok());
                    if let (Some(id), Some(code)) = (id, attribute(&tag, "formatCode")) {
                        formats.insert(id, shape_of_code(&code));
                    }
                }
                "cellXfs" => in_cells = !empty,
                "xf" if in_cells => {
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse::<u32>().ok());
                    let id = id.unwrap_or(0);
                    shapes.push(formats.get(&id).copied().unwrap_or_else(|| shape_of_id(id)));
                }
                _ => {}
            },
            Piece::Close(name) if name == "cellXfs" => in_cells = false,
            Piece::End => return Ok(shapes),
            _ => {}
        }
        if shapes.len() > STYLES_MAX || formats.len() > STYLES_MAX {
            return Err(damaged(&format!("the part `{part}` has more than 100,000 styles")));
        }
    }
}

/// The formats that have a number of their own (ECMA-376 part 1, 18.8.30, with those of East Asian
/// languages, all of which are dates or times).
fn shape_of_id(id: u32) -> Shape {
    match id {
        9 | 10 => Shape::Percent,
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shape::Date,
        18..=21 | 32..=35 | 55 | 56 => Shape::Time,
        22 => Shape::DateTime,
        45 | 47 => Shape::Time,
        46 => Shape::Elapsed,
        _ => Shape::Plain,
    }
}

/// What a format written out means: its first section, without what is quoted.
fn shape_of_code(code: &str) -> Shape {
    let (mut days, mut hours, mut months, mut percent, mut elapsed) =
        (false, false, false, false, false);
    let mut symbols = code.chars();
    while let Some(symbol) = symbols.next() {
        match symbol.to_ascii_lowercase() {
            ';' => break,
            '"' => while symbols.next().is_some_and(|inner| inner != '"') {},
            '\\' | '_' | '*' => {
                symbols.next();
            }
            '[' => {
                let inner: String = symbols.by_ref().take_while(|inner| *inner != ']').collect();
                let inner = inner.to_ascii_lowercase();
                let one = inner.chars().next().filter(|first| inner.chars().all(|c| c == *first));
                elapsed |= matches!(one, Some('h' | 'm' | 's'));
            }
            'd' | 'y' => days = true,
            'h' | 's' => hours = true,
            'm' => months = true,
            '%' => percent = true,
            // `General` is one word and no date.
            'g' if symbols.as_str().get(..6).is_some_and(|r| r.eq_ignore_ascii_case("eneral")) => {
                symbols.by_ref().take(6).for_each(drop);
            }
            _ => {}
        }
    }
    match (elapsed, days, hours) {
        (true, ..) => Shape::Elapsed,
        (_, true, true) => Shape::DateTime,
        (_, true, false) => Shape::Date,
        (_, false, true) => Shape::Time,
        _ if months => Shape::Date,
        _ if percent => Shape::Percent,
        _ => Shape::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_formats_say_what_a_number_means() {
        for (code, shape) in [
            ("General", Shape::Plain),
            ("0.00", Shape::Plain),
            ("#,##0 \"days\"", Shape::Plain),
            ("0.00E+00", Shape::Plain),
            ("[Red]#,##0", Shape::Plain),
            ("_-* #,##0.00\\ \"kr\"_-", Shape::Plain),
            ("0.0%", Shape::Percent),
            ("dd/mm/yyyy", Shape::Date),
            ("[$-409]mmm yyyy;@", Shape::Date),
            ("mmm", Shape::Date),
            ("yyyy-mm-dd hh:mm", Shape::DateTime),
            ("h:mm AM/PM", Shape::Time),
            ("[h]:mm:ss", Shape::Elapsed),
            ("[mm]:ss", Shape::Elapsed),
            ("0;dd", Shape::Plain),
        ] {
            assert_eq!(shape_of_code(code), shape, "{code}");
        }
        assert_eq!(shape_of_id(14), Shape::Date);
        assert_eq!(shape_of_id(46), Shape::Elapsed);
        assert_eq!(shape_of_id(2), Shape::Plain);
    }
}
