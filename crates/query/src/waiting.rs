//! How many recipients wait in the queue at a moment: what is watched of it. Known is who has a
//! record in the day before; `pmtaq queue` looks as far.

use std::collections::HashMap;
use std::sync::LazyLock;

use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Unit, Window};

use crate::dimension::dimension;
use crate::error::{Error, Result};
use crate::metric::{Definition, Metric, Subset, metric, metrics};
use crate::selection::Selection;
use crate::session::Session;
use crate::why::{Ask, Why};

/// The depth of the queue, by the name that graphs have for it.
pub const QUEUE_DEPTH: &str = "queue_depth";

/// How far before a moment it reads.
const BEFORE_S: i64 = DAY_S;

/// What the queue is counted by.
const DIMS: [&str; 5] = ["provider", "sender_domain", "vmta_pool", "vmta", "job_id"];

/// What people call the 95th percentile of the delivery time.
const LATENCY: (&str, &str) = ("latency", "p95");

/// A number that can be watched: a metric of records, by the name that people have for it too, or the
/// depth of the queue.
///
/// # Errors
/// [`Error::Unknown`] with the nearest name.
pub fn watched(name: &str) -> Result<&'static Metric> {
    static DEPTH: LazyLock<Metric> = LazyLock::new(|| Metric {
        name: QUEUE_DEPTH.to_owned(),
        unit: Unit::Count,
        of: None,
        needs: metric("deferred").expect("it is in the list").needs,
        doc: "Recipients in the queue at a moment.".to_owned(),
        sql: String::new(),
        definition: Definition::Count(Subset { records: Vec::new(), condition: None }),
    });
    if name.replace('-', "_") == QUEUE_DEPTH {
        return Ok(&DEPTH);
    }
    let name = if name == LATENCY.0 { LATENCY.1 } else { name };
    let all = metrics().iter().map(|metric| metric.name.as_str()).chain([QUEUE_DEPTH]);
    metric(name).map_err(|_| Error::unknown("metric", name, all))
}

/// What a session must be able to read to know who waits at `at`.
pub fn waiting_reads(at: Timestamp) -> Window {
    Window { since: Timestamp(at.0.saturating_sub(BEFORE_S)), until: at }
}

/// How many recipients wait at `at`, by the values of some dimensions; those that `selection` lets
/// through. Of no dimension it is one number, and may be 0.
///
/// # Errors
/// [`Error::BadValue`] for a dimension by which the queue is not counted, [`Error::Sql`] and
/// [`Error::Interrupted`].
pub fn waiting(
    session: &Session,
    at: Timestamp,
    by: &[String],
    selection: &Selection,
) -> Result<HashMap<Vec<String>, f64>> {
    let name = |name: &String| {
        let full = dimension(name)?.name;
        let not_known = || Error::BadValue {
            name: "by".to_owned(),
            value: name.clone(),
            expected: format!("one of those that the queue is counted by: {}", DIMS.join(", ")),
        };
        DIMS.contains(&full).then_some(full).ok_or_else(not_known)
    };
    let by: Vec<&str> = by.iter().map(name).collect::<Result<_>>()?;
    // A moment: nobody comes or goes in it, and of those that went before it no name is read.
    let moment = Window { since: at, until: at };
    let why = Why { periods: vec![(0, moment)], before_s: BEFORE_S, ..Why::default() };
    let answer = session.answer(&why.query(Ask::Waiting, selection)?)?;
    let keys = by.iter().map(|name| answer.texts(name)).collect::<Result<Vec<_>>>()?;
    let mut depths = HashMap::new();
    if by.is_empty() {
        depths.insert(Vec::new(), 0.0);
    }
    for (row, (kind, n)) in answer.texts("kind")?.iter().zip(answer.f64s("n")?).enumerate() {
        if kind.as_deref() == Some("waiting") {
            let none = || "(none)".to_owned();
            let group = keys.iter().map(|key| key[row].clone().unwrap_or_else(none)).collect();
            *depths.entry(group).or_insert(0.0) += n.unwrap_or(0.0);
        }
    }
    Ok(depths)
}
