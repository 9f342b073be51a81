//! Who ended a bounce: the receiver, PMTA, an operator; and that what an operator deleted is in no rate,
//! whoever asks.

use crate::sealed::{Sealed, golden};

/// A store of these samples.
fn of(names: &[&str]) -> Sealed {
    let sealed = Sealed::new();
    for name in names {
        let path = format!("samples/quirks/{name}.csv");
        sealed.done(&["ingest", "-q", "--host", "mta", &path]);
    }
    sealed
}

/// Three deliveries, one bounce, four recipients that were deleted.
const DELETED: &str = "quirk-deleted-by-administrator";

fn lines(text: &str) -> Vec<&str> {
    text.lines().skip(1).collect()
}

#[test]
fn what_an_operator_deleted_is_in_no_rate_of_pivots_reports_and_series() {
    let sealed = of(&[DELETED]);
    let metrics = "sent,bounced,bounce_rate,undetermined,undetermined_rate,deleted_by_operator";
    for from in ["auto", "records"] {
        let pivot = ["pivot", "--rows", "host", "--metric", metrics, "--format", "csv"];
        let text = sealed.done(&[&pivot[..], &["--from", from]].concat());
        assert_eq!(lines(&text)[0], "mta,4,1,25.0,0,0.0,4", "{from}");
    }
    let domains = sealed.done(&["domains", "--format", "csv"]);
    assert!(domains.contains("example.org,4,3,1,25.0"), "{domains}");
    let graph = ["graph", "bounce_rate", "--every", "1d", "--format", "csv"];
    assert!(sealed.done(&graph).contains(",25.0"));
    let sql = sealed.done(&["sql", "select bounce_rate() from records", "--format", "csv"]);
    assert_eq!(lines(&sql), ["25.0"]);
}

#[test]
fn what_an_operator_deleted_has_a_line_of_its_own_and_no_share() {
    let sealed = of(&[DELETED]);
    let reasons = sealed.done(&["bounce-reasons", "--format", "csv"]);
    let reasons = lines(&reasons);
    assert!(reasons[0].starts_with("administrative,other,5.0.0,4,,1,"), "{reasons:?}");
    assert!(reasons[1].starts_with("hard,bad-mailbox,5.1.1,1,100.0,1,"), "{reasons:?}");
}

#[test]
fn no_check_fires_for_a_queue_that_was_flushed() {
    let sealed = of(&[DELETED]);
    let check = ["check", "bounce_rate", "--min-n", "1", "--max-lag", "90d", "-c", "30"];
    let run =
        sealed.run(&[&check[..], &["--since", "2026-01-05", "--until", "2026-01-06"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("25.0 % of 4 sent"), "{run:?}");
}

#[test]
fn why_counts_no_recipient_that_an_operator_deleted() {
    let sealed = of(&[DELETED]);
    let why = ["why", "bounce_rate", "--since", "2026-01-05T10:00", "--until", "2026-01-05T11:00"];
    let text = sealed.done(&why);
    assert!(text.contains("25.0 % of 4"), "{text}");
}

#[test]
fn every_bounce_has_one_origin_and_the_metrics_add_up() {
    let sealed = of(&["quirk-who-ended-it", "quirk-flushed-and-removed", DELETED]);
    let names =
        "bounced_by_receiver,bounced_after_reply,bounced_by_pmta,bounced,deleted_by_operator";
    for from in ["auto", "records"] {
        let pivot =
            ["pivot", "--rows", "host", "--metric", names, "--format", "csv", "--from", from];
        assert_eq!(lines(&sealed.done(&pivot))[0], "mta,3,3,3,9,8", "{from}");
    }
    golden(
        "reports/pivot-bounce-origin.txt",
        &sealed
            .run(&[
                "pivot",
                "--rows",
                "bounce_origin",
                "--cols",
                "rec",
                "--metric",
                "bounced,deferred",
            ])
            .transcript(),
    );
}
