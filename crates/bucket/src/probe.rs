//! Whether the server compares before it swaps: on that alone rests that no commit undoes another.

use crate::bucket::{Bucket, Condition, Swapped};
use crate::error::{Error, Result};
use crate::wire::wait;

/// How often a step is tried to which no answer came.
const TRIES: u32 = 5;

impl Bucket {
    /// Tries it on an object of its own, `key`, which is deleted again.
    ///
    /// # Errors
    /// [`Error::Unfit`] when the server does not; else as for [`Bucket::get`].
    pub fn check_swaps(&self, key: &str) -> Result<()> {
        let checked = self.try_swaps(key);
        let deleted = self.delete(key);
        checked.and(deleted)
    }

    fn try_swaps(&self, key: &str) -> Result<()> {
        let unfit =
            |why: &str| Err(Error::Unfit { what: self.address().to_string(), why: why.to_owned() });
        self.put(key, b"1")?;
        if self.known(key, b"2", Condition::Absent)?.is_some() {
            return unfit(
                "the server puts an object in place of one that must not be there (If-None-Match)",
            );
        }
        let Some(first) = self.get(key)? else {
            return unfit("the server does not give back what was put a moment ago");
        };
        let Some(second) = self.known(key, b"22", Condition::Is(&first.etag))? else {
            return unfit(
                "the server does not put an object in place of the one that is there (If-Match)",
            );
        };
        if self.known(key, b"333", Condition::Is(&first.etag))?.is_some() || second == first.etag {
            return unfit(
                "the server puts an object in place of another than it was told (If-Match)",
            );
        }
        Ok(())
    }

    /// The ETag when it was done, none when not.
    fn known(&self, key: &str, bytes: &[u8], condition: Condition<'_>) -> Result<Option<String>> {
        let mut tried = 0;
        loop {
            let swapped = match self.swap(key, bytes, condition) {
                // It knows of no conditions.
                Err(Error::Refused { status: 501, .. }) => return Ok(None),
                other => other?,
            };
            match swapped {
                Swapped::Done(etag) => return Ok(Some(etag)),
                Swapped::Differs if tried == 0 => return Ok(None),
                // An earlier try may have been it, whose answer was lost.
                Swapped::Differs => {
                    let there = self.get(key)?.filter(|object| object.bytes == bytes);
                    return Ok(there.map(|object| object.etag));
                }
                Swapped::Unknown(error) if tried >= TRIES => return Err(error),
                Swapped::Unknown(_) => tried += 1,
            }
            wait(tried);
        }
    }
}
