//! The actions that can be asked about, as `noun:verb`. Which role may take which is in
//! `policies/`; a test holds this list against the schema there.

use std::fmt;

/// What kind of action it is: every action is of exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Changes nothing.
    Reads,
    /// Changes evidence or answers.
    Writes,
    /// Touches people's names.
    Sensitive,
    /// Accounts of others, and the machine.
    Administers,
    /// The own account.
    Own,
}

macro_rules! actions {
    ($($(#[doc = $about:literal])+ $name:ident = $id:literal, $group:ident;)*) => {
        /// Something that somebody wants to do. Each applies to the [`crate::Resource`]s that its
        /// description names; asked about another, the answer is no.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action { $($(#[doc = $about])+ $name,)* }

        impl Action {
            /// All of them, in the order of documents.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The permanent id.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// What it is, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($about),+).trim_ascii()),* }
            }

            /// Its kind.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $(Self::$name => Group::$group),* }
            }
        }
    };
}

actions! {
    /// Statuses, findings, service levels, months, coverage, stored assessments. On an arrangement.
    ArrangementRead = "arrangement:read", Reads;
    /// The month-end pack and figures as files. On an arrangement.
    ReportExport = "report:export", Reads;
    /// Rows of a table, on a page or by API. On rows.
    EvidenceRead = "evidence:read", Reads;
    /// Rows of a table as a file. On rows.
    EvidenceExport = "evidence:export", Reads;
    /// The record as it was handed in, which may hold names. On rows.
    SourceRead = "source:read", Reads;
    /// The SQL workbench. On every arrangement that the query sees.
    SqlQuery = "sql:query", Reads;
    /// Recomputing a stored assessment. On every arrangement of its scope.
    AssessmentReplay = "assessment:replay", Reads;
    /// Entries of the ledger. On every arrangement that an entry names, or on the workspace.
    LedgerRead = "ledger:read", Reads;
    /// Checking the whole ledger again. On the workspace.
    LedgerVerify = "ledger:verify", Reads;
    /// The bundle for the offline verifier, with all evidence. On the workspace.
    BundleExport = "bundle:export", Reads;
    /// Figures about the running server. On the workspace.
    MetricsRead = "metrics:read", Reads;
    /// Accounts and the rights they hold. On an account, or on the workspace for all.
    AccountRead = "account:read", Reads;
    /// How controls and metrics are computed. On the workspace.
    CatalogueRead = "catalogue:read", Reads;
    /// Signed checkpoints and proofs, which hold no evidence. On the workspace.
    CheckpointRead = "checkpoint:read", Reads;
    /// Bringing a file in, trying it beforehand included. On the rows it would bring.
    ImportCreate = "import:create", Writes;
    /// Entering, changing or taking away a row by hand. On rows.
    RegisterEdit = "register:edit", Writes;
    /// Retracting, and reading kept bytes again. On rows.
    EvidenceRetract = "evidence:retract", Writes;
    /// Keeping a mapping for everyone. On the workspace.
    MappingSave = "mapping:save", Writes;
    /// The workspace's own checks and metrics. On the workspace.
    CatalogueEdit = "catalogue:edit", Writes;
    /// Assessing now, and keeping the answer. On an arrangement.
    AssessmentRun = "assessment:run", Writes;
    /// Issuing a month's figures. On an arrangement.
    MonthIssue = "month:issue", Writes;
    /// Agreeing to issued figures. On an arrangement.
    MonthAgree = "month:agree", Writes;
    /// Freezing agreed figures. On an arrangement.
    MonthFreeze = "month:freeze", Writes;
    /// Putting later evidence beside a frozen month. On an arrangement.
    MonthRestate = "month:restate", Writes;
    /// Asking for the name behind a pseudonym. On a person's name.
    NameReveal = "name:reveal", Sensitive;
    /// Forgetting a person, or the kept bytes of a source. On the workspace.
    PersonErase = "person:erase", Sensitive;
    /// Making an account. On the workspace.
    AccountAdd = "account:add", Administers;
    /// Giving and taking rights. On an account.
    AccountGrant = "account:grant", Administers;
    /// Disabling, enabling and forgetting. On an account.
    AccountDisable = "account:disable", Administers;
    /// Making a one-time link, and taking a lost second factor away. On an account.
    AccountLink = "account:link", Administers;
    /// Ending another's sessions. On an account.
    SessionRevoke = "session:revoke", Administers;
    /// Ending another's API token. On an account.
    TokenRevoke = "token:revoke", Administers;
    /// Settings, backup, compaction. On the workspace.
    WorkspaceOperate = "workspace:operate", Administers;
    /// The own password. On the own account.
    PasswordChange = "password:change", Own;
    /// The own second factor and recovery codes. On the own account.
    FactorChange = "factor:change", Own;
    /// Listing and ending own sessions. On the own account.
    SessionEnd = "session:end", Own;
    /// An API token of one's own. On the own account.
    TokenCreate = "token:create", Own;
    /// Listing and ending own API tokens. On the own account.
    TokenEnd = "token:end", Own;
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Group {
    /// Its name in the policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Sensitive => "sensitive",
            Self::Administers => "administers",
            Self::Own => "own",
        }
    }
}
