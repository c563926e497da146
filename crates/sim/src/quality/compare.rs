//! Holds what the product says of lots and reviewers against the truth. Owns these two questions; it
//! must never look at statuses and findings, which are compared with all others.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{trial::Ask, truth::Truth};

const LOTS: &str = "
    SELECT arrangement_id, lot_id, severity, sample_size, nonconforming, verdict
    FROM lot_state
    WHERE counts_on >= $period_first";

const AGREEMENTS: &str = "
    SELECT arrangement_id, stream, judged_twice, CAST(kappa * 1000 AS BIGINT) AS floor_thousandths,
           CAST((kappa * 1000 - CAST(kappa * 1000 AS BIGINT)) * 1000 AS BIGINT) AS rest
    FROM agreement
    WHERE kappa IS NOT NULL";

/// Every way in which the answers differ.
///
/// # Errors
/// A question that got no answer.
pub fn differences(truth: &Truth, ask: Ask<'_>) -> Result<Vec<String>, String> {
    let period = truth.period.as_str();
    let mut ask = |sql: &str| ask(&["query", sql, "--period", period, "--format", "json"]);
    let mut found = Vec::new();
    let text = |row: &Value, key: &str| {
        row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let number = |row: &Value, key: &str| row.get(key).and_then(Value::as_i64).unwrap_or(-1);
    let lots = ask(LOTS)?;
    let held: BTreeMap<_, _> = rows(&lots)
        .iter()
        .map(|row| {
            let figures = (
                text(row, "severity"),
                number(row, "sample_size"),
                number(row, "nonconforming"),
                text(row, "verdict"),
            );
            ((text(row, "arrangement_id"), text(row, "lot_id")), figures)
        })
        .collect();
    let wanted: BTreeMap<_, _> = truth
        .quality
        .lots
        .iter()
        .map(|lot| {
            let figures =
                (lot.severity.clone(), lot.sample_size, lot.nonconforming, lot.verdict.clone());
            ((lot.arrangement_id.clone(), lot.lot_id.clone()), figures)
        })
        .collect();
    if held != wanted {
        found.push(format!("lots: the product says {held:?}, the truth is {wanted:?}"));
    }
    let agreements = ask(AGREEMENTS)?;
    let held: BTreeMap<_, _> = rows(&agreements)
        .iter()
        .map(|row| {
            let up = i64::from(number(row, "rest") >= 500);
            let figures = (number(row, "judged_twice"), number(row, "floor_thousandths") + up);
            ((text(row, "arrangement_id"), text(row, "stream")), figures)
        })
        .collect();
    let wanted: BTreeMap<_, _> = truth
        .quality
        .agreements
        .iter()
        .map(|row| {
            let key = (row.arrangement_id.clone(), row.stream.clone());
            (key, (row.judged_twice, row.kappa_thousandths))
        })
        .collect();
    if held != wanted {
        found.push(format!("agreement: the product says {held:?}, the truth is {wanted:?}"));
    }
    Ok(found)
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
