//! The SQL that sets a session up: its views over the parts, the local clock, and the walls. Runs
//! nothing.

use std::fmt::Write as _;

use pmtaq_schema::columns::{HOURLY, REJECTS};
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_schema::zone::offset_text;
use pmtaq_schema::{COLUMNS, Column, Kind, Timestamp, Window, Zone};
use pmtaq_store::SnapshotPart;

use crate::fields::kept_of_record;
use crate::hours::{EDGES_VIEW, edges, hours_view, whole_hours};
use crate::opened::Opened;
use crate::prelude;
use crate::query::quoted;
use crate::scope::within;

/// Parts of a session, and how a statement names them: by the names by which the engine opens them, or by the
/// paths that people know.
pub(crate) struct Parts<'o> {
    pub(crate) opened: &'o Opened,
    pub(crate) of: Vec<&'o SnapshotPart>,
    pub(crate) names: Naming,
}

/// How a statement names parts: [`Opened::scanned`] or [`Opened::paths_of`].
pub(crate) type Naming = for<'n> fn(&'n Opened, &[&SnapshotPart]) -> Vec<&'n str>;

impl<'o> Parts<'o> {
    /// All that are opened.
    pub(crate) fn all(opened: &'o Opened, names: Naming) -> Parts<'o> {
        Parts { opened, of: opened.parts().collect(), names }
    }

    /// What a view reads of them whose times, the column `by`, lie in `window`. `source` is what it reads by their
    /// names, of which there are so many rows.
    fn arms(&self, source: &Source<'_>, by: &str, window: Window) -> Vec<String> {
        let condition = format!(" where {}", within(by, window));
        // Of most parts all times lie in the window: to compare them would cost a column.
        let (within, cut): (Vec<_>, Vec<_>) = self.of.iter().partition(|part| part.lies_in(window));
        let arm = |(parts, condition): &(Vec<&SnapshotPart>, &str)| {
            let source = source(&(self.names)(self.opened, parts), rows_of(parts));
            format!("select *, {by}::date as date from {source}{condition}")
        };
        let arms = [(within, ""), (cut, condition.as_str())];
        arms.iter().filter(|(parts, _)| !parts.is_empty()).map(arm).collect()
    }
}

/// How many rows parts have.
pub(crate) fn rows_of(parts: &[&SnapshotPart]) -> u64 {
    parts.iter().map(|part| part.part.rows).sum()
}

/// What a view reads by the names of parts, which have so many rows.
type Source<'s> = dyn Fn(&[&str], u64) -> String + 's;

/// The tables over the parts of `records` and `rejects`. What is read `_as_ingested` is without what a
/// session adds of its own.
pub(crate) fn records_setup(records: &Parts<'_>, rejects: &Parts<'_>, window: Window) -> String {
    let stored = records_view("stored_as_ingested", records, window);
    let source = |names: &[&str], rows| source(names, rows, REJECTS);
    let rejects = view("rejects", &[rejects], &source, "ingested_at", window);
    format!(
        "{stored}
{rejects}
create or replace view stored as select * from stored_as_ingested;
create or replace view records as select * from stored;
"
    )
}

/// The view over `parts` of records, which have the hours that `window` cuts; nothing where it cuts none.
pub(crate) fn edges_setup(parts: &Parts<'_>, window: Window) -> String {
    if edges(window).is_empty() {
        return String::new();
    }
    let records = records_view(&format!("{EDGES_VIEW}_as_ingested"), parts, window);
    format!(
        "{records}\ncreate or replace view {EDGES_VIEW} as select * from {EDGES_VIEW}_as_ingested;\n"
    )
}

/// The tables over the parts of `hourly`, and the macros.
pub(crate) fn hours_setup(hourly: &Parts<'_>, window: Window, local: &str) -> String {
    let hourly = rollup_view("hourly_as_ingested", &[hourly], window);
    let hours = hours_view(window, &[], &kept_of_record());
    let named = "create or replace view hourly as select * from hourly_as_ingested;";
    format!("{hourly}\n{named}\n{local}\n{}\n{hours}", prelude::MACROS)
}

/// The statement that creates the view `name` over parts of records.
pub(crate) fn records_view(name: &str, parts: &Parts<'_>, window: Window) -> String {
    let has_keys = parts.opened.have_keys();
    let source = |names: &[&str], rows| records_source(names, rows, has_keys);
    view(name, &[parts], &source, "time_logged", window)
}

/// The same over parts of `hourly` and rollups of it, of the whole hours of `window`.
pub(crate) fn rollup_view(name: &str, parts: &[&Parts<'_>], window: Window) -> String {
    let source = |names: &[&str], rows| source(names, rows, HOURLY);
    view(name, parts, &source, "hour", whole_hours(window))
}

/// The statement that creates a view of the rows of `tables` whose time, the column `by`, lies in `window`; `date` is
/// its day, by which the parts lie in folders.
fn view(
    name: &str,
    tables: &[&Parts<'_>],
    source: &Source<'_>,
    by: &str,
    window: Window,
) -> String {
    let mut arms: Vec<String> =
        tables.iter().flat_map(|parts| parts.arms(source, by, window)).collect();
    if arms.is_empty() {
        arms.push(format!("select *, {by}::date as date from {}", source(&[], 0)));
    }
    format!("create or replace view {name} as {};", arms.join(" union all "))
}

/// What stands for `message_key` where not all parts have it, since an older version wrote them: no
/// number that a part holds, and as good to tell messages apart.
const KEY: &str =
    "hash(lower(rcpt)) // 4294967296 * 4294967296 + hash(coalesce(env_id, orig)) % 4294967296";

/// What a view of records reads.
fn records_source(parts: &[&str], rows: u64, has_keys: bool) -> String {
    let source = source(parts, rows, COLUMNS);
    if has_keys {
        return source;
    }
    format!("(select * replace ({KEY} as message_key) from {source})")
}

/// What a view reads: the parts, which have so many rows, or nothing in the right types.
pub(crate) fn source(parts: &[&str], rows: u64, columns: &[Column]) -> String {
    let list =
        |of: &dyn Fn(&Column) -> String| columns.iter().map(of).collect::<Vec<_>>().join(", ");
    if parts.is_empty() {
        let typed = list(&|column| format!("null::{} as {}", sql_type(column.kind), column.name));
        return format!("(select {typed} where false)");
    }
    let files: Vec<String> = parts.iter().map(|path| quoted(path)).collect();
    // The schema is said, so that no part has to be opened for it, and a part of an older
    // version reads as null where it lacks a column. The number of rows is said with it: the engine
    // would take it for a thousand a part, and keep millions in memory to look up a few.
    let schema = list(&|column| {
        let (name, kind) = (column.name, sql_type(column.kind));
        format!("'{name}': {{name: '{name}', type: '{kind}', default_value: null}}")
    });
    let files = files.join(", ");
    format!(
        "read_parquet([{files}], hive_partitioning = false, explicit_cardinality = {rows}, \
         schema = map {{{schema}}})"
    )
}

/// The engine's type of a column.
pub fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Name => "varchar",
        Kind::Int => "bigint",
        Kind::Hash => "ubigint",
        Kind::Time => "timestamp",
        Kind::Map => "map(varchar, varchar)",
        Kind::Counts => "map(bigint, bigint)",
    }
}

/// The part of `window` that may have records, and a year around it for the other times that
/// they hold: every change of the clock in it costs a comparison a row.
pub(crate) fn near(window: Window, span: Option<(Day, Day)>) -> Window {
    const YEAR_S: i64 = 366 * DAY_S;
    let (first, last) = span.unwrap_or((Day(0), Day(0)));
    Window {
        since: Timestamp(window.since.0.max(first.start().0) - YEAR_S),
        until: Timestamp(window.until.0.min(last.start().0 + DAY_S) + YEAR_S),
    }
}

/// The macros of the local clock: `local(t)` is what it shows at a UTC time, `local_hour(t)` the UTC
/// time when its hour began, and `told_apart(t)` the offset where it shows the same twice, else an
/// empty text. Spelt out from the changes of the zone, because the engine's own zones are an
/// extension that a static build does not have.
pub(crate) fn local_macros(window: Window, zone: Zone) -> String {
    let offsets = zone.offsets(window);
    let moment = |seconds: i64| format!("make_timestamp({})", Timestamp(seconds).micros());
    let (first, later) = (offsets[0].1, &offsets[1..]);
    let (mut cases, mut changes) = (String::new(), String::new());
    for (since, offset) in later.iter().rev() {
        let since = moment(since.0);
        let _ = write!(cases, "when t >= {since} then {offset} ");
        let _ = write!(changes, "when t >= {since} then {since} ");
    }
    let offset = match cases.as_str() {
        "" => first.to_string(),
        cases => format!("case {cases}else {first} end"),
    };
    let mut twice = String::new();
    for (before, (at, after)) in offsets.iter().map(|(_, offset)| *offset).zip(later) {
        let back = before - after;
        if back > 0 {
            let at = at.0;
            for (since, until, offset) in [(at - back, at, before), (at, at + back, *after)] {
                let (since, until, offset) = (moment(since), moment(until), offset_text(offset));
                let _ = write!(twice, "when t >= {since} and t < {until} then '{offset}' ");
            }
        }
    }
    let told_apart = match twice.as_str() {
        "" => "''".to_owned(),
        cases => format!("case {cases}else '' end"),
    };
    let begun = "t - (local(t) - date_trunc('hour', local(t)))";
    // Where the zone is whole hours from UTC, its hours are those of UTC.
    let hour = if offsets.iter().all(|(_, offset)| offset % 3600 == 0) {
        "date_trunc('hour', t)::timestamp".to_owned()
    } else if changes.is_empty() {
        begun.to_owned()
    } else {
        // The clock may be changed by half an hour, within one: what comes after begins with the change.
        format!("greatest({begun}, case {changes}end)")
    };
    format!(
        "create macro local(t) as t + to_seconds({offset});
create macro local_hour(t) as {hour};
create macro told_apart(t) as {told_apart};"
    )
}

/// The parts can be read, by these names, and what lies in `folders`.
pub(crate) fn allowance<'p>(
    names: impl Iterator<Item = &'p str>,
    folders: impl Iterator<Item = &'p str>,
) -> String {
    fn list<'p>(paths: impl Iterator<Item = &'p str>) -> String {
        paths.map(quoted).collect::<Vec<_>>().join(", ")
    }
    format!("set allowed_paths = [{}]; set allowed_directories = [{}];", list(names), list(folders))
}

/// Many questions scan the same parts several times, and each scan would read their metadata anew.
pub(crate) const SETTINGS: &str = "set parquet_metadata_cache = true;";

/// Nothing else can be read, nothing can be written, and no setting can be changed.
pub(crate) const CONFINEMENT: &str =
    "set enable_external_access = false; set lock_configuration = true;";
