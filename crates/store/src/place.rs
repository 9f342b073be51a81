//! Where a store lies: in a folder; or in a bucket, with a folder that holds what was fetched of it, in
//! the same layout. Whoever reads asks here and need not know which.

use std::path::{Path, PathBuf};

use pmtaq_schema::time::Day;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::manifest::{Root, read_list};
use crate::remote::Remote;

/// A folder, or a bucket and a folder.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    dir: PathBuf,
    remote: Option<Remote>,
}

impl Location {
    /// A folder.
    pub(crate) fn folder(dir: &Path) -> Location {
        Location { dir: dir.to_owned(), remote: None }
    }

    /// A bucket.
    pub(crate) fn bucket(remote: Remote) -> Location {
        Location { dir: remote.dir().to_owned(), remote: Some(remote) }
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The bucket.
    pub(crate) fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// What the root says now.
    pub(crate) fn root(&self) -> Result<Root> {
        match &self.remote {
            Some(remote) => Ok(remote.root()?.root),
            None => Root::read(&self.dir),
        }
    }

    /// What a list of parts or of sources says.
    pub(crate) fn list<T: Clone + DeserializeOwned>(&self, path: &Path) -> Result<Vec<T>> {
        let Some(remote) = &self.remote else { return read_list(path) };
        remote.bring(path)?;
        match read_list(path) {
            // It was fetched once, and has rotted or was cut since.
            Err(Error::Damaged { .. }) => {
                remote.drop_file(path)?;
                remote.bring(path)?;
                read_list(path).map_err(|error| match error {
                    // It is so there too.
                    Error::Damaged { what, .. } => {
                        Error::Damaged { path: remote.url(path).into(), what }
                    }
                    other => other,
                })
            }
            other => other,
        }
    }

    /// Has a file of the store on this machine.
    pub(crate) fn bring(&self, path: &Path) -> Result<()> {
        self.remote.as_ref().map_or(Ok(()), |remote| remote.bring(path))
    }

    /// Has on this machine what lies in the partitions of a day, whatever the lists say.
    pub(crate) fn bring_partitions(&self, day: Day) -> Result<()> {
        self.remote.as_ref().map_or(Ok(()), |remote| remote.bring_partitions(day))
    }

    /// Says which lists will be read, so that those of a bucket come at once. What goes wrong is said
    /// by who reads them.
    pub(crate) fn expect_lists(&self, paths: impl Iterator<Item = PathBuf>) {
        if let Some(remote) = &self.remote {
            remote.bring_all(paths.collect());
        }
    }
}
