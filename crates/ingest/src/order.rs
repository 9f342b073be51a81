//! The order in which the rows of a run are stored. Knows keys, and not what they stand for.

use hashbrown::HashTable;
use pmtaq_store::NO_NAME;

use crate::intern::mixed;

/// Where sorted rows came from. Kept from run to run for its memory.
#[derive(Default)]
pub(crate) struct Order {
    /// By row, where it was before.
    pub(crate) rows: Vec<u32>,
    pub(crate) spare: Vec<u32>,
    /// Keys of messages with their numbers.
    messages: HashTable<(u64, u32)>,
    pub(crate) spare_numbers: Vec<i64>,
    pub(crate) spare_hashes: Vec<u64>,
}

impl Order {
    /// Sorts rows by message, that one first which came first.
    pub(crate) fn sort_by_message(&mut self, keys: &[u64]) {
        let mut messages = std::mem::take(&mut self.messages);
        messages.clear();
        let hash = |key: u64| mixed(&[key as u32, (key >> 32) as u32]);
        let number = |&key| {
            let next = messages.len() as u32;
            let known = messages.entry(hash(key), |of| of.0 == key, |of| hash(of.0));
            known.or_insert((key, next)).get().1
        };
        let numbers: Vec<u32> = keys.iter().map(number).collect();
        self.sort_by(&numbers, messages.len());
        self.messages = messages;
    }

    /// Sorts rows by keys below `none`, those without a name last, and leaves equal ones as they were.
    pub(crate) fn sort_by(&mut self, keys: &[u32], none: usize) {
        let place = |key: u32| if key == NO_NAME { none } else { key as usize };
        if keys.is_empty() {
            return;
        }
        let mut starts = vec![0_u32; none + 2];
        keys.iter().for_each(|&key| starts[place(key) + 1] += 1);
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        self.spare.clear();
        self.spare.resize(self.rows.len(), 0);
        for &row in &self.rows {
            let start = &mut starts[place(keys[row as usize])];
            self.spare[*start as usize] = row;
            *start += 1;
        }
        std::mem::swap(&mut self.rows, &mut self.spare);
    }

    /// Puts the keys or numbers of `rows` in order, if they are not all the same.
    pub(crate) fn apply<T: Copy + PartialEq>(rows: &[u32], cells: &mut Vec<T>, spare: &mut Vec<T>) {
        let Some(&first) = cells.first() else { return };
        // All are looked at, from front to back: in no order they are found in the cache then.
        if cells.iter().fold(false, |differs, cell| differs | (*cell != first)) {
            spare.clear();
            spare.extend(rows.iter().map(|&row| cells[row as usize]));
            std::mem::swap(cells, spare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_message_lie_side_by_side_as_they_came() {
        let mut order = Order { rows: (0..7).collect(), ..Order::default() };
        let (first, second, third) = (7 << 32 | 1, 8 << 32 | 1, 7 << 32 | 2);
        order.sort_by_message(&[first, second, first, third, second, first, third]);
        assert_eq!(order.rows, [0, 2, 5, 1, 4, 3, 6]);
    }
}
