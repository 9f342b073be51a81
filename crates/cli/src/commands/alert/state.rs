//! What is remembered between two runs, as a file beside the store. What cannot be read or written
//! stops no alert: to be told twice is better than never.

use std::path::Path;

use pmtaq_alert::Memory;
use pmtaq_store::{Error, Lock, layout};

use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::settings;

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

/// What was remembered, or nothing and the reason.
pub(super) fn read(store: &Path) -> (Memory, Option<String>) {
    let path = layout::alerts(store);
    let text = match settings::read(&path) {
        Ok(None) => return (Memory::default(), None),
        Ok(Some(text)) => text,
        Err(failure) => {
            let text = format!("{}; all alerts are told anew", failure.message());
            return (Memory::default(), Some(text));
        }
    };
    match serde_json::from_str(&text) {
        Ok(memory) => (memory, None),
        Err(error) => {
            let aside = path.with_extension("json.damaged");
            let kept = pmtaq_store::replace(&aside, text.as_bytes());
            let kept =
                kept.map_or_else(|_| String::new(), |()| format!(", kept as {}", aside.display()));
            let text =
                format!("{} is damaged ({error}){kept}; all alerts are told anew", path.display());
            (Memory::default(), Some(text))
        }
    }
}

/// Either leaves what was remembered as it was, or is remembered itself.
pub(super) fn write(store: &Path, memory: &Memory) -> Result<()> {
    let text = serde_json::to_vec_pretty(memory).map_err(|error| Failure::failed(&error))?;
    Ok(pmtaq_store::replace(&layout::alerts(store), &text)?)
}
