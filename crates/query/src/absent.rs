//! Record types that an MTA does not write: none of a type among so many attempts is no zero. PMTA writes
//! those that `records` of an accounting file names, `d,b` where it is left out, and then nothing says how
//! many were deferred.

use std::collections::{BTreeMap, BTreeSet};

use pmtaq_schema::Record;

use crate::written::Written;

/// The outcomes of attempts, and the least part of them that each has with any MTA at work. Bounces are few with
/// some, and what they leave out of a sum is little.
const LEAST: [(Record, f64); 3] =
    [(Record::Delivery, 0.5), (Record::Deferral, 0.005), (Record::Bounce, 0.0)];

/// The places of each MTA that has none of a type of `counted` in all of `written`, though of so many
/// attempts in less than one case of a thousand none would be of it.
pub(crate) fn absent<'w>(
    counted: &BTreeSet<Record>,
    written: &'w [Written],
) -> Vec<(Record, &'w Written)> {
    let mut by_host: BTreeMap<&str, [u64; LEAST.len()]> = BTreeMap::new();
    for place in written {
        let sums = by_host.entry(&place.host).or_default();
        for (sum, (record, _)) in sums.iter_mut().zip(LEAST) {
            *sum += place.rows.get(&record).copied().unwrap_or(0);
        }
    }
    let is_absent = |host: &str, at: usize| {
        let sums = &by_host[host];
        let attempts: u64 = sums.iter().sum();
        sums[at] == 0 && (1.0 - LEAST[at].1).powf(attempts as f64) < 0.001
    };
    let of_type = |(at, (record, _)): (usize, &(Record, f64))| {
        let record = *record;
        let places = written.iter().filter(move |place| is_absent(&place.host, at));
        places.map(move |place| (record, place)).collect::<Vec<_>>()
    };
    let types = LEAST.iter().enumerate().filter(|(_, (record, _))| counted.contains(record));
    types.flat_map(of_type).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, rows: &[(Record, u64)]) -> Written {
        Written {
            host: host.to_owned(),
            rows: rows.iter().copied().collect(),
            ..Written::default()
        }
    }

    #[test]
    fn none_of_many_is_not_logged_and_none_of_a_few_may_be_chance() {
        let counted = [Record::Delivery, Record::Bounce, Record::Deferral].into();
        let many = place("many", &[(Record::Delivery, 1_900), (Record::Bounce, 20)]);
        let few = place("few", &[(Record::Delivery, 900)]);
        let bounces = place("bounces", &[(Record::Bounce, 20), (Record::Deferral, 1)]);
        let written = [many, few, bounces];
        let found: Vec<_> =
            absent(&counted, &written).iter().map(|(rec, place)| (*rec, &*place.host)).collect();
        assert_eq!(found, [(Record::Delivery, "bounces"), (Record::Deferral, "many")]);
        assert!(absent(&[Record::Feedback].into(), &written).is_empty());
    }

    #[test]
    fn an_mta_is_judged_by_all_its_days() {
        let counted = [Record::Deferral].into();
        let quiet = place("mta", &[(Record::Delivery, 5_000)]);
        let busy = place("mta", &[(Record::Delivery, 10), (Record::Deferral, 1)]);
        assert_eq!(absent(&counted, &[quiet.clone(), quiet.clone()]).len(), 2);
        assert!(absent(&counted, &[quiet, busy]).is_empty());
    }
}
