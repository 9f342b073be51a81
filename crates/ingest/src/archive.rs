//! The files of a tar or zip archive, each a source of its own. Of a plain tar they are stretches of it;
//! what is compressed is read once and kept for the run.

use std::io::{self, Read};
use std::path::Path;

use tar::EntryType;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::open::{SourceFile, Unread};
use crate::spool::{Section, Spool};
use crate::unpack::ZIP;

/// The files of an archive that are taken by their names, and the names of the others; none when a
/// file that begins with `start`, unpacked, is no archive.
pub(crate) fn members(
    file: &SourceFile,
    start: &[u8],
    spool: &Spool,
    takes: &dyn Fn(&Path) -> bool,
) -> Result<Option<Members>, Unread> {
    if start.starts_with(ZIP) {
        return of_zip(file, spool, takes).map(Some);
    }
    if is_tar(start) {
        return of_tar(file, spool, takes).map(Some);
    }
    Ok(None)
}

/// What an archive holds.
#[derive(Default)]
pub(crate) struct Members {
    pub(crate) taken: Vec<SourceFile>,
    /// Files whose names say that they are none.
    pub(crate) skipped: Vec<SourceFile>,
    /// Why the archive cannot be read to its end.
    pub(crate) stopped: Option<Unread>,
}

impl Members {
    /// Adds a file of `archive`.
    fn add(&mut self, archive: &SourceFile, name: &str, section: Section, is_kept: bool) {
        let name = name.trim_start_matches(['/', '.']);
        let mut member = archive.member(name, section, is_kept);
        // An archive may have a name twice.
        let mut count = 1;
        while self.taken.iter().any(|other| other.path == member.path) {
            count += 1;
            member.path = archive.path.join(format!("{name}#{count}"));
        }
        self.taken.push(member);
    }
}

/// Whether a block is the header of a tar, by its checksum: old ones have no magic.
fn is_tar(start: &[u8]) -> bool {
    let Some(block) = start.get(..512) else { return false };
    let mut header = tar::Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    let field = 148..156;
    let sum = block
        .iter()
        .enumerate()
        .map(|(i, byte)| if field.contains(&i) { u32::from(b' ') } else { u32::from(*byte) });
    block[0] != 0 && header.cksum().is_ok_and(|said| said == sum.sum::<u32>())
}

fn of_tar(
    file: &SourceFile,
    spool: &Spool,
    takes: &dyn Fn(&Path) -> bool,
) -> Result<Members, Unread> {
    let mut members = Members::default();
    if let Err(why) = read_tar(file, spool, takes, &mut members) {
        // What stands before the damage is whole.
        members.stopped = Some(why);
    }
    Ok(members)
}

fn read_tar(
    file: &SourceFile,
    spool: &Spool,
    takes: &dyn Fn(&Path) -> bool,
    members: &mut Members,
) -> Result<(), Unread> {
    let plain = file.section()?;
    let content: Box<dyn Read> = match &plain {
        Some(section) => Box::new(section.reader()),
        None => file.content()?.stream.reader,
    };
    let mut archive = tar::Archive::new(content);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let is_whole = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => true,
            EntryType::GNUSparse => false,
            _ => continue,
        };
        let name = entry.path()?.to_string_lossy().into_owned();
        if !takes(Path::new(&name)) {
            members.skipped.push(file.named_within(&name));
            continue;
        }
        match &plain {
            Some(section) if is_whole => {
                let start = section.range.start + entry.raw_file_position();
                let range = start..start + entry.size();
                if range.end > section.range.end {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                let section = Section { file: section.file.clone(), range };
                members.add(file, &name, section, false);
            }
            _ => members.add(file, &name, spool.keep(&mut entry)?, true),
        }
    }
    Ok(())
}

fn of_zip(
    file: &SourceFile,
    spool: &Spool,
    takes: &dyn Fn(&Path) -> bool,
) -> Result<Members, Unread> {
    let mut members = Members::default();
    let Some(section) = file.section()? else {
        return Err(Unread::Foreign(
            "is a zip archive that is compressed; unpack it first".to_owned(),
        ));
    };
    let mut archive = ZipArchive::new(section.reader()).map_err(of_zip_error)?;
    let office =
        [("xl/", "an Excel workbook"), ("word/", "a Word document"), ("content.xml", "a document")];
    for (part, what) in office {
        if archive.file_names().any(|name| name.is_ok_and(|name| name.starts_with(part))) {
            return Err(Unread::Foreign(format!("is {what}; save it as CSV, and ingest that")));
        }
    }
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(of_zip_error)?;
        if !entry.is_file() {
            continue;
        }
        let name = entry.name().map_err(of_zip_error)?.into_owned();
        if takes(Path::new(&name)) {
            members.add(file, &name, spool.keep(&mut entry)?, true);
        } else {
            members.skipped.push(file.named_within(&name));
        }
    }
    Ok(members)
}

fn of_zip_error(error: ZipError) -> Unread {
    let what = match error {
        ZipError::Io(error) => return error.into(),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            "is a zip archive with a password; `unzip -p FILE | pmtaq ingest -` asks for it"
                .to_owned()
        }
        ZipError::UnsupportedArchive(what) => {
            format!(
                "is a zip archive that cannot be read ({what}); unpack it, and ingest what was in it"
            )
        }
        error if error.to_string().contains("EOCD") => {
            return io::Error::from(io::ErrorKind::UnexpectedEof).into();
        }
        error => format!("is a damaged zip archive: {error}"),
    };
    Unread::Foreign(what)
}
