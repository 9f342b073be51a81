//! What a cluster is told, and what is said of what it answers. The answers of real ones are compared by
//! `make test-cluster`.

pub(crate) mod server;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::sealed::Sealed;
use server::{Connect, of, paths};

/// A statement whose answer is one number.
const COUNT: &[&str] = &["sql", "select count(*) as n from records", "--format", "csv"];

/// Asks that of a server.
fn ask(sealed: &Sealed, connect: &Connect, more: &[&str]) -> crate::sealed::Run {
    sealed.run(&[COUNT, &["--on", &connect.on()], more].concat())
}

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

#[test]
fn a_cluster_is_told_how_it_must_be_and_by_which_paths_it_finds_the_parts() {
    let sealed = Sealed::of_samples();
    let mut connect = Connect::start(&["rows"]);
    let table = format!("[cluster]\nurl = '{}'\nroot = 's3a://mail/pmtaq/'\n", connect.on());
    sealed.file("etc/pmtaq.toml", table);
    let day = ["--since", "2026-03-02", "--until", "2026-03-03", "--on", "cluster"];
    let run = sealed.run(&[COUNT, &day].concat());
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "n\n42\n"), "{run:?}");
    let name = format!("Spark 4.0.0 at {}", connect.on());
    assert!(run.stderr.contains(&name), "{run:?}");

    let told = connect.told();
    let set = &of(&told, "Config")[0]["set"];
    assert_eq!(set["spark.sql.ansi.enabled"], "true");
    assert_eq!(set["spark.sql.session.timeZone"], "UTC");
    let view = told.iter().find(|told| !told["paths"].is_null()).expect("a view");
    assert_eq!(view["format"], "parquet");
    assert!(view["schema"].as_str().unwrap().contains("`time_logged` timestamp_ntz"), "{view}");
    let paths = paths(&told);
    assert!(!paths.is_empty());
    let is_known = |path: &&str| {
        path.starts_with("s3a://mail/pmtaq/records/date=2026-03-02/") && path.ends_with(".parquet")
    };
    assert!(paths.iter().all(is_known), "{paths:?}");
    assert!(told.iter().all(|one| one["session"] == told[0]["session"]), "{told:?}");
    assert_eq!(told.last().unwrap()["method"], "ReleaseSession");
}

#[test]
fn a_rollup_by_day_is_chosen_there_as_here_at_scale() {
    let sealed = crate::tiers::stored();
    let connect = Connect::start(&["rows"]);
    for (rows, metric, table) in crate::tiers::ASKED {
        let question = ["pivot", "--rows", rows, "--metric", metric, "--show-sql"];
        let here = sealed.done(&question);
        let there = sealed.done(&[&question[..], &["--on", &connect.on()]].concat());
        assert!(there.contains("hours: it sums the rollup"), "{there}");
        let part = if table == "hours" { "/hourly/date=" } else { &format!("/{table}/date=") };
        assert!(here.contains(part) && there.contains(part), "{rows}: {there}");
        assert!(!there.contains("/records/date="), "{rows}: {there}");
    }
}

#[test]
fn who_interrupts_a_question_ends_it_there_too() {
    for answer in ["never", "half"] {
        let (sealed, mut connect) = (Sealed::of_samples(), Connect::start(&[answer]));
        let mut command = sealed.command();
        command.args(COUNT).args(["--on", &connect.on()]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let statement = connect.statement();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{answer}: {output:?}");
        let told = connect.told();
        let stop = of(&told, "Interrupt");
        assert_eq!(stop[0]["operation"], statement["operation"], "{answer}: {told:?}");
        assert_eq!(stop[0]["kind"], 3, "{answer}");
    }
}

#[test]
fn a_question_that_is_out_of_time_is_ended_there_too_at_scale() {
    for answer in ["never", "half"] {
        let (sealed, mut connect) = (Sealed::of_samples(), Connect::start(&[answer]));
        let run = ask(&sealed, &connect, &["--timeout", "1s"]);
        assert_eq!(run.code, Some(1), "{answer}: {run:?}");
        assert!(run.stderr.contains("this took longer than 1 s"), "{answer}: {run:?}");
        assert_eq!(of(&connect.told(), "Interrupt").len(), 1, "{answer}");
    }
}

#[test]
fn what_a_cluster_does_wrong_is_an_error_and_no_number_at_scale() {
    let sealed = Sealed::of_samples();
    for (answer, says) in [
        ("gone", "the cluster"),
        ("other", "its answer has another form: no column `n`"),
        ("words", "its answer has another form: column `n`"),
        ("path", "the cluster cannot read [PATH_NOT_FOUND]"),
        ("path", "cluster.root says where"),
        ("failed", "the cluster says: [UNRESOLVED_COLUMN] A column `x` cannot be resolved."),
    ] {
        let run = ask(&sealed, &Connect::start(&[answer]), &[]);
        assert_eq!(run.code, Some(1), "{answer}: {run:?}");
        assert!(run.stderr.contains(says), "{answer}: {run:?}");
        let all = run.transcript();
        assert!(!all.contains('\x1b') && !all.contains("org.apache"), "{answer}: {all}");
        assert!(answer == "gone" || run.stdout.is_empty(), "{answer}: {run:?}");
    }
}

#[test]
fn a_token_opens_a_cluster_and_another_one_does_not() {
    let sealed = Sealed::of_samples();
    let mut connect = Connect::start(&["rows", "--token", "ours"]);
    let on = connect.on();
    let question = [COUNT, &["--on", &on]].concat();
    for (token, code, says) in [
        (Some("ours"), 0, "answered by"),
        (Some("others"), 1, "refuses the token; the setting cluster.token names one"),
        (None, 1, "wants a token; the setting cluster.token names one"),
    ] {
        let variables: Vec<_> = token.iter().map(|text| ("PMTAQ_CLUSTER_TOKEN", *text)).collect();
        let run = sealed.run_with(&variables, &question);
        assert_eq!(run.code, Some(code), "{token:?}: {run:?}");
        assert!(run.stderr.contains(says) && !run.stderr.contains("others"), "{token:?}: {run:?}");
        let told = connect.told();
        let sent = token.map(|token| format!("Bearer {token}"));
        assert!(told.iter().all(|told| told["token"].as_str() == sent.as_deref()), "{told:?}");
    }
}

#[test]
fn a_cluster_whose_certificate_is_not_trusted_is_not_asked_at_scale() {
    let sealed = Sealed::of_samples();
    let folder = sealed.dir.path().to_str().unwrap().to_owned();
    let mut connect = Connect::start(&["rows", "--token", "ours", "--tls", &folder]);
    let (ca, key) = (format!("{folder}/ca.pem"), format!("{folder}/ca.key"));
    let table = |ca: &str| format!("[cluster]\ntoken = 'ours'\n{ca}");
    let (tls, plain) = (connect.by_tls(), connect.on());
    let ask = |on: &str, settings: &str, variables: &[(&str, &str)]| {
        sealed.file("etc/pmtaq.toml", table(settings));
        sealed.run_with(variables, &[COUNT, &["--on", on]].concat())
    };
    let run = ask(&tls, &format!("ca = '{ca}'"), &[("SSL_CERT_FILE", "no/such.pem")]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "n\n42\n"), "{run:?}");
    assert!(connect.told().iter().all(|told| told["token"] == "Bearer ours"));
    let run = ask(&tls, "", &[("SSL_CERT_FILE", &ca)]);
    assert_eq!(run.code, Some(0), "{run:?}");
    connect.told();

    let other = tempfile::tempdir().unwrap();
    let theirs = Connect::start(&["rows", "--tls", other.path().to_str().unwrap()]);
    let wrong = format!("ca = '{}/ca.pem'", other.path().display());
    let run = ask(&tls, &wrong, &[]);
    assert!(run.code == Some(1) && run.stderr.contains("certificate"), "{run:?}");
    assert!(run.stderr.contains("hint: the setting cluster.ca"), "{run:?}");
    drop(theirs);
    let run = ask(&tls, &format!("ca = '{key}'"), &[]);
    assert!(run.code == Some(2) && run.stderr.contains("holds no certificate"), "{run:?}");
    let run = ask(&tls, "ca = 'no/such.pem'", &[]);
    assert!(run.code == Some(2) && run.stderr.contains("there is no file no/such.pem"), "{run:?}");
    // Plain words to a server that speaks TLS, and the other way round.
    let run = ask(&plain, "", &[]);
    assert!(run.code == Some(1) && run.stderr.contains("cannot be reached"), "{run:?}");
    let open = Connect::start(&["rows"]);
    let run = ask(&open.by_tls(), &format!("ca = '{ca}'"), &[]);
    assert!(run.code == Some(1) && run.stderr.contains("cannot be reached"), "{run:?}");
}
