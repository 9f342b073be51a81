//! The MTAs that a store knows of, by their files or by their records: how far each is behind. From the lists of
//! sources and parts; records are read only where these do not tell the newest one.

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_query::{Answer, Selection, Values};
use pmtaq_schema::human::duration;
use pmtaq_schema::time::Day;
use pmtaq_schema::{Record, Timestamp, Unit, Window};
use pmtaq_store::layout::Table;
use pmtaq_store::{Snapshot, Source};

use crate::asked;
use crate::context::Context;
use crate::failure::Result;
use crate::rotation::gaps;
use crate::skew;

/// What is known of each MTA, by its name.
#[derive(Default)]
pub(super) struct Hosts<'s>(BTreeMap<String, Host<'s>>);

#[derive(Default)]
struct Host<'s> {
    /// Its files.
    sources: Vec<&'s Source>,
    /// Those in whose sequence files are looked for that never came.
    recent: Vec<&'s Source>,
    /// The types of the records that name it, and how many they are; of parts of older versions it is not known.
    types: BTreeSet<Record>,
    records: Option<u64>,
    /// The newest of these, where its files do not tell.
    newest: Option<i64>,
}

impl Host<'_> {
    /// When it logged its newest record, UTC seconds; none when no record was stored.
    fn newest(&self) -> Option<i64> {
        let times = self.sources.iter().filter_map(|source| source.times);
        self.newest.or_else(|| times.map(|(_, last)| last).max())
    }

    /// When a file of it was last ingested from, UTC seconds; none where only records name it.
    fn ingested_at(&self) -> Option<i64> {
        self.sources.iter().map(|source| source.ingested_at).max()
    }
}

impl<'s> Hosts<'s> {
    /// Those of files; gaps are looked for among the files of `recent`.
    pub(super) fn of(sources: &'s [(Day, Source)], recent: Window) -> Hosts<'s> {
        let mut hosts = Hosts::default();
        for (day, source) in sources {
            let host = hosts.0.entry(source.host.clone()).or_default();
            host.sources.push(source);
            if recent.touches(*day) {
                host.recent.push(source);
            }
        }
        hosts
    }

    /// These, and those that records name: by `user-string`, or whose files are no longer known.
    pub(super) fn with_records(
        mut self,
        context: &Context,
        snapshot: &Snapshot,
    ) -> Result<Hosts<'s>> {
        let mut days: BTreeMap<&str, Day> = BTreeMap::new();
        let mut is_counted = true;
        for part in snapshot.of(Table::Records, Window::ALL) {
            let Some(facts) = &part.part.facts else {
                is_counted = false;
                continue;
            };
            for (name, record, rows) in facts.rows() {
                let host = self.0.entry(name.to_owned()).or_default();
                *host.records.get_or_insert(0) += rows;
                host.types.extend(Record::parse(record.as_bytes()));
                let last = days.entry(name).or_insert(part.day);
                *last = part.day.max(*last);
            }
        }
        let untold = days.iter().filter(|(name, _)| self.0[**name].newest().is_none());
        let since = untold.map(|(_, day)| day.start()).min();
        let since = if is_counted { since } else { Some(Window::ALL.since) };
        if let Some(since) = since {
            let asked =
                asked::open_window(context, Window { since, until: Window::ALL.until }, &[])?;
            for (name, newest) in asked.session.newest("host", &Selection::default())? {
                self.0.entry(name).or_default().newest = Some(newest.0);
            }
        }
        for host in self.0.values_mut() {
            host.records = if is_counted { Some(host.records.unwrap_or(0)) } else { None };
        }
        Ok(self)
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
        let line = |(i, (name, host)): (usize, (&String, &Host<'_>))| {
            let head = if i == 0 { "hosts" } else { "" };
            let newest = match host.newest() {
                Some(newest) => format!("newest {} ({})", Timestamp(newest), ago(newest)),
                None => "no record".to_owned(),
            };
            let ahead = skew::ahead_s(host.sources.iter().copied());
            let clock = ahead.and_then(skew::text).map(|off| format!(", its clock {off}"));
            let clock = clock.unwrap_or_default();
            let ingest = host.ingested_at().map_or("none".to_owned(), ago);
            format!("{head:<9} {name}: {newest}, last ingest {ingest}{clock}")
        };
        self.0.iter().enumerate().map(line).collect()
    }

    /// A row for each.
    pub(super) fn answer(&self, now: Timestamp) -> Answer {
        let hosts = || self.0.values();
        let count = |of: &dyn Fn(&Host<'_>) -> Option<u64>| {
            let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let counts = hosts().map(|host| of(host).map(number));
            (Unit::Count.into(), Values::Ints(counts.collect()))
        };
        let of_files = |of: &dyn Fn(&Source) -> u64| {
            count(&|host| Some(host.sources.iter().map(|source| of(source)).sum()))
        };
        let names = self.0.keys().map(|name| Some(name.clone())).collect();
        let types = |host: &Host<'_>| {
            let types: Vec<&str> = host.types.iter().map(|record| record.as_str()).collect();
            host.records.map(|_| types.join(", "))
        };
        let last = hosts().map(|host| host.newest().map(Timestamp)).collect();
        let lag = hosts().map(|host| host.newest().map(|time| (now.0 - time) as f64)).collect();
        let ahead = |host: &Host<'_>| skew::ahead_s(host.sources.iter().copied());
        let ahead = hosts().map(|host| ahead(host).map(|s| s as f64)).collect();
        let ingested = hosts().map(|host| host.ingested_at().map(Timestamp)).collect();
        let cells = [
            ("host", (Unit::Text.into(), Values::Texts(names))),
            ("newest", (Unit::Time.into(), Values::Times(last))),
            ("lag", (Unit::Seconds.into(), Values::Floats(lag))),
            ("last_ingest", (Unit::Time.into(), Values::Times(ingested))),
            ("clock_ahead", (Unit::Seconds.into(), Values::Floats(ahead))),
            ("sources", of_files(&|_| 1)),
            ("stored", of_files(&|source| source.ledger.stored)),
            ("rejected", of_files(&|source| source.ledger.rejected)),
            ("missing", count(&|host| Some(gaps(host.recent.iter().copied()).len() as u64))),
            ("records", count(&|host| host.records)),
            ("types", (Unit::Text.into(), Values::Texts(hosts().map(types).collect()))),
        ];
        Answer::of(cells.map(|(name, (meaning, values))| (name.to_owned(), meaning, values)))
    }
}
