//! Reply texts reduced to templates: what differs from message to message is masked, so that ten
//! million replies come to a few hundred reasons. A tokeniser of one pass, no regular expression.
//!
//! Never masked: the SMTP code, enhanced codes, a provider's own codes (`[TSS04]`, `(S3140)`) and
//! words. The masks are `{ip}`, `{email}`, `{host}`, `{id}`, `{time}` and `{n}`.

use crate::reply::{Reply, enhanced};

/// Bytes of a template that are kept.
const MAX: usize = 300;

/// Appends the template of a reply: `550 5.1.1 text` with `text` masked. Where there is no reply,
/// the template is that of `dsn_status`.
pub fn template_of(reply: &Reply<'_>, dsn_status: &str, out: &mut String) {
    let start = out.len();
    if let Some(code) = reply.smtp_code {
        out.push(char::from(b'0' + (code / 100) as u8));
        out.push(char::from(b'0' + (code / 10 % 10) as u8));
        out.push(char::from(b'0' + (code % 10) as u8));
    }
    if let Some(code) = reply.enhanced_code.filter(|_| reply.enhanced_in_reply) {
        out.push(' ');
        out.push_str(code);
    }
    let nothing_yet = out.len() == start && reply.text.is_empty();
    mask(if nothing_yet { dsn_status } else { reply.text }, start, out);
}

fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"()[]<>{}\"'`,;=|!?*".contains(&byte)
}

/// Appends `text`, masked, to what stands in `out` from `start` on.
fn mask(text: &str, start: usize, out: &mut String) {
    let bytes = text.as_bytes();
    let mut pos = 0;
    let mut space = out.len() > start;
    while pos < bytes.len() && out.len() - start < MAX {
        let byte = bytes[pos];
        if byte.is_ascii_whitespace() {
            space = out.len() > start;
            pos += 1;
            continue;
        }
        if is_delimiter(byte) {
            flush(&mut space, out);
            out.push(char::from(byte));
            pos += 1;
            continue;
        }
        let end =
            bytes[pos..].iter().position(|&b| is_delimiter(b)).map_or(bytes.len(), |n| pos + n);
        let token = &text[pos..end];
        pos = end;
        if repeats_codes(token, out, start) {
            continue;
        }
        flush(&mut space, out);
        let core = token.trim_end_matches(['.', ':', '-']);
        let before = out.len();
        let code_follows = || enhanced(text[end..].trim_start()).is_some();
        if core.len() == 3 && core.starts_with(['2', '4', '5']) && number(core) && code_follows() {
            out.push_str(core);
        } else {
            token_mask(core, out);
        }
        out.push_str(&token[core.len()..]);
        collapse(before, out);
    }
    let mut cut = out.len().min(start + MAX);
    while !out.is_char_boundary(cut) {
        cut -= 1;
    }
    out.truncate(cut);
}

fn flush(space: &mut bool, out: &mut String) {
    if std::mem::take(space) {
        out.push(' ');
    }
}

/// A reply of several lines repeats its codes on each: `550-5.7.26 ... 550 5.7.26 ...`.
fn repeats_codes(token: &str, out: &str, start: usize) -> bool {
    let begun = &out[start..];
    match token.split_once('-') {
        Some((code, rest)) if code.len() == 3 && number(code) => {
            begun.starts_with(code) && enhanced(rest).is_some()
        }
        _ => false,
    }
}

/// Two masks of one kind side by side say no more than one.
fn collapse(before: usize, out: &mut String) {
    if out[before..] == *"{id}" && out[..before].ends_with("{id} ") {
        out.truncate(before - 1);
    }
}

fn token_mask(token: &str, out: &mut String) {
    if token.is_empty() || !token.bytes().any(|b| b.is_ascii_digit() || b == b'.' || b == b'@') {
        // Words are most of the text.
        return out.push_str(if is_scrambled(token) { "{id}" } else { token });
    }
    if let Some(at) = token.find("://") {
        out.push_str(&token[..at + 3]);
        return path_mask(&token[at + 3..], out);
    }
    if token.contains('@') {
        return out.push_str("{email}");
    }
    if is_ip(token) {
        return out.push_str("{ip}");
    }
    if is_time(token) {
        return out.push_str("{time}");
    }
    if token.contains('/') && token.bytes().any(|b| b.is_ascii_alphabetic()) {
        return path_mask(token, out);
    }
    if let Some(at) = token.find(':') {
        token_mask(&token[..at], out);
        out.push(':');
        return token_mask(&token[at + 1..], out);
    }
    let bare = token.trim_start_matches('#');
    if is_code(bare) {
        return out.push_str(token);
    }
    if bare.bytes().all(|b| b.is_ascii_digit() || b".,-/%+".contains(&b)) {
        let digits = bare.bytes().filter(u8::is_ascii_digit).count();
        return out.push_str(match digits {
            0 => token,
            1..16 => "{n}",
            _ => "{id}",
        });
    }
    if is_host(token) {
        return out.push_str("{host}");
    }
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    let letters = token.bytes().filter(u8::is_ascii_alphabetic).count();
    match (digits, letters) {
        (0, _) => out.push_str(if is_scrambled(token) { "{id}" } else { token }),
        // A number with its unit, such as 15ms.
        (_, 1..=2) if token.starts_with(|c: char| c.is_ascii_digit()) && digits < 6 => {
            let unit = token.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            out.push_str("{n}");
            out.push_str(unit);
        }
        (1..=2, _) if token.len() < 8 => out.push_str(token),
        // A long word with a number, such as a name of a service; an identifier has no such case.
        (1..=2, _)
            if digits * 6 < token.len()
                && token.bytes().skip(1).any(|b| b.is_ascii_lowercase()) =>
        {
            out.push_str(token);
        }
        _ => out.push_str("{id}"),
    }
}

/// The host of a link is kept, since it says whose rule it is, and so is a page; what looks like
/// an identifier is masked, also after `#`. A query ends at its first `&`.
fn path_mask(link: &str, out: &mut String) {
    let link = link.split('&').next().unwrap_or(link);
    for (i, piece) in link.split_inclusive(['/', '#']).enumerate() {
        let segment = piece.trim_end_matches(['/', '#']);
        let keep = (i == 0 && !is_ip(segment)) || is_page(segment);
        if keep {
            out.push_str(segment)
        } else {
            token_mask(segment, out)
        }
        out.push_str(&piece[segment.len()..]);
    }
}

/// A segment that names a page: letters, or a short number as in Google's answers.
fn is_page(segment: &str) -> bool {
    let word = segment.bytes().all(|b| b.is_ascii_alphabetic() || b"-_.".contains(&b));
    word || (number(segment) && segment.len() <= 8)
}

fn number(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit())
}

fn is_ip(token: &str) -> bool {
    token.parse::<std::net::Ipv4Addr>().is_ok()
        || (token.bytes().filter(|&b| b == b':').count() >= 2
            && token.parse::<std::net::Ipv6Addr>().is_ok())
}

/// `21:53:41`, `2026-03-01`, `2026-03-01T21:53:41Z`, `21:53`.
fn is_time(token: &str) -> bool {
    let bytes = token.as_bytes();
    let two = |at: usize| bytes.get(at..at + 2).is_some_and(|d| d.iter().all(u8::is_ascii_digit));
    let clock = two(0) && bytes.get(2) == Some(&b':') && two(3);
    let date = token.get(..4).is_some_and(number)
        && bytes.get(4) == Some(&b'-')
        && two(5)
        && bytes.get(7) == Some(&b'-')
        && two(8);
    date || (clock && token.len() <= 12)
}

/// An enhanced code, or a provider's own such as TSS04, S3140, AUP#1260.
fn is_code(token: &str) -> bool {
    if enhanced(token).is_some_and(|(code, _)| code == token) {
        return true;
    }
    let letters = token.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = token[letters..].trim_start_matches(['#', '-', '_']);
    (1..=6).contains(&letters) && number(rest) && rest.len() <= 6
}

/// A name of several labels of which the last is a top-level domain.
fn is_host(token: &str) -> bool {
    let Some((labels, tld)) = token.rsplit_once('.') else { return false };
    (2..=12).contains(&tld.len())
        && tld.bytes().all(|b| b.is_ascii_lowercase())
        && !labels.is_empty()
        && labels.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && !labels.ends_with('.')
}

/// Letters only, but as no word has them: base64 without a digit by its turns of case, a queue
/// identifier in capitals by its lack of vowels.
fn is_scrambled(token: &str) -> bool {
    let bytes = token.as_bytes();
    if bytes.len() < 10 || !bytes.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    if bytes.iter().all(u8::is_ascii_uppercase) {
        return bytes.iter().filter(|b| b"AEIOU".contains(b)).count() * 5 <= bytes.len();
    }
    let turns = bytes.windows(2).filter(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
    bytes.len() >= 14 && turns.count() * 5 >= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn template(dsn_diag: &str) -> String {
        let mut out = String::new();
        template_of(&Reply::parse(dsn_diag, ""), "", &mut out);
        out
    }

    /// Replies of one line fall together; those of different lines do not.
    const REASONS: &[&[&str]] = &[
        &[
            "smtp;250 2.0.0 OK  1772380805 d9443c01a7336-2ae4f01a2b3si123456785ad.12 - gsmtp",
            "smtp;250 2.0.0 OK  1772380999 a1-20020a05600c3b01b0040a25d5c5b2si2345.7 - gsmtp",
        ],
        &[
            "smtp;250 2.0.0 Ok: queued as 4XyZ12abcd",
            "smtp;250 2.0.0 Ok: queued as 9F3C41A0B2",
            "smtp;250 2.0.0 Ok: queued as KRKMTB6LDCS",
            "smtp;250 2.0.0 Ok: queued as 1234567890123456",
        ],
        &[
            "smtp;550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser a1-2002si1.3 - gsmtp",
            "smtp;550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser d9443c01a7336-2aesi12.30 - gsmtp",
        ],
        &[
            "smtp;421-4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address [192.0.2.1].",
            "smtp;421-4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address [198.51.100.77].",
        ],
        &[
            "smtp;550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
            "smtp;550 5.7.1 Unfortunately, messages from [203.0.113.9] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
        ],
        &[
            "smtp;550 5.7.1 Unfortunately, messages from [203.0.113.9] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
        ],
        &[
            "smtp;421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
            "smtp;421 4.7.0 [TSS04] Messages from 198.51.100.2 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
        ],
        &[
            "smtp;554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1",
            "smtp;554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7",
        ],
        &[
            "smtp;550 5.1.1 <a.b@example.com>: Recipient address rejected: User unknown",
            "smtp;550 5.1.1 <other+x@example.org>: Recipient address rejected: User unknown",
        ],
        &["smtp;452 4.2.2 The email account that you tried to reach is over quota"],
        &[
            "smtp;451 4.7.1 Greylisted, please try again in 300 seconds",
            "smtp;451 4.7.1 Greylisted, please try again in 60 seconds",
        ],
        &[
            "smtp;250 2.6.0 <a1b2c3@bounce.example.com> [InternalId=12345678901234, Hostname=AM6PR01MB1234.eurprd01.prod.outlook.com] 23456 bytes in 0.123, 186.1 KB/sec Queued mail for delivery",
            "smtp;250 2.6.0 <zz9@bounce.example.com> [InternalId=9876543210, Hostname=DB7PR02MB9.eurprd02.prod.outlook.com] 999 bytes in 1.5, 0.6 KB/sec Queued mail for delivery",
        ],
    ];

    #[test]
    fn one_reason_is_one_template_and_two_reasons_are_two() {
        let mut seen: Vec<String> = Vec::new();
        for reason in REASONS {
            let templates: Vec<String> = reason.iter().map(|reply| template(reply)).collect();
            assert!(templates.iter().all(|t| *t == templates[0]), "{templates:#?}");
            assert!(!seen.contains(&templates[0]), "{}", templates[0]);
            seen.push(templates[0].clone());
        }
    }

    #[test]
    fn templates_read_well() {
        for (reply, expected) in [
            (
                "smtp;250 2.0.0 OK  1772380805 d9443c01a7336-2ae4f01a2b3si123456785ad.12 - gsmtp",
                "250 2.0.0 OK {n} {id} - gsmtp",
            ),
            (
                "smtp;421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred",
                "421 4.7.0 [TSS04] Messages from {ip} temporarily deferred",
            ),
            ("smtp;550-5.7.26 a 550-5.7.26 b 550 5.7.26 c", "550 5.7.26 a b 550 5.7.26 c"),
            ("smtp;550 5.2.1 (AUP#1260) mx-1.example.net x", "550 5.2.1 (AUP#1260) {host} x"),
            ("x-pmta;2001:db8::1 gone at 21:53:41", "{ip} gone at {time}"),
        ] {
            assert_eq!(template(reply), expected);
        }
    }

    #[test]
    fn without_a_reply_the_status_speaks() {
        let mut out = String::new();
        let status = "5.4.7 (delivery time expired)";
        template_of(&Reply::parse("", status), status, &mut out);
        assert_eq!(out, "5.4.7 (delivery time expired)");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_none_grows_long(text in ".{0,600}") {
            let out = template(&format!("smtp;550 5.1.1 {text}"));
            prop_assert!(out.len() <= MAX);
        }

        #[test]
        fn a_template_is_its_own_template(text in "[ -~]{0,120}") {
            let once = template(&format!("smtp;550 5.1.1 {text}"));
            let twice = template(&format!("smtp;{once}"));
            prop_assert_eq!(&template(&format!("smtp;{twice}")), &twice);
        }
    }
}
