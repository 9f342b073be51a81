//! A moment before each system call on a source file, for tests that change files just then.

use std::fmt;
use std::sync::Arc;

/// What is called before each system call that lists, opens, describes or reads source files.
/// Nothing, unless a test says otherwise.
#[derive(Clone, Default)]
pub struct Hook(Option<Arc<dyn Fn() + Send + Sync>>);

impl Hook {
    /// Calls `before` each time, from whatever thread works.
    pub fn new(before: impl Fn() + Send + Sync + 'static) -> Hook {
        Hook(Some(Arc::new(before)))
    }

    pub(crate) fn call(&self) {
        if let Some(before) = &self.0 {
            before();
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Hook" } else { "no hook" })
    }
}
