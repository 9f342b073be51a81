//! Whether a store holds what its manifests and ledgers say: every part read, every count compared,
//! every day's rollup counted anew. Changes nothing.

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{filter_record_batch, max, min};
use arrow::datatypes::TimestampMillisecondType;
use pmtaq_schema::columns::SITE_DIMENSIONS;
use pmtaq_schema::site::KeptDimensions;
use pmtaq_schema::time::{DAY_S, Day};
use pmtaq_store::layout::Table;
use pmtaq_store::{
    Audit, Change, Encoder, Error, Part, Result, SAYS_REACHED_BY_NAME, SnapshotPart, Store, Writer,
};

use crate::budget::MergeBudget;
use crate::hourly::{HOUR_MS, Hourly};
use crate::rollup::Open;
use crate::tier::Totals;

/// What a check found.
#[derive(Debug, Default)]
pub struct Verified {
    /// Parts that were read.
    pub parts: u64,
    /// Parts that an older version wrote, without a checksum: of these only what cannot be decoded
    /// or counts wrong is found.
    pub unsummed: u64,
    /// Records in them.
    pub records: u64,
    /// Sources whose ledgers were summed up.
    pub sources: u64,
    /// Sentences, each of something that is wrong.
    pub problems: Vec<String>,
    /// Whether a commit was cut short, which is no problem: the next writer does what is left.
    pub is_cut_short: bool,
    /// The days whose list of sources is damaged or missing.
    pub lost_sources: Vec<Day>,
    /// The days whose list of parts is damaged or missing.
    pub lost_parts: Vec<Day>,
    /// Parts that are damaged or missing.
    pub damaged: Vec<(Day, Part)>,
    /// The days whose rollup is not what their records come to.
    pub stale: Vec<Day>,
}

/// Checks all of `store`, with so many bytes of memory, calling `progress` with each day before its
/// parts are read.
///
/// # Errors
/// [`crate::Error::Memory`] when these are too few; else when neither the root nor its copy can be
/// read.
pub fn verify(
    store: &Store,
    memory: u64,
    mut progress: impl FnMut(Day),
) -> std::result::Result<Verified, crate::Error> {
    let budget = MergeBudget::for_what("verify", memory)?;
    let mut audit = store.audit()?;
    let mut verified = Verified {
        sources: audit.sources,
        is_cut_short: audit.is_cut_short,
        lost_sources: audit.lost_sources.iter().map(|(day, _)| *day).collect(),
        lost_parts: audit.lost_parts.iter().map(|(day, _)| *day).collect(),
        ..Verified::default()
    };
    verified.problems.extend(manifests(&audit));
    verified.problems.extend(sums(&audit));
    let mut days: Vec<Day> = audit.parts.iter().map(|part| part.day).collect();
    days.sort();
    days.dedup();
    for day in days {
        progress(day);
        let mut found = check_day(&audit, day, budget);
        // A commit may replace a part while we read: the day is checked as it is then.
        while found.vanished {
            let now = store.audit()?;
            if now.generation == audit.generation {
                break;
            }
            audit = now;
            found = check_day(&audit, day, budget);
        }
        verified.parts += found.parts;
        verified.unsummed += found.unsummed;
        verified.records += found.records;
        verified.problems.extend(found.problems);
        verified.damaged.extend(found.damaged.into_iter().map(|part| (day, part)));
        verified.stale.extend(found.stale.then_some(day));
    }
    Ok(verified)
}

/// Stages what the records of `parts` come to by hour, after `then` has made of them what it does.
pub(crate) fn stage_hourly<'p>(
    writer: &Writer<'_>,
    day: Day,
    parts: impl Iterator<Item = &'p SnapshotPart>,
    change: &mut Change,
    budget: MergeBudget,
    then: impl Fn(&RecordBatch) -> RecordBatch,
) -> Result<()> {
    let (mut open, mut encoder) = (Open::default(), Encoder::new()?);
    for part in parts {
        for batch in part.rows()? {
            open.add_records(&then(&batch?), writer.kept());
            open.keep_within(budget.hourly_rows, day, writer, &mut encoder)?;
        }
    }
    for part in open.close(day, writer)? {
        change.parts.extend(part.sync()?);
    }
    Ok(())
}

/// What is wrong with the manifests themselves.
fn manifests(audit: &Audit) -> Vec<String> {
    let mut problems: Vec<String> = audit
        .root
        .iter()
        .map(|error| format!("{}; the other of the two was read", error_text(error)))
        .collect();
    for (day, error) in &audit.lost_parts {
        let said = error_text(error);
        problems.push(format!("{said}: it lists the parts of {day}, which no question can read"));
    }
    for (day, error) in &audit.lost_sources {
        let said = error_text(error);
        problems.push(format!(
            "{said}: it lists the files that begin on {day}, of which none is taken now"
        ));
    }
    problems
}

/// An error with its cause, on one line.
pub(crate) fn error_text(error: &Error) -> String {
    match error {
        Error::Io { path, source } => format!("{}: {source}", path.display()),
        other => other.to_string(),
    }
}

/// What is wrong with the counts, before any part is opened.
fn sums(audit: &Audit) -> Vec<String> {
    let mut problems = Vec::new();
    let ledger = audit.ledger;
    problems.extend(audit.unbalanced.iter().map(ToString::to_string));
    let rows = |table| -> u64 {
        audit.parts.iter().filter(|p| p.part.table == table).map(|p| p.part.rows).sum()
    };
    let comparable = audit.lost_parts.is_empty() && audit.lost_sources.is_empty();
    let of_tables = [
        (Table::Records, ledger.stored, audit.removed.records),
        (Table::Rejects, ledger.kept_rejects(), audit.removed.rejects),
    ];
    for (table, counted, removed) in of_tables.into_iter().filter(|_| comparable) {
        let found = rows(table);
        if found + removed != counted {
            problems.push(format!(
                "{table}: the ledgers of the sources count {counted} rows; the parts hold {found} \
                 and {removed} were removed, which makes {}",
                found + removed
            ));
        }
    }
    let is_lost = |day: &Day| audit.lost_parts.iter().any(|(lost, _)| lost == day);
    for (day, rows) in audit.rows.iter().filter(|(day, _)| !is_lost(day)) {
        let parts = audit.parts.iter().filter(|p| p.day == *day && p.part.table == Table::Records);
        let found: u64 = parts.map(|part| part.part.rows).sum();
        if found != *rows {
            problems.push(format!("{day}: the root counts {rows} records, its parts {found}"));
        }
    }
    let mut names: Vec<&str> = audit.parts.iter().map(|part| part.part.name.as_str()).collect();
    names.sort_unstable();
    for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
        problems.push(format!("the part {} is named twice", pair[0]));
    }
    for path in &audit.strays {
        let path = path.display();
        problems.push(format!("{path}: no manifest names it; tools that read by a glob count it"));
    }
    problems
}

/// What was found of a day.
#[derive(Default)]
struct DayCheck {
    parts: u64,
    unsummed: u64,
    records: u64,
    problems: Vec<String>,
    damaged: Vec<Part>,
    stale: bool,
    /// A part is not there.
    vanished: bool,
}

fn check_day(audit: &Audit, day: Day, budget: MergeBudget) -> DayCheck {
    let mut found = DayCheck::default();
    let parts = || audit.parts.iter().filter(|part| part.day == day);
    // What the rollup has and what the records come to are held at once, as many hours of both as
    // there is room for. More of them need the records to be read again.
    let rows: u64 = parts().filter(|p| p.part.table == Table::Hourly).map(|p| p.part.rows).sum();
    let passes = (2 * rows).div_ceil(budget.hourly_rows as u64).clamp(1, 24);
    // What an older version thought of who was reached is not what the records come to today.
    let has_reached = parts()
        .filter(|p| p.part.table == Table::Hourly)
        .all(|p| p.part.derived >= SAYS_REACHED_BY_NAME);
    let kept = kept_by(parts().filter(|p| p.part.table == Table::Hourly));
    let mut share = Share::new(0, passes, has_reached, kept.as_ref());
    let mut totals = Totals::default();
    for part in parts() {
        let result = check_part(part, |batch| {
            share.add(part.part.table, batch);
            totals.add(&part.part, batch);
        });
        found.parts += 1;
        found.unsummed += u64::from(part.part.checksum.is_none());
        match result {
            Ok(problems) => found.problems.extend(problems),
            Err(error) => {
                found.vanished |= error.is_missing_file();
                let (said, rows, table) = (error_text(&error), part.part.rows, part.part.table);
                found.problems.push(format!("{said}; it holds {rows} rows of {table} of {day}"));
                found.damaged.push(part.part.clone());
            }
        }
        if part.part.table == Table::Records {
            found.records += part.part.rows;
        }
    }
    for part in parts().map(|part| &part.part).filter(|part| totals.differ(part)) {
        let (table, name) = (part.table, &part.name);
        found.problems.push(format!("{day}: {table} {name} is not what its hours come to"));
        found.damaged.push(part.clone());
    }
    // Of a day that has lost records for their age, the rollup knows more than they do.
    let comparable = found.problems.is_empty() && !audit.pruned.contains(&day);
    let mut differs = comparable && share.differs();
    for pass in 1..if comparable { passes } else { 0 } {
        let mut share = Share::new(pass, passes, has_reached, kept.as_ref());
        for part in parts().filter(|part| part.part.table != Table::Rejects) {
            // It was sound a moment ago.
            if let Err(error) = share.add_all(part) {
                found.vanished |= error.is_missing_file();
                found.problems.push(error_text(&error));
            }
        }
        differs |= share.differs();
    }
    if differs && found.problems.is_empty() {
        found.stale = true;
        found.problems.push(format!("{day}: the rollup is not what the records come to"));
    }
    found
}

/// The dimensions of the site that all of these parts of `hourly` have; none when they are not the same.
fn kept_by<'p>(mut parts: impl Iterator<Item = &'p SnapshotPart>) -> Option<KeptDimensions> {
    let Some(first) = parts.next() else { return Some(KeptDimensions::default()) };
    let site = &first.part.site;
    parts
        .all(|part| part.part.site == *site)
        .then(|| KeptDimensions::new(site.clone()).ok())
        .flatten()
}

/// Some hours of a day as its records come to them, and as its rollup has them.
struct Share<'k> {
    /// Which hours, by what is left when their number is divided by `passes`.
    pass: i64,
    passes: i64,
    /// Whether both say by the same rule if a receiver was reached; else nothing is made of it.
    has_reached: bool,
    /// The dimensions of the site by which both are told apart; none where that cannot be.
    kept: Option<&'k KeptDimensions>,
    counted: Hourly,
    stored: Hourly,
}

impl<'k> Share<'k> {
    fn new(
        pass: u64,
        passes: u64,
        has_reached: bool,
        kept: Option<&'k KeptDimensions>,
    ) -> Share<'k> {
        let (pass, passes) = (pass.cast_signed(), passes.cast_signed());
        let (counted, stored) = (Hourly::default(), Hourly::default());
        Share { pass, passes, has_reached, kept, counted, stored }
    }

    fn add(&mut self, table: Table, batch: &RecordBatch) {
        match table {
            Table::Records => {
                let batch = self.of(batch, "time_logged");
                self.counted.add_records(&batch, self.kept.unwrap_or(&KeptDimensions::default()));
            }
            Table::Hourly => self.stored.add_hourly(&self.of(batch, "hour")),
            Table::DailySenders | Table::DailyDomains | Table::Rejects => {}
        }
    }

    fn add_all(&mut self, part: &SnapshotPart) -> Result<()> {
        for batch in part.rows()? {
            self.add(part.part.table, &batch?);
        }
        Ok(())
    }

    /// The rows of its hours.
    fn of(&self, batch: &RecordBatch, time: &str) -> RecordBatch {
        let reached: &[_] = if self.has_reached { &[] } else { &REACHED };
        let site: &[_] = if self.kept.is_some() { &[] } else { &[SITE_DIMENSIONS] };
        let batch = &without(batch, &[reached, site].concat());
        let times = batch.column_by_name(time).filter(|_| self.passes > 1);
        let Some(times) = times else { return batch.clone() };
        let times = times.as_primitive::<TimestampMillisecondType>();
        let is_mine = |ms: i64| ms.div_euclid(HOUR_MS).rem_euclid(self.passes) == self.pass;
        let mine: BooleanArray = times.iter().map(|time| Some(time.is_some_and(is_mine))).collect();
        filter_record_batch(batch, &mine).expect("one flag a row")
    }

    fn differs(&mut self) -> bool {
        self.counted.take() != self.stored.take()
    }
}

/// What says whether a receiver was reached.
const REACHED: [&str; 3] = ["reached", "dlv_destination_ip", "dsn_mta"];

/// A batch without the columns of these names.
fn without(batch: &RecordBatch, names: &[&str]) -> RecordBatch {
    let says = |name: &str| names.contains(&name);
    let schema = batch.schema();
    let kept = (0..batch.num_columns()).filter(|&at| !says(schema.field(at).name()));
    batch.project(&kept.collect::<Vec<_>>()).expect("columns of the batch")
}

/// Reads a part and compares it with its manifest.
fn check_part(part: &SnapshotPart, mut rows: impl FnMut(&RecordBatch)) -> Result<Vec<String>> {
    let reader = part.rows()?;
    let time = match part.part.table {
        Table::Records => "time_logged",
        Table::Hourly | Table::DailySenders | Table::DailyDomains => "hour",
        Table::Rejects => "ingested_at",
    };
    let (mut count, mut least, mut greatest) = (0, i64::MAX, i64::MIN);
    for batch in reader {
        let batch = batch?;
        count += batch.num_rows() as u64;
        let times =
            batch.column_by_name(time).map(|t| t.as_primitive::<TimestampMillisecondType>());
        least = least.min(times.and_then(min).unwrap_or(i64::MAX));
        greatest = greatest.max(times.and_then(max).unwrap_or(i64::MIN));
        rows(&batch);
    }
    let (since, until) = (part.part.since, part.part.until);
    let path = part.path.display();
    let mut problems = Vec::new();
    if count != part.part.rows {
        problems.push(format!("{path}: {count} rows; its manifest says {}", part.part.rows));
    }
    let day = part.day.start().0..part.day.start().0 + DAY_S;
    let (least, greatest) = (least.div_euclid(1000), greatest.div_euclid(1000));
    let inside =
        since <= least && greatest <= until && day.contains(&least) && day.contains(&greatest);
    if count > 0 && !inside {
        problems
            .push(format!("{path}: holds times outside its day or outside what its manifest says"));
    }
    Ok(problems)
}
