//! The MTAs whose files a store holds: how far each is behind. From the lists of sources alone.

use std::collections::BTreeMap;

use pmtaq_query::{Answer, Values};
use pmtaq_schema::human::duration;
use pmtaq_schema::{Timestamp, Unit};
use pmtaq_store::Source;

use crate::rotation::gaps;

/// What is known of one MTA by its sources.
#[derive(Default)]
struct Host {
    sources: u64,
    stored: u64,
    rejected: u64,
    /// Of the newest record, UTC seconds; none when no record was stored.
    newest: Option<i64>,
    ingested_at: i64,
    missing: usize,
}

/// The MTAs of some sources, by name.
pub(super) struct Hosts<'s>(BTreeMap<&'s str, Host>);

impl<'s> Hosts<'s> {
    pub(super) fn of(sources: impl Iterator<Item = &'s Source> + Clone) -> Hosts<'s> {
        let mut hosts: BTreeMap<&str, Host> = BTreeMap::new();
        for source in sources.clone() {
            let host = hosts.entry(source.host.as_str()).or_default();
            host.sources += 1;
            host.stored += source.ledger.stored;
            host.rejected += source.ledger.rejected;
            host.newest = host.newest.max(source.times.map(|(_, last)| last));
            host.ingested_at = host.ingested_at.max(source.ingested_at);
        }
        for (name, host) in &mut hosts {
            host.missing = gaps(sources.clone().filter(|source| source.host == *name)).len();
        }
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
        let line = |(i, (name, host)): (usize, (&&str, &Host))| {
            let head = if i == 0 { "hosts" } else { "" };
            let newest = match host.newest {
                Some(newest) => format!("newest {} ({})", Timestamp(newest), ago(newest)),
                None => "no record".to_owned(),
            };
            format!("{head:<9} {name}: {newest}, last ingest {}", ago(host.ingested_at))
        };
        self.0.iter().enumerate().map(line).collect()
    }

    /// A row for each.
    pub(super) fn answer(&self, now: Timestamp) -> Answer {
        let hosts = || self.0.values();
        let count = |of: &dyn Fn(&Host) -> u64| {
            let counts = hosts().map(|host| Some(i64::try_from(of(host)).unwrap_or(i64::MAX)));
            (Unit::Count.into(), Values::Ints(counts.collect()))
        };
        let names = self.0.keys().map(|name| Some((*name).to_owned())).collect();
        let newest = hosts().map(|host| host.newest.map(Timestamp)).collect();
        let lag = hosts().map(|host| host.newest.map(|newest| (now.0 - newest) as f64)).collect();
        let ingested = hosts().map(|host| Some(Timestamp(host.ingested_at))).collect();
        let cells = [
            ("host", (Unit::Text.into(), Values::Texts(names))),
            ("newest", (Unit::Time.into(), Values::Times(newest))),
            ("lag", (Unit::Seconds.into(), Values::Floats(lag))),
            ("last_ingest", (Unit::Time.into(), Values::Times(ingested))),
            ("sources", count(&|host| host.sources)),
            ("stored", count(&|host| host.stored)),
            ("rejected", count(&|host| host.rejected)),
            ("missing", count(&|host| host.missing as u64)),
        ];
        Answer::of(cells.map(|(name, (meaning, values))| (name.to_owned(), meaning, values)))
    }
}
