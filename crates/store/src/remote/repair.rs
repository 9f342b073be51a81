//! What is damaged or lost in a bucket: the root had back from its copy, the parts of a day looked for
//! without their list, damaged parts kept where no list names them.

use std::collections::HashSet;
use std::path::Path;

use pmtaq_bucket::{Condition, Swapped, random};
use pmtaq_schema::time::Day;

use super::{Remote, paths};
use crate::error::{Error, Result};
use crate::fs::Disk;
use crate::layout::{self, Table};
use crate::manifest::{Part, Root};

impl Remote {
    /// Puts the copy of the root in its place when that is lost or damaged. Returns what was done.
    ///
    /// # Errors
    /// What is wrong with the root when there is no copy, or with the copy.
    pub(crate) fn repair_root(&self) -> Result<Option<String>> {
        let [root, copy] = [layout::root, layout::root_copy].map(|of| of(self.dir()));
        let [root_url, copy_url] = [&root, &copy].map(|path| self.url(path));
        let bucket = &self.inner.bucket;
        let there = bucket.get(&self.key(&root))?;
        let wrong = match &there {
            None => self.without_root(),
            Some(object) => match Root::from_bytes(&object.bytes, Path::new(&root_url)) {
                Ok(_) => return Ok(None),
                Err(error @ Error::FromTheFuture { .. }) => return Err(error),
                Err(error) => error,
            },
        };
        let Some(kept) = bucket.get(&self.key(&copy))? else { return Err(wrong) };
        Root::from_bytes(&kept.bytes, Path::new(&copy_url))?;
        let is = there.as_ref().map_or(Condition::Absent, |object| Condition::Is(&object.etag));
        match bucket.swap(&self.key(&root), &kept.bytes, is)? {
            Swapped::Done(_) => Ok(Some(format!(
                "{root_url} was made anew from {copy_url}; what was ingested in the moments before it was \
                 lost is new again to the next ingest, if its commit is not in the copy"
            ))),
            // Another was faster.
            Swapped::Differs => Ok(None),
            Swapped::Unknown(error) => Err(error.into()),
        }
    }

    /// Has here all that lies in the partitions of a day, and does not wait to be deleted.
    pub(crate) fn bring_partitions(&self, day: Day) -> Result<()> {
        let gone: HashSet<String> =
            self.gone(|_| true)?.into_iter().flat_map(|(_, keys)| keys).collect();
        for table in Table::ALL {
            let folder = layout::partition(self.dir(), table, day);
            paths(&folder).try_for_each(|path| self.drop_file(&path))?;
            for object in self.inner.bucket.list(&(self.key(&folder) + "/"))? {
                if !gone.contains(&object.key) {
                    self.fetch(&self.dir().join(&object.key), object.bytes, None)?;
                }
            }
        }
        Ok(())
    }

    /// Keeps the bytes of a part, as they are, where no list names them and nothing deletes them.
    pub(super) fn keep_aside(&self, disk: &Disk, day: Day, part: &Part) -> Result<()> {
        let in_partition = |of: &Path| layout::partition(of, part.table, day).join(&part.name);
        let (from, to) = (in_partition(self.dir()), in_partition(&layout::quarantine(self.dir())));
        let here = layout::fetching(self.dir()).join(format!("{:016x}", random()));
        let mut file = disk.create_for_reading(&here)?;
        let bucket = &self.inner.bucket;
        disk.remote_step();
        let kept = bucket.fetch(&self.key(&from), part.bytes, &mut file).and_then(|is_there| {
            // Of one that is gone nothing can be kept.
            if is_there { bucket.upload(&self.key(&to), &here).map(drop) } else { Ok(()) }
        });
        disk.remove(&here)?;
        Ok(kept?)
    }
}
