//! A writer that rotates its files in every way that PMTA and logrotate do, between any two system
//! calls of an ingest: in the end each record is stored, and once.
//!
//! All follows from a seed: one thread, a clock that the writer moves, and what the writer does
//! before which call. `PMTAQ_ROTATIONS=1000` runs so many seeds.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, and plays the one who rotates"
)]

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use arrow::array::AsArray;
use pmtaq_ingest::{DEFAULT_MEMORY, Hook, Left, Outcome, Privacy, Settings, ingest, verify};
use pmtaq_schema::provider::Providers;
use pmtaq_schema::{Timestamp, Window};
use pmtaq_store::layout::Table;
use pmtaq_store::{Disk, PartReader, Store};

const HEADER: &str = "type,timeLogged,rcpt,dsnDiag\r\n";

/// Numbers that look random, and are the same again for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % n
    }
}

/// One change that somebody makes to a file or to its name.
enum Step {
    /// Bytes at the end of the live file.
    Append(Vec<u8>),
    Create,
    /// From now on another file is the live one.
    Live(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Unlink(PathBuf),
    /// The part of a file between two shares of its length, to the end of another.
    Copy(PathBuf, PathBuf, u64, u64),
    /// Bytes at the end of a file.
    Add(PathBuf, Vec<u8>),
    /// A file gets the time of another, as gzip gives it.
    Date(PathBuf, PathBuf),
    Truncate,
}

/// The ways to rotate.
const WAYS: u64 = 8;

/// Who writes accounting files, and who rotates them.
struct Mta {
    random: Random,
    dir: PathBuf,
    live: PathBuf,
    file: Option<File>,
    /// Seconds since 1970, as all files get them.
    clock: i64,
    /// Records begun so far.
    records: u64,
    rotations: u64,
    rotated: Vec<PathBuf>,
    steps: VecDeque<Step>,
    /// System calls of ingest so far in this run.
    calls: u64,
    plan: Plan,
}

/// When the writer works.
enum Plan {
    Never,
    /// Before each call, one step in so many.
    Often(u64),
    /// Before this call, a whole rotation and some records.
    At(u64),
}

impl Mta {
    fn new(seed: u64, dir: PathBuf) -> Mta {
        fs::create_dir_all(dir.join("done")).unwrap();
        let live = dir.join("acct.csv");
        let mut mta = Mta {
            random: Random(seed),
            dir,
            live,
            file: None,
            clock: 1_772_600_000,
            records: 0,
            rotations: 0,
            rotated: Vec::new(),
            steps: VecDeque::new(),
            calls: 0,
            plan: Plan::Never,
        };
        mta.begin_file();
        mta.finish();
        mta
    }

    fn record(&mut self) -> Vec<u8> {
        self.records += 1;
        let (n, second) = (self.records, self.records % 60);
        let reply = match self.random.below(8) {
            0 => "\"smtp;250 two\r\nlines, and \"\"quotes\"\"\"",
            _ => "smtp;250 ok",
        };
        format!("d,2026-03-04 10:00:{second:02}+0000,u{n:06}@example.org,{reply}\r\n").into_bytes()
    }

    /// Some records at the end of the live file, each written at once or in two pieces.
    fn write(&mut self) {
        let many = [1, 4, 40][self.random.below(3) as usize];
        for _ in 0..1 + self.random.below(many) {
            let mut record = self.record();
            if self.random.below(3) == 0 {
                let at = 1 + self.random.below(record.len() as u64 - 1) as usize;
                let rest = record.split_off(at);
                self.steps.extend([Step::Append(record), Step::Append(rest)]);
            } else {
                self.steps.push_back(Step::Append(record));
            }
        }
    }

    fn begin_file(&mut self) {
        self.steps.extend([Step::Create, Step::Append(HEADER.into())]);
    }

    fn rotate(&mut self) {
        self.rotations += 1;
        let (live, n) = (self.live.clone(), self.rotations);
        let rotated = self.dir.join(format!("acct-2026-03-04-{n:04}.csv"));
        match self.random.below(WAYS) {
            // PMTA begins the next file, and leaves this one where it is.
            0 => {
                self.steps.push_back(Step::Live(rotated));
                self.rotated.push(live);
                return self.begin_file();
            }
            // PMTA's `move-to`.
            1 => {
                let moved = self.dir.join("done").join(rotated.file_name().unwrap());
                self.steps.push_back(Step::Rename(live, moved.clone()));
                self.rotated.push(moved);
            }
            // logrotate with a date.
            2 => {
                self.steps.push_back(Step::Rename(live, rotated.clone()));
                self.rotated.push(rotated);
            }
            // logrotate with numbers: all names move on by one.
            3 => {
                let numbered = |n: usize| self.dir.join(format!("numbered.csv.{n}"));
                let count = (1..).take_while(|&n| numbered(n).exists()).count();
                for n in (1..=count).rev() {
                    self.steps.push_back(Step::Rename(numbered(n), numbered(n + 1)));
                }
                self.steps.push_back(Step::Rename(live, numbered(1)));
            }
            // `copytruncate`.
            4 => {
                self.copy(&live, &rotated);
                self.rotated.push(rotated);
                self.steps.push_back(Step::Truncate);
                return self.steps.push_back(Step::Append(HEADER.into()));
            }
            // Copied and deleted, as between file systems.
            5 => {
                self.copy(&live, &rotated);
                self.steps.push_back(Step::Unlink(live));
                self.rotated.push(rotated);
            }
            // A second name, and then the first one goes.
            6 => {
                self.steps.extend([Step::Link(live.clone(), rotated.clone()), Step::Unlink(live)]);
                self.rotated.push(rotated);
            }
            // An older file is compressed, in steps.
            _ => {
                let Some(old) = self.rotated.pop() else { return };
                let content = fs::read(&old).unwrap();
                let fast = flate2::Compression::fast();
                let mut gz = flate2::write::GzEncoder::new(Vec::new(), fast);
                gz.write_all(&content).unwrap();
                let (gz, name) =
                    (gz.finish().unwrap(), PathBuf::from(format!("{}.gz", old.display())));
                for part in gz.chunks(1 + gz.len() / 4) {
                    self.steps.push_back(Step::Add(name.clone(), part.to_vec()));
                }
                return self.steps.extend([Step::Date(old.clone(), name), Step::Unlink(old)]);
            }
        }
        self.begin_file();
    }

    fn copy(&mut self, from: &Path, to: &Path) {
        for part in 0..4 {
            self.steps.push_back(Step::Copy(from.to_owned(), to.to_owned(), part, 4));
        }
    }

    fn step(&mut self) {
        if self.steps.is_empty() {
            match self.random.below(3) {
                0 => self.rotate(),
                _ => self.write(),
            }
        }
        let Some(step) = self.steps.pop_front() else { return };
        self.clock += self.random.below(3) as i64;
        let time = UNIX_EPOCH + Duration::from_secs(self.clock as u64);
        let add = |path: &Path, bytes: &[u8]| {
            let mut file = File::options().append(true).create(true).open(path).unwrap();
            file.write_all(bytes).unwrap();
            file.set_modified(time).unwrap();
        };
        match step {
            Step::Append(bytes) => {
                let file = self.file.as_mut().unwrap();
                file.write_all(&bytes).unwrap();
                file.set_modified(time).unwrap();
            }
            Step::Create => {
                let mut options = File::options();
                let file = options.append(true).create_new(true).open(&self.live).unwrap();
                file.set_modified(time).unwrap();
                self.file = Some(file);
            }
            Step::Live(path) => self.live = path,
            Step::Rename(from, to) => fs::rename(from, to).unwrap(),
            Step::Link(from, to) => fs::hard_link(from, to).unwrap(),
            Step::Unlink(path) => fs::remove_file(path).unwrap(),
            Step::Copy(from, to, part, parts) => {
                let content = fs::read(from).unwrap();
                let at = |part: u64| content.len() * part as usize / parts as usize;
                add(&to, &content[at(part)..at(part + 1)]);
            }
            Step::Add(path, bytes) => add(&path, &bytes),
            Step::Date(from, to) => {
                let modified = fs::metadata(from).unwrap().modified().unwrap();
                File::options().append(true).open(to).unwrap().set_modified(modified).unwrap();
            }
            Step::Truncate => {
                let file = self.file.as_ref().unwrap();
                file.set_len(0).unwrap();
                file.set_modified(time).unwrap();
            }
        }
    }

    /// Ends what was begun.
    fn finish(&mut self) {
        while !self.steps.is_empty() {
            self.step();
        }
    }

    /// What the writer does before a system call of ingest.
    fn before_call(&mut self) {
        let call = self.calls;
        self.calls += 1;
        match self.plan {
            Plan::Often(one_in) if self.random.below(one_in) == 0 => self.step(),
            Plan::At(at) if at == call => {
                self.finish();
                self.rotate();
                self.finish();
                self.write();
                self.finish();
            }
            _ => {}
        }
    }
}

/// A folder of a writer, the store beside it, and what ingest said.
struct Model {
    mta: Arc<Mutex<Mta>>,
    dir: tempfile::TempDir,
    store: Store,
    left: Vec<Left>,
}

impl Model {
    fn new(seed: u64) -> Model {
        // In memory where that is to be had: no power fails here, and there are many stores.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
            .unwrap();
        let mta = Arc::new(Mutex::new(Mta::new(seed, dir.path().join("spool"))));
        let store = Store::create(&dir.path().join("store"), Disk::default()).unwrap();
        Model { mta, dir, store, left: Vec::new() }
    }

    fn ingest(&mut self, plan: Plan) -> Outcome {
        let now = {
            let mut mta = self.mta.lock().unwrap();
            (mta.plan, mta.calls) = (plan, 0);
            Timestamp(mta.clock)
        };
        let mta = self.mta.clone();
        let settings = Settings {
            inputs: vec![self.dir.path().join("spool")],
            exclude: Vec::new(),
            header: None,
            time_field: None,
            separator: None,
            scratch: self.dir.path().to_owned(),
            host: None,
            machine: "mta1".to_owned(),
            threads: 1,
            memory: 256_000_000,
            providers: Providers::default(),
            privacy: Privacy::Plain,
            now,
            hook: Hook::new(move || mta.lock().unwrap().before_call()),
        };
        let mut writer = self.store.lock("the model").unwrap();
        let outcome = ingest(&settings, &mut writer, &AtomicU64::new(0)).unwrap();
        self.left.extend(outcome.left.iter().map(|(_, why)| *why));
        outcome
    }

    /// How often each recipient is stored.
    fn stored(&self) -> BTreeMap<String, u64> {
        let mut stored = BTreeMap::new();
        let snapshot = self.store.snapshot(Window::ALL).unwrap();
        for part in snapshot.of(Table::Records, Window::ALL) {
            let reader =
                PartReader::open(&part.path, Table::Records, |field| field.name() == "rcpt");
            for batch in reader.unwrap() {
                let batch = batch.unwrap();
                let rcpt = batch.column_by_name("rcpt").unwrap().as_string::<i32>();
                rcpt.iter()
                    .for_each(|rcpt| *stored.entry(rcpt.unwrap().to_owned()).or_default() += 1);
            }
        }
        stored
    }
}

/// Runs ingest beside the writer, and once more when all is quiet.
fn run(seed: u64) -> Vec<Left> {
    let mut model = Model::new(seed);
    for round in 0..5 {
        let plan = {
            let mut mta = model.mta.lock().unwrap();
            if mta.random.below(2) == 0 {
                mta.finish();
                // Files are seconds, minutes or hours old when the next run comes.
                mta.clock += [1, 5, 600, 9000][mta.random.below(4) as usize];
            }
            match mta.random.below(3) {
                0 => {
                    // Anywhere in a run as long as the last one.
                    let calls = mta.calls.max(20);
                    Plan::At(mta.random.below(calls))
                }
                1 => Plan::Often(1 + mta.random.below(3)),
                _ => Plan::Often(4 + mta.random.below(20)),
            }
        };
        let outcome = model.ingest(plan);
        let refused: Vec<&String> = outcome
            .refused
            .iter()
            .map(|refused| &refused.reason)
            .filter(|reason| !reason.contains("truncated copy?"))
            .collect();
        assert!(refused.is_empty(), "seed {seed}, round {round}: {refused:?}");
        assert_eq!(outcome.ledger.rejected, 0, "seed {seed}, round {round}: {:?}", outcome.rejects);
    }
    {
        let mut mta = model.mta.lock().unwrap();
        mta.finish();
        mta.clock += 10_000;
    }
    let last = model.ingest(Plan::Never);
    assert!(last.refused.is_empty() && last.left.is_empty(), "seed {seed}: {last:?}");
    let written = model.mta.lock().unwrap().records;
    let stored = model.stored();
    let expected =
        (1..=written).map(|n| (format!("u{n:06}@example.org"), 1)).collect::<BTreeMap<_, _>>();
    let wrong: Vec<_> = expected
        .iter()
        .filter(|(rcpt, _)| stored.get(*rcpt) != Some(&1))
        .map(|(rcpt, _)| (rcpt, stored.get(rcpt).copied().unwrap_or(0)))
        .collect();
    assert!(wrong.is_empty(), "seed {seed}: of {written} records {wrong:?}");
    assert_eq!(stored, expected, "seed {seed}");
    let again = model.ingest(Plan::Never);
    assert_eq!((again.ledger.stored, again.parts), (0, 0), "seed {seed}: {again:?}");
    let verified = verify(&model.store, DEFAULT_MEMORY, |_| ()).unwrap();
    assert!(verified.problems.is_empty(), "seed {seed}: {:?}", verified.problems);
    model.left.clone()
}

#[test]
fn whatever_rotates_under_an_ingest_each_record_is_stored_once_at_scale() {
    let seeds = std::env::var("PMTAQ_ROTATIONS").map_or(100, |n| n.parse().unwrap());
    let mut left: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 0..seeds {
        for why in run(seed) {
            *left.entry(why.to_string()).or_default() += 1;
        }
    }
    // A model in which nothing changes under ingest proves nothing.
    assert!(left.len() > 1, "only {left:?}");
}
