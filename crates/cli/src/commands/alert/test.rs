//! `pmtaq alert test`: whether alerts arrive, and whether all rules can be judged.

use pmtaq_alert::{Event, Firing, Receiver, Rule, Severity, Told, Watch};

use super::send::{self, Failed};
use super::{observe, probe, rules_file};
use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result, summed_up};
use crate::{show, ui};

pub(super) fn run(context: &Context, args: &args::AlertTest) -> Result<Exit> {
    let (rules, path) = rules_file::read(context, &args.file)?;
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
    let broken = rules.rules.iter().filter_map(|rule| broken(context, rule));
    let mut failures: Vec<String> = broken.collect();
    if args.print {
        let shown = receivers
            .iter()
            .flat_map(|receiver| events.iter().map(|event| send::preview(receiver, event)));
        show::print(context, &shown.collect::<String>())?;
        return summed_up(failures);
    }
    for receiver in receivers {
        failures.extend(send::leaks(receiver));
        match events.iter().try_for_each(|event| send::send(receiver, event)) {
            Ok(()) => ui::note(&context.global, &format!("told {}", receiver.name)),
            Err(Failed::Refused(error) | Failed::Kept { error, .. }) => {
                failures.push(format!("cannot tell `{}`: {error}", receiver.name));
            }
        }
    }
    summed_up(failures)
}

/// What of a rule can never be judged: SQL that the engine does not understand, a folder that is not
/// there.
fn broken(context: &Context, rule: &Rule) -> Option<String> {
    let checked = match (rule.watch, &rule.path) {
        (Watch::Disk, Some(path)) => probe::disk(path).map(|_| ()),
        (watch, _) if watch.is_of_machine() || watch == Watch::RefusedLines => Ok(()),
        _ => observe::check(context, rule),
    };
    checked.err().map(|failure| format!("rule `{}`: {}", rule.name, failure.message()))
}
