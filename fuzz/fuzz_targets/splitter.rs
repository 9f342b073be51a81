//! No byte is lost between lines; a line is the same wherever splitting begins; what is not broken
//! is what the `csv` crate reads, and what that crate writes is read back. Knows no file.
#![no_main]

use csv::{ReaderBuilder, Terminator, WriterBuilder};
use libfuzzer_sys::fuzz_target;
use pmtaq_ingest::Splitter;

/// A line: where it begins and ends, and its fields; none when it is broken.
type Parsed = (usize, usize, Option<Vec<Vec<u8>>>);

fn lines(bytes: &[u8], at_once: usize) -> Vec<Parsed> {
    let mut splitter = Splitter::new(bytes);
    let mut all = Vec::new();
    loop {
        let lines = splitter.next_lines(at_once);
        if lines.is_empty() {
            return all;
        }
        for i in 0..lines.len() {
            let line = lines.get(i);
            let fields = (0..line.len()).map(|i| line.field(i).value().into_owned());
            all.push((line.start, line.end, (!line.broken).then(|| fields.collect())));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let all = lines(bytes, 1);
    assert_eq!(all, lines(bytes, 256));

    let mut end = 0;
    for (start, until, fields) in &all {
        assert!(bytes[end..*start].iter().all(|byte| b"\r\n".contains(byte)));
        assert!(start < until && (*until == bytes.len() || bytes[until - 1] == b'\n'));
        assert!(fields.as_ref().is_none_or(|fields| !fields.is_empty()));
        end = *until;
    }
    assert!(bytes[end..].iter().all(|byte| b"\r\n".contains(byte)));

    if let Some((middle, ..)) = all.get(all.len() / 2) {
        let moved = lines(&bytes[*middle..], 7).into_iter();
        let moved: Vec<Parsed> = moved.map(|(a, b, f)| (a + middle, b + middle, f)).collect();
        assert_eq!(all[all.len() / 2..], moved);
    }

    // Line ends: the crate can be told `\n` alone or both `\r\n` and `\r`, and not ours.
    if !bytes.contains(&b'\r') && all.iter().all(|line| line.2.is_some()) {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(bytes)
            .into_byte_records();
        let theirs: Vec<Vec<Vec<u8>>> = reader
            .map(|record| record.expect("memory").iter().map(<[u8]>::to_vec).collect())
            .collect();
        let ours: Vec<_> = all.iter().filter_map(|line| line.2.clone()).collect();
        assert_eq!(ours, theirs);
    }

    let rows: Vec<Vec<&[u8]>> = bytes
        .split(|byte| *byte == 0xff)
        .map(|row| row.split(|byte| *byte == 0xfe).collect())
        .collect();
    for terminator in [Terminator::CRLF, Terminator::Any(b'\n')] {
        let mut writer = WriterBuilder::new()
            .flexible(true)
            .terminator(terminator)
            .from_writer(Vec::new());
        for row in &rows {
            // A first field keeps a row from being empty.
            let row = std::iter::once(&b"d"[..]).chain(row.iter().copied());
            writer.write_record(row).expect("memory");
        }
        let written = writer.into_inner().expect("memory");
        let read: Vec<_> = lines(&written, 3).into_iter().filter_map(|line| line.2).collect();
        let read: Vec<Vec<&[u8]>> =
            read.iter().map(|row| row[1..].iter().map(Vec::as_slice).collect()).collect();
        assert_eq!(read, rows);
    }
});
