//! All that the inputs come to: pipes, files, the files of folders and archives, each looked at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pmtaq_store::Writer;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::find::{Exclude, Found, Listing, STDIN, find};
use crate::identity::{Candidate, Untaken};
use crate::look::{FileOutcome, Look};
use crate::open::{KEPT, SourceFile};
use crate::outcome::Refused;
use crate::spool::Spool;
use crate::{Error, Settings};

/// The inputs of a run.
pub(crate) struct Inputs<'r> {
    settings: &'r Settings,
    exclude: Exclude,
    spool: Spool,
    /// The files that were found, until they are looked at.
    listed: Option<Listing>,
    /// What came through pipes, which can be read once only.
    pipes: Vec<SourceFile>,
    /// The pipes that could not be read.
    unread: Vec<Refused>,
}

/// What there is to be read.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) untaken: Untaken,
    /// Of each input in which a folder was looked into, what was passed over.
    pub(crate) skipped: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// What was passed over of archives that the user named.
    pub(crate) also_skipped: BTreeSet<PathBuf>,
    /// Folders and globs without a file.
    pub(crate) empty: Vec<PathBuf>,
}

impl<'r> Inputs<'r> {
    /// Lists the inputs, and reads the pipes among them.
    ///
    /// # Errors
    /// When a glob of names that are not taken is none.
    pub(crate) fn open(settings: &'r Settings) -> Result<Inputs<'r>, Error> {
        let exclude = Exclude::of(&settings.exclude)?;
        let spool = Spool::within(settings.scratch.clone());
        let (pipes, unread) = (Vec::new(), Vec::new());
        let mut inputs = Inputs { settings, exclude, spool, listed: None, pipes, unread };
        let mut listed = inputs.list();
        for path in std::mem::take(&mut listed.pipes) {
            match inputs.read(&path) {
                Ok(file) => inputs.pipes.push(file),
                Err(error) => {
                    let reason = error.to_string();
                    inputs.unread.push(Refused { path, reason });
                }
            }
        }
        inputs.listed = Some(listed);
        Ok(inputs)
    }

    fn list(&self) -> Listing {
        find(&self.settings.inputs, &self.exclude, &self.settings.hook)
    }

    fn read(&self, path: &Path) -> io::Result<SourceFile> {
        let (mut content, path): (Box<dyn Read>, _) = if path == Path::new(STDIN) {
            (Box::new(io::stdin().lock()), PathBuf::from("stdin"))
        } else {
            (Box::new(File::open(path)?), path.to_owned())
        };
        let section = self.spool.keep(&mut *content)?;
        Ok(SourceFile::of_pipe(path, section, self.settings))
    }

    /// Looks at the beginnings of all of them, but for those that are `spoilt`. Files are looked for anew
    /// whenever that was done before.
    ///
    /// # Errors
    /// When the header that the user gave is none.
    pub(crate) fn gather(
        &mut self,
        writer: &Writer<'_>,
        pool: &ThreadPool,
        spoilt: &Untaken,
    ) -> Result<Gathered, Error> {
        let listed = self.listed.take().unwrap_or_else(|| self.list());
        let Listing { files, skipped, empty, refused, .. } = listed;
        let look = Look::new(self.settings, writer, &self.spool, &self.exclude)?;
        let mut gathered = Gathered { skipped, empty, ..Gathered::default() };
        gathered.untaken.refused = refused;
        gathered.untaken.refused.extend(self.unread.iter().cloned());
        let pipes = self.pipes.iter().flat_map(|file| look.at(file.clone(), true));
        let pipes = pipes.map(|seen| (None, seen));
        for (input, seen) in pipes.chain(self.at_all(&look, files, pool, spoilt)) {
            match seen {
                FileOutcome::Candidate(candidate) if spoilt.names(&candidate.file.path) => {}
                FileOutcome::Candidate(candidate) => gathered.candidates.push(*candidate),
                FileOutcome::Skipped(path) => {
                    let of_input = input.map(|input| gathered.skipped.entry(input).or_default());
                    of_input.unwrap_or(&mut gathered.also_skipped).insert(path);
                }
                FileOutcome::Untaken(path, why) => gathered.untaken.push(path, why),
            }
        }
        Ok(gathered)
    }

    /// The descriptors of those that changed last stay open: it is them that rotation is about to move.
    fn at_all(
        &self,
        look: &Look<'_>,
        files: Vec<Found>,
        pool: &ThreadPool,
        spoilt: &Untaken,
    ) -> Vec<(Option<PathBuf>, FileOutcome)> {
        let mut times: Vec<i64> = files.iter().map(|found| found.modified).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let oldest_kept = times.get(KEPT - 1).copied();
        let at = |Found { path, modified, is_expected, input }| {
            let keep = oldest_kept.is_none_or(|oldest| modified > oldest);
            let seen = match SourceFile::open(path, keep, self.settings) {
                Ok(file) => look.at(file, is_expected),
                Err((path, _)) if !is_expected => vec![FileOutcome::Skipped(path)],
                Err((path, why)) => vec![FileOutcome::Untaken(path, why)],
            };
            seen.into_iter().map(move |seen| (input.clone(), seen))
        };
        let files = files.into_par_iter().filter(|found| !spoilt.names(&found.path));
        pool.install(|| files.flat_map_iter(at).collect())
    }
}
