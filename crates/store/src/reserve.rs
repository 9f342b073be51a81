//! Some room on the disk that is kept for a commit that only takes rows away: on a full disk it could
//! not be written otherwise, and nothing else makes room.

use std::path::Path;

use crate::error::{Error, Result};
use crate::fs::Disk;
use crate::layout;

/// Enough for the lists and the root of many days.
const BYTES: usize = 1 << 20;

/// Keeps room. When there is none, the next commit tries again.
pub(crate) fn keep(store: &Path, disk: &Disk) {
    let path = layout::reserve(store);
    if path.exists() {
        return;
    }
    // Bytes that no file system makes smaller.
    let mut state = 88_172_645_463_325_252_u64;
    let words = (0..BYTES / 8).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    if disk.write(&path, &words.collect::<Vec<u8>>()).is_err() {
        let _ = disk.give_up(&path);
    }
}

/// Whether `result` is that of a full disk and there is room now.
pub(crate) fn makes_room<T>(result: &Result<T>, store: &Path, disk: &Disk) -> bool {
    result.as_ref().is_err_and(Error::is_full_disk) && disk.give_up(&layout::reserve(store)).is_ok()
}
