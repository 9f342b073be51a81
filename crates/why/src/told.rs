//! Which values of a dimension are told apart, and what stands for the others. Decides nothing.

use std::collections::HashMap;

use crate::few::is_few;

/// Which values of a dimension are told apart.
#[derive(Clone, Debug)]
pub(crate) struct ToldApart {
    /// What stands for each value of which something is known beside what is of any.
    pub(crate) names: HashMap<String, String>,
    /// The same by their places in the list that a statement is given.
    pub(crate) places: Vec<String>,
    /// The numbers in that list.
    pub(crate) numbers: Vec<u64>,
    /// What stands for all others.
    pub(crate) others: &'static str,
}

impl ToldApart {
    /// What stands for a name.
    pub(crate) fn name<'n>(&'n self, name: &'n str) -> &'n str {
        match self.names.get(name) {
            Some(stands) => stands,
            None if is_few(Some(name)) => name,
            None => self.others,
        }
    }

    /// What stands for the value at a place in the list, counted from 1; none behind its end. At 0 are all
    /// others.
    pub(crate) fn at(&self, place: usize) -> Option<&str> {
        match place.checked_sub(1) {
            None => Some(self.others),
            Some(place) => self.places.get(place).map(String::as_str),
        }
    }
}
