//! `pmtaq alert mute` and `unmute`: nobody is told of a rule for a time, without a change of the rules.

use pmtaq_schema::Timestamp;
use pmtaq_schema::size::parse_duration_s;

use super::rules_file;
use super::state::{self, State};
use crate::args;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{ui, window};

/// How often a change is tried that other machines may be ahead of.
const TRIES: u32 = 5;

pub(super) fn mute(context: &Context, args: &args::AlertMute) -> Result<Exit> {
    let length = parse_duration_s(&args.lasting).filter(|length| *length > 0).ok_or_else(|| {
        Failure::usage(format!(
            "--for `{}` is not a valid duration; write it like 2h",
            args.lasting
        ))
    })?;
    let until = Timestamp(context.now.0.saturating_add(length));
    change(context, &args.file, args.rule.as_deref(), |memory, rule| {
        memory.mute(rule, until.0);
        true
    })?;
    let who = args.rule.as_deref().unwrap_or("all rules");
    let until = window::minute(until, context.global.tz);
    ui::note(&context.global, &format!("{who}: muted until {until}"));
    Ok(Exit::Done)
}

pub(super) fn unmute(context: &Context, args: &args::AlertUnmute) -> Result<Exit> {
    let rule = args.rule.as_deref();
    let was_muted = change(context, &args.file, rule, |memory, rule| memory.unmute(rule))?;
    let who = rule.unwrap_or("all rules");
    let what = if was_muted { "muted no more" } else { "nothing was muted under this name" };
    ui::note(&context.global, &format!("{who}: {what}"));
    Ok(Exit::Done)
}

/// Changes what is remembered, and says what `change` says.
fn change(
    context: &Context,
    file: &args::RulesOption,
    rule: Option<&str>,
    change: impl Fn(&mut pmtaq_alert::Memory, Option<&str>) -> bool,
) -> Result<bool> {
    let file = args::RulesFile { rules: file.rules.clone() };
    let (rules, path) = rules_file::read(context, &file)?;
    if let Some(name) = rule.filter(|name| !rules.rules.iter().any(|rule| rule.name == *name)) {
        return Err(Failure::usage(format!("{} has no rule `{name}`", path.display())));
    }
    context.store()?;
    // Without the lock a run could overwrite this, and nobody would know.
    let _lock = state::lock(context)?.map_err(Failure::from_text)?;
    let mut state = State::of(context);
    let mut tries = if state.is_shared() { TRIES } else { 1 };
    loop {
        let (mut memory, failure) = state.read()?;
        if let Some(failure) = failure {
            ui::note(&context.global, &failure);
        }
        let done = change(&mut memory, rule);
        tries -= 1;
        match state.write(&memory) {
            // Another machine was faster: the change is made to what it wrote.
            Err(_) if tries > 0 => {}
            written => return written.map(|()| done),
        }
    }
}
