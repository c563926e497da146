//! Changed versions of a control's SQL, one slip each: a comparison turned, AND and OR swapped, a
//! condition dropped. Owns the slips; whoever runs the cases says which of them nobody notices. It
//! must never change anything but the one place.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::{
    ast::{
        BinaryOperator, Expr, JoinConstraint, JoinOperator, Query, Select, SetExpr, Spanned as _,
        Statement, Value, VisitMut as _, VisitorMut,
    },
    dialect::GenericDialect,
    parser::Parser,
};

use crate::error::EngineError;

/// One changed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The SQL.
    pub sql: String,
    /// 1-based line of the place within the SQL.
    pub line: usize,
    /// What was changed.
    pub change: String,
}

/// Every version of some SQL with one slip in it.
///
/// # Errors
/// SQL that cannot be parsed.
pub fn mutants(sql: &str) -> Result<Vec<Mutant>, EngineError> {
    let parsed = Parser::parse_sql(&GenericDialect {}, sql).map_err(|error| EngineError::Sql {
        subject: "catalogue test".to_owned(),
        message: error.to_string(),
    })?;
    let Some(statement) = parsed.into_iter().next() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for target in 0.. {
        let mut changed: Statement = statement.clone();
        let mut slip = Slip { left: target, done: None };
        let _ = changed.visit(&mut slip);
        match slip.done {
            Some((line, change)) => found.push(Mutant { sql: changed.to_string(), line, change }),
            None => break,
        }
    }
    Ok(found)
}

/// Walks a statement and makes the n-th slip that is possible.
struct Slip {
    left: usize,
    done: Option<(usize, String)>,
}

impl Slip {
    /// Whether this is the place; counts down otherwise.
    fn is_here(&mut self) -> bool {
        if self.done.is_some() {
            return false;
        }
        let here = self.left == 0;
        self.left = self.left.saturating_sub(1);
        here
    }

    fn note(&mut self, line: usize, change: String) {
        self.done = Some((line.max(1), change));
    }

    fn drop_condition(&mut self, condition: &mut Option<Expr>, what: &str) {
        if condition.is_some() && self.is_here() {
            let (line, text) =
                condition.as_ref().map(|c| (line_of(c), c.to_string())).unwrap_or_default();
            self.note(line, format!("`{what} {text}` dropped"));
            *condition = None;
        }
    }

    fn select(&mut self, select: &mut Select) {
        self.drop_condition(&mut select.selection, "WHERE");
        self.drop_condition(&mut select.having, "HAVING");
        for join in select.from.iter_mut().flat_map(|from| &mut from.joins) {
            let Some(condition) = on(&mut join.join_operator) else { continue };
            if self.is_here() {
                self.note(line_of(condition), format!("`ON {condition}` dropped"));
                *condition = Expr::Value(Value::Boolean(true).into());
            }
        }
    }

    fn body(&mut self, body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left);
                self.body(right);
            }
            _ => {}
        }
    }
}

impl VisitorMut for Slip {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        // A query in brackets is visited by itself.
        self.body(&mut query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let line = line_of(expr);
        let Expr::BinaryOp { left, op, right } = expr else { return ControlFlow::Continue(()) };
        for other in turned(op) {
            if self.is_here() {
                self.note(line, format!("`{left} {op} {right}` turned to `{other}`"));
                *op = other;
                return ControlFlow::Continue(());
            }
        }
        if *op == BinaryOperator::And {
            let sides = [
                (left.as_ref().clone(), right.to_string()),
                (right.as_ref().clone(), left.to_string()),
            ];
            for (kept, dropped) in sides {
                if self.is_here() {
                    self.note(line, format!("`AND {dropped}` dropped"));
                    *expr = kept;
                    return ControlFlow::Continue(());
                }
            }
        }
        ControlFlow::Continue(())
    }
}

fn line_of(expr: &Expr) -> usize {
    usize::try_from(expr.span().start.line).unwrap_or(1)
}

/// The operators that a slip may put in the place of one.
fn turned(op: &BinaryOperator) -> Vec<BinaryOperator> {
    use BinaryOperator as Op;
    match op {
        Op::Lt => vec![Op::LtEq, Op::GtEq],
        Op::LtEq => vec![Op::Lt, Op::Gt],
        Op::Gt => vec![Op::GtEq, Op::LtEq],
        Op::GtEq => vec![Op::Gt, Op::Lt],
        Op::Eq => vec![Op::NotEq],
        Op::NotEq => vec![Op::Eq],
        Op::And => vec![Op::Or],
        Op::Or => vec![Op::And],
        _ => Vec::new(),
    }
}

/// The condition of a join, when it has one.
fn on(join: &mut JoinOperator) -> Option<&mut Expr> {
    let constraint = match join {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => constraint,
        _ => return None,
    };
    match constraint {
        JoinConstraint::On(condition) => Some(condition),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn every_slip_is_made_once_and_alone() {
        let sql = "SELECT a FROM t JOIN u ON t.x = u.x\nWHERE a < 1 AND b = 2 OR c <> 3";
        let found = mutants(sql).unwrap();
        let changes: Vec<&str> = found.iter().map(|mutant| mutant.change.as_str()).collect();
        assert_eq!(
            changes,
            [
                "`WHERE a < 1 AND b = 2 OR c <> 3` dropped",
                "`ON t.x = u.x` dropped",
                "`t.x = u.x` turned to `<>`",
                "`a < 1 AND b = 2 OR c <> 3` turned to `AND`",
                "`a < 1 AND b = 2` turned to `OR`",
                "`AND b = 2` dropped",
                "`AND a < 1` dropped",
                "`a < 1` turned to `<=`",
                "`a < 1` turned to `>=`",
                "`b = 2` turned to `<>`",
                "`c <> 3` turned to `=`",
            ]
        );
        assert_eq!(found[7].line, 2);
        assert_eq!(
            found[7].sql,
            "SELECT a FROM t JOIN u ON t.x = u.x WHERE a <= 1 AND b = 2 OR c <> 3"
        );
        let texts: std::collections::BTreeSet<&str> =
            found.iter().map(|m| m.sql.as_str()).collect();
        assert_eq!(texts.len(), found.len());
    }

    #[test]
    fn subqueries_are_changed_too() {
        let sql = "WITH w AS (SELECT 1 AS a WHERE 1 < 2) SELECT a FROM w WHERE a IN (SELECT a FROM w WHERE a > 0)";
        let changes: Vec<String> = mutants(sql).unwrap().into_iter().map(|m| m.change).collect();
        assert!(changes.contains(&"`1 < 2` turned to `<=`".to_owned()), "{changes:?}");
        assert!(changes.contains(&"`a > 0` turned to `>=`".to_owned()), "{changes:?}");
        assert!(changes.contains(&"`WHERE a > 0` dropped".to_owned()), "{changes:?}");
    }
}
