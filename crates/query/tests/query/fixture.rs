//! A small store of hand-made records, and answers as lines of text.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, Int64Array, MapBuilder, MapFieldNames, RecordBatch, StringArray, StringBuilder,
    TimestampMillisecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use pmtaq_query::{Catalog, Limits, Query, Result, Scope, Selection, Session, SessionConfig};
use pmtaq_schema::bounce::BounceClasses;
use pmtaq_schema::columns::REJECTS;
use pmtaq_schema::message_key::message_key;
use pmtaq_schema::time::Day;
use pmtaq_schema::{COLUMNS, Column, Kind, Timestamp, Window, Zone};
use pmtaq_store::layout::Table;
use pmtaq_store::{
    Change, Disk, Ledger, NewPart, Snapshot, Source, Store, Writer, arrow_type, schema_of,
};

pub(crate) type Row = Vec<(&'static str, String)>;

/// A store that is deleted when it goes.
pub(crate) struct Stored {
    dir: tempfile::TempDir,
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text.as_bytes()).expect("a time")
}

/// `d 2026-03-01T10:00:00Z gmail.com v1` and more fields as `name=value`; `-` is null.
pub(crate) fn record(text: &str) -> Row {
    let mut words = text.split(" | ");
    let head: Vec<&str> = words.next().expect("a head").split(' ').collect();
    let mut row: Row = vec![("host", "mta1".to_owned()), ("source", "acct.csv".to_owned())];
    for (name, value) in ["rec", "time_logged", "rcpt_domain", "vmta"].into_iter().zip(head) {
        if value != "-" {
            row.push((name, value.to_owned()));
        }
    }
    for word in words {
        let (name, value) = word.split_once('=').expect("name=value");
        let column = COLUMNS.iter().find(|column| column.name == name).expect("a column");
        row.push((column.name, value.to_owned()));
    }
    row
}

/// A day of mail: 2 `r`, 4 `d`, 4 `b`, 2 `t`, 1 each of `tq`, `rb` and `f`.
pub(crate) fn day() -> Vec<Row> {
    [
        "r 2026-03-01T09:00:00Z gmail.com v1 | sender_domain=a.example",
        "r 2026-03-01T09:30:00Z yahoo.com v2 | sender_domain=a.example",
        "d 2026-03-01T10:00:00Z gmail.com v1 | provider=gmail | sender_domain=a.example | job_id=j1 | time_queued=2026-03-01T09:59:50Z | dlv_size=1000 | dlv_tls_protocol=TLSv1.3 | dlv_destination_ip=192.0.2.1",
        "d 2026-03-01T10:10:00Z gmail.com v1 | provider=gmail | sender_domain=a.example | job_id=j1 | time_queued=2026-03-01T10:09:40Z | dlv_size=2000 | dlv_destination_ip=192.0.2.1",
        "d 2026-03-01T11:00:00Z yahoo.com v2 | provider=yahoo | sender_domain=b.example | job_id=j2 | time_queued=2026-03-01T10:59:30Z | dlv_size=3000 | dlv_tls_protocol=TLSv1.2 | dlv_destination_ip=192.0.2.2",
        "d 2026-03-01T11:30:00Z example.org v2 | provider=example.org | sender_domain=b.example | job_id=j2 | time_queued=2026-03-01T11:29:20Z | dlv_size=4000 | dlv_destination_ip=192.0.2.3",
        "b 2026-03-01T10:20:00Z gmail.com v1 | provider=gmail | sender_domain=a.example | job_id=j1 | bounce_cat=bad-mailbox | bounce_class=hard | bounce_origin=receiver | smtp_code=550 | enhanced_code=5.1.1 | template=550 5.1.1 no such user {email} | dsn_diag=smtp;550 5.1.1 no such user x@gmail.com | dlv_destination_ip=192.0.2.1",
        "b 2026-03-01T10:21:00Z gmail.com v1 | provider=gmail | sender_domain=a.example | job_id=j1 | bounce_cat=bad-mailbox | bounce_class=hard | bounce_origin=receiver | smtp_code=550 | enhanced_code=5.1.1 | template=550 5.1.1 no such user {email} | dsn_diag=smtp;550 5.1.1 no such user y@gmail.com | dlv_destination_ip=192.0.2.1",
        "b 2026-03-01T12:00:00Z yahoo.com v2 | provider=yahoo | sender_domain=b.example | job_id=it's | bounce_cat=other | bounce_class=undetermined | bounce_origin=pmta | enhanced_code=5.0.0 | template=554 it's $5 off",
        "b 2026-03-01T12:10:00Z example.org v2 | provider=example.org | sender_domain=b.example | job_id=j2 | bounce_cat=quota-issues | bounce_class=soft | bounce_origin=receiver | smtp_code=552 | enhanced_code=5.2.2 | template=552 5.2.2 full | dlv_destination_ip=192.0.2.3",
        "t 2026-03-01T10:05:00Z gmail.com v1 | rcpt=a@gmail.com | time_queued=2026-03-01T10:04:00Z | provider=gmail | sender_domain=a.example | bounce_cat=quota-issues | bounce_class=soft | enhanced_code=4.2.1 | dlv_destination_ip=192.0.2.1",
        "t 2026-03-01T10:06:00Z yahoo.com v2 | rcpt=b@yahoo.com | time_queued=2026-03-01T10:04:00Z | provider=yahoo | sender_domain=b.example | bounce_cat=no-answer-from-host | bounce_class=soft",
        "tq 2026-03-01T10:07:00Z - v1 | provider=gmail | queue=gmail.com/v1",
        "rb 2026-03-01T15:00:00Z gmail.com - | provider=gmail | sender_domain=a.example | bounce_cat=spam-related | bounce_class=block | bounce_origin=receiver | enhanced_code=5.7.1",
        "f 2026-03-01T16:00:00Z gmail.com - | sender_domain=a.example | format=arf",
    ]
    .map(record)
    .to_vec()
}

/// Two refused lines, on two days of ingestion.
fn rejects() -> Vec<Row> {
    let row = |time: &str, line: &str| {
        [
            ("ingested_at", time),
            ("source", "/log/acct.csv"),
            ("host", "mta1"),
            ("line", line),
            ("byte_offset", "120"),
            ("size_bytes", "9"),
            ("field", "timeLogged"),
            ("value", "13/13"),
            ("reason", "is not a time"),
            ("raw", "d,13/13,x"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    };
    vec![row("2026-03-02T08:00:00Z", "7"), row("2026-03-02T20:00:00Z", "9")]
}

/// What `hourly` holds of one day.
const HOURLY_SQL: &str = "
select date_trunc('hour', time_logged)::timestamp as hour, rec, host, sender_domain, rcpt_domain,
    provider, vmta, vmta_pool, dlv_source_ip, job_id, bounce_cat, bounce_class, bounce_origin, smtp_code,
    enhanced_code, template, dlv_tls_protocol, src_type, format, null::varchar as site_dimensions ,
    (dlv_destination_ip is not null or (dsn_mta is not null and bounce_origin is null))::bigint as reached, count(*) as records,
    coalesce(sum(dlv_size), 0)::bigint as bytes,
    sum(latency)::bigint as latency_sum, max(latency) as latency_max,
    histogram(latency) filter (latency is not null) as latencies
from (select *, case when rec = 'd' then epoch(time_logged - time_queued)::bigint end as latency from records)
where time_logged::date = date '$day'
group by all";

/// A part of what `hourly` or a rollup of it holds of one day.
fn summed_up(
    session: &Session,
    writer: &Writer<'_>,
    table: Table,
    day: &str,
    sql: &str,
) -> NewPart {
    let start = at(&format!("{day}T00:00:00Z"));
    let mut sql = sql.replace("$day", day);
    if let Some(tier) = table.tier() {
        sql = sql.replace("date_trunc('hour'", "date_trunc('day'");
        for name in tier.without {
            sql = sql.replacen(&format!(" {name},"), &format!(" null::varchar as {name},"), 1);
        }
    }
    let query = session.adhoc(&sql).expect("a statement");
    let mut part = writer.stage(table, start.day()).expect("a part");
    let batches = session.run(&query, |_, batches| batches.collect::<Result<Vec<_>>>());
    for batch in batches.expect("run").expect("rows") {
        let schema = schema_of(table);
        let arrays = batch.columns().iter().zip(schema.fields());
        let arrays = arrays.map(|(a, f)| cast(a, f.data_type()).expect("the type"));
        let batch = RecordBatch::try_new(schema.clone(), arrays.collect());
        part.write(&batch.expect("a batch"), start.0, start.0 + 86_399).expect("written");
    }
    part.finish().expect("finished")
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("it's a store ").tempdir().expect("a folder")
}

/// What lies in a folder and in those in it, each after its folder: what a file holds, nothing of a folder.
type Tree = Vec<(PathBuf, Option<Vec<u8>>)>;

#[expect(clippy::disallowed_methods, reason = "a test copies a whole store")]
fn tree(dir: &Path) -> Tree {
    let paths = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("one").path());
    let of = |path: PathBuf| {
        if path.is_dir() {
            let inner = tree(&path);
            return std::iter::once((path, None)).chain(inner).collect();
        }
        let bytes = std::fs::read(&path).expect("a file");
        vec![(path, Some(bytes))]
    };
    paths.flat_map(of).collect()
}

impl Stored {
    /// A store of the [`day`] and of two refused lines. It is made once, and each test has files of its own.
    pub(crate) fn day() -> Stored {
        static DAY: LazyLock<(PathBuf, Tree)> = LazyLock::new(|| {
            let stored = Stored::of(&day(), &rejects());
            (stored.dir.path().to_owned(), tree(stored.dir.path()))
        });
        let stored = Stored { dir: folder() };
        for (path, bytes) in &DAY.1 {
            let path = stored.dir.path().join(path.strip_prefix(&DAY.0).expect("in the folder"));
            match bytes {
                Some(bytes) => std::fs::write(path, bytes).expect("a file"),
                None => std::fs::create_dir(path).expect("a folder"),
            }
        }
        stored
    }

    pub(crate) fn empty() -> Stored {
        Stored::of(&[], &[])
    }

    pub(crate) fn of(records: &[Row], rejects: &[Row]) -> Stored {
        let stored = Stored { dir: folder() };
        stored.add(Table::Records, records);
        stored.add_hourly();
        stored.add(Table::Rejects, rejects);
        stored
    }

    fn store(&self) -> Store {
        Store::create(self.dir.path(), Disk::default()).expect("a store")
    }

    /// Adds a part a day.
    pub(crate) fn add(&self, table: Table, rows: &[Row]) {
        let (columns, time) = match table {
            Table::Records => (COLUMNS, "time_logged"),
            Table::Rejects => (REJECTS, "ingested_at"),
            _ => unreachable!("made from the records"),
        };
        let store = self.store();
        let mut writer = store.lock("a test").expect("the lock");
        let mut days: std::collections::BTreeMap<_, Vec<&Row>> = std::collections::BTreeMap::new();
        for row in rows {
            let time = at(value(row, time).expect("a time"));
            days.entry(time.day()).or_default().push(row);
        }
        let mut change = Change::default();
        for (day, rows) in days {
            let arrays = columns.iter().map(|column| array(column, &rows)).collect();
            let batch = RecordBatch::try_new(schema_of(table), arrays).expect("a batch");
            let mut part = writer.stage(table, day).expect("a part");
            let times = || rows.iter().map(|row| at(value(row, time).expect("a time")).0);
            let (first, last) = (times().min().expect("rows"), times().max().expect("rows"));
            part.write(&batch, first, last).expect("written");
            change.parts.push(part.finish().expect("finished"));
        }
        // A commit takes no row that no source accounts for.
        let mut ledger = Ledger { read: rows.len() as u64, ..Ledger::default() };
        match table {
            Table::Records => ledger.stored = ledger.read,
            _ => ledger.rejected = ledger.read,
        }
        change.sources.push((Day(0), Source { ledger, ..Source::default() }, None));
        writer.commit(change).expect("committed");
    }

    /// Adds the rollup of all records: by SQL, as a witness for that of ingest.
    fn add_hourly(&self) {
        let session = self.session();
        let store = self.store();
        let mut writer = store.lock("a test").expect("the lock");
        let mut change = Change::default();
        let days = sql(&session, "select distinct time_logged::date from records").expect("days");
        for day in days {
            change.parts.push(summed_up(&session, &writer, Table::Hourly, &day, HOURLY_SQL));
        }
        writer.commit(change).expect("committed");
    }

    /// Adds the hours of those records of `day` to `domain` that are in no part of `hourly`: the newest.
    pub(crate) fn add_hours_of(&self, day: &str, domain: &str) {
        let of = |rows: &str| {
            HOURLY_SQL.replace("from records)", &format!("from records where {rows})"))
        };
        let newest = format!(
            "rcpt_domain = '{domain}' and time_queued is null and job_id is null and provider is null and dlv_size is null and dlv_destination_ip is null and smtp_code is null and bounce_class is null and rec = 'd' and sender_domain = 's1.example' and time_logged = timestamp '{day} 10:00:00'"
        );
        let (session, store) = (self.session(), self.store());
        let mut writer = store.lock("a test").expect("the lock");
        let part = summed_up(&session, &writer, Table::Hourly, day, &of(&newest));
        writer.commit(Change { parts: vec![part], ..Change::default() }).expect("committed");
    }

    /// Adds the rollups of all parts of `hourly` on `days`.
    pub(crate) fn add_tiers(&self, days: &[&str]) {
        let (session, store) = (self.session(), self.store());
        let mut writer = store.lock("a test").expect("the lock");
        let mut change = Change::default();
        for day in days {
            let of_day = at(&format!("{day}T00:00:00Z")).day();
            let parts = writer.parts(of_day).expect("a list");
            let hours = parts.iter().map(|part| &part.part);
            let hours = hours.filter(|part| part.table == Table::Hourly);
            for (hours, table) in hours.flat_map(|of| Table::TIERS.map(|table| (of, table))) {
                change
                    .parts
                    .push(summed_up(&session, &writer, table, day, HOURLY_SQL).sums_up(hours));
                change.tiered.push((of_day, hours.name.clone()));
            }
        }
        writer.commit(change).expect("committed");
    }

    pub(crate) fn open(&self, window: Window, zone: &str) -> Session {
        self.try_open(window, zone).expect("a session")
    }

    fn try_open(&self, window: Window, zone: &str) -> Result<Session> {
        self.try_open_within(window, zone, &Limits::new(2, 500_000_000))
    }

    /// All records, UTC, in a session with these limits.
    pub(crate) fn within(&self, limits: &Limits) -> Session {
        self.try_open_within(Window::ALL, "UTC", limits).expect("a session")
    }

    fn try_open_within(&self, window: Window, zone: &str, limits: &Limits) -> Result<Session> {
        Stored::try_open_of(&self.snapshot(window), window, zone, limits)
    }

    pub(crate) fn snapshot(&self, window: Window) -> Snapshot {
        self.store().snapshot(window).expect("a snapshot")
    }

    /// A session of a snapshot that a test has changed.
    pub(crate) fn try_open_of(
        snapshot: &Snapshot,
        window: Window,
        zone: &str,
        limits: &Limits,
    ) -> Result<Session> {
        let zone = zone.parse::<Zone>().expect("a zone");
        let (limits, classes) = (limits.clone(), &BounceClasses::default());
        Session::open(snapshot, &[window], &SessionConfig { zone, limits, classes, files: &[] })
    }

    pub(crate) fn try_session(&self) -> Result<Session> {
        self.try_open(Window::ALL, "UTC")
    }

    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Where all parts lie.
    pub(crate) fn parts(&self) -> Vec<PathBuf> {
        self.snapshot(Window::ALL).parts.into_iter().map(|part| part.path).collect()
    }

    pub(crate) fn session(&self) -> Session {
        self.open(Window::ALL, "UTC")
    }
}

fn value<'r>(row: &'r Row, name: &str) -> Option<&'r str> {
    row.iter().find(|(column, _)| *column == name).map(|(_, value)| value.as_str())
}

fn array(column: &Column, rows: &[&Row]) -> ArrayRef {
    let values = rows.iter().map(|row| value(row, column.name));
    match column.kind {
        Kind::Text => Arc::new(values.collect::<StringArray>()),
        Kind::Name => {
            let plain: ArrayRef = Arc::new(values.collect::<StringArray>());
            cast(&plain, &arrow_type(Kind::Name)).expect("a dictionary")
        }
        Kind::Hash => {
            let key = |row: &Row| {
                let texts = ["rcpt", "env_id", "orig"].map(|name| value(row, name).unwrap_or(""));
                let [rcpt, env_id, orig] = texts.map(str::as_bytes);
                message_key(rcpt, env_id, orig)
            };
            let keys = rows.iter().map(|row| key(row));
            Arc::new(keys.collect::<UInt64Array>())
        }
        Kind::Int => {
            let numbers = values.map(|v| v.map(|v| v.parse::<i64>().expect("a number")));
            Arc::new(numbers.collect::<Int64Array>())
        }
        Kind::Time => {
            let times = values.map(|v| v.map(|v| at(v).millis()));
            Arc::new(times.collect::<TimestampMillisecondArray>())
        }
        Kind::Map | Kind::Counts => {
            let names = MapFieldNames {
                entry: "key_value".to_owned(),
                key: "key".to_owned(),
                value: "value".to_owned(),
            };
            let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
            for _ in rows {
                maps.append(true).expect("an empty map");
            }
            Arc::new(maps.finish())
        }
    }
}

/// The rows of a query, a line each, cells separated by ` | `.
pub(crate) fn lines(session: &Session, query: &Query) -> Result<Vec<String>> {
    session.run(query, |_, batches| {
        let mut lines = Vec::new();
        for batch in batches {
            lines.extend(row_texts(&batch?));
        }
        Ok(lines)
    })?
}

pub(crate) fn row_texts(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::new().with_null("-");
    let cells: Vec<_> = batch
        .columns()
        .iter()
        .map(|array| ArrayFormatter::try_new(array, &options).expect("a format"))
        .collect();
    (0..batch.num_rows())
        .map(|i| {
            let row: Vec<String> = cells
                .iter()
                .map(|cell| {
                    let text = cell.value(i).to_string();
                    match text.parse::<f64>() {
                        Ok(number) if text.contains('.') => format!("{:.2}", number),
                        _ => text,
                    }
                })
                .collect();
            row.join(" | ")
        })
        .collect()
}

/// The rows of a statement of a user.
pub(crate) fn sql(session: &Session, text: &str) -> Result<Vec<String>> {
    lines(session, &session.adhoc(text)?)
}

/// The rows of a report.
pub(crate) fn report(
    session: &Session,
    name: &str,
    given: &[(&str, &str)],
    selection: &Selection,
) -> Result<Vec<String>> {
    let catalog = Catalog::builtin()?;
    let given: Vec<(String, String)> =
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    session.check(selection)?;
    lines(session, &catalog.get(name)?.query(&given, selection, Scope::ALL)?)
}

/// Records that pass the filters.
pub(crate) fn only(filters: &[(&str, &[&str])], condition: Option<&str>) -> Selection {
    let mut selection =
        Selection { condition: condition.map(str::to_owned), ..Selection::default() };
    for (dimension, values) in filters {
        selection.filter(dimension, values.iter().map(|value| (*value).to_owned()).collect());
    }
    selection
}
