//! Bytes looked at 64 at a time. Knows no format.

use wide::u8x16;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 64;

/// Gives `look` the block that begins at `base`; behind the end of `bytes` it holds zeros.
#[inline(always)]
pub(crate) fn look_at<T>(bytes: &[u8], base: usize, look: impl Fn(&[u8; BLOCK]) -> T) -> T {
    let rest = bytes.get(base..).unwrap_or_default();
    match rest.first_chunk() {
        Some(block) => look(block),
        None => at_end(rest, look),
    }
}

/// Apart from the many whole blocks: beside this copy they are taken to pieces of a byte each.
#[cold]
#[inline(never)]
fn at_end<T>(rest: &[u8], look: impl Fn(&[u8; BLOCK]) -> T) -> T {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    look(&block)
}

/// Sixteen bytes, each of them all ones where it is `byte`.
#[inline(always)]
pub(crate) fn is(part: u8x16, byte: u8) -> u8x16 {
    part.simd_eq(u8x16::splat(byte))
}

/// As bits, the bytes of a block of which `test` sets the highest bit.
#[inline(always)]
pub(crate) fn places(block: &[u8; BLOCK], test: impl Fn(u8x16) -> u8x16) -> u64 {
    let (parts, _) = block.as_chunks();
    let places = |part: &[u8; 16]| u64::from(test(u8x16::from(*part)).to_bitmask());
    parts.iter().rev().fold(0, |bits, part| bits << 16 | places(part))
}
