//! The functions that SQL may use. Owns the allow-list and its reason: the same evidence must give the
//! same bytes, so nothing here reads a clock, throws dice, tells of the engine or its storage, or
//! depends on anything but its arguments. What depends on the order of rows is looked at by
//! [`super::guard`].

use std::sync::Arc;

use datafusion::{
    execution::SessionStateDefaults,
    logical_expr::{AggregateUDF, ScalarUDF, WindowUDF},
};

/// Scalar functions of DataFusion that may be used.
pub(super) const SCALAR: &[&str] = &[
    "array_append",
    "array_concat",
    "array_distinct",
    "array_element",
    "array_except",
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_intersect",
    "array_length",
    "array_position",
    "array_prepend",
    "array_remove_all",
    "array_slice",
    "array_sort",
    "array_to_string",
    "array_union",
    "arrow_cast",
    "ascii",
    "btrim",
    "cardinality",
    "character_length",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "contains",
    "date_bin",
    "date_part",
    "date_trunc",
    "empty",
    "ends_with",
    "find_in_set",
    "flatten",
    "generate_series",
    "get_field",
    "greatest",
    "initcap",
    "least",
    "left",
    "levenshtein",
    "lower",
    "lpad",
    "ltrim",
    "make_array",
    "make_date",
    "named_struct",
    "nullif",
    "nvl",
    "nvl2",
    "octet_length",
    "overlay",
    "range",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "starts_with",
    "string_to_array",
    "strpos",
    "struct",
    "substr",
    "substr_index",
    "to_char",
    "to_date",
    "to_hex",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_seconds",
    "to_unixtime",
    "translate",
    "upper",
];

/// Aggregates that may be used.
pub(super) const AGGREGATE: &[&str] = &[
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "min",
    "nth_value",
    "string_agg",
    "sum",
];

/// Window functions that may be used.
pub(super) const WINDOW: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

pub(super) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let theirs = SessionStateDefaults::default_scalar_functions();
    let ours = crate::function::all().into_iter().map(Arc::new);
    theirs.into_iter().filter(|function| SCALAR.contains(&function.name())).chain(ours).collect()
}

pub(super) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    let theirs = SessionStateDefaults::default_aggregate_functions();
    theirs.into_iter().filter(|function| AGGREGATE.contains(&function.name())).collect()
}

pub(super) fn window_functions() -> Vec<Arc<WindowUDF>> {
    let theirs = SessionStateDefaults::default_window_functions();
    theirs.into_iter().filter(|function| WINDOW.contains(&function.name())).collect()
}

/// Whether a scalar function of a plan is on the list, or one of ours.
pub(super) fn is_allowed_scalar(name: &str) -> bool {
    SCALAR.contains(&name) || crate::function::all().iter().any(|function| function.name() == name)
}
