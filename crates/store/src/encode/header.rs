//! The header of a page, in Thrift's compact protocol: the Parquet crate writes it without the
//! checksum by which a reader tells a page that rotted.

use parquet::basic::Encoding;

use super::delta::zigzag;

/// Types of fields, as the low bits of a field's first byte; the high bits say how many numbers it is
/// after the field before.
const I32: u8 = 5;
const STRUCT: u8 = 12;
const FALSE: u8 = 2;

const END: u8 = 0;

/// What a page holds.
#[derive(Clone, Copy)]
pub(super) enum PageKind {
    /// Values, with levels before them that are run lengths.
    Data { values: usize, encoding: Encoding },
    /// What keys stand for, in no order.
    Dictionary { values: usize },
}

/// Appends the header of a page that has `uncompressed` bytes before compression.
pub(super) fn append(page: PageKind, uncompressed: usize, compressed: &[u8], to: &mut Vec<u8>) {
    let kind = match page {
        PageKind::Data { .. } => 0,
        PageKind::Dictionary { .. } => 2,
    };
    let checksum = crc32fast::hash(compressed).cast_signed();
    for number in [kind, uncompressed as i32, compressed.len() as i32, checksum] {
        append_i32(number, to);
    }
    match page {
        PageKind::Data { values, encoding } => {
            to.push((1 << 4) | STRUCT);
            let levels = Encoding::RLE as i32;
            for number in [values as i32, encoding as i32, levels, levels] {
                append_i32(number, to);
            }
        }
        PageKind::Dictionary { values } => {
            to.push((3 << 4) | STRUCT);
            append_i32(values as i32, to);
            append_i32(Encoding::PLAIN as i32, to);
            // Whether its values are sorted.
            to.push((1 << 4) | FALSE);
        }
    }
    to.extend([END, END]);
}

/// The next field, a number.
fn append_i32(number: i32, to: &mut Vec<u8>) {
    to.push((1 << 4) | I32);
    zigzag(i64::from(number), to);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_what_the_format_says() {
        let mut header = Vec::new();
        append(
            PageKind::Data { values: 300, encoding: Encoding::RLE_DICTIONARY },
            70,
            b"123456789",
            &mut header,
        );
        // 0xcbf43926 is the checksum of these nine bytes, negative as a number of 32 bits.
        let expected = [
            0x15, 0, 0x15, 140, 1, 0x15, 18, 0x15, 0xb3, 0x9b, 0xde, 0xc0, 0x06, 0x1c, 0x15, 0xd8,
            4, 0x15, 16, 0x15, 6, 0x15, 6, 0, 0,
        ];
        assert_eq!(header, expected);
        header.clear();
        append(PageKind::Dictionary { values: 2 }, 8, b"", &mut header);
        assert_eq!(
            header,
            [0x15, 4, 0x15, 16, 0x15, 0, 0x15, 0, 0x3c, 0x15, 4, 0x15, 0, 0x12, 0, 0]
        );
    }
}
