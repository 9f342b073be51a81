//! What is known of the cause of an alert: the replies of its records, what `why` finds, and a command
//! that shows more. Judges nothing.

use pmtaq_alert::{Rule, Seen, Watch};
use pmtaq_query::Selection;
use pmtaq_render::words::{count, cut, duration, visible};
use pmtaq_schema::{Record, Timestamp, Window, Zone};
use pmtaq_why::Cause;

use super::command::arguments;
use super::observe::Watcher;
use super::{ingests, probe};
use crate::asked;
use crate::command_line::{CommandLine, filters};
use crate::commands::measure;
use crate::commands::why::page::{Page, named};
use crate::commands::why::{Explanation, Question};
use crate::failure::Result;

const MAX_REPLIES: u32 = 3;
const MAX_CAUSES: usize = 2;
/// A reply is cut to so many columns.
const WIDTH: usize = 300;

/// Reasons, and the command.
pub(crate) fn of(
    watcher: &mut Watcher<'_>,
    rule: &Rule,
    seen: &Seen,
    at: Timestamp,
) -> Result<(Vec<String>, Option<String>)> {
    let window = Window { since: Timestamp(at.0 - seen.window_s), until: at };
    let zone = watcher.context.global.tz;
    let args = arguments(rule, seen);
    let line = |line: CommandLine| {
        let line = line.filters(&filters(&args)).others(&args.others);
        let line = args.condition.iter().fold(line, |line, sql| line.option("--where", sql));
        let line = if zone == Zone::UTC { line } else { line.option("--tz", zone.to_string()) };
        line.text()
    };
    let name = match (rule.watch, &rule.metric) {
        (Watch::Metric, Some(name)) => name.as_str(),
        (Watch::NewReply, _) => {
            let reply = seen.labels.first().map(|(_, reply)| reply.as_str()).unwrap_or_default();
            return Ok((Vec::new(), CommandLine::new("explain").word(reply).text()));
        }
        (Watch::FailedIngests, _) => {
            let failed = ingests::failed(watcher.context);
            let since = failed.since.map(|since| format!("since {since}"));
            let reasons = since.into_iter().chain([visible(&failed.reason)]);
            return Ok((reasons.collect(), CommandLine::new("doctor").text()));
        }
        (Watch::Lock, _) => {
            let locked = probe::locked(&watcher.context.global.store)?;
            let reasons = locked.into_iter().map(|lock| format!("by {}", visible(&lock.owner)));
            return Ok((reasons.collect(), CommandLine::new("status").text()));
        }
        (Watch::RefusedLines, _) => return Ok((Vec::new(), CommandLine::new("rejects").text())),
        _ => return Ok((Vec::new(), CommandLine::new("status").text())),
    };
    watcher.turn_to_window(seen.window_s, at)?;
    let mut reasons = replies(watcher, name, &asked::selection(&args))?;
    if let Some(newest) = watcher.newest()?.filter(|newest| newest.0 + 1 < at.0) {
        let age = duration((watcher.context.now.0 - newest.0) as f64);
        reasons.insert(
            0,
            format!(
                "the newest record of all is {age} old: nothing is logged, or nothing ingested"
            ),
        );
    }
    let Some(metric) = pmtaq_why::Metric::named(name) else {
        let by = if rule.by.is_empty() { "template".to_owned() } else { rule.by.join(",") };
        let pivot = CommandLine::new("pivot").option("--rows", by).option("--metric", name);
        return Ok((reasons, line(pivot.window(window))));
    };
    let frame = watcher.frame(metric, seen.window_s, at)?;
    if !frame.baseline.is_empty() {
        // Among its like, so that what sets it apart is seen.
        let mut like = seen.clone();
        like.labels.pop();
        let like = arguments(rule, &like);
        let mut by = rule.by.iter().filter_map(|name| pmtaq_query::dimension(name).ok());
        let by = by.find(|by| by.is_of_field() && !metric.is_of_complaints());
        let session = &watcher.asked()?.session;
        let question = Question { session, frame: &frame, selection: &like, by, has_others: false };
        reasons.extend(causes(&question.tell(metric)?, &seen.labels, zone));
    }
    let span = format!("{}..{}", window.since, window.until);
    Ok((reasons, line(CommandLine::new("why").word(name).option("--window", span))))
}

/// The replies that came most often: of bounces, if the metric counts these, else of deferrals.
fn replies(watcher: &mut Watcher<'_>, metric: &str, selection: &Selection) -> Result<Vec<String>> {
    let needs = pmtaq_query::watched(metric)?.needs;
    let of_bounces = needs.contains(Record::Bounce) && !needs.contains(Record::Deferral);
    let names = [if of_bounces { "bounced" } else { "deferred" }.to_owned()];
    let measured =
        measure::measure(&watcher.asked()?.session, "template", &names, MAX_REPLIES, selection)?;
    let reply = |group: &measure::GroupValues| {
        let n = group.values[0].unwrap_or(0.0);
        (n > 0.0).then(|| format!("{} times: {}", count(n), cut(&visible(&group.name), WIDTH)))
    };
    Ok(measured.groups.iter().filter_map(reply).collect())
}

/// The causes that `why` names, but for those of other groups.
fn causes(told: &Explanation, labels: &[(String, String)], zone: Zone) -> Vec<String> {
    let page = Page::new(told, zone, None);
    let is_of_another = |cause: &Cause| {
        let mut pairs = cause.values.iter().chain(&cause.implied);
        pairs.any(|(dim, value)| {
            let same = labels.iter().find(|(other, _)| other == dim);
            same.is_some_and(|(_, label)| value.as_deref().is_some_and(|value| value != label))
        })
    };
    let causes = told.answer.causes.iter().enumerate();
    let causes = causes.filter(|(_, cause)| !cause.values.is_empty() && !is_of_another(cause));
    let cause = |(place, cause): (usize, &Cause)| {
        let since = told.evidence.get(place).map(|evidence| page.since(evidence));
        format!(
            "{}: {}{}; {}",
            named(cause),
            page.rates(cause),
            since.unwrap_or_default(),
            cause.reading.text()
        )
    };
    causes.take(MAX_CAUSES).map(cause).collect()
}
