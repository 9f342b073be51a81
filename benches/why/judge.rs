//! What was due in a window and what a method said of it, side by side. Finds nothing itself.

use pmtaq_why::{Answer, Stage};

use crate::incident::{Planted, injected, middle};
use crate::said::{Said, are_bounded};
use crate::tally::Tally;
use crate::traffic::{Cell, Sums};
use crate::window::{Question, Window};
use crate::world::Shape;

/// A planted cause as a question sees it.
pub struct Due<'w> {
    pub planted: &'w Planted,
    /// On the metric: exactly what it changed; for what came in, beside the usual.
    pub effect: f64,
    /// Whether it is large enough that it must be named.
    pub must: bool,
}

/// A cause must be named when it makes so much of the metric, of its change, and of the greatest
/// cause, and so many messages.
const OF_USUAL: f64 = 0.01;
const OF_CHANGE: f64 = 0.05;
const OF_GREATEST: f64 = 0.05;
const MESSAGES: f64 = 40.0;
/// What more or less came in stands out by this factor beside any other sender.
const LARGEST: f64 = 1.5;

/// The causes that act on what the question is about.
pub fn due(window: &Window, question: Question) -> Vec<Due<'_>> {
    let all = Sums::of(window.periods[0].iter());
    let (now, usual) = window.now_and_usual(question);
    let mut due: Vec<Due<'_>> = Vec::new();
    for planted in window.planted.iter().filter(|planted| speaks_of(question, planted.stage)) {
        let effect = question.effect(all, planted.done) * beside_the_usual(window, planted);
        due.push(Due { planted, effect, must: false });
    }
    let greatest = due.iter().map(|due| due.effect.abs()).fold(0.0, f64::max);
    let messages = |due: &Due<'_>| question.parts(due.planted.done).0.abs();
    for due in &mut due {
        let least = (OF_USUAL * usual).max(OF_CHANGE * (now - usual).abs());
        due.must = due.effect.abs() >= least.max(OF_GREATEST * greatest)
            && messages(due) >= MESSAGES
            && stands_out(window, due.planted)
            // What waits here and would have been deferred is told by other questions.
            && !(question == Question::Deferred && due.planted.stage == Stage::Queue);
    }
    due
}

/// Whether a change of what comes in is by far the largest: where other jobs go out every day, a
/// smaller one is one of many.
fn stands_out(window: &Window, planted: &Planted) -> bool {
    if planted.stage != Stage::Injection || window.world.shape == Shape::Steady {
        return true;
    }
    let by_sender = |cells: &Vec<Cell>| {
        let mut sums = vec![0.0; window.world.senders.len()];
        for cell in cells.iter().filter(|cell| !cell.is_under(&planted.scope)) {
            sums[cell.keys[1] as usize] += f64::from(cell.injected);
        }
        sums
    };
    let periods: Vec<Vec<f64>> = window.periods.iter().map(by_sender).collect();
    let moved = |sender: usize| {
        let usual = middle(periods[1..].iter().map(|sums| sums[sender]).collect());
        (periods[0][sender] - usual).abs()
    };
    let most = (0..window.world.senders.len()).map(moved).fold(0.0, f64::max);
    planted.done.injected.abs() >= LARGEST * most
}

/// Whether a question has causes of a stage: what comes in is no cause of a rate.
fn speaks_of(question: Question, stage: Stage) -> bool {
    match question {
        Question::Delivered | Question::Bounced => true,
        Question::Deferred => stage != Stage::Bounce,
        Question::BounceRate => stage == Stage::Bounce,
        Question::DeferralRate => stage == Stage::Deferral,
    }
}

/// What is known of injection is the usual, not what this day would have been: by which factor
/// the change from the usual is larger than what was planted.
fn beside_the_usual(window: &Window, planted: &Planted) -> f64 {
    if planted.stage != Stage::Injection || planted.done.injected == 0.0 {
        return 1.0;
    }
    let came = |cells: &Vec<Cell>| injected(cells, &planted.scope);
    let usual = middle(window.periods[1..].iter().map(came).collect());
    (came(&window.periods[0]) - usual) / planted.done.injected
}

/// What a method said, beside what was due.
pub struct Judged {
    /// By cause that was due: which of those that were named it is, and which of its scopes.
    pub named: Vec<Option<(usize, usize)>>,
    /// By cause that was named: whether it is none.
    pub is_false: Vec<bool>,
    pub n_false: usize,
    pub is_exact: bool,
}

pub fn judge(
    window: &Window,
    lasting: &[bool],
    due: &[Due<'_>],
    said: &[Said],
    tally: &mut Tally,
) -> Judged {
    let is = |due: &Due<'_>, said: &Said| said.is(window, lasting, due.planted);
    let found =
        |due: &Due<'_>| said.iter().enumerate().find_map(|(at, said)| Some((at, is(due, said)?)));
    let named: Vec<Option<(usize, usize)>> = due.iter().map(found).collect();
    // Where other jobs go out every day, one cause of a stage may say that there was more or less,
    // if there was.
    let mut told: Vec<Option<Stage>> = Vec::new();
    let mut is_false = Vec::new();
    let mut n_right = 0;
    for said in said {
        let known = due.iter().filter(|due| is(due, said).is_some()).map(|due| due.must).max();
        let is_background = known.is_none()
            && window.world.shape != Shape::Steady
            && !told.contains(&said.stage)
            && said.is_true_of_volume(window, lasting);
        if is_background {
            told.push(said.stage);
        }
        n_right += usize::from(known == Some(true));
        is_false.push(known.is_none() && !is_background);
    }
    let n_false = is_false.iter().filter(|is_false| **is_false).count();
    let found = due.iter().zip(&named).filter(|(due, at)| due.must && at.is_some()).count();
    let n_must = due.iter().filter(|due| due.must).count();
    tally.add(n_must, found, n_right, n_false);
    Judged { named, is_false, n_false, is_exact: n_false == 0 && found == n_must }
}

/// How many effects are larger than what entered: of causes, and of the funnel as a whole.
pub fn bounds(
    window: &Window,
    lasting: &[bool],
    question: Question,
    said: &[Said],
    answer: &Answer,
) -> u32 {
    let causes = said.iter().filter(|said| !said.is_bounded(window, lasting, question)).count();
    causes as u32 + u32::from(!are_bounded(answer))
}
