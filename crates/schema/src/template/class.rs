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

/// Whether a byte is of one of these classes.
pub(super) fn is(classes: u32, byte: u8) -> bool {
    class(byte) & classes != 0
}

/// Whether a character stands between words.
pub(super) fn is_gap(c: char) -> bool {
    u8::try_from(c).is_ok_and(|byte| is(SPACE, byte))
}
