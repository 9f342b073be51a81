//! The words of PowerMTA accounting: records, columns, times, addresses, replies, providers.
//!
//! Pure functions over strings, numbers and dates. Never touches files, the clock, the
//! environment, threads, Arrow or SQL, so that everyone may depend on it and anyone can test it.
//!
//! Reading order: a line has a [`Record`] type; its fields feed [`COLUMNS`]; times become
//! [`Timestamp`]s; addresses and replies are reduced to what people group by.

pub mod record;

pub mod columns;
pub mod fact;

pub mod time;
pub mod zone;

pub mod human;
pub mod size;
pub mod step;

pub mod acct_file;
pub mod acct_name;

pub mod address;
pub mod bounce;
pub mod explain;
pub mod latency;
pub mod message_key;
pub mod nearest;
pub mod numbers;
pub mod origin;
pub mod provider;
pub mod reply;
pub mod site;
pub mod template;
pub mod unit;
pub mod untrusted;
pub mod words;

pub use columns::{COLUMNS, Column, Kind};
pub use record::{Frequency, Record, Records};
pub use time::{Timestamp, Window};
pub use unit::Unit;
pub use zone::Zone;
