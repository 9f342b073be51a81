//! Untrusted text: replies, names of files, headers, whatever someone else wrote. The one place that
//! knows which characters steer a terminal or deceive a reader, and how they are shown instead.

/// Returns `text` with all that could move the cursor, colour the screen or turn the reading
/// direction shown as an escape: `\n`, `\x1b`, `\u{202e}`.
///
/// A backslash stays as it is: the result is for reading, not for reading back.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// As [`visible`], for a text of several lines: line ends and tabs stay.
pub fn visible_lines(text: &str) -> String {
    let piece = |piece: &str| {
        let body = piece.trim_end_matches(['\n', '\t']);
        visible(body) + &piece[body.len()..]
    };
    text.split_inclusive(['\n', '\t']).map(piece).collect()
}

/// Whether `c` would steer a terminal, or hides from a reader: a control character, or one that
/// has no glyph or reorders its neighbours.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Tells whether `c` has no glyph or reorders its neighbours: Unicode's format characters (Cf)
/// and line separators, with the Arabic number signs left out, which have a glyph.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_shown() {
        assert_eq!(visible("a\x1b[2Jb\r\n\tc\0"), "a\\x1b[2Jb\\r\\n\\tc\\x00");
        assert_eq!(visible("\u{9b}31m\u{7f}"), "\\x9b31m\\x7f");
        assert_eq!(visible("moc.\u{202e}evil\u{2028}"), "moc.\\u{202e}evil\\u{2028}");
        assert_eq!(visible("Gr\u{fc}\u{df}e \u{65e5}\u{672c}"), "Gr\u{fc}\u{df}e \u{65e5}\u{672c}");
    }

    #[test]
    fn every_line_break_control_and_mark_of_direction_is_hidden() {
        for c in [
            '\0',
            '\n',
            '\x1b',
            '\u{9b}',
            '\u{7f}',
            '\u{200b}',
            '\u{2028}',
            '\u{2067}',
            '\u{e0041}',
        ] {
            assert!(is_hidden(c), "{}", c.escape_unicode());
            assert!(!visible(&c.to_string()).contains(c));
        }
        for c in ['a', ' ', '\u{e9}', '\u{65e5}', '\u{600}'] {
            assert!(!is_hidden(c), "{}", c.escape_unicode());
        }
    }
}
