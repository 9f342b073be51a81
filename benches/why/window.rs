//! A window with what was planted in it, its baseline, and both as tables of counts, as the
//! queries of `sql/why` make them from records. Judges nothing.

use pmtaq_why::{Counts, Kind};

use crate::chance::Chance;
use crate::days::Segment;
use crate::incident::{Planted, act, plant, text};
use crate::traffic::{Cell, Jobs, Sums, period};
use crate::world::{CATEGORIES, DIMS, NONE, Shape, World};

/// Windows that it is compared with.
pub const DAYS: usize = 7;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    Delivered,
    Bounced,
    Deferred,
    BounceRate,
    DeferralRate,
}

impl Question {
    pub const COUNTS: [Question; 3] = [Question::Delivered, Question::Bounced, Question::Deferred];
    pub const RATES: [Question; 2] = [Question::BounceRate, Question::DeferralRate];

    /// The name of the metric.
    pub fn name(self) -> &'static str {
        match self {
            Question::Delivered => "delivered",
            Question::Bounced => "bounced",
            Question::Deferred => "deferred",
            Question::BounceRate => "bounce_rate",
            Question::DeferralRate => "deferral_rate",
        }
    }

    pub fn is_rate(self) -> bool {
        Question::RATES.contains(&self)
    }

    /// What is counted, and for a rate what stands below the line.
    pub fn parts(self, sums: Sums) -> (f64, f64) {
        match self {
            Question::Delivered => (sums.delivered, 0.0),
            Question::Bounced => (sums.bounced, 0.0),
            Question::Deferred => (sums.deferred, 0.0),
            Question::BounceRate => (sums.bounced, sums.delivered + sums.bounced),
            Question::DeferralRate => {
                (sums.deferred, sums.delivered + sums.bounced + sums.deferred)
            }
        }
    }

    /// Its value; percent for a rate.
    pub fn value(self, sums: Sums) -> f64 {
        match (self.is_rate(), self.parts(sums)) {
            (true, (counted, of)) => 100.0 * counted / of.max(1.0),
            (false, (counted, _)) => counted,
        }
    }

    /// What of it was planted, given all that is in the window.
    pub fn effect(self, all: Sums, done: Sums) -> f64 {
        self.value(all) - self.value(all.plus(done, -1.0))
    }
}

/// Where a window lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Inside,
    /// The data end in it, so it is cut there.
    AtTheEnd,
    AcrossMidnight,
}

/// A window and its baseline.
pub struct Window {
    pub world: World,
    pub jobs: Jobs,
    pub place: Place,
    /// The window first, then the days before it.
    pub periods: Vec<Vec<Cell>>,
    /// The window as it was before its causes acted.
    pub before: Vec<Cell>,
    pub planted: Vec<Planted>,
    /// The period with an incident of its own.
    pub dirty: Option<usize>,
}

impl Window {
    /// The window of a number, with one to so many causes, and another at each attempt.
    pub fn new(shape: Shape, seed: u64, number: u32, attempt: u64, n_causes: usize) -> Window {
        let number = u64::from(number) + (attempt << 32);
        let mut chance = Chance::of(&[seed, number, shape as u64, n_causes.min(1) as u64]);
        let world = World::new(shape, &mut chance);
        let (place, day) = (chance.unit(), chance.below(7) as i64);
        let (place, parts) = match place {
            ..0.6 => (Place::Inside, vec![1.0]),
            ..0.8 => (Place::AtTheEnd, vec![chance.between(0.25, 0.7)]),
            _ => (Place::AcrossMidnight, vec![0.5, 0.5]),
        };
        let key = chance.key();
        let mut jobs = Jobs::default();
        let mut periods: Vec<Vec<Cell>> = (0..=DAYS as i64)
            .map(|back| {
                let segment = |(at, part): (usize, &f64)| {
                    let ago = back - at as i64;
                    let weekday = (day - ago).rem_euclid(7) as usize;
                    Segment { ago, part: *part, weekday }
                };
                let segments: Vec<Segment> = parts.iter().enumerate().map(segment).collect();
                period(&world, key, &segments, &mut jobs)
            })
            .collect();
        let before = periods[0].clone();
        let n = if n_causes == 0 { 0 } else { chance.whole(1, n_causes) };
        let mut planted = plant(&before, &periods[1..], &mut chance, n);
        act(&world, &mut periods[0], &mut planted, &mut chance);
        let dirty = (chance.unit() < 0.3).then(|| chance.whole(1, DAYS));
        if let Some(dirty) = dirty {
            let mut old = plant(&periods[dirty], &[], &mut chance, 1);
            act(&world, &mut periods[dirty], &mut old, &mut chance);
        }
        Window { world, jobs, place, periods, before, planted, dirty }
    }

    /// What is counted for a question.
    pub fn counts(&self, question: Question) -> Counts {
        let mut counts = Counts::new(&DIMS, DAYS);
        let follows = matches!(question, Question::Delivered | Question::Bounced);
        for (period, cells) in self.periods.iter().enumerate() {
            for cell in cells {
                self.add(&mut counts, period, cell, follows);
            }
        }
        counts
    }

    fn add(&self, counts: &mut Counts, period: usize, cell: &Cell, follows: bool) {
        let of = |dim: usize| text(&self.world, &self.jobs, dim, cell.keys[dim]);
        let values: [Option<&str>; 6] = std::array::from_fn(of);
        let mut add = |values: &[Option<&str>], kind, category, n: u32| match n {
            0 => {}
            n if cell.is_older => counts.add_carried(period, values, kind, category, n.into()),
            n => counts.add(period, values, kind, category, n.into()),
        };
        if follows {
            let mut known = values;
            let first = self.world.pools[cell.keys[2] as usize][0].vmta;
            known[3] = if self.world.has_first_vmta { self.name(3, first) } else { None };
            known[4] = None;
            add(&known, Kind::Injected, None, cell.injected);
        }
        let delivered = cell.direct + cell.recovered.iter().sum::<u32>();
        add(&values, Kind::Delivered, None, delivered);
        let (kind, refused) =
            if follows { (Kind::Held, cell.held) } else { (Kind::Deferred, cell.deferred()) };
        for (at, category) in CATEGORIES.iter().enumerate() {
            add(&values, Kind::Bounced, Some(category), cell.bounced[at]);
            add(&values, kind, Some(category), refused[at]);
        }
    }

    fn name(&self, dim: usize, code: u32) -> Option<&str> {
        text(&self.world, &self.jobs, dim, code)
    }

    /// The code of a value that a method named.
    pub fn code(&self, dim: usize, value: Option<&str>) -> Option<u32> {
        let Some(value) = value else { return Some(NONE) };
        let names = if dim == 5 { &self.jobs.names } else { &self.world.names[dim] };
        names.iter().position(|name| name == value).map(|at| at as u32)
    }

    /// The metric in the window and on the median of its baseline.
    pub fn now_and_usual(&self, question: Question) -> (f64, f64) {
        let value = |cells: &Vec<Cell>| question.value(Sums::of(cells.iter()));
        let baseline = self.periods[1..].iter().map(value).collect();
        (value(&self.periods[0]), crate::incident::middle(baseline))
    }
}
