//! One file per command: arguments in, [`crate::exit::Exit`] out.

pub(crate) mod alert;
pub(crate) mod backup;
pub(crate) mod canned;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod config;
pub(crate) mod connect;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod graph;
pub(crate) mod ingest;
pub(crate) mod keep;
pub(crate) mod lists;
mod measure;
pub(crate) mod pages;
pub(crate) mod paths;
pub(crate) mod pivot;
pub(crate) mod report;
pub(crate) mod search;
mod shell;
pub(crate) mod sql;
pub(crate) mod status;
pub(crate) mod textfile;
pub(crate) mod top;
pub(crate) mod trace;
pub(crate) mod why;
