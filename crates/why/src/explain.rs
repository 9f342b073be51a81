//! The answer about a metric, from its counts: which stage moved, the causes in it, what is left.

use crate::answer::{Answer, Cause, Part, Step, Verdict};
use crate::cause::one_each;
use crate::counts::Counts;
use crate::few::least_effect;
use crate::flow::{self, Flow};
use crate::kind::Kind;
use crate::metric::{Metric, Stage};
use crate::parallel::at_once;
use crate::usual::{self, usual_value, value};
use crate::{mix, search, volume};

/// The mix is looked into when it makes this share of the change of a rate.
const LEAST_MIX: f64 = 0.25;
/// Below this many in the window and in its baseline, nothing can be said.
const FEW: f64 = 20.0;

/// Explains `metric` in the window, period 0 of `counts`, by the periods after it.
pub fn explain(metric: &'static Metric, mut counts: Counts) -> Answer {
    let left_out = usual::left_out(metric, &counts);
    let left_out_values = left_out.iter().map(|&period| (period, value(metric, &counts, period)));
    let left_out_values = left_out_values.collect();
    let kept: Vec<usize> =
        (1..=counts.n_baseline()).filter(|period| !left_out.contains(period)).collect();
    counts.keep_baseline(&kept);
    counts.carry_leftovers();
    let (now, usual) = (value(metric, &counts, 0), usual_value(metric, &counts));
    let baseline = (1..=counts.n_baseline()).map(|period| value(metric, &counts, period));
    let range = baseline.fold(None, |range: Option<(f64, f64)>, value| {
        Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    });
    let range = range.unwrap_or((0.0, 0.0));
    let of = metric.is_rate().then(|| (counts.sum(0, metric.of), counts.usual(metric.of)));
    let change = now - usual;
    let entered = enough(metric, &counts);
    let least = least_effect(metric, now, usual);
    let counts = &counts.without_few(metric, least / 2.0);
    let flows = if kept.is_empty() { Vec::new() } else { flow::flows(metric, counts, least / 2.0) };
    let steps = steps(metric, counts, &flows, now - usual);
    let mut causes: Vec<Cause> = at_once(&flows, |flow| {
        // Retries of earlier mail are the echo of what deferred it, and that was earlier. One
        // category may be half of a cause.
        let is_searched = entered && flow.stage != Stage::Carried;
        let found = if is_searched { search::search(flow, least / 2.0) } else { Vec::new() };
        if flow.stage.is_volume() && metric.stages.len() > 1 {
            volume::as_one(flow, &found, change).into_iter().collect()
        } else {
            one_each(flow, &found, change)
        }
    })
    .into_iter()
    .flatten()
    .collect();
    causes.retain(|cause| cause.effect.abs() >= least);
    let against = |cause: &Cause| cause.effect * change < 0.0;
    causes.sort_by(|a, b| {
        against(a).cmp(&against(b)).then(b.effect.abs().total_cmp(&a.effect.abs()))
    });
    let by_causes: f64 = causes.iter().map(|cause| cause.effect).sum();
    let by_mix: f64 = steps.iter().filter(|s| s.part == Part::Mix).map(|s| s.effect).sum();
    let mix = if metric.is_rate() && by_mix / change >= LEAST_MIX && entered {
        mix::movers(metric, counts, by_mix)
    } else {
        Vec::new()
    };
    let verdict = match (causes.is_empty(), kept.is_empty() || !entered) {
        (_, true) => Verdict::TooLittle,
        (false, _) => Verdict::Explained,
        (true, _) if usual::is_unusual(metric, counts) => Verdict::Unexplained,
        (true, _) => Verdict::Quiet,
    };
    // More or less mail of which no part stands out needs no cause: the funnel has it.
    let is_plain = |stage: Stage| causes.iter().all(|cause| cause.stage != stage);
    let by_volume: f64 = steps
        .iter()
        .filter(|step| matches!(step.part, Part::Stage(s) if s.is_volume() && is_plain(s)))
        .map(|step| step.effect)
        .sum();
    let by_volume = if metric.stages.len() > 1 { by_volume } else { 0.0 };
    let unexplained = change - by_causes - by_mix - by_volume;
    Answer {
        metric,
        now,
        usual,
        range,
        of,
        left_out: left_out_values,
        steps,
        causes,
        mix,
        unexplained,
        verdict,
    }
}

/// Whether there is enough in the window or its baseline to say anything.
fn enough(metric: &Metric, counts: &Counts) -> bool {
    let kinds = if metric.is_rate() { metric.of } else { metric.stages[0].output() };
    let (now, usual) = (counts.sum(0, kinds), counts.usual(kinds));
    if metric.is_rate() { now.min(usual) >= FEW } else { now.max(usual) >= FEW }
}

/// The change by stage: what each did to the metric, given what entered it, at the usual rates of
/// the stages after it. What is left of the change is the mix: what enters goes other ways than
/// usual, of which the usual rates are others. So the parts add up to the change.
fn steps(metric: &Metric, counts: &Counts, flows: &[Flow], change: f64) -> Vec<Step> {
    if flows.is_empty() {
        return Vec::new();
    }
    if metric.is_of_the_queue() {
        return steps_of_the_queue(counts);
    }
    let mut steps: Vec<Step> = flows
        .iter()
        .map(|flow| {
            let [now, usual] = flow.totals();
            Step { part: Part::Stage(flow.stage), effect: flow.effect(), now, usual }
        })
        .collect();
    let pair = |of: &[Kind], counted: &[Kind]| {
        let now = (counts.sum(0, of), counts.sum(0, counted));
        (now, (counts.usual(of), counts.usual(counted)))
    };
    if metric.remote != 0 {
        let sign = if metric.rest { -1.0 } else { 1.0 } * f64::from(metric.remote);
        let of = if metric.is_rate() { metric.of } else { &[Kind::Delivered] };
        let (now, usual) = pair(of, &[Kind::Remote]);
        let part = |(of, n): (f64, f64)| {
            if !metric.is_rate() {
                n
            } else if of > 0.0 {
                100.0 * n / of
            } else {
                0.0
            }
        };
        let effect = sign * (part(now) - part(usual));
        steps.push(Step { part: Part::Remote, effect, now, usual });
    }
    let by_mix = change - steps.iter().map(|step| step.effect).sum::<f64>();
    let (now, usual) = pair(metric.of, metric.counted);
    steps.push(Step { part: Part::Mix, effect: by_mix, now, usual });
    steps
}

/// Who waits at the end waited at the begin or came in, and has not left: the parts add up to the
/// change, whatever the usual values are.
fn steps_of_the_queue(counts: &Counts) -> Vec<Step> {
    let step = |part: Part, kind: Kind, sign: f64| {
        let (now, usual) = (counts.sum(0, &[kind]), counts.usual(&[kind]));
        Step { part, effect: sign * (now - usual), now: (0.0, now), usual: (0.0, usual) }
    };
    vec![
        step(Part::WaitedBefore, Kind::WaitedBefore, 1.0),
        step(Part::CameIn, Kind::CameIn, 1.0),
        step(Part::WentOut, Kind::WentOut, -1.0),
    ]
}
