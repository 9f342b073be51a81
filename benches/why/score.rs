//! Who names the planted causes: the methods on the same windows. Finds nothing itself.

use std::time::Instant;

use pmtaq_why::{Answer, Metric, Verdict, explain};

use crate::incident::Planted;
use crate::judge::{bounds, due, judge};
use crate::riskloc::riskloc;
use crate::rivals;
use crate::said::{Said, lasting};
use crate::tally::{Outcome, Tally};
use crate::told::told;
use crate::window::{Question, Window};
use crate::world::Shape;

/// Causes of an incident at most.
const CAUSES: usize = 2;
/// Windows that are drawn at most until one has a cause for a question.
const ATTEMPTS: u64 = 20;

/// The methods over so many windows with one or two causes, and over as many quiet ones.
pub fn evaluate(shape: Shape, seed: u64, n_windows: u32) -> Outcome {
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from) as u32;
    let every = |first: u32| {
        let mut outcome = Outcome::default();
        for number in (first..n_windows).step_by(n_threads as usize) {
            outcome = outcome.joined(evaluate_one(shape, seed, number));
        }
        outcome
    };
    let mut outcome = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..n_threads).map(|first| scope.spawn(move || every(first))).collect();
        let outcomes = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        outcomes.fold(Outcome::default(), Outcome::joined)
    });
    outcome.misses.sort();
    outcome
}

/// One window and its quiet twin.
pub fn evaluate_one(shape: Shape, seed: u64, number: u32) -> Outcome {
    let mut outcome = Outcome::default();
    incident(shape, seed, number, &mut outcome);
    quiet(shape, seed, number, &mut outcome);
    outcome
}

/// The question about counts in which most causes must be named; of equal ones by turns.
fn about_counts(window: &Window, number: u32) -> Option<Question> {
    let turn = number as usize % Question::COUNTS.len();
    let mut questions = Question::COUNTS;
    questions.rotate_left(turn);
    let n_due = |question: Question| due(window, question).iter().filter(|due| due.must).count();
    let best = questions.into_iter().rev().max_by_key(|question| n_due(*question))?;
    (n_due(best) > 0).then_some(best)
}

/// One question about a count and one about a rate, of the first windows that have causes for them.
fn incident(shape: Shape, seed: u64, number: u32, outcome: &mut Outcome) {
    let (mut has_counts, mut has_rates) = (false, false);
    for attempt in 0..ATTEMPTS {
        if has_counts && has_rates {
            break;
        }
        let window = Window::new(shape, seed, number, attempt, CAUSES);
        if let Some(question) = about_counts(&window, number).filter(|_| !has_counts) {
            has_counts = true;
            questioned(&window, number, question, outcome);
        }
        let is_due = |question: &Question| due(&window, *question).iter().any(|due| due.must);
        let rates: Vec<Question> = Question::RATES.into_iter().filter(is_due).collect();
        if !has_rates && !rates.is_empty() {
            has_rates = true;
            for question in rates {
                questioned(&window, number, question, outcome);
            }
        }
    }
}

fn questioned(window: &Window, number: u32, question: Question, outcome: &mut Outcome) {
    let due = due(window, question);
    let (answer, seconds) = ask(window, question);
    let lasting = lasting(window);
    let said = Said::of(window, &answer);
    let score = outcome.of(question);
    score.seconds.push(seconds);
    let judged = judge(window, &lasting, &due, &said, &mut score.methods[0]);
    let mut has_far = false;
    for (due, named) in due.iter().zip(&judged.named) {
        if !due.must {
            continue;
        }
        score.bucket(due.planted.stage, due.planted.depth(), window, named.is_some());
        if let Some(effect) = named.and_then(|(at, scope)| said[at].scopes[scope].1) {
            let is_near = (effect / due.effect - 1.0).abs() <= 0.2;
            score.effects += 1;
            score.near += u32::from(is_near);
            has_far |= !is_near;
        }
    }
    let loose = bounds(window, &lasting, question, &said, &answer);
    score.loose += loose;
    let leaves = rivals::leaves(window, question);
    let must: Vec<&Planted> = due.iter().filter(|due| due.must).map(|due| due.planted).collect();
    let rivals = [
        rivals::pivot(&leaves, must.len()),
        rivals::pivot_told(&leaves, &must),
        rivals::adtributor(&leaves),
        riskloc(&leaves),
    ];
    for (said, tally) in rivals.iter().zip(&mut score.methods[1..]) {
        judge(window, &lasting, &due, said, tally);
    }
    if !judged.is_exact || loose > 0 || has_far {
        let told = told(window, question, &due, &said, &judged, &answer);
        outcome.misses.push((number, format!("incident {number} {told}")));
    }
}

fn quiet(shape: Shape, seed: u64, number: u32, outcome: &mut Outcome) {
    let window = Window::new(shape, seed, number, 0, 0);
    let by_turns = |of: &[Question]| of[number as usize % of.len()];
    let lasting = lasting(&window);
    for question in [by_turns(&Question::COUNTS), by_turns(&Question::RATES)] {
        let (answer, seconds) = ask(&window, question);
        let said = Said::of(&window, &answer);
        let judged = judge(&window, &lasting, &[], &said, &mut Tally::default());
        let loose = bounds(&window, &lasting, question, &said, &answer);
        let is_unusual = answer.verdict == Verdict::Unexplained;
        let score = outcome.of(question);
        score.seconds.push(seconds);
        score.quiet += 1;
        score.alarms += u32::from(judged.n_false > 0);
        score.unusual += u32::from(is_unusual);
        score.loose += loose;
        if judged.n_false > 0 || is_unusual || loose > 0 {
            let told = told(&window, question, &[], &said, &judged, &answer);
            outcome.misses.push((number, format!("quiet {number} {told}")));
        }
    }
}

fn ask(window: &Window, question: Question) -> (Answer, f64) {
    let counts = window.counts(question);
    let metric = Metric::named(question.name()).expect("a metric of `why`");
    #[expect(clippy::disallowed_methods, reason = "a bench tells how long an answer takes")]
    let begin = Instant::now();
    let answer = explain(metric, counts);
    (answer, begin.elapsed().as_secs_f64())
}
