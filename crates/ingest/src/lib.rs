//! From accounting files to staged parts: find, open, cut, split, plan, build, derive, write.
//!
//! [`compact`] writes parts of parts.
//!
//! Never renames or deletes, never writes a manifest field, never touches DuckDB, stdout or the
//! clock. The modules below are in the order in which a byte passes them.
//!
//! Parsing never fails: a bad line becomes a [`reject::Reject`], a bad file a [`Refused`], and
//! only the store's own disk stops a run.

mod error;
pub use error::Error;

mod settings;
pub use settings::{GROWING_S, Header, Settings};

mod budget;
pub use budget::DEFAULT_MEMORY;

mod hook;
pub use hook::Hook;

mod find;

mod unpack;

mod line;

mod spool;

mod open;

mod archive;

mod form;

mod content;

mod block;
mod chunk;
mod cpu;
mod quote;

mod split;
pub use split::{Field, Line, Splitter};

mod encoded_words;
mod plan;
pub use plan::{Plan, PlanError};

mod privacy;
pub use privacy::{MIN_KEY, Privacy};

mod checked;
mod derive;
mod intern;
mod rows;
mod site;

pub mod reject;

mod parts;

mod hourly;
pub use hourly::Hourly;

mod rollup;

mod look;

mod identity;
mod taken;

mod gather;

mod task;

mod pipeline;
pub use pipeline::ingest;

mod tier;

mod order;
mod origins;

mod merged;

mod compact;
pub use compact::{Compacted, Effort, compact};

mod verify;
pub use verify::{Verified, verify};

mod repair;
pub use repair::repair;

mod forget;
pub use forget::{Forgotten, forget};

mod prune;
pub use prune::{Keep, expired, prune};

mod outcome;
pub use outcome::{HeaderFrom, Left, Outcome, Refused, SourceOutcome, Status};
