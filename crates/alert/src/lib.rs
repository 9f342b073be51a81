//! When a number is a problem, since when, and in which words who is told.
//! Never touches files, SQL, the clock, the network or stdout: values in, values out.
//!
//! Reading order: a [`Range`] says which values are a problem; a [`Plugin`] is the answer that a
//! monitoring system reads; a [`Family`] is what Prometheus does.

mod range;
pub use range::Range;

mod plugin;
pub use plugin::{Limits, Perf, Plugin, Status};

mod exposition;
pub use exposition::{Family, Kind, Sample};
