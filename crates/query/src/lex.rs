//! SQL as tokens, as far as it must be known where quotes and comments are. Judges nothing.

/// The tokens of `sql`, in order and without loss: a quoted text, a comment, a word, a
/// parameter with its `$`, or one other character.
pub(crate) fn tokens(sql: &str) -> impl Iterator<Item = &str> + Clone {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |n| n + 2),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |n| n + 2),
            'e' | 'E' if rest[1..].starts_with('\'') => end_of_escaped(rest),
            '$' => end_of_dollar(rest),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

/// The end of `e'...'`, in which a backslash takes the meaning from the next character.
fn end_of_escaped(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(2) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'\'' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The end of `$name`, or of the text in `$$ ... $$` or `$tag$ ... $tag$`.
fn end_of_dollar(text: &str) -> usize {
    let name = text[1..].find(|c| !is_word(c)).map_or(text.len(), |n| n + 1);
    if !text[name..].starts_with('$') {
        return name;
    }
    let (tag, rest) = text.split_at(name + 1);
    rest.find(tag).map_or(text.len(), |n| n + 2 * tag.len())
}

/// Whether a token is neither a blank nor a comment.
pub(crate) fn is_said(token: &str) -> bool {
    !token.trim().is_empty() && !token.starts_with("--") && !token.starts_with("/*")
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The words of `sql`, also those in double quotes.
pub(crate) fn words(sql: &str) -> impl Iterator<Item = &str> {
    tokens(sql).filter_map(|token| {
        let bare = token.strip_prefix('"').map_or(token, |rest| rest.trim_end_matches('"'));
        bare.starts_with(is_word).then_some(bare).filter(|_| !token.contains('\''))
    })
}

/// Whether a statement is at its end: a semicolon, outside of quotes and comments, is the last
/// that it says.
pub fn is_complete(sql: &str) -> bool {
    tokens(sql).filter(|token| is_said(token)).last() == Some(";")
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

    #[test]
    fn a_statement_ends_with_a_semicolon_outside_of_quotes_and_comments() {
        for complete in ["select 1;", "select ';' ; -- done", ";", "select 1\n;  /* x */"] {
            assert!(is_complete(complete), "{complete}");
        }
        for open in ["", "select 1", "select ';", "select 1 -- ;", "/* ;", "select $$;"] {
            assert!(!is_complete(open), "{open}");
        }
    }

    #[test]
    fn every_kind_of_text_and_a_parameter_is_one_token() {
        let of = |sql| tokens(sql).filter(|token| *token != " ").collect::<Vec<_>>();
        assert_eq!(of(r"a E'\' b' c"), ["a", r"E'\' b'", "c"]);
        assert_eq!(of("$a $$ b $$ $x$ c $$ d $x$ $"), ["$a", "$$ b $$", "$x$ c $$ d $x$", "$"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(sql in ".{0,80}|['\"$/*eE\\\\x-]{0,40}") {
            prop_assert_eq!(tokens(&sql).collect::<String>(), sql);
        }
    }
}
