//! What is found out about a metric. Computes nothing.

use crate::metric::{Metric, Stage};
use crate::mix::Mover;
use crate::reading::Reading;

/// What happened to a metric.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The metric.
    pub metric: &'static Metric,
    /// Its value in the window; percent for a rate.
    pub now: f64,
    /// Its value in the baseline: a mean for a volume.
    pub usual: f64,
    /// Its lowest and its highest value in the baseline.
    pub range: (f64, f64),
    /// What stands below the line of a rate, in the window and on the mean of the baseline.
    pub of: Option<(f64, f64)>,
    /// Periods of the baseline that were left out, with the value of the metric in each: they had an
    /// incident of their own.
    pub left_out: Vec<(usize, f64)>,
    /// The change, taken apart by the stages; the parts add up to it.
    pub steps: Vec<Step>,
    /// Its causes, the greatest first; those that offset the change come last.
    pub causes: Vec<Cause>,
    /// For a rate whose mix changed: what was sent more or less.
    pub mix: Vec<Mover>,
    /// What neither a cause explains, nor the mix, nor a volume of which no part stands out; in units of
    /// the metric.
    pub unexplained: f64,
    /// What can be said at all.
    pub verdict: Verdict,
}

/// What can be said at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The causes say it.
    Explained,
    /// No cause, and the number is what it usually is.
    Quiet,
    /// The number is unusual, and no combination of values stands out.
    Unexplained,
    /// Too little data for a judgement.
    TooLittle,
}

/// A part of the change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Where it arose.
    pub part: Part,
    /// What it did to the metric.
    pub effect: f64,
    /// What entered, and what was counted, in the window.
    pub now: (f64, f64),
    /// The same on the mean of the baseline.
    pub usual: (f64, f64),
}

/// Where a part of a change arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// In a stage.
    Stage(Stage),
    /// In asynchronous bounces.
    Remote,
    /// In the mix: no rate changed, but what was sent went more to where it is high or low.
    Mix,
    /// In the queue as it was when the window began.
    WaitedBefore,
    /// In what came into the queue.
    CameIn,
    /// In what left the queue.
    WentOut,
}

/// A cause.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The stage in which it acts.
    pub stage: Stage,
    /// Dimensions and values that name it; no value means that the records have none.
    pub values: Vec<(String, Option<String>)>,
    /// The bounce categories that changed; empty when it was all of them.
    pub categories: Vec<Option<String>>,
    /// Other dimensions of which nearly all under it has a single value.
    pub implied: Vec<(String, Option<String>)>,
    /// Of `values`, which could as well be another that is implied: both cover the same messages.
    pub(crate) twins: Vec<Twin>,
    /// What it did to the metric.
    pub effect: f64,
    /// `effect` as a share of the change of the metric, in percent; negative where it offsets the change.
    pub share: f64,
    /// What entered under it, and what was counted, in the window.
    pub now: (f64, f64),
    /// The same on the mean of the baseline.
    pub usual: (f64, f64),
    /// What was expected to be counted in the window.
    pub expected: f64,
    /// Deviations beyond chance and beyond the usual difference between days.
    pub z: f64,
    /// A volume, in a question that has other stages, is told once: where several changed, each of
    /// them, the greatest first. `values` then names the greatest, and the numbers are of all together.
    pub scopes: Vec<Scope>,
    /// Of a cause in the queue: how those under it came to wait.
    pub moved: Option<Moved>,
    /// What it looks like to a postmaster.
    pub reading: Reading,
}

/// What came into the queue and what left it, each in the window and on the mean of the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// Recipients that came in.
    pub came: (f64, f64),
    /// Recipients that were delivered or bounced.
    pub went: (f64, f64),
}

impl Moved {
    /// Whether more came in rather than less went out.
    pub(crate) fn is_by_what_came(&self) -> bool {
        self.came.0 - self.came.1 > self.went.1 - self.went.0
    }
}

/// Messages by the values that they share, with how many there were.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// Dimensions and values.
    pub values: Vec<(String, Option<String>)>,
    /// What their change did to the metric.
    pub effect: f64,
    /// How many, in the window.
    pub now: f64,
    /// The same on the mean of the baseline.
    pub usual: f64,
}

/// A value that is named, and another that cannot be told from it in the window.
#[derive(Clone, Debug)]
pub(crate) struct Twin {
    pub(crate) named: (String, Option<String>),
    pub(crate) other: (String, Option<String>),
}

impl Cause {
    /// Reads the cause by whose fault its replies say it is (a value of `reply_fault`), which goes
    /// before what its dimensions and its category suggest. Of values that cannot be told apart, the
    /// one that the replies speak of is named. `given` are the dimensions of which only one value was
    /// asked about: it names the cause too.
    pub fn read_by(&mut self, fault: Option<&str>, given: &[(&str, &str)]) {
        let spoken_of = crate::reading::dimensions_of(fault);
        let is_named = self.values.iter().any(|(dim, _)| spoken_of.contains(&dim.as_str()));
        let twins = std::mem::take(&mut self.twins);
        let twin = twins.iter().find(|twin| spoken_of.contains(&twin.other.0.as_str()));
        if let Some(twin) = twin.filter(|_| !is_named) {
            let swap = |pairs: &mut Vec<(String, Option<String>)>, from: &_, to: &(String, _)| {
                pairs.iter_mut().filter(|pair| *pair == from).for_each(|pair| *pair = to.clone());
            };
            swap(&mut self.values, &twin.named, &twin.other);
            swap(&mut self.implied, &twin.other, &twin.named);
            // It may follow in the window alone.
            if !self.implied.contains(&twin.named) {
                self.implied.push(twin.named.clone());
            }
        }
        self.twins = twins;
        self.reading = crate::reading::read(self, fault, given);
    }

    /// Takes in the same messages, refused in another category.
    pub(crate) fn join(&mut self, other: Cause) {
        self.categories.extend(other.categories);
        self.effect += other.effect;
        self.share += other.share;
        self.now.1 += other.now.1;
        self.usual.1 += other.usual.1;
        self.expected += other.expected;
        self.z = if other.z.abs() > self.z.abs() { other.z } else { self.z };
    }
}
