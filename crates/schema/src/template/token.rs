//! One token of a reply text: a code that stays, or something that a mask stands for.

use super::class::{DOMAIN, EDGE, LOCAL, is};
use super::date;
use super::kind::{self, Shape};
use super::masker::{HOST, ID, IP, Masker, N, TIME};
use super::names::{self, Host};
use crate::reply::enhanced;

impl Masker<'_, '_> {
    /// Masks the token `from..end` of a word that ends at `to`; returns where to go on.
    pub(super) fn token(&mut self, from: usize, end: usize, to: usize) -> usize {
        let bytes = self.text.as_bytes();
        if from > 0 && bytes[from - 1] == b'=' && is_id_key(&bytes[..from - 1]) {
            self.replace(from, padding(bytes, from, end, to), ID);
            return self.run;
        }
        // `::1` and `2001:db8::` begin and end with what is punctuation elsewhere.
        if (bytes[from] == b':' || bytes[end - 1] == b':') && kind::is_ipv6(&self.text[from..end]) {
            self.replace(from, end, IP);
            return end;
        }
        let edge = |b: &u8| is(EDGE, *b);
        let Some(first) = bytes[from..end].iter().position(edge) else { return end };
        let last = bytes[from..end].iter().rposition(edge).unwrap_or(first);
        self.part(from + first, from + last + 1);
        // The end of base64 is a delimiter elsewhere: `aGVsbG8uCg==`.
        if self.run == end && self.out.ends_with(ID) {
            self.run = padding(bytes, from, end, to);
        }
        end.max(self.run)
    }

    /// Masks a token that begins and ends with a letter or a digit.
    fn part(&mut self, from: usize, to: usize) {
        let bytes = self.text.as_bytes();
        let token = &bytes[from..to];
        let shape = Shape::of(token);
        if shape.digits == 0 {
            return self.letters(from, to, shape);
        }
        let text = &self.text[from..to];
        if shape.letters == 0 && !shape.high {
            return self.number(from, to, shape);
        }
        if let Some(mask) = if shape.colons > 1 && kind::is_ipv6(text) {
            Some(IP)
        } else {
            (shape.has_marks() && date::stamp(token)).then_some(TIME)
        } {
            return self.replace(from, to, mask);
        }
        if shape.slashes > 0 {
            return self.path(from, to, shape);
        }
        if shape.colons > 0
            && let Some(colon) = token.iter().position(|&b| b == b':')
        {
            self.part(from, from + colon);
            return self.rest(from + colon + 1, to);
        }
        // `554-No service`, `550-5.7.1`: a code with a mark of continuation.
        if token.get(3) == Some(&b'-') && kind::is_smtp_code(&token[..3]) {
            let rest = &text[4..];
            if enhanced(rest).is_some() || Shape::of(rest.as_bytes()).digits == 0 {
                return self.rest(from + 4, to);
            }
        }
        if kind::is_kept_word(token) || kind::is_code(token) {
            return;
        }
        if kind::is_long_hex(token) {
            return self.replace(from, to, ID);
        }
        if let Some(unit) = kind::quantity(token) {
            return self.replace(from, from + unit, N);
        }
        if shape.dots > 0 {
            if self.host(from, to) {
                return;
            }
            if kind::is_section(token) {
                return;
            }
        }
        if !kind::is_named_version(token, shape) {
            self.replace(from, to, ID);
        }
    }

    /// Masks what follows a separator within a token.
    pub(super) fn rest(&mut self, from: usize, to: usize) {
        let bytes = self.text.as_bytes();
        let Some(first) = bytes[from..to].iter().position(u8::is_ascii_alphanumeric) else {
            return;
        };
        self.part(from + first, to);
    }

    /// Without a digit: words, hosts, paths.
    fn letters(&mut self, from: usize, to: usize, shape: Shape) {
        let text = &self.text[from..to];
        if shape.slashes > 0 {
            return self.path(from, to, shape);
        }
        if shape.dots > 0 {
            if let Some(colon) = text.find(':') {
                self.letters(from, from + colon, Shape::of(&text.as_bytes()[..colon]));
                return self.rest(from + colon + 1, to);
            }
            // `smtp.mailfrom=a.org` names a property.
            if !self.text[to..].starts_with('=') {
                self.host(from, to);
            }
            return;
        }
        if text.len() >= 8 && kind::is_scrambled(text.as_bytes()) {
            self.replace(from, to, ID);
        }
    }

    /// Masks a host, of a blocklist only what was asked there; returns whether it was one.
    fn host(&mut self, from: usize, to: usize) -> bool {
        match names::host(&self.text[from..to]) {
            Some(Host::Other) => self.replace(from, to, HOST),
            Some(Host::Blocklist(0)) => {}
            Some(Host::Blocklist(zone)) => self.replace(from, from + zone - 1, ID),
            None => return false,
        }
        true
    }

    /// Digits and punctuation: an address, a time, a code or a number.
    fn number(&mut self, from: usize, to: usize, shape: Shape) {
        let bytes = self.text.as_bytes();
        let token = &bytes[from..to];
        let text = &self.text[from..to];
        if shape.dots == 3 {
            let ip = token.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
            if kind::is_ipv4(&token[..ip]) {
                self.replace(from, from + ip, IP);
                return self.rest(from + ip, to);
            }
        }
        // `[#4.16.483]`: no status, but which of Yahoo's machines says so.
        if shape.dots > 0 && self.text[..from].ends_with("[#") {
            if shape.dots == 2 {
                let last = text.rfind('.').map_or(from, |dot| from + dot + 1);
                self.replace(last, to, N);
            }
            return;
        }
        if shape.dots == 2 && enhanced(text).is_some_and(|(code, _)| code.len() == text.len()) {
            return;
        }
        if kind::is_long_hex(token) && !self.is_amount(to) {
            return self.replace(from, to, ID);
        }
        if shape.colons > 1 && kind::is_ipv6(text) {
            return self.replace(from, to, IP);
        }
        if shape.has_marks() && date::stamp(token) {
            return self.replace(from, to, TIME);
        }
        if token.len() == 3 && self.is_reply_code(from) {
            return;
        }
        if self.text[..from].ends_with("RFC ") || self.text[..from].ends_with("rfc ") {
            return;
        }
        // The sign, which is there now and then.
        let signed = from > 0
            && matches!(bytes[from - 1], b'-' | b'+')
            && !(from > 1 && bytes[from - 2].is_ascii_alphanumeric());
        self.replace(from - usize::from(signed), to, N);
    }

    /// Whether the number that ends at `to` has a unit behind it: `4294967296 bytes`.
    fn is_amount(&self, to: usize) -> bool {
        let behind = self.text[to..].strip_prefix(' ').unwrap_or_default();
        let end = behind.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(behind.len());
        kind::is_unit(&behind.as_bytes()[..end])
    }

    /// Whether the three digits at `from` are a reply code and not an amount.
    fn is_reply_code(&self, from: usize) -> bool {
        let bytes = self.text.as_bytes();
        if !kind::is_smtp_code(&bytes[from..from + 3]) {
            return false;
        }
        let behind = &self.text[from + 3..];
        if enhanced(behind.trim_start_matches([' ', '-', '\'', '"'])).is_some() {
            return true;
        }
        let before = self.text[..from].trim_end_matches(' ').bytes().last();
        let placed = matches!(before, None | Some(b':' | b'>' | b'-' | b'<' | b'(' | b'"' | b'\''));
        let word: &str = behind.trim_start_matches([' ', '-', ':', '<', '"', '\'']);
        let end = word.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(word.len());
        placed && behind.starts_with([' ', '-', ':']) && !kind::is_unit(&word.as_bytes()[..end])
    }
}

/// The bounds of the first mail address between `from` and `to`. Delimiters may stand in a local
/// part (`bounce=jane=example.com@a.org`, `o'neil@b.org`), so tokens do not serve; a quoted one may
/// begin as early as `floor`.
pub(super) fn address(
    bytes: &[u8],
    floor: usize,
    from: usize,
    to: usize,
) -> Option<(usize, usize)> {
    let mut seek = from;
    loop {
        let at = seek + memchr::memchr(b'@', &bytes[seek..to])?;
        seek = at + 1;
        let mut right = at + 1;
        if bytes.get(right) == Some(&b'[') {
            right = to.min(at + 2 + bytes[right..to].iter().position(|&b| b == b']').unwrap_or(to));
        } else {
            right += bytes[right..to].iter().take_while(|b| is(DOMAIN, **b)).count();
            while right > at + 1 && matches!(bytes[right - 1], b'.' | b'-') {
                right -= 1;
            }
        }
        let mut left = at;
        if left > from && bytes[left - 1] == b'"' {
            let open = bytes[floor..left - 1].iter().rposition(|&b| b == b'"');
            left = open.map_or(left - 1, |n| floor + n);
        } else {
            while left > from && is(LOCAL, bytes[left - 1]) {
                left -= 1;
            }
            let lead = |b: &&u8| matches!(b, b'\'' | b'=' | b'/' | b'!' | b'?');
            let lead = bytes[left..at].iter().take_while(lead).count();
            left += if left + lead < at { lead } else { 0 };
            if let Some(sign) = bytes[left..at].iter().position(|&b| b == b'=')
                && is_address_key(&bytes[left..left + sign])
            {
                left += sign + 1;
            }
        }
        if left < at && right > at + 1 {
            return Some((left, right));
        }
    }
}

/// Names before `=` of a value, and not the beginning of a VERP or BATV address.
fn is_address_key(key: &[u8]) -> bool {
    #[rustfmt::skip]
    const KEYS: [&str; 14] = [
        "from", "to", "rcpt", "mail", "sender", "recipient", "user", "addr", "address", "email",
        "for", "orig", "mailfrom", "smtp.mailfrom",
    ];
    KEYS.iter().any(|name| key.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether the word that ends `before` names an identifier: `id=`, `InternalId=`.
fn is_id_key(before: &[u8]) -> bool {
    let ends = |key: &[u8]| {
        before.len() >= key.len() && before[before.len() - key.len()..].eq_ignore_ascii_case(key)
    };
    ends(b"id") || ends(b"ids") || ends(b"session")
}

/// The end of the `=` behind an identifier from `from` to `end`, with more base64 behind a long one.
fn padding(bytes: &[u8], from: usize, end: usize, to: usize) -> usize {
    let signs = bytes[end..to].iter().take_while(|b| **b == b'=').count();
    let base64 = |b: &u8| b.is_ascii_alphanumeric() || b"+/=".contains(b);
    let more = bytes[end + signs..to].iter().take_while(|b| base64(b)).count();
    match (signs, more) {
        (1 | 2, 0) => end + signs,
        (1 | 2, _) if end - from >= 16 => end + signs + more,
        _ => end,
    }
}
