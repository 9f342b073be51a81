//! Every trap of the input has a sample, and every sample a golden file: what ingest says of it,
//! what it stores, and what reports make of that.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sealed::{Sealed, golden, root};

#[test]
fn every_quirk_gives_what_its_golden_file_says_at_scale() {
    compare_each(1);
}

#[test]
fn one_quirk_in_twelve_gives_what_its_golden_file_says_at_scale() {
    compare_each(12);
}

fn compare_each(step: usize) {
    let mut names: Vec<String> = std::fs::read_dir(root().join("samples/quirks"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("quirk-"))
        .collect();
    names.sort();
    assert!(names.len() > 40, "samples are missing: {names:?}");
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(step, Ordering::Relaxed)) {
                    compare(name);
                }
            });
        }
    });
}

/// What is told of one sample, and its golden file.
fn compare(name: &str) {
    let sealed = Sealed::new();
    // Copied, for a checkout gives files the time of the checkout: these are old and whole.
    let path = sealed.file(name, std::fs::read(root().join("samples/quirks").join(name)).unwrap());
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_768_000_000);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    let given = of(GIVEN, name);
    let args = [&["ingest", "--host", "testmta", path.to_str().unwrap()], given].concat();
    let run = sealed.run(&args);
    let stored = sealed.run(&["sql", STORED, "--format", "jsonl"]);
    let rejects = sealed.run(&["sql", REJECTED, "--format", "jsonl"]);
    let mut text = format!(
        "{}--- stored\n{}--- rejected\n{}",
        run.transcript(),
        stored.stdout,
        rejects.stdout
    );
    for asked in of(ASKED, name) {
        let words: Vec<&str> = asked.split(' ').chain(["--format", "csv"]).collect();
        let run = sealed.run(&words);
        text += &format!("--- {asked}\n{}{}", run.stdout, run.stderr);
    }
    golden(&format!("quirks/{name}.txt"), &text);
}

/// What a list has for a sample.
fn of(list: &'static [(&str, &[&str])], name: &str) -> &'static [&'static str] {
    list.iter().find(|(of, _)| *of == name).map_or(&[], |(_, given)| given)
}

/// What the user has to say of some of them.
const GIVEN: &[(&str, &[&str])] = &[
    ("quirk-time-queued-only.csv", &["--time-field", "timeQueued"]),
    ("quirk-no-header.csv", &["--header", HEADER]),
    ("quirk-no-header-tabs.csv", &["--header-from", "samples/quirks/quirk-tab-separated.csv"]),
    ("quirk-hole-without-header.csv", &["--header", HEADER]),
    ("quirk-header-of-others.csv", &["--header", HEADER]),
    ("quirk-time-queued-unix.csv", &["--time-field", "timeQueued"]),
    ("quirk-time-queued-tabs.tsv", &["--time-field", "timequeued"]),
    ("quirk-no-header.csv.gz", &["--header", HEADER]),
    (
        "quirk-no-header-semicolons.csv",
        &["--header", "type;timeLogged;timeQueued;orig;rcpt;dsnStatus;dsnDiag"],
    ),
    (
        "quirk-begins-within-a-line.csv",
        &["--header", "type,timeLogged,timeQueued,rcpt,dsnDiag,vmta"],
    ),
];

/// What is asked of what they hold, where that is the trap.
const ASKED: &[(&str, &[&str])] = &[
    ("quirk-time-queued-unix.csv", &["pivot --rows host --metric delivered,p95,bounce_rate"]),
    ("quirk-b-without-vmta.csv", &["vmtas", "jobs"]),
    (
        "quirk-t-without-job.csv",
        &["pivot --rows job_id --metric deferral_rate,deferred,bounce_rate"],
    ),
    ("quirk-d-without-orig.csv", &["senders", "domains"]),
    ("quirk-rcpt-logged-from-noon.csv", &["domains"]),
    (
        "quirk-quoted-replies.csv",
        &["bounce-reasons", "search 550 --fields smtp_code,bounce_origin", "suppress"],
    ),
    (
        "quirk-operators-words.csv",
        &["bounce-reasons", "pivot --rows host --metric sent,bounce_rate,deleted_by_operator"],
    ),
    ("quirk-code-twice-over-lines.csv", &["suppress", "misfiled"]),
    ("quirk-hard-code-for-others.csv", &["suppress", "suppress --explain"]),
    (
        "quirk-bounce-queue-for-one.csv",
        &[
            "suppress",
            "suppress --explain",
            "pivot --rows bounce_origin --metric bounced,unknown_users",
            "pivot --rows bounce_origin --metric bounced,unknown_users --from records",
            "hygiene",
            "misfiled",
        ],
    ),
    (
        "quirk-deleted-by-hand.csv",
        &["pivot --rows host --metric sent,bounce_rate,deleted_by_operator", "suppress"],
    ),
    ("quirk-policy-and-unknown-user.csv", &["suppress", "misfiled"]),
    ("quirk-code-in-text.csv", &["suppress", "misfiled"]),
    ("quirk-address-codes-of-senders.csv", &["suppress", "suppress --explain"]),
    ("quirk-mailbox-words-of-others.csv", &["suppress", "suppress --explain"]),
    (
        "quirk-expired-after-own-limits.csv",
        &["suppress", "suppress --class soft", "suppress --class soft --explain"],
    ),
    (
        "quirk-expired-by-category-alone.csv",
        &["suppress", "suppress --explain", "suppress --class soft"],
    ),
    ("quirk-expired-after-what.csv", &["suppress --class soft", "suppress --class soft --explain"]),
    (
        "quirk-categories-of-deliveries.csv",
        &["pivot --rows bounce_cat --metric delivered,bounced,hard"],
    ),
    ("quirk-pmta-35.csv", &["tls", "pivot --rows host --metric tls_rate,bounce_rate"]),
    (
        "quirk-t-without-any-receiver.csv",
        &["pivot --rows host --metric attempts,deferred,deferral_rate"],
    ),
    (
        "quirk-no-destination-ip-own-errors.csv",
        &["pivot --rows host --metric attempts,deferred,deferral_rate"],
    ),
    (
        "quirk-reached-by-dsnmta.csv",
        &["pivot --rows host --metric attempts,deferred,deferral_rate"],
    ),
    ("quirk-tenant-headers-cases.csv", &["pivot --rows header_x-tenant --metric sent,bounce_rate"]),
    (
        "quirk-tenant-headers-folded.csv",
        &[
            "pivot --rows header_x-tenant --metric sent,bounced",
            "pivot --rows header_subject --metric sent",
        ],
    ),
    ("quirk-tenant-headers.jsonl", &["pivot --rows header_X-Tenant --metric sent,bounce_rate"]),
    (
        "quirk-panel-bounces.csv",
        &["domains", "pivot --rows header_drop_meta --metric bounced", "suppress"],
    ),
    (
        "quirk-dst-new-york.csv",
        &["volume --tz America/New_York --since 2026-11-01T01:00-04:00 --until 2026-11-01T03:00"],
    ),
    (
        "quirk-dst-lord-howe.csv",
        &[
            "volume --tz Australia/Lord_Howe --since 2026-04-05T01:00+11:00 --until 2026-04-05T03:00",
            "volume --tz Australia/Lord_Howe --since 2026-10-04T01:00 --until 2026-10-04T04:00",
        ],
    ),
];

const HEADER: &str = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,bounceCat,vmta";

/// What a record says, without its empty columns.
const STORED: &str = "select to_json(map_from_entries(list_filter(map_entries(map {
    'rec': rec, 'time_logged': time_logged::varchar, 'time_queued': time_queued::varchar,
    'sender_domain': sender_domain, 'rcpt_domain': rcpt_domain, 'provider': provider, 'rcpt': left(rcpt, 60),
    'vmta': vmta, 'vmta_pool': vmta_pool, 'smtp_code': smtp_code::varchar, 'enhanced_code': enhanced_code,
    'template': left(template, 80), 'dsn_diag': left(dsn_diag, 80), 'diag_bytes': strlen(dsn_diag)::varchar,
    'bounce_cat': bounce_cat, 'bounce_class': bounce_class, 'bounce_origin': bounce_origin,
    'mx': mx, 'dlv_size': dlv_size::varchar, 'dlv_esmtp_available': dlv_esmtp_available,
    'dlv_source_ip': dlv_source_ip, 'rcv_source_ip': rcv_source_ip, 'dlv_destination_ip': dlv_destination_ip, 'env_id': env_id, 'job_id': job_id,
    'reporting_mta': reporting_mta, 'extra': case when cardinality(extra) > 0 then extra::varchar end
  }), lambda e: e.value is not null))) as record from records order by time_logged, rec, rcpt";

const REJECTED: &str = "select line, byte_offset, size_bytes, field, value, reason, left(raw, 100) as raw from rejects order by byte_offset";
