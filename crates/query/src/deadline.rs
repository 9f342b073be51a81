//! The end of a query that takes too long: a thread that waits beside it, and interrupts it. Reads
//! no clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use duckdb::InterruptHandle;

use crate::error::{Error, Result};

/// Between two interrupts, the first of which may come before the engine has begun.
const AGAIN: Duration = Duration::from_millis(50);

/// Interrupts a query when its time is over, unless it is dropped before.
pub(crate) struct Deadline {
    timeout: Duration,
    passed: Arc<AtomicBool>,
    waiting: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Deadline {
    /// Begins to wait.
    pub(crate) fn start(timeout: Duration, engine: Arc<InterruptHandle>) -> Result<Deadline> {
        let (stop, stopped) = channel::<()>();
        let passed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&passed);
        let wait = move || {
            let mut left = timeout;
            while stopped.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                flag.store(true, Ordering::SeqCst);
                engine.interrupt();
                left = AGAIN;
            }
        };
        let thread = std::thread::Builder::new().name("deadline".to_owned()).spawn(wait);
        let thread = thread.map_err(|error| Error::Sql(format!("no thread: {error}")))?;
        Ok(Deadline { timeout, passed, waiting: Some((stop, thread)) })
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.passed.load(Ordering::SeqCst)
    }

    /// `error` as what it is: an interrupt after the time was over is the end of the time.
    pub(crate) fn cause(&self, error: Error) -> Error {
        match error {
            Error::Interrupted if self.is_over() => Error::Timeout(self.timeout),
            error => error,
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.waiting.take() {
            drop(stop);
            // It must not interrupt the next query.
            let _ = thread.join();
        }
    }
}
