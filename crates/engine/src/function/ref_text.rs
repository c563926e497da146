//! `ref_text(_ref)`: a reference as people write it, `entry:record`.

use arrow::{array::Array, datatypes::DataType};
use backstay_evidence::RowRef;
use datafusion::logical_expr::ScalarUDF;

pub(super) fn function() -> ScalarUDF {
    super::columns("ref_text", vec![DataType::Int64], DataType::Utf8, |values| {
        let refs = super::integers(values, 0)?;
        Ok(super::build_texts(refs.len(), |row| {
            refs.is_valid(row)
                .then(|| refs.value(row))
                .and_then(RowRef::unpack)
                .map(|r| r.to_string())
        }))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::session::tests::one_value;

    #[test]
    fn a_reference_is_written_as_entry_and_record() {
        assert_eq!(one_value("ref_text(12 * 4294967296 + 345)"), "12:345");
        assert_eq!(one_value("ref_text(-1)"), "");
    }
}
