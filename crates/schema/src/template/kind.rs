//! What a token is by its letters and digits alone: a code, an amount, an address, an identifier.

use std::net::Ipv6Addr;

/// What a token is made of.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape {
    pub(super) letters: usize,
    pub(super) digits: usize,
    pub(super) dots: usize,
    pub(super) slashes: usize,
    pub(super) colons: usize,
    dashes: usize,
    pub(super) high: bool,
}

/// For each byte a 1 in the lane of 8 bits that counts its kind: one addition a byte.
const LANES: [u64; 256] = {
    let mut lanes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let lane = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Some(0),
            b'0'..=b'9' => Some(1),
            b'.' => Some(2),
            b'/' => Some(3),
            b':' => Some(4),
            b'-' => Some(5),
            0x80.. => Some(6),
            _ => None,
        };
        if let Some(lane) = lane {
            lanes[byte] = 1 << (lane * 8);
        }
        byte += 1;
    }
    lanes
};

/// How many of each kind there are among at most 255 bytes: more could overflow a lane.
fn lanes(bytes: &[u8]) -> u64 {
    let (fours, rest) = bytes.as_chunks::<4>();
    let sum = |bytes: &[u8]| -> u64 { bytes.iter().map(|b| LANES[usize::from(*b)]).sum() };
    fours.iter().map(|four| sum(four)).sum::<u64>() + sum(rest)
}

impl Shape {
    pub(super) fn of(token: &[u8]) -> Shape {
        let (first, more) = token.split_at(token.len().min(255));
        more.chunks(255)
            .fold(Shape::default().and(lanes(first)), |shape, piece| shape.and(lanes(piece)))
    }

    fn and(self, lanes: u64) -> Shape {
        let [letters, digits, dots, slashes, colons, dashes, high, _] =
            lanes.to_le_bytes().map(usize::from);
        Shape {
            letters: self.letters + letters,
            digits: self.digits + digits,
            dots: self.dots + dots,
            slashes: self.slashes + slashes,
            colons: self.colons + colons,
            dashes: self.dashes + dashes,
            high: self.high || high > 0,
        }
    }

    /// Whether a token can be a time or an IPv6 address, to be asked before either is looked for.
    pub(super) fn has_marks(&self) -> bool {
        self.colons + self.dashes + self.slashes > 0
    }
}

pub(super) fn all_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

fn count(text: &[u8], is: fn(&u8) -> bool) -> usize {
    text.iter().take_while(|b| is(b)).count()
}

pub(super) fn is_ipv4(token: &[u8]) -> bool {
    let mut parts = 0;
    for part in token.split(|&b| b == b'.') {
        if !all_digits(part) || part.len() > 3 {
            return false;
        }
        let value = part.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
        if value > 255 {
            return false;
        }
        parts += 1;
    }
    parts == 4
}

pub(super) fn is_ipv6(token: &str) -> bool {
    token.bytes().filter(|&b| b == b':').count() >= 2 && token.parse::<Ipv6Addr>().is_ok()
}

/// The reply codes that occur (RFC 5321 and its extensions), not every three digits.
pub(super) fn is_smtp_code(token: &[u8]) -> bool {
    matches!(
        token,
        [b'2', b'2', b'0' | b'1']
            | [b'2', b'5', b'0'..=b'2']
            | [b'4', b'2' | b'5', b'0'..=b'9']
            | [b'4', b'3' | b'4' | b'7', b'0'..=b'2']
            | [b'5', b'0' | b'2' | b'3' | b'4' | b'5', b'0'..=b'9']
            | [b'5', b'7', b'0' | b'1']
    )
}

/// Words that follow an amount, by their length.
const UNITS: [&[&str]; 12] = [
    &[],
    &["s", "m", "h", "d", "b", "k", "x"],
    &["hr", "ms", "us", "ns", "kb", "mb", "gb", "st", "nd", "rd", "th"],
    &["sec", "min", "hrs", "day", "kib", "mib", "gib"],
    &["secs", "mins", "hour", "days", "week", "byte", "hops"],
    &["hours", "weeks", "month", "bytes", "times"],
    &["second", "minute", "months", "kbytes", "octets"],
    &["seconds", "minutes"],
    &["messages"],
    &[],
    &["recipients", "characters"],
    &["connections"],
];

pub(super) fn is_unit(word: &[u8]) -> bool {
    is_one_of(&UNITS, word)
}

/// Whether a word is in the list for its length, in whatever case.
fn is_one_of(lists: &[&[&str]], word: &[u8]) -> bool {
    let (Some(list), Some(first)) = (lists.get(word.len()), word.first()) else { return false };
    list.iter()
        .map(|known| known.as_bytes())
        .any(|known| known[0] == first.to_ascii_lowercase() && word.eq_ignore_ascii_case(known))
}

/// The bytes of an amount to be masked: the number of `15ms`, `24-hour` and `10MB`, all of `5m30s`.
pub(super) fn quantity(token: &[u8]) -> Option<usize> {
    let mut rest = token;
    let mut first = None;
    while !rest.is_empty() {
        let number = count(rest, |b| b.is_ascii_digit() || *b == b'.');
        let link = usize::from(rest.get(number) == Some(&b'-'));
        let unit = count(&rest[number + link..], u8::is_ascii_alphabetic);
        if number == 0 || !is_unit(&rest[number + link..number + link + unit]) {
            return None;
        }
        rest = &rest[number + link + unit..];
        first = if first.is_none() && rest.is_empty() { Some(number) } else { Some(token.len()) };
    }
    first
}

/// A provider's own code: `TSS04`, `S3140`, `RP-001`, `RCP-P1`, `OFR004_405`, `BL000010`,
/// `AUP#In-1310`, `DOC-1369`.
pub(super) fn is_code(token: &[u8]) -> bool {
    // Orange and LaPoste write theirs in either case.
    let french = token.get(..3).is_some_and(|start| {
        start.eq_ignore_ascii_case(b"ofr") || start.eq_ignore_ascii_case(b"lpn")
    });
    let letters = if french { 3 } else { count(token, u8::is_ascii_uppercase) };
    if !(1..=6).contains(&letters) {
        return false;
    }
    let rest = &token[letters..];
    if rest.first() == Some(&b'#') && letters >= 2 {
        return rest.len() <= 10
            && rest[1..].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    }
    let rest = match rest {
        [b'-' | b'_', rest @ ..] => &rest[count(rest, u8::is_ascii_uppercase).min(2)..],
        rest => rest,
    };
    match count(rest, u8::is_ascii_digit) {
        digits if digits == rest.len() => {
            (1..=4).contains(&digits) || (letters < 4 && digits == 6 && rest.starts_with(b"00"))
        }
        digits => {
            digits <= 3
                && rest[digits] == b'_'
                && (rest.len() == digits + 4 || french && rest.len() <= digits + 4)
                && all_digits(&rest[digits + 1..])
        }
    }
}

/// An identifier that is a number to the base of 16, whether it has letters or, by chance, none, or
/// only such as are units too: `a94609e555228871`, `8198575701731508`, `731874934714855d`.
pub(super) fn is_long_hex(token: &[u8]) -> bool {
    token.len() >= 10
        && token.iter().all(u8::is_ascii_hexdigit)
        && token.iter().any(u8::is_ascii_digit)
}

/// A code only by the bracket around it: `[505]`, `[#102]`, `(S2017062302)`, `(AS16012609)`.
pub(super) fn is_bracketed_code(inner: &[u8], close: u8) -> bool {
    if close == b']' {
        let number = inner.strip_prefix(b"#").unwrap_or(inner);
        if number.len() <= 3 && all_digits(number) {
            return true;
        }
    }
    let letters = count(inner, u8::is_ascii_uppercase);
    (close == b')' && (1..=2).contains(&letters) || inner.starts_with(b"AS") && letters == 2)
        && inner.len() <= 14
        && all_digits(&inner[letters..])
}

/// Words of the trade that hold a digit, by their length.
const KEPT: [&[&str]; 11] = [
    &[],
    &[],
    &[],
    &["md5"],
    &["ipv4", "ipv6", "utf8", "8bit", "7bit", "sha1", "x509"],
    &["utf-8", "8-bit", "7-bit", "tlsv1", "x.509"],
    &["sha256", "base64"],
    &["tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3"],
    &["smtputf8", "8bitmime"],
    &[],
    &["iso-8859-1"],
];

pub(super) fn is_kept_word(token: &[u8]) -> bool {
    token.starts_with(b"RFC") || is_one_of(&KEPT, token)
}

/// A field by the RFC that defines it: `5322.From`.
pub(super) fn is_section(token: &[u8]) -> bool {
    let digits = count(token, u8::is_ascii_digit);
    matches!(digits, 3 | 4)
        && token.get(digits) == Some(&b'.')
        && token.get(digits + 1).is_some_and(u8::is_ascii_uppercase)
        && token[digits + 1..].iter().all(u8::is_ascii_alphabetic)
}

/// A name with a number of its own: `Office365`, `AP-NORTHEAST-1`, `MCSpamSignature.sa.2.2`.
pub(super) fn is_named_version(token: &[u8], shape: Shape) -> bool {
    let letters = count(token, |b| b.is_ascii_alphabetic() || *b == b'-');
    let number = token.len() - letters == shape.digits;
    let upper = token[..letters].iter().all(|b| b.is_ascii_uppercase() || *b == b'-');
    let lower = token[..letters].iter().skip(1).all(u8::is_ascii_lowercase);
    match shape.digits {
        _ if letters < 5 || !token[0].is_ascii_uppercase() => false,
        1..=2 if upper => number && token[letters - 1] == b'-',
        1..=4 if number => lower,
        digits => {
            digits * 6 <= shape.letters
                && token.split(|&b| b == b'.').all(|label| {
                    label.len() == count(label, u8::is_ascii_alphabetic) || label.len() == 1
                })
        }
    }
}

/// Letters in an order that no word has: base64 or base 52 that happens to hold no digit.
pub(super) fn is_scrambled(word: &[u8]) -> bool {
    // Most words are short and have no capital but the first letter.
    if word.len() < 12 && !word.iter().skip(1).any(u8::is_ascii_uppercase) {
        return false;
    }
    let (mut letters, mut vowels, mut turns, mut humps, mut bare) = (0, 0, 0, 0, 0);
    let mut last = 0u8;
    let mut voiced = true;
    for &byte in word {
        if !byte.is_ascii_alphabetic() {
            // Parts of a compound are words of their own; punctuation is at the edges.
            if letters > 0 && matches!(byte, b'-' | b'_' | b':' | b'\'' | 0x80..) {
                return false;
            }
            continue;
        }
        letters += 1;
        if byte.is_ascii_uppercase() && !last.is_ascii_uppercase() {
            turns += usize::from(last.is_ascii_lowercase());
            bare += usize::from(!voiced);
            humps += 1;
            voiced = false;
        }
        if matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y') {
            vowels += 1;
            voiced = true;
        }
        last = byte;
    }
    bare += usize::from(!voiced);
    if turns > 0 && letters >= 8 && vowels == 0 {
        return true;
    }
    if turns >= 2 {
        return letters >= 10 && turns * 5 >= letters && bare * 3 >= humps;
    }
    letters >= 12 && vowels * 6 < letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_holds_words_of_its_length_in_lower_case() {
        for (length, words) in UNITS.iter().enumerate().chain(KEPT.iter().enumerate()) {
            for word in *words {
                assert!(word.len() == length && *word == word.to_ascii_lowercase(), "{word}");
            }
        }
    }

    #[test]
    fn what_stands_behind_a_capital_may_be_scrambled_and_short_words_are_not() {
        for word in ["XkQzvTbWqLmN", "bcdfXghjk", "bcdfghjklmnp"] {
            assert!(is_scrambled(word.as_bytes()), "{word}");
        }
        for word in ["Mailbox", "rhythms", "bcdfghjklmn", "Bcdfghjklmn", "RecipNotFound"] {
            assert!(!is_scrambled(word.as_bytes()), "{word}");
        }
    }
}
