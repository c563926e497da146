//! Owns the encryption of a source's kept bytes: the age format (age-encryption.org/v1) to one X25519
//! identity per source, streamed in bounded memory. It must never hold a whole source, nor accept a
//! file that is encrypted to a passphrase.

use std::fmt;
use std::io::{self, Read, Write};

pub use age::secrecy::{ExposeSecret, SecretString};
use age::stream::StreamWriter;

use crate::wrap::{SealError, WrapKey};

/// What ties a wrapped source key to its purpose.
const WRAP_PURPOSE: &str = "source key";
/// The longest header that is read; ours have about 200 bytes.
const MAX_HEADER_BYTES: usize = 65_536;
/// A full line of a stanza's body.
const BODY_LINE: usize = 64;

/// Why a source cannot be encrypted or opened.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Reading or writing failed, or, while decrypting, the bytes were changed or cut.
    #[error("the source's bytes cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// The header is not one of age, was changed, or names a passphrase.
    #[error("this is no source that Backstay kept: {0}")]
    Format(&'static str),
    /// Encrypted to another key.
    #[error("the source is encrypted to another key")]
    OtherKey,
    /// A text that is no key.
    #[error("this is no source key: {0}")]
    Key(&'static str),
    /// The wrapped key does not open.
    #[error(transparent)]
    Wrapped(#[from] SealError),
}

/// The secret identity of one source. Has no `Debug`; `age` wipes it when it is dropped.
pub struct SourceKey(age::x25519::Identity);

/// The public half, to which the source is encrypted. Its text (`age1…`) is open.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceRecipient(age::x25519::Recipient);

impl SourceKey {
    /// A new identity. `age` draws it from the operating system: see the head of this crate.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// The public half.
    pub fn recipient(&self) -> SourceRecipient {
        SourceRecipient(self.0.to_public())
    }

    /// Seals the identity under the workspace's key, for the source of this id. Whoever deletes every
    /// copy of these bytes has erased the source.
    ///
    /// # Errors
    /// [`SealError::TooLong`], which an identity never reaches.
    pub fn wrap(
        &self,
        key: &WrapKey,
        source_id: &str,
        nonce: [u8; 24],
    ) -> Result<Vec<u8>, SourceError> {
        let text = self.0.to_string();
        let sealed = key.seal(WRAP_PURPOSE, source_id, text.expose_secret().as_bytes(), nonce)?;
        Ok(sealed)
    }

    /// Opens [`SourceKey::wrap`] for the same source id.
    ///
    /// # Errors
    /// [`SourceError::Wrapped`] with another key or id or changed bytes, [`SourceError::Key`].
    pub fn unwrap_sealed(
        key: &WrapKey,
        source_id: &str,
        sealed: &[u8],
    ) -> Result<Self, SourceError> {
        let secret = key.open(WRAP_PURPOSE, source_id, sealed)?;
        let text = std::str::from_utf8(&secret).map_err(|_| SourceError::Key("not UTF-8"))?;
        text.parse().map(Self).map_err(SourceError::Key)
    }

    /// The identity as age writes it (`AGE-SECRET-KEY-1…`), for handing one source's key to somebody
    /// who may read it with any age tool.
    pub fn to_secret_text(&self) -> SecretString {
        self.0.to_string()
    }

    /// Reads [`SourceKey::to_secret_text`].
    ///
    /// # Errors
    /// [`SourceError::Key`].
    pub fn from_secret_text(text: &str) -> Result<Self, SourceError> {
        text.parse().map(Self).map_err(SourceError::Key)
    }
}

impl fmt::Display for SourceRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for SourceRecipient {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(SourceError::Key)
    }
}

/// Encrypts what is written to it. Only [`SourceWriter::finish`] makes the output whole: dropping the
/// writer leaves bytes that refuse to open.
pub struct SourceWriter<W: Write>(StreamWriter<W>);

impl<W: Write> SourceWriter<W> {
    /// Writes the header and begins.
    ///
    /// # Errors
    /// [`SourceError::Io`].
    pub fn new(recipient: &SourceRecipient, output: W) -> Result<Self, SourceError> {
        let recipients = std::iter::once(&recipient.0 as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients)
            .map_err(|error| SourceError::Io(io::Error::other(error.to_string())))?;
        Ok(Self(encryptor.wrap_output(output)?))
    }

    /// Writes the last chunk and gives the output back, not flushed or synced.
    ///
    /// # Errors
    /// [`SourceError::Io`].
    pub fn finish(self) -> Result<W, SourceError> {
        Ok(self.0.finish()?)
    }
}

impl<W: Write> Write for SourceWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Encrypts all that the reader yields; how many bytes that was. Memory: a few chunks of 64 KiB.
///
/// # Errors
/// [`SourceError::Io`].
pub fn encrypt_stream(
    recipient: &SourceRecipient,
    reader: &mut dyn Read,
    writer: &mut dyn Write,
) -> Result<u64, SourceError> {
    let mut encrypting = SourceWriter::new(recipient, writer)?;
    let bytes = io::copy(reader, &mut encrypting)?;
    encrypting.finish()?;
    Ok(bytes)
}

/// A reader of the plain bytes. A chunk is yielded only after its tag holds; changed or cut bytes give
/// an error where they begin, so only reading to the end shows that all is true.
///
/// # Errors
/// [`SourceError::Format`], [`SourceError::OtherKey`], [`SourceError::Io`].
pub fn decrypt_stream<R: Read>(
    key: &SourceKey,
    reader: R,
) -> Result<impl Read + use<R>, SourceError> {
    let mut reader = reader;
    let header = read_header(&mut reader)?;
    let input = io::Cursor::new(header).chain(reader);
    let decryptor = age::Decryptor::new(input).map_err(refuse)?;
    if decryptor.is_scrypt() {
        return Err(SourceError::Format("it is encrypted to a passphrase"));
    }
    decryptor.decrypt(std::iter::once(&key.0 as &dyn age::Identity)).map_err(refuse)
}

/// Takes the header off the reader, bounded, and refuses a stanza whose body does not end in a short
/// line. `age` lets such stanzas of its early days pass; the format (c2sp.org/age) and its vectors do
/// not, and nothing that we kept has them.
fn read_header(reader: &mut impl Read) -> Result<Vec<u8>, SourceError> {
    let mut header = Vec::with_capacity(256);
    let mut line_start = 0;
    let mut body_open = false;
    loop {
        let mut byte = [0];
        if let Err(error) = reader.read_exact(&mut byte) {
            return Err(refuse(age::DecryptError::Io(error)));
        }
        header.extend_from_slice(&byte);
        if header.len() > MAX_HEADER_BYTES {
            return Err(SourceError::Format("its header is too long"));
        }
        if byte != *b"\n" {
            continue;
        }
        let line = header.get(line_start..header.len() - 1).unwrap_or_default();
        let (stanza, end) = (line.starts_with(b"->"), line.starts_with(b"---"));
        if body_open && (stanza || end) {
            return Err(SourceError::Format("its header is malformed"));
        }
        if end {
            return Ok(header);
        }
        body_open = stanza || (body_open && line.len() >= BODY_LINE);
        line_start = header.len();
    }
}

fn refuse(error: age::DecryptError) -> SourceError {
    use age::DecryptError as E;
    match error {
        E::NoMatchingKeys => SourceError::OtherKey,
        E::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            SourceError::Format("it ends inside its header")
        }
        E::Io(error) => SourceError::Io(error),
        E::InvalidMac => SourceError::Format("its header was changed"),
        E::UnknownFormat => SourceError::Format("it has another format or version"),
        _ => SourceError::Format("its header is malformed"),
    }
}
