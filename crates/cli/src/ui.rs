//! The terminal: stdout is data and nothing else, stderr is talk. Decides colour, width and
//! progress; the only file that prints.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, Once};
use std::time::Duration;

use pmtaq_query::Interrupt;
use pmtaq_schema::untrusted::{visible, visible_lines};

use crate::args::{ColorChoice, Global};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::settings;

/// Says something on stderr, unless `--quiet`.
#[expect(clippy::print_stderr, reason = "the one place that talks")]
pub(crate) fn note(global: &Global, text: &str) {
    if !global.quiet {
        eprintln!("{}", visible(text));
    }
}

/// Says something on stderr in any case.
#[expect(clippy::print_stderr, reason = "the one place that talks")]
pub(crate) fn complain(text: &str) {
    if !text.is_empty() {
        eprintln!("{}", visible_lines(text.trim_end()));
    }
}

/// Says something on stdout: what a plugin has to say in any case.
#[expect(clippy::print_stdout, reason = "the one place that prints")]
pub(crate) fn say(text: &str) {
    println!("{}", visible_lines(text.trim_end()));
}

/// Says on stdout what a shell asked for, as it is. A shell that went away needs it no more.
pub(crate) fn offer(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Asks on a terminal whether to go on; elsewhere `yes` must have been said.
///
/// # Errors
/// When the answer is no, or there is nobody to ask.
#[expect(clippy::print_stderr, reason = "the one place that talks")]
pub(crate) fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("nothing was removed").hint("say --yes, or --dry-run to look"));
    }
    eprint!("{} [y/N] ", visible(question));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::usage("nothing was removed"))
}

/// Whether the answer is read by a person at a terminal.
pub(crate) fn on_terminal(global: &Global) -> bool {
    match &global.output {
        None => io::stdout().is_terminal(),
        Some(path) => is_terminal(path),
    }
}

/// Whether what is written to `path` is seen on a terminal, as by `/dev/stdout` or `/dev/tty`.
fn is_terminal(path: &Path) -> bool {
    let is_device = path.metadata().is_ok_and(|meta| meta.file_type().is_char_device());
    is_device && File::options().append(true).open(path).is_ok_and(|file| file.is_terminal())
}

/// Whether to colour the answer.
pub(crate) fn color(global: &Global) -> bool {
    match global.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => on_terminal(global) && !settings::is_colorless(),
    }
}

/// Columns of the terminal, when a table must fit one.
pub(crate) fn width(global: &Global) -> Option<u16> {
    if global.wide || !on_terminal(global) {
        return None;
    }
    let asked = settings::variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let size = || rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col);
    // A terminal that does not know its width says 0.
    asked.or_else(size).filter(|columns| *columns > 0)
}

/// While the guard lives, Ctrl-C stops the query; else it ends the program, but not the shell.
pub(crate) struct InterruptGuard;

/// The query that runs, numbered, since the next one must not be taken for it.
static RUNNING: Mutex<Option<(u64, Interrupt)>> = Mutex::new(None);
static IN_SHELL: AtomicBool = AtomicBool::new(false);

/// How long an interrupted query may go on before the program ends without it.
const PATIENCE: Duration = Duration::from_secs(3);

/// From now on Ctrl-C ends queries and nothing else.
pub(crate) fn enter_shell() {
    IN_SHELL.store(true, Ordering::Relaxed);
}

/// Lets Ctrl-C stop a query, as long as the guard lives.
pub(crate) fn interrupt(handle: Interrupt) -> InterruptGuard {
    static HANDLER: Once = Once::new();
    HANDLER.call_once(|| {
        // Without a handler Ctrl-C ends the process at once, which loses nothing either.
        let _ = ctrlc::set_handler(interrupted);
    });
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    set_running(Some((NUMBER.fetch_add(1, Ordering::Relaxed), handle)));
    InterruptGuard
}

/// What the signal does, on a thread of its own. The engine forgets an interrupt that comes just
/// before its statement begins: so it is told until the query has ended.
fn interrupted() {
    let Some(number) = interrupt_running(None) else {
        if !IN_SHELL.load(Ordering::Relaxed) {
            exit_interrupted();
        }
        return;
    };
    let mut waited = Duration::ZERO;
    while interrupt_running(Some(number)).is_some() {
        let pause = Duration::from_millis(20);
        std::thread::sleep(pause);
        waited += pause;
        // Who writes to a pipe that no one reads does not hear the engine.
        if waited > PATIENCE && !IN_SHELL.load(Ordering::Relaxed) {
            exit_interrupted();
        }
    }
}

/// Interrupts the query that runs, if it is the one with this number or any will do; its number.
fn interrupt_running(number: Option<u64>) -> Option<u64> {
    // The lock is held, so that no other query begins meanwhile.
    let running = RUNNING.lock().ok()?;
    let (running, handle) = running.as_ref()?;
    if number.is_some_and(|number| number != *running) {
        return None;
    }
    handle.interrupt();
    Some(*running)
}

#[expect(clippy::disallowed_methods, reason = "there is no one to return to from a signal")]
#[expect(clippy::exit, reason = "there is no one to return to from a signal")]
fn exit_interrupted() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.code()))
}

fn set_running(running: Option<(u64, Interrupt)>) {
    if let Ok(mut now) = RUNNING.lock() {
        *now = running;
    }
}

impl Drop for InterruptGuard {
    fn drop(&mut self) {
        set_running(None);
    }
}

/// Shows bytes read per second while `work` runs, on a terminal only.
pub(crate) fn with_progress<T: Send>(
    global: &Global,
    read: &AtomicU64,
    work: impl FnOnce() -> T + Send,
) -> T {
    if global.quiet || !io::stderr().is_terminal() {
        return work();
    }
    let bar = indicatif::ProgressBar::new_spinner();
    let style = indicatif::ProgressStyle::with_template("{spinner} read {bytes} ({bytes_per_sec})");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                bar.set_position(read.load(Ordering::Relaxed));
                std::thread::sleep(Duration::from_millis(100));
            }
            bar.finish_and_clear();
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    })
}
