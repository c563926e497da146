//! Values of a register as people read them and as they write them: from the texts of the store to words
//! on a page, and to what a form shows, which reads back to the very same value.

use backstay_evidence::{
    minor_places,
    vocabulary::{Column, ColumnType},
};
use backstay_report::figure;
use jiff::{Timestamp, tz::Offset};

use super::Values;

/// Ending of the field that holds an amount's currency.
pub const CURRENCY: &str = "_currency";

/// The fields in which a column is written: an amount has its currency beside it.
#[must_use]
pub fn fields(column: &Column) -> Vec<String> {
    match column.kind {
        ColumnType::Money => vec![column.name.clone(), format!("{}{CURRENCY}", column.name)],
        _ => vec![column.name.clone()],
    }
}

/// The value of a column as a file would write it, field by field; nothing when there is none.
#[must_use]
pub fn written(column: &Column, values: &Values) -> Vec<(String, String)> {
    let name = &column.name;
    let value = values.get(name).cloned();
    let text = match column.kind {
        ColumnType::Money => {
            let minor = values.get(&format!("{name}_minor")).and_then(|text| text.parse().ok());
            let currency = values.get(&format!("{name}{CURRENCY}")).cloned();
            let (Some(minor), Some(currency)) = (minor, currency) else { return Vec::new() };
            let amount = amount(minor, minor_places(&currency));
            return vec![(name.clone(), amount), (format!("{name}{CURRENCY}"), currency)];
        }
        ColumnType::Duration => value.map(|text| duration(&text)),
        ColumnType::Decimal => value.map(|text| figure::trim_decimal(&text).to_owned()),
        ColumnType::Instant => value.map(|text| match local(&text, name, values) {
            Some((at, offset)) => format!("{}", at.display_with_offset(offset)),
            None => text,
        }),
        _ => value,
    };
    text.map(|text| (name.clone(), text)).into_iter().collect()
}

/// The value of a column in words; nothing when there is none.
#[must_use]
pub fn shown(column: &Column, values: &Values) -> Option<String> {
    let name = &column.name;
    if column.kind == ColumnType::Money {
        let minor = values.get(&format!("{name}_minor"))?.parse().ok()?;
        let currency = values.get(&format!("{name}{CURRENCY}"))?;
        return Some(format!("{} {currency}", figure::money(minor, minor_places(currency))));
    }
    let value = values.get(name)?;
    Some(match column.kind {
        ColumnType::Boolean if value == "true" => "yes".to_owned(),
        ColumnType::Boolean => "no".to_owned(),
        ColumnType::Duration => value.parse().map_or_else(|_| value.clone(), figure::span),
        ColumnType::Decimal => figure::trim_decimal(value).to_owned(),
        ColumnType::Instant => match local(value, name, values) {
            Some((at, offset)) => {
                let civil = offset.to_datetime(at);
                format!("{} {offset}", civil.strftime("%Y-%m-%d %H:%M:%S"))
            }
            None => value.clone(),
        },
        ColumnType::Text if column.list => value.replace('|', ", "),
        _ => value.clone(),
    })
}

/// An instant with the offset that it was recorded in.
fn local(text: &str, name: &str, values: &Values) -> Option<(Timestamp, Offset)> {
    let at: Timestamp = text.parse().ok()?;
    let minutes = values.get(&format!("{name}_offset_minutes"));
    let minutes: i32 = minutes.and_then(|text| text.parse().ok()).unwrap_or_default();
    Some((at, Offset::from_seconds(minutes.checked_mul(60)?).ok()?))
}

/// Minor units with a point before the places of the currency, and nothing between thousands.
fn amount(minor: i64, places: u32) -> String {
    let digits = minor.unsigned_abs().to_string();
    let places = usize::try_from(places).unwrap_or_default();
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, rest) = padded.split_at(padded.len().saturating_sub(places));
    let sign = if minor < 0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// Microseconds as hours, minutes and seconds: `4h`, `1h30m`, `0s`.
fn duration(text: &str) -> String {
    let Ok(micros) = text.parse::<u64>() else { return text.to_owned() };
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let mut out = String::new();
    for (number, unit) in [(hours, 'h'), (minutes, 'm')] {
        if number > 0 {
            out.push_str(&format!("{number}{unit}"));
        }
    }
    if rest > 0 {
        let fraction = format!("{rest:06}");
        out.push_str(&format!("{seconds}.{}s", fraction.trim_end_matches('0')));
    } else if seconds > 0 || out.is_empty() {
        out.push_str(&format!("{seconds}s"));
    }
    out
}

/// A value by which rows are sorted: text before number, so that amounts of one currency stand together.
pub(super) type Rank = (String, i128);

/// Where a value stands in order; nothing when there is none.
pub(super) fn rank(column: &Column, values: &Values) -> Option<Rank> {
    let name = &column.name;
    let number = |text: &str| text.parse::<i128>().ok();
    match column.kind {
        ColumnType::Money => {
            let minor = number(values.get(&format!("{name}_minor"))?)?;
            Some((values.get(&format!("{name}{CURRENCY}"))?.clone(), minor))
        }
        ColumnType::Integer | ColumnType::Duration => {
            Some((String::new(), number(values.get(name)?)?))
        }
        ColumnType::Decimal => Some((String::new(), nano(values.get(name)?)?)),
        ColumnType::Instant => {
            let at: Timestamp = values.get(name)?.parse().ok()?;
            Some((String::new(), i128::from(at.as_microsecond())))
        }
        _ => Some((values.get(name)?.to_lowercase(), 0)),
    }
}

/// A decimal as whole thousand-millionths.
pub(super) fn nano(text: &str) -> Option<i128> {
    let (negative, digits) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim()),
    };
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && rest.is_empty()) || rest.len() > 9 || !plain(whole) || !plain(rest) {
        return None;
    }
    let value: i128 = format!("{whole}{rest:0<9}").parse().ok()?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use backstay_evidence::{
        ImportOptions,
        entered::type_values,
        vocabulary::{Table, Vocabulary},
    };
    use backstay_privacy::PseudonymKey;

    use super::*;

    fn table() -> (Vocabulary, Table) {
        let text = r#"
            table = "all"
            title = "All"
            about = "All."
            kind = "register"
            scope = "shared"
            identity = ["a"]
            columns = [
              { id = 1, name = "a", type = "text", privacy = "open", about = "A." },
              { id = 2, name = "b", type = "integer", privacy = "open", about = "B." },
              { id = 3, name = "c", type = "decimal", privacy = "open", about = "C." },
              { id = 4, name = "d", type = "money", privacy = "open", about = "D." },
              { id = 5, name = "e", type = "instant", privacy = "open", about = "E." },
              { id = 6, name = "f", type = "date", privacy = "open", about = "F." },
              { id = 7, name = "g", type = "boolean", privacy = "open", about = "G." },
              { id = 8, name = "h", type = "duration", privacy = "open", about = "H." },
              { id = 9, name = "i", type = "text", list = true, privacy = "open", about = "I." },
            ]"#;
        let vocabulary = Vocabulary::from_texts([("all", text)]).unwrap();
        let table = vocabulary.table("all").unwrap().clone();
        (vocabulary, table)
    }

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    /// What a form shows, typed again, column by column as Arrow prints it.
    fn read_back(texts: &Values) -> Values {
        let (vocabulary, table) = table();
        let written: Values =
            table.columns.iter().flat_map(|column| written(column, texts)).collect();
        let key = PseudonymKey::new([7; 32]);
        let row =
            type_values(&vocabulary, &table, &ImportOptions::default(), &written, &key).unwrap();
        let mut read = Values::new();
        for name in texts.keys() {
            let array = row.row.column_by_name(name).unwrap();
            let shown = format!("{array:?}");
            read.insert(name.clone(), shown);
        }
        read
    }

    #[test]
    fn what_a_form_shows_is_typed_to_the_same_value() {
        let texts = values(&[
            ("a", "x"),
            ("b", "-12"),
            ("c", "0.950000000"),
            ("d_minor", "-123405"),
            ("d_currency", "EUR"),
            ("e", "2026-03-02T01:15:00Z"),
            ("e_offset_minutes", "480"),
            ("f", "2026-10-31"),
            ("g", "false"),
            ("h", "5400000000"),
            ("i", "A|B"),
        ]);
        let read = read_back(&texts);
        for (name, wanted) in [
            ("b", "-12"),
            // In billionths, or with its point.
            ("c", "950000000"),
            ("d_minor", "-123405"),
            ("d_currency", "EUR"),
            ("e", "2026-03-02T01:15:00"),
            ("e_offset_minutes", "480"),
            ("f", "2026-10-31"),
            ("g", "false"),
            ("h", "5400000000"),
            ("i", "A|B"),
        ] {
            assert!(read[name].contains(wanted), "{name}: {}", read[name]);
        }
    }

    #[test]
    fn values_are_shown_in_words() {
        let (_, table) = table();
        let texts = values(&[
            ("c", "0.950000000"),
            ("d_minor", "123405"),
            ("d_currency", "EUR"),
            ("e", "2026-03-02T01:15:00Z"),
            ("e_offset_minutes", "480"),
            ("g", "true"),
            ("h", "5400000000"),
            ("i", "A|B"),
        ]);
        let said = |name: &str| shown(table.column(name).unwrap(), &texts);
        assert_eq!(said("c").unwrap(), "0.95");
        assert_eq!(said("d").unwrap(), "1,234.05 EUR");
        assert_eq!(said("e").unwrap(), "2026-03-02 09:15:00 +08");
        assert_eq!(said("g").unwrap(), "yes");
        assert_eq!(said("h").unwrap(), "1 h 30 min");
        assert_eq!(said("i").unwrap(), "A, B");
        assert_eq!(said("b"), None);
    }

    #[test]
    fn amounts_and_durations_are_written_exactly() {
        assert_eq!(amount(5, 2), "0.05");
        assert_eq!(amount(-5, 3), "-0.005");
        assert_eq!(amount(1_234, 0), "1234");
        assert_eq!(amount(i64::MIN, 2), "-92233720368547758.08");
        assert_eq!(duration("0"), "0s");
        assert_eq!(duration("3661500000"), "1h1m1.5s");
        assert_eq!(nano("1.5"), Some(1_500_000_000));
        assert_eq!(nano("-0.000000001"), Some(-1));
        for wrong in ["", ".", "1e5", "1.0000000001", "--1", "x"] {
            assert_eq!(nano(wrong), None, "{wrong}");
        }
    }
}
