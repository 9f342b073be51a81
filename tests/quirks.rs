//! Every trap of the input has a sample, and every sample a golden file: what ingest says of it
//! and what it stores.

use crate::sealed::{Sealed, golden, root};

#[test]
fn every_quirk_gives_what_its_golden_file_says() {
    let mut names: Vec<String> = std::fs::read_dir(root().join("samples/quirks"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("quirk-"))
        .collect();
    names.sort();
    assert!(names.len() > 40, "samples are missing: {names:?}");
    for name in names {
        let sealed = Sealed::new();
        // Copied, for a checkout gives files the time of the checkout: these are old and whole.
        let path =
            sealed.file(&name, std::fs::read(root().join("samples/quirks").join(&name)).unwrap());
        let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_768_000_000);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        let given = GIVEN.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, given)| given);
        let args = [&["ingest", "--host", "testmta", path.to_str().unwrap()], given].concat();
        let run = sealed.run(&args);
        let stored = sealed.run(&["sql", STORED, "--format", "jsonl"]);
        let rejects = sealed.run(&["sql", REJECTED, "--format", "jsonl"]);
        let text = format!(
            "{}--- stored\n{}--- rejected\n{}",
            run.transcript(),
            stored.stdout,
            rejects.stdout
        );
        golden(&format!("quirks/{name}.txt"), &text);
    }
}

/// What the user has to say of some of them.
const GIVEN: &[(&str, &[&str])] = &[
    ("quirk-time-queued-only.csv", &["--time-field", "timeQueued"]),
    ("quirk-no-header.csv", &["--header", HEADER]),
    ("quirk-no-header-tabs.csv", &["--header-from", "samples/quirks/quirk-tab-separated.csv"]),
    ("quirk-hole-without-header.csv", &["--header", HEADER]),
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
