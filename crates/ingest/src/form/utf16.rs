//! UTF-16, as a redirect on Windows writes it, as UTF-8.

use super::convert::Convert;

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

impl Endian {
    /// Of a text that begins with these bytes; none when they are not UTF-16. A header begins with
    /// ASCII, so every other byte of it is zero.
    pub(super) fn of(start: &[u8]) -> Option<Endian> {
        match start {
            [0xff, 0xfe, ..] => Some(Endian::Little),
            [0xfe, 0xff, ..] => Some(Endian::Big),
            [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some(Endian::Little),
            [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some(Endian::Big),
            _ => None,
        }
    }
}

/// Converts units.
pub(super) struct Utf16 {
    endian: Endian,
    is_begun: bool,
}

impl Utf16 {
    pub(super) fn new(endian: Endian) -> Utf16 {
        Utf16 { endian, is_begun: false }
    }
}

impl Convert for Utf16 {
    fn next(&mut self, bytes: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        let unit = |pair: &[u8]| match self.endian {
            Endian::Little => u16::from_le_bytes([pair[0], pair[1]]),
            Endian::Big => u16::from_be_bytes([pair[0], pair[1]]),
        };
        let mut whole = bytes.len() - bytes.len() % 2;
        // The first half of a pair waits for the second.
        let is_half = |unit: u16| (0xd800..0xdc00).contains(&unit);
        if whole >= 2 && !ended && is_half(unit(&bytes[whole - 2..])) {
            whole -= 2;
        }
        if whole == 0 && !ended {
            return None;
        }
        let units = bytes[..whole].chunks_exact(2).map(unit);
        for (i, char) in char::decode_utf16(units).enumerate() {
            let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
            if i > 0 || self.is_begun || char != '\u{feff}' {
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        self.is_begun |= whole > 0;
        match (ended, bytes.len()) {
            (true, all) if all > whole => {
                out.extend_from_slice("\u{fffd}".as_bytes());
                Some(all)
            }
            _ => Some(whole).filter(|whole| *whole > 0),
        }
    }
}
