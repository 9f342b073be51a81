//! Record types that an MTA does not write: none of a type in all of the store, among so many attempts, is no
//! zero. PMTA writes those that `records` of an accounting file names, `d,b` where it is left out, and then
//! nothing says how many were deferred. Decides which types those are, and which of them a share stands on.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pmtaq_schema::{Record, Records};
use pmtaq_store::Counts;

use crate::beyond::Beyond;
use crate::metric::{Metric, metric};
use crate::session::Session;

/// The types that are judged, and the least part of its attempts that each has with any MTA at work.
/// Complaints come to few MTAs of a store: they are judged of all of them.
const LEAST: [(Record, f64); 4] = [
    (Record::Delivery, 0.5),
    (Record::Bounce, 0.0005),
    (Record::Deferral, 0.005),
    (Record::Feedback, 0.0001),
];

/// The outcomes of attempts.
const ATTEMPTS: Records = Records::of(&[Record::Delivery, Record::Bounce, Record::Deferral]);

/// Remote bounces and deferrals of a whole queue correct a number, and do not make it.
const SIDE: Records = Records::of(&[Record::RemoteBounce, Record::QueueDeferral]);

/// Which record types MTAs do not write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Absent {
    by_host: BTreeMap<String, BTreeSet<Record>>,
    /// Types of which no MTA has one.
    of_all: BTreeSet<Record>,
}

impl Absent {
    /// Of what all MTAs of the store have, those of `hosts`.
    fn of(counts: &Counts, hosts: &BTreeSet<&str>, logged: Records) -> Absent {
        let has = |host: &str, record: Record| {
            counts.get(&(host.to_owned(), record.as_str().to_owned())).copied().unwrap_or(0)
        };
        let attempts = |host: &str| ATTEMPTS.iter().map(|record| has(host, record)).sum::<u64>();
        let judged = || LEAST.into_iter().filter(move |(record, _)| !logged.contains(*record));
        let mut absent = Absent::default();
        for host in hosts {
            let is_absent = |(record, least): &(Record, f64)| {
                has(host, *record) == 0 && is_no_chance(*least, attempts(host))
            };
            let types = judged().filter(is_absent).map(|(record, _)| record).collect();
            absent.by_host.insert((*host).to_owned(), types);
        }
        let all: BTreeSet<&str> = counts.keys().map(|(host, _)| host.as_str()).collect();
        let attempts_of_all = all.iter().map(|host| attempts(host)).sum();
        let is_absent = |(record, least): &(Record, f64)| {
            all.iter().all(|host| has(host, *record) == 0) && is_no_chance(*least, attempts_of_all)
        };
        absent.of_all = judged().filter(is_absent).map(|(record, _)| record).collect();
        absent
    }

    /// The MTAs that write none of `types`.
    pub(crate) fn hosts(&self, types: &BTreeSet<Record>) -> impl Iterator<Item = &str> {
        let lacking = self.by_host.iter().filter(|(_, absent)| absent.is_superset(types));
        lacking.map(|(host, _)| host.as_str())
    }

    /// Whether no MTA writes any of `types`.
    pub(crate) fn is_everywhere(&self, types: &BTreeSet<Record>) -> bool {
        self.of_all.is_superset(types)
    }
}

/// Whether `least` of `attempts` come to nothing by chance in less than one case of a thousand.
fn is_no_chance(least: f64, attempts: u64) -> bool {
    (1.0 - least).powf(attempts as f64) < 0.001
}

impl Metric {
    /// Of a share, the types without all of which, in each set, it says nothing: what it counts, what is in
    /// its denominator alone, and deliveries, which are most of any. The other types of a denominator are
    /// few, and what they leave out of it is little.
    pub(crate) fn stands_on(&self) -> Vec<BTreeSet<Record>> {
        let Some(base) = self.of.as_deref().and_then(|base| metric(base).ok()) else {
            return Vec::new();
        };
        let main = |types: BTreeSet<Record>| -> BTreeSet<Record> {
            types.into_iter().filter(|record| !SIDE.contains(*record)).collect()
        };
        let (counted, whole) = (main(self.counted_above()), main(base.counted()));
        let rest = whole.difference(&counted).copied().collect();
        let deliveries = whole.iter().copied().filter(|rec| *rec == Record::Delivery).collect();
        let mut sets = vec![counted, rest, deliveries];
        sets.retain(|set| !set.is_empty());
        sets.dedup();
        sets
    }
}

impl Session {
    /// Says what the whole store has, and which types each MTA writes, whatever is there.
    pub fn look_beyond(
        &mut self,
        count: impl Fn(&dyn Fn(&Counts) -> bool) -> pmtaq_store::Result<Option<Counts>> + 'static,
        logged: Records,
    ) {
        self.beyond = Beyond { count: Some(Box::new(count)), logged, ..Beyond::default() };
    }

    /// The record types that `metrics` stand on and MTAs of this session do not write; of each MTA by itself
    /// if they are told apart.
    pub(crate) fn absent(&self, metrics: &[&Metric], by_host: bool) -> Absent {
        let stand_on = metrics.iter().flat_map(|of| of.stands_on()).flatten();
        let is_judged = |record: &Record| !self.beyond.logged.contains(*record);
        let wanted: BTreeSet<Record> = stand_on.filter(is_judged).collect();
        let mut here = Counts::new();
        for part in self.opened[0].parts() {
            // A part of an older version does not say.
            let Some(facts) = &part.part.facts else { return Absent::default() };
            for (host, rec, rows) in facts.rows() {
                *here.entry((host.to_owned(), rec.to_owned())).or_insert(0) += rows;
            }
        }
        let hosts: BTreeSet<&str> = here.keys().map(|(host, _)| host.as_str()).collect();
        let has_all = |counts: &Counts| {
            wanted.iter().all(|record| {
                let has = |host: &&str| {
                    counts.contains_key(&((*host).to_owned(), record.as_str().to_owned()))
                };
                let is_of_any = *record == Record::Feedback && !by_host;
                if is_of_any { hosts.iter().any(has) } else { hosts.iter().all(has) }
            })
        };
        if has_all(&here) {
            return Absent::default();
        }
        let Some(count) = &self.beyond.count else {
            return Absent::of(&here, &hosts, self.beyond.logged);
        };
        let asked = (wanted.clone(), by_host);
        let known = self.beyond.known.borrow().get(&asked).cloned();
        let counts = match known {
            Some(counts) => counts,
            None => {
                // A list that is damaged is said by who needs its day: of the rest nothing is known.
                let counts = count(&has_all).ok().flatten().map(Rc::new);
                self.beyond.known.borrow_mut().insert(asked, counts.clone());
                counts
            }
        };
        let of = |counts: Rc<Counts>| Absent::of(&counts, &hosts, self.beyond.logged);
        counts.map(of).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, Record, u64)]) -> Counts {
        let entry = |(host, record, rows): &(&str, Record, u64)| {
            (((*host).to_owned(), record.as_str().to_owned()), *rows)
        };
        of.iter().map(entry).collect()
    }

    #[test]
    fn none_of_many_is_not_logged_and_none_of_a_few_may_be_chance() {
        let counts = counts(&[
            ("many", Record::Delivery, 1_900),
            ("many", Record::Bounce, 20),
            ("few", Record::Delivery, 900),
            ("bounces", Record::Bounce, 20),
            ("bounces", Record::Deferral, 1),
            ("large", Record::Delivery, 80_000),
            ("large", Record::Deferral, 500),
        ]);
        let hosts = ["many", "few", "bounces", "large"].into();
        let absent = Absent::of(&counts, &hosts, Records::default());
        let lacking = |record| absent.hosts(&[record].into()).collect::<Vec<_>>();
        assert_eq!(lacking(Record::Delivery), ["bounces"]);
        assert_eq!(lacking(Record::Deferral), ["many"]);
        assert_eq!(lacking(Record::Bounce), ["large"]);
        assert_eq!(lacking(Record::Feedback), ["large"]);
        assert!(absent.is_everywhere(&[Record::Feedback].into()));
        let told = Absent::of(&counts, &hosts, Records::of(&[Record::Deferral, Record::Feedback]));
        assert_eq!(told.hosts(&[Record::Deferral].into()).count(), 0);
        assert!(!told.is_everywhere(&[Record::Feedback].into()));
    }

    #[test]
    fn a_share_stands_on_what_makes_it_other_than_nothing_and_all() {
        let of = |name: &str| metric(name).expect("there is one").stands_on();
        let set = |types: &[Record]| types.iter().copied().collect::<BTreeSet<_>>();
        let (d, b, t) = (Record::Delivery, Record::Bounce, Record::Deferral);
        assert_eq!(of("bounce_rate"), [set(&[b]), set(&[d])]);
        assert_eq!(of("accepted_rate"), [set(&[d]), set(&[b]), set(&[d])]);
        assert_eq!(of("deferral_rate"), [set(&[t]), set(&[d, b]), set(&[d])]);
        assert_eq!(of("complaint_rate"), [set(&[Record::Feedback]), set(&[d])]);
        assert_eq!(of("tls_rate"), [set(&[d])]);
        assert!(of("bounced").is_empty() && of("p95").is_empty());
    }
}
