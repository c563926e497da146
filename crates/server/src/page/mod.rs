//! One module per page. Each sets what the engine and the store say; none computes a figure, and every
//! text from evidence goes through the pieces of the report, which make it harmless.

pub mod account;
pub mod arrangement;
pub mod assessment;
pub mod case;
pub mod catalogue;
pub mod change;
pub mod compare;
pub mod control;
pub mod credit;
pub mod enter;
pub mod evidence;
pub mod finding;
pub mod frame;
pub mod import;
pub mod ledger;
pub mod level;
pub mod name;
pub mod pack;
pub mod people;
pub mod portfolio;
pub mod quality;
pub mod register;
pub mod risk;
pub mod search;
pub mod sql;
pub mod time;
pub mod token;
pub mod way;
pub mod work;
