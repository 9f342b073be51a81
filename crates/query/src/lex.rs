//! SQL as tokens, as far as it must be known where quotes and comments are. Judges nothing.

/// The tokens of `sql`, in order and without loss: a quoted text, a comment, a word, or one
/// other character.
pub(crate) fn tokens(sql: &str) -> impl Iterator<Item = &str> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |n| n + 2),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |n| n + 2),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether every parenthesis is closed, and none that was not opened.
pub(crate) fn is_balanced(sql: &str) -> bool {
    let mut depth = 0_i64;
    for token in tokens(sql) {
        match token {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parentheses_in_quotes_and_comments_do_not_count() {
        assert!(is_balanced("(a = ')' -- )\n and \")\" /* ) */)"));
        assert!(!is_balanced("a) or (b"));
        assert!(!is_balanced("(a"));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(sql in ".{0,80}") {
            prop_assert_eq!(tokens(&sql).collect::<String>(), sql);
        }
    }
}
