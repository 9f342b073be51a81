//! Compressed bytes as what they were, by their first bytes: a rotated file may have any name.

use std::io::{self, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

/// Bytes that say how a file is packed.
pub(crate) const MAGIC: usize = 6;

/// How a zip archive begins.
pub(crate) const ZIP: &[u8] = b"PK\x03\x04";

/// Memory that unpacking xz may take: what its highest level asks for, twice.
const XZ_MEMORY_KB: u32 = 128 * 1024;

const BUFFER: usize = 256 * 1024;

/// How bytes are packed that are unpacked here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Packing {
    /// What begins with these bytes; none when that is not packed so.
    pub(crate) fn of(start: &[u8]) -> Option<Packing> {
        Some(match start {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Packing::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Packing::Xz,
            _ => return None,
        })
    }

    /// The command that unpacks to its output.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip -dc",
            Packing::Zstd => "zstd -dc",
            Packing::Bzip2 => "bzip2 -dc",
            Packing::Xz => "xz -dc",
        }
    }

    /// The content, of several members or frames too.
    pub(crate) fn unpack(self, bytes: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        let buffered = |bytes| BufReader::with_capacity(BUFFER, bytes);
        Ok(match self {
            Packing::Gzip => Box::new(MultiGzDecoder::new(buffered(bytes))),
            Packing::Zstd => Box::new(zstd::Decoder::new(bytes)?),
            Packing::Bzip2 => Box::new(MultiBzDecoder::new(bytes)),
            Packing::Xz => Box::new(XzReader::new_mem_limit(buffered(bytes), true, XZ_MEMORY_KB)),
        })
    }
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
