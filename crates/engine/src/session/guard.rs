//! What SQL must not do although it would run: anything that lets the order of rows, a float, a clock
//! or the machine reach a result. Owns the rules and their messages; it looks at plans only and must
//! never run one.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::{
    common::tree_node::{TreeNode as _, TreeNodeRecursion},
    error::DataFusionError,
    logical_expr::{
        Distinct, Expr, ExprSchemable as _, Limit, LogicalPlan, WindowFrameUnits,
        WindowFunctionDefinition, expr::Sort,
    },
};

use super::allow;
use crate::error::EngineError;

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// A control or metric: its result enters an assessment, so every byte must be decided.
    Check,
    /// An analyst's question: may look at rows in any order, and at floats; nothing else.
    Guest,
}

/// The tables that an analysed plan reads, after the rules were checked.
pub(super) fn inspect(
    subject: &str,
    plan: &LogicalPlan,
    rules: Rules,
) -> Result<BTreeSet<String>, EngineError> {
    let mut tables = BTreeSet::new();
    let mut broken: Option<String> = None;
    let visit = |node: &LogicalPlan| -> Result<TreeNodeRecursion, DataFusionError> {
        if let LogicalPlan::TableScan(scan) = node {
            tables.insert(scan.table_name.table().to_owned());
        }
        let mut found = node_breaks(node, rules);
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                found = found.take().or_else(|| expr_breaks(node, expr, rules));
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        broken = broken.take().or(found);
        Ok(if broken.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    };
    plan.apply_with_subqueries(visit).map_err(|error| EngineError::sql(subject, &error))?;
    if broken.is_none() && rules == Rules::Check {
        for field in plan.schema().fields() {
            if has_float(field.data_type()) {
                broken = Some(format!(
                    "column `{}` is a floating-point number; use whole numbers, or decimals with \
                     `cast(… as decimal(38, 9))`",
                    field.name()
                ));
                break;
            }
        }
    }
    match broken {
        Some(message) => Err(EngineError::Refused { subject: subject.to_owned(), message }),
        None => Ok(tables),
    }
}

fn node_breaks(node: &LogicalPlan, rules: Rules) -> Option<String> {
    match node {
        LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::Statement(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::DescribeTable(_) => Some("only a SELECT may be run".to_owned()),
        LogicalPlan::Limit(limit) if rules == Rules::Check => limit_breaks(limit),
        LogicalPlan::Distinct(Distinct::On(_)) if rules == Rules::Check => Some(
            "`DISTINCT ON` may keep any of several rows; use `row_number() OVER (… ORDER BY …, _ref)`"
                .to_owned(),
        ),
        _ => None,
    }
}

fn limit_breaks(limit: &Limit) -> Option<String> {
    let mut input = limit.input.as_ref();
    loop {
        match input {
            LogicalPlan::Projection(projection) => input = projection.input.as_ref(),
            LogicalPlan::SubqueryAlias(alias) => input = alias.input.as_ref(),
            LogicalPlan::Sort(sort) => {
                let keys = sort_names(&sort.expr);
                let all =
                    limit.input.schema().fields().iter().all(|f| keys.contains(f.name().as_str()));
                let decides = all || keys.iter().any(|key| is_ref(key));
                return (!decides).then(|| {
                    "the order before `LIMIT` does not decide between equal rows; end it with `_ref`"
                        .to_owned()
                });
            }
            _ => {
                return Some(
                    "`LIMIT` without `ORDER BY` keeps any rows; order them, ending with `_ref`"
                        .to_owned(),
                );
            }
        }
    }
}

fn expr_breaks(node: &LogicalPlan, expr: &Expr, rules: Rules) -> Option<String> {
    match expr {
        Expr::ScalarFunction(call) if !allow::is_allowed_scalar(call.func.name()) => {
            Some(format!("function `{}` is not on the list of functions", call.func.name()))
        }
        Expr::AggregateFunction(call) if rules == Rules::Check => {
            let name = call.func.name();
            if call.params.args.iter().any(|arg| is_float(node, arg)) {
                return Some(float_aggregate(name));
            }
            let ordered = ["array_agg", "string_agg", "first_value", "last_value", "nth_value"];
            (ordered.contains(&name) && !decides(&call.params.order_by, &call.params.args))
                .then(|| undecided(name))
        }
        Expr::WindowFunction(call) if rules == Rules::Check => {
            let name = call.fun.name();
            let params = &call.params;
            if matches!(call.fun, WindowFunctionDefinition::AggregateUDF(_))
                && params.args.iter().any(|arg| is_float(node, arg))
            {
                return Some(float_aggregate(name));
            }
            let by_value = ["rank", "dense_rank", "percent_rank", "cume_dist"].contains(&name);
            let ordered_aggregate = ["array_agg", "string_agg"].contains(&name);
            let by_range = matches!(call.fun, WindowFunctionDefinition::AggregateUDF(_))
                && !ordered_aggregate
                && (params.order_by.is_empty()
                    || params.window_frame.units == WindowFrameUnits::Range);
            (!by_value && !by_range && !decides(&params.order_by, &params.args))
                .then(|| undecided(name))
        }
        _ => None,
    }
}

fn float_aggregate(name: &str) -> String {
    format!(
        "`{name}` over floating-point numbers depends on the order of adding; use whole numbers or decimals"
    )
}

fn undecided(name: &str) -> String {
    format!(
        "`{name}` depends on the order of rows: give it an `ORDER BY` that ends with `_ref`, or that holds what is put in order"
    )
}

/// Whether an order decides between any two rows, or between any two rows that differ in what is
/// taken from them.
fn decides(order: &[Sort], args: &[Expr]) -> bool {
    let keys = sort_names(order);
    if keys.iter().any(|key| is_ref(key)) {
        return true;
    }
    let taken: Vec<&Expr> = args.iter().filter(|arg| !matches!(arg, Expr::Literal(..))).collect();
    !taken.is_empty()
        && taken.iter().all(|arg| {
            order
                .iter()
                .any(|key| unnamed(&key.expr) == bare(arg) || unnamed(&key.expr) == unnamed(arg))
        })
}

fn is_ref(name: &str) -> bool {
    name == "_ref" || name.ends_with("_ref")
}

fn sort_names(order: &[Sort]) -> BTreeSet<&str> {
    let name = |sort| match unnamed(sort) {
        Expr::Column(column) => Some(column.name.as_str()),
        _ => None,
    };
    order.iter().map(|sort| &sort.expr).filter_map(name).collect()
}

/// An expression without the names around it.
fn unnamed(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unnamed(&alias.expr),
        other => other,
    }
}

/// An expression without the names and casts around it: whatever decides about it decides about
/// what was cast from it.
fn bare(expr: &Expr) -> &Expr {
    match unnamed(expr) {
        Expr::Cast(cast) => bare(&cast.expr),
        other => other,
    }
}

fn is_float(node: &LogicalPlan, expr: &Expr) -> bool {
    let kind = |schema: &datafusion::common::DFSchema| expr.get_type(schema).ok();
    let inputs = node.inputs();
    let found = inputs.iter().find_map(|input| kind(input.schema()));
    found.or_else(|| kind(node.schema())).is_some_and(|kind| has_float(&kind))
}

fn has_float(kind: &DataType) -> bool {
    match kind {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => true,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            has_float(field.data_type())
        }
        DataType::Struct(fields) => fields.iter().any(|field| has_float(field.data_type())),
        DataType::Map(field, _) => has_float(field.data_type()),
        DataType::Dictionary(_, value) => has_float(value),
        _ => false,
    }
}
