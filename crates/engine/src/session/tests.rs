//! Tests of planning, rules and limits, and what other tests of the crate share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::fixture::Fixture;

pub(crate) const LAYOUT: Layout = Layout { partitions: 2, batch_rows: 8192 };

/// The built-in vocabulary.
pub(crate) fn vocabulary() -> Arc<Vocabulary> {
    Arc::new(Vocabulary::built_in().unwrap())
}

/// Evidence of a fixture with a catalogue.
pub(crate) fn evidence_of(
    fixture: &Fixture<'_>,
    vocabulary: &Arc<Vocabulary>,
    catalogue: Catalogue,
) -> Evidence {
    let (manifest, objects) = fixture.manifest_and_objects().unwrap();
    Evidence {
        vocabulary: vocabulary.clone(),
        catalogue: Arc::new(catalogue),
        manifest: Arc::new(manifest),
        objects: Arc::new(objects),
    }
}

/// March 2026 of arrangement `desk` in UTC.
pub(crate) fn view() -> View {
    let period: Period = "2026-03".parse().unwrap();
    let as_of_us = period.bounds_us("UTC").unwrap().1;
    View { arrangement_id: "desk".to_owned(), zone: "UTC".to_owned(), period, as_of_us }
}

fn session_over(fixture: &Fixture<'_>, vocabulary: &Arc<Vocabulary>) -> Session {
    let evidence = evidence_of(fixture, vocabulary, Catalogue::default());
    Session::new(&evidence, view(), LAYOUT, runtime(LAYOUT).unwrap()).unwrap()
}

fn cells(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |column: &arrow::array::ArrayRef| {
                arrow::util::display::array_value_to_string(column, row).unwrap()
            };
            rows.push(batch.columns().iter().map(cell).collect());
        }
    }
    rows
}

/// The value of an expression as text; nothing for null.
pub(crate) fn one_value(expression: &str) -> String {
    let vocabulary = vocabulary();
    let session = session_over(&Fixture::new(&vocabulary), &vocabulary);
    let sql = format!("SELECT {expression} AS value");
    let planned = session.plan("test", &sql, session.view.period, Rules::Guest).unwrap();
    cells(&session.run("test", &planned).unwrap())[0][0].clone()
}

fn refusal(sql: &str) -> String {
    let vocabulary = vocabulary();
    let session = session_over(&Fixture::new(&vocabulary), &vocabulary);
    session.plan("control `x`", sql, session.view.period, Rules::Check).unwrap_err().to_string()
}

#[track_caller]
fn allowed(sql: &str) {
    let vocabulary = vocabulary();
    let session = session_over(&Fixture::new(&vocabulary), &vocabulary);
    if let Err(error) = session.plan("control `x`", sql, session.view.period, Rules::Check) {
        panic!("{sql}: {error}");
    }
}

#[test]
fn nothing_that_reads_the_clock_or_throws_dice_is_there() {
    for call in [
        "now()",
        "current_date",
        "current_timestamp",
        "current_time",
        "random()",
        "uuid()",
        "version()",
        "input_file_name()",
    ] {
        let error = refusal(&format!("SELECT {call} AS x"));
        assert!(error.contains("control `x`: "), "{call}: {error}");
    }
}

#[test]
fn only_a_select_may_be_run() {
    for sql in [
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "DROP TABLE site",
        "INSERT INTO site VALUES (1)",
        "COPY site TO '/tmp/x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN SELECT 1",
        "SHOW TABLES",
        "DESCRIBE site",
    ] {
        let error = refusal(sql);
        assert!(
            error.contains("only a SELECT may be run") || error.contains("not support"),
            "{sql}: {error}"
        );
    }
    assert!(refusal("SELECT 1; SELECT 2").contains("control `x`: "));
}

#[test]
fn an_unknown_table_is_named_with_the_nearest_one() {
    assert_eq!(
        refusal("SELECT * FROM case_evnt"),
        "unknown table `case_evnt`; did you mean `case_event`?"
    );
    assert!(
        refusal("SELECT * FROM information_schema.tables")
            .contains("unknown table `information_schema.tables`")
    );
    assert!(refusal("SELECT * FROM 'x.parquet'").contains("unknown table"));
}

#[test]
fn what_depends_on_the_order_of_rows_is_refused() {
    for (sql, word) in [
        ("SELECT site_id FROM site LIMIT 1", "without `ORDER BY`"),
        ("SELECT site_id, name FROM site ORDER BY site_id LIMIT 1", "does not decide"),
        ("SELECT array_agg(site_id) FROM site", "array_agg"),
        ("SELECT array_agg(site_id ORDER BY name) FROM site", "array_agg"),
        ("SELECT string_agg(site_id, ',') FROM site", "string_agg"),
        ("SELECT first_value(site_id) FROM site", "first_value"),
        ("SELECT last_value(site_id ORDER BY name) FROM site", "last_value"),
        ("SELECT row_number() OVER (PARTITION BY name ORDER BY city) FROM site", "row_number"),
        ("SELECT lag(city) OVER (ORDER BY name) FROM site", "lag"),
        ("SELECT sum(version) OVER (ORDER BY name ROWS UNBOUNDED PRECEDING) FROM site", "sum"),
        ("SELECT DISTINCT ON (name) name, city FROM site", "DISTINCT ON"),
        (
            "SELECT name FROM site WHERE site_id IN (SELECT site_id FROM site LIMIT 1)",
            "without `ORDER BY`",
        ),
    ] {
        let error = refusal(sql);
        assert!(error.contains("refused") && error.contains(word), "{sql}: {error}");
    }
}

#[test]
fn what_is_put_in_a_deciding_order_is_allowed() {
    allowed("SELECT site_id, name FROM site ORDER BY name, _ref LIMIT 1");
    allowed("SELECT site_id, name FROM site ORDER BY name, site_id LIMIT 1");
    allowed("SELECT array_agg(_ref ORDER BY _ref) FROM site");
    allowed("SELECT array_agg(DISTINCT city ORDER BY city) FROM site");
    allowed("SELECT string_agg(city, ', ' ORDER BY city) FROM site");
    allowed("SELECT first_value(city ORDER BY version DESC, _ref) FROM site");
    allowed("SELECT row_number() OVER (PARTITION BY name ORDER BY city, _ref) FROM site");
    allowed("SELECT rank() OVER (ORDER BY city), count(*) OVER (PARTITION BY city) FROM site");
    allowed("SELECT count(*) FROM site WHERE version > 1");
}

#[test]
fn floats_are_kept_out_of_results_and_aggregates() {
    for sql in [
        "SELECT 0.5::double AS x",
        "SELECT avg(version) AS x FROM site",
        "SELECT cast(sum(version * 1.5e0) AS bigint) AS x FROM site",
        "SELECT make_array(1.0e0) AS x",
    ] {
        let error = refusal(sql);
        assert!(error.contains("floating-point"), "{sql}: {error}");
    }
    allowed("SELECT cast(sum(version) AS decimal(38, 9)) / 3 AS x FROM site");
}

fn sites() -> &'static str {
    "| site_id | time_zone | city | valid_from |\n|---|---|---|---|\n\
     | manila | Asia/Manila | Manila | 2026-01-01 |\n\
     | manila | Asia/Manila | Makati | 2026-03-01 |\n\
     | krakow | Europe/Warsaw | Kraków | |\n"
}

#[test]
fn parameters_carry_the_period_and_validity_is_filled_in() {
    let vocabulary = vocabulary();
    let fixture = Fixture::new(&vocabulary).table("site", sites()).unwrap();
    let session = session_over(&fixture, &vocabulary);
    let sql =
        "SELECT site_id, city, valid_to, ref_text(_ref) AS ref, $arrangement_id AS a, $zone AS z,
                 $period_start AS s, $period_after AS e
               FROM site WHERE valid_to IS NULL OR valid_to <= $period_first ORDER BY _ref";
    let planned = session.plan("x", sql, session.view.period, Rules::Check).unwrap();
    let rows = cells(&session.run("x", &planned).unwrap());
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[0],
        [
            "manila",
            "Manila",
            "2026-03-01",
            "1:1",
            "desk",
            "UTC",
            "2026-03-01T00:00:00Z",
            "2026-04-01"
        ]
    );
    assert_eq!(rows[1][2], "");
    assert_eq!(planned.reads.iter().collect::<Vec<_>>(), ["site"]);
}

fn ask(sql: &str, limits: GuestLimits) -> Result<QueryResult, EngineError> {
    let vocabulary = vocabulary();
    let fixture = Fixture::new(&vocabulary).table("site", sites()).unwrap();
    let evidence = evidence_of(&fixture, &vocabulary, Catalogue::default());
    query(&evidence, &[view()], sql, LAYOUT, limits)
}

#[test]
fn a_guest_sees_several_arrangements_at_once_with_their_derived_tables() {
    let vocabulary = vocabulary();
    let arrangements = "| arrangement_id | client_id | provider_id | title | time_zone |
|---|---|---|---|---|
| desk | c | p | Desk | UTC |
| claims | c | p | Claims | Asia/Kolkata |";
    let feeds =
        "| arrangement_id | feed_id | table_name | entry | cadence | valid_from | valid_to |
|---|---|---|---|---|---|---|
| desk | work | case_event | declared | month | 2026-03-01 | 2026-04-01 |
| claims | work | case_event | declared | month | 2026-03-01 | 2026-04-01 |";
    let fixture = Fixture::new(&vocabulary).table("arrangement", arrangements).unwrap();
    let fixture = fixture.table("evidence_feed", feeds).unwrap();
    let evidence = evidence_of(&fixture, &vocabulary, Catalogue::default());
    let claims =
        View { arrangement_id: "claims".to_owned(), zone: "Asia/Kolkata".to_owned(), ..view() };
    let ask = |views: &[View], sql: &str| {
        cells(&query(&evidence, views, sql, LAYOUT, GuestLimits::default()).unwrap().batches)
    };
    let both = [view(), claims];
    assert_eq!(ask(&both, "SELECT count(*) FROM arrangement"), [["2"]]);
    let derived = "SELECT arrangement_id FROM feed_day ORDER BY arrangement_id";
    assert_eq!(ask(&both, derived), [["claims"], ["desk"]]);
    assert_eq!(ask(&both[..1], derived), [["desk"]]);

    let starts = "SELECT $period_start AS s, $period_first AS f";
    assert_eq!(ask(&both[1..], starts), [["2026-02-28T18:30:00Z", "2026-03-01"]]);
    assert_eq!(ask(&both, "SELECT $period_first AS f"), [["2026-03-01"]]);
    let error = query(&evidence, &both, starts, LAYOUT, GuestLimits::default()).unwrap_err();
    let refused = "query: refused: `$period_start` is another instant in each of the zones \
                   Asia/Kolkata, UTC: name one arrangement";
    assert!(error.to_string().starts_with(refused), "{error}");
}

const COUNTING: &str =
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 1000000000)";

#[test]
fn a_guest_may_look_at_rows_in_any_order() {
    let result =
        ask("SELECT city, 0.5e0 AS half FROM site LIMIT 2", GuestLimits::default()).unwrap();
    assert_eq!(cells(&result.batches).len(), 2);
    assert_eq!(result.reads, ["site"]);
    let error = ask("SELECT now()", GuestLimits::default()).unwrap_err().to_string();
    assert!(error.starts_with("query: "), "{error}");
}

#[test]
fn a_guest_is_stopped_at_the_time_limit_even_inside_a_recursive_query() {
    let limits = GuestLimits { seconds: 1, ..GuestLimits::default() };
    let error = ask(&format!("{COUNTING} SELECT count(*) FROM t"), limits).unwrap_err();
    assert!(matches!(error, EngineError::Limit { .. }), "{error}");
    assert!(error.to_string().contains("longer than 1 s"), "{error}");
}

#[test]
fn nothing_goes_on_running_after_a_guest_was_stopped() {
    let limits = GuestLimits { seconds: 1, ..GuestLimits::default() };
    ask(&format!("{COUNTING} SELECT count(*) FROM t"), limits).unwrap_err();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let used = || {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    // Other tests of this binary run beside this one, so only a thread that never stops shows.
    let names = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let busy = tasks.filter_map(|task| {
            let path = task.ok()?.path();
            let name = std::fs::read_to_string(path.join("comm")).ok()?;
            let stat = std::fs::read_to_string(path.join("stat")).ok()?;
            let state = stat.rsplit(')').next()?.split_whitespace().next()?.to_owned();
            (name.trim() == "backstay-engine" && state == "R").then_some(())
        });
        busy.count()
    };
    let _ = used();
    // A stopped query leaves no engine thread running within some seconds.
    let quiet = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        names() == 0
    });
    assert!(quiet, "an engine thread is still busy");
}

#[test]
fn a_guest_is_stopped_at_the_row_and_memory_limits() {
    let many = "WITH a AS (SELECT unnest(generate_series(1, 2000)) AS n) SELECT a.n, b.n AS m FROM a CROSS JOIN a b";
    let error =
        ask(many, GuestLimits { rows: 1000, ..GuestLimits::default() }).unwrap_err().to_string();
    assert!(error.contains("more than 1000 rows"), "{error}");
    let sorted = format!("SELECT * FROM ({many}) x ORDER BY n + m, n");
    let error = ask(&sorted, GuestLimits { bytes: 4 << 20, ..GuestLimits::default() })
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than 4 MiB"), "{error}");
}
