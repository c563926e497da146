//! Written values into typed columns, for tables that people write in Markdown: the rows of
//! catalogue cases and of tests. Types follow the vocabulary, as an import would type them. It must
//! never read files; imports have their own readers.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int16Builder, Int64Builder,
        StringBuilder, TimestampMicrosecondBuilder,
    },
    datatypes::Field,
};
use backstay_evidence::{
    schema,
    vocabulary::{Column, ColumnType},
};
use jiff::{Timestamp, civil::Date};

/// Collects the values of one vocabulary column and turns them into its physical columns.
#[derive(Debug)]
pub struct CellColumn<'a> {
    column: &'a Column,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    Text(StringBuilder),
    Number(Int64Builder),
    Decimal(Decimal128Builder),
    Money(Int64Builder, StringBuilder),
    Instant(TimestampMicrosecondBuilder, Int16Builder),
    Date(Date32Builder),
    Boolean(BooleanBuilder),
}

impl<'a> CellColumn<'a> {
    /// An empty column.
    #[must_use]
    pub fn new(column: &'a Column) -> Self {
        let parts = match column.kind {
            ColumnType::Integer | ColumnType::Duration => Parts::Number(Int64Builder::new()),
            ColumnType::Decimal => {
                let kind =
                    arrow::datatypes::DataType::Decimal128(schema::DECIMAL.0, schema::DECIMAL.1);
                Parts::Decimal(Decimal128Builder::new().with_data_type(kind))
            }
            ColumnType::Money => Parts::Money(Int64Builder::new(), StringBuilder::new()),
            ColumnType::Instant => Parts::Instant(
                TimestampMicrosecondBuilder::new().with_timezone("UTC"),
                Int16Builder::new(),
            ),
            ColumnType::Date => Parts::Date(Date32Builder::new()),
            ColumnType::Boolean => Parts::Boolean(BooleanBuilder::new()),
            _ => Parts::Text(StringBuilder::new()),
        };
        Self { column, parts }
    }

    /// Appends a written value; empty text is no value.
    ///
    /// # Errors
    /// What is wrong with the text and what to write instead. Nothing is appended then.
    pub fn push(&mut self, text: &str) -> Result<(), String> {
        let text = text.trim();
        let name = &self.column.name;
        if text.is_empty() {
            self.push_null();
            return Ok(());
        }
        match &mut self.parts {
            Parts::Text(builder) => {
                if self.column.kind == ColumnType::Enumeration
                    && !self.column.values.iter().any(|value| value == text)
                {
                    let known = self.column.values.join("`, `");
                    return Err(format!("`{text}` is no `{name}`: write one of `{known}`"));
                }
                builder.append_value(text);
            }
            Parts::Number(builder) if self.column.kind == ColumnType::Duration => {
                builder.append_value(duration_us(text)?);
            }
            Parts::Number(builder) => builder.append_value(whole_number(text)?),
            Parts::Decimal(builder) => builder.append_value(decimal_nanos(text)?),
            Parts::Money(minor, currency) => {
                let (amount, code) = text.split_once(' ').unwrap_or((text, ""));
                let wrong = || {
                    format!(
                        "`{text}` is no amount: write minor units and a currency, as in `1250 EUR`"
                    )
                };
                let amount = amount.parse().map_err(|_| wrong())?;
                if code.len() != 3 {
                    return Err(wrong());
                }
                minor.append_value(amount);
                currency.append_value(code);
            }
            Parts::Instant(instants, offsets) => {
                let (us, offset) = instant_us(text)?;
                instants.append_value(us);
                offsets.append_value(offset);
            }
            Parts::Date(builder) => builder.append_value(date_days(text)?),
            Parts::Boolean(builder) => builder.append_value(truth(text)?),
        }
        Ok(())
    }

    /// Appends no value.
    pub fn push_null(&mut self) {
        match &mut self.parts {
            Parts::Text(builder) => builder.append_null(),
            Parts::Number(builder) => builder.append_null(),
            Parts::Decimal(builder) => builder.append_null(),
            Parts::Money(minor, currency) => {
                minor.append_null();
                currency.append_null();
            }
            Parts::Instant(instants, offsets) => {
                instants.append_null();
                offsets.append_null();
            }
            Parts::Date(builder) => builder.append_null(),
            Parts::Boolean(builder) => builder.append_null(),
        }
    }

    /// The physical columns, in the order of [`schema::fields`].
    #[must_use]
    pub fn finish(mut self) -> Vec<(Field, ArrayRef)> {
        let arrays: Vec<ArrayRef> = match &mut self.parts {
            Parts::Text(builder) => vec![Arc::new(builder.finish())],
            Parts::Number(builder) => vec![Arc::new(builder.finish())],
            Parts::Decimal(builder) => vec![Arc::new(builder.finish())],
            Parts::Money(minor, currency) => {
                vec![Arc::new(minor.finish()), Arc::new(currency.finish())]
            }
            Parts::Instant(instants, offsets) => {
                vec![Arc::new(instants.finish()), Arc::new(offsets.finish())]
            }
            Parts::Date(builder) => vec![Arc::new(builder.finish())],
            Parts::Boolean(builder) => vec![Arc::new(builder.finish())],
        };
        schema::fields(self.column).into_iter().zip(arrays).collect()
    }
}

/// A whole number.
///
/// # Errors
/// When the text is none.
pub fn whole_number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("`{text}` is no whole number"))
}

/// A civil day as days since 1970-01-01.
///
/// # Errors
/// When the text is none.
pub fn date_days(text: &str) -> Result<i32, String> {
    let day: Date =
        text.parse().map_err(|_| format!("`{text}` is no date: write it as `2026-03-31`"))?;
    Ok(crate::rows::days_from_date(day))
}

/// An instant with its offset: microseconds UTC and minutes.
///
/// # Errors
/// When the text is none, or has no offset.
pub fn instant_us(text: &str) -> Result<(i64, i16), String> {
    let wrong = || {
        format!(
            "`{text}` is no instant: write it with its offset, as in `2026-03-02T09:15:00+08:00`"
        )
    };
    let instant: Timestamp = text.parse().map_err(|_| wrong())?;
    let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|_| wrong())?;
    let offset = pieces.to_numeric_offset().map_or(0, jiff::tz::Offset::seconds) / 60;
    Ok((instant.as_microsecond(), i16::try_from(offset).map_err(|_| wrong())?))
}

/// A decimal in units of 10⁻⁹.
///
/// # Errors
/// When the text is no decimal of at most nine places.
pub fn decimal_nanos(text: &str) -> Result<i128, String> {
    let wrong = || format!("`{text}` is no decimal with at most nine places, as in `0.95`");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 28 || fraction.len() > 9 {
        return Err(wrong());
    }
    if !digits_only(whole) || !digits_only(fraction) || digits.ends_with('.') {
        return Err(wrong());
    }
    let value: i128 = format!("{whole}{fraction:0<9}").parse().map_err(|_| wrong())?;
    Ok(sign * value)
}

/// A length of time in microseconds: `4h`, `90m`, `1h 30m`, `45s`, `PT4H`, `02:30`.
///
/// # Errors
/// Anything else; a day is refused, for it may mean 24 hours or a working day.
pub fn duration_us(text: &str) -> Result<i64, String> {
    let wrong =
        || format!("`{text}` is no length of time: write `4h`, `90m`, `1h 30m`, `PT4H` or `02:30`");
    if let Some((hours, minutes)) = text.split_once(':') {
        let hours: i64 = hours.parse().map_err(|_| wrong())?;
        let minutes: i64 = minutes.parse().map_err(|_| wrong())?;
        if hours < 0 || !(0..60).contains(&minutes) {
            return Err(wrong());
        }
        return Ok((hours * 60 + minutes) * 60_000_000);
    }
    let upper = text.to_ascii_uppercase();
    if upper.contains('D') || upper.contains('W') {
        return Err(format!("`{text}`: a day may mean 24 hours or a working day; write hours"));
    }
    let rest = upper.strip_prefix("PT").unwrap_or(&upper);
    let (mut total, mut number, mut seen) = (0_i64, String::new(), false);
    for letter in rest.chars().filter(|letter| *letter != ' ') {
        let unit_us = match letter {
            '0'..='9' => {
                number.push(letter);
                continue;
            }
            'H' => 3_600_000_000,
            'M' => 60_000_000,
            'S' => 1_000_000,
            _ => return Err(wrong()),
        };
        let count: i64 = number.parse().map_err(|_| wrong())?;
        let part = count.checked_mul(unit_us).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        number.clear();
        seen = true;
    }
    if seen && number.is_empty() { Ok(total) } else { Err(wrong()) }
}

/// `true` or `false`.
///
/// # Errors
/// Anything else.
pub fn truth(text: &str) -> Result<bool, String> {
    match text {
        "true" | "yes" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly_and_days_are_refused() {
        assert_eq!(duration_us("4h"), Ok(14_400_000_000));
        assert_eq!(duration_us("1h 30m"), Ok(5_400_000_000));
        assert_eq!(duration_us("PT90M"), Ok(5_400_000_000));
        assert_eq!(duration_us("02:30"), Ok(9_000_000_000));
        assert!(duration_us("1d").unwrap_err().contains("write hours"));
        for bad in ["", "4", "h", "4x", "4h 5", "1:75", "99999999999999h"] {
            assert!(duration_us(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(decimal_nanos("0.95"), Ok(950_000_000));
        assert_eq!(decimal_nanos("-12"), Ok(-12_000_000_000));
        for bad in ["", ".5", "1.", "1e3", "1.0000000001", "NaN", "+1"] {
            assert!(decimal_nanos(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_instant_needs_its_offset_and_keeps_it() {
        assert_eq!(instant_us("1970-01-01T08:00:00+08:00"), Ok((0, 480)));
        assert_eq!(instant_us("1970-01-01T00:00:00Z"), Ok((0, 0)));
        assert!(instant_us("1970-01-01T00:00:00").unwrap_err().contains("with its offset"));
    }
}
