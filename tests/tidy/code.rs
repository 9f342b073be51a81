//! Tells code from comments, strings and tests in Rust source.
//! It knows as much of the syntax as the walls need, and nothing of the walls.

/// Returns Rust source without comments and without what its strings hold; lines stay in place.
pub(super) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(len) = string_len(rest) {
            code.push_str("\"\"");
            len
        } else if let Some(len) = char_len(rest) {
            len
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
        rest = &rest[skipped..];
    }
    code
}

/// The length of the string literal at the start of `rest`, plain or raw.
fn string_len(rest: &str) -> Option<usize> {
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(2 + hashes + body.find(&close).map_or(body.len(), |end| end + close.len()));
    }
    let body = rest.strip_prefix('"')?;
    let mut escaped = false;
    let end = body.find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    });
    Some(end.map_or(rest.len(), |end| end + 2))
}

/// The length of the character literal at the start of `rest`; a lifetime is none.
fn char_len(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let escape = usize::from(body.starts_with('\\'));
    let first = body[escape..].chars().next()?.len_utf8();
    let close = if escape == 1 { body[1 + first..].find('\'')? + first + 1 } else { first };
    body[close..].starts_with('\'').then_some(close + 2)
}

/// Returns the code before the tests at the bottom of a file.
pub(super) fn without_tests(code: &str) -> &str {
    code.find("#[cfg(test)]\nmod tests {").map_or(code, |end| &code[..end])
}

/// Whether a line of code has the word, with no letter of a longer name around it.
pub(super) fn names(line: &str, word: &str) -> bool {
    let (word, open) = word.strip_suffix('*').map_or((word, false), |word| (word, true));
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        !line[..at].ends_with(joins) && (open || !after.starts_with(joins))
    })
}

#[test]
fn comments_and_strings_are_not_code() {
    let text = "a(\"b // \\\" c\"); // d\n/* e\n f */ g('\"', 'h', r#\"i\"j\"#, &'k l);\n";
    assert_eq!(code(text), "a(\"\"); \n\n g(, , \"\", &'k l);\n");
}
