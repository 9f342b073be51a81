//! The type of an accounting record, as the first field of each line names it.
//! Knows the spellings and the meaning, not the fields.

use std::fmt;

/// What one line of an accounting file reports (`PowerMTA` User's Guide, 11.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// `d`: a recipient was delivered, or the message was sent to discard.
    Delivery,
    /// `b`: a recipient bounced here, by the receiver's 5xx reply or by our own decision.
    Bounce,
    /// `t`: an attempt for one recipient failed and will be repeated.
    Deferral,
    /// `tq`: an attempt failed for a whole queue; there is no recipient.
    QueueDeferral,
    /// `r`: a recipient was received for delivery.
    Reception,
    /// `rb`: an asynchronous (remote) bounce report.
    RemoteBounce,
    /// `rs`: another asynchronous status report.
    RemoteStatus,
    /// `f`: a feedback loop reported a complaint.
    Feedback,
}

impl Record {
    /// All record types, in the order in which this crate lists them.
    pub const ALL: [Record; 8] = [
        Record::Delivery,
        Record::Bounce,
        Record::Deferral,
        Record::QueueDeferral,
        Record::Reception,
        Record::RemoteBounce,
        Record::RemoteStatus,
        Record::Feedback,
    ];

    /// Reads the first field of a line: the short name or one of the long ones, in any case.
    pub fn parse(field: &[u8]) -> Option<Record> {
        Some(match field {
            b"d" => Record::Delivery,
            b"b" => Record::Bounce,
            b"t" => Record::Deferral,
            b"tq" => Record::QueueDeferral,
            b"r" => Record::Reception,
            b"rb" => Record::RemoteBounce,
            b"rs" => Record::RemoteStatus,
            b"f" => Record::Feedback,
            long => {
                let is = |names: &[&str]| {
                    names.iter().any(|name| long.eq_ignore_ascii_case(name.as_bytes()))
                };
                match () {
                    () if is(&["d", "delivery", "delivered"]) => Record::Delivery,
                    () if is(&["b", "bounce", "bounced"]) => Record::Bounce,
                    () if is(&["t", "transient"]) => Record::Deferral,
                    () if is(&["tq", "transient-queue"]) => Record::QueueDeferral,
                    () if is(&["r", "receipt", "received"]) => Record::Reception,
                    () if is(&["rb", "remote-bounce"]) => Record::RemoteBounce,
                    () if is(&["rs", "remote-status"]) => Record::RemoteStatus,
                    () if is(&["f", "feedback-loop"]) => Record::Feedback,
                    () => return None,
                }
            }
        })
    }

    /// The short name: the value of the column `rec`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Record::Delivery => "d",
            Record::Bounce => "b",
            Record::Deferral => "t",
            Record::QueueDeferral => "tq",
            Record::Reception => "r",
            Record::RemoteBounce => "rb",
            Record::RemoteStatus => "rs",
            Record::Feedback => "f",
        }
    }

    /// Whether it says what became of a message when it was tried.
    pub const fn is_attempt(self) -> bool {
        matches!(self, Record::Delivery | Record::Bounce | Record::Deferral)
    }

    /// How often a log has records of this type.
    pub const fn frequency(self) -> Frequency {
        match self {
            Record::Delivery | Record::Reception => Frequency::Common,
            _ => Frequency::Rare,
        }
    }
}

/// How often a log has records of a type. Those of either kind lie in row groups of their own: who asks for
/// bounces passes over all that was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frequency {
    /// What came in and what was delivered: nearly all of a log.
    Common,
    /// What bounced, was put off, came back, or was complained about.
    Rare,
}

impl Frequency {
    /// Both, in the order in which a part has them where it is small.
    pub const ALL: [Frequency; 2] = [Frequency::Common, Frequency::Rare];
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of record types, small enough for a constant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records(u8);

impl Records {
    /// Every record type.
    pub const ALL: Records = Records(0xff);

    /// The set of the given types.
    pub const fn of(records: &[Record]) -> Records {
        let mut bits = 0;
        let mut i = 0;
        while i < records.len() {
            bits |= 1 << records[i] as u8;
            i += 1;
        }
        Records(bits)
    }

    /// Whether `record` is in the set.
    pub const fn contains(self, record: Record) -> bool {
        self.0 & (1 << record as u8) != 0
    }

    /// The types in the set, in the order of [`Record::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Record> {
        Record::ALL.into_iter().filter(move |&record| self.contains(record))
    }

    /// The types that the set names as comma-separated short or long names.
    ///
    /// # Errors
    /// The first name that is no record type.
    pub fn parse(list: &str) -> Result<Records, String> {
        let mut bits = 0;
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match Record::parse(name.as_bytes()) {
                Some(record) => bits |= 1 << record as u8,
                None => return Err(name.to_owned()),
            }
        }
        Ok(Records(bits))
    }
}

impl fmt::Display for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, record) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(record.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_names_mean_the_same() {
        for record in Record::ALL {
            assert_eq!(Record::parse(record.as_str().as_bytes()), Some(record));
        }
        assert_eq!(Record::parse(b"Delivered"), Some(Record::Delivery));
        assert_eq!(Record::parse(b"transient-queue"), Some(Record::QueueDeferral));
        assert_eq!(Record::parse(b"feedback-loop"), Some(Record::Feedback));
        assert_eq!(Record::parse(b"x"), None);
        assert_eq!(Record::parse(b""), None);
    }

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        let set = Records::of(&[Record::Bounce, Record::QueueDeferral]);
        assert_eq!(set.to_string(), "b, tq");
        assert_eq!(Records::parse("tq, bounce"), Ok(set));
        assert_eq!(Records::parse("b,q"), Err("q".to_owned()));
        assert_eq!(Records::ALL.iter().count(), 8);
    }
}
