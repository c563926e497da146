//! The registers of the worked example: Meridian Mutual, a made-up insurer in Dublin, and its
//! made-up providers. Owns who is who, where, under which terms; it must never hold a work event.

use jiff::civil::{Date, date};

use crate::{
    meridian_levels,
    world::{ArrangementRow, CalendarRow, FunctionRow, HolidayRow, Party, SiteRow, TeamRow, World},
};

/// The registers, with or without the function that no service level covers.
#[must_use]
pub fn world(function_without_level: bool) -> World {
    World {
        clients: vec![party(
            "meridian",
            "Meridian Mutual Insurance DAC (made up)",
            "IE",
            "Europe/Dublin",
        )],
        providers: vec![
            party("talahib", "Talahib Ledgerworks Inc. (made up)", "PH", "Asia/Manila"),
            party("neelavana", "Neelavana Casework Pvt Ltd (made up)", "IN", "Asia/Kolkata"),
            party("kopiec", "Srebrny Kopiec Finanse sp. z o.o. (made up)", "PL", "Europe/Warsaw"),
            party("threeskies", "Three Skies Desk plc (made up)", "IE", "Europe/Dublin"),
        ],
        calendars: calendars(),
        holidays: holidays(),
        sites: sites(),
        arrangements: arrangements(),
        functions: functions(function_without_level),
        teams: teams(),
        levels: meridian_levels::levels(),
        exclusions: Vec::new(),
    }
}

/// Splits a list written with `|`.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split('|').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn party(id: &str, name: &str, country: &str, zone: &str) -> Party {
    Party { id: id.into(), name: name.into(), country: country.into(), zone: zone.into() }
}

/// A calendar: the same windows Monday to Friday, then Saturday and Sunday.
fn calendar(id: &str, zone: &str, week: [&str; 3], places: &str, source: &str) -> CalendarRow {
    let [days, saturday, sunday] = week;
    CalendarRow {
        id: id.into(),
        zone: zone.into(),
        week: [days, days, days, days, days, saturday, sunday].map(str::to_owned),
        places: list(places),
        kinds: list("public|special-non-working"),
        source: source.into(),
    }
}

fn calendars() -> Vec<CalendarRow> {
    let hours = |id, zone, days, places, source| calendar(id, zone, [days, "", ""], places, source);
    vec![
        hours(
            "manila-office",
            "Asia/Manila",
            "08:00-12:00 13:00-17:00",
            "PH|PH-NCR",
            "Payroll agreement, schedule 2",
        ),
        hours(
            "manila-night",
            "Asia/Manila",
            "21:00-06:00",
            "PH|PH-NCR",
            "Payroll agreement, schedule 2: night desk for Dublin hours",
        ),
        hours(
            "cebu-office",
            "Asia/Manila",
            "08:00-12:00 13:00-17:00",
            "PH|PH-CEB",
            "Payroll agreement, schedule 2",
        ),
        hours(
            "chennai-office",
            "Asia/Kolkata",
            "09:00-18:00",
            "IN|IN-TN",
            "Claims agreement, schedule 4",
        ),
        hours(
            "pune-office",
            "Asia/Kolkata",
            "09:30-18:30",
            "IN|IN-MH",
            "Claims agreement, schedule 4",
        ),
        // The provider's own reading of the claims calendar: it leaves the lunch hour out.
        hours(
            "neelavana-net",
            "Asia/Kolkata",
            "09:00-13:00 14:00-18:00",
            "IN|IN-TN",
            "Neelavana report, note 2",
        ),
        hours(
            "krakow-office",
            "Europe/Warsaw",
            "08:00-16:30",
            "PL|krakow-site",
            "Accounts agreement, schedule 1",
        ),
        calendar(
            "krakow-desk",
            "Europe/Warsaw",
            ["08:00-17:00", "22:00-06:00", ""],
            "PL",
            "Desk agreement, schedule 3: Saturday night is change night",
        ),
        hours(
            "chennai-desk",
            "Asia/Kolkata",
            "06:00-14:30",
            "IN|IN-TN",
            "Desk agreement, schedule 3",
        ),
        hours(
            "guadalajara-desk",
            "America/Mexico_City",
            "10:00-19:30",
            "MX|MX-JAL",
            "Desk agreement, schedule 3",
        ),
        hours(
            "dublin-office",
            "Europe/Dublin",
            "09:00-17:30",
            "IE",
            "Accounts agreement, schedule 1: supplier queries",
        ),
        calendar(
            "always",
            "Europe/Dublin",
            ["00:00-24:00", "00:00-24:00", "00:00-24:00"],
            "",
            "Desk agreement, schedule 3: critical incidents",
        ),
    ]
}

fn holidays() -> Vec<HolidayRow> {
    let proclamation = "Proclamation 1006 of 2025";
    let state_tn = "Tamil Nadu list of public holidays 2026";
    let state_mh = "Maharashtra list of public holidays 2026";
    let national = "Central list of holidays 2026";
    let polish = "Act of 18 January 1951 on days off work";
    let mexican = "Ley Federal del Trabajo, art. 74";
    let irish = "Organisation of Working Time Act 1997";
    let rows: Vec<(&str, Date, &str, &str, &str, &str)> = vec![
        (
            "PH",
            date(2026, 2, 25),
            "EDSA People Power Anniversary",
            "special-working",
            "",
            proclamation,
        ),
        ("PH", date(2026, 6, 12), "Independence Day", "public", "", proclamation),
        ("PH", date(2026, 8, 21), "Ninoy Aquino Day", "special-non-working", "", proclamation),
        ("PH", date(2026, 8, 31), "National Heroes Day", "public", "", proclamation),
        ("PH", date(2026, 9, 3), "Surrender Day", "special-working", "", "Republic Act 11216"),
        ("PH", date(2026, 11, 1), "All Saints' Day", "special-non-working", "", proclamation),
        ("PH", date(2026, 11, 2), "All Souls' Day", "special-non-working", "", proclamation),
        ("PH", date(2026, 11, 30), "Bonifacio Day", "public", "", proclamation),
        ("PH", date(2026, 12, 8), "Immaculate Conception", "special-non-working", "", proclamation),
        ("PH", date(2026, 12, 25), "Christmas Day", "public", "", proclamation),
        (
            "PH-NCR",
            date(2026, 6, 24),
            "Manila Day",
            "special-non-working",
            "",
            "City notice (for the example)",
        ),
        (
            "PH-CEB",
            date(2026, 8, 6),
            "Cebu Provincial Charter Day",
            "special-non-working",
            "",
            "Republic Act 8952",
        ),
        (
            "PH-CEB",
            date(2026, 10, 9),
            "Storm signal, site closed at noon",
            "override",
            "08:00-12:00",
            "Site notice of 9 October 2026 (made up)",
        ),
        ("IN", date(2026, 1, 26), "Republic Day", "public", "", national),
        ("IN", date(2026, 8, 15), "Independence Day", "public", "", national),
        ("IN", date(2026, 10, 2), "Gandhi Jayanti", "public", "", national),
        ("IN-TN", date(2026, 8, 26), "Milad-un-Nabi", "public", "", state_tn),
        ("IN-TN", date(2026, 9, 4), "Krishna Jayanthi", "public", "", state_tn),
        ("IN-TN", date(2026, 9, 14), "Vinayakar Chaturthi", "public", "", state_tn),
        ("IN-TN", date(2026, 10, 19), "Ayutha Pooja", "public", "", state_tn),
        ("IN-TN", date(2026, 10, 20), "Vijaya Dasami", "public", "", state_tn),
        ("IN-TN", date(2026, 11, 8), "Deepavali", "public", "", state_tn),
        ("IN-MH", date(2026, 8, 26), "Eid-e-Milad", "public", "", state_mh),
        ("IN-MH", date(2026, 9, 14), "Ganesh Chaturthi", "public", "", state_mh),
        ("IN-MH", date(2026, 10, 20), "Dasara", "public", "", state_mh),
        ("IN-MH", date(2026, 10, 29), "Karwa Chauth", "optional", "", state_mh),
        ("IN-MH", date(2026, 11, 10), "Bali Pratipada", "public", "", state_mh),
        ("PL", date(2026, 8, 15), "Assumption", "public", "", polish),
        ("PL", date(2026, 11, 1), "All Saints' Day", "public", "", polish),
        ("PL", date(2026, 11, 11), "Independence Day", "public", "", polish),
        ("PL", date(2026, 12, 25), "Christmas Day", "public", "", polish),
        (
            "krakow-site",
            date(2026, 9, 25),
            "Ledger migration, office closed",
            "override",
            "",
            "Site notice of 1 September 2026 (made up)",
        ),
        (
            "krakow-site",
            date(2026, 10, 3),
            "Catch-up Saturday",
            "override",
            "08:00-14:00",
            "Site notice of 1 September 2026 (made up)",
        ),
        ("MX", date(2026, 2, 2), "Constitution Day", "public", "", mexican),
        ("MX", date(2026, 9, 16), "Independence Day", "public", "", mexican),
        ("MX", date(2026, 11, 16), "Revolution Day", "public", "", mexican),
        ("MX", date(2026, 12, 25), "Christmas Day", "public", "", mexican),
        (
            "MX-JAL",
            date(2026, 10, 12),
            "Romería de Zapopan",
            "observance",
            "",
            "City notice (for the example)",
        ),
        ("IE", date(2026, 8, 3), "August Holiday", "public", "", irish),
        ("IE", date(2026, 10, 26), "October Holiday", "public", "", irish),
        ("IE", date(2026, 12, 25), "Christmas Day", "public", "", irish),
    ];
    let row = |(place, on, name, kind, windows, source): (&str, Date, &str, &str, &str, &str)| {
        HolidayRow {
            place: place.into(),
            on,
            name: name.into(),
            kind: kind.into(),
            windows: (!windows.is_empty()).then(|| windows.to_owned()),
            source: source.into(),
            proclaimed: proclaimed(source),
        }
    };
    rows.into_iter().map(row).collect()
}

/// The day on which some of the sources were made public.
fn proclaimed(source: &str) -> Option<Date> {
    match source {
        "Proclamation 1006 of 2025" => Some(date(2025, 9, 3)),
        "Site notice of 9 October 2026 (made up)" => Some(date(2026, 10, 9)),
        "Site notice of 1 September 2026 (made up)" => Some(date(2026, 9, 1)),
        _ => None,
    }
}

fn sites() -> Vec<SiteRow> {
    let rows = [
        ("dublin", "", "Meridian, Dublin", "IE", "Dublin", "Europe/Dublin", "dublin-office"),
        ("manila", "talahib", "Manila office", "PH", "Manila", "Asia/Manila", "manila-office"),
        (
            "manila-night",
            "talahib",
            "Manila night desk",
            "PH",
            "Manila",
            "Asia/Manila",
            "manila-night",
        ),
        ("cebu", "talahib", "Cebu office", "PH", "Cebu", "Asia/Manila", "cebu-office"),
        (
            "chennai",
            "neelavana",
            "Chennai casework",
            "IN",
            "Chennai",
            "Asia/Kolkata",
            "chennai-office",
        ),
        ("pune", "neelavana", "Pune casework", "IN", "Pune", "Asia/Kolkata", "pune-office"),
        (
            "krakow",
            "kopiec",
            "Kraków finance centre",
            "PL",
            "Kraków",
            "Europe/Warsaw",
            "krakow-office",
        ),
        (
            "krakow-desk",
            "threeskies",
            "Kraków service desk",
            "PL",
            "Kraków",
            "Europe/Warsaw",
            "krakow-desk",
        ),
        (
            "chennai-desk",
            "threeskies",
            "Chennai service desk",
            "IN",
            "Chennai",
            "Asia/Kolkata",
            "chennai-desk",
        ),
        (
            "guadalajara-desk",
            "threeskies",
            "Guadalajara service desk",
            "MX",
            "Guadalajara",
            "America/Mexico_City",
            "guadalajara-desk",
        ),
    ];
    let row = |(id, provider, name, country, city, zone, calendar): (
        &str,
        &str,
        &str,
        &str,
        &str,
        &str,
        &str,
    )| SiteRow {
        id: id.into(),
        provider: provider.into(),
        name: name.into(),
        country: country.into(),
        city: city.into(),
        zone: zone.into(),
        calendar: calendar.into(),
    };
    rows.into_iter().map(row).collect()
}

fn arrangements() -> Vec<ArrangementRow> {
    let rows = [
        (
            "payroll-manila",
            "talahib",
            "Payroll changes and payslip queries, Manila",
            "Asia/Manila",
            "manila",
        ),
        ("payroll-cebu", "talahib", "Time sheets and bank returns, Cebu", "Asia/Manila", "cebu"),
        (
            "claims",
            "neelavana",
            "Motor and home claims, Chennai and Pune",
            "Europe/Dublin",
            "chennai",
        ),
        ("accounts-payable", "kopiec", "Accounts payable, Kraków", "Europe/Warsaw", "krakow"),
        (
            "service-desk",
            "threeskies",
            "IT service desk following the sun",
            "Europe/Dublin",
            "krakow-desk",
        ),
    ];
    let row = |(id, provider, title, zone, site): (&str, &str, &str, &str, &str)| ArrangementRow {
        id: id.into(),
        provider: provider.into(),
        title: title.into(),
        zone: zone.into(),
        default_site: site.into(),
    };
    rows.into_iter().map(row).collect()
}

fn functions(without_level: bool) -> Vec<FunctionRow> {
    let mut rows = vec![
        ("payroll-manila", "payroll-changes", "Salary changes before the monthly run", true),
        ("payroll-manila", "payslip-queries", "Answers to employees about their payslips", false),
        ("payroll-cebu", "time-sheets", "Corrections of time sheets", true),
        ("payroll-cebu", "bank-returns", "Payments returned by the bank", true),
        ("claims", "claims-intake", "Registration of claims", true),
        ("claims", "claims-settlement", "Assessment and payment of claims", true),
        ("accounts-payable", "invoice-posting", "Checking and posting of supplier invoices", true),
        ("accounts-payable", "supplier-queries", "Answers to suppliers", false),
        ("service-desk", "incident-handling", "IT incidents, round the clock", true),
    ];
    if without_level {
        rows.push(("payroll-manila", "year-end-forms", "Year-end tax forms for employees", true));
    }
    let row = |(arrangement, id, title, critical): (&str, &str, &str, bool)| FunctionRow {
        arrangement: arrangement.into(),
        id: id.into(),
        title: title.into(),
        critical,
    };
    rows.into_iter().map(row).collect()
}

fn teams() -> Vec<TeamRow> {
    let rows = [
        ("payroll-manila", "PAY-MNL", "Payroll team Manila", "manila", "payroll-changes"),
        ("payroll-manila", "PAY-NIGHT", "Payslip night desk", "manila-night", "payslip-queries"),
        ("payroll-manila", "Meridian payroll", "Meridian's payroll office", "dublin", ""),
        ("payroll-cebu", "Meridian payroll", "Meridian's payroll office", "dublin", ""),
        ("claims", "Meridian claims", "Meridian's claims office", "dublin", ""),
        ("accounts-payable", "Meridian finance", "Meridian's finance office", "dublin", ""),
        ("service-desk", "Meridian IT", "Meridian's IT", "dublin", ""),
        ("payroll-cebu", "PAY-CEB", "Payroll team Cebu", "cebu", "time-sheets"),
        ("claims", "Chennai claims", "Claims team Chennai", "chennai", "claims-intake"),
        ("claims", "Pune claims", "Claims team Pune", "pune", "claims-settlement"),
        ("accounts-payable", "AP Kraków", "Accounts payable Kraków", "krakow", "invoice-posting"),
        ("service-desk", "Desk Krakow", "Service desk Kraków", "krakow-desk", "incident-handling"),
        (
            "service-desk",
            "Desk Chennai",
            "Service desk Chennai",
            "chennai-desk",
            "incident-handling",
        ),
        (
            "service-desk",
            "Desk Guadalajara",
            "Service desk Guadalajara",
            "guadalajara-desk",
            "incident-handling",
        ),
    ];
    let row = |(arrangement, id, title, site, function): (&str, &str, &str, &str, &str)| TeamRow {
        arrangement: arrangement.into(),
        id: id.into(),
        title: title.into(),
        site: site.into(),
        function: function.into(),
    };
    rows.into_iter().map(row).collect()
}
