//! A manifest as bytes: JSON whose first line holds the checksum of all that follows it.
//! Knows no manifest's keys.
//!
//! ```text
//! {"checksum":"2d06800538d394c2d06800538d394c2c",
//! "version":2,...}
//! ```

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checksum;
use crate::error::{At, Error, Result};

const BEFORE: &[u8] = b"{\"checksum\":\"";
const AFTER: &[u8] = b"\",\n";

/// A manifest that was read.
pub(crate) struct ReadManifest<T> {
    pub(crate) manifest: T,
    /// Whether it had a checksum, which was right; those of format 1 have none.
    pub(crate) is_sealed: bool,
}

/// A manifest, which is a map and not empty, as it is written.
pub(crate) fn to_bytes<T: Serialize>(manifest: &T) -> Vec<u8> {
    let json =
        serde_json::to_vec(manifest).expect("manifests have string keys and no failing serializer");
    // The line takes the place of the brace that opens the map.
    let rest = &json[1..];
    [BEFORE, checksum::of(rest).as_bytes(), AFTER, rest].concat()
}

/// Reads a manifest from its bytes, which were those of `path`.
///
/// # Errors
/// [`Error::Damaged`] when they are not as they were written.
pub(crate) fn from_bytes<T: DeserializeOwned>(
    bytes: &[u8],
    path: &Path,
) -> Result<ReadManifest<T>> {
    let damaged = |what: String| Error::Damaged { path: path.to_owned(), what };
    let is_sealed = bytes.starts_with(BEFORE);
    if is_sealed {
        let line = &bytes[BEFORE.len()..];
        let end = line.windows(AFTER.len()).position(|window| window == AFTER);
        let end = end.ok_or_else(|| damaged("its first line is cut".to_owned()))?;
        let (sum, rest) = (&line[..end], &line[end + AFTER.len()..]);
        if checksum::of(rest).as_bytes() != sum {
            return Err(damaged("its bytes are not those of its checksum".to_owned()));
        }
    }
    let manifest = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    Ok(ReadManifest { manifest, is_sealed })
}

/// Reads a manifest.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Damaged`] when it is not as it was written.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<ReadManifest<T>> {
    from_bytes(&std::fs::read(path).at(path)?, path)
}
