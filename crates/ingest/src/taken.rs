//! Which lines of a source are to be stored: those that are new, and those whose records were lost
//! with a damaged part. Notes where they went. Knows offsets and days, not lines.

use std::collections::BTreeMap;

use pmtaq_schema::time::Day;
use pmtaq_store::{Source, Taken};

/// What is to be stored of a source.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'s> {
    /// Where what is new begins.
    new: u64,
    /// What was stored before that, and is lost.
    lost: &'s [Taken],
}

/// How many records were stored of a source.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    /// By day.
    days: BTreeMap<Day, u64>,
    /// Of each stretch that was lost.
    restored: Vec<u64>,
}

impl<'s> Wanted<'s> {
    /// What is to be stored of a source of which `known` is known.
    pub(crate) fn of(known: Option<&'s Source>) -> Wanted<'s> {
        known.map_or(Wanted { new: 0, lost: &[] }, |known| Wanted {
            new: known.length,
            lost: &known.lost,
        })
    }

    /// Where the first line lies that may be wanted.
    pub(crate) fn start(&self) -> u64 {
        self.lost.iter().map(|taken| taken.from).chain([self.new]).min().unwrap_or(0)
    }

    /// Whether what lies at `offset` was read before.
    pub(crate) fn was_read(&self, offset: u64) -> bool {
        offset < self.new
    }

    /// Which of the stretches that were lost a record is of.
    pub(crate) fn lost(&self, offset: u64, day: Day) -> Option<usize> {
        let is_of = |taken: &Taken| taken.day == day && (taken.from..taken.until).contains(&offset);
        self.lost.iter().position(is_of)
    }
}

impl Stored {
    /// Counts records of one day.
    pub(crate) fn add(&mut self, day: Day, records: usize) {
        *self.days.entry(day).or_default() += records as u64;
    }

    /// Says that one of those counted is of a stretch that was lost.
    pub(crate) fn restore(&mut self, stretch: usize) {
        self.restored.resize(self.restored.len().max(stretch + 1), 0);
        self.restored[stretch] += 1;
    }

    /// Adds the counts of `other`.
    pub(crate) fn extend(&mut self, other: &Stored) {
        other.days.iter().for_each(|(day, rows)| *self.days.entry(*day).or_default() += rows);
        self.restored.resize(self.restored.len().max(other.restored.len()), 0);
        self.restored.iter_mut().zip(&other.restored).for_each(|(sum, rows)| *sum += rows);
    }

    /// How many of them had been lost.
    pub(crate) fn restored(&self) -> u64 {
        self.restored.iter().sum()
    }

    /// What the commit of `generation` takes of a source that was read up to `until`, and what of it
    /// stays lost because it lies behind that.
    pub(crate) fn noted(
        &self,
        known: Option<&Source>,
        until: u64,
        generation: u64,
    ) -> (Vec<Taken>, Vec<Taken>) {
        let (mut taken, mut still_lost, mut new) = (Vec::new(), Vec::new(), self.days.clone());
        let lost = known.map(|known| known.lost.as_slice()).unwrap_or_default();
        for (i, stretch) in lost.iter().enumerate() {
            let rows = self.restored.get(i).copied().unwrap_or(0);
            new.entry(stretch.day).and_modify(|all| *all -= rows);
            let end = stretch.until.min(until);
            if rows > 0 {
                taken.push(Taken { generation, rows, until: end, ..*stretch });
            }
            if until < stretch.until {
                let (from, rows) = (stretch.from.max(until), stretch.rows.saturating_sub(rows));
                still_lost.push(Taken { from, rows, ..*stretch });
            }
        }
        let from = known.map_or(0, |known| known.length);
        let new = new.into_iter().filter(|(_, rows)| *rows > 0);
        taken.extend(new.map(|(day, rows)| Taken { generation, day, from, until, rows }));
        (taken, still_lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_and_what_was_lost_is_wanted_and_noted() {
        let taken = |generation, day, from, until, rows| Taken {
            generation,
            day: Day(day),
            from,
            until,
            rows,
        };
        let known = Source {
            length: 300,
            taken: vec![taken(1, 10, 0, 100, 5)],
            lost: vec![taken(2, 10, 100, 200, 6), taken(3, 11, 200, 300, 7)],
            ..Source::default()
        };
        let wanted = Wanted::of(Some(&known));
        assert_eq!(
            (wanted.start(), wanted.was_read(299), wanted.was_read(300)),
            (100, true, false)
        );
        assert_eq!(wanted.lost(150, Day(10)), Some(0));
        assert_eq!(wanted.lost(200, Day(11)), Some(1));
        assert_eq!((wanted.lost(150, Day(11)), wanted.lost(99, Day(10))), (None, None));
        let (mut stored, mut other) = (Stored::default(), Stored::default());
        stored.add(Day(10), 6);
        (0..6).for_each(|_| stored.restore(0));
        other.add(Day(11), 9);
        (0..7).for_each(|_| other.restore(1));
        stored.extend(&other);
        assert_eq!(stored.restored(), 13);
        let noted =
            vec![taken(9, 10, 100, 200, 6), taken(9, 11, 200, 300, 7), taken(9, 11, 300, 400, 2)];
        assert_eq!(stored.noted(Some(&known), 400, 9), (noted, vec![]));
        // Reading stopped in the midst of what was lost.
        let noted = (vec![taken(9, 10, 100, 150, 6)], vec![taken(3, 11, 200, 300, 7)]);
        let mut stored = Stored::default();
        stored.add(Day(10), 6);
        (0..6).for_each(|_| stored.restore(0));
        let (new, lost) = stored.noted(Some(&known), 150, 9);
        assert_eq!((new, &lost[1..]), (noted.0, &noted.1[..]));
        assert_eq!(lost[0], taken(2, 10, 150, 200, 0));
        assert_eq!(Wanted::of(None).start(), 0);
    }
}
