//! What must hold for any file: quoting and delimiters, encodings, the sizes of the pieces in
//! which bytes arrive, and damage anywhere.

use std::io::{self, Read, Write as _};

use backstay_evidence::{ImportOptions, SourceInfo, Vocabulary, read_source, trace::locate};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use crate::support::{Taken, key, read_bytes};

/// Hands bytes out in pieces of the sizes given, over and over.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(buf.len()).min(self.bytes.len());
        self.turn += 1;
        buf[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

fn quote(cell: &str, delimiter: char, always: bool) -> String {
    if always || cell.contains([delimiter, '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// A title that is not empty after trimming, so that it is there and can be compared.
fn title() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9éß€😀,;|\t\"\n\r' .-]{0,20}".prop_map(|middle| format!("<{middle}>"))
}

prop_compose! {
    fn file()(
        titles in prop::collection::vec((title(), any::<bool>()), 1..30),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        newline in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        closed in any::<bool>(),
    ) -> (Vec<String>, String, char) {
        let mut text = ["arrangement_id", "team_id", "title"].join(&delimiter.to_string());
        for (n, (title, always)) in titles.iter().enumerate() {
            text.push_str(newline);
            let cells = ["a".to_owned(), format!("t{n}"), quote(title, delimiter, *always)];
            text.push_str(&cells.join(&delimiter.to_string()));
        }
        if closed {
            text.push_str(newline);
        }
        (titles.into_iter().map(|(title, _)| title).collect(), text, delimiter)
    }
}

fn titles_of(source: &mut (dyn Read + Send)) -> Vec<Option<String>> {
    let mut taken = Taken::default();
    let info = SourceInfo { file_name: "team.csv".into(), bytes_total: None };
    let vocabulary = Vocabulary::built_in().unwrap();
    let options = ImportOptions::default();
    let summary = read_source(source, &info, &vocabulary, &options, &key(), &mut taken).unwrap();
    assert_eq!(summary.rejected, 0, "{:?}", taken.rejections);
    taken.texts("team", "title")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_cell_survives_quoting_encoding_compression_and_arrival_in_pieces(
        (titles, text, _) in file(),
        sizes in prop::collection::vec(1_usize..40, 1..6),
        encoding in 0..4,
        zip in any::<bool>(),
    ) {
        let marked = format!("\u{feff}{text}");
        let mut bytes = match encoding {
            0 => text.clone().into_bytes(),
            1 => marked.clone().into_bytes(),
            2 => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        };
        if zip {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes).unwrap();
            bytes = encoder.finish().unwrap();
        }
        let expected: Vec<_> = titles.into_iter().map(Some).collect();
        let mut source = Pieces { bytes: &bytes, sizes, turn: 0 };
        prop_assert_eq!(titles_of(&mut source), expected);
        prop_assert!(source.bytes.is_empty(), "bytes were left in the source");
    }

    #[test]
    fn every_record_leads_back_to_text_that_holds_it((titles, text, delimiter) in file()) {
        let lines = |text: &str| {
            let joined = text.replace("\r\n", "\n").replace('\r', "\n");
            joined.matches('\n').count() as u64
        };
        let mut before = 0;
        for (n, title) in titles.iter().enumerate() {
            let record = u32::try_from(n + 1).unwrap();
            let info = SourceInfo::default();
            let options = ImportOptions { delimiter: Some(delimiter), ..ImportOptions::default() };
            let found = locate(&mut text.as_bytes(), &info, &options, record).unwrap();
            prop_assert_eq!(&found.cells["title"], title);
            let at = text[before..].find(&found.text).unwrap() + before;
            prop_assert_eq!(found.first_line, lines(&text[..at]) + 1);
            prop_assert_eq!(found.last_line - found.first_line, lines(&found.text));
            before = at + found.text.len();
        }
    }

    #[test]
    fn damage_anywhere_is_an_error_or_a_quarantine_and_never_loses_count(
        (_, text, _) in file(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok((taken, summary)) = read_bytes(&bytes, "team.csv", &ImportOptions::default()) {
            let rejected: std::collections::BTreeSet<_> =
                taken.rejections.iter().map(|rejection| rejection.record).collect();
            prop_assert_eq!(rejected.len() as u64, summary.rejected);
            prop_assert_eq!(taken.rows("team") as u64 + summary.rejected, summary.records);
        }
    }

    #[test]
    fn an_event_log_cut_anywhere_or_damaged_never_panics(
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let event = "<event><string key=\"concept:name\" value=\"x &amp; y\"/>\
            <date key=\"time:timestamp\" value=\"2026-03-02T09:15:00.000+08:00\"/></event>";
        let log = format!(
            "<?xml version=\"1.0\"?><log><global scope=\"event\"/><trace>\
             <string key=\"concept:name\" value=\"c\"/>{event}{event}</trace></log>"
        );
        let options = crate::support::options(backstay_evidence::Mapping::built_in("xes").unwrap());
        let at = cut.index(log.len());
        let short = read_bytes(&log.as_bytes()[..at], "x.xes", &options);
        prop_assert!(short.is_err(), "a log cut at {at} was taken");
        let mut bytes = log.into_bytes();
        bytes[at] = byte;
        if let Ok((taken, summary)) = read_bytes(&bytes, "x.xes", &options) {
            let kept = taken.rows("case_event") as u64;
            prop_assert_eq!(kept + summary.rejected, summary.records);
        }
    }
}
