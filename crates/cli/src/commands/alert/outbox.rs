//! Delivers what is to be told, to each receiver in order. Says what failed, and decides what of it
//! is sent again by the next run.

use std::collections::BTreeSet;

use pmtaq_alert::{Memory, Rules};

use super::send::{self, Failed};
use crate::context::Context;
use crate::ui;

/// Sends what is in the outbox, and returns what failed.
pub(super) fn deliver(
    context: &Context,
    rules: &Rules,
    memory: &mut Memory,
    notes: &mut BTreeSet<String>,
) -> Vec<String> {
    let clock = context.clock();
    let mut failures: Vec<String> = Vec::new();
    // An end must not overtake its beginning: behind what waits all else for the receiver waits.
    let mut blocked: BTreeSet<String> = BTreeSet::new();
    let mut left = Vec::new();
    for mut unsent in std::mem::take(&mut memory.outbox) {
        let (to, summary) = (unsent.to.clone(), &unsent.event.summary);
        let Some(receiver) = rules.receivers.iter().find(|receiver| receiver.name == to) else {
            failures.push(format!("no receiver is called `{to}` any more; not sent: {summary}"));
            continue;
        };
        if memory.waits.get(&to).is_some_and(|until| clock.now().0 < *until) {
            notes.insert(format!("`{to}` asked to be told later; what there is for it is kept"));
            blocked.insert(to.clone());
        }
        if blocked.contains(&to) {
            left.push(unsent);
            continue;
        }
        unsent.tries += 1;
        match send::send(receiver, &unsent.event) {
            Ok(()) => ui::note(&context.global, &format!("told {to}: {summary}")),
            // Sent again it would be refused again, and all behind it would wait for ever.
            Err(Failed::Refused(error)) => failures
                .push(format!("cannot tell `{to}` of {summary}: {error}; it is not sent again")),
            Err(Failed::Kept { error, wait_s }) => {
                let later = "the next run sends it again";
                failures.push(format!("cannot tell `{to}` of {summary}: {error}; {later}"));
                if let Some(wait_s) = wait_s {
                    memory.waits.insert(to.clone(), clock.now().0.saturating_add(wait_s));
                }
                blocked.insert(to);
                unsent.error = Some(error);
                left.push(unsent);
            }
        }
    }
    memory.outbox = left;
    failures
}
