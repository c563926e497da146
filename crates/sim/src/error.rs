//! What can go wrong while simulating. Owns the error type only.

/// Why a simulation or the writing of it failed.
#[derive(Debug)]
pub enum SimError {
    /// A time zone or a civil date that the compiled-in tz database does not hold.
    Time(String),
    /// A calendar's window that cannot be read.
    Window(String),
    /// A case, site or level that the world does not hold.
    Missing(String),
    /// A scenario that cannot be planted as asked.
    Plant(String),
    /// A file that could not be written, with its path.
    Write(String, std::io::Error),
}

impl std::fmt::Display for SimError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time(what) => write!(to, "cannot place `{what}` in time"),
            Self::Window(what) => write!(to, "cannot read the window `{what}`: write 09:00-17:00"),
            Self::Missing(what) => write!(to, "the simulated world holds no {what}"),
            Self::Plant(what) => write!(to, "cannot plant {what}; try another seed or size"),
            Self::Write(path, cause) => write!(to, "cannot write `{path}`: {cause}"),
        }
    }
}

impl std::error::Error for SimError {}

impl From<jiff::Error> for SimError {
    fn from(cause: jiff::Error) -> Self {
        Self::Time(cause.to_string())
    }
}
