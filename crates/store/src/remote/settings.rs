//! Settings that hold for all machines which use a store: files in the bucket, in a folder that the root
//! names. They are read with the root, and fetched once. Knows nothing of what they say.

use std::path::PathBuf;
use std::sync::PoisonError;

use pmtaq_bucket::random;

use super::Remote;
use crate::error::Result;
use crate::layout;
use crate::manifest::{Root, Shared, SharedSettings};

impl Remote {
    /// Remembers what a root says.
    pub(super) fn note_settings(&self, shared: Option<&Shared>) {
        let said = shared.map(|shared| shared.settings.clone()).unwrap_or_default();
        *self.inner.settings.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }

    /// Puts files under a name of their own.
    pub(super) fn put_settings(&self, files: &[(String, Vec<u8>)]) -> Result<SharedSettings> {
        let id = format!("{:016x}", random());
        let folder = layout::settings(self.dir(), &id);
        for (name, bytes) in files {
            self.inner.bucket.put(&self.key(&folder.join(name)), bytes)?;
        }
        Ok(SharedSettings { id, names: files.iter().map(|(name, _)| name.clone()).collect() })
    }

    /// The folder of the settings that hold for all machines; none when there are none, or no store.
    ///
    /// # Errors
    /// [`crate::Error::Bucket`], and what is wrong with the root.
    pub fn settings(&self) -> Result<Option<PathBuf>> {
        let said = || self.inner.settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if said().is_none() {
            self.try_root()?;
        }
        let Some(settings) = said().filter(|settings| !settings.is_empty()) else {
            return Ok(None);
        };
        let folder = layout::settings(self.dir(), &settings.id);
        settings.names.iter().try_for_each(|name| self.bring(&folder.join(name)))?;
        Ok(Some(folder))
    }
}

/// The files of settings that a root named and its follower does not.
pub(super) fn replaced(old: &Root, new: &Root) -> Vec<(String, String)> {
    let of = |root: &Root| root.shared.as_ref().map(|of| of.settings.clone()).unwrap_or_default();
    let (old, new) = (of(old), of(new));
    if old.id == new.id {
        return Vec::new();
    }
    old.names.into_iter().map(|name| (old.id.clone(), name)).collect()
}
