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

#[test]
fn what_an_operator_deleted_waits_no_more_and_is_no_bounce_of_its_job_or_queue() {
    let sealed = Sealed::new();
    let rows = [
        ("r,2026-03-01 10:00:0", ""),
        ("t,2026-03-01 10:05:0", "smtp;421 4.7.0 later"),
        ("b,2026-03-01 11:30:0", "x-pmta;deleted by administrator"),
    ];
    let mut text =
        "type,timeLogged,timeQueued,orig,rcpt,dsnDiag,dlvDestinationIp,vmta,jobId\n".to_owned();
    for (begin, diag) in rows {
        for n in 0..3 {
            text += &format!(
                "{begin}{n}+0000,2026-03-01 10:00:0{n}+0000,a@s.example,u{n}@x.example,{diag},192.0.2.1,v1,J1\n"
            );
        }
    }
    text +=
        "r,2026-03-01 10:00:09+0000,2026-03-01 10:00:09+0000,a@s.example,u9@x.example,,,v1,J1\n";
    text += "d,2026-03-01 11:45:00+0000,2026-03-01 10:00:09+0000,a@s.example,u9@x.example,smtp;250 ok,192.0.2.1,v1,J1\n";
    sealed.ingest(&[&sealed.file("acct.csv", text)]);
    let of =
        |line: &str| sealed.done(&format!("{line} --format csv").split(' ').collect::<Vec<_>>());
    let job = of("job J1");
    for line in [
        "injected,4,",
        "sent,1,4,",
        "deleted by operator,3,4,75.0,",
        "waiting,0,4,",
        "bounced,0,1,",
    ] {
        assert!(job.contains(&format!("\n{line}")), "{line}: {job}");
    }
    let survival = of("survival");
    let header: Vec<&str> = survival.lines().next().unwrap().split(',').collect();
    let cells: Vec<&str> = survival.lines().nth(1).unwrap().split(',').collect();
    let cell = |name: &str| cells[header.iter().position(|column| *column == name).unwrap()];
    let told = ["deferred", "bounced", "deleted", "still_queued"].map(cell);
    assert_eq!(told, ["3", "0", "3", "0"], "{survival}");
    let queue = of("queue");
    assert!(queue.contains("2026-03-01T10:00:00Z,4,0,0,4,"), "{queue}");
    assert!(queue.contains("2026-03-01T11:00:00Z,0,4,3,0,"), "{queue}");
}
