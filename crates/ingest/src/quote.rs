//! Where a quoted field ends. A quote closes only before a comma or a line end.

/// How a quoted field goes on.
pub(crate) enum Quote {
    /// It ends; the next byte, at this position, is a comma or a line end. It may hold doubled quotes.
    ClosedBefore { after: usize, doubled: bool },
    /// Its closing quote is followed by something else.
    Broken,
    /// Its closing quote is the last of the bytes, at this position less one.
    EndsBytes { after: usize, doubled: bool },
    /// The bytes end before it does.
    Unclosed,
}

/// Finds the end of a quoted field whose text begins at `start`. `next_quote` finds the next quote
/// from a position on.
#[inline(always)]
pub(crate) fn closing_quote(
    bytes: &[u8],
    start: usize,
    mut next_quote: impl FnMut(usize) -> Option<usize>,
) -> Quote {
    let mut pos = start;
    loop {
        let Some(quote) = next_quote(pos) else { return Quote::Unclosed };
        let (after, doubled) = (quote + 1, pos > start);
        match bytes.get(after) {
            Some(b'"') => pos = after + 1,
            Some(b',' | b'\n') => return Quote::ClosedBefore { after, doubled },
            Some(b'\r') => {
                return match bytes.get(after + 1) {
                    Some(b'\n') => Quote::ClosedBefore { after, doubled },
                    Some(_) => Quote::Broken,
                    None => Quote::EndsBytes { after, doubled },
                };
            }
            Some(_) => return Quote::Broken,
            None => return Quote::EndsBytes { after, doubled },
        }
    }
}
