//! A record, as small as what is counted of it. Reads nothing.

use std::hash::{Hash, Hasher};

use pmtaq_schema::Record;
use pmtaq_schema::numbers::NumberSet;

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
pub(super) struct Message(u64);

impl Message {
    pub(super) fn new(period: u8, message_key: Option<u64>, queued: Option<i64>) -> Message {
        // No key and no time of a record is any of these.
        let rcpt = message_key.map_or(u64::MAX, |key| key >> 32);
        let queued = queued.map_or(u64::MAX, i64::cast_unsigned);
        Message(mixed(mixed(rcpt ^ u64::from(period) << 33) ^ queued))
    }
}

/// Messages, of which most that are asked for are not there.
pub(super) struct Messages {
    of: NumberSet<Message>,
    /// A bit for each, and for others that share it: it stays near the processor, which the set does not.
    bits: Vec<u64>,
}

impl Messages {
    pub(super) fn contain(&self, message: Message) -> bool {
        self.may_contain(message) && self.of.contains(&message)
    }

    /// Whether a message may be there; of those that are not, few may.
    pub(super) fn may_contain(&self, message: Message) -> bool {
        let (at, bit) = self.place(message);
        self.bits[at] & bit != 0
    }

    fn place(&self, Message(hash): Message) -> (usize, u64) {
        ((hash >> 6) as usize & (self.bits.len() - 1), 1 << (hash & 63))
    }
}

impl FromIterator<Message> for Messages {
    fn from_iter<I: IntoIterator<Item = Message>>(messages: I) -> Messages {
        let of: NumberSet<Message> = messages.into_iter().collect();
        // Of eight bits one is set at most.
        let bits = vec![0; (of.len() / 8).next_power_of_two()];
        let mut messages = Messages { of, bits };
        let places: Vec<_> = messages.of.iter().map(|message| messages.place(*message)).collect();
        places.into_iter().for_each(|(at, bit)| messages.bits[at] |= bit);
        messages
    }
}

/// A number in which each bit depends on all bits of the given one: the last step of MurmurHash3.
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let number = (number ^ number >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}

/// A record of a message that has more than deliveries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    pub(super) row: Row,
    pub(super) message: Message,
}
