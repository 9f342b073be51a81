//! What every command is given beside its own arguments, and the clock. The only place that asks
//! what time it is.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use pmtaq_bucket::Bucket;
use pmtaq_render::Format;
use pmtaq_schema::Timestamp;
use pmtaq_schema::bounce::BounceClasses;
use pmtaq_schema::site::KeptDimensions;
use pmtaq_schema::size::parse_duration_s;
use pmtaq_store::{Disk, Note, Remote, Store};

use crate::args::Global;
use crate::bucket;
use crate::cluster::Answering;
use crate::failure::{Failure, Result};
use crate::left_out::LeftOut;
use crate::settings::{self, Places, Settings};
use crate::spill::Spill;

/// What every command is given beside its own arguments.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) now: Timestamp,
    pub(crate) threads: usize,
    /// How long a question may take.
    pub(crate) timeout: Option<Duration>,
    spill: Option<Spill>,
    pub(crate) machine: String,
    pub(crate) settings: Settings,
    /// The dimensions of the site that `hourly` keeps.
    kept: KeptDimensions,
    pub(crate) places: Places,
    /// What holds for all machines that share the store, and for this one.
    shared: OnceLock<(Places, BounceClasses)>,
    /// The days that answers are without.
    pub(crate) left_out: LeftOut,
    /// The bucket that holds the store, with the folder of what is fetched, which `global.store` lies in
    /// then.
    bucket: Option<(Bucket, PathBuf)>,
    remote: Option<Remote>,
    /// Which engine answers.
    pub(crate) answering: Answering,
}

impl Context {
    pub(crate) fn new(mut global: Global, settings: Settings, places: Places) -> Result<Context> {
        let store = global.store.to_string_lossy().into_owned();
        let answering = Answering::new(&global.on, &settings.cluster, store)?;
        let cache = |bucket| -> Result<_> { Ok((bucket, bucket::cache(global.cache.as_deref())?)) };
        let bucket = bucket::named(&global.store)?.map(cache).transpose()?;
        let remote = bucket
            .as_ref()
            .map(|(bucket, cache)| Remote::new(bucket.clone(), cache, global.cache_size));
        let remote = remote.transpose()?;
        if let Some(remote) = &remote {
            global.store = remote.dir().to_owned();
        }
        // As everywhere, `-` is stdout.
        global.output = global.output.filter(|path| path != Path::new("-"));
        let of_file = global.output.as_deref().and_then(Format::of_file);
        global.format = global.asked_format.or(of_file).unwrap_or_default();
        let now = match &global.now {
            Some(text) => Timestamp::parse(text.as_bytes())
                .ok_or_else(|| Failure::usage(format!("--now `{text}` is not a valid time")))?,
            None => clock_of_machine(),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = global.threads.map_or(cores, usize::from);
        let timeout = global.timeout.as_deref().map(timeout).transpose()?;
        let spill = global.spill.as_deref().map(Spill::create).transpose()?;
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let (left_out, kept) = (LeftOut::default(), settings.dimensions.kept()?);
        Ok(Context {
            global,
            now,
            threads,
            timeout,
            spill,
            machine,
            settings,
            kept,
            places,
            shared: OnceLock::new(),
            left_out,
            bucket,
            remote,
            answering,
        })
    }

    /// The store.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub(crate) fn store(&self) -> pmtaq_store::Result<Store> {
        match &self.remote {
            Some(remote) => Ok(Store::open_remote(remote.clone())),
            None => Store::open(&self.global.store),
        }
        .map(|store| store.keeping(self.kept.clone()))
    }

    /// The store, which is made when there is none; `disk` does the writing.
    ///
    /// # Errors
    /// As for [`Store::create`].
    pub(crate) fn new_store(&self, disk: Disk) -> pmtaq_store::Result<Store> {
        match &self.remote {
            Some(remote) => Store::create_remote(remote.clone(), disk),
            None => Store::create(&self.global.store, disk),
        }
        .map(|store| store.keeping(self.kept.clone()))
    }

    /// The store with nothing of it here, so that what is read is what lies there.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub(crate) fn store_afresh(&self) -> pmtaq_store::Result<Store> {
        let Some((bucket, cache)) = &self.bucket else { return self.store() };
        let limit = self.global.cache_size;
        let remote = Remote::new(bucket.clone(), &cache.join("verify"), limit)?;
        let store = Store::open_remote(remote);
        store.drop_fetched()?;
        Ok(store)
    }

    /// Where settings are for what the store holds: those that its machines share win.
    ///
    /// # Errors
    /// What the bucket says, and [`Failure::usage`] for what cannot be shared.
    pub(crate) fn places_of_store(&self) -> Result<&Places> {
        Ok(&self.shared()?.0)
    }

    /// The classes of bounce categories, of which those win that the machines share.
    ///
    /// # Errors
    /// As for [`Context::places_of_store`].
    pub(crate) fn classes(&self) -> Result<&BounceClasses> {
        Ok(&self.shared()?.1)
    }

    fn shared(&self) -> Result<&(Places, BounceClasses)> {
        if let Some(known) = self.shared.get() {
            return Ok(known);
        }
        let (mut places, mut classes) = (self.places.clone(), self.settings.classes.clone());
        if let Some(remote) = &self.remote
            && let Some(folder) = remote.settings()?
        {
            settings::shared_classes(&folder, &mut classes)?;
            places.folders.push(folder);
        }
        Ok(self.shared.get_or_init(|| (places, classes)))
    }

    /// What alerts remember of a store that many machines share.
    pub(crate) fn alerts_of_all(&self) -> Option<Note> {
        self.remote.as_ref().map(Remote::alerts)
    }

    /// What time it is by the clock of this machine, whatever time is asked about.
    pub(crate) fn machine_time(&self) -> Timestamp {
        clock_of_machine()
    }

    /// A clock that goes on from `now`.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
    pub(crate) fn clock(&self) -> Clock {
        Clock { start: std::time::Instant::now(), now: self.now }
    }

    /// Whether an answer is shown as a whole where nobody says how many rows: what goes to a program
    /// or a file, not what is read at once.
    pub(crate) fn is_whole(&self) -> bool {
        self.global.format.is_for_programs() || self.global.output.is_some()
    }

    /// Memory that a query may use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.global.memory.unwrap_or(2_000_000_000)
    }

    /// A folder for what a session needs beyond its memory, and how many bytes of it.
    pub(crate) fn spill(&self) -> Option<(PathBuf, u64)> {
        let spill = self.spill.as_ref()?;
        Some((spill.of_session(), self.global.spill_size))
    }

    /// Memory that an ingest may use, in bytes: it runs beside the MTA.
    pub(crate) fn memory_of_ingest(&self) -> u64 {
        self.global.memory.unwrap_or(pmtaq_ingest::DEFAULT_MEMORY)
    }

    /// Who holds the lock of the store, for the message that others get.
    pub(crate) fn owner(&self) -> String {
        format!("process {} on {} since {}", std::process::id(), self.machine, self.now)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
fn clock_of_machine() -> Timestamp {
    let since_1970 =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
}

fn timeout(text: &str) -> Result<Duration> {
    let seconds = parse_duration_s(text).and_then(|seconds| u64::try_from(seconds).ok());
    let wrong =
        || Failure::usage(format!("--timeout `{text}` is not a valid duration; write it like 30s"));
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs).ok_or_else(wrong)
}

/// The time as it goes, for what runs long.
pub(crate) struct Clock {
    start: std::time::Instant,
    now: Timestamp,
}

impl Clock {
    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        let gone = i64::try_from(self.start.elapsed().as_secs()).unwrap_or(i64::MAX);
        Timestamp(self.now.0.saturating_add(gone))
    }
}
