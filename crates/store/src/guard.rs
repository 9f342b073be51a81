//! A panic in a decoder as an error that names the file: of bytes that rotted, a library may expect
//! what is not so. Knows no format.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

use crate::error::{Error, Result};

thread_local! {
    /// Whether a panic of this thread will be told as an error.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `decode`, which reads `path`. What it cannot have left in order must not be used after an
/// error.
///
/// # Errors
/// What `decode` says, and [`Error::Damaged`] when it panics.
pub(crate) fn guarded<T>(path: &Path, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    keep_quiet();
    let before = IS_CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    IS_CAUGHT.set(before);
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let what = format!("it cannot be decoded: {}", text.lines().next().unwrap_or_default());
        Err(Error::Damaged { path: path.to_owned(), what })
    })
}

/// From now on a panic that becomes an error is not printed as well.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.get() {
                print(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_names_the_file() {
        let path = Path::new("x.parquet");
        let bytes = [1_u8, 2];
        let far = std::hint::black_box(7);
        let error = guarded(path, || Ok(bytes[far])).expect_err("a panic");
        assert!(error.to_string().starts_with("x.parquet is damaged: it cannot be decoded: index"));
        assert_eq!(guarded(path, || Ok(1)).expect("one"), 1);
    }
}
