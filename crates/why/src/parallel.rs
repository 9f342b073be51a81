//! Work that is done at once. Knows nothing of counts.

use std::sync::atomic::{AtomicUsize, Ordering};

/// `look` at each, in their order, as many at once as there are processors: they do not depend on each
/// other.
pub(crate) fn at_once<T: Sync, R: Send>(items: &[T], look: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (look, next) = (&look, &AtomicUsize::new(0));
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let work = move || -> Vec<(usize, R)> {
        let number = || Some(next.fetch_add(1, Ordering::Relaxed));
        let numbers = std::iter::from_fn(number).take_while(|number| *number < items.len());
        numbers.map(|number| (number, look(&items[number]))).collect()
    };
    let mut seen: Vec<(usize, R)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        let seen = threads.into_iter().map(|thread| thread.join());
        seen.flat_map(|seen| seen.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    seen.sort_by_key(|(number, _)| *number);
    seen.into_iter().map(|(_, seen)| seen).collect()
}
