//! `duration_text(us)`: a length of time as people read it, in hours, never in days: a day of work is
//! not a day.

use arrow::{array::Array, datatypes::DataType};
use datafusion::logical_expr::ScalarUDF;

pub(super) fn function() -> ScalarUDF {
    super::columns("duration_text", vec![DataType::Int64], DataType::Utf8, |values| {
        let lengths = super::integers(values, 0)?;
        Ok(super::build_texts(lengths.len(), |row| {
            lengths.is_valid(row).then(|| text(lengths.value(row)))
        }))
    })
}

/// `26 h 05 min`, `0 h 05 min`, `1 h 00 min 30 s`; microseconds are cut off.
fn text(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "" };
    let seconds = us.unsigned_abs() / 1_000_000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let seconds = if rest == 0 { String::new() } else { format!(" {rest:02} s") };
    format!("{sign}{hours} h {minutes:02} min{seconds}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::session::tests::one_value;

    #[test]
    fn lengths_are_written_in_hours_and_minutes() {
        assert_eq!(one_value("duration_text(93900000000)"), "26 h 05 min");
        assert_eq!(one_value("duration_text(300000000)"), "0 h 05 min");
        assert_eq!(one_value("duration_text(3630000000)"), "1 h 00 min 30 s");
        assert_eq!(one_value("duration_text(0)"), "0 h 00 min");
        assert_eq!(one_value("duration_text(-60000000)"), "-0 h 01 min");
        assert_eq!(one_value("duration_text(null)"), "");
    }
}
