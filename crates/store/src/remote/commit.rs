//! How a commit to a bucket becomes visible, without a lock that machines could share:
//!
//! | step | a kill after it leaves |
//! |---|---|
//! | 1 parts put under names of their own | the old state; objects that no list names |
//! | 2 lists of the touched days put, under names of their own | the same |
//! | 3 `root.json` put in place of the one that was read, and of no other | **the new state** |
//! | 4 the version of each Delta log put, if there is one; what was replaced noted in `gone/`; the copy of the root put | the new state; objects that no list names; the next commit puts the version |
//! | 5 what commits before have replaced deleted, an hour after | the new state |
//!
//! A writer that finds another root in step 3 makes its change to that one, if no source and no part of
//! it has been touched meanwhile. Else it begins anew from the files, which brings the same as if it had
//! come second.

use std::path::PathBuf;

use pmtaq_bucket::{Condition, Listed, Swapped, random};
use pmtaq_schema::time::Day;

use super::fetch::at_once;
use super::{Remote, RootThere, settings};
use crate::commit::{Change, Writer};
use crate::delta;
use crate::error::{Error, Result};
use crate::layout;
use crate::manifest::{FORMAT_OF_BUCKETS, Root, Shared, SharedSettings};
use crate::snapshot::{read_parts, read_sources};

/// How long what was replaced stays, for those who read what they began with: seconds.
const GRACE_S: i64 = 3600;

/// One commit of so many looks for what is to be deleted.
const CLEANS_EACH: u64 = 8;

/// How often a commit is tried on a root that has changed, and on one that has not.
const TRIES: u32 = 200;
const SAME_TRIES: u32 = 8;

/// What the writer of a bucket holds beside the root.
#[derive(Debug)]
pub(crate) struct Held {
    remote: Remote,
    etag: String,
    now: Option<i64>,
    /// Tells the names of this writer from those of others.
    pub(crate) by: u32,
}

impl Held {
    /// What time it is there, in seconds since 1970.
    pub(crate) fn now(&self) -> Option<i64> {
        self.now
    }

    /// The root, and what is needed to replace it.
    pub(crate) fn open(remote: &Remote) -> Result<(Root, Held)> {
        remote.check_server()?;
        let RootThere { root, etag, now } = remote.root()?;
        let by = u32::try_from(random() >> 32).unwrap_or(1).max(1);
        Ok((root, Held { remote: remote.clone(), etag, now, by }))
    }
}

/// What became of the swap of a root.
enum Swap {
    /// It was done; what is there now, from which others may have gone on.
    Done(Box<RootThere>),
    /// It was not; what is there instead.
    Other(Box<RootThere>),
}

impl Writer<'_> {
    /// Reads the root anew, for a change that another commit has overtaken. Waits a moment first.
    ///
    /// # Errors
    /// As for [`crate::Store::lock`].
    pub fn renew(&mut self) -> Result<()> {
        self.empty_staging()?;
        if let Some(held) = &self.held {
            pause(2);
            let there = held.remote.root()?;
            self.go_on_from(there);
        }
        Ok(())
    }

    /// Steps 1 to 5.
    pub(crate) fn commit_there(&mut self, mut change: Change) -> Result<()> {
        for (day, part) in &change.set_aside {
            self.held().0.keep_aside(self.disk, *day, part)?;
        }
        let settings = change.settings.as_deref().map(|files| self.held().0.put_settings(files));
        let settings = settings.transpose()?;
        let put = self.put_parts(&change);
        let done = put.and_then(|()| self.commit_on_any(&mut change, settings.as_ref()));
        if matches!(done, Err(Error::Conflict { .. } | Error::OtherRecipients { .. })) {
            // Nobody will name them.
            self.take_back(&change);
        }
        done
    }

    fn held(&self) -> (&Remote, &Held) {
        let held = self.held.as_ref().expect("only the writer of a bucket commits there");
        (&held.remote, held)
    }

    /// Step 1.
    fn put_parts(&self, change: &Change) -> Result<()> {
        let (remote, _) = self.held();
        at_once(&change.parts, |new| {
            let staged = layout::staging(self.dir()).join(&new.part.name);
            let path = layout::partition(self.dir(), new.part.table, new.day).join(&new.part.name);
            self.disk.remote_step();
            let bytes = remote.inner.bucket.upload(&remote.key(&path), &staged)?;
            if bytes != new.part.bytes {
                let what = format!("it has {bytes} bytes, of {} that were written", new.part.bytes);
                return Err(Error::Damaged { path: staged, what });
            }
            Ok(())
        })
    }

    /// Makes the change to the root that was read, or to those that come in its place.
    fn commit_on_any(
        &mut self,
        change: &mut Change,
        settings: Option<&SharedSettings>,
    ) -> Result<()> {
        let (mut same, commit) = (0, format!("{:016x}", random()));
        for tried in 0..TRIES {
            change.number(self.next_generation());
            // Of each version of a Delta log the one before is there.
            delta::publish(&self.log(), &self.root)?;
            let mut root = self.next_root_there(change, &commit)?;
            if let Some(settings) = settings {
                root.shared.get_or_insert_default().settings = settings.clone();
            }
            self.put_lists(&root)?;
            let moves = root.moves.clone();
            if root.delta.is_empty() {
                // They are there for the version of the log that the next commit may have to put.
                root.moves.clear();
            }
            let other = match self.swap_root(&root, &commit)? {
                Swap::Done(there) => {
                    let old = std::mem::replace(&mut self.root, Root { moves, ..root });
                    let settled = self.settle(&old, &there.root, change.erases);
                    self.go_on_from(*there);
                    return settled;
                }
                Swap::Other(there) => *there,
            };
            if other.root == self.root {
                // Another that was done and undone: or a server that does not keep to what it said.
                same += 1;
                if same >= SAME_TRIES {
                    let what = self.held().0.url(&layout::root(self.dir()));
                    return Err(Error::Damaged {
                        path: what.into(),
                        what: "the server refuses to replace it under the ETag that it gave for it"
                            .to_owned(),
                    });
                }
                self.go_on_from(other);
                pause(tried);
                continue;
            }
            self.take_back_lists(&root);
            if self.is_overtaken(change, &other.root)? {
                return Err(self.conflict());
            }
            if other.root.recipients != self.root.recipients {
                let (here, wanted) = (other.root.recipients, self.root.recipients.clone());
                return Err(Error::OtherRecipients { here, wanted });
            }
            self.go_on_from(other);
            pause(tried);
        }
        Err(self.conflict())
    }

    /// Step 1 of the root: as in a folder, and who wrote it.
    fn next_root_there(&self, change: &Change, commit: &str) -> Result<Root> {
        let mut root = self.next_root(change)?;
        root.version = FORMAT_OF_BUCKETS;
        delta::plan(&self.log(), &self.root, &mut root)?;
        let shared = root.shared.get_or_insert_default();
        shared.note(commit);
        if shared.id.is_empty() {
            shared.id = format!("{:016x}", random());
            // One of the folder that the store was copied from; nobody keeps it here.
            root.delta.clear();
        }
        if change.erases {
            shared.erased = root.generation;
        }
        Ok(root)
    }

    fn go_on_from(&mut self, there: RootThere) {
        self.root = there.root;
        if let Some(held) = &mut self.held {
            (held.etag, held.now) = (there.etag, there.now.or(held.now));
        }
    }

    fn conflict(&self) -> Error {
        Error::Conflict { store: self.held().0.inner.bucket.address().to_string() }
    }

    /// Step 3. When nobody says what became of it, the root does.
    fn swap_root(&self, root: &Root, commit: &str) -> Result<Swap> {
        let (remote, held) = self.held();
        let (key, bytes) = (remote.key(&layout::root(self.dir())), root.to_bytes());
        let mut tried = 0;
        loop {
            self.disk.remote_step();
            let swapped = remote.inner.bucket.swap(&key, &bytes, Condition::Is(&held.etag))?;
            if let Swapped::Done(etag) = &swapped
                && !etag.is_empty()
            {
                let there = RootThere { root: root.clone(), etag: etag.clone(), now: None };
                return Ok(Swap::Done(Box::new(there)));
            }
            let there = remote.root()?;
            let is_done = |shared: &Shared| shared.commits.iter().any(|one| one == commit);
            if there.root.shared.as_ref().is_some_and(is_done) {
                return Ok(Swap::Done(Box::new(there)));
            }
            match swapped {
                Swapped::Unknown(error) if there.root == self.root => {
                    tried += 1;
                    if tried >= SAME_TRIES {
                        return Err(error.into());
                    }
                    pause(tried);
                }
                _ => return Ok(Swap::Other(Box::new(there))),
            }
        }
    }

    /// Whether what the change rests on has been touched since.
    fn is_overtaken(&self, change: &Change, new: &Root) -> Result<bool> {
        let id = |root: &Root| root.shared.as_ref().map(|shared| shared.id.clone());
        let makes_lists = !change.fresh_lists.is_empty() || !change.relisted.is_empty();
        if makes_lists || new.generation <= self.root.generation {
            return Ok(true);
        }
        if id(&self.root).is_some_and(|before| Some(before) != id(new)) {
            return Ok(true);
        }
        let tiered = change.tiered.iter();
        let mut days: Vec<Day> =
            change.retired.iter().map(|(day, _)| *day).chain(tiered.map(|(day, _)| *day)).collect();
        days.sort();
        days.dedup();
        for day in days {
            let (before, after) = (self.root.entry(day), new.entry(day));
            if (before.parts, before.parts_by) == (after.parts, after.parts_by) {
                continue;
            }
            let parts = read_parts(self.place, new, day)?;
            let mut tiered = change.tiered.iter().filter(|(of, _)| *of == day);
            if !tiered.all(|(_, name)| parts.iter().any(|part| part.name == *name)) {
                return Ok(true);
            }
            let mut retired = change.retired.iter().filter(|(of, _)| *of == day);
            if !retired.all(|(_, part)| parts.contains(part)) {
                return Ok(true);
            }
        }
        let mut days: Vec<Day> = change.sources.iter().map(|(day, ..)| *day).collect();
        days.sort();
        days.dedup();
        for day in days {
            let (before, after) = (self.root.entry(day), new.entry(day));
            if (before.sources, before.sources_by) == (after.sources, after.sources_by) {
                continue;
            }
            // A list of before that is gone by now is older than anyone may be.
            let Ok(known) = read_sources(self.place, &self.root, day) else { return Ok(true) };
            let now = read_sources(self.place, new, day)?;
            let news = now.iter().filter(|source| !known.contains(source));
            let mut touched = news.chain(known.iter().filter(|source| !now.contains(source)));
            // What begins alike decides what of a file is new.
            if touched
                .any(|one| change.sources.iter().any(|(_, source, _)| source.head == one.head))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Steps 4 and 5, and the parts to their places here.
    fn settle(&mut self, old: &Root, there: &Root, erases: bool) -> Result<()> {
        self.next_part.store(0, std::sync::atomic::Ordering::Relaxed);
        self.apply_moves()?;
        // What is missing of it the next commit puts.
        let _ = delta::publish(&self.log(), &self.root);
        let (remote, held) = self.held();
        let leave = self.root.moves.iter().filter(|step| step.leaves);
        let mut gone: Vec<String> =
            leave.map(|step| remote.key(&step.settled(self.dir()))).collect();
        gone.extend(self.replaced_lists(old).iter().map(|path| remote.key(path)));
        gone.extend(
            settings::replaced(old, &self.root)
                .into_iter()
                .map(|(id, name)| remote.key(&layout::settings(self.dir(), &id).join(name))),
        );
        self.forget(old)?;
        // What was written here counts too; that there is no room is said by who needs it.
        let _ = remote.make_room(0, self.dir());
        if !gone.is_empty() {
            let name = format!("{}-{:08x}.txt", self.root.generation, held.by);
            let key = remote.key(&layout::gone(self.dir()).join(name));
            self.disk.remote_step();
            let noted = remote.inner.bucket.put(&key, (gone.join("\n") + "\n").as_bytes());
            // What is not noted is found by `verify`.
            if erases {
                noted?;
            }
        }
        // One that is missing, or of another commit, is made good by the next.
        let copy = layout::root_copy(self.dir());
        let copied = remote.put(self.disk, &copy, &there.to_bytes());
        if erases {
            copied?;
            // Erased is erased: also for those who read at this moment.
            return self.clean(0);
        }
        if self.root.generation.is_multiple_of(CLEANS_EACH) {
            // What is left over is left to the next one.
            let _ = self.clean(GRACE_S);
        }
        Ok(())
    }

    /// Deletes what commits have replaced so many seconds ago, by the server's clock.
    fn clean(&self, grace_s: i64) -> Result<()> {
        let (remote, held) = self.held();
        let bucket = &remote.inner.bucket;
        let is_over = |note: &Listed| {
            grace_s == 0 || held.now.is_some_and(|now| note.modified + grace_s <= now)
        };
        for (note, keys) in remote.gone(is_over)? {
            for key in keys {
                self.disk.remote_step();
                bucket.delete(&key)?;
            }
            // Last, so that after a kill it is done again.
            bucket.delete(&note)?;
        }
        Ok(())
    }

    /// Deletes the parts of a change that will not come. What cannot be deleted is found by `verify`.
    fn take_back(&self, change: &Change) {
        let (remote, _) = self.held();
        for new in &change.parts {
            let path = layout::partition(self.dir(), new.part.table, new.day).join(&new.part.name);
            let _ = remote.inner.bucket.delete(&remote.key(&path));
        }
    }

    /// The lists that this writer has made for a root.
    fn own_lists(&self, root: &Root) -> Vec<PathBuf> {
        let (_, held) = self.held();
        let is_mine = |of: u64, by: u32| of == root.generation && by == held.by;
        let lists = root.days().flat_map(|(day, entry)| {
            let parts = entry.parts_in(self.dir(), day);
            let sources = entry.sources_in(self.dir(), day);
            [
                parts.filter(|_| is_mine(entry.parts, entry.parts_by)),
                sources.filter(|_| is_mine(entry.sources, entry.sources_by)),
            ]
        });
        lists.flatten().collect()
    }

    /// Step 2, of lists that were written here.
    fn put_lists(&self, root: &Root) -> Result<()> {
        let (remote, _) = self.held();
        at_once(&self.own_lists(root), |path| {
            self.disk.remote_step();
            Ok(remote.inner.bucket.upload(&remote.key(path), path).map(drop)?)
        })
    }

    /// Deletes the lists of a root that was not to be.
    fn take_back_lists(&self, root: &Root) {
        let (remote, _) = self.held();
        for path in self.own_lists(root) {
            let _ = remote.inner.bucket.delete(&remote.key(&path));
            let _ = remote.drop_file(&path);
        }
    }
}

impl Remote {
    /// The notes of what was replaced that `wanted` lets through, each with the keys that it names.
    pub(super) fn gone(
        &self,
        wanted: impl Fn(&Listed) -> bool,
    ) -> Result<Vec<(String, Vec<String>)>> {
        let bucket = &self.inner.bucket;
        let notes = bucket.list(&(self.key(&layout::gone(self.dir())) + "/"))?;
        let mut gone = Vec::new();
        for note in notes.into_iter().filter(wanted) {
            // Another may have done it meanwhile.
            let Some(object) = bucket.get(&note.key)? else { continue };
            let text = String::from_utf8_lossy(&object.bytes);
            let keys = text.lines().filter(|key| !key.is_empty()).map(str::to_owned).collect();
            gone.push((note.key, keys));
        }
        Ok(gone)
    }
}

/// Waits a random time, longer with each try.
fn pause(tried: u32) {
    let longest = 50_u64 << tried.min(6);
    std::thread::sleep(std::time::Duration::from_millis(random() % (longest + 1)));
}
