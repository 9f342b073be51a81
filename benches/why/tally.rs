//! How often methods were right, summed up. Judges nothing itself.

use pmtaq_why::Stage;

use crate::window::{Question, Window};

/// Who is compared, in the order of [`Score::methods`].
pub const METHODS: [&str; 5] = [
    "pmtaq why",
    "pivots by one dimension, sorted",
    "pivot by the planted dimensions",
    "Adtributor",
    "RiskLoc",
];

/// Counts of a method.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    pub windows: u32,
    /// Causes that must be named, and those of them that were.
    pub planted: u32,
    pub found: u32,
    /// Named causes that are planted, and those that are not.
    pub right: u32,
    pub wrong: u32,
    /// Windows in which exactly the planted causes were named.
    pub exact: u32,
}

impl Tally {
    /// Adds a window.
    pub fn add(&mut self, planted: usize, found: usize, right: usize, wrong: usize) {
        self.plus(Tally {
            windows: 1,
            planted: planted as u32,
            found: found as u32,
            right: right as u32,
            wrong: wrong as u32,
            exact: u32::from(found == planted && wrong == 0),
        });
    }

    fn plus(&mut self, other: Tally) {
        self.windows += other.windows;
        self.planted += other.planted;
        self.found += other.found;
        self.right += other.right;
        self.wrong += other.wrong;
        self.exact += other.exact;
    }

    /// The share of the planted causes that were named.
    pub fn recall(&self) -> f64 {
        share(self.found, self.planted)
    }

    /// The share of the named causes that were planted.
    pub fn precision(&self) -> f64 {
        share(self.right, self.right + self.wrong)
    }

    /// The share of the windows without a mistake.
    pub fn exactness(&self) -> f64 {
        share(self.exact, self.windows)
    }
}

/// A part of a whole.
pub fn share(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole.max(1))
}

/// What came of the questions of one kind.
#[derive(Default)]
pub struct Score {
    pub methods: [Tally; 5],
    /// Effects that were told of causes that were found; those within a fifth of the planted one.
    pub effects: u32,
    pub near: u32,
    /// Effects larger than what entered, of causes and funnels, in all windows.
    pub loose: u32,
    /// Quiet windows; with a cause that is none; called unusual without a cause.
    pub quiet: u32,
    pub alarms: u32,
    pub unusual: u32,
    /// How long each answer took.
    pub seconds: Vec<f64>,
    /// Of `why`: what was planted, how often it must be named, and how often it was.
    pub buckets: Vec<(String, u32, u32)>,
}

impl Score {
    /// Counts a cause in its buckets.
    pub fn bucket(&mut self, stage: Stage, depth: usize, window: &Window, is_found: bool) {
        let dirty = if window.dirty.is_some() { "an incident before" } else { "a clean past" };
        let (place, n) = (window.place, window.planted.len());
        for name in [
            format!("stage {}", stage.name()),
            format!("depth {depth}"),
            format!("window {place:?}"),
            format!("with {dirty}"),
            format!("of {n}"),
        ] {
            self.count(name, 1, u32::from(is_found));
        }
    }

    fn count(&mut self, name: String, planted: u32, found: u32) {
        match self.buckets.iter_mut().find(|(known, ..)| *known == name) {
            Some(bucket) => {
                bucket.1 += planted;
                bucket.2 += found;
            }
            None => self.buckets.push((name, planted, found)),
        }
    }

    fn plus(&mut self, other: Score) {
        for (tally, of) in self.methods.iter_mut().zip(other.methods) {
            tally.plus(of);
        }
        self.effects += other.effects;
        self.near += other.near;
        self.loose += other.loose;
        self.quiet += other.quiet;
        self.alarms += other.alarms;
        self.unusual += other.unusual;
        self.seconds.extend(other.seconds);
        for (name, planted, found) in other.buckets {
            self.count(name, planted, found);
        }
        self.buckets.sort();
    }
}

/// What came of a world.
#[derive(Default)]
pub struct Outcome {
    pub counts: Score,
    pub rates: Score,
    /// By the number of its window: what went wrong.
    pub misses: Vec<(u32, String)>,
}

impl Outcome {
    /// The score that a question belongs to.
    pub fn of(&mut self, question: Question) -> &mut Score {
        if question.is_rate() { &mut self.rates } else { &mut self.counts }
    }

    /// Both together.
    pub fn joined(mut self, other: Outcome) -> Outcome {
        self.counts.plus(other.counts);
        self.rates.plus(other.rates);
        self.misses.extend(other.misses);
        self
    }
}
