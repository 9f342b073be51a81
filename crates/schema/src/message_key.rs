//! A number by which the records of one recipient of one message are found, without comparing
//! addresses: the same in all its records. Looks at no record type and no time.
//!
//! The upper half is of the recipient, the lower half of the envelope identifier, else of the
//! sender; each is XXH3 cut to 32 bits. So who looks for a recipient, or for an identifier, finds
//! the few records that may be theirs by a comparison of numbers.

use twox_hash::XxHash3_64;

use crate::address::in_lower_case;

/// The seed of a sender, so that none is taken for an identifier that is spelled alike.
const SENDER: u64 = 1;

/// The key of the message to `rcpt` with the envelope identifier `env_id`, from `orig`. An empty text
/// is one that was not logged.
pub fn message_key(rcpt: &[u8], env_id: &[u8], orig: &[u8]) -> u64 {
    let which = match env_id {
        b"" => XxHash3_64::oneshot_with_seed(SENDER, orig) & LOWER_HALF,
        env_id => env_id_key(env_id),
    };
    recipient_key(rcpt) << 32 | which
}

/// The lower half of a key, as bits.
pub const LOWER_HALF: u64 = u32::MAX as u64;

/// The lower half of the keys of records with the envelope identifier `env_id`.
pub fn env_id_key(env_id: &[u8]) -> u64 {
    XxHash3_64::oneshot(env_id) & LOWER_HALF
}

/// The upper half of the keys of `rcpt`, in any case.
pub fn recipient_key(rcpt: &[u8]) -> u64 {
    XxHash3_64::oneshot(&in_lower_case(rcpt)) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_parts_on_disk_have() {
        // Parts that were written hold these numbers: they never change.
        assert_eq!(message_key(b"anna@example.com", b"e-1", b"news@example.net"), KNOWN[0]);
        assert_eq!(message_key(b"anna@example.com", b"", b"news@example.net"), KNOWN[1]);
        assert_eq!(message_key(b"", b"", b""), KNOWN[2]);
    }

    const KNOWN: [u64; 3] =
        [1_184_779_944_915_163_525, 1_184_779_947_580_667_887, 3_244_421_342_718_551_811];

    #[test]
    fn the_halves_of_a_key_are_found_alone() {
        let key = message_key(b"anna@example.com", b"e-1", b"news@example.net");
        assert_eq!(key >> 32, recipient_key(b"anna@example.com"));
        assert_eq!(key & LOWER_HALF, env_id_key(b"e-1"));
    }

    #[test]
    fn the_case_of_a_recipient_is_no_matter() {
        let key = |rcpt: &str| message_key(rcpt.as_bytes(), b"e-1", b"");
        assert_eq!(key("Anna@Example.COM"), key("anna@example.com"));
        assert_eq!(key("\u{c4}NNE@example.com"), key("\u{e4}nne@example.com"));
        assert_ne!(key("anna@example.com"), key("anne@example.com"));
    }

    #[test]
    fn messages_to_one_recipient_are_told_apart_by_identifier_else_by_sender() {
        let key = |env_id: &str, orig: &str| {
            message_key(b"anna@example.com", env_id.as_bytes(), orig.as_bytes())
        };
        assert_ne!(key("e-1", "a@example.net"), key("e-2", "a@example.net"));
        assert_eq!(key("e-1", "a@example.net"), key("e-1", "b@example.net"));
        assert_ne!(key("", "a@example.net"), key("", "b@example.net"));
        assert_ne!(key("", "e-1"), key("e-1", ""));
        assert_eq!(key("e-1", "") >> 32, recipient_key(b"anna@example.com"));
    }
}
