//! The SQL that sets a session up: its views over the parts, the local clock, and the walls. Runs
//! nothing.

use std::fmt::Write as _;

use pmtaq_schema::columns::{HOURLY, REJECTS};
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_schema::zone::offset_text;
use pmtaq_schema::{COLUMNS, Column, Kind, Timestamp, Window, Zone};

use crate::fields::kept_of_record;
use crate::hours::{EDGES_VIEW, edges, hours_view, whole_hours};
use crate::prelude;
use crate::query::quoted;

/// The tables over the parts of `records` and `rejects`. What is read `_as_ingested` is without what a
/// session adds of its own.
pub(crate) fn records_setup(
    [records, _, rejects]: &[Vec<&str>; 3],
    rows: [u64; 3],
    has_keys: bool,
    window: Window,
) -> String {
    let records = records_source(records, rows[0], has_keys);
    let stored = view("stored_as_ingested", &records, "time_logged", window);
    let rejects = view("rejects", &source(rejects, rows[2], REJECTS), "ingested_at", window);
    format!(
        "{stored}
{rejects}
create or replace view stored as select * from stored_as_ingested;
create or replace view records as select * from stored;
"
    )
}

/// The view over `parts` of records, which have the hours that `window` cuts; nothing where it cuts none.
pub(crate) fn edges_setup(parts: &[&str], rows: u64, has_keys: bool, window: Window) -> String {
    if edges(window).is_empty() {
        return String::new();
    }
    let records = records_source(parts, rows, has_keys);
    let records = view(&format!("{EDGES_VIEW}_as_ingested"), &records, "time_logged", window);
    format!(
        "{records}\ncreate or replace view {EDGES_VIEW} as select * from {EDGES_VIEW}_as_ingested;\n"
    )
}

/// The tables over the parts of `hourly`, and the macros.
pub(crate) fn hours_setup(
    [_, hourly, _]: &[Vec<&str>; 3],
    rows: [u64; 3],
    window: Window,
    local: &str,
) -> String {
    let hourly = source(hourly, rows[1], HOURLY);
    let hourly = view("hourly_as_ingested", &hourly, "hour", whole_hours(window));
    let hours = hours_view(window, &[], &kept_of_record());
    let named = "create or replace view hourly as select * from hourly_as_ingested;";
    format!("{hourly}\n{named}\n{local}\n{}\n{hours}", prelude::MACROS)
}

/// The statement that creates a view of the rows of `source` whose time, the column `by`, lies in `window`; `date` is its day, by
/// which the parts lie in folders.
pub(crate) fn view(name: &str, source: &str, by: &str, window: Window) -> String {
    let time = |time: Timestamp| format!("make_timestamp({})", time.micros());
    let (since, until) = (time(window.since), time(window.until));
    // All times are those that a record can have: to compare them would cost a column.
    let condition = match window {
        Window::ALL => String::new(),
        _ => format!(" where {by} >= {since} and {by} < {until}"),
    };
    format!(
        "create or replace view {name} as select *, {by}::date as date from {source}{condition};"
    )
}

/// What stands for `message_key` where not all parts have it, since an older version wrote them: no
/// number that a part holds, and as good to tell messages apart.
const KEY: &str =
    "hash(lower(rcpt)) // 4294967296 * 4294967296 + hash(coalesce(env_id, orig)) % 4294967296";

/// What a view of records reads.
pub(crate) fn records_source(parts: &[&str], rows: u64, has_keys: bool) -> String {
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
