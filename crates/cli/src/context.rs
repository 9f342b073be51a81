//! What every command is given beside its own arguments, and the clock. The only place that asks
//! what time it is.

use pmtaq_schema::Timestamp;

use crate::args::Global;
use crate::failure::{Failure, Result};
use crate::settings::{Places, Settings};

/// What every command is given beside its own arguments.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) now: Timestamp,
    pub(crate) threads: usize,
    pub(crate) machine: String,
    pub(crate) settings: Settings,
    pub(crate) places: Places,
}

impl Context {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
    pub(crate) fn new(global: Global, settings: Settings, places: Places) -> Result<Context> {
        let now = match &global.now {
            Some(text) => Timestamp::parse(text.as_bytes())
                .ok_or_else(|| Failure::usage(format!("--now `{text}` is no time")))?,
            None => {
                let since_1970 = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = global.threads.map_or(cores, usize::from);
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(Context { global, now, threads, machine, settings, places })
    }

    /// A clock that goes on from `now`.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
    pub(crate) fn clock(&self) -> Clock {
        Clock { start: std::time::Instant::now(), now: self.now }
    }

    /// Memory that a query may use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.global.memory.unwrap_or(2_000_000_000)
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
