//! What `top` shows and how a key changes it: pure, so that every walk through it can be tested.
//! Never touches the store, the terminal or the clock; it says what is to be asked.

use pmtaq_query::{DIMENSIONS, Dimension, Metric, Selection, dimension, metrics};
use pmtaq_schema::{Timestamp, Window, Zone};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::chooser::{Choice, Chooser};
use super::page::{Body, WindowAnswer};
use super::span::{Facts, Span};
use crate::exit::Exit;
use crate::window::minute;

/// Where Enter leads from one dimension to the next, before the records.
const PATH: [&str; 3] = ["provider", "vmta", "template"];

/// Lines above and below the rows.
pub(super) const HEAD: u16 = 4;
pub(super) const FOOT: u16 = 3;

/// Data that is older than this is called stale: files rotated by the hour come within it.
const STALE_S: i64 = 2 * 3600;

/// All that is shown.
pub(super) struct State {
    pub(super) zone: Zone,
    /// The filters of the command line, and how they are spelt.
    pub(super) base: Selection,
    pub(super) base_text: String,
    /// From the first level down; there is always one.
    pub(super) levels: Vec<Level>,
    pub(super) metric: &'static Metric,
    pub(super) span: Span,
    /// The span of the command line, to come back to.
    own_span: Span,
    /// The metric that rows are sorted by; none for the chosen one.
    pub(super) sort: Option<String>,
    pub(super) ascending: bool,
    pub(super) mode: Mode,
    pub(super) facts: Facts,
    /// The newest facts, which are not those shown while it is paused.
    latest: Facts,
    pub(super) now: Timestamp,
    pub(super) paused: bool,
    /// The number of the question that is out; none when all is answered.
    pub(super) asked: Option<u64>,
    last_number: u64,
    /// What went wrong with the last question.
    pub(super) trouble: Option<String>,
    /// Why nothing is heard of the store.
    pub(super) lost: Option<String>,
    /// Rows that fit the screen.
    height: usize,
}

/// What has the keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mode {
    /// The rows.
    Rows,
    /// The line of the filter.
    Typing,
    /// A list to choose from.
    Choose(Chooser),
    /// A record, from this line of it on.
    Card(usize),
    /// The keys.
    Help,
}

/// A level of the drill.
pub(super) struct Level {
    pub(super) shows: Shows,
    /// What led here from the level above: a dimension and its value, none for `(none)`.
    pub(super) step: Option<(&'static Dimension, Option<String>)>,
    pub(super) page: Option<WindowAnswer>,
    /// Rows whose text holds this are shown.
    pub(super) needle: String,
    /// The chosen row, in the order that is shown, and by what it is known again.
    pub(super) at: usize,
    key: Option<String>,
    /// The first row on the screen.
    pub(super) scroll: usize,
}

#[derive(Clone, Copy)]
pub(super) enum Shows {
    Groups(&'static Dimension),
    Records,
}

/// What a key leads to beside a new state.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    None,
    /// The question has changed.
    Ask,
    /// Leave the terminal to the shell for a while.
    Suspend,
    Quit(Exit),
}

/// What is asked of the store.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) generation: u64,
    pub(super) window: Window,
    pub(super) selection: Selection,
    /// The dimension to group by; none for records.
    pub(super) by: Option<&'static str>,
    pub(super) metric: &'static str,
}

impl Level {
    fn new(shows: Shows, step: Option<(&'static Dimension, Option<String>)>) -> Level {
        Level { shows, step, page: None, needle: String::new(), at: 0, key: None, scroll: 0 }
    }
}

impl State {
    pub(super) fn new(
        by: &'static Dimension,
        metric: &'static Metric,
        span: Span,
        base: Selection,
        facts: Facts,
        zone: Zone,
    ) -> State {
        State {
            zone,
            base,
            base_text: String::new(),
            levels: vec![Level::new(Shows::Groups(by), None)],
            metric,
            span,
            own_span: span,
            sort: None,
            ascending: false,
            mode: Mode::Rows,
            facts,
            latest: facts,
            now: Timestamp(0),
            paused: false,
            asked: None,
            last_number: 0,
            trouble: None,
            lost: None,
            height: 10,
        }
    }

    /// The level that is shown.
    pub(super) fn level(&self) -> &Level {
        self.levels.last().expect("there is always a level")
    }

    fn level_mut(&mut self) -> &mut Level {
        self.levels.last_mut().expect("there is always a level")
    }

    /// The metric that rows are sorted by.
    pub(super) fn sorted_by(&self) -> &str {
        self.sort.as_deref().unwrap_or(&self.metric.name)
    }

    /// The rows of the page that are shown, in their order.
    pub(super) fn order(&self) -> Vec<usize> {
        let level = self.level();
        let page = level.page.as_ref();
        page.map_or_else(Vec::new, |page| {
            page.order(&level.needle, self.sorted_by(), self.ascending)
        })
    }

    /// Since when there is nothing newer, when that is long ago and the window should end now.
    pub(super) fn stale_since(&self) -> Option<String> {
        let newest = self.facts.newest?;
        let is_live = !matches!(self.span, Span::Fixed(_));
        let is_stale = is_live && self.now.0 - newest.0 > STALE_S;
        is_stale.then(|| minute(newest, self.zone))
    }

    /// What to ask for now; the answer must have its number.
    pub(super) fn request(&mut self) -> Request {
        self.last_number += 1;
        self.asked = Some(self.last_number);
        let mut selection = self.base.clone();
        selection.exactly = self.levels.iter().filter_map(|level| level.step.clone()).collect();
        Request {
            number: self.last_number,
            generation: self.facts.generation,
            window: self.span.window(self.facts, self.now),
            selection,
            by: match self.level().shows {
                Shows::Groups(dimension) => Some(dimension.name),
                Shows::Records => None,
            },
            metric: &self.metric.name,
        }
    }

    /// Takes an answer; one to an older question is dropped.
    pub(super) fn answered(&mut self, number: u64, answer: Result<WindowAnswer, String>) {
        if self.asked != Some(number) {
            return;
        }
        self.asked = None;
        match answer {
            Ok(page) => {
                self.trouble = None;
                self.level_mut().page = Some(page);
                self.find_again();
            }
            Err(text) => self.trouble = Some(text),
        }
    }

    /// Takes news of the store, or why there are none.
    pub(super) fn learned(&mut self, news: Result<Facts, String>) -> Effect {
        match news {
            Ok(facts) => {
                self.lost = None;
                self.latest = facts;
                self.catch_up()
            }
            Err(text) => {
                self.lost = Some(text);
                Effect::None
            }
        }
    }

    /// Shows the store as it is now, unless paused.
    fn catch_up(&mut self) -> Effect {
        if self.paused || self.latest == self.facts {
            return Effect::None;
        }
        self.facts = self.latest;
        Effect::Ask
    }

    /// Takes the size of the screen.
    pub(super) fn resized(&mut self, rows: u16) {
        self.height = usize::from(rows.saturating_sub(HEAD + FOOT)).max(1);
        self.settle();
    }

    /// Takes a key.
    pub(super) fn key(&mut self, key: KeyEvent) -> Effect {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Effect::Quit(Exit::Interrupted),
                KeyCode::Char('z') => Effect::Suspend,
                _ => Effect::None,
            };
        }
        match std::mem::replace(&mut self.mode, Mode::Rows) {
            Mode::Rows => self.key_of_rows(key.code),
            Mode::Typing => self.key_of_needle(key.code),
            Mode::Help => Effect::None,
            Mode::Card(line) => self.key_of_card(key.code, line),
            Mode::Choose(chooser) => self.key_of_chooser(key.code, chooser),
        }
    }

    fn key_of_rows(&mut self, key: KeyCode) -> Effect {
        let page = self.height as isize;
        match key {
            KeyCode::Char('q') => return Effect::Quit(Exit::Done),
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.mode = Mode::Help,
            KeyCode::Down | KeyCode::Char('j') => self.move_by(1),
            KeyCode::Up | KeyCode::Char('k') => self.move_by(-1),
            KeyCode::PageDown => self.move_by(page),
            KeyCode::PageUp => self.move_by(-page),
            KeyCode::Home | KeyCode::Char('g') => self.move_by(isize::MIN / 2),
            KeyCode::End | KeyCode::Char('G') => self.move_by(isize::MAX / 2),
            KeyCode::Enter => return self.down(false),
            KeyCode::Char('l') => return self.down(true),
            KeyCode::Backspace | KeyCode::Esc => return self.back(),
            KeyCode::Left | KeyCode::Char('<') => self.sort_next(false),
            KeyCode::Right | KeyCode::Char('>') => self.sort_next(true),
            KeyCode::Char('r') => {
                self.ascending = !self.ascending;
                self.find_again();
            }
            KeyCode::Char('/') => self.mode = Mode::Typing,
            KeyCode::Char('p') => {
                self.paused = !self.paused;
                return self.catch_up();
            }
            KeyCode::Char('[' | '-') => return self.show(self.span.next(false)),
            KeyCode::Char(']' | '+') => return self.show(self.span.next(true)),
            KeyCode::Char('d') => self.choose_dimension(),
            KeyCode::Char('m') => {
                let all = metrics().iter().map(|m| Choice::new(&m.name, &m.doc));
                self.mode = Mode::Choose(Chooser::new("metric", all.collect(), &self.metric.name));
            }
            KeyCode::Char('w') => {
                let spans = Span::choices(self.own_span).into_iter();
                let all = spans.map(|span| Choice::new(&span.name(self.zone), ""));
                let now = self.span.name(self.zone);
                self.mode = Mode::Choose(Chooser::new("window", all.collect(), &now));
            }
            _ => {}
        }
        Effect::None
    }

    fn key_of_needle(&mut self, key: KeyCode) -> Effect {
        self.mode = Mode::Typing;
        match key {
            KeyCode::Enter => self.mode = Mode::Rows,
            KeyCode::Esc => {
                self.mode = Mode::Rows;
                self.level_mut().needle.clear();
            }
            KeyCode::Backspace if self.level_mut().needle.pop().is_none() => self.mode = Mode::Rows,
            KeyCode::Char(c) => self.level_mut().needle.push(c),
            KeyCode::Down => self.move_by(1),
            KeyCode::Up => self.move_by(-1),
            _ => {}
        }
        self.find_again();
        Effect::None
    }

    fn key_of_card(&mut self, key: KeyCode, line: usize) -> Effect {
        let half = self.height.div_ceil(2);
        let line = match key {
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Enter => return Effect::None,
            KeyCode::Char('q') => return Effect::Quit(Exit::Done),
            KeyCode::Down | KeyCode::Char('j') => {
                self.move_by(1);
                0
            }
            KeyCode::Up | KeyCode::Char('k') => {
                self.move_by(-1);
                0
            }
            KeyCode::PageDown | KeyCode::Char(' ') => line.saturating_add(half).min(999),
            KeyCode::PageUp => line.saturating_sub(half),
            _ => line,
        };
        self.mode = Mode::Card(line);
        Effect::None
    }

    fn key_of_chooser(&mut self, key: KeyCode, mut chooser: Chooser) -> Effect {
        match key {
            KeyCode::Esc => return Effect::None,
            KeyCode::Enter => {
                let chosen = chooser.chosen().map(str::to_owned);
                return chosen.map_or(Effect::None, |name| self.choose(chooser.what, &name));
            }
            _ => chooser.key(key),
        }
        self.mode = Mode::Choose(chooser);
        Effect::None
    }

    fn choose(&mut self, what: &str, name: &str) -> Effect {
        match what {
            "window" => {
                let spans = Span::choices(self.own_span);
                let span = spans.into_iter().find(|span| span.name(self.zone) == name);
                return span.map_or(Effect::None, |span| self.show(span));
            }
            "metric" => {
                let Some(metric) = metrics().iter().find(|metric| metric.name == name) else {
                    return Effect::None;
                };
                self.metric = metric;
                self.sort = None;
            }
            _ => {
                let Ok(dimension) = dimension(name) else { return Effect::None };
                let step = self.level().step.clone();
                *self.level_mut() = Level::new(Shows::Groups(dimension), step);
            }
        }
        Effect::Ask
    }

    fn choose_dimension(&mut self) {
        let now = match self.level().shows {
            Shows::Groups(dimension) => dimension.name,
            Shows::Records => "",
        };
        let all = DIMENSIONS.iter().map(|d| Choice::new(d.name, d.doc));
        self.mode = Mode::Choose(Chooser::new("dimension", all.collect(), now));
    }

    fn show(&mut self, span: Span) -> Effect {
        if span == self.span {
            return Effect::None;
        }
        self.span = span;
        Effect::Ask
    }

    /// Goes into the chosen row: to the next dimension of the path, or to the records.
    fn down(&mut self, to_records: bool) -> Effect {
        let Shows::Groups(by) = self.level().shows else {
            if !self.order().is_empty() {
                self.mode = Mode::Card(0);
            }
            return Effect::None;
        };
        let Some(&row) = self.order().get(self.level().at) else { return Effect::None };
        let Some(WindowAnswer { body: Body::Groups(groups), .. }) = &self.level().page else {
            return Effect::None;
        };
        let Some(group) = groups.rows.get(row) else { return Effect::None };
        let value = (group.value != "(none)").then(|| group.value.clone());
        let next = if to_records { None } else { self.next_dimension(by) };
        let shows = next.map_or(Shows::Records, Shows::Groups);
        self.levels.push(Level::new(shows, Some((by, value))));
        Effect::Ask
    }

    /// The first dimension of the path that is not fixed yet and says more than `by`.
    fn next_dimension(&self, by: &Dimension) -> Option<&'static Dimension> {
        let fixed = |name: &str| {
            let steps = self.levels.iter().filter_map(|level| level.step.as_ref());
            steps.map(|(dimension, _)| dimension.name).chain([by.name]).any(|known| known == name)
        };
        // A domain has one provider, a queue one vmta, and the template is the last word.
        let implied = |name: &str| match name {
            "provider" => ["rcpt_domain", "mx", "queue"].into_iter().any(fixed),
            "vmta" => fixed("queue"),
            _ => false,
        };
        if fixed("template") {
            return None;
        }
        let name = PATH.into_iter().find(|name| !fixed(name) && !implied(name))?;
        dimension(name).ok()
    }

    /// Goes back to the level above; a filter goes first.
    fn back(&mut self) -> Effect {
        if !self.level().needle.is_empty() {
            self.level_mut().needle.clear();
            self.find_again();
            return Effect::None;
        }
        if self.levels.len() == 1 {
            return Effect::None;
        }
        self.levels.pop();
        self.find_again();
        // The page of that level is shown until the answer is there.
        Effect::Ask
    }

    /// The next metric of the page to sort by.
    fn sort_next(&mut self, right: bool) {
        let Some(WindowAnswer { body: Body::Groups(groups), .. }) = &self.level().page else {
            return;
        };
        let names = &groups.metrics;
        if names.is_empty() {
            return;
        }
        let at = names.iter().position(|name| name == self.sorted_by()).unwrap_or(0);
        let next = if right { at + 1 } else { at + names.len() - 1 } % names.len();
        self.sort = Some(names[next].clone());
        self.find_again();
    }

    fn move_by(&mut self, rows: isize) {
        let last = self.order().len().saturating_sub(1);
        let level = self.level_mut();
        level.at = level.at.saturating_add_signed(rows).min(last);
        self.remember();
        self.settle();
    }

    /// Remembers the chosen row by its text.
    fn remember(&mut self) {
        let row = self.order().get(self.level().at).copied();
        let key = row.and_then(|row| Some(self.level().page.as_ref()?.key(row)));
        self.level_mut().key = key;
    }

    /// Chooses the row that was chosen before the rows changed; the same place when it is gone.
    fn find_again(&mut self) {
        let order = self.order();
        let level = self.level();
        let same = |row: &usize| {
            let page = level.page.as_ref();
            level.key.is_some() && page.map(|page| page.key(*row)) == level.key
        };
        let at = order.iter().position(same).unwrap_or(level.at);
        self.level_mut().at = at.min(order.len().saturating_sub(1));
        self.settle();
    }

    /// Scrolls so that the chosen row is on the screen.
    fn settle(&mut self) {
        let height = self.height;
        let n_rows = self.order().len();
        let level = self.level_mut();
        let lowest = (level.at + 1).saturating_sub(height);
        level.scroll = level.scroll.clamp(lowest, level.at.max(lowest));
        level.scroll = level.scroll.min(n_rows.saturating_sub(height)).max(lowest);
    }
}
