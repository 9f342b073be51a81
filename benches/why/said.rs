//! What a method said, as the messages that it covers, and whether that is what was planted: by
//! what a description covers and not by its words. Finds nothing itself.

use pmtaq_why::{Answer, Cause, ONE_TIME_JOBS, Part, Stage, is_group_of_jobs};

use crate::incident::{Planted, middle, refused};
use crate::traffic::{Cell, Sums};
use crate::window::{Question, Window};
use crate::world::{CATEGORIES, DIMS, Shape};

/// A description must cover the planted messages to this share, and no more beside them.
const SAME: f64 = 0.9;

/// A value of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    Code(u32),
    /// Jobs of one window only.
    OneTime,
    /// Jobs, whichever.
    Any,
    /// Nothing in the window is called so.
    Unknown,
}

/// Values of some dimensions, all of which a leaf must have.
pub type Scope = Vec<(usize, Value)>;

/// A cause that a method named.
#[derive(Clone)]
pub struct Said {
    /// Its number among the causes of the answer.
    pub cause: usize,
    /// None where the method knows no stages.
    pub stage: Option<Stage>,
    /// One, or several of which a leaf must be under any, each with its effect on the metric; none
    /// where the method tells none.
    pub scopes: Vec<(Scope, Option<f64>)>,
    /// Empty for all categories.
    pub categories: Vec<usize>,
    /// Of all scopes together.
    pub effect: Option<f64>,
}

/// Whether a stage of a metric is the one in which a planted cause acts. Where attempts are
/// counted and not messages, what waits here is as if it had not come in.
fn is_stage(said: Stage, planted: Stage) -> bool {
    match said {
        Stage::Attempts => matches!(planted, Stage::Injection | Stage::Queue),
        Stage::Deliveries => planted == Stage::Injection,
        Stage::Deferrals => planted == Stage::Deferral,
        said => said == planted,
    }
}

fn covers(scope: &Scope, lasting: &[bool], cell: &Cell) -> bool {
    scope.iter().all(|(dim, value)| match value {
        Value::Code(code) => cell.keys[*dim] == *code,
        Value::OneTime => lasting.get(cell.keys[*dim] as usize) == Some(&false),
        Value::Any => true,
        Value::Unknown => false,
    })
}

impl Said {
    /// The causes of an answer. Where everyone sends every day, what is told of several at once
    /// must be true of each.
    pub fn of(window: &Window, answer: &Answer) -> Vec<Said> {
        let causes = answer.causes.iter().enumerate();
        let mut all: Vec<Said> =
            causes.map(|(number, cause)| Said::cause(window, number, cause)).collect();
        if window.world.shape == Shape::Steady {
            let apart = |said: Said| {
                let of = said.clone();
                let one = move |scope: (Scope, Option<f64>)| {
                    let effect = scope.1;
                    Said { scopes: vec![scope], effect, ..of.clone() }
                };
                said.scopes.into_iter().map(one)
            };
            all = all.into_iter().flat_map(apart).collect();
        }
        all
    }

    fn cause(window: &Window, number: usize, cause: &Cause) -> Said {
        let value = |(name, value): &(String, Option<String>)| {
            let dim = DIMS.iter().position(|dim| dim == name)?;
            Some((
                dim,
                match value.as_deref() {
                    Some(ONE_TIME_JOBS) => Value::OneTime,
                    Some(value) if is_group_of_jobs(value) => Value::Any,
                    value => window.code(dim, value).map_or(Value::Unknown, Value::Code),
                },
            ))
        };
        let scope = |values: &[(String, Option<String>)]| values.iter().filter_map(value).collect();
        let category = |name: &Option<String>| {
            CATEGORIES.iter().position(|category| Some(*category) == name.as_deref())
        };
        let mut scopes: Vec<(Scope, Option<f64>)> =
            cause.scopes.iter().map(|of| (scope(&of.values), Some(of.effect))).collect();
        if scopes.is_empty() {
            scopes.push((scope(&cause.values), Some(cause.effect)));
        }
        Said {
            cause: number,
            stage: Some(cause.stage),
            scopes,
            categories: cause.categories.iter().filter_map(category).collect(),
            effect: Some(cause.effect),
        }
    }

    /// Whether it speaks of a leaf.
    pub fn covers(&self, lasting: &[bool], cell: &Cell) -> bool {
        self.scopes.iter().any(|(scope, _)| covers(scope, lasting, cell))
    }

    /// Which of its scopes, at a stage of a planted cause, covers nearly the same messages and
    /// refusals.
    pub fn is(&self, window: &Window, lasting: &[bool], planted: &Planted) -> Option<usize> {
        if self.stage.is_some_and(|stage| !is_stage(stage, planted.stage)) {
            return None;
        }
        let weight = |cell: &Cell| match planted.stage {
            Stage::Injection | Stage::Queue => f64::from(cell.injected),
            _ => cell.sums().tried,
        };
        let words = self.same_words(window, planted);
        self.scopes.iter().position(|(scope, _)| {
            let (mut both, mut either) = (0.0, 0.0);
            for cell in &window.before {
                match (cell.is_under(&planted.scope), covers(scope, lasting, cell)) {
                    (true, true) => (both, either) = (both + weight(cell), either + weight(cell)),
                    (false, false) => {}
                    _ => either += weight(cell),
                }
            }
            both / f64::max(either, 1.0) * words >= SAME
        })
    }

    /// The share of the refusals under a planted cause, in its categories or in those that are
    /// named, which are in both. Who knows no stage is not asked for categories.
    fn same_words(&self, window: &Window, planted: &Planted) -> f64 {
        if self.stage.is_none() || planted.categories.is_empty() {
            return 1.0;
        }
        let (mut both, mut either) = (0.0, 0.0);
        for cell in window.periods[0].iter().filter(|cell| cell.is_under(&planted.scope)) {
            for (at, n) in refused(cell, planted.stage).into_iter().enumerate() {
                let is_planted = planted.categories.contains(&at);
                let is_said = self.categories.is_empty() || self.categories.contains(&at);
                both += if is_planted && is_said { f64::from(n) } else { 0.0 };
                either += if is_planted || is_said { f64::from(n) } else { 0.0 };
            }
        }
        both / f64::max(either, 1.0)
    }

    /// Sums of what it covers, of older mail alone where it speaks of that: in the window, on the
    /// median of the baseline and on its mean.
    fn sums(&self, window: &Window, lasting: &[bool]) -> [Sums; 3] {
        let is_older = self.stage == Some(Stage::Carried);
        let is_meant = |cell: &&Cell| self.covers(lasting, cell) && (!is_older || cell.is_older);
        let of = |cells: &Vec<Cell>| Sums::of(cells.iter().filter(is_meant));
        let baseline: Vec<Sums> = window.periods[1..].iter().map(of).collect();
        let parts = |part: fn(&Sums) -> f64| baseline.iter().map(part).collect::<Vec<f64>>();
        let both = [parts(|sums| sums.injected), parts(|sums| sums.tried)];
        let usual = |of: fn(Vec<f64>) -> f64| {
            let [injected, tried] = both.clone().map(of);
            Sums { injected, tried, ..Sums::default() }
        };
        let mean = |of: Vec<f64>| of.iter().sum::<f64>() / of.len() as f64;
        [of(&window.periods[0]), usual(middle), usual(mean)]
    }

    /// Whether the effect is no larger than what entered: recipients for a count, points for a
    /// rate. One that nobody else has done is as large as what came in, now or usually.
    pub fn is_bounded(&self, window: &Window, lasting: &[bool], question: Question) -> bool {
        let Some(effect) = self.effect else { return true };
        let [now, median, mean] = self.sums(window, lasting);
        let usual = if mean.injected > median.injected { mean } else { median };
        let entered = match self.stage {
            _ if question == Question::Deferred => {
                (now.tried + now.deferred).max(usual.tried * 2.0)
            }
            Some(Stage::Injection | Stage::Attempts) => {
                now.injected.max(usual.injected).max(now.tried).max(usual.tried)
            }
            Some(Stage::Queue) => now.injected + now.tried,
            _ => now.tried,
        };
        let all = Sums::of(window.periods[0].iter());
        let most = match (question, question.parts(all).1) {
            (Question::DeferralRate, of) => 100.0 * (now.tried + now.deferred) / of.max(1.0),
            (Question::BounceRate, of) => 100.0 * now.tried / of.max(1.0),
            _ => entered,
        };
        effect.abs() <= most * 1.001 + 0.5
    }

    /// Whether it tells how much came in, or was tried of earlier mail, and what it tells is so:
    /// the way it went, and by no more than it was more or less than usual.
    pub fn is_true_of_volume(&self, window: &Window, lasting: &[bool]) -> bool {
        let is_volume = self.stage.is_some_and(Stage::is_volume);
        let Some(effect) = self.effect.filter(|_| is_volume) else { return false };
        let [now, median, mean] = self.sums(window, lasting);
        [median, mean].iter().any(|usual| {
            let more = [now.injected - usual.injected, now.tried - usual.tried];
            more.iter().any(|more| effect * more > 0.0 && effect.abs() <= 1.2 * more.abs())
        })
    }
}

/// Whether what each stage did is no larger than what entered it; nothing enters the mix.
pub fn are_bounded(answer: &Answer) -> bool {
    answer.steps.iter().all(|step| match step.part {
        Part::Stage(stage) if !answer.metric.is_rate() => {
            let most = if stage.is_volume() {
                step.now.1.max(step.usual.1)
            } else {
                step.now.0.max(step.usual.0)
            };
            step.effect.abs() <= most * 1.001 + 0.5
        }
        _ => true,
    })
}

/// By code of a job: whether three periods have a good part of it, as `why` counts it: one that runs
/// through a night lives in two.
pub fn lasting(window: &Window) -> Vec<bool> {
    let mut by_period = vec![vec![0.0; window.periods.len()]; window.jobs.names.len()];
    for (period, cells) in window.periods.iter().enumerate() {
        for cell in cells {
            if let Some(job) = by_period.get_mut(cell.keys[5] as usize) {
                job[period] += cell.sums().tried;
            }
        }
    }
    let lasts = |mut periods: Vec<f64>| {
        periods.sort_by(|a, b| b.total_cmp(a));
        periods[2] > 0.1 * periods[0]
    };
    by_period.into_iter().map(lasts).collect()
}
