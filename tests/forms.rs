//! Accounting records in all the forms and containers that other tools make of them: each record
//! counts once, and what holds none is called by what it is.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::sealed::{Run, Sealed};

const HEADER: &str = "type,timeLogged,timeQueued,rcpt,dsnDiag\r\n";

fn row(n: usize) -> String {
    let (minute, second) = (n / 60 % 60, n % 60);
    let time = format!("2026-01-05 10:{minute:02}:{second:02}+0000");
    format!("d,{time},2026-01-05 09:59:00+0000,u{n}@example.org,smtp;250 ok\r\n")
}

fn rows(rows: std::ops::Range<usize>) -> String {
    rows.map(row).collect()
}

fn content(range: std::ops::Range<usize>) -> String {
    HEADER.to_owned() + &rows(range)
}

fn ingest(sealed: &Sealed, args: &[&str]) -> Run {
    sealed.run(&[&["ingest"], args].concat())
}

fn records(sealed: &Sealed) -> (i64, i64) {
    let counts = "select count(*) * 1000 + count(distinct rcpt) from records";
    let counts = sealed.number(counts);
    (counts / 1000, counts % 1000)
}

/// Gives `input` to an ingest through a pipe.
fn piped(sealed: &Sealed, input: &[u8]) -> String {
    let mut command = sealed.command();
    command.args(["--now", "2026-03-05T12:00:00Z", "ingest", "-"]);
    let pipes = command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(content).unwrap();
    gz.finish().unwrap()
}

/// A tar of files by name.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn old(path: &Path) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_768_000_000);
    file.set_modified(long_ago).unwrap();
}

#[test]
fn one_content_is_known_again_however_it_is_packed_or_piped() {
    let sealed = Sealed::new();
    let all = content(0..50);
    let all = all.as_bytes();
    sealed.ingest(&[&sealed.file("acct.csv", all)]);
    let (gz, zst) = (gzip(all), zstd::encode_all(all, 1).unwrap());
    let packed = tar(&[("a/one.csv", all), ("a/two.csv.gz", &gz), ("three", &zst)]);
    for (name, bytes) in [
        ("acct.gz", &gz),
        ("acct.zst", &zst),
        ("acct.tar", &packed),
        ("acct.tar.gz", &gzip(&packed)),
        ("acct.tar.zst", &zstd::encode_all(&packed[..], 1).unwrap()),
    ] {
        let run = ingest(&sealed, &[sealed.file(name, bytes).to_str().unwrap()]);
        let sources = if name.contains("tar") { 3 } else { 1 };
        assert!(
            run.stderr.contains(&format!("0 new, 0 grown, {sources} known")),
            "{name}: {run:?}"
        );
        let said = piped(&sealed, bytes);
        assert!(said.contains(&format!("0 new, 0 grown, {sources} known")), "{name}: {said}");
    }
    assert_eq!(records(&sealed), (50, 50));
}

#[test]
fn of_an_archive_that_was_cut_the_whole_files_are_taken() {
    let sealed = Sealed::new();
    let all = tar(&[("1.csv", content(0..20).as_bytes()), ("2.csv", content(20..300).as_bytes())]);
    let path = sealed.file("month.tar", &all[..5000]);
    old(&path);
    let run = ingest(&sealed, &[path.to_str().unwrap()]);
    let said = "month.tar: the archive ends early; the files that are whole in it are taken";
    assert!(run.stderr.contains(said), "{run:?}");
    assert_eq!((run.code, records(&sealed).0), (Some(1), 20));
    assert_eq!(sealed.ingest(&[&sealed.file("month.tar", all)]).counts(), (300, 280, 20, 0));
    // A pipe may bring a zip too, which is read from its end.
    let zip = std::fs::read(crate::sealed::root().join("samples/quirks/quirk-zip.zip")).unwrap();
    assert!(piped(&sealed, &zip).contains("sources   2 (2 new"));
}

#[test]
fn each_file_of_an_archive_is_a_source_and_grows_as_one() {
    let sealed = Sealed::new();
    let first = tar(&[("1.csv", content(0..20).as_bytes()), ("2.csv", content(20..30).as_bytes())]);
    let path = sealed.file("month.tar.gz", gzip(&first));
    assert_eq!(sealed.ingest(&[&path]).counts(), (30, 30, 0, 0));
    let names = "select string_agg(distinct source, ' ' order by source) from records";
    assert!(sealed.done(&["sql", names, "--format", "csv"]).ends_with("1.csv 2.csv\n"));
    let second = tar(&[
        ("1.csv", content(0..20).as_bytes()),
        ("2.csv", content(20..45).as_bytes()),
        ("3.csv", content(45..50).as_bytes()),
    ]);
    let path = sealed.file("month.tar", second);
    assert_eq!(sealed.ingest(&[&path]).counts(), (50, 20, 30, 0));
    assert_eq!(records(&sealed), (50, 50));
    sealed.done(&["verify"]);
}

#[test]
fn a_folder_gives_what_begins_as_an_accounting_file_whatever_its_name() {
    let sealed = Sealed::new();
    let names = ["acct", "acct-2026-01-05-0000", "acct.CSV", "a.csv.done", "pmta.log", "20260105"];
    for (i, name) in names.into_iter().enumerate() {
        old(&sealed.file(&format!("spool/{name}"), content(10 * i..10 * i + 10)));
    }
    old(&sealed.file("spool/month", gzip(&tar(&[("b/acct", content(60..70).as_bytes())]))));
    old(&sealed.file(
        "spool/x.jsonl",
        "{\"type\":\"d\",\"timeLogged\":\"2026-01-05 11:00:00Z\",\"rcpt\":\"j@x.y\"}\n",
    ));
    let other = sealed.file("spool/other", "Jan  5 10:00:00 mta1 pmta: started\n");
    let spool = other.parent().unwrap().to_str().unwrap();
    let run = ingest(&sealed, &[spool]);
    assert!(run.stderr.contains("1 file skipped, by name or for not beginning"), "{run:?}");
    assert!(run.stderr.contains(": other; name a file itself"), "{run:?}");
    assert_eq!((run.code, records(&sealed)), (Some(0), (71, 71)));
    // Records without a header are not passed over in silence.
    sealed.file("spool/piece", rows(70..80));
    let run = ingest(&sealed, &[spool]);
    assert!(run.stderr.contains("piece: no header line: the file begins with a record"), "{run:?}");
    assert_eq!(run.code, Some(1));
}

#[test]
fn excluded_names_are_taken_from_nowhere() {
    let sealed = Sealed::new();
    let one = sealed.file("spool/acct-1.csv", content(0..5));
    let two = sealed.file("spool/acct-tg-1.csv", content(0..5));
    let packed = tar(&[("acct-tg-2.csv", content(5..9).as_bytes()), ("3.csv", row(9).as_bytes())]);
    sealed.file("spool/a.tar", packed);
    let spool = one.parent().unwrap().to_str().unwrap();
    let header = ["--header", HEADER.trim()];
    let exclude = ["--exclude", "acct-tg-*"];
    let run = ingest(&sealed, &[&[spool, two.to_str().unwrap()], &header[..], &exclude].concat());
    assert_eq!((run.code, records(&sealed)), (Some(0), (6, 6)));
    // What is left of an input that was excluded altogether is no error.
    let run = ingest(&sealed, &[two.to_str().unwrap(), "--exclude", "*/spool/*"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = ingest(&sealed, &[spool, "--exclude", "["]);
    assert!(run.stderr.contains("`[` is not a valid glob"), "{run:?}");
}

#[test]
fn what_is_written_on_after_a_truncation_has_the_header_from_before_it() {
    let sealed = Sealed::new();
    let path = sealed.file("spool/acct.csv", content(0..10));
    let spool = path.parent().unwrap().to_str().unwrap().to_owned();
    ingest(&sealed, &[&spool]);
    // As `copytruncate` leaves it, when the writer goes on where it was: a hole, and no header.
    let hole = "\0".repeat(content(0..10).len());
    sealed.file("spool/acct.csv.1", content(0..10));
    sealed.file("spool/acct.csv", hole.clone() + &rows(10..20));
    let run = ingest(&sealed, &[&spool]);
    let said =
        "acct.csv: has no header line: read with that of acct.csv, as it was ingested before";
    assert!(run.stderr.contains(said), "{run:?}");
    assert_eq!((run.code, records(&sealed)), (Some(0), (20, 20)));
    sealed.file("spool/acct.csv", hole.clone() + &rows(10..25));
    assert_eq!(ingest(&sealed, &[&spool]).code, Some(0));
    // It is truncated again, in the midst of a line, and its copy is known.
    sealed.file("spool/acct.csv.2", hole + &rows(10..25));
    sealed.file("spool/acct.csv", "example.org,smtp;250 ok\r\n".to_owned() + &rows(25..30));
    let run = ingest(&sealed, &[&spool]);
    assert!(run.stderr.contains("acct.csv:1 (byte 0): type `example.org`"), "{run:?}");
    assert_eq!((run.code, records(&sealed)), (Some(4), (30, 30)));
    sealed.done(&["verify"]);
}

#[test]
fn records_without_a_header_are_known_whatever_header_is_given() {
    let sealed = Sealed::new();
    let path = sealed.file("piece", rows(0..10));
    let path = path.to_str().unwrap();
    let run = ingest(&sealed, &[path]);
    assert!(run.stderr.contains("`--header 'type,timeLogged,...'` says what"), "{run:?}");
    // One that fits no record is a slip, and must not make the records known.
    let run = ingest(&sealed, &[path, "--header", "type,timeLogged"]);
    assert!(run.stderr.contains("does not fit its records: more fields than"), "{run:?}");
    assert_eq!(records(&sealed), (0, 0));
    let run = ingest(&sealed, &[path, "--header", &format!("{},vmta,jobId", HEADER.trim())]);
    let said = "does not fit its records: they have 5 fields, and it names 7";
    assert!(run.stderr.contains(said), "{run:?}");
    assert_eq!(records(&sealed), (0, 0));
    let whole = sealed.file("whole.csv", content(10..12));
    let run = ingest(&sealed, &[path, "--header-from", whole.to_str().unwrap()]);
    assert_eq!((run.code, records(&sealed)), (Some(0), (10, 10)));
    let run = ingest(&sealed, &[path, "--header", "type,timeLogged,orig,rcpt,dsnDiag"]);
    assert!(run.stderr.contains("1 known"), "{run:?}");
    assert_eq!(records(&sealed), (10, 10));
}

#[test]
fn another_field_is_the_time_when_the_user_says_so() {
    let sealed = Sealed::new();
    let lines = "type,timeQueued,rcpt\nb,2026-01-05 10:00:00-0400,a@example.org\n";
    let path = sealed.file("acct.csv", lines);
    let path = path.to_str().unwrap();
    let run = ingest(&sealed, &[path]);
    assert!(run.stderr.contains("`--time-field timeQueued` takes that for the time"), "{run:?}");
    let run = ingest(&sealed, &[path, "--time-field", "timeQueued"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let told = "select time_logged, time_queued, extra['timeQueued'] from records";
    let told = sealed.done(&["sql", told, "--format", "csv"]);
    assert!(told.ends_with("2026-01-05T14:00:00Z,,2026-01-05 10:00:00-0400\n"), "{told}");
}

#[test]
fn json_lines_give_the_ledger_and_the_rejects_of_the_same_csv() {
    let csv = "type,timeLogged,rcpt,dlvSize\nd,2026-01-05 10:00:00Z,a@x.y,7\nd,never,b@x.y,\n\
               q,2026-01-05 10:00:00Z,c@x.y,\nb,2026-01-05 10:00:01Z,d@x.y,12kb\n";
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let object = |values: Vec<&str>| {
        let fields = names.iter().map(|name| name.to_uppercase()).zip(values);
        let fields = fields.map(|(name, value)| (name, serde_json::Value::from(value)));
        serde_json::Value::Object(fields.collect()).to_string() + "\n"
    };
    let json: String = lines.map(object).collect();
    let told = [csv, &json].map(|content| {
        let sealed = Sealed::new();
        let path = sealed.file("acct", content);
        old(&path);
        let counts = sealed.ingest(&[&path]).counts();
        let records = "select rec, time_logged, rcpt, dlv_size from records";
        let rejects = "select lower(field), value, reason from rejects order by line";
        let tell = |sql| sealed.done(&["sql", sql, "--format", "csv"]);
        (counts, tell(records), tell(rejects))
    });
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].0, (4, 1, 0, 3));
}

#[test]
fn a_line_of_json_that_is_being_written_waits_for_its_end() {
    let sealed = Sealed::new();
    let line = |n: usize| {
        format!(
            "{{\"type\":\"d\",\"timeLogged\":\"2026-01-05 10:00:00Z\",\"rcpt\":\"u{n}@x.y\"}}\n"
        )
    };
    for (rows, torn) in [(1, 20), (2, 0), (3, 50)] {
        let content: String = (0..rows).map(line).collect();
        let path = sealed.file("acct.jsonl", content + &line(rows)[..torn]);
        old(&path);
        let run = ingest(&sealed, &[path.to_str().unwrap()]);
        assert_eq!(run.stderr.contains("has no line end yet"), torn > 0, "{run:?}");
        assert_eq!((run.code, records(&sealed).0), (Some(0), rows as i64));
    }
}

#[test]
fn what_is_no_accounting_file_is_called_by_what_it_is_at_scale() {
    let sealed = Sealed::new();
    let twice = gzip(&gzip(content(0..3).as_bytes()));
    let kinds: &[(&[u8], &str)] = &[
        (b"\x1f\x9d\x90abc", "is compressed with compress; `zcat FILE | pmtaq ingest -`"),
        (b"\x04\x22\x4d\x18abc", "is compressed with lz4; `lz4cat FILE | pmtaq ingest -`"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive; `7z x -so FILE | pmtaq ingest -`"),
        (&twice, "is compressed twice; `gzip -dc FILE | pmtaq ingest -`"),
        (b"PAR1\x15\x04\x15\x10", "is a Parquet file"),
        (b"%PDF-1.4\n\xe2\xe3", "is a PDF document"),
        (b"\x7fELF\x02\x01\x01\0", "is a program"),
        (b"\x8a\x9b\xff\xfe\xc1\xc0\xf5\xf6\n", "begins with the bytes 8a 9b ff fe c1 c0 f5 f6"),
        (b"Return-Path: <a@b.c>\nReceived: from x\n", "is a mail; save the attachment"),
        (b"[{\"type\":\"d\"}]\n", "is a JSON array; `jq -c '.[]' FILE | pmtaq ingest -`"),
        (b"{\n \"type\": \"d\"\n}\n", "not an object with a `type` on each line; `jq -c . FILE"),
        (
            b"{\"@timestamp\":\"x\",\"message\":\"d,2026-01-05 10:00:00Z,a@b.c\"}\n",
            "records in its field message; `jq -r '.[\"message\"]' FILE | pmtaq ingest --header",
        ),
        (
            b"{\"_id\":\"x\",\"_source\":{\"type\":\"d\"}}\n",
            "records in its field _source; `jq -c '.[\"_source\"]' FILE | pmtaq ingest -`",
        ),
        (b"<html><body>", "is a web page"),
        (b"<rsp><status>success</status></rsp>", "is an answer of PowerMTA's web monitor"),
        (b"{\"status\":\"success\",\"data\":{}}\n", "is an answer of PowerMTA's web monitor"),
        (
            b"{\"type\":\"Delivery\",\"peer_address\":{},\"egress_source\":\"a\"}\n",
            "is a log of KumoMTA",
        ),
        (
            b"10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 6\n",
            "the log of a web server",
        ),
        (
            b"Jan  5 10:00:00 mx postfix/smtp[1]: 4F1A: to=<a@b.c>, status=sent\n",
            "is a log of Postfix",
        ),
        (
            b"2026-01-05 10:00:00 PowerMTA(TM) v5.0r7 started\n",
            "is PowerMTA's log, which has no records",
        ),
        (
            b"smtp-port 25\n<acct-file /a.csv>\n</acct-file>\n",
            "configuration of PowerMTA; `pmtaq doctor FILE`",
        ),
        (b"\xff\xfe\0\0t\0\0\0", "is UTF-32; `iconv -f UTF-32 -t UTF-8 FILE | pmtaq ingest -`"),
        (
            b"Export of today\ntype,timeLogged\n",
            "line 2 is a header; `tail -n +2 FILE | pmtaq ingest -`",
        ),
        (b"\0\0\0\0.org,smtp;250 ok\ntype,timeLogged\n", "line 2 is a header; `tail -n +2 FILE"),
        (
            b"5.1 mta1 acct\t{\"type\":\"d\"}\n",
            "before each record; `sed 's/^[^{]*//' FILE | pmtaq ingest -`",
        ),
        (b"Jan  5 mta1 acct: d,2026-01-05 10:00:00Z,a@b.c\n", "before each record; `grep -oE"),
        (
            b"{\"message\":\"{\\\"type\\\":\\\"d\\\"}\",\"host\":\"mta1\"}\n",
            "records in its field message; `jq -r '.[\"message\"]' FILE | pmtaq ingest -`",
        ),
        (b"name,age\nx,1\n", "the file begins with `name,age`"),
        (
            b"kind,timeLogged,rcpt\nd,2026-01-05 10:00:00Z,a@b.c\n",
            "first field is called `kind` and not `type`; `tail -n +2 FILE | pmtaq ingest --header",
        ),
        (b"n\xe9m,age\n", "the file begins with `n\\xe9m,age`"),
        (&tar(&[("notes.txt", b"hello\n")]), "is an archive without an accounting file"),
    ];
    for (i, (bytes, said)) in kinds.iter().enumerate() {
        let path = sealed.file(&format!("{i}"), bytes);
        let run = ingest(&sealed, &[path.to_str().unwrap()]);
        assert!(run.stderr.contains(said), "{said}: {run:?}");
        assert!(run.stderr.chars().all(|c| c == '\n' || !c.is_control()), "{run:?}");
        assert_eq!(run.code, Some(1));
    }
}
