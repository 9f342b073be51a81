//! Whether a number is a problem, by the limits of a rule. Knows nothing of time.

use crate::Rule;

/// What was measured of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Dimensions and their values; empty for all records together.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
    /// What it rests on: the denominator of a rate, the deliveries of a duration.
    pub n: Option<f64>,
    /// The middle of the same hours of the days before, when there are such.
    pub usual: Option<f64>,
    /// The middle of the other groups, when there are such.
    pub peers: Option<f64>,
}

/// The verdict on a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// No problem.
    No,
    /// Too little for a problem, but not good enough to end one.
    Eased,
    /// A problem.
    Yes,
}

/// What a limit is multiplied by before a problem counts as over.
const EASE: f64 = 0.8;

impl Rule {
    /// The verdict on what was measured.
    pub fn judge(&self, seen: &Seen) -> Breach {
        // Few records begin no problem, and end none that they still show: who is throttled
        // sends less.
        let is_enough = seen.n.is_none_or(|n| n >= self.min_n);
        match (is_enough && self.is_passed(seen, false), self.is_passed(seen, true)) {
            (true, _) => Breach::Yes,
            (false, true) => Breach::Eased,
            (false, false) => Breach::No,
        }
    }

    fn is_passed(&self, seen: &Seen, is_eased: bool) -> bool {
        let ease = if is_eased { EASE } else { 1.0 };
        let absolute = |limit: f64, eased: f64| match self.clear {
            Some(clear) if is_eased => clear,
            _ if is_eased => eased,
            _ => limit,
        };
        let value = seen.value;
        // Without anything to compare with, no problem begins and none ends.
        let times = |times: Option<f64>, of: Option<f64>| {
            let passed =
                |times: f64| of.map_or(is_eased, |of| value > (times * ease).max(1.0) * of);
            times.is_none_or(passed)
        };
        self.above.is_none_or(|above| value > absolute(above, above * EASE))
            && self.below.is_none_or(|below| value < absolute(below, below / EASE))
            && times(self.times_usual, seen.usual)
            && times(self.times_peers, seen.peers)
            && self.below_usual.is_none_or(|part| {
                // What is rare is often absent.
                let usual = seen.usual.filter(|usual| seen.n.is_some() || *usual >= self.min_n);
                usual.is_some_and(|usual| value < (part / ease).min(1.0) * usual)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rules;

    fn rule(lines: &str) -> Rule {
        let text = format!("[[rule]]\nname = \"a\"\nmetric = \"m\"\n{lines}");
        Rules::parse(&text).expect(lines).rules.remove(0)
    }

    fn seen(value: f64, n: Option<f64>, usual: Option<f64>, peers: Option<f64>) -> Seen {
        Seen { labels: Vec::new(), value, n, usual, peers }
    }

    #[test]
    fn a_problem_ends_a_fifth_below_its_limit_or_where_the_rule_says() {
        let judge = |lines: &str| {
            let rule = rule(lines);
            [10.1, 10.0, 8.1, 8.0, 6.9].map(|value| rule.judge(&seen(value, None, None, None)))
        };
        use Breach::{Eased, No, Yes};
        assert_eq!(judge("above = 10.0"), [Yes, Eased, Eased, No, No]);
        assert_eq!(judge("above = 10.0\nclear = 7.0"), [Yes, Eased, Eased, Eased, No]);
        let below = rule("below = 8.0");
        let judged = [7.9, 8.0, 9.9, 10.0].map(|value| below.judge(&seen(value, None, None, None)));
        assert_eq!(judged, [Yes, Eased, Eased, No]);
    }

    #[test]
    fn all_limits_must_be_passed_at_once() {
        let rule = rule("above = 5.0\ntimes-usual = 2.0\nmin-n = 100.0");
        let judge = |value, n, usual| rule.judge(&seen(value, Some(n), usual, None));
        assert_eq!(judge(9.0, 100.0, Some(4.0)), Breach::Yes);
        assert_eq!(judge(9.0, 99.0, Some(4.0)), Breach::Eased, "too few to begin with");
        assert_eq!(judge(4.0, 100.0, Some(1.0)), Breach::No, "not above");
        assert_eq!(judge(9.0, 100.0, Some(8.0)), Breach::No, "as usual");
        assert_eq!(judge(9.0, 100.0, None), Breach::Eased, "nothing to compare with");
    }

    #[test]
    fn a_volume_falls_below_its_usual_one_only_if_that_is_large_enough() {
        let rule = rule("below-usual = 0.5\nmin-n = 100.0");
        let judge = |value, usual| rule.judge(&seen(value, None, Some(usual), None));
        assert_eq!(judge(0.0, 100.0), Breach::Yes);
        assert_eq!(judge(0.0, 99.0), Breach::No);
        assert_eq!(judge(55.0, 100.0), Breach::Eased);
        assert_eq!(judge(63.0, 100.0), Breach::No);
    }

    #[test]
    fn one_address_is_compared_with_the_others() {
        let rule = rule("by = [\"vmta\"]\ntimes-peers = 3.0");
        let judge = |peers| rule.judge(&seen(31.0, None, None, peers));
        assert_eq!(judge(Some(10.0)), Breach::Yes);
        assert_eq!(judge(Some(12.0)), Breach::Eased);
        assert_eq!(judge(None), Breach::Eased);
    }
}
