//! `pmtaq alert run`: one run of cron. Whatever fails, the rest is judged and told, and what failed is
//! said at the end.

use pmtaq_alert::Memory;

use super::round::Round;
use super::state::{self, State};
use super::{outbox, rules_file, send};
use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Result, summed_up};
use crate::{show, ui};

pub(super) fn run(context: &Context, args: &args::AlertRun) -> Result<Exit> {
    let (rules, _) = rules_file::read(context, &args.file)?;
    let mut failures = Vec::new();
    let lock = if args.print { None } else { Some(state::lock(context)?) };
    if let Some(Err(failure)) = &lock {
        failures.push(failure.clone());
    }
    if !args.print && state::is_told_by_another(context)? {
        return Ok(Exit::Done);
    }
    let mut state = State::of(context);
    let (before, failure) = state.read()?;
    failures.extend(failure);
    let mut round = Round::measure(context, &rules, &before);
    failures.extend(round.failures());
    if args.print {
        return print(context, &mut round, before, failures);
    }
    let mut memory = before.clone();
    memory.forget_past(context.now.0);
    let mut told = round.tell(&mut memory, true);
    // Remembered before it is sent: after a kill it is sent again rather than never.
    let remembered = state.write(&memory);
    if let Err(failure) = &remembered {
        if state.is_shared() {
            // Another machine may have told, or the next run tells.
            failures.push(format!("nothing was told: {}", failure.message()));
            return summed_up(failures);
        }
        let why = failure.message();
        failures
            .push(format!("what is told now may be told again, as it is not remembered: {why}"));
        memory = before;
        told = round.tell(&mut memory, false);
    }
    told.iter().for_each(|summary| ui::note(&context.global, summary));
    let mut notes = std::mem::take(&mut round.notes);
    notes.extend(rules.receivers.iter().flat_map(send::leaks));
    let written = memory.clone();
    failures.extend(outbox::deliver(context, &rules, &mut memory, &mut notes));
    memory.news(notes).iter().for_each(|note| ui::note(&context.global, note));
    let is_news = remembered.is_ok() && memory != written;
    if let Some(Err(failure)) = is_news.then(|| state.write(&memory)) {
        let why = failure.message();
        failures.push(format!("what was told may be told again, as it is not remembered: {why}"));
    }
    summed_up(failures)
}

/// Shows what would be told now, also what has not lasted long enough to be told.
fn print(
    context: &Context,
    round: &mut Round<'_>,
    before: Memory,
    failures: Vec<String>,
) -> Result<Exit> {
    let (mut memory, mut now) = (before.clone(), before);
    round.tell(&mut memory, true);
    round.tell(&mut now, false);
    for unsent in now.outbox.iter().filter(|unsent| !memory.outbox.contains(unsent)) {
        let name = &unsent.event.rule;
        ui::note(&context.global, &format!("{name}: told when it has lasted as long as it must"));
    }
    round.notes.iter().for_each(|note| ui::note(&context.global, note));
    let shown: String = now.outbox.iter().filter_map(|unsent| round.preview(unsent)).collect();
    show::print(context, &shown)?;
    summed_up(failures)
}
