//! Codes of a second factor: time-based one-time passwords of RFC 6238 with HMAC-SHA-1, six digits
//! and steps of 30 seconds, which is what authenticator apps expect. Thirty lines over the HMAC that
//! is here anyway; a crate for it would bring a second release line of the same hashes. It must never
//! accept a step that was used.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use zeroize::Zeroizing;

/// Seconds a code lasts.
pub const TOTP_STEP_S: i64 = 30;
/// Digits of a code.
pub const TOTP_DIGITS: usize = 6;
/// Bytes of a secret: as many as SHA-1 gives (RFC 4226, section 4, R6).
pub const TOTP_SECRET_BYTES: usize = 20;
/// Steps that a clock may be off, either way (RFC 6238, section 5.2).
const DRIFT_STEPS: i64 = 1;

/// The secret that a server and an authenticator share. Wiped when dropped, never printed.
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(not shown)")
    }
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotpVerdict {
    /// Right; keep the step, so that it is not accepted again.
    Right {
        /// The step it belongs to.
        step: i64,
    },
    /// Right, and used before.
    Used,
    /// Wrong.
    Wrong,
}

impl TotpSecret {
    /// A secret from random bytes.
    #[must_use]
    pub fn new(random: [u8; TOTP_SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(random.to_vec()))
    }

    /// A secret as it was kept. `None`: it has another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == TOTP_SECRET_BYTES).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    /// A secret as [`TotpSecret::base32`] writes it, however it is typed. `None`: it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mut bytes, mut bits, mut held) = (Zeroizing::new(Vec::new()), 0_u32, 0);
        for letter in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let five = match letter.to_ascii_uppercase() {
                upper @ 'A'..='Z' => u32::from(upper) - u32::from('A'),
                digit @ '2'..='7' => u32::from(digit) - u32::from('2') + 26,
                _ => return None,
            };
            bits = (bits << 5) | five;
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.extend(u8::try_from(bits >> held));
                bits &= (1 << held) - 1;
            }
        }
        Self::from_bytes(&bytes)
    }

    /// Its bytes, to be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as it is typed into an authenticator: base32 without padding.
    #[must_use]
    pub fn base32(&self) -> String {
        base32(&self.0)
    }

    /// The `otpauth` address that a QR code carries. `issuer` and `account` are shown by the app.
    #[must_use]
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (percent(issuer), percent(account));
        format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={TOTP_DIGITS}&period={TOTP_STEP_S}",
            self.base32()
        )
    }

    /// The code of a step.
    #[must_use]
    pub fn code(&self, step: i64) -> String {
        let mac = Hmac::<Sha1>::new_from_slice(&self.0).map(|mut mac| {
            mac.update(&step.to_be_bytes());
            mac.finalize().into_bytes()
        });
        // HMAC takes keys of every length, so there is always a tag.
        let tag = mac.map(|tag| tag.to_vec()).unwrap_or_default();
        let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
        let number = tag.get(offset..offset + 4).map_or(0, |four| {
            four.iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff
        });
        format!("{:06}", number % 1_000_000)
    }

    /// Whether somebody's code is right now, and was not used. `used_step`: the last step accepted.
    #[must_use]
    pub fn check(&self, code: &str, now_us: i64, used_step: Option<i64>) -> TotpVerdict {
        let typed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let now = now_us.div_euclid(1_000_000).div_euclid(TOTP_STEP_S);
        // All steps are looked at, whichever fits.
        let mut fitting = None;
        for step in now - DRIFT_STEPS..=now + DRIFT_STEPS {
            if same(self.code(step).as_bytes(), typed.as_bytes()) {
                fitting = Some(step);
            }
        }
        match fitting {
            None => TotpVerdict::Wrong,
            Some(step) if used_step.is_some_and(|used| step <= used) => TotpVerdict::Used,
            Some(step) => TotpVerdict::Right { step },
        }
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differing, (x, y)| differing | (x ^ y)) == 0
}

/// Base32 of RFC 4648 without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut text, mut bits, mut held) = (String::new(), 0_u32, 0);
    let mut push = |five: u32| {
        text.extend(LETTERS.get((five & 31) as usize).copied().map(char::from));
    };
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            push(bits >> held);
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        push(bits << (5 - held));
    }
    text
}

/// A text as a part of an address.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::new(*b"12345678901234567890")
    }

    const STEP_US: i64 = TOTP_STEP_S * 1_000_000;

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        // Eight digits there; six are their last ones.
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(secret().code(seconds / TOTP_STEP_S), code[2..], "{seconds}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648_section_10() {
        let known = [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ")];
        for (plain, text) in known {
            assert_eq!(base32(plain.as_bytes()), text);
        }
        assert_eq!(base32(b"fooba"), "MZXW6YTB");
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(secret().base32().len(), 32);
        let typed = secret().base32().to_lowercase().replace('G', " g");
        assert_eq!(TotpSecret::parse(&typed).unwrap().bytes(), secret().bytes());
        for wrong in ["", "GEZDGNBV", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", "é"] {
            assert!(TotpSecret::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_code_holds_one_step_either_way_and_once() {
        let now = 40_000_000 * STEP_US + 7;
        let step = 40_000_000;
        for (off, fits) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let verdict = secret().check(&secret().code(step + off), now, None);
            let right = TotpVerdict::Right { step: step + off };
            assert_eq!(verdict, if fits { right } else { TotpVerdict::Wrong }, "{off}");
        }
        let code = secret().code(step);
        assert_eq!(secret().check(&code, now, Some(step)), TotpVerdict::Used);
        assert_eq!(
            secret().check(&code, now, Some(step + 1)),
            TotpVerdict::Used,
            "an older one too"
        );
        assert_eq!(secret().check(&code, now, Some(step - 1)), TotpVerdict::Right { step });
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(secret().check(&spaced, now, None), TotpVerdict::Right { step });
        for wrong in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(secret().check(wrong, now, None), TotpVerdict::Wrong, "{wrong}");
        }
    }

    #[test]
    fn the_address_for_an_app_escapes_what_it_shows() {
        let uri = secret().uri("Backstay Meridian", "ana@example.com");
        assert!(uri.starts_with("otpauth://totp/Backstay%20Meridian:ana%40example.com?secret=GEZ"));
        assert!(uri.ends_with("&issuer=Backstay%20Meridian&algorithm=SHA1&digits=6&period=30"));
        assert!(!format!("{:?}", secret()).contains("GEZ"));
    }
}
