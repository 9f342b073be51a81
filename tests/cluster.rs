//! What is said when there is no cluster to ask. The answers of one are compared by `make test-cluster`.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::sealed::Sealed;

#[test]
fn an_engine_that_is_none_is_a_wrong_usage() {
    let sealed = Sealed::of_samples();
    for (on, what) in [
        ("sparkle", "--on: it must begin with spark:// or sc://"),
        ("spark://node:x", "--on: its port is no number"),
        ("sc://node/;token=abc", "cluster.token"),
        ("auto", "`--on auto` needs to know the cluster"),
        ("cluster", "`--on cluster` needs to know the cluster"),
    ] {
        let run = sealed.run(&["providers", "--on", on]);
        assert_eq!(run.code, Some(2), "{on}: {run:?}");
        assert!(run.stderr.contains(what) && run.stderr.contains("hint: "), "{on}: {run:?}");
        assert!(!run.stderr.contains("abc"), "{run:?}");
    }
}

#[test]
fn a_cluster_that_is_not_there_is_said_with_its_address() {
    let sealed = Sealed::of_samples();
    // A port that someone had, and nobody has now.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let on = format!("spark://127.0.0.1:{port}");
    let run = sealed.run(&["providers", "--on", &on]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains(&format!("the cluster {on} cannot be reached: ")), "{run:?}");
    assert_eq!(run.stdout, "");
}

#[test]
fn a_server_that_speaks_otherwise_is_an_error_and_no_answer() {
    let sealed = Sealed::of_samples();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let on = format!("spark://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    let run = sealed.run(&["providers", "--on", &on]);
    server.join().unwrap();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.starts_with("pmtaq: error: the cluster"), "{run:?}");
}

#[test]
fn a_token_is_told_to_be_there_and_never_shown_or_sent_in_plain_text() {
    let sealed = Sealed::of_samples();
    sealed.file(
        "etc/pmtaq.toml",
        "[cluster]\nurl = 'spark://192.0.2.1:15002'\ntoken = 'hidden'\nfrom = '1GB'\n",
    );
    let shown = sealed.done(&["config", "show", "--format", "csv"]);
    assert!(shown.contains("cluster.token,set,$DIR/etc/pmtaq.toml:3"), "{shown}");
    assert!(shown.contains("cluster.url,spark://192.0.2.1:15002,"), "{shown}");
    assert!(!shown.contains("hidden"), "{shown}");
    let run = sealed.run(&["providers", "--on", "cluster"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("without TLS") && !run.stderr.contains("hidden"), "{run:?}");
    // A store that is smaller than that is asked here.
    sealed.done(&["providers", "--on", "auto"]);
}
