//! Work that the threads of a session share. Knows nothing of records.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::session::Session;

/// `work` of each thread, which is given the items that no other has taken: what each made of its own.
pub(crate) fn shared<'i, I: Sync, T: Send>(
    n_threads: usize,
    items: &'i [I],
    work: impl Fn(&mut dyn Iterator<Item = &'i I>) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || work(&mut std::iter::from_fn(|| items.get(next.fetch_add(1, Ordering::Relaxed))));
    let n_threads = n_threads.clamp(1, items.len().max(1));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        let made = threads.into_iter().map(ScopedJoinHandle::join);
        made.map(|made| made.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

impl Session {
    /// What `work` makes of each item, in no order, as long as a query may take. None when it makes nothing of one:
    /// then it is asked for no more.
    ///
    /// # Errors
    /// [`Error::Interrupted`] and [`Error::Timeout`].
    pub(crate) fn of_each<I: Sync, T: Send>(
        &self,
        items: &[I],
        work: impl Fn(&I) -> Option<T> + Sync,
    ) -> Result<Option<Vec<T>>> {
        let deadline = self.deadline()?;
        let interrupted = self.begin();
        let is_over = || {
            interrupted.load(Ordering::SeqCst) || deadline.as_ref().is_some_and(Deadline::is_over)
        };
        let is_given_up = AtomicBool::new(false);
        let made = shared(self.limits.threads, items, |items| {
            let items = items.take_while(|_| !is_given_up.load(Ordering::Relaxed) && !is_over());
            let made = items.map_while(|item| {
                let made = work(item);
                is_given_up.fetch_or(made.is_none(), Ordering::Relaxed);
                made
            });
            made.collect::<Vec<T>>()
        });
        match (is_over(), &deadline) {
            (false, _) if is_given_up.into_inner() => Ok(None),
            (false, _) => Ok(Some(made.into_iter().flatten().collect())),
            (true, Some(deadline)) => Err(deadline.cause(Error::Interrupted)),
            (true, None) => Err(Error::Interrupted),
        }
    }
}
