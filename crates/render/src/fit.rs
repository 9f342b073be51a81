//! Fits texts to a width: which column gives how much, and how a text is cut in its middle.
//! Never draws.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Terminal columns between two columns of a table.
pub(crate) const GAP: usize = 2;

/// How wide a column is at most where nothing is cut: nobody follows a line of more, and each row
/// would be filled up to it.
const WIDEST: usize = 1_000;

/// The width that texts keep as long as other columns can give.
const FAIR: usize = 12;

/// The width below which a text or a header says nothing.
const LEAST: usize = 6;

/// The measures of one column.
pub(crate) struct Measure {
    /// The width at which nothing is cut.
    pub(crate) natural: usize,
    /// The width of the widest cell, without the header.
    cells: usize,
    cuttable: bool,
}

impl Measure {
    /// The measures of a column whose texts say something with their middle cut out, or not.
    pub(crate) fn new(header: usize, cells: usize, cuttable: bool) -> Self {
        Measure { natural: cells.max(header).max(1), cells, cuttable }
    }

    /// Returns the width below which this column must not go.
    fn floor(&self, text_floor: usize, cut_headers: bool) -> usize {
        match (self.cuttable, cut_headers) {
            (true, _) => self.natural.min(text_floor),
            (false, true) => self.cells.max(self.natural.min(LEAST)),
            (false, false) => self.natural,
        }
    }
}

/// Returns the widths of as many columns, from the left, as find room in `width`; without one all
/// of them do.
///
/// The widest texts give first, down to `FAIR`; then the headers of numbers; then texts down to
/// `LEAST`; then columns at the right are left out. Numbers and times are never cut, except when
/// the first column alone is too wide.
pub(crate) fn widths(columns: &[Measure], width: Option<u16>) -> Vec<usize> {
    let Some(width) = width else {
        return columns.iter().map(|column| column.natural.min(WIDEST)).collect();
    };
    let width = usize::from(width).max(1);
    for (text_floor, cut_headers) in [(FAIR, false), (FAIR, true), (LEAST, true)] {
        if let Some(widths) = level(columns, width, text_floor, cut_headers) {
            return widths;
        }
    }
    (1..columns.len())
        .rev()
        .find_map(|n| level(&columns[..n], width, LEAST, true))
        .unwrap_or_else(|| vec![width; columns.len().min(1)])
}

/// Finds the highest water level under which all columns fit, or `None` if their floors do not.
fn level(
    columns: &[Measure],
    width: usize,
    text_floor: usize,
    cut_headers: bool,
) -> Option<Vec<usize>> {
    let room = width.checked_sub(GAP * columns.len().saturating_sub(1))?;
    let at = |level: usize| -> Vec<usize> {
        let one = |c: &Measure| c.natural.min(level).max(c.floor(text_floor, cut_headers));
        columns.iter().map(one).collect()
    };
    let fits = |level: usize| at(level).iter().sum::<usize>() <= room;
    if !fits(0) {
        return None;
    }
    let (mut low, mut high) = (0, width + 1);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if fits(middle) { low = middle } else { high = middle }
    }
    let mut widths = at(low);
    let mut left = room - widths.iter().sum::<usize>();
    for (width, column) in widths.iter_mut().zip(columns) {
        if left > 0 && *width < column.natural {
            *width += 1;
            left -= 1;
        }
    }
    Some(widths)
}

/// Returns `text` with its middle replaced by an ellipsis so that it is no wider than `width`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    if width == 0 {
        return String::new();
    }
    let mut head = end_of(text.char_indices(), (width - 1).div_ceil(2));
    let tail = text.len() - end_of(text.char_indices().rev(), (width - 1) / 2);
    // A mark without its letter would join the ellipsis.
    let tail = text[tail..].trim_start_matches(|c: char| c.width().unwrap_or(0) == 0);
    loop {
        let short = format!("{}\u{2026}{tail}", &text[..head]);
        // The whole may be wider than its characters: an emoji with a variation selector is.
        match text[..head].char_indices().next_back() {
            Some((n, _)) if short.width() > width => head = n,
            _ if short.width() > width => return "\u{2026}".to_owned(),
            _ => return short,
        }
    }
}

/// The lines of a text, broken between words; a word longer than a line keeps one to itself.
pub(crate) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Returns how many bytes of the characters, taken in their order, fit in `room`.
fn end_of(chars: impl Iterator<Item = (usize, char)>, mut room: usize) -> usize {
    let mut bytes = 0;
    for (_, c) in chars {
        match room.checked_sub(c.width().unwrap_or(0)) {
            Some(rest) => room = rest,
            None => break,
        }
        bytes += c.len_utf8();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_in_its_middle() {
        assert_eq!(cut("gmail-smtp-in.l.google.com", 12), "gmail-\u{2026}e.com");
        assert_eq!(cut("gmail.com", 9), "gmail.com");
        assert_eq!(cut("gmail.com", 2), "g\u{2026}");
        assert_eq!(cut("gmail.com", 1), "\u{2026}");
    }

    #[test]
    fn a_text_is_broken_between_words_and_loses_nothing() {
        let text = "Nobody knows a-very-long-word here";
        let lines = wrapped(text, 12);
        assert_eq!(lines, ["Nobody knows", "a-very-long-word", "here"]);
        assert_eq!(lines.join(" "), text);
        assert_eq!(wrapped("", 5), [""]);
    }

    #[test]
    fn a_wide_character_is_not_cut_in_half() {
        assert_eq!(cut("\u{65e5}\u{672c}\u{8a9e}\u{6587}\u{5b57}", 6), "\u{65e5}\u{2026}\u{5b57}");
    }

    #[test]
    fn the_widest_text_gives_first() {
        let text = |natural| Measure { natural, cells: natural, cuttable: true };
        let number = |natural, cells| Measure { natural, cells, cuttable: false };
        let columns = [text(40), text(15), number(11, 7)];
        let at = |width| widths(&columns, Some(width));
        assert_eq!(at(70), [40, 15, 11]);
        assert_eq!(at(60), [30, 15, 11]);
        assert_eq!(at(41), [13, 13, 11]);
        // Below 12 the numbers' headers give, then the texts again, then there is no room.
        assert_eq!(at(36), [12, 12, 8]);
        assert_eq!(at(25), [7, 7, 7]);
        assert_eq!(at(20), [9, 9]);
        assert_eq!(at(5), [5]);
        assert!(widths(&[], Some(5)).is_empty());
    }
}
