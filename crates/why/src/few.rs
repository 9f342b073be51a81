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
    /// Of all values: what entered by period, and the rate of the baseline.
    entered: Vec<f64>,
    rate: f64,
}

impl Few {
    /// What must be there of a value to move `metric` by `effect`, where all values together have `entered`
    /// and `counted` by period.
    pub(crate) fn new(metric: &Metric, effect: f64, entered: Vec<f64>, counted: &[f64]) -> Few {
        let rate = past(counted) / past(&entered).max(1.0);
        let is_rate = metric.is_rate();
        let least = if is_rate { effect / 100.0 * entered[0].max(1.0) } else { effect };
        Few { least, is_rate, entered, rate }
    }

    /// Which of [`FEW`] stands for a value; none for one that is told apart. Given is what entered of it
    /// and what was counted, by period; and whether it is a job.
    ///
    /// A cause in a volume moves no more than there is. One in a rate moves no more than what is counted,
    /// now or usually. The others are told apart by their usual rates alone: else more of those that bounce
    /// much would look as if something had got worse.
    pub(crate) fn stands_for(
        &self,
        is_job: bool,
        entered: &[f64],
        counted: &[f64],
    ) -> Option<usize> {
        if !self.is_rate {
            return entered.iter().all(|n| *n < self.least).then_some(OF_VOLUME);
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
