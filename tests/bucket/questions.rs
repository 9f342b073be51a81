//! Questions: the answers are those of a folder, and cost what they need.

use super::{There, file, server};
use crate::cluster::server::{Connect, paths};
use crate::sealed::Sealed;

/// Tests that count what is asked of the proxy, and those that let it do wrong, must not meet.
pub(super) static PROXY: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn every_question_has_the_answer_that_it_has_over_a_folder_at_scale() {
    let (here, there) = (Sealed::of_samples(), There::new());
    there.done(&["ingest", "-q", "--host", "testmta", "samples/acct"]);
    let reports = here.done(&["reports", "--format", "csv"]);
    let names = reports.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned());
    let mut questions: Vec<Vec<String>> = names
        .map(|name| name.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| !["job", "rates", "throttles"].contains(&name[0].as_str()))
        .collect();
    for line in [
        "pivot --rows provider --metric sent,bounce_rate",
        "pivot --rows vmta --from records",
        "graph --format csv --last 3d",
        "search mailbox --limit 5",
        "why delivered --at 2026-03-02T16:00 --format json",
        "check bounce_rate --last 5d --critical 50",
        "metrics",
        "doctor --since 2026-03-01",
        "rates --every 1h",
        "throttles",
    ] {
        questions.push(line.split(' ').map(str::to_owned).collect());
    }
    let sum = "select count(*), sum(hash(rec, time_logged, rcpt, template)) from records";
    questions.push(["sql", sum, "--format", "csv"].map(str::to_owned).to_vec());
    let mut answered = 0;
    for question in questions {
        let question: Vec<&str> = question.iter().map(String::as_str).collect();
        let (expected, found) = (here.run(&question), there.run(&question));
        assert_eq!(found.stdout, expected.stdout, "{question:?}\n{}", found.stderr);
        assert_eq!(found.code, expected.code, "{question:?}\n{}", found.stderr);
        answered += usize::from(expected.code == Some(0));
    }
    assert!(answered > 25, "{answered}");
    let status = there.done(&["status"]);
    assert!(status.contains("records   6000 rows"), "{status}");
    assert!(
        there.done(&["paths"]).starts_with(&format!("{}/records/date=2026-03-01/", there.store()))
    );
}

#[test]
fn a_question_over_a_day_reads_the_lists_and_parts_of_that_day_only_at_scale() {
    let _alone = PROXY.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let there = There::by_proxy();
    let days = std::env::var("PMTAQ_BUCKET_DAYS").map_or(60, |days| days.parse().unwrap());
    let mut text = "type,timeLogged,orig,rcpt,vmta,dlvSize\n".to_owned();
    for day in 0..days {
        let at = 1_677_672_000_u64 + day * 86_400;
        text += &format!("d,{at},s@news.example,u{day}@gmail.com,v1,100\n");
    }
    let path = there.sealed.file("acct.csv", text);
    assert_eq!(there.ingest(path.to_str().unwrap()).1, days);

    let other = there.other_machine();
    server().asked();
    let window = ["--since", "2023-03-10", "--until", "2023-03-11"];
    let ask = |sql: &str| other.done(&[&["sql", sql, "--format", "csv"][..], &window].concat());
    assert_eq!(ask("select count(*) from records"), "count_star()\n1\n");
    let asked = server().asked();
    assert_eq!((asked.of("GET days"), asked.of("GET records")), (1, 1));
    assert_eq!((asked.of("GET hourly"), asked.of("GET rejects")), (1, 0));
    assert_eq!((asked.of("GET root.json"), asked.of("GET list")), (1, 0));
    let all = asked.keys("GET");
    assert!(
        all.iter().all(|key| key.contains("2023-03-10") || key.contains("root.json")),
        "{all:?}"
    );
    assert!(asked.of("bytes") < 20_000 + 100 * days, "{}", asked.of("bytes"));

    // Again only the root is asked for.
    ask("select count(*) from records");
    let asked = server().asked();
    assert_eq!((asked.of("GET days"), asked.of("GET records"), asked.of("GET hourly")), (0, 0, 0));

    // What the hours answer needs no records.
    other.done(&["pivot", "--rows", "provider", "--since", "2023-03-12", "--until", "2023-03-13"]);
    let asked = server().asked();
    assert_eq!((asked.of("GET records"), asked.of("GET hourly")), (0, 1));

    // Of records only those of the hours that the window cuts.
    let question = ["pivot", "--rows", "provider", "--metric", "sent", "--format", "csv"];
    let cut = ["--since", "2023-03-14T00:30", "--until", "2023-03-20T12:30"];
    assert_eq!(other.done(&[&question[..], &cut].concat()), "provider,sent\ngmail,7\ntotal,7\n");
    let asked = server().asked();
    assert_eq!((asked.of("GET records"), asked.of("GET hourly")), (1, 7));
    other.done(&[&["latency"][..], &["--since", "2023-03-22", "--until", "2023-03-24"]].concat());
    let asked = server().asked();
    assert_eq!((asked.of("GET records"), asked.of("GET hourly")), (0, 2));
}

#[test]
fn what_a_cluster_reads_of_a_bucket_is_not_fetched_at_scale() {
    let _alone = PROXY.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let there = There::by_proxy();
    for day in 1..=3 {
        let path = there.sealed.file(&format!("acct-{day}.csv"), file(&format!("d{day}"), day, 50));
        there.ingest(path.to_str().unwrap());
    }
    let other = there.other_machine();
    let mut connect = Connect::start(&["rows"]);
    let on = connect.on();
    let root = format!("s3a://mail/{}", other.prefix);
    other.sealed.file("etc/pmtaq.toml", format!("[cluster]\nroot = '{root}'\n"));
    server().asked();
    let question = ["sql", "select count(*) as n from records", "--format", "csv"];
    let until = ["--until", "2026-03-02T10:30", "--on", &on];
    assert_eq!(other.done(&[&question[..], &until].concat()), "n\n42\n");
    let told = connect.told();
    let paths = paths(&told);
    assert_eq!(paths.len(), 2, "{paths:?}");
    let is_known = |path: &&str| path.starts_with(&format!("{root}/records/date=2026-03-0"));
    assert!(paths.iter().all(is_known), "{paths:?}");
    let question = ["pivot", "--rows", "provider,template", "--metric", "sent", "--show-sql"];
    other.run(&[&question[..], &until].concat());
    let asked = server().asked();
    assert_eq!((asked.of("GET records"), asked.of("GET hourly")), (0, 0));
}

#[test]
fn what_is_fetched_is_bounded_and_what_rots_here_is_fetched_again_at_scale() {
    let there = There::new();
    for day in 1..=6 {
        let path =
            there.sealed.file(&format!("acct-{day}.csv"), file(&format!("d{day}"), day, 200));
        there.ingest(path.to_str().unwrap());
    }
    let other = there.other_machine();
    assert_eq!(other.number("select count(*) from records"), 1200);
    let parts = other.cached("records");
    assert_eq!(parts.len(), 6);
    let bytes = std::fs::read(&parts[0]).unwrap();
    let mut rotten = bytes.clone();
    rotten[bytes.len() / 2] ^= 1;
    std::fs::write(&parts[0], &rotten).unwrap();
    std::fs::write(&parts[1], &bytes[..100]).unwrap();
    other.done(&["--check", "volume"]);
    assert_eq!(std::fs::read(&parts[0]).unwrap(), bytes);
    let small = ["--cache-size", "20kB", "sql", "select count(*) from records", "--format", "csv"];
    let third = there.other_machine();
    assert_eq!(third.done(&small), "count_star()\n1200\n");
    let left: u64 = ["records", "hourly"]
        .iter()
        .flat_map(|table| third.cached(table))
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert!(left <= 20_000, "{left}");
}

/// An accounting file whose names nothing can compress, of 180,000 deliveries.
pub(super) fn incompressible() -> String {
    let mut state = 1_u64;
    let mut text = "type,timeLogged,orig,rcpt,vmta,dlvSize\n".to_owned();
    for _ in 0..180_000 {
        text += "d,2026-03-01 10:00:00+0000,s@news.example,";
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text += &format!("{:09x}", state >> 28);
        }
        text += "@gmail.com,v1,100\n";
    }
    text
}

#[test]
fn a_large_part_goes_and_comes_in_pieces_at_scale() {
    let there = There::new();
    let path = there.sealed.file("acct.csv", incompressible());
    there.ingest(path.to_str().unwrap());
    there.done(&["compact", "-q", "--day", "2026-03-01"]);
    let largest = |of: &There| {
        of.cached("records").iter().map(|path| path.metadata().unwrap().len()).max().unwrap()
    };
    assert!(largest(&there) > 9_000_000, "{}", largest(&there));
    let other = there.other_machine();
    assert_eq!(other.number("select count(distinct rcpt) from records"), 180_000);
    assert_eq!(largest(&other), largest(&there));
}

#[test]
fn keys_are_those_of_the_environment_of_a_profile_or_of_the_machine_at_scale() {
    let there = There::new();
    there.ingest("samples/quirks/quirk-offsets.csv");
    let (store, cache) = (there.store(), there.sealed.dir.path().join("cache"));
    let at = [
        ("PMTAQ_STORE", store.as_str()),
        ("PMTAQ_CACHE", cache.to_str().unwrap()),
        ("AWS_ENDPOINT_URL", there.endpoint.as_str()),
    ];
    let ask = |variables: &[(&str, &str)]| {
        let args = ["sql", "select count(*) from records", "--format", "csv"];
        there.sealed.run_with(&[&at[..], variables].concat(), &args)
    };
    let keys = "[mail]\naws_access_key_id = A\naws_secret_access_key = S3CRET\n";
    let file = there.sealed.file("keys", keys);
    let file = file.to_str().unwrap();
    let container = format!("{}/-/keys", server().proxy);
    for variables in [
        &[("AWS_SHARED_CREDENTIALS_FILE", file), ("AWS_PROFILE", "mail")][..],
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.as_str())],
        &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", server().proxy.as_str())],
    ] {
        let run = ask(variables);
        assert_eq!(run.stdout, "count_star()\n4\n", "{variables:?}: {run:?}");
    }
    let role = "arn:aws:iam::123456789012:role/mail";
    let token = there.sealed.file("token", "a.b.c\n");
    let token = token.to_str().unwrap();
    let print = there.sealed.program(
        "keys.sh",
        "#!/bin/sh\necho '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"S3CRET\"}'\n",
    );
    let profiles = format!(
        "[profile program]\ncredential_process = {}\n\
         [profile role]\nrole_arn = {role}\nsource_profile = mail\nexternal_id = x\n\
         [profile chain]\nrole_arn = {role}2\nsource_profile = role\n\
         [profile cluster]\nrole_arn = {role}\nweb_identity_token_file = {token}\n\
         [profile nokeys]\nrole_arn = {role}\nsource_profile = gone\n\
         [profile round]\nrole_arn = {role}\nsource_profile = round\n\
         [profile broken]\ncredential_process = exit 3\n\
         [profile sso]\nsso_session = ours\n",
        print.display()
    );
    let config = there.sealed.file("config", profiles);
    let files = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", file),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    for profile in ["program", "role", "chain", "cluster"] {
        let run = ask(&[&files[..], &[("AWS_PROFILE", profile)]].concat());
        assert_eq!(run.stdout, "count_star()\n4\n", "{profile}: {run:?}");
    }
    let identity = [("AWS_WEB_IDENTITY_TOKEN_FILE", token), ("AWS_ROLE_ARN", role)];
    assert_eq!(ask(&identity).stdout, "count_star()\n4\n");
    for (profile, says) in [
        ("nokeys", "no file has the profile `gone` of source_profile"),
        ("round", "profiles name each other"),
        ("broken", "credential_process ends with exit status: 3"),
        ("sso", "`credential_process = aws configure export-credentials"),
    ] {
        let run = ask(&[&files[..], &[("AWS_PROFILE", profile)]].concat());
        assert!(run.code == Some(2) && run.stderr.contains(says), "{profile}: {run:?}");
        assert!(!run.stderr.contains("S3CRET"), "{run:?}");
    }
    for (variables, says) in [
        (&[("AWS_EC2_METADATA_DISABLED", "true")][..], "no keys for the bucket"),
        (&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")], "AWS_ACCESS_KEY_ID"),
        (&[("AWS_PROFILE", "nobody")], "no file has the profile `nobody`"),
    ] {
        let run = ask(variables);
        assert!(run.code == Some(2) && run.stderr.contains(says), "{variables:?}: {run:?}");
    }
}

#[test]
fn what_is_no_store_in_a_bucket_is_said_at_scale() {
    let there = There::new();
    let run = there.run(&["status"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains(&format!("there is no store in {}", there.store())), "{run:?}");
    for (store, says) in [
        ("gs://mail/x", "not a gs:// one"),
        ("s3://mail/../x", "is no prefix"),
        ("s3://no-such-bucket/x", "NoSuchBucket"),
    ] {
        let run = there.run(&["--store", store, "status"]);
        assert!(run.code == Some(2) || run.code == Some(3), "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
    }
    there.ingest("samples/quirks/quirk-offsets.csv");
    // What is in the bucket already is no store.
    let run = there.run(&["--store", "s3://mail", "ingest", "samples/quirks/quirk-offsets.csv"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    // By a glob others would count what was replaced.
    let run = there.run(&["connect", "duckdb"]);
    assert!(run.code == Some(2) && run.stderr.contains("`pmtaq delta` keeps a log"), "{run:?}");
}
