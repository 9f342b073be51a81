//! The terminal while `top` has it: the alternate screen and raw keys, given back in every case,
//! also after an error, a panic or a signal. Draws nothing itself.

use std::io::{self, Stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::process;
use rustix::termios::tcgetpgrp;

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

    /// Leaves the terminal to the shell and stops until something lets the program go on.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        Ok(process::kill_process(process::getpid(), process::Signal::TSTP)?)
    }

    /// Takes the terminal again, if the shell has brought the program to the foreground. To take it in
    /// the background would stop the program once more, even after an `fg` that comes meanwhile.
    pub(super) fn resume(&mut self) -> io::Result<bool> {
        if tcgetpgrp(io::stdin())? != process::getpgrp() {
            return Ok(false);
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
