//! Why a number changed: the stage of the funnel that moved, given what entered it, and the
//! causes in it. Never touches SQL, files, the clock or a terminal: counts in, findings out.
//!
//! Reading order: [`Counts`] by leaf and period; a [`Metric`] names the [`Stage`]s that its
//! number passes; a flow is a stage with what was expected of it; the search finds its causes among
//! the candidates; [`explain`] puts them together. docs/why.md says how and from which sources.

mod answer;
mod candidates;
mod counts;
mod flow;
mod jobs;
mod metric;
mod mix;
mod onset;
mod reading;
mod search;

pub use answer::{Answer, Cause, Part, Step, Verdict};
pub use counts::{Counts, Kind};
pub use jobs::{EARLIER_JOBS, ONE_TIME_JOBS, is_group_of_jobs};
pub use metric::{Metric, Stage};
pub use mix::Mover;
pub use onset::onset;
pub use reading::Reading;

use flow::Flow;

/// A cause must move the metric by this share of its change.
const LEAST_OF_CHANGE: f64 = 0.03;
/// And by this share of its usual value.
const LEAST_OF_USUAL: f64 = 0.004;
/// And, for a volume, by this many.
const LEAST: f64 = 4.0;
/// The mix is looked into when it makes this share of the change of a rate.
const LEAST_MIX: f64 = 0.25;
/// Below this many in the window and in its baseline, nothing can be said.
const FEW: f64 = 20.0;

/// Explains `metric` in the window, period 0 of `counts`, by the periods after it.
pub fn explain(metric: &'static Metric, counts: &Counts) -> Answer {
    let (all, counts) = (counts, &counts.leftovers_apart());
    let values: Vec<f64> =
        (0..=counts.n_baseline()).map(|period| value(metric, counts, period)).collect();
    let usual = usual_value(metric, counts);
    let (now, baseline) = (values[0], &values[1..]);
    let least_and_most = baseline
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    let range = if baseline.is_empty() { (0.0, 0.0) } else { least_and_most };
    let of = metric.is_rate().then(|| (counts.sum(0, metric.of), counts.usual(metric.of)));
    let change = now - usual;
    let entered = enough(metric, counts);
    let least = (LEAST_OF_CHANGE * change.abs()).max(LEAST_OF_USUAL * usual.abs());
    let least = if metric.is_rate() { least } else { least.max(LEAST) };
    let stages: &[Stage] = if baseline.is_empty() { &[] } else { metric.stages };
    let seen = at_once(stages, |stage| {
        let flow = Flow::new(counts, stage, metric);
        let given = flow.given;
        // What comes in has no left-overs, and a job may come in with little.
        let flow = if stage.input().is_empty() { Flow::new(all, stage, metric) } else { flow };
        // One category may be half of a cause.
        let found = if entered { search::search(&flow, least / 2.0) } else { Vec::new() };
        let outcome = &flow.outcomes[0];
        Seen {
            given,
            beyond: outcome.seen[0].iter().sum::<f64>() - outcome.expected.iter().sum::<f64>(),
            causes: one_each(&flow, &found, change),
        }
    });
    let steps = steps(metric, counts, &seen, now, usual);
    let mut causes: Vec<Cause> = seen.into_iter().flat_map(|stage| stage.causes).collect();
    causes.retain(|cause| cause.effect.abs() >= least);
    let against = |cause: &Cause| cause.effect * change < 0.0;
    causes.sort_by(|a, b| {
        against(a).cmp(&against(b)).then(b.effect.abs().total_cmp(&a.effect.abs()))
    });
    let by_causes: f64 = causes.iter().map(|cause| cause.effect).sum();
    let by_mix: f64 = steps.iter().filter(|s| s.part == Part::Mix).map(|s| s.effect).sum();
    let mix = match by_mix / change >= LEAST_MIX && entered {
        true => mix::movers(metric, counts, by_mix),
        false => Vec::new(),
    };
    let is_usual = range.0 <= now && now <= range.1 || change.abs() < 0.1 * usual.abs();
    let verdict = match (causes.is_empty(), baseline.is_empty() || !entered) {
        (_, true) => Verdict::TooLittle,
        (false, _) => Verdict::Explained,
        (true, _) if is_usual => Verdict::Quiet,
        (true, _) => Verdict::Unexplained,
    };
    let unexplained = change - by_causes - by_mix;
    Answer { metric, now, usual, range, of, steps, causes, mix, unexplained, verdict }
}

/// What is seen of a stage.
struct Seen {
    /// What the metric is expected to be, given what passed the stage.
    given: Option<f64>,
    /// How many more came out than was expected.
    beyond: f64,
    causes: Vec<Cause>,
}

/// `look` at each stage, in their order: they do not depend on each other, so no one waits.
fn at_once(stages: &[Stage], look: impl Fn(Stage) -> Seen + Sync) -> Vec<Seen> {
    let look = &look;
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            stages.iter().map(|&stage| scope.spawn(move || look(stage))).collect();
        let seen = threads.into_iter().map(|thread| thread.join());
        seen.map(|seen| seen.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Whether there is enough in the window or its baseline to say anything.
fn enough(metric: &Metric, counts: &Counts) -> bool {
    let kinds = if metric.is_rate() { metric.of } else { metric.stages[0].output() };
    let (now, usual) = (counts.sum(0, kinds), counts.usual(kinds));
    match metric.is_rate() {
        true => now.min(usual) >= FEW,
        false => now.max(usual) >= FEW,
    }
}

/// The value of the metric in one period.
fn value(metric: &Metric, counts: &Counts, period: usize) -> f64 {
    let counted = counts.sum(period, metric.counted)
        + f64::from(metric.remote) * counts.sum(period, &[Kind::Remote]);
    of_rate(metric, counted, counts.sum(period, metric.of))
}

/// Its value over the baseline: a mean, or the rate of all periods together.
fn usual_value(metric: &Metric, counts: &Counts) -> f64 {
    let counted =
        counts.usual(metric.counted) + f64::from(metric.remote) * counts.usual(&[Kind::Remote]);
    of_rate(metric, counted, counts.usual(metric.of))
}

fn of_rate(metric: &Metric, counted: f64, of: f64) -> f64 {
    match (metric.is_rate(), metric.rest) {
        (false, _) => counted,
        (true, _) if of <= 0.0 => 0.0,
        (true, false) => 100.0 * counted / of,
        (true, true) => 100.0 - 100.0 * counted / of,
    }
}

/// The change by stage: what the metric was expected to be after each, given what passed it.
fn steps(metric: &Metric, counts: &Counts, seen: &[Seen], now: f64, usual: f64) -> Vec<Step> {
    let remote =
        f64::from(metric.remote) * (counts.sum(0, &[Kind::Remote]) - counts.usual(&[Kind::Remote]));
    let at = |kinds: (&[Kind], &[Kind])| {
        let of = |sum: &dyn Fn(&[Kind]) -> f64| (sum(kinds.0), sum(kinds.1));
        (of(&|kinds| counts.sum(0, kinds)), of(&|kinds| counts.usual(kinds)))
    };
    let mut steps = Vec::new();
    let step = |part, effect, kinds| {
        let (now, usual) = at(kinds);
        Step { part, effect, now, usual }
    };
    if seen.is_empty() {
        return steps;
    }
    if metric.is_rate() {
        let stage = metric.stages[0];
        let sign = if metric.rest { -1.0 } else { 1.0 };
        let points = sign * 100.0 / counts.sum(0, metric.of).max(1.0);
        let by_rate = seen[0].beyond * points;
        let by_remote = match metric.remote {
            0 => 0.0,
            _ => {
                let of = |n: f64, all: f64| if all > 0.0 { 100.0 * n / all } else { 0.0 };
                let now = of(counts.sum(0, &[Kind::Remote]), counts.sum(0, metric.of));
                sign * (now - of(counts.usual(&[Kind::Remote]), counts.usual(metric.of)))
            }
        };
        steps.push(step(Part::Stage(stage), by_rate, (metric.of, stage.output())));
        if metric.remote != 0 {
            steps.push(step(Part::Remote, by_remote, (metric.of, &[Kind::Remote])));
        }
        let by_mix = now - usual - by_rate - by_remote;
        steps.push(step(Part::Mix, by_mix, (metric.of, metric.counted)));
        return steps;
    }
    let mut before = counts.usual(metric.counted);
    for (&stage, seen) in metric.stages.iter().zip(seen) {
        let after = match seen.given {
            Some(after) if metric.stages.last() != Some(&stage) => after,
            _ => counts.sum(0, metric.counted),
        };
        steps.push(step(Part::Stage(stage), after - before, (stage.input(), stage.output())));
        before = after;
    }
    if metric.remote != 0 {
        steps.push(step(Part::Remote, remote, (&[Kind::Delivered], &[Kind::Remote])));
    }
    steps
}

/// What was found, in words; the same messages refused in two categories are one cause.
fn one_each(flow: &Flow, found: &[search::Found], change: f64) -> Vec<Cause> {
    let mut causes: Vec<(Cause, &search::Found)> = Vec::new();
    for found in found {
        let new = cause(flow, found, change);
        let same = causes.iter_mut().find(|(known, other)| {
            let all = known.categories.is_empty() || new.categories.is_empty();
            let is_one_way = (known.effect > 0.0) == (new.effect > 0.0);
            !all && is_one_way && flow.is_same(&other.leaves, &found.leaves)
        });
        match same {
            Some((known, _)) => known.join(new),
            None => causes.push((new, found)),
        }
    }
    causes.into_iter().map(|(cause, _)| cause).collect()
}

/// What was found, in words.
fn cause(flow: &Flow, found: &search::Found, change: f64) -> Cause {
    let counts = &flow.counts;
    let named = |&(dim, code): &(usize, u32)| (counts.dims()[dim].clone(), counts.name(dim, code));
    let values: Vec<(String, Option<String>)> = found.values.iter().map(named).collect();
    let sum = |period: usize, of: &[Vec<f64>]| -> f64 {
        found.leaves.iter().map(|&leaf| of[period][leaf as usize]).sum()
    };
    let outcome = &flow.outcomes[found.outcome];
    // All categories, or those of them that moved.
    let parts: Vec<&flow::Outcome> = match found.parts.is_empty() {
        true => vec![outcome],
        false => found.parts.iter().map(|&part| &flow.outcomes[part]).collect(),
    };
    let named_categories = parts.iter().filter_map(|part| part.category.clone()).collect();
    let counted = |of: &dyn Fn(&flow::Outcome) -> f64| parts.iter().map(|part| of(part)).sum();
    let n_baseline = counts.n_baseline().max(1);
    let usual = |of: &[Vec<f64>]| -> f64 {
        (1..=counts.n_baseline()).map(|period| sum(period, of)).sum::<f64>() / n_baseline as f64
    };
    let is_volume = flow.stage.input().is_empty();
    let entered = |n: f64| if is_volume { 0.0 } else { n };
    // What a leaf with nothing in it is called says nothing of the cause.
    let alive: Vec<usize> = found
        .leaves
        .iter()
        .map(|&leaf| leaf as usize)
        .filter(|&leaf| {
            let counts = |of: &[Vec<f64>]| of.iter().any(|period| period[leaf] > 0.0);
            counts(&outcome.seen) || !is_volume && counts(&flow.input)
        })
        .collect();
    let implied = (0..counts.dims().len())
        .filter(|dim| {
            found.values.iter().all(|(named, _)| named != dim) && counts.n_values(*dim) > 1
        })
        .filter_map(|dim| {
            let code = counts.code(*alive.first()?, dim);
            let single = alive.iter().all(|&leaf| counts.code(leaf, dim) == code);
            (single && counts.value(dim, code).is_some()).then(|| named(&(dim, code)))
        })
        .collect();
    let mut cause = Cause {
        stage: flow.stage,
        values,
        categories: named_categories,
        implied,
        effect: found.effect,
        share: if change == 0.0 { 0.0 } else { 100.0 * found.effect / change },
        now: (entered(sum(0, &flow.input)), counted(&|outcome| sum(0, &outcome.seen))),
        usual: (entered(usual(&flow.input)), counted(&|outcome| usual(&outcome.seen))),
        expected: counted(&|outcome| {
            found.leaves.iter().map(|&leaf| outcome.expected[leaf as usize]).sum()
        }),
        z: found.z,
        reading: Reading::Unclear,
    };
    cause.reading = reading::read(&cause);
    cause
}
