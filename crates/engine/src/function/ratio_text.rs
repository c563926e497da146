//! `ratio_text(n, d)`: an exact share as a decimal string with six places, half to even.

use arrow::{array::Array, datatypes::DataType};
use datafusion::logical_expr::ScalarUDF;

/// Decimal places of a share.
const PLACES: u32 = 6;

pub(super) fn function() -> ScalarUDF {
    super::columns("ratio_text", vec![DataType::Int64, DataType::Int64], DataType::Utf8, |values| {
        let (n, d) = (super::integers(values, 0)?, super::integers(values, 1)?);
        Ok(super::build_texts(n.len(), |row| {
            if n.is_null(row) || d.is_null(row) {
                None
            } else {
                ratio_text(n.value(row), d.value(row))
            }
        }))
    })
}

/// A share with six places, half to even; none when the denominator is not positive.
#[must_use]
pub fn ratio_text(numerator: i64, denominator: i64) -> Option<String> {
    super::scaled_ratio(numerator, denominator, PLACES)
        .map(|units| super::decimal_text(units, PLACES))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::session::tests::one_value;

    #[test]
    fn a_share_has_six_places_and_none_without_cases() {
        assert_eq!(one_value("ratio_text(23, 24)"), "0.958333");
        assert_eq!(one_value("ratio_text(1, 1)"), "1.000000");
        assert_eq!(one_value("ratio_text(0, 0)"), "");
    }
}
