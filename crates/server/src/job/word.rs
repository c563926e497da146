//! What the rooms say to whoever types commands, in the words of the page: an option becomes the field that
//! stands for it. It must never take anything away from a message.

/// Options and the fields that stand for them, the longer first.
const FIELDS: [(&str, &str); 21] = [
    ("`--mapping`", "“Mapping”"),
    ("`--mapping xes`", "the mapping `xes`"),
    ("`--mapping icalendar-holidays`", "the mapping `icalendar-holidays`"),
    ("`--set arrangement_id=…`", "“Arrangement”"),
    ("`--allow-duplicate-log`", "“Keep it beside the other”"),
    ("`--decimal-mark`", "“Mark before decimals”"),
    ("--decimal-mark , or --decimal-mark .", "“Mark before decimals”"),
    ("--date-order day-first, or month-first", "“Day or month first”"),
    ("--zone Area/City here, or at each import", "“Time zone”"),
    ("--set arrangement_id=ID here, or at each import", "“Arrangement”"),
    ("`--table`", "“Table”"),
    (", and its columns with `--map column=SOURCE`", ", or say column by column what it holds"),
    ("`--encoding latin-1`", "“Encoding”"),
    ("`--encoding`", "“Encoding”"),
    ("`--fold`", "“A time that occurs twice”"),
    ("`--zone`", "“Time zone”"),
    ("`--as`", "“Table”"),
    ("--zone", "“Time zone”"),
    ("--as:", "“Table”:"),
    ("--set:", "“The same in every row”:"),
    ("; `backstay vocabulary list` says what there is", ""),
];

/// A message in the words of the page.
pub fn in_words_of_the_page(message: &str) -> String {
    // An option with its value before the option by itself, which is part of it.
    let mut text = with_values(message);
    for (option, field) in FIELDS {
        text = text.replace(option, field);
    }
    text
}

/// `` `--as table` `` and its kin: an option with a value between backticks.
fn with_values(text: &str) -> String {
    let mut text = text.to_owned();
    for (option, field) in [
        ("`--as ", "“Table” `"),
        ("`--zone ", "“Time zone” `"),
        ("`--set ", "“The same in every row” `"),
    ] {
        text = text.replace(option, field);
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn an_option_of_the_command_line_becomes_the_field_that_stands_for_it() {
        let told = in_words_of_the_page(
            "the header is that of no table of the vocabulary: name a mapping with `--mapping`, or the \
             table with `--as`; the nearest is `site`: `--as site` says what is wrong",
        );
        assert!(!told.contains("--"), "{told}");
        assert!(told.contains("with “Mapping”, or the table with “Table”"), "{told}");
        let told = in_words_of_the_page(
            "the times of this file have no offset: name their zone, as in `--zone Europe/Dublin`",
        );
        assert!(told.ends_with("as in “Time zone” `Europe/Dublin`"), "{told}");
        assert_eq!(in_words_of_the_page("`a--b` stays"), "`a--b` stays");
    }
}
