//! What is measured for a rule: its values now, and those of the same hours of the days before.
//! Judges nothing, and opens the store only when a rule asks for it.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use chrono::Days;
use pmtaq_alert::{Rule, Seconds, Seen, Watch};
use pmtaq_query::{
    Lack, Measured, Moments, QUEUE_DEPTH, Selection, dimension, first_seen, waiting, waiting_reads,
    watched,
};
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Window, Zone};
use pmtaq_store::layout::Table;

use super::{ingests, probe, usual};
use crate::asked::{self, Asked};
use crate::commands::measure;
use crate::commands::why::Frame;
use crate::context::Context;
use crate::failure::Result;
use crate::versus::Versus;

/// Days before that say what is usual.
pub(super) const USUAL_DAYS: u32 = 7;
/// A reply is new only where the store reaches so far back.
const LEAST_HISTORY_S: i64 = DAY_S;
/// What records without a reply are grouped as.
const NONE: &str = "(none)";
/// Nothing but deliveries has no reply worth a word.
const REPLIES: [&str; 2] = ["bounced", "deferred"];
/// What PMTA writes when it does anything at all.
const ATTEMPTS: [&str; 2] = ["sent", "deferred"];

/// The store, as the rules look at it.
pub(crate) struct Watcher<'c> {
    pub(crate) context: &'c Context,
    hull: Window,
    /// Opened when a rule asks for it, and again after one has failed.
    asked: Option<Asked>,
    newest: Option<Option<Timestamp>>,
    turned_to: Option<Window>,
    /// What was measured before single moments, by all that makes it what it is: rules that differ in
    /// nothing but their limits ask once.
    measured: HashMap<String, Measured>,
}

impl<'c> Watcher<'c> {
    /// Who looks at what rules need that are judged from `since` to `until`.
    pub(crate) fn new(context: &'c Context, since: Timestamp, until: Timestamp) -> Watcher<'c> {
        // What is usual of the longest window, and what `why` reads before and after it.
        let back = (i64::from(USUAL_DAYS) + 5) * DAY_S;
        let hull = Window {
            since: Timestamp(since.0.saturating_sub(back)),
            until: Timestamp(until.0.saturating_add(DAY_S)),
        };
        Watcher {
            context,
            hull,
            asked: None,
            newest: None,
            turned_to: None,
            measured: HashMap::new(),
        }
    }

    /// The session and the snapshot that it reads.
    pub(crate) fn asked(&mut self) -> Result<&mut Asked> {
        if self.asked.is_none() {
            self.asked = Some(asked::open_whole(self.context, self.hull)?);
        }
        Ok(self.asked.as_mut().expect("it was opened above"))
    }

    /// Forgets the session: after an error the engine may be of no use any more.
    pub(crate) fn close(&mut self) {
        self.asked = None;
        self.turned_to = None;
    }

    /// First and last day of the store.
    pub(crate) fn first_moment(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.asked()?.snapshot.span.map(|(first, _)| first.start()))
    }

    /// The newest record up to now, by what the parts say of themselves.
    pub(crate) fn newest(&mut self) -> Result<Option<Timestamp>> {
        if let Some(newest) = self.newest {
            return Ok(newest);
        }
        let store = self.context.store()?;
        let newest = match store.snapshot(self.hull)?.newest() {
            Some(newest) => Some(newest),
            None => store.newest()?,
        };
        let newest = newest.map(|newest| newest.min(self.context.now));
        self.newest = Some(newest);
        Ok(newest)
    }

    fn turn_to(&mut self, window: Window) -> Result<()> {
        if self.asked.is_some() && self.turned_to == Some(window) {
            return Ok(());
        }
        let Asked { session, snapshot, .. } = self.asked()?;
        session.turn_to(snapshot, window)?;
        self.turned_to = Some(window);
        Ok(())
    }

    /// What a rule sees when it is judged by the records before `at`; `is_on` says which groups are a problem
    /// already.
    pub(crate) fn now(
        &mut self,
        rule: &Rule,
        at: Timestamp,
        is_on: impl Fn(&Seen) -> bool,
    ) -> Result<Vec<Seen>> {
        let alone = |value: f64| vec![Seen { value, ..Seen::default() }];
        let process = rule.process.as_deref().unwrap_or_default();
        match rule.watch {
            Watch::Metric => {
                let mut all = Vec::new();
                for window in &rule.windows {
                    all.extend(self.by_metric(rule, *window, at, &is_on)?);
                }
                Ok(all)
            }
            Watch::NewReply => {
                let window = Seconds(rule.longest_window_s());
                let measured = self.with_days_before(rule, window, at, 0)?;
                let before = Window { until: Timestamp(at.0 - window.0), ..self.hull };
                let known = self.values_in(before, "template", &of_refusals(rule))?;
                let is_new = |reply: &str| reply != NONE && !known.contains(reply);
                self.new_replies(rule, &measured, is_new, at)
            }
            Watch::Silence => self.silence(rule),
            Watch::Lag => self.lag(rule),
            Watch::RefusedLines => {
                let since = Timestamp(self.context.now.0 - rule.longest_window_s());
                let n = pmtaq_query::refused_lines(&self.asked()?.session, since)?;
                Ok(alone(n as f64))
            }
            Watch::FailedIngests => Ok(alone(ingests::failed(self.context).n.into())),
            Watch::Lock => {
                let since = probe::locked(&self.context.global.store)?.and_then(|lock| lock.since);
                Ok(alone(since.map_or(0.0, |since| (self.context.now.0 - since.0) as f64)))
            }
            Watch::Process => {
                let n = probe::processes(process)?.len() as f64;
                Ok(vec![Seen { value: n, is_absent: n == 0.0, ..Seen::default() }])
            }
            Watch::Memory | Watch::VirtualMemory => {
                let share = match rule.watch {
                    Watch::Memory => probe::memory(process)?,
                    _ => probe::address_space(process)?,
                };
                let absent = || vec![Seen { is_absent: true, ..Seen::default() }];
                Ok(share.map_or_else(absent, alone))
            }
            Watch::Swap => Ok(alone(probe::swap()?)),
            Watch::Disk => Ok(alone(probe::disk(rule.path.as_deref().unwrap_or_default())?)),
        }
    }

    /// What a rule over a metric sees in one of its windows. The days before are asked only where a group
    /// is judged by them: mostly the limits of a rate say that all is well.
    fn by_metric(
        &mut self,
        rule: &Rule,
        window: Seconds,
        at: Timestamp,
        is_on: impl Fn(&Seen) -> bool,
    ) -> Result<Vec<Seen>> {
        let (first, zone) = (self.first_moment()?.unwrap_or(at), self.zone());
        let metric = rule.metric.as_deref().map(watched).transpose()?;
        // Who is gone is seen among those of the days before.
        if metric.is_some_and(|metric| !metric.unit.is_sum()) {
            let measured = self.with_days_before(rule, window, at, 0)?;
            let seen = usual::seen(rule, window, &measured, at, first, zone)?;
            if !seen.iter().any(|seen| rule.may_be(seen, is_on(seen))) {
                return Ok(seen);
            }
        }
        let days = if rule.needs_usual() { USUAL_DAYS } else { 0 };
        let measured = self.with_days_before(rule, window, at, days)?;
        usual::seen(rule, window, &measured, at, first, zone)
    }

    /// Why the metric of a rule is not known before `at`, of some of its groups or of all; and whether it is
    /// of all.
    pub(crate) fn unknown(&mut self, rule: &Rule, at: Timestamp) -> Result<(Vec<Lack>, bool)> {
        let metric = rule.metric.as_deref().map(watched).transpose()?;
        let Some(metric) = metric else { return Ok((Vec::new(), false)) };
        self.turn_to_window(rule.longest_window_s(), at)?;
        let by = rule.by.iter().map(|name| dimension(name));
        let by = by.collect::<pmtaq_query::Result<Vec<_>>>()?;
        let lacks = self.asked()?.session.unknown([metric], &by, &selection(rule))?;
        // A count that is not known must not be taken for one of nothing.
        let is_of_all = lacks.iter().any(|lack| !lack.is_of_groups) || metric.unit.is_sum();
        let is_of_all = is_of_all && !lacks.is_empty();
        Ok((lacks, is_of_all))
    }

    pub(super) fn zone(&self) -> Zone {
        self.context.global.tz
    }

    /// The numbers before `at`, and those of so many days before.
    fn with_days_before(
        &mut self,
        rule: &Rule,
        window: Seconds,
        at: Timestamp,
        days: u32,
    ) -> Result<Measured> {
        let mut measured = Measured::new();
        // A window by itself, so that no part of the time between is read.
        for day in 0..=days {
            let at = days_before(at, day, self.zone());
            let question = format!("{} {at}", question(rule, window)?);
            if let Some(known) = self.measured.get(&question) {
                measured.extend(known.clone());
                continue;
            }
            self.turn_to(Window { since: Timestamp(at.0 - window.0), until: at })?;
            let before = self.measure(rule, window, at, DAY_S, 1)?;
            self.measured.insert(question, before.clone());
            measured.extend(before);
        }
        Ok(measured)
    }

    /// The numbers of a rule at `n` moments up to `last`, whatever the session was turned to.
    pub(super) fn measure_past(
        &mut self,
        rule: &Rule,
        window: Seconds,
        last: Timestamp,
        step_s: i64,
        n: i64,
    ) -> Result<Measured> {
        let reads = Window { since: Timestamp(last.0 - (n - 1) * step_s - window.0), until: last };
        // Whole days: what of a day is logged is judged by all of it.
        let day_after = Timestamp(last.0 - 1).day().start().0 + DAY_S;
        let days = Window { since: reads.since.day().start(), until: Timestamp(day_after) };
        let is_empty = self.asked()?.snapshot.of(Table::Records, reads).next().is_none();
        if is_empty && questions(rule)?.1 != [QUEUE_DEPTH] {
            return Ok(Measured::new());
        }
        self.turn_to(days)?;
        self.measure(rule, window, last, step_s, n)
    }

    /// The numbers of a rule at `n` moments up to `last`.
    fn measure(
        &mut self,
        rule: &Rule,
        window: Seconds,
        last: Timestamp,
        step_s: i64,
        n: i64,
    ) -> Result<Measured> {
        let (by, names) = questions(rule)?;
        if names == [QUEUE_DEPTH] {
            return self.queue(rule, last, step_s, n);
        }
        let moments = Moments::new(&by, &names, window.0, last, step_s, n)?;
        let session = &self.asked()?.session;
        let guard = crate::ui::interrupt(session.interrupt());
        let measured = moments.run(session, &selection(rule))?;
        drop(guard);
        Ok(measured)
    }

    /// The depth of the queue at `n` moments up to `last`, by what was known then. Leaves the session turned
    /// to one of them.
    fn queue(&mut self, rule: &Rule, last: Timestamp, step_s: i64, n: i64) -> Result<Measured> {
        let mut measured = Measured::new();
        for moment in (0..n).map(|step| Timestamp(last.0 - step * step_s)) {
            self.turn_to(waiting_reads(moment))?;
            let session = &self.asked()?.session;
            let guard = crate::ui::interrupt(session.interrupt());
            let depths = waiting(session, moment, &rule.by, &selection(rule))?;
            drop(guard);
            let depths = depths.into_iter().map(|(group, depth)| (group, vec![Some(depth)]));
            measured.insert(moment, Rc::new(depths.collect()));
        }
        Ok(measured)
    }

    /// When each reply was seen first, as far as the session reaches.
    pub(crate) fn first_seen(&mut self, rule: &Rule) -> Result<HashMap<String, Timestamp>> {
        self.turn_to(self.hull)?;
        Ok(first_seen(&self.asked()?.session, &of_refusals(rule))?)
    }

    /// The values of a dimension that there are in `window`: which there are the rollup knows, when each was
    /// there first or last only the records.
    fn values_in(
        &mut self,
        window: Window,
        by: &str,
        selection: &Selection,
    ) -> Result<HashSet<String>> {
        self.turn_to(window)?;
        let (by, metrics) = ([by.to_owned()], ["deferred".to_owned()]);
        let length_s = window.until.0 - window.since.0;
        let moment = Moments::new(&by, &metrics, length_s, window.until, DAY_S, 1)?;
        let seen = moment.run(&self.asked()?.session, selection)?;
        let groups = seen.values().flat_map(|groups| groups.iter());
        Ok(groups.flat_map(|(group, _)| group.iter().cloned()).collect())
    }

    /// The replies before `at` that are new, as `is_new` says.
    pub(crate) fn new_replies(
        &mut self,
        rule: &Rule,
        measured: &Measured,
        is_new: impl Fn(&str) -> bool,
        at: Timestamp,
    ) -> Result<Vec<Seen>> {
        let window_s = rule.longest_window_s();
        let begin = at.0 - window_s;
        let stored = self.first_moment()?.map_or(i64::MAX, |first| first.0);
        let history = stored.max(self.hull.since.0);
        let Some(now) = measured.get(&at).filter(|_| begin - history >= LEAST_HISTORY_S) else {
            return Ok(Vec::new());
        };
        let is_refusal = |values: &[Option<f64>]| values.iter().flatten().any(|n| *n > 0.0);
        let is_told =
            |(group, values): &(&[String], &[Option<f64>])| is_refusal(values) && is_new(&group[0]);
        let seen = |(group, values): (&[String], &[Option<f64>])| {
            let n: f64 = values.iter().flatten().sum();
            let mut labels = vec![("template".to_owned(), group[0].clone())];
            labels.extend(usual::labels(rule, &group[1..]));
            Seen { labels, value: n, n: Some(n), window_s, ..Seen::default() }
        };
        Ok(now.iter().filter(is_told).map(seen).collect())
    }

    /// How old the newest record is, of each value of a dimension.
    fn lag(&mut self, rule: &Rule) -> Result<Vec<Seen>> {
        let now = self.context.now;
        let since_hull = (now.0 - self.hull.since.0) as f64;
        let nothing = Seen { value: since_hull, is_at_least: true, ..Seen::default() };
        let is_of_all = rule.only.is_empty() && rule.condition.is_none() && rule.by.is_empty();
        if is_of_all {
            let age =
                |newest: Timestamp| Seen { value: (now.0 - newest.0) as f64, ..Seen::default() };
            return Ok(vec![self.newest()?.map_or(nothing, age)]);
        }
        let by = rule.by.first().map_or("rec", String::as_str);
        let newest = self.newest_of(rule, by)?;
        if rule.by.is_empty() || newest.is_empty() {
            let age = |time: i64| Seen { value: (now.0 - time) as f64, ..Seen::default() };
            return Ok(vec![newest.values().map(|time| time.0).max().map_or(nothing, age)]);
        }
        let seen = |(name, time): (String, Timestamp)| Seen {
            labels: usual::labels(rule, &[name]),
            value: (now.0 - time.0) as f64,
            ..Seen::default()
        };
        Ok(newest.into_iter().map(seen).collect())
    }

    /// The newest record up to now of each value of a dimension, as far as the session reaches.
    fn newest_of(&mut self, rule: &Rule, by: &str) -> Result<HashMap<String, Timestamp>> {
        let (now, selection) = (self.context.now, selection(rule));
        let all = Window { until: Timestamp(now.0 + 1), ..self.hull };
        let late = Window { since: Timestamp(now.0 - DAY_S), ..all };
        let there = self.values_in(all, by, &selection)?;
        let mut newest: HashMap<String, Timestamp> = HashMap::new();
        // Most often everyone has written in the last day.
        for window in [late, all] {
            if there.iter().any(|name| !newest.contains_key(name)) {
                self.turn_to(window)?;
                let found = self.asked()?.session.newest(by, &selection)?;
                newest = found.into_iter().map(|(name, time)| (name, time.min(now))).collect();
            }
        }
        Ok(newest)
    }

    /// The groups of which nothing was attempted in the window up to now, where something usually is.
    fn silence(&mut self, rule: &Rule) -> Result<Vec<Seen>> {
        let (now, window) = (self.context.now, Seconds(rule.longest_window_s()));
        let measured = self.with_days_before(rule, window, now, USUAL_DAYS)?;
        let first = self.first_moment()?.unwrap_or(now);
        let is_stored = |day: &u32| days_before(now, *day, self.zone()).0 - window.0 >= first.0;
        let days: Vec<u32> = (1..=USUAL_DAYS).filter(is_stored).collect();
        let mut seen = usual::volumes(rule, window, &measured, now, &days, self.zone());
        if days.is_empty() {
            // Nothing is known to be usual: whoever wrote in the last day is expected to go on.
            let since = Timestamp(now.0 - DAY_S);
            self.turn_to(Window { since, until: now })?;
            let of_a_day = self.measure(rule, Seconds(DAY_S), now, DAY_S, 1)?;
            let all = usual::volumes(rule, window, &of_a_day, now, &[], self.zone());
            let is_known = |one: &Seen| seen.iter().any(|known| known.labels == one.labels);
            let more: Vec<Seen> = all.into_iter().filter(|one| !is_known(one)).collect();
            seen.extend(more.into_iter().map(|one| Seen { value: 0.0, ..one }));
        }
        for one in &mut seen {
            let is_expected = one.usual.is_none_or(|usual| usual >= rule.min_n);
            one.is_absent = one.value == 0.0 && is_expected;
        }
        Ok(seen)
    }

    /// A session turned to what `why` reads about the window before `at`, and its frame.
    pub(crate) fn frame(
        &mut self,
        metric: &pmtaq_why::Metric,
        window_s: i64,
        at: Timestamp,
    ) -> Result<Frame> {
        let window = Window { since: Timestamp(at.0 - window_s), until: at };
        let zone = self.zone();
        let versus = Versus::SameHour(USUAL_DAYS);
        let frame = Frame::of(&self.asked()?.snapshot, versus, window, zone).of_metric(metric);
        self.turn_to(frame.hull())?;
        Ok(frame)
    }

    /// A session turned to the window before `at`.
    pub(crate) fn turn_to_window(&mut self, window_s: i64, at: Timestamp) -> Result<()> {
        self.turn_to(Window { since: Timestamp(at.0 - window_s), until: at })
    }
}

/// The dimensions and the metrics that a rule is about.
fn questions(rule: &Rule) -> Result<(Vec<String>, Vec<String>)> {
    let owned = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    Ok(match &rule.metric {
        Some(name) => {
            let metric = watched(name)?;
            let base = measure::base(metric).map(str::to_owned);
            (rule.by.clone(), std::iter::once(metric.name.clone()).chain(base).collect())
        }
        None if rule.watch == Watch::Silence => (rule.by.clone(), owned(ATTEMPTS)),
        None => {
            let by = std::iter::once("template".to_owned()).chain(rule.by.iter().cloned());
            (by.collect(), owned(REPLIES))
        }
    })
}

/// All that makes the numbers of a rule in one of its windows what they are.
pub(super) fn question(rule: &Rule, window: Seconds) -> Result<String> {
    Ok(format!("{:?} {:?} {}", questions(rule)?, selection(rule), window.0))
}

/// The filters of a rule, of what was not delivered.
fn of_refusals(rule: &Rule) -> Selection {
    let selection = selection(rule);
    let bad = "rec <> 'd'";
    let condition = match selection.condition {
        Some(condition) => format!("({condition}\n) and {bad}"),
        None => bad.to_owned(),
    };
    Selection { condition: Some(condition), ..selection }
}

/// The filters of a rule.
pub(crate) fn selection(rule: &Rule) -> Selection {
    let mut selection = Selection { condition: rule.condition.clone(), ..Selection::default() };
    for (name, values) in &rule.only {
        selection.filter(name, values.clone());
    }
    selection
}

/// Whether the engine understands all that a rule asks for, whatever the store holds.
///
/// # Errors
/// What it says of the condition.
pub(super) fn check(context: &Context, rule: &Rule) -> Result<()> {
    let session = asked::open_nothing(context)?;
    session.check(&selection(rule))?;
    if rule.watch == Watch::Lag {
        session.newest(rule.by.first().map_or("rec", String::as_str), &selection(rule))?;
        return Ok(());
    }
    let (by, names) = questions(rule)?;
    if names == [QUEUE_DEPTH] {
        waiting(&session, context.now, &by, &selection(rule))?;
        return Ok(());
    }
    Moments::new(&by, &names, 60, context.now, 60, 1)?.run(&session, &selection(rule))?;
    Ok(())
}

/// The same time of the local clock so many days before.
pub(super) fn days_before(at: Timestamp, days: u32, zone: Zone) -> Timestamp {
    let local = zone.local(at);
    local.checked_sub_days(Days::new(days.into())).map_or(at, |local| zone.utc(local))
}
