//! What a byte is in a reply text, as bits of which a word gathers those of its bytes.

pub(super) const LOWER: u32 = 1;
pub(super) const UPPER: u32 = 1 << 1;
pub(super) const DIGIT: u32 = 1 << 2;
pub(super) const DOT: u32 = 1 << 3;
pub(super) const AT: u32 = 1 << 4;
pub(super) const SLASH: u32 = 1 << 5;
/// `=`, `<`: what follows needs a look.
pub(super) const SIGN: u32 = 1 << 6;
/// Stands between words.
pub(super) const SPACE: u32 = 1 << 7;
/// Ends a token within a word.
pub(super) const DELIMITER: u32 = 1 << 8;
/// `-`, `_`.
const DASH: u32 = 1 << 9;
/// Part of a character that is not ASCII.
const HIGH: u32 = 1 << 10;
/// May stand in the local part of a mail address, as may what names do.
const LOCAL_MARK: u32 = 1 << 11;

// Sets.
const ALPHANUMERIC: u32 = LOWER | UPPER | DIGIT;
/// What a label of a host name is made of.
pub(super) const NAME: u32 = ALPHANUMERIC | DASH;
pub(super) const DOMAIN: u32 = NAME | DOT | HIGH;
pub(super) const LOCAL: u32 = DOMAIN | LOCAL_MARK;
/// What a token begins and ends with, but for punctuation.
pub(super) const EDGE: u32 = ALPHANUMERIC | HIGH | SLASH;

const CLASS: [u32; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b'.' => DOT,
            b'@' => AT,
            b'/' => SLASH | LOCAL_MARK,
            b'=' => SIGN | DELIMITER | LOCAL_MARK,
            b'<' => SIGN | DELIMITER,
            b'*' | b'\'' | b'!' | b'?' => DELIMITER | LOCAL_MARK,
            b'(' | b')' | b'[' | b']' | b'>' | b'{' | b'}' | b'"' | b'`' | b',' | b';' | b'|' => {
                DELIMITER
            }
            b'#' | b'$' | b'%' | b'&' | b'+' | b'^' | b'~' => LOCAL_MARK,
            b'-' | b'_' => DASH,
            0..=b' ' | 0x7f => SPACE,
            0x80.. => HIGH,
            _ => 0,
        };
        byte += 1;
    }
    class
};

pub(super) fn class(byte: u8) -> u32 {
    CLASS[usize::from(byte)]
}

/// The length of the word that `bytes` begin with, and the classes in it. Four bytes are looked at
/// together, since most words that differ from message to message are long.
pub(super) fn word(bytes: &[u8]) -> (usize, u32) {
    let (fours, _) = bytes.as_chunks::<4>();
    let all = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all | class(*byte));
    let (mut len, mut bits) = (0, 0);
    for four in fours.iter().map(|four| all(four)).take_while(|four| four & SPACE == 0) {
        bits |= four;
        len += 4;
    }
    for byte in bytes[len..].iter().map(|byte| class(*byte)).take_while(|byte| byte & SPACE == 0) {
        bits |= byte;
        len += 1;
    }
    (len, bits)
}

/// Whether a byte is of one of these classes.
pub(super) fn is(classes: u32, byte: u8) -> bool {
    class(byte) & classes != 0
}

/// Whether a character stands between words.
pub(super) fn is_gap(c: char) -> bool {
    u8::try_from(c).is_ok_and(|byte| is(SPACE, byte))
}
