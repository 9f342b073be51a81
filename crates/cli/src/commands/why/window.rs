//! The window that `why` asks about.

use pmtaq_schema::{Timestamp, Window, Zone};

use crate::args;
use crate::window::{end, moment, stretch, window};

/// The window of `--at`, `--window`, or `--since`, `--until` and `--last`; else the last hour.
///
/// # Errors
/// A sentence that names the text and the forms that are understood.
pub(crate) fn asked(args: &args::WhyArgs, zone: Zone, now: Timestamp) -> Result<Window, String> {
    const HOUR_S: i64 = 3600;
    if let Some(at) = &args.at {
        let since = moment(at, zone, now)?;
        return Ok(Window { since, until: Timestamp(since.0 + HOUR_S) });
    }
    if let Some(text) = &args.window {
        let Some((since, until)) = text.split_once("..") else {
            return stretch(text, zone, now);
        };
        let since = moment(since, zone, now)?;
        let until = end(until, zone, now, since)?;
        if since >= until {
            return Err(format!("the window is empty: it begins at {since} and ends at {until}"));
        }
        return Ok(Window { since, until });
    }
    let times = &args.selection.times;
    let (since, until) = (times.since.as_deref(), times.until.as_deref());
    match (since, until, times.last.as_deref()) {
        (None, None, None) => window(None, None, Some("1h"), zone, now),
        (None, Some(_), _) => Err("--until needs --since, or --window FROM..TO".to_owned()),
        (Some(since), until, last) => {
            window(Some(since), Some(until.unwrap_or("now")), last, zone, now)
        }
        (None, None, last) => window(None, None, last, zone, now),
    }
}
