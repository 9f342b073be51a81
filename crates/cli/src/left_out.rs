//! The days that an answer is without, because a list of theirs is damaged: each is said once, and the
//! program does not end as if nothing was missing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use pmtaq_schema::time::Day;
use pmtaq_store::Error;

use crate::exit::Exit;
use crate::failure::{REPAIR, chain};
use crate::ui;

/// The days that were said. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct LeftOut(Arc<Mutex<BTreeSet<Day>>>);

impl LeftOut {
    /// Says of which days something is left out, and why.
    pub(crate) fn say(&self, unreadable: Vec<(Day, Error)>) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (day, error) in unreadable {
            if said.insert(day) {
                let why = chain(&error);
                ui::complain(&format!(
                    "pmtaq: warning: what follows is without {day}: {why}\nhint: {REPAIR}"
                ));
            }
        }
    }

    /// How the program ends that would end with `exit`.
    pub(crate) fn exit(&self, exit: Exit) -> Exit {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if exit == Exit::Done && !said.is_empty() { Exit::Store } else { exit }
    }
}
