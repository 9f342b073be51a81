//! All that `why` tells of a metric: the answer, the evidence, and what it rests on.

use pmtaq_query::{Dimension, Filter, Marked};
use pmtaq_schema::Window;
use pmtaq_why::Answer;

use super::evidence::Evidence;

/// All that is told.
pub(crate) struct Explanation {
    pub(crate) answer: Answer,
    /// For each cause.
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) window: Window,
    /// What is usual: the windows of the baseline but for those left out.
    pub(crate) baseline: Vec<Window>,
    /// Windows that had an incident of their own, with the value of the metric.
    pub(crate) left_out: Vec<(Window, f64)>,
    /// Record types that the window and its baseline have.
    pub(crate) had: Vec<String>,
    pub(crate) n_records: u64,
    pub(crate) notes: Vec<String>,
    /// The filters, value by value.
    pub(crate) filters: Vec<(&'static Filter, String)>,
    /// The filters by other dimensions.
    pub(crate) others: Vec<(String, String)>,
    /// What was told apart in place of the jobs.
    pub(crate) by: Option<&'static Dimension>,
    /// Records of the window itself.
    pub(crate) n_in_window: u64,
    /// Which deliveries are counted, where a share of them is.
    pub(crate) mark: Option<Marked>,
    /// The metric itself, where a share that can be explained stands for it in `answer`.
    pub(crate) own: Option<Own>,
    /// The condition in SQL.
    pub(crate) condition: Option<String>,
}

/// Values of a metric: seconds of a time, percent of a rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) now: f64,
    /// The middle, the least and the greatest of the baseline.
    pub(crate) usual: f64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}
