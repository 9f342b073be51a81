//! Looks at files before anything is decided of them: at the beginning of each, in whatever form it
//! comes, and at the files of archives.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pmtaq_store::Writer;

use crate::checked::Checked;
use crate::chunk::{Chunks, Next, Stop};
use crate::content::{self, Head};
use crate::find::Exclude;
use crate::form::{Form, Given, header_of, sight};
use crate::identity::{Candidate, unfinished};
use crate::line::preamble;
use crate::open::{SourceFile, Unread};
use crate::outcome::{HeaderFrom, Status};
use crate::plan::{Plan, PlanError};
use crate::reject::Refusal;
use crate::settings::Header;
use crate::split::{Lines, Splitter};
use crate::spool::Spool;
use crate::unpack::read_full;
use crate::{Error, Settings, archive};

/// Bytes of a content by which it is told what it is.
const BEGINNING: usize = 64 * 1024;

/// Archives in archives that are opened.
const DEPTH: usize = 3;

/// Lines that an assumed header is tried on: one of them must fit.
const TRIED: usize = 16;

/// What is needed to look at files.
pub(crate) struct Look<'l> {
    settings: &'l Settings,
    writer: &'l Writer<'l>,
    spool: &'l Spool,
    exclude: &'l Exclude,
    /// The header that the user gave for files that have none.
    header: Option<Arc<Plan>>,
}

/// What became of a file.
pub(crate) enum FileOutcome {
    Candidate(Box<Candidate>),
    /// It is no accounting file by its name or its beginning, and nobody said that it is one.
    Skipped(PathBuf),
    Untaken(PathBuf, Unread),
}

impl<'l> Look<'l> {
    /// # Errors
    /// When the header that the user gave is none.
    pub(crate) fn new(
        settings: &'l Settings,
        writer: &'l Writer<'l>,
        spool: &'l Spool,
        exclude: &'l Exclude,
    ) -> Result<Look<'l>, Error> {
        let mut look = Look { settings, writer, spool, exclude, header: None };
        let line = match &settings.header {
            None => return Ok(look),
            Some(Header::Line(line)) => header_of(line, look.given()).ok_or_else(|| {
                Error::Header(format!("`{line}` names no `type` and no field of PowerMTA"))
            })?,
            Some(Header::Of(path)) => look.header_of_file(path)?,
        };
        look.header = Some(look.plan(&line).map_err(|error| Error::Header(error.to_string()))?);
        Ok(look)
    }

    fn given(&self) -> Given<'l> {
        let Settings { separator, time_field, .. } = self.settings;
        Given { separator: *separator, time_field: time_field.as_deref() }
    }

    fn plan(&self, header: &str) -> Result<Arc<Plan>, PlanError> {
        let plan = Plan::with_time(header.as_bytes(), self.settings.time_field.as_deref())?;
        Ok(Arc::new(Plan { is_assumed: true, ..plan }))
    }

    fn header_of_file(&self, path: &Path) -> Result<String, Error> {
        let wrong = |what: &str| Error::Header(format!("{}: {what}", path.display()));
        let file = SourceFile::open(path.to_owned(), false, self.settings);
        let mut seen = match file {
            Ok(file) => self.at(file, true),
            Err(_) => return Err(wrong("cannot be read")),
        };
        let header = match (seen.pop(), seen.is_empty()) {
            (Some(FileOutcome::Candidate(candidate)), true) => {
                candidate.file.content().ok().map(|content| {
                    let mut chunks = Chunks::new(content.stream, false).small();
                    let _ = chunks.next();
                    chunks.plan().map(Plan::line).unwrap_or_default()
                })
            }
            _ => None,
        };
        header
            .filter(|line| !line.is_empty())
            .ok_or_else(|| wrong("has no header that can be used"))
    }

    /// Looks at a file, or at the files of an archive. `is_expected` says that it should be an accounting
    /// file: its user or its name says so.
    pub(crate) fn at(&self, file: SourceFile, is_expected: bool) -> Vec<FileOutcome> {
        self.within(file, is_expected, DEPTH)
    }

    fn within(&self, file: SourceFile, is_expected: bool, depth: usize) -> Vec<FileOutcome> {
        let path = file.path.clone();
        let why = match self.candidate(file.clone(), None) {
            Ok(candidate) => return vec![candidate],
            Err(Unread::Stop(Stop::Header(PlanError::NoHeader { .. } | PlanError::Spaced))) => {
                match self.closer(file, is_expected, depth) {
                    Ok(seen) => return seen,
                    Err(why) => why,
                }
            }
            Err(why) => why,
        };
        let is_foreign = matches!(why, Unread::Foreign(_) | Unread::Stop(Stop::Io(_)));
        vec![if is_expected || !is_foreign {
            FileOutcome::Untaken(path, why)
        } else {
            FileOutcome::Skipped(path)
        }]
    }

    /// Looks at a file that does not begin as PMTA's own do.
    fn closer(
        &self,
        mut file: SourceFile,
        is_expected: bool,
        depth: usize,
    ) -> Result<Vec<FileOutcome>, Unread> {
        let start = beginning(&file)?;
        let takes = |name: &Path| self.exclude.takes(name) && crate::find::may_be_accounting(name);
        let members = match depth {
            0 => None,
            _ => archive::members(&file, &start, self.spool, &takes)
                .map_err(|why| self.cut(&file, why))?,
        };
        if let Some(members) = members {
            let skipped =
                members.skipped.into_iter().map(|member| FileOutcome::Skipped(member.path));
            let mut seen: Vec<FileOutcome> = skipped.collect();
            for member in members.taken {
                let is_expected =
                    crate::find::is_accounting(member.path.file_name().unwrap_or_default());
                seen.extend(self.within(member, is_expected, depth - 1));
            }
            if let Some(why) = members.stopped {
                seen.push(FileOutcome::Untaken(file.path.clone(), self.cut(&file, why)));
            }
            let is_empty = seen.iter().all(|seen| matches!(seen, FileOutcome::Skipped(_)));
            return if is_empty && is_expected {
                Err(Unread::Foreign("is an archive without an accounting file".to_owned()))
            } else {
                Ok(seen)
            };
        }
        let sight = sight(&start, self.given()).map_err(Unread::Foreign)?;
        file.form = sight.form;
        if !sight.is_headerless {
            return Ok(vec![self.candidate(file, None)?]);
        }
        let path = file.path.clone();
        Ok(vec![match self.with_header(file) {
            Ok(candidate) => candidate,
            // Whatever its name, these are records that nobody else will take.
            Err(why) => FileOutcome::Untaken(path, why),
        }])
    }

    /// Why an archive has no end.
    fn cut(&self, file: &SourceFile, why: Unread) -> Unread {
        match unfinished(file, why, self.settings) {
            Unread::Stop(Stop::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                let what = "the archive ends early; the files that are whole in it are taken, the \
                            others when it is whole";
                Unread::Foreign(what.to_owned())
            }
            why => why,
        }
    }

    /// A file without a header, with that of the user, or with that of what the file was before.
    fn with_header(&self, mut file: SourceFile) -> Result<FileOutcome, Unread> {
        let (plan, from) = match &self.header {
            Some(plan) => (plan.clone(), HeaderFrom::User),
            None => self.before(&file).ok_or_else(|| {
                Unread::Foreign(
                    "no header line: the file begins with a record; `--header 'type,timeLogged,...'` says what \
                     its fields are, or `--header-from FILE`, an accounting file that has the same ones"
                        .to_owned(),
                )
            })?,
        };
        file.assumed.plan = Some(plan);
        let mut chunks = Chunks::new(file.content()?.stream, false).small();
        if let Next::Chunk(chunk) = chunks.next()? {
            let mut splitter = Splitter::new(&chunk.bytes).with_width(chunk.plan.fields.len());
            let lines = splitter.next_lines(TRIED);
            let check = |i| Checked::of(i, lines, &chunk.plan, &mut Default::default());
            let all: Vec<_> = (0..lines.len()).map(check).collect();
            let misfit = match all.first() {
                Some(Err(why)) if all.iter().all(Result::is_err) => Some(why.reason.to_owned()),
                // A header of other records would put values under the names of others, without a word.
                _ => too_few_fields(lines, &all, chunk.plan.fields.len()),
            };
            if let Some(why) = misfit {
                let whose = match &from {
                    HeaderFrom::User => "that is given".to_owned(),
                    HeaderFrom::Before(name) => format!("of {name}, which was ingested,"),
                };
                return Err(Unread::Foreign(format!(
                    "no header line, and the one {whose} does not fit its records: {why}; `--header \
                     'type,timeLogged,...'` says what their fields are"
                )));
            }
        }
        self.candidate(file, Some(from))
    }

    /// The header that a file of the same name had when it was last ingested, or what this one is the
    /// rotated copy of.
    fn before(&self, file: &SourceFile) -> Option<(Arc<Plan>, HeaderFrom)> {
        let name = file.name();
        let host = self.settings.host.as_ref().unwrap_or(&self.settings.machine);
        let place = (file.stat.device, file.stat.inode);
        let days = self.writer.days();
        days.into_iter().rev().find_map(|day| {
            let sources = self.writer.sources(day).ok()?;
            let is_it = |source: &&pmtaq_store::Source| {
                !source.header.is_empty()
                    && (crate::find::was_named(&name, &source.name) && source.host == *host
                        || (source.stat.device, source.stat.inode) == place
                            && source.stat.inode != 0)
            };
            let last = sources.iter().filter(is_it).max_by_key(|source| source.ingested_at)?;
            Some((self.plan(&last.header).ok()?, HeaderFrom::Before(last.name.clone())))
        })
    }

    /// Looks at the beginning of a file, without deciding.
    fn candidate(
        &self,
        file: SourceFile,
        header_from: Option<HeaderFrom>,
    ) -> Result<FileOutcome, Unread> {
        let settings = self.settings;
        let head = content::head(file.content()?, &settings.privacy, settings.now)
            .map_err(|stop| unfinished(&file, stop.into(), settings))?;
        Ok(FileOutcome::Candidate(Box::new(Candidate {
            status: if head.is_some() { Status::New } else { Status::Empty },
            head: head.unwrap_or(Head::NONE),
            file,
            known: None,
            known_records: 0,
            inside: None,
            differs_from: None,
            looks: None,
            header_from,
        })))
    }
}

/// That none of the records has as many fields as the header names, of those that have a type and a time.
fn too_few_fields(
    lines: Lines<'_, '_>,
    all: &[Result<Checked, Refusal>],
    named: usize,
) -> Option<String> {
    let records = all.iter().flatten().map(|checked| lines.get(checked.line).len());
    let most = records.max()?;
    (most < named).then(|| format!("they have {most} fields, and it names {named}"))
}

/// The beginning of a content, behind the hole that it may begin with.
fn beginning(file: &SourceFile) -> Result<Vec<u8>, Unread> {
    let mut plain = file.clone();
    plain.form = Form::default();
    let mut reader = plain.content()?.stream.reader;
    loop {
        let mut start = vec![0; BEGINNING];
        let n = read_full(&mut *reader, &mut start)?;
        start.truncate(n);
        if n < BEGINNING || preamble(&start) < n {
            return Ok(start);
        }
    }
}
