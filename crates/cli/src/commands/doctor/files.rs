//! What the names and the times of the ingested files say: gaps in their numbers, and clocks that
//! went back or ahead. Reads no record.

use pmtaq_query::Presence;
use pmtaq_schema::human::duration;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_schema::{Timestamp, Window};
use pmtaq_store::{Source, Store};

use super::finding::{Finding, Severity, counted, few, thousands, time_text};
use crate::asked;
use crate::context::Context;
use crate::failure::Result;
use crate::rotation::{missing, streams};

/// The files whose records may lie in the window.
pub(super) fn within(context: &Context, store: &Store, window: Window) -> Result<Vec<Source>> {
    // A file is filed under the day of its first record, and rotation begins one a day at least: so
    // what reaches into the window began in it or on the day before.
    let since = Timestamp(window.since.0.saturating_sub(DAY_S));
    let sources = asked::sources(context, store, Window { since, ..window })?;
    let touches = |day: Day, source: &Source| {
        let (first, last) = source.times.unwrap_or((day.start().0, day.start().0));
        first < window.until.0 && last >= window.since.0
    };
    let sources = sources.into_iter().filter(|(day, source)| touches(*day, source));
    Ok(sources.map(|(_, source)| source).collect())
}

/// What rotation has made, and what of it never came.
pub(super) fn gaps(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let streams = streams(sources);
    let named: usize = streams.values().map(Vec::len).sum();
    for ((host, prefix), files) in &streams {
        let missing = missing(files);
        let (first, last) = (files[0].0.day, files[files.len() - 1].0.day);
        let all = format!(
            "{host}: {} {prefix}-*.csv, {first} to {last}",
            counted(files.len() as u64, "file")
        );
        if missing.is_empty() {
            findings.push(Finding::new("files", Severity::Ok, format!("{all}, none missing")));
        } else {
            let what = format!("{all}; missing: {}", few(&missing));
            let fix = "ingest them, if `delete-after` has left them anywhere";
            findings.push(Finding::new("files", Severity::Trouble, what).fix(fix));
        }
    }
    let others = sources.len() - named;
    if others > 0 {
        let what = format!(
            "{} of names that rotation has not made: gaps between them cannot be seen",
            counted(others as u64, "file")
        );
        findings.push(Finding::new("files", Severity::Ok, what));
    }
    findings
}

/// What ingest did not take or keep, though it was there.
pub(super) fn passed_over(store: &Store, sources: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let skipped = store.skipped()?;
    if skipped.count > 0 {
        let what = format!(
            "{} skipped by the last ingest of a folder, by name or beginning: {skipped}; what they hold \
             is not seen here",
            counted(skipped.count, "file"),
        );
        let fix = "pmtaq ingest FILE takes it, or says why not";
        findings.push(Finding::new("files", Severity::Lacks, what).fix(fix));
    }
    let cut: Vec<&Source> = sources.iter().filter(|source| source.ledger.unkept > 0).collect();
    let unkept: u64 = cut.iter().map(|source| source.ledger.unkept).sum();
    if unkept > 0 {
        let names: Vec<String> = cut.iter().map(|source| source.name.clone()).collect();
        let what = format!(
            "{} refused and not kept, of files with too many: {}",
            counted(unkept, "line"),
            few(&names)
        );
        findings.push(Finding::new("files", Severity::Trouble, what));
    }
    Ok(findings)
}

/// Seconds by which records may be out of order.
const JITTER_S: i64 = 60;

/// Seconds by which the clock of an MTA may be ahead of ours.
const AHEAD_S: i64 = 300;

/// PMTA was not there before the year 2000.
const EARLIEST_S: i64 = 10_957 * DAY_S;

/// Times that cannot be.
pub(super) fn clock(context: &Context, sources: &[Source], presence: &Presence) -> Vec<Finding> {
    let mut wrong = Vec::new();
    for ((host, prefix), files) in streams(sources) {
        let timed = files.iter().filter_map(|(_, source)| Some((source, source.times?)));
        let timed: Vec<_> = timed.collect();
        for pair in timed.windows(2) {
            let ((before, (_, end)), (after, (begin, _))) = (pair[0], pair[1]);
            if end - begin > JITTER_S {
                wrong.push(format!(
                    "{host}: {} begins {} before the end of {}: the clock went back, or two MTAs \
                     write {prefix}-*.csv and `ingest --host` does not tell them apart",
                    after.name,
                    duration((end - begin) as f64),
                    before.name
                ));
            }
        }
    }
    for source in sources {
        let Some((first, last)) = source.times else { continue };
        if last - source.ingested_at > AHEAD_S {
            let time = time_text(context, Timestamp(last));
            wrong.push(format!(
                "{}: {} has records of {time}, after the moment of its ingestion",
                source.host, source.name
            ));
        }
        if first < EARLIEST_S {
            let time = time_text(context, Timestamp(first));
            wrong.push(format!("{}: {} has records of {time}", source.host, source.name));
        }
    }
    for host in presence.hosts() {
        let backwards: u64 = presence.of(host).map(|logged| logged.backwards).sum();
        if backwards > 0 {
            wrong.push(format!(
                "{host}: {} logged a minute or more before it was queued",
                counted(backwards, "record")
            ));
        }
    }
    if wrong.is_empty() {
        return vec![Finding::new("clock", Severity::Ok, "no clock went back, and none is ahead")];
    }
    const SHOWN: usize = 10;
    let more = wrong.len().saturating_sub(SHOWN);
    wrong.truncate(SHOWN);
    let mut findings: Vec<Finding> =
        wrong.into_iter().map(|what| Finding::new("clock", Severity::Trouble, what)).collect();
    if more > 0 {
        let what = format!("and {} more of the kind", thousands(more as u64));
        findings.push(Finding::new("clock", Severity::Trouble, what));
    }
    findings
}
