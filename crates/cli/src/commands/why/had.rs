//! Which records a question rests on: of which types, and of which MTAs. Judges no metric.

use std::collections::BTreeSet;

use pmtaq_query::{Leaves, Query, Session, Why};

use crate::failure::Result;

/// Which records there are.
pub(super) struct Had(Vec<HadOf>);

/// So many records of a type, of an MTA in a period.
struct HadOf {
    period: i64,
    rec: String,
    host: Option<String>,
    n: i64,
}

impl Had {
    pub(super) fn read(session: &Session, query: &Query) -> Result<Had> {
        let answer = session.answer(query)?;
        let (periods, numbers) = (answer.i64s("period")?, answer.i64s("n")?);
        let names = answer.texts("rec")?.into_iter().zip(answer.texts("host")?);
        let rows = periods.into_iter().zip(names).zip(numbers);
        let had = rows.map(|((period, (rec, host)), n)| HadOf {
            period: period.unwrap_or(-1),
            rec: rec.unwrap_or_default(),
            host,
            n: n.unwrap_or(0),
        });
        Ok(Had(had.collect()))
    }

    /// What records in memory say.
    pub(super) fn of(leaves: &Leaves, why: &Why) -> Had {
        let had = leaves.had(why).map(|(period, rec, host, n)| HadOf {
            period,
            rec: rec.to_owned(),
            host: host.map(str::to_owned),
            n,
        });
        Had(had.collect())
    }

    /// The MTAs of which the window has next to no record, though each period of the baseline has a good
    /// part of its records from there; each with its part of all, in percent.
    pub(super) fn silent(&self, n_baseline: usize) -> Vec<(&str, f64)> {
        const QUIET: f64 = 0.05;
        const GOOD_PART: f64 = 0.03;
        /// So many records must be missing of one.
        const LEAST: f64 = 50.0;
        let hosts: BTreeSet<&str> = self.0.iter().filter_map(|had| had.host.as_deref()).collect();
        let of = |host: &str, period: i64| -> f64 {
            let own = self.0.iter().filter(|had| had.period == period);
            own.filter(|had| had.host.as_deref() == Some(host)).map(|had| had.n as f64).sum()
        };
        let silent = hosts.into_iter().filter_map(|host| {
            let part = |period: i64| of(host, period) / (self.n(period) as f64).max(1.0);
            let parts: Vec<f64> = (1..=n_baseline as i64).map(part).collect();
            let usual = parts.iter().sum::<f64>() / parts.len().max(1) as f64;
            let is_steady = !parts.is_empty() && parts.iter().all(|part| *part >= GOOD_PART);
            // Of what there would be with its own.
            let rest = self.n(0) as f64 - of(host, 0);
            let is_much = usual / (1.0 - usual).max(0.01) * rest >= LEAST;
            (is_steady && is_much && part(0) < QUIET * usual).then_some((host, 100.0 * usual))
        });
        silent.collect()
    }

    pub(super) fn n(&self, period: i64) -> i64 {
        self.0.iter().filter(|had| had.period == period).map(|had| had.n).sum()
    }

    pub(super) fn has(&self, rec: &str) -> bool {
        self.0.iter().any(|had| had.rec == rec)
    }

    pub(super) fn all(&self) -> u64 {
        self.0.iter().map(|had| had.n.unsigned_abs()).sum()
    }

    pub(super) fn types(&self) -> Vec<String> {
        let order = ["d", "b", "t", "tq", "r", "rb", "rs", "f"];
        order.iter().filter(|rec| self.has(rec)).map(|&rec| rec.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of two MTAs by period, the window first.
    fn had(of_two: &[[i64; 2]]) -> Had {
        let of = |(period, numbers): (usize, &[i64; 2])| {
            ["mta1", "mta2"].into_iter().zip(*numbers).map(move |(host, n)| HadOf {
                period: period as i64,
                rec: "d".to_owned(),
                host: Some(host.to_owned()),
                n,
            })
        };
        Had(of_two.iter().enumerate().flat_map(of).collect())
    }

    #[test]
    fn an_mta_is_missing_that_always_had_a_good_part() {
        let missing = had(&[[3000, 10], [3000, 1000], [2400, 800]]);
        assert_eq!(missing.silent(2), [("mta2", 25.0)]);
        assert!(had(&[[3000, 60], [3000, 1000], [2400, 800]]).silent(2).is_empty(), "a trickle");
        assert!(had(&[[3000, 0], [3000, 1000], [2400, 0]]).silent(2).is_empty(), "now and then");
        assert!(had(&[[100, 0], [100, 30], [80, 25]]).silent(2).is_empty(), "too few to say so");
        assert!(had(&[[3000, 0]]).silent(0).is_empty(), "nothing is usual");
    }
}
