//! One round over all rules: each is measured by itself, so that a broken one silences no other, and
//! what began, grew or ended goes into the outbox. Sends nothing.

use std::collections::BTreeSet;

use pmtaq_alert::{Change, Event, Memory, Receiver, Rule, Rules, Seen, Turn, Unsent, Watch};
use pmtaq_schema::Timestamp;

use super::observe::Watcher;
use super::{send, story, usual};
use crate::context::Context;
use crate::failure::Result;

/// What was measured of all rules.
pub(super) struct Round<'r> {
    rules: &'r Rules,
    watcher: Watcher<'r>,
    seen: Vec<(&'r Rule, Timestamp, Vec<Seen>)>,
    /// What was not judged as a rule asks, and why: true for a while, and no failure.
    pub(super) notes: BTreeSet<String>,
    /// What could not be measured, and why: the rules by name, each reason once.
    failures: Vec<(String, Vec<String>)>,
}

impl<'r> Round<'r> {
    /// Measures all rules, of which `memory` says what is on.
    pub(super) fn measure(context: &'r Context, rules: &'r Rules, memory: &Memory) -> Round<'r> {
        let watcher = Watcher::new(context, context.now, context.now);
        let (seen, notes, failures) = (Vec::new(), BTreeSet::new(), Vec::new());
        let mut round = Round { rules, watcher, seen, notes, failures };
        for rule in &rules.rules {
            match round.look(rule, memory) {
                Ok(Some((at, seen))) => round.seen.push((rule, at, seen)),
                Ok(None) => {}
                Err(failure) => round.fail(rule, failure.message()),
            }
        }
        round
    }

    /// What a rule sees, and up to when; none when there is nothing to judge it by.
    fn look(&mut self, rule: &Rule, memory: &Memory) -> Result<Option<(Timestamp, Vec<Seen>)>> {
        let now = self.watcher.context.now;
        let watched = memory.rules.get(&rule.name);
        let is_on = |seen: &Seen| watched.is_some_and(|watched| watched.is_on(&seen.labels));
        if rule.watch.is_of_machine() {
            return Ok(Some((now, self.watcher.now(rule, now, is_on)?)));
        }
        let newest = self.watcher.newest()?;
        let lag = newest.map_or(i64::MAX, |newest| now.0 - newest.0);
        if rule.watch.is_of_records() && lag > self.rules.max_lag.0 {
            let text = format!("{}: not judged, since the newest record is too old", rule.name);
            self.notes.insert(text);
            return Ok(None);
        }
        // Numbers are of the time before the newest record: later ones are not in yet. But who falls
        // silent writes no newest record: there time goes on.
        let newest = newest.map_or(now, |newest| now.min(Timestamp(newest.0 + 1)));
        let at = match rule.watch {
            Watch::Metric if is_of_silence(rule) => {
                newest.max(Timestamp(now.0 - self.rules.usual_lag.0))
            }
            Watch::Metric | Watch::NewReply => newest,
            _ => now,
        };
        let (lacks, is_of_all) = self.watcher.unknown(rule, at)?;
        let not_judged = if is_of_all { "not judged" } else { "not judged in all groups" };
        let notes = lacks.iter().map(|lack| format!("{}: {not_judged}, since {lack}", rule.name));
        self.notes.extend(notes);
        if is_of_all {
            return Ok(None);
        }
        let seen = self.watcher.now(rule, at, is_on)?;
        self.notes.extend(usual::note(rule, &seen));
        Ok(Some((at, seen)))
    }

    fn fail(&mut self, rule: &Rule, reason: &str) {
        self.watcher.close();
        match self.failures.iter_mut().find(|(known, _)| known == reason) {
            Some((_, rules)) => rules.push(rule.name.clone()),
            None => self.failures.push((reason.to_owned(), vec![rule.name.clone()])),
        }
    }

    /// What could not be judged, a sentence for each reason.
    pub(super) fn failures(&self) -> impl Iterator<Item = String> {
        self.failures.iter().map(|(reason, rules)| {
            let names: Vec<String> = rules.iter().map(|name| format!("`{name}`")).collect();
            let word = if rules.len() == 1 { "rule" } else { "rules" };
            format!("{word} {} not judged: {reason}", names.join(", "))
        })
    }

    /// What would be sent, without secrets.
    pub(super) fn preview(&self, unsent: &Unsent) -> Option<String> {
        let is_it = |receiver: &&Receiver| receiver.name == unsent.to;
        let receiver = self.rules.receivers.iter().find(is_it)?;
        Some(send::preview(receiver, &unsent.event))
    }

    /// Puts what is to be told into the outbox, and returns its sentences. A rule whose story cannot be
    /// told in full is told by its numbers.
    pub(super) fn tell(&mut self, memory: &mut Memory, is_patient: bool) -> Vec<String> {
        let context = self.watcher.context;
        let now = context.now;
        let local = context.global.tz.local(now);
        let mut told = Vec::new();
        let mut tell = |memory: &mut Memory, event: Event, to: &Option<Vec<String>>| {
            let unsent = |receiver: &Receiver| Unsent {
                to: receiver.name.clone(),
                event: event.clone(),
                tries: 0,
                error: None,
            };
            memory.outbox.extend(self.rules.receivers_of(to).map(unsent));
            told.push(event.summary);
        };
        for (name, ended) in memory.forget_gone(self.rules) {
            tell(memory, story::abandoned(context, &name, &ended), &ended.to);
        }
        for (rule, at, seen) in &self.seen {
            let seen = without_told(rule, memory, seen);
            let is_muted = memory.is_muted(&rule.name, now.0)
                || self.rules.is_in_maintenance(&rule.name, local);
            let turn = Turn { is_muted, is_patient, ..Turn::at(now.0) };
            let watched = memory.rules.entry(rule.name.clone()).or_default();
            match watched.step(rule, turn, &seen) {
                Some(Change::On { since, groups, is_reminder }) => {
                    let groups: Vec<&Seen> = groups.iter().map(|place| &seen[*place]).collect();
                    let begin = story::Begin { rule, since, at: *at, is_reminder };
                    tell(memory, begin.event(&mut self.watcher, groups), &rule.to);
                }
                Some(Change::Off(ended)) => {
                    tell(memory, story::ended(context, &rule.name, &ended), &ended.to);
                }
                None => {}
            }
        }
        told
    }
}

/// Whether the rule finds those of whom less and less comes.
fn is_of_silence(rule: &Rule) -> bool {
    let metric = rule.metric.as_deref().and_then(|name| pmtaq_query::watched(name).ok());
    rule.is_of_too_little() && metric.is_some_and(|metric| metric.unit.is_sum())
}

/// What was seen without the groups of which another rule tells.
pub(super) fn without_told(rule: &Rule, memory: &Memory, seen: &[Seen]) -> Vec<Seen> {
    let others = rule.unless.iter().filter_map(|name| memory.rules.get(name));
    let others: Vec<_> = others.collect();
    let is_news = |seen: &&Seen| !others.iter().any(|other| other.tells_of(&seen.labels));
    seen.iter().filter(is_news).cloned().collect()
}
