//! A server and a network that do wrong: the answer is right, or the error says what is wrong.

use std::sync::PoisonError;

use super::questions::PROXY;
use super::{There, file, server};

/// What goes wrong with a third of what is asked.
const FAULTS: &[&str] = &[
    r#"{"mode": "500", "rate": 0.3}"#,
    r#"{"mode": "503", "rate": 0.3}"#,
    r#"{"mode": "reset", "rate": 0.3}"#,
    r#"{"mode": "lost", "rate": 0.3}"#,
    r#"{"mode": "lost", "rate": 0.7, "only": "PUT", "within": "root.json"}"#,
    r#"{"mode": "cut", "rate": 0.3, "only": "GET"}"#,
    r#"{"mode": "slow", "rate": 0.5, "only": "GET"}"#,
    r#"{"mode": "flip", "rate": 0.2, "only": "GET", "within": "parquet"}"#,
    r#"{"mode": "etag", "rate": 1.0, "only": "PUT", "within": "root.json"}"#,
    r#"{"mode": "etag", "rate": 0.4, "only": "GET", "within": "root.json"}"#,
];

#[test]
fn what_may_pass_is_tried_again_and_nothing_is_lost_or_stored_twice_at_scale() {
    let _alone = PROXY.lock().unwrap_or_else(PoisonError::into_inner);
    for fault in FAULTS {
        server().fault("{}");
        let there = There::by_proxy();
        let mut expected = 0;
        for i in 0..3 {
            let path =
                there.sealed.file(&format!("acct-{i}.csv"), file(&format!("m{i}"), 1 + i, 30));
            server().fault(fault);
            let run = there.run(&["ingest", "-q", path.to_str().unwrap()]);
            server().fault("{}");
            if run.code != Some(0) {
                assert_eq!(run.code, Some(3), "{fault}: {run:?}");
                assert!(run.stderr.contains("pmtaq: error: "), "{fault}: {run:?}");
            }
            // Whatever it said, the file is there once in the end.
            let (read, stored, duplicate, _) = there.ingest(path.to_str().unwrap());
            assert_eq!((read, stored + duplicate), (30, 30), "{fault}");
            assert!(run.code != Some(0) || stored == 0, "{fault}: it said that it had stored it");
            expected += 30;
        }
        let other = there.other_machine();
        server().fault(fault);
        let run = other.run(&["sql", "select count(*) from records", "--format", "csv"]);
        server().fault("{}");
        match run.code {
            Some(0) => assert_eq!(run.stdout, format!("count_star()\n{expected}\n"), "{fault}"),
            _ => assert!(run.stderr.contains("pmtaq: error: "), "{fault}: {run:?}"),
        }
        assert_eq!(other.number("select count(distinct rcpt) from records"), expected, "{fault}");
        let run = other.run(&["verify", "-q"]);
        assert_eq!(run.code, Some(0), "{fault}: {run:?}");
    }
}

#[test]
fn a_server_that_does_not_compare_before_it_swaps_is_refused_at_scale() {
    let _alone = PROXY.lock().unwrap_or_else(PoisonError::into_inner);
    let there = There::by_proxy();
    server().fault(r#"{"mode": "blind", "only": "PUT"}"#);
    let run = there.run(&["ingest", "samples/quirks/quirk-offsets.csv"]);
    server().fault("{}");
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("If-None-Match"), "{run:?}");
    // A store that was made elsewhere too, before anything is written.
    there.ingest("samples/quirks/quirk-offsets.csv");
    let other = there.other_machine();
    server().fault(r#"{"mode": "blind", "only": "PUT"}"#);
    let run = other.run(&["ingest", "samples/quirks/quirk-absurd-times.csv"]);
    server().fault("{}");
    assert_eq!(run.code, Some(2), "{run:?}");
    assert_eq!(there.number("select count(*) from records"), 4);
}

#[test]
fn no_error_has_a_key_or_a_signature_in_it_at_scale() {
    let _alone = PROXY.lock().unwrap_or_else(PoisonError::into_inner);
    let there = There::by_proxy();
    let mut said = String::new();
    for fault in ["500", "reset", "cut", "lost"] {
        server().fault(&format!(r#"{{"mode": "{fault}"}}"#));
        let run = there.run(&["status"]);
        assert!(run.code == Some(3) || fault == "cut" || fault == "lost", "{run:?}");
        said += &run.transcript();
    }
    server().fault("{}");
    let nowhere = [("AWS_ENDPOINT_URL", "http://user:hidden@127.0.0.1:1/x")];
    let variables = there.variables();
    let variables: Vec<_> = variables.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let run = there.sealed.run_with(&[&variables[..], &nowhere].concat(), &["status"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    said += &run.transcript();
    for secret in ["AKIAOURTESTKEY", "the+secret", "Signature", "X-Amz", "hidden", "\x1b"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    assert!(said.contains("InternalError"), "{said}");
}
