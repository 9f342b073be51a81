//! The questions behind `pmtaq why`: the files of `sql/why`, over a window and its baseline.
//! Fetches counts and judges none of them.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use pmtaq_schema::columns::TIERS;
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Window};

use crate::dimension::{Dimension, Reads, dimension};
use crate::error::Result;
use crate::hours::whole_hours;
use crate::judged::Judged;
use crate::lex::tokens;
use crate::query::{OverHours, Query, Value, quoted};
use crate::rollup::{hours_as_records, over_hours, with_kept};
use crate::scope::within;
use crate::selection::Selection;
use crate::statement::{narrowed_by, only_records, without_unread};

/// A stretch of time and the number that its records get in the column `period`.
pub type Period = (i64, Window);

/// The dimensions of a leaf, in the order in which causes are named.
pub const LEAF: [&str; 6] =
    ["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"];

/// The dimension of a leaf that another may stand for.
pub const JOB: &str = "job_id";

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
    /// Who waited in the queue at the begin or the end of each period; see [`Why::lag_s`].
    Waiting,
    /// Who came into the queue and left it within a period.
    Passed,
    /// What each value of a dimension has, and its number in [`Why::told`].
    Marginals,
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
            Ask::Passed => include_str!("../../../sql/why/passed.sql"),
            Ask::Marginals => include_str!("../../../sql/why/marginals.sql"),
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
        matches!(
            self,
            Ask::Had | Ask::Remote | Ask::Records | Ask::Injected | Ask::Cohort | Ask::Marginals
        )
    }

    /// Whether it is counted of records in memory, where these are.
    pub const fn is_in_memory(self) -> bool {
        matches!(self, Ask::Messages | Ask::Remote | Ask::Records | Ask::Injected)
    }

    /// Whether it can have places in a list for the names of the dimensions: to group by texts and to hand
    /// them over takes several times as long, and most are never a cause.
    pub const fn is_by_place(self) -> bool {
        matches!(
            self,
            Ask::Messages
                | Ask::Remote
                | Ask::Records
                | Ask::Injected
                | Ask::Queued
                | Ask::Deliveries
                | Ask::Cohort
        )
    }
}

/// What a cause is: values of dimensions, none for records without one.
pub type Place = Vec<(String, Option<String>)>;

/// Which records are asked for.
#[derive(Clone, Debug, Default)]
pub struct Why {
    /// The window and its baseline.
    pub periods: Vec<Period>,
    /// For [`Ask::Waiting`]: seconds before a period in which records tell who waits, if more than two hours.
    pub before_s: i64,
    /// For [`Ask::Queued`] and [`Ask::Waiting`]: seconds after its end in which a period is still watched.
    pub lag_s: i64,
    /// Of each dimension which values are told apart, by the numbers that [`Ask::Marginals`] gives them: the place
    /// of its number in this list stands for a value where [`Ask::is_by_place`], 0 for all others.
    pub told: Option<Vec<(String, Vec<u64>)>>,
    /// For [`Ask::Marginals`]: the dimensions.
    pub of: Vec<&'static str>,
    /// For [`Ask::Marginals`]: the kinds that enter the metric, and those that it counts, by the words of
    /// the other statements.
    pub kinds: [Vec<&'static str>; 2],
    /// For [`Ask::Marginals`]: whether the metric counts complaints, which are set against [`Ask::Cohort`].
    pub is_of_complaints: bool,
    /// Whether a message that is deferred is followed until it is not: then it is held.
    pub follows: bool,
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
    /// What stands in the place of the job, if something does: a header, or a dimension of the site.
    pub by: Option<&'static Dimension>,
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
    /// The questions [`Ask::Marginals`] about all dimensions: one, but where days are asked about one for those
    /// that a rollup by day tells apart, since that has few rows.
    ///
    /// # Errors
    /// As [`Why::query`].
    pub fn marginals(&self, selection: &Selection) -> Result<Vec<Query>> {
        let told = LEAF.iter().copied().filter(|dim| !self.blind.contains(dim));
        let mut left: Vec<&'static str> = told.collect();
        let mut groups = Vec::new();
        if self.is_of_days() {
            for tier in TIERS {
                let lacks = |dim: &&str| tier.without.contains(dim);
                let (rest, of) = left.into_iter().partition(|dim| lacks(dim));
                left = rest;
                groups.push(of);
            }
        }
        groups.push(left);
        let groups = groups.into_iter().filter(|of| !of.is_empty());
        groups.map(|of| Why { of, ..self.clone() }.query(Ask::Marginals, selection)).collect()
    }

    /// The question `ask`, for what `selection` lets through.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for a filter or a dimension that there is not.
    pub fn query(&self, ask: Ask, selection: &Selection) -> Result<Query> {
        let mut query = Query::default();
        let number = |flag: bool| Value::Int(flag.into());
        query.values.insert("reached".to_owned(), number(self.reached));
        let waits = if self.follows { "held" } else { "deferred" };
        query.values.insert("waits".to_owned(), Value::Text(waits.to_owned()));
        query.values.insert("step_s".to_owned(), Value::Int(self.step_s.max(1)));
        if let Some(class) = &self.class {
            query.values.insert("class".to_owned(), Value::Text(class.clone()));
        }
        let filter = selection.sql(&mut query)?;
        let reach = |window: &Window| self.reach(ask, *window);
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
                places.push(self.condition_of(place, &mut query)?);
            }
            let list: Vec<String> = places
                .iter()
                .enumerate()
                .map(|(cause, place)| format!("case when {place} then {cause} end"))
                .collect();
            let _ = write!(causes, ", [{}] as causes", list.join(", "));
            let _ = write!(condition, " and ({})", places.join(" or "));
        }
        let replaced = self.replaced(ask, &mut query);
        let marked = match self.mark {
            Some(mark) => format!("rec = 'd' and {}", mark.sql()),
            None => "false".to_owned(),
        };
        let scans = |has_time_queued: bool| -> Vec<_> {
            if ask == Ask::Cohort {
                let scan = |(n, stretch): (usize, &Window)| {
                    let within = within("time_logged", *stretch);
                    (format!("*{replaced}, {n} as stretch"), format!("{within} and {condition}"))
                };
                return self.pieces(ask).iter().enumerate().map(scan).collect();
            }
            if matches!(ask, Ask::Waiting | Ask::Passed) {
                // What is near a period may be near another too: each reads for itself.
                let scan = |(period, window): &Period| {
                    let (since, until) = (window.since.micros(), window.until.micros());
                    let columns = format!(
                        "*, {period} as period, make_timestamp({since}) as since, \
                         make_timestamp({until}) as until, {condition} as is_asked"
                    );
                    // A filter may let pass a reception and not what became of it.
                    (columns, within("time_logged", reach(window)))
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
                    Ask::Injected => {
                        ", provider as named, vmta is not distinct from vmta_pool as is_pool"
                            .to_owned()
                    }
                    Ask::Deliveries | Ask::Evidence => format!(", {marked} as marked"),
                    Ask::Marginals => {
                        let n = if has_time_queued { "1" } else { "records" };
                        format!(", {marked} as marked, {n} as n")
                    }
                    _ => String::new(),
                };
                let columns = format!("*{replaced}, {period} as period{causes}{carried}");
                (columns, format!("{within} and {condition}"))
            };
            stretches.iter().map(scan).collect()
        };
        let sql = match ask {
            Ask::Complaints => ask.sql().replace("period()", &format!("case {number}end")),
            Ask::Cohort => ask.sql().replace("stretches()", &self.periods_of_pieces(ask)),
            Ask::Marginals => self.marginals_of(ask.sql()),
            Ask::Limit => ask.sql().replace("metric()", &format!("{}()", self.metric)),
            _ => ask.sql().to_owned(),
        };
        query.sql = without_unread(narrowed_by("stored", &scans(true), &sql), &condition, &sql);
        let is_whole = |(_, window): &Period| whole_hours(*window) == *window;
        let is_enough = ask != Ask::Records || self.is_long();
        let by = self.by.map_or(Some(Reads::default()), |by| by.reads());
        // Which deliveries are marked is known of none of its rows.
        let is_counted = ask.only_counts() && !(ask == Ask::Marginals && self.mark.is_some());
        let by = by.filter(|_| is_counted && is_enough && self.periods.iter().all(is_whole));
        if let Some(by) = by {
            query.over_hours = selection.reads().map(|reads| {
                let sum = sql.replace("count(*)", "sum(records.records)::bigint");
                let sql = only_records(&hours_as_records(), &scans(false), &sum);
                let (is_local, by_days) = (reads.is_local, self.is_of_days());
                let over = OverHours { sql, is_local, by_days, ..OverHours::default() };
                with_kept(over, &[&reads, &by])
            });
        }
        if ask == Ask::Limit && self.is_of_complaints && self.periods.iter().all(is_whole) {
            query.over_hours = selection.reads().and_then(|reads| {
                let of_periods = format!("{condition} and (case {number}end) is not null");
                let body = sql.replace(
                    "from records",
                    &format!("from (select *, case {number}end as period from records)"),
                );
                let by = Reads::hour(false);
                let over = over_hours(&body, &of_periods, &by, &Judged::default())?;
                let is_local = reads.is_local;
                let over = OverHours { is_local, by_days: self.is_of_days(), ..over };
                Some(with_kept(over, &[&reads]))
            });
        }
        // What it does not name makes it no other question.
        let named: HashSet<&str> =
            tokens(&query.sql).filter_map(|token| token.strip_prefix('$')).collect();
        query.values.retain(|name, _| named.contains(name.as_str()));
        Ok(query)
    }

    /// What is read for a period.
    fn reach(&self, ask: Ask, window: Window) -> Window {
        let lag_s = if ask.looks_behind() { self.lag_s } else { 0 };
        // What complaints are about has numbers, though it was delivered before.
        let is_of_cohort = ask == Ask::Marginals && self.is_of_complaints;
        let before_s = match ask {
            _ if is_of_cohort => COHORT_S,
            Ask::Waiting => self.before_s.max(ask.before_s()),
            _ => ask.before_s(),
        };
        Window {
            since: Timestamp(window.since.0.saturating_sub(before_s)),
            until: Timestamp(window.until.0.saturating_add(lag_s)),
        }
    }

    /// What is read for the periods, cut where it begins or ends for one of them.
    fn pieces(&self, ask: Ask) -> Vec<Window> {
        let all: Vec<Window> = self.periods.iter().map(|(_, w)| self.reach(ask, *w)).collect();
        let ends: BTreeSet<Timestamp> = all.iter().flat_map(|w| [w.since, w.until]).collect();
        let ends: Vec<Timestamp> = ends.into_iter().collect();
        let pieces = ends.windows(2).map(|ends| Window { since: ends[0], until: ends[1] });
        pieces.filter(|piece| all.iter().any(|window| holds(*window, *piece))).collect()
    }

    /// For each piece the periods that it is read for, in SQL.
    fn periods_of_pieces(&self, ask: Ask) -> String {
        let pieces = self.pieces(ask);
        let mut pairs = Vec::new();
        for (period, window) in &self.periods {
            let reach = self.reach(ask, *window);
            let read = (0..pieces.len()).filter(|n| holds(reach, pieces[*n]));
            pairs.extend(read.map(|n| format!("({n}, {period})")));
        }
        // Without a period there is no piece.
        if pairs.is_empty() { "(null, null)".to_owned() } else { pairs.join(", ") }
    }

    /// What stands for the dimensions in the records that are asked for, in SQL.
    fn replaced(&self, ask: Ask, query: &mut Query) -> String {
        let told = self.told.as_ref().filter(|_| ask.is_by_place());
        let numbers = |dim: &str| {
            told.map(|told| told.iter().find(|(of, _)| of == dim).map_or(&[][..], |(_, all)| all))
        };
        let replaced = LEAF.iter().filter_map(|dim| {
            let by = self.by.filter(|_| *dim == JOB).map(|by| by.sql);
            // A dimension that is not asked for is not named.
            if ask == Ask::Marginals && !self.of.contains(dim) {
                return None;
            }
            match (self.blind.contains(dim), numbers(dim), by) {
                (true, Some(_), _) => Some(format!("null::integer as {dim}")),
                (true, None, _) => Some(format!("null::varchar as {dim}")),
                (false, Some(numbers), by) => {
                    // What is no list is no number either: one that no name has ends it.
                    let texts = numbers.iter().chain(&[0]).map(u64::to_string);
                    let list = texts.collect::<Vec<_>>().join(" ");
                    query.values.insert(format!("told_{dim}"), Value::Text(list));
                    // Of a list that is the same for all rows, the engine looks up each name of a page once. Behind
                    // those that are told apart there is the number of none.
                    let list = format!(
                        "list_append(string_split($told_{dim}, ' ')::ubigint[], hash(null::varchar))"
                    );
                    let value = by.unwrap_or(dim);
                    Some(format!("coalesce(list_position({list}, hash({value})), 0) as {dim}"))
                }
                (false, None, by) => by.map(|sql| format!("{sql} as {dim}")),
            }
        });
        let replaced: Vec<String> = replaced.collect();
        if replaced.is_empty() {
            String::new()
        } else {
            format!(" replace ({})", replaced.join(", "))
        }
    }

    /// The text of [`Ask::Marginals`] with what is asked.
    fn marginals_of(&self, sql: &str) -> String {
        let list =
            |words: &[&str]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
        let [entered, counted] = self.kinds.each_ref().map(|kinds| list(kinds));
        let sets: Vec<String> = self.of.iter().map(|dim| format!("(period, {dim})")).collect();
        sql.replace("entered()", &entered)
            .replace("counted()", &counted)
            .replace("names()", &list(&self.of))
            .replace("each_dim()", &sets.join(", "))
            .replace("dims()", &self.of.join(", "))
    }

    /// Whether the periods are whole days, UTC.
    fn is_of_days(&self) -> bool {
        let is_begin = |at: Timestamp| at.0 % DAY_S == 0;
        self.periods.iter().all(|(_, window)| is_begin(window.since) && is_begin(window.until))
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

    /// The condition that a record is of a cause.
    fn condition_of(&self, place: &Place, query: &mut Query) -> Result<String> {
        let mut all = vec!["true".to_owned()];
        for (name, value) in place {
            let dimension = match self.by.filter(|_| name == JOB) {
                Some(by) => by,
                None => dimension(name)?,
            };
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

/// Whether all of `piece` lies in `window`.
fn holds(window: Window, piece: Window) -> bool {
    window.since <= piece.since && piece.until <= window.until
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

#[cfg(test)]
pub(crate) mod tests;
