//! Untrusted text in the languages of pages: Markdown, HTML and XML. What steers a terminal is shown
//! by [`visible`].

pub(crate) use pmtaq_schema::untrusted::visible;

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

#[cfg(test)]
mod tests {
    use super::*;

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
