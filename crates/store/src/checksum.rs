//! The checksums by which bytes that were written are told from bytes that rotted: XXH3, 128 bits, in
//! hexadecimal. Knows no format.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use twox_hash::XxHash3_128;

use crate::error::{At, Result};

/// The checksum of some bytes.
pub(crate) fn of(bytes: &[u8]) -> String {
    hex(XxHash3_128::oneshot(bytes))
}

/// The checksum of all bytes of a file.
pub(crate) fn of_file(file: &mut File, path: &Path) -> Result<String> {
    let mut hash = XxHash3_128::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).at(path)? {
            0 => return Ok(hex(hash.finish_128())),
            n => hash.write(&buffer[..n]),
        }
    }
}

fn hex(hash: u128) -> String {
    format!("{hash:032x}")
}

/// A file that is written from its beginning to its end, and summed up as its bytes pass.
pub(crate) struct Summed {
    file: File,
    hash: XxHash3_128,
    bytes: u64,
}

impl Summed {
    pub(crate) fn new(file: File) -> Summed {
        Summed { file, hash: XxHash3_128::new(), bytes: 0 }
    }

    /// The file, which has no more to come or is synced meanwhile.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// How many bytes were written, and their checksum.
    pub(crate) fn sum(&self) -> (u64, String) {
        (self.bytes, hex(self.hash.finish_128()))
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.write(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_checksum_however_they_pass() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("summed");
        let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n * 7 / 3) as u8).collect();
        let mut summed = Summed::new(File::create(&path).expect("a file"));
        bytes.chunks(999).for_each(|bytes| summed.write_all(bytes).expect("room"));
        let read = of_file(&mut File::open(&path).expect("the file"), &path).expect("bytes");
        assert_eq!(summed.sum(), (700_000, of(&bytes)));
        assert_eq!(read, of(&bytes));
        assert_eq!(of(b""), "99aa06d3014798d86001c324468d497f");
    }
}
