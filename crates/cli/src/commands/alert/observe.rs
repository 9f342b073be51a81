//! What is measured for a rule: values now, those of the same hours of the days before, those of the
//! others. Judges nothing.

use std::collections::{BTreeSet, HashMap};

use chrono::Days;
use pmtaq_alert::{Rule, Seen, Watch, group_name};
use pmtaq_query::{Measured, Metric, Moments, Selection, Session, dimension, first_seen, metric};
use pmtaq_render::words::{count, duration, percent, visible};
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Window, Zone};
use pmtaq_store::Snapshot;
use pmtaq_store::layout::Table;

use super::probe;
use crate::args;
use crate::asked::{self, Asked};
use crate::commands::measure;
use crate::commands::why::Frame;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::line::equals;
use crate::versus::Versus;

/// Days before that say what is usual.
const USUAL_DAYS: u32 = 7;
/// A reply is new only where the store reaches so far back.
const LEAST_HISTORY_S: i64 = DAY_S;
/// Nothing but deliveries has no reply worth a word.
const REPLIES: [&str; 2] = ["bounced", "deferred"];

/// The store, as the rules look at it.
pub(crate) struct Watcher<'c> {
    pub(crate) context: &'c Context,
    pub(crate) snapshot: Snapshot,
    pub(crate) session: Session,
    hull: Window,
}

impl<'c> Watcher<'c> {
    /// Opens what rules need that are judged from `since` to `until`.
    pub(crate) fn open(context: &'c Context, since: Timestamp, until: Timestamp) -> Result<Self> {
        // What is usual of the longest window, and what `why` reads after it.
        let back = (i64::from(USUAL_DAYS) + 2) * DAY_S;
        let hull = Window {
            since: Timestamp(since.0.saturating_sub(back)),
            until: Timestamp(until.0.saturating_add(DAY_S)),
        };
        let Asked { session, snapshot, .. } = asked::open_window(context, hull, &[])?;
        Ok(Watcher { context, snapshot, session, hull })
    }

    /// Whether the rule judges records, and not the machine or how late they are.
    pub(crate) fn is_of_records(rule: &Rule) -> bool {
        matches!(rule.watch, Watch::Metric | Watch::NewReply)
    }

    /// Whether the rule finds those of whom nothing comes any more.
    pub(crate) fn finds_silence(rule: &Rule) -> bool {
        let metric = rule.metric.as_deref().and_then(|name| metric(name).ok());
        rule.is_of_too_little() && metric.is_some_and(|metric| metric.unit.is_sum())
    }

    /// The newest record up to now.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let parts = self.snapshot.parts.iter().filter(|part| part.part.table == Table::Records);
        let newest = parts.map(|part| part.part.until).max().map(Timestamp);
        newest.map(|newest| newest.min(self.context.now))
    }

    fn turn_to(&mut self, window: Window) -> Result<()> {
        Ok(self.session.turn_to(&self.snapshot, window)?)
    }

    /// What a rule sees when it is judged by the records before `at`.
    pub(crate) fn now(&mut self, rule: &Rule, at: Timestamp) -> Result<Vec<Seen>> {
        let context = self.context;
        let alone =
            |value| vec![Seen { labels: Vec::new(), value, n: None, usual: None, peers: None }];
        match rule.watch {
            Watch::Metric | Watch::NewReply => {
                let days = if rule.needs_usual() { USUAL_DAYS } else { 0 };
                let mut measured = Measured::new();
                // A window by itself, so that no part of the time between is read.
                for day in 0..=days {
                    let at = days_before(at, day, context.global.tz);
                    self.turn_to(Window { since: Timestamp(at.0 - rule.window.0), until: at })?;
                    measured.extend(self.measure(rule, at, DAY_S, 1)?);
                }
                self.seen(rule, &measured, at)
            }
            Watch::Lag => {
                self.turn_to(self.hull)?;
                let selection = selection(rule);
                let by = rule.by.first().map_or("rec", String::as_str);
                let newest = self.session.newest(by, &selection)?;
                let newest = newest.into_iter().map(|(name, time)| (name, time.min(context.now)));
                if rule.by.is_empty() {
                    // Without any, the newest lies before all that was looked at.
                    let newest = newest.map(|(_, time)| time).max().unwrap_or(self.hull.since);
                    return Ok(alone((context.now.0 - newest.0) as f64));
                }
                let seen = |(name, time): (String, Timestamp)| Seen {
                    labels: vec![(by.to_owned(), name)],
                    value: (context.now.0 - time.0) as f64,
                    n: None,
                    usual: None,
                    peers: None,
                };
                Ok(newest.map(seen).collect())
            }
            Watch::Memory => {
                let process = rule.process.as_deref().unwrap_or_default();
                Ok(probe::memory(process)?.map(alone).unwrap_or_default())
            }
            Watch::Disk => Ok(alone(probe::disk(rule.path.as_deref().unwrap_or_default())?)),
        }
    }

    /// The numbers of a rule at `n` moments up to `last`.
    pub(crate) fn measure(
        &mut self,
        rule: &Rule,
        last: Timestamp,
        step_s: i64,
        n: i64,
    ) -> Result<Measured> {
        let (mut by, mut names) = (rule.by.clone(), Vec::new());
        match &rule.metric {
            Some(name) => {
                names.push(name.clone());
                names.extend(measure::base(metric(name)?).map(str::to_owned));
            }
            None => {
                by.insert(0, "template".to_owned());
                names.extend(REPLIES.map(str::to_owned));
            }
        }
        let moments = Moments::new(&by, &names, rule.window.0, last, step_s, n)?;
        let guard = crate::ui::interrupt(self.session.interrupt());
        let measured = moments.run(&self.session, &selection(rule))?;
        drop(guard);
        Ok(measured)
    }

    /// What a rule sees at one moment, by what was measured at all of them.
    fn seen(&mut self, rule: &Rule, measured: &Measured, at: Timestamp) -> Result<Vec<Seen>> {
        if rule.watch == Watch::NewReply {
            self.turn_to(self.hull)?;
            let first = self.first_seen(rule)?;
            return Ok(self.new_replies(rule, measured, &first, at));
        }
        let Some(name) = &rule.metric else { return Ok(Vec::new()) };
        Ok(of_metric(rule, metric(name)?, measured, at, self.context.global.tz))
    }

    /// When each reply was seen first, as far as the session reaches.
    pub(crate) fn first_seen(&self, rule: &Rule) -> Result<HashMap<String, Timestamp>> {
        let mut selection = selection(rule);
        let bad = "rec <> 'd'";
        selection.condition = Some(match selection.condition {
            Some(condition) => format!("({condition}\n) and {bad}"),
            None => bad.to_owned(),
        });
        Ok(first_seen(&self.session, &selection)?)
    }

    /// The replies that were never seen before the window before `at`.
    pub(crate) fn new_replies(
        &self,
        rule: &Rule,
        measured: &Measured,
        first: &HashMap<String, Timestamp>,
        at: Timestamp,
    ) -> Vec<Seen> {
        let begin = at.0 - rule.window.0;
        let history = self
            .snapshot
            .span
            .map_or(i64::MAX, |(first, _)| first.start().0)
            .max(self.hull.since.0);
        let Some(now) = measured.get(&at).filter(|_| begin - history >= LEAST_HISTORY_S) else {
            return Vec::new();
        };
        let is_new = |name: &String| first.get(name).is_some_and(|first| first.0 >= begin);
        let mut groups: Vec<_> = now.iter().filter(|(group, _)| is_new(&group[0])).collect();
        groups.sort_by_key(|(group, _)| *group);
        let seen = |(group, values): (&Vec<String>, &Vec<Option<f64>>)| {
            let n: f64 = values.iter().flatten().sum();
            let mut labels = vec![("template".to_owned(), group[0].clone())];
            labels.extend(all_labels(rule, &group[1..]));
            Seen { labels, value: n, n: Some(n), usual: None, peers: None }
        };
        groups.into_iter().map(seen).collect()
    }

    /// A session turned to what `why` reads about the window before `at`, and its frame.
    pub(crate) fn frame(&mut self, rule: &Rule, at: Timestamp) -> Result<Frame> {
        let window = Window { since: Timestamp(at.0 - rule.window.0), until: at };
        let frame =
            Frame::of(&self.snapshot, Versus::SameHour(USUAL_DAYS), window, self.context.global.tz);
        self.turn_to(frame.hull())?;
        Ok(frame)
    }

    /// A session turned to the window before `at`.
    pub(crate) fn turn_to_window(&mut self, rule: &Rule, at: Timestamp) -> Result<()> {
        self.turn_to(Window { since: Timestamp(at.0 - rule.window.0), until: at })
    }
}

/// The filters of a rule.
pub(crate) fn selection(rule: &Rule) -> Selection {
    let mut selection = Selection { condition: rule.condition.clone(), ..Selection::default() };
    for (name, values) in &rule.only {
        selection.filter(name, values.clone());
    }
    selection
}

/// The same time of the local clock so many days before.
fn days_before(at: Timestamp, days: u32, zone: Zone) -> Timestamp {
    let local = zone.local(at);
    local.checked_sub_days(Days::new(days.into())).map_or(at, |local| zone.utc(local))
}

/// What a rule over a metric sees at one moment.
pub(crate) fn of_metric(
    rule: &Rule,
    metric: &Metric,
    measured: &Measured,
    at: Timestamp,
    zone: Zone,
) -> Vec<Seen> {
    let nothing = HashMap::new();
    let now = measured.get(&at).unwrap_or(&nothing);
    let is_sum = metric.unit.is_sum();
    let days = 1..=if rule.needs_usual() { USUAL_DAYS } else { 0 };
    let before = days.filter_map(|day| measured.get(&days_before(at, day, zone)));
    let before: Vec<_> = before.collect();
    let mut groups: BTreeSet<&Vec<String>> = now.keys().collect();
    if is_sum {
        // Who sent nothing is a group too, with a count of nothing.
        groups.extend(before.iter().flat_map(|day| day.keys()));
        let all = Vec::new();
        if rule.by.is_empty() && groups.is_empty() {
            return vec![Seen {
                labels: all_labels(rule, &all),
                value: 0.0,
                n: None,
                usual: None,
                peers: None,
            }];
        }
    }
    let of = |values: Option<&Vec<Option<f64>>>| -> (Option<f64>, Option<f64>) {
        match values {
            Some(values) => (values[0], values.get(1).copied().flatten()),
            None => (is_sum.then_some(0.0), None),
        }
    };
    let enough = |n: Option<f64>| is_sum || n.unwrap_or(0.0) >= rule.min_n;
    let seen = |group: &&Vec<String>| {
        let (value, n) = of(now.get(*group));
        let usual = before.iter().map(|day| of(day.get(*group))).filter(|(_, n)| enough(*n));
        Some(Seen {
            labels: all_labels(rule, group),
            value: value?,
            n: if is_sum { None } else { Some(n.unwrap_or(0.0)) },
            usual: middle(usual.filter_map(|(value, _)| value).collect()),
            peers: None,
        })
    };
    let mut all: Vec<Seen> = groups.iter().filter_map(seen).collect();
    if rule.times_peers.is_some() {
        let before_last = |seen: &Seen| seen.labels[..seen.labels.len() - 1].to_vec();
        let peers: Vec<Option<f64>> = all
            .iter()
            .map(|one| {
                let others = all.iter().filter(|other| {
                    other.labels != one.labels
                        && before_last(other) == before_last(one)
                        && enough(other.n)
                });
                let others: Vec<f64> = others.map(|other| other.value).collect();
                // One other is no crowd.
                if others.len() < 2 { None } else { middle(others) }
            })
            .collect();
        all.iter_mut().zip(peers).for_each(|(seen, peers)| seen.peers = peers);
    }
    all
}

fn all_labels(rule: &Rule, group: &[String]) -> Vec<(String, String)> {
    let names =
        rule.by.iter().map(|name| dimension(name).map_or(name.as_str(), |known| known.name));
    names.map(str::to_owned).zip(group.iter().cloned()).collect()
}

fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// What was measured, in words.
pub(crate) fn words(rule: &Rule, seen: &Seen) -> String {
    let name = group_name(&seen.labels);
    let who = if name.is_empty() { String::new() } else { format!("{}: ", visible(&name)) };
    let what = match rule.watch {
        Watch::Lag => return format!("{who}the newest record is {} old", duration(seen.value)),
        Watch::Memory => {
            let process = rule.process.as_deref().unwrap_or_default();
            return format!("{process} has {} of the memory", percent(seen.value));
        }
        Watch::Disk => {
            let path = rule.path.as_deref().unwrap_or_default();
            return format!("the disk of {path} is {} full", percent(seen.value));
        }
        Watch::NewReply => {
            let rest = group_name(seen.labels.get(1..).unwrap_or_default());
            let at = if rest.is_empty() { String::new() } else { format!(" ({})", visible(&rest)) };
            let reply = seen.labels.first().map(|(_, reply)| visible(reply)).unwrap_or_default();
            return format!("new reply, {} times{at}: {reply}", count(seen.value));
        }
        Watch::Metric => rule.metric.as_deref().and_then(|name| metric(name).ok()),
    };
    let Some(metric) = what else { return who };
    let of = seen.n.zip(measure::base(metric)).map(|(n, base)| format!(" of {} {base}", count(n)));
    let usual = seen.usual.map(|usual| format!(", usually {}", measure::spelt(metric, usual)));
    let peers = seen.peers.map(|peers| format!(", others {}", measure::spelt(metric, peers)));
    format!(
        "{who}{} {}{}{}{}",
        metric.name,
        measure::spelt(metric, seen.value),
        of.unwrap_or_default(),
        usual.unwrap_or_default(),
        peers.unwrap_or_default()
    )
}

/// The filters of a rule and of a group as arguments of the command line.
pub(crate) fn arguments(rule: &Rule, seen: &Seen) -> args::Selection {
    let mut args = args::Selection::default();
    let mut conditions: Vec<String> = rule.condition.iter().map(|sql| format!("({sql})")).collect();
    for (name, value) in &seen.labels {
        let value = (value != "(none)").then_some(value.as_str());
        let flag = match name.as_str() {
            "rcpt_domain" => &mut args.domain,
            "provider" => &mut args.provider,
            "vmta" => &mut args.vmta,
            "vmta_pool" => &mut args.pool,
            "dlv_source_ip" => &mut args.ip,
            "sender_domain" => &mut args.sender,
            "job_id" => &mut args.job,
            "host" => &mut args.host,
            "bounce_cat" => &mut args.category,
            _ => {
                conditions.push(equals(name, value));
                continue;
            }
        };
        match value.filter(|value| !value.contains('*')) {
            Some(value) => flag.push(value.to_owned()),
            None => conditions.push(equals(name, value)),
        }
    }
    for (name, values) in &rule.only {
        let any: Vec<String> = values.iter().map(|value| equals(name, Some(value))).collect();
        conditions.push(format!("({})", any.join(" or ")));
    }
    args.condition = (!conditions.is_empty()).then(|| conditions.join(" and "));
    args
}

/// A wrong name or a file that cannot be read.
pub(crate) fn unreadable(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::failed(&std::io::Error::other(format!("cannot read {what}: {error}")))
}
