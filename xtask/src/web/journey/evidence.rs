//! What a small desk hands in: its registers, and the work events of two months. September was well; in
//! October three of twelve cases took too long, and one row of the file says its time without an offset.

use std::path::{Path, PathBuf};

/// The arrangement.
pub const DESK: &str = "letter-desk";
/// Its service level.
pub const LEVEL: &str = "answered-in-four-hours";

/// Registers, in the order in which they rest on each other.
const REGISTERS: &[(&str, &str)] = &[
    ("client", "client_id,name,country\nharbour,Harbour Trust (made up),PT\n"),
    ("provider", "provider_id,name,country\nnorthlight,Northlight (made up),PH\n"),
    (
        "calendar",
        "calendar_id,time_zone,monday,tuesday,wednesday,thursday,friday,saturday,sunday,night_shift,covered_from,covered_until,source\n\
         always,UTC,00:00-24:00,00:00-24:00,00:00-24:00,00:00-24:00,00:00-24:00,00:00-24:00,00:00-24:00,start-day,2026-01-01,2027-01-01,made up\n",
    ),
    (
        "site",
        "site_id,provider_id,name,country,city,time_zone,calendar_id\nhall,northlight,Hall,PH,Manila,UTC,always\n",
    ),
    (
        "arrangement",
        "arrangement_id,client_id,provider_id,title,time_zone,default_site_id,starts_on\n\
         letter-desk,harbour,northlight,Letters to the trust,UTC,hall,2026-01-01\n",
    ),
    (
        "service_level",
        "arrangement_id,service_level_id,title,metric,target,minimum,threshold,window,counts_in,stop_states,basis,source\n\
         letter-desk,answered-in-four-hours,Answered within four hours,turnaround,0.95,0.9,4h,month,,Done,contract,clause 1\n",
    ),
];

/// Writes every register below a folder; gives the files, each named by its table.
///
/// # Errors
/// When one cannot be written.
pub fn registers(folder: &Path) -> Result<Vec<PathBuf>, String> {
    REGISTERS.iter().map(|(table, text)| write(folder, &format!("{table}.csv"), text)).collect()
}

/// The work events of a month; `rejected`: one of them says its time without an offset.
///
/// # Errors
/// When the file cannot be written.
pub fn events(folder: &Path, month: u32, rejected: bool) -> Result<PathBuf, String> {
    let mut text =
        "arrangement_id,source,case_id,case_type,activity,state,occurred_at,opened_at,person_id\n"
            .to_owned();
    for n in 0..12 {
        let day = 2 + n * 2;
        let late = month == 10 && n % 4 == 0;
        for (state, hour) in [("Received", 9), ("Done", if late { 17 } else { 10 })] {
            let offset = if rejected && n == 5 && state == "Done" { "" } else { "Z" };
            text.push_str(&format!(
                "{DESK},log,letter-{month}-{n},letter,{state},{state},2026-{month:02}-{day:02}T{hour:02}:00:00{offset},2026-{month:02}-{day:02}T09:00:00Z,clerk-{n}\n"
            ));
        }
    }
    write(folder, &format!("events-2026-{month:02}.csv"), &text)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
