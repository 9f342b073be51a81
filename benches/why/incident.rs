//! Causes: drawn where there are messages enough, and done to the counts of a window, each message
//! that one changes being counted. Knows the truth, and nothing of how it is found.

use pmtaq_why::Stage;

use crate::chance::Chance;
use crate::traffic::{ByCategory, Cell, Jobs, Sums, again};
use crate::world::{DIMS, NONE, World};

/// A cause.
#[derive(Clone, Debug)]
pub struct Planted {
    pub stage: Stage,
    /// Dimension and code.
    pub scope: Vec<(usize, u32)>,
    /// The categories of its refusals, one or two; empty for injection and queue.
    pub categories: Vec<usize>,
    /// Injection and queue: a factor; else the share that is refused more.
    pub strength: f64,
    /// What it does to deliveries, as a share of them, as far as can be said beforehand.
    pub size: f64,
    /// What it did: the records with it less those without it.
    pub done: Sums,
}

impl Planted {
    /// Dimensions, the category among them.
    pub fn depth(&self) -> usize {
        self.scope.len() + usize::from(self.categories.len() == 1)
    }

    /// In words.
    pub fn told(&self, world: &World, jobs: &Jobs) -> String {
        let named = |(dim, code): &(usize, u32)| text(world, jobs, *dim, *code).unwrap_or("-");
        let scope: Vec<&str> = self.scope.iter().map(named).collect();
        let words: Vec<&str> =
            self.categories.iter().map(|at| crate::world::CATEGORIES[*at]).collect();
        let how = if self.categories.is_empty() {
            format!("x {:.2}", self.strength)
        } else {
            format!("{:.0} % {}", 100.0 * self.strength, words.join(", "))
        };
        format!("{} of {} {how}", self.stage.name(), scope.join(", "))
    }
}

/// The text of a code; none for [`NONE`].
pub fn text<'w>(world: &'w World, jobs: &'w Jobs, dim: usize, code: u32) -> Option<&'w str> {
    let names = if dim == 5 { &jobs.names } else { &world.names[dim] };
    (code != NONE).then(|| names[code as usize].as_str())
}

/// Draws so many causes, each about 1 to 60 percent of the deliveries and no less than 60
/// messages. Of two, neither is most of the other, nor less than a twentieth of it. `before` has
/// the other periods: where they differ widely, no change of what comes in is planted.
pub fn plant(cells: &[Cell], before: &[Vec<Cell>], chance: &mut Chance, n: usize) -> Vec<Planted> {
    let mut planted: Vec<Planted> = Vec::new();
    let all = Sums::of(cells.iter());
    for _ in 0..200 {
        if planted.len() == n {
            break;
        }
        let wanted = chance.scaled(0.01, 0.6);
        let stage =
            [Stage::Injection, Stage::Queue, Stage::Deferral, Stage::Bounce][chance.below(4)];
        let drawn = (0..60).find_map(|_| {
            let cause = draw(cells, all, chance, stage)?;
            let fits = (0.6..1.7).contains(&(cause.size.abs() / wanted));
            let is_apart = planted.iter().all(|other| {
                let (a, b) = (other.size.abs(), cause.size.abs());
                overlap(cells, other, &cause) < 0.5 && a.min(b) >= 0.05 * a.max(b)
            });
            let is_large = cause.size.abs() * all.delivered >= 60.0;
            let is_known = stage != Stage::Injection || is_regular(cells, before, &cause.scope);
            (fits && is_large && is_apart && is_known).then_some(cause)
        });
        planted.extend(drawn);
    }
    planted
}

/// The share of the messages under the smaller of two causes that are under both; 0 for causes
/// that show in different records.
fn overlap(cells: &[Cell], a: &Planted, b: &Planted) -> f64 {
    if a.stage != b.stage {
        return 0.0;
    }
    let tried =
        |wanted: &dyn Fn(&Cell) -> bool| Sums::of(cells.iter().filter(|cell| wanted(cell))).tried;
    let both = tried(&|cell| cell.is_under(&a.scope) && cell.is_under(&b.scope));
    both / tried(&|cell| cell.is_under(&a.scope))
        .min(tried(&|cell| cell.is_under(&b.scope)))
        .max(1.0)
}

fn is_regular(cells: &[Cell], before: &[Vec<Cell>], scope: &[(usize, u32)]) -> bool {
    let now = injected(cells, scope);
    let usual = middle(before.iter().map(|cells| injected(cells, scope)).collect());
    let is_near = |n: f64| n > 0.6 * usual && n < 1.67 * usual;
    before.is_empty() || is_near(now) && before.iter().all(|cells| is_near(injected(cells, scope)))
}

/// What came in under a scope.
pub fn injected(cells: &[Cell], scope: &[(usize, u32)]) -> f64 {
    cells.iter().filter(|cell| cell.is_under(scope)).map(|cell| f64::from(cell.injected)).sum()
}

/// The median.
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.len() / 2, values.len() % 2) {
        (_, _) if values.is_empty() => 0.0,
        (at, 1) => values[at],
        (at, _) => values[at - 1].midpoint(values[at]),
    }
}

fn draw(cells: &[Cell], all: Sums, chance: &mut Chance, stage: Stage) -> Option<Planted> {
    let is_refusal = matches!(stage, Stage::Deferral | Stage::Bounce);
    let categories = match (is_refusal, chance.unit() < 0.6) {
        (true, true) => vec![chance.below(5)],
        (true, false) => vec![1, 2],
        (false, _) => vec![],
    };
    let depth = chance.whole(1, 3) - usize::from(categories.len() == 1);
    // Of the best of three, so that large leaves come more often.
    let tries = [0; 3].map(|_| chance.below(cells.len()));
    let leaf = &cells[tries.into_iter().max_by_key(|at| cells[*at].direct)?];
    let mut dims: Vec<usize> = Vec::new();
    while dims.len() < depth {
        let dim = chance.below(DIMS.len());
        // What is injected or waits has no address and no VirtualMTA yet.
        let is_unknown = matches!(DIMS[dim], "dlv_source_ip" | "vmta") && !is_refusal;
        if dims.contains(&dim) {
            continue;
        }
        if is_unknown || leaf.keys[dim] == NONE {
            return None;
        }
        dims.push(dim);
    }
    dims.sort_unstable();
    let scope: Vec<(usize, u32)> = dims.into_iter().map(|dim| (dim, leaf.keys[dim])).collect();
    let strength = match stage {
        Stage::Injection if chance.unit() < 0.35 => chance.between(1.8, 4.0),
        Stage::Injection => chance.between(0.0, 0.5),
        Stage::Queue => chance.between(0.05, 0.75),
        Stage::Deferral => chance.between(0.12, 0.9),
        _ => chance.between(0.06, 0.95),
    };
    let under = Sums::of(cells.iter().filter(|cell| cell.is_under(&scope)));
    let lost = under.delivered * if is_refusal { -strength } else { strength - 1.0 };
    let size = lost / all.delivered.max(1.0);
    Some(Planted { stage, scope, categories, strength, size, done: Sums::default() })
}

/// Does to `cells` what the causes do, in the order of the funnel.
pub fn act(world: &World, cells: &mut [Cell], planted: &mut [Planted], chance: &mut Chance) {
    for stage in [Stage::Injection, Stage::Queue, Stage::Deferral, Stage::Bounce] {
        for cause in planted.iter_mut().filter(|cause| cause.stage == stage) {
            for cell in cells.iter_mut().filter(|cell| cell.is_under(&cause.scope)) {
                let before = cell.sums();
                match stage {
                    Stage::Injection if cell.is_older => {}
                    Stage::Injection if cause.strength > 1.0 => more(world, cell, cause, chance),
                    Stage::Injection | Stage::Queue => fewer(cell, cause, chance),
                    _ => refuse(cell, cause, chance),
                }
                cause.done = cause.done.plus(cell.sums().plus(before, -1.0), 1.0);
            }
        }
    }
}

/// Adds as many as a factor says, to whom the same may happen as to the others.
fn more(world: &World, cell: &mut Cell, cause: &Planted, chance: &mut Chance) {
    let n = chance.poisson(f64::from(cell.injected) * (cause.strength - 1.0));
    let words = &world.providers[cell.keys[0] as usize].words;
    let more = cell.rates.fresh(words, cell.keys, n, chance);
    cell.add(&more);
}

/// Leaves such a share of them: what did not come in, or what waits here untried.
fn fewer(cell: &mut Cell, cause: &Planted, chance: &mut Chance) {
    let mut of = |n: &mut u32| *n = chance.binomial(u64::from(*n), cause.strength) as u32;
    let mut waiting = cell.injected.saturating_sub(cell.sums().tried as u32);
    of(&mut cell.direct);
    for by in [&mut cell.recovered, &mut cell.bounced, &mut cell.held, &mut cell.again] {
        by.iter_mut().for_each(&mut of);
    }
    if cause.stage == Stage::Injection {
        of(&mut waiting);
        cell.injected = waiting + cell.sums().tried as u32;
    }
}

/// Of those that were not refused, so many are; a throttle also stops what would have bounced.
fn refuse(cell: &mut Cell, cause: &Planted, chance: &mut Chance) {
    let mut taken = 0;
    let mut take = |n: &mut u32| {
        let part = chance.binomial(u64::from(*n), cause.strength) as u32;
        *n -= part;
        taken += part;
    };
    take(&mut cell.direct);
    cell.recovered.iter_mut().for_each(&mut take);
    if cause.stage == Stage::Deferral {
        cell.bounced.iter_mut().for_each(&mut take);
    }
    let first = match cause.categories.len() {
        1 => taken,
        _ => chance.binomial(u64::from(taken), 0.5) as u32,
    };
    for (&category, n) in cause.categories.iter().zip([first, taken - first]) {
        if cause.stage == Stage::Deferral {
            cell.held[category] += n;
            cell.again[category] += again(chance, n);
        } else {
            cell.bounced[category] += n;
        }
    }
}

/// What was refused at a stage, by category.
pub fn refused(cell: &Cell, stage: Stage) -> ByCategory {
    match stage {
        Stage::Bounce => cell.bounced,
        _ => cell.deferred(),
    }
}
