//! What a statement says there, and that all that pmtaq asks can be said there. Needs no cluster.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::RecordBatch;
use pmtaq_schema::bounce::BounceClasses;
use pmtaq_schema::{Timestamp, Window, Zone};
use pmtaq_store::Snapshot;

use crate::catalog::Catalog;
use crate::elsewhere::{Batches, Elsewhere};
use crate::error::{Error, Result};
use crate::metric::metrics;
use crate::pivot::Pivot;
use crate::selection::Selection;
use crate::session::{Limits, Session, SessionConfig};
use crate::why::{Ask, Marked, Why};

/// An engine elsewhere that keeps what it is told, and answers nothing.
#[derive(Debug, Default)]
struct Nowhere {
    told: Mutex<Vec<String>>,
}

impl Elsewhere for Nowhere {
    fn name(&self) -> String {
        "nowhere".to_owned()
    }
    fn path(&self, path: &str) -> Result<String> {
        Ok(format!("there:{path}"))
    }
    fn files(&self, _: &str, _: &str, _: &[String]) -> Result<()> {
        Ok(())
    }
    fn rows(&self, _: &str, _: &RecordBatch) -> Result<()> {
        Ok(())
    }
    fn run(&self, sql: &str, _: Option<Duration>) -> Result<Batches<'_>> {
        self.told.lock().expect("no panic").push(sql.to_owned());
        Ok(Box::new(std::iter::empty()))
    }
    fn stop(&self) -> Arc<dyn Fn() + Send + Sync> {
        Arc::new(|| {})
    }
}

fn session(zone: &str) -> Session {
    let snapshot = Snapshot { generation: 0, parts: vec![], span: None, store_rows: 0 };
    let (limits, classes) = (Limits::new(1, 1 << 28), &BounceClasses::default());
    let zone: Zone = zone.parse().expect("a zone");
    let config = SessionConfig { zone, limits, classes, files: &[] };
    Session::open(&snapshot, &[Window::ALL], &config).expect("a session")
}

/// What is told of a statement, without the tables that it reads.
fn told(session: &Session, sql: &str) -> Result<String> {
    let query = session.adhoc(sql)?;
    let plan = session.plan(&query, &session.sql_of(&query), &Nowhere::default())?;
    let sql = plan.there.sql;
    Ok(sql.rsplit_once(")\nselect ").map_or(sql.clone(), |(_, last)| format!("select {last}")))
}

#[test]
fn a_statement_says_there_what_it_says_here() {
    let session = session("UTC");
    for (here, there) in [
        ("select 1, 'it''s', 'a\\b'", r"select 1L as `c1`, 'it\'s' as `c2`, 'a\\b' as `c3`"),
        ("select 1.5 + 2", "select (1.5D + 2L) as `c1`"),
        // Division by nothing is infinite here, and an error there.
        (
            "select 7 // 2 as a, 7 // n as b from range(3) t(n)",
            "select (7L div 2L) as `a`, (7L div nullif(t1.`range`, 0L)) as `b` from explode((case when 0L <= 3L - 1 then sequence(cast(0L as bigint), cast(3L - 1 as bigint), 1L) else cast(array() as array<bigint>) end)) as t1(`range`)",
        ),
        ("select 100 / 8 as x", "select (100D / 8D) as `x`"),
        // Numbers are rounded, half to even.
        (
            "select 2.5::double::bigint as a, dlv_size::varchar as b from records",
            "select cast(bround(2.5D, 0) as bigint) as `a`, cast(t7.`dlv_size` as string) as `b` from records_6 as t7",
        ),
        (
            "select rcpt[2:3] as a, rcpt[1] as b, rcpt[3:] as c from records",
            "select substring(t7.`rcpt`, 2, 2) as `a`, substring(t7.`rcpt`, 1, 1) as `b`, substring(t7.`rcpt`, 3) as `c` from records_6 as t7",
        ),
        (
            "select extra['k'] as k from records",
            "select try_element_at(t7.`extra`, 'k') as `k` from records_6 as t7",
        ),
        (
            "select epoch(time_logged - time_queued) as s from records",
            "select ((unix_micros(cast(t7.`time_logged` as timestamp)) - unix_micros(cast(t7.`time_queued` as timestamp))) / 1000000D) as `s` from records_6 as t7",
        ),
        (
            "select time_logged + interval 1 hour as t from records",
            "select cast(timestamp_micros((unix_micros(cast(t7.`time_logged` as timestamp)) + 3600000000L)) as timestamp_ntz) as `t` from records_6 as t7",
        ),
        // A null leaves no trace in a hash there.
        (
            "select count(distinct hash(vmta, job_id)) as n from records",
            "select count(distinct xxhash64(t7.`vmta`, t7.`vmta` is null, t7.`job_id`, t7.`job_id` is null)) as `n` from records_6 as t7",
        ),
        (
            "select count(*) as n from records where rcpt like 'a\\_%' and rcpt glob '*.d[ek]'",
            r"select count(*) as `n` from records_6 as t7 where ((t7.`rcpt` like 'a\\\\_%') and (t7.`rcpt` rlike '(?s)\\A.*\\.d[ek]\\z'))",
        ),
        (
            "select vmta, count(*) as n from records group by all order by n desc, vmta",
            "select t7.`vmta` as `vmta`, count(*) as `n` from records_6 as t7 group by t7.`vmta` order by `n` desc nulls last, `vmta` nulls last",
        ),
        (
            "select vmta from records qualify row_number() over (partition by vmta order by rcpt) = 1",
            "select `vmta` from (select t7.`vmta` as `vmta`, (row_number() over (partition by t7.`vmta` order by t7.`rcpt` nulls last) = 1L) as `q8` from records_6 as t7) as t9 where `q8`",
        ),
        (
            "select arg_max(rcpt, time_logged) as r from records",
            "select max_by(t7.`rcpt`, case when t7.`rcpt` is not null and t7.`time_logged` is not null then t7.`time_logged` end) as `r` from records_6 as t7",
        ),
        (
            "select quantile_cont(dlv_size, 0.9) filter (rec = 'd') as q from records",
            "select percentile(t7.`dlv_size`, 0.9D) filter (where (t7.`rec` = 'd')) as `q` from records_6 as t7",
        ),
        (
            "select a.rec from records a semi join records b using (rec)",
            "select t7.`rec` as `rec` from records_6 as t7 left semi join records_6 as t8 on t7.`rec` = t8.`rec`",
        ),
        (
            "select unnest(range(2)) as n, rec from records",
            "select `rec`, explode(`n`) as `u8` from (select (case when 0L <= 2L - 1 then sequence(cast(0L as bigint), cast(2L - 1 as bigint), 1L) else cast(array() as array<bigint>) end) as `n`, t7.`rec` as `rec` from records_6 as t7) as t9",
        ),
        (
            "select strftime(time_logged, '%Y-%m-%d %H:00') as h from records",
            "select date_format(t7.`time_logged`, 'yyyy-MM-dd HH:00') as `h` from records_6 as t7",
        ),
        (
            "select rec from records limit 3 offset 1",
            "select t7.`rec` as `rec` from records_6 as t7 limit 3 offset 1",
        ),
    ] {
        let got = told(&session, here).map_err(|error| error.to_string());
        assert_eq!(got.as_deref(), Ok(there), "{here}");
    }
}

#[test]
fn what_a_cluster_cannot_do_alike_is_refused_by_name() {
    let session = session("UTC");
    for (sql, what) in [
        ("select hash(rcpt) as h from records", "hash"),
        ("select jaccard('a', 'b')", "`jaccard`"),
        ("select * from records using sample 10", "sample"),
        (
            "with recursive r as (select 1 as n union all select n + 1 from r where n < 5) from r",
            "reads itself",
        ),
        ("select cast(1.5 as varchar)", "text of a fraction"),
        ("select histogram(dlv_size) from records", "`histogram`"),
        ("pivot records on rec using count(*)", "`select`"),
        ("explain select 1", "`select`"),
        ("select regexp_matches(rcpt, '\\pL') from records", "regular expression"),
        ("select columns('r.*') from records", "columns"),
        ("select 1::decimal(10, 2)", "DECIMAL"),
        (
            "select sum(dlv_size) over (order by time_logged rows between smtp_code preceding and current row) from records",
            "frame",
        ),
        ("select regexp_replace(rcpt, 'a', 'b') from records", "first match"),
        ("select rcpt[-1] from records", "[...]"),
    ] {
        match told(&session, sql) {
            Err(Error::NotThere(text)) => assert!(text.contains(what), "{sql}: {text}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn every_report_can_be_asked_of_a_cluster_from_both_tables_at_scale() {
    let (now, window) = (Timestamp(1_772_409_600), Window::ALL);
    for (zone, table) in [("UTC", "auto"), ("Europe/Madrid", "auto"), ("Asia/Kolkata", "records")] {
        let mut session = session(zone);
        if table == "records" {
            session.read_records();
        }
        let mut cuts = Vec::new();
        for report in Catalog::builtin().expect("reports").iter() {
            let given: Vec<(String, String)> = match report.name.as_str() {
                "job" => vec![("id".to_owned(), "j".to_owned())],
                "compare" => ["a", "b"]
                    .map(|name| {
                        (name.to_owned(), "2026-03-01T00:00:00Z/2026-03-02T00:00:00Z".to_owned())
                    })
                    .into(),
                _ => vec![],
            };
            let scope = report.scope(&given, window, now);
            let is_settable = |name: &str| {
                let name = name.split('=').next();
                report.settable().any(|param| Some(param.name.as_str()) == name)
            };
            let variants = report.variants.iter().filter(|(name, _)| is_settable(name));
            let variants = variants.map(|(name, _)| {
                let (name, value) = name.split_once('=').unwrap_or((name, "true"));
                let value = if name == "at" { "2026-03-01T12:00:00Z" } else { value };
                let value = match name {
                    "by" => "provider",
                    "examples" => "2",
                    _ => value,
                };
                let mut given = given.clone();
                given.push((name.to_owned(), value.to_owned()));
                given
            });
            for given in variants.chain([given.clone()]) {
                let query = report.query(&given, &Selection::default(), scope).expect("a question");
                session.read_replies(&session.sql_of(&query)).expect("replies");
                let plan = session.plan(&query, &session.sql_of(&query), &Nowhere::default());
                let plan =
                    plan.unwrap_or_else(|error| panic!("{} {given:?}: {error}", report.name));
                if plan.cut.is_some() && !session.reads_hours(&query) {
                    cuts.push(report.name.clone());
                }
            }
        }
        cuts.dedup();
        assert_eq!(cuts, ["rates", "stats top-rates"]);
    }
}

#[test]
fn every_question_of_why_can_be_asked_of_a_cluster() {
    let session = session("Europe/Madrid");
    let hours = |since: i64, until: i64| Window {
        since: Timestamp(3600 * since),
        until: Timestamp(3600 * until),
    };
    for ask in [
        Ask::Had,
        Ask::Messages,
        Ask::Remote,
        Ask::Records,
        Ask::Injected,
        Ask::Queued,
        Ask::Evidence,
        Ask::Deliveries,
        Ask::Limit,
        Ask::Complaints,
        Ask::Cohort,
        Ask::Waiting,
        Ask::Passed,
    ] {
        for lag_s in [0, 3600] {
            let why = Why {
                periods: vec![(0, hours(24, 48)), (1, hours(0, 24))],
                lag_s,
                step_s: 600,
                class: Some("hard".to_owned()),
                causes: vec![vec![
                    ("provider".to_owned(), Some("gmail".to_owned())),
                    ("job_id".to_owned(), None),
                ]],
                mark: Some(Marked::LaterThan(60.0)),
                metric: "bounce_rate".to_owned(),
                ..Why::default()
            };
            let query = why.query(ask, &Selection::default()).expect("a question");
            let plan = session.plan(&query, &session.sql_of(&query), &Nowhere::default());
            plan.unwrap_or_else(|error| panic!("{ask:?}: {error}"));
        }
    }
}

#[test]
fn every_metric_can_be_asked_of_a_cluster() {
    let session = session("America/New_York");
    let names: Vec<String> = metrics().iter().map(|metric| metric.name.clone()).collect();
    for rows in ["provider", "hour", "minute5", "weekday", "template", "header_X-Campaign"] {
        let pivot = Pivot::new(&[rows.to_owned()], Some("vmta"), &names, 10).expect("a pivot");
        let query = pivot.query(&Selection::default()).expect("a question");
        session.read_replies(&session.sql_of(&query)).expect("replies");
        let plan = session.plan(&query, &session.sql_of(&query), &Nowhere::default());
        let plan = plan.unwrap_or_else(|error| panic!("{rows}: {error}"));
        assert!(plan.there.sql.starts_with("with "));
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let pivot = Pivot::new(&names(&["sender_domain", "vmta"]), None, &names(&["sent"]), 10);
    let query = pivot.and_then(|pivot| pivot.query(&Selection::default())).expect("a question");
    for sql in [&query.sql, &query.over_hours.as_ref().expect("over hourly").sql] {
        let plan = session.plan(&query, sql, &Nowhere::default());
        plan.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

#[test]
fn a_session_that_asks_elsewhere_gives_the_columns_that_it_would_give_here() {
    let mut session = session("UTC");
    let sql = "select rec, count(*) as n, sum(dlv_size) as s, max(time_logged) as t from records group by all";
    let here = session.answer(&session.adhoc(sql).expect("a query")).expect("an answer");
    session.ask_elsewhere(std::rc::Rc::new(Nowhere::default())).expect("views");
    let there = session.answer(&session.adhoc(sql).expect("a query")).expect("an answer");
    assert_eq!(there.shape().schema, here.shape().schema);
    assert_eq!(session.elsewhere().as_deref(), Some("nowhere"));
    let script = session.script(&session.adhoc(sql).expect("a query"));
    assert!(script.starts_with("-- nowhere, whole\n"), "{script}");
}
