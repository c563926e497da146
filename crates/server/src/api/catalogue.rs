//! What is tested and how, and the language of the evidence.

use backstay_engine::catalogue::Body;
use backstay_report::listing::{Columns, Kind, Listing};
use serde_json::{Value, json};

use super::list;
use crate::{answer::Answer, asked::Asked, problem::ProblemError};

type Done = Result<Answer, ProblemError>;

/// Of controls of the catalogue.
pub const CONTROLS: Columns = &[
    ("control", Kind::Text),
    ("risk", Kind::Text),
    ("title", Kind::Text),
    ("severity", Kind::Text),
    ("tests", Kind::Text),
    ("why", Kind::Text),
    ("sql", Kind::Text),
    ("remedy", Kind::Text),
    ("references", Kind::List),
];
/// Of metrics of the catalogue.
pub const METRICS: Columns =
    &[("metric", Kind::Text), ("title", Kind::Text), ("tests", Kind::Text), ("sql", Kind::Text)];
/// Of tables of the vocabulary.
pub const TABLES: Columns = &[
    ("table", Kind::Text),
    ("title", Kind::Text),
    ("about", Kind::Text),
    ("kind", Kind::Text),
    ("scope", Kind::Text),
    ("identity", Kind::List),
];

/// A list that depends on no evidence.
fn constant(asked: &Asked<'_>, name: &str, columns: Columns, rows: Vec<Vec<Value>>) -> Done {
    let mut listing = Listing::new(name, columns);
    listing.rows = rows;
    list::constant(asked, listing)
}

fn sql(body: &Body) -> Value {
    json!(body.sql)
}

/// Controls.
pub fn controls(asked: &Asked<'_>) -> Done {
    let all = asked.server.catalogue.controls().into_iter().map(|control| {
        vec![
            json!(control.id),
            json!(control.risk),
            json!(control.title),
            json!(control.severity),
            json!(control.body.tests),
            json!(control.body.why),
            sql(&control.body),
            json!(control.body.remedy),
            json!(control.references),
        ]
    });
    constant(asked, "controls", CONTROLS, all.collect())
}

/// Metrics.
pub fn metrics(asked: &Asked<'_>) -> Done {
    let all = asked.server.catalogue.metrics().map(|metric| {
        vec![json!(metric.id), json!(metric.title), json!(metric.body.tests), sql(&metric.body)]
    });
    constant(asked, "metrics", METRICS, all.collect())
}

/// Tables.
pub fn tables(asked: &Asked<'_>) -> Done {
    let all = asked.server.workspace.vocabulary().tables().map(|table| {
        vec![
            json!(table.name),
            json!(table.title),
            json!(table.about),
            json!(table.kind),
            json!(table.scope),
            json!(table.identity),
        ]
    });
    constant(asked, "tables", TABLES, all.collect())
}

/// One table with its columns.
pub fn table(asked: &Asked<'_>) -> Done {
    let found = asked.server.workspace.vocabulary().table(asked.part("table"));
    let found = found.ok_or_else(|| ProblemError::nothing("table"))?;
    let value = serde_json::to_value(found).map_err(|e| ProblemError::broken(e.to_string()))?;
    Ok(Answer::json(value))
}
