//! What is wrong, each with its reading and the command that shows the records. Ranks nothing.

use maud::{Markup, html};

use super::text::{command, text};

/// Something that is wrong.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// What kind of trouble.
    pub kind: String,
    /// It in one line.
    pub title: String,
    /// When it was.
    pub when: String,
    /// What it looks like to a postmaster.
    pub reading: String,
    /// What supports that: a line each.
    pub facts: Vec<String>,
    /// What receivers said.
    pub replies: Vec<Said>,
    /// The command that shows the records.
    pub command: Option<String>,
}

/// What a receiver said.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// How often, and how often usually.
    pub often: String,
    /// The reply, as strangers wrote it.
    pub reply: String,
    /// What it means and what helps, where that is known.
    pub meaning: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    #[default]
    Notice,
    /// To be looked at.
    Warning,
    /// To be acted upon.
    Alarm,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Alarm => "alarm",
        }
    }
}

pub(super) fn problems(problems: &[Problem], notes: &[String]) -> Markup {
    html! {
        section #problems aria-labelledby="problems-title" {
            h2 #problems-title { "Problems" @if !problems.is_empty() { " " span.count { (problems.len()) } } }
            @if problems.is_empty() { p.nothing.good { "Nothing stands out." } }
            ol.problems { @for one in problems { (problem(one)) } }
            @if !notes.is_empty() {
                ul.notes { @for note in notes { li { (text(note)) } } }
            }
        }
    }
}

fn problem(problem: &Problem) -> Markup {
    html! {
        li class={ "problem " (problem.level.name()) } {
            p.kind { span.level { (problem.level.name()) } " " (text(&problem.kind)) @if !problem.when.is_empty() { " " span.when { (text(&problem.when)) } } }
            h3 { (text(&problem.title)) }
            @if !problem.reading.is_empty() { p.reading { (text(&problem.reading)) } }
            @if !problem.facts.is_empty() {
                ul.support { @for fact in &problem.facts { li { (text(fact)) } } }
            }
            @for said in &problem.replies {
                figure.said {
                    blockquote { (text(&said.reply)) }
                    figcaption {
                        (text(&said.often))
                        @if let Some(meaning) = &said.meaning { " " span.meaning { (text(meaning)) } }
                    }
                }
            }
            @if let Some(line) = &problem.command { (command(line)) }
        }
    }
}
