//! What changed against the same hours of the days before, as `why` finds it. A long window is not
//! explained as one, since two bad hours are lost in a month: of each metric its most unusual days
//! are. Finds no cause of its own.

use pmtaq_render::page::{Level, Problem, Said};
use pmtaq_render::words::{count, percent};
use pmtaq_schema::{Timestamp, Window};
use pmtaq_why::{Cause, Metric, Reading, Stage, Verdict};

use super::weighed::{Weighed, level};
use crate::commands::report::desk::{Desk, LONG_S};
use crate::commands::report::figures;
use crate::commands::why::page::{Page, command, named};
use crate::commands::why::{Evidence, Explanation, Frame, Reply};
use crate::failure::Result;
use crate::versus::Versus;

/// What is explained, and by which column of `volume` a day stands out.
const METRICS: [(&str, &str); 4] = [
    ("deferral_rate", "deferred"),
    ("bounce_rate", "bounced"),
    ("delivered", "delivered"),
    ("complaint_rate", "complaints"),
];

/// Days with fewer than this say nothing.
const FEW: f64 = 100.0;

/// Of a long window, this many days are explained for each metric.
const DAYS: usize = 3;

/// An unusual number that comes to fewer recipients is not worth a word.
const LEAST: f64 = 10.0;

/// Dimensions with their values; none where the records have no value.
type Values = Vec<(String, Option<String>)>;

pub(super) fn find(
    desk: &mut Desk<'_>,
    versus: Versus,
    notes: &mut Vec<String>,
) -> Result<(Vec<Weighed>, Vec<Explanation>)> {
    let windows = windows(desk)?;
    let mut found: Vec<Weighed> = Vec::new();
    // What each of them is about, so that a trouble of two days is one problem.
    let mut known: Vec<(Stage, Values)> = Vec::new();
    let mut all_told = Vec::new();
    for (metric, window) in windows {
        let frame = Frame::of(&desk.snapshot, versus, window, desk.zone);
        if frame.baseline.is_empty() {
            let note = "no such hours in the store before the window: changes were not looked for";
            if !notes.iter().any(|known| known == note) {
                notes.push(note.to_owned());
            }
            continue;
        }
        let told = desk.why(&frame, |question| question.tell(metric))?;
        // One incident hits several jobs: causes with the same words are one problem.
        let mut groups: Vec<Vec<(&Cause, &Evidence)>> = Vec::new();
        let nothing = Evidence::default();
        for (number, cause) in told.answer.causes.iter().enumerate() {
            if !is_told(&told, cause) {
                continue;
            }
            let evidence = told.evidence.get(number).unwrap_or(&nothing);
            let is_same = |group: &&mut Vec<(&Cause, &Evidence)>| {
                let (first, said) = group[0];
                let reply = |of: &Evidence| of.replies.first().map(|reply| reply.template.clone());
                first.stage == cause.stage
                    && reply(evidence).is_some_and(|text| reply(said) == Some(text))
            };
            match groups.iter_mut().find(is_same) {
                Some(group) => group.push((cause, evidence)),
                None => groups.push(vec![(cause, evidence)]),
            }
        }
        for group in &groups {
            let about = (group[0].0.stage, group[0].0.values.clone());
            let weighed = problem(desk, &told, group);
            match known.iter().position(|other| *other == about) {
                Some(worse) => found[worse].problem.facts.push(again(desk, &told, &weighed)),
                None => {
                    known.push(about);
                    found.push(weighed);
                }
            }
        }
        let change = told.answer.now - told.answer.usual;
        let counted = told.answer.of.map_or(change, |(of, _)| change * of / 100.0).abs();
        let is_unexplained = told.answer.verdict == Verdict::Unexplained;
        if is_unexplained && is_bad(&told, change) && counted >= LEAST {
            notes.push(format!(
                "{} is unusual, but no single cause: spread across all traffic",
                told.answer.metric.name
            ));
        }
        all_told.push(told);
    }
    Ok((found, all_told))
}

/// What is explained: the window, or for each metric the worst days of it, the worst first.
fn windows(desk: &mut Desk<'_>) -> Result<Vec<(&'static Metric, Window)>> {
    let named = METRICS.iter().filter_map(|(name, column)| Some((Metric::named(name)?, *column)));
    let metrics: Vec<(&'static Metric, &str)> = named.collect();
    if desk.window.until.0 - desk.window.since.0 <= LONG_S {
        return Ok(metrics.into_iter().map(|(metric, _)| (metric, desk.window)).collect());
    }
    let days = desk.ask("volume", &[("per", "day")])?;
    let starts = days.times("time");
    let (delivered, bounced) = (days.numbers("delivered"), days.numbers("bounced"));
    let mut windows = Vec::new();
    for (metric, column) in metrics {
        let counted = days.numbers(column);
        let share = |row: usize| {
            let sent = delivered[row].unwrap_or(0.0) + bounced[row].unwrap_or(0.0);
            let of = if metric.is_rate() { sent } else { 1.0 };
            (sent >= FEW).then(|| counted[row].unwrap_or(0.0) / of)
        };
        let shares: Vec<Option<f64>> = (0..days.n_rows()).map(share).collect();
        let worst = most_unusual(&shares, metric.is_rate());
        let starts = worst.into_iter().take(DAYS).filter_map(|row| starts[row]);
        windows.extend(starts.map(|start| (metric, day(desk, start))));
    }
    Ok(windows)
}

/// The day of the local clock that begins at the local time `start`, as far as it lies in the window.
fn day(desk: &Desk<'_>, start: Timestamp) -> Window {
    // The column is a local time, counted as if it were UTC.
    let date = pmtaq_schema::Zone::UTC.local(start).date();
    let next = date.succ_opt().unwrap_or(date);
    Window {
        since: desk.zone.day_start(date).max(desk.window.since),
        until: desk.zone.day_start(next).min(desk.window.until),
    }
}

/// The days, the worst first: the one with the highest rate; a volume falls every weekend, so of
/// volumes those that lie below half of the middle one of their weekday, the lowest below it first.
fn most_unusual(shares: &[Option<f64>], is_rate: bool) -> Vec<usize> {
    let middle_of_weekday = |row: usize| {
        let mut sorted: Vec<f64> =
            shares.iter().skip(row % 7).step_by(7).flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    };
    let badness = |row: usize| {
        let share = shares[row]?;
        if is_rate {
            return Some(share);
        }
        let usual = middle_of_weekday(row)?;
        (share < usual / 2.0).then_some(usual - share)
    };
    let mut known: Vec<(usize, f64)> =
        (0..shares.len()).filter_map(|row| Some((row, badness(row)?))).collect();
    known.sort_by(|a, b| b.1.total_cmp(&a.1));
    known.into_iter().map(|(row, _)| row).collect()
}

/// Whether a change of the metric is for the worse.
fn is_bad(told: &Explanation, change: f64) -> bool {
    match told.answer.metric.name {
        "delivered" => change < 0.0,
        _ => change > 0.0,
    }
}

/// Whether a cause is for the worse, and no other metric tells it.
fn is_told(told: &Explanation, cause: &Cause) -> bool {
    // What is deferred or bounced is told by its own metric.
    let is_twice = told.answer.metric.name == "delivered"
        && !matches!(cause.stage, Stage::Injection | Stage::Queue);
    !is_twice && !is_mix(cause) && is_bad(told, cause.effect) && cause.reading != Reading::Relief
}

/// Whether there is only more of what fares no worse than usual.
fn is_mix(cause: &Cause) -> bool {
    let share = |(entered, counted): (f64, f64)| counted / entered;
    let is_share = matches!(
        cause.stage,
        Stage::Bounce | Stage::Deferral | Stage::Deferrals | Stage::Complaints
    );
    is_share && share(cause.now) <= share(cause.usual)
}

/// A problem of causes that have their stage and their words in common.
fn problem(desk: &Desk<'_>, told: &Explanation, causes: &[(&Cause, &Evidence)]) -> Weighed {
    let words = Page::new(told, desk.zone, None);
    let (first, evidence) = causes[0];
    let weight = causes.iter().map(|(cause, _)| (cause.now.1 - cause.expected).abs()).sum();
    let effect = causes.iter().map(|(cause, _)| cause.effect).sum();
    // What is left of several jobs has nothing but the time in common.
    let is_named = |cause: &Cause| cause.values.iter().any(|pair| !is_group(pair));
    let mut heads: Vec<&Cause> =
        causes.iter().map(|(cause, _)| *cause).filter(|cause| is_named(cause)).collect();
    if heads.is_empty() {
        heads = causes.iter().map(|(cause, _)| *cause).collect();
    }
    let shared = shared(&heads);
    let mut facts: Vec<String> = causes
        .iter()
        .map(|(cause, _)| format!("{}: {}", named(cause), words.rates(cause)))
        .collect();
    facts.push(format!(
        "{} {}, usually {}; {} by this",
        told.answer.metric.name,
        words.value(told.answer.now),
        words.value(told.answer.usual),
        words.change(effect)
    ));
    facts.extend(told.notes.iter().filter(|note| note.starts_with("the last record")).cloned());
    let is_one_address = shared.iter().any(|(dim, _)| ADDRESSES.contains(&dim.as_str()));
    let reading = match (heads.len(), is_one_address) {
        (1, _) => heads[0].reading.text(),
        (_, true) => Reading::IpReputation.text(),
        (_, false) => Reading::Receiver.text(),
    };
    let problem = Problem {
        // Of what was explained, which may be a day of many.
        level: level(weight, told.answer.of.map_or(told.answer.usual, |(of, _)| of)).min(
            // Who sends less may have less to say.
            if first.stage == Stage::Injection { Level::Warning } else { Level::Alarm },
        ),
        kind: kind(first.stage).to_owned(),
        title: title(&heads, &shared),
        when: when(desk, told, words.since(evidence).trim_start_matches(", ")),
        reading: reading.to_owned(),
        facts,
        replies: evidence.replies.iter().map(said).collect(),
        command: command(told, first),
    };
    Weighed::new(problem, weight)
}

/// One line on a lesser day of a problem that is known.
fn again(desk: &Desk<'_>, told: &Explanation, lesser: &Weighed) -> String {
    let day = desk.zone.local(told.window.since).format("%a %-d %b");
    format!("also on {day}: {}", lesser.problem.title)
}

/// Dimensions that name our own addresses.
const ADDRESSES: [&str; 3] = ["vmta_pool", "vmta", "dlv_source_ip"];

/// Whether a value stands for several jobs.
fn is_group((_, value): &(String, Option<String>)) -> bool {
    value.as_deref().is_some_and(pmtaq_why::is_group_of_jobs)
}

/// What the records of all causes have in common; of a single one, what names it.
fn shared(causes: &[&Cause]) -> Values {
    let first = causes[0];
    if causes.len() == 1 {
        return first.values.clone();
    }
    let has = |cause: &Cause, pair: &(String, Option<String>)| {
        cause.values.contains(pair) || cause.implied.contains(pair)
    };
    let pairs = first.values.iter().chain(&first.implied);
    pairs.filter(|pair| causes.iter().all(|cause| has(cause, pair))).cloned().collect()
}

const fn kind(stage: Stage) -> &'static str {
    match stage {
        Stage::Injection => "Fewer messages",
        Stage::Queue => "Waiting in our queue",
        Stage::Carried => "Retries of earlier mail",
        Stage::Deferral | Stage::Deferrals => "Deferrals",
        Stage::Bounce => "Bounces",
        Stage::Complaints => "Complaints",
        Stage::Attempts | Stage::Deliveries => "Volume",
    }
}

/// Who, and what happened to how many, in one line.
fn title(causes: &[&Cause], shared: &[(String, Option<String>)]) -> String {
    let name = |pair: &(String, Option<String>)| match pair {
        pair if is_group(pair) => "several jobs".to_owned(),
        (_, Some(value)) => value.clone(),
        (dim, None) => format!("no {dim}"),
    };
    let values: Vec<String> = shared.iter().map(name).collect();
    let who = if values.is_empty() { "everywhere".to_owned() } else { values.join(", ") };
    let verb = match causes[0].stage {
        Stage::Injection => "injected",
        Stage::Queue => "not yet attempted",
        Stage::Carried => "of earlier mail tried",
        Stage::Deferral => "wait deferred",
        Stage::Bounce => "bounced",
        Stage::Attempts => "attempts",
        Stage::Deferrals => "of attempts deferred",
        Stage::Deliveries => "delivered",
        Stage::Complaints => "complained",
    };
    let part = |of: fn(&Cause) -> (f64, f64)| {
        let (entered, counted) = causes.iter().fold((0.0, 0.0), |sum, cause| {
            let (entered, counted) = of(cause);
            (sum.0 + entered, sum.1 + counted)
        });
        if entered > 0.0 { percent(100.0 * counted / entered) } else { count(counted) }
    };
    format!("{who}: {} {verb}, usually {}", part(|cause| cause.now), part(|cause| cause.usual))
}

/// The day, where it is one of several, and since when.
fn when(desk: &Desk<'_>, told: &Explanation, since: &str) -> String {
    if told.window == desk.window {
        return since.to_owned();
    }
    let day = desk.zone.local(told.window.since).format("%a %-d %b");
    format!("{day} {since}").trim_end().to_owned()
}

fn said(reply: &Reply) -> Said {
    Said {
        often: format!("{} times, usually {}", count(reply.now), count(reply.usual)),
        meaning: figures::meaning(&reply.template),
        reply: reply.template.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekend_is_no_unusual_volume_and_half_a_day_is() {
        let week = [90.0, 100.0, 100.0, 100.0, 80.0, 40.0, 30.0];
        let mut days: Vec<Option<f64>> = week.iter().cycle().take(28).copied().map(Some).collect();
        assert!(most_unusual(&days, false).is_empty());
        days[16] = Some(45.0);
        assert_eq!(most_unusual(&days, false), [16]);
        assert_eq!(most_unusual(&[Some(2.0), None, Some(7.0), Some(2.1)], true), [2, 3, 0]);
        assert!(most_unusual(&[], true).is_empty());
    }
}
