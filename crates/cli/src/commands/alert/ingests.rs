//! How the ingests before ended: what `watch = "failed-ingests"` looks at. Remembered beside the store
//! only from a failure on, so that an ingest that goes well costs nothing.

use pmtaq_schema::Timestamp;
use pmtaq_store::layout;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Result;
use crate::settings;

/// The ingests that failed one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Failed {
    /// How many; 0 when the last one went well.
    pub(crate) n: u32,
    /// When the first of them was.
    pub(crate) since: Option<Timestamp>,
    /// Why the last one failed.
    pub(crate) reason: String,
}

/// Those of the store, as far as they could be remembered.
pub(super) fn failed(context: &Context) -> Failed {
    let text = settings::read(&layout::failed_ingests(&context.global.store)).ok().flatten();
    let Some(value) = text.and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
        return Failed::default();
    };
    Failed {
        n: value["n"].as_u64().and_then(|n| n.try_into().ok()).unwrap_or(0),
        since: value["since"].as_str().and_then(|text| Timestamp::parse(text.as_bytes())),
        reason: value["reason"].as_str().unwrap_or_default().to_owned(),
    }
}

/// Remembers how an ingest ended, and hands it on.
pub(crate) fn remember(context: &Context, ended: Result<Exit>) -> Result<Exit> {
    let reason = match &ended {
        Ok(Exit::Done) => None,
        Ok(Exit::Rejects) => Some("more lines were refused than --max-rejects allows".to_owned()),
        Ok(_) => Some("files were refused or could not be read to their end".to_owned()),
        Err(failure) if failure.exit == Exit::Interrupted => return ended,
        Err(failure) => Some(failure.message().to_owned()),
    };
    let before = failed(context);
    let since = before.since.filter(|_| before.n > 0).unwrap_or(context.now);
    let now = match reason {
        Some(reason) => json!({"n": before.n + 1, "since": since.to_string(), "reason": reason}),
        None if before.n > 0 => json!({"n": 0}),
        None => return ended,
    };
    // Where the store cannot be written the rules of disk and lag tell of it.
    let path = layout::failed_ingests(&context.global.store);
    let _ = pmtaq_store::replace(&path, format!("{now}\n").as_bytes());
    ended
}
