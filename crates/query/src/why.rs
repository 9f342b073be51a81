//! The questions behind `pmtaq why`: the files of `sql/why`, over a window and its baseline.
//! Fetches counts and judges none of them.

use std::fmt::Write as _;

use pmtaq_schema::{Timestamp, Window};

use crate::dimension::dimension;
use crate::error::Result;
use crate::hours::whole_hours;
use crate::query::{OverHours, Query, Value};
use crate::rollup::hours_as_records;
use crate::selection::Selection;
use crate::statement::narrowed_by;

/// A stretch of time and the number that its records get in the column `period`.
pub type Period = (i64, Window);

/// A question of `sql/why`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Which records there are.
    Had,
    /// What became of the messages; of the bounces, those of a class.
    Messages,
    /// Asynchronous bounces; of a class, if one is asked about.
    Remote,
    /// The records themselves.
    Records,
    /// What was injected, by `r` records.
    Injected,
    /// What was injected, by the time of queueing; see [`Why::lag_s`].
    Queued,
    /// What the records of causes say.
    Evidence,
    /// Deliveries, told apart by [`Why::mark`].
    Deliveries,
    /// The value of [`Why::metric`] in each period.
    Limit,
    /// Complaints, with what their delivery adds.
    Complaints,
    /// What was delivered in the time that complaints are about: [`COHORT_S`] and the period.
    Cohort,
    /// Who waited in the queue at the end of each period; see [`Why::lag_s`].
    Waiting,
}

/// How long before a period its complaints' deliveries are counted: most come within a day.
pub const COHORT_S: i64 = 86_400;
/// How far before a period the delivery behind a complaint is looked for.
const MATCH_S: i64 = 3 * 86_400;
/// How far before a period records tell who waits in it.
const QUEUE_S: i64 = 2 * 3600;

impl Ask {
    const fn sql(self) -> &'static str {
        match self {
            Ask::Had => include_str!("../../../sql/why/had.sql"),
            Ask::Messages => include_str!("../../../sql/why/messages.sql"),
            Ask::Remote => include_str!("../../../sql/why/remote.sql"),
            Ask::Records => include_str!("../../../sql/why/records.sql"),
            Ask::Injected => include_str!("../../../sql/why/injected.sql"),
            Ask::Queued => include_str!("../../../sql/why/queued.sql"),
            Ask::Evidence => include_str!("../../../sql/why/evidence.sql"),
            Ask::Deliveries => include_str!("../../../sql/why/deliveries.sql"),
            Ask::Limit => include_str!("../../../sql/why/limit.sql"),
            Ask::Complaints => include_str!("../../../sql/why/complaints.sql"),
            Ask::Cohort => include_str!("../../../sql/why/cohort.sql"),
            Ask::Waiting => include_str!("../../../sql/why/waiting.sql"),
        }
    }

    /// How far before a period it reads.
    pub const fn before_s(self) -> i64 {
        match self {
            Ask::Complaints => MATCH_S,
            Ask::Cohort => COHORT_S,
            Ask::Waiting => QUEUE_S,
            _ => 0,
        }
    }

    /// Whether it is watched for a time after a period.
    const fn looks_behind(self) -> bool {
        matches!(self, Ask::Queued | Ask::Waiting)
    }

    /// Whether records that are alike in an hour are all the same to it.
    const fn only_counts(self) -> bool {
        matches!(self, Ask::Had | Ask::Remote | Ask::Records | Ask::Injected | Ask::Cohort)
    }
}

/// What a cause is: values of dimensions, none for records without one.
pub type Place = Vec<(String, Option<String>)>;

/// Which records are asked for.
#[derive(Clone, Debug, Default)]
pub struct Why {
    /// The window and its baseline.
    pub periods: Vec<Period>,
    /// For [`Ask::Queued`] and [`Ask::Waiting`]: seconds after its end in which a period is still watched.
    pub lag_s: i64,
    /// The class of the bounces that count.
    pub class: Option<String>,
    /// Whether only attempts that reached a receiver count.
    pub reached: bool,
    /// For [`Ask::Evidence`]: the causes, and the length of a step of time.
    pub causes: Vec<Place>,
    /// Seconds of a step of time.
    pub step_s: i64,
    /// The dimensions that are not told apart.
    pub blind: Vec<&'static str>,
    /// Of which kind of deliveries the share is asked; of those later than so many seconds, where the
    /// limit is known.
    pub mark: Option<Marked>,
    /// For [`Ask::Limit`]: the metric.
    pub metric: String,
}

/// A kind of deliveries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Marked {
    /// Those that took longer than so many seconds.
    LaterThan(f64),
    /// Those in plain text.
    Plaintext,
    /// Those by SMTP in plain text or by a protocol older than TLS 1.2.
    WeakTls,
}

impl Marked {
    /// The condition in SQL; null of a delivery that cannot be told.
    pub fn sql(self) -> String {
        match self {
            Marked::LaterThan(seconds) => {
                format!("epoch(time_logged - time_queued) > {seconds:?}")
            }
            Marked::Plaintext => "dlv_tls_protocol is null".to_owned(),
            Marked::WeakTls => {
                "case when coalesce(dlv_type, 'smtp') not in ('pipe', 'file', 'discard') \
                then tls_level(dlv_tls_protocol) < tls_level('TLSv1.2') end"
                    .to_owned()
            }
        }
    }
}

impl Why {
    /// The question `ask`, for what `selection` lets through.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for a filter or a dimension that there is not.
    pub fn query(&self, ask: Ask, selection: &Selection) -> Result<Query> {
        let mut query = Query::default();
        let number = |flag: bool| Value::Int(flag.into());
        query.values.insert("reached".to_owned(), number(self.reached));
        query.values.insert("step_s".to_owned(), Value::Int(self.step_s.max(1)));
        if let Some(class) = &self.class {
            query.values.insert("class".to_owned(), Value::Text(class.clone()));
        }
        let filter = selection.sql(&mut query)?;
        let reach = |window: &Window| Window {
            since: Timestamp(window.since.0.saturating_sub(ask.before_s())),
            until: Timestamp(window.until.0.saturating_add(if ask.looks_behind() {
                self.lag_s
            } else {
                0
            })),
        };
        let by = if ask == Ask::Queued { "time_queued" } else { "time_logged" };
        let mut number = String::new();
        for (period, window) in &self.periods {
            let _ = write!(number, "when {} then {period} ", within(by, *window));
        }
        let mut causes = String::new();
        let stretches = apart(self.periods.iter().map(|(_, window)| reach(window)));
        let mut condition = format!("({filter})");
        if ask == Ask::Evidence {
            let mut places = Vec::new();
            for place in &self.causes {
                places.push(condition_of(place, &mut query)?);
            }
            let list: Vec<String> = places
                .iter()
                .enumerate()
                .map(|(cause, place)| format!("case when {place} then {cause} end"))
                .collect();
            let _ = write!(causes, ", [{}] as causes", list.join(", "));
            let _ = write!(condition, " and ({})", places.join(" or "));
        }
        let blind: Vec<String> =
            self.blind.iter().map(|name| format!("null::varchar as {name}")).collect();
        let blind = match blind.is_empty() {
            true => String::new(),
            false => format!(" replace ({})", blind.join(", ")),
        };
        let marked = match self.mark {
            Some(mark) => format!("rec = 'd' and {}", mark.sql()),
            None => "false".to_owned(),
        };
        let scans = |has_time_queued: bool| -> Vec<_> {
            if matches!(ask, Ask::Waiting | Ask::Cohort) {
                // What is near a period may be near another too: each reads for itself.
                let scan = |(period, window): &Period| {
                    let (since, until) = (window.since.micros(), window.until.micros());
                    let columns = format!(
                        "*, {period} as period, make_timestamp({since}) as since, \
                         make_timestamp({until}) as until"
                    );
                    let within = within("time_logged", reach(window));
                    (columns, format!("{within} and {condition}"))
                };
                return self.periods.iter().map(scan).collect();
            }
            let scan = |stretch: &Window| {
                // Where a stretch is a period, no record has to be asked.
                let alone = self.alone(*stretch).filter(|_| ask != Ask::Queued);
                let period = alone.map_or_else(|| format!("case {number}end"), |n| n.to_string());
                let within = within("time_logged", *stretch);
                let carried = match ask {
                    Ask::Messages | Ask::Records if has_time_queued => {
                        format!(", {} as carried", self.carried(*stretch))
                    }
                    Ask::Records => ", null::boolean as carried".to_owned(),
                    Ask::Deliveries | Ask::Evidence => format!(", {marked} as marked"),
                    _ => String::new(),
                };
                let columns = format!("*{blind}, {period} as period{causes}{carried}");
                (columns, format!("{within} and {condition}"))
            };
            stretches.iter().map(scan).collect()
        };
        let sql = match ask {
            Ask::Complaints => ask.sql().replace("period()", &format!("case {number}end")),
            Ask::Limit => ask.sql().replace("metric()", &format!("{}()", self.metric)),
            _ => ask.sql().to_owned(),
        };
        query.sql = narrowed_by("stored", &scans(true), &sql);
        let is_whole = |(_, window): &Period| whole_hours(*window) == *window;
        let is_enough = ask != Ask::Records || self.is_long();
        if ask.only_counts() && is_enough && self.periods.iter().all(is_whole) {
            query.over_hours = selection.reads().map(|reads| {
                let sum = ask.sql().replace("count(*)", "sum(records.records)::bigint");
                let sql = narrowed_by(&hours_as_records(), &scans(false), &sum);
                OverHours { sql, is_local: reads.is_local }
            });
        }
        Ok(query)
    }

    /// Whether the periods are so long that what was queued before one, of which `hourly` knows
    /// nothing, is no matter in it.
    fn is_long(&self) -> bool {
        const LONG_S: i64 = 12 * 3600;
        self.periods.iter().all(|(_, window)| window.until.0 - window.since.0 >= LONG_S)
    }

    /// Whether a record is of a message that was queued before its period began.
    fn carried(&self, stretch: Window) -> String {
        let queued_before =
            |window: &Window| format!("time_queued < make_timestamp({})", window.since.micros());
        if self.alone(stretch).is_some() {
            return queued_before(&stretch);
        }
        let cases = self.periods.iter().map(|(_, window)| {
            format!("when {} then {} ", within("time_logged", *window), queued_before(window))
        });
        format!("case {}end", cases.collect::<String>())
    }

    /// The number of the period that `stretch` is, if it meets no other.
    fn alone(&self, stretch: Window) -> Option<i64> {
        let meets = |window: &Window| window.since < stretch.until && stretch.since < window.until;
        let mut met = self.periods.iter().filter(|(_, window)| meets(window));
        match (met.next(), met.next()) {
            (Some((number, window)), None) if *window == stretch => Some(*number),
            _ => None,
        }
    }
}

/// Whether the column lies in the window. In numbers of ours, so nothing is to be bound.
fn within(column: &str, window: Window) -> String {
    let (since, until) = (window.since.micros(), window.until.micros());
    format!("({column} >= make_timestamp({since}) and {column} < make_timestamp({until}))")
}

/// The same time as windows of which no two meet.
fn apart(windows: impl Iterator<Item = Window>) -> Vec<Window> {
    let mut windows: Vec<Window> = windows.collect();
    windows.sort_by_key(|window| window.since);
    let mut apart: Vec<Window> = Vec::new();
    for window in windows {
        match apart.last_mut().filter(|last| window.since <= last.until) {
            Some(last) => last.until = last.until.max(window.until),
            None => apart.push(window),
        }
    }
    apart
}

fn condition_of(place: &Place, query: &mut Query) -> Result<String> {
    let mut all = vec!["true".to_owned()];
    for (name, value) in place {
        let dimension = dimension(name)?;
        match value {
            Some(text) => {
                let param = format!("c{}", query.values.len());
                all.push(format!("{} = ${param}", dimension.sql));
                query.values.insert(param, Value::Text(text.clone()));
            }
            None => all.push(format!("{} is null", dimension.sql)),
        }
    }
    Ok(format!("({})", all.join(" and ")))
}

#[cfg(test)]
mod tests {
    use duckdb::Connection;
    use pmtaq_schema::columns::HOURLY;
    use pmtaq_schema::{COLUMNS, Column};

    use super::*;
    use crate::hours::HOURS_VIEW;
    use crate::setup::source;

    /// What `messages.sql` counts, said plainly: each recipient is a group.
    const PLAINLY: &str = "
tried as (
    select
        period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried,
        hash(rcpt, time_queued) as message,
        min(rec) as outcome,
        min(bounce_cat) filter (rec = 'b') as bounced_for,
        min(bounce_cat) filter (rec = 't') as held_for,
        min(bounce_class) filter (rec = 'b') as class
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
    count(*) as n
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
    fn engine() -> Connection {
        let one_of = |list: &str, salt: i64| {
            format!("list_extract([{list}], (hash(range, {salt}) % len([{list}]) + 1)::bigint)")
        };
        let columns = [
            ("rec", "'d', 'd', 'd', 'd', 'b', 't', 't', 'rb', 'r'"),
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
            source(&[], COLUMNS)
        );
        connection.execute_batch(&rows).expect("records");
        connection.execute_batch(crate::prelude::MACROS).expect("macros");
        connection
    }

    fn minutes(since: i64, until: i64) -> Window {
        Window { since: Timestamp(60 * since), until: Timestamp(60 * until) }
    }

    /// Holds that both statements give the same rows, and tells how many.
    fn same(connection: &Connection, a: &str, b: &str) -> i64 {
        let number = |sql: &str| -> i64 {
            connection.query_row(sql, [], |row| row.get(0)).expect("a number")
        };
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
            let (records, _) = ours.split_once(",\ntried as (").expect("what is counted");
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
        for ask in [Ask::Had, Ask::Remote, Ask::Records, Ask::Injected] {
            for (reached, selection) in [(false, &Selection::default()), (true, &selection)] {
                // Of records it does not tell what was queued before, which long windows do without.
                let length = if ask == Ask::Records { 720 } else { 60 };
                let periods =
                    vec![(0, minutes(120, 120 + length)), (1, minutes(120 - length, 120))];
                let class = reached.then(|| "hard".to_owned());
                let why = Why { periods, reached, class, ..Why::default() };
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
}
