//! Whether the store knows what it should: records up to the end of the window, no file missing,
//! no line refused. Where it does not, every other number of the page is too small.

use pmtaq_render::page::{Level, Problem};
use pmtaq_render::words::{count, duration};
use pmtaq_schema::Timestamp;

use super::weighed::{Weighed, first_of};
use crate::asked;
use crate::command_line::CommandLine;
use crate::commands::report::desk::Desk;
use crate::failure::Result;
use crate::rotation::gaps;

/// Without a record for so long at its end, a window is incomplete.
const STALE_S: i64 = 3600;
/// Names that are said one by one.
const MAX_NAMES: usize = 5;

pub(super) fn find(desk: &mut Desk<'_>) -> Result<Vec<Weighed>> {
    let mut found = Vec::new();
    found.extend(stale(desk, desk.newest()));
    found.extend(gone(desk)?);
    found.extend(refused(desk)?);
    Ok(found)
}

/// The best of it first: more than any number of recipients.
const FIRST: f64 = f64::MAX;

fn stale(desk: &Desk<'_>, newest: Option<Timestamp>) -> Option<Weighed> {
    let command = CommandLine::new("status").text();
    let status = |level, title: String, reading: &str| {
        let kind = "Stale data".to_owned();
        let reading = reading.to_owned();
        let problem = Problem { level, kind, title, reading, command, ..Problem::default() };
        Some(Weighed::new(problem, FIRST))
    };
    let Some(newest) = newest else {
        let title = "There is no record at all in or around the window".to_owned();
        return status(Level::Alarm, title, "Nothing was ingested, or for other days only");
    };
    let lag = desk.window.until.0 - newest.0;
    if lag < STALE_S {
        return None;
    }
    let title = format!(
        "No record since {}: the last {} of the window are missing",
        desk.zone.local(newest).format("%Y-%m-%d %H:%M"),
        duration(lag as f64)
    );
    let reading = "The ingest stands still, or PMTA writes no accounting files: the numbers below \
                   end there";
    status(Level::Alarm, title, reading)
}

/// Files that never came, by the names of those that did.
fn gone(desk: &Desk<'_>) -> Result<Option<Weighed>> {
    let sources = asked::sources(desk.context, &desk.store, desk.window)?;
    let gone = gaps(sources.iter().map(|(_, source)| source));
    if gone.is_empty() {
        return Ok(None);
    }
    let problem = Problem {
        level: Level::Warning,
        kind: "Missing files".to_owned(),
        title: match gone.len() {
            1 => "A gap in the sequence of accounting file names".to_owned(),
            n => format!("{n} gaps in the sequence of accounting file names"),
        },
        reading: "What they hold is in none of these numbers".to_owned(),
        facts: first_of(gone, MAX_NAMES),
        command: CommandLine::new("status").text(),
        ..Problem::default()
    };
    Ok(Some(Weighed::new(problem, FIRST)))
}

fn refused(desk: &mut Desk<'_>) -> Result<Option<Weighed>> {
    let answer = desk.ask("rejects", &[("top", "1000")])?;
    if answer.n_rows() == 0 {
        return Ok(None);
    }
    let n = answer.n_rows();
    let more = if n == 1000 { " or more" } else { "" };
    let problem = Problem {
        level: Level::Notice,
        kind: "Refused lines".to_owned(),
        title: format!("{}{more} lines were refused", count(n as f64)),
        reading: "They are kept with their reasons".to_owned(),
        command: Some(answer.line.clone()),
        ..Problem::default()
    };
    Ok(Some(Weighed::new(problem, n as f64)))
}
