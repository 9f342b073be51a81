//! Dates and times within a reply text, in the spellings that mail servers use.

/// Whether a word begins a date: a weekday or a month in English, as RFC 5322 has them.
pub(super) fn begins(word: &[u8]) -> bool {
    word.len() >= 3
        && matches!(word.get(3), None | Some(b',' | b'.'))
        && (is_weekday(&word[..3]) || is_month(&word[..3]))
}

fn is_weekday(word: &[u8]) -> bool {
    matches!(word, b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")
}

#[rustfmt::skip]
const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
];

fn is_month(word: &[u8]) -> bool {
    MONTHS.iter().any(|name| name.as_bytes()[..3] == *word)
}

/// Behind a month at `at`, short or in full, but no word that begins like one.
fn month(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?;
    let word = &word[..word.iter().take_while(|b| b.is_ascii_alphabetic()).count()];
    let named = is_month(word) || MONTHS.iter().any(|name| name.as_bytes() == word);
    named.then_some(at + word.len())
}

/// The end of a date of several words that begins at `from`: `Mon, 21 Nov 2014 22:11:03 -0000`,
/// `21 Nov 2014`, `Mon Nov 21 22:11:03 2014`.
#[inline]
pub(super) fn date(bytes: &[u8], from: usize) -> Option<usize> {
    // What most words are not: a day of one or two digits, a name in small letters but the first.
    let may_begin = matches!(
        bytes[from..],
        [b'0'..=b'9', b' ' | b',' | b'.', ..]
            | [b'0'..=b'9', b'0'..=b'9', b' ' | b',' | b'.', ..]
            | [b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', ..]
    );
    if may_begin { end_of_date(bytes, from) } else { None }
}

fn end_of_date(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    if bytes.get(at..at + 3).is_some_and(is_weekday) {
        at = gap(bytes, at + 3)?;
    }
    at = match bytes.get(at)? {
        b'0'..=b'9' => month(bytes, gap(bytes, digits(bytes, at, 1..=2)?)?)?,
        b'A'..=b'Z' => digits(bytes, gap(bytes, month(bytes, at)?)?, 1..=2)?,
        _ => return None,
    };
    // What may follow, in any order: year, time, zone.
    let mut end = at;
    while let Some(next) = gap(bytes, end) {
        let stop = bytes[next..].iter().position(|b| b" ,;)]>".contains(b));
        let stop = stop.map_or(bytes.len(), |n| next + n);
        let more = &bytes[next..stop];
        let more = more.strip_suffix(b".").unwrap_or(more);
        let zone = matches!(more, b"GMT" | b"UTC")
            || (more.len() == 5 && matches!(more[0], b'+' | b'-') && all_digits(&more[1..]));
        let year = more.len() == 4 && all_digits(more);
        if !zone && !year && !stamp(more) {
            break;
        }
        end = next + more.len();
    }
    Some(end)
}

/// Behind a comma and spaces, of which there is at least one.
fn gap(bytes: &[u8], at: usize) -> Option<usize> {
    let comma = usize::from(matches!(bytes.get(at), Some(b',' | b'.')));
    let spaces = bytes.get(at + comma..)?.iter().take_while(|b| **b == b' ').count();
    (spaces > 0 && at + comma + spaces < bytes.len()).then_some(at + comma + spaces)
}

fn digits(bytes: &[u8], at: usize, fit: std::ops::RangeInclusive<usize>) -> Option<usize> {
    let most = fit.end() + 1;
    let digits = bytes.get(at..)?.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
    fit.contains(&digits).then_some(at + digits)
}

fn all_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

/// Whether a token is a time or a date of digits: `21:53:41`, `21:53`, `2026-03-01`,
/// `2026-03-01T21:53:41.981Z`.
pub(super) fn stamp(token: &[u8]) -> bool {
    let two = |at: usize| token.get(at..at + 2).is_some_and(all_digits);
    let at = |at: usize, byte: u8| token.get(at) == Some(&byte);
    let hours = token.iter().take_while(|b| b.is_ascii_digit()).count();
    if matches!(hours, 1 | 2) && at(hours, b':') && two(hours + 1) {
        let rest = &token[hours + 3..];
        return match rest {
            [] => true,
            [b':', a, b, rest @ ..] => {
                a.is_ascii_digit()
                    && b.is_ascii_digit()
                    && rest.iter().all(|b| b.is_ascii_digit() || b".+-:Z".contains(b))
            }
            _ => false,
        };
    }
    hours == 4
        && (at(4, b'-') || at(4, b'/'))
        && two(5)
        && token.get(4) == token.get(7)
        && two(8)
        && token[10..].iter().all(|b| b.is_ascii_digit() || b"T.+-:Z".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_end_where_they_end() {
        for (text, rest) in [
            ("Mon, 21 Nov 2014 22:11:03 -0000 (UTC) x", " (UTC) x"),
            ("Mon Nov 21 22:11:03 2014 by", " by"),
            ("21 Nov 2014.", "."),
            ("1 Mar, and", ", and"),
            ("Nov 3", ""),
            ("21 November 2014, x", ", x"),
        ] {
            let end = date(text.as_bytes(), 0).expect(text);
            assert_eq!(&text[end..], rest);
        }
        for text in ["May be", "Sun", "5 Junk", "Sat 5", "3 attempts", "Mar"] {
            assert_eq!(date(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn stamps_are_times_and_not_codes() {
        for text in ["21:53:41", "1:02:03", "21:53", "2026-03-01", "2026-03-01T21:53:41.981Z"] {
            assert!(stamp(text.as_bytes()), "{text}");
        }
        for text in ["", "5.7.1", "308:2147", "2026", "12:345", "2026-03-011x", "12:34:5x"] {
            assert!(!stamp(text.as_bytes()), "{text}");
        }
    }
}
