//! What is sent on one day in the hours of the window: who sends, how much, under which job, and
//! what is left of what was sent before. Draws no message.

use crate::chance::Chance;
use crate::world::{Habit, Naming, Shape, World};

/// A part of a window: one day's share of it.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Days before the day on which the window begins; the day after it is -1.
    pub ago: i64,
    /// Of the messages of an ordinary window.
    pub part: f64,
    /// 0 is a Monday.
    pub weekday: usize,
}

/// A job, or a sender without jobs, in one segment.
pub struct Run {
    pub sender: usize,
    pub job: Option<String>,
    /// Messages that come in.
    pub volume: f64,
    /// What was sent in the hours before, and waits in part for another attempt.
    pub before: f64,
    /// What the list does to bounces.
    pub list: f64,
}

/// The moods of a day: by provider for deferrals and bounces, and by sender.
pub struct Day {
    pub moods: Vec<(f64, f64)>,
    pub manners: Vec<f64>,
    pub runs: Vec<Run>,
}

impl Day {
    /// The day of a segment; the same seed and day give the same.
    pub fn new(world: &World, seed: u64, segment: Segment) -> Day {
        // Of both hours of a day, at either end of it, the moods are the same.
        let mut chance = Chance::of(&[seed, 1, (segment.ago + 2) as u64]);
        let volume = chance.factor(0.05);
        let moods =
            world.providers.iter().map(|_| (chance.factor(0.08), chance.factor(0.08))).collect();
        let manners: Vec<f64> = world.senders.iter().map(|_| chance.factor(0.06)).collect();
        let mut runs = Vec::new();
        for sender in 0..world.senders.len() {
            let n = runs.len();
            sends(world, &mut chance, sender, segment, &mut runs);
            for run in &mut runs[n..] {
                run.volume *= volume * segment.part;
                run.before *= segment.part;
            }
        }
        Day { moods, manners, runs }
    }
}

fn sends(world: &World, chance: &mut Chance, sender: usize, segment: Segment, runs: &mut Vec<Run>) {
    let Segment { ago, weekday, .. } = segment;
    let of = &world.senders[sender];
    let is_weekend = weekday >= 5;
    let mut run = |job: Option<String>, volume: f64, before: f64, list: f64| {
        runs.push(Run { sender, job, volume, before, list });
    };
    let dated = |job: usize, ago: i64| Some(format!("job-{sender}-{job}-of-{}", 100 - ago));
    match &of.habit {
        Habit::Daily { jobs, naming } => {
            let volume = match world.shape {
                Shape::Steady => chance.between(0.75, 1.25),
                _ => chance.factor(0.12) * if is_weekend { 0.8 } else { 1.0 },
            };
            for (number, (weight, list)) in jobs.iter().enumerate() {
                let job = match naming {
                    Naming::Without => None,
                    Naming::Lasting => Some(format!("job-{sender}-{number}")),
                    Naming::Daily => dated(number, ago),
                };
                let n = of.volume * weight * volume;
                let before = if world.shape == Shape::Steady { 0.0 } else { 0.5 * n };
                run(job, n, before, *list);
            }
        }
        Habit::Newsletter { weekdays } if weekdays[weekday] => {
            new_job(chance, of.volume, 0.7, dated(0, ago), run);
        }
        // Of yesterday's newsletter, a few are tried again.
        Habit::Newsletter { weekdays } if weekdays[(weekday + 6) % 7] => {
            run(dated(0, ago + 1), 0.0, 0.4 * of.volume * chance.factor(0.4), 1.0);
        }
        Habit::Campaigns { chance: often } if chance.unit() < *often => {
            new_job(chance, 2.0 * of.volume, 0.6, dated(0, ago), run);
        }
        Habit::New { days } if ago <= *days as i64 => {
            new_job(chance, of.volume, 0.9, dated(0, ago), run);
        }
        Habit::Newsletter { .. } | Habit::Campaigns { .. } | Habit::New { .. } => {}
    }
}

/// A job that goes out in the window, or went out some hours before it.
fn new_job(
    chance: &mut Chance,
    volume: f64,
    now: f64,
    job: Option<String>,
    mut run: impl FnMut(Option<String>, f64, f64, f64),
) {
    let n = volume * chance.factor(0.4);
    let list = chance.factor(0.15);
    if chance.unit() < now {
        // Some began before the window.
        let before = if chance.unit() < 0.4 { n * chance.between(0.2, 1.0) } else { 0.0 };
        run(job, n, before, list);
    } else {
        run(job, 0.0, n * chance.between(0.3, 2.0), list);
    }
}
