//! Numbers by group at many moments: of all of them the names of groups are kept once, and of each which it
//! has. Asks nothing.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use pmtaq_schema::Timestamp;

/// The values of the metrics by the values of the dimensions; nothing where there is no record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupedValues {
    /// The groups of all moments in their order.
    names: Rc<[Vec<String>]>,
    /// Those that there are, as places in `names`, and their values, one after the other.
    places: Vec<usize>,
    values: Vec<Option<f64>>,
}

/// The same for each moment. There may be several questions about them.
pub type Measured = BTreeMap<Timestamp, Rc<GroupedValues>>;

impl GroupedValues {
    /// The values of a group.
    pub fn get(&self, group: &[String]) -> Option<&[Option<f64>]> {
        let place = self.names.binary_search_by(|name| name.as_slice().cmp(group)).ok()?;
        let row = self.places.binary_search(&place).ok()?;
        Some(self.row(row))
    }

    /// The groups, in the order of their names, each with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&[String], &[Option<f64>])> {
        let names = self.places.iter().map(|place| self.names[*place].as_slice());
        names.enumerate().map(|(row, name)| (name, self.row(row)))
    }

    fn row(&self, row: usize) -> &[Option<f64>] {
        let width = self.values.len() / self.places.len();
        &self.values[row * width..(row + 1) * width]
    }
}

impl FromIterator<(Vec<String>, Vec<Option<f64>>)> for GroupedValues {
    fn from_iter<I: IntoIterator<Item = (Vec<String>, Vec<Option<f64>>)>>(rows: I) -> Self {
        let mut moments = Grouping::default();
        rows.into_iter().for_each(|(group, values)| moments.add(Timestamp(0), group, values));
        moments.measured().pop_first().map(|(_, groups)| (*groups).clone()).unwrap_or_default()
    }
}

/// Groups with their values at moments, as they come: each group once at a moment.
#[derive(Default)]
pub(crate) struct Grouping {
    places: HashMap<Vec<String>, usize>,
    moments: BTreeMap<Timestamp, (Vec<usize>, Vec<Option<f64>>)>,
}

impl Grouping {
    /// Adds a group that there is at a moment; each has as many values.
    pub(crate) fn add(
        &mut self,
        moment: Timestamp,
        group: Vec<String>,
        of: impl IntoIterator<Item = Option<f64>>,
    ) {
        let next = self.places.len();
        let place = *self.places.entry(group).or_insert(next);
        let (places, values) = self.moments.entry(moment).or_default();
        places.push(place);
        values.extend(of);
    }

    /// All that was added.
    pub(crate) fn measured(self) -> Measured {
        let mut names: Vec<(Vec<String>, usize)> = self.places.into_iter().collect();
        names.sort();
        let mut sorted = vec![0; names.len()];
        names.iter().enumerate().for_each(|(place, (_, as_added))| sorted[*as_added] = place);
        let names: Rc<[Vec<String>]> = names.into_iter().map(|(name, _)| name).collect();
        let of_moment = |(moment, (places, values)): (Timestamp, (Vec<usize>, Vec<_>))| {
            let groups = GroupedValues { names: Rc::clone(&names), places, values };
            let mut rows: Vec<(usize, &[Option<f64>])> = groups
                .places
                .iter()
                .enumerate()
                .map(|(n, at)| (sorted[*at], groups.row(n)))
                .collect();
            rows.sort_by_key(|(place, _)| *place);
            let places = rows.iter().map(|(place, _)| *place).collect();
            let mut values = Vec::with_capacity(groups.values.len());
            rows.iter().for_each(|(_, row)| values.extend_from_slice(row));
            let names = Rc::clone(&names);
            (moment, Rc::new(GroupedValues { names, places, values }))
        };
        self.moments.into_iter().map(of_moment).collect()
    }
}
