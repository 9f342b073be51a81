//! Reads the records of some periods, if these can be counted in memory. Counts nothing.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, StringArray,
};
use arrow::datatypes::{Field as Column, Int32Type, TimestampMillisecondType, UInt64Type};
use pmtaq_schema::numbers::NumberSet;
use pmtaq_schema::time::Day;
use pmtaq_schema::{Record, Window};
use pmtaq_store::{Facts, PartFooter, SnapshotPart};

use super::held::{Extent, Leaves, Piece};
use super::names::{Combined, FieldNames, LocalNumbers, Names, Of, hash};
use super::row::{Age, Message, Reception, Row, What};
use crate::error::Result;
use crate::hashes::Hashes;
use crate::selection::Selection;
use crate::session::Session;
use crate::why::{Ask, Period, Why};

/// The columns whose names are numbered, and as what.
const NAMED: [(&str, Of); 10] = [
    ("provider", Of::Provider),
    ("sender_domain", Of::SenderDomain),
    ("job_id", Of::Job),
    ("vmta_pool", Of::Vmta),
    ("vmta", Of::Vmta),
    ("dlv_source_ip", Of::SourceIp),
    ("rcpt_domain", Of::RcptDomain),
    ("bounce_cat", Of::Category),
    ("bounce_class", Of::Class),
    ("host", Of::Host),
];
/// What says which records count: of a row group that is of one period its times say nothing.
const TYPE: &str = "rec";
const TIME: &str = "time_logged";
/// What tells messages apart.
const OF_MESSAGE: [&str; 2] = ["message_key", "time_queued"];
/// What says whether an attempt reached a receiver.
const OF_REACHED: [&str; 4] = ["dlv_destination_ip", "dsn_mta", "bounce_origin", "smtp_code"];

/// The types of attempts by which a message is known to have more than deliveries.
const NOT_DELIVERED: [Record; 2] = [Record::Bounce, Record::Deferral];

/// The bytes of records that are alike.
const RECORD_BYTES: u64 = 20;

/// A row group to be read.
#[derive(Clone, Copy)]
struct Unit<'f> {
    footer: &'f PartFooter,
    group: usize,
    /// That of all its records, if its times say so.
    period: Option<u8>,
}

/// A period in milliseconds: what the session answers about of it, and when it begins.
struct Span {
    since: i64,
    until: i64,
    begins: i64,
}

/// A record that counts.
#[derive(Clone, Copy)]
struct Counted {
    /// Its number in the batch.
    row: usize,
    period: u8,
}

/// What all threads know.
struct Load {
    tells_reached: bool,
    /// By period.
    spans: Vec<Span>,
    names: [Mutex<FieldNames>; 9],
    campaigns: Mutex<Combined<2>>,
    paths: Mutex<Combined<4>>,
    /// The recipient domains and providers of attempts.
    hosts: Mutex<NumberSet<(u32, u32)>>,
    /// The messages that have more than deliveries, once they are known.
    several: Option<Hashes>,
    /// How many records that are not alike there is room for, and how many there are.
    room: u64,
    n: AtomicU64,
}

impl Session {
    /// Whether records of a type may be logged in what the session answers about, as the parts say.
    pub fn may_log(&self, rec: Record) -> bool {
        let has_some = |facts: &Facts| facts.rows().any(|(_, of, n)| of == rec.as_str() && n > 0);
        self.said_of_any(|facts| Some(has_some(facts))) != Some(false)
    }

    /// The records that the statements `asks` of `why` count, of which `selection` lets all through; none where all of these
    /// statements have to be asked of the engine. `for_others` says whether other metrics are asked of the same records.
    ///
    /// # Errors
    /// [`crate::Error::Vanished`] and [`crate::Error::Elsewhere`] for a part that cannot be had;
    /// [`crate::Error::Interrupted`] and [`crate::Error::Timeout`]. Of one that cannot be read the engine has to tell.
    pub fn leaves(
        &self,
        why: &Why,
        asks: &[Ask],
        selection: &Selection,
        for_others: bool,
    ) -> Result<Option<Rc<Leaves>>> {
        // What was queued, where nothing says what was injected, the engine counts beside them.
        let is_counted = |ask: &Ask| ask.is_in_memory() || *ask == Ask::Queued;
        // Parts of older versions, and classes of the site, are read by statements.
        let is_plain = self.has_keys() && self.replaced.is_empty();
        let is_all = *selection == Selection::default();
        let is_askable = why.by.is_none() && why.mark.is_none() && asks.iter().all(is_counted);
        if !(is_plain && is_all && is_askable) {
            return Ok(None);
        }
        let of = Extent {
            periods: why.periods.clone(),
            window: self.window.get(),
            tells_reached: why.reached || for_others,
        };
        if let Some(leaves) = self.leaves.borrow().as_ref().filter(|leaves| leaves.are_of(&of)) {
            return Ok(Some(leaves.clone()));
        }
        // Where the rollup answers, records need not be read for it alone.
        let by_hours = |ask: &Ask| Ok(self.reads_hours(&why.query(*ask, selection)?));
        let by_hours = asks.iter().map(by_hours).collect::<Result<Vec<bool>>>()?;
        if !for_others && by_hours.into_iter().all(|by| by) {
            return Ok(None);
        }
        // What is held is given back before.
        self.leaves.take();
        let leaves = load(self, of)?.map(Rc::new);
        self.leaves.replace(leaves.clone());
        Ok(leaves)
    }
}

/// The records of `of`; none where they would take too much memory, or have more names than there are numbers for.
fn load(session: &Session, of: Extent) -> Result<Option<Leaves>> {
    let within = |(_, window): &Period| Window {
        since: window.since.max(of.window.since),
        until: window.until.min(of.window.until),
    };
    let windows: Vec<Window> = of.periods.iter().map(within).collect();
    let records = &session.opened[0];
    let meets = |part: &&SnapshotPart| windows.iter().any(|window| part.meets(*window));
    let parts: Vec<&SnapshotPart> = records.parts().filter(meets).collect();
    let room = session.limits.room_beside(RECORD_BYTES);
    let n: u64 = session.alike(&parts).iter().map(|part| n_within(part, &windows)).sum();
    if n > room || windows.len() > usize::from(u8::MAX) {
        return Ok(None);
    }
    let Some(footers) = records.footers(&parts)? else { return Ok(None) };
    let spans = windows.iter().zip(&of.periods).map(|(read, (_, period))| Span {
        since: read.since.millis(),
        until: read.until.millis(),
        begins: period.since.millis(),
    });
    let spans: Vec<Span> = spans.collect();
    // Which messages have more than deliveries is known first: no other message has to be told apart.
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for footer in &footers {
        let with = |types: &[Record]| -> BTreeSet<usize> {
            windows.iter().flat_map(|window| footer.groups_with(*window, types)).collect()
        };
        let others = with(&NOT_DELIVERED);
        for group in with(&Record::ALL) {
            let list = if others.contains(&group) { &mut first } else { &mut rest };
            let period = footer.times(group).and_then(|times| Span::of_all(&spans, times));
            list.push(Unit { footer, group, period });
        }
    }
    let mut load = Load {
        tells_reached: of.tells_reached,
        spans,
        names: Names::to_be_learnt(),
        campaigns: Mutex::new(Combined::new()),
        paths: Mutex::new(Combined::new()),
        hosts: Mutex::default(),
        several: None,
        room,
        n: AtomicU64::new(0),
    };
    // What is wrong with a part the engine says best.
    let Some(mut pieces) = session.of_each(&first, |unit| load.piece(*unit))? else {
        return Ok(None);
    };
    let several: Hashes = pieces.iter().flat_map(Piece::not_delivered).collect();
    pieces.iter_mut().for_each(|piece| {
        piece.follow(&several);
        piece.end();
    });
    load.several = Some(several);
    let Some(others) = session.of_each(&rest, |unit| load.piece(*unit))? else { return Ok(None) };
    pieces.extend(others);
    let names = Names::learnt(load.names);
    let hosts = load.hosts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let hosts = first_by_name(&names, hosts);
    let campaigns = load.campaigns.into_inner().unwrap_or_else(PoisonError::into_inner).of;
    let paths = load.paths.into_inner().unwrap_or_else(PoisonError::into_inner).of;
    let threads = session.limits.threads;
    Ok(Some(Leaves { of, pieces, names, campaigns, paths, hosts, threads }))
}

/// See [`Leaves::hosts`].
fn first_by_name(names: &Names, pairs: NumberSet<(u32, u32)>) -> Vec<u32> {
    let mut by_name: Vec<u32> = (1..names.n(Of::Provider)).map(|number| number as u32).collect();
    by_name.sort_by_key(|number| names.name(Of::Provider, *number));
    // By number, which it is in the order of names.
    let mut ranks = vec![0; names.n(Of::Provider)];
    (1..).zip(&by_name).for_each(|(rank, number)| ranks[*number as usize] = rank);
    let mut hosts = vec![0; names.n(Of::RcptDomain)];
    for (domain, provider) in pairs {
        let host = &mut hosts[domain as usize];
        if *host == 0 || ranks[provider as usize] < ranks[*host as usize] {
            *host = provider;
        }
    }
    hosts
}

/// About how many records a part has in the windows.
fn n_within(part: &SnapshotPart, windows: &[Window]) -> u64 {
    let (since, until) = (part.part.since, part.part.until + 1);
    let overlap = |window: &Window| (window.until.0.min(until) - window.since.0.max(since)).max(0);
    let seconds: i64 = windows.iter().map(overlap).sum();
    (part.part.rows as f64 * seconds as f64 / (until - since).max(1) as f64) as u64
}

impl Session {
    /// The parts of the rollup beside these of records, where it is there: as many rows as it has are not alike. Else
    /// these.
    fn alike<'s>(&'s self, records: &[&'s SnapshotPart]) -> Vec<&'s SnapshotPart> {
        if !self.has_hours {
            return records.to_vec();
        }
        let days: BTreeSet<Day> = records.iter().map(|part| part.day).collect();
        self.opened[1].parts().filter(|part| days.contains(&part.day)).collect()
    }
}

impl Span {
    /// The number of the span in which all of a stretch of times lies, the least and the greatest of which are given,
    /// and no other before it. Of several a record is of the first.
    fn of_all(spans: &[Span], (least, most): (i64, i64)) -> Option<u8> {
        let meets = |span: &Span| span.since <= most && least < span.until;
        let number = spans.iter().position(meets)?;
        let span = &spans[number];
        (span.since <= least && most < span.until).then_some(number as u8)
    }
}

impl Load {
    /// The records of a row group; none when they cannot be had, or are too many.
    fn piece(&self, unit: Unit<'_>) -> Option<Piece> {
        let piece = self.try_piece(unit)?;
        let n = piece.n() as u64;
        (self.n.fetch_add(n, Ordering::Relaxed) + n <= self.room).then_some(piece)
    }

    fn try_piece(&self, Unit { footer, group, period }: Unit<'_>) -> Option<Piece> {
        let is_read = |column: &Column| {
            let name = column.name().as_str();
            name == TYPE
                || name == TIME && period.is_none()
                || OF_MESSAGE.contains(&name)
                || NAMED.iter().any(|(named, _)| *named == name)
                || self.tells_reached && OF_REACHED.contains(&name)
        };
        let mut known = OfGroup {
            numbers: Default::default(),
            campaigns: LocalNumbers::of(&self.campaigns),
            paths: LocalNumbers::of(&self.paths),
            hosts: NumberSet::default(),
        };
        let mut piece = Piece::default();
        for batch in footer.group(group, is_read).ok()? {
            let batch = batch.ok()?;
            let counted = match period {
                Some(period) => (0..batch.num_rows()).map(|row| Counted { row, period }).collect(),
                None => self.counted(&batch),
            };
            self.take(&batch, &counted, period.is_some(), &mut known, &mut piece)?;
        }
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).extend(known.hosts);
        if self.several.is_some() {
            piece.end();
        }
        Some(piece)
    }

    /// Those records of a batch that are of a period.
    fn counted(&self, batch: &RecordBatch) -> Vec<Counted> {
        let times = batch[TIME].as_primitive::<TimestampMillisecondType>().values();
        let counted = |(row, time): (usize, &i64)| {
            let is_in = |span: &Span| span.since <= *time && *time < span.until;
            let period = self.spans.iter().position(is_in)?;
            Some(Counted { row, period: period as u8 })
        };
        times.iter().enumerate().filter_map(counted).collect()
    }

    /// Adds some records of a batch; none when there are more names than numbers. `is_whole` says whether all records of
    /// its row group count.
    fn take(
        &self,
        batch: &RecordBatch,
        counted: &[Counted],
        is_whole: bool,
        known: &mut OfGroup<'_>,
        piece: &mut Piece,
    ) -> Option<()> {
        let OfGroup { numbers, campaigns, paths, hosts } = known;
        for ((name, of), numbers) in NAMED.iter().zip(numbers.iter_mut()) {
            let field = &self.names[*of as usize];
            numbers.learn(&batch[*name], counted, is_whole, field, of.most())?;
        }
        let [providers, senders, jobs, pools, vmtas, ips, domains, categories, classes, mtas] =
            numbers.each_ref().map(|numbers| &numbers.of_rows[..]);
        let recs = batch[TYPE].as_dictionary::<Int32Type>();
        let rec_of_key: Vec<Option<Record>> = recs
            .values()
            .as_string::<i32>()
            .iter()
            .map(|rec| Record::parse(rec?.as_bytes()))
            .collect();
        let queued = batch["time_queued"].as_primitive::<TimestampMillisecondType>();
        let queued_at = |row: usize| queued.is_valid(row).then(|| queued.value(row));
        let keys = batch["message_key"].as_primitive::<UInt64Type>();
        let message = |of: &Counted| {
            let key = keys.is_valid(of.row).then(|| keys.value(of.row));
            Message::new(of.period, key, queued_at(of.row))
        };
        let messages: Vec<Message> = counted.iter().map(message).collect();
        // All are looked for before, since the processor waits for the memory of several at once then.
        let is_several = |message: &Message| match &self.several {
            Some(several) => several.may_contain(message.0),
            None => true,
        };
        let are_several: Vec<bool> = messages.iter().map(is_several).collect();
        let reached = self.tells_reached.then(|| OfReached::new(batch));
        let keys = batch["rcpt_domain"].as_dictionary::<Int32Type>();
        // The provider by the key of the domain, which seldom has a second one.
        let mut last_hosts = vec![0; keys.values().len()];
        for (at, &Counted { row, period }) in counted.iter().enumerate() {
            let Some(rec) = recs.key(row).and_then(|key| rec_of_key[key]) else { continue };
            let (provider, rcpt_domain) = (providers[at], domains[at]);
            let campaign = campaigns.number([senders[at], jobs[at]]);
            let path = paths.number([pools[at], vmtas[at], ips[at], mtas[at]]);
            let path = u16::try_from(path).ok()?;
            if rec == Record::Reception {
                piece.receive(Reception { provider, rcpt_domain, campaign, path, period });
                continue;
            }
            if rec.is_attempt()
                && provider != 0
                && let Some(key) = keys.key(row)
                && last_hosts[key] != provider
            {
                hosts.insert((rcpt_domain, provider));
                last_hosts[key] = provider;
            }
            let age = match queued_at(row) {
                None => Age::Unknown,
                Some(queued) if queued < self.spans[usize::from(period)].begins => Age::Carried,
                Some(_) => Age::Fresh,
            };
            let record = Row {
                provider,
                campaign,
                path,
                // There are no more numbers than fit, see `Of::most`.
                bounce_cat: categories[at] as u8,
                bounce_class: classes[at] as u8,
                period,
                what: What::new(rec, age, reached.as_ref().is_some_and(|of| of.at(row, rec))),
            };
            let message = messages[at];
            let is_several = are_several[at]
                && self.several.as_ref().is_none_or(|several| several.contain(message.0));
            piece.add(record, message, is_several);
        }
        Some(())
    }
}

/// What is known of a row group while it is read.
struct OfGroup<'l> {
    numbers: [Numbers; NAMED.len()],
    campaigns: LocalNumbers<'l, 2>,
    paths: LocalNumbers<'l, 4>,
    hosts: NumberSet<(u32, u32)>,
}

/// The numbers of the names of a column.
#[derive(Default)]
struct Numbers {
    /// Of those in its dictionary, by key; [`UNKNOWN`] of a name that no record had that is counted.
    of: Vec<u32>,
    /// The dictionary.
    names: Option<StringArray>,
    /// Of each record of a batch that counts, 0 without a name.
    of_rows: Vec<u32>,
}

const UNKNOWN: u32 = u32::MAX;

impl Numbers {
    /// Learns those of a batch, whose dictionary most often is that of the last, for the records that count; none when
    /// there are more than `most`.
    fn learn(
        &mut self,
        column: &ArrayRef,
        counted: &[Counted],
        is_whole: bool,
        field: &Mutex<FieldNames>,
        most: u32,
    ) -> Option<()> {
        let column = column.as_dictionary::<Int32Type>();
        let names = column.values().as_string::<i32>();
        // The reader wraps the same texts in an array of its own for each batch.
        let is_known = self.names.as_ref().is_some_and(|known| {
            known.offsets().ptr_eq(names.offsets()) && known.values().ptr_eq(names.values())
        });
        if !is_known {
            self.names = Some(names.clone());
            self.of.clear();
            self.of.resize(column.values().len(), UNKNOWN);
        }
        if is_whole && !is_known {
            // All that a dictionary has are names of its row group.
            self.number(names, 0..names.len(), field, most)?;
        }
        self.translate(column, counted);
        if self.of_rows.contains(&UNKNOWN) {
            let keys = counted.iter().filter_map(|of| column.key(of.row));
            self.number(names, keys, field, most)?;
            self.translate(column, counted);
        }
        Some(())
    }

    /// Numbers the names of some keys that have none yet; none when there are more than `most`.
    fn number(
        &mut self,
        names: &StringArray,
        keys: impl Iterator<Item = usize>,
        field: &Mutex<FieldNames>,
        most: u32,
    ) -> Option<()> {
        let mut new = Vec::new();
        for key in keys {
            if self.of[key] == UNKNOWN {
                self.of[key] = 0;
                new.push((key, hash(names.value(key))));
            }
        }
        // All hashes are known before, since the processor waits for the memory of several names at once then.
        let mut field = field.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, hash) in new {
            self.of[key] = field.number(hash, names.value(key), most)?;
        }
        Some(())
    }

    /// Sets the numbers of the records that count.
    fn translate(&mut self, column: &DictionaryArray<Int32Type>, counted: &[Counted]) {
        let keys = column.keys().values();
        let number = |of: &Counted| self.of[keys[of.row] as usize];
        self.of_rows.clear();
        match column.nulls() {
            None => self.of_rows.extend(counted.iter().map(number)),
            Some(nulls) => {
                let has = |of: &Counted| nulls.is_valid(of.row);
                let numbers = counted.iter().map(|of| if has(of) { number(of) } else { 0 });
                self.of_rows.extend(numbers);
            }
        }
    }
}

/// Which attempts of a batch reached a receiver, by the columns of [`OF_REACHED`].
struct OfReached<'b> {
    destination_ip: &'b dyn Array,
    mta: &'b dyn Array,
    code: &'b dyn Array,
    origin: &'b Int32Array,
    /// By key of the origin, whether it is the receiver's word.
    is_of_receiver: Vec<bool>,
}

impl<'b> OfReached<'b> {
    fn new(batch: &'b RecordBatch) -> OfReached<'b> {
        let [destination_ip, mta, origin, code] = OF_REACHED.map(|name| &*batch[name]);
        let origin = origin.as_dictionary::<Int32Type>();
        let origins = origin.values().as_string::<i32>().iter();
        let is_of_receiver = origins.map(|of| of == Some("receiver")).collect();
        OfReached { destination_ip, mta, code, origin: origin.keys(), is_of_receiver }
    }

    /// As the macro `reached_receiver`.
    fn at(&self, row: usize, rec: Record) -> bool {
        let origin = self.origin.is_valid(row).then(|| self.origin.value(row) as usize);
        self.destination_ip.is_valid(row)
            || origin.is_some_and(|key| self.is_of_receiver[key])
            || rec == Record::Delivery && self.code.is_valid(row)
            || self.mta.is_valid(row) && origin.is_none()
    }
}
