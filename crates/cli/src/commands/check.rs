//! `pmtaq check`: a plugin for monitoring systems. Fetches the numbers; the verdict and its words
//! are those of `pmtaq_alert`. Whatever fails here is UNKNOWN.

use std::time::Duration;

use pmtaq_alert::{Limits, Perf, Plugin, ServiceStatus};
use pmtaq_query::{Lack, Metric, QUEUE_DEPTH, Selection, waiting_reads, watched};
use pmtaq_render::words::{self, count, visible};
use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::{Timestamp, Unit, Window};

use crate::args::{self, Few};
use crate::asked::{self, Asked};
use crate::commands::measure::{self, GroupValues};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{show, ui};

/// Denominator below which a rate is noise.
const LEAST: u64 = 20;
/// How far back the newest record is looked for, where the window has none.
const REACH_S: i64 = 7 * 86_400;
/// Groups that are told one by one.
const MAX_TOLD: usize = 50;

/// Says that nothing is known, and why.
pub(crate) fn unknown(why: &str) -> Exit {
    let mut lines = why.lines().map(|line| line.trim_start_matches("pmtaq: "));
    let plugin = Plugin {
        service: "pmtaq".to_owned(),
        status: ServiceStatus::Unknown,
        headline: lines.next().unwrap_or("no reason was given").to_owned(),
        lines: lines.filter(|line| !line.is_empty()).map(str::to_owned).collect(),
        perf: Vec::new(),
    };
    ui::say(&plugin.to_string());
    Exit::Checked(ServiceStatus::Unknown)
}

pub(crate) fn run(context: &Context, args: &args::Check) -> Result<Exit> {
    let timeout = seconds("timeout", &args.timeout)?;
    let is_lag = args.metric == "lag";
    let last = if is_lag { "7d" } else { "1h" };
    let mut window = asked::window_or_last(context, &args.selection.times, last)?;
    if !is_lag && is_queue(args) {
        // Who waits at its end has a record of the day before.
        window = waiting_reads(window.until.min(context.now));
    }
    let asked = asked::open_whole(context, window)?;
    let guard = ui::interrupt(asked.session.interrupt());
    let stop = asked.session.interrupt();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(timeout.unsigned_abs()));
        // Told again and again: the engine forgets what comes just before a statement.
        loop {
            stop.interrupt();
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let checked = if is_lag { lag(context, args, &asked) } else { metric(context, args, &asked) };
    drop(guard);
    let plugin = checked.map_err(|failure| match failure.exit {
        Exit::Interrupted => Failure::usage(format!("no answer within {}", args.timeout)),
        _ => failure,
    })?;
    show::print(context, &plugin.to_string())?;
    Ok(Exit::Checked(plugin.status))
}

/// A group with its value and the verdict.
struct Judged {
    name: String,
    value: Option<f64>,
    n: Option<f64>,
    status: ServiceStatus,
}

fn metric(context: &Context, args: &args::Check, asked: &Asked) -> Result<Plugin> {
    let metric = watched(&args.metric)?;
    let base = measure::base(metric);
    if let (None, Some(_)) = (base, args.min_n) {
        return Err(Failure::usage(format!(
            "--min-n is for rates and durations; `{}` is a count, and stands for itself",
            metric.name
        )));
    }
    let limits = limits(args);
    let selection = asked::selection(&args.selection);
    asked.session.check(&selection)?;
    let names: Vec<String> =
        std::iter::once(metric.name.as_str()).chain(base).map(str::to_owned).collect();
    let by = args.by.as_deref();
    let top = if by.is_some() { 0 } else { 1 };
    let session = &asked.session;
    let measured = if is_queue(args) {
        measure::queue(session, by, asked.window.until, &selection)?
    } else {
        measure::measure(session, by.unwrap_or("host"), &names, top, &selection)?
    };
    let lacks: Vec<String> = asked.session.take_lacks().iter().map(Lack::to_string).collect();
    let newest = asked.session.newest("rec", &Selection::default())?;
    let newest = newest.iter().map(|(_, time)| *time).max();
    let span = if is_queue(args) {
        format!("at {}", crate::window::minute(asked.window.until, context.global.tz))
    } else {
        span_text(context, asked.window)
    };
    let Some(newest) = newest else {
        return nothing(context, args, asked, metric);
    };
    let groups: Vec<GroupValues> = match by {
        Some(_) => measured.groups,
        // Other records are there: of these there were none, which is a count of 0.
        None => vec![measured.total.unwrap_or_else(|| GroupValues {
            name: metric.name.clone(),
            values: vec![base.is_none().then_some(0.0), Some(0.0)],
        })],
    };
    let least = args.min_n.unwrap_or(LEAST) as f64;
    let judge = |group: GroupValues| {
        let value = group.values[0];
        let n = base.and_then(|_| group.values.get(1).copied().flatten());
        let is_few = base.is_some() && n.unwrap_or(0.0) < least;
        let status = match value {
            Some(value) if !is_few => limits.judge(value),
            _ => ServiceStatus::Unknown,
        };
        let name = if by.is_some() { group.name } else { metric.name.clone() };
        Judged { name, value, n, status }
    };
    let mut judged: Vec<Judged> = groups.into_iter().map(judge).collect();
    let perf = perf(metric, &judged, &limits, args.top);
    let lag = asked.window.until.0.min(context.now.0) - newest.0;
    if lag > seconds("max-lag", &args.max_lag)? {
        let text = format!(
            "the newest record is {} old, of {newest}; nothing is judged from more than {} on",
            words::duration(lag as f64),
            args.max_lag
        );
        return Ok(unknown_of(metric, text, perf));
    }
    // Worst first, and of these the largest first, as they came.
    judged.sort_by_key(|group| std::cmp::Reverse(group.status.urgency()));
    let is_known = |group: &&Judged| group.status != ServiceStatus::Unknown;
    let n_known = judged.iter().filter(is_known).count();
    let Some(worst) = judged.iter().find(is_known).filter(|_| n_known > 0) else {
        let of = base.unwrap_or(&metric.name);
        let most = judged.iter().filter_map(|group| group.n).fold(0.0, f64::max);
        let text = if let Some(lack) = lacks.first() {
            return Ok(unknown_of(metric, format!("not judged {span}: {lack}"), perf));
        } else if judged.is_empty() {
            format!("no records of that kind {span}")
        } else {
            format!("too few to judge {span}: {} {of} at most, {least} needed", count(most))
        };
        let plugin = unknown_of(metric, text, perf);
        let status = if args.few == Few::Ok { ServiceStatus::Ok } else { ServiceStatus::Unknown };
        return Ok(Plugin { status, ..plugin });
    };
    let status = worst.status;
    let mut headline = group_text(metric, worst, &limits, by.is_some());
    if by.is_some() {
        for other in [ServiceStatus::Critical, ServiceStatus::Warning, ServiceStatus::Ok] {
            let n = judged.iter().filter(|group| group.status == other).count();
            let n = n - usize::from(other == status);
            if n > 0 {
                headline.push_str(&format!(", {n} more {other}"));
            }
        }
    }
    headline.push_str(&format!("; {span}"));
    let bad = judged.iter().filter(|group| is_known(group) && group.status != ServiceStatus::Ok);
    let mut lines: Vec<String> = bad
        .skip(1)
        .take(MAX_TOLD)
        .map(|group| format!("{} {}", group.status, group_text(metric, group, &limits, true)))
        .collect();
    let n_unknown = judged.iter().filter(|group| group.value.is_none()).count();
    lines.extend(lacks.iter().map(|lack| format!("not judged: {lack}")));
    let n_few = judged.len() - n_known - if lacks.is_empty() { 0 } else { n_unknown };
    if n_few > 0 {
        lines.push(format!("{n_few} not judged: fewer than {least} {}", base.unwrap_or("records")));
    }
    Ok(Plugin { service: metric.name.clone(), status, headline, lines, perf })
}

/// Whether the depth of the queue is asked for.
fn is_queue(args: &args::Check) -> bool {
    args.metric.replace('-', "_") == QUEUE_DEPTH
}

/// The verdict on a window without any record: of a count it is 0. That may be less than there must be,
/// whoever is to blame; but it is fine only while newer records may not be late.
fn nothing(
    context: &Context,
    args: &args::Check,
    asked: &Asked,
    metric: &Metric,
) -> Result<Plugin> {
    let span = span_text(context, asked.window);
    let until = asked.window.until.min(context.now);
    let before = Window { since: Timestamp(until.0.saturating_sub(REACH_S)), until };
    let newest =
        asked::open_whole(context, before)?.session.newest("rec", &Selection::default())?;
    let newest = newest.into_iter().map(|(_, time)| time).max();
    let is_count = metric.unit.is_sum() && args.by.is_none();
    let Some(newest) = newest.filter(|_| is_count) else {
        return Ok(unknown_of(metric, format!("no records {span}"), Vec::new()));
    };
    let limits = limits(args);
    let (name, value) = (metric.name.clone(), Some(0.0));
    let mut judged = Judged { name, value, n: None, status: limits.judge(0.0) };
    let lag = until.0 - newest.0;
    if judged.status == ServiceStatus::Ok && lag > seconds("max-lag", &args.max_lag)? {
        judged.status = ServiceStatus::Unknown;
    }
    let age = format!("the newest record is {} old, of {newest}", words::duration(lag as f64));
    let headline =
        format!("{}; no records {span}; {age}", group_text(metric, &judged, &limits, false));
    let (service, status) = (metric.name.clone(), judged.status);
    let perf = perf(metric, &[judged], &limits, 1);
    Ok(Plugin { service, status, headline, lines: Vec::new(), perf })
}

/// How old the newest record is, of each value of a dimension.
fn lag(context: &Context, args: &args::Check, asked: &Asked) -> Result<Plugin> {
    let by = args.by.as_deref();
    let selection = asked::selection(&args.selection);
    asked.session.check(&selection)?;
    let limits = limits(args);
    let mut newest = asked.session.newest(by.unwrap_or("rec"), &selection)?;
    if by.is_none() {
        let all = newest.iter().map(|(_, time)| *time).max();
        newest = all.map(|time| ("lag".to_owned(), time)).into_iter().collect();
    }
    let mut judged: Vec<(ServiceStatus, f64, String, Timestamp)> = newest
        .into_iter()
        .map(|(name, time)| {
            let lag = (asked.window.until.0.min(context.now.0) - time.0) as f64;
            (limits.judge(lag), lag, name, time)
        })
        .collect();
    judged.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.2.cmp(&b.2)));
    judged.sort_by_key(|(status, ..)| std::cmp::Reverse(status.urgency()));
    let perf = judged.iter().take(if args.top == 0 { usize::MAX } else { args.top });
    let perf = perf.map(|(_, lag, name, _)| Perf {
        label: name.clone(),
        value: Some(*lag),
        unit: "s",
        limits: limits.clone(),
    });
    let line = |(status, lag, name, time): &(ServiceStatus, f64, String, Timestamp)| {
        let whose = by.map(|_| format!("{} ", visible(name))).unwrap_or_default();
        let limit = limits.of(*status).map(|range| format!(" (limit {range})"));
        let old = words::duration(*lag);
        format!("{whose}newest record {old} old, of {time}{}", limit.unwrap_or_default())
    };
    let (perf, service) = (perf.collect(), "lag".to_owned());
    let Some(worst) = judged.first() else {
        let headline = format!("no records {}", span_text(context, asked.window));
        let lines = Vec::new();
        return Ok(Plugin { service, status: ServiceStatus::Unknown, headline, lines, perf });
    };
    let bad = judged.iter().skip(1).filter(|(status, ..)| *status != ServiceStatus::Ok);
    let lines = bad.take(MAX_TOLD).map(|group| format!("{} {}", group.0, line(group))).collect();
    Ok(Plugin { service, status: worst.0, headline: line(worst), lines, perf })
}

fn limits(args: &args::Check) -> Limits {
    Limits { warning: args.warning.clone(), critical: args.critical.clone() }
}

fn unknown_of(metric: &Metric, headline: String, perf: Vec<Perf>) -> Plugin {
    let (service, lines) = (metric.name.clone(), Vec::new());
    Plugin { service, status: ServiceStatus::Unknown, headline, lines, perf }
}

fn perf(metric: &Metric, judged: &[Judged], limits: &Limits, top: usize) -> Vec<Perf> {
    let unit = match metric.unit {
        Unit::Percent => "%",
        Unit::Seconds => "s",
        Unit::Bytes => "B",
        _ => "",
    };
    let shown = judged.iter().take(if top == 0 { usize::MAX } else { top });
    let perf = |group: &Judged| Perf {
        label: group.name.clone(),
        value: group.value,
        unit,
        limits: limits.clone(),
    };
    shown.map(perf).collect()
}

/// A group in words: `microsoft 16.0 % of 1,204 sent (limit 10)`.
fn group_text(metric: &Metric, group: &Judged, limits: &Limits, is_named: bool) -> String {
    let name = if is_named { format!("{} ", visible(&group.name)) } else { String::new() };
    let value = group.value.unwrap_or(f64::NAN);
    let value = measure::value_text(metric, value);
    let of = group.n.zip(measure::base(metric)).map(|(n, base)| format!(" of {} {base}", count(n)));
    let limit = limits.of(group.status).map(|range| format!(" (limit {range})"));
    format!("{name}{value}{}{}", of.unwrap_or_default(), limit.unwrap_or_default())
}

fn span_text(context: &Context, window: Window) -> String {
    format!("from {}", asked::window_text(context, window))
}

fn seconds(name: &str, text: &str) -> Result<i64> {
    parse_duration_s(text).ok_or_else(|| {
        Failure::usage(format!("--{name} `{text}` is not a valid duration; write it like 2h"))
    })
}
