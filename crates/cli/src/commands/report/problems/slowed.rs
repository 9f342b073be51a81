//! Throttle episodes, and replies that nobody gave before. What a cause of `why` said already is
//! added to it, not said again.

use pmtaq_render::page::{Level, Problem, Said};
use pmtaq_render::words::{count, duration, percent};
use pmtaq_schema::{Timestamp, Window};

use super::weighed::{Weighed, level};
use crate::command_line::{CommandLine, equals, filters};
use crate::commands::report::desk::Desk;
use crate::commands::report::throttles::{self, Throttle};
use crate::commands::why::page::meaning;
use crate::failure::Result;

/// Episodes that delayed fewer in all, or a smaller percentage of all, are in the table alone.
const LEAST_DELAYED: f64 = 10.0;
const LEAST_OF_ALL: f64 = 0.01;
/// A new reply that came less often is in the table alone.
const LEAST_REPLIES: f64 = 10.0;
/// New replies that are told one by one.
const MAX_NEW: usize = 3;
/// With less time to compare with, everything is new.
const LEAST_BEFORE_S: f64 = 86_400.0;

pub(super) fn find(desk: &mut Desk<'_>, all: f64, found: &mut Vec<Weighed>) -> Result<()> {
    let answer = desk.ask("throttles", &[("top", throttles::MAX_EPISODES)])?;
    // One reply of one provider is one problem, whichever of our addresses got it.
    let mut groups: Vec<Vec<Throttle>> = Vec::new();
    for throttle in throttles::read(&answer) {
        let same = |group: &&mut Vec<Throttle>| {
            group[0].provider == throttle.provider && group[0].template == throttle.template
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(throttle),
            None => groups.push(vec![throttle]),
        }
    }
    for group in groups {
        let delayed: f64 = group.iter().map(|one| one.delayed).sum();
        if delayed < LEAST_DELAYED.max(all * LEAST_OF_ALL / 100.0) {
            continue;
        }
        let fact = fact(&group, delayed);
        let template = &group[0].template;
        match found.iter_mut().find(|known| known.templates.contains(template)) {
            Some(known) => {
                // That may be of a day, and these are of the whole window.
                let (onset, ended) = times(desk, &group);
                let (onset, ended) = (desk.clock(onset), desk.clock(ended));
                known.problem.facts.push(format!("{fact}; from {onset} to {ended}"));
            }
            None => found.push(Weighed::new(problem(desk, &group, fact, delayed, all), delayed)),
        }
    }
    Ok(())
}

fn fact(group: &[Throttle], delayed: f64) -> String {
    let cost: f64 = group.iter().map(|one| one.cost_s).sum();
    let episodes = if group.len() == 1 { "episode" } else { "episodes" };
    format!(
        "{} throttle {episodes}: {} recipients delayed, {} of waiting in all",
        group.len(),
        count(delayed),
        duration(cost)
    )
}

/// When the first of them began, and the last one ended.
fn times(desk: &Desk<'_>, group: &[Throttle]) -> (Timestamp, Timestamp) {
    let onset = group.iter().map(|one| one.onset).min().unwrap_or(desk.window.since);
    let ended = group.iter().map(|one| one.ended).max().unwrap_or(desk.window.until);
    (onset, ended)
}

fn problem(desk: &Desk<'_>, group: &[Throttle], fact: String, delayed: f64, all: f64) -> Problem {
    let mut ips: Vec<&str> = group.iter().map(|one| one.ip.as_str()).collect();
    ips.sort_unstable();
    ips.dedup();
    let addresses = match ips.as_slice() {
        [one] => (*one).to_owned(),
        more => format!("{} addresses", more.len()),
    };
    let (onset, ended) = times(desk, group);
    let peak = group.iter().map(|one| one.peak).fold(0.0, f64::max);
    let is_on = group.iter().any(|one| one.is_on);
    let when = if is_on {
        format!("since {}, still on", desk.clock(onset))
    } else {
        format!("{} to {}", desk.clock(onset), desk.clock(ended))
    };
    let template = &group[0].template;
    let condition = format!("rec in ('t', 'tq') and {}", equals("template", Some(template)));
    let window = Window { since: onset, until: Timestamp(ended.0 + 1) };
    let line = CommandLine::new("export")
        .window(window)
        .filters(&filters(desk.args))
        .others(&desk.args.others);
    let line = line.option("--provider", &group[0].provider).option("--where", condition);
    Problem {
        level: level(delayed, all).min(if is_on { Level::Alarm } else { Level::Warning }),
        kind: "Throttled".to_owned(),
        title: format!("{} throttled {addresses}", group[0].provider),
        when,
        reading: String::new(),
        facts: vec![fact],
        replies: vec![Said {
            often: format!("answer to up to {} of the attempts in 5 minutes", percent(peak)),
            meaning: meaning(template),
            reply: template.clone(),
        }],
        command: line.option("--format", "csv").text(),
    }
}

pub(super) fn new_replies(
    desk: &mut Desk<'_>,
    all: f64,
    found: &mut Vec<Weighed>,
    notes: &mut Vec<String>,
) -> Result<()> {
    let answer = desk.ask("new-replies", &[("top", "50")])?;
    let before = answer.numbers("before");
    if before.first().is_some_and(|before| before.unwrap_or(0.0) < LEAST_BEFORE_S) {
        notes.push(
            "less than a day of records before the window: which replies are new cannot be said"
                .to_owned(),
        );
        return Ok(());
    }
    let (templates, providers) = (answer.texts("template"), answer.texts("provider"));
    let (replies, times) = (answer.numbers("replies"), answer.times("first_seen"));
    let (deferred, bounced) = (answer.numbers("deferred"), answer.numbers("bounced"));
    let mut told = 0;
    for row in 0..answer.n_rows() {
        let n = replies[row].unwrap_or(0.0);
        if n < LEAST_REPLIES.max(all * LEAST_OF_ALL / 100.0) || told == MAX_NEW {
            break;
        }
        let template = &templates[row];
        if let Some(known) = found.iter_mut().find(|known| known.templates.contains(template)) {
            known.problem.facts.push("a reply that nobody gave in the 30 days before".to_owned());
            continue;
        }
        told += 1;
        let since = times[row].map(|time| format!("since {}", desk.clock(time)));
        let line = desk.line(CommandLine::new("export"));
        let line = match desk.args.condition {
            // Two conditions would need one more pair of parentheses than a reader wants.
            Some(_) => line,
            None => line.option("--where", equals("template", Some(template))),
        };
        let problem = Problem {
            level: level(n, all).min(Level::Warning),
            kind: "New reply".to_owned(),
            title: format!("{} says what nobody said in the 30 days before", providers[row]),
            when: since.unwrap_or_default(),
            reading: String::new(),
            facts: Vec::new(),
            replies: vec![Said {
                often: format!(
                    "{} deferred, {} bounced",
                    count(deferred[row].unwrap_or(0.0)),
                    count(bounced[row].unwrap_or(0.0))
                ),
                meaning: meaning(template),
                reply: template.clone(),
            }],
            command: line.option("--format", "csv").text(),
        };
        found.push(Weighed::new(problem, n));
    }
    Ok(())
}
