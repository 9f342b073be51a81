//! Who sends less than on the same weekday of the weeks before: no trouble with delivery, and so one
//! line below all that is. Each sender is judged by its own spread.

use std::collections::HashMap;

use pmtaq_query::Moments;
use pmtaq_render::page::{Level, Problem};
use pmtaq_render::words::count;

use super::weighed::{Weighed, first_of};
use crate::command_line::CommandLine;
use crate::commands::report::desk::{Desk, LONG_S};
use crate::failure::Result;

/// Weeks before that are looked at, and how many of them a sender must have mail in.
const WEEKS: i64 = 4;
const LEAST_WEEKS: usize = 2;
const WEEK_S: i64 = 7 * pmtaq_schema::time::DAY_S;
/// A sender is told that has less than this part of its least, which was so many recipients.
const PART: f64 = 0.5;
const LEAST: f64 = 100.0;
/// Senders that are told one by one.
const MAX_TOLD: usize = 8;

/// Adds what is found to `found`, but for the senders that are `told` already.
pub(super) fn find(desk: &mut Desk<'_>, told: &[String], found: &mut Vec<Weighed>) -> Result<()> {
    let length_s = desk.window.until.0 - desk.window.since.0;
    if length_s > LONG_S {
        return Ok(());
    }
    let (by, metric) = (["sender_domain".to_owned()], ["injected".to_owned()]);
    let mut weeks: Vec<HashMap<String, f64>> = Vec::new();
    for week in 0..=WEEKS {
        let until = pmtaq_schema::Timestamp(desk.window.until.0 - week * WEEK_S);
        let moment = Moments::new(&by, &metric, length_s, until, WEEK_S, 1)?;
        let measured = desk.measured(&moment, until, length_s)?;
        let groups = measured.values().flat_map(|groups| groups.iter());
        let n = |values: &[Option<f64>]| values.first().copied().flatten().unwrap_or(0.0);
        weeks.push(groups.map(|(group, values)| (group.concat(), n(values))).collect());
    }
    let mut less: Vec<(String, f64, f64, f64)> = Vec::new();
    let senders: std::collections::BTreeSet<&String> =
        weeks[1..].iter().flat_map(HashMap::keys).collect();
    for sender in senders.into_iter().filter(|sender| !told.contains(sender)) {
        let now = weeks[0].get(sender).copied().unwrap_or(0.0);
        let before: Vec<f64> = weeks[1..].iter().filter_map(|w| w.get(sender)).copied().collect();
        let least = before.iter().copied().fold(f64::INFINITY, f64::min);
        let most = before.iter().copied().fold(0.0, f64::max);
        if before.len() >= LEAST_WEEKS && least >= LEAST && now < PART * least {
            less.push((sender.clone(), now, least, most));
        }
    }
    less.sort_by(|a, b| (b.2 - b.1).total_cmp(&(a.2 - a.1)).then(a.0.cmp(&b.0)));
    if less.is_empty() {
        return Ok(());
    }
    let weight = less.iter().map(|(_, now, least, _)| least - now).sum();
    let line = |(sender, now, least, most): &(String, f64, f64, f64)| {
        format!(
            "sender_domain {sender}: {} injected, {} to {} on the same weekday before",
            count(*now),
            count(*least),
            count(*most)
        )
    };
    let facts = first_of(less.iter().map(line).collect(), MAX_TOLD);
    let command = CommandLine::new("pivot").option("--rows", "sender_domain");
    let problem = Problem {
        level: Level::Notice,
        kind: "Fewer messages".to_owned(),
        title: match less.as_slice() {
            [(sender, now, least, _)] => {
                format!("{sender}: {} injected, {} at least before", count(*now), count(*least))
            }
            more => format!("{} senders injected less than half of their least", more.len()),
        },
        reading: pmtaq_why::Reading::Injection.text().to_owned(),
        facts,
        command: desk.line(command.option("--metric", "injected")).text(),
        ..Problem::default()
    };
    found.push(Weighed::new(problem, weight));
    Ok(())
}
