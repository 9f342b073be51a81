//! `pmtaq alert backfill`: what would have been told. The same rules, judged at each step of the
//! past by what had been logged by then; one scan a day and question. Sends and remembers nothing.

use std::collections::HashMap;

use pmtaq_alert::{Change, Memory, Rule, Seen, Turn, Watch};
use pmtaq_schema::Timestamp;
use pmtaq_schema::size::parse_duration_s;
use pmtaq_schema::time::DAY_S;

use super::history::History;
use super::observe::Watcher;
use super::{round, rules_file, story, usual, words};
use crate::args;
use crate::asked;
use crate::commands::lists;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::ui;

/// More moments than this are a wrong `--every`.
const MAX_MOMENTS: i64 = 50_000;

/// A rule, and what it is judged by.
struct Judged<'r> {
    rule: &'r Rule,
    /// Its windows, as places in the history.
    windows: Vec<usize>,
    /// When each reply was seen first.
    replies: HashMap<String, Timestamp>,
}

/// An alert of the past.
struct Alert<'r> {
    rule: &'r Rule,
    on: Timestamp,
    off: Option<Timestamp>,
    n_told: usize,
    words: String,
}

pub(crate) fn backfill(context: &Context, args: &args::AlertBackfill) -> Result<Exit> {
    let (rules, _) = rules_file::read(context, &args.file)?;
    let every = parse_duration_s(&args.every).filter(|every| *every > 0 && DAY_S % every == 0);
    let every = every.ok_or_else(|| {
        Failure::usage(format!("--every `{}` divides no day; write it like 5m", args.every))
    })?;
    let window = asked::window_or_last(context, &args.times, "30d")?;
    let mut watcher = Watcher::new(context, window.since, window.until);
    let Some(first) = watcher.first_moment()? else {
        return Err(Failure::usage("the store is empty"));
    };
    let since = window.since.max(first);
    let until = watcher
        .newest()?
        .map_or(window.until, |newest| window.until.min(Timestamp(newest.0 + every)));
    // Moments as cron has them.
    let last = Timestamp(until.0 - until.0.rem_euclid(every));
    let n = (last.0 - since.0).max(0) / every + 1;
    if n > MAX_MOMENTS {
        return Err(Failure::usage(format!(
            "{n} steps of {} are too many; choose a longer --every or a shorter window",
            args.every
        )));
    }
    let mut memory = Memory::default();
    let mut history = History::new(Timestamp(last.0 - (n - 1) * every), last, every);
    let mut judged = Vec::new();
    for rule in &rules.rules {
        if !rule.watch.is_of_records() {
            let text = format!("{}: what it watches is not stored; left out", rule.name);
            ui::note(&context.global, &text);
            continue;
        }
        let windows = rule.windows.iter().map(|window| history.add(rule, *window));
        let windows = windows.collect::<Result<_>>()?;
        let replies = match rule.watch {
            Watch::NewReply => watcher.first_seen(rule)?,
            _ => HashMap::new(),
        };
        judged.push(Judged { rule, windows, replies });
    }
    let mut alerts: Vec<Alert<'_>> = Vec::new();
    for step in (0..n).rev() {
        let at = Timestamp(last.0 - step * every);
        for judged in &judged {
            let rule = judged.rule;
            let seen = judged.seen(&mut watcher, &mut history, first, at)?;
            let seen = round::without_told(rule, &memory, &seen);
            let watched = memory.rules.entry(rule.name.clone()).or_default();
            let change = watched.step(rule, Turn::at(at.0), &seen);
            let open = alerts
                .iter_mut()
                .rev()
                .find(|alert| alert.rule.name == rule.name && alert.off.is_none());
            match (change, open) {
                (Some(Change::On { groups, .. }), None) => alerts.push(Alert {
                    rule,
                    on: at,
                    off: None,
                    n_told: 1,
                    words: worst(rule, &groups, &seen),
                }),
                (Some(Change::On { .. }), Some(open)) => open.n_told += 1,
                (Some(Change::Off(_)), Some(open)) => open.off = Some(at),
                _ => {}
            }
        }
    }
    let n_days = n * every / DAY_S;
    let counted = |n: i64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (told, days) = (counted(alerts.len() as i64, "alert"), counted(n_days, "day"));
    let text = format!("{told} in {days}, judged every {}", args.every);
    let rows = alerts.into_iter().map(|alert| {
        let Alert { rule, on, off, n_told, words } = alert;
        let shown = |time: Timestamp| crate::window::minute(time, context.global.tz);
        let lasted = off.map(|off| pmtaq_render::words::duration((off.0 - on.0) as f64));
        [
            rule.name.clone(),
            rule.severity.to_string(),
            shown(on),
            lasted.unwrap_or_else(|| "still on".to_owned()),
            n_told.to_string(),
            words,
        ]
    });
    let names = ["rule", "severity", "on", "lasted", "told", "found"];
    let done = lists::list(context, names, rows.collect())?;
    ui::note(&context.global, &text);
    Ok(done)
}

/// The largest group of an alert in words.
fn worst(rule: &Rule, groups: &[usize], seen: &[Seen]) -> String {
    let mut groups: Vec<&Seen> = groups.iter().map(|place| &seen[*place]).collect();
    groups.sort_by(|a, b| story::weight(b).total_cmp(&story::weight(a)));
    let more = groups.len().saturating_sub(1);
    let first = groups.first().map(|seen| words::words(rule, seen)).unwrap_or_default();
    if more == 0 { first } else { format!("{first}, and {more} more") }
}

impl Judged<'_> {
    /// What the rule sees at one moment, of a store that begins with `first`.
    fn seen(
        &self,
        watcher: &mut Watcher<'_>,
        history: &mut History<'_>,
        first: Timestamp,
        at: Timestamp,
    ) -> Result<Vec<Seen>> {
        let rule = self.rule;
        let begin = at.0 - rule.longest_window_s();
        let is_new = |name: &str| self.replies.get(name).is_some_and(|first| first.0 >= begin);
        let mut seen = Vec::new();
        for (window, place) in rule.windows.iter().zip(&self.windows) {
            let measured = history.up_to(watcher, *place, at)?;
            seen.extend(match rule.watch {
                Watch::NewReply => watcher.new_replies(rule, measured, is_new, at)?,
                _ => usual::seen(rule, *window, measured, at, first, watcher.zone())?,
            });
        }
        Ok(seen)
    }
}
