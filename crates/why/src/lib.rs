//! Why a number changed: the stage of the funnel that moved, given what entered it, and the
//! causes in it. Never touches SQL, files, the clock or a terminal: counts in, findings out.
//!
//! Reading order: [`Counts`] by leaf and period; a [`Metric`] names the [`Stage`]s that its
//! number passes; a flow is a stage with what was expected of it; the search finds its causes among
//! the candidates; [`explain`] puts them together. docs/why.md says how and from which sources.

mod answer;
mod candidates;
mod cause;
mod columns;
mod counts;
mod explain;
mod few;
mod flow;
mod groups;
mod history;
mod jobs;
mod kind;
mod marginals;
mod metric;
mod mix;
mod novelty;
mod onset;
mod parallel;
mod rates;
mod reading;
mod search;
mod seen;
mod told;
mod usual;
mod volume;

pub use answer::{Answer, Cause, Moved, Part, Scope, Step, Verdict};
pub use counts::Counts;
pub use explain::explain;
pub use jobs::{ONE_TIME_JOBS, is_group_of_jobs};
pub use kind::Kind;
pub use marginals::Marginals;
pub use metric::{Mark, Metric, Stage};
pub use mix::Mover;
pub use onset::climb;
pub use reading::Reading;
