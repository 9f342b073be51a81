//! Headers as people wrote them: encoded words (RFC 2047) decoded. Knows no header by name.

use std::borrow::Cow;

/// What the field of a header is called in front.
const HEADER: &str = "header_";

/// Whether the field of this name is a header of the message.
pub(crate) fn is_header(field: &str) -> bool {
    field.get(..HEADER.len()).is_some_and(|head| head.eq_ignore_ascii_case(HEADER))
}

/// The value of a header on one line, with its encoded words decoded; what is none stays as it is.
pub(crate) fn decoded(value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let value = unfolded(value);
    // Encoded words are a way to write ASCII on one line, and what is not may not hold one.
    let may_hold_one = memchr::memchr_iter(b'=', &value).any(|at| value.get(at + 1) == Some(&b'?'))
        && value.iter().all(|byte| byte.is_ascii() && !matches!(byte, b'\r' | b'\n'));
    if !may_hold_one {
        return value;
    }
    let header = [b"x: ", &*value].concat();
    match mailparse::parse_header(&header) {
        Ok((header, _)) => Cow::Owned(header.get_value().into_bytes()),
        Err(_) => value,
    }
}

/// The value without what folding adds (RFC 5322, 2.2.3): line ends before a space, and spaces around it.
fn unfolded(value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let text = value.trim_ascii();
    if memchr::memchr2(b'\r', b'\n', text).is_none() {
        let is_bare = text.len() == value.len();
        return if is_bare { value } else { Cow::Owned(text.to_vec()) };
    }
    let is_fold = |at: usize| {
        let mut after = text[at..].iter().skip_while(|byte| matches!(byte, b'\r' | b'\n'));
        matches!(text[at], b'\r' | b'\n') && matches!(after.next(), Some(b' ' | b'\t'))
    };
    Cow::Owned((0..text.len()).filter(|at| !is_fold(*at)).map(|at| text[at]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> String {
        String::from_utf8(decoded(Cow::Borrowed(value.as_bytes())).into_owned()).expect("UTF-8")
    }

    #[test]
    fn encoded_words_are_decoded_in_any_charset_and_across_words() {
        for (value, expected) in [
            ("=?UTF-8?Q?Fr=C3=BChling?=", "Fr\u{fc}hling"),
            ("=?iso-8859-1?q?Fr=FChling_2026?=", "Fr\u{fc}hling 2026"),
            ("=?utf-8?B?5pil?=", "\u{6625}"),
            ("=?windows-1251?B?wuXx7eA=?=", "\u{412}\u{435}\u{441}\u{43d}\u{430}"),
            ("=?UTF-8?Q?a?= =?UTF-8?Q?b?=", "ab"),
            ("Re: =?UTF-8?Q?M=C3=A4rz?= sale", "Re: M\u{e4}rz sale"),
            (
                "=?UTF-8?B?R3LDvMOfZSBhdXMg?=\r\n =?UTF-8?B?TcO8bmNoZW4=?=",
                "Gr\u{fc}\u{df}e aus M\u{fc}nchen",
            ),
            (" north\n\tbranch ", "north\tbranch"),
            ("north\nbranch", "north\nbranch"),
        ] {
            assert_eq!(of(value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_encoded_word_stays_byte_for_byte() {
        for value in
            ["spring", "a=?b", "=?", "=?utf-8?Q?never ends", "1 + 1 =? 2", "Fr\u{fc}hling =?"]
        {
            assert_eq!(of(value), value);
        }
        let bytes = [b'a', 0xff, b'=', b'?'];
        assert_eq!(&*decoded(Cow::Borrowed(&bytes)), bytes);
    }

    #[test]
    fn a_header_is_known_in_any_case() {
        assert!(is_header("header_Subject") && is_header("HEADER_x"));
        assert!(!is_header("subject") && !is_header("head") && !is_header("h\u{e9}ader_x"));
    }
}
