//! How much of everything a run may hold at once, so that its memory stays within what it is given.
//! Only numbers, each found by measuring; holds nothing itself.

use pmtaq_store::ROW_GROUP_ROWS;

/// Memory that an ingest keeps within when nobody says otherwise, in bytes.
pub const DEFAULT_MEMORY: u64 = 512_000_000;

/// The program, its libraries, the reading of one source, and the rollup at its smallest.
const BASE: u64 = 64 << 20;

/// What a worker needs with runs and row groups of full size. Measured, with a day or two open.
const WORKER: u64 = 140 << 20;

/// What a worker needs however small its runs are.
const LEAST: u64 = 44 << 20;

/// Of what is free, what stays so, in tenths: records of forty fields take more than those that workers
/// were measured with.
const KEPT: u64 = 1;

/// Of a full run this part is the smallest that is worth a worker of its own.
const WORTH: u64 = 4;

/// Of a full run the smallest part.
const SMALLEST: u64 = 32;

/// The program, what is read and written of parts at a time, and what the allocator keeps of it.
const MERGE_BASE: u64 = 104 << 20;

/// The least above it: together what an ingest needs at least, which merges when it is done.
const MERGE_LEAST: u64 = 7 << 20;

/// What a merge may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MergeBudget {
    /// Bytes of rows that are sorted together.
    pub(crate) group_bytes: usize,
    /// Rows of `hourly` that are gathered.
    pub(crate) hourly_rows: usize,
}

impl MergeBudget {
    /// As much as is of use.
    const FULL: MergeBudget = MergeBudget { group_bytes: 128 << 20, hourly_rows: 512 * 1024 };

    /// As [`MergeBudget::of`], for what the error names.
    pub(crate) fn for_what(what: &'static str, given: u64) -> Result<MergeBudget, crate::Error> {
        MergeBudget::of(given).map_err(|least| crate::Error::Memory { what, given, least })
    }

    /// Of so many bytes.
    ///
    /// # Errors
    /// The fewest bytes that are enough.
    pub(crate) fn of(memory: u64) -> Result<MergeBudget, u64> {
        let least = MERGE_BASE + MERGE_LEAST;
        let free = memory.checked_sub(MERGE_BASE).filter(|free| *free >= MERGE_LEAST);
        let free = usize::try_from(free.ok_or(least)?).unwrap_or(usize::MAX);
        Ok(MergeBudget {
            // Measured: rows are read, put together, sorted, and encoded.
            group_bytes: (free * 2 / 11).min(MergeBudget::FULL.group_bytes),
            hourly_rows: (free / 400).min(MergeBudget::FULL.hourly_rows),
        })
    }
}

/// What a run may hold. Smaller runs cost some size, fewer workers cost time: so runs shrink to a
/// quarter first, then workers go, then runs shrink again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) threads: usize,
    /// Rows that are sorted and written together.
    pub(crate) run_rows: usize,
    /// Bytes of lines gathered, over all days of a worker, before the fullest day is written out.
    pub(crate) run_bytes: usize,
    /// Rows of a row group.
    pub(crate) group_rows: usize,
    /// Bytes of pages and names, over all days of a worker, before the fullest row group ends.
    pub(crate) group_bytes: usize,
    /// Rows of `hourly`, over all days and workers, before those of the fullest day are written: as
    /// many again may be on their way to the disk.
    pub(crate) hourly_rows: usize,
    /// Bytes of refused lines of a source, before they are written.
    pub(crate) reject_bytes: usize,
}

impl Budget {
    /// Of so many bytes, for at most so many threads.
    ///
    /// # Errors
    /// The fewest bytes that are enough.
    pub(crate) fn of(memory: u64, threads: usize) -> Result<Budget, u64> {
        let least = BASE + LEAST + (WORKER - LEAST) / SMALLEST;
        if memory < least {
            return Err(least);
        }
        let free = (memory - BASE) / 10 * (10 - KEPT);
        let worth = LEAST + (WORKER - LEAST) / WORTH;
        let threads = (free / worth).clamp(1, threads as u64);
        let share = (free / threads).saturating_sub(LEAST);
        let share = share.clamp((WORKER - LEAST) / SMALLEST, WORKER - LEAST);
        // A part of `whole` that is as large as the share of a worker is of a whole one.
        let part = |whole: u64| usize::try_from(whole * share / (WORKER - LEAST)).unwrap_or(1);
        let threads = usize::try_from(threads).unwrap_or(1);
        Ok(Budget {
            threads,
            run_rows: part(32 * 1024),
            run_bytes: part(40 << 20),
            group_rows: part(ROW_GROUP_ROWS as u64),
            group_bytes: part(32 << 20),
            hourly_rows: part(128 * 1024),
            reject_bytes: part(16 << 20),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_shrink_to_a_quarter_then_workers_go() {
        let of = |memory: u64, threads| {
            let budget = Budget::of(memory << 20, threads).expect("enough");
            (budget.threads, budget.run_rows)
        };
        assert_eq!(of(4096, 16), (16, 32 * 1024));
        assert_eq!(of(512, 2), (2, 32 * 1024));
        assert_eq!(of(512, 1), (1, 32 * 1024));
        assert_eq!(of(256, 2).0, 2);
        assert_eq!(of(512, 16).0, 5);
        assert_eq!(of(128, 2).0, 1);
        assert_eq!(Budget::of(64 << 20, 1), Err(BASE + LEAST + (WORKER - LEAST) / SMALLEST));
        assert!(of(112, 1).1 >= 32 * 1024 / 32);
    }
}
