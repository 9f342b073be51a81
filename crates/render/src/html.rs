//! A page of HTML with one table, for a browser or a mail. Nothing in it runs or is fetched, and
//! nothing of a reply is taken for markup.

use std::io::Write;

use crate::feed::Feed;
use crate::grid::{self, CellRows, Lane};
use crate::{Error, Style, WrittenSheet, escape};

/// The page up to its title, and from there to the table.
const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>";
const STYLE: &str = "</title>
<style>
:root { color-scheme: light dark }
body { font: 14px/1.4 system-ui, sans-serif }
table { border-collapse: collapse }
th, td { padding: .2em .8em; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { border-bottom: 1px solid; white-space: nowrap }
tr:hover td { background: #8882 }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
</style>
</head>
<body>
";

/// Writes the title if there is one, and a table with the alignments of the columns.
pub(crate) fn write(
    style: &Style,
    feed: &mut Feed<'_>,
    out: &mut dyn Write,
) -> Result<WrittenSheet, Error> {
    let lanes = grid::lanes(feed.sheet);
    let title = feed.sheet.title.as_deref().map(|title| escape::markup(&escape::visible(title)));
    write!(out, "{HEAD}{}{STYLE}", title.as_deref().unwrap_or("pmtaq"))?;
    if let Some(title) = &title {
        writeln!(out, "<h1>{title}</h1>")?;
    }
    out.write_all(b"<table>\n<thead>\n")?;
    row(out, &lanes, "th", lanes.iter().map(|lane| lane.name.as_str()))?;
    out.write_all(b"</thead>\n<tbody>\n")?;
    for cells in CellRows::new(style, feed) {
        row(out, &lanes, "td", cells?.iter().map(|cell| cell.text.as_str()))?;
    }
    out.write_all(b"</tbody>\n</table>\n</body>\n</html>\n")?;
    Ok(WrittenSheet::default())
}

fn row<'a>(
    out: &mut dyn Write,
    lanes: &[Lane],
    tag: &str,
    texts: impl Iterator<Item = &'a str>,
) -> Result<(), Error> {
    out.write_all(b"<tr>")?;
    for (lane, text) in lanes.iter().zip(texts) {
        let class = if lane.right { " class=\"n\"" } else { "" };
        write!(out, "<{tag}{class}>{}</{tag}>", escape::markup(text))?;
    }
    out.write_all(b"</tr>\n")?;
    Ok(())
}
