//! What the generated files hold, counted while they were made.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::message::Event;
use crate::row;
use crate::world::SENDERS;

/// What all files together hold. A missing value counts under the empty text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Truth {
    /// How many records there are of what.
    pub counts: Counts,
    /// What was planted.
    pub incidents: Vec<Incident>,
}

/// Records by several dimensions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    /// All records.
    pub rows: u64,
    /// By UTC day, then by record type.
    pub day_rec: BTreeMap<String, BTreeMap<String, u64>>,
    /// By recipient domain, in lower case, as A-label.
    pub rcpt_domain: BTreeMap<String, u64>,
    /// By VirtualMTA.
    pub vmta: BTreeMap<String, u64>,
    /// By bounce category.
    pub bounce_cat: BTreeMap<String, u64>,
    /// By domain of the envelope sender.
    pub sender_domain: BTreeMap<String, u64>,
}

/// Something that went wrong, on purpose.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    /// What it is.
    pub kind: &'static str,
    /// Where: dimension and value.
    pub dimensions: BTreeMap<&'static str, &'static str>,
    /// Since when, UTC seconds.
    pub since: i64,
    /// Until when, UTC seconds, not included.
    pub until: i64,
}

impl Incident {
    pub(crate) fn new(
        kind: &'static str,
        dimensions: &[(&'static str, &'static str)],
        since: i64,
        until: i64,
    ) -> Incident {
        Incident { kind, dimensions: dimensions.iter().copied().collect(), since, until }
    }

    pub(crate) fn holds(&self, time: i64) -> bool {
        (self.since..self.until).contains(&time)
    }
}

impl Counts {
    pub(crate) fn add(&mut self, event: &Event, domain: &mut Vec<u8>) {
        self.rows += 1;
        let day = chrono::DateTime::from_timestamp(event.time, 0).unwrap_or_default().date_naive();
        *self
            .day_rec
            .entry(day.to_string())
            .or_default()
            .entry(event.rec.to_owned())
            .or_default() += 1;
        domain.clear();
        if event.rec != "tq" {
            row::rcpt_domain(&event.message, domain);
        }
        let text = String::from_utf8_lossy(domain);
        // The one internationalised domain of this world, as RFC 5891 spells it.
        let text = if text.is_ascii() { text } else { "xn--bcher-kva.example".into() };
        add(&mut self.rcpt_domain, &text);
        add(&mut self.vmta, row::vmta(event));
        let category = event.answer.filter(|_| !matches!(event.rec, "tq" | "rs"));
        add(&mut self.bounce_cat, category.map_or("", |answer| answer.2));
        let nobody = event.rec == "tq" || event.message.null_sender;
        let sender = if nobody { "" } else { SENDERS[event.message.sender].1.0 };
        add(&mut self.sender_domain, sender);
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}
