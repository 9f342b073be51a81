//! The window and what it is compared with, as far as the store reaches. Reads no records.

use pmtaq_query::Ask;
use pmtaq_schema::{Timestamp, Window, Zone};
use pmtaq_store::Snapshot;
use pmtaq_why::Metric;

use crate::versus::Versus;

/// No question reads farther before a window than this.
const MOST_BEFORE_S: i64 = 3 * 86_400;

/// How long after a period its messages may still show up, where no `r` records tell of them.
const LAG_S: i64 = 2 * 3600;

/// The window and what it is compared with, as far as the store reaches.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) window: Window,
    pub(crate) baseline: Vec<Window>,
    /// The time before the window in which an onset may lie.
    pub(super) lead: Window,
    /// How far before a window its question reads.
    pub(super) before_s: i64,
    /// The last record of the store as far as it was looked at.
    pub(super) last: Option<Timestamp>,
    pub(super) notes: Vec<String>,
}

impl Frame {
    /// What of the store must be known.
    pub(crate) fn near(versus: Versus, wanted: Window, zone: Zone) -> Window {
        let baseline = versus.baseline(wanted, zone);
        let since = baseline.iter().map(|window| window.since).min().unwrap_or(wanted.since);
        let since = Timestamp(since.0.saturating_sub(MOST_BEFORE_S));
        Window { since, until: Timestamp(wanted.until.0 + LAG_S) }
    }

    /// The frame of a question about `metric`, which may read more before each window.
    pub(crate) fn of_metric(self, metric: &Metric) -> Frame {
        let before_s = match metric {
            metric if metric.is_of_complaints() => {
                Ask::Complaints.before_s().max(Ask::Cohort.before_s())
            }
            metric if metric.is_of_the_queue() => Ask::Waiting.before_s(),
            _ => 0,
        };
        Frame { before_s, ..self }
    }

    /// By what `snapshot` says of the window [`Frame::near`].
    pub(crate) fn of(snapshot: &Snapshot, versus: Versus, wanted: Window, zone: Zone) -> Frame {
        let (window, last, mut notes) = until_the_last(snapshot, wanted, zone);
        let begins = snapshot.span.map_or(i64::MAX, |(first, _)| first.start().0);
        let mut baseline = versus.baseline(window, zone);
        let asked = baseline.len();
        baseline.retain(|other| other.since.0 >= begins);
        if baseline.len() < asked {
            notes.push(format!(
                "only {} of the {asked} baseline windows are in the store",
                baseline.len()
            ));
        }
        let lead_s = (window.until.0 - window.since.0).min(LAG_S);
        let lead = Window { since: Timestamp(window.since.0 - lead_s), until: window.since };
        Frame { window, baseline, lead, before_s: 0, last, notes }
    }

    /// What a session must have opened.
    pub(super) fn windows(&self) -> Vec<Window> {
        let around = |window: &Window| Window {
            since: Timestamp(window.since.0.saturating_sub(self.before_s)),
            until: Timestamp(window.until.0 + LAG_S),
        };
        let mut windows = vec![around(&self.window), self.lead];
        windows.extend(self.baseline.iter().map(around));
        windows
    }

    /// What a session that answers about all of it must be turned to.
    pub(crate) fn hull(&self) -> Window {
        let windows = self.windows();
        let since = windows.iter().map(|window| window.since).min().unwrap_or(self.window.since);
        let until = windows.iter().map(|window| window.until).max().unwrap_or(self.window.until);
        Window { since, until }
    }

    /// The window as period 0, the baseline from 1 on.
    pub(super) fn periods(&self) -> Vec<(i64, Window)> {
        std::iter::once(self.window)
            .chain(self.baseline.iter().copied())
            .enumerate()
            .map(|(n, window)| (n as i64, window))
            .collect()
    }

    /// How long every period can be watched after its end: as long as the window can.
    pub(super) fn lag_s(&self) -> i64 {
        self.last.map_or(0, |last| (last.0 - self.window.until.0).clamp(0, LAG_S))
    }
}

/// The window up to the last record, when that lies in it: hours that are not in the store yet
/// are no hours without mail.
fn until_the_last(
    snapshot: &Snapshot,
    wanted: Window,
    zone: Zone,
) -> (Window, Option<Timestamp>, Vec<String>) {
    let last = snapshot.newest();
    if let Some(last) = last.filter(|last| *last < wanted.since) {
        let note =
            format!("the newest record is of {}", zone.local(last).format("%Y-%m-%d %H:%M:%S"));
        return (wanted, Some(last), vec![note]);
    }
    let Some(last) = last else { return (wanted, None, Vec::new()) };
    let until = Timestamp(wanted.until.0.min(last.0 + 1));
    // A minute without a record at the end is nothing.
    if wanted.until.0 - until.0 < 60 || until.0 - wanted.since.0 < 60 {
        return (wanted, Some(last), Vec::new());
    }
    let note = format!(
        "the last record is of {}: compared up to then",
        zone.local(last).format("%H:%M:%S")
    );
    (Window { until, ..wanted }, Some(last), vec![note])
}
