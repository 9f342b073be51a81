//! What is remembered between two runs: a file beside the store, or of a store that many machines share a
//! note in its bucket. What cannot be read or written beside a store stops no alert: to be told twice is
//! better than never. Of many machines one tells, and of what the note says none undoes what another wrote.

use std::path::PathBuf;

use pmtaq_alert::Memory;
use pmtaq_store::{Error, Lock, Note, Turn, layout};

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::{settings, ui};

/// How long after a run others leave the telling to its machine, in seconds: longer than from one minute
/// of cron to the next.
const TURN_S: i64 = 180;

/// The lock that lets one run at a time tell; none where it cannot be made, with the reason.
///
/// # Errors
/// Another run that tells right now.
pub(super) fn lock(context: &Context) -> Result<std::result::Result<Lock, String>> {
    match Lock::take(&layout::alerts_lock(&context.global.store), &context.owner()) {
        Ok(lock) => Ok(Ok(lock)),
        Err(error @ Error::Locked { .. }) => Err(error.into()),
        Err(error) => Ok(Err(format!(
            "no lock keeps another run from telling the same: {}",
            Failure::from(error).message()
        ))),
    }
}

/// Whether another machine tells of this store, which is said.
pub(super) fn is_told_by_another(context: &Context) -> Result<bool> {
    if context.alerts_of_all().is_none() {
        return Ok(false);
    }
    match context.store()?.take_turn("alerts", &context.machine, TURN_S)? {
        Turn::Mine(_) => Ok(false),
        Turn::Of { holder, .. } => {
            let text =
                format!("{holder} tells of the alerts of this store; nothing is to be done here");
            ui::note(&context.global, &text);
            Ok(true)
        }
    }
}

/// Where it is remembered.
pub(super) struct State {
    path: PathBuf,
    /// That of a store which many machines share.
    note: Option<Note>,
}

impl State {
    pub(super) fn of(context: &Context) -> State {
        State { path: layout::alerts(&context.global.store), note: context.alerts_of_all() }
    }

    /// Whether other machines remember the same.
    pub(super) fn is_shared(&self) -> bool {
        self.note.is_some()
    }

    /// What was remembered, or nothing and the reason.
    ///
    /// # Errors
    /// What a bucket says.
    pub(super) fn read(&mut self) -> Result<(Memory, Option<String>)> {
        let text = match &mut self.note {
            Some(note) => {
                Ok(note.read()?.map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned()))
            }
            None => settings::read(&self.path),
        };
        let text = match text {
            Ok(None) => return Ok((Memory::default(), None)),
            Ok(Some(text)) => text,
            Err(failure) => {
                let text = format!("{}; all alerts are told anew", failure.message());
                return Ok((Memory::default(), Some(text)));
            }
        };
        let error = match serde_json::from_str(&text) {
            Ok(memory) => return Ok((memory, None)),
            Err(error) => error,
        };
        let aside = self.path.with_extension("json.damaged");
        let kept = pmtaq_store::replace(&aside, text.as_bytes());
        let kept =
            kept.map_or_else(|_| String::new(), |()| format!(", kept as {}", aside.display()));
        let place = self.note.as_ref().map(Note::address);
        let place = place.unwrap_or_else(|| self.path.display().to_string());
        let text = format!("{place} is damaged ({error}){kept}; all alerts are told anew");
        Ok((Memory::default(), Some(text)))
    }

    /// Either leaves what was remembered as it was, or is remembered itself. Of a bucket only if it is as
    /// it was read.
    pub(super) fn write(&mut self, memory: &Memory) -> Result<()> {
        let text = serde_json::to_vec_pretty(memory).map_err(|error| Failure::failed(&error))?;
        let Some(note) = &mut self.note else {
            return Ok(pmtaq_store::replace(&self.path, &text)?);
        };
        if note.write(&text)? {
            return Ok(());
        }
        Err(Failure::from_text(
            "another machine has changed meanwhile what is remembered of alerts",
        ))
    }
}
