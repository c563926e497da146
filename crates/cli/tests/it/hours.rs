//! Distance in hours at the door: the overlap ahead, two calendars side by side, times to meet.

use crate::sandbox::Sandbox;

const FILES: [(&str, &str); 8] = [
    (
        "arrangement",
        "arrangement_id,client_id,provider_id,title,time_zone,default_site_id\n\
         claims,meridian,nila,Claims,Europe/Dublin,chennai\n",
    ),
    (
        "site",
        "site_id,time_zone,calendar_id\n\
         dublin,Europe/Dublin,dublin\n\
         chennai,Asia/Kolkata,chennai\n\
         manila,Asia/Manila,manila\n",
    ),
    (
        "calendar",
        "calendar_id,time_zone,monday,tuesday,wednesday,thursday,friday,holiday_places,covered_from,covered_until\n\
         dublin,Europe/Dublin,09:00-17:00,09:00-17:00,09:00-17:00,09:00-17:00,09:00-17:00,,2026-01-01,2027-05-01\n\
         chennai,Asia/Kolkata,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,,2026-01-01,2027-05-01\n\
         manila,Asia/Manila,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,,2026-01-01,2027-05-01\n\
         short,Asia/Kolkata,09:00-13:00,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,,2026-01-01,2027-05-01\n",
    ),
    (
        "team",
        "arrangement_id,team_id,site_id\n\
         claims,Meridian,dublin\n\
         claims,Nila,chennai\n",
    ),
    (
        "overlap_term",
        "arrangement_id,team_id,other_team_id,required\n\
         claims,Meridian,Nila,4h\n",
    ),
    (
        "service_level",
        "arrangement_id,service_level_id,title,metric,target,threshold,window,stop_states,basis\n\
         claims,fast,Done in 6 h,turnaround,0.9,6h,month,Done,contract\n",
    ),
    (
        "evidence_feed",
        "arrangement_id,feed_id,table_name,entry,cadence,valid_from\n\
         claims,log,case_event,declared,month,2026-10-01\n",
    ),
    (
        "case_event",
        "arrangement_id,case_id,activity,state,occurred_at\n\
         claims,A,open,New,2026-10-05T09:00:00+05:30\n\
         claims,A,done,Done,2026-10-05T17:00:00+05:30\n\
         claims,B,open,New,2026-10-06T09:00:00+05:30\n\
         claims,B,done,Done,2026-10-06T15:00:00+05:30\n",
    ),
];

fn workspace() -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    for (table, text) in FILES {
        let file = format!("{table}.csv");
        std::fs::write(sandbox.path(&file), text).unwrap();
        sandbox.ws(&["import", &file, "--as", table]).ok();
    }
    sandbox
}

#[test]
fn the_year_ahead_shows_where_the_clocks_take_the_overlap_below_what_was_agreed() {
    let sandbox = workspace();
    let shown = sandbox.ws(&["overlap", "--period", "2026-10", "--months", "8"]).ok();
    for part in [
        "Meridian / Nila, agreed: 4 h 00 min a day",
        "2026-10    22  3 h 30 min  4 h 30 min      5",
        "2026-11    21  3 h 30 min  3 h 30 min     21",
        "2027-04    21  4 h 30 min  4 h 30 min      0",
        "Clock changes move Nila: from 2026-10-25 on 5 h 30 min ahead instead of 4 h 30 min ahead; from \
         2027-03-28 on 4 h 30 min ahead instead of 5 h 30 min ahead.",
    ] {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat(&shown).contains(&flat(part)), "{part}\n{shown}");
    }
    let json = sandbox.ws(&["overlap", "claims", "--period", "2026-10", "--format", "json"]).json();
    let months = json[0]["months"].as_array().unwrap();
    assert_eq!(months.len(), 13);
    assert_eq!(months[0]["days_below"], 5);
    assert_eq!(months[7]["days_not_known"], 31, "the calendars end with April");
}

#[test]
fn another_calendar_is_told_in_minutes_and_in_cases() {
    let sandbox = workspace();
    let diff = |format| {
        ["calendar", "diff", "chennai", "short", "--period", "2026-10", "--format", format]
    };
    let json = sandbox.ws(&diff("json")).json();
    assert_eq!(json["days"].as_array().unwrap().len(), 4, "four Mondays");
    assert_eq!(
        (json["minutes_gained"].as_i64(), json["minutes_lost"].as_i64()),
        (Some(0), Some(1200))
    );
    let effects = json["effects"].as_array().unwrap();
    let [effect] = effects.as_slice() else { panic!("{json}") };
    assert_eq!(effect["arrangement_id"], "claims");
    let [figure] = effect["figures"].as_array().unwrap().as_slice() else { panic!("{json}") };
    assert_eq!(figure["before"]["numerator"], 1);
    assert_eq!(figure["after"]["numerator"], 2);
    let case = &effect["cases"][0];
    assert_eq!((&case["case_id"], &case["after"]["outcome"]), (&"A".into(), &"met".into()));
    assert!(sandbox.ws(&diff("csv")).ok().contains("\n2026-10-05,0,300\n"));
    let shown = sandbox.ws(&diff("table")).ok();
    assert!(shown.contains("claims, if short stood in the place of chennai"), "{shown}");
    assert!(shown.contains("100.00 % (2 of 2)"), "{shown}");
    let none = sandbox.ws(&["calendar", "diff", "chennai", "lost", "--period", "2026-10"]).fails(1);
    assert!(none.contains("no calendar `lost`"), "{none}");
}

#[test]
fn a_series_of_meetings_shares_the_burden_and_its_file_is_read_back() {
    let sandbox = workspace();
    let args = [
        "meet",
        "dublin",
        "chennai",
        "--from",
        "2026-10-19",
        "--weeks",
        "2",
        "--ics",
        "review.ics",
        "--title",
        "Review, weekly",
        "--format",
        "json",
    ];
    let json = sandbox.ws(&args).json();
    let slots = json["slots"].as_array().unwrap();
    let starts: Vec<&str> = slots.iter().map(|slot| slot["starts_at"].as_str().unwrap()).collect();
    assert_eq!(
        starts,
        ["2026-10-19T08:00:00Z", "2026-10-26T09:00:00Z"],
        "after the switch an hour later"
    );
    assert!(slots.iter().all(|slot| slot["minutes_outside"] == 0));
    let file = std::fs::read_to_string(sandbox.path("review.ics")).unwrap();
    assert!(file.contains("DTSTART;TZID=Europe/Dublin:20261026T090000"), "{file}");
    let import = ["import", "review.ics", "--mapping", "icalendar-holidays", "--set", "place=X"];
    sandbox.ws(&import).ok();
    let days =
        "SELECT CAST(on_date AS VARCHAR) AS day, name FROM holiday WHERE place = 'X' ORDER BY 1";
    let days = sandbox.ws(&["query", days, "--format", "csv"]).ok();
    assert_eq!(days, "day,name\n2026-10-19,\"Review, weekly\"\n2026-10-26,\"Review, weekly\"\n");

    // Dublin and Manila have one hour in summer and none in winter.
    let shown = sandbox
        .ws(&[
            "meet",
            "dublin",
            "manila",
            "--from",
            "2026-11-02",
            "--weeks",
            "4",
            "--minutes",
            "120",
        ])
        .ok();
    assert!(
        shown.contains("Outside working hours in all: dublin 120 min, manila 120 min."),
        "{shown}"
    );
}

#[test]
fn zones_alone_need_no_workspace_and_say_what_they_assume() {
    let sandbox = Sandbox::new();
    let args = ["meet", "Europe/Dublin", "Asia/Kolkata", "--from", "2026-11-23", "--top", "2"];
    let shown = sandbox.run(&args).ok();
    assert!(shown.contains("Mon 2026-11-23 09:00"), "{shown}");
    assert!(
        shown.contains("the hours 09:00-17:00 on weekdays without holidays are assumed"),
        "{shown}"
    );
    sandbox.run(&["meet", "Europe/Dublin"]).fails(2);
    let late =
        sandbox.run(&["meet", "Europe/Dublin", "Asia/Kolkata", "--from", "tomorrow"]).fails(2);
    assert!(late.contains("`tomorrow` is not a date"), "{late}");
    let lost = workspace().ws(&["meet", "dublin", "cork"]).fails(1);
    assert!(lost.contains("no site `cork`"), "{lost}");
}
