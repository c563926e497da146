//! Text from evidence made fit for a page: cleaned, shortened, escaped, and given anchors. Markdown of
//! the catalogue is set with raw HTML shown as text and links to anything but the web left out. Nothing
//! of the evidence may become markup here.

use backstay_engine::{
    Period,
    period::{Window, time_zone},
};
use jiff::tz::TimeZone;
use maud::{Markup, PreEscaped, Render as _, html};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use sha2::{Digest as _, Sha256};

use crate::{figure, layout::clean};

/// Characters shown of an id or a name.
const NAME_SHOWN: usize = 80;
/// Characters shown of a title.
const TITLE_SHOWN: usize = 200;
/// Characters of a word from which on it may be broken anywhere.
const LONG_WORD: usize = 22;
/// Characters shown of a sentence.
const SENTENCE_SHOWN: usize = 1_500;
/// Characters of an id that is used as an anchor as it is.
const ANCHOR_KEPT: usize = 48;

/// `text`, cleaned of what steers, cut after `shown` characters with a word on how many there are.
fn cut(text: &str, shown: usize) -> String {
    let length = text.chars().count();
    if length <= shown {
        return clean(text);
    }
    let head: String = text.chars().take(shown).collect();
    let length = figure::count(i64::try_from(length).unwrap_or(i64::MAX));
    format!("{}… ({length} characters)", clean(&head))
}

/// An id or a name as plain text.
pub(super) fn plain(text: &str) -> String {
    cut(text, NAME_SHOWN)
}

/// An id or a name, kept apart from the direction of writing around it.
pub(super) fn name(text: &str) -> Markup {
    apart(&plain(text))
}

/// A title as plain text.
pub(super) fn title_text(text: &str) -> String {
    cut(text, TITLE_SHOWN)
}

/// A title.
pub(super) fn title(text: &str) -> Markup {
    apart(&title_text(text))
}

/// Cleaned text, kept apart; one with a long word may break anywhere, a short id nowhere, others
/// between words.
fn apart(text: &str) -> Markup {
    let long = text.split([' ', '-']).any(|word| word.chars().count() > LONG_WORD);
    let short = !text.contains(' ') && text.chars().count() <= LONG_WORD;
    let class = if long { Some("long") } else { short.then_some("nowrap") };
    html! { bdi class=[class] { (text) } }
}

/// A sentence in which words between backticks are set as code.
pub(super) fn told(text: &str) -> Markup {
    let text = cut(text, SENTENCE_SHOWN);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks leaves one that opens nothing.
    let paired = parts.len() % 2 == 1;
    html! {
        bdi.long {
            @for (n, part) in parts.iter().enumerate() {
                @if n % 2 == 1 && (paired || n + 1 < parts.len()) { code { (part) } }
                @else if n % 2 == 1 { "`" (part) }
                @else { (part) }
            }
        }
    }
}

/// A count with its thousands apart.
pub(super) fn number(number: u64) -> String {
    figure::count(i64::try_from(number).unwrap_or(i64::MAX))
}

/// `count noun`, with an `s` unless the count is one.
pub(super) fn counted(number: u64, noun: &str) -> String {
    figure::counted(i64::try_from(number).unwrap_or(i64::MAX), noun)
}

/// An anchor made of a kind and ids: the ids as they are when they are short and plain, else a digest.
pub(super) fn anchor(kind: &str, ids: &[&str]) -> String {
    let mut anchor = kind.to_owned();
    for id in ids {
        anchor.push('.');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !id.is_empty() && id.len() <= ANCHOR_KEPT && id.chars().all(plain) {
            anchor.push_str(id);
        } else {
            anchor.push('x');
            anchor.extend(hex::encode(Sha256::digest(id.as_bytes())).chars().take(16));
        }
    }
    anchor
}

/// An instant in microseconds since 1970, in UTC to the second.
pub(super) fn instant(micros: i64) -> String {
    figure::instant(micros - micros.rem_euclid(1_000_000)).replace('Z', " UTC")
}

/// An instant written as RFC 3339 in UTC, as people read it; anything else as it is.
pub(super) fn instant_of(text: &str) -> String {
    text.parse::<jiff::Timestamp>().map_or_else(|_| plain(text), |at| instant(at.as_microsecond()))
}

/// An instant written as RFC 3339 in UTC, to the minute, cut off and without its zone.
pub(super) fn minute_of(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => plain(text),
    }
}

/// An instant in microseconds since 1970 in a zone, to the minute with its offset; in UTC where the zone
/// is not known.
pub(super) fn local(micros: i64, zone: Option<&str>) -> String {
    let zone = zone.and_then(|zone| time_zone(zone).ok());
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(at) => match zone {
            Some(zone) => at.to_zoned(zone).strftime("%Y-%m-%d %H:%M %:z").to_string(),
            None => at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string(),
        },
        Err(_) => format!("{micros} µs"),
    }
}

/// An instant written as RFC 3339, in a zone as [`local`] sets it.
pub(super) fn local_of(text: &str, zone: Option<&str>) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => local(at.as_microsecond(), zone),
        Err(_) => plain(text),
    }
}

/// The same words with a capital at the beginning.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A length of time in hours and whole minutes, cut off: `3 h 30 min`.
pub(super) fn length(micros: i64) -> String {
    let minutes = (micros / 60_000_000).unsigned_abs();
    let sign = if micros < 0 { "−" } else { "" };
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{sign}{minutes} min"),
        (hours, minutes) => format!("{sign}{} h {minutes:02} min", number(hours)),
    }
}

/// A period in words: `October 2026`, `third quarter of 2026`, `2026`, `5 October to 11 October 2026`.
pub(super) fn period(period: Period) -> String {
    let (first, last) = (period.first, period.after.yesterday().unwrap_or(period.first));
    let whole = |window: Window| window.around(first).is_ok_and(|whole| whole == period);
    let day = |day: jiff::civil::Date| {
        format!("{} {} {}", day.day(), month_name(day.month()), day.year())
    };
    if whole(Window::Month) {
        format!("{} {}", month_name(first.month()), first.year())
    } else if whole(Window::Quarter) {
        let quarter = ["first", "second", "third", "fourth"];
        let nth = usize::try_from((first.month() - 1) / 3).unwrap_or_default();
        format!("{} quarter of {}", quarter.get(nth).unwrap_or(&"first"), first.year())
    } else if whole(Window::Year) {
        first.year().to_string()
    } else if first == last {
        day(first)
    } else {
        format!("{} to {}", day(first), day(last))
    }
}

/// The English name of a month, 1 to 12.
pub(super) fn month_name(month: i8) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let nth = usize::try_from(i16::from(month) - 1).unwrap_or_default();
    NAMES.get(nth).copied().unwrap_or_default()
}

/// Markdown as a page shows it. Raw HTML is shown as text, a link keeps its target only when that is on
/// the web, a picture is its description, and headings are strong paragraphs.
pub(super) fn prose(markdown: &str) -> Markup {
    let mut out = String::new();
    let mut linked = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(tag) => start(&mut out, &tag, &mut linked),
            Event::End(tag) => end(&mut out, tag, &mut linked),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                clean(&text).render_to(&mut out);
            }
            Event::Code(text) => {
                out.push_str("<code>");
                clean(&text).render_to(&mut out);
                out.push_str("</code>");
            }
            Event::SoftBreak => out.push('\n'),
            Event::HardBreak => out.push_str("<br>"),
            Event::Rule => out.push_str("<hr>"),
            _ => {}
        }
    }
    PreEscaped(out)
}

fn start(out: &mut String, tag: &Tag<'_>, linked: &mut Vec<bool>) {
    match tag {
        Tag::Paragraph => out.push_str("<p>"),
        Tag::Heading { .. } => out.push_str("<p><strong>"),
        Tag::BlockQuote(_) => out.push_str("<blockquote>"),
        Tag::CodeBlock(_) => {
            out.push_str("<pre><code>");
        }
        Tag::List(Some(first)) => out.push_str(&format!("<ol start=\"{first}\">")),
        Tag::List(None) => out.push_str("<ul>"),
        Tag::Item => out.push_str("<li>"),
        Tag::Table(_) => out.push_str("<div class=\"rows\">"),
        Tag::TableHead | Tag::TableRow => out.push_str("<p>"),
        Tag::TableCell => {}
        Tag::Emphasis => out.push_str("<em>"),
        Tag::Strong => out.push_str("<strong>"),
        Tag::Link { dest_url, .. } => {
            let web = dest_url.starts_with("https://") || dest_url.starts_with("http://");
            linked.push(web);
            if web {
                out.push_str("<a href=\"");
                clean(dest_url).render_to(out);
                out.push_str("\">");
            }
        }
        _ => {}
    }
}

fn end(out: &mut String, tag: TagEnd, linked: &mut Vec<bool>) {
    out.push_str(match tag {
        TagEnd::Paragraph | TagEnd::TableHead | TagEnd::TableRow => "</p>",
        TagEnd::Heading(_) => "</strong></p>",
        TagEnd::BlockQuote(_) => "</blockquote>",
        TagEnd::CodeBlock => "</code></pre>",
        TagEnd::List(true) => "</ol>",
        TagEnd::List(false) => "</ul>",
        TagEnd::Item => "</li>",
        TagEnd::Table => "</div>",
        TagEnd::TableCell => " · ",
        TagEnd::Emphasis => "</em>",
        TagEnd::Strong => "</strong>",
        TagEnd::Link if linked.pop().unwrap_or_default() => "</a>",
        _ => "",
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn markdown_cannot_bring_markup_or_a_script() {
        let text = "A <script>alert(1)</script> and <b onclick=x>bold</b> [here](javascript:alert(1)) \
                    [there](https://example.org/?a=\"b\") ![p](https://example.org/p.png) **b** `<i>`";
        let set = prose(text).into_string();
        assert_eq!(
            set,
            "<p>A &lt;script&gt;alert(1)&lt;/script&gt; and &lt;b onclick=x&gt;bold&lt;/b&gt; here \
             <a href=\"https://example.org/?a=&quot;b&quot;\">there</a> p <strong>b</strong> \
             <code>&lt;i&gt;</code></p>"
        );
    }

    #[test]
    fn a_name_that_steers_or_never_ends_is_made_harmless() {
        assert_eq!(
            name("a\u{202e}b<").into_string(),
            "<bdi class=\"nowrap\">a\\u{202e}b&lt;</bdi>"
        );
        let long = "x".repeat(10_000);
        assert!(plain(&long).ends_with("… (10,000 characters)"));
        assert!(plain(&long).chars().count() < 110);
    }

    #[test]
    fn words_between_backticks_are_code_and_a_lone_backtick_stays() {
        let set = told("feed `daily` of `case_event`").into_string();
        assert_eq!(
            set,
            "<bdi class=\"long\">feed <code>daily</code> of <code>case_event</code></bdi>"
        );
        assert_eq!(told("it`s <b>").into_string(), "<bdi class=\"long\">it`s &lt;b&gt;</bdi>");
        assert_eq!(
            told("`a` and `b").into_string(),
            "<bdi class=\"long\"><code>a</code> and `b</bdi>"
        );
    }

    #[test]
    fn an_anchor_is_plain_whatever_the_id() {
        assert_eq!(anchor("level", &["desk", "resolution-p1"]), "level.desk.resolution-p1");
        let strange = anchor("level", &["desk", "\" onload=\"x"]);
        assert!(strange.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'), "{strange}");
        assert_ne!(anchor("level", &["a", ""]), anchor("level", &["", "a"]));
    }

    #[test]
    fn a_period_is_said_in_words() {
        let said = |text: &str| period(text.parse().unwrap());
        assert_eq!(said("2026-10"), "October 2026");
        assert_eq!(said("2026-07-01..2026-10-01"), "third quarter of 2026");
        assert_eq!(said("2026-01-01..2027-01-01"), "2026");
        assert_eq!(said("2026-10-05..2026-10-12"), "5 October 2026 to 11 October 2026");
        assert_eq!(said("2026-10-05..2026-10-06"), "5 October 2026");
    }
}
