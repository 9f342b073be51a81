//! Who fell silent within the window, though there was mail in the same hours of the days before: a
//! sender whose mail no longer comes in, or an MTA whose records no longer do. One that sends in
//! campaigns has such days of its own, and is not told.

use std::ops::Range;

use pmtaq_query::{Selection, Timeline};
use pmtaq_render::page::{Level, Problem};
use pmtaq_render::words::count;
use pmtaq_schema::{Timestamp, Window};

use super::weighed::{Weighed, first_of, level};
use crate::command_line::{CommandLine, filters};
use crate::commands::measure::middle;
use crate::commands::report::desk::{Desk, LONG_S};
use crate::commands::why::Frame;
use crate::failure::Result;
use crate::versus::Versus;

/// Days before that are looked at; with fewer than this of them nobody's habits are known.
const DAYS: u32 = 7;
const LEAST_DAYS: usize = 3;
/// Silence lasts so many hours, with at most this part of what is usual in them, which is so much.
const LEAST_HOURS: usize = 2;
const LEAST_S: i64 = LEAST_HOURS as i64 * HOUR_S;
const QUIET: f64 = 0.05;
const LEAST: f64 = 100.0;
/// A day before is like the others when it has this part of the middle one in the same hours.
const ALIKE: f64 = 0.5;
/// Senders who stopped are an alarm where such a part of all recipients is missing.
const MANY: f64 = 0.1;
/// Those that are told one by one.
const MAX_TOLD: usize = 8;

const HOUR_S: i64 = 3600;

/// Of what somebody falls silent, and in which words that is told.
struct Kind {
    by: &'static str,
    metric: &'static str,
    name: &'static str,
    of_one: &'static str,
    of_many: &'static str,
    reading: &'static str,
}

const MTAS: Kind = Kind {
    by: "host",
    metric: "attempts",
    name: "Stale data",
    of_one: "next to no record",
    of_many: "MTAs have next to no record",
    reading: "Its files are not ingested, or it no longer sends: the numbers below end there for it",
};

const SENDERS: Kind = Kind {
    by: "sender_domain",
    metric: "injected",
    name: "Stopped sending",
    of_one: "next to nothing injected",
    of_many: "senders inject next to nothing",
    reading: "Nothing came to PMTA from there: ask who injects",
};

/// What fell silent.
struct Stopped {
    name: String,
    since: Timestamp,
    /// None where it is silent to the end of what is known.
    until: Option<Timestamp>,
    now: f64,
    usual: f64,
}

/// Adds what is found to `found`, and says which senders it tells.
pub(super) fn find(desk: &mut Desk<'_>, all: f64, found: &mut Vec<Weighed>) -> Result<Vec<String>> {
    let Window { since, until } = desk.window;
    if until.0 - since.0 > LONG_S {
        return Ok(Vec::new());
    }
    // A minute without a record at the end is nothing.
    let known = desk.newest().map_or(until, |newest| until.min(Timestamp(newest.0 + 60)));
    // Hours of the local clock, those that are whole.
    let zone = desk.zone;
    let past = |time: Timestamp| (time.0 + zone.offset_s(time)).rem_euclid(HOUR_S);
    let since = Timestamp(since.0 + (HOUR_S - past(since)) % HOUR_S);
    let window = Window { since, until: Timestamp(known.0 - past(known)) };
    let frame = Frame::of(&desk.snapshot, Versus::SameHour(DAYS), window, zone);
    if frame.baseline.len() < LEAST_DAYS || window.until.0 - window.since.0 < LEAST_S {
        return Ok(Vec::new());
    }
    // Of an MTA all records count, whatever the report is about.
    let by_host = Habits::of(desk, &MTAS, &frame, &Selection::default())?;
    let mut hosts = by_host.stopped();
    // One whose records go on again has sent nothing.
    hosts.retain(|host| host.until.is_none());
    if !hosts.is_empty() {
        let weight = missing(&hosts);
        let problem = Problem {
            level: level(weight, all).max(Level::Warning),
            command: CommandLine::new("status").word("--hosts").text(),
            ..problem(desk, &MTAS, &hosts)
        };
        found.push(Weighed::new(problem, weight));
    }
    // What went through a silent MTA says nothing of who sent it.
    let is_silent = |name: &String| hosts.iter().any(|host| host.name == *name);
    let others: Vec<String> = by_host.names().filter(|name| !is_silent(name)).cloned().collect();
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let mut selection = desk.selection().clone();
    if !hosts.is_empty() {
        selection.filter("host", others);
    }
    let senders = Habits::of(desk, &SENDERS, &frame, &selection)?.stopped();
    if let Some(largest) = senders.first() {
        let weight = missing(&senders);
        let line = CommandLine::new("pivot").option("--rows", "hour");
        let line = line.option("--metric", SENDERS.metric);
        let names_sender = filters(desk.args).iter().any(|(filter, _)| filter.name == "sender");
        let line = if names_sender { line } else { line.option("--sender", &largest.name) };
        let most = if weight >= MANY * all { Level::Alarm } else { Level::Warning };
        let problem = Problem {
            level: level(weight, all).min(most),
            command: desk.line(line).text(),
            ..problem(desk, &SENDERS, &senders)
        };
        found.push(Weighed::new(problem, weight));
    }
    Ok(senders.into_iter().map(|sender| sender.name).collect())
}

/// A metric by the values of a dimension, hour by hour, of a window and of the days before.
struct Habits {
    hourly: Timeline,
    /// For each hour of the window, and of each of the same windows before, its place in `hourly`.
    places: Vec<Vec<Option<usize>>>,
    window: Window,
}

impl Habits {
    /// Those of `kind`, over the window of `frame`, which is of whole hours.
    fn of(
        desk: &mut Desk<'_>,
        kind: &Kind,
        frame: &Frame,
        selection: &Selection,
    ) -> Result<Habits> {
        let window = frame.window;
        let since = frame.baseline.iter().map(|day| day.since).min().unwrap_or(window.since);
        let read = Window { since, until: window.until };
        let hourly = desk.by_hour(kind.metric, kind.by, read, selection)?;
        let n_hours = usize::try_from((window.until.0 - window.since.0) / HOUR_S).unwrap_or(0);
        let place = |time: Timestamp| hourly.bounds.binary_search(&time).ok();
        let hours = |day: &Window| (0..n_hours).map(|hour| place(at(*day, hour))).collect();
        let places = [window].iter().chain(&frame.baseline).map(hours).collect();
        Ok(Habits { hourly, places, window })
    }

    /// The values of the dimension.
    fn names(&self) -> impl Iterator<Item = &String> {
        self.hourly.lines.iter().map(|(name, _)| name)
    }

    /// The values that fell silent in the window, those first that miss most.
    fn stopped(&self) -> Vec<Stopped> {
        let mut all: Vec<Stopped> = Vec::new();
        for (name, metrics) in self.hourly.lines.iter().filter(|(name, _)| name != "(none)") {
            let n = |place: &Option<usize>| {
                place.and_then(|place| *metrics[0].get(place)?).unwrap_or(0.0)
            };
            let days: Vec<Vec<f64>> =
                self.places.iter().map(|day| day.iter().map(n).collect()).collect();
            let Some(hours) = silence(&days[0], &days[1..]) else { continue };
            all.push(Stopped {
                name: name.clone(),
                since: at(self.window, hours.start),
                until: (hours.end < days[0].len()).then(|| at(self.window, hours.end)),
                now: days[0][hours.clone()].iter().sum(),
                usual: middle(sums(&days[1..], &hours)).unwrap_or(0.0),
            });
        }
        all.sort_by(|a, b| {
            (b.usual - b.now).total_cmp(&(a.usual - a.now)).then(a.name.cmp(&b.name))
        });
        all
    }
}

fn at(window: Window, hour: usize) -> Timestamp {
    Timestamp(window.since.0 + hour as i64 * HOUR_S)
}

fn sums(days: &[Vec<f64>], hours: &Range<usize>) -> Vec<f64> {
    days.iter().map(|day| day[hours.clone()].iter().sum()).collect()
}

/// The hours in which there is next to nothing of `now`, though the days `before`, the nearest first, have
/// mail in them, one or two of seven apart; none where the rest of the day makes up for it.
fn silence(now: &[f64], before: &[Vec<f64>]) -> Option<Range<usize>> {
    let usual: Vec<f64> = (0..now.len())
        .map(|hour| middle(before.iter().map(|day| day[hour]).collect()))
        .collect::<Option<_>>()?;
    let odd_ones = match before.len() {
        0..5 => 0,
        5..7 => 1,
        _ => 2,
    };
    // The least but for the days that may be odd.
    let least = |mut sums: Vec<f64>| {
        sums.sort_by(f64::total_cmp);
        sums.get(odd_ones).copied().unwrap_or(0.0)
    };
    let is_silence = |hours: &Range<usize>| {
        let of = sums(before, hours);
        let (usual, of_weekday) = (middle(of.clone())?, of.get(6).copied());
        let rests =
            sums(before, &(0..now.len())).into_iter().zip(&of).map(|(all, of)| all - of).collect();
        let least = least(of);
        let n: f64 = now[hours.clone()].iter().sum();
        let is_habit = least >= LEAST.max(ALIKE * usual)
            && of_weekday.is_none_or(|same| same >= ALIKE * usual);
        let is_elsewhere = now.iter().sum::<f64>() - n >= middle(rests)? + ALIKE * usual;
        (hours.len() >= LEAST_HOURS && is_habit && n <= QUIET * least && !is_elsewhere)
            .then_some(least)
    };
    let is_quiet = |hour: &usize| now[*hour] <= QUIET * usual[*hour];
    let mut best: Option<(f64, Range<usize>)> = None;
    let mut hour = 0;
    while hour < now.len() {
        let n = (hour..now.len()).take_while(is_quiet).count();
        // It begins where there would be something.
        let begin = (hour..hour + n).find(|&hour| usual[hour] > 0.0).unwrap_or(hour + n);
        let hours = begin..hour + n;
        if let Some(least) = is_silence(&hours)
            && best.as_ref().is_none_or(|(most, _)| least > *most)
        {
            best = Some((least, hours));
        }
        hour += n + 1;
    }
    best.map(|(_, hours)| hours)
}

/// How many are missing in all.
fn missing(stopped: &[Stopped]) -> f64 {
    stopped.iter().map(|one| (one.usual - one.now).max(0.0)).sum()
}

/// What is said of those that stopped.
fn problem(desk: &Desk<'_>, kind: &Kind, stopped: &[Stopped]) -> Problem {
    let span = |one: &Stopped| match one.until {
        Some(until) => format!("{} to {}", desk.clock(one.since), desk.clock(until)),
        None => format!("since {}", desk.clock(one.since)),
    };
    let fact = |one: &Stopped| {
        let (now, usual) = (count(one.now), count(one.usual));
        let Stopped { name, .. } = one;
        let (by, metric, span) = (kind.by, kind.metric, span(one));
        format!("{by} {name}: {now} {metric} {span}, usually {usual} in these hours")
    };
    Problem {
        kind: kind.name.to_owned(),
        title: match stopped {
            [one] => format!("{}: {}", one.name, kind.of_one),
            more => format!("{} {}", more.len(), kind.of_many),
        },
        when: stopped.first().map(span).unwrap_or_default(),
        reading: kind.reading.to_owned(),
        facts: first_of(stopped.iter().map(fact).collect(), MAX_TOLD),
        ..Problem::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A week of days of 24 hours, of so much a day from 6 to 20 o'clock.
    fn week(n: [f64; 7]) -> Vec<Vec<f64>> {
        let hour = |n: f64, hour: usize| if (6..20).contains(&hour) { n / 14.0 } else { 0.0 };
        n.iter().map(|n| (0..24).map(|at| hour(*n, at)).collect()).collect()
    }

    fn day(n: f64) -> Vec<f64> {
        week([n; 7]).remove(0)
    }

    fn without(hours: Range<usize>, mut day: Vec<f64>) -> Vec<f64> {
        day[hours].fill(0.0);
        day
    }

    #[test]
    fn a_steady_sender_that_stops_is_silent_from_the_first_hour_in_which_mail_would_come() {
        let steady = week([1400.0; 7]);
        assert_eq!(silence(&without(12..24, day(1400.0)), &steady), Some(12..24));
        assert_eq!(silence(&without(0..24, day(1400.0)), &steady), Some(6..24));
        assert_eq!(silence(&without(9..13, day(1400.0)), &steady), Some(9..13));
        assert_eq!(silence(&day(1400.0), &steady), None);
        assert_eq!(silence(&without(12..24, day(1400.0)), &steady[..2]), Some(12..24));
    }

    #[test]
    fn a_weekend_is_no_habit_and_no_reason_against_one() {
        // Wednesday, by the days before: Sunday and Saturday are the third and the fourth.
        let weekdays = week([1400.0, 1400.0, 0.0, 0.0, 1400.0, 1400.0, 1400.0]);
        assert_eq!(silence(&without(12..24, day(1400.0)), &weekdays), Some(12..24));
        // Saturday: the same weekday had nothing either.
        let saturday = week([1400.0, 1400.0, 1400.0, 1400.0, 1400.0, 0.0, 0.0]);
        assert_eq!(silence(&day(0.0), &saturday), None);
    }

    #[test]
    fn who_sends_little_or_in_campaigns_or_earlier_that_day_is_not_told() {
        assert_eq!(silence(&day(0.0), &week([99.0; 7])), None);
        let campaigns = week([5000.0, 0.0, 0.0, 1400.0, 0.0, 200.0, 1400.0]);
        assert_eq!(silence(&without(12..24, day(1400.0)), &campaigns), None);
        let earlier = without(12..24, day(3000.0));
        assert_eq!(silence(&earlier, &week([1400.0; 7])), None);
        // An hour alone is nothing, and neither are the hours of night.
        assert_eq!(silence(&without(12..13, day(1400.0)), &week([1400.0; 7])), None);
        assert_eq!(silence(&[], &week([1400.0; 7])[..0]), None);
    }
}
