//! Parquet's hybrid of run-length encoding and bit-packing, for levels and dictionary keys.
//! Knows numbers of so many bits, not what they stand for.
//!
//! The format is in the Parquet specification, "Run Length Encoding / Bit-Packing Hybrid": a run of
//! equal values is `varint(length << 1)` and the value in whole bytes; other values stand packed,
//! in groups of eight, behind `varint(groups << 1 | 1)`.

use std::ops::Range;

/// A run of fewer equal values is not worth a header of its own.
const MIN_RUN: usize = 16;

/// Values that are looked at together. Any run worth a header has so many from any of its first ones on.
const BLOCK: usize = 8;

/// Bits that the greatest of `values` values takes, as keys from 0.
pub(super) fn width_of(values: usize) -> u8 {
    let greatest = values.saturating_sub(1);
    (usize::BITS - greatest.leading_zeros()) as u8
}

/// Appends `values`, each of which fits into `width` bits.
pub(super) fn encode(values: &[u32], width: u8, out: &mut Vec<u8>) {
    let mut literals = 0;
    while let Some(run) = next_run(values, literals) {
        // A packed group is eight values, so the run lends what the last group lacks.
        let lent = (run.start - literals).next_multiple_of(8) - (run.start - literals);
        pack_groups(&values[literals..run.start + lent], width, out);
        varint(((run.len() - lent) as u64) << 1, out);
        let bytes = values[run.start].to_le_bytes();
        out.extend_from_slice(&bytes[..usize::from(width.div_ceil(8))]);
        literals = run.end;
    }
    pack_groups(&values[literals..], width, out);
}

/// Appends `rows` levels of one bit, given as a bitmap, the first in the lowest bit.
pub(super) fn encode_bits(bitmap: &[u8], rows: usize, out: &mut Vec<u8>) {
    let whole = rows / 8;
    let mut literals = 0;
    let mut at = 0;
    while at < whole {
        let byte = bitmap[at];
        let run = match byte {
            0 | 0xff => bitmap[at..whole].iter().take_while(|&&b| b == byte).count(),
            _ => 1,
        };
        if run >= MIN_RUN / 8 {
            literal_bytes(&bitmap[literals..at], out);
            // What is left beyond the last byte joins the run when it is of the same kind.
            let mut length = run * 8;
            let rest = rows % 8;
            if at + run == whole && rest > 0 {
                let mask = (1_u8 << rest) - 1;
                if bitmap[whole] & mask == byte & mask {
                    length += rest;
                }
            }
            varint((length as u64) << 1, out);
            out.push(byte & 1);
            if length > run * 8 {
                return;
            }
            literals = at + run;
        }
        at += run;
    }
    literal_bytes(&bitmap[literals..rows.div_ceil(8)], out);
}

fn literal_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        varint((bytes.len() as u64) << 1 | 1, out);
        out.extend_from_slice(bytes);
    }
}

/// The next run of equal values that is worth a header, from `from` on.
fn next_run(values: &[u32], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while let Some(block) = values.get(at..at + BLOCK) {
        let value = block[0];
        let is_it = |other: &&u32| **other == value;
        // Most differ: then it is one look without a branch for each.
        if block.iter().fold(0, |differs, other| differs | (value ^ other)) != 0 {
            at += BLOCK;
            continue;
        }
        let start = at - values[from..at].iter().rev().take_while(is_it).count();
        at += values[at..].iter().take_while(is_it).count();
        if at - start >= MIN_RUN {
            return Some(start..at);
        }
    }
    None
}

fn pack_groups(values: &[u32], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * usize::from(width);
    match width {
        8 => whole_bytes::<1>(values, out),
        16 => whole_bytes::<2>(values, out),
        24 => whole_bytes::<3>(values, out),
        _ => pack(values.iter().map(|&value| u64::from(value)), width, out),
    }
    out.resize(end, 0);
}

/// Appends values of `N` bytes.
fn whole_bytes<const N: usize>(values: &[u32], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + N * values.len(), 0);
    let (bytes, _) = out[start..].as_chunks_mut::<N>();
    for (bytes, value) in bytes.iter_mut().zip(values) {
        bytes.copy_from_slice(&value.to_le_bytes()[..N]);
    }
}

/// Appends values of `width` bits end to end, the first in the lowest bits.
pub(super) fn pack(values: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    let width = u32::from(width);
    if width == 0 {
        return;
    }
    let mut word = 0_u64;
    let mut used = 0_u32;
    for value in values {
        word |= value << used;
        used += width;
        if used >= 64 {
            out.extend_from_slice(&word.to_le_bytes());
            used -= 64;
            // What of the value did not fit: nothing when it ended with the word.
            word = if used == 0 { 0 } else { value >> (width - used) };
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..used.div_ceil(8) as usize]);
}

/// Appends a number in groups of seven bits, the lowest first (ULEB128).
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads what the specification says, one bit at a time.
    fn decode(mut bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0_u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 0 {
                let wide = usize::from(width.div_ceil(8));
                let mut value = [0; 4];
                value[..wide].copy_from_slice(&bytes[..wide]);
                bytes = &bytes[wide..];
                values.extend(vec![u32::from_le_bytes(value); (header >> 1) as usize]);
            } else {
                let packed = (header >> 1) as usize * usize::from(width);
                for i in 0..(header >> 1) as usize * 8 {
                    let bit = |n: usize| u32::from(bytes[n / 8] >> (n % 8) & 1);
                    let from = i * usize::from(width);
                    values.push((0..usize::from(width)).map(|b| bit(from + b) << b).sum());
                }
                bytes = &bytes[packed..];
            }
        }
        assert!(bytes.is_empty(), "{} bytes too many", bytes.len());
        values.truncate(count);
        values
    }

    fn runs() -> impl Strategy<Value = (u8, Vec<u32>)> {
        (0_u8..=24).prop_flat_map(|width| {
            let value = 0..=(1_u32 << width) - 1;
            let run = (value, prop_oneof![Just(1_usize), 1_usize..80]);
            let values = prop::collection::vec(run, 0..40).prop_map(|runs| {
                runs.into_iter().flat_map(|(value, length)| vec![value; length]).collect()
            });
            (Just(width), values)
        })
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again((width, values) in runs()) {
            let mut out = Vec::new();
            encode(&values, width, &mut out);
            prop_assert_eq!(decode(&out, width, values.len()), values);
        }

        #[test]
        fn a_bitmap_is_read_again_as_levels((_, values) in runs()) {
            let bits: Vec<u32> = values.iter().map(|value| value & 1).collect();
            let mut bitmap = vec![0_u8; bits.len().div_ceil(8)];
            bits.iter().enumerate().for_each(|(i, bit)| bitmap[i / 8] |= (*bit as u8) << (i % 8));
            let mut out = Vec::new();
            encode_bits(&bitmap, bits.len(), &mut out);
            prop_assert_eq!(decode(&out, 1, bits.len()), bits);
        }
    }

    #[test]
    fn a_long_run_costs_a_few_bytes() {
        let mut out = Vec::new();
        encode(&[5; 32_768], 3, &mut out);
        assert_eq!(out, [0x80, 0x80, 0x04, 5]);
        assert_eq!([0, 1, 2, 3, 256, 257].map(width_of), [0, 0, 1, 2, 8, 9]);
    }
}
