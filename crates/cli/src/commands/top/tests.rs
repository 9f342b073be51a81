//! `top` without a terminal: keys in, states and frames out. The frames are golden files beside
//! this one; UPDATE=1 rewrites them.

use std::path::Path;

use pmtaq_query::{Selection, dimension, metric};
use pmtaq_schema::{Timestamp, Window, Zone};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::page::{Body, Group, Groups, Records, WindowAnswer};
use super::span::{Facts, Span};
use super::state::{Effect, Mode, Shows, State};
use super::theme::Theme;
use super::view::draw;
use crate::exit::Exit;

const DAY_S: i64 = 86_400;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text.as_bytes()).expect("a time")
}

/// A fresh screen of 30 lines over a store with data, without an answer yet.
fn fresh() -> State {
    let (by, of) = (dimension("provider").expect("known"), metric("sent").expect("known"));
    let facts = Facts { generation: 3, newest: Some(at("2026-03-03T23:56:12Z")) };
    let span = Span::Last(DAY_S);
    let mut state = State::new(by, of, span, Selection::default(), facts, Zone::UTC);
    state.now = at("2026-03-04T00:30:00Z");
    state.resized(30);
    state
}

fn press(state: &mut State, keys: &[KeyCode]) -> Effect {
    let key = |code: &KeyCode| KeyEvent::new(*code, KeyModifiers::NONE);
    keys.iter().map(|code| state.key(key(code))).last().unwrap_or(Effect::None)
}

fn typed(text: &str) -> Vec<KeyCode> {
    text.chars().map(KeyCode::Char).collect()
}

fn group(value: &str, numbers: [Option<f64>; 3]) -> Group {
    let [sent, delivered, rate] = numbers;
    let text = |n: Option<f64>| n.map_or(String::new(), |n| format!("{n}"));
    let texts =
        vec![text(sent), text(delivered), rate.map_or(String::new(), |n| format!("{n:.1} %"))];
    let trend =
        (0..24).map(|hour| (hour % 7 != 3).then_some(f64::from(hour * hour % 50))).collect();
    let label = pmtaq_render::words::visible(value);
    Group { value: value.to_owned(), label, texts, numbers: numbers.to_vec(), trend }
}

fn groups(state: &State) -> WindowAnswer {
    let rows = vec![
        group("gmail", [Some(499.0), Some(486.0), Some(2.8)]),
        group("microsoft", [Some(232.0), Some(216.0), Some(6.9)]),
        group("a\u{1b}[2Jb\u{202e}", [Some(40.0), Some(40.0), Some(0.0)]),
        group("(none)", [Some(2.0), Some(0.0), None]),
    ];
    let metrics = ["sent", "delivered", "bounce_rate"].map(str::to_owned).to_vec();
    let total = Some(group("total", [Some(773.0), Some(742.0), Some(3.9)]));
    let groups = Groups { metrics, rows, other: None, total, step: "1h".to_owned() };
    let body = Body::Groups(Box::new(groups));
    WindowAnswer { window: state.span.window(state.facts, state.now), body }
}

fn records(state: &State) -> WindowAnswer {
    let fields = ["time_logged", "rec", "rcpt", "enhanced_code", "dsn_diag", "job_id"];
    let row = |minute: u32, diag: &str| {
        let time = format!("2026-03-03 23:{minute:02}:12");
        let rcpt = format!("user{minute}@example.com");
        [time.as_str(), "b", &rcpt, "5.1.1", &pmtaq_render::words::visible(diag), ""]
            .map(str::to_owned)
            .to_vec()
    };
    let long = "smtp;550 5.1.1 ".to_owned() + &"The email account does not exist. ".repeat(9);
    let rows =
        vec![row(56, &long), row(41, "smtp;550 \u{1b}]0;owned\u{7} no"), row(7, "smtp;550 5.1.1")];
    let fields = fields.map(str::to_owned).to_vec();
    let body = Body::Records(Records { fields, rows, more: true });
    WindowAnswer { window: state.span.window(state.facts, state.now), body }
}

/// Asks what is to be asked, and answers.
fn answered(state: &mut State) {
    let request = state.request();
    let page = match state.level().shows {
        Shows::Groups(_) => groups(state),
        Shows::Records => records(state),
    };
    state.answered(request.number, Ok(page));
}

fn screen(state: &State, width: u16, height: u16, color: bool) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("it draws to memory");
    terminal.draw(|frame| draw(state, Theme { color }, frame)).expect("it draws to memory");
    let buffer = terminal.backend().buffer();
    let lines = buffer.content.chunks(usize::from(width.max(1))).map(|cells| {
        let text: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

/// Compares a frame of both sizes with its golden.
fn golden(name: &str, state: &mut State) {
    let mut text = String::new();
    for (width, height) in [(100, 30), (60, 15)] {
        state.resized(height);
        text += &format!("--- {width}x{height}\n{}", screen(state, width, height, true));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands/top/frames");
    let path = path.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == text, "{} differs; now it is:\n{text}", path.display());
}

fn path(state: &State) -> Vec<(&'static str, Option<String>)> {
    let steps = state.levels.iter().filter_map(|level| level.step.clone());
    steps.map(|(dimension, value)| (dimension.name, value)).collect()
}

#[test]
fn frames_are_as_they_were() {
    let mut state = fresh();
    golden("asking", &mut state);
    answered(&mut state);
    golden("groups", &mut state);
    press(&mut state, &[KeyCode::Char('?')]);
    golden("help", &mut state);
    press(&mut state, &[KeyCode::Esc, KeyCode::Char('m')]);
    press(&mut state, &typed("bounce"));
    golden("metric", &mut state);
    press(&mut state, &[KeyCode::Esc, KeyCode::Down, KeyCode::Down, KeyCode::Char('l')]);
    answered(&mut state);
    golden("records", &mut state);
    press(&mut state, &[KeyCode::Enter]);
    golden("card", &mut state);
    press(&mut state, &[KeyCode::Esc, KeyCode::Esc]);
    state.now = Timestamp(state.now.0 + DAY_S);
    state.trouble = Some("the store is \u{1b}[31m damaged".to_owned());
    press(&mut state, &[KeyCode::Char('/')]);
    press(&mut state, &typed("mic\u{1b}"));
    press(&mut state, &[KeyCode::Enter]);
    golden("stale", &mut state);
}

#[test]
fn enter_goes_down_the_path_and_escape_comes_back_to_the_same_row() {
    let mut state = fresh();
    answered(&mut state);
    press(&mut state, &[KeyCode::Down]);
    for (n, expected) in ["vmta", "template", "records"].iter().enumerate() {
        assert_eq!(press(&mut state, &[KeyCode::Enter]), Effect::Ask, "{n}");
        let request = state.request();
        assert_eq!(request.by.unwrap_or("records"), *expected);
        assert_eq!(request.selection.exactly.len(), n + 1);
        answered(&mut state);
    }
    assert_eq!(path(&state)[0], ("provider", Some("microsoft".to_owned())));
    assert_eq!(press(&mut state, &[KeyCode::Enter]), Effect::None);
    assert_eq!(state.mode, Mode::Card(0));
    press(&mut state, &[KeyCode::Esc]);
    for _ in 0..3 {
        assert_eq!(press(&mut state, &[KeyCode::Backspace]), Effect::Ask);
    }
    assert_eq!((state.levels.len(), state.level().at), (1, 1));
    assert!(state.level().page.is_some(), "the old page is shown meanwhile");
    assert_eq!(press(&mut state, &[KeyCode::Esc]), Effect::None, "there is nothing above");
}

#[test]
fn no_value_is_a_value_to_go_into() {
    let mut state = fresh();
    answered(&mut state);
    press(&mut state, &[KeyCode::End, KeyCode::Enter]);
    assert_eq!(path(&state), [("provider", None)]);
}

#[test]
fn the_path_leaves_out_what_is_known_already() {
    for (by, next) in [
        ("provider", "vmta"),
        ("vmta", "provider"),
        ("rcpt_domain", "vmta"),
        ("job_id", "provider"),
        ("queue", "template"),
        ("template", "records"),
    ] {
        let mut state = fresh();
        press(&mut state, &[KeyCode::Char('d')]);
        press(&mut state, &typed(by));
        press(&mut state, &[KeyCode::Enter]);
        answered(&mut state);
        press(&mut state, &[KeyCode::Enter]);
        assert_eq!(state.request().by.unwrap_or("records"), next, "{by}");
    }
}

#[test]
fn the_chosen_row_stays_chosen_when_its_place_changes() {
    let mut state = fresh();
    answered(&mut state);
    press(&mut state, &[KeyCode::Down]);
    assert_eq!(state.level().at, 1);
    press(&mut state, &[KeyCode::Char('r')]);
    assert_eq!(state.level().at, 2, "microsoft, from below");
    press(&mut state, &[KeyCode::Char('r'), KeyCode::Right, KeyCode::Right]);
    assert_eq!((state.sorted_by(), state.level().at), ("bounce_rate", 0));
    press(&mut state, &[KeyCode::Right]);
    assert_eq!((state.sorted_by(), state.level().at), ("sent", 1));
    // What has no number is last in both directions, and before it a rate of few.
    if let Some(WindowAnswer { body: Body::Groups(groups), .. }) =
        &mut state.levels.last_mut().expect("a level").page
    {
        groups.rows[0].texts[2].insert(0, '~');
    }
    press(&mut state, &[KeyCode::Left]);
    assert_eq!(state.order(), [1, 2, 0, 3]);
    press(&mut state, &[KeyCode::Char('r')]);
    assert_eq!(state.order(), [2, 1, 0, 3]);
}

#[test]
fn rows_are_narrowed_while_typing_and_escape_drops_the_filter() {
    let mut state = fresh();
    answered(&mut state);
    press(&mut state, &[KeyCode::Char('/')]);
    press(&mut state, &typed("MICRO"));
    assert_eq!(state.order(), [1]);
    press(&mut state, &[KeyCode::Enter]);
    assert_eq!((&state.mode, state.order().len()), (&Mode::Rows, 1));
    assert_eq!(press(&mut state, &[KeyCode::Esc]), Effect::None);
    assert_eq!((state.order().len(), state.levels.len()), (4, 1));
    press(&mut state, &[KeyCode::Char('/')]);
    press(&mut state, &typed("nobody"));
    assert!(state.order().is_empty());
    assert_eq!(press(&mut state, &[KeyCode::Enter, KeyCode::Enter]), Effect::None);
}

#[test]
fn an_answer_to_an_older_question_is_dropped() {
    let mut state = fresh();
    let old = state.request();
    let new = state.request();
    assert!(new.number > old.number);
    let page = groups(&state);
    state.answered(old.number, Ok(page.clone()));
    assert!(state.level().page.is_none() && state.asked == Some(new.number));
    state.answered(new.number, Err("no".to_owned()));
    assert_eq!((state.trouble.as_deref(), state.asked), (Some("no"), None));
    let next = state.request();
    state.answered(next.number, Ok(page));
    assert!(state.trouble.is_none() && state.level().page.is_some());
}

#[test]
fn windows_and_metrics_are_asked_for_and_the_same_again_is_not() {
    let mut state = fresh();
    let day = state.request().window;
    assert_eq!(press(&mut state, &[KeyCode::Char(']')]), Effect::Ask);
    let week = state.request().window;
    assert_eq!((week.until, week.since.0), (day.until, week.until.0 - 7 * DAY_S));
    press(&mut state, &[KeyCode::Char('w')]);
    press(&mut state, &typed("15m"));
    assert_eq!(press(&mut state, &[KeyCode::Enter]), Effect::Ask);
    assert_eq!(state.span, Span::Last(900));
    assert_eq!(press(&mut state, &[KeyCode::Char('[')]), Effect::None, "there is none shorter");
    press(&mut state, &[KeyCode::Char('m')]);
    press(&mut state, &typed("deferral"));
    assert_eq!(press(&mut state, &[KeyCode::Enter]), Effect::Ask);
    assert_eq!((state.request().metric, state.sorted_by()), ("deferral_rate", "deferral_rate"));
    press(&mut state, &[KeyCode::Char('d')]);
    press(&mut state, &typed("no such thing"));
    assert_eq!(press(&mut state, &[KeyCode::Enter]), Effect::None);
}

#[test]
fn news_of_the_store_is_asked_for_unless_paused() {
    let mut state = fresh();
    let newer = Facts { generation: 4, newest: Some(at("2026-03-04T00:20:00Z")) };
    assert_eq!(state.learned(Ok(state.facts)), Effect::None);
    press(&mut state, &[KeyCode::Char('p')]);
    assert_eq!(state.learned(Ok(newer)), Effect::None);
    assert_eq!(state.request().generation, 3);
    assert_eq!(press(&mut state, &[KeyCode::Char('p')]), Effect::Ask, "what was missed is shown");
    let request = state.request();
    assert_eq!((request.generation, request.window.until), (4, at("2026-03-04T00:20:01Z")));
}

#[test]
fn a_store_that_cannot_be_read_is_told_until_it_can() {
    let mut state = fresh();
    answered(&mut state);
    assert_eq!(state.learned(Err("the disk is gone".to_owned())), Effect::None);
    assert!(screen(&state, 100, 30, false).contains("error: the disk is gone"));
    answered(&mut state);
    assert!(screen(&state, 100, 30, false).contains("error: the disk is gone"));
    assert_eq!(state.learned(Ok(state.facts)), Effect::None);
    assert!(!screen(&state, 100, 30, false).contains("error:"));
}

#[test]
fn it_is_left_by_q_and_by_interrupt() {
    let mut state = fresh();
    assert_eq!(press(&mut state, &[KeyCode::Char('q')]), Effect::Quit(Exit::Done));
    let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    press(&mut state, &[KeyCode::Char('/')]);
    assert_eq!(state.key(key), Effect::Quit(Exit::Interrupted));
}

#[test]
fn no_key_on_no_screen_is_too_much() {
    let codes = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Down,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::Left,
        KeyCode::Backspace,
    ];
    let chars = "?dmwlr/pgG[]<>q \u{e9}\u{1f600}".chars().map(KeyCode::Char);
    let codes: Vec<KeyCode> = codes.into_iter().chain(chars).collect();
    // A walk that is the same each time.
    let mut seed: usize = 7;
    let mut state = fresh();
    for n in 0..4000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let code = codes[(seed >> 33) % codes.len()];
        if press(&mut state, &[code]) == Effect::Ask || n % 50 == 0 {
            answered(&mut state);
        }
        let (width, height) = ((seed >> 20) % 130, (seed >> 44) % 40);
        state.resized(height as u16);
        if n % 4 == 0 {
            screen(&state, width as u16, height as u16, n % 8 == 0);
        }
        let window = state.span.window(state.facts, state.now);
        assert!(window.since < window.until && Window::ALL.since <= window.since);
    }
}

#[test]
fn without_colour_nothing_is_coloured() {
    let mut state = fresh();
    answered(&mut state);
    state.now = Timestamp(state.now.0 + DAY_S);
    for color in [false, true] {
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
        terminal.draw(|frame| draw(&state, Theme { color }, frame)).unwrap();
        let plain = ratatui::style::Color::Reset;
        let cells = &terminal.backend().buffer().content;
        assert_eq!(cells.iter().all(|cell| cell.fg == plain && cell.bg == plain), !color);
    }
}

#[test]
fn a_thread_that_panics_ends_the_program() {
    let (sender, events) = std::sync::mpsc::channel();
    super::spawn(&sender, |_| panic!("as the test wants it"));
    assert!(matches!(events.recv(), Ok(super::Event::Broken)));
    super::spawn(&sender, |_| ());
    drop(sender);
    assert!(events.recv().is_err(), "who ends well ends alone");
}
