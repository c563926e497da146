//! Words as small numbers: states, sites, teams, priorities are few and come millions of times. Owns
//! the numbering of one run of the operator; numbers must never leave it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arrow::array::StringArray;

/// Number of a word. [`NONE`] stands for no word.
pub(super) type Symbol = u32;

/// No word; the empty text is none.
pub(super) const NONE: Symbol = 0;

/// The words seen so far.
#[derive(Debug)]
pub(super) struct Symbols(Mutex<Known>);

#[derive(Debug)]
struct Known {
    numbers: HashMap<Arc<str>, Symbol>,
    words: Vec<Arc<str>>,
    column: Arc<StringArray>,
}

impl Default for Symbols {
    fn default() -> Self {
        let none: Arc<str> = "".into();
        let column = Arc::new(StringArray::from(vec![""]));
        let numbers = HashMap::from([(none.clone(), NONE)]);
        Self(Mutex::new(Known { numbers, words: vec![none], column }))
    }
}

impl Symbols {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a word.
    pub(super) fn number(&self, word: &str) -> Symbol {
        let mut known = self.known();
        if let Some(number) = known.numbers.get(word) {
            return *number;
        }
        // Four thousand million different words do not fit into memory.
        let number = Symbol::try_from(known.words.len()).unwrap_or(NONE);
        let word: Arc<str> = word.into();
        known.words.push(word.clone());
        known.numbers.insert(word, number);
        number
    }

    /// The number of a word that may be missing.
    pub(super) fn maybe(&self, word: Option<&str>) -> Symbol {
        word.map_or(NONE, |word| self.number(word))
    }

    /// The word of a number.
    pub(super) fn word(&self, number: Symbol) -> Option<Arc<str>> {
        if number == NONE {
            return None;
        }
        self.known().words.get(number as usize).cloned()
    }

    /// All words by number, as the values of a dictionary column.
    pub(super) fn column(&self) -> Arc<StringArray> {
        let mut known = self.known();
        if arrow::array::Array::len(known.column.as_ref()) < known.words.len() {
            let words = known.words.iter().map(|word| Some(word.as_ref()));
            known.column = Arc::new(words.collect::<StringArray>());
        }
        known.column.clone()
    }
}

/// Some words.
#[derive(Debug, Clone, Default)]
pub(super) struct SymbolSet(Vec<bool>);

impl SymbolSet {
    /// Of these words.
    pub(super) fn new(symbols: &Symbols, words: &[String]) -> Self {
        let mut set = Vec::new();
        for word in words {
            let number = symbols.number(word) as usize;
            if set.len() <= number {
                set.resize(number + 1, false);
            }
            if let Some(held) = set.get_mut(number) {
                *held = number != NONE as usize;
            }
        }
        Self(set)
    }

    /// Whether a word is one of them.
    #[inline]
    pub(super) fn holds(&self, number: Symbol) -> bool {
        self.0.get(number as usize).copied().unwrap_or(false)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn equal_words_have_one_number_and_no_word_has_none() {
        let symbols = Symbols::default();
        let (new, done) = (symbols.number("New"), symbols.number("Done"));
        assert_ne!(new, done);
        assert_eq!(symbols.number("New"), new);
        assert_eq!((symbols.number(""), symbols.maybe(None)), (NONE, NONE));
        assert_eq!(symbols.word(done).as_deref(), Some("Done"));
        assert_eq!((symbols.word(NONE), symbols.word(99)), (None, None));
        assert_eq!(symbols.column().value(new as usize), "New");
        let set = SymbolSet::new(&symbols, &["Done".to_owned()]);
        assert!(set.holds(done) && !set.holds(new) && !set.holds(NONE) && !set.is_empty());
    }
}
