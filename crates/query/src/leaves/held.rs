//! Records of some periods as they are held. Reads nothing, and counts nothing.

use pmtaq_schema::{Record, Window};

use super::names::{ADMINISTRATIVE, Names};
use super::row::{Followed, Message, Messages, Reception, Row};
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
    pub(super) attempts: Vec<Row>,
    pub(super) receptions: Vec<Reception>,
    pub(super) others: Vec<Row>,
    /// Attempts of messages that have more than deliveries, in the order of their places.
    pub(super) followed: Vec<Followed>,
}

impl Piece {
    /// None yet, with room for those of these types.
    pub(super) fn for_records(recs: impl Iterator<Item = Record>) -> Piece {
        let (mut attempts, mut receptions, mut others) = (0, 0, 0);
        for rec in recs {
            match rec {
                rec if rec.is_attempt() => attempts += 1,
                Record::Reception => receptions += 1,
                _ => others += 1,
            }
        }
        Piece {
            attempts: Vec::with_capacity(attempts),
            receptions: Vec::with_capacity(receptions),
            others: Vec::with_capacity(others),
            followed: Vec::new(),
        }
    }

    /// Adds a record that is no reception, which is one of `message`. An attempt is followed if that is among
    /// `several`, or as long as these are not known.
    pub(super) fn push(&mut self, mut record: Row, message: Message, several: Option<&Messages>) {
        if !record.what.rec().is_attempt() {
            self.others.push(record);
            return;
        }
        // What an operator deleted is in no rate.
        let is_one = several.is_none_or(|several| several.contain(message));
        if is_one && record.bounce_class != ADMINISTRATIVE {
            record.what = record.what.followed();
            self.followed.push(Followed { row: self.attempts.len() as u32, message });
        }
        self.attempts.push(record);
    }

    /// The messages that are followed for another record than a delivery.
    pub(super) fn not_delivered(&self) -> impl Iterator<Item = Message> {
        let is_other =
            |of: &&Followed| self.attempts[of.row as usize].what.rec() != Record::Delivery;
        self.followed.iter().filter(is_other).map(|of| of.message)
    }

    /// Follows no others than those among `several`.
    pub(super) fn keep_followed(&mut self, several: &Messages) {
        let rows = &mut self.attempts;
        self.followed.retain(|of| {
            let what = &mut rows[of.row as usize].what;
            *what = if several.contain(of.message) { *what } else { what.alone() };
            what.is_followed()
        });
    }

    /// How many records it has.
    pub(super) fn n(&self) -> usize {
        self.attempts.len() + self.receptions.len() + self.others.len()
    }
}

impl Leaves {
    /// Whether they are all that is read for `other`, and no more.
    pub(super) fn are_of(&self, other: &Extent) -> bool {
        let of =
            |extent: &Extent, window: &Window| extent.periods.iter().any(|(_, own)| own == window);
        let may_be_left_out = |place: usize| {
            let is_of = |row: &Row| usize::from(row.period) == place;
            let is_received = |row: &Reception| usize::from(row.period) == place;
            self.pieces.iter().all(|Piece { attempts, receptions, others, .. }| {
                !(attempts.iter().chain(others).any(is_of) || receptions.iter().any(is_received))
            })
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
