//! `minutes(us)`: the whole minutes of a duration, rounded down.

use std::sync::Arc;

use arrow::{array::Int64Array, datatypes::DataType};
use datafusion::logical_expr::ScalarUDF;

pub(super) fn function() -> ScalarUDF {
    super::columns("minutes", vec![DataType::Int64], DataType::Int64, |values| {
        let lengths = super::integers(values, 0)?;
        let whole = lengths.iter().map(|us| us.map(|us| us.div_euclid(60_000_000)));
        Ok(Arc::new(whole.collect::<Int64Array>()))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::session::tests::one_value;

    #[test]
    fn minutes_are_rounded_down() {
        assert_eq!(one_value("minutes(119999999)"), "1");
        assert_eq!(one_value("minutes(120000000)"), "2");
        assert_eq!(one_value("minutes(-1)"), "-1");
        assert_eq!(one_value("minutes(null)"), "");
    }
}
