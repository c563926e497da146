//! `attribute(attributes, key)`: one value of the source-specific columns of a row.

use arrow::{array::Array, datatypes::DataType};
use datafusion::logical_expr::ScalarUDF;

pub(super) fn function() -> ScalarUDF {
    super::columns("attribute", vec![DataType::Utf8, DataType::Utf8], DataType::Utf8, |values| {
        let (objects, keys) = (super::texts(values, 0)?, super::texts(values, 1)?);
        Ok(super::build_texts(objects.len(), |row| {
            if objects.is_null(row) || keys.is_null(row) {
                return None;
            }
            let object: serde_json::Value = serde_json::from_str(objects.value(row)).ok()?;
            object.get(keys.value(row))?.as_str().map(str::to_owned)
        }))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::session::tests::one_value;

    #[test]
    fn a_value_is_found_by_its_key() {
        let row = r#"'{"urgency":"2 - Medium","a":"x"}'"#;
        assert_eq!(one_value(&format!("attribute({row}, 'urgency')")), "2 - Medium");
        assert_eq!(one_value(&format!("attribute({row}, 'b')")), "");
        assert_eq!(one_value("attribute(null, 'b')"), "");
        assert_eq!(one_value("attribute('not an object', 'b')"), "");
    }
}
