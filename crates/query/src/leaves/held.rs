//! Records of some periods as they are held. Reads nothing, and counts nothing.

use std::hash::{BuildHasher, BuildHasherDefault, Hash};

use pmtaq_schema::numbers::Mixer;
use pmtaq_schema::{Record, Window};

use super::names::{ADMINISTRATIVE, Names};
use super::row::{Followed, Message, Reception, Row};
use crate::hashes::Hashes;
use crate::why::{Period, Why};

/// The records of some periods, without what nobody counts by.
pub struct Leaves {
    /// What they are of.
    pub(super) of: Extent,
    /// In pieces, each of which one thread read.
    pub(super) pieces: Vec<Piece>,
    pub(super) names: Names,
    /// The sender and the job of each campaign; pool, VirtualMTA, address and MTA of each path.
    pub(super) campaigns: Vec<[u32; 2]>,
    pub(super) paths: Vec<[u32; 4]>,
    /// The provider of each recipient domain, by its attempts: of several the first by name, 0 for none.
    pub(super) hosts: Vec<u32>,
    /// As many threads count.
    pub(super) threads: usize,
}

/// What is read.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) periods: Vec<Period>,
    /// What the session answers about: it may have less than the periods.
    pub(super) window: Window,
    /// Whether it is told which attempts reached a receiver, which takes four columns more.
    pub(super) tells_reached: bool,
}

/// Some of the records.
#[derive(Default)]
pub(super) struct Piece {
    /// Attempts of messages that have deliveries alone.
    attempts: Alike<Row>,
    receptions: Alike<Reception>,
    others: Alike<Row>,
    /// Attempts of messages that have more than deliveries.
    pub(super) followed: Vec<Followed>,
}

/// Records by what is counted of them, each with how many are alike. What comes again soon is one; what comes again
/// after others may be another one: so none is looked for in a table of all, which no processor has near.
struct Alike<T> {
    of: Vec<(T, u32)>,
    /// The place of one that came lately, by its hash; empty once all are there.
    last: Vec<u32>,
}

/// Bits of the hash of one that came lately.
const LAST_BITS: u32 = 10;

impl<T> Default for Alike<T> {
    fn default() -> Alike<T> {
        Alike { of: Vec::new(), last: Vec::new() }
    }
}

impl<T: Eq + Hash> Alike<T> {
    fn add(&mut self, one: T) {
        if self.last.is_empty() {
            self.last = vec![0; 1 << LAST_BITS];
        }
        let hash = BuildHasherDefault::<Mixer>::default().hash_one(&one);
        let place = &mut self.last[(hash >> (u64::BITS - LAST_BITS)) as usize];
        match self.of.get_mut(*place as usize) {
            Some((of, n)) if *of == one => *n += 1,
            _ => {
                *place = self.of.len() as u32;
                self.of.push((one, 1));
            }
        }
    }

    /// Says that no more come.
    fn end(&mut self) {
        self.of.shrink_to_fit();
        self.last = Vec::new();
    }

    fn iter(&self) -> impl Iterator<Item = (&T, u32)> {
        self.of.iter().map(|(of, n)| (of, *n))
    }
}

impl Piece {
    /// Adds a reception.
    pub(super) fn receive(&mut self, record: Reception) {
        self.receptions.add(record);
    }

    /// Adds a record that is no reception, which is one of `message`. `is_several` says whether that may have more than
    /// deliveries.
    pub(super) fn add(&mut self, row: Row, message: Message, is_several: bool) {
        if !row.what.rec().is_attempt() {
            self.others.add(row);
        // What an operator deleted is in no rate.
        } else if is_several && row.bounce_class != ADMINISTRATIVE {
            self.followed.push(Followed { row, message });
        } else {
            self.attempts.add(row);
        }
    }

    /// The messages that are followed for another record than a delivery.
    pub(super) fn not_delivered(&self) -> impl Iterator<Item = u64> {
        let is_other = |of: &&Followed| of.row.what.rec() != Record::Delivery;
        self.followed.iter().filter(is_other).map(|of| of.message.0)
    }

    /// Follows no others than those among `several`.
    pub(super) fn follow(&mut self, several: &Hashes) {
        let attempts = &mut self.attempts;
        self.followed.retain(|of| {
            let is_followed = several.contain(of.message.0);
            if !is_followed {
                attempts.add(of.row);
            }
            is_followed
        });
    }

    /// Says that no more come.
    pub(super) fn end(&mut self) {
        self.attempts.end();
        self.receptions.end();
        self.others.end();
        self.followed.shrink_to_fit();
    }

    /// How many are held.
    pub(super) fn n(&self) -> usize {
        let Piece { attempts, receptions, others, followed } = self;
        attempts.of.len() + receptions.of.len() + others.of.len() + followed.len()
    }

    /// Those that are no receptions, each with how many there are.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Row, u32)> {
        let followed = self.followed.iter().map(|of| (&of.row, 1));
        self.attempts.iter().chain(self.others.iter()).chain(followed)
    }

    /// Attempts of messages that have deliveries alone.
    pub(super) fn attempts(&self) -> impl Iterator<Item = (&Row, u32)> {
        self.attempts.iter()
    }

    pub(super) fn receptions(&self) -> impl Iterator<Item = (&Reception, u32)> {
        self.receptions.iter()
    }

    /// Those that are neither attempts nor receptions.
    pub(super) fn others(&self) -> impl Iterator<Item = (&Row, u32)> {
        self.others.iter()
    }
}

impl Leaves {
    /// Whether they are all that is read for `other`, and no more.
    pub(super) fn are_of(&self, other: &Extent) -> bool {
        let of =
            |extent: &Extent, window: &Window| extent.periods.iter().any(|(_, own)| own == window);
        let may_be_left_out = |place: usize| {
            let is_of = |(row, _): (&Row, u32)| usize::from(row.period) == place;
            let is_received = |(of, _): (&Reception, u32)| usize::from(of.period) == place;
            self.pieces
                .iter()
                .all(|piece| !(piece.rows().any(is_of) || piece.receptions().any(is_received)))
        };
        let mut own = self.of.periods.iter().enumerate();
        self.of.window == other.window
            && (self.of.tells_reached || !other.tells_reached)
            && other.periods.iter().all(|(_, window)| of(&self.of, window))
            && own.all(|(place, (_, window))| of(other, window) || may_be_left_out(place))
    }

    /// By which numbers `why` knows the periods. One that it leaves out has no record.
    pub(super) fn numbers(&self, why: &Why) -> Vec<i64> {
        let number = |(number, own): &Period| {
            let known = why.periods.iter().find(|(_, window)| window == own);
            known.map_or(*number, |(number, _)| *number)
        };
        self.of.periods.iter().map(number).collect()
    }
}
