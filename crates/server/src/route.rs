//! Every route there is, one row each: how it is asked for, what may stand before it, and who answers.
//! A path that is not here is answered by nobody.

use backstay_access::Action;

use crate::{
    answer::Answer,
    api,
    asked::Asked,
    page::{
        account, arrangement, assessment, case, catalogue, compare, control, credit, enter,
        evidence, finding, import, ledger, level, name, pack, people, portfolio, quality, register,
        risk, search, sql, time, token, work,
    },
    problem::ProblemError,
};

/// What must hold before a handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Nothing: what it answers holds nothing of the workspace.
    Open,
    /// Somebody is signed in, and may do this to the own account.
    Own(Action),
    /// Somebody may do this to the workspace.
    Workspace(Action),
    /// Somebody may do this to the arrangement that the path names.
    Arrangement(Action),
    /// Somebody is signed in; the handler shows only what this may be done to, piece by piece.
    Each(Action),
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Own(action) => write!(f, "{} of the own account", action.as_str()),
            Self::Workspace(action) => write!(f, "{} of the workspace", action.as_str()),
            Self::Arrangement(action) => write!(f, "{} of the arrangement", action.as_str()),
            Self::Each(action) => write!(f, "{} of each thing shown", action.as_str()),
        }
    }
}

/// Who answers.
pub(crate) type Handler = fn(&Asked<'_>) -> Result<Answer, ProblemError>;

/// One route.
#[derive(Clone, Copy)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path, with `{name}` for its parts.
    pub path: &'static str,
    /// What must hold.
    pub right: Right,
    /// Its answer depends on the ledger, the asker and what was asked alone, so it may be kept.
    pub kept: bool,
    /// It takes a form with a file; the rule is asked before that is read.
    pub file: bool,
    pub(crate) handler: Handler,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.right)
    }
}

const fn get(path: &'static str, right: Right, handler: Handler) -> Route {
    Route { method: "GET", path, right, kept: false, file: false, handler }
}

/// As [`get`], for what depends on the ledger, the asker and the question alone: never for accounts,
/// sessions, tokens, work in progress, or a page that says what just happened.
const fn kept(path: &'static str, right: Right, handler: Handler) -> Route {
    Route { method: "GET", path, right, kept: true, file: false, handler }
}

const fn post(path: &'static str, right: Right, handler: Handler) -> Route {
    Route { method: "POST", path, right, kept: false, file: false, handler }
}

/// As [`post`], for a form with a file.
const fn file(path: &'static str, right: Right, handler: Handler) -> Route {
    Route { method: "POST", path, right, kept: false, file: true, handler }
}

/// Figures about the running server.
fn metrics(asked: &Asked<'_>) -> Result<Answer, ProblemError> {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(Answer::Text { kind, body: asked.server.figures()? })
}

const READ: Right = Right::Arrangement(Action::ArrangementRead);
const BRING: Right = Right::Each(Action::ImportCreate);

const CATALOGUE: Right = Right::Workspace(Action::CatalogueRead);
const ROWS: Right = Right::Each(Action::EvidenceRead);
const CHECKPOINTS: Right = Right::Workspace(Action::CheckpointRead);
const EDITS: Right = Right::Each(Action::RegisterEdit);

/// Every route there is.
const ROUTES: &[Route] = &[
    get("/healthz", Right::Open, |_| Ok(Answer::Word("ok\n"))),
    get("/metrics", Right::Workspace(Action::MetricsRead), metrics),
    get("/style/{digest}", Right::Open, enter::style),
    get("/sign-in", Right::Open, enter::show),
    post("/sign-in", Right::Open, enter::sign_in),
    get("/sign-in/code", Right::Open, enter::show_code),
    post("/sign-in/code", Right::Open, enter::give_code),
    get("/enter/{secret}", Right::Open, enter::show_link),
    post("/enter/{secret}", Right::Open, enter::by_link),
    post("/sign-out", Right::Own(Action::SessionEnd), enter::sign_out),
    get("/account", Right::Own(Action::SessionEnd), account::show),
    get("/account/password", Right::Own(Action::PasswordChange), account::show_password),
    post("/account/password", Right::Own(Action::PasswordChange), account::set_password),
    get("/account/factor", Right::Own(Action::FactorChange), account::offer_factor),
    get("/account/tokens", Right::Own(Action::TokenCreate), token::show),
    post("/account/tokens", Right::Own(Action::TokenCreate), token::make),
    post("/account/tokens/end", Right::Own(Action::TokenEnd), token::end),
    post("/account/sessions", Right::Own(Action::SessionEnd), token::end_others),
    post("/account/factor", Right::Own(Action::FactorChange), account::confirm_factor),
    kept("/", Right::Each(Action::ArrangementRead), portfolio::show),
    kept("/arrangements/{arrangement}", READ, arrangement::show),
    kept("/arrangements/{arrangement}/controls/{control}", READ, control::show),
    kept("/arrangements/{arrangement}/findings/{finding}", READ, finding::show),
    kept("/arrangements/{arrangement}/service-levels/{level}", READ, level::show),
    kept("/arrangements/{arrangement}/service-levels/{level}/cases", READ, case::list),
    kept("/arrangements/{arrangement}/service-levels/{level}/cases/{case}", READ, case::show),
    kept("/arrangements/{arrangement}/risks/{risk}", READ, risk::show),
    kept("/arrangements/{arrangement}/credits", READ, credit::show),
    kept("/arrangements/{arrangement}/time", READ, time::show),
    kept("/arrangements/{arrangement}/quality", READ, quality::show),
    kept("/arrangements/{arrangement}/evidence", READ, evidence::show),
    post(
        "/arrangements/{arrangement}/assessments",
        Right::Arrangement(Action::AssessmentRun),
        assessment::run,
    ),
    kept("/assessments", Right::Each(Action::ArrangementRead), assessment::list),
    kept("/assessments/{entry}", Right::Each(Action::ArrangementRead), assessment::show),
    kept("/assessments/{entry}/compare", Right::Each(Action::ArrangementRead), compare::show),
    kept("/assessments/{entry}/report", Right::Each(Action::ReportExport), pack::report),
    kept("/assessments/{entry}/workbook", Right::Each(Action::ReportExport), pack::workbook),
    post("/assessments/{entry}/replay", Right::Each(Action::AssessmentReplay), assessment::replay),
    kept("/rows/{reference}", Right::Each(Action::SourceRead), evidence::row),
    kept("/arrangements/{arrangement}/cases/{case}", READ, work::show),
    get("/search", Right::Each(Action::ArrangementRead), search::show),
    kept("/catalogue", CATALOGUE, catalogue::show),
    kept("/catalogue/risks/{risk}", CATALOGUE, catalogue::control::risk),
    kept("/catalogue/controls/{control}", CATALOGUE, catalogue::control::control),
    kept("/catalogue/metrics/{metric}", CATALOGUE, catalogue::control::metric),
    kept("/catalogue/tables/{table}", CATALOGUE, catalogue::table::show),
    kept("/registers", ROWS, register::show),
    kept("/registers/{table}", ROWS, register::list::show),
    get("/registers/{table}/new", EDITS, register::form::fresh),
    post("/registers/{table}/new", EDITS, register::form::enter),
    kept("/registers/{table}/rows/{key}", ROWS, register::row::show),
    get("/registers/{table}/rows/{key}/edit", EDITS, register::form::edit),
    post("/registers/{table}/rows/{key}/edit", EDITS, register::form::enter),
    get("/registers/{table}/rows/{key}/take-away", EDITS, register::form::ask_away),
    post("/registers/{table}/rows/{key}/take-away", EDITS, register::form::take_away),
    kept("/ledger", Right::Each(Action::LedgerRead), ledger::show),
    kept("/ledger/checkpoints", CHECKPOINTS, ledger::checkpoint::show),
    post("/ledger/checkpoints", CHECKPOINTS, ledger::checkpoint::check),
    kept("/ledger/checkpoints/{size}", CHECKPOINTS, ledger::checkpoint::note),
    kept("/ledger/{entry}", Right::Each(Action::LedgerRead), ledger::entry::show),
    kept("/ledger/{entry}/proof", Right::Each(Action::LedgerRead), ledger::entry::proof),
    get("/api/v1/openapi.json", Right::Open, api::document::show),
    get("/api/v1/account", Right::Each(Action::ArrangementRead), api::account::show),
    kept("/api/v1/arrangements", Right::Each(Action::ArrangementRead), api::figure::arrangements),
    kept("/api/v1/arrangements/{arrangement}/assessment", READ, api::figure::assessment),
    post(
        "/api/v1/arrangements/{arrangement}/assessments",
        Right::Arrangement(Action::AssessmentRun),
        api::assessment::keep,
    ),
    kept("/api/v1/arrangements/{arrangement}/controls", READ, api::figure::controls),
    kept("/api/v1/arrangements/{arrangement}/findings", READ, api::figure::findings),
    kept("/api/v1/arrangements/{arrangement}/service-levels", READ, api::figure::levels),
    kept("/api/v1/arrangements/{arrangement}/coverage", READ, api::figure::coverage),
    get("/api/v1/tables", Right::Workspace(Action::CatalogueRead), api::catalogue::tables),
    get("/api/v1/tables/{table}", Right::Workspace(Action::CatalogueRead), api::catalogue::table),
    get("/api/v1/tables/{table}/rows", Right::Each(Action::EvidenceRead), api::rows::show),
    post("/api/v1/tables/{table}/rows", Right::Each(Action::RegisterEdit), api::edit::row),
    get("/api/v1/sql", Right::Each(Action::SqlQuery), api::rows::sql),
    get("/api/v1/controls", Right::Workspace(Action::CatalogueRead), api::catalogue::controls),
    get("/api/v1/metrics", Right::Workspace(Action::CatalogueRead), api::catalogue::metrics),
    kept("/api/v1/assessments", Right::Each(Action::ArrangementRead), api::assessment::list),
    kept(
        "/api/v1/assessments/{entry}",
        Right::Each(Action::ArrangementRead),
        api::assessment::show,
    ),
    file("/api/v1/imports", BRING, api::import::create),
    get("/api/v1/imports/{import}", BRING, api::import::show),
    post("/api/v1/imports/{import}/bring", BRING, api::import::bring),
    post("/api/v1/imports/{import}/discard", BRING, api::import::discard),
    kept("/api/v1/ledger/entries", Right::Each(Action::LedgerRead), api::ledger::entries),
    get(
        "/api/v1/ledger/checkpoint",
        Right::Workspace(Action::CheckpointRead),
        api::ledger::checkpoint,
    ),
    get("/sql", Right::Each(Action::SqlQuery), sql::show),
    get("/names", Right::Each(Action::NameReveal), name::show),
    post("/names", Right::Each(Action::NameReveal), name::reveal),
    get("/import", BRING, import::show),
    file("/import", BRING, import::hand_in),
    get("/imports/{import}", BRING, import::one),
    post("/imports/{import}/again", BRING, import::try_again),
    post("/imports/{import}/bring", BRING, import::bring),
    post("/imports/{import}/discard", BRING, import::discard),
    get("/imports/{import}/mapping", BRING, import::mapping::show),
    post("/imports/{import}/mapping", BRING, import::mapping::change),
    post("/imports/{import}/mapping/text", BRING, import::mapping::change_text),
    post(
        "/imports/{import}/mapping/save",
        Right::Workspace(Action::MappingSave),
        import::mapping::keep,
    ),
    kept("/quarantine/{entry}", Right::Each(Action::EvidenceRead), import::quarantine::show),
    kept("/quarantine/{entry}/csv", Right::Each(Action::EvidenceExport), import::quarantine::csv),
    get("/people", Right::Workspace(Action::AccountRead), people::show),
    get("/people/new", Right::Workspace(Action::AccountAdd), people::fresh::show),
    post("/people/new", Right::Workspace(Action::AccountAdd), people::fresh::make),
    get("/people/{account}", Right::Workspace(Action::AccountRead), people::account::show),
    post("/people/{account}/grants", Right::Each(Action::AccountGrant), people::change::grants),
    post("/people/{account}/state", Right::Each(Action::AccountDisable), people::change::state),
    post("/people/{account}/link", Right::Each(Action::AccountLink), people::change::link),
    post("/people/{account}/factor", Right::Each(Action::AccountLink), people::change::factor),
    post(
        "/people/{account}/sessions",
        Right::Each(Action::SessionRevoke),
        people::change::sessions,
    ),
    post("/people/{account}/tokens", Right::Each(Action::TokenRevoke), people::change::tokens),
];

/// Every route there is.
#[must_use]
pub fn routes() -> &'static [Route] {
    ROUTES
}
