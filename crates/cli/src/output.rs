//! Where an answer goes: stdout, or a file that appears as a whole or stays as it was.
//! Formats nothing.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use pmtaq_store::Replacement;

use crate::args::Global;
use crate::failure::{Failure, Result};

/// Lets `write` write where the answer goes: to the file of `-o`, else to stdout.
pub(crate) fn answer<T>(
    global: &Global,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T>,
) -> Result<T> {
    if let Some(path) = &global.output {
        return file(path, write);
    }
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout());
    let done = write(&mut out)?;
    out.flush()?;
    Ok(done)
}

/// Lets `write` write a file that the user named. When it fails, what was there before stays.
pub(crate) fn file<T>(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T>,
) -> Result<T> {
    let mut new = Replacement::begin(path).map_err(|error| refused(path, error))?;
    let done = write(&mut new)?;
    new.finish().map_err(|error| refused(path, error))?;
    Ok(done)
}

fn refused(path: &Path, error: pmtaq_store::Error) -> Failure {
    match error {
        pmtaq_store::Error::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => {
            Failure::silent()
        }
        pmtaq_store::Error::Io { source, .. } => {
            Failure::usage(format!("cannot write {}: {source}", path.display()))
        }
        other => other.into(),
    }
}
