//! What a receiver answered: `dsnDiag` and `dsnStatus` as code, enhanced code and text.
//! Reads, never masks; [`crate::template`] does that.

/// A diagnostic taken apart (RFC 3464, 2.3.6; RFC 5321, 4.2; RFC 3463).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Reply<'a> {
    /// Diagnostic type before the semicolon: `smtp`, `x-pmta`, ...; empty when there is none.
    pub diag_type: &'a str,
    /// The reply code, when a receiver replied.
    pub smtp_code: Option<u16>,
    /// The enhanced code of the reply, else of `dsnStatus`.
    pub enhanced_code: Option<&'a str>,
    /// Whether the enhanced code stands in the reply itself.
    pub enhanced_in_reply: bool,
    /// Whether the reply had several lines, of which each repeats the codes: `550-5.1.1 ...`.
    pub continued: bool,
    /// The text behind the codes.
    pub text: &'a str,
}

impl<'a> Reply<'a> {
    /// Takes `dsnDiag` apart, and of `dsnStatus` the code where the reply has none.
    pub fn parse(dsn_diag: &'a str, dsn_status: &'a str) -> Reply<'a> {
        let type_end = dsn_diag.bytes().position(|b| !b.is_ascii_alphanumeric() && b != b'-');
        let (diag_type, rest) = match type_end.map(|end| dsn_diag.split_at(end)) {
            Some((diag_type, rest)) if !diag_type.is_empty() && rest.starts_with(';') => {
                (diag_type, trim_start(&rest[1..]))
            }
            _ => ("", dsn_diag),
        };
        let of_status = || enhanced(dsn_status).map(|(code, _)| code);
        // `x-pmta;bounce-queue;reply:550 5.7.1 ...`: PMTA ended it, for what a receiver had said.
        // Its type is looked at first: nearly all are `smtp`, and need not be searched.
        let quoted = is_of_pmta(diag_type).then(|| quoted_reply(rest)).flatten();
        // Not every configuration writes the type before a reply.
        let least = if quoted.is_some() { 400 } else { 200 };
        let bare = (diag_type.is_empty() || quoted.is_some())
            && smtp_code(quoted.unwrap_or(rest)).0.is_some_and(|code| code >= least);
        if !diag_type.eq_ignore_ascii_case("smtp") && !bare {
            return Reply { diag_type, enhanced_code: of_status(), text: rest, ..Reply::default() };
        }
        let (smtp_code, continued, rest) = smtp_code(quoted.unwrap_or(rest));
        let (in_reply, text) = match enhanced(rest.strip_prefix('#').unwrap_or(rest)) {
            Some((code, rest)) => (Some(code), rest),
            None => (None, rest),
        };
        Reply {
            diag_type,
            smtp_code,
            enhanced_code: in_reply.or_else(of_status),
            enhanced_in_reply: in_reply.is_some(),
            continued,
            text: trim(text),
        }
    }
}

/// The reply that PMTA quotes behind what it did: after `reply:`, or after the name of the directive.
fn quoted_reply(text: &str) -> Option<&str> {
    let behind = |name: &str| {
        let (directive, rest) = text.split_once(';')?;
        directive.trim().eq_ignore_ascii_case(name).then_some(rest)
    };
    let named = || ["bounce-queue", "bounce-rcpt"].into_iter().find_map(behind);
    let quoted = text.split_once("reply:").map(|(_, quoted)| quoted).or_else(named)?;
    let quoted = trim_start(quoted);
    let is_typed = quoted.get(..5).is_some_and(|of| of.eq_ignore_ascii_case("smtp;"));
    Some(if is_typed { trim_start(&quoted[5..]) } else { quoted })
}

/// Whether a diagnostic of this type is what PMTA says itself, as `x-pmta;...`.
pub(crate) fn is_of_pmta(diag_type: &str) -> bool {
    diag_type.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("x-"))
}

/// `550 text` or `550-text` as code, whether lines follow, and text.
pub(crate) fn smtp_code(text: &str) -> (Option<u16>, bool, &str) {
    let [hundreds @ b'2'..=b'5', tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] =
        text.as_bytes()
    else {
        return (None, false, text);
    };
    let continued = rest.first() == Some(&b'-');
    if !continued && !matches!(rest.first(), None | Some(b' ')) {
        return (None, false, text);
    }
    let code = [hundreds, tens, ones].iter().fold(0, |n, d| n * 10 + u16::from(**d - b'0'));
    (Some(code), continued, trim_start(text.get(4..).unwrap_or_default()))
}

/// [`str::trim`], which has a price even where there is nothing to trim, as nearly always.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim(),
    }
}

/// The same of [`str::trim_start`].
fn trim_start(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~', ..] => text,
        _ => text.trim_start(),
    }
}

/// `5.1.1 text` as code and text: class 2, 4 or 5, subject and detail of up to three digits.
pub(crate) fn enhanced(text: &str) -> Option<(&str, &str)> {
    let (b'2' | b'4' | b'5', rest) = text.as_bytes().split_first()? else { return None };
    let rest = number(rest.strip_prefix(b".")?)?;
    let rest = number(rest.strip_prefix(b".")?)?;
    if rest.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'.') {
        return None;
    }
    let marks = rest.iter().take_while(|b| matches!(b, b' ' | b':' | b'-')).count();
    let end = text.len() - rest.len();
    Some((&text[..end], &text[end + marks..]))
}

/// What follows a number of one to three digits.
fn number(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    (1..=3).contains(&digits).then(|| &bytes[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes<'a>(diag: &'a str, status: &'a str) -> (Option<u16>, Option<&'a str>, &'a str) {
        let reply = Reply::parse(diag, status);
        (reply.smtp_code, reply.enhanced_code, reply.text)
    }

    #[test]
    fn codes_come_from_the_reply_first() {
        assert_eq!(
            codes("smtp;550 5.1.1 No such user", "5.7.1 (x)"),
            (Some(550), Some("5.1.1"), "No such user")
        );
        assert_eq!(codes("smtp;421-4.7.0 Later", ""), (Some(421), Some("4.7.0"), "Later"));
        assert_eq!(codes("smtp; 550-5.7.26 A", ""), (Some(550), Some("5.7.26"), "A"));
        assert_eq!(codes("smtp;550 #5.1.0 A", ""), (Some(550), Some("5.1.0"), "A"));
        assert_eq!(
            codes("smtp;554 delivery error", "5.0.0 (undefined status)"),
            (Some(554), Some("5.0.0"), "delivery error")
        );
    }

    #[test]
    fn a_reply_of_several_lines_is_known_by_its_mark() {
        assert!(Reply::parse("smtp;550-5.7.26 a 550 5.7.26 b", "").continued);
        assert!(Reply::parse("smtp;554-No SMTP service 554 x", "").continued);
        assert!(!Reply::parse("smtp;550 5.1.1 a-b", "").continued);
    }

    #[test]
    fn our_own_errors_have_no_reply_code() {
        assert_eq!(codes("", "5.4.7 (delivery time expired)"), (None, Some("5.4.7"), ""));
        assert_eq!(codes("x-pmta;bad: 550 x", "4.4.1 (x)"), (None, Some("4.4.1"), "bad: 550 x"));
    }

    #[test]
    fn a_reply_without_its_type_and_one_that_pmta_quotes_are_replies() {
        let quoted = "x-pmta;bounce-queue;reply:550 5.7.1 Blocked (S3150)";
        let expected = (Some(550), Some("5.7.1"), "Blocked (S3150)");
        assert_eq!(codes(quoted, "5.0.0 (undefined status)"), expected);
        assert_eq!(Reply::parse(quoted, "").diag_type, "x-pmta");
        for quoted in [
            "x-pmta;bounce-queue;reply:smtp;550 5.7.1 Blocked (S3150)",
            "X-PMTA; bounce-rcpt; 550 5.7.1 Blocked (S3150)",
        ] {
            assert_eq!(codes(quoted, "5.0.0"), expected, "{quoted}");
        }
        assert_eq!(codes("550 5.7.1 Blocked (S3150)", ""), expected);
        assert_eq!(Reply::parse("250 ok", "2.0.0").smtp_code, Some(250));
        for text in ["x-pmta;bounce-queue", "x-pmta;bounce-queue;reply:", "12 550"] {
            assert_eq!(Reply::parse(text, "").smtp_code, None, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_code_is_text() {
        assert_eq!(codes("smtp;5501 odd", ""), (None, None, "5501 odd"));
        assert_eq!(codes("smtp;650 odd", ""), (None, None, "650 odd"));
        assert_eq!(codes("smtp;550 5.1.1.1 ip", ""), (Some(550), None, "5.1.1.1 ip"));
        assert_eq!(codes("smtp;550 3.1.1 x", ""), (Some(550), None, "3.1.1 x"));
        assert_eq!(codes("smtp;550", ""), (Some(550), None, ""));
        assert_eq!(codes("no type: 550", ""), (None, None, "no type: 550"));
    }
}
