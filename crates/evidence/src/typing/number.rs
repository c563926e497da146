//! Whole numbers, decimals, amounts and durations, all exact. No float is used anywhere.

use super::Fault;
use crate::{quarantine::code, schema};

/// How numbers are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) decimal: char,
    pub(crate) group: Option<char>,
}

impl Default for Marks {
    fn default() -> Self {
        Self { decimal: '.', group: None }
    }
}

fn bad(reason: &str) -> Fault {
    Fault::new(code::BAD_NUMBER, reason)
}

/// `text` × 10^`places`, exact.
pub(crate) fn scaled(text: &str, places: u32, marks: Marks) -> Result<i128, Fault> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mut value, mut seen, mut after, mut beyond) = (0_i128, false, None::<u32>, false);
    for symbol in digits.chars() {
        if let Some(digit) = symbol.to_digit(10) {
            seen = true;
            match &mut after {
                Some(done) if *done >= places => {
                    beyond |= digit != 0;
                    continue;
                }
                Some(done) => *done += 1,
                None => {}
            }
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(i128::from(digit)))
                .ok_or_else(|| bad("the number is too large"))?;
        } else if symbol == marks.decimal && after.is_none() {
            after = Some(0);
        } else if Some(symbol) == marks.group && after.is_none() && seen {
        } else {
            return Err(bad(&format!(
                "not a number: write digits with `{}` before the decimals",
                marks.decimal
            )));
        }
    }
    if !seen {
        return Err(bad("not a number: there is no digit in it"));
    }
    if beyond {
        return Err(bad(&match places {
            0 => "not a whole number".to_owned(),
            _ => format!("the number has more than {places} decimals"),
        }));
    }
    for _ in after.unwrap_or(0)..places {
        value = value.checked_mul(10).ok_or_else(|| bad("the number is too large"))?;
    }
    Ok(if negative { -value } else { value })
}

/// A whole number.
pub(crate) fn integer(text: &str, marks: Marks) -> Result<i64, Fault> {
    i64::try_from(scaled(text, 0, marks)?).map_err(|_| bad("the number is too large"))
}

/// A decimal of the stored precision and scale.
pub(crate) fn decimal(text: &str, marks: Marks) -> Result<i128, Fault> {
    let value = scaled(text, u32::from(schema::DECIMAL.1.unsigned_abs()), marks)?;
    let limit = 10_i128.checked_pow(u32::from(schema::DECIMAL.0)).unwrap_or(i128::MAX);
    if value.abs() >= limit {
        return Err(bad("the number is too large"));
    }
    Ok(value)
}

/// Decimal places of a currency's minor unit (ISO 4217; two for all not named).
#[must_use]
pub fn minor_places(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// An amount and its currency: `1234.50 EUR`, `EUR 1234.50`, or a bare number with the currency
/// known from elsewhere.
pub(crate) fn money(text: &str, known: Option<&str>, marks: Marks) -> Result<(i64, String), Fault> {
    let is_code = |part: &str| part.len() == 3 && part.bytes().all(|b| b.is_ascii_alphabetic());
    let (number, own) = match text.split_once(char::is_whitespace) {
        Some((head, tail)) if is_code(head) => (tail.trim(), Some(head)),
        Some((head, tail)) if is_code(tail.trim()) => (head, Some(tail.trim())),
        _ => (text, None),
    };
    let own = own.map(super::currency).transpose()?;
    let known = known.map(super::currency).transpose()?;
    if let (Some(own), Some(known)) = (&own, &known)
        && own != known
    {
        return Err(Fault::new(
            code::BAD_CODE,
            "the amount is written with one currency and its column says another",
        ));
    }
    let Some(currency) = own.or(known) else {
        return Err(Fault::new(
            code::MISSING_CURRENCY,
            "the amount has no currency: write it as in 12.50 EUR, or name its column",
        ));
    };
    let minor = scaled(number, minor_places(&currency), marks)?;
    let minor = i64::try_from(minor).map_err(|_| bad("the amount is too large"))?;
    Ok((minor, currency))
}

/// A duration in microseconds: `4h`, `1h30m`, `90m`, `1.5h`, `PT4H`, `02:30`, `02:30:15`.
pub(crate) fn duration(text: &str) -> Result<i64, Fault> {
    let wrong =
        || Fault::new(code::BAD_DURATION, "not a duration: write it as in 4h, 90m, 1h30m or 02:30");
    let lower = text.to_ascii_lowercase();
    if let Some((hours, rest)) = lower.split_once(':') {
        return clock_duration(hours, rest).ok_or_else(wrong);
    }
    let body = match lower.strip_prefix("pt") {
        Some(rest) => rest,
        None if lower.starts_with('p') => return Err(calendar_unit()),
        None => lower.as_str(),
    };
    let (mut total, mut start, mut rank) = (0_i128, None::<usize>, 0);
    for (at, symbol) in body.char_indices() {
        if symbol.is_ascii_digit() || symbol == '.' {
            start.get_or_insert(at);
            continue;
        }
        if symbol == ' ' && start.is_none() {
            continue;
        }
        let (unit, order) = match symbol {
            'h' => (3_600_i128, 1),
            'm' => (60, 2),
            's' => (1, 3),
            'd' | 'w' | 'y' => return Err(calendar_unit()),
            _ => return Err(wrong()),
        };
        let number = start.take().and_then(|start| body.get(start..at)).ok_or_else(wrong)?;
        if order <= rank {
            return Err(wrong());
        }
        rank = order;
        let millionths = scaled(number, 6, Marks::default()).map_err(|_| wrong())?;
        total += millionths * unit;
    }
    if start.is_some() {
        return Err(Fault::new(
            code::BAD_DURATION,
            "the duration has no unit: write it as in 4h or 90m",
        ));
    }
    if rank == 0 {
        return Err(wrong());
    }
    i64::try_from(total).map_err(|_| wrong())
}

fn calendar_unit() -> Fault {
    Fault::new(
        code::BAD_DURATION,
        "a day is not a length of working time: write the hours it stands for, as in 8h",
    )
}

fn clock_duration(hours: &str, rest: &str) -> Option<i64> {
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
    let part = |text: &str| {
        let fits = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes, seconds) = (part(hours)?, part(minutes)?, part(seconds)?);
    if minutes > 59 || seconds > 59 {
        return None;
    }
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn reason<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
        result.unwrap_err().reason
    }

    #[test]
    fn whole_numbers_are_exact_or_refused() {
        let m = Marks::default();
        assert_eq!(integer("-12", m), Ok(-12));
        assert_eq!(integer("9223372036854775807", m), Ok(i64::MAX));
        assert_eq!(integer("3.00", m), Ok(3));
        assert_eq!(reason(integer("9223372036854775808", m)), "the number is too large");
        assert_eq!(reason(integer("3.5", m)), "not a whole number");
        for text in ["NaN", "inf", "1e3", "0x10", "--1", "1 000"] {
            assert!(reason(integer(text, m)).starts_with("not a number"), "{text}");
        }
        assert_eq!(reason(integer("", m)), "not a number: there is no digit in it");
    }

    #[test]
    fn decimals_keep_nine_places_and_no_more() {
        let m = Marks::default();
        assert_eq!(decimal("0.958", m), Ok(958_000_000));
        assert_eq!(decimal(".5", m), Ok(500_000_000));
        assert_eq!(decimal("1.1234567890", m), Ok(1_123_456_789));
        assert_eq!(reason(decimal("0.1234567891", m)), "the number has more than 9 decimals");
        assert_eq!(reason(decimal(&"9".repeat(30), m)), "the number is too large");
        let european = Marks { decimal: ',', group: Some('.') };
        assert_eq!(decimal("1.234,5", european), Ok(1_234_500_000_000));
    }

    #[test]
    fn amounts_are_minor_units_of_their_currency() {
        let m = Marks::default();
        assert_eq!(money("12.50 EUR", None, m), Ok((1_250, "EUR".into())));
        assert_eq!(money("jpy 1250", None, m), Ok((1_250, "JPY".into())));
        assert_eq!(money("1.250", Some("KWD"), m), Ok((1_250, "KWD".into())));
        assert_eq!(money("12.5", None, m).unwrap_err().code, code::MISSING_CURRENCY);
        assert_eq!(reason(money("12.501", Some("EUR"), m)), "the number has more than 2 decimals");
        assert_eq!(money("1 EUR", Some("USD"), m).unwrap_err().code, code::BAD_CODE);
    }

    #[test]
    fn durations_are_hours_minutes_and_seconds_and_never_days() {
        let hour = 3_600_000_000;
        for (text, expected) in [
            ("4h", 4 * hour),
            ("90m", hour * 3 / 2),
            ("1h30m", hour * 3 / 2),
            ("1h 30m", hour * 3 / 2),
            ("1.5h", hour * 3 / 2),
            ("PT4H", 4 * hour),
            ("PT1H30M15S", hour * 3 / 2 + 15_000_000),
            ("02:30", hour * 5 / 2),
            ("100:00:01", 100 * hour + 1_000_000),
        ] {
            assert_eq!(duration(text), Ok(expected), "{text}");
        }
        for text in ["1d", "P1D", "2w", "P1DT2H"] {
            assert!(reason(duration(text)).starts_with("a day is not a length"), "{text}");
        }
        assert!(reason(duration("4")).starts_with("the duration has no unit"));
        for text in ["", "h", "4x", "30m1h", "02:60", "-4h", "PT"] {
            assert!(reason(duration(text)).starts_with("not a duration"), "{text}");
        }
    }
}
