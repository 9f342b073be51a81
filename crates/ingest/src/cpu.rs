//! Work done with the instructions that this processor has, and not only with those that all have.
//! Knows nothing of the work.

/// What `work` comes to. Where the processor has the instructions of x86-64-v3 (AVX2 and BMI, most
/// since 2013), they are used; the closure is to be `#[inline(always)]`, as is what it calls often,
/// or that is in vain.
#[inline]
pub(crate) fn best<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
    {
        #[expect(unsafe_code, reason = "calls what is compiled for features that not all have")]
        // SAFETY: the processor has the features, which is all that is asked of a caller.
        return unsafe { v3(work) };
    }
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn v3<T>(work: impl FnOnce() -> T) -> T {
    work()
}
