//! The small answers of a session, kept while it answers about the same window: a question that several
//! figures rest on is asked once. Asks nothing.

use std::cell::RefCell;
use std::collections::HashMap;

use arrow::array::RecordBatch;

use crate::query::Query;

/// A larger answer is not kept, so that what is kept is no matter beside what the engine needs.
const MOST_BYTES: usize = 16 << 20;

/// The rows of answers, by all that makes a question what it is.
#[derive(Default)]
pub(crate) struct Answered(RefCell<HashMap<String, RecordBatch>>);

impl Answered {
    /// What `query`, asked as `sql`, was answered; nothing of what the user wrote.
    pub(crate) fn find(&self, query: &Query, sql: &str) -> Option<RecordBatch> {
        self.0.borrow().get(&key(query, sql)).filter(|_| !query.is_of_user).cloned()
    }

    /// Keeps an answer, if it is small.
    pub(crate) fn keep(&self, query: &Query, sql: &str, rows: &RecordBatch) {
        if !query.is_of_user && rows.get_array_memory_size() <= MOST_BYTES {
            self.0.borrow_mut().insert(key(query, sql), rows.clone());
        }
    }

    /// Forgets all of them, since the session answers about something else from now on.
    pub(crate) fn forget(&self) {
        self.0.borrow_mut().clear();
    }
}

/// What its metrics are of says which of them can be known.
fn key(query: &Query, sql: &str) -> String {
    format!("{sql}\n{:?}\n{:?}", query.values, query.judged)
}
