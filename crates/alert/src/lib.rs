//! When a number is a problem, since when, and in which words who is told.
//! Never touches files, SQL, the clock, the network or stdout: values in, values out.
//!
//! Reading order: a [`Range`] says which values are a problem; a [`Plugin`] is the answer that a
//! monitoring system reads; a [`Family`] is what Prometheus does. For alerts of our own: [`Rules`]
//! say what is watched, [`Rule::judge`] judges what was [`Seen`], [`Watched::step`] decides whether
//! that is to be told, and an [`Event`] is what is told, in the words of [`payload`].

mod range;
pub use range::Range;

mod plugin;
pub use plugin::{Limits, Perf, Plugin, ServiceStatus};

mod exposition;
pub use exposition::{Family, MetricType, Sample};

mod rules;
pub use rules::{Maintenance, Protocol, Receiver, Rule, Rules, Seconds, Severity, Watch};

mod judge;
pub use judge::{Breach, Seen};

mod memory;
pub use memory::{Change, Ended, Memory, Turn, Unsent, Watched, group_name};

mod event;
pub use event::{Event, Firing, Told};

pub mod payload;
