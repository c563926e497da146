//! What goes wrong at the door, as the user is told: one line `error:`, one line `help:`, one exit
//! code. The message says what and where, the help what to do.

use backstay_desk::DeskError;
use backstay_engine::EngineError;
use backstay_evidence::ReadError;
use backstay_store::StoreError;

/// Exit code of a command that did its work and found something that is not as it should be, when
/// it was asked to tell.
pub const FOUND: u8 = 3;

/// An error as the user sees it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command could not do its work (exit code 1) or was not well put (exit code 2).
    #[error(transparent)]
    Told(#[from] DeskError),
    /// Whoever reads our output went away; nothing is said.
    #[error("the reader of the output went away")]
    ReaderGone,
}

impl CliError {
    /// The command could not do its work; no remedy beyond what the message says.
    pub fn failed(message: impl Into<String>) -> Self {
        DeskError::failed(message).into()
    }

    /// The command could not do its work, and this helps.
    pub fn failed_with(message: impl Into<String>, help: impl Into<String>) -> Self {
        DeskError::failed_with(message, help).into()
    }

    /// The command was not well put.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        DeskError::usage(message, help).into()
    }

    /// The same error, saying which file it is about, unless it does already.
    #[must_use]
    pub fn about(self, file: &str) -> Self {
        match self {
            Self::Told(DeskError::Failed { message, help }) if !message.contains(file) => {
                DeskError::Failed { message: format!("`{file}`: {message}"), help }.into()
            }
            other => other,
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Told(DeskError::Failed { .. }) => 1,
            Self::Told(DeskError::Usage { .. }) => 2,
            Self::ReaderGone => 0,
        }
    }

    /// What to do.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Told(error) => error.help(),
            Self::ReaderGone => None,
        }
    }
}

/// An error while writing to standard output.
pub fn writing(error: &std::io::Error) -> CliError {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        CliError::ReaderGone
    } else {
        CliError::failed(format!("the output cannot be written: {error}"))
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        DeskError::from(error).into()
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        DeskError::from(error).into()
    }
}

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        DeskError::from(error).into()
    }
}
