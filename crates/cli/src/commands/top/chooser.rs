//! A list to choose a name from: arrows move, letters narrow it. Knows nothing of what is chosen.

use ratatui::crossterm::event::KeyCode;

/// A name and what it means.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) doc: String,
}

impl Choice {
    pub(super) fn new(name: &str, doc: &str) -> Choice {
        Choice { name: name.to_owned(), doc: doc.to_owned() }
    }
}

/// A list to choose from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chooser {
    /// What is chosen: dimension, metric or window.
    pub(super) what: &'static str,
    all: Vec<Choice>,
    /// What was typed.
    pub(super) typed: String,
    /// The place among those that hold what was typed.
    pub(super) at: usize,
}

impl Chooser {
    /// A list with `now` chosen.
    pub(super) fn new(what: &'static str, all: Vec<Choice>, now: &str) -> Chooser {
        let at = all.iter().position(|choice| choice.name == now).unwrap_or(0);
        Chooser { what, all, typed: String::new(), at }
    }

    /// Those that hold what was typed: first the names that begin with it, then other names, then
    /// meanings.
    pub(super) fn matching(&self) -> Vec<&Choice> {
        let typed = self.typed.to_lowercase();
        let rank = |choice: &Choice| match &choice.name {
            name if name.starts_with(&typed) => Some(0),
            name if name.contains(&typed) => Some(1),
            _ if choice.doc.to_lowercase().contains(&typed) => Some(2),
            _ => None,
        };
        let mut shown: Vec<(i32, &Choice)> =
            self.all.iter().filter_map(|choice| Some((rank(choice)?, choice))).collect();
        shown.sort_by_key(|(rank, _)| *rank);
        shown.into_iter().map(|(_, choice)| choice).collect()
    }

    /// The name that is chosen; none when nothing holds what was typed.
    pub(super) fn chosen(&self) -> Option<&str> {
        self.matching().get(self.at).map(|choice| choice.name.as_str())
    }

    /// Takes a key that neither chooses nor leaves.
    pub(super) fn key(&mut self, key: KeyCode) {
        let last = self.matching().len().saturating_sub(1);
        match key {
            KeyCode::Down => self.at = (self.at + 1).min(last),
            KeyCode::Up => self.at = self.at.saturating_sub(1),
            KeyCode::PageDown => self.at = (self.at + 10).min(last),
            KeyCode::PageUp => self.at = self.at.saturating_sub(10),
            KeyCode::Home => self.at = 0,
            KeyCode::End => self.at = last,
            KeyCode::Backspace => {
                self.typed.pop();
                self.at = 0;
            }
            KeyCode::Char(c) => {
                self.typed.push(c);
                self.at = 0;
            }
            _ => {}
        }
    }
}
