//! The words that replies are made of: one of them in a reply tells nothing of a recipient who
//! happens to be called so. Knows words, not whose replies they are.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Replies of many receivers below the templates that they come to, in lines `> template`.
const REPLIES: &str = include_str!("../data/replies.txt");

/// Words of templates: what is left of a reply when all that differs from message to message is
/// masked. In lower case.
static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let templates = REPLIES.lines().filter_map(|line| line.strip_prefix("> "));
    let words = templates.flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
});

/// Whether replies use a word, given in lower case, by themselves.
pub fn is_of_replies(word: &str) -> bool {
    WORDS.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_of_replies_are_known_and_names_are_not() {
        for word in ["mailbox", "user", "unknown", "550", "mail", "the"] {
            assert!(is_of_replies(word), "{word}");
        }
        for name in ["jane", "jane.doe", "cedar8549569"] {
            assert!(!is_of_replies(name), "{name}");
        }
    }
}
