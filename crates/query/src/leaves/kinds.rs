//! What a record is counted as. Counts nothing.

use pmtaq_schema::Record;

use super::held::Leaves;
use super::names::{ADMINISTRATIVE, Of};
use super::row::Row;
use crate::why::Why;

/// What a record is counted as, by the words of the statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum CountedAs {
    Injected,
    Delivered,
    Bounced,
    Held,
    Deferred,
    Remote,
    Complained,
    Aside,
}

impl CountedAs {
    pub(super) const ALL: [CountedAs; 8] = [
        CountedAs::Injected,
        CountedAs::Delivered,
        CountedAs::Bounced,
        CountedAs::Held,
        CountedAs::Deferred,
        CountedAs::Remote,
        CountedAs::Complained,
        CountedAs::Aside,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            CountedAs::Injected => "injected",
            CountedAs::Delivered => "delivered",
            CountedAs::Bounced => "bounced",
            CountedAs::Held => "held",
            CountedAs::Deferred => "deferred",
            CountedAs::Remote => "remote",
            CountedAs::Complained => "complained",
            CountedAs::Aside => "aside",
        }
    }
}

/// How the kinds of a metric are told.
pub(super) struct Kinds {
    waits: CountedAs,
    reached: bool,
    /// The number of the class of the bounces that count, if only one does; of a class that no record has there is
    /// none.
    class: Option<Option<u8>>,
}

impl Kinds {
    pub(super) fn of(leaves: &Leaves, why: &Why) -> Kinds {
        let number = |class: &String| leaves.names.find(Of::Class, class).map(|n| n as u8);
        Kinds {
            waits: if why.follows { CountedAs::Held } else { CountedAs::Deferred },
            reached: why.reached,
            class: why.class.as_ref().map(number),
        }
    }

    pub(super) fn is_of_class(&self, class: u8) -> bool {
        self.class.is_none_or(|asked| asked == Some(class))
    }

    /// Whether it counts where only attempts do that reached a receiver.
    pub(super) fn is_asked(&self, row: &Row) -> bool {
        !self.reached || row.what.rec().is_attempt() && row.what.reached()
    }

    /// As the statement of the marginal counts has it.
    pub(super) fn of_record(&self, row: &Row) -> Option<CountedAs> {
        if !self.is_asked(row) {
            return None;
        }
        Some(match row.what.rec() {
            Record::Delivery => CountedAs::Delivered,
            Record::Deferral | Record::QueueDeferral => self.waits,
            Record::Feedback | Record::Reception | Record::RemoteStatus => return None,
            _ if row.bounce_class == ADMINISTRATIVE => return None,
            _ if !self.is_of_class(row.bounce_class) => CountedAs::Aside,
            Record::RemoteBounce => CountedAs::Remote,
            Record::Bounce => CountedAs::Bounced,
        })
    }
}
