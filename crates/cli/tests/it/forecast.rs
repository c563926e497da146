//! Forecasts on the log of a real service desk, through the binary: how often the interval held, and
//! what is said where there is none.

use serde_json::Value;

use crate::{
    sandbox::{number, text},
    servicenow::DESK,
};

fn rows(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Forecasts, intervals that held, forecasts with a month before; mean width of the interval, mean
/// error, and mean error of the month before as a forecast.
const PINNED: ([i64; 3], [&str; 3]) = ([16, 16, 16], ["0.1988", "0.0335", "0.0779"]);

/// Pinned: what a user reads in `docs/forecast.md`. A change here changes what is foretold.
#[test]
fn on_a_real_log_the_interval_holds_about_as_often_as_it_says() {
    let args =
        ["forecast", "service-desk", "--back-test", "--from", "2016-03", "--until", "2016-06"];
    let found = DESK.0.ws(&[&args[..], &["--format", "json"]].concat()).json();
    let counts = ["forecasts", "inside", "compared"].map(|name| number(&found, name));
    let figures =
        ["mean_width", "mean_error", "naive_error"].map(|name| text(&found, name).to_owned());
    assert_eq!((counts, figures.each_ref().map(String::as_str)), PINNED);
    let trials = rows(&found["trials"]);
    assert_eq!(trials.len(), 32, "four service levels, four months, two days each");
    // What came is the figure of the month, to the case.
    let april = DESK.0.ws(&["measure", "--period", "2016-04", "--format", "json"]).json();
    for measure in rows(&april) {
        let own = |trial: &&Value| {
            trial["forecast"]["service_level"] == measure["service_level"]
                && trial["forecast"]["window"] == measure["period"]
        };
        let held: Vec<&Value> = trials.iter().filter(own).collect();
        assert_eq!(held.len(), 2, "{measure}");
        for trial in held {
            assert_eq!(trial["came_met"], measure["numerator"], "{trial}");
            assert_eq!(trial["came_counted"], measure["denominator"], "{trial}");
        }
    }
    // In June nobody handed in new cases any more: no figure is made up from what is left.
    for trial in trials.iter().filter(|trial| text(trial, "day").starts_with("2016-06")) {
        let reason = text(&trial["forecast"], "reason");
        assert!(reason.starts_with("no case came in the last"), "{reason}");
        assert!(trial["forecast"]["expected"].is_null() && trial["inside"].is_null(), "{trial}");
    }
}

#[test]
fn a_forecast_from_a_day_is_a_row_of_sql_too_and_says_what_it_rests_on() {
    let args =
        ["forecast", "service-desk", "--at", "2016-04-20", "--service-level", "resolution-p3"];
    let found = DESK.0.ws(&[&args[..], &["--format", "json"]].concat()).json();
    let [row] = rows(&found) else { panic!("{found}") };
    assert_eq!(text(row, "standing"), "forecast");
    assert_eq!(text(row, "window"), "2016-04-01..2016-05-01");
    assert_eq!(text(row, "looked_at"), "2016-04-20T00:00:00Z");
    let share = |name: &str| text(row, name).parse::<f64>().unwrap();
    assert!(share("low") < share("expected") && share("expected") < share("high"), "{row}");
    let told = DESK.0.ws(&args).ok();
    assert!(told.contains("90 % interval") && told.contains("resolution-p3"), "{told}");
    let month =
        DESK.0.ws(&["forecast", "service-desk", "--period", "2016-04", "--format", "csv"]).ok();
    assert!(month.lines().nth(1).unwrap().contains(",decided,20,59,"), "{month}");
    let sql = "SELECT standing, met, missed FROM forecast WHERE service_level_id = 'resolution-p1'";
    let rows = DESK.0.ws(&["query", sql, "--period", "2016-04", "--format", "csv"]).ok();
    assert_eq!(rows.lines().nth(1), Some("decided,20,59"));
}

#[test]
fn what_cannot_be_foretold_is_refused_with_the_remedy() {
    let fails = |args: &[&str], code| DESK.0.ws(&[&["forecast"], args].concat()).fails(code);
    let told = fails(&["service-desk", "--service-level", "resolution-p9"], 2);
    assert!(told.contains("no service level `resolution-p9`"), "{told}");
    assert!(told.contains("did you mean `resolution-p1`?"), "{told}");
    let told = fails(&["service-desk", "--at", "20 April"], 2);
    assert!(told.contains("`20 April` is not a day"), "{told}");
    let told = fails(&["service-desk", "--at", "9000-01-01"], 2);
    assert!(told.contains("lies ahead"), "{told}");
    let told = fails(&["service-desk", "--period", "2016-05", "--at", "2016-04-20"], 2);
    assert!(told.contains("had not begun"), "{told}");
    let args = ["service-desk", "--back-test", "--from", "2016-05", "--until", "2016-04"];
    let told = fails(&args, 2);
    assert!(told.contains("`--until` ends before `--from` begins"), "{told}");
    let told = fails(&["service-desk", "--day", "10"], 2);
    assert!(told.contains("--back-test"), "{told}");
}
