//! The rollup of a session: whether it is there for all of a window, and the view that reads it.
//! Knows nothing of statements.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pmtaq_schema::columns::{HOURLY, SITE_DIMENSIONS};
use pmtaq_schema::{Timestamp, Window};
use pmtaq_store::layout::Table;
use pmtaq_store::{Snapshot, SnapshotPart};

use crate::scope::within;

const HOUR_S: i64 = 3600;

/// The rows of `hourly`, and the records of the hours that the window cuts.
pub(crate) const HOURS_VIEW: &str = "hours_stored";

/// The records of the parts that have some of the hours that the window cuts.
pub(crate) const EDGES_VIEW: &str = "edge_records";

/// What the rollup of a session can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hours {
    /// Nothing: a day has none, the window is too short, or the user wants records.
    None,
    /// What asks for no local time, since the zone is not whole hours from UTC.
    Utc,
    /// All that it has the columns for.
    All,
}

impl Hours {
    /// It must be there for all days of `window`, which must have a whole hour. `offsets` are those
    /// of the zone, with the moments since when they hold; the first has always held.
    pub(crate) fn of(snapshot: &Snapshot, window: Window, offsets: Vec<(Timestamp, i64)>) -> Hours {
        let Window { since, until } = whole_hours(window);
        let days = |table| snapshot.of(table, window).map(|part| part.day).collect::<BTreeSet<_>>();
        if since >= until || !days(Table::Records).is_subset(&days(Table::Hourly)) {
            return Hours::None;
        }
        let whole = |seconds: i64| seconds % HOUR_S == 0;
        let is_whole = |(i, (since, offset)): (usize, (Timestamp, i64))| {
            whole(offset) && (i == 0 || whole(since.0))
        };
        if offsets.into_iter().enumerate().all(is_whole) { Hours::All } else { Hours::Utc }
    }

    /// Whether it can answer what names local times, or names none.
    pub(crate) fn answer(self, is_local: bool) -> bool {
        self == Hours::All || self == Hours::Utc && !is_local
    }
}

/// The whole hours of `window`.
pub(crate) fn whole_hours(window: Window) -> Window {
    let up = |seconds: i64| seconds.saturating_add(HOUR_S - 1).div_euclid(HOUR_S) * HOUR_S;
    let (since, until) = (up(window.since.0), window.until.0.div_euclid(HOUR_S) * HOUR_S);
    Window { since: Timestamp(since), until: Timestamp(until) }
}

/// Whether a part of records has some of the hours that `window` cuts.
pub(crate) fn is_at_edge(part: &SnapshotPart, window: Window) -> bool {
    edges(window).into_iter().any(|edge| part.meets(edge))
}

/// What a window that has whole hours has before and after them.
pub(crate) fn edges(window: Window) -> Vec<Window> {
    let whole = whole_hours(window);
    let of = |since, until| Window { since, until };
    let edges = [of(window.since, whole.since), of(whole.until, window.until)];
    let is_edge = |edge: &Window| whole.since < whole.until && edge.since < edge.until;
    edges.into_iter().filter(is_edge).collect()
}

/// The statement that creates [`HOURS_VIEW`], with `more` columns than the parts have. `kept` is what `hourly`
/// keeps of a record, in SQL.
pub(crate) fn hours_view(window: Window, more: &[&str], kept: &str) -> String {
    hours_view_of(HOURS_VIEW, "hourly", window, more, kept)
}

/// The statement that creates the view `name` over the rows of `table`. A record of an hour that is cut
/// is a row of its own.
pub(crate) fn hours_view_of(
    name: &str,
    table: &str,
    window: Window,
    more: &[&str],
    kept: &str,
) -> String {
    let names = HOURLY.iter().map(|column| column.name).chain(more.iter().copied());
    let names = names.collect::<Vec<_>>().join(", ");
    let mut view = format!("create or replace view {name} as select {names} from {table}");
    for edge in edges(window) {
        let latency = "epoch(time_logged - time_queued)::bigint";
        let known = "rec = 'd' and time_queued is not null";
        let columns = HOURLY.iter().map(|column| match column.name {
            "hour" => "date_trunc('hour', time_logged)::timestamp".to_owned(),
            SITE_DIMENSIONS => kept.to_owned(),
            "reached" => "(dlv_destination_ip is not null)::bigint".to_owned(),
            "records" => "1::bigint".to_owned(),
            "bytes" => "coalesce(dlv_size, 0)".to_owned(),
            "latency_sum" | "latency_max" => format!("case when {known} then {latency} end"),
            "latencies" => format!("case when {known} then map([{latency}], [1::bigint]) end"),
            name => name.to_owned(),
        });
        let columns = columns.chain(more.iter().map(|name| (*name).to_owned()));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let is_in = within("time_logged", edge);
        let _ = write!(view, " union all select {columns} from {EDGES_VIEW} where {is_in}");
    }
    view + ";\n"
}
