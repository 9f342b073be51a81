//! `pmtaq alert`: rules over the store, and who is told. Fetches, remembers and sends; what is a
//! problem, when it is told and in which words is decided by `pmtaq_alert`.

mod observe;
mod past;
mod probe;
mod reason;
mod story;

mod mail;
mod send;
mod trust;

use std::path::{Path, PathBuf};

use pmtaq_alert::{
    Change, Event, Firing, Memory, Receiver, Rule, Rules, Seen, Severity, Told, Unsent,
};
use pmtaq_schema::Timestamp;
use pmtaq_store::{Lock, layout};

use crate::args::{self, AlertWhat};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::show;
use crate::{settings, ui};
use observe::Watcher;

pub(crate) fn run(context: &Context, args: &args::Alert) -> Result<Exit> {
    match &args.what {
        AlertWhat::Run(args) => run_once(context, args),
        AlertWhat::Test(args) => test(context, args),
        AlertWhat::Backfill(args) => past::backfill(context, args),
    }
}

/// Reads the rules file, the one that is named or the first that there is.
fn rules(context: &Context, file: &args::RulesFile) -> Result<(Rules, PathBuf)> {
    let places: Vec<PathBuf> = match &file.rules {
        Some(path) => vec![path.clone()],
        None => context.places.alert_rules().collect(),
    };
    for path in &places {
        if let Some(text) = settings::read(path)? {
            let rules = Rules::parse(&text)
                .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            for rule in &rules.rules {
                check_names(rule).map_err(|failure| {
                    let what = failure.message();
                    let text = format!("{}: rule `{}`: {what}", path.display(), rule.name);
                    Failure::usage(text)
                })?;
            }
            return Ok((rules, path.clone()));
        }
    }
    let places: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
    Err(Failure::usage(format!("there are no rules: no file {}", places.join(", no ")))
        .hint("packaging/alerts/starter.toml is one to begin with; docs/alerting.md explains it"))
}

fn check_names(rule: &Rule) -> Result<()> {
    if let Some(name) = &rule.metric {
        pmtaq_query::metric(name)?;
    }
    for name in rule.by.iter().chain(rule.only.keys()) {
        pmtaq_query::dimension(name)?;
    }
    Ok(())
}

fn run_once(context: &Context, args: &args::AlertRun) -> Result<Exit> {
    let (rules, _) = rules(context, &args.file)?;
    let store = &context.global.store;
    // Before anything is made in a folder that is no store.
    pmtaq_store::Store::open(store)?;
    let _lock = match args.print {
        true => None,
        false => Some(Lock::take(&layout::alerts_lock(store), &context.owner())?),
    };
    let mut memory = remembered(&layout::alerts(store))?;
    let judged = judge(context, &rules, &mut memory);
    if args.print {
        judged?;
        let shown = memory.outbox.iter().map(|unsent| {
            let receiver = rules.receivers.iter().find(|receiver| receiver.name == unsent.to);
            receiver.map(|receiver| send::shown(receiver, &unsent.event)).unwrap_or_default()
        });
        return show::print(context, &shown.collect::<String>());
    }
    // Remembered before it is sent: after a kill it is sent again rather than never.
    remember(store, &memory)?;
    let failures = deliver(context, &rules, &mut memory);
    remember(store, &memory)?;
    judged?;
    match failures.is_empty() {
        true => Ok(Exit::Done),
        false => {
            let text = failures.join("; ");
            Err(Failure::failed(&std::io::Error::other(text)).hint("the next run sends it again"))
        }
    }
}

/// Judges all rules and puts what is to be told into the outbox.
fn judge(context: &Context, rules: &Rules, memory: &mut Memory) -> Result<()> {
    let mut watcher = Watcher::open(context, context.now, context.now)?;
    let newest = watcher.newest();
    let lag = newest.map_or(i64::MAX, |newest| context.now.0 - newest.0);
    let is_late = lag > rules.max_lag.0;
    // Numbers are of the time before the newest record: later ones are not in yet.
    let last = newest.map_or(context.now, |newest| context.now.min(Timestamp(newest.0 + 1)));
    // Who falls silent writes no newest record: there time goes on.
    let last_of_silence = last.max(Timestamp(context.now.0 - rules.usual_lag.0));
    let tell = |memory: &mut Memory, event: Event, to: &Option<Vec<String>>| {
        ui::note(&context.global, &event.summary);
        let unsent = |receiver: &Receiver| Unsent {
            to: receiver.name.clone(),
            event: event.clone(),
            tries: 0,
            error: None,
        };
        memory.outbox.extend(rules.receivers_of(to).map(unsent));
    };
    for (name, ended) in memory.forget_gone(rules) {
        tell(memory, story::abandoned(context, &name, &ended), &ended.to);
    }
    for rule in &rules.rules {
        if is_late && Watcher::is_of_records(rule) {
            let text = format!("{}: not judged, since the newest record is too old", rule.name);
            ui::note(&context.global, &text);
            continue;
        }
        let at = if Watcher::finds_silence(rule) { last_of_silence } else { last };
        let mut seen = watcher.now(rule, at)?;
        drop_told(rule, memory, &mut seen);
        let watched = memory.rules.entry(rule.name.clone()).or_default();
        match watched.step(rule, context.now.0, &seen) {
            Some(Change::On { since, groups }) => {
                let groups: Vec<&Seen> = groups.iter().map(|place| &seen[*place]).collect();
                tell(memory, story::begun(&mut watcher, rule, since, groups, at)?, &rule.to);
            }
            Some(Change::Off(ended)) => {
                tell(memory, story::ended(context, &rule.name, &ended), &ended.to);
            }
            None => {}
        }
    }
    Ok(())
}

/// Leaves out the groups of which another rule tells.
fn drop_told(rule: &Rule, memory: &Memory, seen: &mut Vec<Seen>) {
    let others = rule.unless.iter().filter_map(|name| memory.rules.get(name));
    let others: Vec<_> = others.collect();
    seen.retain(|seen| !others.iter().any(|other| other.tells_of(&seen.labels)));
}

/// Sends what is in the outbox, to each receiver in order, and says what failed.
fn deliver(context: &Context, rules: &Rules, memory: &mut Memory) -> Vec<String> {
    let mut failures: Vec<String> = Vec::new();
    let mut failed: Vec<String> = Vec::new();
    let mut left = Vec::new();
    for mut unsent in std::mem::take(&mut memory.outbox) {
        let Some(receiver) = rules.receivers.iter().find(|receiver| receiver.name == unsent.to)
        else {
            let (to, summary) = (&unsent.to, &unsent.event.summary);
            failures.push(format!("no receiver is called `{to}` any more; not sent: {summary}"));
            continue;
        };
        // An end must not overtake its beginning.
        if failed.contains(&unsent.to) {
            left.push(unsent);
            continue;
        }
        unsent.tries += 1;
        match send::send(receiver, &unsent.event) {
            Ok(()) => {
                ui::note(&context.global, &format!("told {}: {}", unsent.to, unsent.event.summary))
            }
            Err(error) => {
                let (to, summary) = (&unsent.to, &unsent.event.summary);
                failures.push(format!("cannot tell `{to}` of {summary}: {error}"));
                failed.push(unsent.to.clone());
                unsent.error = Some(error);
                left.push(unsent);
            }
        }
    }
    memory.outbox = left;
    failures
}

fn remembered(path: &Path) -> Result<Memory> {
    match settings::read(path)? {
        None => Ok(Memory::default()),
        Some(text) => serde_json::from_str(&text).map_err(|error| {
            Failure::failed(&error)
                .hint(format!("{} is damaged; without it all alerts are told anew", path.display()))
        }),
    }
}

fn remember(store: &Path, memory: &Memory) -> Result<()> {
    let text = serde_json::to_vec_pretty(memory).map_err(|error| Failure::failed(&error))?;
    Ok(pmtaq_store::replace(&layout::alerts(store), &text)?)
}

fn test(context: &Context, args: &args::AlertTest) -> Result<Exit> {
    let (rules, path) = rules(context, &args.file)?;
    let is_asked =
        |receiver: &&Receiver| args.receiver.as_ref().is_none_or(|name| *name == receiver.name);
    let receivers: Vec<&Receiver> = rules.receivers.iter().filter(is_asked).collect();
    if receivers.is_empty() {
        let which = args.receiver.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default();
        return Err(Failure::usage(format!("{} has no receiver{which}", path.display())));
    }
    let event = |status, summary: &str| Event {
        rule: "test".to_owned(),
        key: format!("pmtaq/{}/test", context.machine),
        status,
        severity: Severity::Info,
        source: context.machine.clone(),
        at: context.now.0,
        since: context.now.0,
        summary: summary.to_owned(),
        groups: vec![Told {
            labels: vec![("provider".to_owned(), "example".to_owned())],
            words: "example: bounce_rate 12.0 % of 500 sent, usually 2.0 %".to_owned(),
            reasons: vec!["60 times: 550 5.1.1 no such user".to_owned()],
            command: Some("pmtaq why bounce_rate --provider example".to_owned()),
        }],
        runbook: None,
        directive: None,
    };
    let events = [
        event(Firing::Firing, "test: this is a test of pmtaq, nothing is wrong"),
        event(Firing::Resolved, "test: the test of pmtaq is over"),
    ];
    if args.print {
        let shown = receivers
            .iter()
            .flat_map(|receiver| events.iter().map(|event| send::shown(receiver, event)));
        return show::print(context, &shown.collect::<String>());
    }
    let mut failures = Vec::new();
    for receiver in receivers {
        match events.iter().try_for_each(|event| send::send(receiver, event)) {
            Ok(()) => ui::note(&context.global, &format!("told {}", receiver.name)),
            Err(error) => failures.push(format!("cannot tell `{}`: {error}", receiver.name)),
        }
    }
    match failures.is_empty() {
        true => Ok(Exit::Done),
        false => Err(Failure::failed(&std::io::Error::other(failures.join("; ")))),
    }
}
