//! A small arrangement: four cases in March 2026 at one site, one of them late; everything that was
//! to arrive arrived, and the provider reports the same as the evidence shows.

use crate::sandbox::Sandbox;

pub const ORDER: &str = r#"
[[import]]
file = "client.csv"
as = "client"
[[import]]
file = "provider.csv"
as = "provider"
[[import]]
file = "calendar.csv"
as = "calendar"
[[import]]
file = "site.csv"
as = "site"
[[import]]
file = "arrangement.csv"
as = "arrangement"
[[import]]
file = "function.csv"
as = "function"
[[import]]
file = "service_level.csv"
as = "service_level"
[[import]]
file = "case_event.csv"
as = "case_event"
[[import]]
file = "provider_report.csv"
as = "provider_report"
[[import]]
file = "evidence_feed.csv"
as = "evidence_feed"
"#;

const FILES: &[(&str, &str)] = &[
    ("client.csv", "client_id,name,country\nmeadow,Meadow Mutual (made up),IE\n"),
    ("provider.csv", "provider_id,name,country\nlantern,Lantern Services (made up),IN\n"),
    (
        "calendar.csv",
        "calendar_id,time_zone,monday,tuesday,wednesday,thursday,friday,covered_from,covered_until\n\
         pune-office,Asia/Kolkata,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,\
         2026-01-01,2027-01-01\n",
    ),
    (
        "site.csv",
        "site_id,provider_id,country,city,time_zone,calendar_id\n\
         pune,lantern,IN,Pune,Asia/Kolkata,pune-office\n",
    ),
    (
        "arrangement.csv",
        "arrangement_id,client_id,provider_id,title,time_zone,default_site_id\n\
         claims,meadow,lantern,Claims in Pune,Europe/Dublin,pune\n",
    ),
    ("function.csv", "arrangement_id,function_id,title\nclaims,claims-entry,Claims entry\n"),
    (
        "service_level.csv",
        "arrangement_id,service_level_id,function_id,title,metric,target,minimum,threshold,window,\
         stop_states,paused_states,basis,source\n\
         claims,entry,claims-entry,Claims entered within 8 working hours,turnaround,0.75,0.70,8h,month,\
         Done,Waiting for client,contract,schedule 3\n",
    ),
    ("case_event.csv", EVENTS),
    (
        "provider_report.csv",
        "arrangement_id,source,report_id,service_level_id,period_start,numerator,denominator,\
         reported_at\n\
         claims,monthly report,2026-02,entry,2026-02-01,4,4,2026-03-03T10:00:00+05:30\n\
         claims,monthly report,2026-03,entry,2026-03-01,3,4,2026-04-02T10:00:00+05:30\n",
    ),
    (
        "evidence_feed.csv",
        "arrangement_id,feed_id,table_name,entry,cadence,expected_count,valid_from,valid_to\n\
         claims,events,case_event,declared,month,,2026-03-01,\n\
         claims,events,case_event,delivered,,8,2026-03-01,2026-04-01\n\
         claims,reports,provider_report,declared,month,,2026-03-01,\n",
    ),
];

/// The work log: eight events of four cases.
pub const EVENTS: &str = "\
event_id,arrangement_id,case_id,activity,state,occurred_at,opened_at
e1,claims,C-1,Open,Open,2026-03-02T09:00:00+05:30,2026-03-02T09:00:00+05:30
e2,claims,C-1,Close,Done,2026-03-02T12:00:00+05:30,
e3,claims,C-2,Open,Open,2026-03-03T09:00:00+05:30,2026-03-03T09:00:00+05:30
e4,claims,C-2,Close,Done,2026-03-04T18:00:00+05:30,
e5,claims,C-3,Open,Open,2026-03-06T17:00:00+05:30,2026-03-06T17:00:00+05:30
e6,claims,C-3,Close,Done,2026-03-09T10:00:00+05:30,
e7,claims,C-4,Open,Open,2026-03-10T10:00:00+05:30,2026-03-10T10:00:00+05:30
e8,claims,C-4,Close,Done,2026-03-10T11:00:00+05:30,
";

/// Writes the files into `handed-in`, with an `imports.toml`.
pub fn hand_in(sandbox: &Sandbox) {
    for (name, text) in FILES {
        sandbox.write(&format!("handed-in/{name}"), text);
    }
    sandbox.write("handed-in/imports.toml", ORDER);
}

/// A sandbox whose workspace `ws` holds the small arrangement.
pub fn imported() -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    hand_in(&sandbox);
    sandbox.ws(&["import", "handed-in"]).ok();
    sandbox
}
