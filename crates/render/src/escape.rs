//! Text written by strangers, made harmless for a terminal, a Markdown page, HTML and XML.
//! Never used for csv, tsv and json: these keep the exact text.

/// Returns `text` with all that could move the cursor, colour the screen or turn the reading
/// direction shown as an escape: `\n`, `\x1b`, `\u{202e}`.
///
/// A backslash stays as it is: the result is for reading, not for reading back.
pub(crate) fn visible(text: &str) -> String {
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

/// Returns visible text with what Markdown or HTML would interpret escaped.
///
/// Brackets and stars too: a reply text must not place a link or an image in a ticket. Not
/// underscores: inside a word, as in our column names, they mean nothing (GFM section 6.2).
pub(crate) fn markdown(visible: &str) -> String {
    let mut out = String::with_capacity(visible.len());
    for c in visible.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '|' | '`' | '*' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Returns text with what would be markup in HTML or XML, in an element or in a quoted attribute,
/// as references.
pub(crate) fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Returns the same for XML, where a parser would turn line ends and tabs into others, and where
/// some characters cannot be at all, not even as references (XML 1.0, 2.2): they are shown as
/// [`visible`] shows them.
pub(crate) fn xml(text: &str) -> String {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !is_plain(c)) {
        let last = piece.chars().next_back().filter(|c| !is_plain(*c));
        out.push_str(&markup(&piece[..piece.len() - last.map_or(0, char::len_utf8)]));
        match last {
            Some(c @ ('\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}')) => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            Some(c) if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            Some(c) => out.extend(c.escape_unicode()),
            None => {}
        }
    }
    out
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
    fn a_reply_cannot_place_html_links_or_cells_in_markdown() {
        assert_eq!(markdown("a|b \\ <img src=x> &amp;"), "a\\|b \\\\ &lt;img src=x> &amp;amp;");
        assert_eq!(markdown("![x](http://h/) *b* `c`"), "!\\[x\\](http://h/) \\*b\\* \\`c\\`");
        assert_eq!(markdown("bounce_rate"), "bounce_rate");
    }
    #[test]
    fn nothing_is_markup_and_nothing_is_no_xml() {
        assert_eq!(markup("<a b=\"'\">&amp;"), "&lt;a b=&quot;&#39;&quot;&gt;&amp;amp;");
        assert_eq!(
            xml("a\r\n\t<\x1b[0m\u{85}\u{ffff}\u{0}"),
            "a&#13;&#10;&#9;&lt;\\x1b[0m&#133;\\u{ffff}\\x00"
        );
        assert_eq!(xml("]]>"), "]]&gt;");
    }
}
