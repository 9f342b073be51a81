//! Parquet's `DELTA_BINARY_PACKED`: numbers as differences from one to the next.
//! Knows whole numbers, not what they stand for.
//!
//! The format is in the Parquet specification, "Delta Encoding": blocks of 128 values, each with the
//! least difference and four groups of 32 packed by the width that the group needs.

use super::hybrid::{pack, varint};

const BLOCK: usize = 128;
const GROUP: usize = 32;

/// Differences of lengths that take more bits than this take whole bytes.
const NARROW: u8 = 3;

/// Appends `values`.
pub(super) fn encode(values: &[i64], out: &mut Vec<u8>) {
    encode_with(values, |width| width, out);
}

/// Appends the lengths of texts, which the format takes as 32 bits: they must fit into 31. In whole bytes,
/// since zstd finds in these what comes again, and codes them by their frequency.
pub(super) fn encode_lengths(lengths: &[i64], out: &mut Vec<u8>) {
    let whole = |width: u8| if width <= NARROW { width } else { width.next_multiple_of(8) };
    encode_with(lengths, whole, out);
}

/// Appends `values`, each group of differences in as many bits as `room` gives to those that need so many.
fn encode_with(values: &[i64], room: impl Fn(u8) -> u8, out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / GROUP) as u64, out);
    varint(values.len() as u64, out);
    zigzag(values.first().copied().unwrap_or(0), out);
    let mut deltas = [0_i64; BLOCK];
    for block in 0..values.len().saturating_sub(1).div_ceil(BLOCK) {
        let from = block * BLOCK;
        let until = (from + BLOCK).min(values.len() - 1);
        let deltas = &mut deltas[..until - from];
        for (delta, pair) in deltas.iter_mut().zip(values[from..=until].windows(2)) {
            // Wrapping, as the format says: a reader wraps back.
            *delta = pair[1].wrapping_sub(pair[0]);
        }
        encode_block(deltas, &room, out);
    }
}

fn encode_block(deltas: &[i64], room: impl Fn(u8) -> u8, out: &mut Vec<u8>) {
    let least = deltas.iter().copied().min().unwrap_or(0);
    zigzag(least, out);
    let above = |delta: &i64| delta.wrapping_sub(least) as u64;
    let mut widths = [0_u8; BLOCK / GROUP];
    for (width, group) in widths.iter_mut().zip(deltas.chunks(GROUP)) {
        let all = group.iter().map(above).fold(0, |all, delta| all | delta);
        *width = room((u64::BITS - all.leading_zeros()) as u8);
    }
    out.extend_from_slice(&widths);
    for (&width, group) in widths.iter().zip(deltas.chunks(GROUP)) {
        let end = out.len() + GROUP * usize::from(width) / 8;
        pack(group.iter().map(above), width, out);
        out.resize(end, 0);
    }
}

/// Appends a signed number so that small ones of either sign are short.
pub(super) fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint((value << 1 ^ value >> 63) as u64, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_step_takes_no_bits_but_headers() {
        let mut out = Vec::new();
        encode(&[7, 5, 3, 1, -1, -3], &mut out);
        // 128 values a block, 4 groups, 6 values, first 7; least difference -2, no widths.
        assert_eq!(out, [0x80, 1, 4, 6, 14, 3, 0, 0, 0, 0]);
    }

    #[test]
    fn the_example_of_the_specification() {
        let mut out = Vec::new();
        encode(&[7, 5, 3, 1, 2, 3, 4, 5], &mut out);
        // Differences -2 -2 -2 1 1 1 1: the least -2, above it 0 0 0 3 3 3 3 in 2 bits.
        assert_eq!(&out[..10], [0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0]);
        assert_eq!(&out[10..], [0b1100_0000, 0b0011_1111, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn lengths_that_differ_much_take_whole_bytes() {
        let (mut out, mut narrow) = (Vec::new(), Vec::new());
        encode_lengths(&[7, 17, 7, 5], &mut out);
        // Differences 10 -10 -2: above the least 20 0 8.
        assert_eq!(out, [vec![0x80, 1, 4, 4, 14, 19, 8, 0, 0, 0, 20, 0, 8], vec![0; 29]].concat());
        out.clear();
        encode_lengths(&[7, 5, 3, 1, 2, 3, 4, 5], &mut out);
        encode(&[7, 5, 3, 1, 2, 3, 4, 5], &mut narrow);
        assert_eq!(out, narrow);
    }

    #[test]
    fn nothing_is_a_header() {
        let mut out = Vec::new();
        encode(&[], &mut out);
        assert_eq!(out, [0x80, 1, 4, 0, 0]);
    }
}
