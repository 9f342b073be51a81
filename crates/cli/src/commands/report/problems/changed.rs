//! What changed against the same hours of the days before, as `why` finds it. A long window is not
//! explained as one, since two bad hours are lost in a month: of each metric its most unusual days
//! are. Finds no cause of its own.

use pmtaq_query::Moments;
use pmtaq_render::page::{Level, Problem, Said};
use pmtaq_render::words::{count, percent};
use pmtaq_schema::{Timestamp, Window};
use pmtaq_why::{Cause, Metric, Reading, Stage, Verdict};

use super::weighed::{Weighed, level};
use crate::commands::measure::middle;
use crate::commands::report::desk::{Desk, LONG_S};
use crate::commands::why::page::{Page, command, meaning, named};
use crate::commands::why::{Evidence, Explanation, Frame, Reply};
use crate::failure::Result;
use crate::versus::Versus;

/// What is explained, and by which column of `volume` a day stands out.
const METRICS: [(&str, &str); 6] = [
    ("deferral_rate", "deferred"),
    ("bounce_rate", "bounced"),
    ("delivered", "delivered"),
    ("complaint_rate", "complaints"),
    // No column of them: of a long window they are not explained.
    ("weak_tls", ""),
    (LATE, ""),
];

/// How late mail is, which is explained only where it is far above all that it is compared with: so many
/// times, and so many seconds.
const LATE: &str = "p95";
const TIMES: f64 = 3.0;
const LEAST_S: f64 = 60.0;

/// Days with fewer than this say nothing.
const FEW: f64 = 100.0;

/// Of a long window, this many days are explained for each metric.
const DAYS: usize = 3;

/// So many causes of a metric are looked at more closely, where they had an episode of this length.
const MAX_CLOSER: usize = 3;
const LEAST_EPISODE_S: i64 = 1200;

/// An unusual number that comes to fewer recipients is not worth a word.
const LEAST: f64 = 10.0;

/// Dimensions with their values; none where the records have no value.
type Values = Vec<(String, Option<String>)>;

pub(super) fn find(
    desk: &mut Desk<'_>,
    versus: Versus,
    notes: &mut Vec<String>,
) -> Result<(Vec<Weighed>, Vec<Explanation>)> {
    let mut found: Vec<Weighed> = Vec::new();
    // What each of them is about, so that a trouble of two days is one problem.
    let mut known: Vec<(Stage, Values)> = Vec::new();
    let mut all_told = Vec::new();
    for (metric, window, told) in told(desk, versus, notes)? {
        let nothing = Evidence::default();
        let causes = told.answer.causes.iter().enumerate();
        let of = told.answer.of.map_or(told.answer.usual, |(of, _)| of);
        let all: Vec<Seen<'_>> = causes
            .map(|(number, cause)| {
                let evidence = told.evidence.get(number).unwrap_or(&nothing);
                Seen { told: &told, cause, evidence, of }
            })
            .filter(|seen| is_told(seen.told, seen.cause))
            // What is deferred is late: that is one trouble.
            .filter(|seen| metric.name != LATE || !is_known(&known, seen.cause))
            .collect();
        let closer = closer(desk, versus, &all)?;
        let seen = all.iter().zip(&closer).map(|(seen, closer)| match closer {
            Some((told, number)) => Seen {
                told,
                cause: &told.answer.causes[*number],
                evidence: told.evidence.get(*number).unwrap_or(&nothing),
                of,
            },
            None => *seen,
        });
        // One incident hits several jobs: causes with the same words are one problem.
        let mut groups: Vec<Vec<Seen<'_>>> = Vec::new();
        for seen in seen {
            let reply = |of: &Seen<'_>| of.evidence.replies.first().map(|r| r.template.clone());
            let is_same = |group: &&mut Vec<Seen<'_>>| {
                group[0].cause.stage == seen.cause.stage
                    && reply(&seen).is_some_and(|text| reply(&group[0]) == Some(text))
            };
            match groups.iter_mut().find(is_same) {
                Some(group) => group.push(seen),
                None => groups.push(vec![seen]),
            }
        }
        for group in &mut groups {
            // Looked at closely, two may be one.
            group.dedup_by(|a, b| a.cause.values == b.cause.values);
            let about = (group[0].cause.stage, group[0].cause.values.clone());
            let weighed = problem(desk, group);
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
                "{}{} is unusual, but no single cause: spread across all traffic",
                told.answer.metric.name,
                if window == desk.window {
                    String::new()
                } else {
                    format!(" on {}", date(desk, window))
                },
            ));
        }
        all_told.push(told);
    }
    Ok((found, all_told))
}

/// What is explained, with the explanation, the most unusual first.
fn told(
    desk: &mut Desk<'_>,
    versus: Versus,
    notes: &mut Vec<String>,
) -> Result<Vec<(&'static Metric, Window, Explanation)>> {
    let mut asked = Vec::new();
    for (metric, window) in windows(desk)? {
        let frame = Frame::of(&desk.snapshot, versus, window, desk.zone).of_metric(metric);
        if frame.baseline.is_empty() {
            let note = "no such hours in the store before the window: changes were not looked for";
            if !notes.iter().any(|known| known == note) {
                notes.push(note.to_owned());
            }
            continue;
        }
        if metric.name == LATE && !is_late(desk, &frame)? {
            continue;
        }
        if let Some(lack) = desk.lack_of(metric.name, &frame)? {
            notes.push(format!("changes were not looked for: {lack}"));
            continue;
        }
        asked.push((asked.len(), metric, window, frame));
    }
    // Questions about one day share its records while these are in memory; those about complaints read others.
    asked.sort_by_key(|(_, metric, window, _)| (metric.is_of_complaints(), window.since));
    let mut told = Vec::new();
    for (place, metric, window, frame) in asked {
        told.push((place, metric, window, desk.why(&frame, |question| question.tell(metric))?));
    }
    told.sort_by_key(|(place, ..)| *place);
    Ok(told.into_iter().map(|(_, metric, window, told)| (metric, window, told)).collect())
}

/// A cause with all that was said beside it.
#[derive(Clone, Copy)]
struct Seen<'t> {
    told: &'t Explanation,
    cause: &'t Cause,
    evidence: &'t Evidence,
    /// What was explained at first comes to so many, which may be a day of many.
    of: f64,
}

/// For each of the greatest causes what the same search says of the part of the window in which it
/// happened, and which of its causes is the one: in a day, one that had an hour is thin, and a job of
/// the hour may stand for the address that was blocked.
fn closer(
    desk: &mut Desk<'_>,
    versus: Versus,
    all: &[Seen<'_>],
) -> Result<Vec<Option<(Explanation, usize)>>> {
    let mut closer = Vec::new();
    for (place, seen) in all.iter().enumerate() {
        let length = |window: Window| window.until.0 - window.since.0;
        let episode = seen.evidence.episode.filter(|episode| {
            place < MAX_CLOSER
                && length(*episode) >= LEAST_EPISODE_S
                && 2 * length(*episode) < length(seen.told.window)
        });
        let Some(episode) = episode else {
            closer.push(None);
            continue;
        };
        let metric = seen.told.answer.metric;
        let frame = Frame::of(&desk.snapshot, versus, episode, desk.zone).of_metric(metric);
        let told = desk.why(&frame, |question| question.tell(metric))?;
        let reply = |evidence: Option<&Evidence>| {
            evidence.and_then(|e| e.replies.first()).map(|reply| reply.template.clone())
        };
        let is_it = |(number, cause): (usize, &Cause)| {
            let has_reply = reply(told.evidence.get(number))
                .is_some_and(|text| reply(Some(seen.evidence)) == Some(text));
            let shares = seen.cause.values.iter().any(|pair| cause.values.contains(pair));
            is_told(&told, cause) && cause.stage == seen.cause.stage && (has_reply || shares)
        };
        let number = told.answer.causes.iter().enumerate().position(is_it);
        closer.push(number.map(|number| (told, number)));
    }
    Ok(closer)
}

/// What is explained: the window, or for each metric the worst days of it, the worst first.
fn windows(desk: &mut Desk<'_>) -> Result<Vec<(&'static Metric, Window)>> {
    let named = METRICS.iter().filter_map(|(name, column)| Some((Metric::named(name)?, *column)));
    let metrics: Vec<(&'static Metric, &str)> = named.collect();
    if desk.window.until.0 - desk.window.since.0 <= LONG_S {
        let is_asked = |metric: &Metric, any: f64| metric.name != "weak_tls" || any >= LEAST;
        let any = weakly_encrypted(desk)?;
        let metrics = metrics.into_iter().filter(|(metric, _)| is_asked(metric, any));
        return Ok(metrics.map(|(metric, _)| (metric, desk.window)).collect());
    }
    let days = desk.ask("volume", &[("per", "day")])?;
    let starts = days.times("time");
    let (delivered, bounced) = (days.numbers("delivered"), days.numbers("bounced"));
    let mut windows = Vec::new();
    for (metric, column) in metrics.into_iter().filter(|(_, column)| !column.is_empty()) {
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

/// Deliveries in plain text or by an old protocol.
fn weakly_encrypted(desk: &mut Desk<'_>) -> Result<f64> {
    let tls = desk.ask("tls", &[("by", "provider"), ("top", "0")])?;
    let (delivered, plain, older) =
        (tls.numbers("delivered"), tls.numbers("plaintext"), tls.numbers("older"));
    let weak = |row: usize| {
        let share = plain[row].unwrap_or(0.0) + older[row].unwrap_or(0.0);
        delivered[row].unwrap_or(0.0) * share / 100.0
    };
    Ok((0..tls.n_rows()).map(weak).sum())
}

/// Whether mail is far later than in most of the windows that it is compared with.
fn is_late(desk: &mut Desk<'_>, frame: &Frame) -> Result<bool> {
    let mut late = |window: Window| -> Result<Option<f64>> {
        let length_s = window.until.0 - window.since.0;
        let moment = Moments::new(&[], &[LATE.to_owned()], length_s, window.until, length_s, 1)?;
        let measured = desk.measured(&moment, window.until, length_s)?;
        let mut groups = measured.values().flat_map(|groups| groups.iter());
        Ok(groups.find_map(|(_, values)| values.first().copied().flatten()))
    };
    let Some(now) = late(frame.window)?.filter(|now| *now >= LEAST_S) else { return Ok(false) };
    let mut usual = Vec::new();
    for window in &frame.baseline {
        usual.extend(late(*window)?);
    }
    Ok(middle(usual).is_some_and(|usual| now >= TIMES * usual))
}

/// Whether a problem is about what a cause is about, or about all or a part of it.
fn is_known(known: &[(Stage, Values)], cause: &Cause) -> bool {
    let is_within = |a: &Values, b: &Values| a.iter().all(|pair| b.contains(pair));
    known.iter().any(|(_, of)| is_within(of, &cause.values) || is_within(&cause.values, of))
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
    let middle_of_weekday =
        |row: usize| middle(shares.iter().skip(row % 7).step_by(7).flatten().copied().collect());
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
    // What is deferred or bounced is told by its own metric, and who sends less by another search.
    let is_twice = told.answer.metric.name == "delivered" && cause.stage != Stage::Queue;
    !is_twice && !is_mix(cause) && is_bad(told, cause.effect) && cause.reading != Reading::Relief
}

/// Whether there is only more of what fares no worse than usual.
fn is_mix(cause: &Cause) -> bool {
    let share = |(entered, counted): (f64, f64)| counted / entered;
    let is_share = matches!(
        cause.stage,
        Stage::Bounce
            | Stage::Deferral
            | Stage::Deferrals
            | Stage::Complaints
            | Stage::Latency
            | Stage::Encryption
    );
    is_share && share(cause.now) <= share(cause.usual)
}

/// A problem of causes that have their stage and their words in common.
fn problem(desk: &Desk<'_>, causes: &[Seen<'_>]) -> Weighed {
    let Seen { told, cause: first, evidence, of } = causes[0];
    let words = Page::new(told, desk.zone, None);
    let weight = causes.iter().map(|seen| (seen.cause.now.1 - seen.cause.expected).abs()).sum();
    let effect = causes.iter().map(|seen| seen.cause.effect).sum();
    // What is left of several jobs has nothing but the time in common.
    let is_named = |cause: &Cause| cause.values.iter().any(|pair| !is_group(pair));
    let mut heads: Vec<&Cause> =
        causes.iter().map(|seen| seen.cause).filter(|cause| is_named(cause)).collect();
    if heads.is_empty() {
        heads = causes.iter().map(|seen| seen.cause).collect();
    }
    let shared = shared(&heads);
    let mut facts: Vec<String> = causes
        .iter()
        .map(|seen| {
            let words = Page::new(seen.told, desk.zone, None);
            format!("{}: {}", named(seen.cause), words.rates(seen.cause))
        })
        .collect();
    facts.push(format!("{}; {} by this", words.now_and_usual(), words.change(effect)));
    facts.extend(told.notes.iter().filter(|note| note.starts_with("the last record")).cloned());
    let is_one_address = shared.iter().any(|(dim, _)| ADDRESSES.contains(&dim.as_str()));
    // They have their words in common, and by these they are read; else by what they are.
    let is_one_reading = heads.iter().all(|cause| cause.reading == heads[0].reading);
    let reading = match (is_one_reading, is_one_address) {
        (true, _) => heads[0].reading,
        (_, true) => Reading::IpReputation,
        (_, false) => Reading::Receiver,
    };
    let problem = Problem {
        level: level(weight, of).max(shut_out(first, reading)),
        kind: kind(first.stage).to_owned(),
        title: title(&heads, &shared),
        when: when(desk, told, words.since(evidence).trim_start_matches(", ")),
        reading: reading.text().to_owned(),
        facts,
        replies: evidence.replies.iter().map(said).collect(),
        command: command(told, first),
    };
    Weighed::new(problem, weight)
}

/// The least level of an address that a receiver refuses: however small its part of the day is,
/// nothing of it arrives there.
fn shut_out(cause: &Cause, reading: Reading) -> Level {
    let (entered, refused) = cause.now;
    let is_refusal = cause.stage == Stage::Bounce && reading == Reading::IpReputation;
    match refused / entered.max(1.0) {
        share if is_refusal && entered >= 50.0 && share >= 0.9 => Level::Alarm,
        share if is_refusal && entered >= 20.0 && share >= 0.5 => Level::Warning,
        _ => Level::Notice,
    }
}

/// One line on a lesser day of a problem that is known.
fn again(desk: &Desk<'_>, told: &Explanation, lesser: &Weighed) -> String {
    format!("also on {}: {}", date(desk, told.window), lesser.problem.title)
}

/// The day of a window that is one.
fn date(desk: &Desk<'_>, window: Window) -> String {
    desk.zone.local(window.since).format("%a %-d %b").to_string()
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
        Stage::Latency => "Slow deliveries",
        Stage::Encryption => "Encryption",
        Stage::Waiting => "Growing queue",
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
        Stage::Latency => "later than usual",
        Stage::Encryption => "over an old protocol or none",
        Stage::Waiting => "waiting",
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
    let length = |window: Window| window.until.0 - window.since.0;
    if told.window == desk.window {
        return since.to_owned();
    }
    // A part of a day, which was looked at by itself.
    if length(told.window) < pmtaq_schema::time::DAY_S / 2 {
        return format!("{} to {}", desk.clock(told.window.since), desk.clock(told.window.until));
    }
    format!("{} {since}", date(desk, told.window)).trim_end().to_owned()
}

fn said(reply: &Reply) -> Said {
    Said {
        often: format!("{} times, usually {}", count(reply.now), count(reply.usual)),
        meaning: meaning(&reply.template),
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
