//! The MTAs whose files a store holds: how far each is behind. From the lists of sources alone.

use std::collections::BTreeMap;

use pmtaq_query::{Answer, Values};
use pmtaq_schema::human::duration;
use pmtaq_schema::{Timestamp, Unit};
use pmtaq_store::Source;

use crate::rotation::gaps;
use crate::skew;

/// The sources of each MTA, by its name.
pub(super) struct Hosts<'s>(BTreeMap<&'s str, Vec<&'s Source>>);

/// When an MTA logged its newest record, UTC seconds; none when no record was stored.
fn newest(sources: &[&Source]) -> Option<i64> {
    sources.iter().filter_map(|source| source.times).map(|(_, last)| last).max()
}

/// When a file of an MTA was last ingested from, UTC seconds.
fn ingested_at(sources: &[&Source]) -> i64 {
    sources.iter().map(|source| source.ingested_at).max().unwrap_or_default()
}

impl<'s> Hosts<'s> {
    pub(super) fn of(sources: impl Iterator<Item = &'s Source>) -> Hosts<'s> {
        let mut hosts: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
        sources.for_each(|source| hosts.entry(source.host.as_str()).or_default().push(source));
        Hosts(hosts)
    }

    /// A line for each, when there are several: of one, the store's own lines say the same.
    pub(super) fn lines(&self, now: Timestamp) -> Vec<String> {
        if self.0.len() < 2 {
            return Vec::new();
        }
        let ago = |then: i64| match now.0 - then {
            ago if ago >= 0 => format!("{} ago", duration(ago as f64)),
            ahead => format!("{} ahead: is a clock wrong?", duration(-ahead as f64)),
        };
        let line = |(i, (name, sources)): (usize, (&&str, &Vec<&Source>))| {
            let head = if i == 0 { "hosts" } else { "" };
            let newest = match newest(sources) {
                Some(newest) => format!("newest {} ({})", Timestamp(newest), ago(newest)),
                None => "no record".to_owned(),
            };
            let ahead = skew::ahead_s(sources.iter().copied());
            let clock = ahead.and_then(skew::text).map(|off| format!(", its clock {off}"));
            let clock = clock.unwrap_or_default();
            format!("{head:<9} {name}: {newest}, last ingest {}{clock}", ago(ingested_at(sources)))
        };
        self.0.iter().enumerate().map(line).collect()
    }

    /// A row for each.
    pub(super) fn answer(&self, now: Timestamp) -> Answer {
        let hosts = || self.0.values();
        let count = |of: &dyn Fn(&[&Source]) -> u64| {
            let counts = hosts().map(|host| Some(i64::try_from(of(host)).unwrap_or(i64::MAX)));
            (Unit::Count.into(), Values::Ints(counts.collect()))
        };
        let names = self.0.keys().map(|name| Some((*name).to_owned())).collect();
        let last = hosts().map(|host| newest(host).map(Timestamp)).collect();
        let lag = hosts().map(|host| newest(host).map(|time| (now.0 - time) as f64)).collect();
        let ahead =
            hosts().map(|host| skew::ahead_s(host.iter().copied()).map(|s| s as f64)).collect();
        let ingested = hosts().map(|host| Some(Timestamp(ingested_at(host)))).collect();
        let cells = [
            ("host", (Unit::Text.into(), Values::Texts(names))),
            ("newest", (Unit::Time.into(), Values::Times(last))),
            ("lag", (Unit::Seconds.into(), Values::Floats(lag))),
            ("last_ingest", (Unit::Time.into(), Values::Times(ingested))),
            ("clock_ahead", (Unit::Seconds.into(), Values::Floats(ahead))),
            ("sources", count(&|host| host.len() as u64)),
            ("stored", count(&|host| host.iter().map(|source| source.ledger.stored).sum())),
            ("rejected", count(&|host| host.iter().map(|source| source.ledger.rejected).sum())),
            ("missing", count(&|host| gaps(host.iter().copied()).len() as u64)),
        ];
        Answer::of(cells.map(|(name, (meaning, values))| (name.to_owned(), meaning, values)))
    }
}
