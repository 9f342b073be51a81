//! `pmtaq top`: the store live on the whole screen. Here the threads meet: keys, signals, news of
//! the store and answers come in one queue; [`state`] says what follows, [`view`] draws it.

mod span;

mod page;

mod chooser;
mod state;

mod fetch;

mod table;
mod theme;
mod view;

mod screen;

#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use pmtaq_query::{dimension, metric};
use pmtaq_schema::{Timestamp, Window};
use ratatui::crossterm::event::{self, Event as Input, KeyEvent, KeyEventKind};

use self::fetch::Running;
use self::page::WindowAnswer;
use self::screen::Screen;
use self::span::{Facts, Span};
use self::state::{Effect, Request, State};
use self::theme::Theme;
use crate::args;
use crate::asked;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::{settings, ui};

/// How often the store is looked at, and the clock.
const LOOK: Duration = Duration::from_secs(1);

/// How often a query that nobody waits for is told to stop, and the terminal is asked for.
const NAG: Duration = Duration::from_millis(50);

/// What can happen.
enum Event {
    Key(KeyEvent),
    /// The screen has another size, or must be drawn anew.
    Resize,
    /// The terminal is gone.
    Gone,
    /// A signal wants the program to end.
    Stop,
    /// A thread beside this one came to an end that nobody foresaw; the terminal is given back.
    Broken,
    Store(std::result::Result<Facts, String>),
    Answer(u64, std::result::Result<WindowAnswer, String>),
}

pub(crate) fn run(context: Context, args: &args::Top) -> Result<Exit> {
    let (by, of) = (dimension(&args.by)?, metric(&args.metric)?);
    let times = &args.selection.times;
    let window = asked::named_window(&context, times)?;
    let selection = asked::selection(&args.selection);
    let span = Span::asked(window, times.last.is_some());
    let facts = facts(&context, None)?;
    // What is wrong with a filter is said before the screen is taken.
    asked::open_whole(&context, span.window(facts, context.now))?.session.check(&selection)?;
    let on_terminal = ui::on_terminal(&context.global) && std::io::stdin().is_terminal();
    if !on_terminal || settings::is_dumb_terminal() {
        let hint = format!("`pmtaq pivot --rows {} --metric {}` prints a table", by.name, of.name);
        return Err(Failure::usage("top needs a terminal").hint(hint));
    }
    let mut state = State::new(by, of, span, selection, facts, context.global.tz);
    state.base_text = filters(&args.selection);
    state.now = context.now;
    live(context, state)
}

/// Takes the terminal and lets things happen until the user has enough.
fn live(context: Context, mut state: State) -> Result<Exit> {
    let (sender, events) = channel();
    let (questions, asked) = channel();
    let (running, context) = (Arc::new(Running::default()), Arc::new(context));
    let clock = context.clock();
    let theme = Theme { color: ui::color(&context.global) };
    let (stop, is_over) = (sender.clone(), Arc::new(AtomicBool::new(false)));
    let ends = is_over.clone();
    // Without it a signal ends the program as it is; there is nothing to lose but the screen.
    let _ = ctrlc::set_handler(move || {
        ends.store(true, Ordering::SeqCst);
        let _ = stop.send(Event::Stop);
    });
    let mut screen = Screen::open()?;
    let (own, shared) = (context.clone(), running.clone());
    spawn(&sender, move |answers| fetch::serve(&own, &shared, &asked, answers));
    spawn(&sender, move |news| look(&context, news));
    spawn(&sender, listen);

    let ask = |state: &mut State, questions: &Sender<Request>| {
        let request = state.request();
        running.wants(request.number);
        questions.send(request).map_err(|_| Failure::usage("the thread that asks has ended"))
    };
    state.resized(screen.terminal.size()?.height);
    ask(&mut state, &questions)?;
    loop {
        state.now = clock.now();
        screen.terminal.draw(|frame| view::draw(&state, theme, frame))?;
        let outdated = running.stop_outdated();
        let effect = match next(&events, if outdated { NAG } else { LOOK }) {
            None => Effect::None,
            Some(Event::Key(key)) => state.key(key),
            Some(Event::Resize) => {
                state.resized(screen.terminal.size()?.height);
                Effect::None
            }
            Some(Event::Gone | Event::Stop) => Effect::Quit(Exit::Interrupted),
            Some(Event::Broken) => {
                return Err(Failure::from_text("top ends by an error of its own, told above"));
            }
            Some(Event::Store(news)) => state.learned(news),
            Some(Event::Answer(number, page)) => {
                state.answered(number, page);
                Effect::None
            }
        };
        match effect {
            Effect::None => {}
            Effect::Ask => {
                state.now = clock.now();
                ask(&mut state, &questions)?;
            }
            Effect::Suspend => {
                if !comes_back(&mut screen, &is_over)? {
                    return Ok(Exit::Interrupted);
                }
            }
            Effect::Quit(exit) => return Ok(exit),
        }
    }
}

/// Stops until the shell brings the program back; false where a signal ends it meanwhile. Who wakes it in
/// the background, as `bg` does and `kill`, lets it learn for a moment why, and then it stops again.
fn comes_back(screen: &mut Screen, is_over: &AtomicBool) -> std::io::Result<bool> {
    loop {
        screen.suspend()?;
        for _ in 0..LOOK.as_millis() / NAG.as_millis() {
            if screen.resume()? {
                return Ok(true);
            }
            if is_over.load(Ordering::SeqCst) {
                return Ok(false);
            }
            std::thread::sleep(NAG);
        }
    }
}

/// Lets `work` happen on a thread of its own. Without it there is nothing to see, so its panic ends
/// all: else this thread would draw on a terminal that is not ours any more.
fn spawn(events: &Sender<Event>, work: impl FnOnce(&Sender<Event>) + Send + 'static) {
    let events = events.clone();
    std::thread::spawn(move || {
        if std::panic::catch_unwind(AssertUnwindSafe(|| work(&events))).is_err() {
            let _ = events.send(Event::Broken);
        }
    });
}

/// The next thing that happens; none when nothing does.
fn next(events: &Receiver<Event>, wait: Duration) -> Option<Event> {
    match events.recv_timeout(wait) {
        Ok(event) => Some(event),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Event::Gone),
    }
}

/// Hands keys on until the terminal is gone.
fn listen(events: &Sender<Event>) {
    loop {
        let sent = match event::read() {
            Ok(Input::Key(key)) if key.kind != KeyEventKind::Release => {
                events.send(Event::Key(key))
            }
            Ok(Input::Resize(..)) => events.send(Event::Resize),
            Ok(_) => Ok(()),
            Err(_) => {
                let _ = events.send(Event::Gone);
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Looks at the store again and again, and tells what is new.
fn look(context: &Context, events: &Sender<Event>) {
    let mut known = None;
    loop {
        std::thread::sleep(LOOK);
        let news = facts(context, known);
        let told = match news {
            Ok(facts) if Some(facts) == known => continue,
            Ok(facts) => {
                known = Some(facts);
                Ok(facts)
            }
            Err(failure) => {
                // So that it is told when the store is there again.
                known = None;
                Err(failure.message().to_owned())
            }
        };
        if events.send(Event::Store(told)).is_err() {
            return;
        }
    }
}

/// What is known of the store; as long as its generation is the same, only that is read.
fn facts(context: &Context, known: Option<Facts>) -> Result<Facts> {
    let store = context.store()?;
    let none = Window { since: Timestamp(0), until: Timestamp(0) };
    let snapshot = store.snapshot(none)?;
    if let Some(known) = known.filter(|known| known.generation == snapshot.generation) {
        return Ok(known);
    }
    Ok(Facts { generation: snapshot.generation, newest: store.newest()? })
}

/// The filters of the command line as they were given.
fn filters(args: &args::Selection) -> String {
    let selection = asked::selection(args);
    let mut texts: Vec<String> = selection
        .filters
        .iter()
        .map(|(name, values)| format!("{name} {}", values.join(",")))
        .collect();
    texts.extend(selection.condition.map(|sql| format!("where {sql}")));
    texts.join(" > ")
}
