//! Keeps the last row of each group (one per case, from its last version) without keeping all
//! rows: candidates go to a temporary file, of which a small index knows the winners.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
};

use crate::typing::row::{Cell, Row};

/// Where the winner of a group stands.
#[derive(Debug, Clone, Copy)]
struct Winner {
    order: i64,
    offset: u64,
}

/// The groups of one table.
#[derive(Default)]
pub(crate) struct Groups {
    winners: HashMap<[u8; 16], Winner>,
    spill: Option<BufWriter<File>>,
    offset: u64,
    /// The winner of the group seen last, not written yet: groups mostly stand together.
    open: Option<([u8; 16], i64, Row)>,
}

impl Groups {
    /// Offers a row; the one with the greatest order wins, the later record when equal.
    pub(crate) fn offer(&mut self, group: [u8; 16], order: i64, row: &Row) -> io::Result<()> {
        if let Some((key, best, held)) = &mut self.open
            && *key == group
        {
            if order >= *best {
                *best = order;
                held.clone_from(row);
            }
            return Ok(());
        }
        if self.winners.get(&group).is_some_and(|winner| order < winner.order) {
            return Ok(());
        }
        self.close()?;
        self.open = Some((group, order, row.clone()));
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        let Some((group, order, row)) = self.open.take() else { return Ok(()) };
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self.spill.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        let bytes = encode(&row);
        spill.write_all(&(bytes.len() as u64).to_le_bytes())?;
        spill.write_all(&bytes)?;
        self.winners.insert(group, Winner { order, offset: self.offset });
        self.offset += 8 + bytes.len() as u64;
        Ok(())
    }

    /// Hands out the winners in the order in which they were written.
    pub(crate) fn finish<E: From<io::Error>>(
        mut self,
        mut take: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        self.close()?;
        let Some(spill) = self.spill.take() else { return Ok(()) };
        let mut file = spill.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(256 << 10, file);
        let mut offsets: Vec<u64> = self.winners.values().map(|winner| winner.offset).collect();
        offsets.sort_unstable();
        let mut at = 0;
        for offset in offsets {
            reader.seek_relative(i64::try_from(offset - at).unwrap_or(i64::MAX))?;
            let mut length = [0; 8];
            reader.read_exact(&mut length)?;
            let length = u64::from_le_bytes(length);
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
            reader.read_exact(&mut bytes)?;
            at = offset + 8 + length;
            take(decode(&mut bytes.as_slice())?)?;
        }
        Ok(())
    }
}

fn encode(row: &Row) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + row.arena.len() + row.cells.len() * 12);
    out.extend(row.record.to_le_bytes());
    out.extend(row.item.to_le_bytes());
    for text in [&row.arrangement, &row.arena] {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.as_bytes());
    }
    let mut pair = |tag: u8, first: i128, second: u64| {
        out.push(tag);
        out.extend(first.to_le_bytes());
        out.extend(second.to_le_bytes());
    };
    for cell in &row.cells {
        match *cell {
            Cell::Null => pair(0, 0, 0),
            Cell::Text(start, end) => pair(1, start as i128, end as u64),
            Cell::Integer(value) => pair(2, value.into(), 0),
            Cell::Decimal(value) => pair(3, value, 0),
            Cell::Money { minor, currency } => pair(4, minor.into(), currency.0 as u64),
            Cell::Instant { us, offset } => pair(5, us.into(), u64::from(offset.cast_unsigned())),
            Cell::Date(value) => pair(6, value.into(), 0),
            Cell::Boolean(value) => pair(7, value.into(), 0),
        }
    }
    out
}

fn decode(bytes: &mut &[u8]) -> io::Result<Row> {
    let record = u32::from_le_bytes(array(bytes)?);
    let item = i16::from_le_bytes(array(bytes)?);
    let mut text = || -> io::Result<String> {
        let length = usize::try_from(u64::from_le_bytes(array(bytes)?)).unwrap_or(usize::MAX);
        let (head, tail) = bytes.split_at_checked(length).ok_or_else(cut)?;
        *bytes = tail;
        String::from_utf8(head.to_vec()).map_err(io::Error::other)
    };
    let (arrangement, arena) = (text()?, text()?);
    let mut cells = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        *bytes = rest;
        let first = i128::from_le_bytes(array(bytes)?);
        let second = u64::from_le_bytes(array(bytes)?);
        let size = |value: i128| usize::try_from(value).map_err(io::Error::other);
        let long = |value: i128| i64::try_from(value).map_err(io::Error::other);
        let code = size(second.into())?;
        cells.push(match tag {
            0 => Cell::Null,
            1 => Cell::Text(size(first)?, code),
            2 => Cell::Integer(long(first)?),
            3 => Cell::Decimal(first),
            4 => Cell::Money { minor: long(first)?, currency: (code, code + 3) },
            5 => Cell::Instant {
                us: long(first)?,
                offset: u16::try_from(second).map_err(io::Error::other)?.cast_signed(),
            },
            6 => Cell::Date(i32::try_from(first).map_err(io::Error::other)?),
            _ => Cell::Boolean(first != 0),
        });
    }
    Ok(Row { record, item, arrangement, cells, arena })
}

fn array<const N: usize>(bytes: &mut &[u8]) -> io::Result<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk::<N>().ok_or_else(cut)?;
    *bytes = tail;
    Ok(*head)
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "a row in a temporary file is cut off")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn row(record: u32) -> Row {
        let mut row = Row { record, item: 1, arrangement: "a".into(), ..Row::default() };
        let (start, end) = row.store("some text");
        let currency = row.store("EUR");
        row.cells = vec![
            Cell::Null,
            Cell::Text(start, end),
            Cell::Integer(-5),
            Cell::Decimal(i128::MIN),
            Cell::Money { minor: -1, currency },
            Cell::Instant { us: i64::MIN, offset: -330 },
            Cell::Date(-1),
            Cell::Boolean(true),
        ];
        row
    }

    #[test]
    fn a_row_survives_the_temporary_file() {
        assert_eq!(decode(&mut encode(&row(7)).as_slice()).unwrap(), row(7));
        assert!(decode(&mut encode(&row(7)).split_last().unwrap().1).is_err());
    }

    #[test]
    fn the_greatest_order_wins_and_the_later_record_when_equal() {
        let mut groups = Groups::default();
        for (group, order, record) in [(1, 5, 1), (2, 0, 2), (1, 4, 3), (1, 5, 4), (2, -1, 5)] {
            groups.offer([group; 16], order, &row(record)).unwrap();
        }
        let mut kept = Vec::new();
        groups
            .finish(|row| {
                kept.push(row.record);
                Ok::<_, io::Error>(())
            })
            .unwrap();
        kept.sort_unstable();
        assert_eq!(kept, [2, 4]);
    }
}
