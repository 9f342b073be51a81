//! Memory asked for before it is needed. Knows nothing of what lies there.

/// Asks for the first and the last byte of `text`, and does not wait for them.
#[inline(always)]
pub(super) fn fetch(text: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for byte in [text.first(), text.last()].into_iter().flatten() {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(unsafe_code, reason = "takes a pointer")]
        // SAFETY: the byte is there; of one that was not, nothing would come.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast());
        }
    }
    // Elsewhere no stable function asks; what is not asked for only comes later.
    #[cfg(not(target_arch = "x86_64"))]
    let _ = text;
}
