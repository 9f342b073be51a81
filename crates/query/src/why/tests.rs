//! The statements of `why` beside plainer ones.

use duckdb::Connection;
use pmtaq_schema::columns::HOURLY;
use pmtaq_schema::{COLUMNS, Column};

use super::*;
use crate::hours::HOURS_VIEW;
use crate::setup::source;

/// What `messages.sql` counts, said plainly: each recipient is a group, and of one that has nothing but
/// deliveries each counts.
const PLAINLY: &str = "
others as (
    select period, hash(rcpt, time_queued) as message from records where rec in ('b', 't')
),
tried as (
    select
        period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried,
        hash(rcpt, time_queued) as message,
        min(rec) as outcome,
        min(bounce_cat) filter (rec = 'b') as bounced_for,
        min(bounce_cat) filter (rec = 't') as held_for,
        min(bounce_class) filter (rec = 'b') as class,
        count(*) as n
    from records
    where rec in ('d', 'b', 't')
    group by all
)
select
    period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried,
    case
        when outcome = 'd' then 'delivered'
        when outcome = 't' then 'held'
        when CLASS is null or class = CLASS then 'bounced'
        else 'aside'
    end as kind,
    case outcome when 'b' then bounced_for when 't' then held_for end as category,
    sum(case when (period, message) in (from others) then 1 else n end)::bigint as n
from tried
group by all";

/// The same for `queued.sql`.
const QUEUED_PLAINLY: &str = "
queued as (
    select
        period, provider, sender_domain, vmta_pool, vmta, job_id,
        hash(rcpt, time_queued) as message
    from records
    where rec in ('d', 'b', 't')
    group by all
)
select
    period, provider, sender_domain, vmta_pool, vmta, null, job_id, 'injected', null, count(*)
from queued
where period is not null
group by all";

/// An engine with records that often share recipient, time and dimensions, or lack them.
pub(crate) fn engine() -> Connection {
    let one_of = |list: &str, salt: i64| {
        format!("list_extract([{list}], (hash(range, {salt}) % len([{list}]) + 1)::bigint)")
    };
    let columns = [
        ("rec", "'d', 'd', 'd', 'f', 'b', 't', 't', 'rb', 'r'"),
        ("provider", "'p', 'q', null"),
        ("sender_domain", "'s', null"),
        ("vmta_pool", "'u', null"),
        ("vmta", "'v', 'w', null"),
        ("dlv_source_ip", "'1', null"),
        ("job_id", "'j', null"),
        ("rcpt", "'a', 'b', 'c', 'd', null"),
        ("time_queued", "timestamp '1970-01-01 00:01', timestamp '1970-01-01 01:20', null"),
        ("bounce_cat", "'x', 'y', 'z', null"),
        ("bounce_class", "'hard', 'soft', null"),
        ("dlv_destination_ip", "'8', '9', null"),
        ("bounce_origin", "'receiver', 'pmta', null"),
        ("rcpt_domain", "'m', 'n', null"),
    ];
    let columns = columns.iter().zip(0..);
    let columns = columns.map(|((name, list), n)| format!("{} as {name}", one_of(list, n)));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let connection = Connection::open_in_memory().expect("an engine");
    let rows = format!(
        "create table stored as from {}; insert into stored by name select {columns}, \
             make_timestamp(range % 200 * 60000000) as time_logged from range(4000); \
             update stored set message_key = hash(rcpt)",
        source(&[], 0, COLUMNS)
    );
    connection.execute_batch(&rows).expect("records");
    connection.execute_batch(crate::prelude::MACROS).expect("macros");
    connection
}

pub(crate) fn minutes(since: i64, until: i64) -> Window {
    Window { since: Timestamp(60 * since), until: Timestamp(60 * until) }
}

/// Holds that both statements give the same rows, and tells how many.
fn same(connection: &Connection, a: &str, b: &str) -> i64 {
    let number =
        |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).expect("a number") };
    let differ = |a: &str, b: &str| {
        number(&format!("select count(*) from (from ({a}) except all from ({b}))"))
    };
    assert_eq!((differ(a, b), differ(b, a)), (0, 0), "{a}");
    number(&format!("select count(*) from ({a})"))
}

#[test]
fn recipients_are_counted_as_if_each_were_a_group() {
    let connection = engine();
    for (class, kinds) in [(None, 3), (Some("hard"), 4)] {
        let why = Why {
            periods: vec![(0, minutes(100, 160)), (1, minutes(0, 60))],
            class: class.map(str::to_owned),
            ..Why::default()
        };
        let query = why.query(Ask::Messages, &Selection::default()).expect("a question");
        let ours = query.with_literals();
        let (records, _) =
            ours.split_once(",\ntried as not materialized (").expect("what is counted");
        // Its rows of a leaf and a kind add up.
        let ours = format!("select * exclude n, sum(n)::bigint as n from ({ours}) group by all");
        let class = class.map_or("null".to_owned(), |class| format!("'{class}'"));
        let plain = format!("{records},{}", PLAINLY.replace("CLASS", &class));
        let counted = |sql: &str| format!("select distinct kind from ({sql})");
        assert_eq!(same(&connection, &counted(&ours), &counted(&plain)), kinds);
        assert!(same(&connection, &ours, &plain) > 100, "{class}");
    }
}

#[test]
fn what_was_queued_is_each_recipient_once() {
    let connection = engine();
    let periods = vec![(0, minutes(0, 60)), (1, minutes(60, 90))];
    let why = Why { periods, lag_s: 7200, ..Why::default() };
    let query = why.query(Ask::Queued, &Selection::default()).expect("a question");
    let ours = query.with_literals();
    let (records, _) = ours.split_once("\nselect\n    first(period)").expect("what is counted");
    assert!(same(&connection, &ours, &format!("{records},{QUEUED_PLAINLY}")) > 20);
}

#[test]
fn whole_hours_are_answered_by_the_rollup() {
    let connection = engine();
    let group = HOURLY.iter().filter_map(|column| match column.name {
        "hour" => Some("date_trunc('hour', time_logged) as hour".to_owned()),
        "reached" => Some("(dlv_destination_ip is not null)::bigint as reached".to_owned()),
        name => Column::index(name).map(|_| name.to_owned()),
    });
    let group = group.collect::<Vec<_>>().join(", ");
    let hours = format!(
        "create table {HOURS_VIEW} as select {group}, count(*) as records from stored group by all"
    );
    connection.execute_batch(&hours).expect("hours");
    let mut selection = Selection::default();
    selection.filter("sender_domain", vec!["s".to_owned()]);
    let asks = [Ask::Had, Ask::Remote, Ask::Records, Ask::Injected, Ask::Cohort, Ask::Marginals];
    for ask in asks.into_iter().chain([Ask::Limit]) {
        for (reached, selection) in [(false, &Selection::default()), (true, &selection)] {
            // Of records it does not tell what was queued before, which long windows do without.
            let length = if ask == Ask::Records { 720 } else { 60 };
            let periods = vec![(0, minutes(120, 120 + length)), (1, minutes(120 - length, 120))];
            let class = reached.then(|| "hard".to_owned());
            let kinds = [vec!["delivered", "bounced", "deferred"], vec!["bounced", "remote"]];
            let why = Why {
                of: LEAF.to_vec(),
                is_of_complaints: ask == Ask::Limit,
                metric: "complaint_rate".to_owned(),
                ..Why { periods, reached, class, kinds, ..Why::default() }
            };
            let query = why.query(ask, selection).expect("a question");
            let over = query.over_hours.as_ref().expect("whole hours");
            let (mut over, mut records) = (query.literally(&over.sql), query.with_literals());
            for sql in [&mut over, &mut records] {
                if ask == Ask::Records {
                    let columns = "* exclude (carried, n), sum(n)::bigint as n";
                    *sql = format!("select {columns} from ({sql}) group by all");
                }
            }
            assert!(same(&connection, &over, &records) > 0, "{ask:?}");
        }
    }
}

#[test]
fn what_was_delivered_before_two_periods_counts_for_both() {
    let connection = engine();
    let periods = vec![(0, minutes(1500, 1560)), (1, minutes(60, 120))];
    let query = |periods: &[Period]| {
        let why = Why { periods: periods.to_vec(), ..Why::default() };
        why.query(Ask::Cohort, &Selection::default()).expect("a question").with_literals()
    };
    let alone = periods.iter().map(|period| format!("from ({})", query(&[*period])));
    let alone = alone.collect::<Vec<_>>().join(" union all ");
    assert!(same(&connection, &query(&periods), &alone) > 20);
    let both = "select count(*) from (select distinct period from";
    let n: i64 = connection
        .query_row(&format!("{both} ({}))", query(&periods)), [], |row| row.get(0))
        .expect("a number");
    assert_eq!(n, 2, "the records lie in the day before both");
}

#[test]
fn places_stand_for_the_names_of_the_same_counts() {
    let connection = engine();
    let periods = vec![(0, minutes(100, 160)), (1, minutes(30, 90))];
    let blind = vec!["vmta_pool"];
    let kinds = [vec!["injected", "delivered", "bounced", "held", "remote"], vec!["bounced"]];
    let (follows, of) = (true, LEAF.to_vec());
    let named = Why { periods, lag_s: 600, blind, kinds, follows, of, ..Why::default() };
    let sql = |why: &Why, ask: Ask| {
        why.query(ask, &Selection::default()).expect("a question").with_literals()
    };
    let marginals = sql(&named, Ask::Marginals);
    // Those with the most of each dimension are told apart, all but the second.
    let numbers = |dim: &str| -> Vec<u64> {
        let each = format!(
            "select number from ({marginals}) where dim = '{dim}' \
             group by number order by sum(entered) desc, number"
        );
        let mut statement = connection.prepare(&each).expect("a statement");
        let rows = statement.query_map([], |row| row.get(0)).expect("numbers");
        let all: Vec<u64> = rows.map(|number| number.expect("a number")).collect();
        all.into_iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, number)| number).collect()
    };
    let told: Vec<(String, Vec<u64>)> =
        LEAF.iter().map(|dim| ((*dim).to_owned(), numbers(dim))).collect();
    let placed = Why { told: Some(told.clone()), ..named.clone() };
    for ask in [
        Ask::Messages,
        Ask::Remote,
        Ask::Records,
        Ask::Injected,
        Ask::Queued,
        Ask::Deliveries,
        Ask::Cohort,
    ] {
        assert!(ask.is_by_place(), "{ask:?}");
        let has = |dim: &&&str| match ask {
            // Of the other dimensions they have nothing.
            Ask::Remote => LEAF[..2].contains(*dim),
            Ask::Injected | Ask::Queued => **dim != "dlv_source_ip",
            _ => true,
        };
        // What a name becomes: its place, 0 for those that are not told apart, nothing of none.
        let place = |dim: &&str| {
            let list = &told.iter().find(|(of, _)| of == dim).expect("a list").1;
            format!(
                "case when {dim} is not null then \
                 coalesce(list_position({list:?}::ubigint[], hash({dim})), 0) end as {dim}"
            )
        };
        let of_names: Vec<String> = LEAF.iter().filter(has).map(place).collect();
        // The number of none is the second behind the list: that of no name ends it.
        let none = |dim: &&str| {
            let n = told.iter().find(|(of, _)| of == dim).expect("a list").1.len();
            format!("nullif({dim}, {}) as {dim}", n + 2)
        };
        let of_places: Vec<String> = LEAF.iter().filter(has).map(none).collect();
        let summed = |replaced: &[String], sql: &str| {
            let rows = format!("select * replace ({}) from ({sql})", replaced.join(", "));
            format!("select * exclude (n), sum(n)::bigint as n from ({rows}) group by all")
        };
        let by_name = summed(&of_names, &sql(&named, ask));
        let by_place = summed(&of_places, &sql(&placed, ask));
        assert!(same(&connection, &by_place, &by_name) > 3, "{ask:?}");
    }
}

#[test]
fn marginals_of_days_are_asked_of_the_rollups_by_day() {
    let days = |since: i64, until: i64| minutes(1440 * since, 1440 * until);
    let asked = |periods: Vec<Period>| {
        let why = Why { periods, kinds: [vec!["delivered"], Vec::new()], ..Why::default() };
        let queries = why.marginals(&Selection::default()).expect("questions");
        let over = |query: &Query| query.over_hours.as_ref().is_some_and(|over| over.by_days);
        queries.iter().map(over).collect::<Vec<_>>()
    };
    assert_eq!(asked(vec![(0, days(1, 2)), (1, days(0, 1))]), [true, true]);
    assert_eq!(asked(vec![(0, minutes(60, 120)), (1, days(0, 1))]), [false]);
}

#[test]
fn other_windows_and_single_recipients_need_the_records() {
    let answers = |ask, until, selection: &Selection| {
        let why = Why { periods: vec![(0, minutes(0, until))], ..Why::default() };
        why.query(ask, selection).expect("a question").over_hours.is_some()
    };
    let mut by_queue = Selection::default();
    by_queue.filter("queue", vec!["q".to_owned()]);
    assert!(answers(Ask::Had, 60, &Selection::default()));
    assert!(!answers(Ask::Had, 61, &Selection::default()));
    assert!(!answers(Ask::Had, 60, &by_queue));
    assert!(!answers(Ask::Messages, 60, &Selection::default()));
    assert!(!answers(Ask::Records, 60, &Selection::default()));
    assert!(answers(Ask::Records, 720, &Selection::default()));
}

#[test]
fn windows_that_meet_are_one() {
    let of = |list: &[(i64, i64)]| -> Vec<(i64, i64)> {
        let windows =
            list.iter().map(|(a, b)| Window { since: Timestamp(*a), until: Timestamp(*b) });
        apart(windows).iter().map(|window| (window.since.0, window.until.0)).collect()
    };
    assert_eq!(of(&[(20, 30), (0, 10), (50, 60)]), [(0, 10), (20, 30), (50, 60)]);
    assert_eq!(of(&[(10, 20), (0, 10), (15, 18), (30, 40)]), [(0, 20), (30, 40)]);
    assert_eq!(of(&[]), []);
}
