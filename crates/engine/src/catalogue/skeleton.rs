//! Skeletons of new catalogue files: complete, parsing, with cases that pass, to be changed piece by
//! piece. It must never write a file.

use super::CatalogueError;

/// The path below the catalogue's folder and the text of a new file. `kind` is `control`, `metric` or
/// `risk`; `id` is `<risk>/<control>`, `<metric>` or `<risk>`.
///
/// # Errors
/// Another kind, or an id that is not of that shape.
pub fn skeleton(kind: &str, id: &str) -> Result<(String, String), CatalogueError> {
    let wrong = |message: String| CatalogueError::Meaning { file: id.to_owned(), message };
    let plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|l| l.is_ascii_lowercase() || l.is_ascii_digit() || l == '-')
    };
    let parts: Vec<&str> = id.split('/').collect();
    if !parts.iter().all(|part| plain(part)) {
        return Err(wrong("an id consists of lower-case letters, digits and hyphens".to_owned()));
    }
    match (kind, parts.as_slice()) {
        ("control", [risk, control]) => {
            let text = CONTROL.replace("{risk}", risk).replace("{id}", control);
            Ok((format!("{risk}/{control}.md"), text))
        }
        ("metric", [metric]) => {
            Ok((format!("metrics/{metric}.md"), METRIC.replace("{id}", metric)))
        }
        ("risk", [risk]) => Ok((format!("{risk}/risk.md"), RISK.replace("{id}", risk))),
        ("control", _) => {
            Err(wrong("write the risk and the control: `quality/my-check`".to_owned()))
        }
        ("metric" | "risk", _) => Err(wrong(format!("a {kind} has a plain id without `/`"))),
        _ => Err(wrong(format!("`{kind}` is neither `control`, `metric` nor `risk`"))),
    }
}

const RISK: &str = r#"+++
id = "{id}"
title = "What goes wrong, in a few words"
order = 99
+++

# What goes wrong

## What can happen

Say it in two or three sentences, as somebody who has seen it happen.

## Loss scenario

Say what one such event costs, and what it depends on.
"#;

const CONTROL: &str = r#"+++
id = "{id}"
title = "Every function says whether it is critical"
risk = "{risk}"
severity = "medium"
max_evidence_age_days = 45
references = []
+++

# Every function says whether it is critical

## What it tests

Each function of the arrangement says whether its failure would stop the client's business.

## Why it matters

Without it nobody knows where to look first.

## How it is computed

One row per function; missed when it does not say.

```sql
SELECT
  arrangement_id,
  function_id AS subject,
  CASE WHEN critical IS NULL THEN 'missed' ELSE 'met' END AS outcome,
  CASE WHEN critical IS NULL THEN 'it does not say whether it is critical' ELSE 'it says so' END
    AS explanation,
  make_array(_ref) AS evidence
FROM function
```

## What to do

Ask the service owner, and import the answer.

## Cases

period 2026-03-01..2026-04-01

given arrangement

| arrangement_id | client_id | provider_id | title | time_zone |
|---|---|---|---|---|
| desk | meridian | tala | Service desk | Europe/Dublin |

### a function that says so is met

given function

| arrangement_id | function_id | title | critical |
|---|---|---|---|
| desk | incidents | Incidents | true |

expect

| subject | outcome | evidence |
|---|---|---|
| incidents | met | 2:1 |

expect status effective

### a function that does not is missed

given function

| arrangement_id | function_id | title | critical |
|---|---|---|---|
| desk | incidents | Incidents | |

expect

| subject | outcome |
|---|---|
| incidents | missed |

expect status deficient

### without functions it is untested

expect nothing

expect status untested
"#;

const METRIC: &str = r#"+++
id = "{id}"
title = "Cases opened in the window"
value = "count"
references = []
+++

# Cases opened in the window

## What it tests

How many cases were opened.

## Why it matters

Prices and staffing follow volume.

## How it is computed

One row per case whose first event falls in the window, for each service level of this metric.

```sql
SELECT
  e.arrangement_id,
  s.service_level_id,
  e.case_id AS subject,
  'met' AS outcome,
  'opened in the window' AS explanation,
  array_agg(e._ref ORDER BY e._ref) AS evidence
FROM case_event e
JOIN service_level s ON s.metric = '{id}'
GROUP BY e.arrangement_id, s.service_level_id, e.case_id
HAVING min(e.occurred_at) >= $period_start AND min(e.occurred_at) < $period_end
```

## What to do

Compare with the volumes that the contract assumes.

## Cases

period 2026-03-01..2026-04-01

given arrangement

| arrangement_id | client_id | provider_id | title | time_zone |
|---|---|---|---|---|
| desk | meridian | tala | Service desk | Europe/Dublin |

A service level of another metric is not counted.

given service_level

| arrangement_id | service_level_id | title | metric | target | window | basis |
|---|---|---|---|---|---|---|
| desk | opened | Cases opened | {id} | 100 | month | contract |
| desk | other | Answered in time | first-response | 0.95 | month | contract |

### a case counts where its first event falls

Dublin's April begins at 23:00 UTC.

given case_event

| arrangement_id | case_id | activity | occurred_at |
|---|---|---|---|
| desk | C0 | opened | 2026-02-28T23:59:59Z |
| desk | C0 | closed | 2026-03-02T09:00:00Z |
| desk | C1 | opened | 2026-03-01T00:00:00Z |
| desk | C1 | closed | 2026-04-02T09:00:00Z |
| desk | C2 | opened | 2026-03-31T22:59:59Z |
| desk | C3 | opened | 2026-03-31T23:00:00Z |

expect

| service_level_id | subject | outcome | evidence |
|---|---|---|---|
| opened | C1 | met | 3:3, 3:4 |
| opened | C2 | met | 3:5 |

expect measurement

| service_level_id | numerator | value |
|---|---|---|
| opened | 2 | 2 |

### a month without cases has no value

expect nothing

expect measurement

| service_level_id | numerator | value |
|---|---|---|
| opened | 0 | |
"#;
