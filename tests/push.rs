//! `push clickhouse` against ClickHouse's own engine behind a real listener: its tables hold what the store
//! holds, whatever came in between.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::life::pieces;
use crate::sealed::{Run, Sealed, interpreter, root};

/// It ends when its standard input is closed.
struct ClickHouse {
    address: String,
    _child: Child,
}

impl ClickHouse {
    fn new() -> ClickHouse {
        let mut command = Command::new(interpreter());
        command.arg(root().join("tests/python/clickhouse.py")).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://"), "tests/python/clickhouse.py begins");
        ClickHouse { address: line.trim().to_owned(), _child: child }
    }

    fn post(&self, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address.trim_start_matches("http://")).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.0\r\nX-ClickHouse-Key: s3cret\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200"), "{body}");
        body.to_owned()
    }

    fn number(&self, sql: &str) -> i64 {
        self.post("/", sql).trim().parse().unwrap()
    }

    fn push(&self, sealed: &Sealed, args: &[&str]) -> Run {
        let variables = [("CLICKHOUSE_USER", "pmtaq"), ("CLICKHOUSE_PASSWORD", "s3cret")];
        sealed
            .run_with(&variables, &[&["push", "clickhouse", "--url", &self.address], args].concat())
    }

    /// Pushes and compares both tables with the store.
    fn agrees(&self, sealed: &Sealed, says: &str) {
        let run = self.push(sealed, &[]);
        assert!(run.code == Some(0) && run.stderr.contains(says), "{says}: {run:?}");
        for (here, there) in [
            ("select count(*) from records", "select count() from pmtaq.records"),
            (
                "select count(distinct rcpt) from records",
                "select uniqExact(rcpt) from pmtaq.records",
            ),
            (
                "select sum(epoch_ms(time_logged) % 1000003 * length(coalesce(dsn_diag, '')))::bigint from records",
                "select sum(toUnixTimestamp64Milli(time_logged) % 1000003 * lengthUTF8(ifNull(dsn_diag, ''))) from pmtaq.records",
            ),
            (
                "select sum(cardinality(extra))::bigint from records",
                "select sum(length(extra)) from pmtaq.records",
            ),
            (
                "select sum(message_key % 1000)::bigint from records",
                "select sum(message_key % 1000) from pmtaq.records",
            ),
            ("select sum(records)::bigint from hourly", "select sum(records) from pmtaq.hourly"),
            (
                "select count(*) from records where provider is null",
                "select countIf(provider is null) from pmtaq.records",
            ),
        ] {
            assert_eq!(self.number(there), sealed.number(here), "{there}");
        }
    }
}

#[test]
fn clickhouse_holds_what_the_store_holds_whatever_came_in_between_at_scale() {
    let (sealed, house) = (Sealed::new(), ClickHouse::new());
    let pieces = pieces(&sealed, 700);
    sealed.ingest(&[&pieces[0], &pieces[1], &pieces[2]]);
    sealed.ingest(&[&root().join("samples/quirks")]);
    house.agrees(&sealed, "0 days put in place of what they were, 0 days dropped");
    house.agrees(&sealed, "records: 0 parts inserted, 0 days put in place");
    sealed.ingest(&[&pieces[3]]);
    house.agrees(&sealed, "records: 1 parts inserted, 0 days put in place");
    // What is merged or erased takes the place of what was there, at once.
    pieces[4..].iter().for_each(|piece| drop(sealed.ingest(&[piece])));
    sealed.done(&["compact", "-q", "--day", "2026-03-01,2026-03-02,2026-03-03"]);
    sealed.done(&["forget", "-q", "--yes", "--rcpt", "ines.braun@gmail.com"]);
    house.agrees(&sealed, "days put in place of what they were, 0 days dropped");
    let erased = "select count() from pmtaq.records where rcpt = 'ines.braun@gmail.com'";
    assert_eq!(house.number(erased), 0);
    // A row that came otherwise is found and is gone.
    house.post("/", "insert into pmtaq.records select * from pmtaq.records limit 1");
    house.agrees(&sealed, "records: 0 parts inserted, 1 days put in place");
    house.post("/", "alter table pmtaq.hourly drop partition '2026-03-02'");
    house.agrees(&sealed, "hourly: 1 parts inserted");
    // What the store has no longer goes, unless it is to stay.
    sealed.done(&["prune", "-q", "--keep", "records=2d,hourly=2d", "--yes"]);
    let before = house.number("select count() from pmtaq.records");
    assert_eq!(house.push(&sealed, &["--keep-old"]).code, Some(0));
    assert_eq!(house.number("select count() from pmtaq.records"), before);
    house.agrees(&sealed, "records: 0 parts inserted, 0 days put in place of what they were, ");
    assert!(house.number("select count() from pmtaq.records") < before);
}

#[test]
fn a_push_that_was_cut_short_goes_on_and_stores_nothing_twice_at_scale() {
    let sealed = Sealed::new();
    for piece in pieces(&sealed, 900) {
        sealed.ingest(&[&piece]);
    }
    let house = ClickHouse::new();
    for mode in ["lost", "reset", "half"] {
        for at in [1, 2, 5] {
            house.post("/", "drop table if exists pmtaq.records");
            house.post("/-/fault", &format!(r#"{{"mode": "{mode}", "at": {at}}}"#));
            let run = house.push(&sealed, &[]);
            house.post("/-/fault", "{}");
            let goes_on = run.stderr.contains("ClickHouse: ");
            assert!(run.code == Some(1) && goes_on, "{mode} at {at}: {run:?}");
            assert!(!run.stderr.contains("s3cret"), "{run:?}");
            house.agrees(&sealed, "rows of the store are there");
        }
    }
}

#[test]
fn a_push_asks_nobody_for_its_statements_and_shows_no_one_elses_text_as_it_is() {
    let (sealed, house) = (Sealed::of_samples(), ClickHouse::new());
    let printed =
        sealed.done(&["push", "clickhouse", "--print", "--database", "mail", "--prefix", "a_"]);
    for statement in printed.split(";\n").map(str::trim).filter(|text| !text.is_empty()) {
        house.post("/", statement);
    }
    assert_eq!(house.number("select count() from mail.a_records"), 0);
    let run = sealed.run(&["push", "clickhouse", "--url", &house.address]);
    assert!(run.code == Some(1) && run.stderr.contains("Authentication failed"), "{run:?}");
    assert!(!run.stderr.contains('\x1b'), "{run:?}");
    for (args, says) in [
        (&["--url", "clickhouse:9000"][..], "is no address of ClickHouse"),
        (&["--url", "http://u:s3cret@h:8123"], "CLICKHOUSE_PASSWORD"),
        (&["--database", "a b"], "is no name of a database"),
        (&["--table", "rejects"], "is no table to be pushed"),
    ] {
        let run = sealed.run(&[&["push", "clickhouse"], args].concat());
        assert!(run.code == Some(2) && run.stderr.contains(says), "{says}: {run:?}");
    }
}
