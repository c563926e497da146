//! How the values of the proposed columns are to be read: order of day and month, zone, decimals,
//! percentages, lists of values. What the values do not say becomes a question.

use super::{
    Origin,
    assign::SourceColumn,
    settle::Work,
    shape::{DateOrder, Dates, Turned},
    word,
};
use crate::vocabulary::ColumnType;

impl Work<'_> {
    /// Formats of dates, the order of day and month, and the zone.
    pub(super) fn dates(&mut self) {
        let found = self.file_order();
        let mut local = Vec::new();
        let mut open = Vec::new();
        for place in 0..self.proposal.columns.len() {
            let Some(proposed) = self.proposal.columns.get(place) else { continue };
            let Some(column) = self.table.column(&proposed.column) else { continue };
            if !matches!(column.kind, ColumnType::Instant | ColumnType::Date) {
                continue;
            }
            let Origin::Column(source) = proposed.from.clone() else { continue };
            let dates = self.source(&source).and_then(|source| source.profile.dates.clone());
            let Some(dates) = dates else { continue };
            if column.kind == ColumnType::Instant && !dates.offset {
                local.push(source.clone());
            }
            let format = self.ordered(&source, &dates, found.as_ref(), &mut open);
            if let Some(proposed) = self.proposal.columns.get_mut(place) {
                proposed.format = (format != "iso").then_some(format);
            }
        }
        if !open.is_empty() {
            open.dedup();
            let text = format!(
                "is the day or the month first in `{}`? Every value fits both",
                open.join("`, `")
            );
            let option = "--date-order day-first, or month-first".to_owned();
            self.ask("date-order".to_owned(), text, option, true);
        }
        self.zone(&local);
    }

    /// What the values of all columns together say of day and month: an order, and the column and count
    /// that speak for it.
    fn file_order(&self) -> Option<(DateOrder, String, usize)> {
        let turned = |source: &SourceColumn<'_>| {
            let turned = source.profile.dates.as_ref()?.turned.clone()?;
            Some((source.name.to_owned(), turned))
        };
        let all: Vec<(String, Turned)> = self.sources.iter().filter_map(turned).collect();
        let most = |count: fn(&Turned) -> usize| {
            let best = all.iter().max_by_key(|(_, turned)| count(turned))?;
            (count(&best.1) > 0).then(|| (best.0.clone(), count(&best.1)))
        };
        match (most(|turned| turned.only_day_first), most(|turned| turned.only_month_first)) {
            (Some((column, count)), None) => Some((DateOrder::DayFirst, column, count)),
            (None, Some((column, count))) => Some((DateOrder::MonthFirst, column, count)),
            _ => None,
        }
    }

    /// The format of a column, its order of day and month settled or added to `open`.
    fn ordered(
        &mut self,
        source: &str,
        dates: &Dates,
        found: Option<&(DateOrder, String, usize)>,
        open: &mut Vec<String>,
    ) -> String {
        let Some(turned) = &dates.turned else {
            if dates.format != "iso" {
                let fits = dates.fits;
                self.proposal
                    .dates
                    .push(format!("`{source}`: `{}` reads {fits} values", dates.format));
            }
            return dates.format.clone();
        };
        let of = |order: DateOrder| match order {
            DateOrder::DayFirst => turned.day_first.clone(),
            DateOrder::MonthFirst => turned.month_first.clone(),
        };
        let present = self.source(source).map_or(0, |source| source.profile.present);
        let own = match (turned.only_day_first, turned.only_month_first) {
            (0, 0) => None,
            (count, 0) => Some((DateOrder::DayFirst, count)),
            (0, count) => Some((DateOrder::MonthFirst, count)),
            (day, month) => {
                self.proposal.remarks.push(format!(
                    "`{source}` mixes both orders of day and month ({day} values only fit the day \
                     first, {month} only the month first): ask for the file with one"
                ));
                return dates.format.clone();
            }
        };
        let place = |order: DateOrder| match order {
            DateOrder::DayFirst => "the day",
            DateOrder::MonthFirst => "the month",
        };
        let (order, why) = match (self.answers.date_order, own, found) {
            (Some(said), own, _) => {
                if let Some((seen, count)) = own.filter(|(seen, _)| *seen != said) {
                    self.proposal.remarks.push(format!(
                        "`{source}`: {count} of {present} values only fit {} first, against what you \
                         said; they will be quarantined",
                        place(seen)
                    ));
                }
                (said, "as you said".to_owned())
            }
            (None, Some((seen, count)), _) => {
                let why =
                    format!("{count} of {present} values have a number above 12 in that place");
                (seen, why)
            }
            (None, None, Some((seen, column, count))) => {
                let why = format!(
                    "its own values fit both orders; {count} values of `{column}` in the same file \
                     only fit this one"
                );
                (*seen, why)
            }
            (None, None, None) => {
                open.push(source.to_owned());
                return turned.day_first.clone();
            }
        };
        self.proposal.dates.push(format!(
            "`{source}`: {} first (`{}`): {why}",
            place(order),
            of(order)
        ));
        of(order)
    }

    fn zone(&mut self, local: &[String]) {
        if local.is_empty() {
            return;
        }
        if let Some(zone) = &self.answers.zone {
            self.proposal.zone = Some(zone.clone());
            return;
        }
        let text = format!(
            "in which time zone are `{}`? The times have no offset, and a file does not say where its \
             clock hangs: ask whoever exports it",
            local.join("`, `")
        );
        let option = "--zone Area/City here, or at each import".to_owned();
        self.ask("zone".to_owned(), text, option, false);
    }

    /// Marks of decimals, and percentages.
    pub(super) fn numbers(&mut self) {
        let (mut comma, mut open, mut group) = (false, None, false);
        for place in 0..self.proposal.columns.len() {
            let Some(proposed) = self.proposal.columns.get(place) else { continue };
            let Origin::Column(source) = proposed.from.clone() else { continue };
            let kind = self.table.column(&proposed.column).map(|column| column.kind);
            let number =
                matches!(kind, Some(ColumnType::Decimal | ColumnType::Money | ColumnType::Integer));
            let Some(source) = self.source(&source).filter(|_| number) else { continue };
            let profile = &source.profile;
            let percent = kind == Some(ColumnType::Decimal)
                && profile.present > 0
                && profile.percents == profile.present;
            if profile.comma_decimals > 0 && profile.decimals < profile.present {
                comma = true;
                let texts = profile.distinct.iter().flatten().map(|(value, _)| value);
                let thousands =
                    |value: &String| value.split_once(',').is_some_and(|(_, tail)| tail.len() == 3);
                let with_comma: Vec<&String> = texts.filter(|value| value.contains(',')).collect();
                group |= with_comma.iter().any(|value| value.contains('.'));
                if !with_comma.is_empty() && with_comma.iter().all(|value| thousands(value)) {
                    open = Some(source.name.to_owned());
                }
            }
            if let Some(proposed) = self.proposal.columns.get_mut(place) {
                proposed.percent = percent;
            }
        }
        match (self.answers.decimal_mark, open) {
            (Some(mark), _) => self.proposal.decimal_mark = Some(mark).filter(|mark| *mark != '.'),
            (None, Some(source)) => {
                let text = format!(
                    "does the comma in `{source}` stand before decimals or between thousands? Three \
                     digits follow it everywhere"
                );
                let option = "--decimal-mark , or --decimal-mark .".to_owned();
                self.ask("decimal-mark".to_owned(), text, option, true);
            }
            (None, None) => self.proposal.decimal_mark = comma.then_some(','),
        }
        let (comma_decides, point_decides) = (
            self.proposal.decimal_mark == Some(','),
            self.answers.decimal_mark == Some('.') && comma,
        );
        self.proposal.group_mark = match (comma_decides && group, point_decides) {
            (true, _) => Some('.'),
            (_, true) => Some(','),
            _ => None,
        };
    }

    /// Values of enumerations.
    pub(super) fn values(&mut self) {
        for place in 0..self.proposal.columns.len() {
            let Some(proposed) = self.proposal.columns.get(place) else { continue };
            let name = proposed.column.clone();
            let Some(column) = self.table.column(&name) else { continue };
            let said = self.answers.values.get(&name).cloned().unwrap_or_default();
            let Origin::Column(source) = proposed.from.clone() else { continue };
            let distinct = self.source(&source).and_then(|source| source.profile.distinct.clone());
            let (Some(distinct), false) = (distinct, column.values.is_empty() && said.is_empty())
            else {
                continue;
            };
            let (mut values, mut unknown) = (said.clone(), Vec::new());
            for value in distinct.keys().filter(|value| !said.contains_key(*value)) {
                match word::value(&name, &column.values, value) {
                    Some(target) => {
                        values.insert(value.clone(), target.to_owned());
                    }
                    None => unknown.push(value.clone()),
                }
            }
            // Without a list the reader takes the vocabulary's own values by itself.
            if unknown.is_empty() && values.iter().all(|(from, to)| from.eq_ignore_ascii_case(to)) {
                continue;
            }
            if !unknown.is_empty() && !column.values.is_empty() {
                let shown: Vec<&str> = unknown.iter().take(6).map(String::as_str).collect();
                let text = format!(
                    "what do the values `{}` of `{source}` mean? `{name}` knows {}; rows with another \
                     value are quarantined",
                    shown.join("`, `"),
                    column.values.join(", ")
                );
                let first = unknown.first().map_or("", String::as_str);
                let option = format!("--value '{name}:{first}=…'");
                self.ask(format!("values:{name}"), text, option, false);
            }
            if let Some(proposed) = self.proposal.columns.get_mut(place) {
                proposed.values = values;
                proposed.unknown = unknown;
            }
        }
    }
}
