//! What was replaced in a bucket stays for an hour, for who reads it still; what was never ended goes.

use std::sync::PoisonError;

use super::questions::PROXY;
use super::writers::is_sound;
use super::{There, file, server};

#[test]
fn what_was_replaced_stays_for_an_hour_of_the_server_and_goes_then_at_scale() {
    let _alone = PROXY.lock().unwrap_or_else(PoisonError::into_inner);
    server().fault("{}");
    let there = There::by_proxy();
    let ingest = |n: u32| {
        let path = there.sealed.file(&format!("acct-{n}.csv"), file(&format!("m{n}"), 1, 20));
        there.ingest(path.to_str().unwrap());
    };
    (0..3).for_each(ingest);
    there.done(&["compact", "-q", "--day", "2026-03-01"]);
    let replaced = |all: Vec<String>| all.len() - 1;
    assert_eq!(replaced(there.objects("records/")), 3, "one part counts, and three were replaced");
    // Two rounds of the commits that look for what is to be deleted.
    (3..20).for_each(ingest);
    assert!(there.objects("records/").len() > 4, "an hour has not gone by");
    server().fault(r#"{"mode": "date", "ahead": 7200}"#);
    (20..29).for_each(ingest);
    server().fault("{}");
    let (left, listed) = (there.objects("records/"), there.done(&["paths"]).lines().count());
    // What the commits since the last round have replaced is there still.
    assert!(left.len() < listed + 10, "{listed} parts count of {left:?}");
    assert!(!left.iter().any(|key| key.contains("/00000001-")), "{left:?}");
    assert_eq!(there.number("select count(*) from records"), 29 * 20);
    is_sound(&there);
}

#[test]
fn an_upload_in_pieces_that_breaks_leaves_no_object_and_no_piece_at_scale() {
    let _alone = PROXY.lock().unwrap_or_else(PoisonError::into_inner);
    server().fault("{}");
    let there = There::by_proxy();
    let path = there.sealed.file("acct.csv", super::questions::incompressible());
    let (_, stored, ..) = there.ingest(path.to_str().unwrap());
    assert_eq!(stored, 180_000);
    let parts = there.objects("records/");
    server().fault(r#"{"mode": "403", "only": "PUT", "within": "partNumber=2"}"#);
    let run = there.run(&["compact", "-q", "--day", "2026-03-01"]);
    server().fault("{}");
    assert!(run.code == Some(3) && run.stderr.contains("403 AccessDenied"), "{run:?}");
    assert_eq!((server().uploads(), there.objects("records/")), (Vec::new(), parts));
    is_sound(&there);
    there.done(&["compact", "-q", "--day", "2026-03-01"]);
    assert_eq!(there.number("select count(distinct rcpt) from records"), 180_000);
}
