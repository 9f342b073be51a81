//! What the generated files hold, counted while they are made. Reads nothing back.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::date;
use crate::incident::{Incident, Incidents};
use crate::message::{DAY_S, Event, Rec};
use crate::row::{self, SentBy};
use crate::world::World;
use crate::{Compress, Header, Options, Size};

/// What all files together hold. A missing value counts under the empty text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Truth {
    /// The settings that these files follow from.
    pub settings: BTreeMap<&'static str, Value>,
    /// Records by record type.
    pub recs: BTreeMap<&'static str, u64>,
    /// How many records there are of what.
    pub counts: TruthCounts,
    /// What was planted.
    pub incidents: Vec<Incident>,
    /// The files by name.
    pub files: BTreeMap<String, FileTruth>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileTruth {
    /// Records in it.
    pub rows: u64,
    /// Its bytes before compression, header included.
    pub bytes: u64,
}

/// Records by several dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TruthCounts {
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

/// The counts under way, by the numbers that things have in the world.
pub(crate) struct Tally {
    start: i64,
    day_rec: Vec<[u64; Rec::ALL.len()]>,
    domains: Vec<u64>,
    /// By VirtualMTA, then by pool, then without either.
    vmtas: Vec<u64>,
    categories: Vec<u64>,
    senders: Vec<u64>,
    no_domain: u64,
    no_sender: u64,
    incidents: Vec<Incident>,
}

impl Tally {
    pub(crate) fn new(world: &World, incidents: &Incidents, start: i64, days: u32) -> Tally {
        Tally {
            start,
            day_rec: vec![[0; Rec::ALL.len()]; days.max(1) as usize],
            domains: vec![0; world.domains.len()],
            vmtas: vec![0; world.vmtas.len() + world.pools.len() + 1],
            categories: vec![0; world.categories.len()],
            senders: vec![0; world.senders.len()],
            no_domain: 0,
            no_sender: 0,
            incidents: incidents.found(),
        }
    }

    /// Counts a record that was written.
    pub(crate) fn add(&mut self, event: &Event, world: &World, incidents: &Incidents) {
        let message = &event.message;
        self.day_rec[((event.time - self.start) / DAY_S) as usize][event.rec as usize] += 1;
        let is_tq = event.rec == Rec::Tq;
        if is_tq {
            self.no_domain += 1
        } else {
            self.domains[message.domain as usize] += 1
        }
        if is_tq || message.is_null_sender {
            self.no_sender += 1
        } else {
            self.senders[usize::from(message.sender)] += 1
        }
        self.categories[usize::from(row::category(world, event))] += 1;
        self.vmtas[match row::sent_by(world, event) {
            SentBy::Vmta(vmta) => usize::from(vmta),
            SentBy::Pool(pool) => world.vmtas.len() + usize::from(pool),
            SentBy::Nobody => world.vmtas.len() + world.pools.len(),
        }] += 1;
        incidents.count(event, world, &mut self.incidents);
    }

    pub(crate) fn truth(
        self,
        world: &World,
        settings: &Options,
        files: BTreeMap<String, FileTruth>,
    ) -> Truth {
        let mut counts = TruthCounts::default();
        let mut recs = BTreeMap::new();
        for (n, of_day) in self.day_rec.iter().enumerate() {
            let day = date(self.start.div_euclid(DAY_S) + n as i64);
            let day = String::from_utf8_lossy(&day);
            for (rec, count) in Rec::ALL.iter().zip(of_day).filter(|(_, count)| **count > 0) {
                counts.rows += count;
                *recs.entry(rec.name()).or_default() += count;
                add(counts.day_rec.entry(day.to_string()).or_default(), rec.name(), *count);
            }
        }
        for (domain, count) in world.domains.iter().zip(self.domains) {
            add(&mut counts.rcpt_domain, &domain.ascii, count);
        }
        for (sender, count) in world.senders.iter().zip(self.senders) {
            add(&mut counts.sender_domain, &sender.domain, count);
        }
        for (category, count) in world.categories.iter().zip(self.categories) {
            add(&mut counts.bounce_cat, category, count);
        }
        let names = world.vmtas.iter().map(|vmta| &*vmta.name);
        let names = names.chain(world.pools.iter().map(|pool| &**pool)).chain([""]);
        for (name, count) in names.zip(self.vmtas) {
            add(&mut counts.vmta, name, count);
        }
        add(&mut counts.rcpt_domain, "", self.no_domain);
        add(&mut counts.sender_domain, "", self.no_sender);
        Truth { settings: arguments(settings), recs, counts, incidents: self.incidents, files }
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    if count > 0 {
        *counts.entry(name.to_owned()).or_default() += count;
    }
}

fn arguments(settings: &Options) -> BTreeMap<&'static str, Value> {
    let compress = match settings.compress {
        Compress::None => None,
        Compress::Gzip => Some("gz"),
        Compress::Zstd => Some("zst"),
    };
    let mut arguments = BTreeMap::from([
        ("seed", json!(settings.seed)),
        ("rows", json!(settings.rows)),
        ("start", json!(settings.start.to_string())),
        ("days", json!(settings.days)),
        ("hours_per_file", json!(settings.hours_per_file)),
        ("max_bytes", json!(settings.max_bytes)),
        ("offset_min", json!(settings.offset_min)),
        ("zone", json!(settings.zone.map(|zone| zone.name()))),
        ("compress", json!(compress)),
        ("host", json!(settings.host)),
        ("split", json!(settings.split)),
        ("incidents", json!(settings.incidents)),
    ]);
    // The samples are of the small world, as it was before there were others.
    match settings.size {
        Size::Small => {}
        Size::Sender => drop(arguments.insert("world", json!("sender"))),
        Size::Esp => drop(arguments.insert("world", json!("esp"))),
    }
    let header = settings.header.map(|header| match header {
        Header::Narrow => "narrow",
        Header::Usual => "usual",
        Header::Wide => "wide",
    });
    arguments.extend(header.map(|header| ("header", json!(header))));
    arguments
}
