//! Numbers, identifiers and fields as bytes, without a formatter on the way. Knows no record.

use crate::rng::Rng;

const MIXED: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789xZ";

pub(crate) fn number(n: u64, out: &mut Vec<u8>) {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    let mut n = n;
    loop {
        at -= 1;
        buffer[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return out.extend_from_slice(&buffer[at..]);
        }
    }
}

/// `n` in two digits.
pub(crate) fn two(n: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

/// A number of so many digits, the first not zero.
pub(crate) fn random_number(count: u8, rng: &mut Rng, out: &mut Vec<u8>) {
    characters(count, rng, out, |bits| b"0123456789012345"[bits as usize & 15]);
    let first = out.len() - usize::from(count);
    if out[first] == b'0' {
        out[first] = b'7';
    }
}

pub(crate) fn hex(count: u8, rng: &mut Rng, out: &mut Vec<u8>) {
    characters(count, rng, out, |bits| b"0123456789abcdef"[bits as usize & 15]);
}

/// Capitals and digits, as in the queue identifiers of Postfix.
pub(crate) fn upper(count: u8, rng: &mut Rng, out: &mut Vec<u8>) {
    characters(count, rng, out, |bits| b"0123456789ABCDEF"[bits as usize & 15]);
}

/// Letters of both cases and digits; a long one has a digit among its first two.
pub(crate) fn mixed(count: u8, rng: &mut Rng, out: &mut Vec<u8>) {
    let begin = out.len();
    characters(count, rng, out, |bits| MIXED[bits as usize & 63]);
    if count >= 10 {
        out[begin + 1] = b'0' + out[begin] % 10;
    }
}

fn characters(count: u8, rng: &mut Rng, out: &mut Vec<u8>, of: impl Fn(u64) -> u8) {
    let mut left = usize::from(count);
    while left > 0 {
        // Ten characters of six bits from each number.
        let mut bits = rng.next();
        let ten: [u8; 10] = std::array::from_fn(|_| {
            let character = of(bits);
            bits >>= 6;
            character
        });
        out.extend_from_slice(&ten[..left.min(10)]);
        left -= left.min(10);
    }
}

/// A field of CSV: in quotes, with its quotes doubled, where it must be.
pub(crate) fn quoted(text: &[u8], out: &mut Vec<u8>) {
    if !text.iter().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        assert_eq!(text(|out| number(0, out)), "0");
        assert_eq!(text(|out| number(u64::MAX, out)), u64::MAX.to_string());
        assert_eq!(text(|out| two(7, out)), "07");
    }

    #[test]
    fn a_field_is_quoted_only_where_it_must_be() {
        assert_eq!(text(|out| quoted(b"smtp;250 ok", out)), "smtp;250 ok");
        assert_eq!(text(|out| quoted(b"a, \"b\"", out)), "\"a, \"\"b\"\"\"");
        assert_eq!(text(|out| quoted(b"a\r\nb", out)), "\"a\r\nb\"");
    }

    #[test]
    fn identifiers_have_the_length_that_was_asked_for() {
        let mut rng = Rng::new(3);
        for count in [1, 10, 24] {
            let mut out = Vec::new();
            mixed(count, &mut rng, &mut out);
            random_number(count, &mut rng, &mut out);
            assert_eq!(out.len(), 2 * usize::from(count));
        }
    }
}
