//! The codes of an authenticator (RFC 6238), worked out here so that the server's are held against
//! something that shares nothing with them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Seconds for which a code holds.
const STEP: u64 = 30;

/// The code that an authenticator with this key (base32) shows now.
///
/// # Errors
/// A key that is none.
#[expect(clippy::disallowed_methods, reason = "an authenticator goes by the machine's clock")]
pub fn now(key: &str) -> Result<String, String> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    at(key, since.map_err(|error| error.to_string())?.as_secs())
}

/// The key on the page that offers a second factor.
///
/// # Errors
/// There is none.
pub fn key(page: &str) -> Result<String, String> {
    let is_key =
        |word: &&str| word.len() >= 26 && word.chars().all(|c| matches!(c, 'A'..='Z' | '2'..='7'));
    let found = page.split_whitespace().find(is_key);
    found.map(str::to_owned).ok_or_else(|| format!("no key of a second factor in: {page}"))
}

/// The code of the next half minute, which servers take as well, so that clocks may differ.
///
/// # Errors
/// A key that is none.
#[expect(clippy::disallowed_methods, reason = "an authenticator goes by the machine's clock")]
pub fn next(key: &str) -> Result<String, String> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    at(key, since.map_err(|error| error.to_string())?.as_secs() + STEP)
}

fn at(key: &str, seconds: u64) -> Result<String, String> {
    let key = base32(key).ok_or_else(|| format!("`{key}` is no base32"))?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).map_err(|error| error.to_string())?;
    mac.update(&(seconds / STEP).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let from = usize::from(hash.last().copied().unwrap_or_default() & 15);
    let four = hash.get(from..from + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
    let number = u32::from_be_bytes(four.unwrap_or_default()) & 0x7fff_ffff;
    Ok(format!("{:06}", number % 1_000_000))
}

fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut held, mut bits, mut bytes) = (0_u64, 0_u32, Vec::new());
    for letter in text.chars().filter(|letter| !matches!(letter, ' ' | '-' | '=')) {
        let value = match letter.to_ascii_uppercase() {
            letter @ 'A'..='Z' => u64::from(letter) - u64::from('A'),
            digit @ '2'..='7' => u64::from(digit) - u64::from('2') + 26,
            _ => return None,
        };
        held = (held << 5) | value;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six of its eight digits; the key is that of the appendix in base32.
    #[test]
    fn codes_are_those_of_the_vectors() {
        let key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(at(key, seconds).as_deref(), Ok(code));
        }
        assert!(at("1", 0).is_err());
    }
}
