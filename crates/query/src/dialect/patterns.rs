//! Patterns of `like`, `glob` and regular expressions, so that they mean there what they mean here.
//! Knows no statement.

use super::words::not_there;
use crate::error::Result;

/// A pattern of `glob` as a regular expression of the whole text.
pub(super) fn of_glob(pattern: &str) -> String {
    let mut out = String::from("(?s)\\A");
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                out.push('[');
                if chars.peek() == Some(&'!') {
                    chars.next();
                    out.push('^');
                }
                let mut is_first = true;
                for c in chars.by_ref() {
                    if c == ']' && !is_first {
                        break;
                    }
                    is_first = false;
                    if "\\[]^&~".contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push(']');
            }
            '\\' => escape(chars.next().unwrap_or('\\'), &mut out),
            c => escape(c, &mut out),
        }
    }
    out + "\\z"
}

fn escape(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

/// A regular expression of the engine (RE2) as one of Java. What both read alike stays; a dot is any character
/// but a line feed, and `$` the end of the text, which they are not by themselves there.
///
/// # Errors
/// What not both know, or know to mean other things.
pub(super) fn of_regex(pattern: &str, flags: &str) -> Result<String> {
    let mut out = String::new();
    let (mut is_multiline, mut dot) = (false, "[^\\n]");
    for flag in flags.chars() {
        match flag {
            'i' => out.push_str("(?i)"),
            'c' | 'g' => {}
            's' => dot = "[\\s\\S]",
            'm' | 'n' | 'p' => is_multiline = true,
            other => return Err(not_there(&format!("the flag {other} of a regular expression"))),
        }
    }
    if is_multiline {
        return Err(not_there("a regular expression over several lines"));
    }
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next().unwrap_or('\\');
                if !next.is_ascii_punctuation() && !"dDwWtnrbsSzA".contains(next) {
                    return Err(not_there(&format!("`\\{next}` in a regular expression")));
                }
                match (next, in_class) {
                    // Java counts a vertical tab among the spaces, RE2 does not.
                    ('s', false) => out.push_str("[\\t\\n\\f\\r ]"),
                    ('S', false) => out.push_str("[^\\t\\n\\f\\r ]"),
                    ('s', true) => out.push_str("\\t\\n\\f\\r "),
                    ('S', true) => return Err(not_there("`\\S` in brackets")),
                    // Words are of ASCII in RE2.
                    ('b', _) => out.push_str(
                        "(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))",
                    ),
                    _ => out.extend(['\\', next]),
                }
            }
            '[' if in_class => {
                if chars.peek() == Some(&':') {
                    return Err(not_there("`[:...:]` in a regular expression"));
                }
                out.push_str("\\[");
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '.' if !in_class => out.push_str(dot),
            '$' if !in_class => out.push_str("\\z"),
            '(' if !in_class && chars.peek() == Some(&'?') => {
                chars.next();
                match chars.next() {
                    Some(':') => out.push_str("(?:"),
                    Some('i') if chars.next_if_eq(&')').is_some() => out.push_str("(?i)"),
                    _ => return Err(not_there("a group of this kind in a regular expression")),
                }
            }
            '*' | '+' | '?' | '}' if !in_class && chars.peek() == Some(&'+') => {
                return Err(not_there("a possessive repetition"));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// What takes the place of a match, `\1` for its first group.
pub(super) fn of_replacement(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some(digit) if digit.is_ascii_digit() => out.extend(['$', digit]),
                Some(other) => {
                    escape(other, &mut out);
                }
                None => out.push_str("\\\\"),
            },
            ('$', _) => out.push_str("\\$"),
            _ => out.push(c),
        }
    }
    out
}

/// A format of `strftime` as one of Spark.
///
/// # Errors
/// A field that they do not both have.
pub(super) fn of_time(format: &str) -> Result<String> {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            match c {
                '\'' => out.push_str("''"),
                c if c.is_ascii_alphabetic() => out.extend(['\'', c, '\'']),
                c => out.push(c),
            }
            continue;
        }
        out.push_str(match chars.next() {
            Some('Y') => "yyyy",
            Some('m') => "MM",
            Some('d') => "dd",
            Some('H') => "HH",
            Some('M') => "mm",
            Some('S') => "ss",
            Some('I') => "hh",
            Some('p') => "a",
            Some('y') => "yy",
            Some('j') => "DDD",
            Some('a') => "EEE",
            Some('A') => "EEEE",
            Some('b') => "MMM",
            Some('B') => "MMMM",
            Some('f') => "SSSSSS",
            Some('g') => "SSS",
            Some('%') => "%",
            Some(other) => return Err(not_there(&format!("`%{other}` of a time"))),
            None => return Err(not_there("a format that ends with %")),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_there_what_they_mean_here() {
        assert_eq!(of_glob("a*.b?"), "(?s)\\Aa.*\\.b.\\z");
        assert_eq!(of_glob("[!a-c]x"), "(?s)\\A[^a-c]x\\z");
        let regex = |pattern| of_regex(pattern, "").expect("a known pattern");
        assert_eq!(regex("RC4|DES"), "RC4|DES");
        assert_eq!(regex("a.c$"), "a[^\\n]c\\z");
        assert_eq!(regex("[.$[&]+"), "[.$\\[\\&]+");
        assert_eq!(regex("\\d{3}\\."), "\\d{3}\\.");
        assert_eq!(of_regex("x", "i").expect("a known flag"), "(?i)x");
        for unknown in ["(?=a)", "\\pL", "[[:alpha:]]", "a*+", "(?P<n>a)"] {
            assert!(of_regex(unknown, "").is_err(), "{unknown}");
        }
        assert_eq!(of_replacement("\\1-$"), "$1-\\$");
        assert_eq!(of_time("%Y-%m-%d %H:00").expect("known"), "yyyy-MM-dd HH:00");
        assert!(of_time("%U").is_err());
    }
}
