//! `percent_text(n, d, places)`: a share in per cent, to so many places, half to even.

use arrow::{array::Array, datatypes::DataType};
use datafusion::logical_expr::ScalarUDF;

pub(super) fn function() -> ScalarUDF {
    let takes = vec![DataType::Int64, DataType::Int64, DataType::Int64];
    super::columns("percent_text", takes, DataType::Utf8, |values| {
        let (n, d) = (super::integers(values, 0)?, super::integers(values, 1)?);
        let places = super::integers(values, 2)?;
        Ok(super::build_texts(n.len(), |row| {
            if n.is_null(row) || d.is_null(row) || places.is_null(row) {
                return None;
            }
            let places = u32::try_from(places.value(row)).ok().filter(|places| *places <= 12)?;
            let units = super::scaled_ratio(n.value(row), d.value(row), places + 2)?;
            Some(format!("{} %", super::decimal_text(units, places)))
        }))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::session::tests::one_value;

    #[test]
    fn shares_are_written_in_per_cent() {
        assert_eq!(one_value("percent_text(23, 24, 2)"), "95.83 %");
        assert_eq!(one_value("percent_text(1, 8, 0)"), "12 %");
        assert_eq!(one_value("percent_text(0, 0, 2)"), "");
        assert_eq!(one_value("percent_text(1, 2, -1)"), "");
    }
}
