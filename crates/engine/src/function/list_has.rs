//! `list_has(list, item)`: whether a text of values separated by bars holds a value.

use std::sync::Arc;

use arrow::{
    array::{Array, BooleanArray},
    datatypes::DataType,
};
use datafusion::logical_expr::ScalarUDF;

/// Null when the list or the item has no value, so that `coalesce(list_has(…), true)` says "empty
/// means all" where that is what the vocabulary says.
pub(super) fn function() -> ScalarUDF {
    super::columns("list_has", vec![DataType::Utf8, DataType::Utf8], DataType::Boolean, |values| {
        let (lists, items) = (super::texts(values, 0)?, super::texts(values, 1)?);
        let has = |row: usize| {
            let known = lists.is_valid(row) && items.is_valid(row) && !lists.value(row).is_empty();
            known.then(|| lists.value(row).split('|').any(|part| part.trim() == items.value(row)))
        };
        Ok(Arc::new((0..lists.len()).map(has).collect::<BooleanArray>()))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::session::tests::one_value;

    #[test]
    fn an_item_is_found_whole_and_an_empty_list_says_nothing() {
        assert_eq!(one_value("list_has('Resolved|Closed', 'Closed')"), "true");
        assert_eq!(one_value("list_has('Resolved| Closed ', 'Closed')"), "true");
        assert_eq!(one_value("list_has('Resolved|Closed', 'Close')"), "false");
        assert_eq!(one_value("list_has('', 'Closed')"), "");
        assert_eq!(one_value("list_has(null, 'Closed')"), "");
        assert_eq!(one_value("list_has('Closed', null)"), "");
    }
}
