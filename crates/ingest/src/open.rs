//! A file as a stream of its content: plain, gzip (also of several members) or zstd. Decided by
//! the first bytes, since a rotated file may have any name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// The content of a file.
pub(crate) struct Content {
    pub(crate) reader: Box<dyn Read + Send>,
    /// Compressed files are complete: nobody appends to them.
    pub(crate) compressed: bool,
}

const BUFFER: usize = 256 * 1024;

/// Opens a file, decompressing when it is compressed.
pub(crate) fn open(path: &Path) -> io::Result<Content> {
    // Not mmap: a compressed file cannot be mapped, a truncated one kills, and one way to read
    // is easier to trust.
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let n = read_full(&mut file, &mut magic)?;
    file.rewind()?;
    Ok(match &magic[..n] {
        [0x1f, 0x8b, ..] => {
            let reader = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file));
            Content { reader: Box::new(reader), compressed: true }
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Content { reader: Box::new(zstd::Decoder::new(file)?), compressed: true }
        }
        _ => Content { reader: Box::new(file), compressed: false },
    })
}

/// Reads until `buffer` is full or the content ends; says how much was read.
pub(crate) fn read_full(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
