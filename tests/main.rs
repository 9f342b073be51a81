//! The tests of the whole program: they run the built binary, as a user does.
//! One binary for all of them, since each one links DuckDB.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, and may look at files and the clock"
)]

mod salvage;
mod sealed;

mod agree;
mod alert;
mod alert_faults;
mod arguments;
mod bucket;
mod check;
mod clock;
mod cluster;
mod complete;
mod config;
mod crash;
mod delta;
mod detection;
mod docs;
mod doctor;
mod forms;
mod garbage;
mod graph;
mod headers;
mod incidents;
mod ingest;
mod integrity;
mod investigate;
mod kept;
mod life;
mod limits;
mod module;
mod origin;
mod output;
mod own;
mod packaging;
mod page;
mod privacy;
mod push;
mod quirks;
mod readers;
mod readme;
mod reports;
mod rollup;
mod rotation;
mod setups;
mod shell;
mod sql;
mod stories;
mod terminal;
mod tidy;
mod tiers;
mod told;
mod top;
mod unknown;
mod upgrades;
mod upkeep;
mod waiting;
mod watches;
mod why;
mod why_metrics;
