//! MTAs that went silent, and clocks of machines that differ. Reads no record.

use std::collections::BTreeMap;

use pmtaq_schema::human::duration;
use pmtaq_schema::time::DAY_S;
use pmtaq_schema::{Timestamp, Window};
use pmtaq_store::{Source, Store};

use super::finding::{Finding, Severity, time_text};
use crate::context::Context;
use crate::failure::Result;
use crate::{asked, skew};

/// How long an MTA is missed that ingests no more.
const MISSED_S: i64 = 30 * DAY_S;

/// The MTAs whose records ended before `window`.
pub(super) fn silent(context: &Context, store: &Store, window: Window) -> Result<Vec<Finding>> {
    let since = Timestamp(context.now.0.saturating_sub(MISSED_S));
    let sources = asked::sources(context, store, Window { since, until: Window::ALL.until })?;
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, source) in &sources {
        let newest = source.times.map_or(i64::MIN, |(_, last)| last);
        let known = last.entry(&source.host).or_insert(i64::MIN);
        *known = newest.max(*known);
    }
    let is_silent = |last: i64| last > i64::MIN && last < window.since.0;
    let silent = last.into_iter().filter(|(_, last)| is_silent(*last));
    let finding = |(host, last): (&str, i64)| {
        let what = format!(
            "{host}: no record in this window; its newest is of {}, {} ago",
            time_text(context, Timestamp(last)),
            duration(context.now.0.saturating_sub(last) as f64)
        );
        let fix = "see whether its ingest runs: the store has nothing newer of it";
        Finding::new("lag", Severity::Trouble, what).fix(fix)
    };
    Ok(silent.map(finding).collect())
}

/// Clocks that are not that of the bucket's server: those of the machines that ingest, and of this one.
pub(super) fn clocks(context: &Context, store: &Store, sources: &[Source]) -> Result<Vec<Finding>> {
    let mut hosts: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    sources.iter().for_each(|source| hosts.entry(&source.host).or_default().push(source));
    let of_hosts = hosts.into_iter().filter_map(|(host, sources)| {
        let off = skew::text(skew::ahead_s(sources)?)?;
        Some(format!("{host}: the clock of the machine that ingests it was {off}"))
    });
    let there = store.server_time()?;
    let here = there.and_then(|there| skew::text(context.machine_time().0 - there));
    let here = here.map(|off| format!("the clock of this machine is {off}"));
    let fix = "let all machines set their clocks by NTP: windows and lags are of their times";
    Ok(of_hosts
        .chain(here)
        .map(|what| Finding::new("clock", Severity::Trouble, what).fix(fix))
        .collect())
}
