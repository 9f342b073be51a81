//! Numbers that nobody else has: for names, and for waits that do not meet.

/// A random number: what tells names apart that several machines make at the same time.
///
/// # Panics
/// When the system has no random numbers.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    u64::from_le_bytes(bytes)
}
