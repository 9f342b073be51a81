//! Work that several threads share. Knows nothing of records.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

/// `work` of each thread, which is given the items that no other has taken: what each made of its own.
pub(super) fn shared<'i, I: Sync, T: Send>(
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
