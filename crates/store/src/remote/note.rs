//! A small object beside the store that machines share: each replaces it under the ETag of what it has
//! read, so that none undoes what another has written. Knows nothing of what it holds.

use std::path::PathBuf;

use pmtaq_bucket::{Condition, Swapped};

use super::Remote;
use crate::error::Result;
use crate::layout;

/// A note, as it was read last.
#[derive(Debug)]
pub struct Note {
    remote: Remote,
    path: PathBuf,
    etag: Option<String>,
}

impl Remote {
    /// The note that lies at `path`, not read yet.
    pub(crate) fn note_at(&self, path: PathBuf) -> Note {
        Note { remote: self.clone(), path, etag: None }
    }

    /// What alerts remember, which all machines share.
    pub fn alerts(&self) -> Note {
        self.note_at(layout::alerts(self.dir()))
    }
}

impl Note {
    /// What it holds, if there is one, and what time it is at the server, if that says so.
    ///
    /// # Errors
    /// [`crate::Error::Bucket`].
    pub fn read(&mut self) -> Result<Option<(Vec<u8>, Option<i64>)>> {
        let object = self.remote.inner.bucket.get(&self.remote.key(&self.path))?;
        self.etag = object.as_ref().map(|object| object.etag.clone());
        Ok(object.map(|object| (object.bytes, object.now)))
    }

    /// Puts `bytes` in the place of what was read. False when another has written since, and nothing was
    /// done.
    ///
    /// # Errors
    /// [`crate::Error::Bucket`], also when nobody knows whether it was done.
    pub fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        const TRIES: u32 = 4;
        let key = self.remote.key(&self.path);
        let mut tried = 0;
        loop {
            let is = self.etag.as_deref().map_or(Condition::Absent, Condition::Is);
            let swapped = self.remote.inner.bucket.swap(&key, bytes, is)?;
            if let Swapped::Done(etag) = &swapped
                && !etag.is_empty()
            {
                self.etag = Some(etag.clone());
                return Ok(true);
            }
            // The answer to a try before may have been lost.
            let before = self.etag.clone();
            let there = self.read()?.map(|(bytes, _)| bytes);
            match swapped {
                _ if there.as_deref() == Some(bytes) => return Ok(true),
                Swapped::Unknown(error) if self.etag == before => {
                    tried += 1;
                    if tried >= TRIES {
                        return Err(error.into());
                    }
                }
                _ => return Ok(false),
            }
        }
    }

    /// Where it is.
    pub fn address(&self) -> String {
        self.remote.url(&self.path)
    }
}
