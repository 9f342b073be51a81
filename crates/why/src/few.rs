//! Which values are told apart: those with enough to be a cause. All others of a dimension are one, or a few
//! by how their rates differ. Knows no leaves.

use crate::kind::Kind;
use crate::metric::Metric;

/// What the values are called that are not told apart; no record has such a name, since it is no printable
/// text. First those of a volume; then those of a rate: the ones of which no past says that it is another than
/// that of all, and those that are counted half, twice or four times as often.
pub(crate) const FEW: [&str; 5] = ["\0", "\0as all", "\0half", "\0twice", "\0four times"];
const OF_VOLUME: usize = 0;
const AS_ALL: usize = 1;
/// Powers of two, with what stands for them.
const BY_RATE: [(f64, usize); 3] = [(-1.0, 2), (1.0, 3), (2.0, 4)];

/// Of a rate, what has this share of what enters is told apart: it is what more or less can be sent of.
const LARGE: f64 = 0.01;
/// Of a volume that few of its messages are counted in, such as bounces, one value may have so many times as many
/// of them as all.
const RATHER_MORE: f64 = 4.0;
/// How many counted messages the rate of all weighs against that of a value.
const PRIOR: f64 = 10.0;
/// Of fewer expected messages, a past says nothing of a rate.
const LEAST_EXPECTED: f64 = 2.0;

/// A cause must move the metric by this share of its change.
const LEAST_OF_CHANGE: f64 = 0.03;
/// And by this share of its usual value.
const LEAST_OF_USUAL: f64 = 0.01;
/// And, for a volume, by this many.
const LEAST: f64 = 4.0;

/// What a cause must move `metric` by, in its units, which is `now` and usually `usual`.
pub(crate) fn least_effect(metric: &Metric, now: f64, usual: f64) -> f64 {
    let least = (LEAST_OF_CHANGE * (now - usual).abs()).max(LEAST_OF_USUAL * usual.abs());
    if metric.is_rate() { least } else { least.max(LEAST) }
}

/// How much there must be of a value.
pub(crate) struct Few {
    /// So many messages must a cause move.
    least: f64,
    is_rate: bool,
    /// Of all values: what entered by period, the rate of the baseline, and the greater one of it and that
    /// of the window.
    entered: Vec<f64>,
    rate: f64,
    highest: f64,
}

impl Few {
    /// What must be there of a value to move `metric` by `effect`, where all values together have `entered`
    /// and `counted` by period.
    pub(crate) fn new(metric: &Metric, effect: f64, entered: Vec<f64>, counted: &[f64]) -> Few {
        let rate = past(counted) / past(&entered).max(1.0);
        let highest = rate.max(counted[0] / entered[0].max(1.0));
        let is_rate = metric.is_rate();
        let least = if is_rate { effect / 100.0 * entered[0].max(1.0) } else { effect };
        Few { least, is_rate, entered, rate, highest }
    }

    /// Which of [`FEW`] stands for a value; none for one that is told apart. Given is what entered of it
    /// and what was counted, by period; and whether it is a job.
    ///
    /// A cause in a volume moves no more than what is counted, or is to be expected of what entered. One in
    /// a rate moves no more than what is counted, now or usually. The others are told apart by their usual
    /// rates alone: else more of those that bounce much would look as if something had got worse.
    pub(crate) fn stands_for(
        &self,
        is_job: bool,
        entered: &[f64],
        counted: &[f64],
    ) -> Option<usize> {
        if !self.is_rate {
            let each = (self.highest * RATHER_MORE).min(1.0);
            let moves =
                |(entered, counted): (&f64, &f64)| counted.max(entered * each) >= self.least;
            return (!entered.iter().zip(counted).any(moves)).then_some(OF_VOLUME);
        }
        let is_large = |(n, all): (&f64, &f64)| *n > 0.0 && *n >= LARGE * all;
        let is_told = counted.iter().any(|n| *n >= self.least / 2.0)
            || entered.iter().zip(&self.entered).any(is_large);
        if is_told {
            return None;
        }
        let expected = self.rate * past(entered);
        // What a job did on its one day says nothing of the jobs of another.
        if expected < LEAST_EXPECTED || is_job && entered[0] == 0.0 {
            return Some(AS_ALL);
        }
        let power = ((past(counted) + PRIOR) / (expected + PRIOR)).log2().round().clamp(-1.0, 2.0);
        let by_rate = BY_RATE.iter().find(|(of, _)| *of == power);
        Some(by_rate.map_or(AS_ALL, |(_, few)| *few))
    }

    /// Which of [`FEW`] stands for a value of which nothing is known.
    pub(crate) fn of_unknown(&self) -> usize {
        if self.is_rate { AS_ALL } else { OF_VOLUME }
    }
}

fn past(periods: &[f64]) -> f64 {
    periods[1..].iter().sum()
}

/// Whether messages of a kind enter what `metric` is of: all do, of a count.
pub(crate) fn enters(metric: &Metric, kind: Kind) -> bool {
    !metric.is_rate() || metric.of.contains(&kind)
}

/// Whether `metric` counts messages of a kind.
pub(crate) fn is_counted(metric: &Metric, kind: Kind) -> bool {
    metric.counted.contains(&kind) || metric.remote != 0 && kind == Kind::Remote
}

/// Whether a name is one of [`FEW`].
pub(crate) fn is_few(name: Option<&str>) -> bool {
    name.is_some_and(|name| FEW.contains(&name))
}

/// Whether it stands for those of which no past says that their rate is another than that of all.
pub(crate) fn is_as_all(name: Option<&str>) -> bool {
    name == Some(FEW[AS_ALL])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_volume_is_told_apart_what_is_counted_or_to_be_expected() {
        let bounced = Metric::named("bounced").expect("a metric");
        // Ten in a thousand bounce, twenty in the window; a cause moves a hundred.
        let few = Few::new(bounced, 100.0, vec![100_000.0; 3], &[2_000.0, 1_000.0, 1_000.0]);
        let stands = |entered: f64, counted: f64| {
            few.stands_for(false, &[entered, 0.0, 0.0], &[counted, 0.0, 0.0])
        };
        assert_eq!(stands(1_200.0, 0.0), Some(OF_VOLUME), "96 at four times the share of all");
        assert_eq!(stands(1_300.0, 0.0), None, "104 at four times the share of all");
        assert_eq!(stands(200.0, 99.0), Some(OF_VOLUME));
        assert_eq!(stands(200.0, 100.0), None);
        let delivered = Metric::named("delivered").expect("a metric");
        let all = Few::new(delivered, 100.0, vec![1_000.0; 2], &[990.0; 2]);
        assert_eq!(all.stands_for(false, &[0.0, 100.0], &[0.0, 0.0]), None, "never more than all");
        assert_eq!(all.stands_for(false, &[0.0, 99.0], &[0.0, 0.0]), Some(OF_VOLUME));
    }
}
