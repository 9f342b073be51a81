//! The terminal while `top` has it: the alternate screen and raw keys, given back in every case,
//! also after an error, a panic or a signal. Draws nothing itself.

use std::io::{self, Stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::process;
use rustix::termios::tcgetpgrp;

use super::{LOOK, NAG};

/// Whether the terminal is ours now.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal; with this value it goes back to how it was.
pub(super) struct Screen {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    pub(super) fn open() -> io::Result<Screen> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                // Before the message, which would be lost with the alternate screen.
                give_back();
                usual(panic);
            }));
        });
        take()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()));
        terminal.map(|terminal| Screen { terminal }).inspect_err(|_| give_back())
    }

    /// Leaves the terminal to the shell and stops until it brings the program back. False where
    /// something else lets it go on, in the background: `bg`, or `kill`, which wakes what it ends.
    /// Then it has a moment to learn of it, and must not take the terminal: that would stop it again,
    /// even after an `fg` that comes meanwhile.
    pub(super) fn suspend(&mut self) -> io::Result<bool> {
        give_back();
        process::kill_process(process::getpid(), process::Signal::TSTP)?;
        let woken = Instant::now();
        while tcgetpgrp(io::stdin())? != process::getpgrp() {
            if woken.elapsed() > LOOK {
                return Ok(false);
            }
            std::thread::sleep(NAG);
        }
        take()?;
        // Another one knows that the screen is empty. To clear this one would ask the terminal where
        // its cursor is, and the thread that waits for keys would swallow the answer.
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(true)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::SeqCst);
    let taken = enable_raw_mode().and_then(|()| execute!(io::stdout(), EnterAlternateScreen, Hide));
    taken.inspect_err(|_| give_back())
}

/// Gives the terminal back, once. It may be gone: then there is nobody to tell.
fn give_back() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}
