//! The usual rate of each leaf: what comes out of one that enters, by the baseline. Names no cause.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use crate::counts::Counts;
use crate::few::is_as_all;
use crate::groups::{Groups, Members};
use crate::history::{LEAST_PERIODS, median};
use crate::novelty::Novelty;
use crate::parallel::at_once;
use crate::seen::Seen;

/// How many counted messages the rate of what surrounds a group weighs against its own.
const PRIOR: f64 = 10.0;

/// The same for what was carried over, of which nothing says that it is like what is fresh.
const PRIOR_OF_AGE: f64 = 0.5;

/// No rate is corrected to more than this.
const MOST: f64 = 0.995;

/// From coarse to fine. Each level corrects what those before it say of a group; `age` parts fresh
/// messages from those that were carried over, and `job` levels are for jobs that last.
const LEVELS: &[&[&str]] = &[
    &["provider"],
    &["age"],
    &["provider", "age"],
    &["sender_domain"],
    &["vmta_pool"],
    &["vmta"],
    &["dlv_source_ip"],
    &["provider", "sender_domain"],
    &["provider", "vmta_pool"],
    &["provider", "vmta"],
    &["provider", "dlv_source_ip"],
    &["sender_domain", "vmta_pool", "vmta", "dlv_source_ip"],
    &["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip"],
    &["job_id"],
    &["provider", "job_id"],
    &["provider", "sender_domain", "vmta_pool", "vmta", "dlv_source_ip", "job_id"],
];

/// The groups of a level, and the leaves of each.
pub(crate) struct Grouped {
    level: &'static [&'static str],
    groups: Arc<Groups>,
    members: Arc<Members>,
}

/// The leaves by all levels.
pub(crate) fn grouped(counts: &Counts) -> Vec<Grouped> {
    let dims = counts.dims();
    let has_carried = (0..counts.n_leaves()).any(|leaf| counts.is_carried(leaf));
    let levels = LEVELS.iter().copied().filter(|l| has_carried || !l.contains(&"age"));
    at_once(&levels.collect::<Vec<_>>(), |level| {
        let by: Vec<usize> =
            (0..dims.len()).filter(|&dim| level.contains(&dims[dim].as_str())).collect();
        let groups = Groups::one(counts).divided(counts, &by);
        let groups = if level.contains(&"age") { groups.by_age(counts) } else { groups };
        let members = groups.members().into();
        Grouped { level, groups: groups.into(), members }
    })
}

/// The groups of leaves that share a rate, for all that enters a stage.
pub(crate) struct Levels<'i> {
    levels: Vec<Level>,
    /// What entered, by leaf: in all periods of the baseline, in the window, and in each period of the
    /// baseline where anything did.
    past: Vec<f64>,
    now: &'i [f64],
    filled: Vec<Filled>,
    /// By leaf, where its own begin in `filled`; then where the last ones end.
    begins: Vec<u32>,
    n_days: usize,
    /// By leaf, whether its job is not both in the window and in its baseline. What one did on its
    /// one day is no rate to go by: it would fit that day, and say nothing of what comes new.
    is_once: Vec<bool>,
    /// The leaves by job, carried ones apart, if jobs are known; and by leaf, whether its job is one of many
    /// that are not told apart: how far one job differs is no matter there.
    jobs: Option<Arc<Groups>>,
    is_of_many: Vec<bool>,
}

/// The usual rates of one outcome, and how far they are unknown.
pub(crate) struct Usual {
    /// By leaf.
    pub(crate) rates: Vec<f64>,
    /// For senders and for jobs.
    pub(crate) novelties: Vec<Novelty>,
}

/// What entered a leaf on a day.
#[derive(Clone, Copy)]
struct Filled {
    day: u16,
    n: f64,
}

/// What came out where something entered, in the order of [`Levels::filled`].
struct Days {
    came: Vec<f64>,
    /// Whether the day is left out for the leaf.
    is_out: Vec<bool>,
}

/// A day is one with an incident of its own only if so many came of its group in all.
const LEAST_CAME: f64 = 10.0;

struct Level {
    groups: Arc<Groups>,
    members: Arc<Members>,
    is_by_job: bool,
    /// Whether it is by sender alone.
    is_by_sender: bool,
    prior: f64,
    /// The groups that do not hold the same messages as one of a level before: such a one has nothing
    /// new to say, and what it said must not count twice.
    unknown: Vec<u32>,
}

impl<'i> Levels<'i> {
    /// The groups of `counts`, of which `input` enters by period and leaf.
    pub(crate) fn new(counts: &Counts, input: &'i [Vec<f64>], grouped: &[Grouped]) -> Levels<'i> {
        let past: Vec<f64> = total(&input[1..], counts.n_leaves());
        let now = input[0].as_slice();
        let mut levels = Vec::new();
        let mut known: HashSet<u64> = HashSet::from([signature(&past, now)]);
        let held = at_once(grouped, |of| signatures(&of.groups, &past, now).collect::<Vec<u64>>());
        for (Grouped { level, groups, members }, held) in grouped.iter().zip(held) {
            let unknown = (0..).zip(held).filter(|(_, held)| known.insert(*held));
            let unknown: Vec<u32> = unknown.map(|(group, _)| group).collect();
            if !unknown.is_empty() {
                levels.push(Level {
                    groups: groups.clone(),
                    members: members.clone(),
                    is_by_job: level.contains(&"job_id"),
                    is_by_sender: *level == ["sender_domain"],
                    prior: if level.contains(&"age") { PRIOR_OF_AGE } else { PRIOR },
                    unknown,
                });
            }
        }
        let (mut filled, mut begins) = (Vec::new(), vec![0]);
        for leaf in 0..counts.n_leaves() {
            let days = input[1..].iter().enumerate().map(|(day, leaves)| (day, leaves[leaf]));
            let days = days.filter(|(_, n)| *n > 0.0);
            filled.extend(days.map(|(day, n)| Filled { day: day as u16, n }));
            begins.push(filled.len() as u32);
        }
        let n_days = input.len() - 1;
        let job = counts.dims().iter().position(|dim| dim == "job_id");
        let jobs = job.map(|job| Groups::one(counts).divided(counts, &[job]).by_age(counts).into());
        let is_once = once(counts, input);
        let is_of_many = |leaf: usize| job.is_some_and(|job| counts.is_few(leaf, job));
        let is_of_many = (0..counts.n_leaves()).map(is_of_many).collect();
        Levels { levels, past, now, filled, begins, n_days, is_once, jobs, is_of_many }
    }

    /// The usual rate by leaf, from what came out by period and leaf: that of all, corrected level
    /// by level by what came of each group over what the levels before expect of it. The odds are
    /// corrected, so that no rate comes to 1.
    ///
    /// A group's own past weighs as its counted messages against [`PRIOR`]; and each of its messages
    /// speaks for one of today's: where more enters now than in all of its past, what is more has the
    /// rate of what surrounds it. A day on which far more came of a group than on its others had an
    /// incident there, and is left out of it and of all groups in it.
    pub(crate) fn usual(&self, output: &Seen) -> Usual {
        let came = output.sums();
        let (all_in, all_out): (f64, f64) = (self.past.iter().sum(), came.iter().sum());
        let overall = if all_in > 0.0 { (all_out / all_in).min(1.0) } else { 0.0 };
        let mut rates = vec![overall; came.len()];
        if overall == 0.0 {
            return Usual { rates, novelties: Vec::new() };
        }
        let mut senders = None;
        let (mut came, mut past) = (came, self.past.clone());
        // Of a category most leaves have none.
        let some: Vec<u32> = (0..).zip(&came).filter(|(_, n)| **n > 0.0).map(|(l, _)| l).collect();
        let mut days = self.days(output);
        for level in &self.levels {
            self.leave_out(level, &some, &rates, &mut days, &mut came, &mut past);
            let Level { groups, members, is_by_job, is_by_sender, prior, unknown } = level;
            // What came and entered in the past, and what is expected of that and of now.
            let sums_of = |group: u32, rates: &[f64]| {
                let mut sums = [0.0; 4];
                for &leaf in members.of(group) {
                    let leaf = leaf as usize;
                    sums[0] += came[leaf];
                    sums[1] += past[leaf];
                    sums[2] += rates[leaf] * past[leaf];
                    sums[3] += rates[leaf] * self.now[leaf];
                }
                sums
            };
            if *is_by_sender {
                let all = (0..groups.n as u32).map(|group| sums_of(group, &rates));
                let ratios = all.map(|[came, _, expected, _]| (came, expected));
                senders = Some((groups, ratios.collect::<Vec<_>>()));
            }
            for &group in unknown {
                let [came, entered, expected, expected_now] = sums_of(group, &rates);
                let prior = prior.max(expected_now - expected);
                let factor = (came + prior) / (expected + prior);
                let mean = (expected / entered.max(1e-9)).min(MOST);
                let factor = factor * (1.0 - mean) / (1.0 - (factor * mean).min(MOST));
                for &leaf in members.of(group) {
                    let leaf = leaf as usize;
                    if !(*is_by_job && self.is_once[leaf]) {
                        let odds = factor * rates[leaf];
                        rates[leaf] = odds / (1.0 - rates[leaf] + odds).max(1e-9);
                    }
                }
            }
        }
        let by_group = |groups: &Groups, of: &dyn Fn(usize) -> f64| {
            groups.sums((0..rates.len()).map(|leaf| of(leaf) * rates[leaf]))
        };
        let novelty =
            |groups: &Arc<Groups>, ratios: Vec<(f64, f64)>, past: &dyn Fn(usize) -> f64| {
                let now = by_group(groups, &|leaf| self.now[leaf]);
                let past = by_group(groups, past);
                Novelty::new(groups.clone(), past.into_iter().zip(now), ratios.into_iter())
            };
        let senders = senders.map(|(groups, ratios)| novelty(groups, ratios, &|l| past[l]));
        // A job that was there once: its rate is not its own, so what came of it says how far jobs
        // differ, and nothing of what comes new.
        let jobs = self.jobs.as_ref().map(|groups| {
            let once = |n: &[f64]| {
                groups
                    .sums(n.iter().zip(&self.is_once).map(|(n, once)| if *once { *n } else { 0.0 }))
            };
            let expected: Vec<f64> = past.iter().zip(&rates).map(|(n, rate)| n * rate).collect();
            let ratios = once(&came).into_iter().zip(once(&expected)).collect();
            let is_known = |l: usize| !self.is_once[l] || self.is_of_many[l];
            novelty(groups, ratios, &|l| if is_known(l) { past[l] } else { 0.0 })
        });
        let novelties = senders.into_iter().chain(jobs).collect();
        Usual { rates, novelties }
    }

    fn days(&self, output: &Seen) -> Days {
        let mut came = Vec::with_capacity(self.filled.len());
        for leaf in 0..self.past.len() {
            let of = self.filled[self.own(leaf)].iter();
            came.extend(of.map(|filled| output.at(usize::from(filled.day) + 1, leaf)));
        }
        Days { came, is_out: vec![false; self.filled.len()] }
    }

    /// Where the days of a leaf are.
    fn own(&self, leaf: usize) -> Range<usize> {
        self.begins[leaf] as usize..self.begins[leaf + 1] as usize
    }

    /// Takes days with an incident of their own out of what came, of `some` leaves, and entered of each group.
    fn leave_out(
        &self,
        level: &Level,
        some: &[u32],
        rates: &[f64],
        days: &mut Days,
        came: &mut [f64],
        past: &mut [f64],
    ) {
        if self.n_days < LEAST_PERIODS {
            return;
        }
        // Days are told apart of those groups only of which enough came.
        let of_leaf = &level.groups.of_leaf;
        let mut by_group: Vec<(u32, f64)> =
            some.iter().map(|leaf| (of_leaf[*leaf as usize], came[*leaf as usize])).collect();
        by_group.sort_by_key(|(group, _)| *group);
        // By day, what came and what the rates so far expect.
        let mut of_days = vec![(0.0, 0.0); self.n_days];
        for of_group in by_group.chunk_by(|(a, _), (b, _)| a == b) {
            if of_group.iter().map(|(_, came)| came).sum::<f64>() < LEAST_CAME {
                continue;
            }
            let members = level.members.of(of_group[0].0).iter().map(|leaf| *leaf as usize);
            of_days.fill((0.0, 0.0));
            for leaf in members.clone() {
                for at in self.own(leaf).filter(|at| !days.is_out[*at]) {
                    let Filled { day, n } = self.filled[at];
                    let (seen, expected) = &mut of_days[usize::from(day)];
                    *seen += days.came[at];
                    *expected += rates[leaf] * n;
                }
            }
            let Some(dirty) = dirty_day(&of_days) else { continue };
            for leaf in members {
                for at in self.own(leaf) {
                    let Filled { day, n } = self.filled[at];
                    if usize::from(day) == dirty && !days.is_out[at] {
                        came[leaf] -= days.came[at];
                        past[leaf] -= n;
                        days.is_out[at] = true;
                    }
                }
            }
        }
    }
}

/// The day with an incident of its own: the one that is farthest above the median of its ratios to
/// what was expected, if by more than five deviations of chance and more than twice as much.
fn dirty_day(days: &[(f64, f64)]) -> Option<usize> {
    if days.iter().map(|(seen, _)| seen).sum::<f64>() < LEAST_CAME {
        return None;
    }
    let had = || days.iter().enumerate().filter(|(_, (_, expected))| *expected > 0.0);
    let usual = median(had().map(|(_, (seen, expected))| (seen + 1.0) / (expected + 1.0)));
    let beyond = |(seen, expected): &(f64, f64)| seen - usual * expected;
    let (worst, day) = had().max_by(|(_, a), (_, b)| beyond(a).total_cmp(&beyond(b)))?;
    let (seen, expected) = *day;
    let chance = (usual * expected + 1.0).sqrt();
    let is_far = beyond(day) > 5.0 * chance && seen > 2.0 * usual * expected;
    (had().count() >= LEAST_PERIODS && is_far).then_some(worst)
}

/// The sum of periods, by leaf.
fn total(periods: &[Vec<f64>], n_leaves: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n_leaves];
    for period in periods {
        sums.iter_mut().zip(period).for_each(|(sum, n)| *sum += n);
    }
    sums
}

/// What tells the leaves of a group in which anything entered from those of another.
fn mark(leaf: usize) -> u64 {
    let mixed = (leaf as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn signature(past: &[f64], now: &[f64]) -> u64 {
    let is_empty = |leaf: &usize| past[*leaf] + now[*leaf] <= 0.0;
    let leaves = (0..past.len()).filter(|leaf| !is_empty(leaf));
    leaves.fold(0, |sum, leaf| sum.wrapping_add(mark(leaf)))
}

fn signatures(groups: &Groups, past: &[f64], now: &[f64]) -> impl Iterator<Item = u64> {
    let mut sums = vec![0_u64; groups.n];
    for (leaf, &group) in groups.of_leaf.iter().enumerate() {
        if past[leaf] + now[leaf] > 0.0 {
            sums[group as usize] = sums[group as usize].wrapping_add(mark(leaf));
        }
    }
    sums.into_iter()
}

fn once(counts: &Counts, input: &[Vec<f64>]) -> Vec<bool> {
    let Some(dim) = counts.dims().iter().position(|dim| dim == "job_id") else {
        return vec![false; counts.n_leaves()];
    };
    let mut seen = vec![(false, false); counts.n_values(dim)];
    for (period, leaves) in input.iter().enumerate() {
        let entered = |(leaf, n): &(usize, &f64)| **n > 0.0 && !counts.is_carried(*leaf);
        for (leaf, _) in leaves.iter().enumerate().filter(entered) {
            let seen = &mut seen[counts.code(leaf, dim) as usize];
            seen.0 |= period == 0;
            seen.1 |= period > 0;
        }
    }
    let lasts = |leaf: usize| {
        let code = counts.code(leaf, dim);
        seen[code as usize] == (true, true) && !is_as_all(counts.value(dim, code))
    };
    (0..counts.n_leaves()).map(|leaf| counts.is_carried(leaf) || !lasts(leaf)).collect()
}
