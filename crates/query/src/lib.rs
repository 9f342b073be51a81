//! Questions to a snapshot: reports, pivots, SQL; answered by an embedded DuckDB.
//!
//! Never writes files, never touches the network, stdout, the environment or the clock. DuckDB's
//! own types stay inside: an answer is Arrow batches and facts about its columns.
//!
//! Reading order: the [`prelude`] has the views, [`metrics`] and [`DIMENSIONS`] are lists; a
//! [`Selection`] narrows what counts; a [`Report`] is a file of `sql/`; each becomes a [`Query`], which
//! a [`Session`] runs.

mod error;
pub use error::{Error, Result};

mod engine;
pub use engine::engine;

pub mod clickhouse;

mod lex;
pub use lex::is_complete;

pub mod prelude;

mod query;
pub use query::{Meaning, Query, Shape, Value};

mod filters;
pub use filters::{FILTERS, Filter};

mod dimension;
pub use dimension::{DIMENSIONS, Dimension, dimension};

mod fields;
pub use fields::{define, site_dimensions};

mod metric;
pub use metric::{Metric, metric, metrics};

mod selection;
pub use selection::{Selection, dimension_of, glob};

mod hours;

mod hashes;
mod judged;
mod keys;
mod known;
mod lack;
mod largest;
mod leaves;
mod located;
mod logged;
mod matched;
mod need;
mod written;
pub use lack::Lack;

mod replies;
mod rollup;
mod statement;

mod param;
pub use param::{Param, ParamKind};

mod scope;
pub use scope::{Reach, Scope};

mod report;
pub use report::{ColumnUnit, Report, Statement};

mod catalog;
pub use catalog::{Catalog, Own};

mod elsewhere;
pub use elsewhere::{Batches, Elsewhere};

mod dialect;
mod stored;
mod there;

mod deadline;
mod opened;
mod setup;
mod user_views;
mod variables;
pub use setup::sql_type;

mod threads;
mod tiers;

mod session;
pub use session::{Limits, Session, SessionConfig};

mod rows;
pub use rows::Interrupt;

mod absent;
mod answer;
mod answered;
mod beyond;
pub use answer::{Answer, Values};

mod missing;
pub use missing::Missing;

mod classes;
mod replied;

mod presence;
pub use presence::{Balance, Logged, OtherField, Overlap, Presence};

mod grouped;
mod groups;

mod pivot;
pub use pivot::Pivot;

mod series;
pub use series::{Series, Timeline};

mod search;
pub use search::{Matching, Needle, SEARCHED, Search, is_code};

mod newest;

mod refused;
pub use refused::refused_lines;

mod moments;
pub use grouped::{GroupedValues, Measured};
pub use moments::{Moments, first_seen};

mod seen;
pub use seen::{Sought, seen};

mod trace;
pub use trace::Trace;

mod why;
pub use leaves::Leaves;
pub use why::{Ask, COHORT_S, JOB, LEAF, Marked, Period, Place, Why};

mod waiting;
pub use waiting::{QUEUE_DEPTH, waiting, waiting_reads, watched};

mod adhoc;
