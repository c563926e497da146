//! Passwords: which are good enough, how they are kept, how they are checked.
//!
//! Kept as Argon2id (RFC 9106) with 19 MiB, two passes and one lane, the first choice of OWASP's
//! Password Storage Cheat Sheet. At least 15 characters, as NIST SP 800-63B-4 (3.1.1.2) asks where a
//! password may be the only factor; no rule about kinds of characters, and no expiry, as it says there.
//! What everybody would guess is refused by rules of our own: common words, runs on the keyboard,
//! repetitions and the person's own name are taken away, and enough must be left. No list of leaked
//! passwords is shipped.

use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, PasswordHash as Phc, PasswordHasher as _, PasswordVerifier as _,
    Version,
};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// The fewest characters of a password.
pub const MIN_PASSWORD_CHARS: usize = 15;
/// The most bytes; hashing costs by the byte, and nobody types more.
pub const MAX_PASSWORD_BYTES: usize = 1_024;
/// Memory of one hash, KiB.
pub const ARGON2_MEMORY_KIB: u32 = 19_456;
/// Passes over it.
pub const ARGON2_ITERATIONS: u32 = 2;
/// Lanes.
pub const ARGON2_LANES: u32 = 1;
/// Characters that must be left when all that is easily guessed is taken away.
const LEFT_CHARS: usize = 8;
/// The shortest part of a name that is looked for.
const NAME_CHARS: usize = 4;

/// What people choose. Longer ones first, so that the longest is taken away.
const COMMON: &[&str] = &[
    "administrator",
    "correcthorse",
    "batterystaple",
    "changeme",
    "letmein",
    "passwort",
    "password",
    "trustno",
    "whatever",
    "backstay",
    "computer",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "starwars",
    "superman",
    "internet",
    "contrasena",
    "motdepasse",
    "provider",
    "welcome",
    "company",
    "dragon",
    "master",
    "monkey",
    "shadow",
    "secret",
    "summer",
    "winter",
    "spring",
    "autumn",
    "monday",
    "friday",
    "january",
    "february",
    "august",
    "october",
    "november",
    "december",
    "login",
    "admin",
    "qwertz",
    "hello",
    "iloveyou",
    "abc",
    "pass",
    "test",
    "temp",
    "user",
    "guest",
    "root",
    "love",
    "2024",
    "2025",
    "2026",
    "2027",
    "2028",
];

/// Rows of keys, letters and digits, along which people run.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
];

/// Why a password is refused, or cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error(
        "the password has {0} characters: take at least {MIN_PASSWORD_CHARS}, a few words that do not belong together will do"
    )]
    Short(usize),
    /// Too long.
    #[error("the password has {0} bytes: take at most {MAX_PASSWORD_BYTES}")]
    Long(usize),
    /// Easily guessed.
    #[error(
        "the password is made of what is guessed first (common words, runs of keys, repetitions): add words that have nothing to do with each other"
    )]
    Common,
    /// Contains the person's name or address.
    #[error("the password is little more than the name or the mail address: choose something else")]
    Name,
    /// A character that no keyboard types.
    #[error("the password has a control character: leave it out")]
    Control,
    /// The machine could not hash it.
    #[error("the password could not be hashed: {0}")]
    Hash(&'static str),
}

/// A kept password: a PHC string. Its text goes to the store, sealed, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Zeroizing<String>);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(not shown)")
    }
}

impl PasswordHash {
    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From a PHC string as it was kept; a damaged one fits no password.
    #[must_use]
    pub fn from_kept(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

/// Whether a password is good enough for this person. `names`: the name and the mail address.
///
/// # Errors
/// The first [`PasswordError`] that stands against it.
pub fn check_password(password: &str, names: &[&str]) -> Result<(), PasswordError> {
    let plain = Zeroizing::new(normal(password));
    let chars = plain.chars().count();
    if chars < MIN_PASSWORD_CHARS {
        return Err(PasswordError::Short(chars));
    }
    if password.len() > MAX_PASSWORD_BYTES || plain.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::Long(password.len().max(plain.len())));
    }
    if plain.chars().any(char::is_control) {
        return Err(PasswordError::Control);
    }
    let folded = Zeroizing::new(fold(&plain));
    let mut rest = folded.clone();
    for name in names {
        let parts = name.split(|c: char| !c.is_alphanumeric()).map(fold);
        for part in parts.filter(|part| part.chars().count() >= NAME_CHARS) {
            rest = Zeroizing::new(rest.replace(&part, " "));
        }
    }
    let without_name = left(&rest);
    if without_name >= LEFT_CHARS {
        return Ok(());
    }
    let named = *rest != *folded && left(&folded) >= LEFT_CHARS;
    Err(if named { PasswordError::Name } else { PasswordError::Common })
}

/// Characters that count once common words, runs and repetitions are gone. Each kind of character
/// counts twice at most.
fn left(folded: &str) -> usize {
    let mut rest = Zeroizing::new(folded.to_owned());
    for word in COMMON {
        let word = fold(word);
        rest = Zeroizing::new(rest.replace(&word, " "));
    }
    let letters: Zeroizing<Vec<char>> = Zeroizing::new(rest.chars().collect());
    let mut counted: Vec<(char, usize)> = Vec::new();
    let mut run = 0;
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let follows = before.is_some_and(|before| before == letter || neighbours(*before, *letter));
        run = if follows { run + 1 } else { 0 };
        // From the third of a run on nothing is added.
        if run >= 2 || !letter.is_alphanumeric() {
            continue;
        }
        match counted.iter_mut().find(|(seen, _)| seen == letter) {
            Some((_, count)) => *count += 1,
            None => counted.push((*letter, 1)),
        }
    }
    counted.iter().map(|(_, count)| (*count).min(2)).sum()
}

/// Whether one character follows the other on a row, either way.
fn neighbours(a: char, b: char) -> bool {
    let pair = |x: char, y: char| {
        ROWS.iter().any(|row| row.chars().zip(row.chars().skip(1)).any(|(p, q)| (p, q) == (x, y)))
    };
    // Rows are folded as passwords are, so digits that stand for letters are looked for as digits.
    pair(a, b) || pair(b, a)
}

/// One spelling however it was typed (NFKC), as NIST SP 800-63B asks before hashing.
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

/// Lower case, with the usual disguises of letters undone.
fn fold(text: &str) -> String {
    let plain = |c: char| match c {
        '@' => 'a',
        '$' => 's',
        '€' => 'e',
        '!' => 'i',
        other => other,
    };
    let lower: String = text.nfkc().flat_map(char::to_lowercase).map(plain).collect();
    // Digits stand for letters only between letters; a number stays a number.
    let letters: Vec<char> = lower.chars().collect();
    let is_letter = |at: Option<usize>| {
        at.and_then(|at| letters.get(at)).is_some_and(|letter: &char| letter.is_alphabetic())
    };
    letters
        .iter()
        .enumerate()
        .map(|(at, letter)| match letter {
            '0' | '1' | '3' | '4' | '5' | '7'
                if is_letter(at.checked_sub(1)) && is_letter(at.checked_add(1)) =>
            {
                match letter {
                    '0' => 'o',
                    '1' => 'i',
                    '3' => 'e',
                    '4' => 'a',
                    '5' => 's',
                    _ => 't',
                }
            }
            other => *other,
        })
        .collect()
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_ITERATIONS, ARGON2_LANES, None)
        .map_err(|_| PasswordError::Hash("its parameters are refused"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password that [`check_password`] let pass. `salt`: 16 random bytes, never used twice.
///
/// # Errors
/// [`PasswordError::Long`]; [`PasswordError::Hash`] when memory is lacking.
pub fn hash_password(password: &str, salt: [u8; 16]) -> Result<PasswordHash, PasswordError> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::Long(password.len()));
    }
    let plain = Zeroizing::new(normal(password));
    let hash = argon2()?
        .hash_password_with_salt(plain.as_bytes(), &salt)
        .map_err(|_| PasswordError::Hash("memory is lacking, or the salt is refused"))?;
    Ok(PasswordHash(Zeroizing::new(hash.to_string())))
}

/// Whether a password is the one that was kept. Without one (`None`: an unknown account, or one that
/// has no password yet) the same work is done and the answer is no, so that the time tells nothing.
#[must_use]
pub fn verify_password(password: &str, kept: Option<&PasswordHash>) -> bool {
    let Ok(argon2) = argon2() else { return false };
    // Nothing longer was ever hashed; its first part takes as long to refuse.
    let fits = password.len() <= MAX_PASSWORD_BYTES;
    let plain = Zeroizing::new(normal(if fits { password } else { "" }));
    let found = kept.and_then(|kept| Phc::new(kept.as_str()).ok());
    match found {
        Some(found) => argon2.verify_password(plain.as_bytes(), &found).is_ok() && fits,
        None => {
            // The work of a verification, against nothing.
            let _ = argon2.hash_password_with_salt(plain.as_bytes(), &[0; 16]);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    const NAMES: &[&str] = &["Ana Salgueiro", "ana.salgueiro@example.com"];

    #[test]
    fn words_that_do_not_belong_together_are_good_enough() {
        for good in [
            "kettle morning gravel",
            "Der Zug hält in Lissabon",
            "xK9$vQ2!mR7#pL4w",
            "seagull-invoice-42-moss",
            "ラッコは貝を割って毎朝たべていますね",
            "password of the otter family",
        ] {
            assert_eq!(check_password(good, NAMES), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_is_guessed_first_is_refused_however_it_is_disguised() {
        for bad in [
            "passwordpassword",
            "P@ssw0rdP@ssw0rd2026",
            "Welcome2026Welcome",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnopqrst",
            "1234567890123456",
            "qwertyuiopasdfghjkl",
            "abababababababababab",
            "               ",
            "1qaz2wsx3edc4rfv",
            "letmein-letmein!!!",
            "Summer2026!Summer2026!",
        ] {
            assert_eq!(check_password(bad, NAMES), Err(PasswordError::Common), "{bad}");
        }
    }

    #[test]
    fn the_own_name_counts_for_nothing() {
        for bad in ["ana.salgueiro.salgueiro", "Salgueiro2026Salgueiro", "S4lgueiro-example-com"] {
            let refused = check_password(bad, NAMES);
            let by_name = matches!(refused, Err(PasswordError::Name | PasswordError::Common));
            assert!(by_name, "{bad}: {refused:?}");
        }
        assert_eq!(check_password("salgueiro-gloxby-u", NAMES), Err(PasswordError::Name));
        assert_eq!(check_password("salgueiro-gloxby-u", &["Bo Li"]), Ok(()), "for somebody else");
    }

    #[test]
    fn length_is_counted_in_characters_from_fifteen_on() {
        assert_eq!(check_password("kettlegravelmo", NAMES), Err(PasswordError::Short(14)));
        assert_eq!(check_password("kettlegravelmos", NAMES), Ok(()));
        let long = "kettle gravel moss ".repeat(60);
        assert_eq!(check_password(&long, NAMES), Err(PasswordError::Long(long.len())));
        assert_eq!(check_password("kettle gravel \u{7}moss", NAMES), Err(PasswordError::Control));
        assert!(hash_password(&long, [1; 16]).is_err());
    }

    #[test]
    fn a_password_fits_its_hash_and_no_other_in_every_spelling() {
        let kept = hash_password("der Zug hält immer", [7; 16]).unwrap();
        assert!(kept.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.as_str());
        assert!(verify_password("der Zug hält immer", Some(&kept)));
        assert!(verify_password("der Zug ha\u{308}lt immer", Some(&kept)), "composed otherwise");
        assert!(!verify_password("der Zug halt immer", Some(&kept)));
        assert!(!verify_password("", Some(&kept)));
        let again = PasswordHash::from_kept(kept.as_str());
        assert!(verify_password("der Zug hält immer", Some(&again)));
        assert_ne!(hash_password("der Zug hält immer", [8; 16]).unwrap(), kept);
        assert!(!format!("{kept:?}").contains("argon2id"));
    }

    #[test]
    fn without_a_kept_password_nothing_fits() {
        assert!(!verify_password("der Zug hält immer", None));
        assert!(!verify_password("", None));
        let damaged = PasswordHash::from_kept("$argon2id$v=19$m=19456,t=2,p=1$broken");
        assert!(!verify_password("der Zug hält immer", Some(&damaged)));
    }

    #[test]
    fn the_hash_is_that_of_other_programs() {
        // Argon2id, version 1.3, m=64, t=1, p=1, salt "somesaltsomesalt": any program with these
        // parameters reads what we keep.
        let params = Params::new(64, 1, 1, None).unwrap();
        let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(b"kettle gravel moss", b"somesaltsomesalt")
            .unwrap()
            .to_string();
        assert!(verify_password("kettle gravel moss", Some(&PasswordHash::from_kept(&hash))));
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"), "{hash}");
    }
}
