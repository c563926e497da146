//! Figures as people read them: grouped counts, percentages from exact ratios, lengths of time,
//! instants. Everything is integer arithmetic; nothing here rounds without saying to how many places.

use jiff::{Timestamp, tz::TimeZone};

/// A count with its thousands apart: `119,998`.
#[must_use]
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    if number < 0 {
        out.push('-');
    }
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `count noun`, with an `s` unless the count is one.
#[must_use]
pub fn counted(number: i64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// `numerator / denominator` as a percentage with that many places, half to even; nothing when
/// the denominator is not positive.
#[must_use]
pub fn percent(numerator: i64, denominator: i64, places: u32) -> Option<String> {
    if denominator <= 0 {
        return None;
    }
    let scale = 10_i128.checked_pow(places)?;
    let scaled = i128::from(numerator).checked_mul(100)?.checked_mul(scale)?;
    Some(format!("{} %", decimal(half_even(scaled, i128::from(denominator)), places)))
}

/// A share written as a decimal (`0.958333`) as a percentage with that many places, half to even;
/// nothing when the text is no decimal.
#[must_use]
pub fn percent_of_share(share: &str, places: u32) -> Option<String> {
    let (units, scale) = parse_decimal(share)?;
    let wanted = 10_i128.checked_pow(places)?.checked_mul(100)?;
    let have = 10_i128.checked_pow(scale)?;
    let scaled = units.checked_mul(wanted)?;
    Some(format!("{} %", decimal(half_even(scaled, have), places)))
}

/// A decimal as units and number of places: `-0.25` is (-25, 2).
fn parse_decimal(text: &str) -> Option<(i128, u32)> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let units: i128 = format!("0{whole}{part}").parse().ok()?;
    Some((if negative { -units } else { units }, u32::try_from(part.len()).ok()?))
}

/// A share as a percentage with as many places as it needs: `0.95` is `95 %`, `0.995` is `99.5 %`.
#[must_use]
pub fn plain_percent(share: &str) -> Option<String> {
    let places = share.split_once('.').map_or(0, |(_, part)| part.trim_end_matches('0').len());
    percent_of_share(share, u32::try_from(places.saturating_sub(2)).ok()?)
}

/// Whether `numerator / denominator` reaches a share written as a decimal, exactly.
#[must_use]
pub fn reaches(numerator: i64, denominator: i64, share: &str) -> Option<bool> {
    let (units, scale) = parse_decimal(share)?;
    let one = 10_i128.checked_pow(scale)?;
    let have = i128::from(numerator).checked_mul(one)?;
    let need = i128::from(denominator).checked_mul(units)?;
    (denominator > 0).then_some(have >= need)
}

/// An amount in minor units with that many places: 1234567 with 2 is `12,345.67`.
#[must_use]
pub fn money(minor: i128, places: u32) -> String {
    let plain = decimal(minor.abs(), places);
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), count);
    let sign = if minor < 0 { "-" } else { "" };
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{part}")
}

/// A decimal in units of 10⁻⁶, cut towards nothing where it has more places; nothing when the text is
/// no decimal. For drawing only.
#[must_use]
pub(crate) fn micros(text: &str) -> Option<i128> {
    let (units, scale) = parse_decimal(text)?;
    if scale <= 6 {
        units.checked_mul(10_i128.checked_pow(6 - scale)?)
    } else {
        units.checked_div(10_i128.checked_pow(scale - 6)?)
    }
}

/// A decimal with that many places, half to even; nothing when the text is no decimal.
#[must_use]
pub fn rounded(text: &str, places: u32) -> Option<String> {
    let (units, scale) = parse_decimal(text)?;
    let scaled = units.checked_mul(10_i128.checked_pow(places)?)?;
    Some(decimal(half_even(scaled, 10_i128.checked_pow(scale)?), places))
}

/// Units of 10^-`scale` with that many places, half to even, with the sign that mathematics writes.
#[must_use]
pub fn signed_decimal(units: i128, scale: u32, places: u32) -> String {
    let text = decimal(units, scale);
    rounded(&text, places).unwrap_or(text).replace('-', "−")
}

/// Without trailing zeros after the point: `0.950000` is `0.95`, `120.000000` is `120`.
#[must_use]
pub fn trim_decimal(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn half_even(numerator: i128, denominator: i128) -> i128 {
    let floor = numerator.div_euclid(denominator);
    let twice = numerator.rem_euclid(denominator) * 2;
    match twice.cmp(&denominator) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + (floor & 1),
    }
}

fn decimal(units: i128, places: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let digits = units.unsigned_abs().to_string();
    let places = places as usize;
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, part) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{part}")
}

/// Microseconds as hours, minutes and what is left of a minute: `3 h 05 min`, `12 min 30 s`, `0 min`.
#[must_use]
pub fn span(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (minutes, rest) = (micros / 60_000_000, micros % 60_000_000);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let mut out = if hours > 0 {
        format!("{sign}{} h {minutes:02} min", count(i64::try_from(hours).unwrap_or(i64::MAX)))
    } else {
        format!("{sign}{minutes} min")
    };
    if rest > 0 {
        let seconds = rest / 1_000_000;
        let part = rest % 1_000_000;
        let part = if part == 0 { String::new() } else { format!("{:06}", part) };
        let part = part.trim_end_matches('0');
        let point = if part.is_empty() { "" } else { "." };
        out.push_str(&format!(" {seconds}{point}{part} s"));
    }
    out
}

/// Bytes to three figures: `2.04 MB`, `512 B`.
#[must_use]
pub fn bytes(number: u64) -> String {
    let mut unit = 1_u64;
    for name in ["B", "kB", "MB", "GB", "TB"] {
        if number < unit.saturating_mul(1000) || name == "TB" {
            if unit == 1 {
                return format!("{number} B");
            }
            let places = if number < unit * 10 { 2 } else { u32::from(number < unit * 100) };
            let scaled = i128::from(number) * 10_i128.pow(places);
            return format!("{} {name}", decimal(half_even(scaled, i128::from(unit)), places));
        }
        unit = unit.saturating_mul(1000);
    }
    format!("{number} B")
}

/// An instant given in microseconds since 1970, in UTC to the second: `2026-10-31 17:00:00Z`.
/// Fractions of a second are kept.
#[must_use]
pub fn instant(micros: i64) -> String {
    match Timestamp::from_microsecond(micros) {
        Ok(instant) => {
            let civil = TimeZone::UTC.to_datetime(instant);
            format!("{} {}Z", civil.date(), civil.time())
        }
        Err(_) => format!("{micros} µs"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let texts = [0, 999, 1000, 119_998, -1_234_567].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "119,998", "-1,234,567"]);
        assert_eq!(counted(1, "case"), "1 case");
        assert_eq!(counted(0, "case"), "0 cases");
    }

    #[test]
    fn a_percentage_is_rounded_from_the_ratio_half_to_even() {
        assert_eq!(percent(1, 3, 2).unwrap(), "33.33 %");
        assert_eq!(percent(2, 3, 1).unwrap(), "66.7 %");
        assert_eq!(percent(1, 8, 0).unwrap(), "12 %");
        assert_eq!(percent(3, 8, 0).unwrap(), "38 %");
        assert_eq!(percent(-1, 3, 2).unwrap(), "-33.33 %");
        assert_eq!(percent(0, 5, 2).unwrap(), "0.00 %");
        assert_eq!(percent(5, 5, 2).unwrap(), "100.00 %");
        assert_eq!(percent(1, 0, 2), None);
    }

    #[test]
    fn a_share_becomes_a_percentage_without_a_float() {
        assert_eq!(percent_of_share("0.95", 2).unwrap(), "95.00 %");
        assert_eq!(percent_of_share("0.958333", 2).unwrap(), "95.83 %");
        assert_eq!(percent_of_share("-0.0125", 1).unwrap(), "-1.2 %");
        assert_eq!(percent_of_share("1", 0).unwrap(), "100 %");
        assert_eq!(percent_of_share("many", 0), None);
        assert_eq!(percent_of_share("", 0), None);
    }

    #[test]
    fn a_target_is_reached_exactly_or_not() {
        assert_eq!(reaches(19, 20, "0.95"), Some(true));
        assert_eq!(reaches(949_999, 1_000_000, "0.95"), Some(false));
        assert_eq!(reaches(0, 0, "0.95"), None);
        assert_eq!(plain_percent("0.95").unwrap(), "95 %");
        assert_eq!(plain_percent("0.995").unwrap(), "99.5 %");
        assert_eq!(plain_percent("1").unwrap(), "100 %");
        assert_eq!(plain_percent("0.900").unwrap(), "90 %");
    }

    #[test]
    fn decimals_are_rounded_half_to_even() {
        assert_eq!(rounded("0.125", 2).unwrap(), "0.12");
        assert_eq!(rounded("0.4356", 2).unwrap(), "0.44");
        assert_eq!(rounded("-1", 2).unwrap(), "-1.00");
        assert_eq!(rounded("none", 2), None);
        assert_eq!(signed_decimal(-4_211_000_000, 9, 2), "−4.21");
        assert_eq!(signed_decimal(855_000_000, 9, 1), "0.9");
    }

    #[test]
    fn lengths_of_time_are_exact() {
        assert_eq!(span(0), "0 min");
        assert_eq!(span(90 * 60_000_000), "1 h 30 min");
        assert_eq!(span(750 * 1_000_000), "12 min 30 s");
        assert_eq!(span(1_500_000), "0 min 1.5 s");
        assert_eq!(span(-60_000_000), "-1 min");
        assert_eq!(span(1_201 * 3_600_000_000), "1,201 h 00 min");
    }

    #[test]
    fn money_is_grouped_and_keeps_its_places() {
        assert_eq!(money(1_234_567, 2), "12,345.67");
        assert_eq!(money(-5, 2), "-0.05");
        assert_eq!(money(1_200, 0), "1,200");
        assert_eq!(money(0, 3), "0.000");
    }

    #[test]
    fn decimals_lose_only_zeros_after_the_point() {
        assert_eq!(trim_decimal("0.950000"), "0.95");
        assert_eq!(trim_decimal("120.000000"), "120");
        assert_eq!(trim_decimal("120"), "120");
    }

    #[test]
    fn bytes_have_three_figures() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(2_041_970), "2.04 MB");
        assert_eq!(bytes(45_600), "45.6 kB");
        assert_eq!(bytes(999_999), "1000 kB");
    }

    #[test]
    fn an_instant_keeps_its_fraction() {
        assert_eq!(instant(0), "1970-01-01 00:00:00Z");
        assert_eq!(instant(1_500_000), "1970-01-01 00:00:01.5Z");
    }
}
