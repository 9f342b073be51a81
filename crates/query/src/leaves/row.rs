//! A record, as small as what is counted of it. Reads nothing.

use std::hash::{Hash, Hasher};

use pmtaq_schema::Record;

use crate::hashes::mixed;

/// A record that is no reception. Names, and combinations of them, are the numbers of [`super::names::Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Of a domain without a known provider, the domain.
    pub(super) provider: u32,
    /// Its sender and its job.
    pub(super) campaign: u32,
    /// Its pool, its VirtualMTA, its address and its MTA.
    pub(super) path: u16,
    pub(super) bounce_cat: u8,
    pub(super) bounce_class: u8,
    /// The place of its period among those that are asked about.
    pub(super) period: u8,
    pub(super) what: What,
}

/// A reception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reception {
    pub(super) provider: u32,
    pub(super) rcpt_domain: u32,
    pub(super) campaign: u32,
    pub(super) path: u16,
    pub(super) period: u8,
}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(side_by_side(self.provider, self.campaign));
        let [low, high] = self.path.to_le_bytes();
        let Row { bounce_cat, bounce_class, period, what: What(what), .. } = *self;
        let rest = [low, high, bounce_cat, bounce_class, period, what, 0, 0];
        state.write_u64(u64::from_le_bytes(rest));
    }
}

impl Hash for Reception {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(side_by_side(self.provider, self.campaign));
        let of = u32::from(self.path) << u8::BITS | u32::from(self.period);
        state.write_u64(side_by_side(self.rcpt_domain, of));
    }
}

fn side_by_side(a: u32, b: u32) -> u64 {
    u64::from(a) << u32::BITS | u64::from(b)
}

/// When the message of a record was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Age {
    Unknown,
    /// In the period of the record.
    Fresh,
    /// Before it.
    Carried,
}

/// Type and age of a record, and whether it reached a receiver: in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct What(u8);

const AGES: [Age; 3] = [Age::Unknown, Age::Fresh, Age::Carried];

impl What {
    pub(super) fn new(rec: Record, age: Age, reached: bool) -> What {
        What(rec as u8 | (age as u8) << 3 | u8::from(reached) << 5)
    }

    pub(super) fn rec(self) -> Record {
        Record::ALL[usize::from(self.0 & 7)]
    }

    pub(super) fn age(self) -> Age {
        AGES[usize::from(self.0 >> 3 & 3)]
    }

    pub(super) fn reached(self) -> bool {
        self.0 >> 5 & 1 == 1
    }
}

/// What tells the messages of all periods apart: a hash of the period, of who got it, by half of the column
/// `message_key`, and of when it was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Message(pub(super) u64);

impl Message {
    pub(super) fn new(period: u8, message_key: Option<u64>, queued: Option<i64>) -> Message {
        // No key and no time of a record is any of these.
        let rcpt = message_key.map_or(u64::MAX, |key| key >> 32);
        let queued = queued.map_or(u64::MAX, i64::cast_unsigned);
        Message(mixed(mixed(rcpt ^ u64::from(period) << 33) ^ queued))
    }
}

/// A record of a message that has more than deliveries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    pub(super) row: Row,
    pub(super) message: Message,
}
