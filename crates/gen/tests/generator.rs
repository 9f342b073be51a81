//! What the generator promises: equal bytes for equal seeds, exact counts, well-formed files,
//! incidents that can be found. Reads with the `csv` crate, never with our own parser.

#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate};
use pmtaq_gen::{Compress, Header, Options, Size, Truth, TruthCounts, Tz, generate};

type Row = BTreeMap<String, String>;

/// Generates into a folder of its own. What an earlier run left there is overwritten or not asked
/// for: only the files that were named now are read.
fn run(name: &str, settings: &Options) -> (Truth, Vec<PathBuf>) {
    generate(settings, &Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)).unwrap()
}

fn content(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    match path.extension().unwrap().to_str().unwrap() {
        "gz" => {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
            text
        }
        "zst" => zstd::decode_all(&bytes[..]).unwrap(),
        _ => bytes,
    }
}

/// The records of all files, by field name, without the empty fields. The csv crate refuses a row
/// that has more or fewer fields than its header.
fn rows(paths: &[PathBuf]) -> Vec<Row> {
    let mut rows = Vec::new();
    for path in paths {
        let content = content(path);
        let mut reader = csv::Reader::from_reader(&content[..]);
        let header = reader.headers().unwrap().clone();
        for record in reader.records() {
            let record = record.unwrap();
            let fields = header.iter().zip(&record).filter(|(_, value)| !value.is_empty());
            rows.push(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        }
    }
    rows
}

fn value<'a>(row: &'a Row, field: &str) -> &'a str {
    row.get(field).map_or("", String::as_str)
}

fn logged(row: &Row) -> DateTime<chrono::FixedOffset> {
    DateTime::parse_from_str(value(row, "timeLogged"), "%Y-%m-%d %H:%M:%S%z").unwrap()
}

fn domain(address: &str) -> String {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
    // The internationalised domains of the world, as RFC 5891 spells them.
    match domain.as_str() {
        "b\u{fc}cher.example" => "xn--bcher-kva.example".to_owned(),
        "m\u{fc}nchner-post.example" => "xn--mnchner-post-dlb.example".to_owned(),
        "caf\u{e9}-paris.example" => "xn--caf-paris-d4a.example".to_owned(),
        other => other.to_owned(),
    }
}

fn recount(rows: &[Row]) -> TruthCounts {
    fn add(counts: &mut BTreeMap<String, u64>, name: String) {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts = TruthCounts { rows: rows.len() as u64, ..TruthCounts::default() };
    for row in rows {
        let day = logged(row).to_utc().date_naive().to_string();
        add(counts.day_rec.entry(day).or_default(), value(row, "type").to_owned());
        add(&mut counts.rcpt_domain, domain(value(row, "rcpt")));
        add(&mut counts.sender_domain, domain(value(row, "orig")));
        add(&mut counts.vmta, value(row, "vmta").to_owned());
        add(&mut counts.bounce_cat, value(row, "bounceCat").to_owned());
    }
    counts
}

fn madrid() -> Option<Tz> {
    Some(Tz::Europe__Madrid)
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn equal_seeds_give_equal_bytes_and_others_do_not() {
    let settings = Options { rows: 3000, ..Options::default() };
    let (truth, paths) = run("equal-a", &settings);
    let (same_truth, same_paths) = run("equal-b", &settings);
    let bytes = |paths: &[PathBuf]| -> Vec<_> { paths.iter().map(|path| content(path)).collect() };
    assert!(bytes(&paths) == bytes(&same_paths));
    assert_eq!(truth, same_truth);
    let (_, other) = run("equal-c", &Options { seed: 8, ..settings });
    assert!(bytes(&paths) != bytes(&other));
}

#[test]
fn the_samples_are_those_of_seed_7() {
    let settings = Options { rows: 6000, hours_per_file: 24, ..Options::default() };
    let (_, mut paths) = run("samples", &settings);
    paths.push(paths[0].with_file_name("truth.json"));
    assert_eq!(paths.len(), 4);
    for path in paths {
        // The folder that people ingest holds accounting files and nothing else.
        let folder = if path.ends_with("truth.json") { "samples" } else { "samples/acct" };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let sample = folder.join(path.file_name().unwrap());
        assert!(
            std::fs::read(&path).unwrap() == std::fs::read(&sample).unwrap(),
            "{} is not what the generator writes",
            sample.display()
        );
    }
}

#[test]
fn the_truth_is_what_an_independent_reader_counts_at_scale() {
    let small = Options { rows: 20_000, ..Options::default() };
    let variants = [
        ("plain", small.clone()),
        ("gz-behind", Options { compress: Compress::Gzip, offset_min: -330, ..small.clone() }),
        ("zst-ahead", Options { compress: Compress::Zstd, offset_min: 345, ..small.clone() }),
        ("split", Options { split: true, hours_per_file: 24, ..small.clone() }),
        ("zone", Options { zone: madrid(), start: day("2026-03-28"), ..small.clone() }),
        ("calm", Options { incidents: false, seed: 1, days: 9, ..small }),
    ];
    for (name, settings) in variants {
        let (truth, paths) = run(&format!("truth-{name}"), &settings);
        let rows = rows(&paths);
        assert_eq!(truth.counts, recount(&rows), "{name}");
        assert_eq!(truth.counts.rows, 20_000, "{name}");
        assert_eq!(truth.recs.values().sum::<u64>(), 20_000, "{name}");
        assert_eq!(truth.files.values().map(|file| file.rows).sum::<u64>(), 20_000, "{name}");
        for (path, (file, of_file)) in paths.iter().zip(&truth.files) {
            assert_eq!(path.file_name().unwrap().to_str(), Some(file.as_str()));
            assert_eq!(content(path).len() as u64, of_file.bytes, "{file}");
        }
        assert_eq!(truth.incidents.len(), if name == "calm" { 0 } else { 3 });
    }
}

#[test]
fn as_many_records_come_as_were_asked_for() {
    for rows_wanted in [0, 1, 2, 17, 999] {
        for days in [1, 7] {
            let settings = Options { rows: rows_wanted, days, ..Options::default() };
            let (truth, paths) = run(&format!("rows-{rows_wanted}-{days}"), &settings);
            assert_eq!(truth.counts.rows, rows_wanted);
            assert_eq!(rows(&paths).len() as u64, rows_wanted);
        }
    }
}

#[test]
fn every_record_type_and_its_fields_occur() {
    let (truth, paths) = run("types", &Options { rows: 60_000, ..Options::default() });
    let recs: Vec<&str> = truth.recs.keys().copied().collect();
    assert_eq!(recs, ["b", "d", "f", "r", "rb", "rs", "t", "tq"]);
    let rows = rows(&paths);
    let seen = |rec: &str, field: &str| {
        rows.iter().any(|row| value(row, "type") == rec && row.contains_key(field))
    };
    assert!(seen("f", "envid") && !seen("f", "envId"));
    assert!(seen("d", "dlvSize") && !seen("b", "dlvSize"));
    assert!(seen("rb", "dsnReportingMta") && seen("r", "rcvSmtpUser"));
    assert!(!seen("tq", "rcpt") && seen("tq", "queue"));
    let any = |field: &str, needle: &str| {
        assert!(rows.iter().any(|row| value(row, field).contains(needle)), "{field}: {needle}");
    };
    any("dlvDestinationIp", "2a00:1450:");
    any("dlvSourceIp", "0.0.0.0");
    any("dsnDiag", "x-pmta;");
    any("dsnDiag", "\"RCPT TO:<");
    any("dsnDiag", "\r\n");
    any("dsnDiag", "smtp;421-4.7.28 ");
    any("rcpt", "\u{fc}");
    any("dsnStatus", "5.4.7 (delivery time expired)");
    assert!(rows.iter().any(|row| value(row, "rcpt").contains("@G")), "no capital");
    assert!(rows.iter().any(|row| value(row, "type") == "d" && value(row, "orig").is_empty()));
    let tail = truth.counts.rcpt_domain.len();
    assert!(tail > 1000, "{tail} domains");
    let bytes: u64 = truth.files.values().map(|file| file.bytes).sum();
    assert!((480..580).contains(&(bytes / 60_000)), "{} bytes a row", bytes / 60_000);
}

#[test]
fn a_retry_keeps_the_time_of_queueing_and_comes_later() {
    let (_, paths) = run("retries", &Options { rows: 30_000, ..Options::default() });
    let mut last: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut retried = 0;
    for row in rows(&paths).into_iter().filter(|row| ["d", "b", "t"].contains(&value(row, "type")))
    {
        let queued = DateTime::parse_from_str(value(&row, "timeQueued"), "%Y-%m-%d %H:%M:%S%z");
        let waited = (logged(&row) - queued.unwrap()).num_seconds();
        assert_eq!(value(&row, "totalSecondsQueued"), waited.to_string());
        let key = (value(&row, "rcpt").to_owned(), value(&row, "envId").to_owned());
        if let Some(before) = last.insert(key, row.clone()) {
            assert_eq!(value(&before, "type"), "t", "{before:?} is not the end");
            assert_eq!(value(&before, "timeQueued"), value(&row, "timeQueued"));
            assert!(logged(&before) < logged(&row));
            retried += 1;
        }
    }
    assert!(retried > 300, "{retried}");
}

#[test]
fn records_are_in_the_order_of_logging_with_line_ends_of_windows() {
    let (_, paths) = run("order", &Options { rows: 10_000, ..Options::default() });
    for path in &paths {
        let content = content(path);
        let text = std::str::from_utf8(&content).unwrap();
        assert!(text.starts_with("type,timeLogged,timeQueued,orig,rcpt,"), "{}", path.display());
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains('\n'));
    }
    let times: Vec<_> = rows(&paths).iter().map(logged).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_incidents_can_be_found_at_scale() {
    let (truth, paths) = run("incidents", &Options { rows: 200_000, ..Options::default() });
    let attempts: Vec<Row> = rows(&paths)
        .into_iter()
        .filter(|row| ["d", "b", "t"].contains(&value(row, "type")))
        .collect();
    let count = |hit: &dyn Fn(&Row) -> bool| attempts.iter().filter(|row| hit(row)).count() as u64;
    let within = |row: &Row, i: usize| {
        let time = logged(row);
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
        at(&truth.incidents[i].since) <= time && time < at(&truth.incidents[i].until)
    };
    let says = |row: &Row, text: &str| value(row, "dsnDiag").contains(text);

    let at_yahoo = |row: &Row| {
        value(row, "queue").starts_with("yahoo.rollup/") && value(row, "vmtaPool") == "pool-bulk"
    };
    let all = count(&|row| at_yahoo(row) && within(row, 0));
    let throttled = count(&|row| at_yahoo(row) && within(row, 0) && says(row, "[TSS04]"));
    let before = count(&|row| at_yahoo(row) && !within(row, 0));
    let usual = count(&|row| at_yahoo(row) && !within(row, 0) && says(row, "[TSS04]"));
    assert_eq!(all, truth.incidents[0].attempts);
    assert!(throttled * 10 > all * 7, "{throttled} of {all}");
    assert!(usual * 10 < before, "{usual} of {before}");

    let blocked = |row: &Row| says(row, "(S3140)") && value(row, "dlvSourceIp") == "192.0.2.12";
    assert!(count(&blocked) > 100);
    assert_eq!(count(&|row| says(row, "(S3140)") && !blocked(row)), 0);
    assert_eq!(count(&|row| blocked(row) && !within(row, 1)), 0);
    assert_eq!(truth.incidents[1].records, truth.incidents[1].attempts);

    let bad = |row: &Row| value(row, "jobId") == "job-bad-list";
    let ended = count(&|row| bad(row) && value(row, "type") != "t");
    let unknown = count(&|row| bad(row) && value(row, "bounceCat") == "bad-mailbox");
    assert!((25..=40).contains(&(100 * unknown / ended)), "{unknown} of {ended}");
}

#[test]
fn an_hourly_file_has_the_name_of_its_local_hour() {
    let settings = Options { rows: 5000, offset_min: -300, ..Options::default() };
    let (truth, paths) = run("hourly", &settings);
    assert_eq!(truth.files.keys().next().unwrap(), "acct-2026-02-28-1900.csv");
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        for row in rows(std::slice::from_ref(path)) {
            let expected = logged(&row).format("acct-%Y-%m-%d-%H00.csv").to_string();
            assert_eq!(name, expected);
        }
    }
}

#[test]
fn in_the_night_of_summer_time_an_hour_is_missing() {
    let start = day("2026-03-29");
    let settings = Options { rows: 5000, zone: madrid(), start, days: 1, ..Options::default() };
    let (truth, _) = run("summer", &settings);
    let names: Vec<&str> = truth.files.keys().map(String::as_str).take(3).collect();
    assert_eq!(
        names,
        ["acct-2026-03-29-0100.csv", "acct-2026-03-29-0300.csv", "acct-2026-03-29-0400.csv"]
    );
}

#[test]
fn a_full_file_is_followed_by_the_next_of_its_day() {
    let settings = Options { rows: 5000, max_bytes: Some(400_000), ..Options::default() };
    let (truth, _) = run("full", &settings);
    let names: Vec<&str> = truth.files.keys().map(String::as_str).collect();
    assert_eq!(names[..2], ["acct-2026-03-01-0000.csv", "acct-2026-03-01-0001.csv"]);
    assert!(names.contains(&"acct-2026-03-02-0000.csv"), "{names:?}");
    for file in truth.files.values() {
        assert!(file.bytes < 402_000, "{file:?}");
    }
}

#[test]
fn split_streams_hold_their_own_record_types_and_fields() {
    let settings = Options { rows: 20_000, split: true, ..Options::default() };
    let (_, paths) = run("streams", &settings);
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected: &[&str] = match name {
            _ if name.starts_with("acct-temp-") => &["t", "tq"],
            _ if name.starts_with("acct-recv-") => &["r"],
            _ => &["d", "b", "rb", "rs", "f"],
        };
        for row in rows(std::slice::from_ref(path)) {
            assert!(expected.contains(&value(&row, "type")), "{name}: {row:?}");
        }
        let content = content(path);
        let header = content.split(|b| *b == b'\r').next().unwrap();
        let has = |field: &str| String::from_utf8_lossy(header).split(',').any(|f| f == field);
        assert_eq!(has("rcvSourceIp"), name.starts_with("acct-recv-"), "{name}");
        assert_eq!(has("dlvSize"), name.starts_with("acct-2"), "{name}");
    }
}

#[test]
fn an_esp_has_thousands_of_senders_hundreds_of_addresses_and_a_long_tail_at_scale() {
    let settings = Options { size: Size::Esp, rows: 100_000, days: 1, ..Options::default() };
    let (truth, paths) = run("esp", &settings);
    let rows = rows(&paths);
    assert_eq!(truth.counts, recount(&rows));
    let distinct = |field: &str| -> BTreeSet<&str> {
        rows.iter().map(|row| value(row, field)).filter(|value| !value.is_empty()).collect()
    };
    let hosts = ["mta1", "mta2", "mta3", "mta4"].map(|host| format!("{host}.example.net"));
    assert!(distinct("userString").into_iter().eq(hosts.iter().map(String::as_str)));
    let named = |host: &str| {
        let mine = paths.iter().filter(|p| p.to_string_lossy().contains(&format!("acct-{host}-")));
        self::rows(&mine.cloned().collect::<Vec<_>>())
    };
    assert!(named("mta3").iter().all(|row| value(row, "userString") == "mta3.example.net"));
    for (field, least, most) in [
        ("vmta", 300, 360), // 300 and the pools of receptions
        ("vmtaPool", 60, 60),
        ("dlvSourceIp", 400, 501),
        ("header_X-Tenant", 1500, 2000),
        ("jobId", 1500, 3000),
    ] {
        let found = distinct(field).len();
        assert!((least..=most).contains(&found), "{field}: {found}");
    }
    assert!(truth.counts.sender_domain.len() > 1500, "{}", truth.counts.sender_domain.len());
    assert!(truth.counts.rcpt_domain.len() > 5000, "{}", truth.counts.rcpt_domain.len());
    let any = |needle: &str| rows.iter().any(|row| value(row, "dsnDiag").contains(needle));
    assert!(any("Empf\u{e4}nger unbekannt") && any("seconds") && any("\u{41f}\u{438}\u{441}"));
}

#[test]
fn the_message_id_of_a_message_is_its_own_and_stays_the_same() {
    let settings = Options { size: Size::Sender, rows: 20_000, days: 1, ..Options::default() };
    let (_, paths) = run("message-ids", &settings);
    let mut of_message = BTreeMap::new();
    let rows = rows(&paths);
    for row in rows.iter().filter(|row| row.contains_key("header_Message-Id")) {
        let id = value(row, "header_Message-Id");
        assert_eq!(*of_message.entry(value(row, "envId")).or_insert(id), id);
        of_message.remove("");
    }
    let ids: BTreeSet<&str> = of_message.values().copied().collect();
    assert!(ids.len() == of_message.len() && ids.len() > 5000, "{}", ids.len());
}

#[test]
fn headers_are_narrow_usual_or_wide() {
    for (header, fields) in [(Header::Narrow, 15), (Header::Usual, 25), (Header::Wide, 40)] {
        for size in [Size::Small, Size::Esp] {
            let settings = Options { header: Some(header), size, rows: 300, ..Options::default() };
            let (_, paths) = run(&format!("header-{fields}-{size:?}"), &settings);
            for path in paths {
                let content = content(&path);
                let names = csv::Reader::from_reader(&content[..]).headers().unwrap().len();
                assert_eq!(names, fields, "{header:?} {size:?}");
            }
        }
    }
}
