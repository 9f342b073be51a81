//! A window in words, for who improves the method. Judges nothing.

use std::fmt::Write as _;

use pmtaq_why::Answer;

use crate::judge::{Due, Judged};
use crate::said::Said;
use crate::window::{Question, Window};

/// A window, what was planted in it, and what was said.
pub fn told(
    window: &Window,
    question: Question,
    due: &[Due<'_>],
    said: &[Said],
    judged: &Judged,
    answer: &Answer,
) -> String {
    let mut text = format!(
        "({:?}{}): {} {:.2}, usually {:.2} ({:.2} to {:.2}): {:?}",
        window.place,
        window.dirty.map_or(String::new(), |day| format!(", an incident {day} days before")),
        question.name(),
        answer.now,
        answer.usual,
        answer.range.0,
        answer.range.1,
        answer.verdict,
    );
    for (due, named) in due.iter().zip(&judged.named) {
        let word = match (named, due.must) {
            (Some(_), _) => "found  ",
            (None, true) => "MISSED ",
            (None, false) => "small  ",
        };
        let planted = due.planted.told(&window.world, &window.jobs);
        let _ = write!(text, "\n  {word} {planted}: {:+.2}", due.effect);
    }
    for step in &answer.steps {
        let _ = write!(
            text,
            "\n  funnel  {:?} {:+.2}, {:?} usually {:?}",
            step.part, step.effect, step.now, step.usual
        );
    }
    for (number, cause) in answer.causes.iter().enumerate() {
        let of = |said: &&Said| said.cause == number;
        let is_false = said.iter().zip(&judged.is_false).any(|(said, no)| of(&said) && *no);
        let word = if is_false { "FALSE  " } else { "named  " };
        let words: Vec<&str> =
            cause.categories.iter().map(|category| category.as_deref().unwrap_or("-")).collect();
        let _ = write!(
            text,
            "\n  {word} {} of {} {} {:+.2} z {:.1}, {:?} usually {:?}",
            cause.stage.name(),
            scope(&cause.values),
            words.join(", "),
            cause.effect,
            cause.z,
            cause.now,
            cause.usual
        );
        for of in &cause.scopes {
            let _ = write!(text, "\n          {} {:+.2}", scope(&of.values), of.effect);
        }
    }
    text
}

fn scope(values: &[(String, Option<String>)]) -> String {
    let values: Vec<&str> =
        values.iter().map(|(_, value)| value.as_deref().unwrap_or("-")).collect();
    if values.is_empty() { "everything".to_owned() } else { values.join(", ") }
}
