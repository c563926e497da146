//! Distance in hours: overlap day by day with its drawing, promised hours, holidays ahead, handovers,
//! urgent items, meetings. Owns how each is told; whether it suffices is said by its control.

use backstay_engine::panel::{
    Clash, Coverage, HandoverPair, HoursPanel, Meeting, OverlapPair, OverlapPoint, Panels,
    UrgentTerm,
};
use jiff::{ToSpan, civil::Date};
use maud::{Markup, html};

use super::{
    Dossier, Links, level, part,
    plot::{self, Mark, PLOT, Scale},
    sheet::{Row, Set, Sheet},
    status, text,
};
use crate::figure;

/// Rows shown of what was not as promised, of one table.
const SHOWN: usize = 8;
/// Holidays shown.
const CLASHES_SHOWN: usize = 16;
/// Months in a table of overlap.
const MONTHS_SHOWN: usize = 14;
/// References shown of one row.
const REFS_SHOWN: usize = 4;
/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;

/// All arrangements.
pub(super) fn body(dossier: &Dossier<'_>, links: &Links<'_>) -> Markup {
    html! {
        @for panels in dossier.panels.iter() {
            h3 { (text::name(&panels.arrangement_id)) (level::what(dossier, &panels.arrangement_id)) }
            (one(dossier, links, panels))
        }
    }
}

/// A part that is shown, or none.
type Shown = Option<Markup>;

pub(super) fn one(dossier: &Dossier<'_>, links: &Links<'_>, panels: &Panels) -> Markup {
    let arrangement = panels.arrangement_id.as_str();
    let hours = &panels.hours;
    let page = Page { dossier, links, arrangement, hours };
    let parts: [(&str, &str, Shown); 6] = [
        ("overlap-sufficient", "Overlap of teams", page.overlap()),
        ("hours-covered", "Promised hours", page.coverage()),
        ("holidays-covered", "Holidays of one side alone", page.clashes()),
        ("handovers-made", "Handovers", page.handovers()),
        ("urgent-answered", "Urgent items outside the overlap", page.urgent()),
        ("meetings-shared", "Meetings outside working hours", page.meetings()),
    ];
    let absent: Vec<(&str, &str)> = parts
        .iter()
        .filter(|(_, _, shown)| shown.is_none())
        .map(|(control, title, _)| (*control, *title))
        .collect();
    html! {
        @for (control, title, shown) in &parts {
            @if let Some(shown) = shown {
                (part::head(dossier, links, arrangement, control, title))
                (shown)
            }
        }
        (part::absent(dossier, links, arrangement, &absent, &[]))
    }
}

struct Page<'a> {
    dossier: &'a Dossier<'a>,
    links: &'a Links<'a>,
    arrangement: &'a str,
    hours: &'a HoursPanel,
}

impl Page<'_> {
    fn rest(&self, hidden: usize, noun: &str, sql: &str) -> Markup {
        part::rest(self.links, hidden, noun, &part::query(self.dossier, self.arrangement, sql))
    }

    fn at(&self, micros: i64) -> Markup {
        let set = text::local(micros, self.dossier.zone(self.arrangement));
        html! { (set) (self.links.beneath(micros, &set)) }
    }

    fn overlap(&self) -> Shown {
        let known = |pair: &&OverlapPair| pair.days.iter().any(|day| day.overlap_us.is_some());
        let (shown, unknown): (Vec<&OverlapPair>, Vec<&OverlapPair>) =
            self.hours.overlaps.iter().partition(known);
        if shown.is_empty() {
            return None;
        }
        Some(html! {
            @for pair in &shown { (self.pair(pair)) }
            @for pair in unknown {
                p.basis { (text::name(&pair.team)) " and " (text::name(&pair.other)) ": "
                    (pair.days.iter().find_map(|day| day.reason.as_deref()).map_or_else(|| html! { "not known" }, text::told)) "." }
            }
            @for said in &self.hours.overlap_said { p.basis { (text::told(said)) "." } }
        })
    }

    fn pair(&self, pair: &OverlapPair) -> Markup {
        let id = text::anchor("overlap", &[self.arrangement, &pair.team, &pair.other]);
        let required = pair.days.last().map(|day| day.required_us).unwrap_or_default();
        html! {
            figure.level id=(id) tabindex="-1" {
                figcaption {
                    strong { (text::name(&pair.team)) " and " (text::name(&pair.other)) }
                    span.sub { @if required > 0 { "agreed: " (text::length(required)) " a day" } @else { "nothing agreed about the length" }
                        ", days of " (text::name(&pair.team)) }
                }
                div.beside {
                    @if let Some(drawing) = overlap_chart(&id, pair) { (drawing) }
                    div {
                        (overlap_months(pair))
                        p.basis {
                            (overlap_said(pair))
                            @if let Some(record) = &pair.record { "Agreed in row " (self.links.reference(record)) ". " }
                            @if !self.links.0.stands_alone() {
                                "Day by day: " code { (part::query(self.dossier, self.arrangement, "SELECT * FROM overlap_day ORDER BY day")) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn coverage(&self) -> Shown {
        let said = |own: &&Coverage| own.manned_us > 0 || !own.unmanned.is_empty();
        let known: Vec<&Coverage> = self.hours.coverage.iter().filter(said).collect();
        if known.is_empty() {
            return None;
        }
        let heads = [
            ("Function", Set::Text),
            ("Promised", Set::Figure),
            ("Manned", Set::Figure),
            ("Not manned", Set::Figure),
            ("When nobody was there", Set::Wide),
        ];
        let caption =
            html! { "Promised hours up to the instant looked at, in the zone of the arrangement" };
        let mut sheet = Sheet::new(caption, &heads);
        for own in &self.hours.coverage {
            let is_known = own.manned_us > 0 || !own.unmanned.is_empty();
            let hours = |us: i64| html! { @if is_known { (text::length(us)) } @else { "–" } };
            sheet.row(Row::of(vec![
                text::name(&own.function),
                hours(own.manned_us + own.unmanned_us),
                hours(own.manned_us),
                html! { @if own.unmanned_us > 0 { strong { (text::length(own.unmanned_us)) } } @else { (hours(0)) } },
                html! {
                    @for (n, span) in own.unmanned.iter().take(self.links.shown(SHOWN)).enumerate() {
                        @if n > 0 { "; " } (text::plain(&span.local)) " " (self.links.some(&span.evidence, 2))
                    }
                    @if own.unmanned.len() > self.links.shown(SHOWN) { "; and " (text::number((own.unmanned.len() - self.links.shown(SHOWN)) as u64)) " more spans" }
                    @for said in &own.said { span.sub { (text::told(said)) } }
                },
            ]));
        }
        let hidden = known
            .iter()
            .map(|own| own.unmanned.len().saturating_sub(self.links.shown(SHOWN)))
            .sum();
        let sql = "SELECT * FROM coverage_span WHERE state = 'uncovered' ORDER BY starts_at";
        Some(html! { (sheet.render()) (self.rest(hidden, "span", sql)) })
    }

    fn clashes(&self) -> Shown {
        let (days, gaps): (Vec<&Clash>, Vec<&Clash>) =
            self.hours.clashes.iter().partition(|clash| clash.off.is_some());
        if days.is_empty() {
            return None;
        }
        let heads = [
            ("Day", Set::Text),
            ("Closed", Set::Text),
            ("Holiday", Set::Text),
            ("Working", Set::Text),
            ("Standing", Set::Text),
            ("Answer", Set::Wide),
            ("Rows", Set::Text),
        ];
        let caption =
            html! { "Holidays that close one of two teams, in the period and the year after it" };
        let mut sheet = Sheet::new(caption, &heads);
        for clash in days.iter().take(self.links.shown(CLASHES_SHOWN)) {
            let off = clash.off.as_deref().unwrap_or_default();
            let (team, other) = &clash.teams;
            let working = if off == team { other } else { team };
            sheet.row(Row::of(vec![
                html! { span.nowrap { (clash.day.map(|day| day.strftime("%a %Y-%m-%d").to_string()).unwrap_or_default()) } },
                text::name(off),
                html! { (text::title(clash.holiday.as_deref().unwrap_or_default())) },
                text::name(working),
                clash_standing(clash),
                html! {
                    @if let Some(reason) = &clash.reason { (text::told(reason)) }
                    @if let Some(day) = clash.agreed_on { ", agreed on " (day.to_string()) }
                },
                self.links.some(&clash.evidence, REFS_SHOWN),
            ]));
        }
        let sql = "SELECT * FROM holiday_clash ORDER BY day, team_id, other_team_id";
        Some(html! {
            (sheet.render())
            (self.rest(days.len().saturating_sub(self.links.shown(CLASHES_SHOWN)), "holiday", sql))
            @for gap in gaps.iter().take(3) {
                p.basis { "From " (gap.day.map(|day| day.to_string()).unwrap_or_default()) " on not known: "
                    (text::told(gap.reason.as_deref().unwrap_or_default())) "." }
            }
            @for said in self.hours.clashes_said.iter().take(3) { p.basis { (text::told(said)) "." } }
        })
    }

    fn handovers(&self) -> Shown {
        let pairs: Vec<&HandoverPair> =
            self.hours.handovers.iter().filter(|pair| pair.due > 0).collect();
        if pairs.is_empty() {
            return None;
        }
        let sql = "SELECT * FROM handover_due WHERE state <> 'in-time' ORDER BY shift_ended_at";
        Some(html! {
            @for pair in pairs {
                p { (text::name(pair.from.as_deref().unwrap_or_default())) " to " (text::name(pair.to.as_deref().unwrap_or_default()))
                    ": " (text::counted(pair.due, "handover")) " due, " strong { (text::number(pair.in_time)) " made and picked up in time" } "." }
                @if !pair.others.is_empty() { (self.handover_table(pair)) }
                (self.rest(pair.others.len().saturating_sub(self.links.shown(SHOWN)), "handover", sql))
            }
        })
    }

    fn handover_table(&self, pair: &HandoverPair) -> Markup {
        let heads = [
            ("Shift ended", Set::Text),
            ("Standing", Set::Text),
            ("Note made", Set::Text),
            ("Picked up", Set::Wide),
            ("Rows", Set::Text),
        ];
        let mut sheet =
            Sheet::new(html! { "Handovers that were not in time, or are not known" }, &heads);
        let at = |us: Option<i64>| html! { @match us { Some(us) => { span.nowrap { (self.at(us)) } }, None => { "–" } } };
        for one in pair.others.iter().take(self.links.shown(SHOWN)) {
            let word = one.state.replace('-', " ");
            sheet.row(Row::of(vec![
                html! { span.nowrap { (self.at(one.ended_us)) } },
                status::held(
                    (one.state != "gap").then_some(false),
                    if one.state == "gap" { "not known" } else { &word },
                ),
                at(one.made_us),
                at(one.picked_up_us),
                self.links.some(&one.evidence, REFS_SHOWN),
            ]));
        }
        sheet.render()
    }

    fn urgent(&self) -> Shown {
        let terms: Vec<&UrgentTerm> =
            self.hours.urgent.iter().filter(|term| term.inside + term.outside > 0).collect();
        if terms.is_empty() {
            return None;
        }
        let sql = "SELECT * FROM urgent_item WHERE state <> 'inside' ORDER BY urgent_at, case_id";
        Some(html! {
            @for term in terms {
                p { (text::counted(term.outside, "urgent item")) " came in while the teams were not both at work"
                    @if term.inside > 0 { " (" (text::number(term.inside)) " while they were)" } "; "
                    strong { (text::number(term.in_time)) " answered in time" }
                    @if let Some(required) = term.required_us { ", agreed: " (text::length(required)) } "." }
                @if !term.others.is_empty() && self.links.0.names_cases() { (self.urgent_table(term)) }
                (self.rest(term.others.len().saturating_sub(self.links.shown(SHOWN)), "item", sql))
            }
        })
    }

    fn urgent_table(&self, term: &UrgentTerm) -> Markup {
        let heads = [
            ("Case", Set::Text),
            ("Urgent from", Set::Text),
            ("Answered after", Set::Figure),
            ("Standing", Set::Wide),
            ("Rows", Set::Text),
        ];
        let mut sheet = Sheet::new(
            html! { "Urgent items that were not answered in time, or are not known" },
            &heads,
        );
        for item in term.others.iter().take(self.links.shown(SHOWN)) {
            let answer = item.answer_us.map_or_else(|| "–".to_owned(), text::length);
            let standing = match (&item.gap, item.answer_us) {
                (Some(gap), _) => {
                    html! { (status::held(None, "not known")) span.sub { (text::told(gap)) } }
                }
                (None, Some(_)) => status::held(Some(false), "answered late"),
                (None, None) => status::held(Some(false), "not answered"),
            };
            sheet.row(Row::of(vec![
                text::name(&item.case_id),
                html! { span.nowrap { (self.at(item.urgent_us)) } },
                html! { (answer) },
                standing,
                self.links.some(&item.evidence, REFS_SHOWN),
            ]));
        }
        sheet.render()
    }

    fn meetings(&self) -> Shown {
        let terms: Vec<&Meeting> =
            self.hours.meetings.iter().filter(|term| !term.sides.is_empty()).collect();
        if terms.is_empty() {
            return None;
        }
        Some(html! { @for term in terms { (self.meeting(term)) } })
    }

    fn meeting(&self, term: &Meeting) -> Markup {
        let heads = [
            ("Team", Set::Wide),
            ("Meetings", Set::Figure),
            ("Outside its hours", Set::Figure),
            ("Share of all such time", Set::Figure),
            ("Rows", Set::Text),
        ];
        let caption = html! { "Meeting time outside working hours: " (text::name(term.term.as_deref().unwrap_or_default())) };
        let mut sheet = Sheet::new(caption, &heads);
        for side in &term.sides {
            let share = side
                .outside_us
                .zip(side.total_us)
                .and_then(|(own, all)| figure::percent(own, all, 0));
            sheet.row(Row::of(vec![
                text::name(&side.team),
                html! { (figure::count(side.meetings)) },
                html! { (side.outside_us.map_or_else(|| "–".to_owned(), text::length)) },
                html! { (share.unwrap_or_else(|| "–".to_owned())) },
                self.links.some(&side.evidence, REFS_SHOWN),
            ]));
        }
        let limit = term.greatest_share.as_deref().and_then(figure::plain_percent);
        html! {
            (sheet.render())
            p.basis {
                @if let Some(limit) = limit { "Agreed: no team carries more than " (limit) ". " }
                @if let Some(proposal) = &term.proposal { (text::told(&text::sentence(proposal))) ". " }
                @for said in &term.said { (text::told(&text::sentence(said))) ". " }
            }
        }
    }
}

fn clash_standing(clash: &Clash) -> Markup {
    match (clash.state.as_str(), clash.due) {
        ("answered", _) => status::held(Some(true), "answered"),
        ("open", false) => html! { span.quiet { "open, not due yet" } },
        ("open", true) => status::held(Some(false), "not answered"),
        ("gap", _) => status::held(None, "not known"),
        (word, _) => status::held(Some(false), &word.replace('-', " ")),
    }
}

/// What the clocks do, and from when on nothing is known.
fn overlap_said(pair: &OverlapPair) -> Markup {
    let ahead = |minutes: i64| {
        let side = if minutes < 0 { "behind" } else { "ahead" };
        format!("{} {side}", text::length(minutes.abs() * MINUTE_US))
    };
    let steps: Vec<String> = pair
        .clocks
        .windows(2)
        .filter_map(|two| match two {
            [before, after] => Some(format!(
                "from {} on {} instead of {}",
                after.from,
                ahead(after.ahead_minutes),
                ahead(before.ahead_minutes)
            )),
            _ => None,
        })
        .collect();
    let unknown = pair.days.iter().find(|day| day.overlap_us.is_none());
    html! {
        @if !steps.is_empty() { "Clock changes move " (text::name(&pair.other)) ": " (steps.join("; ")) ". " }
        @if let Some(day) = unknown {
            "Not known from " (day.day.to_string())
            @if let Some(reason) = &day.reason { ": " (text::told(reason)) } ". "
        }
    }
}

fn overlap_months(pair: &OverlapPair) -> Markup {
    // Months of which nothing is known are told in the sentence beneath.
    let months = pair.months.iter().filter(|month| month.days > 0).take(MONTHS_SHOWN);
    let heads = [
        ("Month", Set::Text),
        ("Days", Set::Figure),
        ("Least, min", Set::Figure),
        ("Median, min", Set::Figure),
        ("Below", Set::Figure),
    ];
    let caption = html! { span.only-read { "Minutes together a day, by month" } };
    let mut sheet = Sheet::new(caption, &heads).compact();
    let minutes =
        |us: Option<i64>| us.map_or_else(|| "–".to_owned(), |us| figure::count(us / MINUTE_US));
    for month in months {
        sheet.row(Row::of(vec![
            html! { span.nowrap { (month.month.strftime("%Y-%m").to_string()) } @if month.unknown > 0 { span.sub { (text::counted(month.unknown, "day")) " not known" } } },
            html! { (text::number(month.days)) },
            html! { (minutes(month.least_us)) },
            html! { (minutes(month.median_us)) },
            html! { @if month.below > 0 { strong { (text::number(month.below)) } } @else { "0" } },
        ]));
    }
    sheet.render()
}

/// Days between two that still belong to one line: a week-end, and a holiday beside it.
const TOGETHER_DAYS: i128 = 5;

/// Overlap by day as steps, with what is agreed; what is below stands out, what is not known is a field.
fn overlap_chart(id: &str, pair: &OverlapPair) -> Option<Markup> {
    let (first, last) = (pair.days.first()?.day, pair.days.last()?.day);
    let whole = days_between(first, last) + 1;
    if whole < 10 {
        return None;
    }
    let minutes = |us: i64| i128::from(us / MINUTE_US);
    let values = pair.days.iter().flat_map(|day| [day.overlap_us, Some(day.required_us)]);
    let scale =
        Scale::in_steps([0].into_iter().chain(values.flatten().map(minutes)), &[30, 60, 120])?;
    let place = |day: Date| plot::x(days_between(first, day), whole);
    // Each day holds until the next due one, unless that is far.
    let spans: Vec<(&OverlapPoint, i128, i128)> = pair
        .days
        .iter()
        .enumerate()
        .map(|(n, day)| {
            let next = pair.days.get(n + 1).map(|next| next.day);
            let near = next.filter(|next| days_between(day.day, *next) <= TOGETHER_DAYS);
            let until =
                near.map_or_else(|| plot::x(days_between(first, day.day) + 1, whole), place);
            (day, place(day.day), until)
        })
        .collect();
    let known = spans
        .iter()
        .map(|(day, from, until)| (*from, *until, day.overlap_us.map(|us| scale.y(minutes(us)))));
    let below = spans.iter().map(|(day, from, until)| {
        let short = day.overlap_us.filter(|us| *us < day.required_us);
        (*from, *until, short.map(|us| scale.y(minutes(us))))
    });
    let agreed = spans
        .iter()
        .map(|(day, from, until)| (*from, *until, Some(scale.y(minutes(day.required_us)))));
    let unknown = unknown_spans(&spans);
    let ahead_from = pair.days.iter().find(|day| day.forecast).map(|day| place(day.day));
    let marks = plot::fitting(month_marks(first, last, &place));
    let title = format!(
        "Minutes a day in which {} and {} are both at work",
        text::plain(&pair.team),
        text::plain(&pair.other)
    );
    let frame = plot::Frame { id, title: &title, unit: "minutes a day", along: "", marks };
    let (_, right, top, bottom) = PLOT;
    let inner = html! {
        @for (from, until) in &unknown {
            rect.unknown x=(plot::at(*from)) y=(top) width=(plot::at(until - from)) height=(bottom - top) {}
            @if until - from > 600 { text.axis.mid x=(plot::at((from + until) / 2)) y=(top + 14) { "not known" } }
        }
        @for step in pair.clocks.iter().skip(1) {
            @let x = plot::at(place(step.from));
            line.clock x1=(x) x2=(x) y1=(top) y2=(bottom) {}
        }
        path.target d=(plot::steps(agreed)) {}
        path.value d=(plot::steps(known)) {}
        path.value.short d=(plot::steps(below)) {}
        @if let Some(x) = ahead_from.filter(|x| *x < (right - 70) * 10) {
            line.base x1=(plot::at(x)) x2=(plot::at(x)) y1=(top) y2=(bottom) {}
            text.axis x=(plot::at(x + 40)) y=(bottom - 6) { "forecast" }
        }
    };
    Some(frame.draw(&scale, |tick| figure::count(i64::try_from(tick).unwrap_or_default()), &inner))
}

fn days_between(from: Date, to: Date) -> i128 {
    from.until(to).map(|span| i128::from(span.get_days())).unwrap_or_default()
}

/// Days that are not known, joined where they follow each other.
fn unknown_spans(spans: &[(&OverlapPoint, i128, i128)]) -> Vec<(i128, i128)> {
    let mut found: Vec<(i128, i128)> = Vec::new();
    for (_, from, until) in spans.iter().filter(|(day, ..)| day.overlap_us.is_none()) {
        match found.last_mut() {
            Some(last) if last.1 == *from => last.1 = *until,
            _ => found.push((*from, *until)),
        }
    }
    found
}

/// The first of each month, of every second one where there are many.
fn month_marks(first: Date, last: Date, place: &impl Fn(Date) -> i128) -> Vec<Mark> {
    const SIDE_BY_SIDE: usize = 8;
    let mut months = Vec::new();
    let mut month = first.first_of_month();
    while month <= last {
        months.push(month);
        month = month.saturating_add(1.month());
        if month == Date::MAX {
            break;
        }
    }
    let every = if months.len() > SIDE_BY_SIDE { 2 } else { 1 };
    let mut year = None;
    let mut marks = Vec::new();
    for month in months.into_iter().step_by(every) {
        let name: String = text::month_name(month.month()).chars().take(3).collect();
        let told = year == Some(month.year());
        year = Some(month.year());
        let label = if told { name } else { format!("{name} {:02}", month.year() % 100) };
        let x = place(month.max(first));
        marks.push(Mark { x: x.max((PLOT.0 + 16) * 10), label });
    }
    marks
}
