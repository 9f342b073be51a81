//! What a content is that holds no accounting records, in words, with what helps. What is said of it
//! is text, whatever it holds.

use super::first::{Given, SEPARATORS, is_record, kind_of_header};
use super::json::Object;
use super::separated::split;
use crate::line::first_line;
use crate::reject::shorten;
use crate::unpack::Packing;

/// What begins with certain bytes is, and what to do.
const KINDS: &[(&[u8], &str)] = &[
    (b"PAR1", "is a Parquet file; `pmtaq sql --allow-files \"select * from 'FILE'\"` reads it"),
    (b"ARROW1", "is an Arrow file; save it as CSV"),
    (b"ORC", "is an ORC file; save it as CSV"),
    (b"Obj\x01", "is an Avro file; save it as CSV"),
    (
        b"SQLite format 3\0",
        "is a SQLite database; `sqlite3 -csv -header FILE 'select ...'` writes CSV",
    ),
    (b"%PDF-", "is a PDF document"),
    (b"\x7fELF", "is a program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a document of an old Office; save it as CSV"),
    (b"\x89PNG", "is an image"),
    (b"\xff\xd8\xff", "is an image"),
    (b"GIF8", "is an image"),
    (b"\x1f\x9d", "is compressed with compress; `zcat FILE | pmtaq ingest -` takes it"),
    (b"\x04\x22\x4d\x18", "is compressed with lz4; `lz4cat FILE | pmtaq ingest -` takes it"),
    (b"LZIP", "is compressed with lzip; `lzip -dc FILE | pmtaq ingest -` takes it"),
    (b"\x5d\0\0", "is compressed with lzma; `xzcat FILE | pmtaq ingest -` takes it"),
    (b"\x89LZO", "is compressed with lzop; `lzop -dc FILE | pmtaq ingest -` takes it"),
    (
        b"7z\xbc\xaf\x27\x1c",
        "is a 7-Zip archive; `7z x -so FILE | pmtaq ingest -` takes what is in it",
    ),
    (b"Rar!", "is a RAR archive; `unrar p -inul FILE | pmtaq ingest -` takes what is in it"),
    (b"07070", "is a cpio archive; unpack it, and ingest what was in it"),
    (b"!<arch>", "is an ar archive; unpack it, and ingest what was in it"),
    (b"PK\x05\x06", "is an empty zip archive"),
    (b"-----BEGIN PGP", "is encrypted; `gpg -d FILE | pmtaq ingest -` takes what is in it"),
    (
        b"age-encryption.org",
        "is encrypted; `age -d -i KEY FILE | pmtaq ingest -` takes what is in it",
    ),
    (b"Salted__", "is encrypted with openssl; decrypt it into `| pmtaq ingest -`"),
    (b"version https://git-lfs", "stands for a file that Git LFS has; `git lfs pull` fetches it"),
    (b"<!DOCTYPE html", "is a web page; fetch the file itself"),
    (b"<!doctype html", "is a web page; fetch the file itself"),
    (b"<html", "is a web page; fetch the file itself"),
    (
        b"<rsp>",
        "is an answer of PowerMTA's web monitor, which has counters and no records; name the files of an \
         <acct-file>",
    ),
    (b"\xff\xfe\0\0", "is UTF-32; `iconv -f UTF-32 -t UTF-8 FILE | pmtaq ingest -` takes it"),
    (b"\0\0\xfe\xff", "is UTF-32; `iconv -f UTF-32 -t UTF-8 FILE | pmtaq ingest -` takes it"),
    (b"<?xml", "is XML; make CSV of it, with the names of PowerMTA's fields in the first line"),
    (b"[", "is a JSON array; `jq -c '.[]' FILE | pmtaq ingest -` takes what is in it"),
    (b"From ", "is a mailbox; save the attachment, and ingest that"),
];

/// What the first line of a log has, and what it is.
const LOGS: &[(&str, &str)] = &[
    ("HTTP/", "is the log of a web server"),
    ("postfix/", "is a log of Postfix"),
    ("PowerMTA", "is PowerMTA's log, which has no records; name the files of an <acct-file>"),
];

/// Lines that are looked through for a header.
const LOOKED_THROUGH: usize = 100;

/// Fields that stand at the beginning of a mail.
const MAIL: &[&str] = &[
    "return-path:",
    "received:",
    "delivered-to:",
    "from:",
    "to:",
    "date:",
    "subject:",
    "message-id:",
    "mime-version:",
    "x-",
    "dkim-signature:",
    "authentication-results:",
    "arc-",
];

/// What a content is that begins with `start`; of that the text without what comes before a header.
pub(super) fn foreign(start: &[u8], text: &[u8]) -> String {
    if let Some(packing) = Packing::of(start) {
        let command = packing.command();
        return format!("is compressed twice; `{command} FILE | pmtaq ingest -` takes it");
    }
    let known = KINDS.iter().find(|(magic, _)| start.starts_with(magic) || text.starts_with(magic));
    if let Some((_, what)) = known {
        return (*what).to_owned();
    }
    if text.starts_with(b"{") {
        let object = serde_json::from_slice::<Object>(first_line(text).trim_ascii()).ok();
        let said = |object: Object| object.mailer().map(str::to_owned).or_else(|| object.within());
        if let Some(said) = object.and_then(said) {
            return said;
        }
        return "is JSON, but not an object with a `type` on each line; `jq -c . FILE | pmtaq ingest -` \
                takes it if the objects have PowerMTA's fields"
            .to_owned();
    }
    let line = first_line(text);
    let lower = String::from_utf8_lossy(&line[..line.len().min(80)]).to_ascii_lowercase();
    if MAIL.iter().any(|field| lower.starts_with(field)) && lower.contains(": ") {
        return "is a mail; save the attachment, and ingest that".to_owned();
    }
    if !is_text(text) {
        let bytes: Vec<String> = text.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        return format!(
            "is neither text nor of a kind that is known: it begins with the bytes {}",
            bytes.join(" ")
        );
    }
    let whole = String::from_utf8_lossy(line);
    if let Some((_, what)) = LOGS.iter().find(|(word, _)| whole.contains(word)) {
        return (*what).to_owned();
    }
    if text.windows(10).any(|bytes| bytes == b"<acct-file") {
        return "is a configuration of PowerMTA; `pmtaq doctor FILE` looks through it".to_owned();
    }
    let begin = format!("no header line: the file begins with `{}`", shorten(line));
    match behind_prefix(line) {
        Some(command) => {
            format!(
                "{begin}, with something before each record; `{command}` takes what stands behind"
            )
        }
        None => {
            format!("{begin}, where `type,timeLogged,...` was expected; is it an accounting file?")
        }
    }
}

/// What to say of a content with a header below other lines, such as a title, or the end of a line of
/// a file that was truncated.
pub(super) fn header_below(start: &[u8], text: &[u8], given: Given<'_>) -> Option<String> {
    let mut at = 0;
    for _ in 0..LOOKED_THROUGH {
        let line = first_line(&text[at..]);
        let is_header = |&by: &u8| {
            let fields = split(line, by, true);
            fields.is_some_and(|(fields, _)| kind_of_header(&fields, given).is_some())
        };
        if at > 0 && SEPARATORS.iter().any(is_header) {
            let before = &start[..start.len() - text.len() + at];
            let number = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            return Some(format!(
                "no header line: the file begins with `{}`, and its line {number} is a header; `tail -n \
                 +{number} FILE | pmtaq ingest -` takes what follows",
                shorten(first_line(text))
            ));
        }
        at += line.len();
    }
    None
}

/// The command that takes the records of lines that begin with something else, as those of syslog do.
fn behind_prefix(line: &[u8]) -> Option<&'static str> {
    let line = &line[..line.len().min(2000)];
    let text = String::from_utf8_lossy(line);
    let object = text.find('{').map(|at| &text[at..]);
    let is_object = |object: &str| {
        serde_json::from_str::<Object>(object.trim()).is_ok_and(|object| object.kind().is_some())
    };
    if object.is_some_and(is_object) {
        return Some("sed 's/^[^{]*//' FILE | pmtaq ingest -");
    }
    let mut words = text.match_indices([' ', '\t']).map(|(at, _)| &line[at + 1..]);
    let begins_record =
        |rest: &[u8]| split(rest, b',', true).is_some_and(|(fields, _)| is_record(&fields));
    words.any(begins_record).then_some(
        "grep -oE '\\b(d|b|t|tq|r|rb|rs|f),.*' FILE | pmtaq ingest --header type,timeLogged,... -",
    )
}

fn is_text(start: &[u8]) -> bool {
    let start = &start[..start.len().min(512)];
    let is_odd = |byte: &&u8| matches!(**byte, 0..=8 | 14..=26 | 28..=31 | 127);
    // Of other encodings than UTF-8 some bytes are none of it, but not most.
    let valid: usize = start.utf8_chunks().map(|chunk| chunk.valid().len()).sum();
    start.iter().filter(is_odd).count() * 20 <= start.len() && valid * 2 >= start.len()
}
