//! From the text of a cell to a typed value, or to a fault that says what to write instead. Owns
//! every rule of what a cell may look like; never knows a file or a mapping.

pub(crate) mod moment;
pub(crate) mod number;
pub(crate) mod row;
pub(crate) mod serial;

use crate::quarantine::code;

/// Why a cell is refused. The reason never holds the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: String,
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn new(code: &str, reason: impl Into<String>) -> Self {
        Self { code: code.to_owned(), reason: reason.into() }
    }
}

/// True or false, in the spellings that exports use.
pub(crate) fn boolean(text: &str) -> Result<bool, Fault> {
    const TRUE: [&str; 4] = ["true", "yes", "y", "1"];
    const FALSE: [&str; 4] = ["false", "no", "n", "0"];
    if TRUE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Ok(true)
    } else if FALSE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Ok(false)
    } else {
        Err(Fault::new(code::BAD_BOOLEAN, "not a truth value: write true or false"))
    }
}

/// ISO 3166-1 alpha-2, in capitals. The shape is checked, not the list, which changes.
pub(crate) fn country(text: &str) -> Result<String, Fault> {
    letters(text, 2).ok_or_else(|| {
        Fault::new(code::BAD_CODE, "not a country code: write two letters (ISO 3166-1), as in PH")
    })
}

/// ISO 4217, in capitals. The shape is checked, not the list.
pub(crate) fn currency(text: &str) -> Result<String, Fault> {
    letters(text, 3).ok_or_else(|| {
        Fault::new(code::BAD_CODE, "not a currency code: write three letters (ISO 4217), as in EUR")
    })
}

fn letters(text: &str, count: usize) -> Option<String> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    fits.then(|| text.to_ascii_uppercase())
}

/// CEFR level, in capitals.
pub(crate) fn language_level(text: &str) -> Result<String, Fault> {
    let upper = text.to_ascii_uppercase();
    if ["A1", "A2", "B1", "B2", "C1", "C2"].contains(&upper.as_str()) {
        return Ok(upper);
    }
    Err(Fault::new(code::BAD_CODE, "not a language level: write A1, A2, B1, B2, C1 or C2"))
}

/// One of the values allowed; capitals and small letters are the same.
pub(crate) fn enumeration<'v>(text: &str, values: &'v [String]) -> Result<&'v str, Fault> {
    let exact = values.iter().find(|value| *value == text);
    let found = exact.or_else(|| values.iter().find(|value| value.eq_ignore_ascii_case(text)));
    found.map(String::as_str).ok_or_else(|| {
        Fault::new(
            code::UNKNOWN_VALUE,
            format!("not one of the values allowed: {}", values.join(", ")),
        )
    })
}

/// Blanks of no width, marks that turn the direction of writing, and separators of lines. The two
/// joiners are not among them: some scripts need them.
fn is_unseen(symbol: char) -> bool {
    matches!(symbol, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// [`str::trim`], at once for a text that neither begins nor ends with a blank.
pub(crate) fn trim(text: &str) -> &str {
    let bare = |byte: Option<&u8>| byte.is_none_or(|byte| (0x21..0x7f).contains(byte));
    let bytes = text.as_bytes();
    if bare(bytes.first()) && bare(bytes.last()) { text } else { text.trim() }
}

/// An id that can be shown in one line.
pub(crate) fn check_id(text: &str) -> Result<(), Fault> {
    if text.len() > 200 {
        return Err(Fault::new(code::BAD_ID, "the id is longer than 200 bytes"));
    }
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(());
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::new(code::BAD_ID, "the id holds a control character or a line break"));
    }
    if text.chars().any(is_unseen) {
        return Err(Fault::new(
            code::BAD_ID,
            "the id holds a character that is not seen and makes it look like another id",
        ));
    }
    Ok(())
}

/// Values separated by `|`, trimmed, without empty ones.
pub(crate) fn list(text: &str) -> String {
    let parts = text.split('|').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("|")
}
