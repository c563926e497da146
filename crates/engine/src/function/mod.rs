//! Scalar functions of our own, one file each, and their registry. A function is pure and exact: it
//! reads no table, no clock and no setting, and it never goes through a float.

mod attribute;
mod duration_text;
mod list_has;
mod minutes;
mod percent_text;
mod ratio_text;
mod ref_text;

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, Int64Array, StringArray, StringBuilder},
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::DataFusionError,
    logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf},
};

pub use ratio_text::ratio_text;

/// All functions, in order of name.
#[must_use]
pub fn all() -> Vec<ScalarUDF> {
    vec![
        attribute::function(),
        duration_text::function(),
        list_has::function(),
        minutes::function(),
        percent_text::function(),
        ratio_text::function(),
        ref_text::function(),
    ]
}

/// A function over whole columns.
fn columns(
    name: &'static str,
    takes: Vec<DataType>,
    gives: DataType,
    work: fn(&[ArrayRef]) -> Result<ArrayRef, DataFusionError>,
) -> ScalarUDF {
    let run = move |values: &[ColumnarValue]| {
        let scalar = values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let result = work(&ColumnarValue::values_to_arrays(values)?)?;
        if scalar {
            let value = datafusion::common::ScalarValue::try_from_array(&result, 0)?;
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(result))
    };
    create_udf(name, takes, gives, Volatility::Immutable, Arc::new(run))
}

fn missing() -> DataFusionError {
    DataFusionError::Internal("a function was called with too few arguments".to_owned())
}

fn texts(values: &[ArrayRef], n: usize) -> Result<&StringArray, DataFusionError> {
    values.get(n).and_then(|array| array.as_string_opt::<i32>()).ok_or_else(missing)
}

fn integers(values: &[ArrayRef], n: usize) -> Result<&Int64Array, DataFusionError> {
    values.get(n).and_then(|array| array.as_primitive_opt::<Int64Type>()).ok_or_else(missing)
}

/// Builds a text column row by row; none is null.
fn build_texts(rows: usize, text: impl Fn(usize) -> Option<String>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for row in 0..rows {
        builder.append_option(text(row));
    }
    Arc::new(builder.finish())
}

/// `numerator × 10^places ÷ denominator`, half to even. None when the denominator is not positive.
#[must_use]
pub(crate) fn scaled_ratio(numerator: i64, denominator: i64, places: u32) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let scaled = i128::from(numerator).checked_mul(10_i128.checked_pow(places)?)?;
    let divisor = i128::from(denominator);
    let (quotient, rest) = (scaled.div_euclid(divisor), scaled.rem_euclid(divisor));
    let up = match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
    };
    Some(quotient + i128::from(up))
}

/// A whole number of units of `10^-places` as a decimal string.
#[must_use]
pub(crate) fn decimal_text(units: i128, places: u32) -> String {
    let (sign, digits) = (if units < 0 { "-" } else { "" }, units.unsigned_abs().to_string());
    let places = places as usize;
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn ratios_round_half_to_even() {
        assert_eq!(scaled_ratio(1, 8, 2), Some(12));
        assert_eq!(scaled_ratio(3, 8, 2), Some(38));
        assert_eq!(scaled_ratio(-1, 8, 2), Some(-12));
        assert_eq!(scaled_ratio(2, 3, 6), Some(666_667));
        assert_eq!(scaled_ratio(1, 0, 6), None);
        assert_eq!(decimal_text(666_667, 6), "0.666667");
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(7, 0), "7");
    }

    #[test]
    fn functions_are_listed_in_order_of_name_and_once() {
        let names: Vec<String> = all().iter().map(|f| f.name().to_owned()).collect();
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
