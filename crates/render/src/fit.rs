//! Fits texts to a width: which column gives how much, and how a text is cut at its end.
//! Never draws.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Terminal columns between two columns of a table.
pub(crate) const GAP: usize = 2;

/// How wide a column is at most where nothing is cut: nobody follows a line of more, and each row
/// would be filled up to it.
const WIDEST: usize = 1_000;

/// The width that a name keeps as long as other columns can give: that of most domains, addresses
/// and jobs. One that is cut may be taken for another.
const NAME: usize = 40;

/// The width below which a text or a header says nothing.
const LEAST: usize = 6;

/// What a column gives when there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    /// Nothing but letters of its header: numbers, times.
    Number,
    /// The end of what is longer than most names.
    Name,
    /// Its end: sentences, of which the beginning says most.
    Text,
}

/// The measures of one column.
pub(crate) struct Measure {
    /// The width at which nothing is cut.
    pub(crate) natural: usize,
    /// The width of the widest cell, without the header.
    cells: usize,
    kind: CellKind,
    /// Whether all cells are the same, so that little is lost without it.
    is_constant: bool,
}

/// How far columns may be pressed.
#[derive(Clone, Copy)]
struct Pressure {
    cuts_headers: bool,
    /// The least width of a name, and of a text.
    name: usize,
    text: usize,
}

impl Measure {
    pub(crate) fn new(header: usize, cells: usize, kind: CellKind, is_constant: bool) -> Self {
        Measure { natural: cells.max(header).max(1), cells, kind, is_constant }
    }

    /// Returns the width below which this column must not go.
    fn floor(&self, pressure: &Pressure) -> usize {
        match self.kind {
            CellKind::Text => self.natural.min(pressure.text),
            CellKind::Name => self.natural.min(pressure.name),
            CellKind::Number if pressure.cuts_headers => self.cells.max(self.natural.min(LEAST)),
            CellKind::Number => self.natural,
        }
    }
}

/// Returns the widths of the columns, none for one that finds no room in `width`; without a width all
/// of them do.
///
/// Texts give first, down to two fifths of the width together; then columns that are the same in all
/// rows are left out; then headers of numbers give; then texts and names; then columns are left out
/// from the right, the texts last of all. Numbers and times are never cut, except when the first
/// column alone is too wide.
pub(crate) fn widths(columns: &[Measure], width: Option<u16>) -> Vec<Option<usize>> {
    let Some(width) = width else {
        return columns.iter().map(|column| Some(column.natural.min(WIDEST))).collect();
    };
    let width = usize::from(width).max(1);
    let n_texts = columns.iter().filter(|column| column.kind == CellKind::Text).count();
    let share = (width * 2 / 5 / n_texts.max(1)).max(LEAST);
    let all: Vec<usize> = (0..columns.len()).collect();
    let mut telling = all.clone();
    telling.retain(|&n| n == 0 || !columns[n].is_constant);
    let with = |cuts_headers, name, text| Pressure { cuts_headers, name, text };
    let (loose, tight) = (with(true, NAME, share), with(true, LEAST, LEAST));
    let steps = [
        (&all, with(false, NAME, share)),
        (&telling, with(false, NAME, share)),
        (&telling, loose),
        (&telling, with(true, NAME, LEAST)),
        (&telling, tight),
    ];
    let mut fitting = steps.iter().filter_map(|(shown, step)| level(columns, shown, width, *step));
    if let Some(widths) = fitting.next() {
        return widths;
    }
    // What stands at the right goes first, and the texts after all numbers but the first column.
    let mut shown = telling;
    while shown.len() > 1 {
        let place = shown.iter().rposition(|&n| columns[n].kind != CellKind::Text);
        shown.remove(place.filter(|place| *place > 0).unwrap_or(shown.len() - 1));
        let mut fitting = [loose, tight].into_iter();
        if let Some(widths) = fitting.find_map(|step| level(columns, &shown, width, step)) {
            return widths;
        }
    }
    all.iter().map(|&n| (n == 0).then_some(width)).collect()
}

/// The widths of the columns of `shown` under `pressure`, or `None` if they do not fit. What is left is
/// given to headers and names first, and to texts first where these have little.
fn level(
    columns: &[Measure],
    shown: &[usize],
    width: usize,
    pressure: Pressure,
) -> Option<Vec<Option<usize>>> {
    let room = width.checked_sub(GAP * shown.len().saturating_sub(1))?;
    let mut widths = vec![None; columns.len()];
    shown.iter().for_each(|&n| widths[n] = Some(columns[n].floor(&pressure)));
    let mut left = room.checked_sub(widths.iter().flatten().sum())?;
    let turns: [&[CellKind]; 3] = match pressure.text {
        LEAST => [&[CellKind::Text, CellKind::Name], &[CellKind::Number], &[]],
        _ => [&[CellKind::Number], &[CellKind::Name], &[CellKind::Text]],
    };
    for kinds in turns {
        let mut gave = true;
        while gave && left > 0 {
            gave = false;
            for (width, column) in widths.iter_mut().zip(columns) {
                let wants = kinds.contains(&column.kind) && left > 0;
                if let Some(width) = width.as_mut().filter(|w| wants && **w < column.natural) {
                    *width += 1;
                    left -= 1;
                    gave = true;
                }
            }
        }
    }
    Some(widths)
}

/// Returns `text` with its end replaced by an ellipsis so that it is no wider than `width`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    if width == 0 {
        return String::new();
    }
    let mut head = end_of(text.char_indices(), width - 1);
    loop {
        let short = format!("{}\u{2026}", text[..head].trim_end());
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
    fn a_text_is_cut_at_its_end() {
        assert_eq!(cut("550 5.1.1 The email account", 12), "550 5.1.1 T\u{2026}");
        assert_eq!(cut("550 5.1.1 The email account", 11), "550 5.1.1\u{2026}");
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
        assert_eq!(cut("\u{65e5}\u{672c}\u{8a9e}\u{6587}\u{5b57}", 6), "\u{65e5}\u{672c}\u{2026}");
    }

    #[test]
    fn texts_give_first_and_names_and_numbers_last() {
        let of = |natural, cells, kind, is_constant| Measure { natural, cells, kind, is_constant };
        let columns = [
            of(15, 15, CellKind::Name, false),
            of(11, 7, CellKind::Number, false),
            of(5, 5, CellKind::Number, true),
            of(40, 40, CellKind::Text, false),
        ];
        let at = |width| widths(&columns, Some(width));
        let some = |widths: [usize; 4]| widths.map(Some).to_vec();
        assert_eq!(at(80), some([15, 11, 5, 40]));
        // The text keeps two fifths of the width.
        assert_eq!(at(65), some([15, 11, 5, 28]));
        // Then what is the same in all rows is left out, and the header of the number gives.
        assert_eq!(at(50), [Some(15), Some(11), None, Some(20)]);
        assert_eq!(at(44), [Some(15), Some(8), None, Some(17)]);
        // Then the text gives again, then the name, then the number is left out.
        assert_eq!(at(34), [Some(15), Some(7), None, Some(8)]);
        assert_eq!(at(27), [Some(8), Some(7), None, Some(8)]);
        assert_eq!(at(20), [Some(9), None, None, Some(9)]);
        assert_eq!(at(5), [Some(5), None, None, None]);
        assert!(widths(&[], Some(5)).is_empty());
    }
}
