//! The small answers of a session, by the window that it answered about: a question that several figures
//! rest on is asked once. Asks nothing.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use arrow::array::RecordBatch;
use pmtaq_schema::Window;

use crate::query::Query;

/// What is kept is no matter beside what the engine needs.
const MOST_BYTES: usize = 32 << 20;
/// So many of the statements that ran again are told.
const MOST_TOLD: usize = 20;

/// The rows of answers, each by its question.
#[derive(Default)]
pub(crate) struct Answered(RefCell<Kept>);

#[derive(Default)]
struct Kept {
    rows: HashMap<String, RecordBatch>,
    bytes: usize,
    /// The statements that the engine ran, by a hash of all that makes each what it is.
    ran: HashSet<u64>,
    /// The first of those that it ran again.
    ran_again: Vec<String>,
}

impl Answered {
    /// What a question was answered.
    pub(crate) fn find(&self, key: &Key) -> Option<RecordBatch> {
        self.0.borrow().rows.get(&key.0).cloned()
    }

    /// Keeps an answer, as long as all of them are small.
    pub(crate) fn keep(&self, key: Key, rows: &RecordBatch) {
        let mut kept = self.0.borrow_mut();
        let bytes = rows.get_array_memory_size() + key.0.len();
        if kept.bytes + bytes <= MOST_BYTES {
            kept.bytes += bytes;
            kept.rows.insert(key.0, rows.clone());
        }
    }

    /// Remembers that the engine runs `sql`.
    pub(crate) fn note(&self, key: &Key, sql: &str) {
        let mut hasher = DefaultHasher::new();
        key.0.hash(&mut hasher);
        let mut kept = self.0.borrow_mut();
        if !kept.ran.insert(hasher.finish()) && kept.ran_again.len() < MOST_TOLD {
            kept.ran_again.push(sql.to_owned());
        }
    }

    /// The statements that the engine ran again.
    pub(crate) fn ran_again(&self) -> Vec<String> {
        self.0.borrow().ran_again.clone()
    }

    /// Forgets all of them, since the session answers otherwise from now on.
    pub(crate) fn forget(&self) {
        *self.0.borrow_mut() = Kept::default();
    }
}

/// All that makes a question what it is.
pub(crate) struct Key(String);

impl Key {
    /// Of `query`, asked as `sql` about `window`. What its metrics are of says which of them can be known.
    pub(crate) fn of(query: &Query, sql: &str, window: Window) -> Key {
        Key(format!("{window:?} {:?}\n{:?}\n{sql}", query.values, query.judged))
    }
}
