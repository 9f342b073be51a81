//! Whether a number is a problem, by the limits of a rule. Knows nothing of time.

use crate::{Rule, Watch};

/// What was measured of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Dimensions and their values; empty for all records together.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
    /// The time up to now that it is of, in seconds; 0 for what is so now.
    pub window_s: i64,
    /// What it rests on: the denominator of a rate, the deliveries of a duration.
    pub n: Option<f64>,
    /// The middle of the same hours of the days before, when there are such.
    pub usual: Option<f64>,
    /// Whose that is, if the group had none of its own: the group that it is a part of.
    pub usual_of: Option<String>,
    /// The middle of the other groups, when there are such.
    pub peers: Option<f64>,
    /// The largest value that there can be: 100 of a rate.
    pub ceiling: Option<f64>,
    /// Whether the value is at least that much, and nobody looked further.
    pub is_at_least: bool,
    /// Whether what is watched is not there at all, which is a problem whatever the limits.
    pub is_absent: bool,
}

/// The verdict on a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Of 100 rates that lie at the limit chance lifts one above it, in either direction: the quantile of
/// the normal distribution for an interval of 99 %.
const Z: f64 = 2.576;

/// The least and the greatest share that explain `share` of `n` observations: the Wilson score
/// interval (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
/// 1927), which holds for few observations and for shares near 0 and 1 too.
fn likely(share: f64, n: f64, z: f64) -> (f64, f64) {
    let (share, z2) = (share.clamp(0.0, 1.0), z * z);
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

const fn ease(is_eased: bool) -> f64 {
    if is_eased { EASE } else { 1.0 }
}

impl Seen {
    /// The least and the greatest value that are not surely wrong: of a rate that is to begin a problem
    /// those that its denominator leaves room for, else the value itself.
    fn likely(&self, is_eased: bool) -> (f64, f64) {
        match (self.ceiling, self.n) {
            (Some(ceiling), Some(n)) if n > 0.0 && !is_eased => {
                let (least, most) = likely(self.value / ceiling, n, Z);
                (least * ceiling, most * ceiling)
            }
            _ => (self.value, self.value),
        }
    }

    /// Whether the value is so many times what it is compared with.
    fn is_times(&self, times: f64, of: f64, is_eased: bool) -> bool {
        // Three times 40 % is more than there can be: half of the way up is far enough.
        let limit = times * of;
        let limit = self.ceiling.map_or(limit, |ceiling| limit.min((of + ceiling) / 2.0));
        self.likely(is_eased).0 > (limit * ease(is_eased)).max(of)
    }
}

impl Rule {
    /// The verdict on what was measured. A problem begins where even the likely values of a rate
    /// pass the limits, and ends by the value itself.
    pub fn judge(&self, seen: &Seen) -> Breach {
        if seen.is_absent {
            return Breach::Yes;
        }
        if matches!(self.watch, Watch::Silence | Watch::Process) && self.below.is_none() {
            return Breach::No;
        }
        // Few records begin no problem, and end none that they still show: who is throttled
        // sends less.
        let is_enough = seen.n.is_none_or(|n| n >= self.min_n);
        match (is_enough && self.is_passed(seen, false), self.is_passed(seen, true)) {
            (true, _) => Breach::Yes,
            (false, true) => Breach::Eased,
            (false, false) => Breach::No,
        }
    }

    /// Whether a limit had nothing to be compared with, though there was enough to be judged, and no other
    /// limit says that all is well.
    pub fn lacks_usual(&self, seen: &Seen) -> bool {
        let is_compared = self.times_usual.is_some() || self.below_usual.is_some();
        is_compared && seen.usual.is_none() && self.may_be(seen, false)
    }

    /// Whether this may be a problem or, of one that `is_on`, may go on, whatever is usual: there is enough of
    /// it, and the limits that ask for nothing usual are passed.
    pub fn may_be(&self, seen: &Seen, is_on: bool) -> bool {
        let is_enough = seen.n.is_none_or(|n| n >= self.min_n);
        is_enough && self.passes_others(seen, false) || is_on && self.passes_others(seen, true)
    }

    /// Whether a group of which nothing is known to be usual is judged by the limit that is left.
    pub const fn is_judged_without_past(&self) -> bool {
        !self.needs_past && (self.above.is_some() || self.below.is_some())
    }

    fn is_passed(&self, seen: &Seen, is_eased: bool) -> bool {
        // With nothing to compare with the absolute limit decides alone; without one, no problem
        // begins and none ends.
        let unknown = is_eased || self.is_judged_without_past();
        let far_above = |times| seen.usual.map_or(unknown, |of| seen.is_times(times, of, is_eased));
        self.passes_others(seen, is_eased)
            && self.times_usual.is_none_or(far_above)
            && self.below_usual.is_none_or(|part| {
                // What is rare is often absent.
                let usual = seen.usual.filter(|usual| seen.n.is_some() || *usual >= self.min_n);
                usual.is_some_and(|usual| {
                    seen.likely(is_eased).1 < (part / ease(is_eased)).min(1.0) * usual
                })
            })
    }

    /// Whether the limits are passed that ask for nothing usual.
    fn passes_others(&self, seen: &Seen, is_eased: bool) -> bool {
        let absolute = |limit: f64, eased: f64| match self.clear {
            Some(clear) if is_eased => clear,
            _ if is_eased => eased,
            _ => limit,
        };
        let (least, most) = seen.likely(is_eased);
        let far_above =
            |times| seen.peers.map_or(is_eased, |of| seen.is_times(times, of, is_eased));
        self.above.is_none_or(|above| least > absolute(above, above * EASE))
            && self.below.is_none_or(|below| most < absolute(below, below / EASE))
            && self.times_peers.is_none_or(far_above)
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
        Seen { value, n, usual, peers, ..Seen::default() }
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
    }

    #[test]
    fn without_history_the_absolute_limit_decides_alone() {
        let both = rule("above = 5.0\ntimes-usual = 2.0");
        let new = |value| seen(value, Some(100.0), None, None);
        assert_eq!(
            [9.0, 4.5, 3.9].map(|value| both.judge(&new(value))),
            [Breach::Yes, Breach::Eased, Breach::No]
        );
        let patient = rule("above = 5.0\ntimes-usual = 2.0\nneeds-past = true");
        assert_eq!(patient.judge(&new(9.0)), Breach::Eased, "it wants to know what is usual");
        let relative = rule("times-usual = 2.0");
        assert_eq!(relative.judge(&new(9.0)), Breach::Eased, "nothing to compare with");
        assert!(both.lacks_usual(&new(9.0)) && relative.lacks_usual(&new(9.0)));
        assert!(!both.lacks_usual(&seen(9.0, Some(19.0), None, None)), "too few anyhow");
        assert!(!both.lacks_usual(&new(4.9)), "well, whatever is usual");
        assert!(!rule("above = 5.0").lacks_usual(&new(9.0)), "it asks for nothing usual");
    }

    #[test]
    fn what_is_usual_matters_only_where_no_other_limit_decides() {
        let rules = ["above = 5.0\ntimes-usual = 2.0\nmin-n = 30.0", "times-usual = 2.0"].map(rule);
        let usual = [None, Some(0.1), Some(2.0), Some(8.0), Some(50.0)];
        for (rule, value) in
            rules.iter().flat_map(|r| [0.0, 3.9, 4.1, 4.9, 5.1, 9.0].map(|v| (r, v)))
        {
            for n in [10.0, 100.0, 10_000.0] {
                let seen =
                    |usual| Seen { ceiling: Some(100.0), ..seen(value, Some(n), usual, None) };
                let verdicts = usual.map(|usual| rule.judge(&seen(usual)));
                let any = |is: fn(Breach) -> bool| verdicts.into_iter().any(is);
                let may_be = |is_on| rule.may_be(&seen(None), is_on);
                assert!(may_be(false) || !any(|v| v == Breach::Yes), "{value} of {n}");
                assert!(may_be(true) || !any(|v| v != Breach::No), "{value} of {n}");
            }
        }
        let [absolute, relative] = rules;
        let rate = |value| seen(value, Some(10_000.0), None, None);
        assert!(!absolute.may_be(&rate(4.1), false));
        assert!(absolute.may_be(&rate(4.1), true), "it is not over yet");
        assert!(!absolute.may_be(&rate(3.9), true));
        assert!(relative.may_be(&rate(0.0), false));
    }

    #[test]
    fn a_rate_that_is_high_anyhow_can_still_be_too_high() {
        let rule = rule("above = 30.0\ntimes-usual = 3.0");
        let judge = |value, usual| {
            let seen = seen(value, Some(10_000.0), Some(usual), None);
            rule.judge(&Seen { ceiling: Some(100.0), ..seen })
        };
        assert_eq!(judge(100.0, 40.0), Breach::Yes, "three times 40 % is never passed");
        assert_eq!(judge(69.0, 40.0), Breach::Eased);
        assert_eq!(judge(40.0, 40.0), Breach::No);
        // The end does not come with an hour of which a little more is usual.
        assert_eq!(judge(52.0, 22.0), Breach::Eased);
        assert_eq!(judge(44.0, 15.0), Breach::Eased, "below it, three times decides");
    }

    #[test]
    fn a_rate_of_few_is_a_problem_when_chance_does_not_explain_it() {
        let rate = |value: f64, n: f64, usual: f64| Seen {
            ceiling: Some(100.0),
            ..seen(value, Some(n), Some(usual), None)
        };
        let rule = rule("above = 10.0\ntimes-usual = 3.0\nmin-n = 30.0");
        let judge = |refused: f64, n: f64| rule.judge(&rate(100.0 * refused / n, n, 2.0));
        assert_eq!(judge(5.0, 35.0), Breach::Eased, "14 %, and 5 to 35 % explain it");
        assert_eq!(judge(45.0, 350.0), Breach::Eased, "13 %, and 9 to 18 % explain it");
        assert_eq!(judge(500.0, 3500.0), Breach::Yes, "14 %, surely");
        assert_eq!(judge(12.0, 35.0), Breach::Yes, "34 %");
        assert_eq!(judge(30.0, 30.0), Breach::Yes, "all");
        let rare = super::tests::rule("below = 90.0");
        assert_eq!(rare.judge(&rate(80.0, 20.0, 97.0)), Breach::Eased, "4 of 20 are missing");
        assert_eq!(rare.judge(&rate(80.0, 2000.0, 97.0)), Breach::Yes);
        let usual = super::tests::rule("below-usual = 0.9");
        assert_eq!(usual.judge(&rate(80.0, 20.0, 97.0)), Breach::Eased);
        assert_eq!(usual.judge(&rate(80.0, 2000.0, 97.0)), Breach::Yes);
    }

    #[test]
    fn the_interval_of_a_share_is_that_of_wilson() {
        // R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I.
        for (hits, n, least, most) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let (low, high) = likely(hits / n, n, 1.96);
            assert!((low - least).abs() < 5e-5 && (high - most).abs() < 5e-5, "{low} {high}");
        }
        let (low, high) = likely(1.3, 10.0, Z);
        assert!(low.is_finite() && high == 1.0, "more complaints than deliveries");
    }

    #[test]
    fn what_is_not_there_is_a_problem_whatever_the_limits() {
        let absent = Seen { is_absent: true, ..Seen::default() };
        assert_eq!(rule("above = 5.0").judge(&absent), Breach::Yes);
        let text = "[[rule]]\nname = \"a\"\nwatch = \"process\"\nprocess = \"x\"\n";
        let process = Rules::parse(text).expect(text).rules.remove(0);
        assert_eq!(process.judge(&absent), Breach::Yes);
        assert_eq!(process.judge(&Seen::default()), Breach::No, "it has no other limit");
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
