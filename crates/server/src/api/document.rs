//! The OpenAPI document, made from the same table of routes: a route that is not described here fails a
//! test, and so does a description without a route.

use backstay_report::listing::{
    Columns, Kind,
    figure::{CONTROLS, COVERAGE, FINDINGS, LEVELS},
};
use serde_json::{Map, Value, json};

use super::{
    catalogue, figure,
    list::{LIMIT, MOST},
};
use crate::{
    answer::Answer,
    asked::Asked,
    problem::ProblemError,
    route::{Right, routes},
};

/// What a route answers with.
pub enum Gives {
    /// A list with these columns, in every format.
    List(Columns),
    /// A list whose columns depend on what is asked for, in every format.
    Rows,
    /// A list of objects, in JSON alone.
    Items(Columns),
    /// One object.
    Object,
    /// A text that is not JSON.
    Text,
}

/// What a route takes besides the parts of its path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A period and an instant.
    When,
    /// An instant alone.
    Known,
    /// An instant, a cursor and a limit.
    KnownCursor,
    /// A cursor and a limit alone.
    Cursor,
    /// Those, an arrangement, and columns with their values.
    Columns,
    /// Those and a SELECT.
    Sql,
    /// A file as its body, and how it is to be read.
    File,
    /// A row, as the body.
    Row,
}

/// One route described.
pub struct Described {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path below `/api/v1`.
    pub path: &'static str,
    /// In a sentence.
    pub about: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it gives.
    pub gives: Gives,
}

const fn get(path: &'static str, takes: Takes, gives: Gives, about: &'static str) -> Described {
    Described { method: "GET", path, about, takes, gives }
}

/// Of kept assessments.
const KEPT: Columns = &[
    ("entry", Kind::Whole),
    ("recorded_at", Kind::Instant),
    ("period", Kind::Text),
    ("arrangements", Kind::List),
    ("step", Kind::Text),
];
/// Of entries.
const ENTRIES: Columns = &[
    ("entry", Kind::Whole),
    ("recorded_at", Kind::Instant),
    ("actor", Kind::Text),
    ("kind", Kind::Text),
    ("arrangements", Kind::List),
];

/// Every route of the interface.
pub const DESCRIBED: &[Described] = &[
    get("/openapi.json", Takes::Nothing, Gives::Object, "This document."),
    get("/account", Takes::Nothing, Gives::Object, "Whose token it is, and what was granted."),
    get(
        "/arrangements",
        Takes::When,
        Gives::List(figure::ARRANGEMENTS),
        "Arrangements with their worst status and their counts.",
    ),
    get(
        "/arrangements/{arrangement}/assessment",
        Takes::When,
        Gives::Object,
        "The whole assessment of a period, worked out now and not kept.",
    ),
    Described {
        method: "POST",
        path: "/arrangements/{arrangement}/assessments",
        about: "Assesses a period and keeps the answer; the same basis keeps its one entry.",
        takes: Takes::When,
        gives: Gives::Object,
    },
    get(
        "/arrangements/{arrangement}/controls",
        Takes::When,
        Gives::List(CONTROLS),
        "Controls with status, reason and counts.",
    ),
    get(
        "/arrangements/{arrangement}/findings",
        Takes::When,
        Gives::List(FINDINGS),
        "Findings with what they rest on.",
    ),
    get(
        "/arrangements/{arrangement}/service-levels",
        Takes::When,
        Gives::List(LEVELS),
        "Service levels, recomputed; one object a window.",
    ),
    get(
        "/arrangements/{arrangement}/coverage",
        Takes::When,
        Gives::List(COVERAGE),
        "What evidence arrived, and what is lacking.",
    ),
    get(
        "/tables",
        Takes::Cursor,
        Gives::List(catalogue::TABLES),
        "Tables of evidence that there may be.",
    ),
    get("/tables/{table}", Takes::Nothing, Gives::Object, "One table with its columns."),
    get(
        "/tables/{table}/rows",
        Takes::Columns,
        Gives::Rows,
        "Rows of a table in the arrangements and columns that the asker may read.",
    ),
    Described {
        method: "POST",
        path: "/tables/{table}/rows",
        about: "Enters, changes or takes away one row of a register; tries it only with `dry_run`.",
        takes: Takes::Row,
        gives: Gives::Object,
    },
    get(
        "/sql",
        Takes::Sql,
        Gives::Rows,
        "Rows of one SELECT over the arrangements that the asker may query.",
    ),
    get(
        "/controls",
        Takes::Cursor,
        Gives::List(catalogue::CONTROLS),
        "Controls of the catalogue with their SQL.",
    ),
    get(
        "/metrics",
        Takes::Cursor,
        Gives::List(catalogue::METRICS),
        "Metrics of the catalogue with their SQL.",
    ),
    get("/assessments", Takes::Known, Gives::Items(KEPT), "Kept assessments, the newest first."),
    get("/assessments/{entry}", Takes::Nothing, Gives::Object, "One kept assessment."),
    Described {
        method: "POST",
        path: "/imports",
        about: "Hands a file in, has it tried, and brings it in when nothing stands against that.",
        takes: Takes::File,
        gives: Gives::Object,
    },
    get(
        "/imports/{import}",
        Takes::Nothing,
        Gives::Object,
        "Where a file stands that was handed in: what came of its trial, or its import.",
    ),
    Described {
        method: "POST",
        path: "/imports/{import}/bring",
        about: "Brings a file in that was tried with `dry_run`.",
        takes: Takes::Nothing,
        gives: Gives::Object,
    },
    Described {
        method: "POST",
        path: "/imports/{import}/discard",
        about: "Gives a file up that was handed in.",
        takes: Takes::Nothing,
        gives: Gives::Object,
    },
    get(
        "/ledger/entries",
        Takes::KnownCursor,
        Gives::Items(ENTRIES),
        "Entries of the ledger, in order.",
    ),
    get("/ledger/checkpoint", Takes::Nothing, Gives::Text, "The newest signed checkpoint."),
];

/// Where the interface begins.
pub const ROOT: &str = "/api/v1";

/// The document.
pub fn show(_: &Asked<'_>) -> Result<Answer, ProblemError> {
    Ok(Answer::json(document()))
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for described in DESCRIBED {
        let at = paths.entry(described.path).or_insert_with(|| json!({}));
        if let Some(methods) = at.as_object_mut() {
            methods.insert(described.method.to_lowercase(), operation(described));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Backstay",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Outsourced back-office work under control: figures recomputed from evidence. Every read takes `as_of`, a ledger entry or an instant with its offset. A list goes on with the cursor that its page gives. `If-None-Match` with the tag of an answer spares the bytes. A problem is `application/problem+json`.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": ROOT }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An API token; made on the page of the account, or with `backstay account token`." },
            },
            "schemas": {
                "Problem": problem(),
                "Basis": basis(),
            },
            "responses": {
                "Problem": {
                    "description": "What kept it from being answered, and what to do.",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "help": { "type": ["string", "null"] },
        },
    })
}

fn basis() -> Value {
    json!({
        "type": ["object", "null"],
        "description": "What a list was made from; null when no evidence is held, or none is needed.",
        "required": ["known_at", "as_of", "evidence_digest", "period"],
        "properties": {
            "known_at": { "type": "integer", "description": "Ledger entry up to which evidence was known." },
            "as_of": { "type": ["string", "null"], "format": "date-time" },
            "evidence_digest": { "type": "string" },
            "period": { "type": ["string", "null"] },
        },
    })
}

fn operation(of: &Described) -> Value {
    let good = match (of.method, of.path.starts_with("/imports")) {
        ("POST", true) => "202",
        ("POST", false) => "201",
        _ => "200",
    };
    let mut answers = json!({
        good: { "description": of.about, "content": content(&of.gives) },
        "default": { "$ref": "#/components/responses/Problem" },
    });
    if of.method == "GET"
        && let Some(answers) = answers.as_object_mut()
    {
        let same = json!({ "description": "What the tag of `If-None-Match` names still holds." });
        answers.insert("304".to_owned(), same);
    }
    let mut made = json!({
        "summary": of.about,
        "operationId": operation_id(of),
        "parameters": parameters(of),
        "responses": answers,
    });
    if of.takes == Takes::File
        && let Some(made) = made.as_object_mut()
    {
        let file = json!({ "schema": { "type": "string", "format": "binary" } });
        let body = json!({ "required": true, "content": { "application/octet-stream": file } });
        made.insert("requestBody".to_owned(), body);
    }
    let path = format!("{ROOT}{}", of.path);
    if of.takes == Takes::Row
        && let Some(made) = made.as_object_mut()
    {
        let body =
            json!({ "required": true, "content": { "application/json": { "schema": row() } } });
        made.insert("requestBody".to_owned(), body);
        if let Some(answers) = made.get_mut("responses").and_then(Value::as_object_mut) {
            let same = json!({ "description": "Nothing was written: it stands just so, or it was only tried.", "content": content(&of.gives) });
            answers.insert("200".to_owned(), same);
        }
    }
    let open = routes().iter().any(|route| route.path == path && route.right == Right::Open);
    if open && let Some(made) = made.as_object_mut() {
        made.insert("security".to_owned(), json!([]));
    }
    made
}

fn row() -> Value {
    json!({
        "type": "object",
        "required": ["values"],
        "additionalProperties": false,
        "properties": {
            "values": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Columns with their values as a file would write them; an empty text empties a column." },
            "reason": { "type": "string", "description": "Why; it stays in the ledger." },
            "expect": { "type": ["integer", "null"], "minimum": 0, "description": "Entry of the version that was seen; 0: there was no row. Another standing meanwhile is a 409 with both." },
            "delete": { "type": "boolean", "description": "The fact no longer stands." },
            "zone": { "type": ["string", "null"], "description": "IANA zone of times without offset." },
            "party": { "type": ["string", "null"], "description": "Party that person ids belong to, when it is not the arrangement." },
            "dry_run": { "type": "boolean" },
        },
    })
}

fn operation_id(of: &Described) -> String {
    let path = of.path.replace(['{', '}'], "").replace(['/', '.', '-'], "_");
    format!("{}{path}", of.method.to_lowercase())
}

fn parameters(of: &Described) -> Vec<Value> {
    let mut all: Vec<Value> = of
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let query = |name: &str, about: &str, schema: Value| json!({ "name": name, "in": "query", "description": about, "schema": schema });
    let text = || json!({ "type": "string" });
    if matches!(of.takes, Takes::When | Takes::Columns | Takes::Sql) {
        let about = "A month, `2026-10`, a quarter, `2026-Q4`, a year, or days of which the last is left out; else the last complete month with events.";
        all.push(query("period", about, text()));
    }
    if !matches!(of.takes, Takes::Nothing | Takes::Cursor | Takes::File | Takes::Row) {
        let about =
            "A ledger entry, an instant with its offset, or a day to its end in UTC; else now.";
        all.push(query("as_of", about, text()));
    }
    let listed = matches!(of.gives, Gives::List(_) | Gives::Rows | Gives::Items(_));
    if listed && !matches!(of.takes, Takes::Nothing | Takes::Known) {
        all.push(query("cursor", "Where the list goes on, as its last page gave it.", text()));
        let schema = json!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT });
        all.push(query("limit", "Objects of a page.", schema));
    }
    if matches!(of.gives, Gives::List(_) | Gives::Rows) {
        let schema = json!({ "type": "string", "enum": ["json", "ndjson", "csv", "xlsx", ""] });
        all.push(query("format", "A page in JSON, or everything as lines of JSON, comma-separated values or a workbook; else by `Accept`.", schema));
    }
    if matches!(of.takes, Takes::Columns | Takes::Sql) {
        all.push(query("arrangement", "This one only.", text()));
    }
    if of.takes == Takes::Columns {
        let mut columns = query(
            "columns",
            "Columns with the values that rows must have, each by its name.",
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        );
        if let Some(columns) = columns.as_object_mut() {
            columns.insert("style".to_owned(), json!("form"));
            columns.insert("explode".to_owned(), json!(true));
        }
        all.push(columns);
    }
    if of.takes == Takes::File {
        for (name, about) in super::import::FIELDS {
            all.push(query(name, about, text()));
        }
    }
    if of.takes == Takes::Sql {
        let mut sql =
            query("q", "One SELECT; read-only, 30 seconds and a million rows at most.", text());
        if let Some(sql) = sql.as_object_mut() {
            sql.insert("required".to_owned(), json!(true));
            sql.insert("example".to_owned(), json!("SELECT * FROM arrangement"));
        }
        all.push(sql);
    }
    all
}

fn content(gives: &Gives) -> Value {
    let page = |item: Value| {
        json!({
            "type": "object",
            "required": ["items", "next", "basis"],
            "properties": {
                "items": { "type": "array", "items": item },
                "next": { "type": ["string", "null"], "description": "The cursor of the next page; null: this was the last." },
                "basis": { "$ref": "#/components/schemas/Basis" },
            },
        })
    };
    let files = |page: Value| {
        json!({
            "application/json": { "schema": page },
            "application/x-ndjson": { "schema": { "type": "string" } },
            "text/csv": { "schema": { "type": "string" } },
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": { "schema": { "type": "string", "format": "binary" } },
        })
    };
    match gives {
        Gives::List(columns) => files(page(object(columns))),
        Gives::Rows => files(page(json!({ "type": "object" }))),
        Gives::Items(columns) => json!({ "application/json": { "schema": page(object(columns)) } }),
        Gives::Object => json!({ "application/json": { "schema": { "type": "object" } } }),
        Gives::Text => json!({ "text/plain": { "schema": { "type": "string" } } }),
    }
}

fn object(columns: Columns) -> Value {
    let schema = |kind: Kind| match kind {
        Kind::Text | Kind::Decimal => json!({ "type": ["string", "null"] }),
        Kind::Whole => json!({ "type": ["integer", "null"] }),
        Kind::Flag => json!({ "type": ["boolean", "null"] }),
        Kind::Instant => json!({ "type": ["string", "null"], "format": "date-time" }),
        Kind::Day => json!({ "type": ["string", "null"], "format": "date" }),
        Kind::List => json!({ "type": ["array", "null"], "items": { "type": "string" } }),
    };
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let fields = columns.iter().map(|(name, kind)| ((*name).to_owned(), schema(*kind)));
    json!({ "type": "object", "required": names, "properties": fields.collect::<Map<_, _>>() })
}
