//! Handing files in, as a browser does it, and waiting for what becomes of them.

use std::{thread, time::Duration};

use axum::http::{Method, StatusCode};

use serde_json::Value;

use crate::home::{Browser, NORTH, Program, Shown};

/// Looks at a work item; the head of its file is that of `case_event`.
pub const HEAD: &str =
    "arrangement_id,source,case_id,case_type,activity,state,occurred_at,opened_at,person_id\n";

/// Work events of one case a day; every case is opened and done.
pub fn events(arrangement: &str, case: &str, cases: usize) -> String {
    let mut text = HEAD.to_owned();
    for n in 0..cases {
        let day = 1 + n % 28;
        for (state, hour) in [("Received", 9), ("Done", 10)] {
            text.push_str(&format!(
                "{arrangement},log,{case}-{n},request,{state},{state},2026-11-{day:02}T{hour:02}:00:00Z,2026-11-{day:02}T09:00:00Z,worker-{n}\n"
            ));
        }
    }
    text
}

impl Browser<'_> {
    /// Hands a file in with what is said about it; gives the path of its page.
    pub fn hand_in(&mut self, name: &str, bytes: &[u8], fields: &[(&str, &str)]) -> String {
        let shown = self.try_handing_in(name, bytes, fields);
        assert_eq!(shown.status, StatusCode::SEE_OTHER, "{}", shown.text);
        shown.to().to_owned()
    }

    pub fn try_handing_in(&mut self, name: &str, bytes: &[u8], fields: &[(&str, &str)]) -> Shown {
        let token = self.token("/import");
        let mut parts: Vec<(&str, Option<&str>, &[u8])> = vec![("token", None, token.as_bytes())];
        parts.extend(fields.iter().map(|(name, value)| (*name, None, value.as_bytes())));
        parts.push(("file", Some(name), bytes));
        self.send_parts("/import", &parts)
    }

    /// The page once nothing goes on any more.
    pub fn settled(&mut self, path: &str) -> Shown {
        for _ in 0..3_000 {
            let shown = self.get(path);
            assert_eq!(shown.status, StatusCode::OK, "{path}: {}", shown.text);
            if !shown.headers.contains_key("refresh") {
                return shown;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{path} goes on and on");
    }

    /// Presses a button of a page.
    pub fn press(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Shown {
        let token = self.token(page);
        let mut form = vec![("token", token.as_str())];
        form.extend(fields);
        self.ask(Method::POST, path, &form, &[("sec-fetch-site", "same-origin")])
    }

    /// Brings a file in that was tried, and gives the page that says so.
    pub fn bring(&mut self, page: &str) -> Shown {
        let asked = self.press(page, &format!("{page}/bring"), &[]);
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text);
        self.settled(page)
    }
}

/// Work events of the north arrangement with one that has no time that can be read.
pub fn one_wrong(case: &str) -> String {
    let mut text = events(NORTH, case, 4);
    text.push_str(&format!(
        "{NORTH},log,{case}-wrong,request,Received,Received,yesterday,2026-11-02T09:00:00Z,worker-1\n"
    ));
    text + events(NORTH, &format!("{case}-more"), 2).split_once('\n').unwrap().1
}

impl Program<'_> {
    /// Hands a file in; gives its id.
    pub fn hand_in(&mut self, query: &str, bytes: &[u8]) -> String {
        let shown = self.send(&format!("/imports?{query}"), bytes, &[]);
        assert_eq!(shown.status, StatusCode::ACCEPTED, "{}", shown.text);
        let told: Value = serde_json::from_str(&shown.text).unwrap();
        told["id"].as_str().unwrap().to_owned()
    }

    /// Where a file stands once nothing goes on any more.
    pub fn settled(&mut self, id: &str) -> Value {
        for _ in 0..3_000 {
            let told = self.json(&format!("/imports/{id}"));
            if !["waiting", "running"].contains(&told["state"].as_str().unwrap()) {
                return told;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{id} goes on and on");
    }
}
