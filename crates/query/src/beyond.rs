//! What the whole store has, beyond the parts that a session opened: whom to ask, and what was said. Asks nobody.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pmtaq_schema::{Record, Records};
use pmtaq_store::Counts;

/// What the whole store has, asked only when a question has none of a type that it stands on.
#[derive(Default)]
pub(crate) struct Beyond {
    pub(crate) count: Option<Box<CountTypes>>,
    /// The types that each MTA writes, as the user says.
    pub(crate) logged: Records,
    /// What it said, by what it was asked.
    pub(crate) known: RefCell<BTreeMap<Asked, Option<Rc<Counts>>>>,
}

/// Record types, and whether MTAs are told apart.
pub(crate) type Asked = (BTreeSet<Record>, bool);

/// As [`pmtaq_store::Store::count_types`].
pub(crate) type CountTypes =
    dyn Fn(&dyn Fn(&Counts) -> bool) -> pmtaq_store::Result<Option<Counts>>;
